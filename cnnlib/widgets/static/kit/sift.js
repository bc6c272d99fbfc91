// Scale space, and what SIFT makes of a point in it: the same numbers as cnnlib/features/sift.
import { abs, floor, max, min, round } from "./numbers.js";

const STEPS = 3, FIRST = 1.6, CELLS = 4, SAMPLES = 4, SIDE = 20, PATCH = 22, PER_CELL = 3, CLIP = 0.2, TURN = 2 * Math.PI;

// Halves go to the even neighbour, as in NumPy.
const even = (x) => { const near = floor(x + 0.5); return near - x === 0.5 && near % 2 ? near - 1 : near; };

// Where a pixel beyond the border is found: the first and the last one are mirrors.
function mirrored(i, n) {
  const period = max(2 * n - 2, 1), at = ((i % period) + period) % period;
  return at < n ? at : period - at;
}

function gauss(sigma) {
  const reach = floor(round(8 * sigma + 1) / 2), taps = Float64Array.from({ length: 2 * reach + 1 }, (_, k) => Math.exp(-((k - reach) ** 2) / (2 * sigma ** 2)));
  const sum = taps.reduce((a, b) => a + b);
  return taps.map((x) => x / sum);
}

function blurred(data, [h, w], sigma) {
  const taps = gauss(sigma), reach = (taps.length - 1) / 2, between = new Float64Array(h * w), out = new Float32Array(h * w), line = new Float64Array(w + 2 * reach);
  for (let i = 0; i < h; i++) {
    for (let j = 0, o = i * w; j < w; j++, o++) between[o] = taps[reach] * data[o];
    for (let t = 0; t < reach; t++) {
      const above = mirrored(i + t - reach, h) * w, below = mirrored(i + reach - t, h) * w, weight = taps[t];
      for (let j = 0, o = i * w; j < w; j++, o++) between[o] += weight * (data[above + j] + data[below + j]);
    }
  }
  const places = Array.from({ length: line.length }, (_, j) => mirrored(j - reach, w));
  for (let i = 0; i < h; i++) {
    for (let j = 0; j < line.length; j++) line[j] = between[i * w + places[j]];
    for (let j = 0; j < w; j++) {
      let sum = taps[reach] * line[j + reach];
      for (let t = 0; t < reach; t++) sum += taps[t] * (line[j + t] + line[j + 2 * reach - t]);
      out[i * w + j] = sum;
    }
  }
  return out;
}

// Each pixel cut into four: 3/4 of itself and 1/4 of the next one on that side, both ways.
function doubled(data, [h, w]) {
  const out = new Float32Array(4 * h * w), side = (i, n) => min(max(floor(i / 2) + (i % 2 ? 1 : -1), 0), n - 1);
  for (let i = 0; i < 2 * h; i++) {
    const near = floor(i / 2) * w, far = side(i, h) * w, along = (j) => 0.75 * data[near + j] + 0.25 * data[far + j];
    for (let j = 0; j < 2 * w; j++) out[i * 2 * w + j] = 0.75 * along(floor(j / 2)) + 0.25 * along(side(j, w));
  }
  return out;
}

// octave(o) is { shape, step, layer(l) }; the first one, -1, is the doubled picture. Each layer is made when it is first asked for.
function spaceOf({ shape, data }) {
  const shapes = [shape.map((n) => 2 * n)], k = 2 ** (1 / STEPS);
  while (min(...shapes.at(-1)) > 20) shapes.push(shapes.at(-1).map((n) => floor((n + 1) / 2)));
  const octaves = shapes.map((size, place) => {
    const layers = [], first = () => {
      if (place === 0) return blurred(doubled(data, shape), size, Math.sqrt(FIRST ** 2 - 1));
      const finer = octaves[place - 1].layer(STEPS), w = shapes[place - 1][1];
      return Float32Array.from({ length: size[0] * size[1] }, (_, i) => finer[floor(i / size[1]) * 2 * w + (i % size[1]) * 2]);
    };
    const layer = (l) => (layers[l] ||= l ? blurred(layer(l - 1), size, FIRST * k ** (l - 1) * Math.sqrt(k ** 2 - 1)) : first());
    return { shape: size, step: 2 ** (place - 1), layer };
  });
  return { shapes, octave: (o) => octaves[o + 1] };
}

function differenceOf({ layer }, l) {
  const [less, more] = [layer(l), layer(l + 1)];
  return more.map((x, k) => x - less[k]);
}

// The differences round a pixel: 27 numbers, the layer below first.
function cubeOf({ layer, shape: [, w] }, l, row, col) {
  return [-1, 0, 1].flatMap((up) => [-1, 0, 1].flatMap((down) => [-1, 0, 1].map((right) => {
    const at = (row + down) * w + col + right;
    return layer(l + up + 1)[at] - layer(l + up)[at];
  })));
}

// The histogram of 36 directions round a pixel; sigma in pixels of the octave.
function directionsOf({ layer, shape: [h, w] }, l, row, col, sigma) {
  const data = layer(l), raw = new Float64Array(36), reach = even(Math.fround(4.5 * sigma));
  const weight = (x) => Math.exp(-((x / (1.5 * sigma)) ** 2) / 2);
  for (let i = max(row - reach, 1); i <= min(row + reach, h - 2); i++) {
    for (let j = max(col - reach, 1); j <= min(col + reach, w - 2); j++) {
      const at = i * w + j, down = data[at + w] - data[at - w], right = data[at + 1] - data[at - 1];
      const bin = even(Math.fround(Math.fround(Math.atan2(down, right)) * Math.fround(36 / TURN)));
      raw[(bin + 36) % 36] += Math.hypot(down, right) * weight(i - row) * weight(j - col);
    }
  }
  return raw.map((_, b) => [1, 4, 6, 4, 1].reduce((sum, x, k) => sum + (x / 16) * raw[(b + 38 - k) % 36], 0));
}

// The patch turned upright, 22 x 22 samples 3/4 sigma apart, and which of them lie on the picture; all in pixels of the octave.
function patchOf({ layer, shape: [h, w] }, l, row, col, sigma, angle) {
  const data = layer(l), patch = new Float64Array(PATCH * PATCH), inside = new Uint8Array(PATCH * PATCH), [cos, sin] = [Math.cos(angle) * sigma, Math.sin(angle) * sigma];
  const along = (i) => ((i - (PATCH - 1) / 2) / SAMPLES) * PER_CELL;
  for (let k = 0; k < patch.length; k++) {
    const [down, right] = [along(floor(k / PATCH)), along(k % PATCH)], [r, c] = [row + cos * down + sin * right, col - sin * down + cos * right];
    const [y, x] = [min(max(r, 0), h - 1), min(max(c, 0), w - 1)], [top, left] = [min(floor(y), h - 2), min(floor(x), w - 2)], at = top * w + left;
    const upper = data[at] + (data[at + 1] - data[at]) * (x - left), lower = data[at + w] + (data[at + w + 1] - data[at + w]) * (x - left);
    patch[k] = upper + (lower - upper) * (y - top);
    inside[k] = y === r && x === c ? 1 : 0;
  }
  return { patch, inside };
}

// 4 x 4 cells of 8 directions: scaled to length 1, cut at 0.2, scaled again.
function describe({ patch, inside }) {
  const out = new Float64Array(CELLS * CELLS * 8), centre = (x) => (x - (SIDE - 1) / 2) / SAMPLES;
  const share = (x, cell) => max(0, 1 - abs(x - cell + 1.5)) * Math.exp(-(x ** 2) / 8);
  for (let i = 1; i <= SIDE; i++) {
    for (let j = 1; j <= SIDE; j++) {
      const k = i * PATCH + j, down = patch[k + PATCH] - patch[k - PATCH], right = patch[k + 1] - patch[k - 1], turn = (Math.atan2(down, right) * 8) / TURN, bin = floor(turn);
      const length = inside[k] * Math.hypot(down, right);
      for (let u = 0; u < CELLS; u++) {
        for (let v = 0; v < CELLS; v++) {
          const weight = length * share(centre(i - 1), u) * share(centre(j - 1), v), cell = (u * CELLS + v) * 8;
          out[cell + ((bin + 8) % 8)] += weight * (1 - turn + bin);
          out[cell + ((bin + 9) % 8)] += weight * (turn - bin);
        }
      }
    }
  }
  const unit = (x) => { const length = Math.hypot(...x); return length > 0 ? x.map((each) => each / length) : x; };
  return unit(unit(out).map((x) => min(x, CLIP)));
}

export { STEPS, spaceOf, differenceOf, cubeOf, directionsOf, patchOf, describe };
