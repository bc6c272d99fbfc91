// The shape builder: each layer changes size, cost and how far a neuron sees.
import { mount } from "./kit/root.js";
import { button } from "./kit/controls.js";
import { choice } from "./kit/choice.js";
import { element, write, visible, setAttribute } from "./kit/dom.js";
import { ROLES, css } from "./kit/scale.js";
import { count, full, parse, plural } from "./kit/text.js";
import { same, decode } from "./kit/state.js";
import { FIELDS, WORDS, shapeWords, rowsOf, total, fixes, focusOf, workings, sentence } from "./shape_words.js";

const NEW = { conv: [16, 3, 1, 1], max: [0, 2, 2, 0], avg: [0, 2, 2, 0], relu: [], linear: [10] };
const COLUMNS = ["out_channels", "kernel_size", "stride", "padding", "dilation"];
const HEADS = [["", ""], ["layer", ""], ["filters", "how many filters: channels of the output"], ["F", "size of the filter or window"], ["S", "stride"], ["P", "padding on each side"], ["D", "dilation"], ["output", "channels \u00d7 rows \u00d7 columns"], ["params", "numbers to learn"], ["mult-adds", "multiplications for one image"], ["sees", "pixels of the input that one neuron sees"], ["step", "pixels between what two neighbours see"], ["", ""]];
const HANDS = "Drag a number, or type over it. Drag \u2261 to move a layer (Alt with up or down), Delete removes it. Click a row, then point at the photo to move its neuron.";

function render({ model, el }) {
  const traits = ["input_shape", "layers", "rounding", "focus", "size", "scale", "hide", "predict"];
  const predict = {
    prompt: (s) => `Row ${focusOf(s) + 1} gives how many rows?`,
    place: (s) => String(focusOf(s)),
    answer: (s) => { const row = rowsOf(s)[focusOf(s)]; return row && row.shape ? row.shape.at(-2) || row.shape[0] : NaN; },
    epoch: (s) => JSON.stringify([s.input_shape, s.layers, s.rounding]),
  };
  return mount(model, el, { name: "ShapeBuilder", title: "Shape builder", idea: "Each layer changes size, cost and how far a neuron sees.", hands: HANDS, traits, listen: ["_pixels"], predict, build });
}

function build(kit) {
  const { signal, state, stage } = kit, read = state.read;
  let at = [0.5, 0.5], over = false, facts = [];
  const put = (change) => state.commit(change);
  const edit = (change) => put({ layers: change([...read().layers]) });

  const body = element("tbody", {}), table = element("table", { class: "cw-table" }, element("thead", {}, element("tr", {}, ...HEADS.map(([label, title]) => element("th", { title, scope: "col" }, label)))), body);
  const list = element("div", { class: "cw-list" }, table);
  const canvas = element("canvas", { class: "cw-field-view", tabindex: 0, role: "img", "data-part": "photo", "aria-label": "what one neuron sees" });
  const caption = element("div", { class: "cw-caption" }, element("b", {}, ""), element("small", {}, ""));
  const view = element("div", { class: "cw-panel cw-output cw-sight" }, caption, canvas);
  stage.append(element("div", { class: "cw-build" }, list, view, kit.controls));

  const names = { conv: "convolution", max: "max pooling", avg: "average pooling", relu: "ReLU", linear: "fully connected" };
  const add = menu("+ add layer", "add", Object.entries(names), (kind) => {
    const [n, k, s, p] = NEW[kind], layers = [...read().layers], place = focusOf(read()) + 1;
    layers.splice(place, 0, { kind, name: "", out_channels: n || 0, kernel_size: k || 1, stride: s || 1, padding: p || 0, dilation: 1, groups: 1 });
    put({ layers, focus: place });
  });
  const presets = menu("presets", "presets", Object.keys(kit.model.get("_presets")).map((name) => [name, name]), (name) => put({ ...kit.model.get("_presets")[name], focus: -1 }));
  const rounding = choice({ trait: "rounding", label: "if it does not divide", options: [["refuse", "refuse"], ["drop", "drop the rest"], ["fill", "fill with zeros"]], signal, change: (value) => put({ rounding: value }) });
  const input = element("input", { class: "cw-field cw-wide", "aria-label": "input: channels, rows, columns", autocomplete: "off" });
  const inputs = element("label", { class: "cw-control", "data-trait": "input_shape" }, element("span", { class: "cw-label" }, "input"), input);
  input.addEventListener("change", () => {
    const shape = input.value.trim().split(/[\u00d7x,\s]+/).map(Number);
    if (shape.length === 3 && shape.every((n) => Number.isInteger(n) && n > 0)) put({ input_shape: shape });
    else input.value = shapeWords(read().input_shape);
  }, { signal });
  const working = element("dl", { class: "cw-workings", "data-part": "working" });
  const sums = element("span", { class: "cw-total", "data-part": "total" });
  for (const [name, part] of [["input_shape", inputs], ["add", add], ["presets", presets], ["rounding", rounding.element]]) if (!kit.hidden(name)) kit.controls.append(part);
  kit.controls.append(sums, working);

  function menu(label, act, options, chosen) {
    const select = element("select", { "data-do": act, "aria-label": label }, element("option", { value: "" }, label), ...options.map(([value, words]) => element("option", { value }, words)));
    select.addEventListener("change", () => { const value = select.value; select.value = ""; if (value) chosen(value); }, { signal });
    return select;
  }

  // Rows of the table: made once per place, then rewritten.
  function makeRow(place) {
    const grip = element("button", { type: "button", class: "cw-grip", "data-do": "grip" }, "\u2261");
    const cells = Object.fromEntries(["grip", "kind", ...COLUMNS, "shape", "parameters", "multiply_adds", "sees", "jump", "remove"].map((name) => [name, element("td", { "data-col": name })]));
    const remove = button({ act: "remove", label: "\u00d7", title: "remove this layer (Delete)", signal, press: () => drop(place) });
    cells.grip.append(grip);
    cells.remove.append(remove);
    const fields = Object.fromEntries(COLUMNS.map((name) => [name, number(place, name)]));
    for (const name of COLUMNS) { cells[name].dataset.trait = name; cells[name].append(fields[name]); }
    const row = element("tr", { "data-row": place }, ...Object.values(cells)), why = element("td", { colspan: 11, "data-part": "why" });
    const more = element("tr", { class: "cw-why", hidden: true }, element("td", { colspan: 2 }), why);
    row.addEventListener("click", (event) => { if (!event.target.closest("button, input") && focusOf(read()) !== place) state.commit({ focus: place }, "focus"); }, { signal });
    row.addEventListener("focusin", () => { if (focusOf(read()) !== place && read().layers[place]) state.commit({ focus: place }, "focus"); }, { signal });
    grip.addEventListener("keydown", (event) => gripKey(event, place), { signal });
    grip.addEventListener("pointerdown", (event) => carry(event, place), { signal });
    return { row, more, why, grip, cells, fields, remove };
  }

  function number(place, name) {
    const field = element("input", { class: "cw-number", size: 3, inputmode: "numeric", autocomplete: "off" });
    const set = (value, phase) => {
      const layers = read().layers.map((layer, i) => (i === place ? { ...layer, [name]: value } : layer));
      if (phase === "drag") state.preview({ layers }); else put({ layers });
    };
    const now = () => read().layers[place]?.[name] ?? 0;
    const take = () => { const value = parse(field.value); if (Number.isInteger(value) && value !== now()) set(value); else field.value = full(now()); };
    field.addEventListener("change", take, { signal });
    field.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const d = { ArrowUp: 1, "+": 1, ArrowDown: -1, "-": -1 }[event.key];
      if (d) { event.preventDefault(); set(now() + d * (event.shiftKey && event.key !== "+" ? 10 : 1)); }
      else if (event.key === "Enter" && !event.shiftKey) take();
    }, { signal });
    field.addEventListener("pointerdown", (event) => {
      const from = now(), { clientX, clientY } = event, stop = new AbortController();
      let last = from;
      window.addEventListener("pointermove", (e) => {
        const value = from + Math.round((e.clientX - clientX - (e.clientY - clientY)) / 10);
        if (value !== last) set(last = value, "drag");
      }, { signal: stop.signal });
      for (const end of ["pointerup", "pointercancel"]) window.addEventListener(end, () => { stop.abort(); if (last !== from) set(last); }, { signal: stop.signal });
    }, { signal });
    return field;
  }

  function drop(place) {
    edit((layers) => layers.filter((_, i) => i !== place));
    requestAnimationFrame(() => made[Math.min(place, read().layers.length - 1)]?.grip.focus());
  }
  function shift(from, to) {
    if (to < 0 || to >= read().layers.length || from === to) return;
    const layers = [...read().layers];
    layers.splice(to, 0, ...layers.splice(from, 1));
    put({ layers, focus: to });
    made[to].grip.focus();
  }
  function gripKey(event, place) {
    const d = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (event.key === "Delete" || event.key === "Backspace") { event.preventDefault(); event.stopPropagation(); drop(place); }
    else if (d) {
      event.preventDefault();
      event.stopPropagation();
      if (event.altKey) shift(place, place + d); else made[place + d]?.grip.focus();
    }
  }
  function carry(event, place) {
    const stop = new AbortController();
    const target = (e) => made.findIndex(({ row }) => { const box = row.getBoundingClientRect(); return e.clientY >= box.top && e.clientY < box.bottom; });
    window.addEventListener("pointermove", (e) => { const to = target(e); made.forEach(({ row }, i) => row.classList.toggle("cw-target", i === to && to !== place)); }, { signal: stop.signal });
    for (const end of ["pointerup", "pointercancel"]) window.addEventListener(end, (e) => {
      stop.abort();
      made.forEach(({ row }) => row.classList.remove("cw-target"));
      const to = target(e);
      if (end === "pointerup" && to >= 0 && to < read().layers.length) shift(place, to);
    }, { signal: stop.signal });
  }

  // How the chosen row's numbers come about.
  function drawWorking(s) {
    const at = focusOf(s), hidden = at < 0 || kit.question.hides(s, String(at)), lines = hidden ? [] : workings(s, facts, at);
    const key = JSON.stringify(lines);
    if (working.dataset.key === key) return;
    working.dataset.key = key;
    working.replaceChildren(...lines.flatMap(([name, text]) => [element("dt", {}, name), element("dd", {}, text)]));
  }

  // Scroll the list, never the page, so that the chosen row is in it.
  let followed = "";
  function follow(place) {
    const key = `${place} ${list.clientHeight}`;
    if (followed === key || !made[place]) return;
    followed = key;
    const row = made[place].row, head = table.tHead.offsetHeight;
    if (row.offsetTop - head < list.scrollTop) list.scrollTop = row.offsetTop - head;
    if (row.offsetTop + 2 * row.offsetHeight > list.scrollTop + list.clientHeight) list.scrollTop = row.offsetTop + 2 * row.offsetHeight - list.clientHeight;
  }

  // Numbers too long for a column, shortened; the whole number is the cell's title.
  const amount = (n) => (n < 1e7 ? count(n) : n < 1e9 ? `${(n / 1e6).toFixed(1)} M` : `${(n / 1e9).toFixed(2)} G`);

  const made = [];
  function draw(s) {
    facts = rowsOf(s);
    while (made.length < s.layers.length) { const row = makeRow(made.length); made.push(row); body.append(row.row, row.more); }
    while (made.length > s.layers.length) { const { row, more } = made.pop(); row.remove(); more.remove(); }
    const most = { parameters: Math.max(1, ...facts.map((f) => f.parameters || 0)), multiply_adds: Math.max(1, ...facts.map((f) => f.multiply_adds || 0)) };
    made.forEach((row, place) => drawRow(s, row, place, most));
    const shape = shapeWords(s.input_shape);
    if (kit.root.getRootNode().activeElement !== input) input.value = shape;
    rounding.set(s.rounding);
    write(sums, `total ${plural(total(facts, "parameters"), "parameter")} \u00b7 ${count(total(facts, "multiply_adds"))} mult-adds`);
    visible(sums, !s.predict);
    drawWorking(s);
    follow(focusOf(s));
    kit.root.classList.toggle("cw-narrow", stage.clientWidth < 66 * parseFloat(getComputedStyle(stage).fontSize));
    drawSight(s);
  }

  function drawRow(s, parts, place, most) {
    const layer = s.layers[place], fact = facts[place], { cells, fields, row } = parts;
    const hidden = fact.shape && kit.question.hides(s, String(place)), chosen = focusOf(s) === place;
    row.classList.toggle("cw-chosen", chosen);
    row.classList.toggle("cw-waits", Boolean(fact.waits));
    row.classList.toggle("cw-refused", Boolean(fact.trouble));
    setAttribute(row, "aria-selected", String(chosen));
    setAttribute(parts.grip, "aria-label", `row ${place + 1}, ${layer.kind}: move with Alt and up or down, Delete removes`);
    write(cells.kind, layer.kind === "other" ? layer.name : layer.kind);
    for (const name of COLUMNS) {
      const field = fields[name], used = (FIELDS[layer.kind] || []).includes(name);
      visible(field, used);
      if (field.getRootNode().activeElement !== field || parse(field.value) !== null) field.value = full(layer[name]);
      setAttribute(field, "aria-label", `row ${place + 1}, ${layer.kind}: ${WORDS[name]}`);
    }
    const numbers = fact.shape && !hidden ? { shape: shapeWords(fact.shape), parameters: amount(fact.parameters), multiply_adds: amount(fact.multiply_adds), sees: shapeWords(fact.sees), jump: fact.jump[0] === fact.jump[1] ? String(fact.jump[0]) : shapeWords(fact.jump) } : {};
    for (const name of ["shape", "parameters", "multiply_adds", "sees", "jump"]) {
      write(cells[name], hidden ? "?" : numbers[name] || (name === "shape" ? (fact.waits ? `waits for row ${fact.waits}` : fact.trouble ? "refused" : "") : ""));
      cells[name].classList.toggle("cw-unknown", Boolean(hidden));
      if (name in most) setAttribute(cells[name], "title", numbers[name] && count(fact[name]));
    }
    for (const name of Object.keys(most)) {
      const share = hidden || !fact[name] ? 0 : Math.max(0.04, Math.log10(1 + fact[name]) / Math.log10(1 + most[name]));
      cells[name].style.setProperty("--share", `${(100 * share).toFixed(1)}%`);
    }
    drawWhy(s, parts, place);
  }

  function drawWhy(s, { more, why }, place) {
    const fact = facts[place], note = fact.trouble || (fact.note && !s.predict ? fact.note : "");
    visible(more, Boolean(note));
    more.classList.toggle("cw-note-row", !fact.trouble);
    const offers = fact.trouble ? fixes(s.layers[place], fact.before, s.rounding) : [];
    const key = note + JSON.stringify(offers);
    if (why.dataset.key === key) return;
    why.dataset.key = key;
    setAttribute(why, "role", fact.trouble ? "alert" : null);
    setAttribute(why, "data-part", fact.trouble ? "refusal" : "note");
    why.replaceChildren(element("span", {}, note), ...offers.map(([label, change]) => button({
      act: "fix", label, signal,
      press: () => (change.layer ? edit((layers) => layers.map((layer, i) => (i === place ? change.layer : layer))) : put(change)),
    })));
  }

  // The photo at the network's own resolution, with what one neuron of each layer up to the chosen one sees.
  function drawSight(s) {
    const row = focusOf(s), fact = facts[row], pixels = decode(kit.model.get("_pixels"));
    visible(view, Boolean(pixels));
    if (!pixels) return;
    const [, h, w] = s.input_shape, side = canvas.clientWidth || 190, density = window.devicePixelRatio || 1;
    const margin = 0.09, scale = (side * (1 - 2 * margin)) / Math.max(h, w), high = Math.round(h * scale + 2 * margin * side);
    canvas.style.height = `${high}px`;
    if (canvas.width !== Math.round(side * density) || canvas.height !== Math.round(high * density)) [canvas.width, canvas.height] = [Math.round(side * density), Math.round(high * density)];
    const context = canvas.getContext("2d");
    context.setTransform(density, 0, 0, density, 0, 0);
    context.clearRect(0, 0, side, high);
    const origin = [margin * side, (side - w * scale) / 2];
    origin[0] = (high - h * scale) / 2;
    context.imageSmoothingEnabled = false;
    context.drawImage(pictureOf(pixels), origin[1], origin[0], w * scale, h * scale);
    const hidden = s.predict && kit.question.hides(s);
    write(caption.children[0], fact?.sees && !hidden ? `sees ${shapeWords(fact.sees)}` : "input");
    write(caption.children[1], fact?.sees && !hidden ? `of ${h}\u00d7${w}` : `${h}\u00d7${w}`);
    const boxes = fact?.sees && !hidden ? nested(s, row) : [];
    boxes.forEach(({ first, size }, i) => {
      const last = i === boxes.length - 1, [y, x] = first.map((v, a) => origin[a] + v * scale), [bh, bw] = size.map((v) => Math.max(v * scale, 3));
      const outside = first.some((v, a) => v < 0 || v + size[a] > [h, w][a]);
      for (const [width, colour] of [[last ? 4.5 : 3, "rgba(255, 255, 255, .8)"], [last ? 2.5 : 1.2, css(last ? ROLES.output : ROLES.input)]]) {
        context.lineWidth = width;
        context.strokeStyle = colour;
        context.setLineDash(last && outside ? [6, 4] : []);
        context.strokeRect(x, y, bw, bh);
      }
      if (last && outside) solidInside(context, [x, y, bw, bh], [origin[1], origin[0], w * scale, h * scale]);
    });
    setAttribute(canvas, "aria-label", `${say(s)}`);
  }

  // The part of the field that lies on the photo is drawn without dashes.
  function solidInside(context, [x, y, w, h], clip) {
    context.save();
    context.beginPath();
    context.rect(...clip);
    context.clip();
    context.setLineDash([]);
    context.strokeRect(x, y, w, h);
    context.restore();
  }

  function pictureOf(pixels) {
    if (pictureOf.of === pixels) return pictureOf.canvas;
    const [h, w] = pixels.shape, canvas = element("canvas", { width: w, height: h }), context = canvas.getContext("2d"), image = context.createImageData(w, h);
    pixels.data.forEach((x, k) => image.data.set([255 * x, 255 * x, 255 * x, 255], 4 * k));
    context.putImageData(image, 0, 0);
    Object.assign(pictureOf, { of: pixels, canvas });
    return canvas;
  }

  // Fields round one place, from the first layer to the chosen one; each size once.
  function nested(s, row) {
    const boxes = [], unit = unitAt(s, row);
    const middle = unit.map((i, a) => facts[row].start[a] + i * facts[row].jump[a] + facts[row].sees[a] / 2);
    for (let k = 0; k <= row; k++) {
      const { sees, start, jump, shape } = facts[k];
      if (boxes.length && same(boxes.at(-1).size, sees)) continue;
      const units = shape.length === 3 ? shape.slice(1) : [1, 1];
      const first = sees.map((r, a) => start[a] + jump[a] * Math.min(units[a] - 1, Math.max(0, Math.round((middle[a] - r / 2 - start[a]) / jump[a]))));
      boxes.push({ first, size: sees });
    }
    return boxes;
  }
  function unitAt(s, row) {
    const { shape } = facts[row], units = shape.length === 3 ? shape.slice(1) : [1, 1];
    return units.map((n, a) => Math.min(n - 1, Math.max(0, Math.floor(at[a] * n))));
  }

  canvas.addEventListener("pointermove", (event) => {
    const box = canvas.getBoundingClientRect(), margin = 0.09;
    at = [(event.clientY - box.top) / box.height, (event.clientX - box.left) / box.width].map((x) => Math.min(0.999, Math.max(0, (x - margin) / (1 - 2 * margin))));
    over = true;
    kit.ask();
  }, { signal });
  for (const end of ["pointerleave", "blur"]) canvas.addEventListener(end, () => { over = false; kit.ask(); }, { signal });
  canvas.addEventListener("keydown", (event) => {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key], s = read(), row = focusOf(s);
    if (!step || !facts[row]?.shape || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const { shape } = facts[row], units = shape.length === 3 ? shape.slice(1) : [1, 1];
    at = unitAt(s, row).map((i, a) => (Math.min(units[a] - 1, Math.max(0, i + step[a])) + 0.5) / units[a]);
    over = true;
    kit.ask();
  }, { signal });

  function say(s) {
    const row = focusOf(s), fact = facts[row], hidden = row >= 0 && kit.question.hides(s);
    if (!over || hidden || !fact?.shape) return sentence(s, hidden);
    const [i, j] = unitAt(s, row), edge = [i, j].map((u, a) => [fact.start[a] + u * fact.jump[a], fact.start[a] + u * fact.jump[a] + fact.sees[a] - 1]);
    return `Row ${row + 1}, neuron row ${i}, column ${j} sees input rows ${full(edge[0][0])} to ${full(edge[0][1])}, columns ${full(edge[1][0])} to ${full(edge[1][1])}.`;
  }
  return { draw, sentence: say, problem: () => null, keys: {} };
}

export { render };
