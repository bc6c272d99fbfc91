// A list to choose from that shows its name until then.
import { element, on, arrow } from "./dom.js";

// options: [[value, words], …]
function menu({ act, label, options, signal, choose }) {
  const select = element("select", { "data-do": act, "aria-label": label }, element("option", { value: "" }, label), ...options.map(([value, words]) => element("option", { value }, words)));
  on(select, signal, {
    change: () => { const { value } = select; select.value = ""; if (value) choose(value); },
    keydown: (e) => {                            // arrows open the list; some browsers would choose at once
      if (!arrow(e) || !select.showPicker) return;
      e.preventDefault();
      select.showPicker();
    },
  });
  return select;
}

export { menu };
