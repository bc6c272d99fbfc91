import test from "node:test";
import assert from "node:assert/strict";
import { cases, missing, number } from "./cases.mjs";
import { full, short, decimalsFor, count, plural, places, parse, amountOf, literal, term } from "../../cnnlib/widgets/static/kit/text.js";
import { inkOn, luminance, toneScale, greyScale } from "../../cnnlib/widgets/static/kit/scale.js";

test("numbers in sentences and code, word for word as in Python", { skip: missing }, () => {
  for (const each of cases("numbers")) {
    assert.equal(full(number(each.number)), each.full);
    assert.equal(literal(number(each.number)), each.literal);
  }
});

test("numbers in cells: four glyphs, real minus, never −0", () => {
  const shown = (numbers) => numbers.map((x) => short(x, decimalsFor(numbers)));
  assert.deepEqual(shown([0, -1, 12, -128]), ["0", "−1", "12", "−128"]);
  assert.deepEqual(shown([0.25, 0.5, 1]), ["0.25", "0.50", "1.00"]);
  assert.deepEqual(shown([-0.25, 0.5]), ["−.25", "0.50"]);
  assert.deepEqual(shown([12.5, 3.25]), ["12.5", "3.3"]);
  assert.deepEqual(shown([-0.004, 1.5]), ["0.0", "1.5"]);
  assert.deepEqual(shown([12.5, -1, 0]), ["12.5", "−1.0", "0.0"]);
  assert.deepEqual(shown([-12.5, 1.5]), ["−13", "2"]);
  assert.deepEqual(shown([NaN, 2]), ["NaN", "2"]);
  assert.equal(short(123456), "1e5");
  for (const x of [-9.99, 99.96, -0.999, 0.996, 999.6]) assert.ok(short(x, decimalsFor([x])).length <= 5, String(x));
});

test("words", () => {
  assert.equal(count(1234567), "1,234,567");
  assert.equal(plural(1, "pixel") + plural(2, "pixel"), "1 pixel2 pixels");
  assert.equal(places(-1, 3, 2), "−1 to 3 in steps of 2");
  assert.equal(places(4, 4), "4");
  assert.equal(term(1, -1), "1·(−1)");
});

test("what is typed", () => {
  assert.deepEqual(["−1", "-1.5", "1/4", " 2 ", ".5", "0,5"].map(parse), [-1, -1.5, 0.25, 2, 0.5, 0.5]);
  for (const text of ["", "x", "1/0", "--1", "1 2"]) assert.equal(parse(text), null, text);
  assert.ok(Number.isNaN(parse("nan")));
});

test("an amount that is typed: thousands as they are printed, and k, M, G", () => {
  const read = { "614,656": 614656, "2 359 808": 2359808, "1\u2009234\u2009567.5": 1234567.5, "−1,500": -1500, "1\u202f500": 1500,
    "2.36M": 2360000, "1.005 k": 1005, "4,1 G": 4.1e9, "1,5": 1.5, "0,125": 0.125, "1.500": 1.5, "1234,567": 1234.567, "12,3456": 12.3456, "1/4": 0.25 };
  for (const [text, value] of Object.entries(read)) assert.equal(amountOf(text), value, text);
  for (const text of ["", "abc", "k", "1,50,000", "1,500 600", "1 2", "12 M pixels"]) assert.equal(amountOf(text), null, text);
  assert.equal(parse("1,500"), 1.5);                 // in a cell, a comma is a decimal comma
});

test("ink is readable on every tone", () => {
  const contrast = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  for (const scale of ["light", "dark"].flatMap((theme) => ["input", "weight", "output"].map((role) => toneScale(1, role, theme))).concat(greyScale(-1, 1))) {
    for (let x = -1; x <= 1; x += 0.01) {
      const fill = luminance(scale.rgb(x)), ink = inkOn(scale.rgb(x)) === "#000" ? 0 : 1;
      assert.ok(contrast(fill, ink) >= 4.5, `${scale.rgb(x)}`);
    }
  }
});
