// The network viewer: draw, and every map of a network follows; point at a unit to see what it reads.
import { mount } from "./kit/root.js";
import { choice } from "./kit/choice.js";
import { menu } from "./kit/menu.js";
import { pad } from "./kit/pad.js";
import { toggle } from "./kit/toggle.js";
import { button, control } from "./kit/form.js";
import { element, div, on, atEnd, arrow, active, write, visible, setAttribute, textWidth } from "./kit/dom.js";
import { ROLES, PAPER, INK, css, greyScale, toneScale, inkOn } from "./kit/scale.js";
import { decode, same } from "./kit/state.js";
import { waiting } from "./kit/call.js";
import { seenOf } from "./kit/seen.js";
import { sizeOf, forward, backward, readsOf, partsOf, softmaxOf } from "./kit/network.js";
import { two, thenOf, sumsOf, chosen, brokenWords, labelOf, percent, ranking, targetOf, unitOf, fieldOf, sentence } from "./network_words.js";
import { pagesOf, flatLayout, layeredLayout, pointOf, hit } from "./network_layout.js";
import { short, decimalsFor } from "./kit/text.js";
import { abs, floor, max, min, round } from "./kit/numbers.js";

const HANDS = "Draw on the pad with pointer or finger, or move its cursor with the arrows and ink with Space. Point at a unit to see what it reads, thick where the product is large; click keeps it and opens its products. On the maps: arrows move, Page Up and Page Down change the stage, + and \u2212 the map. In depth: drag, or Shift and an arrow, turns.";
const WAYS = [["left", "\u2190", [0, -1]], ["up", "\u2191", [-1, 0]], ["down", "\u2193", [1, 0]], ["right", "\u2192", [0, 1]]];
const TURNED = [36, 22], MOST_LINES = 2500, CELLS = 5, STRIP = 8;        // rows and columns of a window, and sums, at most

function render({ model, el }) {
  const net = numbers(model);
  const answer = (s) => ranking(net(s).outs.at(-1))[0];
  const predict = {
    prompt: () => "The network will answer class",
    place: () => "answer", answer,
    epoch: (s) => [s.drawing, s.fit, s.margin, s.grain].reduce((all, part) => all + (part.data ? part.data.reduce((sum, x, k) => sum + x * (k + 1), 0) : part), ""),
  };
  return mount(model, el, { name: "NetworkViewer", title: "Network viewer", idea: "Draw, and watch the network think.", hands: HANDS, listen: ["_values", "_gradients", "_answered"], predict, build: (kit) => build(kit, net) });
}

// All numbers of the network for a state: { stages, shape, outs, grads }, outs and grads with the input first.
// Computed here, or, where Python is the engine, as it sent them last.
function numbers(model) {
  const stages = model.get("_stages"), shape = model.get("input_shape"), local = model.get("_by") === "browser";
  let kept = null;
  const cut = (row, first) => {
    const parts = first ? [first] : [];
    let at = first ? 0 : sizeOf(shape);
    if (!first) parts.push(row.subarray(0, at));
    for (const stage of stages) { parts.push(row.subarray(at, at + sizeOf(stage.shape))); at += sizeOf(stage.shape); }
    return parts;
  };
  return (s) => {
    const key = [s.fit, s.margin, s.grain, s.target, s.direction, model.get("_answered")].join();
    if (kept && kept.drawing === s.drawing && kept.key === key) return kept.net;
    const seen = seenOf(s.drawing, s), picture = new Float32Array(sizeOf(shape)), unchanged = kept && ["drawing", "fit", "margin", "grain"].every((name) => kept[name] === s[name]);
    for (let c = 0; c < shape[0]; c++) picture.set(seen, c * seen.length);
    const weights = local && decode(model.get("_weights")).data;
    const outs = !local ? cut(decode(model.get("_values")).data, picture) : unchanged ? kept.net.outs : forward(stages, weights, shape, picture);
    const grads = s.direction !== "backward" ? null : local ? backward(stages, weights, shape, outs, targetOf(s, outs.at(-1))) : cut(decode(model.get("_gradients")).data);
    kept = { drawing: s.drawing, fit: s.fit, margin: s.margin, grain: s.grain, key, net: { stages, shape, outs, grads, weights, fresh: model.get("_fresh") } };
    return kept.net;
  };
}

function build(kit, net) {
  const { signal, state, stage, model, ask, theme } = kit, { read } = state, { hides } = kit.question;
  const python = model.get("_by") === "python", wait = waiting("Python", signal, ask), scans = decode(model.get("_scans"));
  let over = null, look = null, slid = null, [turn, tilt] = TURNED, strokes = 0, inked = 0;
  const log = [];
  const asks = () => ["drawing", "fit", "margin", "grain", "target"].map((name) => model.get(name));
  let told = asks();                                 // what Python knows
  const answered = () => { told = asks(); wait.answered(); };
  model.on("change:_answered", answered);
  atEnd(signal, () => model.off("change:_answered", answered));

  // The pad and what belongs to it.
  const drawing = () => read().drawing;
  function put(patch, group = null) {
    state.commit(patch, group);
    const now = asks();
    if (python && now.some((value, k) => !same(value, told[k]))) wait.ask();
    told = now;
  }
  function stroke(now, phase, e) {
    if (!now) return ask();
    if (phase === "more") inked = inked || e.timeStamp;
    const group = `stroke ${strokes}`;
    if (phase === "end") { inked = inked || e.timeStamp; put({ drawing: now }, group); strokes += 1; } else if (python && !wait.words()) put({ drawing: now }, group);
    else state.preview({ drawing: now });
    if (python && !wait.words()) inked = 0;          // Python knows this drawing: nothing is waited for
    ask();
  }
  const board = pad({ part: "drawing", label: "pad to draw on", signal, drawing, stroke });
  const start = () => model.get("_start").fit;
  const clear = button({ act: "clear", label: "clear", signal, press: () => put({ drawing: { shape: drawing().shape, data: new Float32Array(drawing().data.length) }, fit: start() }) });
  const pushes = WAYS.map(([way, sign, by]) => {
    const made = button({ act: `push-${way}`, label: sign, title: `push the drawing ${way} by one pixel`, signal, press: () => push(by) });
    setAttribute(made, "aria-label", `push ${way}`);
    return made;
  });
  const choose = (k) => { const [, h, w] = scans.shape; put({ drawing: { shape: [h, w], data: scans.data.slice(k * h * w, (k + 1) * h * w) }, fit: "drawn" }); };
  const scan = scans && menu({ act: "scan", label: "a scan", options: [...Array(scans.shape[0]).keys()].map((k) => [String(k), `scan ${k}`]), signal, choose: (k) => choose(Number(k)) });
  const tools = div("cw-net-tools", ...(kit.hidden("clear") ? [] : [clear]), ...(scan && !kit.hidden("scans") ? [scan] : []), ...(kit.hidden("push") ? [] : [div("cw-net-tools", ...pushes)]));
  const fits = toggle({ trait: "fit", label: "fill the frame", title: "cut the drawing out and enlarge it until it fills what the network sees", signal, change: (yes) => put({ fit: yes ? "framed" : "drawn" }) });
  const canvas = element("canvas.cw-net-view", { tabindex: 0, role: "img", "data-part": "network" });
  const note = element("span"), random = element("b", { "data-part": "untrained" }, "random weights"), products = div("cw-net-products");
  stage.append(div("cw-net", div("cw-net-side", board.element, tools, ...(kit.hidden("fit") ? [] : [fits.element])), div("cw-net-main", canvas, div("cw-note", element("span", {}, random, note)))), products);

  function push([down, right]) {
    const { shape: [h, w], data } = drawing(), out = new Float32Array(h * w);
    for (let i = 0; i < h; i++) for (let j = 0; j < w; j++) { const [r, c] = [i - down, j - right]; if (r >= 0 && c >= 0 && r < h && c < w) out[i * w + j] = data[r * w + c]; }
    put({ drawing: { shape: [h, w], data: out } }, "push");
  }

  // Controls.
  const classes = model.get("_stages").at(-1).shape[0], labels = model.get("labels");
  const named = {
    view: choice({ trait: "view", label: "view", options: [["flat", "flat"], ["layered", "in depth"]], signal, change: (view) => put({ view }) }),
    direction: choice({ trait: "direction", label: "pass", options: [["forward", "forward"], ["backward", "backward"]], signal, change: (direction) => put({ direction }) }),
    contrast: toggle({ trait: "contrast", label: "each map alone", title: "a grey scale for each map, not for each stage", signal, change: (yes) => put({ contrast: yes ? "map" : "stage" }) }),
  };
  for (const [name, each] of Object.entries(named)) if (!kit.hidden(name)) kit.controls.append(each.element);
  // Of a stage with more maps than can be shown, the pages.
  let crowd = null;
  const which = element("select", { "data-do": "crowd", "aria-label": "stage whose pages are turned" }), page = element("span", { "data-part": "page" });
  on(which, signal, { change: () => { crowd = Number(which.value); ask(); } });
  const leaf = (act, label, d) => button({ act, label, title: "the maps with the largest numbers come first", signal, press: () => put({ pages: { ...read().pages, [look.names[crowd]]: look.pages[crowd] + d } }, "pages") });
  const back = leaf("page-back", "\u25c0", -1), next = leaf("page-on", "\u25b6", 1), pager = control("pages", "maps of", null, which, back, page, next);
  if (!kit.hidden("pages")) kit.controls.append(pager);
  const target = menu({ act: "target", label: "from the score of", options: [["answer", "the answer"], ...[...Array(classes).keys()].map((k) => [String(k), labels[k] ?? String(k)])], signal, choose: (k) => put({ target: k === "answer" ? null : Number(k) }) });
  const backs = control("target", "", null, target);
  if (!kit.hidden("target")) kit.controls.append(backs);

  // Drawing.
  const atlases = [];
  function draw(s) {
    const now = net(s), em = parseFloat(getComputedStyle(kit.root).fontSize);
    for (const [name, each] of Object.entries(named)) each.set(name === "contrast" ? s.contrast === "map" : s[name]);
    fits.set(s.fit === "framed");
    visible(backs, s.direction === "backward");
    board.draw(round(10.1 * em), css(ROLES.weight));
    const width = canvas.clientWidth || 600, height = round((opened(s) ? 15 : s.view === "flat" ? 24 : 22) * em), density = window.devicePixelRatio || 1;
    canvas.style.height = `${height}px`;
    if (canvas.width !== round(width * density) || canvas.height !== round(height * density)) [canvas.width, canvas.height] = [round(width * density), round(height * density)];
    const print = max(11, 0.85 * em), top = 3.1 * print, bars = 7.7 * print, hidden = hides(s);
    const shapes = [now.shape, ...now.stages.map((each) => each.shape)], all = shapes.map((shape, n) => pagesOf(shape, now.outs[n])), names = ["seen", ...now.stages.map((each) => each.name)];
    const pages = all.map((each, n) => min(max(s.pages[names[n]] || 0, 0), each.length - 1)), shown = all.map((each, n) => each[pages[n]]);
    const list = shapes.map((shape, n) => ({ shape, shown: shown[n] })), room = { width: width - bars, height: height - top - 1.2 * print, gap: 0.9 * print, turn, tilt };
    const layout = s.view === "flat" ? flatLayout(list, room) : layeredLayout(list, room);
    look = { ...layout, all, pages, names, top, print, width, height, density, now, hidden };
    paint(s);
    turnable(look, s.selected[0] + 1);
    visible(random, !(s.trained ?? !now.fresh));
    open(s, now);
    if (inked && !wait.words()) { log.push(performance.now() - inked); inked = 0; if (log.length > 200) log.shift(); timed(); }
  }

  // From the first ink that is not drawn yet to the maps that answer to it: half of the strokes are faster, 95 of 100.
  function timed() {
    const all = [...log].sort((a, b) => a - b), at = (share) => all[floor(share * (all.length - 1))].toFixed(1);
    Object.assign(canvas.dataset, { strokes: all.length, strokeMs: at(0.5), strokeP95: at(0.95) });
  }

  function turnable({ all, pages, names }, kept) {
    const crowded = names.map((_, n) => n).filter((n) => all[n].length > 1);
    if (!crowded.includes(crowd)) crowd = crowded.includes(kept) ? kept : crowded[0];
    visible(pager, crowded.length > 0);
    if (!crowded.length) return;
    if (which.length !== crowded.length) which.replaceChildren(...crowded.map((n) => element("option", { value: n }, names[n])));
    which.value = crowd;
    write(page, `${pages[crowd] + 1} of ${all[crowd].length}`);
    [back.disabled, next.disabled] = [!pages[crowd], pages[crowd] === all[crowd].length - 1];
  }

  // The kept unit taken apart: window times filter, number by number, map by map.
  const opened = (s) => !hides(s) && s.direction === "forward" && !python && !kit.hidden("products") && unitOf(s.selected, model.get("_stages"));
  let written = "";
  function open(s, now) {
    const unit = opened(s);
    visible(products, Boolean(unit));
    if (!unit) return;
    const { stage: n, map, row, col } = unit, each = now.stages[n], [, h, w] = each.shape, before = n ? now.stages[n - 1].shape : now.shape, kind = before[1] * before[2] === 1 ? "unit" : "map";
    const parts = partsOf(each, before, now.outs[n], now.weights, map, row, col), key = JSON.stringify([unit, s.channel, theme(), parts]);
    if (written === key || !parts.length) return;
    written = key;
    const sums = sumsOf(parts), [channel] = chosen(sums, s.channel), mine = parts.filter((part) => part.map === channel), size = (a, b) => abs(b) - abs(a), best = [...mine].sort((a, b) => size(a.product, b.product))[0];
    const near = (axis) => {                          // of a large window the cells round the largest product
      const places = [...new Set(mine.map((part) => part[axis]))], from = max(0, min(places.indexOf(best[axis]) - 2, places.length - CELLS));
      return places.slice(from, from + CELLS);
    };
    const [rows, cols] = ["row", "col"].map(near), cells = mine.filter((part) => rows.includes(part.row) && cols.includes(part.col));
    const tables = [["x", "input", `window in ${look.names[n]}, ${kind} ${channel}`], ["weight", "weight", "filter"], ["product", "output", cells.length < mine.length ? `${cells.length} of ${mine.length} products` : "products"]].map(([part, role, title], k) => {
      const data = cells.map((cell) => cell[part]), scale = toneScale(max(...data.map(abs)), role, theme()), decimals = decimalsFor(data);
      const grid = div(`cw-net-cells cw-${role}`, ...data.map((x) => element("span", { style: `background:${css(scale.rgb(x))};color:${inkOn(scale.rgb(x))}` }, short(x, decimals))));
      grid.style.gridTemplateColumns = `repeat(${cols.length}, 2.7em)`;
      return div("cw-net-row", ...(k ? [element("span.cw-net-sign", {}, k > 1 ? "=" : "\u00d7")] : []), div("", element("small", {}, title), grid));
    });
    const value = two(now.outs[n + 1][(map * h + row) * w + col]), conv = each.kind === "conv", bias = conv && each.bias >= 0 ? now.weights[each.bias + map] : 0;
    const strip = sums.length > 1 ? [...sums].sort((a, b) => size(a[1], b[1])).slice(0, STRIP).sort((a, b) => a[0] - b[0]) : [], apart = strip.length && strip.every(([k]) => k !== channel) ? sums.filter(([k]) => k === channel) : [];
    const press = (some) => some.map(([k, sum]) => element("button", { type: "button", "data-do": `channel-${k}`, "aria-pressed": k === channel ? "true" : "false", "aria-label": `products of ${kind} ${k}, sum ${two(sum)}` }, `${k}: ${two(sum)}`));
    const label = strip.length ? [element("span", {}, strip.length < sums.length ? `the ${STRIP} largest sums of ${sums.length}` : `sum of each ${kind}`), ...press(strip), ...(apart.length ? [element("span", {}, "and the one shown"), ...press(apart)] : [])] : [];
    const total = conv ? `all${bias ? " and the bias " + two(bias) : ""}: ${two(sums.reduce((all, [, sum]) => all + sum, bias))}` : `the ${each.kind === "max" ? "largest" : "mean"}: ${each.then.length ? "" : value}`;
    const held = active(products)?.dataset.do;
    products.replaceChildren(div("cw-net-row", ...(conv ? tables : tables.slice(0, 1))), div("cw-net-row", ...label, element("b", {}, `${total}${each.then.map(([name]) => ", then " + thenOf(name)).join("")}${each.then.length ? ": " + value : ""}`)));
    if (/^channel/.test(held)) products.querySelector(`[data-do=${held}]`)?.focus();
  }
  on(products, signal, { click: (e) => { const act = e.target.dataset.do; if (act) put({ channel: Number(act.slice(8)) }, "channel"); } });

  const LEGEND = {
    forward: (alone) => `black: 0 \u00b7 white: the largest number of ${alone ? "each map" : "each stage"} \u00b7 mid-grey: 0 where some are negative`,
    backward: () => "vermillion: more of it raises the score \u00b7 ink: lowers it \u00b7 paper: no effect",
  };

  function paint(s) {
    const { now, tiles, heads, top, print, width, height, density, hidden } = look, context = canvas.getContext("2d"), back = s.direction === "backward" && !hidden;
    const paper = css(PAPER[theme()]), text = css(INK[theme()]), unit = pointed(s);
    context.setTransform(density, 0, 0, density, 0, 0);
    context.fillStyle = paper;
    context.fillRect(0, 0, width, height);
    context.imageSmoothingEnabled = false;
    const fill = atlas(s, back), silent = [];
    const place = ({ matrix: [a, b, c, d, e, f] }, lift = 0) => context.setTransform(density * a, density * b, density * c, density * d, density * e, density * (f + top - lift));
    const one = (tile, lift = 0) => {
      const { stage: n, map, w, h } = tile;
      if (hidden && n === now.stages.length) return;
      place(tile, lift);
      context.drawImage(fill[n].canvas, 0, fill[n].row.get(map) * h, w, h, 0, 0, w, h);
      context.beginPath();
      context.rect(0, 0, w, h);
      context.setTransform(density, 0, 0, density, 0, 0);
      context.lineWidth = lift ? 2 : w * h === 1 && s.view === "layered" ? 0.2 : 0.7;
      context.strokeStyle = lift ? text : css([128, 132, 140]);
      if (w * h > 1 || s.view === "layered") context.stroke();
      if (!back && w * h > 1 && fill[n].dead.has(map)) silent.push(tile);
    };
    for (const tile of tiles) one(tile);
    slid = s.view === "layered" && unit ? tiles.find((t) => t.stage === unit.stage + 1 && t.map === unit.map) : null;
    const lift = slid ? 0.3 * slid.matrix[3] * slid.h : 0;
    if (slid) one(slid, lift);
    context.fillStyle = text;
    context.textBaseline = "alphabetic";
    heads.forEach((head, n) => caption(context, head, n, print));
    if (s.view === "flat") silent.forEach((tile) => mute(context, tile, top, print));
    answers(context, s, print, text);
    write(note, LEGEND[back ? "backward" : "forward"](s.contrast === "map"));
    const lines = unit ? wires(context, s, unit, lift) : 0;
    Object.assign(canvas.dataset, { view: s.view, lines, silent: silent.length, maps: JSON.stringify(Object.fromEntries(look.names.map((name, n) => [name, look.all[n][look.pages[n]]]))), focus: unit ? [unit.stage, unit.map, unit.row, unit.col].join() : "", value: String(ranking(now.outs.at(-1))[0]) });
    if (hidden || brokenWords(now)) canvas.dataset.value = "";
    setAttribute(canvas, "aria-label", say(s));
  }

  // Name and size above a column, where there is room for them.
  function caption(context, { x, width }, n, print) {
    const { now } = look, shape = n ? now.stages[n - 1].shape : now.shape, name = n ? now.stages[n - 1].name : "seen";
    const single = shape[1] * shape[2] === 1, size = single ? String(shape[0]) : `${shape[0]}@${shape[1]}${shape[1] === shape[2] ? "\u00b2" : "\u00d7" + shape[2]}`;
    const heads = look.heads, middle = x + width / 2;
    const room = min(n ? middle - (heads[n - 1].x + heads[n - 1].width / 2) : 2 * middle, n < heads.length - 1 ? heads[n + 1].x + heads[n + 1].width / 2 - middle : 9e9);
    const put = (words, y, bold) => {
      const wide = textWidth(words, print, canvas);
      if (wide > room + 2) return;
      context.font = `${bold ? "600 " : ""}${print}px ${getComputedStyle(canvas).fontFamily}`;
      context.textAlign = "left";
      context.fillText(words, max(0, min(middle - wide / 2, look.width - wide)), y);
    };
    put(name, 1.1 * print, true);
    put(size, 2.4 * print, false);
    const shown = look.all[n], at = look.pages[n], first = at * shown[0].length;
    if (shown.length > 1) put(`${at ? first + 1 + "\u2013" : ""}${first + shown[at].length} of ${shape[0]}`, look.height - 3, false);
  }

  // A map that is 0 everywhere says so: nothing in the drawing speaks to it.
  function mute(context, tile, top, print) {
    const [a, , , d, e, f] = tile.matrix, [w, h] = [a * tile.w, d * tile.h], wide = textWidth("silent", 11, canvas);
    context.font = `11px ${getComputedStyle(canvas).fontFamily}`;
    context.textAlign = "center";
    context.fillStyle = "#b9bec8";
    if (wide + 2 < w) context.fillText("silent", e + w / 2, f + top + h / 2 + 4);
    else context.fillRect(e + w / 2 - 3, f + top + h / 2, 6, 1.5);
    context.fillStyle = css(INK[theme()]);
  }

  // The shares of the classes as bars beside the last column.
  function answers(context, s, print, text) {
    const { now, last, top, width, hidden } = look, shares = softmaxOf(now.outs.at(-1)), order = ranking(shares), none = brokenWords(now), best = none ? -1 : order[0];
    const rows = shares.length <= 12 ? [...shares.keys()] : order.slice(0, 10), step = shares.length <= 12 ? last.step : (look.height - top) / 12;
    const x = width - 7.3 * print, first = shares.length <= 12 ? last.top : 0, room = 2 * print;
    rows.forEach((k, n) => {
      const y = top + first + (n + 0.5) * step, chosen = k === best && !hidden;
      context.font = `${chosen ? "600 " : ""}${print}px ${getComputedStyle(canvas).fontFamily}`;
      context.fillStyle = text;
      context.textAlign = "right";
      context.fillText(labelOf(s, k).slice(0, 9), x + 1.1 * print, y + 0.36 * print);
      context.textAlign = "left";
      if (hidden || none) return context.fillText(hidden ? "?" : "NaN", x + 1.5 * print, y + 0.36 * print);
      context.fillStyle = css(ROLES.output);
      context.fillRect(x + 1.5 * print, y - 0.32 * print, max(shares[k] * room, 0.5), 0.64 * print);
      context.fillStyle = text;
      if (chosen || shares[k] >= 0.005) context.fillText(`${percent(shares[k])} %`, x + 1.7 * print + shares[k] * room, y + 0.36 * print);
    });
  }

  // Each stage as one picture, its shown maps one below the other; redrawn where its numbers, or the theme, are others.
  function atlas(s, back) {
    const { now, tiles } = look, values = back ? now.grads : now.outs, shapes = [now.shape, ...now.stages.map((each) => each.shape)];
    return shapes.map(([, h, w], n) => {
      const maps = tiles.filter((tile) => tile.stage === n).map((tile) => tile.map).sort((a, b) => a - b), data = values[n];
      const made = atlases[n] ||= { canvas: document.createElement("canvas") }, key = [back, s.contrast, theme(), maps.length].join();
      if (made.data === data && made.key === key) return made;
      if (made.canvas.width !== w || made.canvas.height !== h * maps.length) [made.canvas.width, made.canvas.height] = [w, h * maps.length];
      const image = new ImageData(w, h * maps.length), pixels = new Uint32Array(image.data.buffer), area = h * w;
      Object.assign(made, { data, key, row: new Map(maps.map((map, k) => [map, k])), dead: new Set() });
      const common = s.contrast === "stage" || area === 1 ? toneTable(data, back) : null;
      maps.forEach((map, k) => {
        const plane = data.subarray(map * area, (map + 1) * area), table = common || toneTable(plane, back);
        if (n && plane.every((x) => x === 0)) made.dead.add(map);
        for (let i = 0; i < area; i++) pixels[k * area + i] = table(plane[i]);
      });
      made.canvas.getContext("2d").putImageData(image, 0, 0);
      return made;
    });
  }

  function toneTable(data, back) {
    let low = 0, high = 0;
    for (const x of data) if (Number.isFinite(x)) { if (x < low) low = x; if (x > high) high = x; }
    const most = max(-low, high) || 1, scale = back ? toneScale(most, "gradient", theme()) : low < 0 ? greyScale(-most, most) : greyScale(0, most);
    const table = new Uint32Array(257), packed = ([r, g, b]) => (255 << 24) | (b << 16) | (g << 8) | r, span = scale.high - scale.low;
    for (let t = 0; t < 256; t++) table[t] = packed(scale.rgb(scale.low + (t / 255) * span));
    table[256] = packed([213, 94, 0]);
    return (x) => table[!Number.isFinite(x) ? 256 : max(0, min(255, round(((x - scale.low) / span) * 255)))];
  }

  // Lines from a unit to all that it reads, thick where the product is large: orange where it adds, ink where it takes away.
  function wires(context, s, unit, lift) {
    const { now, tiles, top } = look, n = unit.stage, each = now.stages[n], before = n ? now.stages[n - 1].shape : now.shape;
    const mine = tiles.find((tile) => tile.stage === n + 1 && tile.map === unit.map);
    const parts = !now.weights && each.kind === "conv" ? [] : partsOf(each, before, now.outs[n], now.weights, unit.map, unit.row, unit.col);
    const below = new Map(tiles.filter((tile) => tile.stage === n).map((tile) => [tile.map, tile]));
    if (!mine) return 0;
    const [x, y] = pointOf(mine, unit.row + 0.5, unit.col + 0.5), most = parts.reduce((top, part) => max(top, abs(part.product)), 0) || 1;
    const seen = parts.filter((part) => below.has(part.map)), step = seen.length > MOST_LINES ? seen.length / MOST_LINES : 1;
    for (let k = 0; k < seen.length; k += step) {
      const { map, row, col, product } = seen[floor(k)], share = abs(product) / most, [px, py] = pointOf(below.get(map), row + 0.5, col + 0.5);
      context.globalAlpha = 0.12 + 0.7 * share;
      context.strokeStyle = css(product > 0 ? ROLES.weight : product < 0 ? (theme() === "dark" ? [170, 174, 182] : [90, 94, 102]) : [150, 154, 162]);
      context.lineWidth = 0.4 + 2.2 * share;
      context.beginPath();
      context.moveTo(px, py + top);
      context.lineTo(x, y + top - lift);
      context.stroke();
    }
    context.globalAlpha = 1;
    const reads = readsOf(each, before, unit.map, unit.row, unit.col);
    if (reads) for (let map = reads.maps[0]; map <= reads.maps[1]; map++) if (below.has(map)) box(context, below.get(map), reads.rows, reads.cols, css(ROLES.weight), 0);
    const field = fieldOf(now, unit), input = tiles.find((tile) => tile.stage === 0);
    if (field && n) box(context, input, field[0], field[1], css(ROLES.input), 0);
    box(context, mine, [unit.row, unit.row], [unit.col, unit.col], css(ROLES.output), lift);
    return parts.length;
  }

  function box(context, tile, rows, cols, colour, lift) {
    const corners = [[rows[0], cols[0]], [rows[0], cols[1] + 1], [rows[1] + 1, cols[1] + 1], [rows[1] + 1, cols[0]]].map(([r, c]) => pointOf(tile, r, c));
    context.beginPath();
    corners.forEach(([x, y], k) => context[k ? "lineTo" : "moveTo"](x, y + look.top - lift));
    context.closePath();
    for (const [width, stroke] of [[3.2, css(PAPER[theme()])], [1.8, colour]]) { context.lineWidth = width; context.strokeStyle = stroke; context.stroke(); }
  }

  // Hands on the maps.
  const pointed = (s) => over || unitOf(s.selected, model.get("_stages"));
  const at = (e) => { const area = canvas.getBoundingClientRect(); return [e.clientX - area.left, e.clientY - area.top - (look?.top || 0)]; };
  const under = (e) => {
    const found = look && hit(look.tiles, ...at(e));
    return found && found.tile.stage ? { stage: found.tile.stage - 1, map: found.tile.map, row: found.row, col: found.col } : null;
  };
  let held = null;
  on(canvas, signal, {
    pointermove: (e) => {
      if (!e.buttons) held = null;
      if (held && (held.turned || Math.hypot(e.clientX - held.x, e.clientY - held.y) > 5) && read().view === "layered") {
        held.turned = true;
        turned(held.turn + (e.clientX - held.x) / 3, held.tilt + (e.clientY - held.y) / 4);
        return;
      }
      over = under(e);
      ask();
    },
    pointerdown: (e) => {
      if (e.button) return;
      held = { x: e.clientX, y: e.clientY, turn, tilt };
      if (read().view === "layered") canvas.setPointerCapture(e.pointerId);  // also a move that jumps out of the canvas turns
    },
    pointerleave: () => { over = null; ask(); },
    click: (e) => {
      const unit = under(e), was = held;
      held = null;
      if (!was?.turned) state.commit({ selected: unit ? [unit.stage, unit.map, unit.row, unit.col] : [] }, "move");
    },
    blur: () => { over = null; ask(); },
    keydown: (e) => {
      const way = arrow(e), step = { "+": 1, "=": 1, "-": -1, "\u2212": -1 }[e.key];
      if (!way && !step) return;
      e.preventDefault();
      if (way && e.shiftKey) return turned(turn + 6 * way[1], tilt - 6 * way[0]);
      const s = read(), now = unitOf(s.selected, model.get("_stages")) || { stage: 0, map: 0, row: 0, col: 0 }, [count, h, w] = model.get("_stages")[now.stage].shape;
      if (s.selected.length !== 4) return select(now);
      const within = (x, n) => min(n - 1, max(0, x)), maps = h * w === 1 && way ? way[0] + way[1] : step || 0;
      select({ stage: now.stage, map: within(now.map + maps, count), row: within(now.row + (way ? way[0] : 0), h), col: within(now.col + (way ? way[1] : 0), w) });
    },
  });
  const select = ({ stage: n, map, row, col }) => {
    const { name } = model.get("_stages")[n], page = look.all[n + 1].findIndex((maps) => maps.includes(map));
    over = null;
    crowd = n + 1;
    state.commit({ selected: [n, map, row, col], ...(look.pages[n + 1] === page ? {} : { pages: { ...read().pages, [name]: page } }) }, "move");
  };
  function turned(yaw, pitch) {
    [turn, tilt] = [min(60, max(-60, yaw)), min(60, max(0, pitch))];
    canvas.dataset.turn = `${round(turn)},${round(tilt)}`;
    ask();
  }
  function stageBy(d) {
    const stages = model.get("_stages"), now = unitOf(read().selected, stages), n = now ? min(stages.length - 1, max(0, now.stage + d)) : 0, [count, h, w] = stages[n].shape;
    const middle = (at, size, to) => (now ? floor(((at + 0.5) / size) * to) : 0), from = now && stages[now.stage].shape;
    select({ stage: n, map: now ? min(now.map, count - 1) : 0, row: middle(now?.row, from?.[1], h), col: middle(now?.col, from?.[2], w) });
  }

  function say(s) {
    const pending = wait.words(), words = sentence(s, net(s), pointed(s), hides(s));
    return pending ? `${words} (${pending})` : words;
  }
  return { draw, sentence: say, problem: () => null, keys: { next: () => stageBy(1), previous: () => stageBy(-1), reset: () => { turned(...TURNED); state.reset(); } } };
}

export { render };
