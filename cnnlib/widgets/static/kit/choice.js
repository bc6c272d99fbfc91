// One of a few, as buttons in a row.
import { element, on, arrow, setAttribute } from "./dom.js";
import { control } from "./form.js";

function choice({ trait, label, options, signal, change }) {
  const buttons = options.map(([value, words]) => {
    const button = element("button", { type: "button", role: "radio", "data-value": value }, words);
    on(button, signal, { click: () => change(value) });
    return button;
  });
  const group = element("span.cw-choice", { role: "radiogroup", "aria-label": label }, ...buttons);
  on(group, signal, { keydown: (e) => {
    const way = arrow(e);
    if (!way) return;
    e.preventDefault();
    const next = buttons[(buttons.indexOf(e.target) + way[0] + way[1] + buttons.length) % buttons.length];
    next.focus();
    next.click();
  } });
  return {
    element: control(trait, label, null, group),
    set: (value) => {
      for (const button of buttons) {
        const on = button.dataset.value === String(value);
        setAttribute(button, "aria-checked", String(on));
        button.tabIndex = on ? 0 : -1;
      }
    },
  };
}

export { choice };
