import test from "node:test";
import assert from "node:assert/strict";
import { cases, missing, number } from "./cases.mjs";
import { codeOf } from "../../cnnlib/widgets/static/kit/code.js";
import { NAMES, turnMask, nature } from "../../cnnlib/widgets/static/kit/edges.js";
import { preset, presetOf, maskOf, maskCode, answersFor, problem, sentence } from "../../cnnlib/widgets/static/mask_words.js";

const array = ({ shape, data }) => ({ shape, data: Float32Array.from(data, number) });
const drawn = () => cases("masks").map((each) => ({ ...each, state: { ...each.state, image: array(each.state.image), mask: array(each.state.mask) } }));
const state = (image, mask, more = {}) => ({ image: { shape: [image.length, image[0].length], data: Float32Array.from(image.flat()) }, mask, show: "response", row: null, col: null, low: 0.1, high: 0.3, names: "walk", padding: "replicate", predict: false, ...more });
const ramp = Array(6).fill([0, 1, 2, 3, 4, 5]);

function close(actual, { data }, what) {
  assert.equal(actual.length, data.length);
  data.map(number).forEach((x, k) => assert.ok(Object.is(actual[k], x) || Math.abs(actual[k] - x) <= 1e-9 * Math.max(1, Math.abs(x)), `${what}, place ${k}: ${actual[k]} for ${x}`));
}

test("every response, strength, direction, ridge and edge equals Python's, ties included", { skip: missing }, () => {
  let compared = 0;
  for (const { state: s, answers: told } of drawn()) {
    if (!told) continue;
    const { answers } = answersFor(s);
    assert.deepEqual([answers.rows, answers.cols], told.response.shape);
    assert.deepEqual([answers.kind, answers.index], [told.kind, told.index]);
    close(answers.response, told.response, "response");
    close(answers.strongest.strength, told.strength, "strength");
    assert.deepEqual([...answers.strongest.direction], told.direction.data);
    close(answers.thinned, told.thinned, "thinned");
    assert.deepEqual([...answers.joined(Math.abs(s.low), Math.max(s.low, s.high))], told.joined.data);
    compared += 1;
  }
  assert.ok(compared >= 200, `${compared} pictures`);
});

test("the explorer says Python's sentences and refusals, and writes its code", { skip: missing }, () => {
  for (const { state: s, problem: trouble, sentence: words, pattern, code } of drawn()) {
    assert.equal(problem(s)?.text ?? null, trouble);
    assert.equal(sentence(s), words);
    assert.equal(codeOf(pattern, s, { mask: maskCode }), code);
  }
});

test("every fix that is offered works", { skip: missing }, () => {
  let tried = 0;
  for (const { state: s } of drawn()) {
    const words = problem(s)?.text;
    for (const [label, patch] of problem(s)?.fixes || []) {
      assert.notEqual(problem({ ...s, ...patch })?.text, words, label);
      tried += 1;
    }
  }
  assert.ok(tried > 15, `${tried} fixes`);
});

test("a unit ramp answers 8 to N and 0 to E; SW is minus NE; eight turns come home", () => {
  const inner = (mask) => [...answersFor(state(ramp, mask)).answers.response].filter((_, k) => k % 6 > 0 && k % 6 < 5);
  assert.deepEqual(new Set(inner(preset("sobel", 0))), new Set([8]));
  assert.deepEqual(new Set(inner(preset("sobel", 2))), new Set([0]));
  assert.deepEqual([...preset("sobel", 5).data], [...preset("sobel", 1).data].map((w) => 0 - w));
  for (const size of [3, 5, 11]) {
    const mask = maskOf([...Array(size * size).keys()]);
    assert.deepEqual([...turnMask(turnMask(mask, 3), 5).data], [...mask.data]);
    for (const turns of [1, 2, 7]) assert.equal(nature(turnMask(mask, turns)).index, (nature(mask).index + turns) % 8);
  }
  assert.deepEqual(NAMES.map((_, place) => presetOf(preset("scharr", place))), NAMES.map((_, place) => ({ family: "scharr", place })));
});

test("one changed weight is one sweep, and gives what all sweeps give; so does a way back", () => {
  const image = [...Array(9).keys()].map((r) => [...Array(8).keys()].map((c) => Math.fround(Math.sin(3 * r + c * c))));
  let last = answersFor(state(image, preset("prewitt", 3)));
  const start = { ...last };
  for (const [k, weight] of [[0, 0.3], [4, -2], [8, 1.5], [0, -1], [5, 0]]) {
    void last.answers.strongest;
    const mask = { shape: [3, 3], data: last.mask.data.slice() }, { image: same } = last;
    mask.data[k] = weight;
    const s = { ...state(image, mask), image: same }, next = answersFor(s, last), fresh = answersFor(s);
    assert.equal(next.answers.planes, last.answers.planes, "the known planes go on");
    close(next.answers.strongest.strength, { data: [...fresh.answers.strongest.strength] }, "strength");
    assert.deepEqual([...next.answers.thinned], [...fresh.answers.thinned]);
    last = next;
  }
  const nan = { shape: [3, 3], data: Float32Array.from([NaN, ...last.mask.data.slice(1)]) };
  const lost = answersFor({ ...state(image, nan), image: last.image }, last);
  assert.ok(lost.answers.response.every(Number.isNaN));
  const back = answersFor({ ...state(image, start.mask), image: last.image }, lost);
  close(back.answers.response, { data: [...answersFor(state(image, start.mask)).answers.response] }, "after NaN");
});
