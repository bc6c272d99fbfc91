// The backward microscope: every gradient is a sum over the paths that used it.
import { mount } from "./kit/root.js";
import { grid } from "./kit/grid.js";
import { panel } from "./kit/panel.js";
import { steps } from "./kit/steps.js";
import { choice } from "./kit/choice.js";
import { stepper, toggle } from "./kit/controls.js";
import { waiting } from "./kit/call.js";
import { element, div, write, visible } from "./kit/dom.js";
import { greyScale, toneScale } from "./kit/scale.js";
import { full, short, decimalsFor } from "./kit/text.js";
import { range } from "./kit/maths.js";
import { SETTINGS, hasWeight, strideOf, problem, everything, collected, marksOf, letterOf, nameOf, answer, sentence } from "./backward_words.js";
import { abs, floor, max, min } from "./kit/numbers.js";

const HANDS = "Point at a g to see what it gives; point at an input, a weight or one of their gradients to see what it collects. Drag a number of X, F or g, or type over it. Cells are counted from 1, as in a matrix.";
const PARTS = [["grad_output", "g gives"], ["grad_x", "an input collects"], ["grad_weight", "a weight collects"]];
const ARRAYS = ["x", "weight", "grad_output"];
const NEAR = 1e-5;                                   // relative: what differs by less is rounding

function render({ model, el }) {
  let last = null;
  const names = Object.keys(model.get("_code").defaults);
  const whole = (s) => {
    const key = JSON.stringify(names.map((name) => (ARRAYS.includes(name) ? 0 : s[name])));
    if (!last || last.key !== key || ARRAYS.some((name) => last[name] !== s[name])) last = { key, x: s.x, weight: s.weight, grad_output: s.grad_output, m: everything(s) };
    return last.m;
  };
  const predict = {
    prompt: (s) => { const m = whole(s), name = nameOf(s, m, m.part, m.k); return m.part === "grad_output" ? `${name} gives to how many inputs?` : `\u2202E/\u2202${name} will be`; },
    place: (s) => placeOf(s, whole(s)),
    answer: (s) => answer(whole(s)),
    epoch: (s) => (problem(s) ? "" : JSON.stringify([...ARRAYS.map((name) => s[name] && [...s[name].data]), strideOf(s), s.padding, s.dilation, s.kernel_size])),
  };
  return mount(model, el, {
    name: "BackwardMicroscope", title: "Backward microscope", hands: HANDS, predict, listen: ["_theirs"],
    idea: "Every gradient is a sum over the paths that used it.",
    build: (kit) => build(kit, whole),
  });
}

// What a prediction is about: g11 gives, or the gradient of X22.
const placeOf = (s, m, part = m.part, k = m.k) => (part === "grad_output" ? "" : "\u2202E/\u2202") + nameOf(s, m, part, k);

function build(kit, whole) {
  const { model, signal, state, stage, theme } = kit, { read } = state, { hides } = kit.question;
  let plan = null, answered = 0;

  // The parts, made once: three arrays, and the gradients of the first two.
  const part = (name, role, of, label, trait = null) => {
    const at = (k) => { const cols = whole(read()).shapes[of][1]; return { part: of, row: floor(k / cols), col: k % cols }; };
    const able = () => !problem(read()), go = (k) => { if (able()) state.commit(at(k), "move"); };
    const edit = (k, value, phase) => {
      if (!able()) return;
      const s = read(), m = whole(s), data = Float32Array.from(trait === "grad_output" ? m.grad : s[trait].data);
      data[k] = value;
      state[phase === "drag" ? "preview" : "commit"]({ [trait]: { shape: m.shapes[of], data } });
      if (phase !== "drag") asked();
    };
    return grid({ part: name, role, signal, label, enter: (k) => { if (able()) state.preview(at(k)); }, move: go, choose: go, ...(trait ? { edit } : {}) });
  };
  const grids = {
    x: part("input", "input", "grad_x", "input", "x"), weight: part("weight", "weight", "grad_weight", "weights", "weight"),
    grad_output: part("grad_output", "gradient", "grad_output", "gradient of the output", "grad_output"),
    grad_x: part("grad_x", "gradient", "grad_x", "gradient of the input"), grad_weight: part("grad_weight", "gradient", "grad_weight", "gradient of the weights"),
  };
  const roles = { x: "input", weight: "weight", grad_output: "gradient", grad_x: "gradient", grad_weight: "gradient" };
  const panels = Object.fromEntries(Object.entries(grids).map(([name, each]) => [name, panel(roles[name], name, each.element)]));
  for (const [name, each] of Object.entries(grids)) {  // a mark and a frame in the colour of their own quantity
    if (name !== "x") each.element.style.setProperty("--input", `var(--${roles[name]})`);
    each.element.style.setProperty("--output", "var(--ink)");
  }
  const sign = element("span.cw-operator", { "aria-hidden": "true" }, "\u2192"), line = div("cw-break");
  line.style.flexBasis = "100%";
  const theirs = element("div.cw-note", { "data-part": "report" });
  stage.append(div("cw-row", panels.x.element, panels.weight.element, panels.grad_output.element, line, sign, panels.grad_x.element, panels.grad_weight.element), theirs);
  const wait = waiting("your function", signal, kit.ask), asked = () => { if (model.get("_theirs")) wait.ask(); };

  // Controls: only those that the operation has.
  const commit = (trait) => (value) => { state.commit({ [trait]: value }); asked(); };
  const number = (trait, label = trait) => stepper({ trait, label, signal, change: commit(trait) });
  const named = {
    part: choice({ trait: "part", label: "look at", options: PARTS.filter(([part]) => part !== "grad_weight" || hasWeight(read())), signal, change: (value) => state.commit({ part: value, row: 0, col: 0 }) }),
    so_far: toggle({ trait: "so_far", label: "add up", signal, change: (value) => state.commit({ so_far: value }), title: "what all outputs up to this one have given together" }),
    kernel_size: number("kernel_size", "size"), stride: number("stride"), padding: number("padding"), dilation: number("dilation"),
  };
  for (const [name, each] of Object.entries(named)) if (!kit.hidden(name)) kit.controls.append(each.element);
  const walk = steps(kit, (s) => (problem(s) ? null : whole(s).shapes[whole(s).part]));
  if (!kit.hidden("step")) kit.controls.append(walk.element);

  // Drawing.
  function draw(s, trouble) {
    const scatters = s.part === "grad_output";
    named.part.set(s.part);
    named.so_far.set(s.so_far);
    for (const name of ["kernel_size", "stride", "padding", "dilation"]) {
      const value = name === "stride" ? strideOf(s) : s[name];
      named[name].set(value, Boolean(trouble?.text.startsWith(name === "kernel_size" ? "size" : name)));
      visible(named[name].element, SETTINGS[s.op].includes(name));
    }
    visible(named.so_far.element, scatters);
    if (trouble && !plan) drawArrays(s, null, cellSide(s, s.x.shape, 0));
    if (trouble) return;
    const m = whole(s), hidden = hides(s);
    plan = { s, m, hidden, marks: marksOf(m) };
    const cell = cellSide(s, m.shapes.grad_output, 1);
    drawArrays(s, m, cell);
    drawGradients(cell);
    marks();
    compared();
  }

  // The side of a cell, in one row of panels or in two, whichever makes it larger; in the height of a page.
  function cellSide(s, [outRows, outCols], grads) {
    const font = parseFloat(getComputedStyle(kit.root).fontSize), [h, w] = s.x.shape, [kh, kw] = hasWeight(s) ? s.weight.shape : [0, 0];
    const rows = max(h, kh, outRows), cols = w + kw + outCols, second = grads * (w + kw), most = 2.4 * font, room = kit.root.clientWidth - 2 * font;
    const beside = (n) => 2.3 * font * n;            // what stands beside the cells of n panels
    const one = min(most, (room - beside(hasWeight(s) ? 5.5 : 3.5)) / (cols + second), (20 * font) / rows);
    const two = min(most, (room - beside(hasWeight(s) ? 3 : 2)) / cols, (9 * font) / rows);
    visible(line, two > one);
    return max(10, floor(max(one, two)));
  }

  const tones = (numbers, role) => toneScale(max(...range(numbers).map(abs)), role, theme());

  function drawArrays(s, m, cell) {
    const arrays = { x: s.x, weight: hasWeight(s) ? s.weight : null, grad_output: m && { shape: m.shapes.grad_output, data: m.grad } };
    for (const [name, array] of Object.entries(arrays)) {
      visible(panels[name].element, Boolean(array));
      if (!array) continue;
      const [low, high] = range(array.data), grey = name === "x" && s.scale !== "tone" && (s.scale === "grey" || low >= 0);
      const scale = grey ? greyScale(min(0, low), max(1, high)) : tones(array.data, roles[name]);
      const caption = name === "grad_output" ? "g = \u2202E/\u2202O" : letterOf(s, name === "x" ? "grad_x" : "grad_weight");
      show(name, array, scale, caption, array.shape.join("\u00d7"), cell);
    }
    for (const each of [sign, panels.grad_x.element, panels.grad_weight.element]) visible(each, Boolean(m));
  }

  function drawGradients(cell) {
    const { s, m, hidden } = plan, from = m.part === "grad_output" ? (s.so_far ? "up to " : "from ") + nameOf(s, m, m.part, m.k) : "";
    visible(panels.grad_weight.element, hasWeight(s));
    for (const name of ["grad_x", "grad_weight"]) {
      if (!m.shapes[name]) continue;
      const secret = !s.predict ? null : m.part === "grad_output" ? () => hidden : name === m.part ? (k) => hides(s, placeOf(s, m, name, k)) : () => true;
      show(name, { shape: m.shapes[name], data: m.shown[name] }, tones(m.whole[name], "gradient"), `\u2202E/\u2202${letterOf(s, name)}`, from, cell, secret);
    }
  }

  // In gathering, what lies on each g: the weights turned by 180\u00b0, or the inputs of a window.
  function lying(s, m) {
    const terms = m.part === "grad_output" || s.predict ? [] : collected(m, m.part, m.k).map(([o, { w, fx, fw }]) => [o, w < 0 && fx === 1 ? "" : `${full(m.part === "grad_x" ? fx : fw)}\u00b7${full(m.grad[o])}`]);
    return new Map(terms.filter(([, text]) => text && text.length < 6));
  }

  function show(name, { shape, data }, scale, caption, more, cell, secret = null) {
    const decimals = decimalsFor(data);
    panels[name].name(caption, more);
    visible(panels[name].rule, !secret);
    if (!secret) panels[name].scale(scale, decimals, theme());
    if (grids[name].typing()) return;
    const content = { rows: shape[0], cols: shape[1], origin: [1, 1], data, scale, decimals, cell, state: (k) => (secret?.(k) ? "hidden" : ""), name: (k) => (secret?.(k) ? "not yet shown" : full(data[k])) };
    const terms = name === "grad_output" && plan ? lying(plan.s, plan.m) : new Map();
    if (terms.size) content.text = (k) => terms.get(k) || short(data[k], decimals);
    grids[name].show(content);
  }

  // The chosen cell in ink; the cells that its paths run through in their own colour.
  function marks() {
    const { m, hidden, marks: found } = plan, of = { x: "grad_x", weight: "grad_weight" };
    for (const [name, each] of Object.entries(grids)) {
      const chosen = name === m.part, places = found[of[name] || name];
      if (!m.shapes[of[name] || name]) continue;
      each.mark("light", hidden || chosen ? [] : of[name] === m.part ? [m.k] : places);
      each.frame("here", chosen ? { row: m.row, col: m.col, rows: 1, cols: 1 } : null);
      if (chosen) each.point(m.k, each.hasFocus() && each.at !== m.k);
    }
  }

  // The student's gradients: what differs is ringed, and said for the chosen cell.
  function compared() {
    const { s, m, hidden } = plan, told = model.get("_theirs");
    visible(theirs, Boolean(told));
    if (!told) return;
    if (told.call !== answered) { answered = told.call; wait.answered(); }
    const pending = wait.words(), here = [];
    for (const name of ["grad_x", "grad_weight"]) {
      const table = told[name === "grad_x" ? "to_x" : "to_weight"], ours = m.shown[name], n = ours ? ours.length : 0;
      const given = m.part === "grad_output" || !told[name] ? table && ours && Float64Array.from(ours, (_, k) => m.grad.reduce((sum, g, o) => sum + (m.counts(o) ? g * table[o * n + k] : 0), 0)) : told[name];
      const usable = given && given.length === n && (!table || table.length === n * m.grad.length) && !pending && !hidden && !s.predict;
      const limit = usable ? NEAR * max(1, ...Array.from(m.whole[name], abs)) : 0;
      const wrong = usable ? [...ours.keys()].filter((k) => !(abs(ours[k] - given[k]) <= limit || Object.is(ours[k], given[k]))) : [];
      if (ours) grids[name].mark("differ", wrong);
      for (const k of wrong) if (m.part === "grad_output" || (name === m.part && k === m.k)) here.push(`\u2202E/\u2202${nameOf(s, m, name, k)}: yours ${full(given[k])}, computed ${full(ours[k])}`);
    }
    const cells = here.length && !told.words.includes(here[0]) ? ` \u00b7 Here ${here[0]}${here.length > 1 ? " and " + (here.length - 1) + " more" : ""}` : "";
    write(theirs, s.predict ? "your function: shown when you stop predicting" : "your function: " + (pending || told.words + cells));
  }

  return { draw, sentence: (s) => sentence(s, hides(s), problem(s) ? null : whole(s)), problem, keys: walk.keys, settle: walk.stop };
}

export { render };
