// The convolution microscope: one output number is one window times one filter, summed.
import { mount } from "./kit/root.js";
import { grid } from "./kit/grid.js";
import { photo } from "./kit/photo.js";
import { stepper, toggle, button, wholeNumber } from "./kit/controls.js";
import { element, write, visible, setAttribute } from "./kit/dom.js";
import { player, stillness } from "./kit/motion.js";
import { ROLES, css, greyScale, toneScale, responseScale, legend } from "./kit/scale.js";
import { full, short, decimalsFor, plural } from "./kit/text.js";
import { planes, conv2d, changeWeight, readers, unread, span, range, geometry } from "./kit/maths.js";
import { derive, problem, working, missed, missedWords, sentence } from "./microscope_words.js";

const SMALLEST = 24;                                 // pixels; a smaller cell shows no number
const HANDS = "Point at an output to see its window; point at an input pixel to see the outputs that use it. Drag a number, or type over it.";

function render({ model, el }) {
  const traits = ["image", "kernel", "stride", "padding", "dilation", "bias", "flip", "row", "col", "channel", "size", "scale", "hide", "predict"];
  let last = null;                                   // the latest map, and what it was computed from
  const map = (s) => { last = compute(s, last, microscope?.dragging()); return last; };
  const predict = {
    prompt: (s) => `Output row ${derive(s).row}, column ${derive(s).col} will be`,
    place: (s) => `${derive(s).row},${derive(s).col}`,
    answer: (s) => working(s).value,
    epoch: (s) => (problem(s) ? 0 : map(s).version),
    choice: { label: "this cell is the largest", pick: (s) => largest(derive(s), map(s)) },
  };
  let microscope = null;
  const spec = {
    name: "ConvolutionMicroscope", title: "Convolution microscope", hands: HANDS, traits, listen: ["_theirs"], predict,
    idea: "One output number is one window times one filter, summed.",
    build: (kit) => (microscope = build(kit, map)),
  };
  return mount(model, el, spec);
}

function largest(d, { out }) {
  let best = 0;
  out.data.forEach((x, k) => { if (x > out.data[best] || Number.isNaN(out.data[best])) best = k; });
  const cols = d.g.out[1];
  return { place: "all", yours: `row ${d.row}, column ${d.col}`, computed: `row ${Math.floor(best / cols)}, column ${best % cols}` };
}

// The map for this state; while one weight is dragged over a photo, one sweep instead of all.
function compute(s, before, dragging) {
  const key = [s.stride, JSON.stringify(s.padding), s.dilation, s.bias, s.flip].join();
  if (before && before.key === key && before.image === s.image && before.kernel === s.kernel && !(before.rough && !dragging)) return before;
  const d = derive(s), version = (before?.version || 0) + 1;
  if (dragging && before && before.key === key && before.image === s.image && before.out.data instanceof Float32Array) {
    const changed = [...d.kernel.data.keys()].filter((k) => !Object.is(d.kernel.data[k], before.turned.data[k]));
    if (changed.length === 1 && Number.isFinite(d.kernel.data[changed[0]])) {
      const area = d.kernelSize[0] * d.kernelSize[1], k = changed[0];
      changeWeight(before.out, s.image, d.g, Math.floor(k / area), k % area, d.kernel.data[k] - before.turned.data[k]);
      return { ...before, kernel: s.kernel, turned: d.kernel, version, rough: true };
    }
  }
  const out = conv2d(s.image, d.kernel, d.g, s.bias);
  const limit = dragging && before ? before.limit : reach(out.data);
  return { key, image: s.image, kernel: s.kernel, turned: d.kernel, out, limit, version, rough: false };
}

// The end of the output's scale: the largest magnitude; for a photo the one that 1 in 200 is beyond.
function reach(data) {
  if (data.length <= 4096) return Math.max(...range(data).map(Math.abs));
  const sample = Float32Array.from({ length: 4000 }, (_, k) => Math.abs(data[Math.floor((k * data.length) / 4000)]) || 0).sort();
  return sample[3980];
}

function build(kit, map) {
  const { signal, state, stage } = kit;
  let over = null, dragging = false, zoom = 9, plan = null, ranges = null;
  const read = state.read, ask = kit.ask;
  const move = (row, col) => state.commit({ row, col }, "move");

  // The parts, made once. Each is a panel with a caption.
  const panel = (role, name, ...parts) => {
    const title = element("b", {}, name), size = element("small", {});
    const caption = element("div", { class: "cw-caption" }, title, size);
    return { element: element("div", { class: `cw-panel cw-${role}` }, caption, ...parts), caption, title, size };
  };
  const rule = () => element("div", { class: "cw-scale", "aria-hidden": "true" });
  const editImage = (k, value, phase) => edit("image", k, value, phase);
  const input = grid({ part: "input", role: "input", label: "input", signal, edit: editImage, enter: (k) => look(k), focus: (k) => look(k), leave: () => look(null) });
  const output = grid({ part: "output", role: "output", label: "output", signal, enter: (k) => glance(k), move: (k) => choose(k), choose: (k) => choose(k) });
  const filter = grid({ part: "weight", role: "weight", label: "filter", signal, edit: (k, value, phase) => edit("kernel", k, value, phase), enter: (k) => pair(k), focus: (k) => pair(k), leave: () => pair(null) });
  const terms = grid({ part: "product", role: "output", label: "products", signal, enter: (k) => pair(k), focus: (k) => pair(k), leave: () => pair(null) });
  const loupe = grid({ part: "loupe", role: "input", label: "window, enlarged", signal, enter: (k) => pair(under(k)), leave: () => pair(null) });
  const bias = grid({ part: "bias", role: "weight", label: "bias", signal, edit: (k, value, phase) => (phase === "drag" ? drag({ bias: value }) : drop({ bias: value })) });
  const closer = (d) => { zoom = Math.min(15, Math.max(5, zoom - 2 * d)); ask(); };
  const steer = { zoom: closer, leave: () => {}, move: (r, c) => { const d = derive(read()); move(...inside(d, d.row + r, d.col + c)); } };
  const scene = photo({ part: "input", role: "input", label: "input", signal, ...steer, enter: (r, c) => state.preview(place(r, c)), choose: (r, c) => move(...Object.values(place(r, c))) });
  const response = photo({ part: "output", role: "output", label: "output", signal, ...steer, enter: (r, c) => state.preview({ row: r, col: c }), choose: move });
  const theirs = grid({ part: "theirs", role: "output", label: "your function", signal });

  const rules = { input: rule(), weight: rule(), output: rule() };
  const channel = stepper({ trait: "channel", label: "channel", signal, change: (c) => { const n = derive(read()).channels; state.commit({ channel: (c + n) % n }); } });
  const flip = toggle({ trait: "flip", label: "turn 180\u00b0", signal, change: (on) => state.commit({ flip: on }), title: "convolution in the strict sense; without it, cross-correlation" });
  const panels = {
    input: panel("input", "input", input.element, rules.input),
    loupe: panel("input", "window, enlarged", loupe.element),
    weight: panel("weight", "filter"),
    output: panel("output", "output", output.element, rules.output),
    sum: panel("output", "one number"),
    theirs: panel("output", "your function", theirs.element),
  };
  panels.input.caption.append(channel.element);
  filter.element.classList.add("cw-edit");
  input.element.classList.add("cw-edit");
  bias.element.classList.add("cw-edit", "cw-bare");
  for (const part of [filter, terms]) part.element.classList.add("cw-quiet");
  const extras = element("div", { class: "cw-extras" }, element("label", { class: "cw-control" }, element("span", { class: "cw-label" }, "bias"), bias.element));
  if (!kit.hidden("flip")) extras.append(flip.element);
  if (kit.hidden("bias")) extras.firstChild.remove();
  panels.weight.element.append(element("div", { class: "cw-beside" }, element("div", {}, filter.element, rules.weight), extras));
  const result = element("div", { class: "cw-result", "data-part": "result" }), chips = element("div", { class: "cw-chips" });
  panels.sum.element.append(element("div", { class: "cw-working" }, terms.element, chips, result));
  const operators = ["\u22c6", "="].map((sign) => element("span", { class: "cw-operator", "aria-hidden": "true" }, sign));
  const rows = [element("div", { class: "cw-row" }), element("div", { class: "cw-row" })], rest = element("div", { class: "cw-rest" });
  const note = element("div", { class: "cw-note", "data-part": "note" }), left = element("div", { class: "cw-note", "data-part": "leftover" });
  stage.append(...rows, left, note);

  // Hands.
  function glance(k) { state.preview({ row: Math.floor(k / output.cols), col: k % output.cols }); }
  function choose(k) { move(Math.floor(k / output.cols), k % output.cols); }
  function look(k) { over = k === null ? null : { pixel: [input.origin[0] + Math.floor(k / input.cols), input.origin[1] + (k % input.cols)] }; ask(); }
  function pair(k) { over = k === null || k === undefined ? null : { product: k }; ask(); }
  function inside(d, row, col) { return [row, col].map((x, a) => Math.min(Math.max(x, 0), d.g.out[a] - 1)); }
  function place(r, c) {                              // the output whose window lies nearest round this pixel
    const d = derive(read());
    const at = [r, c].map((x, a) => Math.round((x + d.g.pad[a][0] - (span(d.kernelSize[a], d.g.dilation) - 1) / 2) / d.g.stride));
    const [row, col] = inside(d, ...at);
    return { row, col };
  }
  function under(k) {                                 // the product of a loupe cell, if its pixel is in the window
    const work = plan.work.lists[plan.d.channel];
    const [r, c] = [loupe.origin[0] + Math.floor(k / loupe.cols), loupe.origin[1] + (k % loupe.cols)];
    const found = work.findIndex((p) => p.row === r && p.col === c);
    return found < 0 ? null : found;
  }
  function drag(patch) { dragging = true; state.preview(patch); }
  function drop(patch) { dragging = false; state.commit(patch); ask(); }
  function edit(name, k, value, phase) {
    const s = read(), d = derive(s), array = s[name];
    const data = array.data.slice();
    if (name === "image") k = (input.origin[0] + Math.floor(k / input.cols)) * d.size[1] + input.origin[1] + (k % input.cols);
    const area = array.shape.at(-1) * array.shape.at(-2);
    data[d.channel * area + (name === "kernel" && s.flip ? area - 1 - k : k)] = value;
    (phase === "drag" ? drag : drop)({ [name]: { shape: array.shape, data } });
  }
  const walk = (d) => {
    const now = derive(read()), cols = now.g.out[1], next = now.row * cols + now.col + d;
    if (next < 0 || next >= now.g.out[0] * cols) return false;
    return { row: Math.floor(next / cols), col: next % cols };
  };
  const step = (d) => { const to = walk(d); if (to) state.commit(to, "move"); };
  const run = player(kit.root, () => { const to = walk(1); if (to) state.preview(to); return Boolean(to); }, 450, signal, (on) => { write(runs, on ? "stop" : "run"); if (!on) state.send(); });

  // Controls.
  const padding = (text) => (/^(same|valid)$/.test(text.trim()) ? text.trim() : /^\s*\d+\s*,\s*\d+\s*$/.test(text) ? text.split(",").map(Number) : wholeNumber(text));
  const named = {
    stride: stepper({ trait: "stride", label: "stride", signal, change: (stride) => state.commit({ stride }) }),
    padding: stepper({ trait: "padding", label: "padding", signal, read: padding, change: (p) => state.commit({ padding: p }), title: "zeros on each side: a number, rows, columns, or same" }),
    same: toggle({ trait: "same", label: "same", signal, change: (on) => state.commit({ padding: on ? "same" : 0 }), title: "as many zeros as make the output size \u2308size / stride\u2309" }),
    dilation: stepper({ trait: "dilation", label: "dilation", signal, change: (dilation) => state.commit({ dilation }) }),
  };
  const runs = button({ act: "play", label: "run", title: "move on by itself (Space)", signal, press: () => run.toggle() });
  const walks = element("span", { class: "cw-control" }, button({ act: "back", label: "\u25c0", title: "one output back", signal, press: () => step(-1) }), button({ act: "step", label: "\u25b6", title: "one output on", signal, press: () => step(1) }));
  if (!stillness()) walks.append(runs);
  for (const [name, control] of Object.entries(named)) if (!kit.hidden(name) && !(name === "same" && kit.hidden("padding"))) kit.controls.append(control.element);
  if (!kit.hidden("step")) kit.controls.append(walks);
  const fill = button({ act: "fill", label: "fill with zeros", signal, press: () => state.commit({ padding: "same" }) });
  left.append(element("span", {}), fill);

  // Drawing.
  function draw(s, trouble) {
    named.stride.set(s.stride, s.stride < 1);
    named.padding.set(s.padding, trouble?.text.includes("does not fit"));
    named.same.set(s.padding === "same");
    named.dilation.set(s.dilation, s.dilation < 1);
    flip.set(s.flip);
    if (trouble) return refused(s);
    const d = derive(s), m = map(s), work = working(s, d);
    if (!ranges || (!dragging && (ranges.image !== s.image || ranges.kernel !== s.kernel))) ranges = { image: s.image, kernel: s.kernel, input: range(s.image.data), weight: Math.max(...range(s.kernel.data).map(Math.abs)), decimals: planes(s.image).map(decimalsFor) };
    plan = { s, d, m, work, ...layout(d, work) };
    panelWords();
    drawInput();
    drawFilter();
    drawOutput();
    drawSum();
    drawTheirs();
    marks();
  }

  // What the refused state still shows: the filter and the numbers that were typed; the last map stays, dimmed.
  function refused(s) {
    const d = derive(s), area = d.kernelSize[0] * d.kernelSize[1];
    if (!plan) {
      rows[0].replaceChildren(panels.input.element, panels.weight.element);
      visible(channel.element, false);
      bias.show({ rows: 1, cols: 1, data: [s.bias], scale: null, decimals: decimalsFor([s.bias]) });
      kit.root.dataset.mode = "grid";
      for (const [part, array, size] of [[input, s.image, d.size], [filter, d.kernel, d.kernelSize]]) {
        const data = array.data.subarray(0, size[0] * size[1]);
        if (Math.max(...size) <= 16) part.show({ rows: size[0], cols: size[1], data, scale: null, decimals: decimalsFor(data) });
      }
    } else if (filter.rows * filter.cols === area) {
      const data = d.kernel.data.subarray(0, area);
      filter.show({ ...filter.content, data });
    }
    for (const el of [left, note]) visible(el, false);
  }

  const em = () => parseFloat(getComputedStyle(kit.root).fontSize);
  const ring = (d) => d.g.pad.map(([before, after], a) => Math.max(before, 0) + d.size[a] + Math.max(after, 0));

  function arrange(parent, wanted) {
    if (wanted.length !== parent.children.length || wanted.some((el, k) => parent.children[k] !== el)) parent.replaceChildren(...wanted);
  }

  // Grids while every number can be read, else photos with a loupe; the cells as large as the width allows.
  function layout(d, work) {
    const width = stage.clientWidth || 656, size = em(), full = ring(d);
    const cols = full[1] + d.kernelSize[1] + d.g.out[1];
    const cell = Math.floor(Math.min(2.4 * size, (width - 10.5 * size) / cols));
    const large = Math.max(...d.size) > 16 || (cell < SMALLEST && Math.max(...full) > 9);
    const beside = large ? [] : [operators[0], panels.weight.element, operators[1], panels.output.element, panels.sum.element];
    arrange(rest, beside);
    arrange(rows[0], large ? [panels.input.element, panels.loupe.element, panels.output.element] : [panels.input.element, rest]);
    arrange(rows[1], [...(large ? [panels.weight.element, panels.sum.element] : []), ...(kit.model.get("_theirs") ? [panels.theirs.element] : [])]);
    const taken = full[1] * cell + 6 * size + beside.slice(0, 4).reduce((n, el) => n + el.offsetWidth + 0.7 * size, 0) + terms.element.offsetWidth;
    terms.element.classList.toggle("cw-below", large || taken > width);
    arrange(panels.input.element, [panels.input.caption, large ? scene.element : input.element, rules.input]);
    arrange(panels.output.element, [panels.output.caption, large ? response.element : output.element, rules.output]);
    kit.root.dataset.mode = large ? "photo" : "grid";
    const reach = Math.max(...d.kernelSize.map((k) => span(k, d.g.dilation)));
    const shown = Math.max(zoom, Math.min(reach + 2, 15));
    return { large, cell: Math.max(cell, SMALLEST), width, size, shown, loupeCell: Math.max(14, Math.min(Math.round(1.9 * size), Math.floor(18 * size / shown))), many: work.lists[0].length > 49 };
  }

  function panelWords() {
    const { d, s } = plan, times = (size) => size.join("\u00d7");
    const zeros = d.g.pad.flat();
    const around = zeros.every((x) => x === 0) ? "" : zeros.every((x) => x === zeros[0]) ? ` + ${zeros[0]} of zeros around` : " + zeros";
    write(panels.input.size, times(d.size) + around);
    write(panels.weight.size, times(d.kernelSize) + (s.flip ? " turned" : "") + (d.g.dilation > 1 ? ` \u00d7 ${d.g.dilation} apart` : ""));
    write(panels.output.size, times(d.g.out));
    visible(channel.element, d.channels > 1);
    channel.set(d.channel);
    const lost = missed(d), fixed = geometry({ ...d.g, padding: "same" });
    visible(left, lost > 0);
    write(left.firstChild, missedWords(d, lost));
    visible(fill, s.padding !== "same" && missed({ ...d, g: fixed }) === 0);
    write(note, kit.model.get("_note") || "");
    visible(note, Boolean(kit.model.get("_note")));
  }

  function scaleOf(role) {
    const theme = kit.theme(), [low, high] = ranges.input;
    if (role === "weight") return toneScale(ranges.weight, "weight", theme);
    if (role === "output") return plan.large ? responseScale(plan.m.limit || 1) : toneScale(plan.m.limit, "output", theme);
    const tone = plan.s.scale === "tone" || (plan.s.scale === "auto" && low < 0);
    return tone ? toneScale(Math.max(-low, high), "input", theme) : greyScale(Math.min(0, low), Math.max(1, high));
  }

  function drawRule(role, scale, decimals) {
    const key = [scale.kind, scale.low, scale.high, kit.theme(), role].join();
    if (rules[role].dataset.key === key) return;
    rules[role].dataset.key = key;
    rules[role].replaceChildren(legend(scale, (x) => short(x, decimals)));
  }

  function drawInput() {
    const { d, s, large, cell } = plan, scale = scaleOf("input"), plane = planes(s.image)[d.channel];
    const decimals = plan.decimals = ranges.decimals[d.channel];
    drawRule("input", scale, decimals);
    if (large) return drawScene(plane, scale, decimals);
    input.element.style.setProperty("--cell", `${cell}px`);
    const [rows, cols] = ring(d), [top, leftmost] = [d.g.pad[0][0], d.g.pad[1][0]];
    const inner = (k) => { const r = Math.floor(k / cols) - top, c = (k % cols) - leftmost; return r >= 0 && c >= 0 && r < d.size[0] && c < d.size[1] ? r * d.size[1] + c : -1; };
    const data = Float32Array.from({ length: rows * cols }, (_, k) => (inner(k) < 0 ? 0 : plane[inner(k)]));
    if (!input.typing()) input.show({ rows, cols, origin: [-top, -leftmost], data, scale, decimals, state: (k) => (inner(k) < 0 ? "pad" : ""), name: (k) => (inner(k) < 0 ? "zero of the padding" : full(data[k])) });
    const lost = [unread(d.g, 0), unread(d.g, 1)];
    input.mark("lost", [...data.keys()].filter((k) => inner(k) >= 0 && (lost[0].includes(Math.floor(k / cols) - top) || lost[1].includes((k % cols) - leftmost))));
  }

  function drawScene(plane, scale, decimals) {
    const { d, size, width, shown, loupeCell } = plan, theme = kit.theme();
    const space = Math.floor((width - shown * loupeCell - 5.4 * size) / 2);
    const side = Math.max(140, Math.min(space, Math.round(18 * size)));
    const key = [plan.m.image.data.length, side, theme, scale.low, scale.high, d.channel].join();
    if (scene.key !== key || scene.plane !== plan.s.image) scene.draw({ rows: d.size[0], cols: d.size[1], data: plane, scale, width: side });
    Object.assign(scene, { key, plane: plan.s.image, side });
    const first = [d.row, d.col].map((x, a) => x * d.g.stride - d.g.pad[a][0]);
    const reach = d.kernelSize.map((k) => span(k, d.g.dilation));
    scene.boxes([{ row: first[0], col: first[1], rows: reach[0], cols: reach[1], colour: css(ROLES.weight) }]);
    const from = first.map((x, a) => Math.round(x + (reach[a] - shown) / 2));
    const [h, w] = d.size, at = (k) => [from[0] + Math.floor(k / shown), from[1] + (k % shown)];
    const inner = (k) => { const [r, c] = at(k); return r >= 0 && c >= 0 && r < h && c < w; };
    const dot = (k) => short(data[k], decimals).replace(/^(\u2212?)0\./, "$1.");
    const data = Float32Array.from({ length: shown * shown }, (_, k) => (inner(k) ? plane[at(k)[0] * w + at(k)[1]] : 0));
    loupe.element.style.setProperty("--cell", `${loupeCell}px`);
    loupe.element.classList.toggle("cw-small", loupeCell < SMALLEST);
    loupe.element.classList.toggle("cw-tight", loupeCell < 28);
    loupe.show({ rows: shown, cols: shown, origin: from, data, scale, decimals, text: dot, state: (k) => (inner(k) ? "" : "pad"), name: (k) => full(data[k]) });
    loupe.frame(d.g.dilation > 1 ? "spread" : "window", { row: first[0] - from[0], col: first[1] - from[1], rows: reach[0], cols: reach[1] });
    loupe.frame(d.g.dilation > 1 ? "window" : "spread", null);
    const taps = d.g.dilation > 1 ? plan.work.lists[d.channel].map((p) => (p.row - from[0]) * shown + p.col - from[1]) : [];
    loupe.mark("tap", taps);
    scene.overlay.dataset.focus = first.join();
  }

  function drawFilter() {
    const { d, cell, large, size } = plan, data = planes(d.kernel)[d.channel];
    const scale = scaleOf("weight"), decimals = decimalsFor(d.kernel.data);
    const fitting = Math.min(large ? 2.1 * size : cell, Math.floor(250 / d.kernelSize[1]));
    filter.element.style.setProperty("--cell", `${Math.max(fitting, 16)}px`);
    filter.element.classList.toggle("cw-small", fitting < SMALLEST - 2);
    if (!filter.typing()) filter.show({ rows: d.kernelSize[0], cols: d.kernelSize[1], data, scale, decimals, name: (k) => full(data[k]) });
    if (!bias.typing()) bias.show({ rows: 1, cols: 1, data: [plan.s.bias], scale: null, decimals: decimalsFor([plan.s.bias]), name: () => full(plan.s.bias) });
    drawRule("weight", scale, decimals);
  }

  function drawOutput() {
    const { d, s, m, large, cell } = plan, scale = scaleOf("output"), hides = (i, j) => kit.question.hides(s, `${i},${j}`);
    const decimals = (m.decimals ??= decimalsFor(m.out.data)), [rows, cols] = d.g.out;
    if (!s.predict) drawRule("output", scale, decimals);
    visible(rules.output, !s.predict);
    if (large) return drawResponse(scale, s.predict && hides(-1, -1));
    output.element.style.setProperty("--cell", `${cell}px`);
    const data = m.out.data;
    output.show({ rows, cols, data, scale, decimals, state: (k) => (hides(Math.floor(k / cols), k % cols) ? "hidden" : ""), name: (k) => (hides(Math.floor(k / cols), k % cols) ? "not yet shown" : full(data[k])) });
    output.point(d.row * cols + d.col, output.hasFocus() && output.at !== d.row * cols + d.col);
    output.frame("here", { row: d.row, col: d.col, rows: 1, cols: 1 });
  }

  function drawResponse(scale, hidden) {
    const { d, m } = plan, key = [m.version, scene.side, scale.high, hidden].join();
    if (response.key !== key) response.draw({ rows: d.g.out[0], cols: d.g.out[1], data: hidden ? m.out.data.map(() => 0) : m.out.data, scale, width: scene.side });
    response.key = key;
    response.boxes([{ row: d.row, col: d.col, rows: 1, cols: 1, colour: css(ROLES.output) }]);
    response.overlay.dataset.focus = `${d.row},${d.col}`;
    response.overlay.dataset.value = kit.question.hides(plan.s) ? "?" : full(plan.work.value);
    setAttribute(response.overlay, "aria-label", `output; ${sentence(plan.s, kit.question.hides(plan.s))}`);
  }

  function drawSum() {
    const { d, s, work, large, size, many } = plan, list = work.lists[d.channel], hidden = kit.question.hides(s);
    const limit = Math.max(...ranges.input.map(Math.abs)) * ranges.weight, scale = toneScale(2 * limit, "output", kit.theme());
    const pixels = plan.decimals, weights = decimalsFor(d.kernel.data);
    const small = (x, decimals) => (decimals && d.kernelSize[1] > 3 && Number.isFinite(x) ? short(x, decimals) : full(x));
    const text = (k) => {
      const [a, b] = [[list[k].pixel, pixels], [list[k].weight, weights]].map(([x, n]) => (x < 0 ? `(${small(x, n)})` : small(x, n)));
      return `${k ? "+ " : ""}${a}\u00b7${b}`;
    };
    const widest = Math.max(1, ...[...d.kernel.data].map((w) => small(w, weights).length + (w < 0 ? 2 : 0))) + (pixels ? (d.kernelSize[1] > 3 ? 8 : 10) : 6) + (ranges.input[0] < 0 ? 2 : 0);
    const data = list.map((p) => p.product);
    terms.element.style.setProperty("--w", `${Math.round((many ? 1.4 : Math.min(widest, 17) * 0.56) * size)}px`);
    terms.element.style.setProperty("--cell", `${Math.round((many ? 1.4 : 2.1) * size)}px`);
    terms.element.classList.toggle("cw-small", many);
    terms.show({ rows: d.kernelSize[0], cols: d.kernelSize[1], data, scale, decimals: 2, text, name: (k) => `${full(list[k].pixel)} times ${full(list[k].weight)}` });
    write(panels.sum.title, d.channels > 1 ? `products of channel ${d.channel}` : "one number");
    write(panels.sum.size, d.channels > 1 ? "" : `${plural(list.length, "product")}, summed`);
    drawChips(work, d.channel, hidden);
    const plus = s.bias ? ` ${s.bias < 0 ? "\u2212" : "+"} bias ${full(Math.abs(s.bias))}` : "";
    const answer = hidden ? "?" : full(work.value);
    if (result.dataset.key !== plus + answer) result.replaceChildren(element("span", {}, `${plus} = `), element("b", {}, answer));
    result.dataset.key = plus + answer;
  }

  // Several channels: one sum each, then their sum. A chip chooses its channel.
  function drawChips(work, channel, hidden) {
    visible(chips, work.sums.length > 1);
    if (work.sums.length < 2) return;
    if (chips.children.length !== work.sums.length) {
      chips.replaceChildren(...work.sums.map((_, c) => {
        const chip = button({ act: "channel", label: "", signal, press: () => state.commit({ channel: c }) });
        chip.append(element("small", {}, ""), element("b", {}, ""));
        return chip;
      }));
    }
    work.sums.forEach((x, c) => {
      const [label, value] = chips.children[c].children;
      write(label, `${c ? "+ " : ""}channel ${c}: `);
      write(value, hidden ? "?" : full(Math.round(x * 1e4) / 1e4));
      setAttribute(chips.children[c], "aria-pressed", String(c === channel));
    });
  }

  // The student's function: its map under ours, differing cells ringed.
  function drawTheirs() {
    const answer = kit.model.get("_theirs");
    if (!answer) return;
    write(panels.theirs.size, answer.words);
    const { shape, data } = answer;
    visible(theirs.element, Boolean(shape) && Math.max(...shape) <= 16);
    if (!shape || Math.max(...shape) > 16) return;
    theirs.element.style.setProperty("--cell", `${plan.cell}px`);
    const numbers = Float32Array.from(data), scale = toneScale(plan.m.limit, "output", kit.theme());
    theirs.show({ rows: shape[0], cols: shape[1], data: numbers, scale, decimals: decimalsFor(numbers) });
    theirs.mark("differ", answer.differs);
  }

  function marks() {
    const { d, work, large } = plan, list = work.lists[d.channel], [top, leftmost] = [d.g.pad[0][0], d.g.pad[1][0]];
    const k = over?.product, pixel = over?.pixel;
    const paired = k === undefined ? [] : [k];
    terms.mark("pair", paired);
    filter.mark("pair", paired);
    if (large) { loupe.mark("pair", paired.map((p) => (list[p].row - loupe.origin[0]) * loupe.cols + list[p].col - loupe.origin[1])); return; }
    const at = (p) => (p.row + top) * input.cols + p.col + leftmost;
    input.mark("pair", paired.map((p) => at(list[p])));
    input.mark("tap", d.g.dilation > 1 ? list.map(at) : []);
    const reach = d.kernelSize.map((n) => span(n, d.g.dilation));
    const window = { row: d.row * d.g.stride, col: d.col * d.g.stride, rows: reach[0], cols: reach[1] };
    input.frame("window", d.g.dilation > 1 ? null : window);
    input.frame("spread", d.g.dilation > 1 ? window : null);
    const users = pixel ? readers(d.g, 0, pixel[0]).flatMap((i) => readers(d.g, 1, pixel[1]).map((j) => i * d.g.out[1] + j)) : [];
    output.mark("light", users);
    plan.users = users;
  }

  // What is said while the pointer is over an input pixel; else the sentence of the chosen output.
  function say(s) {
    if (problem(s) || !over?.pixel || !plan || plan.large) return sentence(s, problem(s) ? false : kit.question.hides(s));
    const [r, c] = over.pixel, n = plan.users?.length || 0;
    return `Input row ${full(r)}, column ${full(c)} is used by ${plural(n, "output")}${n > 1 ? ", each with another weight" : ""}.`;
  }

  const turn = (d) => { const now = derive(read()); if (now.channels > 1) state.commit({ channel: (now.channel + d + now.channels) % now.channels }); };
  const keys = { play: () => { if (!stillness()) run.toggle(); }, next: () => turn(1), previous: () => turn(-1) };
  return { draw, sentence: say, problem, keys, dragging: () => dragging, settle: () => { dragging = false; run.stop(); } };
}

export { render };
