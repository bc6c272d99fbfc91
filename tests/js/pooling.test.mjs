import test from "node:test";
import assert from "node:assert/strict";
import { cases, missing, number } from "./cases.mjs";
import { codeOf } from "../../cnnlib/widgets/static/kit/code.js";
import { KINDS, problem, mapOf, change, changes, fiveWays, sentence } from "../../cnnlib/widgets/static/pooling_words.js";

const drawn = () => cases("pooling").map((each) => ({ ...each, state: { ...each.state, image: { shape: each.state.image.shape, data: Float32Array.from(each.state.image.data, number) } } }));
const state = (image, more = {}) => ({ image: { shape: [image.length, image[0].length], data: Float32Array.from(image.flat()) }, kind: "max", kernel_size: 2, stride: null, padding: 0, ceil_mode: false, shift: [0, 0], backward: false, row: 0, col: 0, ...more });

function close(actual, { data }) {
  assert.equal(actual.length, data.length);
  data.map(number).forEach((x, k) => assert.ok(Object.is(actual[k], x) || Math.abs(actual[k] - x) <= 1e-9 * Math.max(1, Math.abs(x)), `place ${k}: ${actual[k]} for ${x}`));
}

test("every pooled map, its winners and its gradient equal cnnlib.pool's", { skip: missing }, () => {
  let compared = 0;
  for (const { state: s, output, back, index, changed, change: much } of drawn()) {
    if (!output) continue;
    const map = mapOf(s);
    assert.deepEqual([map.rows, map.cols], output.shape);
    close(map.out, output);
    close(map.back, back);
    if (index) assert.deepEqual(map.cells.map(({ best }) => best), index.data);
    assert.deepEqual(changes(s, map).map((places) => places.length), changed);
    close(KINDS.map(([kind]) => change(s, kind)), much);
    compared += 1;
  }
  assert.ok(compared >= 120, `${compared} maps`);
});

test("the stepper says Python's sentences and refusals, and writes its code", { skip: missing }, () => {
  for (const { state: s, problem: trouble, sentence: words, pattern, code } of drawn()) {
    assert.equal(problem(s)?.text ?? null, trouble);
    assert.equal(sentence(s), words);
    assert.equal(codeOf(pattern, s), code);
  }
});

test("every fix that is offered works", { skip: missing }, () => {
  let tried = 0;
  for (const { state: s } of drawn()) {
    for (const [label, patch] of problem(s)?.fixes || []) {
      const mended = { ...s, ...patch };
      assert.equal(problem(mended)?.text.startsWith(label.split(" ")[0]) ?? false, false, label);
      tried += 1;
    }
  }
  assert.ok(tried > 15, `${tried} fixes`);
});

test("the lecture's row: two stripes, pushed by one, are gone", () => {
  const row = state([[0, 0, 1, 1, 0, 0, 1, 1], [0, 0, 1, 1, 0, 0, 1, 1]]);
  assert.deepEqual([...mapOf(row).out], [0, 1, 0, 1]);
  assert.deepEqual([...mapOf({ ...row, shift: [0, 1] }).out], [1, 1, 1, 1]);
  assert.deepEqual([...mapOf({ ...row, shift: [0, 2] }).out], [1, 0, 1, 0]);
});

test("the same push, five ways", () => {
  const row = state([[0, 0, 1, 1, 0, 0, 1, 1], [0, 0, 1, 1, 0, 0, 1, 1]], { shift: [0, 1] });
  assert.deepEqual(fiveWays(row).map(([, label, words]) => `${label} ${words}`).slice(0, 4), ["max 100 %", "average 71 %", "L2 77 %", "stride only 141 %"]);
  assert.deepEqual(fiveWays(state([[0, 0], [0, 0]], { shift: [1, 0] })).map(([, , words]) => words), Array(5).fill("\u2013"));
  assert.match(sentence(row), /Pushed 1 right: 2 of 4 outputs and 8 of 16 inputs changed, the map by 100 %\.$/);
});

test("of equal numbers the first wins; overlapping windows add up", () => {
  assert.equal(mapOf(state([[3, 3], [3, 3]])).cells[0].best, 0);
  const map = mapOf(state([[0, 0, 0, 0, 0], [0, 0, 0, 0, 0], [0, 0, 9, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0]], { kernel_size: 3, stride: 2 }));
  assert.deepEqual([map.back[12], map.out.length], [4, 4]);
});
