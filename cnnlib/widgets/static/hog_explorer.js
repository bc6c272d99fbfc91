// The HOG explorer: a patch becomes nine numbers, then a block that light does not change.
import { mount } from "./kit/root.js";
import { photo } from "./kit/photo.js";
import { panel } from "./kit/panel.js";
import { sketch } from "./kit/sketch.js";
import { choice } from "./kit/choice.js";
import { stepper, toggle } from "./kit/controls.js";
import { control, button } from "./kit/form.js";
import { element, div, write, setAttribute, visible } from "./kit/dom.js";
import { ROLES, PAPER, INK, mix, css, greyScale } from "./kit/scale.js";
import { full, parse, count } from "./kit/text.js";
import { range } from "./kit/sweep.js";
import { NORMS, VOTES, problem, hogOf, votesOf, blockOf, givesOf, chosen, histogram, strongest, centre, degreesOf, numberAt, sentence } from "./hog_words.js";
import { abs, floor, max, min } from "./kit/numbers.js";

const { sign } = Math;
const HANDS = "Point at a cell of the picture to see its histogram; click to stay there. Click an arrow to follow its pixel's vote to the bins. Point at a number of the block to see which cell and which bin it is. Arrow keys move the cell, the pixel, the number; with Shift, on the picture, the block, as do the four arrows below. A cell's histogram is of its own pixels; trilinear votes are counted in the block.";
const SETTINGS = ["orientations", "pixels_per_cell", "transform_sqrt", "cells_per_block", "votes"];
const LABELS = { pixels_per_cell: "cell ", cells_per_block: "block ", orientations: "bins ", transform_sqrt: "gamma" };
const WAYS = [["left", "\u2190", [0, -1]], ["up", "\u2191", [-1, 0]], ["down", "\u2193", [1, 0]], ["right", "\u2192", [0, 1]]];

function render({ model, el }) {
  let last = null;
  const map = (s) => {                               // null where there is none
    if (problem(s)) return null;
    const key = JSON.stringify(SETTINGS.map((name) => s[name]));
    if (!last || last.key !== key || last.image !== s.image) last = { ...hogOf(s), key, image: s.image, version: (last?.version || 0) + 1 };
    return last;
  };
  const predict = {
    prompt: (s) => `The strongest bin of cell ${chosen(s, map(s)).cell.join(", ")}, in degrees:`,
    place: (s) => (map(s) ? String(chosen(s, map(s)).cell) : ""),
    answer: (s, m = map(s)) => centre(s, strongest(histogram(s, m, chosen(s, m).cell))),
    epoch: (s) => map(s)?.version || 0,
  };
  return mount(model, el, {
    name: "HogExplorer", title: "HOG explorer", hands: HANDS, predict, listen: ["_note"],
    idea: "A patch becomes a few numbers; a block of them forgets how bright the light was.",
    build: (kit) => build(kit, map),
  });
}

function build(kit, map) {
  const { model, signal, state, stage, theme } = kit, { read } = state, { hides } = kit.question;
  let drawn = false;
  const see = (s = read()) => { const m = map(s); return m && { s, m, ...chosen(s, m) }; };
  const move = (to) => state.commit(to, "move");

  // The parts, made once. Each hand gives a change of state, or null.
  const cellAt = (r, c) => { const p = see(); return p && { cell: [min(floor(r / p.s.pixels_per_cell[0]), p.m.rows - 1), min(floor(c / p.s.pixels_per_cell[1]), p.m.cols - 1)] }; };
  const pixelAt = (y, x) => { const { pixels_per_cell: size } = read(); return { pixel: [floor(y * size[0]), floor(x * size[1])] }; };
  const numberOf = (y, x) => { const p = see(); return p && { number: floor(x * p.m.each) }; };
  const hands = (find, walk) => ({
    enter: (...at) => { const to = find(...at); if (to) state.preview(to); },
    choose: (...at) => { const to = find(...at); if (to) move(to); },
    move: (down, right) => { const p = see(); if (p) move(walk(p, down, right)); },
  });
  const within = (x, n) => min(max(x, 0), n - 1);
  const shifted = ({ m, block }, by) => ({ block: block.map((x, a) => within(x + by[a], m.blocks[a])) });
  // With Shift a key asks for ten steps: here for one of the block.
  const scene = photo({ role: "input", label: "picture", signal, ...hands(cellAt, (p, r, c) => (abs(r + c) > 1 ? shifted(p, [r, c].map(sign)) : { cell: [within(p.cell[0] + r, p.m.rows), within(p.cell[1] + c, p.m.cols)] })) });
  const arrows = sketch("cell", "gradients of the cell", signal, hands(pixelAt, ({ s }, r, c) => ({ pixel: s.pixels_per_cell.map((n, a) => within(max(s.pixel[a], 0) + [r, c][a], n)) })));
  const bins = sketch("bins", "histogram of the cell", signal, {});
  const bars = sketch("block", "numbers of the block", signal, hands(numberOf, ({ s, m }, r, c) => ({ number: within(max(s.number, 0) + r * s.orientations + c, m.each) })));
  const panels = { input: panel("input", "picture", scene.element), cell: panel("gradient", "cell", arrows.canvas), bins: panel("gradient", "its votes", bins.canvas), block: panel("output", "block", bars.canvas) };
  const note = element("div.cw-note", { "data-part": "note" });
  stage.append(div("cw-row", panels.input.element, panels.cell.element, panels.bins.element), div("cw-row", panels.block.element), note);

  // Controls.
  const commit = (trait) => (value) => state.commit({ [trait]: value });
  const pair = (text) => { const parts = text.split(",").map(parse); return parts.length < 3 && parts.every(Number.isInteger) ? [parts[0], parts.at(-1)] : null; };
  const both = (trait) => (value) => state.commit({ [trait]: Array.isArray(value) ? value : [value, value] });
  const named = {
    pixels_per_cell: stepper({ trait: "pixels_per_cell", label: "cell", signal, read: pair, change: both("pixels_per_cell") }),
    cells_per_block: stepper({ trait: "cells_per_block", label: "block", signal, read: pair, change: both("cells_per_block") }),
    orientations: stepper({ trait: "orientations", label: "bins", signal, change: commit("orientations") }),
    votes: choice({ trait: "votes", label: "votes", options: VOTES.map((x) => [x, x]), signal, change: commit("votes") }),
    block_norm: choice({ trait: "block_norm", label: "norm", options: NORMS.map((x) => [x, x]), signal, change: commit("block_norm") }),
    transform_sqrt: toggle({ trait: "transform_sqrt", label: "gamma", signal, change: commit("transform_sqrt"), title: "take the square root of each level first" }),
  };
  for (const [name, each] of Object.entries(named)) if (!kit.hidden(name)) kit.controls.append(each.element);
  if (!kit.hidden("block")) {
    const made = WAYS.map(([way, arrow, by]) => {
      const one = button({ act: `block-${way}`, label: arrow, title: `move the block ${way} by one cell`, signal, press: () => { const p = see(); if (p) move(shifted(p, by)); } });
      setAttribute(one, "aria-label", `block ${way}`);
      return one;
    });
    kit.controls.append(control("block", "move block", null, ...made));
  }

  // Drawing.
  function draw(s, trouble) {
    for (const [name, each] of Object.entries(named)) each.set(name.includes("_per_") && s[name][0] === s[name][1] ? s[name][0] : s[name], Boolean(trouble) && (trouble.text.startsWith(LABELS[name]) || (name.includes("_per_") && trouble.text.includes("need"))));
    const font = parseFloat(getComputedStyle(kit.root).fontSize), width = stage.clientWidth || 640;
    const ink = css(INK[theme()]), soft = css(mix(PAPER[theme()], INK[theme()], 0.35)), gap = 0.7 * font, told = model.get("_note"), side = floor(min(0.29 * width, (told ? 12 : 14) * font));
    write(note, told);
    drawPhoto(s, side);
    for (const part of ["cell", "bins", "block"]) visible(panels[part].element, drawn || !trouble);
    if (trouble) return;
    drawn = true;
    const p = { ...see(s), hidden: hides(s), ink, soft, font, side, width, rest: width - 1.8 * side - 2 * gap - 20 };
    scene.boxes(boxes(p));
    hatch(p);
    drawCell(p);
    drawBins(p);
    drawBlock(p);
  }

  function drawPhoto(s, side) {
    const [h, w] = s.image.shape, [low, high] = range(s.image.data), m = map(s);
    scene.draw({ rows: h, cols: w, data: s.image.data, scale: greyScale(min(0, low), max(1, high)), width: side, height: side });
    const rest = m ? [h - m.rows * s.pixels_per_cell[0], w - m.cols * s.pixels_per_cell[1]] : [0, 0];
    const unused = rest.some((n) => n > 0) ? `${rest.join("+")} unused` : "";
    panels.input.name("picture", m ? `${m.rows}\u00d7${m.cols}${unused ? ", " + unused : " cells"}` : `${h}\u00d7${w}`);
    setAttribute(panels.input.element, "title", unused && `${rest[0]} rows below and ${rest[1]} columns on the right are in no cell`);
    if (!m) scene.boxes([]);
  }

  // The cell, the block, what of the picture is in cells, and the cell of the number that is looked at.
  function boxes({ s, m, cell, block, hidden }) {
    const [ch, cw] = s.pixels_per_cell, [down, across] = s.cells_per_block;
    const box = (row, col, rows, cols, role, dash) => ({ row: row * ch, col: col * cw, rows: rows * ch, cols: cols * cw, colour: css(ROLES[role]), dash });
    const list = [box(...block, down, across, "output"), box(...cell, 1, 1, "gradient")];
    if (m.rows * ch < s.image.shape[0] || m.cols * cw < s.image.shape[1]) list.unshift(box(0, 0, m.rows, m.cols, "input", true));
    if (s.number >= 0 && s.number < m.each && !hidden) { const at = numberAt(s, s.number); list.push(box(block[0] + at.row, block[1] + at.col, 1, 1, "output", true)); }
    return list;
  }

  // What of the picture is in no cell, hatched below the boxes.
  function hatch({ s, m, soft }) {
    const context = scene.overlay.getContext("2d"), { fit, w, h } = scene, [high, wide] = [m.rows, m.cols].map((n, a) => n * s.pixels_per_cell[a] * fit);
    context.save();
    context.globalCompositeOperation = "destination-over";
    context.beginPath();
    context.rect(wide, 0, w - wide, h);
    context.rect(0, high, wide, h - high);
    context.clip();
    context.beginPath();
    for (let x = -h; x < w; x += 5) { context.moveTo(x, h); context.lineTo(x + h, 0); }
    context.setLineDash([]);
    for (const [colour, thick] of [[soft, 1], ["rgba(255, 255, 255, .6)", 2.5]]) { context.strokeStyle = colour; context.lineWidth = thick; context.stroke(); }
    context.restore();
  }

  // The cell's pixels in grey, an arrow on each from dark to bright, as long as the gradient.
  function drawCell({ s, m, cell, pixel, side, ink }) {
    const [ch, cw] = s.pixels_per_cell, w = s.image.shape[1], fit = min(side / ch, (0.8 * side) / cw), context = arrows.sheet(cw * fit, ch * fit);
    const places = [...Array(ch * cw).keys()].map((k) => (cell[0] * ch + floor(k / cw)) * w + cell[1] * cw + (k % cw));
    const [low, high] = range(places.map((k) => s.image.data[k])), scale = greyScale(low, high), longest = max(...places.map((k) => Math.hypot(m.row[k], m.col[k]))) || 1;
    places.forEach((k, place) => {
      const [y, x] = [floor(place / cw) * fit, (place % cw) * fit];
      context.fillStyle = css(mix(scale.rgb(s.image.data[k]), [255, 255, 255], 0.35));
      context.fillRect(x, y, fit + 0.5, fit + 0.5);
    });
    context.strokeStyle = css(ROLES.gradient);
    context.fillStyle = css(ROLES.gradient);
    places.forEach((k, place) => {
      const scaled = (0.95 * fit) / longest, [dy, dx] = [m.row[k] * scaled, m.col[k] * scaled], length = Math.hypot(dx, dy);
      if (length < 1.5) return;
      const [y, x] = [(floor(place / cw) + 0.5) * fit - dy / 2, ((place % cw) + 0.5) * fit - dx / 2], tip = min(5, length / 2), [uy, ux] = [dy / length, dx / length];
      context.lineWidth = 1.6;
      context.beginPath();
      context.moveTo(x, y);
      context.lineTo(x + dx - ux * tip, y + dy - uy * tip);
      context.stroke();
      context.beginPath();
      context.moveTo(x + dx, y + dy);
      for (const turn of [1, -1]) context.lineTo(x + dx - tip * (ux + 0.5 * turn * uy), y + dy - tip * (uy - 0.5 * turn * ux));
      context.fill();
    });
    if (pixel) {
      const [y, x] = pixel.map((at, a) => (at - cell[a] * s.pixels_per_cell[a]) * fit);
      context.lineWidth = 2.5;
      context.strokeStyle = ink;
      context.strokeRect(x + 1, y + 1, fit - 2, fit - 2);
    }
    panels.cell.name("cell", cell.join(", "));
    setAttribute(arrows.canvas, "data-value", pixel ? pixel.join() : "");
  }

  // The bins of the cell; what the followed pixel gives to them is set off.
  function drawBins({ s, m, cell, pixel, block, hidden, side, font, ink, soft, rest }) {
    const n = s.orientations, wide = min(rest, 24 * font), high = min(side, 12 * font), foot = 1.6 * font, context = bins.sheet(wide, high);
    const values = histogram(s, m, cell), most = max(...values) || 1, bar = wide / n, tall = high - foot - 4;
    const own = new Map(pixel && !hidden ? votesOf(s, m.row[pixel[0] * s.image.shape[1] + pixel[1]], m.col[pixel[0] * s.image.shape[1] + pixel[1]]) : []);
    const at = s.number >= 0 && s.number < m.each ? numberAt(s, s.number) : null, named = at && block[0] + at.row === cell[0] && block[1] + at.col === cell[1] ? at.bin : -1;
    context.font = `${max(11, 0.85 * font)}px ${getComputedStyle(kit.root).fontFamily}`;
    context.textAlign = "center";
    for (let k = 0; k < n; k++) {
      const up = (tall * values[k]) / most, share = (tall * (own.get(k) || 0)) / (most * s.pixels_per_cell[0] * s.pixels_per_cell[1]);
      if (!hidden) {
        context.fillStyle = css(ROLES.gradient);
        context.fillRect(k * bar + 1, 4 + tall - up, bar - 2, up);
        context.fillStyle = ink;
        context.fillRect(k * bar + 1, 4 + tall - max(share, own.get(k) ? 3 : 0), bar - 2, max(share, own.get(k) ? 3 : 0));
        if (k === named) { context.strokeStyle = css(ROLES.output); context.lineWidth = 2.5; context.strokeRect(k * bar + 1.5, 4, bar - 3, tall); }
      }
    }
    context.fillStyle = ink;
    for (const [words, place] of degreesOf(n, wide, (text) => context.measureText(text).width)) context.fillText(words, place, high - 0.4 * font);
    context.fillStyle = soft;
    context.fillRect(0, 4 + tall, wide, 1);
    if (hidden) { context.fillStyle = ink; context.fillText("?", wide / 2, high / 2); }
    panels.bins.name("its votes", pixel && !hidden ? "at the foot: this pixel's" : "");
    setAttribute(bins.canvas, "data-value", hidden ? "" : [...values].map((x) => x.toPrecision(6)).join());
  }

  // The numbers of the block, before and after; which cell is which stands below.
  function drawBlock({ s, m, block, pixel, first, hidden, font, ink, soft, width }) {
    const { before, after } = blockOf(s, m, block), tall = 3.3 * font, foot = 1.5 * font, context = bars.sheet(width - 4, 2 * tall + foot + 6), bar = (width - 4) / m.each, n = s.orientations;
    const most = max(...before) || 1, room = tall - 1.4 * font;
    context.font = `${max(11, 0.85 * font)}px ${getComputedStyle(kit.root).fontFamily}`;
    [[before, "gradient", "before"], [after, "output", "after"]].forEach(([numbers, role, words], row) => {
      const top = row * (tall + 4), most = max(...numbers) || 1;
      if (!hidden) numbers.forEach((x, k) => {
        context.fillStyle = css(ROLES[role]);
        context.fillRect(k * bar + 0.5, top + tall - ((tall - 1.4 * font) * x) / most, max(bar - 1, 0.7), ((tall - 1.4 * font) * x) / most);
        if (k !== s.number) return;
        context.strokeStyle = ink;
        context.lineWidth = 2;
        context.strokeRect(k * bar, top + 1.2 * font, bar, tall - 1.2 * font);
      });
      if (!hidden && !row && pixel) for (const [k, share] of givesOf(s, m, pixel, block)) {
        const up = max((room * share) / most, 3);
        context.fillStyle = ink;
        context.fillRect(k * bar + 0.5, tall - up, max(bar - 1, 0.7), up);
      }
      context.fillStyle = soft;
      context.fillRect(0, top + tall, width - 4, 1);
      context.textAlign = "left";
      context.fillStyle = ink;
      context.fillText(hidden ? `${words}: ?` : `${words}, up to ${full(Number(most.toPrecision(3)))}`, 3, top + font);
    });
    context.textAlign = "center";
    for (let c = 0; c < m.each / n; c++) {
      const at = numberAt(s, c * n);
      context.fillStyle = soft;
      if (c) context.fillRect(c * n * bar - 0.5, 0, 1, 2 * tall + 4);
      context.fillStyle = ink;
      if (n * bar > 6 * font) context.fillText(`cell ${block[0] + at.row}, ${block[1] + at.col}`, (c + 0.5) * n * bar, 2 * tall + foot);
    }
    panels.block.name("block", `${block.join(", ")}: numbers ${count(first + 1)} to ${count(first + m.each)} of ${count(m.length)}`);
    setAttribute(bars.canvas, "data-value", hidden ? "" : [...after].map((x) => x.toPrecision(6)).join());
  }

  return { draw, sentence: (s) => sentence(s, problem(s) ? false : hides(s), map(s)), problem, keys: {} };
}

export { render };
