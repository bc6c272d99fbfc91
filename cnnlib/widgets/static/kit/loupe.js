// A piece of a picture, enlarged until its numbers can be read.
import { grid } from "./grid.js";
import { dense } from "./text.js";
import { floor } from "./numbers.js";

// part: "loupe" where left out; hands: enter(row, col), leave(). Pixels outside the picture are drawn as zeros of the padding, or as outside(row, col).
function loupe({ part = "loupe", label, role, signal, enter, leave }) {
  const cells = grid({ part, role, label, signal, enter: (k) => enter?.(...at(k)), leave });
  const at = (k) => [cells.origin[0] + floor(k / cells.cols), cells.origin[1] + (k % cells.cols)];
  return {
    element: cells.element,
    place: (row, col) => (row - cells.origin[0]) * cells.cols + col - cells.origin[1],
    mark: cells.mark,
    // size: [rows, cols] of the plane; from: the first row and column seen; n: how many each way; cell, width: pixels.
    // box: { row, col, rows, cols } of what is looked at; dashed: only some of its pixels are. Instead of the plane's
    // numbers words(place) may stand in the cells, in a state(place) of their own.
    show: ({ plane, size, from, n, cell, width, scale, decimals, box, dashed, outside = () => 0, words = null, state = () => "" }) => {
      const index = (k) => { const r = from[0] + floor(k / n), c = from[1] + (k % n); return r >= 0 && c >= 0 && r < size[0] && c < size[1] ? r * size[1] + c : -1; };
      const data = Float32Array.from({ length: n * n }, (_, k) => (index(k) < 0 ? outside(from[0] + floor(k / n), from[1] + (k % n)) : plane[index(k)]));
      cells.show({ rows: n, cols: n, origin: from, data, scale, text: (k) => (words ? (index(k) < 0 ? "" : words(index(k))) : dense(data[k], decimals)), cell, width, state: (k) => (index(k) < 0 ? "pad" : state(index(k))) });
      const frame = { ...box, row: box.row - from[0], col: box.col - from[1] };
      cells.frame("window", dashed ? null : frame);
      cells.frame("spread", dashed ? frame : null);
    },
  };
}

export { loupe };
