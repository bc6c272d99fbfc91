import test from "node:test";
import assert from "node:assert/strict";
import { cases, missing } from "./cases.mjs";
import { codeOf } from "../../cnnlib/widgets/static/kit/code.js";
import { KEYS, WRITERS, trail, moved, unitsOf, unitOf, firstOf, unitAt, middleOf, measured, scaleOf, amount, sentence } from "../../cnnlib/widgets/static/architecture_words.js";

const WAYS = { left: [0, -1], right: [0, 1], up: [-1, 0], down: [1, 0] };
const every = function* () { for (const { states, ...net } of cases("architecture")) for (const each of states) yield { ...net, ...each, s: each.state }; };

test("the explorer says Python's sentences and writes its code", { skip: missing }, () => {
  let said = 0;
  for (const { net, others, pattern, s, ...each } of every()) {
    assert.equal(sentence(s, net, others), each.sentence);
    assert.equal(codeOf(pattern, s, WRITERS), each.code);
    said += 1;
  }
  assert.ok(said >= 190, `${said} sentences`);
});

test("arrows lead along the stages, in and out; at the ends they stay", { skip: missing }, () => {
  const stayed = { left: 0, right: 0, up: 0, down: 0 };
  for (const { net, s, keys } of every()) {
    for (const [key, path] of Object.entries(keys)) {
      assert.equal(moved(net, s.stage, WAYS[key]), path, `${key} from ${s.stage}`);
      stayed[key] += path === s.stage;
    }
  }
  for (const [key, times] of Object.entries(stayed)) assert.ok(times > 5, `${key} stayed ${times} times`);
});

test("a unit sees the pixels that Python says, and each unit is found again by the middle of what it sees", { skip: missing }, () => {
  for (const { net, s, ...each } of every()) {
    const node = trail(net.stages, s.stage).at(-1), unit = unitOf(node, s);
    assert.deepEqual(unit, each.unit);
    assert.deepEqual(unitsOf(node), each.units);
    assert.deepEqual(firstOf(node, unit).map((first, a) => [first, first + node.sees[a] - 1]), each.field);
    assert.deepEqual(unitAt(node, middleOf(node, unit)), unit);
    assert.equal(measured(node, s.measure), each.value);
  }
});

test("two nets have one scale, or each its own where they are far apart", { skip: missing }, () => {
  const found = cases("architecture").flatMap(({ net, others, states }) => states.filter(({ state: s }) => s.compare).map(({ state: s, apart }) => {
    const rows = [net.stages, others[s.compare].stages], made = scaleOf(rows, s.measure), all = rows.map((stages) => Math.max(1, ...stages.map((node) => measured(node, s.measure))));
    assert.equal(made.apart, apart);
    assert.deepEqual(made.most, apart ? all : [Math.max(...all), Math.max(...all)]);
    return apart;
  }));
  assert.ok(found.includes(true) && found.includes(false));
});

test("bars sum to the total, the longest is the whole length, and a count has three digits", { skip: missing }, () => {
  for (const { net, amounts } of cases("architecture")) {
    for (const [measure, key] of Object.entries(KEYS)) {
      const values = net.stages.map((node) => measured(node, measure));
      assert.equal(values.reduce((a, b) => a + b, 0), net[key]);
      assert.equal(scaleOf([net.stages], measure).most[0], Math.max(...values));
    }
    for (const [number, words] of amounts) assert.equal(amount(number), words);
  }
  assert.deepEqual([0, 999, 999999, 15470264320].map(amount), ["0", "999", "1 M", "15.5 G"]);
});
