// Predict first: the answer is hidden until a number or a choice is committed; then both stand side by side.
import { element, write, visible } from "./dom.js";
import { button } from "./controls.js";
import { full, parse } from "./text.js";

// spec: { prompt(state), answer(state), place(state), epoch(state), choice: { label, pick(state) -> { yours, computed, place } } }.
// A commit holds for its place until the epoch changes. "all" reveals every place.
function predictor(model, state, spec, signal, changed) {
  const prompt = element("label", { class: "cw-prompt" });
  const field = element("input", { class: "cw-field", size: 5, inputmode: "decimal", autocomplete: "off", "aria-label": "your prediction" });
  const verdict = element("span", { class: "cw-verdict", "data-part": "verdict" });
  const form = element("form", { class: "cw-question", "data-part": "question" }, prompt, field, button({ act: "commit", label: "Commit", signal, press: () => {} }));
  form.querySelector("button").type = "submit";
  if (spec.choice) form.append(button({ act: "choose", label: spec.choice.label, signal, press: () => choose() }));
  form.append(verdict);
  let epoch = null, known = new Map();

  const record = (place, entry) => {
    known.set(place, entry);
    model.set("prediction", entry);
    model.set("predictions", [...model.get("predictions"), entry]);
    changed();
    state.send();
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const yours = parse(field.value), now = state.read();
    if (yours === null || Number.isNaN(yours) || known.has(spec.place(now))) return;
    field.value = "";
    record(spec.place(now), { place: spec.place(now), yours, computed: spec.answer(now) });
  }, { signal });
  function choose() {
    const entry = spec.choice.pick(state.read());
    record("all", entry);
  }
  return {
    element: form,
    field,
    // Is the answer at this place to be hidden?
    hides: (now, place = spec.place(now)) => {
      if (!now.predict) return false;
      if (epoch !== spec.epoch(now)) [epoch, known] = [spec.epoch(now), new Map()];
      return !known.has(place) && !known.has("all");
    },
    draw: (now) => {
      visible(form, Boolean(now.predict));
      if (!now.predict) return;
      const entry = known.get(spec.place(now)) || known.get("all");
      write(prompt, spec.prompt(now));
      for (const el of [prompt, ...form.querySelectorAll("input, button")]) visible(el, !entry);
      visible(verdict, Boolean(entry));
      const say = (x) => (typeof x === "number" ? full(x) : x);
      if (entry) write(verdict, `yours ${say(entry.yours)} \u00b7 computed ${say(entry.computed)}`);
    },
  };
}

export { predictor };
