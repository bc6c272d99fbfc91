// One of a few, as buttons in a row.
import { element, setAttribute } from "./dom.js";

function choice({ trait, label, options, signal, change }) {
  const buttons = options.map(([value, words]) => {
    const button = element("button", { type: "button", role: "radio", "data-value": value }, words);
    button.addEventListener("click", () => change(value), { signal });
    return button;
  });
  const group = element("span", { class: "cw-choice", role: "radiogroup", "aria-label": label }, ...buttons);
  group.addEventListener("keydown", (event) => {
    const d = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!d) return;
    event.preventDefault();
    const next = buttons[(buttons.indexOf(event.target) + d + buttons.length) % buttons.length];
    next.focus();
    next.click();
  }, { signal });
  const box = element("span", { class: "cw-control", "data-trait": trait }, element("span", { class: "cw-label" }, label), group);
  return {
    element: box,
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
