// What a network is shown of a drawing; cnnlib/widgets/_seen.py and images.fill_frame do the same in Python.
import { abs, floor, max, min } from "./numbers.js";

const LEAST = 0.1;

// The first and last index for which there is ink, or null.
function boundsOf(size, inked) {
  const all = [...Array(size).keys()].filter(inked);
  return all.length ? [all[0], all.at(-1)] : null;
}

// The numbers at these places of the rows and columns, between two pixels; outside is 0.
function sample(data, [h, w], rows, cols) {
  const out = new Float64Array(rows.length * cols.length);
  const near = (at, n) => [floor(at), floor(at) + 1].filter((k) => k >= 0 && k < n).map((k) => [k, 1 - abs(at - k)]);
  const across = cols.map((at) => near(at, w));
  rows.forEach((at, i) => {
    for (const [r, down] of near(at, h)) across.forEach((pair, j) => { for (const [c, right] of pair) out[i * cols.length + j] += down * right * data[r * w + c]; });
  });
  return out;
}

function framed(data, [h, w], margin) {
  const rows = boundsOf(h, (i) => { for (let j = 0; j < w; j++) if (data[i * w + j] > LEAST) return true; return false; });
  if (!rows) return new Float64Array(h * w);
  const cols = boundsOf(w, (j) => { for (let i = 0; i < h; i++) if (data[i * w + j] > LEAST) return true; return false; });
  const [tall, wide] = [rows, cols].map(([first, last]) => last + 1 - first), scale = min((h - 2 * margin) / tall, (w - 2 * margin) / wide);
  const places = (n, first, size) => [...Array(n).keys()].map((i) => (i + 0.5 - n / 2) / scale + first + size / 2 - 0.5);
  return sample(data, [h, w], places(h, rows[0], tall), places(w, cols[0], wide));
}

function grained(data, [h, w], grain) {
  const [rows, cols] = [h / grain, w / grain], small = new Float64Array(rows * cols);
  for (let i = 0; i < h; i++) for (let j = 0; j < w; j++) small[floor(i / grain) * cols + floor(j / grain)] += data[i * w + j] / (grain * grain);
  const places = (n, most) => [...Array(n).keys()].map((i) => min(max((i + 0.5) / grain - 0.5, 0), most - 1));
  return sample(small, [rows, cols], places(h, rows), places(w, cols));
}

// drawing: { shape, data }
function seenOf({ shape, data }, { fit, margin, grain }) {
  let out = data;
  if (fit === "framed") out = framed(out, shape, margin);
  if (grain > 1) out = grained(out, shape, grain);
  return Float32Array.from(out);
}

export { seenOf };
