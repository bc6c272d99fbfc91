// The architecture explorer: where size, cost and sight sit in a network.
import { mount } from "./kit/root.js";
import { choice } from "./kit/choice.js";
import { pick } from "./kit/pick.js";
import { panel } from "./kit/panel.js";
import { element, div, on, arrow, visible, write, setAttribute } from "./kit/dom.js";
import { ROLES, css } from "./kit/scale.js";
import { amountOf, count } from "./kit/text.js";
import { decode } from "./kit/state.js";
import { viewOf, drawField } from "./kit/sight.js";
import { floor, max, min, round } from "./kit/numbers.js";
import { KEYS, WRITERS, times, trail, levelOf, moved, unitsOf, unitOf, firstOf, unitAt, middleOf, measured, scaleOf, amount, nameOf, noun, onto, secondOf, partly, sentence } from "./architecture_words.js";

const MEASURES = [["params", "parameters"], ["mult-adds", "mult-adds"], ["memory", "memory"], ["field", "sees"]];
const SECOND = [204, 121, 167];
const TONES = { params: ROLES.weight, "mult-adds": SECOND, memory: ROLES.output, field: ROLES.input };
const HANDS = "Left and right: along the stages. Down: into a stage that is made of stages, up: out of it. Click a stage, then move its unit on the photo by the arrows, by a click, or by dragging its frame. A stage of the second net, chosen by click or arrows, has its dotted frame at the same place; Enter lets it go.";
const ARCS = 8;                                      // a stage with more shortcuts shows one arc

function render({ model, el }) {
  const net = () => model.get("_net"), node = (s) => trail(net().stages, s.stage).at(-1);
  const predict = {
    parse: amountOf,
    prompt: (s) => `Stage ${s.stage}: how many ${s.measure === "field" ? "pixels a side does a unit see" : noun(s.measure)}?`,
    place: (s) => `${s.stage} ${s.measure}`,
    answer: (s) => measured(node(s), s.measure),
    epoch: (s) => s.architecture + s.input_shape,
  };
  return mount(model, el, { name: "ArchitectureExplorer", title: "Architecture explorer", idea: "Where size, cost and sight sit in a network.", hands: HANDS, writers: WRITERS, listen: ["_net", "_others", "_pixels", "_maps"], predict, build });
}

function build(kit) {
  const { signal, state, stage, model } = kit, { read } = state, { hides } = kit.question;
  const net = () => model.get("_net"), others = () => model.get("_others");
  const chosen = (s) => trail(net().stages, s.stage).at(-1);

  const crumb = div("cw-arch-crumb"), facts = element("div.cw-arch-facts", { "data-part": "facts" }), factsToo = element("div.cw-arch-facts.cw-arch-second", { "data-part": "second" });
  const own = row("input", 0), other = row("other", 0), under = div("cw-arch-crumb");
  const canvas = element("canvas.cw-field-view", { tabindex: 0, role: "img", "data-part": "photo", "aria-label": "what one unit sees" });
  const strong = div("cw-arch-strong"), view = panel("output", "", canvas, strong);
  view.element.classList.add("cw-sight");
  stage.append(div("cw-arch", div("cw-arch-nets", crumb, own, under, other), view.element, facts, factsToo));

  const measure = choice({ trait: "measure", label: "bars", options: MEASURES, signal, change: (value) => state.commit({ measure: value }) });
  const names = Object.keys(others());
  const compare = pick({ trait: "compare", label: "compare with", options: [["", "nothing"], ...names.map((name) => [name, name])], signal, change: (value) => state.commit({ compare: value || null, compare_stage: null }) });
  for (const [name, part] of [["measure", measure], ["compare", compare]]) if (!kit.hidden(name) && (part !== compare || names.length)) kit.controls.append(part.element);

  function row(part, tabindex) {
    return element("div.cw-arch-net", { "data-part": part, role: "listbox", "aria-orientation": "horizontal", tabindex });
  }

  // The same place of the photo in another stage, where a unit has been chosen.
  function go(path) {
    const s = read(), from = chosen(s), to = trail(net().stages, path).at(-1);
    if (path === s.stage) return;
    const kept = s.row === null && s.col === null;
    const [r, c] = kept ? [null, null] : unitAt(to, middleOf(from, unitOf(from, s)));
    state.commit({ stage: path, row: r, col: c }, "stage");
  }

  const hidden = (s, node) => hides(s, `${node.path} ${s.measure}`);

  function fill(list, stages, s, { most, tall }, mine) {
    const key = JSON.stringify([stages[0].path, stages.length, mine ? s.architecture + s.input_shape : s.compare]);
    if (list.dataset.key !== key) {
      list.dataset.key = key;
      list.replaceChildren(...stages.map((node) => element("div.cw-arch-stage", { role: "option", "data-at": node.path, style: `--wide: ${Math.log2(2 + node.shape[0]).toFixed(3)}` },
        div("cw-arch-map", blockOf(node)), div("cw-arch-bar", element("b")), element("div.cw-arch-name", {}, nameOf(node)))));
    }
    const wide = stages.map(({ shape }) => Math.log2(2 + shape[0])), least = (list.clientWidth * min(...wide)) / wide.reduce((a, b) => a + b, 0);
    list.classList.toggle("cw-arch-many", least < 3 + 1.3 * max(11, 0.85 * parseFloat(getComputedStyle(list).fontSize)));
    list.style.setProperty("--tone", css(TONES[s.measure]));
    stages.forEach((node, k) => {
      const el = list.children[k], secret = mine ? hidden(s, node) : s.predict, value = measured(node, s.measure), share = secret ? 0 : value / most.at(mine ? 0 : -1);
      setAttribute(el, "aria-selected", String(node.path === (mine ? s.stage : s.compare_stage)));
      setAttribute(el, "aria-label", [node.path, times(node.shape), ...(secret ? [] : [`${count(value)} ${s.measure === "field" ? "pixels" : noun(s.measure)}`])].join(", "));
      setAttribute(el, "title", el.getAttribute("aria-label"));
      el.classList.toggle("cw-unknown", secret);
      el.style.setProperty("--high", (max(...unitsOf(node)) / tall).toFixed(4));
      el.style.setProperty("--share", `${(100 * share).toFixed(2)}%`);
    });
  }

  // A block with its shortcuts as arcs, its branches as strips.
  function blockOf(node) {
    const kinds = node.kind === "chain" ? node.parts.map(({ kind }) => kind) : [node.kind], arcs = kinds.filter((kind) => kind === "residual").length;
    const parts = node.kind === "concat" ? node.parts.map(({ shape }) => ["", shape[0]]) : !arcs ? [] : arcs > ARCS ? [["cw-arch-arc", 1]] : kinds.map((kind) => [kind === "residual" ? "cw-arch-arc" : "", 1]);
    return div(`cw-arch-block cw-arch-${node.kind}`, ...parts.map(([name, part]) => element("i", { class: name, style: `--part: ${part}` })));
  }

  function draw(s) {
    const room = stage.clientWidth / parseFloat(getComputedStyle(stage).fontSize);  // in em
    for (const [name, least] of [["cw-narrow", 56], ["cw-slim", 40]]) kit.root.classList.toggle(name, room < least);
    const way = trail(net().stages, s.stage), node = way.at(-1), level = levelOf(net(), s.stage);
    const second = way.length === 1 ? others()[s.compare] : null, secret = hidden(s, node);
    const scale = scaleOf([level, ...(second ? [second.stages] : [])], s.measure);
    stage.firstChild.classList.toggle("cw-arch-two", Boolean(second));
    fill(own, level, s, scale, true);
    setAttribute(own, "aria-label", `stages of ${[s.architecture, ...way.slice(0, -1).map(({ path }) => path)].join(", ")}`);
    for (const part of [under, other]) visible(part, Boolean(second));
    if (second) {
      fill(other, second.stages, s, scale, false);
      setAttribute(other, "aria-label", `stages of ${s.compare}`);
      heads(under, s.compare + second.apart, second, s, scale.apart);
    }
    const also = second && !s.predict && secondOf(s, others());
    visible(factsToo, Boolean(also));
    if (also) write(factsToo, factsOf(also));
    heads(crumb, [s.architecture, ...way.slice(0, -1).map(nameOf)].join(" \u203a "), way.at(-2) || net(), s, scale.apart);
    write(facts, secret ? `${nameOf(node)}  ?` : factsOf(node));
    measure.set(s.measure);
    compare.set(s.compare || "");
    drawSight(s, node, secret);
  }

  function factsOf(node) {
    return `${nameOf(node)}  ${times(node.shape)} \u00b7 ${amount(node.parameters)} params \u00b7 ${amount(node.multiply_adds)} mult-adds \u00b7 sees ${times([...new Set(node.sees)])}, step ${times([...new Set(node.jump)])}`;
  }

  function heads(el, name, of, s, apart) {
    const total = s.measure === "field" ? (of.depth ? `depth ${of.depth}` : "") : `${(apart ? amount : count)(of[KEYS[s.measure]])} ${noun(s.measure)}${partly(of, s.measure)}`, key = [name, total, s.predict, apart].join();
    if (el.dataset.key === key) return;
    el.dataset.key = key;
    el.replaceChildren(element("b", {}, name), element("span", { "data-part": "total" }, s.predict ? "?" : total), ...(apart ? [element("span", { "data-part": "apart" }, "\u00b7 own scale")] : []));
  }

  // The strongest maps of the photo, each with its number: there are some where the net has weights.
  function drawStrong(node) {
    const maps = model.get("_maps")[node.path];
    visible(strong, Boolean(maps));
    if (!maps || strong.shown === maps) return;
    strong.shown = maps;
    const [number, rows, cols] = maps.shape, { buffer, byteOffset = 0 } = maps.data, levels = new Uint8Array(buffer || maps.data, byteOffset, number * rows * cols);
    setAttribute(strong, "aria-label", `strongest maps of the photo: ${node.strong.join(", ")}`);
    strong.replaceChildren(...node.strong.map((channel, k) => {
      const map = element("canvas", { width: cols, height: rows }), context = map.getContext("2d"), image = context.createImageData(cols, rows);
      for (let i = 0; i < rows * cols; i++) image.data.set([...Array(3).fill(levels[k * rows * cols + i]), 255], 4 * i);
      context.putImageData(image, 0, 0);
      return element("span", {}, map, String(channel));
    }));
  }

  let look = null;
  function drawSight(s, node, secret) {
    const pixels = decode(model.get("_pixels")), size = s.input_shape.slice(1), field = secret ? null : { ...node, units: unitsOf(node) };
    visible(view.element, Boolean(pixels));
    if (!pixels) return;
    const unit = unitOf(node, s), first = firstOf(node, unit), chosenToo = secret || s.predict ? null : secondOf(s, others());
    const second = chosenToo && onto(chosenToo, others()[s.compare], s.input_shape), boxes = field ? [{ first, size: node.sees, colour: ROLES.output }] : [];
    if (second) boxes.push({ first: firstOf(second, unitAt(second, middleOf(node, unit))), size: second.sees, colour: SECOND, dotted: true });
    look = viewOf(size, [field, second && { ...second, units: unitsOf(second) }].filter(Boolean), canvas.clientWidth || 170);
    drawField(canvas, pixels, size, look, boxes);
    view.name(secret ? "photo" : `sees ${times(node.sees)}`, `${secret ? "" : "of "}${times(size)}`);
    Object.assign(canvas.dataset, { focus: unit.join(), value: secret ? "" : times(node.sees), first: secret ? "" : first.join(), second: boxes[1] ? boxes[1].first.map(round).join() : "" });
    setAttribute(canvas, "aria-label", say(s));
    drawStrong(node);
  }

  const second = (path) => state.commit({ compare_stage: path }, "second");
  for (const [list, choose] of [[own, go], [other, second]]) on(list, signal, { click: (e) => { const at = e.target.closest(".cw-arch-stage"); if (at) choose(at.dataset.at); } });
  on(own, signal, { keydown: (e) => {
    const way = arrow(e);
    if (!way) return;
    e.preventDefault();
    go(moved(net(), read().stage, way));
  } });
  on(other, signal, { keydown: (e) => {
    const way = arrow(e), s = read(), stages = others()[s.compare].stages, at = stages.findIndex(({ path }) => path === s.compare_stage);
    if (!(way && way[1]) && e.key !== "Enter") return;
    e.preventDefault();
    if (e.key === "Enter") second(null);
    else second(stages[min(stages.length - 1, max(0, at + way[1]))].path);
  } });
  // A press takes the frame along, wherever the pointer goes; where it is let go, it stays.
  let before = null;
  function pointed(e) {
    const box = canvas.getBoundingClientRect(), node = chosen(read());
    const [row, col] = unitAt(node, [e.clientY - box.top, e.clientX - box.left].map((x, a) => floor((x - look.origin[a]) / look.scale)));
    return { row, col };
  }
  canvas.style.touchAction = "none";
  on(canvas, signal, {
    pointermove: (e) => { if (before) state.preview(pointed(e)); },
    pointerup: (e) => { if (before) state.commit(pointed(e), "unit"); before = null; },
    pointercancel: () => { if (before) state.preview(before); before = null; },
    pointerdown: (e) => {
      const s = read();
      if (e.button || !look || hidden(s, chosen(s))) return;
      before = { row: s.row, col: s.col };
      canvas.setPointerCapture(e.pointerId);
      state.preview(pointed(e));
    },
    keydown: (e) => {
      const way = arrow(e), node = chosen(read());
      if (!way) return;
      e.preventDefault();
      const [r, c] = unitOf(node, read()).map((i, a) => min(unitsOf(node)[a] - 1, max(0, i + way[a])));
      state.commit({ row: r, col: c }, "unit");
    },
  });

  const say = (s) => sentence(s, net(), others(), s.predict && hidden(s, chosen(s)));
  return { draw, sentence: say, problem: () => null, keys: {} };
}

export { render };
