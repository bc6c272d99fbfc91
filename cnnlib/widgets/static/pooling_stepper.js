// The pooling stepper: of each window one number passes, and its place is forgotten.
import { mount } from "./kit/root.js";
import { grid } from "./kit/grid.js";
import { panel } from "./kit/panel.js";
import { steps } from "./kit/steps.js";
import { choice } from "./kit/choice.js";
import { stepper, toggle, button } from "./kit/controls.js";
import { element, div, write, visible, arrow, setAttribute } from "./kit/dom.js";
import { isField } from "./kit/keys.js";
import { greyScale, toneScale } from "./kit/scale.js";
import { full, decimalsFor } from "./kit/text.js";
import { range } from "./kit/maths.js";
import { KINDS, strideOf, within, wrapped, problem, mapOf, changes, fiveWays, sentence } from "./pooling_words.js";
import { abs, floor, max, min } from "./kit/numbers.js";

const HANDS = "Point at an output to see its window and who wins; point at an input pixel to see the outputs that see it. Push the picture with the four arrows, or with Shift and an arrow key; outputs that this has changed are dashed. Drag a pixel, or type over it.";
const WAYS = [["left", "\u2190", [0, -1]], ["up", "\u2191", [-1, 0]], ["down", "\u2193", [1, 0]], ["right", "\u2192", [0, 1]]];
const GEOMETRY = ["image", "kind", "kernel_size", "stride", "padding", "ceil_mode", "shift"];

function render({ model, el }) {
  let last = null;
  const map = (s) => {                               // null where there is none: a stride of 0 would never end
    if (problem(s)) return null;
    const key = GEOMETRY.map((name) => (name === "image" ? "" : JSON.stringify(s[name]))).join();
    if (!last || last.key !== key || last.image !== s.image) last = { ...mapOf(s), key, image: s.image, version: (last?.version || 0) + 1 };
    return last;
  };
  const chosen = (s, m = map(s)) => (m ? { row: within(s.row, m.rows), col: within(s.col, m.cols) } : { row: s.row, col: s.col });
  const predict = {
    prompt: (s) => `Output row ${chosen(s).row}, column ${chosen(s).col} will be`,
    place: (s) => `${chosen(s).row},${chosen(s).col}`,
    answer: (s, m = map(s)) => (m ? m.out[chosen(s, m).row * m.cols + chosen(s, m).col] : NaN),
    epoch: (s) => map(s)?.version || 0,
  };
  return mount(model, el, {
    name: "PoolingStepper", title: "Pooling stepper", hands: HANDS, predict,
    idea: "Of each window one number passes; its place is forgotten.",
    build: (kit) => build(kit, map, chosen),
  });
}

function build(kit, map, chosen) {
  const { signal, state, stage, ask, theme } = kit, { read } = state, { hides } = kit.question;
  let over = null, plan = null;

  // The parts, made once.
  const part = (name, role, hands, label = name) => grid({ part: name, role, label, signal, ...hands });
  const at = (k) => ({ row: floor(k / output.cols), col: k % output.cols });
  const move = (to) => state.commit(to, "move");
  const look = (k) => { over = k; ask(); };
  const pointing = { enter: look, focus: look, leave: () => look(null) };
  const input = part("input", "input", { edit, ...pointing });
  const output = part("output", "output", { enter: (k) => state.preview(at(k)), move: (k) => move(at(k)), choose: (k) => move(at(k)) });
  const back = part("grad_input", "gradient", {}, "sent back to the input");
  const panels = { input: panel("input", "input", input.element), output: panel("output", "output", output.element), back: panel("gradient", "sent back", back.element) };
  input.element.style.setProperty("--weight", "var(--input)");  // a window has no weights here
  const ways = element("div.cw-note", { "data-part": "ways" });
  const operator = element("span.cw-operator", { "aria-hidden": "true" }, "\u2192");
  stage.append(div("cw-row", panels.input.element, operator, panels.output.element, panels.back.element), ways);

  // Hands.
  function edit(k, value, phase) {
    const s = read(), [h, w] = s.image.shape, data = s.image.data.slice();
    const row = floor(k / input.cols) - plan.ring, col = (k % input.cols) - plan.ring;
    data[wrapped(row - s.shift[0], h) * w + wrapped(col - s.shift[1], w)] = value;
    state[phase === "drag" ? "preview" : "commit"]({ image: { shape: s.image.shape, data } });
  }
  function push([down, right]) {
    const { shift } = read();
    state.commit({ shift: [shift[0] + down, shift[1] + right] });
  }
  kit.root.addEventListener("keydown", (event) => {
    const way = event.shiftKey && !isField(event.target) && !event.target.matches("[role=radio]") && arrow(event);
    if (!way || kit.hidden("push")) return;
    event.preventDefault();
    event.stopPropagation();
    push(way);
  }, { signal, capture: true });

  // Controls.
  const commit = (trait) => (value) => state.commit({ [trait]: value });
  const named = {
    kind: choice({ trait: "kind", label: "keep", options: KINDS, signal, change: commit("kind") }),
    kernel_size: stepper({ trait: "kernel_size", label: "size", signal, change: commit("kernel_size") }),
    stride: stepper({ trait: "stride", label: "stride", signal, change: commit("stride") }),
    padding: stepper({ trait: "padding", label: "padding", signal, change: commit("padding") }),
    ceil_mode: toggle({ trait: "ceil_mode", label: "round up", signal, change: commit("ceil_mode"), title: "the last window may reach out of the picture" }),
    backward: toggle({ trait: "backward", label: "backward", signal, change: commit("backward"), title: "what a gradient of 1 from every output sends back" }),
  };
  for (const [name, each] of Object.entries(named)) if (!kit.hidden(name)) kit.controls.append(each.element);
  if (!kit.hidden("push")) {
    const arrows = WAYS.map(([way, sign, by]) => {
      const made = button({ act: `push-${way}`, label: sign, title: `push the picture ${way} by one pixel (Shift and arrow)`, signal, press: () => push(by) });
      setAttribute(made, "aria-label", `push ${way}`);
      return made;
    });
    kit.controls.append(element("span.cw-control", { "data-trait": "shift" }, element("span.cw-label", {}, "push"), ...arrows));
  }
  const walk = steps(kit, (s) => { const m = map(s); return m && [m.rows, m.cols]; });
  if (!kit.hidden("step")) kit.controls.append(walk.element);

  // Drawing.
  function draw(s, trouble) {
    named.kind.set(s.kind);
    named.kernel_size.set(s.kernel_size, s.kernel_size < 1 || Boolean(trouble?.text.includes("fit")));
    named.stride.set(strideOf(s), strideOf(s) < 1);
    named.padding.set(s.padding, Boolean(trouble?.text.includes("padding")));
    named.ceil_mode.set(s.ceil_mode);
    named.backward.set(s.backward);
    if (trouble && plan) return;
    if (trouble) return drawInput({ ...s, padding: 0 }, s.image.data, cellSide(s, 0, 0), false);
    const m = map(s), { row, col } = chosen(s), hidden = hides(s), shows = s.backward && !hidden;
    const side = cellSide(s, m.cols, s.backward ? s.image.shape[1] : 0);
    plan = { s, m, row, col, hidden, ring: s.padding };
    drawInput(s, m.data, side, true);
    drawOutput(side);
    visible(panels.back.element, shows);
    if (shows) drawBack(side);
    marks();
    const pushes = s.shift.some((x) => x) && !s.predict;
    visible(ways, pushes);
    if (pushes) write(ways, "What this push changes, each way: " + fiveWays(s).map(([, label, share]) => `${label} ${share}`).join(" \u00b7 "));
  }

  // The side of a cell with which all grids stand in one row, and in the height of a page.
  function cellSide(s, outCols, backCols) {
    const font = parseFloat(getComputedStyle(kit.root).fontSize), [h, w] = s.image.shape, room = kit.root.clientWidth - font * (backCols ? 14 : 7);
    return max(10, floor(min(2.4 * font, room / (w + 2 * s.padding + outCols + backCols), (24 * font) / (h + 2 * s.padding))));
  }

  function tones(numbers, role) {
    return toneScale(max(...range(numbers).map(abs)), role, theme());
  }

  function drawInput(s, data, cell, frames) {
    const [h, w] = s.image.shape, ring = s.padding, cols = w + 2 * ring, decimals = decimalsFor(s.image.data);
    const inner = (k) => { const r = floor(k / cols) - ring, c = (k % cols) - ring; return r >= 0 && c >= 0 && r < h && c < w ? r * w + c : -1; };
    const [low, high] = range(s.image.data), signed = s.scale === "tone" || (s.scale === "auto" && low < 0);
    const scale = signed ? tones(s.image.data, "input") : greyScale(min(0, low), max(1, high));
    const all = Float32Array.from({ length: (h + 2 * ring) * cols }, (_, k) => (inner(k) < 0 ? 0 : data[inner(k)]));
    const outside = s.kind === "max" || s.kind === "blurred" ? "padding, it never wins" : s.kind === "stride" ? "padding, passed over" : "zero of the padding";
    const text = (k) => (s.kind === "average" || s.kind === "L2" ? "0" : "");
    panels.input.name("input", `${h}\u00d7${w}${ring ? " + padding " + ring : ""}`);
    panels.input.scale(scale, decimals, theme());
    if (input.typing()) return;
    const content = { rows: h + 2 * ring, cols, origin: [-ring, -ring], data: all, scale, decimals, cell, state: (k) => (inner(k) < 0 ? "pad" : ""), name: (k) => (inner(k) < 0 ? outside : full(all[k])) };
    if (ring) content.text = (k) => (inner(k) < 0 ? text(k) : shortened(all[k], decimals));
    input.show(content);
    if (!frames) for (const kind of ["window", "here"]) input.frame(kind, null);
  }

  function drawOutput(cell) {
    const { s, m, row, col } = plan, decimals = decimalsFor(m.out), scale = tones(m.out, "output");
    const masked = (k) => s.predict && hides(s, `${floor(k / m.cols)},${k % m.cols}`);
    panels.output.name(KINDS.find(([kind]) => kind === s.kind)[1], `${m.rows}\u00d7${m.cols}`);
    if (!s.predict) panels.output.scale(scale, decimals, theme());
    visible(panels.output.rule, !s.predict);
    output.show({ rows: m.rows, cols: m.cols, data: m.out, scale, decimals, cell, state: (k) => (masked(k) ? "hidden" : ""), name: (k) => (masked(k) ? "not yet shown" : full(m.out[k])) });
    output.point(row * m.cols + col, output.hasFocus() && output.at !== row * m.cols + col);
    output.frame("here", { row, col, rows: 1, cols: 1 });
    output.mark("differ", s.shift.some((x) => x) && !s.predict ? changes(s, m)[0] : []);
  }

  function drawBack(cell) {
    const { s, m } = plan, decimals = min(decimalsFor(m.back), cell < 30 ? 1 : 2), scale = tones(m.back, "gradient"), [rows, cols] = s.image.shape;
    panels.back.scale(scale, decimals, theme());
    back.show({ rows, cols, data: m.back, scale, decimals, cell, name: (k) => full(m.back[k]) });
    back.mark("pair", m.cells[plan.row * m.cols + plan.col].shares.map(([k]) => k));
  }

  // The window, the winner (with its equals), and the outputs whose windows hold the pixel that is pointed at.
  function marks() {
    const { s, m, row, col, hidden, ring } = plan, [h, w] = s.image.shape, here = m.cells[row * m.cols + col], cols = w + 2 * ring;
    const framed = (k) => (floor(k / w) + ring) * cols + (k % w) + ring, rows = h + 2 * ring;
    const top = row * strideOf(s), left = col * strideOf(s);
    input.frame("window", { row: top, col: left, rows: min(s.kernel_size, rows - top), cols: min(s.kernel_size, cols - left) });
    const best = hidden ? undefined : s.kind === "stride" ? here.list[0] : here.best;
    input.frame("here", best === undefined ? null : { row: floor(framed(best) / cols), col: framed(best) % cols, rows: 1, cols: 1 });
    input.mark("tap", s.kind === "max" && !hidden ? here.list.filter((k) => k !== best && m.data[k] === here.value).map(framed) : []);
    const pixel = over === null ? -1 : (floor(over / cols) - ring) * w + (over % cols) - ring;
    const inside = over !== null && over % cols >= ring && over % cols < w + ring && pixel >= 0 && pixel < h * w;
    plan.users = inside ? [...m.cells.keys()].filter((k) => m.cells[k].list.includes(pixel)) : [];
    output.mark("light", plan.users);
  }

  return { draw, sentence: (s) => sentence(s, hides(s), map(s)), problem, keys: walk.keys, settle: walk.stop };
}

function shortened(value, decimals) {
  return full(Number(value.toFixed(decimals)));
}

export { render };
