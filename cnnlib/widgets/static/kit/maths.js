// The arithmetic of the widgets: pure functions on arrays, the same answers as cnnlib's.
// An array is { shape, data }; the last two axes are rows and columns. taps: how many weights a filter has, each way.
import { addTap, range } from "./sweep.js";
import { ceil, floor, max } from "./numbers.js";

function span(taps, dilation) {
  return dilation * (taps - 1) + 1;
}

// Zeros before and after along one axis, for padding = "same": the output has ceil(size / stride) pixels.
function samePadding(size, taps, stride, dilation) {
  const out = ceil(size / stride);
  const total = max((out - 1) * stride + span(taps, dilation) - size, 0);
  return [floor(total / 2), total - floor(total / 2)];
}

// Padding in any of its forms (a number, [rows, cols], [[top, bottom], [left, right]], "same", "valid")
// as [[top, bottom], [left, right]].
function padPairs(padding, size, taps, stride, dilation) {
  if (padding === "same") return [0, 1].map((a) => samePadding(size[a], taps[a], stride, dilation));
  if (padding === "valid") return [[0, 0], [0, 0]];
  if (!Array.isArray(padding)) return [[padding, padding], [padding, padding]];
  return padding.map((p) => (Array.isArray(p) ? p : [p, p]));
}

// How many windows fit along one axis, rounded down; 0 or less where none does.
function outputSize(size, taps, stride, [before, after], dilation) {
  return floor((size + before + after - span(taps, dilation)) / stride) + 1;
}

// Everything about one axis or both that follows from sizes alone.
function geometry({ size, taps, stride, padding, dilation }) {
  const pad = padPairs(padding, size, taps, stride, dilation);
  const out = [0, 1].map((a) => outputSize(size[a], taps[a], stride, pad[a], dilation));
  return { pad, out, size, taps, stride, dilation, fits: out[0] > 0 && out[1] > 0 };
}

// The pixels along one axis that no window reads.
function unread(g, axis) {
  const read = new Uint8Array(g.size[axis]);
  for (let i = 0; i < g.out[axis]; i++) {
    for (let p = 0; p < g.taps[axis]; p++) read[i * g.stride + p * g.dilation - g.pad[axis][0]] = 1;
  }
  return [...read.keys()].filter((i) => !read[i]);
}

// The outputs along one axis whose window reads pixel i.
function readers(g, axis, i) {
  const found = [];
  for (let p = g.taps[axis] - 1; p >= 0; p--) {
    const place = i + g.pad[axis][0] - p * g.dilation;
    if (place >= 0 && place % g.stride === 0 && place / g.stride < g.out[axis]) found.push(place / g.stride);
  }
  return found;
}

function planes(array) {
  const shape = array.shape.length === 2 ? [1, ...array.shape] : array.shape;
  const area = shape[1] * shape[2];
  return [...Array(shape[0]).keys()].map((c) => array.data.subarray(c * area, (c + 1) * area));
}

// The filter turned by 180 degrees, channel by channel.
function turned(kernel) {
  const data = kernel.data.slice();
  const area = kernel.shape.at(-1) * kernel.shape.at(-2);
  for (let c = 0; c < data.length; c += area) data.subarray(c, c + area).reverse();
  return { shape: kernel.shape, data };
}

// Cross-correlation of one picture (C, H, W) with one filter (C, KH, KW): the channels' sums, added.
function conv2d(image, kernel, g, bias = 0) {
  const [rows, cols] = g.out;
  const data = new (rows * cols > 4096 ? Float32Array : Float64Array)(rows * cols).fill(bias);
  const pictures = planes(image), filters = planes(kernel);
  for (let c = 0; c < filters.length; c++) {
    for (let k = 0; k < filters[c].length; k++) {
      const [down, right] = tapOffset(g, k);
      addTap(data, g.out, pictures[c], g.size, down, right, g.stride, filters[c][k]);
    }
  }
  return { shape: [rows, cols], data };
}

// One changed weight is one sweep.
function changeWeight(out, image, g, channel, k, difference) {
  const [down, right] = tapOffset(g, k);
  addTap(out.data, g.out, planes(image)[channel], g.size, down, right, g.stride, difference);
}

function tapOffset(g, k) {
  const cols = g.taps[1];
  return [floor(k / cols) * g.dilation - g.pad[0][0], (k % cols) * g.dilation - g.pad[1][0]];
}

// The products of one window in one channel, in reading order: { row, col, inside, pixel, weight, product }.
function products(image, kernel, g, row, col, channel) {
  const picture = planes(image)[channel], filter = planes(kernel)[channel];
  return [...filter].map((weight, k) => {
    const [down, right] = tapOffset(g, k);
    const r = row * g.stride + down, c = col * g.stride + right;
    const inside = r >= 0 && r < g.size[0] && c >= 0 && c < g.size[1];
    const pixel = inside ? picture[r * g.size[1] + c] : 0;
    return { row: r, col: c, inside, pixel, weight, product: pixel * weight };
  });
}

function sum(numbers) {
  let total = 0;
  for (const x of numbers) total += x;
  return total;
}

export { span, samePadding, padPairs, outputSize, geometry, unread, readers, addTap, planes, turned, conv2d, changeWeight, tapOffset, products, sum, range };
