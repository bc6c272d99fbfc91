// A number that is typed into, stepped by keys, or dragged: ten pixels a step, right and up are more.
// logScrub: a number above 0 that is changed by factors; ten steps are ten times as much.
import { element, on } from "./dom.js";
import { full, parse } from "./text.js";
import { round } from "./numbers.js";

// get(): the number now; set(value, phase): phase is "drag" while the pointer is down, else undefined.
// by(x, steps): so many steps from x; same(a, b): whether a typed number is what stands there already.
function scrub({ signal, get, set, whole = true, step = 1, by = (x, steps) => round((x + step * steps) * 1e6) / 1e6,
  same = (a, b) => a === b, size = 3, label }) {
  const field = element("input.cw-number", { size, inputmode: "decimal", autocomplete: "off", "aria-label": label });
  let typing = false;                                // what is being typed is not overwritten
  const take = () => {
    typing = false;
    const value = parse(field.value);
    if (value === null || Number.isNaN(value) || (whole && !Number.isInteger(value))) field.value = full(get());
    else if (!same(value, get())) set(value);
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
        const value = by(from, round((e.clientX - clientX - (e.clientY - clientY)) / 10));
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

function logScrub(options) {
  const by = (x, steps) => (steps ? Number((x * 10 ** (steps / 10)).toPrecision(2)) : x);
  return scrub({ ...options, by, same: (a, b) => full(a) === full(b), whole: false, size: 5 });
}

export { scrub, logScrub };
