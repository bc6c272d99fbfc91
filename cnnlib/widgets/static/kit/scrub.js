// A number that is typed into, stepped by keys, or dragged: ten pixels a step, right and up are more.
import { element, on } from "./dom.js";
import { full, parse } from "./text.js";
import { round } from "./numbers.js";

// get(): the number now; set(value, phase): phase is "drag" while the pointer is down, else undefined.
function scrub({ signal, get, set, whole = true, step = 1 }) {
  const field = element("input.cw-number", { size: 3, inputmode: "decimal", autocomplete: "off" });
  const tidy = (x) => round(x * 1e6) / 1e6;
  const take = () => {
    const value = parse(field.value);
    if (value === null || Number.isNaN(value) || (whole && !Number.isInteger(value))) field.value = full(get());
    else if (value !== get()) set(value);
  };
  on(field, signal, {
    change: take,
    keydown: (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const d = { ArrowUp: 1, "+": 1, ArrowDown: -1, "-": -1, "\u2212": -1 }[event.key];
      if (d) { event.preventDefault(); set(tidy(get() + d * step * (event.shiftKey && event.key !== "+" ? 10 : 1))); }
      else if (event.key === "Enter" && !event.shiftKey) take();
      else if (event.key === "Escape") field.value = full(get());
    },
    pointerdown: (event) => {
      const from = get(), { clientX, clientY, pointerId } = event, stop = new AbortController();
      let last = from;
      on(window, stop.signal, { pointermove: (e) => {
        if (e.pointerId !== pointerId) return;
        const value = tidy(from + step * round((e.clientX - clientX - (e.clientY - clientY)) / 10));
        if (value !== last) set(last = value, "drag");
      } });
      const end = () => { stop.abort(); if (last !== from) set(last); };
      on(window, stop.signal, { pointerup: end, pointercancel: end });
    },
  });
  return {
    element: field,
    show: (value) => { if (field.getRootNode().activeElement !== field || parse(field.value) !== null) field.value = full(value); },
  };
}

export { scrub };
