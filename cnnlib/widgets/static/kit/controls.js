// Controls that are real form elements with labels; what cannot act now is not drawn.
import { control, button } from "./form.js";
import { toggle } from "./toggle.js";
import { element, on, setAttribute } from "./dom.js";
import { full, parse } from "./text.js";
import { max } from "./numbers.js";

// [−] value [+] with a field to type into. read(text) -> value or null; change(value) commits.
function stepper({ trait, label, signal, change, read = wholeNumber, title = null }) {
  const small = (words, sign, d) => {
    const el = element("button.cw-step", { type: "button", tabindex: -1, "aria-label": `${label} ${words}` }, sign);
    on(el, signal, { click: () => by(d) });
    return el;
  };
  const field = element("input.cw-field", { size: 3, inputmode: "numeric", autocomplete: "off", "aria-label": label });
  let now = 0, typing = false;                       // what is being typed is not overwritten
  const number = () => (typeof now === "number" ? now : Array.isArray(now) ? max(...now.flat()) : 0);
  const by = (d) => { typing = false; change(now = number() + d); };
  const take = () => {
    typing = false;
    const value = read(field.value);
    if (value === null) field.value = words(now);
    else if (words(value) !== words(now)) change(value);
  };
  on(field, signal, {
    input: () => { typing = true; },
    change: take,
    keydown: (e) => {
      const d = { ArrowUp: 1, "+": 1, ArrowDown: -1, "-": -1, "\u2212": -1 }[e.key];
      if (e.key === "Enter" && !e.shiftKey) take();
      else if (d && !(e.ctrlKey || e.metaKey || e.altKey)) { e.preventDefault(); by(d * (e.shiftKey && e.key !== "+" ? 10 : 1)); }
      else if (e.key === "Escape") { typing = false; field.value = words(now); }
    },
  });
  return {
    element: control(trait, label, title, element("span.cw-stepper", {}, small("less", "\u2212", -1), field, small("more", "+", 1))),
    set: (value, refused = false) => {
      now = value;
      if (!typing) field.value = words(value);
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

// Padding as it may be typed: "1", "1, 2", "same", "valid".
function paddingOf(text) {
  const clean = text.trim();
  if (/^(same|valid)$/.test(clean)) return clean;
  return /^\d+\s*,\s*\d+$/.test(clean) ? clean.split(",").map(Number) : wholeNumber(clean);
}

export { control, stepper, toggle, button, wholeNumber, paddingOf };
