// The backward microscope: every gradient is a sum over the paths that used it.
import { mount } from "./kit/root.js";
import { LEGIBLE, grid } from "./kit/grid.js";
import { panel } from "./kit/panel.js";
import { steps } from "./kit/steps.js";
import { choice } from "./kit/choice.js";
import { stepper, toggle, wholeNumber, paddingOf } from "./kit/controls.js";
import { decode } from "./kit/state.js";
import { waiting } from "./kit/call.js";
import { element, div, write, visible, textWidth } from "./kit/dom.js";
import { greyScale, toneScale } from "./kit/scale.js";
import { full, factor, short, decimalsFor } from "./kit/text.js";
import { range } from "./kit/maths.js";
import { settingsOf, hasWeight, strideOf, looked, factorOf, isPlain, problem, everything, collected, marksOf, letterOf, nameOf, answer, sentence } from "./backward_words.js";
import { abs, floor, max, min } from "./kit/numbers.js";

const HANDS = "Point at a g to see what it gives; point at an input, a weight or one of their gradients to see what it collects. Drag a number of X, F or g, or type over it. Cells are counted from 1, as in a matrix.";
const PARTS = [["grad_output", "g gives"], ["grad_x", "an input collects"], ["grad_weight", "a weight collects"]];
const ARRAYS = ["x", "weight", "grad_output"];

function render({ model, el }) {
  let last = null;
  const names = Object.keys(model.get("_code").defaults);
  const whole = (s) => {
    const key = JSON.stringify(names.map((name) => (ARRAYS.includes(name) ? 0 : s[name])));
    if (!last || last.key !== key || last.own !== s.own || ARRAYS.some((name) => last[name] !== s[name])) last = { key, own: s.own, x: s.x, weight: s.weight, grad_output: s.grad_output, m: everything(s) };
    return last.m;
  };
  let kept = null;
  const own = () => {
    const raw = model.get("_own"), tables = ["_own_x", "_own_weight"].map((name) => decode(model.get(name)));
    if (raw && (kept?.raw !== raw || kept.x !== tables[0] || kept.weight !== tables[1])) kept = { ...raw, raw, key: JSON.stringify(raw.of), x: tables[0], weight: tables[1] };
    return raw && kept;
  };
  const seen = (s) => looked(s, own());
  const predict = {
    prompt: (s) => { s = seen(s); const m = whole(s), name = nameOf(s, m, m.part, m.k); return m.part === "grad_output" ? `${name} gives to how many inputs?` : `\u2202E/\u2202${name} will be`; },
    place: (s) => placeOf(seen(s), whole(seen(s))),
    answer: (s) => answer(whole(seen(s))),
    epoch: (s) => (problem(seen(s)) ? "" : JSON.stringify([...ARRAYS.map((name) => s[name] && [...s[name].data]), s.channel, strideOf(s), s.padding, s.dilation, s.kernel_size])),
  };
  return mount(model, el, {
    name: "BackwardMicroscope", title: "Backward microscope", hands: HANDS, predict, listen: ["_theirs", "_own", "_own_x", "_own_weight", "_cut"],
    idea: "Every gradient is a sum over the paths that used it.",
    build: (kit) => build(kit, whole, seen),
  });
}

// What a prediction is about: g11 gives, or the gradient of X22.
const placeOf = (s, m, part = m.part, k = m.k) => (part === "grad_output" ? "" : "\u2202E/\u2202") + nameOf(s, m, part, k);

function build(kit, whole, seen) {
  const { model, signal, state, stage, theme } = kit, read = () => seen(state.read()), { hides } = kit.question;
  let plan = null, answered = 0, heard = null;

  // The parts, made once: three arrays, and the gradients of the first two.
  const part = (name, role, of, label, trait = null) => {
    const at = (k) => { const cols = whole(read()).shapes[of][1]; return { part: of, row: floor(k / cols), col: k % cols }; };
    const able = () => !problem(read()), go = (k) => { if (able()) state.commit(at(k), "move"); };
    const edit = (k, value, phase) => {
      if (!able()) return;
      const s = read(), m = whole(s), all = state.read()[trait], deep = all?.shape.length === 3, data = Float32Array.from(deep ? all.data : trait === "grad_output" ? m.grad : s[trait].data);
      const [h, w] = deep ? all.shape.slice(1) : m.shapes[of], cols = m.shapes[of][1], [i, j] = [floor(k / cols), k % cols];
      if (i >= h || j >= w) return;                  // of a deep g, what was not given stays 1
      data[(deep ? min(max(s.channel, 0), all.shape[0] - 1) * h * w : 0) + i * w + j] = value;
      state[phase === "drag" ? "preview" : "commit"]({ [trait]: { shape: deep ? all.shape : m.shapes[of], data } });
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
  const wait = waiting("your function", signal, kit.ask), asked = () => { if (model.get("_theirs") || model.get("_own")) wait.ask(); };

  // Controls: only those that the operation has.
  const commit = (trait) => (value) => { state.commit({ [trait]: value }); asked(); };
  const number = (trait, label = trait, take = wholeNumber) => stepper({ trait, label, signal, read: take, change: commit(trait) });
  const pads = (text) => { const value = paddingOf(text); return typeof value === "string" ? null : value; };
  const named = {
    part: choice({ trait: "part", label: "look at", options: PARTS.filter(([part]) => part !== "grad_weight" || hasWeight(read())), signal, change: (value) => state.commit({ part: value, row: 0, col: 0 }) }),
    so_far: toggle({ trait: "so_far", label: "add up", signal, change: (value) => state.commit({ so_far: value }), title: "what all outputs up to this one have given together" }),
    kernel_size: number("kernel_size", "size"), channel: number("channel"), stride: number("stride"), padding: number("padding", "padding", pads), dilation: number("dilation"),
  };
  for (const [name, each] of Object.entries(named)) if (!kit.hidden(name)) kit.controls.append(each.element);
  const walk = steps(kit, (s) => { s = seen(s); return problem(s) ? null : whole(s).shapes[whole(s).part]; });
  if (!kit.hidden("step")) kit.controls.append(walk.element);

  // Drawing.
  function draw(raw, trouble) {
    const s = seen(raw), scatters = s.part === "grad_output";
    named.part.set(s.part);
    named.so_far.set(s.so_far);
    for (const name of ["kernel_size", "stride", "padding", "dilation"]) {
      const value = name === "stride" ? strideOf(s) : s[name];
      named[name].set(value, Boolean(trouble?.text.startsWith(name === "kernel_size" ? "size" : name)));
      visible(named[name].element, settingsOf(s).includes(name));
    }
    named.channel.set(s.channel);
    visible(named.channel.element, raw.x.shape.length === 3);
    if (s.own && s.own.raw !== heard) { heard = s.own.raw; wait.answered(); }
    visible(named.so_far.element, scatters);
    if (trouble && wait.words()) write(theirs, `your function: ${wait.words()}`);
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

  // The height and the width of a cell, in one row of panels or in two, whichever makes it higher; in the height of a page.
  // And the width of a cell of g, which holds a product where there is room.
  function cellSide(s, [outRows, outCols], grads) {
    const font = parseFloat(getComputedStyle(kit.root).fontSize), [h, w] = s.x.shape, [kh, kw] = hasWeight(s) ? s.weight.shape : [0, 0];
    const rows = max(h, kh, outRows), room = kit.root.clientWidth - 2 * font;
    const spare = (cols, more, side) => room - cols.reduce((sum, n) => sum + (n && max(n * side, 6.5 * font) + 2.3 * font), more);  // a legend below is some wide, too
    const fit = (...panels) => {                     // of panels with so many columns
      let side = floor(2.4 * font);
      while (side > 10 && spare(...panels, side) < 0) side -= 1;
      return side;
    };
    const lines = [[[w, kw, outCols, ...(grads ? [w, kw] : [])], 2.5 * font], [[w, kw, outCols], 0]], wide = lines.map((panels) => fit(...panels));
    const [one, two] = [min(wide[0], (20 * font) / rows), min(wide[1], max((9 * font) / rows, min(LEGIBLE - 4, (9.3 * font) / rows)))];
    visible(line, two > one);
    const place = two > one ? 1 : 0, width = max(10, floor(wide[place])), more = hasWeight(s) ? max(0, spare(...lines[place], width)) : 0;
    return [max(10, floor(max(one, two))), width, max(width, min(floor(4.3 * font), width + floor(more / outCols)))];
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
  function lying(s, m, width) {
    const terms = m.part === "grad_output" || s.predict ? [] : collected(m, m.part, m.k).map(([o, path]) => [o, isPlain(m.part, path) ? "" : `${full(factorOf(m.part, path))}\u00b7${factor(m.grad[o])}`]);
    return new Map(terms.filter(([, text]) => text && textWidth(text, 11, stage) - 0.77 * text.length < width - 7));  // within its ring
  }

  function show(name, { shape, data }, scale, caption, more, cell, secret = null) {
    const decimals = decimalsFor(data);
    panels[name].name(caption, more);
    visible(panels[name].rule, !secret);
    if (!secret) panels[name].scale(scale, decimals, theme());
    if (grids[name].typing()) return;
    const content = { rows: shape[0], cols: shape[1], origin: [1, 1], data, scale, decimals, cell: cell[0], width: cell[name === "grad_output" ? 2 : 1], state: (k) => (secret?.(k) ? "hidden" : ""), name: (k) => (secret?.(k) ? "not yet shown" : full(data[k])) };
    const terms = name === "grad_output" && plan ? lying(plan.s, plan.m, cell[2]) : new Map();
    if (terms.size) content.text = (k) => terms.get(k) || short(data[k], decimals);
    grids[name].show(content);
  }

  // The chosen cell in ink; the cells that its paths run through in their own colour. In what a number collects no other
  // gradient than g has a part.
  function marks() {
    const { m, hidden, marks: found } = plan, of = { x: "grad_x", weight: "grad_weight" };
    for (const [name, each] of Object.entries(grids)) {
      const chosen = name === m.part, apart = m.part !== "grad_output" && !of[name] && name !== "grad_output", places = apart ? [] : found[of[name] || name];
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
      const limit = usable ? told.near * max(1, ...Array.from(m.whole[name], abs)) : 0;
      const wrong = usable ? [...ours.keys()].filter((k) => !s.own?.kinks[name]?.includes(k) && !(abs(ours[k] - given[k]) <= limit || Object.is(ours[k], given[k]))) : [];
      if (ours) grids[name].mark("differ", wrong);
      for (const k of wrong) if (m.part === "grad_output" || (name === m.part && k === m.k)) here.push(`\u2202E/\u2202${nameOf(s, m, name, k)}: yours ${full(given[k])}, computed ${full(ours[k])}`);
    }
    const cells = here.length && !told.words.includes(here[0]) ? ` \u00b7 Here ${here[0]}${here.length > 1 ? " and " + (here.length - 1) + " more" : ""}` : "";
    write(theirs, s.predict ? "your function: shown when you stop predicting" : "your function: " + (pending || told.words + cells));
  }

  const say = (s) => sentence(s, problem(s) ? false : hides(s), problem(s) ? null : whole(s)) + (model.get("_cut") ? ` ${model.get("_cut")}` : "");
  return { draw, sentence: (s) => say(seen(s)), problem: (s) => problem(seen(s)), keys: walk.keys, settle: walk.stop };
}

export { render };
