// Where the maps of a network stand: flat, side by side, or layered, as sheets one behind the other.
// A tile has a matrix [a, b, c, d, e, f] as a canvas has: from (column, row) of its map to pixels.
import { abs, ceil, floor, max, min } from "./kit/numbers.js";

const ROWS = 8, UNITS = 30, MAPS = 32, FEW = 16, RODS = 240;   // most in a column; most that are shown

// The maps of a stage, page by page, the strongest first, and on each page in their order.
function pagesOf([count, h, w], data) {
  const all = [...Array(count).keys()], single = h * w === 1, few = single ? RODS : FEW;
  if (count <= (single ? RODS : MAPS)) return [all];
  const strength = all.map((k) => { let top = 0; for (let i = k * h * w; i < (k + 1) * h * w; i++) top = max(top, abs(data[i])); return top >= 0 ? top : -1; });
  all.sort((a, b) => strength[b] - strength[a] || a - b);
  return Array.from({ length: ceil(count / few) }, (_, k) => all.slice(few * k, few * k + few).sort((a, b) => a - b));
}

// stages: [{ shape: [C, H, W], shown: [map, …] }, …], the input first. room: { width, height } in pixels.
// Gives { tiles: [{ stage, map, matrix, w, h }], heads: [{ x, width }], last: { x, top, step } }; tiles lie from back to front.
function flatLayout(stages, { width, height, gap }) {
  const columns = stages.map(({ shape: [, h, w], shown }, n) => {
    const single = h * w === 1, cols = ceil(shown.length / (single ? UNITS : ROWS)), rows = ceil(shown.length / cols);
    const most = n === stages.length - 1 ? 0.09 : single ? 0.034 : n === 0 ? 0.42 : rows === 1 ? 0.42 : 0.165;
    const side = min(height / rows, most * height);
    return { cols, rows, side, wide: side * (w / h) };
  });
  const need = columns.reduce((sum, c) => sum + c.cols * c.wide, 0), free = width - gap * (stages.length - 1), scale = min(1, free / need);
  const space = (width - scale * need) / max(1, stages.length - 1), tiles = [], heads = [];
  let x = 0, last = null;
  columns.forEach(({ cols, rows, side, wide }, n) => {
    const [, h, w] = stages[n].shape, [high, across] = [side * scale, wide * scale], top = (height - rows * high) / 2, inset = min(2, 0.08 * high);
    stages[n].shown.forEach((map, k) => {
      const left = x + floor(k / rows) * across, up = top + (k % rows) * high, [a, d] = [(across - inset) / w, (high - inset) / h];
      tiles.push({ stage: n, map, w, h, matrix: [a, 0, 0, d, left, up] });
    });
    heads.push({ x, width: cols * across });
    last = { x: x + cols * across, top, step: high };
    x += cols * across + space;
  });
  return { tiles, heads, last };
}

// turn and tilt in degrees: how far the sheets are opened, and seen from above.
function layeredLayout(stages, { width, height, gap, turn, tilt }) {
  const [yaw, pitch] = [turn, tilt].map((d) => (d * Math.PI) / 180), most = max(...stages.map(({ shape: [, h, w] }) => max(h, w)));
  const side = 0.72 * height, sheets = stages.map(({ shape: [, h, w], shown }) => {
    const tall = max(side * Math.sqrt(h / most), 9), wide = max(side * Math.sqrt(w / most), 9);
    const right = [wide * Math.sin(yaw), -wide * Math.sin(pitch) * Math.cos(yaw)], down = [0, tall * Math.cos(pitch)];
    return { right, down, step: min(15, (0.075 * width) / shown.length) };
  });
  const extent = (n) => abs(sheets[n].right[0]) + sheets[n].step * (stages[n].shown.length - 1);
  const need = stages.reduce((sum, _, n) => sum + extent(n), 0), scale = min(1, (width - gap * (stages.length - 1)) / need);
  const space = (width - scale * need) / max(1, stages.length - 1), tiles = [], heads = [];
  let x = 0;
  stages.forEach(({ shape: [, h, w], shown }, n) => {
    const { right, down, step } = sheets[n], [rx, ry, dy] = [right[0] * scale, right[1] * scale, down[1] * scale], stack = [];
    const middle = height / 2 - (ry + dy) / 2;
    shown.forEach((map, k) => {
      const left = x + k * step * scale + max(0, -rx);
      stack.push({ stage: n, map, w, h, matrix: [rx / w, ry / w, 0, dy / h, left, middle] });
    });
    tiles.push(...(turn >= 0 ? stack.reverse() : stack));
    heads.push({ x, width: extent(n) * scale });
    x += extent(n) * scale + space;
  });
  return { tiles, heads, last: { x: width, top: 0.05 * height, step: (0.9 * height) / stages.at(-1).shown.length } };
}

// The pixel of a place (row, column; cells' middles at one half) of a tile.
function pointOf({ matrix: [a, b, c, d, e, f] }, row, col) {
  return [a * col + c * row + e, b * col + d * row + f];
}

// The front tile under a pixel, and its cell: { tile, row, col }, or null.
function hit(tiles, x, y) {
  for (let n = tiles.length - 1; n >= 0; n--) {
    const { matrix: [a, b, c, d, e, f], w, h } = tiles[n], det = a * d - b * c;
    if (abs(det) < 1e-9) continue;
    const col = (d * (x - e) - c * (y - f)) / det, row = (a * (y - f) - b * (x - e)) / det;
    if (col >= 0 && row >= 0 && col < w && row < h) return { tile: tiles[n], row: floor(row), col: floor(col) };
  }
  return null;
}

export { pagesOf, flatLayout, layeredLayout, pointOf, hit };
