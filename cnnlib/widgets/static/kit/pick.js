// One of several, in a list that shows which it is.
import { element, on } from "./dom.js";
import { control } from "./form.js";

// options: [[value, words], …]; set(value) shows it, and nothing where it is none of them.
function pick({ trait, label, options, signal, change }) {
  const select = element("select", { "aria-label": label }, ...options.map(([value, words]) => element("option", { value }, words)));
  on(select, signal, { change: () => change(select.value) });
  return { element: control(trait, label, null, select), select, set: (value) => { if (select.value !== value) select.value = value; } };
}

export { pick };
