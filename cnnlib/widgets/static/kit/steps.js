// Walking through cells in reading order: one back, one on, or by itself; Space plays.
import { element } from "./dom.js";
import { button } from "./form.js";
import { player, stillness } from "./motion.js";
import { floor, max, min } from "./numbers.js";

// size(state): [rows, cols] of the cells, or null while there are none; the state's row and col are the place.
function steps(kit, size) {
  const { state, signal } = kit;
  const next = (d) => {
    const s = state.read(), cells = size(s);
    if (!cells) return null;
    const within = (x, n) => min(max(x, 0), n - 1), [rows, cols] = cells;
    const place = within(s.row, rows) * cols + within(s.col, cols) + d;
    return place < 0 || place >= rows * cols ? null : { row: floor(place / cols), col: place % cols };
  };
  const step = (d) => { const to = next(d); if (to) state.commit(to, "move"); };
  const run = player(kit.root, () => { const to = next(1); if (to) state.preview(to); return Boolean(to); }, 450, signal, (playing) => {
    play.textContent = playing ? "stop" : "run";
    if (!playing) state.commit({}, "move");
  });
  const play = button({ act: "play", label: "run", title: "move on by itself (Space)", signal, press: () => run.toggle() });
  const back = button({ act: "back", label: "\u25c0", title: "one back", signal, press: () => step(-1) });
  const on = button({ act: "step", label: "\u25b6", title: "one on", signal, press: () => step(1) });
  const still = stillness();
  return { element: element("span.cw-control", {}, back, on, still ? null : play), keys: still ? {} : { play: () => run.toggle() }, stop: run.stop };
}

export { steps };
