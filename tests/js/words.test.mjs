import test from "node:test";
import assert from "node:assert/strict";
import { cases, missing } from "./cases.mjs";
import { codeOf } from "../../cnnlib/widgets/static/kit/code.js";
import * as microscope from "../../cnnlib/widgets/static/microscope_words.js";
import * as shapes from "../../cnnlib/widgets/static/shape_words.js";

test("the microscope says Python's sentences and refusals", { skip: missing }, () => {
  for (const { state, problem, sentence } of cases("microscope")) {
    assert.equal(microscope.problem(state)?.text ?? null, problem);
    assert.equal(microscope.sentence(state), sentence);
  }
});

test("every fix that is offered works", { skip: missing }, () => {
  let tried = 0;
  for (const { state } of cases("microscope")) {
    for (const [label, patch] of microscope.problem(state)?.fixes || []) {
      assert.equal(microscope.problem({ ...state, ...patch }), null, label);
      tried += 1;
    }
  }
  assert.ok(tried > 15, `${tried} fixes`);
});

test("the code of a state is Python's", { skip: missing }, () => {
  for (const [name, writers] of [["microscope", {}], ["shapes", shapes.WRITERS]]) {
    for (const { state, pattern, code } of cases(name)) assert.equal(codeOf(pattern, state, writers), code);
  }
});

test("the shape builder's rows and sentences are Python's", { skip: missing }, () => {
  for (const { state, rows, sentence } of cases("shapes")) {
    const ours = shapes.rowsOf(state).map((row) => (row.trouble ? { trouble: row.trouble } : row.waits ? { waits: row.waits } : { shape: row.shape, parameters: row.parameters, multiply_adds: row.multiply_adds, note: row.note, sees: row.sees, jump: row.jump }));
    assert.deepEqual(ours, rows);
    assert.equal(shapes.sentence(state), sentence);
  }
});

test("every fix of a layer, taken, fits, and gives the size that it promises", { skip: missing }, () => {
  let tried = 0, refused = 0;
  for (const { state } of cases("shapes")) {
    shapes.rowsOf(state).forEach((row, place) => {
      if (!row.trouble) return;
      const offers = shapes.fixes(state.layers[place], row.before, state.rounding);
      if (/does not fit|more than half|smallest/.test(row.trouble)) refused += offers.length ? 0 : 1;
      for (const [label, change] of offers) {
        const layers = state.layers.map((layer, i) => (change.layer && i === place ? change.layer : layer));
        const mended = shapes.rowsOf({ ...state, layers, rounding: change.rounding || state.rounding })[place];
        assert.ok(mended.shape || /smallest/.test(row.trouble), `${label}: ${mended.trouble}`);
        const [, size] = label.split(" → ");
        if (size) assert.equal(mended.shape[1] === mended.shape[2] ? String(mended.shape[1]) : mended.shape.slice(1).join("×"), size);
        tried += 1;
      }
    });
  }
  assert.ok(tried > 60, `${tried} fixes`);
  assert.equal(refused, 0, "refusals without a way out");
});

test("the lecture's refusal", () => {
  const layer = { ...shapes.BLANK, kind: "conv", out_channels: 1, kernel_size: 3, stride: 3 };
  const [row] = shapes.rowsOf({ input_shape: [1, 7, 7], layers: [layer], rounding: "refuse" });
  assert.equal(row.trouble, "does not fit: (7 − 3)/3 + 1 = 2.33");
});

test("the workings end in the row's own numbers", { skip: missing }, () => {
  let lines = 0;
  for (const { state } of cases("shapes")) {
    const rows = shapes.rowsOf(state);
    rows.forEach((row, place) => {
      if (!row.shape) return;
      for (const [name, text] of shapes.workings(state, rows, place)) {
        const expected = { rows: row.shape[1], sees: row.sees[0], params: row.parameters }[name];
        if (expected === undefined) continue;
        assert.equal(text.split(" = ").at(-1).replaceAll(",", ""), String(expected), text);
        const value = (0, eval)(text.split(" = ")[0].replaceAll("·", "*").replaceAll("−", "-").replaceAll(",", ""));
        assert.ok(Math.abs(value - expected) < 1 && (name === "rows" || value === expected), text);
        lines += 1;
      }
    });
  }
  assert.ok(lines > 300, `${lines} lines`);
});
