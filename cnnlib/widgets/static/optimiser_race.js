// The optimiser race: the same slope, five ways to walk it.
import { mount } from "./kit/root.js";
import { ownSurface } from "./kit/race.js";
import { choice } from "./kit/choice.js";
import { stepper, control, button } from "./kit/controls.js";
import { logScrub, scrub } from "./kit/scrub.js";
import { player, stillness } from "./kit/motion.js";
import { element, div, on, write, visible, arrow, setAttribute } from "./kit/dom.js";
import { decode } from "./kit/state.js";
import { PAPER, INK, mix, css } from "./kit/scale.js";
import { full } from "./kit/text.js";
import { RUNNERS, SURFACES, rateOf, stepOf, bent, problem, raceOf, left, standing, ranking, rowOf, wanted, nextStep, sentence, writers } from "./race_words.js";
import { abs, ceil, floor, log10, max, min, round } from "./kit/numbers.js";

const HANDS = "Drag the cross, or move it with the arrow keys: all paths begin there. Type a rate, or drag it; arrow keys change it by a quarter. The arrow at the end of a row takes the runner's next step apart.";
const LOOKS = {                                      // colour, dashes, mark
  sgd: ["#0072b2", [], "circle"], momentum: ["#e69f00", [7, 4], "down"], nesterov: ["#009e73", [9, 3, 2, 3], "square"],
  rmsprop: ["#d55e00", [2, 3], "up"], adam: ["#cc79a7", [11, 3, 2, 3, 2, 3], "diamond"],
};
const CORNERS = { down: [[-1, -0.8], [1, -0.8], [0, 1]], up: [[-1, 0.8], [1, 0.8], [0, -1]], square: [[-0.85, -0.85], [0.85, -0.85], [0.85, 0.85], [-0.85, 0.85]], diamond: [[0, -1.15], [1.15, 0], [0, 1.15], [-1.15, 0]] };
const LEVELS = 12;

function render({ model, el }) {
  let last = null;
  const ours = {};
  const own = () => {
    const samples = decode(model.get("_samples"));
    if (ours.samples !== samples) Object.assign(ours, { samples, surface: ownSurface(samples, model.get("_window"), model.get("_own_start")) });
    return ours.surface;
  };
  const race = (s) => {
    const draws = decode(model.get("_draws"));
    const key = JSON.stringify([s.surface, s.start, s.runners, s.lr, s.steps, s.noise, s.kappa, s.seed]);
    if (!last || last.key !== key || last.draws !== draws) last = { ...raceOf(s, own, draws.data), key, draws, version: (last?.version || 0) + 1 };
    return last;
  };
  const predict = {
    prompt: (s) => (s.runners.length > 1 ? `Which of the runners has the lowest loss at step ${stepOf(s)}? Its name, or its row among those that run, 1 to ${s.runners.length}:` : null),
    place: () => "winner",
    answer: (s) => ranking(s, race(s), stepOf(s))[0] + 1,
    epoch: (s) => (problem(s) ? 0 : race(s).version),
  };
  return mount(model, el, {
    name: "OptimiserRace", title: "Optimiser race", hands: HANDS, predict, listen: ["_draws"],
    idea: "The same slope, five ways to walk it.", writers: writers(model.get("_code")),
    build: (kit) => build(kit, race, Boolean(model.get("_samples"))),
  });
}

function build(kit, race, hasOwn) {
  const { signal, state, stage, ask, theme } = kit, { read } = state, { hides } = kit.question;
  let over = "", plan = null, drawn = "";

  // The map: a picture of the loss, and over it what runs.
  const picture = element("canvas.cw-picture", { "aria-hidden": "true" });
  const overlay = element("canvas.cw-overlay", { tabindex: 0, role: "img", "data-part": "map" });
  const map = div("cw-photo", picture, overlay);
  map.style.border = "1px solid var(--soft)";
  const curve = element("canvas", { "aria-hidden": "true", "data-part": "losses" });
  const table = div("cw-runners"), side = div("cw-side", table, curve);
  table.style.cssText = "display:grid;grid-template-columns:max-content max-content max-content 1fr max-content;gap:.25em .5em;align-items:center";
  side.style.cssText = "display:flex;flex-direction:column;gap:.6em;min-width:0;flex:1";
  stage.append(div("cw-row", map, side));

  // Hands on the map.
  const place = (e) => {
    const box = overlay.getBoundingClientRect(), [[left, right], [bottom, top]] = plan.race.surface.window;
    return tidy([left + ((e.clientX - box.left) / box.width) * (right - left), top - ((e.clientY - box.top) / box.height) * (top - bottom)]);
  };
  const tidy = (point) => point.map((x, i) => { const [low, high] = plan.race.surface.window[i]; return Number(min(high, max(low, x)).toFixed(2)); });
  on(overlay, signal, {
    pointerdown: (e) => {
      if (!plan || e.button) return;
      const stop = new AbortController(), { pointerId } = e;
      state.preview({ start: place(e) });
      on(window, stop.signal, { pointermove: (e) => { if (e.pointerId === pointerId) state.preview({ start: place(e) }); } });
      const end = () => { stop.abort(); state.commit({}); };
      on(window, stop.signal, { pointerup: end, pointercancel: end });
    },
    keydown: (e) => {
      const way = arrow(e), by = e.shiftKey ? 0.5 : 0.05;
      if (!way || !plan) return;
      e.preventDefault();
      const [x, y] = race(read()).start;
      state.commit({ start: tidy([x + by * way[1], y - by * way[0]]) }, "start");
    },
  });

  // A prediction that is no runner is not taken, and the form says what is wanted.
  const { element: form, field } = kit.question, amiss = element("span", { "data-part": "wanted", role: "alert" });
  form.append(amiss);
  field.inputMode = "text";
  on(field, signal, { input: () => write(amiss, "") });
  kit.root.addEventListener("submit", (e) => {        // before the form itself hears of it
    if (e.target !== form) return;
    const s = read(), row = rowOf(s, field.value);
    write(amiss, row ? "" : wanted(s));
    if (row) field.value = String(row);
    else { e.preventDefault(); e.stopPropagation(); }
  }, { capture: true, signal });

  // A row for each runner.
  const rows = Object.entries(RUNNERS).map(([name, words]) => {
    const runs = element("input", { type: "checkbox", "aria-label": `${words} runs` }), icon = element("canvas", { "aria-hidden": "true" });
    const toggle = element("label.cw-toggle", {}, runs, icon, element("span", {}, words));
    toggle.style.cssText = "display:flex;align-items:center;gap:.4em";
    on(runs, signal, { change: () => state.commit({ runners: Object.keys(RUNNERS).filter((each) => (each === name ? runs.checked : read().runners.includes(each))) }) });
    const rate = logScrub({ signal, label: `learning rate of ${words}`, get: () => rateOf(read(), name), set: (value, phase) => state[phase === "drag" ? "preview" : "commit"]({ lr: { ...read().lr, [name]: value } }, "lr") });
    rate.element.style.width = "4.4em";
    const lr = element("span", { "data-trait": `lr-${name}` }, rate.element), told = element("span", { "data-part": `told-${name}` });
    told.style.whiteSpace = "nowrap";
    const look = button({ act: `look-${name}`, label: "\u2192", title: `take the next step of ${words} apart`, signal, press: () => state.commit({ look: read().look === name ? "" : name }) });
    setAttribute(look, "aria-label", `take the next step of ${words} apart`);
    const cells = [toggle, lr, told, element("span"), look];
    for (const cell of cells) on(cell, signal, { pointerenter: () => { over = name; ask(); }, pointerleave: () => { over = ""; ask(); } });
    table.append(...cells);
    return { name, runs, icon, rate, lr, told, look, toggle };
  });

  // Controls.
  const commit = (trait) => (value) => state.commit({ [trait]: value });
  const number = (trait, label, options) => {
    const made = scrub({ signal, whole: false, get: () => read()[trait], set: (value, phase) => state[phase === "drag" ? "preview" : "commit"]({ [trait]: value }, trait), ...options });
    setAttribute(made.element, "aria-label", label);
    made.element.style.width = "3.6em";
    return { element: control(trait, label, null, made.element), set: made.show };
  };
  const slider = element("input", { type: "range", min: 0, "aria-label": "step" }), count = element("b");
  slider.style.width = "11em";
  count.style.cssText = "min-width:2.4em;text-align:right";
  on(slider, signal, { input: () => state.preview({ step: Number(slider.value) }), change: () => state.commit({ step: Number(slider.value) }, "step") });
  const run = player(kit.root, () => { const s = read(), next = min(stepOf(s) + max(1, round(s.steps / 100)), s.steps); state.preview({ step: next }); return next < s.steps; }, 60, signal, (playing) => {
    play.textContent = playing ? "stop" : "run";
    if (!playing) state.commit({}, "step");
  });
  const start = () => { const s = read(); if (!run.playing() && stepOf(s) >= s.steps) state.preview({ step: 0 }); run.toggle(); };
  const play = button({ act: "play", label: "run", title: "walk by itself (Space)", signal, press: start });
  const named = {
    surface: choice({ trait: "surface", label: "surface", options: Object.entries(SURFACES).filter(([name]) => name !== "own" || hasOwn).map(([name, words]) => [name, words]), signal, change: (surface) => state.commit({ surface, start: null }) }),
    kappa: number("kappa", "kappa", { step: 1 }),
    noise: number("noise", "noise", { step: 0.1 }),
    steps: stepper({ trait: "steps", label: "steps", signal, change: commit("steps") }),
    step: { element: control("step", "step", null, slider, count), set: () => {} },
  };
  for (const [name, each] of Object.entries(named)) if (!kit.hidden(name)) kit.controls.append(each.element);
  const still = stillness();
  if (!still && !kit.hidden("play")) kit.controls.append(play);

  // Drawing.
  function draw(s, trouble) {
    for (const name of ["surface", "kappa", "noise", "steps"]) named[name].set(s[name], Boolean(trouble?.text.startsWith(name)));
    visible(named.kappa.element, bent(s));
    setAttribute(slider, "max", max(1, s.steps));
    slider.value = String(stepOf(s));
    write(count, full(stepOf(s)));
    for (const row of rows) {
      row.runs.checked = s.runners.includes(row.name);
      row.rate.show(rateOf(s, row.name));
      visible(row.lr, !kit.hidden("lr"));
      row.runs.disabled = kit.hidden("runners");
      setAttribute(row.look, "aria-pressed", String(s.look === row.name));
    }
    if (trouble) { for (const row of rows) write(row.told, ""); return; }
    const now = race(s), hidden = hides(s), at = stepOf(s);
    plan = { s, race: now, hidden, at };
    for (const row of rows) write(row.told, tell(row.name));
    if (!hidden) write(amiss, "");
    layout();
    drawPicture();
    drawOver();
    drawCurve();
  }

  // What stands in a runner's row; one that walks exactly as an earlier one is said to.
  function tell(name) {
    const { s, race: now, hidden, at } = plan, k = s.runners.indexOf(name);
    if (k < 0) return "";
    if (hidden) return "?";
    const twin = now.paths.findIndex((path, j) => j < k && at > 0 && path.subarray(0, 2 * at + 2).every((x, i) => abs(x - now.paths[k][i]) <= 1e-9));
    return twin >= 0 ? `= ${RUNNERS[s.runners[twin]]}` : standing(now, k, at)[2].replace(" the surface", "");
  }

  function sized(canvas, w, h) {
    const density = window.devicePixelRatio || 1;
    canvas.style.width = `${w}px`;
    canvas.style.height = `${h}px`;
    if (canvas.width !== round(w * density) || canvas.height !== round(h * density)) [canvas.width, canvas.height] = [round(w * density), round(h * density)];
    const context = canvas.getContext("2d");
    context.setTransform(density, 0, 0, density, 0, 0);
    context.clearRect(0, 0, w, h);
    return context;
  }

  function layout() {
    const font = parseFloat(getComputedStyle(kit.root).fontSize), room = kit.root.clientWidth - 2 * font;
    const beside = floor(min(25 * font, room - 29 * font));
    plan.font = font;
    plan.side = beside < 14 * font ? floor(min(25 * font, room)) : beside;
    side.style.flexBasis = beside < 14 * font ? "100%" : "0";
    plan.wide = beside < 14 * font ? room - 4 : room - beside - 1.2 * font;
    map.style.width = map.style.height = `${plan.side}px`;
  }

  // The loss in bands of grey, spaced by the logarithm: the darker (in the dark, the lighter), the lower.
  function drawPicture() {
    const { s, race: { surface }, side: n } = plan, key = [s.surface, s.kappa, theme(), n].join();
    if (key === drawn) return;
    drawn = key;
    const [[left, right], [bottom, top]] = surface.window, paper = PAPER[theme()], ink = INK[theme()];
    const heights = Float64Array.from({ length: n * n }, (_, k) => surface.value(left + (((k % n) + 0.5) / n) * (right - left), top - ((floor(k / n) + 0.5) / n) * (top - bottom)));
    let low = Infinity, high = -Infinity;
    for (const x of heights) if (Number.isFinite(x)) { low = min(low, x); high = max(high, x); }
    const lift = low - 1e-3 * max(high - low, 1e-12), ends = [low, high].map((x) => Math.log(x - lift)), step = (ends[1] - ends[0]) / LEVELS || 1;
    const level = Int16Array.from(heights, (x) => (Number.isFinite(x) ? min(LEVELS - 1, floor((Math.log(x - lift) - ends[0]) / step)) : -1));
    [picture.width, picture.height] = [n, n];
    const context = picture.getContext("2d"), image = context.createImageData(n, n);
    for (let k = 0; k < n * n; k++) {
      const edge = k >= n && k % n && (level[k] !== level[k - 1] || level[k] !== level[k - n]);
      const share = level[k] < 0 ? ((floor(k / n) + (k % n)) % 8 < 2 ? 0.4 : 0.05) : 0.5 * (1 - (level[k] + 1) / LEVELS) + (edge ? 0.3 : 0);
      image.data.set([...mix(paper, ink, share), 255], 4 * k);
    }
    context.putImageData(image, 0, 0);
  }

  const onMap = ([x, y]) => {
    const [[left, right], [bottom, top]] = plan.race.surface.window, n = plan.side;
    return [((x - left) / (right - left)) * n, ((top - y) / (top - bottom)) * n];
  };

  function mark(context, [x, y], shape, r, fill) {
    context.beginPath();
    if (shape === "circle") context.arc(x, y, r, 0, 7);
    else CORNERS[shape].forEach(([a, b], k) => context[k ? "lineTo" : "moveTo"](x + r * a, y + r * b));
    context.closePath();
    context.setLineDash([]);
    context.lineWidth = 3;
    context.strokeStyle = css(PAPER[theme()]);
    context.stroke();
    context.fillStyle = fill;
    context.fill();
  }

  function line(context, points, colour, dash, width) {
    for (const [style, wide] of [[css(PAPER[theme()]), width + 2.5], [colour, width]]) {
      context.beginPath();
      points.forEach((point, k) => context[k ? "lineTo" : "moveTo"](...point));
      context.setLineDash(wide === width ? dash : []);
      context.lineWidth = wide;
      context.strokeStyle = style;
      context.stroke();
    }
  }

  function drawOver() {
    const { s, race: now, hidden, at, side: n } = plan, context = sized(overlay, n, n), ink = css(INK[theme()]), places = {};
    for (const minimum of now.surface.minima) {
      const [x, y] = onMap(minimum);
      context.beginPath();
      context.arc(x, y, 7, 0, 7);
      [context.lineWidth, context.strokeStyle] = [2, ink];
      context.setLineDash([]);
      context.stroke();
    }
    const ends = [];
    if (!hidden) s.runners.forEach((name, k) => {
      const [colour, dash, shape] = LOOKS[name], path = now.paths[k], points = [];
      for (let t = 0; t <= at; t++) {
        const point = onMap([path[2 * t], path[2 * t + 1]]);
        if (!point.every((x) => abs(x) < 1e5)) break;
        points.push(point);
      }
      if (points.length) line(context, points, colour, dash, 2.2);
      if (points.length === at + 1 || (points.length && left(now, k, at) >= 0)) ends.push([points.at(-1), shape, colour]);
      places[name] = [path[2 * at], path[2 * at + 1]];
    });
    overlay.dataset.marks = ends.length;
    for (const [point, shape, colour] of ends) mark(context, point, shape, 6, colour);
    arrows(context);
    const [x, y] = onMap(now.start);
    line(context, [[x - 8, y], [x + 8, y]], ink, [], 3);
    line(context, [[x, y - 8], [x, y + 8]], ink, [], 3);
    overlay.dataset.places = JSON.stringify(places);
    setAttribute(overlay, "aria-label", `map of the loss; all start at w1 ${full(now.start[0])}, w2 ${full(now.start[1])}`);
    for (const row of rows) {
      const small = sized(row.icon, 34, 14), [colour, dash, shape] = LOOKS[row.name];
      line(small, [[1, 7], [33, 7]], colour, dash, 2.2);
      mark(small, [17, 7], shape, 5, colour);
    }
  }

  // Of the runner that is looked at: against the slope (vermillion), and the step itself (ink).
  function arrows(context) {
    const { s, race: now, hidden, at } = plan, next = hidden ? null : nextStep(over ? { ...s, look: over } : s, now, at);
    overlay.dataset.arrows = next ? "2" : "0";
    if (!next) return;
    const from = onMap(next.place), size = (v) => Math.hypot(...v), most = max(size(next.slope), 1e-12);
    const down = next.slope.map((x) => (-x / most) * 0.2 * (now.surface.window[0][1] - now.surface.window[0][0]));
    const grow = size(next.move) > 0 ? max(1, 0.04 * 4 / size(next.move)) : 1;
    for (const [way, colour] of [[down, "#d55e00"], [next.move.map((x) => x * grow), css(INK[theme()])]]) {
      const to = onMap(next.place.map((x, i) => x + way[i])), turn = Math.atan2(to[1] - from[1], to[0] - from[0]);
      line(context, [from, to], colour, [], 2.5);
      line(context, [-2.6, 0, 2.6].map((a) => (a ? [to[0] + 8 * Math.cos(turn + a), to[1] + 8 * Math.sin(turn + a)] : to)), colour, [], 2.5);
    }
  }

  // Loss against step, on a logarithmic scale.
  function drawCurve() {
    const { s, race: now, hidden, at, font } = plan, w = floor(max(160, plan.wide)), h = floor(9.5 * font), context = sized(curve, w, h);
    const left = 4 * font, bottom = h - 1.6 * font, ink = css(INK[theme()]), all = [];
    for (const row of now.losses) for (const x of row) if (x > 0 && x < 1e12) all.push(log10(max(x, 1e-8)));
    const low = floor(all.length ? min(...all.slice(0, 6000)) : 0), high = max(low + 1, ceil(all.length ? max(...all.slice(0, 6000)) : 1));
    const px = (t) => left + (t / s.steps) * (w - left - 6), py = (x) => bottom - ((log10(max(x, 1e-8)) - low) / (high - low)) * (bottom - 6);
    context.font = `${max(11, 0.85 * font)}px ${getComputedStyle(kit.root).fontFamily}`;
    context.fillStyle = context.strokeStyle = ink;
    context.lineWidth = 1;
    context.strokeRect(left, 6, w - left - 6, bottom - 6);
    context.textAlign = "right";
    for (const power of [low, high]) context.fillText(`1e${power}`.replace("-", "\u2212"), left - 5, power === low ? bottom : 14);
    context.fillText("loss", left - 5, (bottom + 14) / 2);
    context.fillText(`step ${s.steps}`, w - 6, h - 3);
    if (hidden) return;
    s.runners.forEach((name, k) => {
      const [colour, dash] = LOOKS[name], points = [];
      for (let t = 0; t <= s.steps; t++) {
        const x = now.losses[k][t];
        if (!(x < 1e12)) break;
        points.push([px(t), max(6, min(bottom, py(x)))]);
      }
      line(context, points, colour, dash, 1.8);
    });
    line(context, [[px(at), 6], [px(at), bottom]], ink, [], 1);
  }

  return { draw, sentence: (s) => sentence(s, hides(s), problem(s) ? null : race(s)), problem, keys: still ? {} : { play: start }, settle: run.stop };
}

export { render };
