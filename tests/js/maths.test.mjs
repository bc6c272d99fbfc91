import test from "node:test";
import assert from "node:assert/strict";
import { cases, missing, number } from "./cases.mjs";
import { geometry, conv2d, changeWeight, readers, unread, tapOffset, turned } from "../../cnnlib/widgets/static/kit/maths.js";
import { ringed } from "../../cnnlib/widgets/static/kit/ring.js";
import { derive, working } from "../../cnnlib/widgets/static/microscope_words.js";

const IMAGE = { shape: [6, 6], data: Float32Array.from("111111000010011100001000010000100000", Number) };
const FILTER = { shape: [3, 3], data: Float32Array.from([1, 1, 1, -1, 1, -1, 1, -1, -1]) };
const sized = (options) => geometry({ size: [6, 6], taps: [3, 3], stride: 1, padding: 0, dilation: 1, ...options });

function close(actual, expected, tolerance = 1e-5) {
  assert.deepEqual(actual.shape, expected.shape);
  const most = Math.max(1, ...expected.data.map(number).filter(Number.isFinite).map(Math.abs));
  expected.data.map(number).forEach((x, k) => {
    if (Number.isFinite(x)) assert.ok(Math.abs(actual.data[k] - x) <= tolerance * most, `place ${k}: ${actual.data[k]} for ${x}`);
    else assert.ok(Object.is(actual.data[k], x), `place ${k}: ${actual.data[k]} for ${x}`);
  });
}

test("the worked example, by hand", () => {
  assert.deepEqual([...conv2d(IMAGE, FILTER, sized()).data], [1, 2, 2, 5, -1, -2, 2, 0, 0, 5, 1, 1, 3, 0, 1, 0]);
  assert.deepEqual([...conv2d(IMAGE, FILTER, sized({ stride: 3 })).data], [1, 5, 3, 0]);
  assert.deepEqual([...conv2d(IMAGE, FILTER, sized({ stride: 2, padding: "same" })).data], [1, 2, 1, 0, 1, 0, 0, 0, 0]);
  assert.deepEqual([...conv2d(IMAGE, FILTER, sized({ dilation: 2 })).data], [4, 4, 3, 0]);
  assert.deepEqual([...conv2d(IMAGE, turned(FILTER), sized()).data.slice(0, 4)], [1, 2, 0, 1]);
});

test("every map equals cnnlib.conv.conv2d", { skip: missing }, () => {
  let compared = 0;
  for (const { state, output } of cases("microscope")) {
    if (!output) continue;
    const d = derive(state);
    close(conv2d(state.image, d.kernel, d.g, state.bias), output);
    const { value } = working(state, d), expected = number(output.data[d.row * output.shape[1] + d.col]);
    assert.ok(Object.is(value, expected) || Math.abs(value - expected) <= 1e-5 * Math.max(1, Math.abs(expected)));
    compared += 1;
  }
  assert.ok(compared >= 70, `${compared} maps`);
});

test("one changed weight is one sweep", { skip: missing }, () => {
  for (const { state, output } of cases("microscope")) {
    const d = derive(state), finite = !output || output.data.every((x) => typeof x === "number");
    if (!output || !finite || state.flip) continue;
    const out = conv2d(state.image, d.kernel, d.g, state.bias), k = d.kernel.data.length - 1;
    const area = d.taps[0] * d.taps[1], kernel = { shape: d.kernel.shape, data: d.kernel.data.slice() };
    changeWeight(out, state.image, d.g, Math.floor(k / area), k % area, 0.75);
    kernel.data[k] += 0.75;
    close(out, { shape: out.shape, data: [...conv2d(state.image, kernel, d.g, state.bias).data] });
  }
});

test("readers and unread pixels are what the windows say", { skip: missing }, () => {
  for (const { state, output } of cases("microscope")) {
    if (!output) continue;
    const { g } = derive(state);
    for (const axis of [0, 1]) {
      const by = [...Array(g.size[axis])].map(() => []);
      for (let i = 0; i < g.out[axis]; i++) {
        for (let p = 0; p < g.taps[axis]; p++) by[i * g.stride + p * g.dilation - g.pad[axis][0]]?.push(i);
      }
      by.forEach((outputs, i) => assert.deepEqual(readers(g, axis, i), outputs));
      assert.deepEqual(unread(g, axis), by.flatMap((outputs, i) => (outputs.length ? [] : [i])));
    }
  }
});

test("a ring of zeros: one row more for each zero, pixels in their places", () => {
  const ring = ringed([1, 2, 3, 4, 5, 6], [2, 3], [[1, 2], [0, 1]]);
  assert.deepEqual([ring.rows, ring.cols, ring.origin, [...ring.data]], [5, 4, [-1, -0], [0, 0, 0, 0, 1, 2, 3, 0, 4, 5, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0]]);
  assert.deepEqual([ring.inner(4), ring.inner(10), ring.inner(7), ring.state(0), ring.state(4), ring.name(5)], [0, 5, -1, "pad", "", "2"]);
});

test("a tap's place: rows are divided, columns the rest", () => {
  const g = geometry({ size: [9, 9], taps: [2, 3], stride: 1, padding: [1, 0], dilation: 2 });
  assert.deepEqual([0, 1, 2, 3, 4, 5].map((k) => tapOffset(g, k)), [[-1, 0], [-1, 2], [-1, 4], [1, 0], [1, 2], [1, 4]]);
});
