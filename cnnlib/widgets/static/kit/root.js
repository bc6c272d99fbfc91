// The frame of every widget: idea on top, stage, controls, readout below, and the buttons that all have.
import { element, div, on, atEnd, active, write, setAttribute, visible } from "./dom.js";
import { followTheme } from "./theme.js";
import { followKeys, HELP } from "./keys.js";
import { frames } from "./motion.js";
import { voice } from "./say.js";
import { button } from "./form.js";
import { stateOf } from "./state.js";
import { codeOf } from "./code.js";
import { predictor } from "./predict.js";

// spec: { name, title, idea, hands, listen, writers, predict, build(kit) -> { draw(state, problem), sentence(state), problem(state), keys, settle() } }.
// The traits that are the state are those that Python's code() knows. Returns the function that ends it.
function mount(model, el, spec) {
  const ending = new AbortController(), { signal } = ending;
  const traits = Object.keys(model.get("_code").defaults);
  const [stage, controls, buttons, help, code] = ["stage", "controls", "buttons", "help", "code"].map((name) => div(`cw-${name}`));
  const line = element("p.cw-line", { "aria-hidden": "true" });
  const spoken = element("output.cw-spoken", { "data-part": "readout", "aria-live": "polite" });
  const refusal = element("div.cw-refusal", { "data-part": "refusal", role: "alert", hidden: true });
  const head = div("cw-head", div("cw-idea", element("strong", {}, spec.title), element("span", {}, spec.idea)), buttons);
  const root = element("section.cw", { "data-widget": spec.name, tabindex: -1, "aria-label": `${spec.title}: ${spec.idea}` }, head, stage, refusal, controls);
  const state = stateOf(model, traits, () => { model.set("readout", widget.sentence(state.read())); paint.ask(); });
  const question = predictor(model, state, spec.predict, signal, () => paint.ask());
  root.append(...[question.element, line, spoken, code, help].filter(Boolean));
  el.append(root);

  const say = voice(line, spoken, signal);
  const paint = frames(root, draw, signal);
  const kit = { model, root, stage, controls, state, signal, question, ask: paint.ask, theme: () => root.dataset.theme, hidden: (name) => (model.get("hide") || []).includes(name) };
  const widget = spec.build(kit);
  followTheme(root, signal, paint.ask);

  const actions = {
    reset: () => { widget.settle?.(); state.reset(); },
    undo: () => { widget.settle?.(); state.undo(); paint.ask(); },
    predict: spec.predict && (() => { state.commit({ predict: !model.get("predict") }); paint.now(); if (model.get("predict")) question.field.focus(); }),
    code: () => showCode(),
    help: () => visible(help, help.hidden),
    out: () => { visible(help, false); visible(code, false); root.focus(); },
    ...widget.keys,
  };
  const bar = [["undo", "Undo", "one step back (U)"], ["predict", "Predict", "hide the answer until you have said yours (P)"], ["reset", "Reset", "back to the start (R)"], ["code", "Code", "the cell that makes this (C)"], ["help", "?", "keys"]];
  for (const [act] of bar) if (kit.hidden(act)) delete actions[act];
  const made = Object.fromEntries(bar.filter(([act]) => actions[act]).map(([act, label, title]) => [act, button({ act, label, title, signal, press: () => actions[act]() })]));
  buttons.append(...Object.values(made));
  const useful = HELP.filter(([, , act]) => !act || actions[act]);
  help.append(div("cw-pairs", ...useful.flatMap(([key, what]) => [element("b", {}, key), element("span", {}, what)])), element("p", {}, spec.hands));
  for (const panel of [help, code]) visible(panel, false);
  followKeys(root, actions, signal);
  on(root, signal, { pointerleave: paint.ask, focusout: paint.ask });

  function showCode() {
    const text = codeOf(model.get("_code"), state.read(), spec.writers);
    if (!code.hidden && code.dataset.text === text) return visible(code, false);
    code.dataset.text = text;
    const note = element("span", {}, "");
    code.replaceChildren(element("pre", { tabindex: 0 }, text), note);
    visible(code, true);
    navigator.clipboard?.writeText(text).then(() => write(note, "copied"), () => {});
  }

  // Focus that would be lost, as its place goes, stays in the widget: the next keys are not the page's.
  const lost = (el) => !root.contains(el) || !el.getClientRects().length || el.style.visibility === "hidden";

  function draw() {
    if (!root.isConnected) return;                   // nothing has a size yet; the observer calls when it is in the page
    const now = state.read(), held = root.contains(active(root));
    setAttribute(root, "data-size", now.size);
    const problem = widget.problem(now);
    stage.classList.toggle("cw-dim", problem !== null);
    refuse(problem);
    widget.draw(now, problem);
    question.draw(now, problem !== null);
    if (made.predict) setAttribute(made.predict, "aria-pressed", String(Boolean(now.predict)));
    if (made.undo) made.undo.style.visibility = state.depth() ? "" : "hidden";
    say(widget.sentence(now));
    root.dataset.ready = "true";
    if (held && lost(active(root))) root.focus({ preventScroll: true });
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

  for (const name of [...traits, ...(spec.listen || [])]) {
    const follow = () => { if (traits.includes(name)) state.noticed(name); paint.ask(); };
    model.on(`change:${name}`, follow);
    atEnd(signal, () => model.off(`change:${name}`, follow));
  }
  const sized = new ResizeObserver(() => paint.ask());
  sized.observe(root);
  atEnd(signal, () => { sized.disconnect(); root.remove(); });
  paint.now();
  return () => ending.abort();
}

export { mount };
