// What a mask and its eight turns by 45 degrees answer over a picture: the same numbers as cnnlib/widgets/_masks.py.
// In double precision: with whole weights every sum is exact, so that equal answers are equal.
import { addTap, range } from "./sweep.js";
import { abs, floor, max, min } from "./numbers.js";

const NAMES = ["N", "NE", "E", "SE", "S", "SW", "W", "NW"];
const WAYS = [[-1, 0], [-1, 1], [0, 1], [1, 1], [1, 0], [1, -1], [0, -1], [-1, -1]];
const TINY = 1e-6;                                   // of the weights' sum: below it a sum is 0, since masks travel in single precision
const GRAIN = 1e-12;                                 // of the largest sum possible: answers are rounded to about that, so that equal ones are equal; (x + far) - far does it

// The square ring round the centre, clockwise from its upper left, as places in a mask of size x size.
function ringOf(size, radius) {
  const half = floor(size / 2), side = 2 * radius;
  return [...Array(8 * radius).keys()].map((p) => {
    const way = floor(p / side), d = (p % side) - radius;
    const [r, c] = [[-radius, d], [d, radius], [radius, -d], [-d, -radius]][way];
    return (r + half) * size + c + half;
  });
}

// Where each weight comes from when the mask is turned clockwise by 45 degrees so many times.
function turnOf(size, steps) {
  const from = [...Array(size * size).keys()];
  for (let radius = 1; radius <= floor(size / 2); radius++) {
    const ring = ringOf(size, radius), n = ring.length;
    ring.forEach((place, p) => { from[place] = ring[(((p - steps * radius) % n) + n) % n]; });
  }
  return from;
}

function turnMask(mask, steps) {
  return { shape: mask.shape, data: Float32Array.from(turnOf(mask.shape[0], steps), (k) => mask.data[k]) };
}

// What a mask looks for: kind 1, a step (its first harmonic), 2, a line (its second), or 0; and the place of its direction.
function nature({ shape: [size], data }) {
  const found = [1, 2].map((m) => {
    let x = 0, y = 0;
    for (let radius = 1; radius <= floor(size / 2); radius++) {
      ringOf(size, radius).forEach((place, p) => {
        const bearing = (Math.PI / 4) * m * (p / radius - 1);
        x += data[place] * Math.cos(bearing);
        y += data[place] * Math.sin(bearing);
      });
    }
    return [x, y];
  });
  const total = data.reduce((sum, w) => sum + abs(w), 0);
  for (const kind of [1, 2]) {
    const [x, y] = found[kind - 1], size = Math.hypot(x, y), round = 8 / kind;
    if (!(size > TINY * total && Number.isFinite(size))) continue;
    const angle = (Math.atan2(y, x) * 4) / Math.PI / kind - (kind === 1 ? 2 : 0);
    return { kind, index: (((floor(angle + 0.5 + TINY) % round) + round) % round) };
  }
  return { kind: 0, index: 0 };
}

// The pixel that stands for place i of n beyond the border, or -1 for a zero.
function beyond(i, n, padding) {
  if (i >= 0 && i < n) return i;
  if (padding === "zeros") return -1;
  if (padding === "replicate" || n === 1) return min(max(i, 0), n - 1);
  const round = 2 * (n - 1), at = ((i % round) + round) % round;
  return at < n ? at : round - at;
}

// The picture with its border, `half` pixels each side; none for "valid".
function bordered({ shape: [h, w], data }, half, padding) {
  const m = padding === "valid" ? 0 : half, shape = [h + 2 * m, w + 2 * m], out = new Float64Array(shape[0] * shape[1]);
  const cols = Array.from({ length: shape[1] }, (_, j) => beyond(j - m, w, padding));
  for (let i = 0; i < shape[0]; i++) {
    const r = beyond(i - m, h, padding);
    for (let j = 0; j < shape[1]; j++) out[i * shape[1] + j] = r < 0 || cols[j] < 0 ? 0 : data[r * w + cols[j]];
  }
  return { shape, data: out, margin: m };
}

// All answers of one mask over one bordered picture, each when it is first asked for. `planes`: the answers of the mask
// turned by 0, 1, … 7 eighths, as far as they are known.
function answersOf(picture, mask, level, planes = []) {
  const size = mask.shape[0], [rows, cols] = picture.shape.map((n) => n - size + 1), area = rows * cols;
  const { kind, index } = nature(mask), most = level * mask.data.reduce((sum, w) => sum + abs(w), 0);
  const far = 1.5 * 2 ** 52 * (most > 0 && most < Infinity ? 2 ** floor(Math.log2(GRAIN * most)) : 1);
  const order = NAMES.map((_, place) => (place - index + 8) % 8), known = {}, once = (name, make) => (known[name] ??= make());
  const plane = (t) => (planes[t] ||= sweep(new Float64Array(area), turnMask(mask, t).data));
  function sweep(out, weights) {
    for (let k = 0; k < weights.length; k++) addTap(out, [rows, cols], picture.data, picture.shape, floor(k / size), k % size, 1, weights[k]);
    return out;
  }
  const me = {
    rows, cols, kind, index, planes, mask,
    get response() { return plane(0); },              // not yet rounded
    get strongest() { return once("strongest", () => strongestOf(order.map(plane), far)); },
    get thinned() { return once("thinned", () => thin(me.strongest, rows, cols)); },
    get top() { return once("top", () => max(0, range(me.strongest.strength)[1])); },
    joined: (low, high) => {
      if (known.low !== low || known.high !== high) Object.assign(known, { low, high, kinds: join(me.thinned, rows, cols, low * me.top, high * me.top) });
      return known.kinds;
    },
    // The eight answers at one pixel, in the order of NAMES.
    at: (k) => order.map((n) => plane(n)[k] + far - far),
    // The answers of a mask that differs in weight k alone: one sweep for each turn that is known.
    changed: (next, k) => {
      const by = next.data[k] - mask.data[k];
      planes.forEach((out, t) => {
        const place = turnOf(size, t).indexOf(k);
        addTap(out, [rows, cols], picture.data, picture.shape, floor(place / size), place % size, 1, by);
      });
      return answersOf(picture, next, level, planes);
    },
    // The neighbours across the edge at (row, col) as [name, place, does it come first?]; none on the frame.
    across: (row, col) => {
      const way = me.strongest.direction[row * cols + col], inside = row > 0 && col > 0 && row < rows - 1 && col < cols - 1;
      const sides = way < 0 || !inside ? [] : [(way + 2) % 8, (way + 6) % 8].sort();
      return sides.map((side) => [NAMES[side], (row + WAYS[side][0]) * cols + col + WAYS[side][1], !forward(side)]);
    },
  };
  return me;
}

// The ways on which 2 columns + rows grows: of two equals across an edge the other one comes first.
const forward = (side) => side > 0 && side < 5;

// The largest of eight answers and the first that gives it; -1 where there is a NaN.
function strongestOf(planes, far) {
  const strength = planes[0].slice(), direction = new Int8Array(strength.length);
  for (let k = 0; k < strength.length; k++) strength[k] += far;
  for (let place = 1; place < 8; place++) {
    const plane = planes[place];
    for (let k = 0; k < strength.length; k++) {
      const x = plane[k] + far;
      if (x > strength[k]) { strength[k] = x; direction[k] = place; }
    }
  }
  for (let k = 0; k < strength.length; k++) {
    strength[k] -= far;
    if (strength[k] !== strength[k]) direction[k] = -1;
  }
  return { strength, direction };
}

// The strength where none across the edge is stronger, elsewhere and on the frame 0; NaN stay, and count as 0.
function thin({ strength, direction }, rows, cols) {
  const out = new Float64Array(strength.length), at = WAYS.map(([down, right]) => down * cols + right);
  for (let k = 0; k < out.length; k++) {
    const own = strength[k], col = k % cols;
    if (own !== own) out[k] = own;
    if (!(own > 0) || k < cols || k >= out.length - cols || col === 0 || col === cols - 1) continue;
    const side = (direction[k] + 2) % 8, step = at[forward(side) ? side : (side + 4) % 8];
    if (own > (strength[k - step] || 0) && own >= (strength[k + step] || 0)) out[k] = own;
  }
  return out;
}

// 0: nothing; 1: at most low; 2: between, alone; 3: between, joined to a strong one; 4: above high.
function join(thinned, rows, cols, low, high) {
  const kind = new Uint8Array(thinned.length), front = [];
  for (let k = 0; k < kind.length; k++) {
    if (!(thinned[k] > 0)) continue;
    kind[k] = thinned[k] > high ? 4 : thinned[k] > low ? 2 : 1;
    if (kind[k] === 4) front.push(k);
  }
  while (front.length) {
    const k = front.pop(), row = floor(k / cols), col = k % cols;
    for (const [down, right] of WAYS) {
      const [r, c] = [row + down, col + right], next = r * cols + c;
      if (r < 0 || c < 0 || r >= rows || c >= cols || kind[next] !== 2) continue;
      kind[next] = 3;
      front.push(next);
    }
  }
  return kind;
}

export { NAMES, WAYS, TINY, turnMask, nature, beyond, bordered, answersOf };
