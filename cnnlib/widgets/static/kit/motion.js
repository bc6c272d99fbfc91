// One frame at a time, and nothing that moves unasked.
import { atEnd } from "./dom.js";
import { floor } from "./numbers.js";

// draw() at most once per frame, with a log of how long it took: root.dataset.frameMs is the 95th percentile.
function frames(root, draw, signal) {
  let asked = 0;
  const log = [];
  const now = () => {
    cancelAnimationFrame(asked);
    asked = 0;
    const start = performance.now();
    draw();
    log.push(performance.now() - start);
    if (log.length > 240) log.shift();
    root.dataset.frames = Number(root.dataset.frames || 0) + 1;
    root.dataset.frameMs = [...log].sort((a, b) => a - b)[floor(0.95 * (log.length - 1))].toFixed(2);
  };
  atEnd(signal, () => cancelAnimationFrame(asked));
  return { ask: () => { asked ||= requestAnimationFrame(now); }, now };
}

function stillness() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}

// Call step() every `pause` ms while playing; stops by itself when step() returns false or nobody can see it.
function player(root, step, pause, signal, changed) {
  let timer = 0;
  const stop = () => {
    if (!timer) return;
    clearInterval(timer);
    timer = 0;
    changed(false);
  };
  const start = () => {
    timer = setInterval(() => { if (document.hidden || !root.isConnected || step() === false) stop(); }, pause);
    changed(true);
  };
  const seen = new IntersectionObserver(([entry]) => { if (!entry.isIntersecting) stop(); });
  seen.observe(root);
  atEnd(signal, () => { stop(); seen.disconnect(); });
  return { toggle: () => (timer ? stop() : start()), stop, playing: () => timer !== 0 };
}

export { frames, stillness, player };
