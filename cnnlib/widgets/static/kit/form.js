// What stands in a row of controls: a label with what it names, and a button.
import { element, on } from "./dom.js";

function control(trait, label, title, ...parts) {
  return element("span.cw-control", { "data-trait": trait, title }, element("span.cw-label", {}, label), ...parts);
}

function button({ act, label, title = null, signal, press }) {
  const el = element("button.cw-button", { type: "button", "data-do": act, title }, label);
  on(el, signal, { click: press });
  return el;
}

export { control, button };
