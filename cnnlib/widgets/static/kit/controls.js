// Controls that are real form elements with labels; what cannot act now is not drawn.
import { element, setAttribute } from "./dom.js";
import { full, parse } from "./text.js";

// [−] value [+] with a field to type into. read(text) -> value or null; change(value) commits.
function stepper({ trait, label, signal, change, read = wholeNumber, title = null }) {
  const less = element("button", { type: "button", class: "cw-step", tabindex: -1, "aria-label": `${label} less` }, "\u2212");
  const field = element("input", { class: "cw-field", size: 3, inputmode: "numeric", autocomplete: "off", "aria-label": label });
  const more = element("button", { type: "button", class: "cw-step", tabindex: -1, "aria-label": `${label} more` }, "+");
  const box = element("span", { class: "cw-control", "data-trait": trait, title }, element("span", { class: "cw-label" }, label), element("span", { class: "cw-stepper" }, less, field, more));
  let now = 0;
  const number = () => (typeof now === "number" ? now : Array.isArray(now) ? Math.max(...now.flat()) : 0);
  const by = (d) => change(now = number() + d);
  less.addEventListener("click", () => by(-1), { signal });
  more.addEventListener("click", () => by(1), { signal });
  field.addEventListener("change", () => take(), { signal });
  field.addEventListener("keydown", (event) => {
    const d = { ArrowUp: 1, "+": 1, ArrowDown: -1, "-": -1, "\u2212": -1 }[event.key];
    if (event.key === "Enter" && !event.shiftKey) take();
    else if (d && !(event.ctrlKey || event.metaKey || event.altKey)) { event.preventDefault(); by(d * (event.shiftKey && event.key !== "+" ? 10 : 1)); }
    else if (event.key === "Escape") field.value = words(now);
  }, { signal });
  function take() {
    const value = read(field.value);
    if (value === null) field.value = words(now);
    else if (words(value) !== words(now)) change(value);
  }
  return {
    element: box,
    set: (value, refused = false) => {
      now = value;
      if (field.getRootNode().activeElement !== field || read(field.value) !== null) field.value = words(value);
      setAttribute(field, "aria-invalid", refused ? "true" : null);
    },
  };
}

function words(value) {
  return Array.isArray(value) ? value.flat().join(", ") : typeof value === "number" ? full(value) : String(value);
}

function wholeNumber(text) {
  const value = parse(text);
  return Number.isInteger(value) ? value : null;
}

function toggle({ trait, label, signal, change, title = null }) {
  const field = element("input", { type: "checkbox" });
  const box = element("label", { class: "cw-control cw-toggle", "data-trait": trait, title }, field, label);
  field.addEventListener("change", () => change(field.checked), { signal });
  return { element: box, set: (on) => { field.checked = on; } };
}

function button({ act, label, title = null, signal, press }) {
  const el = element("button", { type: "button", class: "cw-button", "data-do": act, title }, label);
  el.addEventListener("click", (event) => press(event), { signal });
  return el;
}

export { stepper, toggle, button, wholeNumber };
