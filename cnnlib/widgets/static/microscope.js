// The convolution microscope: one output number is one window times one filter, summed.
import { mount } from "./kit/root.js";
import { grid } from "./kit/grid.js";
import { photo } from "./kit/photo.js";
import { panel } from "./kit/panel.js";
import { loupe } from "./kit/loupe.js";
import { steps } from "./kit/steps.js";
import { ringed } from "./kit/ring.js";
import { student } from "./kit/student.js";
import { stepper, toggle, button, paddingOf } from "./kit/controls.js";
import { element, div, write, visible, setAttribute, arrange, touched, textWidth } from "./kit/dom.js";
import { ROLES, css, greyScale, toneScale, mapScale } from "./kit/scale.js";
import { full, short, dense, factor, decimalsFor, plural } from "./kit/text.js";
import { planes, conv2d, changeWeight, readers, unread, span, range, geometry } from "./kit/maths.js";
import { derive, problem, working, missed, missedWords, sentence } from "./microscope_words.js";
import { abs, ceil, floor, max, min, round } from "./kit/numbers.js";

const SMALLEST = 24;                                 // pixels; a smaller cell shows no number
const EDITED = 16;                                   // a larger filter is looked at, not edited
const HANDS = "Point at an output to see its window; point at an input pixel to see the outputs that use it. Drag a number, or type over it.";

function render({ model, el }) {
  let last = null, microscope = null;                // the latest map, and what it was computed from
  const map = (s) => { last = compute(s, last, microscope?.dragging()); return last; };
  const predict = {
    prompt: (s) => `Output row ${derive(s).row}, column ${derive(s).col} will be`,
    place: (s) => `${derive(s).row},${derive(s).col}`,
    answer: (s) => working(s).value,
    epoch: (s) => (problem(s) ? 0 : map(s).version),
    choice: { label: "this cell is the largest", pick: (s) => largest(derive(s), map(s)) },
  };
  return mount(model, el, {
    name: "ConvolutionMicroscope", title: "Convolution microscope", hands: HANDS, listen: ["_theirs"], predict,
    idea: "One output number is one window times one filter, summed.",
    build: (kit) => (microscope = build(kit, map)),
  });
}

function largest(d, { out }) {
  let best = 0;
  out.data.forEach((x, k) => { if (x > out.data[best] || Number.isNaN(out.data[best])) best = k; });
  const cols = d.g.out[1];
  return { yours: `row ${d.row}, column ${d.col}`, computed: `row ${floor(best / cols)}, column ${best % cols}` };
}

// The map for this state; while one weight is dragged over a photo, one sweep instead of all.
function compute(s, before, dragging) {
  const key = [s.stride, JSON.stringify(s.padding), s.dilation, s.bias, s.flip].join();
  const stays = before && before.key === key && before.image === s.image;
  if (stays && before.kernel === s.kernel && !(before.rough && !dragging)) return before;
  const d = derive(s), version = (before?.version || 0) + 1;
  if (dragging && stays && before.out.data instanceof Float32Array) {
    const weights = d.kernel.data, changed = [...weights.keys()].filter((k) => !Object.is(weights[k], before.turned.data[k]));
    if (changed.length === 1 && Number.isFinite(weights[changed[0]])) {
      const area = d.taps[0] * d.taps[1], [k] = changed;
      changeWeight(before.out, s.image, d.g, floor(k / area), k % area, weights[k] - before.turned.data[k]);
      return { ...before, kernel: s.kernel, turned: d.kernel, version, rough: true };
    }
  }
  const out = conv2d(s.image, d.kernel, d.g, s.bias);
  const ends = dragging && before ? before.ends : range(out.data);
  return { key, image: s.image, kernel: s.kernel, turned: d.kernel, out, ends, limit: max(...ends.map(abs)), version, rough: false };
}

function build(kit, map) {
  const { signal, state, stage, ask, theme, model } = kit, { read } = state, { hides } = kit.question;
  let over = null, dragging = false, zoom = 9, plan = null, ranges = null;
  const move = (to) => state.commit(to, "move");

  // The parts, made once.
  const edits = (name) => (k, value, phase) => edit(name, k, value, phase);
  const part = (name, role, hands, label = name) => grid({ part: name, role, label, signal, ...hands });
  const pairing = { enter: (k) => pair(k), focus: (k) => pair(k), leave: () => pair(null) };
  const input = part("input", "input", { edit: edits("image"), enter: (k) => look(k), focus: (k) => look(k), leave: () => look(null) });
  const output = part("output", "output", { enter: (k) => state.preview(cellAt(k)), move: (k) => move(cellAt(k)), choose: (k) => move(cellAt(k)) });
  const filter = part("weight", "weight", { edit: edits("kernel"), ...pairing }, "filter");
  const terms = part("product", "output", pairing, "products");
  const sums = part("sums", "output", { choose: (k) => pick(k), move: (k) => pick(k) }, "sums of the channels");
  const bias = part("bias", "weight", { edit: (k, value, phase) => (phase === "drag" ? drag : drop)({ bias: value }) });
  const glass = loupe({ label: "window, enlarged", role: "input", signal, enter: (r, c) => pair(under(r, c)), leave: () => pair(null) });
  const steer = { zoom: (d) => { zoom = min(15, max(5, zoom - 2 * d)); ask(); }, move: (r, c) => { const d = derive(read()); move(inside(d, d.row + r, d.col + c)); } };
  const scene = photo({ role: "input", signal, ...steer, enter: (r, c) => state.preview(around(r, c)), choose: (r, c) => move(around(r, c)) });
  const response = photo({ role: "output", signal, ...steer, enter: (row, col) => state.preview({ row, col }), choose: (row, col) => move({ row, col }) });
  const theirs = student({ signal, changed: ask });

  const channel = stepper({ trait: "channel", label: "channel", signal, change: (c) => { const n = derive(read()).channels; pick((c + n) % n); } });
  const flip = toggle({ trait: "flip", label: "turn 180\u00b0", signal, change: (on) => state.commit({ flip: on }), title: "convolution in the strict sense; without it, cross-correlation" });
  const panels = { input: panel("input", "input"), loupe: panel("input", "window, enlarged", glass.element), weight: panel("weight", "filter"), output: panel("output", "output"), sum: panel("output", "one number") };
  const boxes = Object.fromEntries(Object.entries(panels).map(([name, each]) => [name, each.element]));
  for (const bare of [bias, sums]) bare.element.classList.add("cw-bare");
  for (const quiet of [filter, terms]) quiet.element.classList.add("cw-quiet");
  const extras = div("cw-extras");
  if (!kit.hidden("bias")) extras.append(element("label.cw-control", {}, element("span.cw-label", {}, "bias"), bias.element));
  if (!kit.hidden("flip")) extras.append(flip.element);
  boxes.weight.append(div("cw-beside", div("", filter.element, panels.weight.rule), extras));
  const result = element("div.cw-result", { "data-part": "result" }), chips = div("cw-chips");
  boxes.sum.append(div("cw-working", terms.element, div("cw-chips", chips, sums.element, result)));
  const operators = ["\u22c6", "="].map((sign) => element("span.cw-operator", { "aria-hidden": "true" }, sign));
  const rows = [div("cw-row"), div("cw-row")], rest = div("cw-rest"), column = div("cw-panel");
  const note = element("div.cw-note", { "data-part": "note" }), left = element("div.cw-note", { "data-part": "leftover" });
  stage.append(...rows, theirs.words, left, note);

  // Hands.
  function cellAt(k) { return { row: floor(k / output.cols), col: k % output.cols }; }
  function pick(channel) { if (channel < derive(read()).channels) state.commit({ channel }); }
  function look(k) { over = k === null ? null : { pixel: [input.origin[0] + floor(k / input.cols), input.origin[1] + (k % input.cols)] }; ask(); }
  function pair(k) { over = k === null ? null : { product: k }; ask(); }
  function inside({ g }, ...place) {
    const [row, col] = place.map((x, a) => min(max(x, 0), g.out[a] - 1));
    return { row, col };
  }
  function around(r, c) {                             // the output whose window lies nearest round this pixel
    const d = derive(read());
    return inside(d, ...[r, c].map((x, a) => round((x + d.g.pad[a][0] - (span(d.taps[a], d.g.dilation) - 1) / 2) / d.g.stride)));
  }
  function under(r, c) {                              // the product of a loupe's pixel, if it is in the window
    const found = plan.list.findIndex((p) => p.row === r && p.col === c);
    return found < 0 ? null : found;
  }
  function drag(patch) { dragging = true; state.preview(patch); }
  function drop(patch) {
    dragging = false;
    state.commit(patch);
    ask();
  }
  function edit(name, k, value, phase) {
    const s = read(), d = derive(s), array = s[name], data = array.data.slice();
    if (name === "image") k = (input.origin[0] + floor(k / input.cols)) * d.size[1] + input.origin[1] + (k % input.cols);
    const area = array.shape.at(-1) * array.shape.at(-2);
    data[d.channel * area + (name === "kernel" && s.flip ? area - 1 - k : k)] = value;
    (phase === "drag" ? drag : drop)({ [name]: { shape: array.shape, data } });
  }

  // Controls.
  const number = (trait) => stepper({ trait, label: trait, signal, change: (value) => state.commit({ [trait]: value }) });
  const named = {
    stride: number("stride"),
    padding: stepper({ trait: "padding", label: "padding", signal, read: paddingOf, change: (padding) => state.commit({ padding }), title: "zeros on each side: a number, rows, columns, or same" }),
    same: toggle({ trait: "same", label: "same", signal, change: (on) => state.commit({ padding: on ? "same" : 0 }), title: "zeros that make the output \u2308size / stride\u2309 pixels" }),
    dilation: number("dilation"),
  };
  const walk = steps(kit, (s) => (problem(s) ? null : derive(s).g.out));
  kit.controls.append(channel.element);
  for (const [name, control] of Object.entries(named)) if (!kit.hidden(name === "same" ? "padding" : name)) kit.controls.append(control.element);
  if (!kit.hidden("step")) kit.controls.append(walk.element);
  const fill = button({ act: "fill", label: "fill with zeros", signal, press: () => state.commit({ padding: "same" }) });
  left.append(element("span", {}), fill);

  // Drawing.
  function draw(s, trouble) {
    if (over && ![input, filter, terms, glass].some((part) => touched(part.element))) over = null;
    named.stride.set(s.stride, s.stride < 1);
    named.padding.set(s.padding, trouble?.text.includes("does not fit"));
    named.same.set(s.padding === "same");
    named.dilation.set(s.dilation, s.dilation < 1);
    flip.set(s.flip);
    channel.set(derive(s).channel);
    visible(channel.element, derive(s).channels > 1);
    if (!ranges || (!dragging && (ranges.image !== s.image || ranges.kernel !== s.kernel))) {
      if (ranges && model.get("_theirs")) theirs.ask();
      ranges = { image: s.image, kernel: s.kernel, input: range(s.image.data), weight: max(...range(s.kernel.data).map(abs)), decimals: planes(s.image).map(decimalsFor) };
    }
    if (trouble) return refused(s);
    const d = derive(s), m = map(s), work = working(s, d);
    plan = { s, d, m, work, list: work.lists[d.channel], pixels: ranges.decimals[d.channel], weights: decimalsFor(d.kernel.data) };
    Object.assign(plan, layout(d, work));
    panelWords();
    drawInput();
    drawFilter();
    drawOutput();
    drawSum();
    if (model.get("_theirs")) theirs.draw(model.get("_theirs"), { cell: plan.cell, scale: toneScale(m.limit, "output", theme()), hidden: s.predict && hides(s, "all") });
    marks();
  }

  // The last valid picture stays, dimmed, but for the numbers that were typed; before the first one, input and filter.
  function refused(s) {
    const d = derive({ ...s, stride: 1, padding: 0, dilation: 1 });
    for (const el of [left, note]) visible(el, false);
    if (plan && String(plan.s.kernel.shape) !== String(s.kernel.shape)) return;
    if (plan) plan.s = { ...plan.s, image: s.image, kernel: s.kernel, bias: s.bias };
    const shown = plan || { s, d, large: max(...d.size) > EDITED, cell: round(2.4 * em()), size: em(), bare: true };
    if (!plan) {
      arrange(rows[0], [boxes.input, boxes.weight].slice(shown.large ? 1 : 0));
      arrange(boxes.input, [panels.input.caption, input.element, panels.input.rule]);
      kit.root.dataset.mode = "grid";
    }
    const before = plan;
    plan = { ...shown, d: { ...shown.d, kernel: d.kernel }, weights: decimalsFor(d.kernel.data) };
    if (!plan.large) drawInput();
    drawFilter();
    plan = before;
  }

  const em = () => parseFloat(getComputedStyle(kit.root).fontSize);
  const around2 = (d) => d.g.pad.map(([before, after], a) => before + d.size[a] + after);

  // Grids while every number can be read, else photos with a loupe; the cells as large as the width allows.
  function layout(d, work) {
    const width = stage.clientWidth || 656, size = em(), ring = around2(d), answer = model.get("_theirs");
    const cols = ring[1] + d.taps[1] + d.g.out[1], many = work.lists[0].length > 49;
    const term = many ? round(1.4 * size) : round(textWidth(longestTerm(), max(11, 0.95 * size), stage) + 0.7 * size);
    const room = (fixed) => floor(min(2.4 * size, (width - fixed * size) / cols));
    const sum = max(13, (term * d.taps[1]) / size), one = room(11.8 + sum + max(0, 6.8 - 2.2 * d.taps[1])), wraps = d.channels > 1 || one < SMALLEST + 2;
    const most = floor((width - (11.8 + sum) * size) / (cols - d.taps[1])), beside = wraps && answer && most >= SMALLEST + 4;
    const cell = beside ? min(most, round(2.4 * size)) : wraps ? min(room(10.5), max(SMALLEST + 4, floor((13.4 * size) / d.g.out[0]))) : one;
    const large = max(...d.size) > EDITED || (cell < SMALLEST && max(...ring) > 9);
    const under = answer ? [theirs.element] : [];
    arrange(column, beside ? [boxes.weight, boxes.sum] : []);
    arrange(rest, large ? [] : [operators[0], beside ? column : boxes.weight, operators[1], boxes.output, ...(beside ? [] : [boxes.sum])]);
    arrange(rows[0], large ? [boxes.input, boxes.loupe, boxes.output] : [boxes.input, rest]);
    arrange(rows[1], large ? [boxes.weight, boxes.sum, ...under] : []);
    terms.element.classList.toggle("cw-below", large || wraps);
    arrange(boxes.input, [panels.input.caption, large ? scene.element : input.element, panels.input.rule]);
    arrange(boxes.output, [panels.output.caption, large ? response.element : output.element, panels.output.rule, ...(large ? [] : under)]);
    kit.root.dataset.mode = large ? "photo" : "grid";
    const reach = max(...d.taps.map((k) => span(k, d.g.dilation)));
    const height = max(140, 18 * size - max(0, min(d.taps[0] * 2.1, 9.5) - 6.3) * size);
    const shown = max(reach, min(zoom, reach > 3 ? 2 * floor((height / SMALLEST - 1) / 2) + 1 : zoom));
    return { large, cell: max(cell, SMALLEST), width, size, shown, height, many, term, loupeCell: max(8, min(round(1.9 * size), floor(height / shown), max(SMALLEST, floor((width - 23.4 * size) / shown)))) };
  }

  // Fixed decimals for a grid; negative factors in brackets.
  const small = (x, decimals) => (x < 0 ? `(${short(x, decimals)})` : short(x, decimals));
  function longestTerm() {
    const longer = (a, b) => (b.length > a.length ? b : a), { d, pixels, weights } = plan;
    return `+ ${ranges.input.map((x) => small(x, pixels)).reduce(longer)}\u00b7${[...d.kernel.data].map((x) => small(x, weights)).reduce(longer)}`;
  }

  function panelWords() {
    const { d, s } = plan, times = (size) => size.join("\u00d7"), zeros = d.g.pad.flat();
    const ring = zeros.every((x) => x === 0) ? "" : zeros.every((x) => x === zeros[0]) ? ` + ${zeros[0]} of zeros around` : " + zeros";
    panels.input.name("input", times(d.size) + ring + (d.channels > 1 ? `, channel ${d.channel}` : ""));
    panels.weight.name("filter", times(d.taps) + (s.flip ? " turned" : "") + (d.g.dilation > 1 ? ` \u00d7 ${d.g.dilation} apart` : ""));
    panels.output.name("output", times(d.g.out));
    const lost = missed(d), fixed = geometry({ ...d.g, padding: "same" }), words = model.get("_note");
    visible(left, lost > 0);
    write(left.firstChild, missedWords(d, lost));
    visible(fill, s.padding !== "same" && missed({ ...d, g: fixed }) === 0);
    write(note, words);
    visible(note, words !== "");
  }

  function scaleOf(role) {
    const tones = (limit) => toneScale(limit, role, theme()), [low, high] = ranges.input;
    if (role === "weight") return tones(ranges.weight);
    if (role === "output") return plan.large ? mapScale(plan.m.ends) : tones(plan.m.limit);
    const tone = plan.s.scale === "tone" || (plan.s.scale === "auto" && low < 0);
    return tone ? tones(max(-low, high)) : greyScale(min(0, low), max(1, high));
  }

  function drawInput() {
    const { d, s, large, cell } = plan, scale = scaleOf("input"), plane = planes(s.image)[d.channel];
    const decimals = ranges.decimals[d.channel];
    panels.input.scale(scale, decimals, theme());
    if (large) return drawScene(plane, scale, decimals);
    const ring = ringed(plane, d.size, plan.bare ? [[0, 0], [0, 0]] : d.g.pad);
    if (!input.typing()) input.show({ ...ring, scale, decimals, cell });
    if (plan.bare) return;
    const lost = [unread(d.g, 0), unread(d.g, 1)], at = (k) => [floor(k / ring.cols) + ring.origin[0], (k % ring.cols) + ring.origin[1]];
    input.mark("lost", [...ring.data.keys()].filter((k) => ring.inner(k) >= 0 && at(k).some((x, a) => lost[a].includes(x))));
  }

  function drawScene(plane, scale, decimals) {
    const { d, size, width, shown, height, loupeCell } = plan;
    const side = max(100, min(floor((width - shown * loupeCell - 5.4 * size) / 2), round(height)));
    const key = [side, theme(), scale.low, scale.high, d.channel].join();
    if (scene.key !== key || scene.plane !== plan.s.image) scene.draw({ rows: d.size[0], cols: d.size[1], data: plane, scale, width: side });
    Object.assign(scene, { key, plane: plan.s.image, side });
    const first = [d.row, d.col].map((x, a) => x * d.g.stride - d.g.pad[a][0]), reach = d.taps.map((k) => span(k, d.g.dilation));
    const box = { row: first[0], col: first[1], rows: reach[0], cols: reach[1] };
    scene.boxes([{ ...box, colour: css(ROLES.input) }]);
    glass.show({ plane, size: d.size, from: first.map((x, a) => round(x + (reach[a] - shown) / 2)), n: shown, cell: loupeCell, scale, decimals, box, dashed: d.g.dilation > 1 });
    glass.mark("tap", d.g.dilation > 1 ? plan.list.map((p) => glass.place(p.row, p.col)) : []);
    scene.overlay.dataset.focus = first.join();
    scene.overlay.dataset.value = full(plan.list[floor(d.taps[0] / 2) * d.taps[1] + floor(d.taps[1] / 2)].pixel);
    setAttribute(scene.overlay, "aria-label", `input; ${sentence(plan.s, hides(plan.s))}`);
  }

  function drawFilter() {
    const { d, cell, large, size, weights } = plan, data = planes(d.kernel)[min(d.channel, d.filters - 1)];
    const most = large ? min(2.1 * size, (9.5 * size) / d.taps[0]) : cell, scale = scaleOf("weight");
    const side = max(4, floor(min(most, (19 * size) / d.taps[1])));
    if (!filter.typing()) filter.show({ rows: d.taps[0], cols: d.taps[1], data, scale, decimals: weights, cell: side, text: (k) => (large ? dense : short)(data[k], weights), locked: max(...d.taps) > EDITED, name: (k) => full(data[k]) });
    const b = plan.s.bias;
    if (!bias.typing()) bias.show({ rows: 1, cols: 1, data: [b], scale: null, decimals: decimalsFor([b]), cell: round(2 * size), width: round(3.2 * size), name: () => full(b) });
    panels.weight.scale(scale, weights, theme());
  }

  function drawOutput() {
    const { d, s, m, large, cell } = plan, scale = scaleOf("output"), decimals = (m.decimals ??= decimalsFor(m.out.data)), [rows, cols] = d.g.out;
    if (!s.predict) panels.output.scale(scale, decimals, theme());
    visible(panels.output.rule, !s.predict);
    if (large) return drawResponse(scale, hides(s, "all"));
    const data = m.out.data, masked = (k) => s.predict && hides(s, `${floor(k / cols)},${k % cols}`);
    output.show({ rows, cols, data, scale, decimals, cell, state: (k) => (masked(k) ? "hidden" : ""), name: (k) => (masked(k) ? "not yet shown" : full(data[k])) });
    output.point(d.row * cols + d.col, output.hasFocus() && output.at !== d.row * cols + d.col);
    output.frame("here", { row: d.row, col: d.col, rows: 1, cols: 1 });
  }

  function drawResponse(scale, hidden) {
    const { d, m } = plan, key = [m.version, scene.side, scale.high, hidden].join();
    if (response.key !== key) response.draw({ rows: d.g.out[0], cols: d.g.out[1], data: hidden ? m.out.data.map(() => 0) : m.out.data, scale, width: scene.side });
    response.key = key;
    response.boxes([{ row: d.row, col: d.col, rows: 1, cols: 1, colour: css(ROLES.output) }]);
    response.overlay.dataset.focus = `${d.row},${d.col}`;
    response.overlay.dataset.value = hides(plan.s) ? "?" : full(plan.work.value);
    setAttribute(response.overlay, "aria-label", `output; ${sentence(plan.s, hides(plan.s))}`);
  }

  function drawSum() {
    const { d, s, work, list, size, many, term, pixels, weights } = plan, hidden = hides(s);
    const limit = max(...ranges.input.map(abs)) * ranges.weight, scale = toneScale(2 * limit, "output", theme());
    const side = max(4, floor(min(9.5 / d.taps[0], many ? 9 : d.channels > 1 ? 1.8 : 2.1) * size));
    const text = (k) => (many ? "" : `${k ? "+ " : ""}${small(list[k].pixel, pixels)}\u00b7${small(list[k].weight, weights)}`);
    terms.show({ rows: d.taps[0], cols: d.taps[1], data: list.map((p) => p.product), scale, decimals: 2, text, cell: side, width: many ? side : term, name: (k) => `${full(list[k].pixel)} times ${full(list[k].weight)}` });
    panels.sum.name(d.channels > 1 ? `products of channel ${d.channel}` : "one number", d.channels > 1 ? "" : plural(list.length, "product"));
    drawChannels(work, hidden);
    const plus = s.bias ? ` ${s.bias < 0 ? "\u2212" : "+"} bias ${full(abs(s.bias))}` : "", answer = hidden ? "?" : full(work.value);
    if (result.dataset.key === plus + answer) return;
    result.replaceChildren(element("span", {}, `${plus} = `), element("b", {}, answer));
    result.dataset.key = plus + answer;
  }

  // Several channels: one sum each, then their sum. Few stand as a sum of chips, many as a strip; each chooses its channel.
  function drawChannels({ sums: values }, hidden) {
    const few = values.length > 1 && values.length < 5, many = values.length > 4, { d, size, width } = plan;
    visible(chips, few);
    visible(sums.element, many);
    if (many) {
      const large = values.length > 64, cols = min(large ? 32 : 8, values.length) / (width < 46 * size ? 2 : 1), rows = ceil(values.length / cols), side = floor((large ? 0.8 : 1.8) * size);
      const data = [...values, ...Array(rows * cols - values.length).fill(0)], beyond = (k) => k >= values.length;
      sums.show({ rows, cols, data, scale: toneScale(max(...range(values).map(abs)), "output", theme()), decimals: decimalsFor(values), cell: side, width: large ? side : round(1.3 * side), state: (k) => (beyond(k) ? "pad" : hidden ? "hidden" : ""), name: (k) => (beyond(k) ? "none" : `channel ${k}, ${hidden ? "not yet shown" : full(values[k])}`) });
      sums.point(d.channel);
      sums.frame("here", { row: floor(d.channel / cols), col: d.channel % cols, rows: 1, cols: 1 });
    }
    if (!few) return;
    if (chips.children.length !== values.length) {
      chips.replaceChildren(...values.map((_, c) => {
        const chip = button({ act: "channel", label: "", signal, press: () => pick(c) });
        chip.append(element("small", {}, `${c ? "+ " : ""}channel ${c}: `), element("b", {}, ""));
        return chip;
      }));
    }
    values.forEach((x, c) => {
      write(chips.children[c].lastChild, hidden ? "?" : factor(round(x * 1e4) / 1e4));
      setAttribute(chips.children[c], "aria-pressed", String(c === d.channel));
    });
  }

  function marks() {
    const { d, list, large } = plan, k = over?.product, pixel = over?.pixel, paired = k === undefined ? [] : [k];
    terms.mark("pair", paired);
    filter.mark("pair", paired);
    if (large) return glass.mark("pair", paired.map((p) => glass.place(list[p].row, list[p].col)));
    const at = (p) => (p.row - input.origin[0]) * input.cols + p.col - input.origin[1], spread = d.g.dilation > 1;
    input.mark("pair", paired.map((p) => at(list[p])));
    input.mark("tap", spread ? list.map(at) : []);
    const [h, w] = d.taps.map((n) => span(n, d.g.dilation)), window = { row: d.row * d.g.stride, col: d.col * d.g.stride, rows: h, cols: w };
    input.frame("window", spread ? null : window);
    input.frame("spread", spread ? window : null);
    plan.users = pixel ? readers(d.g, 0, pixel[0]).flatMap((i) => readers(d.g, 1, pixel[1]).map((j) => i * d.g.out[1] + j)) : [];
    output.mark("light", plan.users);
  }

  // What is said while the pointer is over an input pixel; else the sentence of the chosen output.
  function say(s) {
    if (problem(s)) return sentence(s, false);
    if (!over?.pixel || !plan || plan.large) return sentence(s, hides(s));
    const [r, c] = over.pixel, n = plan.users?.length || 0;
    return `Input row ${full(r)}, column ${full(c)} is used by ${plural(n, "output")}${n > 1 ? ", each with another weight" : ""}.`;
  }

  const turn = (d) => { const now = derive(read()); if (now.channels > 1) pick((now.channel + d + now.channels) % now.channels); };
  const keys = { ...walk.keys, next: () => turn(1), previous: () => turn(-1) };
  return { draw, sentence: say, problem, keys, dragging: () => dragging, settle: () => { dragging = false; walk.stop(); } };
}

export { render };
