import test from "node:test";
import assert from "node:assert/strict";
import { cases, missing, number } from "./cases.mjs";
import { codeOf } from "../../cnnlib/widgets/static/kit/code.js";
import { sceneOf, problem, keptOf, histogram, four, usable, through, drawn, picksOf, agreeing, warped, sentence } from "../../cnnlib/widgets/static/match_words.js";

const sent = (scene) => Object.fromEntries(Object.entries(scene).map(([name, { shape, data }]) => {
  const array = (name.length === 1 ? Uint8Array : Float64Array).from(data, number);
  return [name, { shape, data: new DataView(array.buffer) }];
}));
const states = () => cases("matches").states.map((each) => ({ ...each, scene: sceneOf(sent(each.scene)) }));

test("every state has the library's matches", { skip: missing }, () => {
  let compared = 0;
  for (const { state: s, scene, matches } of states()) {
    if (!matches) continue;
    assert.deepEqual(keptOf(s, scene).map((k) => [k, scene.rivals[2 * k]]), matches);
    compared += matches.length;
  }
  assert.ok(compared > 800, `${compared} matches`);
});

test("the draws find what the library's homographies find", { skip: missing }, () => {
  let refused = 0, fit = 0;
  for (const { state: s, scene, drawn: expected } of states()) {
    if (!expected) continue;
    const { last, count, best, agree } = drawn(s, scene, keptOf(s, scene));
    assert.deepEqual({ last, count, best, agree }, expected);
    if (count < 0) refused += 1; else fit += 1;
  }
  assert.ok(refused > 3 && fit > 15, `${refused} refused, ${fit} fit`);
});

test("four picked matches, and the stage, say who agrees, as in Python", { skip: missing }, () => {
  let picked = 0, refused = 0;
  for (const { state: s, scene, agreeing: expected } of states()) {
    if (expected === undefined) continue;
    const kept = keptOf(s, scene), found = agreeing(s, scene, kept);
    assert.deepEqual(found && { last: found.last, count: found.count, best: found.best, agree: found.agree }, expected);
    if (expected && s.stage !== "homography" && picksOf(s, kept).length === 4) { picked += 1; refused += expected.count < 0; }
  }
  assert.ok(picked > 8 && refused > 1, `${picked} picked, ${refused} of them refused`);
});

test("a picture is moved as the library moves it", { skip: missing }, () => {
  let reached = 0;
  for (const { shape, levels, rows, size, reached: inside, expected } of cases("matches").warps) {
    const out = warped({ shape, data: Uint8Array.from(levels) }, rows, size);
    inside.forEach((is, k) => {
      assert.equal(out[4 * k + 3], is ? 255 : 0);
      for (let part = 0; is && part < 3; part++) assert.ok(Math.abs(out[4 * k + part] - expected[3 * k + part]) <= 0.5 + 1e-6);
      reached += is;
    });
  }
  assert.ok(reached > 400, `${reached} pixels`);
});

test("a draw more is the same as all draws anew", { skip: missing }, () => {
  const { state: s, scene } = states().at(-2), kept = keptOf(s, scene), anew = drawn({ ...s, draws: 9 }, scene, kept);
  drawn({ ...s, draws: 8 }, scene, kept);
  assert.deepEqual(drawn({ ...s, draws: 9 }, scene, kept), anew);
  assert.notDeepEqual(drawn({ ...s, draws: 9, seed: s.seed + 1 }, scene, kept).last, anew.last);
});

test("four different ones are drawn, the same as in Python; a homography goes through four pairs", { skip: missing }, () => {
  for (const each of cases("matches").fours) {
    if (each.four) {
      assert.deepEqual(four(each.seed, each.draw, each.count), each.four);
      assert.equal(new Set(each.four).size, 4);
      continue;
    }
    assert.equal(usable(each.here, each.there), each.usable);
    if (!each.usable) continue;
    const rows = through(each.here, each.there), scale = each.homography[2][2] / rows[2][2];
    const most = Math.max(...each.homography.flat().map(Math.abs));
    rows.flat().forEach((x, k) => assert.ok(Math.abs(x * scale - each.homography.flat()[k]) <= 1e-7 * most));
  }
});

test("the viewer says Python's sentences and refusals, and writes its code", { skip: missing }, () => {
  for (const { state: s, scene, problem: trouble, sentence: words, pattern, code } of states()) {
    assert.equal(problem(s, scene)?.text ?? null, trouble);
    assert.equal(sentence(s, s.predict && !trouble, scene), words);
    assert.equal(codeOf(pattern, { image_a: undefined, image_b: undefined, ...s }), code);
  }
});

test("every fix that is offered works", { skip: missing }, () => {
  let tried = 0;
  for (const { state: s, scene } of states()) {
    for (const [label, patch] of problem(s, scene)?.fixes || []) {
      assert.equal(problem({ ...s, ...patch }, scene), null, label);
      tried += 1;
    }
  }
  assert.ok(tried >= 6, `${tried} fixes`);
});

test("a smaller ratio keeps fewer of the same; the bins hold each point once", { skip: missing }, () => {
  for (const { state: s, scene } of states()) {
    const [few, many] = [0.6, 0.8].map((ratio) => keptOf({ ...s, ratio }, scene));
    if (scene.m > 1) assert.ok(few.length <= many.length && few.every((k) => many.includes(k)));
    const bins = histogram(scene, many), sum = (list) => list.reduce((a, b) => a + b, 0);
    assert.equal(sum(bins.all), scene.n);
    assert.equal(sum(bins.kept), many.length);
    assert.equal(sum(bins.wrong), scene.judged ? [...scene.right].filter((x) => !x).length : 0);
  }
});
