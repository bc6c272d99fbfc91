import test from "node:test";
import assert from "node:assert/strict";
import { cases, missing, number } from "./cases.mjs";
import { codeOf } from "../../cnnlib/widgets/static/kit/code.js";
import { problem, everything, looked, marksOf, answer, sentence } from "../../cnnlib/widgets/static/backward_words.js";

const array = (a) => a && { shape: a.shape, data: Float32Array.from(a.data, number) };
const ownOf = ({ own }) => own && { ...own, key: JSON.stringify(own.of), x: array(own.x), weight: array(own.weight) };
const drawn = () => cases("backward").map((each) => {
  const state = { ...each.state, x: array(each.state.x), weight: array(each.state.weight), grad_output: array(each.state.grad_output) };
  return { ...each, raw: state, state: looked(state, ownOf(each)) };
});
const grid = (rows) => ({ shape: [rows.length, rows[0].length], data: Float32Array.from(rows.flat()) });
const small = (more = {}) => ({ x: grid([[1, 0, 2], [0, 3, 1], [2, 1, 0]]), weight: grid([[1, 2], [3, 4]]), grad_output: grid([[1, 0], [2, -1]]), op: "conv2d", kernel_size: 2, stride: null, padding: 0, dilation: 1, part: "grad_output", row: 0, col: 0, so_far: false, predict: false, ...more });

function close(actual, expected) {
  if (!expected) return assert.equal(actual, null);
  assert.equal(actual.length, expected.data.length);
  expected.data.map(number).forEach((x, k) => assert.ok(Object.is(actual[k], x) || Math.abs(actual[k] - x) <= 1e-9 * Math.max(1, Math.abs(x)), `place ${k}: ${actual[k]} for ${x}`));
}

test("both gradients, whole and as they are shown, equal the library's", { skip: missing }, () => {
  let compared = 0;
  for (const { state: s, raw, whole, shown } of drawn()) {
    if (!whole || JSON.stringify(raw, (k, v) => (v?.shape ? [...v.data].map(String) : v)).includes("NaN")) continue;
    const m = everything(s);
    [["grad_x", 0], ["grad_weight", 1]].forEach(([part, k]) => { close(m.whole[part], whole[k]); close(m.shown[part], shown[k]); });
    compared += 1;
  }
  assert.ok(compared >= 80, `${compared} states`);
});

test("the microscope says Python's sentences and refusals, and writes its code", { skip: missing }, () => {
  let refused = 0;
  for (const { state: s, raw, problem: trouble, sentence: words, pattern, code } of drawn()) {
    assert.equal(problem(s)?.text ?? null, trouble);
    assert.equal(sentence(s), words);
    assert.equal(codeOf(pattern, raw), code);
    refused += trouble ? 1 : 0;
  }
  assert.ok(refused > 20, `${refused} refusals`);
});

test("a channel of its own, and a function whose numbers have changed since", { skip: missing }, () => {
  const all = drawn(), deep = all.filter(({ raw }) => raw.x.shape.length === 3), own = all.filter((each) => each.own && !each.problem);
  assert.ok(deep.length > 20 && own.length > 20, `${deep.length} with channels, ${own.length} functions`);
  for (const { raw, state: s } of deep) assert.deepEqual([...s.x.data], [...raw.x.data.slice(raw.channel * s.x.data.length, (raw.channel + 1) * s.x.data.length)]);
  for (const each of own) {
    const x = { ...each.raw.x, data: each.raw.x.data.map((v) => v + 1) }, later = looked({ ...each.raw, x }, ownOf(each));
    assert.ok(!each.state.waits && later.waits);
    assert.match(problem(later).text, /has not answered/);
  }
});

test("every fix that is offered works, at last", { skip: missing }, () => {
  let tried = 0;
  for (const { state: s, own } of drawn()) {
    for (const [label, patch] of (!own && problem(s)?.fixes) || []) {
      let mended = { ...s, ...patch };
      const next = problem(mended);
      if (next) mended = { ...mended, ...next.fixes[0]?.[1] };
      assert.equal(problem(mended), null, `${label}, for ${problem(s).text}`);
      tried += 1;
    }
  }
  assert.ok(tried > 20, `${tried} fixes`);
});

test("the lecture's derivation, term by term", () => {
  assert.equal(sentence(small({ part: "grad_x", row: 1, col: 1 })), "\u2202E/\u2202X22 = F22\u00b7g11 + F21\u00b7g12 + F12\u00b7g21 + F11\u00b7g22 = 4\u00b71 + 3\u00b70 + 2\u00b72 + 1\u00b7(\u22121) = 7");
  assert.equal(sentence(small({ part: "grad_weight", col: 1 })), "\u2202E/\u2202F12 = X12\u00b7g11 + X13\u00b7g12 + X22\u00b7g21 + X23\u00b7g22 = 0\u00b71 + 2\u00b70 + 3\u00b72 + 1\u00b7(\u22121) = 5");
  const m = everything(small({ grad_output: null }));
  assert.deepEqual([...m.whole.grad_x], [1, 3, 2, 4, 10, 6, 3, 7, 4]);
  assert.deepEqual(marksOf(everything(small({ row: 1 }))), { grad_output: [2], grad_x: [3, 4, 6, 7], grad_weight: [0, 1, 2, 3] });
  assert.equal(answer(m), 4);
});
