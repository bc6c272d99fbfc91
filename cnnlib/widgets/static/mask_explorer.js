// The mask explorer: a mask is a question that is asked of every pixel.
import { mount } from "./kit/root.js";
import { grid } from "./kit/grid.js";
import { photo } from "./kit/photo.js";
import { panel } from "./kit/panel.js";
import { loupe } from "./kit/loupe.js";
import { choice } from "./kit/choice.js";
import { pick } from "./kit/pick.js";
import { scrub } from "./kit/scrub.js";
import { control, button } from "./kit/form.js";
import { element, div, write, visible, setAttribute, arrange, textWidth } from "./kit/dom.js";
import { ROLES, css, mix, greyScale, toneScale, mapScale } from "./kit/scale.js";
import { full, short, dense, decimalsFor } from "./kit/text.js";
import { range } from "./kit/sweep.js";
import { NAMES, nature, turnMask, beyond } from "./kit/edges.js";
import { SHOWS, preset, presetOf, maskCode, called, answersFor, problem, chosen, sentence } from "./mask_words.js";
import { abs, floor, max, min, round } from "./kit/numbers.js";

const HANDS = "Point at a pixel to see the products that make its answer; click to stay there. Drag a weight, or type over it. Arrow keys on the rose turn the mask by 45\u00b0; beside each name stands what that turn answers here, the strongest framed.";
const GRID = 9, SEEN = 7, NEAR = 5;                  // pixels a side: of a picture that is shown in numbers, of the two loupes
const PADDINGS = [["replicate", "repeat"], ["reflect", "mirror"], ["zeros", "zeros"], ["valid", "none"]];
const FAMILIES = [["sobel", "Sobel"], ["robinson", "Robinson"], ["prewitt", "Prewitt"], ["scharr", "Scharr"], ["laplacian", "Laplacian 4"], ["laplacian_8", "Laplacian 8"], ["own", "own"]];
const HUES = [[237, 140, 132], [219, 157, 79], [168, 180, 85], [93, 194, 145], [38, 192, 207], [109, 176, 244], [176, 155, 238], [221, 140, 195]];
const LEVELS = [0, 0, 0.3, 0.75, 1];                 // how bright the five kinds of edge pixels are drawn
const KINDS = [[4, "strong"], [3, "joined"], [2, "alone, dropped"]];
// A direction and its strength in one number from 0 to 255, as a colour.
const hueScale = { kind: "hue", low: 0, high: 255, rgb: (x) => (x >= 0 ? mix([0, 0, 0], HUES[floor(x / 32)], (x % 32) / 31) : [128, 128, 128]) };
const kindScale = { kind: "kind", low: 0, high: 4, rgb: (x) => mix([0, 0, 0], [255, 255, 255], LEVELS[round(x)]) };

// Sobel's mask turned by an odd eighth is called Robinson's.
function familyOf(mask, { family, place } = presetOf(mask) || { family: "own" }) {
  return family === "sobel" && place % 2 ? "robinson" : family;
}

function render({ model, el }) {
  let last = null;
  const map = (s) => { last = answersFor(s, last); return last; };
  const strength = (s) => s.show !== "response";
  const predict = {
    prompt: (s, m = map(s), at = chosen(s, m)) => `The ${strength(s) ? "strength" : "response"} at row ${at.row + m.margin}, column ${at.col + m.margin} will be`,
    place: (s) => (problem(s) ? "" : `${strength(s)}${chosen(s, map(s)).k}`),
    answer: (s, m = map(s), { k } = chosen(s, m)) => (strength(s) ? m.answers.strongest.strength[k] : m.answers.response[k]),
    epoch: (s) => (problem(s) ? 0 : map(s).version),
  };
  return mount(model, el, {
    name: "MaskExplorer", title: "Mask explorer", hands: HANDS, predict, writers: { mask: maskCode },
    idea: "A mask is a question that is asked of every pixel.",
    build: (kit) => build(kit, map),
  });
}

function build(kit, map) {
  const { signal, state, stage, ask, theme, model } = kit, { read } = state, { hides } = kit.question;
  let over = null, dragging = false, plan = null, ends = null, ranges = null, longest = "", term = 0;
  const move = (to) => state.commit(to, "move");

  // The parts, made once.
  const edits = (name) => (k, value, phase) => {
    const { shape, data } = read()[name], changed = data.slice();
    changed[k] = value;
    dragging = phase === "drag";
    state[dragging ? "preview" : "commit"]({ [name]: { shape, data: changed } });
    ask();
  };
  const pair = (k) => { over = k; ask(); };
  const pairing = { enter: pair, focus: pair, leave: () => pair(null) };
  const cell = ({ cols, origin: [row, col] }, k) => ({ row: floor(k / cols) + row, col: (k % cols) + col });
  const input = grid({ part: "input", role: "input", signal, edit: edits("image"), enter: (k) => state.preview(cell(input, k)) });
  const output = grid({ part: "output", role: "output", signal, enter: (k) => state.preview(cell(output, k)), move: (k) => move(cell(output, k)), choose: (k) => move(cell(output, k)) });
  const weights = grid({ part: "weight", role: "weight", label: "mask", signal, edit: edits("mask"), ...pairing });
  const terms = grid({ part: "product", role: "output", label: "products", signal, ...pairing });
  const glass = loupe({ label: "photo, enlarged", role: "input", signal, enter: (r, c) => pair(under(r, c)), leave: () => pair(null) });
  const near = loupe({ part: "near", role: "output", label: "answers, enlarged", signal });
  const off = (row, col, m = plan.m.margin) => ({ row: row + m, col: col + m });
  const steer = { move: (r, c) => { const s = read(), m = map(s), at = chosen(s, m); move(off(at.row + r, at.col + c, m.margin)); } };
  const scene = photo({ role: "input", signal, ...steer, enter: (row, col) => state.preview({ row, col }), choose: (row, col) => move({ row, col }) });
  const answer = photo({ role: "output", signal, ...steer, enter: (r, c) => state.preview(off(r, c)), choose: (r, c) => move(off(r, c)) });
  near.element.style.setProperty("--input", "var(--output)");
  for (const quiet of [weights, terms, near]) quiet.element.classList.add("cw-quiet");

  const commit = (trait) => (value) => state.commit({ [trait]: value });
  const family = pick({ trait: "mask", label: "mask", options: FAMILIES, signal, change: (name) => {
    const { mask } = read(), { kind, index } = nature(mask), place = kind === 1 ? index : 0;
    const found = { own: { shape: mask.shape, data: mask.data.map(() => 0) }, robinson: preset("sobel", place | 1), sobel: preset("sobel", place & 6) };
    state.commit({ mask: found[name] || preset(name, place) });
  } });
  const turns = ["back", "on"].map((act, k) => button({ act: `turn-${act}`, label: k ? "\u21bb" : "\u21ba", title: `turn the eight weights by 45\u00b0, ${k ? "clockwise" : "the other way"}`, signal, press: () => turn(k ? 1 : 7) }));
  turns.forEach((each) => setAttribute(each, "aria-label", each.title));
  const sum = element("span", { "data-part": "total" }), ring = div("cw-turns", ...turns, sum);
  const rose = choice({ trait: "turn", label: "direction of the mask", options: NAMES.map((name, k) => [k, name]), signal, change: (k) => { const s = read(); turn((k - nature(s.mask).index - (s.names === "gradient" ? 2 : 0) + 16) % 8); } });
  const disc = element("span.cw-disc", { "aria-hidden": "true" }), points = [...rose.element.querySelectorAll("button")];
  for (const el of points) el.append(element("small"), element("i", { "aria-hidden": "true" }));
  points[0].parentElement.append(disc);
  const names = choice({ trait: "names", label: "named by", options: [["walk", "by walk"], ["gradient", "by gradient"]], signal, change: commit("names") });
  const panels = { input: panel("input", "input"), loupe: panel("input", "enlarged", glass.element), output: panel("output", "response"), near: panel("output", "enlarged", near.element), weight: panel("weight", "mask"), sum: panel("output", "one number"), rose: panel("", "eight turns") };
  const result = element("div.cw-result", { "data-part": "result" }), kinds = div("cw-kinds");
  for (const [kind, words] of KINDS) kinds.append(element("span", {}, element("i", { style: `background: ${css(kindScale.rgb(kind))}` }), words));
  panels.weight.caption.replaceChildren(...(kit.hidden("mask") ? [panels.weight.title, panels.weight.size] : [family.select]));
  panels.weight.element.append(weights.element, ring);
  panels.sum.element.append(terms.element, result);
  panels.output.element.append(kinds);
  panels.rose.element.classList.add("cw-rose");
  panels.rose.element.append(rose.element, ...(kit.hidden("names") ? [] : [names.element]));
  panels.rose.name("eight turns", kit.hidden("names") ? "" : "named");
  for (const each of turns) visible(each, !kit.hidden("turn"));
  const rows = [div("cw-row"), div("cw-row")], note = element("span.cw-label", { "data-part": "note" });
  stage.append(...rows);

  // Hands.
  function turn(steps) { state.commit({ mask: turnMask(read().mask, steps) }); }
  function under(r, c) {                              // the product of a loupe's pixel, if the mask lies on it
    const { m, at, n } = plan, half = floor(n / 2), i = r - at.row - m.margin + half, j = c - at.col - m.margin + half;
    return i >= 0 && j >= 0 && i < n && j < n ? i * n + j : null;
  }

  // Controls.
  const threshold = (trait) => {
    const made = scrub({ signal, whole: false, step: 0.01, size: 4, label: trait, get: () => read()[trait], set: (value, phase) => state[phase === "drag" ? "preview" : "commit"]({ [trait]: value }, trait) });
    made.element.style.width = "3.6em";
    return { element: control(trait, trait, "as a share of the largest strength", made.element), set: made.show };
  };
  const named = {
    show: choice({ trait: "show", label: "show", options: SHOWS.map((name) => [name, name]), signal, change: commit("show") }),
    low: threshold("low"), high: threshold("high"),
    padding: pick({ trait: "padding", label: "border", options: PADDINGS, signal, change: commit("padding") }),
  };
  for (const [name, each] of Object.entries(named)) if (!kit.hidden(name)) kit.controls.append(each.element);
  kit.controls.append(note);

  // Drawing.
  function draw(s, trouble) {
    for (const name of ["show", "low", "high", "padding"]) named[name].set(s[name]);
    names.set(s.names);
    family.set(familyOf(s.mask));
    for (const name of ["low", "high"]) visible(named[name].element, s.show === "hysteresis");
    if (!ranges || (!dragging && (ranges.image !== s.image || ranges.mask !== s.mask))) ranges = { image: s.image, mask: s.mask, input: range(s.image.data), pixels: decimalsFor(s.image.data), limit: max(...range(s.mask.data).map(abs)) };
    if (trouble) return plan && drawMask({ ...plan, s, n: s.mask.shape[0] });
    const m = map(s), hidden = hides(s), n = s.mask.shape[0], width = stage.clientWidth || 656, size = parseFloat(getComputedStyle(kit.root).fontSize), large = max(...s.image.shape) > GRID;
    plan = { s, m, at: chosen(s, m), hidden, masked: s.predict && hides(s, "all"), n, width, size, large, wide: width >= (large ? 60 : 46) * size, window: windowOf(s, m) };
    plan.shown = shownOf(s, m.answers);
    layout();
    drawInput(plan);
    drawMask(plan);
    drawOutput(plan);
    drawSum(plan);
    if (plan.large) drawNear(plan);
    drawRose(plan);
    marks(plan);
    write(note, model.get("_note"));
  }

  // The pixels under the mask, in its order.
  function windowOf(s, m) {
    const n = s.mask.shape[0], at = chosen(s, m), { data, shape } = m.picture;
    return [...Array(n * n).keys()].map((k) => data[(at.row + floor(k / n)) * shape[1] + at.col + (k % n)]);
  }

  // What is shown as a map: its numbers and their scale; `told` are the numbers that its cells say.
  function shownOf(s, answers) {
    const signed = plan.large ? mapScale : (both) => toneScale(max(...both.map(abs)), "output", theme());
    if (!dragging || !ends || ends.show !== s.show) ends = { show: s.show, both: s.show === "response" ? range(answers.response) : [0, answers.top] };
    if (s.show === "response") return { data: answers.response, told: answers.response, scale: signed(ends.both) };
    const { strength, direction } = answers.strongest, grey = greyScale(0, ends.both[1] || 1);
    if (s.show === "strength") return { data: strength, told: strength, scale: grey };
    if (s.show === "thin") return { data: answers.thinned, told: strength, scale: grey };
    if (s.show === "hysteresis") return { data: answers.joined(s.low, s.high), told: strength, scale: kindScale };
    const most = ends.both[1] || 1, code = (x, k) => (direction[k] < 0 ? NaN : direction[k] * 32 + round(31 * Math.sqrt(min(1, max(0, x / most)))));
    return { data: strength.map(code), told: strength, scale: hueScale, name: (k) => (direction[k] < 0 ? "NaN" : called(direction[k], s.names)) };
  }

  // Photos with loupes in a row, below them the sum and the rose, which stands above where there is room for it.
  function layout() {
    const { large, wide, width, size, s } = plan, boxes = Object.fromEntries(Object.entries(panels).map(([name, each]) => [name, each.element]));
    const few = width < 48 * size, glasses = (there) => (large && there ? [boxes.loupe] : []);
    arrange(rows[0], [boxes.input, ...glasses(!few), boxes.output, ...(wide ? [boxes.rose] : [])]);
    arrange(rows[1], [boxes.weight, boxes.sum, ...glasses(few), ...(large ? [boxes.near] : []), ...(wide ? [] : [boxes.rose])]);
    arrange(boxes.input, [panels.input.caption, large ? scene.element : input.element, panels.input.rule]);
    arrange(boxes.output, [panels.output.caption, large ? answer.element : output.element, panels.output.rule, kinds]);
    kit.root.dataset.mode = large ? "photo" : "grid";
    const beside = (wide ? 14.6 : 2.6) * size, tall = (wide && width >= 60 * size ? 14.2 : 13.5) * size, height = few ? 20 * size : tall;
    const loupeCell = floor(tall / SEEN), photos = width - 3.2 * size - beside;
    const most = (n) => floor(min(2.4 * size, height / n, (photos - 3 * size) / (2 * n)));
    Object.assign(plan, { few, height, loupeCell, side: floor((photos - (few ? 0 : SEEN * loupeCell)) / 2), cell: max(12, most(max(...s.image.shape))) });
  }

  function inputScale(s) {
    const [low, high] = ranges.input, signed = s.scale === "tone" || (s.scale === "auto" && low < 0);
    return signed ? toneScale(max(-low, high), "input", theme()) : greyScale(min(0, low), max(1, high));
  }

  function drawInput({ s, m, at, n, large, side, height, loupeCell, cell }) {
    const [h, w] = s.image.shape, scale = inputScale(s), half = floor(n / 2), row = at.row + m.margin, col = at.col + m.margin;
    const box = { row: row - half, col: col - half, rows: n, cols: n };
    panels.input.name(large ? "photo" : "input", `${h}\u00d7${w}`);
    panels.input.scale(scale, ranges.pixels, theme());
    if (!large) {
      if (!input.typing()) input.show({ rows: h, cols: w, data: s.image.data, scale, decimals: ranges.pixels, cell, name: (k) => full(s.image.data[k]) });
      input.frame("window", box);
      return;
    }
    const key = [side, height, theme(), scale.kind].join();
    if (scene.key !== key || scene.image !== s.image) scene.draw({ rows: h, cols: w, data: s.image.data, scale, width: side, height });
    Object.assign(scene, { key, image: s.image });
    scene.boxes([{ ...box, colour: css(ROLES.input) }]);
    const outside = (r, c) => { const [i, j] = [beyond(r, h, s.padding), beyond(c, w, s.padding)]; return i < 0 || j < 0 || s.padding === "valid" ? 0 : s.image.data[i * w + j]; };
    const count = max(SEEN, min(n, 2 * floor(height / 24) + 1));
    glass.show({ plane: s.image.data, size: [h, w], from: [row, col].map((x) => x - floor(count / 2)), n: count, cell: floor((SEEN * loupeCell) / count), scale, decimals: ranges.pixels, box, dashed: false, outside });
    scene.overlay.dataset.focus = `${row},${col}`;
    scene.overlay.dataset.value = full(s.image.data[row * w + col]);
    setAttribute(scene.overlay, "aria-label", `photo; ${sentence(s, plan.hidden, m)}`);
  }

  function drawMask({ s, n, size }) {
    const decimals = decimalsFor(s.mask.data), side = floor(min(2.4, 7.6 / n) * size), total = s.mask.data.reduce((a, w) => a + w, 0);
    panels.weight.name(FAMILIES.find(([family]) => family === familyOf(s.mask))[1], `${n}\u00d7${n}`);
    plan.weight = side;
    if (!weights.typing()) weights.show({ rows: n, cols: n, data: s.mask.data, scale: toneScale(ranges.limit, "weight", theme()), decimals, cell: side, text: (k) => (side < 20 ? "" : dense(s.mask.data[k], decimals)), name: (k) => full(s.mask.data[k]) });
    write(sum, `sum ${full(round(total * 1e4) / 1e4)}`);
  }

  function drawOutput({ s, m, at, shown, masked, hidden, large, side, height, cell }) {
    const { rows, cols } = m.answers, { data, told, scale, name } = shown, hide = (k) => s.predict && (k === at.k ? hidden : masked);
    panels.output.name(s.show, `${rows}\u00d7${cols}`);
    const ruled = !s.predict && scale.kind !== "hue" && scale.kind !== "kind";
    if (ruled) panels.output.scale(scale, 2, theme());
    visible(panels.output.rule, ruled);
    visible(kinds, scale.kind === "kind" && !s.predict);
    if (!large) {
      const decimals = decimalsFor(told), text = (k) => (name ? name(k) : short(told[k], decimals));
      output.show({ rows, cols, origin: [m.margin, m.margin], data, scale, decimals, cell, text, state: (k) => (hide(k) ? "hidden" : ""), name: (k) => (hide(k) ? "not yet shown" : name ? name(k) : full(told[k])) });
      output.point(at.k, output.hasFocus() && output.at !== at.k);
      output.frame("here", { row: at.row, col: at.col, rows: 1, cols: 1 });
      return;
    }
    const key = [m.version, s.show, s.low, s.high, side, height, masked, scale.low, scale.high].join();
    if (answer.key !== key) answer.draw({ rows, cols, data: masked ? data.map(() => 0) : data, scale, width: side, height });
    answer.key = key;
    answer.boxes([{ row: at.row, col: at.col, rows: 1, cols: 1, colour: css(ROLES.output) }]);
    answer.overlay.dataset.focus = `${at.row},${at.col}`;
    answer.overlay.dataset.value = hidden ? "?" : name ? name(at.k) : full(told[at.k]);
    setAttribute(answer.overlay, "aria-label", `${s.show}; ${sentence(s, hidden, m)}`);
    plan.hide = hide;
  }

  // The answers round the chosen pixel, in numbers; in what room mask and products leave where the rose stands beside them.
  function drawNear({ s, m, at, shown, size, hide }) {
    const { rows, cols } = m.answers, from = [at.row, at.col].map((x) => x - floor(NEAR / 2));
    const roomy = plan.wide || plan.few, words = (k, x = shown.told[k]) => (shown.name ? shown.name(k) : dense(x, Number.isInteger(x) ? 0 : x > (roomy ? -1 : 0) && x < (roomy ? 10 : 1) ? 2 : 1));
    const room = floor((plan.width - max(plan.n * plan.weight, 7.8 * size) - plan.n * plan.term - 15.2 * size) / NEAR);
    near.show({ plane: shown.data, size: [rows, cols], from, n: NEAR, cell: floor(2.1 * size), width: roomy ? floor(2.6 * size) : max(12, min(floor(2.1 * size), room)), scale: shown.scale, box: { row: at.row, col: at.col, rows: 1, cols: 1 }, words, state: (k) => (hide(k) ? "hidden" : "") });
    const thins = !plan.hidden && SHOWS.indexOf(s.show) > 2;
    near.mark("tap", thins ? m.answers.across(at.row, at.col).map(([, k]) => near.place(floor(k / cols), k % cols)) : []);
  }

  // The pixels under the mask times its weights; their sum is what the mask, as it lies, answers.
  function drawSum({ s, m, at, n, window, hidden, size, wide }) {
    const { data } = s.mask, many = n > 3, factors = (list, d) => [...list].map((x) => (x < 0 ? `(${dense(x, d)})` : dense(x, d)));
    const pixels = factors(window, ranges.pixels), weights = factors(data, decimalsFor(data));
    const most = (list) => list.reduce((a, b) => (b.length > a.length ? b : a)), widest = `+ ${most(factors(ranges.input, ranges.pixels))}\u00b7${most(weights)}`;
    const side = floor(many ? (7.6 * size) / n : 2.1 * size), font = max(11, (wide ? 0.95 : 0.84) * size), limit = max(...ranges.input.map(abs)) * ranges.limit;
    if (longest !== widest + font) [longest, term] = [widest + font, round(textWidth(widest, font, stage) + 0.5 * size)];
    plan.term = many ? side : term;
    terms.show({ rows: n, cols: n, data: window.map((x, k) => x * data[k]), scale: toneScale(2 * limit, "output", theme()), decimals: 2, text: (k) => (many ? "" : `${k ? "+ " : ""}${pixels[k]}\u00b7${weights[k]}`), cell: side, width: plan.term, name: (k) => `${full(window[k])} times ${full(data[k])}` });
    panels.sum.name("one number", `${n * n} products`);
    const value = hidden ? "?" : full(m.answers.response[at.k]);
    if (result.dataset.key === value) return;
    result.dataset.key = value;
    result.replaceChildren(element("span", {}, "= "), element("b", {}, value));
  }

  // What each turn answers at the chosen pixel, under its name; the disc shows the mask's bright side and both arrows.
  function drawRose({ s, m, at, hidden }) {
    const { kind, index } = m.answers;
    visible(panels.rose.element, kind > 0 && !kit.hidden("turn"));
    if (!kind) return;
    const shift = s.names === "gradient" ? 2 : 0, all = m.answers.at(at.k), decimals = decimalsFor(all);
    const best = hidden ? -1 : all.indexOf(max(...all));
    rose.set((index + shift) % 8);
    points.forEach((el, place) => {
      const turn = (place - shift + 8) % 8, value = hidden ? "?" : short(all[turn], decimals);
      write(el.children[0], value);
      el.classList.toggle("cw-best", turn === best);
      setAttribute(el, "aria-label", `${NAMES[place]}: ${hidden ? "not yet shown" : full(all[turn])}${turn === best ? ", the strongest" : ""}`);
      visible(el.children[1], s.show === "direction");
      el.children[1].style.background = css(HUES[turn]);
    });
    Object.assign(disc.dataset, { kind, names: s.names });
    disc.style.transform = `rotate(${45 * index}deg)`;
  }

  // A product, its weight and its pixel belong together.
  function marks({ s, m, at, n, large }) {
    const paired = over === null || over >= n * n ? [] : [over], half = floor(n / 2);
    terms.mark("pair", paired);
    weights.mark("pair", paired);
    const pixel = paired.map((k) => [at.row + m.margin + floor(k / n) - half, at.col + m.margin + (k % n) - half]);
    if (large) return glass.mark("pair", pixel.map(([r, c]) => glass.place(r, c)));
    const [h, w] = s.image.shape;
    input.mark("pair", pixel.filter(([r, c]) => r >= 0 && c >= 0 && r < h && c < w).map(([r, c]) => r * w + c));
  }

  return { draw, sentence: (s) => sentence(s, hides(s), problem(s) ? null : map(s)), problem, settle: () => { dragging = false; } };
}

export { render };
