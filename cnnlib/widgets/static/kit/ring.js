// A picture with its ring of zeros, as the content of a grid.
import { full } from "./text.js";
import { floor } from "./numbers.js";

// plane: the numbers of [rows, cols] pixels; pad: [[top, bottom], [left, right]].
// Gives rows, cols, origin, data, and the state and name of each cell; inner(k) is its pixel, or -1 in the ring.
function ringed(plane, [h, w], pad) {
  const [top, left] = [pad[0][0], pad[1][0]], rows = top + h + pad[0][1], cols = left + w + pad[1][1];
  const inner = (k) => { const r = floor(k / cols) - top, c = (k % cols) - left; return r >= 0 && c >= 0 && r < h && c < w ? r * w + c : -1; };
  const data = Float32Array.from({ length: rows * cols }, (_, k) => (inner(k) < 0 ? 0 : plane[inner(k)]));
  return { rows, cols, origin: [-top, -left], data, inner, state: (k) => (inner(k) < 0 ? "pad" : ""), name: (k) => (inner(k) < 0 ? "zero of the padding" : full(data[k])) };
}

export { ringed };
