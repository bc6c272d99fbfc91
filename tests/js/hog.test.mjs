import test from "node:test";
import assert from "node:assert/strict";
import { cases, missing, number } from "./cases.mjs";
import { codeOf } from "../../cnnlib/widgets/static/kit/code.js";
import { problem, hogOf, descriptor, votesOf, blockOf, givesOf, chosen, histogram, degreesOf, numberAt, sentence } from "../../cnnlib/widgets/static/hog_words.js";

const picture = ({ shape, data }) => ({ shape, data: Float32Array.from(data, number) });
const drawn = () => cases("hog").map((each) => ({ ...each, state: { ...each.state, image: picture(each.state.image) } }));
const state = (image, more = {}) => ({ image: { shape: [image.length, image[0].length], data: Float32Array.from(image.flat()) }, orientations: 9, pixels_per_cell: [8, 8], cells_per_block: [2, 2], block_norm: "L2-Hys", transform_sqrt: false, votes: "hard", window_sigma: null, cell: [0, 0], block: [0, 0], pixel: [-1, -1], number: -1, predict: false, ...more });
const waves = (h, w) => [...Array(h).keys()].map((i) => [...Array(w).keys()].map((j) => Math.sin(i / 3 + Math.cos(j / 4)) + j / 50));

function close(actual, { data }) {
  assert.equal(actual.length, data.length);
  data.map(number).forEach((x, k) => assert.ok(Math.abs(actual[k] - x) <= 1e-9 * Math.max(1, Math.abs(x)), `place ${k}: ${actual[k]} for ${x}`));
}

test("every histogram and every descriptor equals features.hog's", { skip: missing }, () => {
  let compared = 0;
  for (const { state: s, descriptor: numbers, cells } of drawn()) {
    if (!numbers) continue;
    const m = hogOf(s);
    close(m.cells, cells);
    close(descriptor(s, m), numbers);
    compared += 1;
  }
  assert.ok(compared >= 70, `${compared} descriptors`);
});

test("the explorer says Python's sentences and refusals, and writes its code", { skip: missing }, () => {
  for (const { state: s, problem: trouble, sentence: words, pattern, code } of drawn()) {
    assert.equal(problem(s)?.text ?? null, trouble);
    assert.equal(sentence(s, s.predict, trouble ? null : hogOf(s)), words);
    assert.equal(codeOf(pattern, s), code);
  }
});

test("every fix that is offered works", { skip: missing }, () => {
  let tried = 0;
  for (const { state: s } of drawn()) {
    for (const [label, patch] of problem(s)?.fixes || []) {
      assert.equal(problem({ ...s, ...patch }), null, label);
      tried += 1;
    }
  }
  assert.ok(tried >= 8, `${tried} fixes`);
});

test("64 by 128 pixels give 3,780 numbers", () => {
  const s = state(waves(128, 64)), m = hogOf(s);
  assert.equal(m.length, 3780);
  assert.match(sentence({ ...s, block: [14, 6] }, false, m), /Block 14, 6 is numbers 3,745 to 3,780 of 3,780\.$/);
});

test("with hard and linear votes the bins hold the summed lengths of whole cells", () => {
  for (const votes of ["hard", "linear"]) {
    const s = state(waves(27, 34), { votes }), m = hogOf(s);
    let lengths = 0;
    for (let i = 0; i < 24; i++) for (let j = 0; j < 32; j++) lengths += Math.hypot(m.row[i * 34 + j], m.col[i * 34 + j]);
    assert.ok(Math.abs(m.cells.reduce((a, b) => a + b, 0) * 64 - lengths) < 1e-9);
  }
});

test("half as much light again changes a normalised block by less than a thousandth", () => {
  const image = waves(32, 32), s = state(image), brighter = state(image.map((row) => row.map((x) => 1.5 * x)));
  const [one, two] = [s, brighter].map((each) => blockOf(each, hogOf(each), [1, 1]).after);
  one.forEach((x, k) => assert.ok(Math.abs(x - two[k]) < 1e-3));
});

test("179 degrees vote 0.55 for the bin at 170 and 0.45 for the bin at 10", () => {
  const angle = (179 * Math.PI) / 180, votes = votesOf(state([[0]], { votes: "linear" }), Math.sin(angle), Math.cos(angle));
  assert.deepEqual(votes.map(([bin]) => bin), [8, 0]);
  votes.forEach(([, weight], k) => assert.ok(Math.abs(weight - [0.55, 0.45][k]) < 1e-9));
});

test("one bin is told once, and gets the whole vote", () => {
  for (const votes of ["hard", "linear", "trilinear"]) assert.deepEqual(votesOf(state([[0]], { votes, orientations: 1 }), 3, -4), [[0, 5]]);
  const s = state(waves(40, 40), { orientations: 1, votes: "trilinear", pixel: [4, 4] });
  assert.match(sentence(s, false, hogOf(s)), /votes [0-9.]+ for 90\u00b0; 4 shares in the block/);
});

test("the axis says which way 90 degrees points, in its middle, and no word stands over another", () => {
  const widthOf = (text) => 6 * text.length;
  for (let n = 1; n <= 36; n++) {
    for (const wide of [60, 110, 240]) {
      const found = degreesOf(n, wide, widthOf);
      assert.deepEqual(found[0], ["90\u00b0 down", wide / 2]);
      for (const [words, place] of found) {
        const degrees = Math.min(Math.max((180 * place) / wide, 0), 180), half = widthOf(words) / 2;
        assert.ok(place >= half && place <= wide - half && Math.abs(parseFloat(words) - degrees) <= 0.5 + (180 * half) / wide);
        for (const [others, there] of found) assert.ok(there === place || Math.abs(there - place) > half + widthOf(others) / 2 - 1e-9, `${words}, ${others}`);
      }
    }
  }
  assert.deepEqual(degreesOf(9, 240, widthOf).map(([words]) => words), ["90\u00b0 down", "10\u00b0", "50\u00b0", "130\u00b0", "170\u00b0"]);
});

test("a number of the block is a cell and a bin; what is chosen stays inside", () => {
  const s = state(waves(40, 40), { cell: [9, -3], block: [7, 1], pixel: [2, 9] }), m = hogOf(s);
  assert.deepEqual(chosen(s, m), { cell: [4, 0], block: [3, 1], pixel: null, first: 13 * 36 });
  assert.deepEqual(numberAt(s, 30), { row: 1, col: 1, bin: 3 });
  assert.equal(histogram(s, m, [4, 0]).length, 9);
});

test("what all pixels give to a block is the block", () => {
  for (const [votes, most] of [["hard", 1], ["linear", 2], ["trilinear", 8]]) {
    const s = state(waves(40, 40), { votes, pixels_per_cell: [5, 6], window_sigma: votes === "trilinear" ? 4 : null }), m = hogOf(s), sum = new Float64Array(m.each);
    for (let i = 0; i < 40; i++) {
      for (let j = 0; j < 40; j++) {
        const gives = givesOf(s, m, [i, j], [2, 1]);
        assert.ok(gives.length <= most);
        for (const [k, share] of gives) sum[k] += share;
      }
    }
    blockOf(s, m, [2, 1]).before.forEach((x, k) => assert.ok(Math.abs(x - sum[k]) < 1e-12));
  }
});
