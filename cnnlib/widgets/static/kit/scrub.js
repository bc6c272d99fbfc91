// A number that is typed into, stepped by keys, or dragged: ten pixels a step, right and up are more.
import { element, on } from "./dom.js";
import { full, parse } from "./text.js";
import { round } from "./numbers.js";

// get(): the number now; set(value, phase): phase is "drag" while the pointer is down, else undefined.
function scrub({ signal, get, set, whole = true, step = 1 }) {
  const field = element("input.cw-number", { size: 3, inputmode: "decimal", autocomplete: "off" });
  const tidy = (x) => round(x * 1e6) / 1e6;
  let typing = false;                                // what is being typed is not overwritten
  const take = () => {
    typing = false;
    const value = parse(field.value);
    if (value === null || Number.isNaN(value) || (whole && !Number.isInteger(value))) field.value = full(get());
    else if (value !== get()) set(value);
  };
  on(field, signal, {
    input: () => { typing = true; },
    change: take,
    keydown: (e) => {
      if (e.ctrlKey || e.metaKey || e.altKey) return;
      const d = { ArrowUp: 1, "+": 1, ArrowDown: -1, "-": -1, "\u2212": -1 }[e.key];
      if (d) { e.preventDefault(); typing = false; set(tidy(get() + d * step * (e.shiftKey && e.key !== "+" ? 10 : 1))); }
      else if (e.key === "Enter" && !e.shiftKey) take();
      else if (e.key === "Escape") { typing = false; field.value = full(get()); }
    },
    pointerdown: (e) => {
      const from = get(), { clientX, clientY, pointerId } = e, stop = new AbortController();
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
    show: (value) => { if (!typing) field.value = full(value); },
  };
}

export { scrub };
