// A knob that is turned: dragged up or down, or by keys; its dial ends at −1 and +1, its number does not.
import { element, on, setAttribute, write } from "./dom.js";
import { abs, max, min, round } from "./numbers.js";

// get(): where it stands; set(value, phase): phase is "drag" while the pointer is down, else "drop" or "key".
// go(knobs): by so many knobs on or back.
function knob({ at, label, signal, get, set, go, step = 0.05 }) {
  const number = element("b", {}), el = element("div.cw-knob", { role: "slider", tabindex: -1, "data-at": at, "aria-valuemin": -1, "aria-valuemax": 1, "aria-orientation": "vertical", "aria-label": label }, element("i", { "aria-hidden": "true" }), number);
  const by = (from, steps) => round((from + step * steps) * 1e6) / 1e6;
  on(el, signal, {
    keydown: (e) => {
      if (e.ctrlKey || e.metaKey || e.altKey) return;
      const d = { ArrowUp: 1, "+": 1, "=": 1, ArrowDown: -1, "-": -1, "\u2212": -1, _: -1 }[e.key], way = { ArrowLeft: -1, ArrowRight: 1, PageUp: -4, PageDown: 4 }[e.key];
      if (!d && !way) return;
      e.preventDefault();
      if (way) go(way);
      else set(by(get(), d * (e.shiftKey && e.key !== "+" ? 10 : 1)), "key");
    },
    pointerdown: (e) => {
      if (e.button) return;
      const from = get(), { clientY, pointerId } = e, stop = new AbortController();
      let last = from;
      el.focus({ preventScroll: true });
      e.preventDefault();
      const end = () => { stop.abort(); if (last !== from) set(last, "drop"); };
      on(window, stop.signal, {
        pointermove: (e) => {
          if (e.pointerId !== pointerId) return;
          const value = by(from, round((clientY - e.clientY) / 4));
          if (value !== last) set(last = value, "drag");
        },
        pointerup: end, pointercancel: end,
      });
    },
  });
  return {
    element: el,
    // words: its number; way: where the next step turns it, 1, -1 or 0.
    show: (value, words, way) => {
      el.style.setProperty("--turn", `${135 * min(1, max(-1, value))}deg`);
      setAttribute(el, "aria-valuenow", min(1, max(-1, value)));
      setAttribute(el, "aria-valuetext", words);
      setAttribute(el, "data-way", way || null);
      el.classList.toggle("cw-past", abs(value) > 1);
      write(number, words);
    },
  };
}

export { knob };
