// The frame of every widget: idea on top, stage, controls, readout below, and the buttons that all have.
import { element, write, setAttribute, visible } from "./dom.js";
import { followTheme } from "./theme.js";
import { followKeys, HELP } from "./keys.js";
import { frames } from "./motion.js";
import { voice } from "./say.js";
import { button } from "./controls.js";
import { stateOf } from "./state.js";
import { codeOf } from "./code.js";
import { predictor } from "./predict.js";

// spec: { name, title, idea, traits, listen, predict, build(kit) -> { draw(state), sentence(state), problem(state), keys } }.
// Returns the function that ends it.
function mount(model, el, spec) {
  const ending = new AbortController(), { signal } = ending;
  const part = (name, ...children) => element("div", { class: `cw-${name}` }, ...children);
  const stage = part("stage"), controls = part("controls"), buttons = part("buttons"), help = part("help"), code = part("code");
  const line = element("p", { class: "cw-line", "aria-hidden": "true" });
  const spoken = element("output", { class: "cw-spoken", "data-part": "readout", "aria-live": "polite" });
  const refusal = element("div", { class: "cw-refusal", "data-part": "refusal", role: "alert", hidden: true });
  const head = part("head", part("idea", element("strong", {}, spec.title), element("span", {}, spec.idea)), buttons);
  const root = element("section", { class: "cw", "data-widget": spec.name, tabindex: -1, "aria-label": `${spec.title}: ${spec.idea}` }, head, stage, refusal, controls);
  const state = stateOf(model, spec.traits, () => model.set("readout", widget.sentence(state.read())));
  const question = predictor(model, state, spec.predict, signal, () => paint.ask());
  root.append(question.element, line, spoken, code, help);
  el.append(root);

  const say = voice(line, spoken, signal);
  const paint = frames(root, draw, signal);
  const kit = { model, root, stage, controls, state, signal, question, ask: paint.ask, theme: () => root.dataset.theme, hidden: (name) => (model.get("hide") || []).includes(name) };
  const widget = spec.build(kit);
  followTheme(root, signal, paint.ask);

  const actions = {
    reset: () => { widget.settle?.(); state.reset(); },
    undo: () => { widget.settle?.(); state.undo(); paint.ask(); },
    predict: () => { state.commit({ predict: !model.get("predict") }); if (model.get("predict")) question.field.focus(); },
    code: () => showCode(),
    help: () => visible(help, help.hidden),
    out: () => { visible(help, false); visible(code, false); root.focus(); },
    ...widget.keys,
  };
  const bar = [["undo", "Undo", "one step back (U)"], ["predict", "Predict", "hide the answer until you have said yours (P)"], ["reset", "Reset", "back to the start (R)"], ["code", "Code", "the cell that makes this (C)"], ["help", "?", "keys"]];
  const made = Object.fromEntries(bar.filter(([act]) => !kit.hidden(act)).map(([act, label, title]) => [act, button({ act, label, title, signal, press: () => actions[act]() })]));
  buttons.append(...Object.values(made));
  help.append(element("dl", {}, ...HELP.flatMap(([key, what]) => [element("dt", {}, key), element("dd", {}, what)])), element("p", {}, spec.hands));
  for (const panel of [help, code]) visible(panel, false);
  followKeys(root, actions, signal);

  function showCode() {
    const text = codeOf(model.get("_code"), state.read());
    if (!code.hidden && code.dataset.text === text) return visible(code, false);
    code.dataset.text = text;
    const note = element("span", {}, "");
    code.replaceChildren(element("pre", { tabindex: 0 }, text), note);
    visible(code, true);
    navigator.clipboard?.writeText(text).then(() => write(note, "copied"), () => {});
  }

  function draw() {
    const now = state.read();
    setAttribute(root, "data-size", now.size);
    const problem = widget.problem(now);
    stage.classList.toggle("cw-dim", problem !== null);
    refuse(problem);
    widget.draw(now, problem);
    question.draw(now);
    if (made.predict) setAttribute(made.predict, "aria-pressed", String(Boolean(now.predict)));
    if (made.undo) made.undo.style.visibility = state.depth() ? "" : "hidden";
    say(widget.sentence(now));
    root.dataset.ready = "true";
  }

  // problem: { text, fixes: [[label, patch], …] } or null.
  function refuse(problem) {
    visible(refusal, problem !== null);
    const key = problem ? problem.text + problem.fixes.map(([label]) => label) : "";
    if (refusal.dataset.key === key) return;
    refusal.dataset.key = key;
    refusal.replaceChildren();
    if (problem) refusal.append(element("span", {}, problem.text), ...problem.fixes.map(([label, patch]) => button({ act: "fix", label, signal, press: () => state.commit(patch) })));
  }

  for (const name of [...spec.traits, ...(spec.listen || [])]) {
    const follow = () => { if (spec.traits.includes(name)) state.noticed(name); paint.ask(); };
    model.on(`change:${name}`, follow);
    signal.addEventListener("abort", () => model.off(`change:${name}`, follow));
  }
  const sized = new ResizeObserver(() => paint.ask());
  sized.observe(root);
  signal.addEventListener("abort", () => { sized.disconnect(); root.remove(); });
  paint.now();
  return () => ending.abort();
}

export { mount };
