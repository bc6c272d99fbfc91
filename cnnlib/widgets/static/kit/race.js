// Losses of two weights and the walks of optimisers on them: what cnnlib/optim/surfaces.py and walks.py compute.
import { abs, floor, max, min } from "./numbers.js";

const { exp, sqrt } = Math, SQUARE = [[-2, 2], [-2, 2]];
const VALLEYS = [[0.6, [-0.8, 0], 0.6], [1, [1, 0], 0.35]];  // depth, place, width

// L = wᵀ H w / 2, with H the curvature 1 along and kappa across.
function quadratic(along, across, kappa) {
  const h = (i, j) => along[i] * along[j] + kappa * (across[i] * across[j]), a = h(0, 0), b = h(0, 1), c = h(1, 1);
  return {
    value: (x, y) => (a * x * x + 2 * b * x * y + c * y * y) / 2,
    gradient: (x, y) => [a * x + b * y, b * x + c * y],
    window: SQUARE, start: [-1.2, 1], minima: [[0, 0]],
  };
}

function rosenbrock() {
  return {
    value: (x, y) => (1 - x) ** 2 + 100 * (y - x * x) ** 2,
    gradient: (x, y) => [-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)],
    window: [[-2, 2], [-1, 3]], start: [-1.2, 1], minima: [[1, 1]],
  };
}

function saddle() {
  return {
    value: (x, y) => (x * x) / 2 + (1 - y * y) ** 2 / 4,
    gradient: (x, y) => [x, y * (y * y - 1)],
    window: SQUARE, start: [-1.5, 0.01], minima: [[0, 1], [0, -1]],
  };
}

function twoValleys() {
  const pits = (x, y) => VALLEYS.map(([depth, [x0, y0], width]) => {
    const dx = x - x0, dy = y - y0;
    return [depth * exp(-(dx * dx + dy * dy) / (2 * width ** 2)), dx / width ** 2, dy / width ** 2];
  });
  return {
    value: (x, y) => 1 + 0.05 * (x * x + y * y) - pits(x, y).reduce((sum, [pit]) => sum + pit, 0),
    gradient: (x, y) => { const all = pits(x, y); return [0.1 * x + all.reduce((sum, [pit, dx]) => sum + pit * dx, 0), 0.1 * y + all.reduce((sum, [pit, , dy]) => sum + pit * dy, 0)]; },
    window: SQUARE, start: [-1.2, 1], minima: [[-0.754566, 0], [0.983543, 0]],
  };
}

// Somebody's own, known by its values on an even grid (rows from the bottom up): straight lines between the samples.
function ownSurface({ shape: [rows, cols], data }, [[left, right], [bottom, top]], start) {
  const step = [(right - left) / (cols - 1), (top - bottom) / (rows - 1)];
  const slope = (k, size, d, stride, n) => {         // along one axis: k is the place on it, of n; one-sided at its ends
    const a = max(k - 1, 0), b = min(k + 1, n - 1);
    return (data[size + b * stride] - data[size + a * stride]) / ((b - a) * d);
  };
  const along = Float64Array.from(data, (_, k) => slope(k % cols, k - (k % cols), step[0], 1, cols));
  const up = Float64Array.from(data, (_, k) => slope(floor(k / cols), k % cols, step[1], cols, rows));
  const between = (grid) => (x, y) => {
    if (Number.isNaN(x) || Number.isNaN(y)) return NaN;
    const p = min(max((x - left) / step[0], 0), cols - 1), q = min(max((y - bottom) / step[1], 0), rows - 1);
    const c = min(floor(p), cols - 2), r = min(floor(q), rows - 2), s = p - c, t = q - r, k = r * cols + c;
    return (grid[k] * (1 - s) + grid[k + 1] * s) * (1 - t) + (grid[k + cols] * (1 - s) + grid[k + cols + 1] * s) * t;
  };
  const slopes = [between(along), between(up)];
  return { value: between(data), gradient: (x, y) => slopes.map((f) => f(x, y)), window: [[left, right], [bottom, top]], start, minima: [] };
}

function surfaceOf(name, kappa, own) {
  const root = sqrt(5);
  if (name === "bowl") return quadratic([1, 0], [0, 1], kappa);
  if (name === "ravine") return quadratic([2 / root, -1 / root], [1 / root, 2 / root], kappa);
  if (name === "rosenbrock") return rosenbrock();
  if (name === "saddle") return saddle();
  return name === "own" ? own() : twoValleys();
}

// One step of each rule: (slope, memory, t) -> how far against it, for the rate lr.
const RULES = {
  sgd: (g, m, t, lr) => lr * g,
  momentum: (g, m, t, lr) => lr * (m.v = 0.9 * (m.v || 0) + g),
  nesterov: (g, m, t, lr) => { m.v = 0.9 * (m.v || 0) + g; return lr * (g + 0.9 * m.v); },
  rmsprop: (g, m, t, lr) => { m.r = 0.99 * (m.r || 0) + (1 - 0.99) * g * g; return lr * (g / (sqrt(m.r) + 1e-8)); },
  adam: (g, m, t, lr) => {
    m.m = (m.m || 0) + (1 - 0.9) * (g - (m.m || 0));
    m.r = 0.999 * (m.r || 0) + (1 - 0.999) * g * g;
    return ((lr / (1 - 0.9 ** t)) * m.m) / (sqrt(m.r) / (1 - 0.999 ** t) ** 0.5 + 1e-8);
  },
};

// The path of one rule as [x0, y0, x1, y1, …]; draws are what noise multiplies.
function walk(surface, [x, y], rule, lr, steps, noise, draws) {
  const path = new Float64Array(2 * steps + 2), memory = [{}, {}], at = [x, y];
  path.set(at);
  for (let t = 0; t < steps; t++) {
    const g = surface.gradient(...at);
    for (const i of [0, 1]) at[i] -= RULES[rule](g[i] + (noise ? noise * draws[2 * t + i] : 0), memory[i], t + 1, lr);
    path.set(at, 2 * t + 2);
  }
  return path;
}

// The first step at which a path has left for good: no number, or a hundred windows away; -1 for none.
function divergedAt(path, window, last) {
  for (let t = 0; t <= last; t++) {
    const near = window.every(([low, high], i) => abs(path[2 * t + i] - (low + high) / 2) / (high - low) <= 100);
    if (!near) return t;
  }
  return -1;
}

// The first step at which a path that has not diverged has no loss, since it has come to a hole; -1 for none.
function leftAt(path, losses, window, last) {
  const hole = losses.subarray(0, last + 1).findIndex(Number.isNaN), gone = divergedAt(path, window, last), place = path.subarray(2 * gone, 2 * gone + 2);
  return gone < 0 || hole < gone || (hole === gone && place.some(Number.isNaN) && !place.some((x) => abs(x) === Infinity)) ? hole : -1;
}

export { surfaceOf, ownSurface, walk, divergedAt, leftAt };
