// A list to choose from that shows its name until then.
import { element, on } from "./dom.js";

// options: [[value, words], …]
function menu({ act, label, options, signal, choose }) {
  const select = element("select", { "data-do": act, "aria-label": label }, element("option", { value: "" }, label), ...options.map(([value, words]) => element("option", { value }, words)));
  on(select, signal, { change: () => { const { value } = select; select.value = ""; if (value) choose(value); } });
  return select;
}

export { menu };
