import test from "node:test";
import assert from "node:assert/strict";
import { cases, missing, number } from "./cases.mjs";
import { codeOf } from "../../cnnlib/widgets/static/kit/code.js";
import { spaceOf, cubeOf, differenceOf, directionsOf, patchOf, describe } from "../../cnnlib/widgets/static/kit/sift.js";
import { spotsOf, decide, numberOf, problem, sentence, patchAt, blurOf, levelOf, levelsOf, placeOf } from "../../cnnlib/widgets/static/walker_words.js";

const array = (x) => x && { shape: x.shape, data: Float32Array.from(x.data, number) };
let known = null;                                   // a scale space is dear: each is made once
const drawn = () => (known ||= cases("walker").map((each) => {
  const s = { ...each.state, image: array(each.state.image) }, space = spaceOf(s.image);
  const found = decide(spotsOf(array(each.table), array(each.peaks)), s);
  return { ...each, state: s, space, found };
}));
const between = (actual, { data }, tolerance) => {
  assert.equal(actual.length, data.length);
  data.map(number).forEach((x, k) => assert.ok(Math.abs(actual[k] - x) <= tolerance, `place ${k}: ${actual[k]} for ${x}`));
};
const points = (list) => list.flatMap(({ spot }) => [spot.row, spot.col]);

test("keypoints and rejected candidates are sift.detect's and sift.candidates', one by one", { skip: missing }, () => {
  let kept = 0, rejected = 0;
  for (const { found, ...each } of drawn()) {
    if (each.problem) continue;
    between(points(found.kept), each.kept[0], 0);
    between(found.kept.map(({ spot }) => spot.sigma), each.kept[1], 0);
    between(found.kept.map(({ angle }) => angle), each.kept[2], 0);
    between(points(found.rejected), each.rejected[0], 1e-4);
    between(found.rejected.map(({ spot }) => spot.sigma), each.rejected[1], 1e-5);
    assert.deepEqual(found.rejected.map(({ reason }) => reason), each.rejected[2]);
    kept += found.kept.length;
    rejected += found.rejected.length;
  }
  assert.ok(kept > 500 && rejected > 500, `${kept} kept, ${rejected} rejected`);
});

test("the walker says Python's sentences and refusals, and writes its code", { skip: missing }, () => {
  for (const { state: s, space, found, ...each } of drawn()) {
    assert.equal(problem(s, space, () => found)?.text ?? null, each.problem);
    assert.equal(sentence(s, s.predict, { space, found }), each.sentence);
    assert.equal(codeOf(each.pattern, s), each.code);
  }
});

test("every fix that is offered works", { skip: missing }, () => {
  let tried = 0;
  for (const { state: s, space, found } of drawn()) {
    for (const [label, patch] of problem(s, space, () => found)?.fixes || []) {
      assert.equal(problem({ ...s, ...patch }, space, () => found), null, label);
      tried += 1;
    }
  }
  assert.ok(tried >= 6, `${tried} fixes`);
});

test("cube, patch and descriptor are the library's", { skip: missing }, () => {
  let compared = 0;
  for (const { state: s, space, found, ...each } of drawn()) {
    if (!each.descriptor) continue;
    const one = numberOf(found, s.keypoint), { spot } = one;
    between(cubeOf(space.octave(spot.octave), spot.layer, spot.at_row, spot.at_col), each.cube, 1e-6);
    const { patch, inside } = patchAt(space, one);
    between(patch, each.patch, 2e-5);
    between(inside, each.inside, 0);
    between(describe({ patch, inside }), each.descriptor, 1e-4);
    compared += 1;
  }
  assert.ok(compared >= 20, `${compared} descriptors`);
});

test("the histogram of directions is the library's, but for a pixel that lies between two bins", { skip: missing }, () => {
  let same = 0, all = 0;
  for (const { state: s, space, found, directions } of drawn()) {
    if (!directions) continue;
    const { spot } = numberOf(found, s.keypoint), one = space.octave(spot.octave), ours = directionsOf(one, spot.layer, spot.at_row, spot.at_col, spot.sigma / one.step);
    const theirs = directions.data.map(number), most = Math.max(...theirs);
    all += 1;
    same += theirs.every((x, b) => Math.abs(ours[b] - x) <= 1e-5 * most);
    theirs.forEach((x, b) => assert.ok(Math.abs(ours[b] - x) <= 0.1 * most, `bin ${b}: ${ours[b]} for ${x}`));
  }
  assert.ok(same >= 0.9 * all && all >= 20, `${same} of ${all}`);
});

test("blurs grow by a third of an octave, and each is the level of its own sigma", () => {
  const space = spaceOf({ shape: [64, 80], data: new Float32Array(5120) });
  assert.equal(levelsOf(space), 12);
  for (let level = 1; level <= 12; level++) {
    for (const part of [-0.4, 0, 0.4]) assert.equal(levelOf(space, blurOf(level + part)), level);
    assert.ok(Math.abs(blurOf(level + 1) / blurOf(level) - 2 ** (1 / 3)) < 1e-12);
    const { octave, layer } = placeOf(level);
    assert.ok(layer >= 1 && layer <= 3 && octave === Math.ceil(level / 3) - 2);
  }
});

test("a step of brightness gives a cube whose rows are alike and a patch that rises along its columns", () => {
  const data = Float32Array.from({ length: 4096 }, (_, k) => (k % 64 < 32 ? 0 : 1)), space = spaceOf({ shape: [64, 64], data }), one = space.octave(0);
  const cube = cubeOf(one, 1, 30, 31), { patch } = patchOf(one, 1, 30, 31.5, 2, 0);
  for (const layer of [0, 9, 18]) for (let c = 0; c < 3; c++) assert.ok(Math.abs(cube[layer + c] - cube[layer + 6 + c]) < 1e-6);
  assert.ok(patch[11 * 22 + 21] - patch[11 * 22] > 0.9 && Math.abs(patch[21 * 22 + 11] - patch[11]) < 1e-6);
  assert.equal(differenceOf(one, 1)[30 * 64 + 31], Math.fround(one.layer(2)[30 * 64 + 31] - one.layer(1)[30 * 64 + 31]));
  const turned = directionsOf(one, 1, 30, 31, 2);
  assert.equal(turned.indexOf(Math.max(...turned)), 0);
});
