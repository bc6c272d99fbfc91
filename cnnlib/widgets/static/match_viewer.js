// The match viewer: a match is good when the second best is far.
import { mount } from "./kit/root.js";
import { panel } from "./kit/panel.js";
import { choice } from "./kit/choice.js";
import { pick } from "./kit/pick.js";
import { scrub } from "./kit/scrub.js";
import { sketch } from "./kit/sketch.js";
import { toggle } from "./kit/controls.js";
import { control, button } from "./kit/form.js";
import { element, div, on, write, setAttribute, visible, arrange } from "./kit/dom.js";
import { ROLES, PAPER, INK, mix, css } from "./kit/scale.js";
import { full, count } from "./kit/text.js";
import { MOST, BINS, NUMERALS, sceneOf, problem, keptOf, drawnOf, histogram, picksOf, byHand, pairOf, heldOf, tenth, agreeing, warped, chosen, sentence } from "./match_words.js";
import { abs, floor, max, min, round } from "./kit/numbers.js";

const HANDS = "Point at a picture to see a point's two rivals in B: a solid line to the nearest, a dashed one to the second; click to stay with it, click beside all points to leave it. Arrow keys walk from point to point. The slider, or a click into the histogram, moves the ratio. Wrong only leaves the wrong matches, where the truth is known. Under pick 4, a click on a match picks it, and another drops it; Enter and Pick or drop do so by keys. Place a pair lays a pair of your own: click where it ends in A and in B. Drag either end of any of the four; arrow keys move the end that is chosen in the list, with Shift ten pixels. Under draw 4, each draw takes four matches. All that agree with the homography of your four, or of the best draw, are solid. Under blend, that homography lays A over B.";
const REACH = 22, GRIP = 11, SEEN = 25;              // pixels: how far a hand may be off a point, off an end; what is shown of a point's surroundings

function render({ model, el }) {
  const scene = () => sceneOf(model.get("_scene"));
  return mount(model, el, {
    name: "MatchViewer", title: "Match viewer", hands: HANDS, listen: ["_scene"],
    idea: "A match is good when the second best is far.",
    predict: {
      prompt: (s) => (problem(s, scene()) ? null : `How many matches at ratio ${full(s.ratio)}?`),
      place: (s) => `${s.ratio},${s.cross_check}`,
      answer: (s) => keptOf(s, scene()).length,
      epoch: () => 0,
    },
    build: (kit) => build(kit, scene),
  });
}

// A picture of bytes, grey or in colour, as a canvas to draw from; moved by a homography into so many pixels.
function canvasOf(picture, [h, w] = picture.shape, rows = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]) {
  const canvas = element("canvas", { width: w, height: h }), context = canvas.getContext("2d"), image = context.createImageData(w, h);
  image.data.set(warped(picture, rows, [h, w]));
  context.putImageData(image, 0, 0);
  return canvas;
}

function build(kit, scene) {
  const { model, signal, state, stage, theme } = kit, { read } = state, { hides } = kit.question;
  let pictures = null, plan = null;
  const hidden = (s) => !problem(s, scene()) && hides(s);
  const point = (points, k) => [points[2 * k], points[2 * k + 1]];
  // The points of A that a hand can come to: all, or those of the wrong matches alone.
  const reachable = (s = read(), here = scene()) => (s.stage === "wrong" && !problem(s, here) && !hidden(s) ? drawnOf(s, here, keptOf(s, here)) : [...Array(here.n).keys()]);

  // Where a point of A or B is drawn, and which point of A a hand means.
  const onA = ([row, col]) => [(col + 0.5) * plan.fit, (row + 0.5) * plan.fit];
  const onB = ([row, col]) => [plan.left + (col + 0.5) * plan.fit, (row + 0.5) * plan.fit];
  function meant(y, x) {
    if (!plan) return null;
    const beside = read().stage === "pick" ? REACH : 3;  // how much nearer a rejected point must be; where pairs are picked no nearness is enough
    const { points_a: a, points_b: b, rivals, m } = scene(), [px, py] = [x * plan.width, y * plan.height], inB = px > plan.left, kept = new Set(plan.kept);
    let best = null, nearest = REACH + beside;
    for (const k of m ? reachable() : []) {
      const [u, v] = inB ? onB(point(b, rivals[2 * k])) : onA(point(a, k));
      const away = Math.hypot(u - px, v - py), far = away + (kept.has(k) ? 0 : beside);
      if (away < REACH && far < nearest) [best, nearest] = [k, far];
    }
    return best;
  }
  const look = (selected) => state.commit({ selected }, "look");
  // The nearest point in a direction, rather ahead than aside; or the end that is held, by pixels.
  function walk(down, right, far) {
    const here = scene(), from = chosen(read(), here);
    const { held, picks } = four();
    if (held !== null) {
      const side = held & 1, [row, col] = pairOf(here, picks[held >> 1])[side];
      return put(held, within([row + far * down, col + far * right], side), "end");
    }
    if (!here.n) return;
    const all = reachable();
    if (from === null) return all.length ? look(all.find((k) => plan?.kept.includes(k)) ?? 0) : undefined;
    const start = point(here.points_a, from);
    let best = null, least = Infinity;
    for (const k of all) {
      const way = point(here.points_a, k).map((x, axis) => x - start[axis]), ahead = way[0] * down + way[1] * right, aside = abs(way[0] * right) + abs(way[1] * down);
      if (ahead > 0 && ahead + 2 * aside < least) [best, least] = [k, ahead + 2 * aside];
    }
    if (best !== null) look(best);
  }
  // The four as they are now, which may be later than what is drawn, and the end that is held.
  function four() {
    const s = read(), picks = plan ? picksOf(s, plan.kept) : [];
    return { picks, held: hidden(s) ? null : heldOf(s, picks) };
  }
  // Into the four picked, of a fifth the first one goes; or out of them.
  function turn(k) {
    const { picks } = four();
    state.commit({ selected: k, picked: picks.includes(k) ? picks.filter((other) => other !== k) : [...picks.slice(-3), k], end: null });
  }

  // The ends of the four: inside its picture, in tenths of a pixel; where a hand points; which end it means; and put there.
  const within = (place, side) => place.map((x, axis) => tenth(min(max(x, 0), scene()[side ? "b" : "a"].shape[axis] - 1)));
  const pointed = ([px, py], side) => within([py / plan.fit - 0.5, (px - (side ? plan.left : 0)) / plan.fit - 0.5], side);
  function endAt(px, py) {
    let best = null, nearest = GRIP;
    (plan?.ends || []).forEach(([u, v], index) => { const far = Math.hypot(u - px, v - py); if (far < nearest) [best, nearest] = [index, far]; });
    return best;
  }
  function moved(index, place) {
    const { picks } = four(), pair = pairOf(scene(), picks[index >> 1]).map((end) => end.map(tenth));
    pair[index & 1] = place;
    picks[index >> 1] = pair.flat();
    return picks;
  }
  const put = (index, place, group, end = read().end) => state.commit({ picked: moved(index, place), end }, group);
  // A new pair at a corner of its own, of both pictures alike; its end in A waits for its place.
  function lay() {
    const picks = four().picks.slice(-3), n = picks.length, here = scene();
    const corner = ({ shape: [h, w] }, side) => within([(n < 2 ? 0.25 : 0.75) * h, (n % 2 ? 0.75 : 0.25) * w], side);
    laid = { pair: n, done: [false, false] };
    state.commit({ picked: [...picks, [...corner(here.a, 0), ...corner(here.b, 1)]], end: 2 * n });
  }
  const drop = () => { const { picks, held } = four(); state.commit({ picked: picks.filter((_, k) => k !== held >> 1), end: null }); };
  // An end of a pair comes here; of one that is being laid, either end first, then the other one waits.
  function bring(held, at, side) {
    const fresh = laid?.pair === held >> 1;
    if (fresh) laid.done[side] = true;
    put(2 * (held >> 1) + side, pointed(at, side), null, (fresh ? laid.done[1 - side] : side) ? null : 2 * (held >> 1) + 1 - side);
  }
  // A click where pairs are picked: the held end comes here, an end by hand is held, a match is picked.
  function choose(y, x) {
    const k = meant(y, x), at = plan && [x * plan.width, y * plan.height];
    if (dragged) { dragged = false; return; }
    if (read().stage !== "pick" || !plan) return look(k);
    const { held, picks } = four(), index = endAt(...at), side = Number(at[0] > plan.left);
    if (held !== null && index === held) return state.commit({ end: null });
    if (held === null) laid = null;
    else if (side === (held & 1) || laid?.pair === held >> 1) return bring(held, at, side);
    if (index !== null && byHand(picks[index >> 1])) return state.commit({ end: index });
    if (plan.kept.includes(k)) turn(k); else look(k);
  }
  // Enter where pairs are picked: the held end is let go; the match that is looked at is picked, or dropped.
  function enter(e) {
    const s = read(), { held } = four(), k = chosen(s, scene());
    if (!["Enter", " "].includes(e.key) || e.shiftKey || s.stage !== "pick" || hidden(s) || !plan) return;
    e.preventDefault();
    if (held !== null) state.commit({ end: null });
    else if (plan.kept.includes(k)) turn(k);
  }
  let laid = null;                                     // the pair that is being laid, and which of its ends are: { pair, done }
  let drag = null, dragged = false;                    // an end under way, { index, from, before, x }; whether the click that follows is of a drag
  const onCanvas = (e) => { const box = lines.canvas.getBoundingClientRect(); return [e.clientX - box.left, e.clientY - box.top]; };
  const ratioOf = (x) => max(0.01, round(100 * x) / 100);
  const setRatio = (ratio) => state.commit({ ratio }, "ratio");
  const lines = sketch("match", "both pictures and their matches", signal, {
    enter: (y, x) => { const selected = drag || four().held !== null ? null : meant(y, x); if (selected !== null) state.preview({ selected }); },
    choose,
    move: walk,
  });
  on(lines.canvas, signal, {
    keydown: enter,
    pointerdown: (e) => {
      const at = onCanvas(e), index = e.button ? null : endAt(...at);
      dragged = false;
      drag = index === null ? null : { index, at, before: read().picked };
      if (drag) lines.canvas.setPointerCapture(e.pointerId);
    },
    pointermove: (e) => {
      if (!drag) return;
      const at = onCanvas(e);
      dragged ||= Math.hypot(at[0] - drag.at[0], at[1] - drag.at[1]) > 3;
      if (dragged) state.preview({ picked: moved(drag.index, pointed(at, drag.index & 1)) });
    },
    pointerup: (e) => { if (drag && dragged) put(drag.index, pointed(onCanvas(e), drag.index & 1), null); drag = null; },
    pointercancel: () => { if (drag) state.preview({ picked: drag.before }); drag = null; },
  });
  const bars = sketch("ratios", "histogram of the ratios", signal, {
    enter: (y, x, e) => { if (e.buttons & 1) state.preview({ ratio: ratioOf(x) }); },
    choose: (y, x) => setRatio(ratioOf(x)),
    move: (down, right, far) => setRatio(round(100 * read().ratio + far * (right - down)) / 100),
  });
  for (const { canvas } of [lines, bars]) canvas.style.touchAction = "pan-y";
  const glass = element("canvas", { "data-part": "rivals", "aria-hidden": "true" });
  const views = { match: panel("input", "A and B", lines.canvas), ratios: panel("output", "ratios", bars.canvas), rivals: panel("weight", "point", glass) };
  const top = div("cw-row", views.match.element), foot = div("cw-row"), side = div("cw-row", views.ratios.element, views.rivals.element), column = div("cw-panel"), note = div("cw-note");
  stage.append(top);
  kit.controls.before(foot);
  column.append(kit.controls, note);                   // beside the histogram where there is room
  column.style.flex = "1 1 26em";

  // Controls.
  const slider = element("input", { type: "range", min: 0.01, max: 1, step: 0.01, "aria-label": "ratio" });
  Object.assign(slider.style, { width: "11em", accentColor: "var(--ink)" });
  on(slider, signal, { input: () => state.preview({ ratio: Number(slider.value) }), change: () => setRatio(Number(slider.value)) });
  const field = scrub({ signal, whole: false, step: 0.01, size: 4, label: "ratio in numbers", get: () => read().ratio, set: (ratio, phase) => state[phase === "drag" ? "preview" : "commit"]({ ratio }, "ratio") });
  const mutual = toggle({ trait: "cross_check", label: "cross-check", signal, change: (cross_check) => state.commit({ cross_check }), title: "keep a match only if each is the other's nearest" });
  const stages = choice({ trait: "stage", label: "step", options: [["match", "match"], ...(scene().judged ? [["wrong", "wrong only"]] : []), ["pick", "pick 4"], ["homography", "draw 4"], ["warp", "blend"]], signal, change: (stage) => state.commit({ stage }) });
  const more = (act, label, by) => button({ act, label, signal, press: () => state.commit({ draws: min(read().draws + by, MOST) }) });
  const draws = control("draws", "", null, more("again", "Draw four again", 1), more("hundred", "Draw 100 more", 100));
  const one = button({ act: "pick", label: "Pick or drop this match", signal, press: () => turn(chosen(read(), scene())) }), none = button({ act: "none", label: "Drop all", signal, press: () => state.commit({ picked: [], end: null }) });
  const own = button({ act: "place", label: "Place a pair", title: "a pair of your own: click where it ends in A, then in B", signal, press: lay }), away = button({ act: "drop", label: "Drop this pair", signal, press: drop });
  const ends = NUMERALS.flatMap((name, k) => ["A", "B"].map((letter, side) => [String(2 * k + side), `${name} in ${letter}`]));
  const held = pick({ trait: "end", label: "arrow keys move", options: [["", "on to a point"], ...ends], signal, change: (value) => state.commit({ end: value === "" ? null : Number(value) }) });
  const fade = element("input", { type: "range", min: 0, max: 1, step: 0.05, "aria-label": "blend, from A to B" });
  Object.assign(fade.style, { width: "8em", accentColor: "var(--ink)" });
  on(fade, signal, { input: () => state.preview({ blend: Number(fade.value) }), change: () => state.commit({ blend: Number(fade.value) }, "blend") });
  const picked = control("picked", "", null, one, own, none), grip = control("grip", "", null, held.element, away), blend = control("blend", "A", null, fade, element("span.cw-label", {}, "B"));
  for (const [name, made] of [["ratio", control("ratio", "ratio", null, slider, field.element)], ["cross_check", mutual.element], ["stage", stages.element], ["picked", picked], ["picked", grip], ["draws", draws], ["blend", blend]]) if (!kit.hidden(name)) kit.controls.append(made);

  function draw(s, trouble) {
    const here = scene(), font = parseFloat(getComputedStyle(kit.root).fontSize), width = stage.clientWidth || 640;
    slider.value = s.ratio;
    field.show(s.ratio);
    setAttribute(field.element, "aria-invalid", trouble ? "true" : null);
    mutual.set(s.cross_check);
    stages.set(s.stage);
    write(note, model.get("_note"));
    if (!pictures || pictures.scene !== here) pictures = { scene: here, a: canvasOf(here.a), b: canvasOf(here.b) };
    const kept = trouble ? [] : keptOf(s, here), found = hidden(s) ? null : agreeing(s, here, kept), picks = picksOf(s, kept), able = !trouble && kept.length >= 4;
    visible(draws, able && s.stage === "homography" && s.draws < MOST);
    visible(picked, !trouble && s.stage === "pick" && here.n > 0 && here.m > 0 && !hidden(s));
    visible(grip, !picked.hidden && picks.length > 0);
    held.set(String(heldOf(s, picks) ?? ""));
    [...held.select.options].forEach((option, k) => { option.hidden = option.disabled = k > 2 * picks.length; });
    visible(away, heldOf(s, picks) !== null);
    visible(one, kept.includes(chosen(s, here)));
    visible(none, picks.length > 0);
    visible(blend, s.stage === "warp" && Boolean(found?.rows));
    fade.value = s.blend;
    const ink = css(INK[theme()]), paper = css(PAPER[theme()]), soft = css(mix(PAPER[theme()], INK[theme()], 0.45));
    const p = { s, here, kept, font, ink, paper, soft, hidden: hidden(s) || Boolean(trouble), found, picks, drawn: drawnOf(s, here, kept) };
    // The photos as wide as the page, in the height of a screen; histogram and point below, or beside photos that are narrow.
    drawLines(p, width - 1, max(16 * font, 0.36 * width));
    const rest = min(width - plan.width - font, 24 * font), beside = rest > 15.5 * font, wide = width >= 54 * font;
    arrange(top, beside ? [views.match.element, side] : [views.match.element]);
    arrange(foot, beside ? [column] : [side, column]);
    side.style.flexDirection = beside ? "column" : "row";
    side.classList.toggle("cw-dim", Boolean(trouble) && !beside);
    drawBars(p, beside ? rest - 4 : wide ? min(0.3 * width, 24 * font) : 0.5 * width - font, (beside || wide ? 8 : 6.5) * font);
    drawRivals(p, beside ? min(5.6 * font, (rest - 2 * font) / 3) : wide ? min(6.5 * font, 0.07 * width) : min(5 * font, 0.15 * width - 0.7 * font));
  }

  function drawLines(p, width, height) {
    const { s, here, kept, drawn: these, ink, paper, found, font } = p, over = s.stage === "warp" && found?.rows, [ha, wa] = here.a.shape, [hb, wb] = here.b.shape, gap = 0.5 * font;
    const fit = min((width - gap) / (wa + wb), height / max(ha, hb)), k = chosen(s, here), left = wa * fit + gap;
    plan = { fit, left, width: left + wb * fit, height: max(ha, hb) * fit, kept, ends: [] };
    const context = lines.sheet(plan.width, plan.height);
    context.globalAlpha = over ? 1 : 0.6;
    context.drawImage(pictures.a, 0, 0, wa * fit, ha * fit);
    context.drawImage(pictures.b, left, 0, wb * fit, hb * fit);
    if (over) {
      if (pictures.key !== String(over)) Object.assign(pictures, { key: String(over), over: canvasOf(here.a, [hb, wb], over) });
      context.globalAlpha = 1 - s.blend;
      context.drawImage(pictures.over, left, 0, wb * fit, hb * fit);
    }
    context.globalAlpha = 1;
    const dot = ([x, y], size, colour) => { context.fillStyle = colour; context.fillRect(x - size / 2, y - size / 2, size, size); };
    const quiet = over || (s.stage === "wrong" && !p.hidden);  // no dots but those at the ends of lines
    for (let j = 0; j < here.n && !quiet; j++) dot(onA(point(here.points_a, j)), 2, ink);
    for (let j = 0; j < here.m && !quiet; j++) dot(onB(point(here.points_b, j)), 2, ink);
    const line = (j, rival, ...style) => between(onA(point(here.points_a, j)), onB(point(here.points_b, here.rivals[2 * j + rival])), ...style);
    const between = (from, to, colour, thick, dash) => {
      for (const [stroke, wide] of thick > 2 ? [[paper, thick + 2.5], [colour, thick]] : [[colour, thick]]) {
        context.setLineDash(dash && stroke === colour ? [5, 4] : []);
        context.lineWidth = wide;
        context.strokeStyle = stroke;
        context.beginPath();
        context.moveTo(...from);
        context.lineTo(...to);
        context.stroke();
      }
      for (const end of [from, to]) dot(end, thick + 2, colour);
      return [from, to];
    };
    const solid = these.map((j, place) => (found ? Boolean(found.agree?.[place]) : here.judged ? Boolean(here.right[j]) : true));
    if (!p.hidden) {
      for (const sound of over ? [] : [true, false]) {      // where there are many, they would hide the pictures and each other
        const those = these.filter((_, place) => solid[place] === sound);
        context.globalAlpha = min(0.9, 50 / those.length) * (k === null ? 1 : 0.4);
        for (const j of those) line(j, 0, css(sound ? ROLES.output : ROLES.gradient), 1.2, !sound);
      }
      context.globalAlpha = 1;
      if (found) frame(context, found.rows, ha, wa, [left, wb * fit, hb * fit], paper);
      const held = heldOf(s, p.picks), those = s.stage === "pick" || (s.stage === "warp" && p.picks.length === 4) ? p.picks : found ? found.last.map((place) => kept[place]) : [];
      const drawn = over ? [] : those.map((one) => { const [a, b] = pairOf(here, one); return between(onA(a), onB(b), ink, 2); });
      if (s.stage === "pick") plan.ends = drawn.flat();
      plan.ends.forEach((end, index) => ring(context, end, NUMERALS[index >> 1], p, index === held));
    }
    if (k !== null && here.m && !over) {
      if (here.m > 1) ring(context, line(k, 1, css(ROLES.weight), 2.2, true)[1], "2", p);
      const [from, to] = line(k, 0, css(ROLES.input), 2.6);
      ring(context, from, "", p);
      ring(context, to, "1", p);
    }
    const said = p.hidden ? 0 : these.length, right = p.hidden ? 0 : solid.filter(Boolean).length;
    for (const [name, value] of [["held", four().held ?? ""], ["count", said], ["solid", right], ["dashed", said - right], ["focus", k ?? ""]]) setAttribute(lines.canvas, `data-${name}`, value);
    views.match.name("A and B", `${count(here.n)} and ${count(here.m)} points`);
  }

  // Where the best homography puts the rim of A in B.
  function frame(context, rows, h, w, [left, wide, high], paper) {
    const ends = rows && [[-0.5, -0.5], [-0.5, w - 0.5], [h - 0.5, w - 0.5], [h - 0.5, -0.5]].map(([r, c]) => rows.map((line) => line[0] * r + line[1] * c + line[2]));
    if (!ends || new Set(ends.map(([, , z]) => Math.sign(z))).size > 1) return;
    context.save();
    context.beginPath();
    context.rect(left, 0, wide, high);
    context.clip();
    context.setLineDash([]);
    context.beginPath();
    for (const [u, v, z] of ends) context.lineTo(...onB([u / z, v / z]));
    context.closePath();
    for (const [colour, thick] of [[paper, 5], [css(ROLES.weight), 2.5]]) { context.strokeStyle = colour; context.lineWidth = thick; context.stroke(); }
    context.restore();
  }

  function ring(context, [x, y], words, { font, ink, paper }, full) {
    context.setLineDash([]);
    for (const [colour, thick] of [[paper, 4.5], [ink, 2]]) {
      context.strokeStyle = colour;
      context.lineWidth = thick;
      context.beginPath();
      context.arc(x, y, 6, 0, 7);
      context.stroke();
      context.fillStyle = css(ROLES.weight);
      if (full) context.fill();
    }
    if (!words) return;
    context.font = `bold ${max(12, font)}px ${getComputedStyle(kit.root).fontFamily}`;
    const room = 0.7 * font, [tx, ty] = [x + 9 > plan.width - room ? x - 9 - room : x + 9, y < font ? y + font : y - 4];
    context.strokeStyle = paper;
    context.lineWidth = 4;
    context.lineJoin = "round";
    context.strokeText(words, tx, ty);
    context.fillStyle = ink;
    context.fillText(words, tx, ty);
  }

  // How many points have which ratio; on the left of the mark they are kept. What is wrong is striped.
  function drawBars({ s, here, kept, font, ink, soft, hidden }, width, height) {
    const context = bars.sheet(width, height), foot = 1.5 * font, tall = height - foot - 4, bar = width / BINS, bins = histogram(here, kept), most = max(...bins.all, 1);
    bins.all.forEach((n, k) => {
      const up = (x) => (tall * x) / most, x = k * bar + 0.5, base = height - foot;
      context.fillStyle = soft;
      context.fillRect(x, base - up(n), bar - 1, up(n));
      if (hidden) return;
      context.fillStyle = css(ROLES.output);
      context.fillRect(x, base - up(bins.kept[k]), bar - 1, up(bins.kept[k]));
      context.fillStyle = css(ROLES.gradient);
      for (let y = base - up(n); here.judged && y < base - up(n - bins.wrong[k]) - 1; y += 4) context.fillRect(x, y, bar - 1, min(2.5, base - up(n - bins.wrong[k]) - y));
    });
    context.fillStyle = ink;
    context.fillRect(0, height - foot, width, 1);
    const mark = width * min(max(s.ratio, 0), 1);
    context.fillRect(min(mark, width - 2), 0, 2, height - foot + 3);
    context.font = `${max(11, 0.85 * font)}px ${getComputedStyle(kit.root).fontFamily}`;
    for (const [share, align] of [[0, "left"], [0.2, "center"], [0.4, "center"], [0.6, "center"], [0.8, "center"], [1, "right"]]) {
      context.textAlign = align;
      context.fillText(full(share), share * width, height - 0.3 * font);
    }
    views.ratios.name("ratios", here.judged && !hidden ? "wrong ones striped" : "best : second");
    setAttribute(bars.canvas, "data-value", hidden ? "" : [...bins.kept].join());
    setAttribute(bars.canvas, "data-all", [...bins.all].join());
  }

  // The surroundings of the chosen point and of its two rivals, with the distances.
  function drawRivals({ s, here, font, ink, soft }, size) {
    const density = window.devicePixelRatio || 1, gap = 0.6 * font, width = 3 * size + 2 * gap, height = size + 1.5 * font, k = chosen(s, here);
    Object.assign(glass, { width: round(width * density), height: round(height * density) });
    Object.assign(glass.style, { width: `${width}px`, height: `${height}px`, display: "block" });
    const context = glass.getContext("2d"), shown = k !== null && here.m > 0;
    context.setTransform(density, 0, 0, density, 0, 0);
    context.font = `${max(11, 0.85 * font)}px ${getComputedStyle(kit.root).fontFamily}`;
    const far = (x) => full(Number(x.toPrecision(3)));
    const all = shown && [[pictures.a, point(here.points_a, k), "A"], ...[0, 1].map((rival) => [pictures.b, point(here.points_b, here.rivals[2 * k + rival]), `${rival + 1}: ${far(here.distance[2 * k + rival])}`])];
    for (let place = 0; place < 3; place++) {
      const x = place * (size + gap);
      context.strokeStyle = soft;
      context.strokeRect(x + 0.5, 0.5, size - 1, size - 1);
      if (!shown || (place === 2 && here.m < 2)) continue;
      const [picture, [row, col], words] = all[place];
      context.drawImage(picture, round(col) - floor(SEEN / 2), round(row) - floor(SEEN / 2), SEEN, SEEN, x + 1, 1, size - 2, size - 2);
      context.fillStyle = ink;
      context.fillText(words, x, height - 0.4 * font);
    }
    views.rivals.name("point", shown ? `${count(k)}: ratio ${full(round(1e3 * here.ratios[k]) / 1e3)}` : "point at A or B");
  }

  return { draw, sentence: (s) => sentence(s, hidden(s), scene()), problem: (s) => problem(s, scene()), keys: {} };
}

export { render };
