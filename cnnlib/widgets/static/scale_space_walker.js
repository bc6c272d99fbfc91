// The scale-space walker: a point has a size as well as a place.
import { mount } from "./kit/root.js";
import { photo } from "./kit/photo.js";
import { panel } from "./kit/panel.js";
import { easel } from "./kit/sketch.js";
import { choice } from "./kit/choice.js";
import { stepper, toggle } from "./kit/controls.js";
import { scrub } from "./kit/scrub.js";
import { control } from "./kit/form.js";
import { actionOf } from "./kit/keys.js";
import { element, div, on, write, setAttribute, visible } from "./kit/dom.js";
import { ROLES, PAPER, INK, mix, css, inkOn, greyScale, toneScale } from "./kit/scale.js";
import { decode } from "./kit/state.js";
import { full, count, MINUS } from "./kit/text.js";
import { range } from "./kit/sweep.js";
import { spaceOf, differenceOf, cubeOf, directionsOf, describe } from "./kit/sift.js";
import { REJECTED, WORDS, told, degrees, blurOf, levelsOf, levelOf, placeOf, ofLevel, spotsOf, decide, numberOf, problem, patchAt, sentence } from "./walker_words.js";
import { abs, ceil, floor, max, min, round } from "./kit/numbers.js";

const HANDS = "Slide \u03c3, or press Page Up and Page Down: one step of a third of an octave. Click a circle, or a dot, to look at the point: its cube of differences, its histogram of directions, its patch, its descriptor. On a picture the arrow keys go to the next point that way, + and \u2212 to the next and the last number that is drawn; Esc, or a click beside all points, lets go of the point. Tick what was rejected to ask why.";
const EDGE = Math.SQRT2;                             // a circle runs along the rim of the disc that answers most
const DASHES = { kept: [], contrast: [1, 3], edge: [5, 3], unstable: [2, 2] };
const LINES = { contrast: "(dotted)", edge: "(long dashes)", unstable: "(short dashes)" };

function render({ model, el }) {
  let last = null;
  // The scale space, the spots and what becomes of them; made again where a picture or a test is another.
  const look = (s) => {
    const table = model.get("_table"), peaks = model.get("_peaks");
    if (last?.image !== s.image || last.table !== table) last = { image: s.image, table, space: spaceOf(s.image), spots: spotsOf(decode(table), decode(peaks)), known: new Map() };
    const key = [s.contrast, s.edge_ratio].join();
    if (last.key !== key) Object.assign(last, { key, found: decide(last.spots, s) });
    return last;
  };
  const one = (s) => numberOf(look(s).found, s.keypoint);
  const predict = {
    prompt: (s) => {
      const it = one(s);
      return it ? (it.reason === "kept" ? `The orientation of keypoint ${s.keypoint}, in degrees:` : null) : `How many keypoints are of about this size, \u03c3 ${told(s.sigma, 2)}?`;
    },
    place: (s) => (one(s) ? `keypoint ${s.keypoint}` : `level ${levelOf(look(s).space, s.sigma)}`),
    answer: (s) => { const it = one(s), { space, found } = look(s); return it ? degrees(it.angle) : ofLevel(space, found.kept, levelOf(space, s.sigma)); },
    epoch: (s) => look(s).key,
  };
  return mount(model, el, {
    name: "ScaleSpaceWalker", title: "Scale-space walker", idea: "A point has a size as well as a place.", hands: HANDS,
    listen: ["_table", "_peaks"], predict, build: (kit) => build(kit, look),
  });
}

function build(kit, look) {
  const { signal, state, stage, model, theme } = kit, { read } = state;
  const hides = (s) => kit.question.hides(s);
  const tidy = (x) => Number(x.toPrecision(6));
  const trouble = (s) => problem(s, look(s).space, () => look(s).found);
  // All points that are drawn, each with its number.
  const points = (s, { found: { kept, rejected } } = look(s)) => [...(hides(s) && s.keypoint === null ? [] : kept), ...rejected]
    .map((each, k, all) => ({ ...each, number: k + kept.length + rejected.length - all.length }))
    .filter(({ reason }) => reason === "kept" || s.rejected.includes(reason));

  // Hands: to a level, and to a point, whose size becomes the one that is shown.
  const step = (d) => { const s = read(), { space } = look(s), now = levelOf(space, s.sigma), to = min(max(now + d, 1), levelsOf(space)); if (to !== now) state.commit({ sigma: tidy(s.sigma * 2 ** ((to - now) / 3)) }, "sigma"); };
  function choose(k) {
    const s = read(), { space, found } = look(s), it = numberOf(found, k);
    if (it) state.commit({ keypoint: k, sigma: tidy(blurOf(levelOf(space, it.spot.sigma))) }, "point");
    else if (s.keypoint !== null) state.commit({ keypoint: null }, "point");
  }
  // So many steps along the numbers of the kinds that are drawn.
  function byNumber(d) {
    const s = read(), { kept, rejected } = look(s).found, all = [...kept, ...rejected].flatMap(({ reason }, k) => (reason === "kept" || s.rejected.includes(reason) ? [k] : []));
    if (!all.length) return;
    const beyond = all.filter((k) => k <= s.keypoint).length, at = all.includes(s.keypoint) || d > 0 ? beyond - 1 : beyond;
    choose(all[s.keypoint === null ? 0 : min(max(at + d, 0), all.length - 1)]);
  }
  // The nearest point to a place of the picture; of this size first.
  function pick(s, row, col, reach, allowed = () => true) {
    const { space } = look(s), level = levelOf(space, s.sigma);
    let best = null, least = Infinity;
    for (const each of points(s)) {
      const { spot } = each, away = Math.hypot(spot.row - row, spot.col - col), here = levelOf(space, spot.sigma) === level;
      const cost = here ? min(away, abs(away - EDGE * spot.sigma) + reach / 4) : away + reach / 2;
      if (cost < least && away <= max(reach, here ? EDGE * spot.sigma + reach / 2 : 0) && allowed(each)) [best, least] = [each, cost];
    }
    return best;
  }
  // From the layer's pixels, in which the photo is drawn, to the picture's.
  const place = (s, r, c) => { const { space } = look(s), { step } = space.octave(placeOf(levelOf(space, s.sigma)).octave); return [r * step - 0.25, c * step - 0.25]; };
  const hand = {
    choose: (r, c) => {
      const s = read();
      if (trouble(s)) return;
      const it = pick(s, ...place(s, r, c), max(...s.image.shape) / 25);
      choose(it ? it.number : null);
    },
    move: (down, right) => {
      const s = read();
      if (trouble(s)) return;
      const from = numberOf(look(s).found, s.keypoint)?.spot, [h, w] = s.image.shape, [row, col] = from ? [from.row, from.col] : [h / 2, w / 2];
      const it = pick(s, row, col, 2 * max(h, w), ({ spot }) => {
        const [y, x] = [spot.row - row, spot.col - col], along = y * Math.sign(down) + x * Math.sign(right);
        return along > 0.01 && along >= abs(down ? x : y);
      });
      if (it) choose(it.number);
    },
    zoom: byNumber,
  };

  // The parts.
  const blur = photo({ role: "input", part: "blur", label: "blurred photo", signal, ...hand });
  const difference = photo({ role: "output", part: "difference", label: "difference to the next blur", signal, ...hand });
  const [cube, bins, patch, stars] = [["cube", "cube of differences"], ["directions", "histogram of directions"], ["patch", "patch, turned upright"], ["descriptor", "descriptor"]].map(([part, label]) => easel(part, label));
  for (const { overlay } of [blur, difference]) on(overlay, signal, { keydown: (e) => { if (e.key === "Escape" && read().keypoint !== null) { e.preventDefault(); choose(null); } } });
  const note = div("cw-note"), ask = () => kit.root.querySelector('[data-do="predict"]');
  on(kit.root, signal, { keydown: (e) => { if (ask()?.hidden && actionOf(e) === "predict") e.preventDefault(); } });  // the key is the button's
  const panels = {
    blur: panel("input", "blurred", blur.element), difference: panel("output", "difference", difference.element),
    cube: panel("output", "cube", cube.canvas), bins: panel("gradient", "directions", bins.canvas),
    patch: panel("input", "patch", patch.canvas), stars: panel("gradient", "descriptor", stars.canvas),
  };
  const about = div("cw-row", panels.bins.element, panels.patch.element, panels.stars.element);
  stage.append(div("cw-row", panels.blur.element, panels.difference.element, panels.cube.element), about, note);

  // Controls.
  const slider = element("input", { type: "range", min: 1, step: 1, "aria-label": "\u03c3, a third of an octave a step" });
  slider.style.width = "8em";
  const to = () => tidy(blurOf(Number(slider.value)));
  on(slider, signal, { input: () => state.preview({ sigma: to() }), change: () => state.commit({ sigma: to() }, "sigma") });
  // A test that is changed keeps the point that is looked at, where it is still there.
  const again = (patch) => {
    const s = read(), it = numberOf(look(s).found, s.keypoint), { kept, rejected } = decide(look(s).spots, { ...s, ...patch });
    const all = [...kept, ...rejected], k = it ? all.findIndex(({ spot, angle }) => spot === it.spot && angle === it.angle) : -1, same = it ? all.findIndex(({ spot }) => spot === it.spot) : -1;
    return { ...patch, keypoint: it ? (k >= 0 ? k : same >= 0 ? same : null) : s.keypoint };
  };
  const number = (trait, label, title, options) => {
    const made = scrub({ signal, whole: false, label, get: () => read()[trait], set: (value, phase) => state[phase === "drag" ? "preview" : "commit"](trait === "sigma" ? { [trait]: value } : again({ [trait]: value }), trait), ...options });
    made.element.style.width = "3.4em";
    return { made, element: control(trait, label, title, made.element), set: (value, refused) => { made.show(value); setAttribute(made.element, "aria-invalid", refused ? "true" : null); } };
  };
  const sigma = number("sigma", "\u03c3", "the blur, in pixels", { by: (x, steps) => tidy(x * 2 ** (steps / 3)), same: (a, b) => full(a) === full(b) });
  sigma.element.append(slider);
  // A number that was typed is gone to, and refused where there is none; a step goes on among what is drawn.
  let typed = null;
  function go(k) {
    const mine = Object.is(k, typed), from = read().keypoint;
    typed = null;
    if (!mine) byNumber(k - from);
    else if (Number.isNaN(k) || numberOf(look(read()).found, k)) choose(Number.isNaN(k) ? null : k);
    else state.commit({ keypoint: k }, "point");
  }
  const named = {
    sigma,
    show: choice({ trait: "show", label: "show", options: [["both", "both"], ["blur", "blur"], ["difference", "difference"]], signal, change: (show) => state.commit({ show }) }),
    keypoint: stepper({ trait: "keypoint", label: "point", signal, title: "a keypoint by its number; beyond the last, a rejected candidate", read: (text) => { const clean = text.trim(); return typed = clean === "" || clean === "none" ? NaN : /^\d+$/.test(clean) ? Number(clean) : null; }, change: (k) => go(k) }),
    contrast: number("contrast", "contrast", "divided by 3: the least difference of Gaussians at a keypoint", { step: 0.005 }),
    edge_ratio: number("edge_ratio", "edge ratio", "of the two curvatures, from which on a point counts as part of an edge", { step: 1 }),
  };
  for (const [name, each] of Object.entries(named)) if (!kit.hidden(name)) kit.controls.append(each.element);
  const kept = element("span");
  const ticks = REJECTED.map((name) => {
    const label = element("span"), made = toggle({ trait: `rejected-${name}`, label, signal, change: (yes) => state.commit({ rejected: REJECTED.filter((each) => (each === name ? yes : read().rejected.includes(each))) }) });
    return { name, label, ...made };
  });
  const fates = element("span.cw-control", {}, kept, ...ticks.map((each) => each.element));
  fates.style.cssText = "flex-wrap:wrap;gap:.2em .7em";
  if (!kit.hidden("rejected")) kit.controls.append(fates);

  // Drawing.
  function draw(s, refused) {
    const m = look(s), { space, found } = m, hidden = hides(s);
    for (const [name, each] of Object.entries(named)) each.set(name === "keypoint" && s[name] === null ? "none" : s[name], Boolean(refused?.text.startsWith(name.replace("_", " "))));
    setAttribute(slider, "max", levelsOf(space));
    const level = levelOf(space, s.sigma > 0 ? s.sigma : 1), { octave, layer } = placeOf(level), it = refused ? null : numberOf(found, s.keypoint);
    slider.value = String(level);
    setAttribute(slider, "aria-valuetext", `${told(blurOf(level), 2)} pixels`);
    write(kept, hidden && s.keypoint === null ? "kept ?" : `kept ${count(found.kept.length)}`);
    for (const { name, label, set } of ticks) {
      write(label, `${WORDS[name]} ${count(found.rejected.filter((each) => each.reason === name).length)}`);
      set(s.rejected.includes(name));
    }
    const font = parseFloat(getComputedStyle(kit.root).fontSize), width = stage.clientWidth || 640, [h, w] = s.image.shape;
    const roomy = s.keypoint === null, across = s.show === "both" ? 2 : 1;  // without a point the photo has the page, in the height of a screen
    const wide = roomy ? (width - (across - 1) * 0.7 * font) / across - 5 : min((width - 10.2 * font - 40) / 2, max(17.5 * font, 0.24 * width)), fit = min(floor(wide) / w, max(15 * font, (roomy ? 0.4 : 0.2) * width) / h), p = { s, m, space, found, it, hidden, level, octave, layer, font, width, ink: css(INK[theme()]), soft: css(mix(PAPER[theme()], INK[theme()], 0.35)), paper: css(PAPER[theme()]) };
    const one = space.octave(octave), map = { rows: one.shape[0], cols: one.shape[1], width: w * fit, height: h * fit };
    visible(panels.blur.element, s.show !== "difference");
    visible(panels.difference.element, s.show !== "blur");
    if (s.show !== "difference") blur.draw({ ...map, data: one.layer(layer), scale: greyScale(0, 1) });
    panels.blur.name("blurred", `\u03c3 ${told(blurOf(level), 2)}, octave ${full(octave)}, layer ${layer}`);
    if (s.show !== "blur") {
      if (!m.known.has(level)) m.known.set(level, differenceOf(one, layer));
      const data = m.known.get(level), [low, high] = range(data), limit = max(-low, high) || 1;
      difference.draw({ ...map, data, scale: greyScale(-limit, limit) });
      panels.difference.name("difference", `\u00b1${full(Number(limit.toPrecision(2)))}, grey = 0`);
    }
    for (const scene of [blur, difference]) if (scene.density) circles(scene, p, one.step);
    if (ask()) visible(ask(), !it || it.reason === "kept");  // of a rejected point nothing is hidden
    visible(panels.cube.element, Boolean(it));
    visible(about, it?.reason === "kept");
    if (it) drawCube(p);
    if (it?.reason === "kept") { drawBins(p); drawPatch(p); }
    write(note, it ? fitted(it) : !found.kept.length ? "No keypoints: lower the contrast test." : refused ? "" : `Circles are keypoints of this size, dots those of others.${dashed(s)} Click one, or step through the points.`);
    if (!it && model.get("_note")) note.append(` ${model.get("_note")}`);
  }

  // What the circles are that are not drawn in one line.
  function dashed(s) {
    const kinds = REJECTED.filter((name) => s.rejected.includes(name)).map((name) => `${WORDS[name]} ${LINES[name]}`);
    return kinds.length ? ` Dashed circles are candidates that a test has rejected: ${kinds.join(", ")}.` : "";
  }

  // Where between the pixels the extremum lies, and the two numbers that are tested.
  function fitted({ spot, reason }) {
    const sign = (x) => (x > 0 ? "+" : "") + told(x, 2);
    if (reason === "unstable") return "The parabola's top lies nearer to another pixel, and to yet another from there.";
    const ratio = Number.isFinite(spot.ratio) ? `${told(spot.ratio, 2)} : 1` : "of two signs";
    return `Fitted: row ${sign(spot.down)}, column ${sign(spot.right)}, layer ${sign(spot.up)}; difference ${told(spot.value, 4)}; curvatures ${ratio}.`;
  }

  // Circles of the points of this size, dots where others are; the chosen one with its hand and its patch.
  function circles(scene, p, step) {
    const { s, space, level, it, hidden } = p, context = scene.overlay.getContext("2d"), at = (x) => ((x + 0.25) / step + 0.5) * scene.fit, unit = scene.fit / step;
    context.setTransform(scene.density, 0, 0, scene.density, 0, 0);
    context.clearRect(0, 0, scene.w, scene.h);
    const all = points(s), twice = (draw, colour, wide) => { for (const [style, width] of [["rgba(255,255,255,.9)", wide + 2], [colour, wide]]) { context.strokeStyle = style; context.lineWidth = width; draw(); } };
    for (const { spot, reason } of all) {
      if (levelOf(space, spot.sigma) === level) continue;
      context.fillStyle = css(reason === "kept" ? ROLES.weight : ROLES.gradient);
      context.fillRect(at(spot.col) - 0.9, at(spot.row) - 0.9, 1.8, 1.8);
    }
    let shown = 0;
    for (const { spot, reason } of all) {
      if (levelOf(space, spot.sigma) !== level) continue;
      shown += reason === "kept";
      context.setLineDash(DASHES[reason]);
      twice(() => { context.beginPath(); context.arc(at(spot.col), at(spot.row), EDGE * spot.sigma * unit, 0, 7); context.stroke(); }, css(reason === "kept" ? ROLES.weight : ROLES.gradient), 1.6);
    }
    context.setLineDash([]);
    setAttribute(scene.overlay, "data-circles", shown);
    setAttribute(scene.overlay, "data-dots", all.length);
    if (!it) return;
    const { spot, angle } = it, [x, y, r] = [at(spot.col), at(spot.row), EDGE * spot.sigma * unit];
    twice(() => {
      context.beginPath();
      context.arc(x, y, r, 0, 7);
      if (r < 5) { context.moveTo(x + 10, y); context.arc(x, y, 10, 0, 7); }
      if (it.reason === "kept" && !hidden) {
        const [cos, sin] = [Math.cos(angle), Math.sin(angle)], half = 6 * spot.sigma * unit, corner = (a, b) => [x + half * (a * cos - b * sin), y + half * (a * sin + b * cos)];
        context.moveTo(x, y);
        context.lineTo(x + half * cos, y + half * sin);
        [[-1, -1], [1, -1], [1, 1], [-1, 1], [-1, -1]].forEach(([a, b], k) => context[k ? "lineTo" : "moveTo"](...corner(a, b)));
      }
      context.stroke();
    }, css(ROLES.gradient), 2);
    setAttribute(scene.overlay, "data-focus", `${told(spot.row, 2)},${told(spot.col, 2)}`);
  }

  // 27 differences in thousandths, the layer above on top, and where between them the extremum lies.
  function drawCube({ it: { spot }, space, font, ink }) {
    const numbers = cubeOf(space.octave(spot.octave), spot.layer, spot.at_row, spot.at_col), limit = max(...numbers.map(abs)), scale = toneScale(limit, "output", theme());
    const [wide, high, gap] = [3.05 * font, 1.3 * font, 1.15 * font], context = cube.sheet(3 * wide, 9 * high + 3 * gap, 0.85 * font);
    context.textBaseline = "middle";
    ["next blur up", "this one", "the one below"].forEach((words, band) => {
      const top = band * (3 * high + gap) + gap;
      context.textAlign = "left";
      context.fillStyle = ink;
      context.fillText(words, 0, top - gap / 2);
      for (let k = 0; k < 9; k++) {
        const value = numbers[(2 - band) * 9 + k], rgb = scale.rgb(value), [x, y] = [(k % 3) * wide, top + floor(k / 3) * high];
        context.fillStyle = css(rgb);
        context.fillRect(x + 0.5, y + 0.5, wide - 1, high - 1);
        context.fillStyle = inkOn(rgb);
        context.textAlign = "center";
        const text = (1000 * value).toFixed(abs(value) < 0.0995 ? 1 : 0).replace("-", MINUS);
        context.fillText(text === `${MINUS}0.0` ? "0.0" : text, x + wide / 2, y + high / 2);
      }
    });
    context.strokeStyle = css(ROLES.gradient);
    context.lineWidth = 2;
    context.strokeRect(wide, 4 * high + 2 * gap, wide, high);
    panels.cube.name("cube", "\u00d71000");
    setAttribute(cube.canvas, "data-value", numbers.map((x) => x.toPrecision(6)).join());
  }

  // 36 directions, the line at 80 % of the highest, and where its orientations point.
  function drawBins({ it: { spot, angle }, space, hidden, font, ink, width }) {
    const one = space.octave(spot.octave), values = directionsOf(one, spot.layer, spot.at_row, spot.at_col, spot.sigma / one.step), most = max(...values) || 1;
    const wide = floor(min(22 * font, width - 20 * font - 40)), high = 9 * font, foot = 1.5 * font, bar = wide / 36, tall = high - foot - 1.2 * font, base = high - foot;
    const context = bins.sheet(wide, high, 0.85 * font);
    context.textAlign = "center";
    context.fillStyle = ink;
    if (hidden) context.fillText("?", wide / 2, high / 2);
    else {
      values.forEach((x, b) => {
        const near = spot.angles.some((each) => round((each / Math.PI) * 18) % 36 === b), mine = round((angle / Math.PI) * 18) % 36 === b;
        context.fillStyle = css(near ? ROLES.gradient : mix(PAPER[theme()], ROLES.gradient, 0.5));
        context.fillRect(b * bar + 0.5, base - (tall * x) / most, bar - 1, (tall * x) / most);
        if (!mine) return;
        context.strokeStyle = ink;
        context.lineWidth = 1.5;
        context.strokeRect(b * bar + 0.5, base - (tall * x) / most, bar - 1, (tall * x) / most);
      });
      context.strokeStyle = ink;
      context.lineWidth = 1;
      context.setLineDash([4, 3]);
      context.beginPath();
      context.moveTo(0, base - 0.8 * tall);
      context.lineTo(wide, base - 0.8 * tall);
      context.stroke();
      context.setLineDash([]);
      const right = spot.angles.some((each) => each > 4.7);
      context.textAlign = right ? "left" : "right";
      context.fillStyle = ink;
      context.fillText("80 %", right ? 2 : wide - 2, base - 0.8 * tall - 4);
    }
    context.fillStyle = ink;
    context.fillRect(0, base, wide, 1);
    for (const [part, words, align] of [[0, "0\u00b0", "left"], [9, "90\u00b0 down", "center"], [18, "180\u00b0", "center"], [27, "270\u00b0 up", "center"]]) { context.textAlign = align; context.fillText(words, part ? (part + 0.5) * bar : 0, high - 0.3 * font); }
    panels.bins.name("directions", hidden ? "?" : spot.angles.map((each) => `${degrees(each)}\u00b0`).join(", "));
    setAttribute(bins.canvas, "data-value", hidden ? "" : [...values].map((x) => x.toPrecision(6)).join());
  }

  // The patch turned upright, its 4 x 4 cells, and what their eight directions hold.
  function drawPatch({ it, space, hidden, font, ink, paper }) {
    const side = floor(9 * font), picture = patch.sheet(side, side, font), drawn = stars.sheet(side, side, font), cell = side / 4;
    panels.patch.name("patch", hidden ? "?" : `turned ${degrees(it.angle)}\u00b0`);
    panels.stars.name("descriptor", hidden ? "?" : "4\u00d74\u00d78");
    setAttribute(stars.canvas, "data-value", "");
    for (const context of [picture, drawn]) { context.textAlign = "center"; context.fillStyle = ink; if (hidden) context.fillText("?", side / 2, side / 2); }
    if (hidden) return;
    const cut = patchAt(space, it), numbers = describe(cut), [low, high] = range(cut.patch), scale = greyScale(low, high), fit = side / 22;
    for (let k = 0; k < 484; k++) {
      picture.fillStyle = cut.inside[k] ? css(scale.rgb(cut.patch[k])) : paper;
      picture.fillRect(floor((k % 22) * fit), floor(floor(k / 22) * fit), ceil(fit), ceil(fit));
    }
    picture.strokeStyle = css(ROLES.gradient);
    picture.lineWidth = 1;
    picture.globalAlpha = 0.7;
    for (let k = 0; k <= 4; k++) { const x = (3 + 4 * k) * fit; picture.strokeRect(x, 3 * fit, 0, 16 * fit); picture.strokeRect(3 * fit, x, 16 * fit, 0); }
    picture.globalAlpha = 1;
    picture.lineWidth = 2.5;
    picture.beginPath();
    for (const [x, y] of [[11, 11], [19, 11], [17, 10], [19, 11], [17, 12]]) picture[x === 11 ? "moveTo" : "lineTo"](x * fit, y * fit);
    picture.stroke();
    const longest = max(...numbers) || 1;
    drawn.strokeStyle = css(ROLES.gradient);
    for (let u = 0; u < 4; u++) {
      for (let v = 0; v < 4; v++) {
        const [x, y] = [(v + 0.5) * cell, (u + 0.5) * cell];
        drawn.lineWidth = 0.5;
        drawn.strokeRect(v * cell + 0.5, u * cell + 0.5, cell - 1, cell - 1);
        drawn.lineWidth = 2;
        for (let b = 0; b < 8; b++) {
          const length = (numbers[(u * 4 + v) * 8 + b] / longest) * 0.46 * cell, turn = (b * Math.PI) / 4;
          drawn.beginPath();
          drawn.moveTo(x, y);
          drawn.lineTo(x + length * Math.cos(turn), y + length * Math.sin(turn));
          drawn.stroke();
        }
      }
    }
    setAttribute(stars.canvas, "data-value", [...numbers].map((x) => x.toPrecision(6)).join());
  }

  return { draw, sentence: (s) => sentence(s, hides(s), look(s)), problem: trouble, keys: { next: () => step(1), previous: () => step(-1) } };
}

export { render };
