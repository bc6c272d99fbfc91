import test from "node:test";
import assert from "node:assert/strict";
import { actionOf, followKeys } from "../../cnnlib/widgets/static/kit/keys.js";
import { stateOf, encode, decode, same } from "../../cnnlib/widgets/static/kit/state.js";
import { hostModel } from "../../cnnlib/widgets/static/host.js";

const cell = { matches: (query) => query === "div", dataset: {} };
const field = { matches: (query) => query.includes("input:not"), dataset: {} };
const pressed = (key, target = cell, more = {}) => ({ key, target, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, stopped: 0, prevented: 0, stopPropagation() { this.stopped += 1; }, preventDefault() { this.prevented += 1; }, ...more });

test("letters act on parts, not in fields", () => {
  assert.deepEqual(["r", "U", "p", "c", "?", " ", "PageUp", "Escape", "a", "0"].map((key) => actionOf(pressed(key))), ["reset", "undo", "predict", "code", "help", "play", "next", "out", null, null]);
  assert.equal(actionOf(pressed("r", field)), null);
  assert.equal(actionOf(pressed("Escape", field)), "out");
});

test("plain keys stay inside; Shift+Enter and Ctrl pass; Ctrl+Z undoes", () => {
  const done = [], listeners = {};
  followKeys({ addEventListener: (name, listen) => { listeners[name] = listen; } }, { undo: () => done.push("undo"), reset: () => done.push("reset") }, undefined);
  const press = (...event) => { const made = pressed(...event); listeners.keydown(made); return made; };
  for (const key of ["a", "b", "d", "0", "x", "m", "Enter", "ArrowUp"]) assert.equal(press(key).stopped, 1, key);
  assert.equal(press("Enter", cell, { shiftKey: true }).stopped, 0);
  assert.equal(press("s", cell, { ctrlKey: true }).stopped, 0);
  assert.equal(press("z", cell, { ctrlKey: true }).stopped, 1);
  press("r");
  assert.deepEqual(done, ["undo", "reset"]);
});

function made(state) {
  const model = hostModel({ state: { readout: "", _start: { ...state }, ...state }, buffers: [] });
  return [model, stateOf(model, Object.keys(state), () => model.set("readout", "said"))];
}

test("a glance and a drag send nothing; a commit sends once and can be undone", () => {
  const [model, state] = made({ row: 0, stride: 1 });
  for (let i = 1; i < 9; i++) state.preview({ row: i });
  state.preview({ stride: 2 });
  state.preview({ stride: 3 });
  assert.equal(model.messages.length, 0);
  state.commit({ stride: 4 });
  assert.equal(model.messages.length, 1);
  assert.ok(model.messages[0].includes("readout") && model.messages[0].includes("row"));
  state.undo();
  assert.deepEqual([model.get("stride"), model.get("row")], [1, 0]);
  model.set("row", 5);
  state.noticed("row");
  state.commit({ stride: 2 });
  state.undo();
  assert.equal(model.get("row"), 5);
});

test("moves in a row are one step; reset is a step; fifty are kept", () => {
  const [model, state] = made({ row: 0, stride: 1 });
  for (let i = 1; i < 5; i++) state.commit({ row: i }, "move");
  assert.equal(state.depth(), 1);
  state.commit({ stride: 2 });
  state.commit({ stride: 2 });
  assert.equal(state.depth(), 2);
  state.reset();
  assert.deepEqual([model.get("row"), model.get("stride"), state.depth()], [0, 1, 3]);
  state.undo();
  state.undo();
  state.undo();
  assert.deepEqual([model.get("row"), model.get("stride"), state.undo()], [0, 1, false]);
  for (let i = 0; i < 70; i++) state.commit({ stride: i });
  assert.equal(state.depth(), 50);
});

test("arrays go out as bytes and come back bit for bit, NaN too", () => {
  const value = { shape: [2, 2], data: Float32Array.from([1, NaN, -0, 1e-40]) }, sent = encode(value);
  assert.ok(sent.data instanceof DataView);
  assert.deepEqual([...new Uint32Array(decode(sent).data.buffer)], [...new Uint32Array(value.data.buffer)]);
  assert.ok(same(sent, encode(value)));
  assert.ok(!same(sent, encode({ shape: [2, 2], data: Float32Array.from([1, NaN, -0, 0]) })));
});
