import test from "node:test";
import assert from "node:assert/strict";
import { cases, missing, number } from "./cases.mjs";
import { forward, backward, partsOf, readsOf, softmaxOf } from "../../cnnlib/widgets/static/kit/network.js";
import { seenOf } from "../../cnnlib/widgets/static/kit/seen.js";
import { ink } from "../../cnnlib/widgets/static/kit/pad.js";
import { codeOf } from "../../cnnlib/widgets/static/kit/code.js";
import { sentence, unitOf, ranking, sumsOf, chosen, fieldOf } from "../../cnnlib/widgets/static/network_words.js";
import { pagesOf, flatLayout, layeredLayout, pointOf, hit } from "../../cnnlib/widgets/static/network_layout.js";

const row = ({ data }) => Float32Array.from(data, number);

function close(actual, expected, tolerance = 1e-4) {
  const wanted = row(expected), most = Math.max(1, ...wanted.filter(Number.isFinite).map(Math.abs));
  assert.equal(actual.length, wanted.length);
  wanted.forEach((x, k) => assert.ok(Object.is(actual[k], x) || Math.abs(actual[k] - x) <= tolerance * most, `place ${k}: ${actual[k]} for ${x}`));
}

// Each net's numbers as the widget has them.
function nets() {
  return cases("network").numbers.map(({ stages, weights, shape, picture, target, outs, grads }) => {
    const made = forward(stages, row(weights), shape, row(picture));
    return { stages, weights: row(weights), shape, target, expected: { outs, grads }, outs: made, grads: backward(stages, row(weights), shape, made, target) };
  });
}

test("every stage of every net, forward and backward, is the library's", { skip: missing }, () => {
  const all = nets();
  for (const { outs, grads, expected } of all) {
    expected.outs.forEach((out, n) => close(outs[n + 1], out));
    if (outs.at(-1).every(Number.isFinite)) expected.grads.forEach((grad, n) => close(grads[n], grad));  // else: of a NaN weight the browser passes over what is times 0
  }
  assert.ok(all.length >= 30, `${all.length} nets`);
});

test("a unit is the sum of its products and its bias", { skip: missing }, () => {
  let compared = 0;
  for (const { stages, weights, shape, outs } of nets()) {
    stages.forEach((stage, n) => {
      const before = n ? stages[n - 1].shape : shape, [f, h, w] = stage.shape, [map, r, c] = [f - 1, h >> 1, w >> 1];
      const parts = partsOf(stage, before, outs[n], weights, map, r, c), reads = readsOf(stage, before, map, r, c);
      assert.deepEqual([Math.min(...parts.map((p) => p.row)), Math.max(...parts.map((p) => p.row))], reads.rows);
      assert.deepEqual([Math.min(...parts.map((p) => p.map)), Math.max(...parts.map((p) => p.map))], reads.maps);
      if (stage.kind !== "conv" || stage.then.length) return;
      const sum = parts.reduce((total, { product }) => total + product, stage.bias < 0 ? 0 : weights[stage.bias + map]), out = outs[n + 1][(map * h + r) * w + c];
      assert.ok(Object.is(Math.fround(sum), out) || Math.abs(sum - out) < 1e-4 * Math.max(1, Math.abs(out)), `${sum} for ${out}`);
      compared += 1;
    });
  }
  assert.ok(compared >= 10, `${compared} units`);
});

test("the viewer says Python's sentences and writes its code", { skip: missing }, () => {
  const all = nets();
  let units = 0;
  for (const { net, state, sentence: words, code, pattern } of cases("network").words) {
    const unit = unitOf(state.selected, all[net].stages);
    assert.equal(sentence(state, all[net], unit, false), words);
    assert.equal(codeOf(pattern, { ...state, drawing: { shape: state.drawing.shape, data: row(state.drawing) } }), code);
    units += unit ? 1 : 0;
  }
  assert.ok(units >= 15, `${units} units`);
});

test("a unit's products, summed map by map", { skip: missing }, () => {
  const all = nets();
  let compared = 0;
  for (const { net, state, sums } of cases("network").words) {
    if (!sums || cases("network").numbers[net].stages.some(({ faults }) => faults)) continue;
    const { stages, weights, shape, outs } = all[net], { stage: n, map, row: r, col } = unitOf(state.selected, stages);
    const found = sumsOf(partsOf(stages[n], n ? stages[n - 1].shape : shape, outs[n], weights, map, r, col));
    close(Float32Array.from(found, ([, sum]) => sum), { data: sums }, 1e-5);
    const first = found[0][0];
    assert.deepEqual([-1, first, first + 1, 999].map((k) => chosen(found, k)), [0, 0, 1, 999].map((k) => found[Math.min(k, found.length - 1)]));
    const sizes = found.map(([, sum]) => Math.abs(sum));
    if (sizes.every(Number.isFinite)) assert.equal(chosen(found, null), found[sizes.indexOf(Math.max(...sizes))]);
    compared += 1;
  }
  assert.ok(compared >= 10, `${compared} units`);
});

test("what the network sees of a drawing", { skip: missing }, () => {
  for (const { setting, drawing, seen } of cases("network").seen) close(seenOf({ shape: drawing.shape, data: row(drawing) }, setting), seen, 1e-5);
});

test("LeNet-5 sees 32 pixels from its fifth layer on", () => {
  const stage = (k, s, side) => ({ kind: "conv", shape: [1, side, side], kernel: [k, k], stride: [s, s], pad: [[0, 0], [0, 0]], dilation: [1, 1], groups: 1 });
  const stages = [stage(5, 1, 28), stage(2, 2, 14), stage(5, 1, 10), stage(2, 2, 5), stage(5, 1, 1), { kind: "other", shape: [1, 1, 1] }, stage(1, 1, 1)];
  const sees = stages.map((_, n) => fieldOf({ stages, shape: [1, 32, 32] }, { stage: n, row: 0, col: 0 })?.map(([first, last]) => last - first + 1) || null);
  assert.deepEqual(sees, [[5, 5], [6, 6], [14, 14], [16, 16], [32, 32], null, null]);
});

test("of equal maxima the first in reading order gets the gradient", () => {
  const stage = { kind: "max", shape: [1, 1, 1], kernel: [2, 2], stride: [2, 2], pad: [[0, 0], [0, 0]], dilation: [1, 1], groups: 1, weight: -1, bias: -1, then: [] };
  const outs = forward([stage], new Float32Array(1), [1, 2, 2], Float32Array.from([1, 3, 3, 3]));
  assert.deepEqual([[...outs[1]], [...backward([stage], new Float32Array(1), [1, 2, 2], outs, 0)[0]]], [[3], [0, 1, 0, 0]]);
});

test("shares", () => {
  assert.deepEqual(softmaxOf([1000, 1000]), [0.5, 0.5]);
  assert.deepEqual(ranking([0.2, 0.4, 0.4]), [1, 2, 0]);
});

test("a stroke inks what lies on its way, and never less than before", () => {
  const paper = { shape: [7, 9], data: new Float32Array(63) }, line = ink(paper, [3, 1], [3, 7], 0.5);
  assert.deepEqual([...line.data.slice(27, 36)], [0, 1, 1, 1, 1, 1, 1, 1, 0]);
  assert.ok(paper.data.every((x) => x === 0));
  const dot = ink(line, [3.6, 4], [3.6, 4], 0.8);       // weaker than the line where they meet
  assert.ok(dot.data.every((x, k) => x >= line.data[k]) && dot.data[4 * 9 + 4] > 0.8);
  assert.ok(ink(paper, [-5, -5], [20, 20], 1).data.every((x) => x >= 0 && x <= 1));
});

const SHAPES = [[1, 32, 32], [6, 28, 28], [16, 10, 10], [120, 1, 1], [10, 1, 1]];
const listed = SHAPES.map((shape) => ({ shape, shown: [...Array(shape[0]).keys()] }));
const ROOM = { width: 600, height: 280, gap: 10, turn: 36, tilt: 22 };

test("flat: every map has its place, none on another, all in the room", () => {
  for (const width of [380, 600]) {
    const { tiles, heads } = flatLayout(listed, { ...ROOM, width });
    const boxes = tiles.map((tile) => [...pointOf(tile, 0, 0), ...pointOf(tile, tile.h, tile.w)]);
    assert.equal(tiles.length, 153);
    boxes.forEach(([x0, y0, x1, y1], k) => {
      assert.ok(x0 >= -1e-6 && y0 >= -1e-6 && x1 <= width + 1e-6 && y1 <= ROOM.height + 1e-6);
      for (const [u0, v0, u1, v1] of boxes.slice(0, k)) assert.ok(Math.min(x1, u1) - Math.max(x0, u0) < 1e-6 || Math.min(y1, v1) - Math.max(y0, v0) < 1e-6);
    });
    heads.slice(1).forEach(({ x }, n) => assert.ok(x >= heads[n].x + heads[n].width));
  }
});

test("a cell's middle is found again, in both views", () => {
  for (const layout of [flatLayout(listed, ROOM), layeredLayout(listed, ROOM), layeredLayout(listed, { ...ROOM, turn: -50 })]) {
    const front = layout.tiles.at(-1), all = layout.tiles.filter((tile) => tile.stage === front.stage);
    for (const [row, col] of [[0, 0], [front.h - 1, front.w - 1]]) {
      const found = hit(layout.tiles, ...pointOf(front, row + 0.5, col + 0.5));
      assert.deepEqual([found.tile, found.row, found.col], [front, row, col]);
    }
    assert.equal(all.length, 10);
    assert.equal(hit(layout.tiles, -50, -50), null);
  }
  const { tiles } = flatLayout(listed, ROOM), found = hit(tiles, ...pointOf(tiles[3], 20.5, 7.5));
  assert.deepEqual([found.tile, found.row, found.col], [tiles[3], 20, 7]);
});

test("turned the other way, the other end of a stack is in front", () => {
  const maps = (turn) => layeredLayout(listed, { ...ROOM, turn }).tiles.filter((tile) => tile.stage === 1).map((tile) => tile.map);
  assert.deepEqual([maps(36), maps(-36)], [[5, 4, 3, 2, 1, 0], [0, 1, 2, 3, 4, 5]]);
});

test("of many maps the strongest are on the first page, and every map is on one", { skip: missing }, () => {
  for (const { value, pages } of cases("network").pages) {
    const found = pagesOf(value.shape, row(value));
    assert.deepEqual(found, pages);
    assert.deepEqual(found.flat().sort((a, b) => a - b), [...Array(value.shape[0]).keys()]);
  }
  const data = Float32Array.from({ length: 40 * 4 }, (_, k) => (k === 4 * 33 ? -9 : k % 7 === 0 ? 1 : 0.1));
  assert.deepEqual(pagesOf([40, 2, 2], data).map((page) => [page.length, page.includes(33)]), [[16, true], [16, false], [8, false]]);
});
