// What each layer does to size, cost and sight: the rows of the shape builder, and its sentences.
// The same numbers and words as cnnlib.geometry and ShapeBuilder in Python.
import { span } from "./kit/maths.js";
import { full, count, plural, literal } from "./kit/text.js";
import { abs, floor, max, min, round } from "./kit/numbers.js";

// What may be changed of a layer, in the order of its words.
const FIELDS = { conv: ["out_channels", "kernel_size", "stride", "padding", "dilation", "groups"], max: ["kernel_size", "stride", "padding"], avg: ["kernel_size", "stride", "padding"], linear: ["out_channels"] };
const USUAL = { stride: 1, padding: 0, dilation: 1, groups: 1 };
const BLANK = { kind: "", name: "", out_channels: 0, kernel_size: 1, ...USUAL, bias: true };
const LEAST = { out_channels: 1, kernel_size: 1, stride: 1, padding: 0, dilation: 1, groups: 1 };
const WORDS = { out_channels: "filters", kernel_size: "size", stride: "stride", padding: "padding", dilation: "dilation", groups: "groups" };
const SIDES = ["rows", "columns"];
const MOST = 16;                                     // the widest padding that a fix offers
const GOALS = { rows: ["", " rows"], sees: ["sees ", " or more"], parameters: ["", " parameters or fewer"], multiply_adds: ["", " mult-adds or fewer"] };

function nameOf(layer) {
  return layer.name.split("(")[0] || layer.kind;
}

// A layer as the text that makes it, or as the shortest dict: as cnnlib/widgets/_layers.py writes it.
function layerText(layer) {
  if (layer.name) return Object.fromEntries(Object.keys(BLANK).filter((key) => layer[key] !== BLANK[key]).map((key) => [key, layer[key]]));
  const fields = FIELDS[layer.kind] || [], pool = layer.kind !== "conv", numbers = fields.map((name) => layer[name]);
  const usual = (name) => (name === "stride" && pool ? layer.kernel_size : USUAL[name]);
  while (numbers.length && numbers.at(-1) === usual(fields[numbers.length - 1])) numbers.pop();
  return [layer.kind, ...numbers, ...(layer.bias ? [] : ["nobias"])].join(" ");
}

const WRITERS = { layers: (layers) => literal(layers.map(layerText)), input_shape: (shape) => literal(shape) };

function shapeWords(shape) {
  return shape.join("\u00d7");
}

function hundredths(value) {
  return String(round(value * 100) / 100);
}

// Windows along one axis: { out, rest, more }: pixels left over, zeros added; out < 1 where none fits.
function along(size, layer, rounding) {
  const steps = size + 2 * layer.padding - span(layer.kernel_size, layer.dilation);
  const rest = steps < 0 ? 0 : steps % layer.stride;
  const more = rounding === "fill" && rest ? layer.stride - rest : 0;
  return { out: steps < 0 ? 0 : floor((steps + more) / layer.stride) + 1, rest: more ? 0 : rest, more, exact: steps / layer.stride + 1 };
}

function arithmetic(size, layer) {
  const zeros = layer.padding ? ` + 2\u00b7${layer.padding}` : "";
  const spread = layer.dilation > 1 ? span(layer.kernel_size, layer.dilation) : layer.kernel_size;
  return `(${size}${zeros} \u2212 ${spread})/${layer.stride} + 1`;
}

// null, or why this layer cannot stand on this shape.
function trouble(layer, shape, rounding) {
  if (layer.kind === "other") return `${layer.name}: shape unknown here`;
  for (const name of FIELDS[layer.kind] || []) if (!(layer[name] >= LEAST[name])) return `${WORDS[name]} ${full(layer[name])}: the smallest is ${LEAST[name]}`;
  if (!FIELDS[layer.kind] || layer.kind === "linear") return null;
  if (shape.length < 3) return `needs maps; the layer before gives a list of ${plural(shape[0], "number")}`;
  if (layer.kind === "conv" && (shape[0] % layer.groups || layer.out_channels % layer.groups)) {
    return `groups ${layer.groups} must divide ${shape[0]} channels in and ${layer.out_channels} out`;
  }
  const half = floor(layer.kernel_size / 2);
  if (layer.kind !== "conv" && layer.padding > half) return `padding ${layer.padding} is more than half of ${layer.kernel_size}: the largest is ${half}`;
  for (const axis of [0, 1]) {
    const size = shape[1 + axis], { out, rest, exact } = along(size, layer, rounding);
    const where = shape[1] === shape[2] ? "" : `${SIDES[axis]}: `;
    if (out < 1) return `${where}${size} + 2\u00b7${layer.padding} < ${span(layer.kernel_size, layer.dilation)}: the ${layer.kind === "conv" ? "filter" : "window"} does not fit`;
    if (rest && rounding === "refuse") return `does not fit: ${where}${arithmetic(size, layer)} = ${hundredths(exact)}`;
  }
  return null;
}

// What this layer gives, where there is no trouble: shape, parameters, multiply-adds, the window per axis, a note.
// maps: the rows and columns that a fully connected layer sees at once.
function outcome(layer, shape, maps, rounding) {
  const { kind, kernel_size: k, out_channels: n } = layer, inputs = shape.reduce((a, b) => a * b, 1);
  const note = shape.length === 3 ? `flattens ${shapeWords(shape)} to ${count(inputs)}` : "", plain = { parameters: 0, multiply_adds: 0, window: null };
  if (kind === "flatten") return { ...plain, shape: [inputs], note };
  if (kind === "linear") return { shape: [n], parameters: inputs * n + (layer.bias ? n : 0), multiply_adds: inputs * n, window: maps && maps.map((size) => [size, 1, 1, 0]), note };
  if (!FIELDS[kind]) return { ...plain, shape, parameters: kind === "norm" ? 2 * shape[0] : 0, note: "" };
  const [rows, cols] = [0, 1].map((a) => along(shape[1 + a], layer, rounding));
  const depth = kind === "conv" ? n : shape[0], weights = kind === "conv" ? n * (shape[0] / layer.groups) * k * k : 0;
  const both = (x, y) => [[x, "row"], [y, "column"]].filter(([m]) => m).map(([m, noun]) => plural(m, noun)).join(", ");
  const odd = rows.rest || cols.rest ? `drops ${both(rows.rest, cols.rest)}` : rows.more || cols.more ? `fills ${both(rows.more, cols.more)} with zeros` : "";
  const window = [[k, layer.stride, layer.dilation, layer.padding], [k, layer.stride, layer.dilation, layer.padding]];
  return { shape: [depth, rows.out, cols.out], parameters: weights + (kind === "conv" && layer.bias ? n : 0), multiply_adds: weights * rows.out * cols.out, window, note: odd };
}

// One row per layer: { shape, parameters, multiply_adds, sees, jump, start, units, note } or { trouble } or { waits };
// units: how many units there are, in rows and columns, of those that see different pixels.
function rowsOf(s) {
  let shape = s.input_shape, maps = shape.slice(1), sees = [1, 1], jump = [1, 1], start = [0, 0], stopped = 0;
  return s.layers.map((layer, place) => {
    if (stopped) return { waits: stopped };
    const before = shape, why = trouble(layer, shape, s.rounding);
    if (why) {
      stopped = place + 1;
      return { trouble: why, before };
    }
    const row = outcome(layer, shape, maps, s.rounding);
    if (row.window) {
      const at = (a, i) => row.window[a][i];
      start = start.map((x, a) => x - at(a, 3) * jump[a]);
      sees = sees.map((x, a) => x + (span(at(a, 0), at(a, 2)) - 1) * jump[a]);
      jump = jump.map((x, a) => x * at(a, 1));
    }
    shape = row.shape;
    if (layer.kind === "linear") maps = null;
    else if (shape.length === 3) maps = shape.slice(1);
    return { ...row, before, sees, jump, start, units: maps || [1, 1] };
  });
}

function total(rows, name) {
  return rows.reduce((n, row) => n + (row[name] || 0), 0);
}

// Changes of one layer that would make it fit: [[label, change], …]; change is { rounding } or { layer }.
function fixes(layer, shape, rounding) {
  const least = (FIELDS[layer.kind] || []).find((name) => layer[name] < LEAST[name]);
  if (least) return [[`${WORDS[least]} ${LEAST[least]}`, { layer: { ...layer, [least]: LEAST[least] } }]];
  if (!FIELDS[layer.kind] || layer.kind === "linear" || shape.length < 3) return [];
  const fits = (change) => !trouble({ ...layer, ...change }, shape, rounding);
  const size = (l, r) => { const [, h, w] = outcome(l, shape, null, r).shape; return h === w ? h : `${h}\u00d7${w}`; };
  const found = [];
  const offer = (words, changes) => {
    const change = changes.find(fits);
    if (change) found.push([`${words(change)} \u2192 ${size({ ...layer, ...change }, rounding)}`, { layer: { ...layer, ...change } }]);
  };
  const near = (name, low, high) => [...Array(max(0, high - low + 1)).keys()].map((x) => x + low).filter((x) => x !== layer[name]).sort((a, b) => abs(a - layer[name]) - abs(b - layer[name]) || a - b);
  if (rounding === "refuse" && !trouble(layer, shape, "drop")) found.push([`drop the rest \u2192 ${size(layer, "drop")}`, { rounding: "drop" }]);
  const pool = layer.kind !== "conv";
  const widest = pool ? floor(layer.kernel_size / 2) : MOST;
  if (!pool || !found.length) offer((c) => `padding ${c.padding}`, near("padding", 0, widest).map((padding) => ({ padding })));
  if (found.length) offer((c) => `stride ${c.stride}`, near("stride", 1, layer.stride - 1).map((stride) => ({ stride })));
  if (pool) offer((c) => `size ${c.kernel_size}, stride ${c.stride}`, near("kernel_size", 2, layer.kernel_size + 3).map((k) => ({ kernel_size: k, stride: k, padding: 0, dilation: 1 })));
  if (found.length < 3) offer((c) => `size ${c.kernel_size}`, near("kernel_size", 1, layer.kernel_size + 2).map((k) => ({ kernel_size: k })));
  if (layer.kind === "conv" && layer.groups > 1) offer(() => "groups 1", [{ groups: 1 }]);
  return found.slice(0, 3);
}

// The arithmetic behind a row that stands: [[name, text], …].
function workings(s, rows, place) {
  const layer = s.layers[place], { kind, kernel_size: k, out_channels: n, groups } = layer, row = rows[place];
  if (!row.shape || !FIELDS[kind]) return [];
  const { before } = row, inputs = before.reduce((a, b) => a * b, 1);
  if (kind === "linear") return [["params", `${count(inputs)}\u00b7${count(n)}${layer.bias ? " + " + count(n) : ""} = ${count(row.parameters)}`]];
  const { exact } = along(before[1], layer, "drop"), below = place ? rows[place - 1] : { sees: [1, 1], jump: [1, 1] };
  const rounded = exact === row.shape[1] ? "" : ` = ${hundredths(exact)}, ${exact > row.shape[1] ? "down" : "up"}`;
  const lines = [["rows", `${arithmetic(before[1], layer)}${rounded} = ${row.shape[1]}`]];
  if (kind === "conv") {
    const depth = before[0] / groups, weights = depth * k * k;
    lines.push(["params", `${n}\u00b7(${depth}\u00b7${k}\u00b7${k}${layer.bias ? " + 1" : ""}) = ${count(row.parameters)}`]);
    lines.push(["mult-adds", `${n}\u00b7${row.shape[1]}\u00b7${row.shape[2]} outputs \u00b7 ${count(weights)} weights each`]);
  }
  lines.push(["sees", `${below.sees[0]} + (${span(k, layer.dilation)} \u2212 1)\u00b7${below.jump[0]} = ${row.sees[0]}`]);
  return lines;
}

// The chosen row; -1 and whatever lies outside is the last.
function focusOf(s) {
  const n = s.layers.length;
  return s.focus >= 0 && s.focus < n ? s.focus : n - 1;
}

// How far each goal is, where the stack stands: [[words, met], …].
function goals(s, rows) {
  const last = rows.at(-1);
  if (!last?.shape) return [];
  const now = { rows: last.shape.length === 3 ? last.shape[1] : 1, sees: min(...last.sees), parameters: total(rows, "parameters"), multiply_adds: total(rows, "multiply_adds") };
  return Object.entries(s.goal).map(([name, wanted]) => {
    const met = name === "rows" ? now.rows === wanted : name === "sees" ? now.sees >= wanted : now[name] <= wanted;
    return [`${GOALS[name].join(count(wanted))}: ${count(now[name])}, ${met ? "met" : "not yet"}`, met];
  });
}

function sentence(s, hidden = s.predict, rows = rowsOf(s)) {
  const at = focusOf(s);
  if (at < 0) return `Input ${shapeWords(s.input_shape)}, no layer yet.`;
  const row = rows[at], name = `Row ${at + 1}, ${nameOf(s.layers[at])}`;
  if (row.trouble) return s.layers[at].kind === "other" ? `Row ${at + 1}, ${row.trouble}.` : `${name}: ${row.trouble}.`;
  if (row.waits) return `${name}: waits for row ${row.waits}.`;
  if (hidden) return `${name}: predict its output.`;
  const shape = row.shape.length === 1 ? plural(row.shape[0], "number") : shapeWords(row.shape);
  const aims = goals(s, rows).map(([words]) => words).join("; "), goal = aims && ` Goal: ${aims}.`;
  return `${name}: ${shape}, ${plural(row.parameters, "parameter")}, each unit sees ${shapeWords(row.sees)}${row.note ? "; " + row.note : ""}.${goal}`;
}

export { FIELDS, LEAST, WORDS, BLANK, WRITERS, nameOf, shapeWords, rowsOf, total, fixes, focusOf, workings, goals, sentence };
