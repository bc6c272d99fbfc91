// What the network viewer says: the same sentences as NetworkViewer.sentence() in Python.
import { full, places, plural } from "./kit/text.js";
import { readsOf, softmaxOf, partsOf } from "./kit/network.js";
import { abs, floor, max, min } from "./kit/numbers.js";

const two = (value) => full(Number.isFinite(value) ? floor(100 * value + 0.5) / 100 : value);
const percent = (share) => floor(100 * share + 0.5);
const labelOf = (s, k) => s.labels[k] ?? String(k);

// The classes from the most likely to the least; of equals the first comes first.
function ranking(shares) {
  return [...shares.keys()].sort((a, b) => shares[b] - shares[a] || a - b);
}

function targetOf(s, scores) {
  const nan = scores.findIndex(Number.isNaN);  // NumPy's argmax takes the first NaN
  return s.target ?? (nan < 0 ? ranking(scores)[0] : nan);
}

// The selected unit as { stage, map, row, col }, or null where there is none.
function unitOf(selected, stages) {
  if (selected.length !== 4) return null;
  const [stage, map, row, col] = selected, shape = stages[stage]?.shape;
  return shape && [map, row, col].every((i, a) => i >= 0 && i < shape[a]) ? { stage, map, row, col } : null;
}

// net: { stages, shape, outs, grads } of what is drawn; unit: what is looked at, or null.
function unitWords(s, net, { stage: n, map, row, col }) {
  const stage = net.stages[n], [, h, w] = stage.shape, back = s.direction === "backward";
  const where = h * w === 1 ? `unit ${map}` : `map ${map}, row ${row}, column ${col}`;
  const value = (back ? net.grads : net.outs)[n + 1][(map * h + row) * w + col];
  const silent = h * w > 1 && !back && net.outs[n + 1].subarray(map * h * w, (map + 1) * h * w).every((x) => x === 0);
  const words = `${stage.name}, ${where}: ${back ? "gradient " : ""}${two(value)}${silent ? ", as everywhere in this silent map" : ""}`;
  const before = n ? net.stages[n - 1].shape : net.shape, name = n ? net.stages[n - 1].name : "the input";
  const reads = readsOf(stage, before, map, row, col);
  if (!reads) return `${words}; what it reads is not known.`;
  const made = net.weights && !back ? makingWords(stage, partsOf(stage, before, net.outs[n], net.weights, map, row, col), net.weights, map, before, name, s.channel) : "";
  const whole = [reads.rows, reads.cols].every(([first, last], a) => first === 0 && last === before[1 + a] - 1);
  const span = whole ? `all of ${name}` : `${name} rows ${places(...reads.rows)}, columns ${places(...reads.cols)}`;
  const field = fieldOf(net, { stage: n, row, col }), sees = field?.map(([first, last]) => max(0, last - first + 1));
  return `${words}${made}; reads ${span}${sees ? "; sees " + sees.join("\u00d7") + " pixels" : ""}.`;
}

// The rows and columns of the picture that a unit sees: what it reads, and what those read, down to the first stage.
function fieldOf({ stages, shape }, { stage, row, col }) {
  let spans = [[row, row], [col, col]];
  for (let n = stage; n >= 0; n--) {
    const ends = [0, 1].map((k) => readsOf(stages[n], n ? stages[n - 1].shape : shape, 0, spans[0][k], spans[1][k]));
    if (!ends[0]) return null;
    spans = [[ends[0].rows[0], ends[1].rows[1]], [ends[0].cols[0], ends[1].cols[1]]];
  }
  return spans;
}

const thenOf = (name) => (name === "affine" ? "rescaled" : name.replace("_", " "));

// What makes a unit's number of what it reads.
function makingWords(stage, parts, weights, map, before, name, channel) {
  if (stage.kind !== "conv") return `, the ${stage.kind === "max" ? "largest" : "mean"} of ${plural(parts.length, "number")}`;
  const sums = sumsOf(parts), sum = sums.reduce((total, [, x]) => total + x, stage.bias < 0 ? 0 : weights[stage.bias + map]);
  const [k, own] = sums.length > 1 ? chosen(sums, channel) : [];
  const one = sums.length > 1 ? ` (${before[1] * before[2] === 1 ? "unit" : "map"} ${k} of ${name}: ${two(own)})` : "";
  const then = stage.then.map(([name]) => `, then ${thenOf(name)}`).join("");
  return `, from ${plural(parts.length, "product")}${stage.bias < 0 ? "" : " and a bias"} with sum ${two(sum)}${one}${then}`;
}

// What the products of each map that is read sum to: [[map, sum], …].
function sumsOf(parts) {
  const sums = new Map();
  for (const { map, product } of parts) sums.set(map, (sums.get(map) ?? 0) + product);
  return [...sums];
}

// Of these the one of a channel, or the nearest; without a channel the largest, of equals the first.
const chosen = (sums, channel) => (channel === null ? sums.reduce((best, each) => (abs(each[1]) > abs(best[1]) ? each : best)) : sums[min(max(channel - sums[0][0], 0), sums.length - 1)]);

// Why there is no answer, if some score is not a number; else an empty string.
function brokenWords({ stages, outs }) {
  if (outs.at(-1).every(Number.isFinite)) return "";
  const where = stages.filter(({ faults }) => faults).map(({ name, faults }) => `${name} (${faults})`).join(", ");
  return `The scores are no numbers: ${where ? "weights that are NaN or infinite in " + where : "they grew too large on the way"}.`;
}

function sentence(s, net, unit, hidden) {
  return hidden ? "Draw, and say what the network will answer." : (s.trained ?? !net.fresh ? "" : "Random weights. ") + told(s, net, unit);
}

function told(s, net, unit) {
  const scores = net.outs.at(-1), more = unit ? ` ${unitWords(s, net, unit)}` : "", broken = brokenWords(net);
  if (broken) return broken + more;
  if (s.direction === "backward") return `What changes the score of ${labelOf(s, targetOf(s, scores))}, ${two(scores[targetOf(s, scores)])}.${more}`;
  const shares = softmaxOf(scores), [first, second] = ranking(shares);
  const answer = `${labelOf(s, first)}, ${percent(shares[first])} percent; next ${labelOf(s, second)}, ${percent(shares[second])} percent.`;
  return `${net.outs[0].some((x) => x !== 0) ? "" : "Nothing is drawn; the biases alone say "}${answer}${more}`;
}

export { two, thenOf, sumsOf, chosen, brokenWords, labelOf, percent, ranking, targetOf, unitOf, fieldOf, sentence };
