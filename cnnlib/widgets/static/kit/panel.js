// A part with its caption above, a coloured square, a name and a size, and the rule of its scale below.
import { element, div, write } from "./dom.js";
import { legend } from "./scale.js";
import { full } from "./text.js";
import { abs, round } from "./numbers.js";

function panel(role, name, ...parts) {
  const title = element("b", {}, name), size = element("small", {}), rule = element("div.cw-scale", { "aria-hidden": "true" });
  const caption = div("cw-caption", title, size);
  return {
    element: div(`cw-panel cw-${role}`, caption, ...parts, rule), caption, title, size, rule,
    name: (words, more) => { write(title, words); write(size, more); },
    // The two ends of a scale in numbers, redrawn where it differs.
    scale: (scale, decimals, theme) => {
      const key = [scale.kind, scale.low, scale.high, theme].join();
      if (rule.dataset.key === key) return;
      rule.dataset.key = key;
      rule.replaceChildren(legend(scale, (x) => full(decimals && abs(x) >= 0.1 ? round(x * 100) / 100 : x)));
    },
  };
}

export { panel };
