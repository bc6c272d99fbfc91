import test from "node:test";
import assert from "node:assert/strict";
import { cases, missing, number } from "./cases.mjs";
import { codeOf } from "../../cnnlib/widgets/static/kit/code.js";
import { ownSurface, walk, surfaceOf, divergedAt } from "../../cnnlib/widgets/static/kit/race.js";
import { problem, raceOf, sentence, writers, rowOf, wanted } from "../../cnnlib/widgets/static/race_words.js";

const plain = ({ shape, data }) => ({ shape, data: Float32Array.from(data, number) });
const ownOf = ({ own }) => () => ownSurface(plain(own[0]), own[1], own[2]);
const raced = (each) => raceOf(each.state, each.own && ownOf(each), plain(each.draws).data);

// Equal to 1e-5, relative to what is expected where that is large; what has left for infinity has left in both.
function close(actual, expected) {
  assert.equal(actual.length, expected.length);
  expected.forEach((x, k) => assert.ok(Object.is(actual[k], x) || Math.abs(actual[k] - x) <= 1e-5 * Math.max(1, Math.abs(x)), `place ${k}: ${actual[k]} for ${x}`));
}

test("every path and every loss equals cnnlib.optim's", { skip: missing }, () => {
  let compared = 0;
  for (const each of cases("race")) {
    if (!each.paths) continue;
    const race = raced(each), size = each.state.steps + 1;
    race.paths.forEach((path, k) => close([...path], each.paths.data.slice(2 * k * size, 2 * (k + 1) * size).map(number)));
    race.losses.forEach((losses, k) => close([...losses], each.losses.data.slice(k * size, (k + 1) * size).map(number)));
    compared += race.paths.length;
  }
  assert.ok(compared >= 200, `${compared} paths`);
});

test("the race says Python's sentences and refusals, and writes its code", { skip: missing }, () => {
  for (const each of cases("race")) {
    const { state: s, pattern } = each;
    assert.equal(problem(s)?.text ?? null, each.problem);
    assert.equal(sentence(s, s.predict, each.problem ? null : raced(each)), each.sentence);
    assert.equal(codeOf(pattern, s, writers(pattern)), each.code);
  }
});

test("every fix that is offered works", { skip: missing }, () => {
  let tried = 0;
  for (const { state: s } of cases("race")) {
    for (const [label, patch] of problem(s)?.fixes || []) {
      assert.equal(problem({ ...s, ...patch }), null, label);
      tried += 1;
    }
  }
  assert.ok(tried >= 7, `${tried} fixes`);
});

test("the lecture's cliff: on the bowl of curvature 10, 0.19 arrives and 0.21 leaves at step 63", () => {
  const bowl = surfaceOf("bowl", 10);
  for (const [lr, gone] of [[0.19, -1], [0.21, 63]]) assert.equal(divergedAt(walk(bowl, [-1.2, 1], "sgd", lr, 300, 0, []), bowl.window, 300), gone);
});

test("the minima are where the slope is 0", () => {
  for (const name of ["bowl", "ravine", "rosenbrock", "saddle", "two valleys"]) {
    const { gradient, minima } = surfaceOf(name, 10);
    for (const minimum of minima) for (const slope of gradient(...minimum)) assert.ok(Math.abs(slope) < 2e-6, `${name} ${minimum}: ${slope}`);
  }
});

test("a prediction is a name or a row, and nothing else", () => {
  const s = { runners: ["momentum", "adam"] };
  assert.deepEqual(["momentum", " Adam ", "1", "2", "0", "3", "-1", "1.5", "sgd", "abc", ""].map((text) => rowOf(s, text)), [1, 2, 1, 2, 0, 0, 0, 0, 0, 0, 0]);
  assert.equal(wanted(s), "type a name, such as momentum, or a row, 1 to 2");
});
