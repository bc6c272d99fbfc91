import test from "node:test";
import assert from "node:assert/strict";
import { cases, missing, number } from "./cases.mjs";
import { codeOf } from "../../cnnlib/widgets/static/kit/code.js";
import { SETS, patternsOf, textOf, knobsOf, isRight, total, stepOf, separable, leastError, historyOf, learn, problem, sentence } from "../../cnnlib/widgets/static/adaline_words.js";

const plain = ({ shape, data }) => ({ shape, data: Float32Array.from(data, number) });
const drawn = () => cases("adaline").map((each) => ({ ...each, state: { ...each.state, inputs: plain(each.state.inputs), weights: plain(each.state.weights) } }));
const shown = (s) => [{ x: [...s.inputs.data], target: s.target }];
const state = (more = {}) => ({ inputs: { shape: [4, 4], data: Float32Array.from(patternsOf({ patterns: "letters" })[0].x) }, weights: { shape: [4, 4], data: new Float32Array(16) }, bias: 0, target: 1, rate: 1 / 17, rule: "adaline", patterns: "letters", turn: 0, ...more });

// Equal to 1e-5, relative to what is expected where that is large.
function close(actual, expected) {
  assert.equal(actual.length, expected.length);
  expected.forEach((x, k) => assert.ok(Math.abs(actual[k] - x) <= 1e-5 * Math.max(1, Math.abs(x)), `place ${k}: ${actual[k]} for ${x}`));
}

test("the least error is that of least squares", { skip: missing }, () => {
  for (const { state, least } of drawn()) assert.ok(Math.abs(leastError(patternsOf(state)) - least) < 2e-9, `${state.patterns}`);
});

test("the machine learns as cnnlib.history does: once, then all patterns twice", { skip: missing }, () => {
  let turns = 0;
  for (const { state: s, raw, after } of drawn()) {
    if (!after) continue;
    let now = s, past = raw;
    for (const [name, shows] of [["once", shown(s)], ["all", [...patternsOf(s), ...patternsOf(s)]]]) {
      const patch = learn(now, past, shows);
      if (patch) [now, past] = [{ ...now, ...patch }, patch._history];
      close(knobsOf(now), after[name].knobs.data);
      assert.equal(now.turn, after[name].turn);
      close(historyOf(now, past).flat(), after[name].history.flat());
    }
    turns += now.turn - s.turn;
  }
  assert.ok(turns > 500, `${turns} turns`);
});

test("the machine says Python's sentences and refusals, and writes its code", { skip: missing }, () => {
  for (const { state: s, problem: trouble, sentence: words, code, pattern, right, raw, history } of drawn()) {
    assert.equal(problem(s)?.text ?? null, trouble);
    assert.equal(sentence(s), words);
    assert.equal(codeOf(pattern, s), code);
    assert.deepEqual(patternsOf(s).map((each) => isRight(knobsOf(s), each)), right);
    close(historyOf(s, raw).flat(), history.flat());
  }
});

test("what no weights can do is known to be so", { skip: missing }, () => {
  const told = drawn().map((each) => { assert.equal(separable(patternsOf(each.state)), each.separable); return each.separable; });
  assert.ok(told.filter((x) => x === false).length > 45 && told.filter((x) => x).length > 45);
  assert.deepEqual(Object.keys(SETS).map((patterns) => separable(patternsOf({ patterns }))), [true, false]);
});

test("every fix that is offered works", { skip: missing }, () => {
  let tried = 0;
  for (const { state: s } of drawn()) for (const [label, patch] of problem(s)?.fixes || []) { assert.equal(problem({ ...s, ...patch }), null, label); tried += 1; }
  assert.ok(tried >= 3, `${tried} fixes`);
});

test("zero weights, rate 1/17: one step and the sum is 1; the perceptron, being right, turns nothing", () => {
  const s = state(), after = { ...s, ...learn(s, [], shown(s)) };
  assert.equal(total(knobsOf(after), [...s.inputs.data]).toFixed(3), "1.000");
  assert.deepEqual([after.turn, after._history.map(([turn]) => turn)], [1, [0, 1]]);
  assert.equal(learn({ ...s, rule: "perceptron" }, [], shown(s)), null);
  assert.match(sentence({ ...s, rule: "perceptron" }), /^Sum 0, wanted 1: no error after the threshold: nothing turns\./);
});

test("a rate above 2/17 grows the error, and the knobs stop at a million", () => {
  let s = state({ rate: 3 / 17 });
  const errors = [];
  for (let k = 0; k < 60; k++) {
    errors.push(Math.abs(stepOf(s.rule, knobsOf(s), [...s.inputs.data], 1, s.rate).error));
    s = { ...s, ...learn(s, [], shown(s)) };
  }
  close(errors.slice(0, 6), [1, 2, 4, 8, 16, 32]);
  assert.ok(knobsOf(s).every((w) => Math.abs(w) <= 1e6) && s.turn < 60);
  assert.match(sentence(s), /the knobs have run away, and turn no further/);
  assert.match(sentence(state({ rate: 3 / 17 })), /At a rate above 2\/17 each turn overshoots, and the error grows\./);
  assert.doesNotMatch(sentence(state({ rate: 2 / 17 })), /overshoots/);
});

test("history ends at the present turn, and is forgotten where the knobs are others", () => {
  const s = state(), patch = learn(s, [], [...shown(s), ...patternsOf(s)]), now = { ...s, ...patch };
  assert.equal(historyOf(now, patch._history).length, now.turn + 1);
  assert.deepEqual(historyOf(s, patch._history), [[0, 1]]);
  assert.equal(historyOf({ ...now, bias: 3 }, patch._history).length, 1);
  assert.equal(textOf(s.inputs.data, 1), SETS.letters.T);
});
