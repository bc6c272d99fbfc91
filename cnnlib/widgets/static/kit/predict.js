// Predict first: the answer is hidden until a number or a choice is committed; then both stand side by side.
import { element, on, atEnd, write, setAttribute, visible } from "./dom.js";
import { button } from "./form.js";
import { full, parse } from "./text.js";

// spec: { prompt(state), answer(state), place(state), epoch(state), parse(text), choice: { label, pick(state) -> { yours, computed, place } } };
// prompt gives null where there is nothing to ask. A commit holds for its place until the epoch changes. "all" reveals every place.
// A commit in one view is known in all. Without a spec nothing is ever hidden.
function predictor(model, state, spec, signal, changed) {
  if (!spec) return { element: null, hides: () => false, draw: () => {} };
  const prompt = element("label.cw-prompt", {});
  const field = element("input.cw-field", { size: 5, inputmode: "decimal", autocomplete: "off", "aria-label": "your prediction" });
  const verdict = element("span.cw-verdict", { "data-part": "verdict" });
  const form = element("form.cw-question", { "data-part": "question" }, prompt, field, button({ act: "commit", label: "Commit", signal, press: () => {} }));
  form.querySelector("button").type = "submit";
  if (spec.choice) form.append(button({ act: "choose", label: spec.choice.label, signal, press: () => choose() }));
  const notice = element("span", { "data-part": "notice", role: "alert" });
  form.append(notice, verdict);
  let asked = null, epoch = null, known = new Map(), count = model.get("predictions").length;
  const learn = () => {
    const all = model.get("predictions");
    for (const entry of all.slice(count)) known.set(entry.place, entry);
    count = all.length;
    changed();
  };
  model.on("change:predictions", learn);
  atEnd(signal, () => model.off("change:predictions", learn));

  const refuse = (words) => { write(notice, words); setAttribute(field, "aria-invalid", words ? "true" : null); };
  on(field, signal, { input: () => refuse("") });

  const record = (entry) => {
    refuse("");
    model.set("prediction", entry);
    model.set("predictions", [...model.get("predictions"), entry]);
    state.send();
  };
  on(form, signal, { submit: (e) => {
    e.preventDefault();
    const yours = (spec.parse || parse)(field.value), now = state.read(), place = spec.place(now), typed = field.value.trim();
    if (known.has(place)) return;
    if (yours === null || Number.isNaN(yours)) return refuse(typed ? `not a number: ${typed.slice(0, 20)}` : "type a number first");
    field.value = "";
    record({ place, yours, computed: spec.answer(now) });
  } });
  const choose = () => record({ place: "all", ...spec.choice.pick(state.read()) });
  return {
    element: form,
    field,
    // Is the answer at this place to be hidden?
    hides: (now, place = spec.place(now)) => {
      if (!now.predict) return false;
      if (epoch !== spec.epoch(now)) [epoch, known] = [spec.epoch(now), new Map()];
      return !known.has(place) && !known.has("all");
    },
    draw: (now, refused) => {
      const asks = now.predict && !refused ? spec.prompt(now) : null;
      visible(form, asks !== null);
      if (asks === null) return;
      const place = spec.place(now), entry = known.get(place) || known.get("all");
      if (asked !== place) refuse("");
      asked = place;
      write(prompt, asks);
      for (const el of [prompt, ...form.querySelectorAll("input, button")]) visible(el, !entry);
      visible(verdict, Boolean(entry));
      const say = (x) => (typeof x === "number" ? full(x) : x);
      if (entry) write(verdict, `yours ${say(entry.yours)} \u00b7 computed ${say(entry.computed)}`);
    },
  };
}

export { predictor };
