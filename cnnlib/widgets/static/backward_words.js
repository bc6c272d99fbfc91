// What the backward microscope computes and says: the same paths, sums and sentences as cnnlib/plots/_paths.py.
import { full, factor } from "./kit/text.js";
import { floor, max, min } from "./kit/numbers.js";

const WIDEST = 10, MOST = 9, GIVEN = 4;              // sides of an output; terms of a sum, and gifts, that are written out
const POOLS = ["max_pool2d", "avg_pool2d"], FILTERS = ["conv2d", "conv_transpose2d"];
const SETTINGS = { conv2d: ["stride", "padding", "dilation"], conv_transpose2d: ["stride", "padding", "dilation"], max_pool2d: ["kernel_size", "stride", "padding", "dilation"], avg_pool2d: ["kernel_size", "stride", "padding"], linear: [], relu: [] };
const WORDS = { kernel_size: "size", stride: "stride", padding: "padding", dilation: "dilation" };

const isPool = (s) => POOLS.includes(s.op);
const hasWeight = (s) => s.op === "linear" || FILTERS.includes(s.op) || (s.op === "own" && Boolean(s.weight));
const padsOf = ({ padding }) => (Array.isArray(padding) ? padding : [padding, padding]);
const settingsOf = (s) => (s.op === "own" ? s.own.settings : SETTINGS[s.op]);
const strideOf = (s) => s.stride ?? (isPool(s) ? s.kernel_size : 1);
const upTo = (n) => [...Array(max(n, 0)).keys()];
const within = (x, n) => min(max(x, 0), n - 1);

// A channel of an array that has some; the same object for the same array and channel.
const CUT = new WeakMap();
function channelOf(array, channel) {
  if (array?.shape.length !== 3) return array;
  const [count, h, w] = array.shape, c = within(channel, count), known = CUT.get(array) || [];
  CUT.set(array, known);
  return known[c] ||= { shape: [h, w], data: array.data.subarray(c * h * w, (c + 1) * h * w) };
}

// The state as it is looked at: one channel; and of somebody's own function, own, what Python has measured of it.
function looked(s, own) {
  const [x, weight, grad_output] = [s.x, s.weight, s.grad_output].map((array) => channelOf(array, s.channel));
  return { ...s, x, weight, grad_output, own, waits: Boolean(own) && own.key !== JSON.stringify(asked(s)) };
}

// What Python was asked for, as it says it.
const asked = (s) => [...[s.x, s.weight].map((array) => array && [...array.data].map((x) => (Number.isFinite(x) ? x : full(x)))), ...Object.keys(WORDS).map((name) => s[name])];

// Rows and columns as two numbers each: taps, the dilation that counts, what the taps span.
function sides(s) {
  const taps = isPool(s) ? [s.kernel_size, s.kernel_size] : s.weight.shape, d = s.op === "avg_pool2d" ? 1 : s.dilation;
  return { taps, d, spans: taps.map((k) => d * (k - 1) + 1) };
}

function outShape(s) {
  if (s.op === "own") return s.own.shape;
  if (s.op === "relu") return s.x.shape;
  if (s.op === "linear") return [1, s.weight.shape[0]];
  const { spans } = sides(s), stride = strideOf(s), pads = padsOf(s);
  if (s.op === "conv_transpose2d") return s.x.shape.map((n, a) => (n - 1) * stride + spans[a] - 2 * pads[a]);
  return s.x.shape.map((n, a) => floor((n + 2 * pads[a] - spans[a]) / stride) + 1);
}

// null, or { text, fixes: [[label, patch], …] }: why this state cannot be computed and what would.
function problem(s) {
  const names = settingsOf(s), pool = isPool(s), pads = padsOf(s);
  for (const name of names) {
    const least = name === "padding" ? 0 : 1, words = WORDS[name], value = name === "padding" ? min(...pads) : s[name];
    if (value !== null && value < least) return { text: `${words} ${full(value)}: the smallest is ${least}`, fixes: [[`${words} ${least}`, { [name]: least }]] };
  }
  if (s.op === "own") {
    if (s.waits) return { text: "your function has not answered for these numbers yet", fixes: [] };
    if (s.own.words) return { text: s.own.words, fixes: [] };
    return max(...s.own.shape) <= WIDEST ? null : { text: `output ${s.own.shape.join("\u00d7")}: at most ${WIDEST}\u00d7${WIDEST} are shown`, fixes: [] };
  }
  const half = floor(s.kernel_size / 2);
  if (pool && max(...pads) > half) return { text: `padding ${max(...pads)}: at most half of the window, here ${half}, lies outside`, fixes: [[`padding ${half}`, { padding: half }]] };
  if (!names.length) return null;
  const { taps, d, spans } = sides(s), out = outShape(s);
  for (const a of [0, 1]) {
    const n = s.x.shape[a], where = ["rows", "columns"][a];
    if (s.op === "conv_transpose2d" && out[a] < 1) return { text: `${where}: (${n} \u2212 1)\u00b7${strideOf(s)} + ${spans[a]} \u2212 2\u00b7${pads[a]} = ${full(out[a])}: the padding cuts off everything`, fixes: [["padding 0", { padding: 0 }]] };
    const reads = (o) => upTo(taps[a]).some((t) => { const at = o * strideOf(s) - pads[a] + d * t; return at >= 0 && at < n; });
    if (pool && n + 2 * pads[a] >= spans[a] && !upTo(out[a]).every(reads)) return { text: `${where}: a window reads nothing but padding; dilation 1 would read more`, fixes: [["dilation 1", { dilation: 1 }]] };
    if (s.op === "conv_transpose2d" || n + 2 * pads[a] >= spans[a]) continue;
    const spread = d > 1 ? `${d}\u00b7(${taps[a]} \u2212 1) + 1 = ${spans[a]}` : `${spans[a]}`, size = min(...s.x.shape);
    const needed = max(...spans.map((k, b) => floor((k - s.x.shape[b] + 1) / 2)));
    const fixes = pool ? [[`size ${size}`, { kernel_size: size, dilation: 1, padding: min(...pads, floor(size / 2)) }]] : d > 1 ? [["dilation 1", { dilation: 1, padding: max(...pads, ...taps.map((k, b) => floor((k - s.x.shape[b] + 1) / 2))) }]] : [[`padding ${needed}`, { padding: needed }]];
    return { text: `${where}: ${n} + 2\u00b7${pads[a]} < ${spread}: the ${pool ? "window" : "filter"} does not fit`, fixes };
  }
  if (max(...out) <= WIDEST) return null;
  const fixes = s.op === "conv_transpose2d" ? [["stride 1", { stride: 1, dilation: 1 }]] : [["padding 0", { padding: 0 }]];
  return { text: `output ${out.join("\u00d7")}: at most ${WIDEST}\u00d7${WIDEST} are shown`, fixes };
}

// For each output the paths that lead back from it: { u, w, fx, fw }, places of the input and of the weight (-1 where
// there is none), and the factors to each.
function pathsOf(s) {
  const [rows, cols] = outShape(s), list = [], x = s.x.data, width = s.x.shape[1];
  for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) list.push(led(s, i, j, x, width));
  return { rows, cols, list };
}

function led(s, i, j, x, width) {
  if (s.op === "own") return slopes(s, i * s.own.shape[1] + j);
  if (s.op === "relu") return x[i * width + j] <= 0 ? [] : [{ u: i * width + j, w: -1, fx: 1 }];
  const weight = s.weight?.data;
  if (s.op === "linear") return Array.from(x, (value, u) => ({ u, w: j * width + u, fx: weight[j * width + u], fw: value }));
  const { taps, d } = sides(s), pads = padsOf(s), found = [];
  for (let p = 0; p < taps[0]; p++) {
    for (let q = 0; q < taps[1]; q++) {
      const at = [[i, p], [j, q]].map(([o, t], n) => (s.op === "conv_transpose2d" ? (o + pads[n] - d * t) / strideOf(s) : strideOf(s) * o + d * t - pads[n]));
      if (at.some((a, n) => a < 0 || a >= s.x.shape[n] || a !== floor(a))) continue;
      const u = at[0] * width + at[1], w = weight ? p * taps[1] + q : -1;
      found.push({ u, w, fx: weight ? weight[w] : 1 / (taps[0] * taps[1]), fw: x[u] });
    }
  }
  if (s.op !== "max_pool2d") return found;
  let best = 0;
  found.forEach(({ u }, k) => { if (x[u] > x[found[best].u] || Number.isNaN(x[u])) best = k; });
  return found.length ? [{ ...found[best], fx: 1 }] : [];
}

// Of somebody's own function each path leads to an input or to a weight alone, with the slope that Python measured.
function slopes(s, o) {
  const row = (table) => (table ? [...table.data.subarray(o * table.shape[1], (o + 1) * table.shape[1])].map((slope, k) => [slope, k]).filter(([slope]) => slope !== 0) : []);
  return [...row(s.own.x).map(([fx, u]) => ({ u, w: -1, fx })), ...row(hasWeight(s) && s.own.weight).map(([fw, w]) => ({ u: -1, w, fw }))];
}

// The upstream gradient in the output's shape; what is not given is 1.
function gradOf(s, { rows, cols }) {
  const given = s.grad_output, grad = new Float64Array(rows * cols).fill(1);
  if (given) for (let i = 0; i < min(rows, given.shape[0]); i++) for (let j = 0; j < min(cols, given.shape[1]); j++) grad[i * cols + j] = given.data[i * given.shape[1] + j];
  return grad;
}

// Everything that is drawn: output, g, the two gradients as they are shown and as a whole.
function everything(s) {
  const paths = pathsOf(s), grad = gradOf(s, paths), { rows, cols, list } = paths;
  const shapes = { grad_output: [rows, cols], grad_x: s.x.shape, grad_weight: hasWeight(s) ? s.weight.shape : null };
  const part = s.part === "grad_weight" && !shapes.grad_weight ? "grad_x" : s.part;
  const row = within(s.row, shapes[part][0]), col = within(s.col, shapes[part][1]), k = row * shapes[part][1] + col;
  const counts = (o) => part !== "grad_output" || (s.so_far ? o <= k : o === k);
  const sums = (which) => {
    const found = { grad_x: new Float64Array(s.x.data.length), grad_weight: hasWeight(s) ? new Float64Array(s.weight.data.length) : null };
    list.forEach((all, o) => { if (which(o)) for (const { u, w, fx, fw } of all) { if (u >= 0) found.grad_x[u] += fx * grad[o]; if (w >= 0) found.grad_weight[w] += fw * grad[o]; } });
    return found;
  };
  return { ...paths, grad, shapes, part, row, col, k, counts, shown: sums(counts), whole: sums(() => true) };
}

// The cells that the paths of the chosen one run through, by part.
function marksOf(m) {
  const chosen = m.part === "grad_output" ? m.list[m.k].map((path) => [m.k, path]) : collected(m, m.part, m.k);
  const unique = (all) => [...new Set(all)].sort((a, b) => a - b);
  return { grad_output: unique(chosen.map(([o]) => o)), grad_x: unique(chosen.map(([, { u }]) => u).filter((u) => u >= 0)), grad_weight: unique(chosen.map(([, { w }]) => w).filter((w) => w >= 0)) };
}

const collected = (m, part, k) => m.list.flatMap((all, o) => all.filter(({ u, w }) => (part === "grad_x" ? u : w) === k).map((path) => [o, path]));

const letterOf = (s, part) => ({ grad_output: "g", grad_x: "X", grad_weight: s.op === "linear" ? "W" : "F" })[part];

// The name of a cell, such as F21: letter, row and column, counted from 1 as in a matrix.
function nameOf(s, m, part, k) {
  const shape = m.shapes[part], cols = shape[1];
  return `${letterOf(s, part)}${floor(k / cols) + 1}${max(...shape) > 9 ? "," : ""}${(k % cols) + 1}`;
}

// What stands in front of g on a path to an input or a weight: the other one, or without a weight a number that is not 1.
function frontOf(s, m, part, path) {
  if (path.w >= 0 && path.u >= 0) return part === "grad_x" ? nameOf(s, m, "grad_weight", path.w) : nameOf(s, m, "grad_x", path.u);
  return isPlain(part, path) ? "" : factor(factorOf(part, path));
}

const factorOf = (part, { fx, fw }) => (part === "grad_x" ? fx : fw);
const isPlain = (part, path) => (path.u < 0 || path.w < 0) && factorOf(part, path) === 1;

const times = (front, text) => (front ? `${front}\u00b7${text}` : text);
const added = (terms) => (terms.length > MOST ? [...terms.slice(0, 2), `(${terms.length - 4} more)`, ...terms.slice(-2)] : terms).join(" + ");

function gives(s, m, part, name) {
  const place = (path) => (part === "grad_x" ? path.u : path.w), letter = letterOf(s, part);
  const paths = m.list[m.k].filter((path) => place(path) >= 0).sort((a, b) => place(a) - place(b));
  if (!paths.length) return `gives nothing to \u2202E/\u2202${letter}`;
  const pieces = paths.map((path) => `${times(frontOf(s, m, part, path), name)} to \u2202E/\u2202${nameOf(s, m, part, place(path))}`);
  return "adds " + (pieces.length > GIVEN ? [...pieces.slice(0, 2), `${pieces.length - 3} more`, pieces.at(-1)] : pieces).join(", ");
}

function collects(s, m, name) {
  const all = collected(m, m.part, m.k), of = (path) => factorOf(m.part, path);
  if (!all.length) return `\u2202E/\u2202${name} = 0: no output heard it.`;
  const terms = all.map(([o, path]) => times(frontOf(s, m, m.part, path), nameOf(s, m, "grad_output", o)));
  const numbers = all.map(([o, path]) => (isPlain(m.part, path) ? factor(m.grad[o]) : `${factor(of(path))}\u00b7${factor(m.grad[o])}`));
  const total = all.reduce((found, [o, path]) => found + of(path) * m.grad[o], 0);
  const middle = numbers.length > 1 || numbers[0].includes("\u00b7") ? `${added(numbers)} = ` : "";
  return `\u2202E/\u2202${name} = ${added(terms)} = ${middle}${full(total)}`;
}

function sentence(s, hidden = s.predict, m = null) {
  const trouble = problem(s);
  if (trouble) return `Refused: ${trouble.text}.`;
  m ||= everything(s);
  const name = nameOf(s, m, m.part, m.k), scatters = m.part === "grad_output";
  if (hidden) return scatters ? `${name} = ${full(m.grad[m.k])} gives to ? inputs.` : `\u2202E/\u2202${name} = ?`;
  if (!scatters) return collects(s, m, name);
  const said = [`${name} = ${full(m.grad[m.k])} ${gives(s, m, "grad_x", name)}`];
  if (hasWeight(s)) said.push(`It ${gives(s, m, "grad_weight", name)}`);
  const tail = s.so_far ? ` Added up: ${nameOf(s, m, "grad_output", 0)} to ${name}.` : "";
  return said.join(". ") + "." + tail;
}

// The number that a prediction is compared with: how many inputs one output gives to, or what one number collects.
const answer = (m) => (m.part === "grad_output" ? m.list[m.k].filter(({ u }) => u >= 0).length : m.whole[m.part][m.k]);

export { settingsOf, hasWeight, strideOf, looked, factorOf, isPlain, problem, everything, collected, marksOf, letterOf, nameOf, answer, sentence };
