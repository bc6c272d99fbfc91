// A whole network, forward and backward: stages of three kinds, as cnnlib/widgets/_network.py tells them.
// A fully connected layer comes as a convolution whose filters are as large as the maps.
import { max, min } from "./numbers.js";

const { exp, tanh } = Math;

// What is done to each number afterwards; and, from its result (and the slope's own number), by how much it grows.
const POINTWISE = {
  relu: [(x) => (x < 0 ? 0 : x), (y) => (y > 0 ? 1 : 0)],
  leaky: [(x, a) => (x > 0 ? x : a * x), (y, a) => (y > 0 ? 1 : a)],
  tanh: [(x) => tanh(x), (y) => 1 - y * y],
  sigmoid: [(x) => 1 / (1 + exp(-x)), (y) => y * (1 - y)],
  scaled_tanh: [(x) => 1.7159 * tanh((2 * x) / 3), (y) => (2 / 3) * (1.7159 - (y * y) / 1.7159)],
};

function sizeOf([c, h, w]) {
  return c * h * w;
}

// The places of one axis: for each output and tap the input place, or -1 in the padding.
function tapsOf(stage, axis, size) {
  const { kernel, stride, dilation, pad, shape } = stage, taps = [];
  for (let i = 0; i < shape[1 + axis]; i++) {
    for (let p = 0; p < kernel[axis]; p++) {
      const at = i * stride[axis] + p * dilation[axis] - pad[axis][0];
      taps.push(at >= 0 && at < size ? at : -1);
    }
  }
  return taps;
}

// Call each(output row, output column, tap row, tap column, input place) for all that a plane reads.
function windows(stage, before, each) {
  const rows = tapsOf(stage, 0, before[1]), cols = tapsOf(stage, 1, before[2]), [kh, kw] = stage.kernel, [, h, w] = stage.shape;
  for (let i = 0; i < h; i++) {
    for (let p = 0; p < kh; p++) {
      const row = rows[i * kh + p];
      if (row < 0) continue;
      for (let j = 0; j < w; j++) {
        for (let q = 0; q < kw; q++) {
          const col = cols[j * kw + q];
          if (col >= 0) each(i * w + j, p * kw + q, row * before[2] + col);
        }
      }
    }
  }
}

// The input maps of output map f: [first, one after the last].
function mapsOf(stage, before, f) {
  if (stage.kind !== "conv") return [f, f + 1];
  const deep = before[0] / stage.groups, group = Math.floor(f / (stage.shape[0] / stage.groups));
  return [group * deep, (group + 1) * deep];
}

function forwardStage(stage, before, x, weights) {
  const [f, h, w] = stage.shape, area = h * w, plane = before[1] * before[2], out = new Float32Array(f * area);
  const list = [];
  windows(stage, before, (to, tap, from) => list.push(to, tap, from));
  if (stage.kind === "conv") convolve(stage, before, x, weights, out, list);
  else pool(stage, x, out, list, plane, area);
  for (const [name, number] of stage.then) {
    if (name === "affine") out.forEach((v, k) => { const c = Math.floor(k / area); out[k] = v * weights[number + c] + weights[number + f + c]; });
    else for (let k = 0, act = POINTWISE[name][0]; k < out.length; k++) out[k] = act(out[k], number);
  }
  return out;
}

function convolve(stage, before, x, weights, out, list) {
  const [f, h, w] = stage.shape, area = h * w, plane = before[1] * before[2], taps = stage.kernel[0] * stage.kernel[1];
  const sums = new Float64Array(area);
  for (let k = 0; k < f; k++) {
    const [first, last] = mapsOf(stage, before, k);
    sums.fill(stage.bias < 0 ? 0 : weights[stage.bias + k]);
    for (let c = first; c < last; c++) {
      const at = stage.weight + (k * (last - first) + c - first) * taps, base = c * plane;
      for (let n = 0; n < list.length; n += 3) sums[list[n]] += weights[at + list[n + 1]] * x[base + list[n + 2]];
    }
    out.set(sums, k * area);
  }
}

// A window of a maximum that lies in the padding alone cannot be; zeros of an average are counted.
function pool(stage, x, out, list, plane, area) {
  const mean = stage.kind === "avg", share = 1 / (stage.kernel[0] * stage.kernel[1]), sums = new Float64Array(area);
  for (let c = 0; c < stage.shape[0]; c++) {
    sums.fill(mean ? 0 : -Infinity);
    for (let n = 0; n < list.length; n += 3) {
      const v = x[c * plane + list[n + 2]], to = list[n];
      if (mean) sums[to] += share * v;
      else if (v > sums[to] || v !== v) sums[to] = v;
    }
    out.set(sums, c * area);
  }
}

// What comes out of each stage, the input first.
function forward(stages, weights, shape, picture) {
  const outs = [picture];
  stages.forEach((stage, n) => outs.push(forwardStage(stage, n ? stages[n - 1].shape : shape, outs[n], weights)));
  return outs;
}

// By how much the score of `target` grows with each number of the input and of what comes out of each stage.
function backward(stages, weights, shape, outs, target) {
  const grads = outs.map((out) => new Float32Array(out.length));
  grads.at(-1)[target] = 1;
  for (let n = stages.length; n > 0; n--) backwardStage(stages[n - 1], n > 1 ? stages[n - 2].shape : shape, outs[n - 1], outs[n], grads[n], grads[n - 1], weights);
  return grads;
}

function backwardStage(stage, before, x, y, gradY, gradX, weights) {
  const [f, h, w] = stage.shape, area = h * w, plane = before[1] * before[2], list = [], taps = stage.kernel[0] * stage.kernel[1];
  windows(stage, before, (to, tap, from) => list.push(to, tap, from));
  const grad = through(stage, x, y, gradY, weights, before), sums = new Float64Array(gradX.length);
  if (stage.kind === "conv") {
    for (let k = 0; k < f; k++) {
      if (!grad.subarray(k * area, (k + 1) * area).some((g) => g)) continue;
      const [first, last] = mapsOf(stage, before, k);
      for (let c = first; c < last; c++) {
        const at = stage.weight + (k * (last - first) + c - first) * taps;
        for (let n = 0; n < list.length; n += 3) sums[c * plane + list[n + 2]] += weights[at + list[n + 1]] * grad[k * area + list[n]];
      }
    }
  } else {
    for (let c = 0; c < f; c++) unpool(stage, x, grad, sums, list, c * plane, c * area, taps);
  }
  gradX.set(sums);
}

// The first maximum in reading order gets the whole gradient; of an average each pixel its share.
function unpool(stage, x, grad, sums, list, base, from, taps) {
  if (stage.kind === "avg") {
    for (let n = 0; n < list.length; n += 3) sums[base + list[n + 2]] += grad[from + list[n]] / taps;
    return;
  }
  const best = new Map();
  for (let n = 0; n < list.length; n += 3) {
    const at = best.get(list[n]);
    if (at === undefined || x[base + list[n + 2]] > x[base + at] || (x[base + list[n + 2]] === x[base + at] && list[n + 2] < at)) best.set(list[n], list[n + 2]);
  }
  for (const [to, at] of best) sums[base + at] += grad[from + to];
}

// The gradient of what a stage computes before its activations.
function through(stage, x, y, gradY, weights, before) {
  const steps = stage.then;
  if (!steps.length) return gradY;
  const area = stage.shape[1] * stage.shape[2], f = stage.shape[0], grad = Float32Array.from(gradY);
  let values = y;
  for (let n = steps.length - 1; n >= 0; n--) {
    const [name, number] = steps[n];
    if (name === "affine") for (let k = 0; k < grad.length; k++) grad[k] *= weights[number + Math.floor(k / area)];
    else for (let k = 0, slope = POINTWISE[name][1]; k < grad.length; k++) grad[k] *= slope(values[k], number);
    if (n) values = forwardStage({ ...stage, then: steps.slice(0, n) }, before, x, weights);
  }
  return grad;
}

// The maps, rows and columns of the stage before that a unit reads, each [first, last]; null where it is not known.
function readsOf(stage, before, map, row, col) {
  if (!stage.kernel) return null;
  const spans = [row, col].map((at, axis) => {
    const start = at * stage.stride[axis] - stage.pad[axis][0], end = start + stage.dilation[axis] * (stage.kernel[axis] - 1);
    return [max(start, 0), min(end, before[1 + axis] - 1)];
  });
  const [first, last] = mapsOf(stage, before, map);
  return { maps: [first, last - 1], rows: spans[0], cols: spans[1] };
}

// The products whose sum a unit of a convolution is, or the numbers that a pool reads: { map, row, col, x, weight, product }.
function partsOf(stage, before, x, weights, map, row, col) {
  if (!stage.kernel) return [];
  const [kh, kw] = stage.kernel, [first, last] = mapsOf(stage, before, map), parts = [];
  for (let c = first; c < last; c++) {
    for (let p = 0; p < kh; p++) {
      for (let q = 0; q < kw; q++) {
        const r = row * stage.stride[0] + p * stage.dilation[0] - stage.pad[0][0], s = col * stage.stride[1] + q * stage.dilation[1] - stage.pad[1][0];
        if (r < 0 || s < 0 || r >= before[1] || s >= before[2]) continue;
        const value = x[(c * before[1] + r) * before[2] + s];
        const weight = stage.kind === "conv" && stage.weight >= 0 ? weights[stage.weight + ((map * (last - first) + c - first) * kh + p) * kw + q] : stage.kind === "avg" ? 1 / (kh * kw) : 1;
        parts.push({ map: c, row: r, col: s, x: value, weight, product: value * weight });
      }
    }
  }
  return parts;
}

function softmaxOf(scores) {
  const most = max(...scores), parts = [...scores].map((x) => exp(x - most)), all = parts.reduce((a, b) => a + b, 0);
  return parts.map((x) => x / all);
}

export { sizeOf, forward, backward, readsOf, partsOf, softmaxOf };
