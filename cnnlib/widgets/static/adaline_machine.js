// The Adaline machine: learning by turning knobs, as in 1960.
import { mount } from "./kit/root.js";
import { grid } from "./kit/grid.js";
import { knob } from "./kit/knob.js";
import { panel } from "./kit/panel.js";
import { easel } from "./kit/sketch.js";
import { choice } from "./kit/choice.js";
import { pick } from "./kit/pick.js";
import { logScrub } from "./kit/scrub.js";
import { control, button } from "./kit/form.js";
import { element, div, on, write, visible, arrange, setAttribute } from "./kit/dom.js";
import { ROLES, PAPER, INK, mix, css, toneScale } from "./kit/scale.js";
import { full, short } from "./kit/text.js";
import { KNOBS, MOST, SETS, patternsOf, textOf, knobsOf, total, answer, isRight, stepOf, squaredError, historyOf, turned, learn, problem, told, signed, sentence } from "./adaline_words.js";
import { abs, floor, max, min, round } from "./kit/numbers.js";

const HANDS = "Arrow keys move over the switches, Space or a click turns one. Drag a knob up or down; on a knob the up and down arrows, + and \u2212 turn it, left and right go to the next. The small arrow on a knob is the way the next \u201clearn\u201d turns it. Where a dial has reached its end, its number still counts.";
const FINE = 20 * KNOBS;                             // places of the slider to a rate of 1

function render({ model, el }) {
  const predict = {
    prompt: () => "The meter will show the sum",
    place: (s) => textOf(s.inputs.data, 1),
    answer: (s) => total(knobsOf(s), [...s.inputs.data]),
    epoch: (s) => String(knobsOf(s)),
  };
  return mount(model, el, {
    name: "AdalineMachine", title: "Adaline machine", hands: HANDS, predict, listen: ["_history"],
    idea: "To learn, each knob turns by the same share of the error.", build,
  });
}

function build(kit) {
  const { model, signal, state, stage, ask, theme } = kit, { read } = state, { hides } = kit.question;
  const raw = () => model.get("_history");
  let held = null;                                   // the state before a knob that is being dragged

  // Hands.
  const board = (data) => ({ shape: [4, 4], data: Float32Array.from(data) });
  const toggle = (k) => { const { inputs } = read(); state.commit({ inputs: board(inputs.data.map((x, i) => (i === k ? -x : x))) }); };
  const put = ({ x, target }) => ({ inputs: board(x), target });
  function turn(k, value, phase) {
    const base = held || read(), knobs = knobsOf(base).map((w, i) => Math.fround(i === k ? value : w)), patch = turned(base, raw(), [knobs]);
    held = phase === "drag" ? base : null;
    if (held) state.preview({ weights: patch.weights, bias: patch.bias });
    else state.commit(patch, phase === "key" ? `knob ${k}` : null);
  }
  function teach(shows) {
    const s = read(), patch = problem(s) ? null : learn(s, raw(), shows(s));
    if (patch) state.commit(patch);
  }

  // The parts, made once.
  const switches = grid({ part: "input", role: "input", label: "switches", signal, choose: toggle });
  on(switches.cells, signal, { keydown: (e) => {
    if (e.key !== " " || e.ctrlKey || e.metaKey || e.altKey) return;
    e.preventDefault();
    toggle(switches.at);
  } });
  const names = [...Array(KNOBS).keys()].map((k) => (k < 16 ? `row ${floor(k / 4)}, column ${k % 4}` : "bias"));
  let at = 0;
  const go = (from) => (d) => { point(min(KNOBS - 1, max(0, from + d))); knobs[at].element.focus(); };
  const knobs = names.map((name, k) => knob({
    at: k < 16 ? `${floor(k / 4)},${k % 4}` : "bias", label: k < 16 ? `knob ${name}` : "bias knob", signal,
    get: () => knobsOf(read())[k], set: (value, phase) => turn(k, value, phase), go: go(k),
  }));
  function point(k) {
    knobs[at].element.tabIndex = -1;
    knobs[at = k].element.tabIndex = 0;
  }
  knobs.forEach(({ element: el }, k) => on(el, signal, { focus: () => point(k) }));
  point(0);
  const bias = div("cw-bias", knobs[16].element, element("span.cw-label", {}, "bias, always +1"));
  const picture = easel("picture", "the weights as a picture"), meter = easel("meter", "meter"), curve = easel("curve", "error against turn");
  const lamp = element("span.cw-lamp", { "aria-hidden": "true" }), sum = element("b", { "data-part": "sum" });
  const does = div("cw-teach"), wants = div("cw-teach");
  const panels = {
    input: panel("input", "switches", switches.element, wants), weight: panel("weight", "knobs", div("cw-knobs", ...knobs.slice(0, 16).map((each) => each.element)), bias),
    picture: panel("weight", "weights as a picture", picture.canvas), meter: panel("output", "meter", meter.canvas, div("cw-reading", lamp, sum), does), curve: panel("gradient", "error against turn", curve.canvas),
  };
  panels.curve.name("error against turn", "mean square");
  setAttribute(panels.curve.caption, "title", "the mean of (wanted \u2212 sum)\u00b2 over the patterns");
  panels.weight.element.dataset.part = "weight";
  switches.element.classList.add("cw-bare");
  const set = element("div.cw-patterns", { role: "group", "aria-label": "patterns" });
  stage.append(div("cw-machine", div("cw-column", panels.input.element, panels.picture.element), panels.weight.element, div("cw-row cw-wide", panels.meter.element, panels.curve.element)), set);
  for (const [name, part] of [["picture", panels.picture], ["curve", panels.curve]]) visible(part.element, !kit.hidden(name));

  // Controls.
  const target = choice({ trait: "target", label: "wanted", options: [[1, "+1"], [-1, signed(-1)]], signal, change: (value) => state.commit({ target: value }) });
  const once = button({ act: "learn", label: "learn", title: "show it this picture once", signal, press: () => teach((s) => [{ x: [...s.inputs.data], target: s.target }]) });
  const all = button({ act: "learn-all", label: "learn all \u00d710", title: "show it all patterns in their order, ten times", signal, press: () => teach((s) => Array(10).fill(patternsOf(s)).flat()) });
  if (!kit.hidden("target")) wants.append(target.element);
  if (!kit.hidden("learn")) does.append(once, all);
  const slider = element("input", { type: "range", min: 1, max: 60, step: 1, "aria-label": "rate" }), share = element("span.cw-label", { "data-part": "share", title: "of this picture's error, in one turn" });
  on(slider, signal, { input: () => state.preview({ rate: slider.valueAsNumber / FINE }), change: () => state.commit({ rate: slider.valueAsNumber / FINE }, "rate") });
  const rate = logScrub({ signal, label: "rate", get: () => read().rate, set: (value, phase) => state[phase === "drag" ? "preview" : "commit"]({ rate: value }) });
  const named = {
    patterns: pick({ trait: "patterns", label: "patterns", options: [["letters", "letters"], ["xor", "XOR"], ["own", "own"]], signal, change: (name) => { if (SETS[name]) state.commit({ patterns: name, ...put(patternsOf({ patterns: name })[0]) }); ask(); } }),
    rule: choice({ trait: "rule", label: "rule", options: [["adaline", "Adaline"], ["perceptron", "perceptron"]], signal, change: (rule) => state.commit({ rule }) }),
    rate: { element: control("rate", "rate", "share of the error by which each knob turns", rate.element, slider, share) },
  };
  for (const [name, each] of Object.entries(named)) if (!kit.hidden(name)) kit.controls.append(each.element);

  // The set: a button for each pattern, and one that adds the picture on the switches.
  const own = button({ act: "own", label: "+ this picture", title: "add it to the patterns, with the answer wanted", signal, press: () => {
    const s = read(), before = patternsOf(s), taken = before.map(({ name }) => name);
    const name = [...Array(MOST).keys()].map((k) => `own ${k + 1}`).find((each) => !taken.includes(each));
    state.commit({ patterns: { ...Object.fromEntries(before.map(({ name, text }) => [name, text])), [name]: textOf(s.inputs.data, s.target) } });
  } });
  const made = new Map();                            // a button by its pattern
  function buttonOf(pattern) {
    const key = pattern.name + pattern.text;
    if (!made.has(key)) {
      const small = element("canvas", { width: 4, height: 4, "aria-hidden": "true" }), mark = element("b", {});
      const el = button({ act: "pattern", label: "", signal, press: () => state.commit(put(pattern), "pattern") });
      el.append(small, element("span", {}, `${pattern.name} `), element("small", {}, signed(pattern.target)), mark);
      el.dataset.name = pattern.name;
      made.set(key, { el, small, mark });
    }
    return made.get(key);
  }

  // Drawing.
  function draw(s, trouble) {
    const font = parseFloat(getComputedStyle(kit.root).fontSize), hidden = hides(s), now = knobsOf(s), x = [...s.inputs.data], patterns = patternsOf(s);
    const paper = PAPER[theme()], ink = css(INK[theme()]), soft = css(mix(paper, INK[theme()], 0.35)), step = stepOf(s.rule, now, x, s.target, s.rate);
    const plan = { s, font, hidden, now, patterns, ink, soft, value: total(now, x), says: answer(now, x) };
    switches.show({ rows: 4, cols: 4, data: s.inputs.data, decimals: 0, cell: round(2.35 * font), scale: { rgb: (v) => (v > 0 ? ROLES.input : paper) }, text: (k) => signed(x[k]), name: (k) => (x[k] > 0 ? "on, +1" : `off, ${signed(-1)}`) });
    knobs.forEach((each, k) => {
      const way = hidden || trouble ? 0 : Math.sign(step.knobs[k] - now[k]);
      each.show(now[k], abs(now[k]) < 10 ? full(Number(now[k].toFixed(3))) : short(now[k], 1), way);
    });
    target.set(s.target);
    named.rule.set(s.rule);
    named.patterns.set(typeof s.patterns === "string" ? s.patterns : "own");
    visible(named.patterns.select.options[2], typeof s.patterns !== "string");
    slider.value = String(round(s.rate * FINE));
    rate.show(s.rate);
    setAttribute(rate.element, "aria-invalid", trouble ? "true" : null);
    write(share, s.rule === "adaline" && !trouble ? `takes ${round(100 * KNOBS * s.rate)} %` : "");
    drawPicture(plan);
    drawMeter(plan);
    drawSet(plan);
    drawCurve(plan);
  }

  function drawPicture({ s, font }) {
    const side = round(1.55 * font), context = picture.sheet(4 * side, 4 * side), scale = toneScale(max(...s.weights.data.map(abs)), "weight", theme());
    s.weights.data.forEach((w, k) => { context.fillStyle = css(scale.rgb(w)); context.fillRect((k % 4) * side, floor(k / 4) * side, side, side); });
    panels.picture.scale(scale, 2, theme());
    setAttribute(picture.canvas, "aria-label", `the weights as a picture, from ${told(min(...s.weights.data))} to ${told(max(...s.weights.data))}`);
  }

  // A needle from -2 to +2, thirty degrees for each; the triangle is what is wanted.
  function drawMeter({ s, font, hidden, value, says, ink, soft }) {
    const w = 16 * font, h = 8.4 * font, r = 6.3 * font, middle = [w / 2, h - 0.5 * font], context = meter.sheet(w, h, 0.85 * font);
    const place = (v, far) => { const a = (v * Math.PI) / 6; return [middle[0] + r * far * Math.sin(a), middle[1] - r * far * Math.cos(a)]; };
    const stroke = (points, width, colour) => {
      context.beginPath();
      points.forEach((p, k) => context[k ? "lineTo" : "moveTo"](...p));
      [context.lineWidth, context.strokeStyle] = [width, colour];
      context.stroke();
    };
    stroke([...Array(41).keys()].map((k) => place(k / 10 - 2, 1)), 1.5, ink);
    [context.fillStyle, context.textAlign, context.textBaseline] = [ink, "center", "middle"];
    for (const v of [-2, -1, 0, 1, 2]) {
      stroke([place(v, 0.95), place(v, 1.05)], 1.5, ink);
      context.fillText(v > 0 ? `+${v}` : full(v), ...place(v, 1.17));
    }
    stroke([place(0, 0.2), place(0, 0.93)], 1, soft);
    context.beginPath();
    for (const p of [place(s.target, 0.92), place(s.target - 0.13, 0.78), place(s.target + 0.13, 0.78)]) context.lineTo(...p);
    context.fillStyle = css(ROLES.gradient);
    context.fill();
    if (!hidden) stroke([middle, place(min(2.15, max(-2.15, value)), 0.74)], 3, css(ROLES.output));
    context.beginPath();
    context.arc(...middle, 4, 0, 7);
    context.fillStyle = ink;
    context.fill();
    const words = hidden ? "sum ?" : `sum ${value.toFixed(3).replace("-", "\u2212")} \u2192 says ${signed(says)}`;
    write(sum, words);
    lamp.classList.toggle("cw-lit", !hidden && says > 0);
    setAttribute(meter.canvas, "data-value", hidden ? null : value);
    setAttribute(meter.canvas, "aria-label", `meter: ${words}, wanted ${signed(s.target)}`);
  }

  function drawSet({ s, hidden, now, patterns }) {
    const here = textOf(s.inputs.data, 1).slice(0, -3), shown = patterns.map((pattern) => {
      const { el, small, mark } = buttonOf(pattern), context = small.getContext("2d"), right = isRight(now, pattern);
      pattern.x.forEach((v, k) => { context.fillStyle = css(v > 0 ? ROLES.input : PAPER[theme()]); context.fillRect(k % 4, floor(k / 4), 1, 1); });
      write(mark, hidden ? "?" : right ? "\u2713" : "\u2717");
      setAttribute(el, "aria-pressed", String(pattern.text.startsWith(here)));
      setAttribute(el, "aria-label", `${pattern.name}, wanted ${signed(pattern.target)}${hidden ? "" : right ? ", right" : ", wrong"}`);
      return el;
    });
    const fresh = patterns.length < MOST && !patterns.some(({ text }) => text.startsWith(here)) && !kit.hidden("own");
    arrange(set, fresh ? [...shown, own] : shown);
  }

  // Mean squared error over the set, from the first turn that is known to this one.
  function drawCurve({ s, font, hidden, now, patterns, ink, soft }) {
    const past = historyOf(held || s, raw(), patterns), list = held ? [...past, [s.turn + 1, squaredError(now, patterns)]] : past;
    const w = 17 * font, h = 6.2 * font, context = curve.sheet(w, h, 0.85 * font), left = 3.6 * font, bottom = h - 1.5 * font;
    const [first, last] = [list[0][0], list.at(-1)[0]], high = max(1, ...list.map(([, error]) => error));
    const px = (turn) => left + ((turn - first) / max(1, last - first)) * (w - left - 6), py = (error) => bottom - (error / high) * (bottom - 8);
    context.strokeStyle = soft;
    context.strokeRect(left, 8, w - left - 6, bottom - 8);
    [context.fillStyle, context.textAlign] = [ink, "right"];
    context.fillText(high < 100 ? told(high) : short(high), left - 5, 14);
    context.fillText("0", left - 5, bottom);
    context.fillText(`turn ${last}`, w - 6, h - 3);
    context.textAlign = "left";
    context.fillText(String(first), left, h - 3);
    setAttribute(curve.canvas, "aria-label", hidden ? "error against turn: not yet shown" : `error against turn: ${told(list[0][1])} at turn ${first}, ${told(list.at(-1)[1])} at turn ${last}`);
    setAttribute(curve.canvas, "data-points", list.length);
    if (hidden) return;
    context.beginPath();
    list.forEach(([turn, error], k) => context[k ? "lineTo" : "moveTo"](px(turn), py(error)));
    [context.lineWidth, context.strokeStyle, context.fillStyle] = [2, css(ROLES.gradient), css(ROLES.gradient)];
    context.stroke();
    context.beginPath();
    context.arc(px(last), py(list.at(-1)[1]), 3.5, 0, 7);
    context.fill();
  }

  return { draw, sentence: (s) => sentence(s, hides(s)), problem, settle: () => { held = null; } };
}

export { render };
