// The occlusion viewer: cover a part and ask again; and which pixels made a unit fire.
import { mount } from "./kit/root.js";
import { panel } from "./kit/panel.js";
import { choice } from "./kit/choice.js";
import { pick } from "./kit/pick.js";
import { sketch, easel } from "./kit/sketch.js";
import { stepper } from "./kit/controls.js";
import { button } from "./kit/form.js";
import { element, div, on, atEnd, write, setAttribute, visible } from "./kit/dom.js";
import { ROLES, PAPER, INK, mix, css } from "./kit/scale.js";
import { waiting, SILENT } from "./kit/call.js";
import { count, full } from "./kit/text.js";
import { tableOf, problem, gridOf, nearest, placeOf, mapKey, placeKey, topOf, targetOf, columnOf, rowAt, answerOf, factsOf, standIn, layerOf, unitOf, unitKey, nameOf, briefly, percent, placesOf, two, sentence } from "./occlusion_words.js";
import { ceil, floor, max, min } from "./kit/numbers.js";

const HANDS = "Drag the patch on the picture or on the map, or move it with the arrows, Shift for ten steps. Scan covers every place; then the map is read, and nothing more is asked. Lowest goes to the spot that matters most. Under deconvnet choose a layer and a map, and click one of its units, or move with the arrows: the right picture shows which pixels made it fire. Page Up and Page Down: next class, or next map.";
const BARS = 5, OTHERS = 4, SLOW = 2;                // bars drawn; classes that win elsewhere, told apart; seconds worth telling beforehand
const FILLS = [["grey", "grey"], ["mean", "mean"], ["blur", "blur"], ["noise", "noise"]];

function render({ model, el }) {
  const scene = known(model);
  const factsNow = (s) => { const table = scene().maps.get(mapKey(s)); return table && factsOf(table, columnOf(s, scene()), topOf(scene())); };
  const complete = (s) => { const facts = !problem(s, scene().size) && factsNow(s); return Boolean(facts) && facts.done === facts.all; };
  const deep = (s) => s.view === "deconvnet", unit = (s) => scene().units.get(unitKey(unitOf(s, scene())));
  const place = (s) => (deep(s) ? unitKey(unitOf(s, scene())) : `${mapKey(s)} ${targetOf(s, scene())}`);
  const where = (s, [i, j], share) => `row ${i * s.stride}, column ${j * s.stride}: ${percent(share)} percent`;
  const predict = {
    prompt: (s) => (deep(s) ? (unit(s) ? "How many pixels a side does it see?" : null) : complete(s) ? `How low does ${nameOf(s, targetOf(s, scene()))} fall, in percent? Or move the patch there:` : null),
    answer: (s) => (deep(s) ? max(...unit(s).size) : floor(100 * factsNow(s).least + 0.5)),
    place, epoch: () => 0,
    choice: { label: "Commit the patch", pick: (s) => {
      const at = placeOf(s, scene().size), facts = factsNow(s);
      return { place: place(s), yours: at ? where(s, at, answerOf(s, scene())[columnOf(s, scene())]) : "no square", computed: where(s, facts.lowest, facts.least) };
    } },
  };
  return mount(model, el, { name: "OcclusionViewer", title: "Occlusion viewer", idea: "Cover a part and ask again.", hands: HANDS, listen: ["_scene", "_map", "_place", "_unit", "_cover", "_note", "_trouble", "_scanning"], predict, build: (kit) => build(kit, { scene, factsNow, complete, deep }) });
}

// All that Python has told, kept: the last of each kind is taken in when it is asked for.
function known(model) {
  const all = { maps: new Map(), places: new Map(), units: new Map() }, last = {};
  const keep = (map, key, value, most) => { map.delete(key); map.set(key, value); if (map.size > most) map.delete(map.keys().next().value); };
  const news = (name) => { const sent = model.get(name); if (sent === last[name]) return null; last[name] = sent; return Object.keys(sent).length ? sent : null; };
  return () => {
    let sent = news("_scene");
    if (sent) Object.assign(all, sent, { picture: tableOf(sent.picture, Uint8Array) });
    if ((sent = news("_map"))) keep(all.maps, mapKey(sent), tableOf(sent), 24);
    if ((sent = news("_place"))) keep(all.places, placeKey(sent, sent.row, sent.col), sent.answer, 2000);
    if ((sent = news("_unit"))) keep(all.units, unitKey(sent), { ...sent, map: tableOf(sent.map), pattern: tableOf(sent.pattern, Uint8Array) }, 40);
    return all;
  };
}

const CANVASES = new WeakMap();

// A picture of levels, grey or in colour, as a canvas to draw from; made once.
function canvasOf(picture) {
  if (!CANVASES.has(picture)) {
    const { shape: [h, w, depth = 1], data } = picture, canvas = element("canvas", { width: w, height: h }), context = canvas.getContext("2d"), image = context.createImageData(w, h);
    for (let k = 0; k < h * w; k++) image.data.set([0, 1, 2].map((c) => data[k * depth + (depth > 1 ? c : 0)]), 4 * k);
    for (let k = 0; k < h * w; k++) image.data[4 * k + 3] = 255;
    context.putImageData(image, 0, 0);
    CANVASES.set(picture, canvas);
  }
  return CANVASES.get(picture);
}

function build(kit, { scene, factsNow, complete, deep }) {
  const { model, signal, state, stage, theme } = kit, { read } = state, { hides } = kit.question;
  const wait = waiting("Python", signal, kit.ask);
  const sizeOf = () => scene().size;
  let asked = "", number = 0, cover = null;
  const answered = () => { asked = ""; wait.answered(); };
  for (const name of ["_place", "_unit"]) {
    model.on(`change:${name}`, answered);
    atEnd(signal, () => model.off(`change:${name}`, answered));
  }
  const tell = (ask) => { model.set("_ask", { ...ask, number: ++number + Date.now() }); model.save_changes(); };

  // What is shown and not known is asked for: one question at a time, the newest next.
  function want(s) {
    const key = deep(s) ? unitOf(s, scene()) : placeOf(s, sizeOf()), [i, j] = deep(s) || !key ? [] : key.map((x) => x * s.stride);
    if (!key || (deep(s) ? scene().units.has(unitKey(key)) : answerOf(s, scene()))) return;
    const ask = deep(s) ? { what: "unit", ...key } : { what: "place", patch: s.patch, fill: s.fill, row: i, col: j }, name = JSON.stringify(ask);
    if (asked && (asked === name || wait.words() !== SILENT)) return;
    asked = name;
    tell(ask);
    wait.ask();
  }

  // Hands.
  const put = (patch) => state.commit({ ...patch, scanned: complete({ ...read(), ...patch }) }, Object.keys(patch).join());
  const able = () => !problem(read(), sizeOf());
  const under = (y, x) => { const s = read(), [i, j] = nearest(s, sizeOf(), [y, x].map((share, a) => share * sizeOf()[a] - s.patch / 2)); return { row: i * s.stride, col: j * s.stride }; };
  function walk(down, right, far) {
    const s = read(), [rows, cols] = gridOf(s, sizeOf()), at = placeOf(s, sizeOf());
    if (!able()) return;
    const [i, j] = at ? [at[0] + far * down, at[1] + far * right] : [floor(rows / 2), floor(cols / 2)];
    state.commit({ row: min(max(i, 0), rows - 1) * s.stride, col: min(max(j, 0), cols - 1) * s.stride }, "walk");
  }
  const hand = (view) => ({
    enter: (y, x, e) => { if (e.buttons & 1 && !deep(read()) && able()) state.preview(under(y, x)); },
    choose: (y, x) => { if (!deep(read()) && able()) state.commit(under(y, x)); },
    move: (down, right, far) => { if (!deep(read())) walk(down, right, far); else if (view === "heat") step(down, right, far); },
  });
  const unitAt = (y, x) => { const [, h, w] = layerOf(read(), scene()).shape; return [floor(y * h), floor(x * w)]; };
  function step(down, right, far) {
    const s = read(), { unit } = unitOf(s, scene()), from = unit || scene().units.get(unitKey(unitOf(s, scene())))?.at, [, h, w] = layerOf(s, scene()).shape;
    state.commit({ unit: from ? [min(max(from[0] + far * down, 0), h - 1), min(max(from[1] + far * right, 0), w - 1)] : [floor(h / 2), floor(w / 2)] }, "unit");
  }
  const photo = sketch("photo", "the picture, with the patch", signal, hand("photo"));
  const second = hand("heat");
  const heat = sketch("heat", "the map", signal, { ...second, choose: (y, x) => { if (deep(read())) state.commit({ unit: unitAt(y, x) }); else second.choose(y, x); } });
  const [bars, winner, pattern] = [["bars", "probabilities"], ["winner", "which class wins"], ["pattern", "the pixels that made it fire"]].map(([part, label]) => easel(part, label));
  for (const { canvas } of [photo, heat]) on(canvas, signal, { pointerdown: (e) => canvas.setPointerCapture?.(e.pointerId) });
  const views = { photo: panel("input", "picture", photo.canvas), heat: panel("output", "map", heat.canvas), bars: panel("output", "whole and covered", bars.canvas), winner: panel("gradient", "who wins", winner.canvas), pattern: panel("input", "pixels", pattern.canvas) };
  const legend = element("div.cw-legend", { "data-part": "others" });
  legend.style.flexWrap = "wrap";
  views.winner.element.append(legend);
  const side = div("cw-occ-side", views.bars.element, views.winner.element, views.pattern.element), note = div("cw-note");
  stage.append(div("cw-occ", views.photo.element, views.heat.element, side), note);

  // Controls.
  const layers = scene().layers, classes = scene().classes, first = read();
  const named = {
    view: choice({ trait: "view", label: "view", options: [["occlusion", "occlusion"], ["deconvnet", "deconvnet"]], signal, change: (view) => state.commit({ view }) }),
    target: pick({ trait: "target", label: "class", options: [["", "the answer"], ...classes.map((k) => [String(k), nameOf(first, k)])], signal, change: (k) => put({ target: k === "" ? null : Number(k) }) }),
    patch: stepper({ trait: "patch", label: "patch", signal, change: (patch) => put({ patch }) }),
    stride: stepper({ trait: "stride", label: "step", signal, change: (stride) => put({ stride }) }),
    fill: choice({ trait: "fill", label: "fill", options: FILLS, signal, change: (fill) => put({ fill }) }),
  };
  const scan = button({ act: "scan", label: "Scan", signal, press: () => { tell({ what: "scan" }); wait.ask(); } }), stop = button({ act: "stop", label: "Stop", signal, press: () => tell({ what: "stop" }) }), told = element("span", { "data-part": "progress" });
  const group = (name, ...made) => element("span.cw-control", { "data-trait": name }, ...made), scans = group("scan", scan, stop, told);
  const lowest = button({ act: "lowest", label: "Lowest", title: "to the place where covering hurts most", signal, press: () => { const s = read(), at = factsNow(s)?.lowest; if (at) state.commit({ row: at[0] * s.stride, col: at[1] * s.stride }); } });
  const whole = button({ act: "whole", label: "No patch", signal, press: () => state.commit({ row: null, col: null }) });
  const jump = group("lowest", lowest, whole);
  const layer = pick({ trait: "layer", label: "layer", options: layers.map(({ name, shape }) => [name, `${name} ${shape.join("\u00d7")}`]), signal, change: (name) => state.commit({ layer: name, unit: null }) });
  const channel = stepper({ trait: "channel", label: "map", signal, change: (k) => turn(k) });
  const strongest = button({ act: "strongest", label: "Strongest unit", signal, press: () => state.commit({ unit: null }) });
  const units = group("strongest", strongest);
  function turn(k) {
    const [maps] = layerOf(read(), scene()).shape;
    state.commit({ channel: min(max(k, 0), maps - 1), unit: null }, "channel");
  }
  const parts = { view: named.view.element, target: named.target.element, patch: named.patch.element, stride: named.stride.element, fill: named.fill.element, scan: scans, lowest: jump, layer: layer.element, channel: channel.element, strongest: units };
  for (const [name, part] of Object.entries(parts)) if (!kit.hidden(name) && (layers.length || !["view", "layer", "channel", "strongest"].includes(name))) kit.controls.append(part);
  model.on("change:_scanning", wait.answered);
  model.on("change:_map", wait.answered);
  atEnd(signal, () => { model.off("change:_scanning", wait.answered); model.off("change:_map", wait.answered); });

  // Page Up: the next class, or the next map.
  function next(by) {
    const s = read();
    if (deep(s)) return turn(unitOf(s, scene()).channel + by);
    const all = [null, ...classes], at = all.indexOf(s.target);
    put({ target: all[(at + by + all.length) % all.length] });
  }

  function draw(s, trouble) {
    const here = scene(), font = parseFloat(getComputedStyle(kit.root).fontSize), width = stage.clientWidth || 640, hidden = !trouble && hides(s), deconvnet = deep(s);
    setAttribute(kit.root, "data-view", s.view);
    for (const [name, made] of Object.entries(named)) made.set(name === "target" ? String(s.target ?? "") : s[name], Boolean(trouble) && ["patch", "stride"].includes(name) && trouble.text.startsWith(name === "stride" ? "step" : "patch"));
    const all = trouble ? 0 : gridOf(s, here.size).reduce((a, b) => a * b), facts = trouble || deconvnet ? null : factsNow(s), scanning = model.get("_scanning"), rest = all - (facts?.done || 0);
    for (const name of ["target", "patch", "stride", "fill"]) visible(parts[name], !deconvnet);
    for (const name of ["layer", "channel"]) visible(parts[name], deconvnet);
    visible(parts.strongest, deconvnet && Boolean(s.unit));
    visible(scans, !deconvnet && !trouble && rest > 0);
    visible(scan, !scanning);
    visible(stop, scanning);
    const seconds = rest * model.get("_seconds");
    write(scan, `Scan ${placesOf(rest)}`);
    write(told, scanning ? `${count(facts?.done || 0)} of ${count(all)}` : seconds > SLOW ? `about ${ceil(seconds)} s` : "");
    visible(jump, !deconvnet && !trouble && (s.row !== null || (!hidden && facts?.done > 0)));
    visible(lowest, !hidden && facts?.done > 0);
    visible(whole, s.row !== null && s.col !== null);
    if (layers.length) { const { layer: name, channel: k } = unitOf(s, here); layer.set(name); channel.set(k); }
    write(note, [model.get("_note"), model.get("_trouble"), wait.words()].filter(Boolean).join(" \u00b7 "));
    const p = { s, here, font, hidden, facts, deconvnet, trouble: Boolean(trouble), ink: css(INK[theme()]), paper: css(PAPER[theme()]), soft: css(mix(PAPER[theme()], INK[theme()], 0.45)) };
    const gap = 0.9 * font, column = deconvnet ? (width - 2 * gap) / 3 : 13 * font, room = [deconvnet ? column : (width - column - 2 * gap) / 2, 20 * font];
    for (const [name, shown] of [["bars", !deconvnet], ["winner", !deconvnet && !hidden && facts?.others.length > 0], ["pattern", deconvnet]]) visible(views[name].element, shown);
    for (const [el, wide] of [[views.photo.element, room[0]], [views.heat.element, room[0]], [side, column]]) el.style.width = `${wide}px`;
    Object.assign(p, { fit: min((room[0] - 3) / here.size[1], room[1] / here.size[0]) });
    drawPhoto(p);
    if (deconvnet) { drawMap(p, room); drawPattern(p); } else { drawHeat(p); drawBars(p, column - 3, 1.55 * font); if (facts?.others.length && !hidden) drawWinner(p, column - 3, 11 * font); }
    if (!trouble) want(s);
  }

  // A clean sheet with the picture on it, in pixels of the picture times `fit`.
  function sheetOf(made, { here, fit }, alpha = 1, picture = here.picture) {
    const [h, w] = here.size.map((n) => n * fit), context = made.sheet(w, h);
    context.imageSmoothingEnabled = fit < 1;
    context.globalAlpha = alpha;
    context.drawImage(canvasOf(picture), 0, 0, w, h);
    context.globalAlpha = 1;
    return context;
  }
  function box(context, [y, x], [h, w], colour, paper, dash = []) {
    for (const [stroke, thick] of [[paper, 4.5], [colour, 2.2]]) {
      context.setLineDash(stroke === colour ? dash : []);
      [context.strokeStyle, context.lineWidth] = [stroke, thick];
      context.strokeRect(x, y, w, h);
    }
  }
  // The outline of what reaches beyond the picture runs along its border.
  function inside(context, first, size, limits, paper) {
    const low = first.map((n) => max(n, 2)), high = first.map((n, a) => min(n + size[a], limits[a] - 2));
    box(context, low, high.map((n, a) => max(n - low[a], 1)), css(ROLES.output), paper);
  }
  function hatch(context, [y, x, h, w], colour, space = 6) {
    context.save();
    context.beginPath();
    context.rect(x, y, w, h);
    context.clip();
    context.beginPath();
    for (let k = -h; k < w; k += space) { context.moveTo(x + k, y + h); context.lineTo(x + k + h, y); }
    [context.strokeStyle, context.lineWidth] = [colour, 1];
    context.setLineDash([]);
    context.stroke();
    context.restore();
  }
  const unknown = (context, { here, fit, paper, soft, ink, font }) => {
    const [h, w] = here.size.map((n) => n * fit);
    context.fillStyle = paper;
    context.fillRect(0, 0, w, h);
    hatch(context, [0, 0, h, w], soft);
    [context.fillStyle, context.font, context.textAlign] = [ink, `bold ${2 * font}px sans-serif`, "center"];
    context.fillText("?", w / 2, h / 2 + 0.7 * font);
  };

  function drawPhoto(p) {
    const { s, here, fit, deconvnet, trouble, paper, soft, hidden } = p, context = sheetOf(photo, p), found = deconvnet && !hidden && here.units.get(unitKey(unitOf(s, here)));
    const at = !deconvnet && !trouble ? placeOf(s, here.size) : null;
    if (at) {
      const [row, col] = at.map((i) => i * s.stride), size = s.patch, sent = model.get("_cover");
      if (sent !== cover?.sent) cover = { sent, picture: sent.shape && tableOf(sent, Uint8Array) };
      const place = [col, row, size, size].map((n) => n * fit);
      if (sent.fill === s.fill && (sent.patch === size || s.fill !== "blur")) {
        const made = canvasOf(cover.picture), [v, u] = [made.height / here.size[0], made.width / here.size[1]];
        context.drawImage(made, col * u, row * v, size * u, size * v, ...place);
      } else { context.fillStyle = paper; context.fillRect(...place); hatch(context, [row, col, size, size].map((n) => n * fit), soft); }
      box(context, [row * fit, col * fit], [size * fit, size * fit], css(ROLES.weight), paper);
    }
    if (found) inside(context, ...[found.first, found.size, here.size].map((pair) => pair.map((n) => n * fit)), paper);
    views.photo.name("picture", here.size.join("\u00d7"));
    setAttribute(photo.canvas, "data-focus", at ? at.join() : "");
    setAttribute(photo.canvas, "data-field", found ? [...found.first, ...found.size].join() : "");
  }

  // Each place as a square around the middle of the patch there, over the pale picture.
  const cell = ({ s, fit }, [i, j], n = 1) => [i, j].map((k) => (k * s.stride + (s.patch - s.stride) / 2) * fit).concat([n, n].map((k) => k * s.stride * fit));
  function drawHeat(p) {
    const { s, here, fit, facts, hidden, ink, paper, trouble } = p, context = sheetOf(heat, p, 0.35), at = trouble ? null : placeOf(s, here.size), table = here.maps.get(mapKey(s)), column = columnOf(s, here), name = nameOf(s, targetOf(s, here));
    const shown = facts && !hidden && facts.done > 0;
    if (hidden && !trouble) unknown(context, p);
    if (shown) {
      const scale = scaleOf(facts, here.whole[column]);
      const [rows, cols] = table.shape;
      for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) {
        const from = standIn(table, [i, j]);
        if (!from) continue;
        context.fillStyle = css(scale.rgb(100 * rowAt(table, from)[column]));
        const [y, x, h, w] = cell(p, [i, j]);
        context.fillRect(floor(x), floor(y), ceil(x + w) - floor(x), ceil(y + h) - floor(y));
      }
      views.heat.scale(scale, true, theme());
      const [y, x, h, w] = cell(p, facts.lowest);
      ring(context, [y + h / 2, x + w / 2], css(ROLES.gradient), paper);
    }
    visible(views.heat.rule, Boolean(shown));
    if (at) { const [y, x, h, w] = cell(p, at); box(context, [y, x], [h, w], ink, paper); }
    views.heat.name(briefly(s, targetOf(s, here)), shown ? "percent" : hidden && complete(s) ? "hidden" : "not scanned");
    for (const [key, value] of [["focus", at], ["done", facts && !hidden ? facts.done : ""], ["lowest", shown ? facts.lowest : ""], ["value", ""]]) setAttribute(heat.canvas, `data-${key}`, value === null ? "" : String(value));
    setAttribute(heat.canvas, "aria-label", `map of ${name}`);
    setAttribute(heat.canvas, "data-fit", fit);
  }
  // From the lowest to the highest of the map and of the whole picture, rounded as they are told; at least ten points.
  function scaleOf({ least, most }, whole) {
    const [bottom, top] = [least, max(most, whole)].map((share) => floor(100 * share + 0.5)), high = max(10, top), low = min(bottom, high - 10), paper = PAPER[theme()];
    return { kind: "heat", low, high, rgb: (x) => mix(paper, ROLES.output, min(max((x - low) / (high - low), 0), 1)) };
  }
  function ring(context, [y, x], colour, paper) {
    context.setLineDash([]);
    for (const [stroke, thick] of [[paper, 5], [colour, 2.5]]) {
      [context.strokeStyle, context.lineWidth] = [stroke, thick];
      context.beginPath();
      context.arc(x, y, 6, 0, 7);
      context.stroke();
    }
  }

  // The likeliest classes: an outline for the whole picture, a bar for the covered one.
  function drawBars(p, width, high) {
    const { s, here, font, ink, soft, hidden, trouble } = p, at = trouble ? null : placeOf(s, here.size), row = at && !hidden ? answerOf(s, here) : null;
    const order = here.classes.map((_, k) => k).sort((a, b) => here.whole[b] - here.whole[a] || a - b), column = columnOf(s, here), best = row ? here.classes.indexOf(row.at(-2)) : -1;
    const list = [...new Set([column, ...(best >= 0 ? [best] : []), ...order])].slice(0, BARS).sort((a, b) => here.whole[b] - here.whole[a] || a - b), print = max(11, 0.85 * font);
    const context = bars.sheet(width, high * list.length + 2, 0.85 * font), names = 0.4 * width, numbers = 3.9 * print, long = width - names - numbers;
    list.forEach((k, line) => {
      const y = line * high, mid = y + high / 2 + 0.35 * print, tall = 0.62 * high, top = y + (high - tall) / 2;
      let name = briefly(s, here.classes[k]);
      while (name.length > 1 && context.measureText(name).width > names - 6) name = name.slice(0, -2) + "\u2026";
      context.fillStyle = ink;
      context.textAlign = "left";
      context.font = `${k === column ? "bold " : ""}${print}px ${getComputedStyle(kit.root).fontFamily}`;
      context.fillText(name, 0, mid);
      if (row) { context.fillStyle = css(ROLES.output); context.fillRect(names, top, long * min(row[k], 1), tall); }
      [context.strokeStyle, context.lineWidth] = [row ? soft : css(ROLES.output), 1.5];
      context.strokeRect(names, top, max(long * here.whole[k], 1), tall);
      context.textAlign = "right";
      context.fillStyle = ink;
      context.fillText(`${percent(row ? row[k] : here.whole[k]).replace("under ", "<").replace("over ", ">")} %`, width, mid);
    });
    views.bars.name(at && !hidden ? "covered" : "whole picture", at && !hidden ? (row ? "outline: whole" : "not asked yet") : "");
    setAttribute(bars.canvas, "data-value", list.map((k) => `${here.classes[k]}:${hidden && at ? "?" : percent((row || here.whole)[k])}`).join());
    setAttribute(bars.canvas, "aria-label", sentence(s, here, hidden));
  }

  // Where another class wins, and which.
  const PATTERNS = [(c, b, ink) => { c.fillStyle = ink; c.fillRect(b[1], b[0], b[3], b[2]); }, (c, b, ink) => hatch(c, b, ink, 4), (c, b, ink) => { c.fillStyle = ink; for (let y = b[0] + 1; y < b[0] + b[2]; y += 4) c.fillRect(b[1], y, b[3], 1.5); }, (c, b, ink) => { c.fillStyle = ink; for (let x = b[1] + 1; x < b[1] + b[3]; x += 4) c.fillRect(x, b[0], 1.5, b[2]); }];
  const patternOf = (k, n) => PATTERNS[min(k, n > OTHERS ? OTHERS - 1 : k)];
  function drawWinner(p, width, height) {
    const { s, here, facts, ink, paper, soft } = p, fit = min(width / here.size[1], height / here.size[0]), small = { ...p, fit }, context = sheetOf(winner, small, 0.35), table = here.maps.get(mapKey(s)), top = topOf(here), [rows, cols] = table.shape;
    const many = facts.others.length, shown = facts.others.slice(0, many > OTHERS ? OTHERS - 1 : OTHERS);
    for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) {
      const row = rowAt(table, [i, j]), k = row && row.at(-2) !== top ? facts.others.findIndex(([other]) => other === row.at(-2)) : -1;
      if (k >= 0) patternOf(min(k, OTHERS - 1), many)(context, cell(small, [i, j]), ink);
    }
    const at = placeOf(s, here.size);
    if (at) { const [y, x, h, w] = cell(small, at); box(context, [y, x], [h, w], css(ROLES.weight), paper); }
    const lines = [...shown.map(([k, n]) => `${nameOf(s, k)}: ${placesOf(n)}`), ...(many > shown.length ? [`others: ${placesOf(facts.others.slice(shown.length).reduce((sum, [, n]) => sum + n, 0))}`] : [])], key = `${lines} ${theme()}`;
    if (legend.dataset.key !== key) {
      legend.dataset.key = key;
      legend.replaceChildren(...lines.flatMap((words, k) => {
        const made = easel("", words), sheet = made.sheet(12, 12);
        setAttribute(made.canvas, "data-part", null);
        setAttribute(made.canvas, "style", "border-color: " + soft + "; width: 12px; height: 12px");
        patternOf(k, many)(sheet, [0, 0, 12, 12], ink);
        return [made.canvas, element("span", {}, words)];
      }));
    }
    views.winner.name("another class wins", "");
    setAttribute(winner.canvas, "data-value", facts.others.map((pair) => pair.join(":")).join());
  }

  // Deconvnet: the map with its unit, and the pixels that made it fire.
  function drawMap(p, [wide, high]) {
    const { s, here, hidden, paper } = p, key = unitOf(s, here), found = here.units.get(unitKey(key)), [, h, w] = layerOf(s, here).shape, fit = min((wide - 3) / w, high / h), context = heat.sheet(w * fit, h * fit);
    const sameMap = found || [...here.units.values()].findLast?.((unit) => unit.layer === key.layer && unit.channel === key.channel);
    context.fillStyle = paper;
    context.fillRect(0, 0, w * fit, h * fit);
    const map = sameMap ? sameMap.map.data : null, top = map ? map.reduce((a, b) => max(a, b), 0) : 0;
    for (let i = 0; map && i < h; i++) for (let j = 0; j < w; j++) {
      context.fillStyle = css(mix([0, 0, 0], [255, 255, 255], min(1, max(0, map[i * w + j]) / (top || 1))));
      context.fillRect(floor(j * fit), floor(i * fit), ceil(fit), ceil(fit));
    }
    if (!map) hatch(context, [0, 0, h * fit, w * fit], p.soft);
    const at = key.unit || found?.at;
    if (at) inside(context, at.map((n) => n * fit), [fit, fit], [h * fit, w * fit], paper);
    views.heat.name(`map ${key.channel}`, map ? `white ${two(top)}` : "not asked yet");
    visible(views.heat.rule, false);
    for (const [name, value] of [["focus", at ? at.join() : ""], ["value", found ? full(found.value) : ""], ["done", ""], ["lowest", ""]]) setAttribute(heat.canvas, `data-${name}`, value);
    setAttribute(heat.canvas, "aria-label", sentence(s, here, hidden));
  }
  function drawPattern(p) {
    const { s, here, fit, hidden, paper, soft } = p, found = hidden ? null : here.units.get(unitKey(unitOf(s, here)));
    if (!found) {
      const context = pattern.sheet(here.size[1] * fit, here.size[0] * fit);
      if (hidden) unknown(context, p); else hatch(context, [0, 0, here.size[0] * fit, here.size[1] * fit], soft);
      return views.pattern.name("pixels", hidden ? "hidden" : "not asked yet");
    }
    const context = sheetOf(pattern, p, 1, found.pattern);
    inside(context, ...[found.first, found.size, here.size].map((pair) => pair.map((n) => n * fit)), paper);
    views.pattern.name("pixels", "grey is 0");
  }

  return { draw, sentence: (s) => sentence(s, scene(), !problem(s, sizeOf()) && hides(s)), problem: (s) => problem(s, sizeOf()), keys: { next: () => next(1), previous: () => next(-1) } };
}

export { render };
