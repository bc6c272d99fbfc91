import test from "node:test";
import assert from "node:assert/strict";
import { cases, missing, number } from "./cases.mjs";
import { codeOf } from "../../cnnlib/widgets/static/kit/code.js";
import { tableOf, problem, gridOf, placeOf, mapKey, placeKey, rowAt, answerOf, factsOf, standIn, unitOf, unitKey, percent, sentence } from "../../cnnlib/widgets/static/occlusion_words.js";

const sent = ({ shape, data }) => tableOf({ shape, data: new DataView(Float32Array.from(data, number).buffer) });
const keyed = ([patch, stride, fill]) => mapKey({ patch, stride, fill });
const sceneOf = (each) => ({
  ...each.scene,
  maps: new Map(each.maps.map(([key, table]) => [keyed(key), sent(table)])),
  places: new Map(each.places.map(([[patch, fill, row, col], answer]) => [placeKey({ patch, fill }, row, col), answer.map(number)])),
  units: new Map(each.units.map(([[layer, channel, unit], found]) => [unitKey({ layer, channel, unit }), found])),
});
const all = () => [...cases("occlusion").drawn, ...cases("occlusion").real].map((each) => ({ ...each, scene: sceneOf(each) }));

test("the viewer says Python's sentences and refusals", { skip: missing }, () => {
  const said = { asked: 0, falls: 0, wins: 0, scanned: 0, sees: 0 };
  for (const { state: s, scene, problem: trouble, sentences } of all()) {
    assert.equal(problem(s, scene.size)?.text ?? null, trouble);
    sentences.forEach((words, hidden) => assert.equal(sentence(s, scene, Boolean(hidden)), words));
    for (const word of Object.keys(said)) said[word] += sentences[0].includes(word);
  }
  for (const [word, n] of Object.entries(said)) assert.ok(n > 8, `${word}: ${n}`);
});

test("the patch is where Python has it, and reads what Python reads", { skip: missing }, () => {
  let read = 0;
  for (const { state: s, scene, place, answer, problem: trouble } of all()) {
    if (trouble || s.view !== "occlusion") continue;
    assert.deepEqual(placeOf(s, scene.size), place);
    if (!place) continue;
    const row = answerOf(s, scene);
    assert.deepEqual(row && [...row], answer && [...Float32Array.from(answer)]);
    read += Boolean(row);
  }
  assert.ok(read > 25, `${read} answers`);
});

test("every place of a scan is read where it was scanned", { skip: missing }, () => {
  for (const { state: s, scene, heat, winner } of cases("occlusion").real.map((each) => ({ ...each, scene: sceneOf(each) }))) {
    const [rows, cols] = gridOf(s, scene.size), table = scene.maps.get(mapKey(s)), column = scene.classes.indexOf(s.watch ? -1 : 1);
    assert.deepEqual([rows, cols], heat.shape);
    const read = [...Array(rows * cols).keys()].map((k) => rowAt(table, [Math.floor(k / cols), k % cols]));
    assert.deepEqual(read.map((row) => row[column]), heat.data);
    assert.deepEqual(read.map((row) => row.at(-2)), winner);
    const facts = factsOf(table, column, scene.whole.at(-2)), least = Math.min(...heat.data), k = heat.data.indexOf(least);
    assert.deepEqual([facts.done, facts.lowest, facts.least], [rows * cols, [Math.floor(k / cols), k % cols], least]);
    assert.equal(facts.others.reduce((sum, [, n]) => sum + n, 0), winner.filter((k) => k !== scene.whole.at(-2)).length);
  }
});

test("where a scan has not been, a place above and left stands in, and never one beyond", { skip: missing }, () => {
  let stood = 0;
  for (const { state: s, scene } of all()) {
    const table = scene.maps.get(mapKey(s));
    if (!table) continue;
    const [rows, cols] = table.shape;
    for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) {
      const from = standIn(table, [i, j]);
      if (rowAt(table, [i, j])) assert.deepEqual(from, [i, j]);
      else if (from) { assert.ok(rowAt(table, from) && from[0] <= i && from[1] <= j && i - from[0] < 8 && j - from[1] < 8); stood += 1; }
    }
  }
  assert.ok(stood > 100, `${stood}`);
});

test("units are the nearest that there are", { skip: missing }, () => {
  for (const { state: s, scene, unit_key: [layer, channel, unit] } of all()) {
    if (scene.layers.length) assert.deepEqual(unitOf(s, scene), { layer, channel, unit });
  }
});

test("percents are rounded alike, and never said as none or all", { skip: missing }, () => {
  for (const [share, words] of cases("occlusion").percents) assert.equal(percent(share), words);
});

test("the code is Python's, and every fix that is offered works", { skip: missing }, () => {
  for (const { state, code, pattern } of cases("occlusion").real) assert.equal(codeOf(pattern, { ...Object.fromEntries(Object.keys(pattern.defaults).map((name) => [name, pattern.defaults[name]])), ...state }), code);
  let tried = 0;
  for (const { state: s, scene } of all()) for (const [label, patch] of problem(s, scene.size)?.fixes || []) {
    assert.notEqual(problem({ ...s, ...patch }, scene.size)?.text, problem(s, scene.size).text, label);
    tried += 1;
  }
  assert.ok(tried > 5, `${tried} fixes`);
});
