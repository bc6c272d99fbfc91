// On or off, as a box to tick.
import { element, on } from "./dom.js";

function toggle({ trait, label, signal, change, title = null }) {
  const field = element("input", { type: "checkbox" });
  on(field, signal, { change: () => change(field.checked) });
  return { element: element("label", { class: "cw-control cw-toggle", "data-trait": trait, title }, field, label), set: (on) => { field.checked = on; } };
}

export { toggle };
