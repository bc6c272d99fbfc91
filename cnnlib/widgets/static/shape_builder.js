// The shape builder: each layer changes size, cost and how far a unit sees.
import { mount } from "./kit/root.js";
import { button, control } from "./kit/form.js";
import { choice } from "./kit/choice.js";
import { menu } from "./kit/menu.js";
import { scrub } from "./kit/scrub.js";
import { panel } from "./kit/panel.js";
import { element, div, on, arrow, active, write, visible, setAttribute } from "./kit/dom.js";
import { ROLES, PAPER, css } from "./kit/scale.js";
import { viewOf, drawPhoto } from "./kit/sight.js";
import { amountOf, count, full } from "./kit/text.js";
import { same, decode } from "./kit/state.js";
import { floor, log10, max, min, round } from "./kit/numbers.js";
import { FIELDS, WORDS, BLANK, WRITERS, nameOf, shapeWords, rowsOf, total, fixes, focusOf, workings, goals, sentence } from "./shape_words.js";

const NEW = { conv: [16, 3, 1, 1], max: [0, 2, 2, 0], avg: [0, 2, 2, 0], relu: [], linear: [10] };
const NAMES = { conv: "convolution", max: "max pooling", avg: "average pooling", relu: "ReLU", linear: "fully connected" };
const COLUMNS = ["out_channels", "kernel_size", "stride", "padding", "dilation"];
const HEADS = [["", ""], ["layer", ""], ["filters", "how many filters: channels of the output"], ["K", "size of the filter or window"], ["S", "stride"], ["P", "padding: zeros on each side"], ["D", "dilation"], ["output", "channels \u00d7 rows \u00d7 columns"], ["params", "numbers to learn"], ["mult-adds", "multiplications for one image"], ["sees", "pixels of the input that one unit sees"], ["jump", "pixels from what one unit sees to what its neighbour sees"], ["", ""]];
const HANDS = "Drag a number, or type over it. Drag \u2261 to move a layer (Alt with up or down), Delete removes it. Click a row, then point at the photo to move its unit.";

function render({ model, el }) {
  const fact = (s) => rowsOf(s)[focusOf(s)];
  const predict = {
    parse: amountOf,
    prompt: (s) => { const { shape } = fact(s) || {}; return shape ? `Row ${focusOf(s) + 1} gives how many ${shape.length === 3 ? "rows" : "numbers"}?` : null; },
    place: (s) => String(focusOf(s)),
    answer: (s) => fact(s).shape.at(-2) ?? fact(s).shape[0],
    epoch: (s) => JSON.stringify([s.input_shape, s.layers, s.rounding]),
  };
  return mount(model, el, { name: "ShapeBuilder", title: "Shape builder", idea: "Each layer changes size, cost and how far a unit sees.", hands: HANDS, writers: WRITERS, listen: ["_pixels"], predict, build });
}

function build(kit) {
  const { signal, state, stage, model } = kit, { read } = state, { hides } = kit.question;
  let at = [0.5, 0.5], over = false, facts = [], look = null;
  const put = (change) => state.commit(change);
  const edit = (change) => put({ layers: change([...read().layers]) });

  const body = element("tbody"), table = element("table.cw-table", {}, element("thead", {}, element("tr", {}, ...HEADS.map(([label, title]) => element("th", { title, scope: "col" }, label)))), body);
  const list = div("cw-list", table);
  const canvas = element("canvas.cw-field-view", { tabindex: 0, role: "img", "data-part": "photo", "aria-label": "what one unit sees" });
  const view = panel("output", "", canvas);
  view.element.classList.add("cw-sight");
  stage.append(div("cw-build", list, view.element, kit.controls));

  const add = menu({ act: "add", label: "+ add layer", options: Object.entries(NAMES), signal, choose: (kind) => {
    const [n, k, s, p] = NEW[kind], layers = [...read().layers], focus = focusOf(read()) + 1;
    layers.splice(focus, 0, { ...BLANK, kind, out_channels: n || 0, kernel_size: k || 1, stride: s || 1, padding: p || 0 });
    put({ layers, focus });
  } });
  const known = model.get("_presets");
  const presets = menu({ act: "presets", label: "presets", options: Object.keys(known).map((name) => [name, name]), signal, choose: (name) => put({ ...known[name], focus: -1 }) });
  const rounding = choice({ trait: "rounding", label: "if it does not divide", options: [["refuse", "refuse"], ["drop", "drop the rest"], ["fill", "fill with zeros"]], signal, change: (value) => put({ rounding: value }) });
  const input = element("input.cw-field.cw-wide", { "aria-label": "input: channels, rows, columns", autocomplete: "off" });
  on(input, signal, { change: () => {
    const shape = input.value.trim().split(/[\u00d7x,\s]+/).map(Number);
    if (shape.length === 3 && shape.every((n) => Number.isInteger(n) && n > 0)) put({ input_shape: shape });
    else input.value = shapeWords(read().input_shape);
  } });
  const working = element("div.cw-workings", { "data-part": "working" }), aims = element("span.cw-aims", { "data-part": "goal" });
  const sums = element("span.cw-total", { "data-part": "total" });
  for (const [name, part] of [["input_shape", control("input_shape", "input", null, input)], ["add", add], ["presets", presets], ["rounding", rounding.element]]) if (!kit.hidden(name)) kit.controls.append(part);
  kit.controls.append(sums, aims, working);

  // Rows of the table: made once per place, then rewritten.
  function makeRow(place) {
    const grip = element("button.cw-grip", { type: "button", "data-do": "grip" }, "\u2261");
    const cells = Object.fromEntries(["grip", "kind", ...COLUMNS, "shape", "parameters", "multiply_adds", "sees", "jump", "remove"].map((name) => [name, element("td", { "data-col": name })]));
    const remove = button({ act: "remove", label: "\u00d7", title: "remove this layer (Delete)", signal, press: () => drop(place) });
    cells.grip.append(grip);
    cells.remove.append(remove);
    cells.kind.append(element("span"), " ", element("small"));
    const fields = Object.fromEntries(COLUMNS.map((name) => [name, number(place, name)]));
    for (const name of COLUMNS) { cells[name].dataset.trait = name; cells[name].append(fields[name].element); }
    const row = element("tr", { "data-row": place }, ...Object.values(cells)), why = element("td", { colspan: 11, "data-part": "why" });
    const more = element("tr.cw-why", { hidden: true }, element("td", { colspan: 2 }), why);
    on(row, signal, {
      click: (e) => { if (!e.target.closest("button, input") && focusOf(read()) !== place) state.commit({ focus: place }, "focus"); },
      focusin: () => { if (focusOf(read()) !== place && read().layers[place]) state.commit({ focus: place }, "focus"); },
    });
    on(grip, signal, { keydown: (e) => gripKey(e, place), pointerdown: (e) => carry(e, place) });
    return { row, more, why, grip, cells, fields, remove };
  }

  function number(place, name) {
    return scrub({ signal, get: () => read().layers[place]?.[name] ?? 0, set: (value, phase) => {
      const layers = read().layers.map((layer, i) => (i === place ? { ...layer, [name]: value } : layer));
      if (phase === "drag") state.preview({ layers }); else put({ layers });
    } });
  }

  function drop(place) {
    edit((layers) => layers.filter((_, i) => i !== place));
    requestAnimationFrame(() => made[min(place, read().layers.length - 1)]?.grip.focus());
  }
  function shift(from, to) {
    if (to < 0 || to >= read().layers.length || from === to) return;
    const layers = [...read().layers];
    layers.splice(to, 0, ...layers.splice(from, 1));
    put({ layers, focus: to });
    made[to].grip.focus();
  }
  function gripKey(e, place) {
    const d = { ArrowUp: -1, ArrowDown: 1 }[e.key], remove = e.key === "Delete" || e.key === "Backspace";
    if (!d && !remove) return;
    e.preventDefault();
    e.stopPropagation();
    if (remove) drop(place);
    else if (e.altKey) shift(place, place + d);
    else made[place + d]?.grip.focus();
  }
  function carry(e, place) {
    const stop = new AbortController();
    const target = (e) => made.findIndex(({ row }) => { const box = row.getBoundingClientRect(); return e.clientY >= box.top && e.clientY < box.bottom; });
    const show = (to) => made.forEach(({ row }, i) => row.classList.toggle("cw-target", i === to && to !== place));
    on(window, stop.signal, {
      pointermove: (e) => show(target(e)),
      pointercancel: () => { stop.abort(); show(-1); },
      pointerup: (e) => { stop.abort(); show(-1); shift(place, target(e)); },
    });
  }

  // How the chosen row's numbers come about.
  function drawWorking(s, row) {
    const lines = row < 0 || hides(s, String(row)) ? [] : workings(s, facts, row), key = JSON.stringify(lines);
    if (working.dataset.key === key) return;
    working.dataset.key = key;
    working.replaceChildren(...lines.flatMap(([name, text]) => [element("span.cw-label", {}, name), element("span", {}, text)]));
  }

  function drawAims(s) {
    const found = s.predict ? [] : goals(s, facts), key = JSON.stringify(found);
    visible(aims, Object.keys(s.goal).length > 0 && found.length > 0);
    if (aims.dataset.key === key) return;
    aims.dataset.key = key;
    aims.replaceChildren("goal: ", ...found.map(([words, met]) => element("span", { "data-met": String(met) }, `${met ? "\u2713" : "\u25cb"} ${words}`)));
  }

  // Scroll the list, never the page, so that the chosen row is in it, and whole rows are.
  let followed = "";
  function follow(place) {
    const key = `${place} ${list.clientHeight} ${made.length}`;
    if (followed === key || !made[place]) return;
    followed = key;
    list.classList.toggle("cw-long", table.offsetHeight > list.clientHeight);
    const head = table.tHead.offsetHeight, top = ({ row }) => row.offsetTop - head, { row, more } = made[place];
    const low = top(made[place]) + row.offsetHeight + more.offsetHeight - (list.clientHeight - head);
    if (top(made[place]) < list.scrollTop) list.scrollTop = top(made[place]);
    else if (low > list.scrollTop) list.scrollTop = min(...made.map(top).filter((y) => y >= low));
  }

  // Numbers too long for a column, shortened; the whole number is the cell's title.
  const amount = (n) => (n < (narrow ? 1e6 : 1e7) ? count(n) : n < 1e9 ? `${(n / 1e6).toFixed(n < 1e7 ? 2 : 1)} M` : `${(n / 1e9).toFixed(2)} G`);

  const made = [];
  let narrow = false;
  function draw(s) {
    facts = rowsOf(s);
    const width = stage.clientWidth / parseFloat(getComputedStyle(stage).fontSize);
    narrow = width < 66;
    for (const [name, least] of [["cw-narrow", 66], ["cw-tiny", 48]]) kit.root.classList.toggle(name, width < least);
    while (made.length < s.layers.length) { const row = makeRow(made.length); made.push(row); body.append(row.row, row.more); }
    while (made.length > s.layers.length) { const { row, more } = made.pop(); row.remove(); more.remove(); }
    const most = { parameters: max(1, ...facts.map((f) => f.parameters || 0)), multiply_adds: max(1, ...facts.map((f) => f.multiply_adds || 0)) };
    made.forEach((row, place) => drawRow(s, row, place, most));
    if (active(input) !== input) input.value = shapeWords(s.input_shape);
    rounding.set(s.rounding);
    const stands = facts.every((fact) => fact.shape);
    write(sums, `total${stands ? "" : " so far"} ${count(total(facts, "parameters"))} parameters \u00b7 ${count(total(facts, "multiply_adds"))} mult-adds`);
    visible(sums, !s.predict);
    drawWorking(s, focusOf(s));
    drawAims(s);
    follow(focusOf(s));
    drawSight(s);
  }

  function drawRow(s, parts, place, most) {
    const layer = s.layers[place], fact = facts[place], { cells, fields, row } = parts;
    const hidden = fact.shape && hides(s, String(place)), chosen = focusOf(s) === place, used = FIELDS[layer.kind] || [];
    row.classList.toggle("cw-chosen", chosen);
    row.classList.toggle("cw-waits", Boolean(fact.waits));
    row.classList.toggle("cw-refused", Boolean(fact.trouble));
    setAttribute(row, "aria-selected", String(chosen));
    setAttribute(parts.grip, "aria-label", `row ${place + 1}, ${layer.kind}: move with Alt and up or down, Delete removes`);
    write(cells.kind.firstChild, nameOf(layer));
    write(cells.kind.lastChild, [layer.groups > 1 ? `${layer.groups} groups` : "", layer.bias ? "" : "no bias"].filter(Boolean).join(", "));
    for (const name of COLUMNS) {
      const field = fields[name];
      visible(field.element, used.includes(name));
      field.show(layer[name]);
      setAttribute(field.element, "aria-label", `row ${place + 1}, ${layer.kind}: ${WORDS[name]}`);
    }
    const numbers = fact.shape && !hidden ? { shape: shapeWords(fact.shape), parameters: amount(fact.parameters), multiply_adds: amount(fact.multiply_adds), sees: shapeWords(fact.sees), jump: fact.jump[0] === fact.jump[1] ? String(fact.jump[0]) : shapeWords(fact.jump) } : {};
    const instead = fact.waits ? `waits for row ${fact.waits}` : fact.trouble ? "refused" : "";
    for (const name of ["shape", "parameters", "multiply_adds", "sees", "jump"]) {
      write(cells[name], hidden ? "?" : numbers[name] || (name === "shape" ? instead : ""));
      cells[name].classList.toggle("cw-unknown", Boolean(hidden));
      if (!(name in most)) continue;
      setAttribute(cells[name], "title", numbers[name] && count(fact[name]));
      const share = hidden || !fact[name] ? 0 : max(0.04, log10(1 + fact[name]) / log10(1 + most[name]));
      cells[name].style.setProperty("--share", `${(100 * share).toFixed(1)}%`);
    }
    drawWhy(s, parts, place, hidden);
  }

  function drawWhy(s, { more, why }, place, hidden) {
    const fact = facts[place], note = fact.trouble || (hidden ? "" : fact.note || "");
    visible(more, note !== "");
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

  // The photo at the network's own resolution, with what one unit of each layer up to the chosen one sees:
  // of the last one that stands and is not hidden.
  function drawSight(s) {
    const pixels = decode(model.get("_pixels")), row = focusOf(s), last = facts.findLastIndex((fact, i) => i <= row && fact.sees && !hides(s, String(i)));
    const fact = facts[last], shown = last >= 0 && (last === row || !facts[row].shape) ? fact : null;
    visible(view.element, Boolean(pixels));
    if (!pixels) return;
    const size = s.input_shape.slice(1), [h, w] = size;
    look = viewOf(size, shown, canvas.clientWidth || 190);
    const { context, photo } = drawPhoto(canvas, pixels, size, look), { scale, origin } = look;
    view.name(shown ? `${last === row ? "" : "row " + (last + 1) + " "}sees ${shapeWords(shown.sees)}` : "input", `${shown ? "of " : ""}${h}\u00d7${w}`);
    const boxes = shown ? nested(s, last) : [];
    boxes.forEach(({ first, size }, i) => {
      const outer = i === boxes.length - 1, [y, x] = first.map((v, a) => origin[a] + v * scale), [bh, bw] = size.map((v) => max(v * scale, 3));
      const outside = outer && first.some((v, a) => v < 0 || v + size[a] > [h, w][a]);
      for (const [width, colour] of [[outer ? 4.5 : 3, css(PAPER.light)], [outer ? 2.5 : 1.2, css(outer ? ROLES.output : ROLES.input)]]) {
        context.lineWidth = width;
        context.strokeStyle = colour;
        context.setLineDash(outside ? [6, 4] : []);
        context.strokeRect(x, y, bw, bh);
      }
      if (outside) solidInside(context, [x, y, bw, bh], photo);
    });
    const unit = shown ? unitAt(shown) : [];
    Object.assign(canvas.dataset, { focus: unit.join(), value: shown ? shapeWords(shown.sees) : "", first: boxes.map(({ first }) => first.join()).join(" ") });
    setAttribute(canvas, "aria-label", say(s));
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

  // Fields round one place, from the first layer to the chosen one; each size once, hidden ones left out.
  function nested(s, row) {
    const boxes = [], unit = unitAt(facts[row]);
    const middle = unit.map((i, a) => facts[row].start[a] + i * facts[row].jump[a] + facts[row].sees[a] / 2);
    for (let k = 0; k <= row; k++) {
      const { sees, start, jump, units } = facts[k];
      if ((boxes.length && same(boxes.at(-1).size, sees)) || hides(s, String(k))) continue;
      const first = sees.map((r, a) => start[a] + jump[a] * min(units[a] - 1, max(0, round((middle[a] - r / 2 - start[a]) / jump[a]))));
      boxes.push({ first, size: sees });
    }
    return boxes;
  }
  function unitAt({ units }) {
    return units.map((n, a) => min(n - 1, max(0, floor(at[a] * n))));
  }

  on(canvas, signal, {
    pointermove: (e) => {
      const box = canvas.getBoundingClientRect(), size = read().input_shape.slice(1), { origin, scale } = look;
      at = [e.clientY - box.top, e.clientX - box.left].map((x, a) => min(0.999, max(0, (x - origin[a]) / (size[a] * scale))));
      over = true;
      kit.ask();
    },
    pointerleave: () => { over = false; kit.ask(); },
    blur: () => { over = false; kit.ask(); },
    keydown: (e) => {
      const way = arrow(e), fact = facts[focusOf(read())];
      if (!way || !fact?.units) return;
      e.preventDefault();
      at = unitAt(fact).map((i, a) => (min(fact.units[a] - 1, max(0, i + way[a])) + 0.5) / fact.units[a]);
      over = true;
      kit.ask();
    },
  });

  function say(s) {
    const row = focusOf(s), fact = facts[row], hidden = row >= 0 && hides(s);
    if (!over || hidden || !fact?.shape) return sentence(s, hidden);
    const [i, j] = unitAt(fact), edges = [i, j].map((u, a) => [fact.start[a] + u * fact.jump[a], fact.start[a] + u * fact.jump[a] + fact.sees[a] - 1].map(full).join(" to "));
    return `Row ${row + 1}, unit at row ${i}, column ${j} sees input rows ${edges[0]}, columns ${edges[1]}.`;
  }
  return { draw, sentence: say, problem: () => null, keys: {} };
}

export { render };
