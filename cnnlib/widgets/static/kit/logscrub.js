// A number above 0 that is typed into, or changed by factors, with keys or by dragging: ten steps are ten times as much.
import { element, on } from "./dom.js";
import { full, parse } from "./text.js";
import { round } from "./numbers.js";

// get(): the number now; set(value, phase): phase is "drag" while the pointer is down, else undefined.
function logScrub({ signal, label, get, set }) {
  const field = element("input.cw-number", { size: 5, inputmode: "decimal", autocomplete: "off", "aria-label": label });
  const by = (x, steps) => Number((x * 10 ** (steps / 10)).toPrecision(2));
  let typing = false;                                // what is being typed is not overwritten
  const take = () => {
    typing = false;
    const value = parse(field.value);
    if (value === null || Number.isNaN(value)) field.value = full(get());
    else if (full(value) !== full(get())) set(value);
  };
  on(field, signal, {
    input: () => { typing = true; },
    change: take,
    keydown: (e) => {
      if (e.ctrlKey || e.metaKey || e.altKey) return;
      const d = { ArrowUp: 1, "+": 1, ArrowDown: -1, "-": -1, "\u2212": -1 }[e.key];
      if (d) { e.preventDefault(); typing = false; set(by(get(), d * (e.shiftKey && e.key !== "+" ? 10 : 1))); }
      else if (e.key === "Enter" && !e.shiftKey) take();
      else if (e.key === "Escape") { typing = false; field.value = full(get()); }
    },
    pointerdown: (e) => {
      const from = get(), { clientX, clientY, pointerId } = e, stop = new AbortController();
      let last = from;
      on(window, stop.signal, { pointermove: (e) => {
        if (e.pointerId !== pointerId) return;
        const steps = round((e.clientX - clientX - (e.clientY - clientY)) / 10), value = steps ? by(from, steps) : from;
        if (value !== last) set(last = value, "drag");
      } });
      const end = () => { stop.abort(); if (last !== from) set(last); };
      on(window, stop.signal, { pointerup: end, pointercancel: end });
    },
  });
  return { element: field, show: (value) => { if (!typing) field.value = full(value); } };
}

export { logScrub };
