// What the HOG explorer computes and says: the same numbers and sentences as HogExplorer in Python.
import { full, count, plural } from "./kit/text.js";
import { abs, ceil, floor, max, min, round } from "./kit/numbers.js";

const { sqrt, hypot, atan2, exp, PI } = Math;
const MOST = 36, EPS = 1e-5, CLIP = 0.2;
const NORMS = ["L1", "L1-sqrt", "L2", "L2-Hys"], VOTES = ["hard", "linear", "trilinear"];

const within = (x, n) => min(max(x, 0), n - 1);
const area = ([a, b]) => a * b;

// null, or { text, fixes: [[label, patch], …] }: why this state cannot be computed and what would.
function problem(s) {
  const [h, w] = s.image.shape, [rows, cols] = s.pixels_per_cell, [down, across] = s.cells_per_block;
  if (!(s.orientations >= 1 && s.orientations <= MOST)) return { text: `bins ${full(s.orientations)}: from 1 to ${MOST}`, fixes: [["9 bins", { orientations: 9 }]] };
  for (const [words, trait] of [["cell", "pixels_per_cell"], ["block", "cells_per_block"]]) {
    const least = min(...s[trait]);
    if (least < 1) return { text: `${words} ${full(least)}: the smallest is 1`, fixes: [[`${words} 1`, { [trait]: s[trait].map((x) => max(x, 1)) }]] };
  }
  if (s.window_sigma !== null && !(s.window_sigma > 0)) return { text: `window_sigma ${full(s.window_sigma)}: it must be above 0`, fixes: [["half the block", { window_sigma: null }]] };
  if (h < rows * down || w < cols * across) {
    const side = min(floor(h / down), floor(w / across));
    const fix = side > 0 ? [`cell ${side}`, { pixels_per_cell: [side, side] }] : ["block 1", { cells_per_block: [1, 1], pixels_per_cell: [min(rows, h), min(cols, w)] }];
    return { text: `blocks of ${down}\u00d7${across} cells of ${rows}\u00d7${cols} pixels need ${rows * down}\u00d7${cols * across} pixels; the picture has ${h}\u00d7${w}`, fixes: [fix] };
  }
  const lowest = s.transform_sqrt ? s.image.data.reduce((a, b) => min(a, b), Infinity) : 0;
  return lowest < 0 ? { text: `gamma takes roots, and the lowest level is ${full(lowest)}`, fixes: [["without gamma", { transform_sqrt: false }]] } : null;
}

// The gradient of every pixel: { row, col }, 0 at the border.
function gradients(s) {
  const [h, w] = s.image.shape, level = s.transform_sqrt ? Float64Array.from(s.image.data, sqrt) : s.image.data;
  const row = new Float64Array(h * w), col = new Float64Array(h * w);
  for (let i = 1; i < h - 1; i++) for (let j = 0; j < w; j++) row[i * w + j] = level[(i + 1) * w + j] - level[(i - 1) * w + j];
  for (let i = 0; i < h; i++) for (let j = 1; j < w - 1; j++) col[i * w + j] = level[i * w + j + 1] - level[i * w + j - 1];
  return { row, col };
}

// For which bins a gradient votes, and with what weight: [[bin, weight], …].
function votesOf(s, row, col) {
  const n = s.orientations, length = hypot(row, col), angle = atan2(abs(row), row < 0 ? -col : col);
  const position = (angle * (180 / PI) * n) / 180;
  if (s.votes === "hard" || n === 1) return [[floor(position) % n, length]];  // one bin is its own neighbour
  const lower = floor(position - 0.5), share = position - 0.5 - lower;
  return [[(lower + n) % n, length * (1 - share)], [(lower + 1) % n, length * share]];
}

// Everything about a picture: its gradients, and the histogram of each cell's own pixels.
function hogOf(s) {
  const [, w] = s.image.shape, [ch, cw] = s.pixels_per_cell, n = s.orientations;
  const rows = floor(s.image.shape[0] / ch), cols = floor(w / cw), slopes = gradients(s);
  const cells = new Float64Array(rows * cols * n), size = ch * cw;
  for (let i = 0; i < rows * ch; i++) {
    for (let j = 0; j < cols * cw; j++) {
      const k = i * w + j, first = (floor(i / ch) * cols + floor(j / cw)) * n;
      for (const [bin, weight] of votesOf(s, slopes.row[k], slopes.col[k])) cells[first + bin] += weight / size;
    }
  }
  const blocks = [rows - s.cells_per_block[0] + 1, cols - s.cells_per_block[1] + 1], each = area(s.cells_per_block) * n;
  return { ...slopes, rows, cols, cells, blocks, each, length: area(blocks) * each };
}

// What a pixel gives to each cell of a block along one axis, by nearness and the Gaussian: weights[cell][pixel].
function nearness(pixels, cells, sigma) {
  const side = pixels * cells, wide = sigma ?? side / 2;
  return [...Array(cells).keys()].map((cell) => Float64Array.from({ length: side }, (_, k) => {
    const place = k + 0.5, off = (place - side / 2) / wide;
    return exp((-off * off) / 2) * max(0, 1 - abs(place - (cell + 0.5) * pixels) / pixels);
  }));
}

// The numbers of a block before and after it is normalised.
function blockOf(s, m, [top, left]) {
  const [down, across] = s.cells_per_block, n = s.orientations, before = new Float64Array(m.each);
  if (s.votes !== "trilinear") {
    for (let p = 0; p < down; p++) for (let q = 0; q < across; q++) for (let k = 0; k < n; k++) before[(p * across + q) * n + k] = m.cells[((top + p) * m.cols + left + q) * n + k];
  } else {
    const [ch, cw] = s.pixels_per_cell, w = s.image.shape[1], byRow = nearness(ch, down, s.window_sigma), byCol = nearness(cw, across, s.window_sigma);
    for (let i = 0; i < ch * down; i++) {
      for (let j = 0; j < cw * across; j++) {
        const place = (top * ch + i) * w + left * cw + j;
        for (const [bin, weight] of votesOf(s, m.row[place], m.col[place])) {
          for (let p = 0; p < down; p++) for (let q = 0; q < across; q++) before[(p * across + q) * n + bin] += (weight * byRow[p][i] * byCol[q][j]) / (ch * cw);
        }
      }
    }
  }
  return { before, after: normalised(before, s.block_norm) };
}

// What one pixel gives to the numbers of a block before it is normalised: [[number, share of the mean], …].
function givesOf(s, m, [i, j], [top, left]) {
  const [ch, cw] = s.pixels_per_cell, [down, across] = s.cells_per_block, n = s.orientations, k = i * s.image.shape[1] + j;
  const at = [i - top * ch, j - left * cw], list = [];
  if (at[0] < 0 || at[1] < 0 || at[0] >= ch * down || at[1] >= cw * across) return list;
  const soft = s.votes === "trilinear", own = [floor(at[0] / ch), floor(at[1] / cw)];
  const byRow = soft ? nearness(ch, down, s.window_sigma).map((each) => each[at[0]]) : [...Array(down).keys()].map((p) => Number(p === own[0]));
  const byCol = soft ? nearness(cw, across, s.window_sigma).map((each) => each[at[1]]) : [...Array(across).keys()].map((q) => Number(q === own[1]));
  for (const [bin, weight] of votesOf(s, m.row[k], m.col[k])) byRow.forEach((a, p) => byCol.forEach((b, q) => { if (a * b * weight) list.push([(p * across + q) * n + bin, (a * b * weight) / (ch * cw)]); }));
  return list;
}

function normalised(block, norm) {
  const length = (v) => sqrt(v.reduce((sum, x) => sum + x * x, 0) + EPS * EPS);
  if (norm.startsWith("L1")) {
    const strength = block.reduce((sum, x) => sum + x, 0) + EPS;
    return block.map((x) => (norm === "L1" ? x / strength : sqrt(x / strength)));
  }
  const first = length(block), unit = block.map((x) => x / first);
  if (norm === "L2") return unit;
  const cut = unit.map((x) => min(x, CLIP)), second = length(cut);
  return cut.map((x) => x / second);
}

// All blocks, one after the other.
function descriptor(s, m) {
  const all = new Float64Array(m.length);
  for (let b = 0; b < area(m.blocks); b++) all.set(blockOf(s, m, [floor(b / m.blocks[1]), b % m.blocks[1]]).after, b * m.each);
  return all;
}

// The chosen cell and block, moved inside the picture; the pixel that is followed, or null.
function chosen(s, m) {
  const cell = [within(s.cell[0], m.rows), within(s.cell[1], m.cols)], block = s.block.map((x, a) => within(x, m.blocks[a]));
  const inside = s.pixel.every((x, a) => x >= 0 && x < s.pixels_per_cell[a]);
  return { cell, block, pixel: inside ? s.pixel.map((x, a) => cell[a] * s.pixels_per_cell[a] + x) : null, first: (block[0] * m.blocks[1] + block[1]) * m.each };
}

function histogram(s, m, [row, col]) {
  const n = s.orientations, first = (row * m.cols + col) * n;
  return m.cells.subarray(first, first + n);
}

// Whether no pixel of a block has a gradient.
function flat(s, m, [top, left]) {
  const [down, across] = s.cells_per_block;
  for (let p = 0; p < down; p++) for (let q = 0; q < across; q++) if (histogram(s, m, [top + p, left + q]).some((x) => x > 0)) return false;
  return true;
}

function strongest(bins) {
  let best = 0;
  bins.forEach((x, k) => { if (x > bins[best]) best = k; });
  return best;
}

// The middle of bin k in degrees.
const centre = (s, k) => floor(((k + 0.5) * 1800) / s.orientations + 0.5) / 10;

// What stands below the bins: [[words, place], …], none over another; the middle says which way 90 degrees points.
function degreesOf(n, wide, widthOf) {
  const found = [["90\u00b0 down", wide / 2]];
  const free = (words, place) => found.every(([others, there]) => abs(place - there) >= widthOf(`${words}${others}0`) / 2);
  for (let k = 0; k < n; k += ceil((widthOf("170\u00b0") * n) / wide + 0.25)) {
    const words = `${full(round(centre({ orientations: n }, k)))}\u00b0`, half = widthOf(words) / 2;
    const place = min(max(((k + 0.5) * wide) / n, half), wide - half);
    if (free(words, place)) found.push([words, place]);
  }
  return found;
}

const rounded = (x) => full(floor(1e4 * x + 0.5) / 1e4);

function pixelWords(s, m, [i, j], block) {
  const k = i * s.image.shape[1] + j, votes = votesOf(s, m.row[k], m.col[k]);
  if (!votes.some(([, weight]) => weight)) return `Pixel ${i}, ${j}: no gradient, no vote.`;
  const gives = s.votes === "trilinear" ? givesOf(s, m, [i, j], block) : [], sum = gives.reduce((a, [, x]) => a + x, 0) * area(s.pixels_per_cell);
  const inBlock = s.votes !== "trilinear" ? "" : gives.length ? `; ${plural(gives.length, "share")} in the block, together ${rounded(sum)}` : "; none in the block";
  return `Pixel ${i}, ${j} votes ${votes.map(([bin, weight]) => rounded(weight) + " for " + full(centre(s, bin)) + "\u00b0").join(", ")}${inBlock}.`;
}

function sentence(s, hidden, m) {
  const trouble = problem(s);
  if (trouble) return `Refused: ${trouble.text}.`;
  const { cell, block, pixel, first } = chosen(s, m), bins = histogram(s, m, cell), best = strongest(bins), total = bins.reduce((a, b) => a + b, 0);
  const share = floor((100 * bins[best]) / total + 0.5);
  const told = hidden ? "strongest bin ?" : total ? `strongest bin ${full(centre(s, best))}\u00b0, ${share} % of the votes` : `no gradient, ${s.orientations} zeros`;
  const parts = [`Cell ${cell.join(", ")}: ${told}.`];
  if (pixel && !hidden) parts.push(pixelWords(s, m, pixel, block));
  parts.push(`Block ${block.join(", ")} is numbers ${count(first + 1)} to ${count(first + m.each)} of ${count(m.length)}${!hidden && flat(s, m, block) ? ": zeros, divided by eps and not by 0" : ""}.`);
  if (!hidden && s.number >= 0 && s.number < m.each) {
    const at = numberAt(s, s.number), value = blockOf(s, m, block).after[s.number];
    parts.push(`Number ${count(first + s.number + 1)}: cell ${block[0] + at.row}, ${block[1] + at.col}, bin ${full(centre(s, at.bin))}\u00b0, ${rounded(value)}.`);
  }
  return parts.join(" ");
}

// Which cell of the block and which bin a number of the block is.
function numberAt(s, k) {
  const n = s.orientations, place = floor(k / n);
  return { row: floor(place / s.cells_per_block[1]), col: place % s.cells_per_block[1], bin: k % n };
}

export { NORMS, VOTES, problem, hogOf, votesOf, blockOf, givesOf, descriptor, chosen, histogram, strongest, centre, degreesOf, numberAt, sentence };
