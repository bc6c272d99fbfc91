// What the architecture explorer tells of a net that Python sent: the same sentences as ArchitectureExplorer in Python.
import { count, full, literal, places, plural } from "./kit/text.js";
import { floor, max, min, round } from "./kit/numbers.js";

const KEYS = { params: "parameters", "mult-adds": "multiply_adds", memory: "memory" };
const NOUNS = { params: "parameter", "mult-adds": "multiply-add", memory: "number" };
const APART = 10;                                    // times: beyond, bars of the smaller net could not be read on the other's scale
const GIVEN = { architecture: "model", compare: "other" };   // nets without a name stand bare in the code
const bare = (trait) => (name) => (name === GIVEN[trait] ? name : literal(name));
const WRITERS = { architecture: bare("architecture"), compare: bare("compare"), input_shape: (shape) => literal(shape) };
const times = (sizes) => sizes.join("\u00d7");

// The stages that lead to one, itself the last.
function trail(stages, path) {
  for (const node of stages) {
    if (node.path === path) return [node];
    const inside = trail(node.parts, path);
    if (inside.length) return [node, ...inside];
  }
  return [];
}

// The stages among which the one of this path stands.
function levelOf(net, path) {
  return trail(net.stages, path).at(-2)?.parts || net.stages;
}

// Where a key leads from a stage: along its neighbours, into it, out of it; it stays where there is no way.
function moved(net, path, [down, right]) {
  const way = trail(net.stages, path), level = levelOf(net, path);
  if (down) return (down > 0 ? way.at(-1).parts[0] : way.at(-2) || way.at(-1))?.path || path;
  return level[min(level.length - 1, max(0, level.indexOf(way.at(-1)) + right))].path;
}

function unitsOf(node) {
  return node.shape.length === 3 ? node.shape.slice(1) : [1, 1];
}

// The unit that is looked at: the middle one where none is named, the nearest one that there is.
function unitOf(node, { row, col }) {
  return unitsOf(node).map((n, a) => ([row, col][a] === null ? floor(n / 2) : min(n - 1, max(0, [row, col][a]))));
}

// The first row and column that a unit sees.
function firstOf(node, unit) {
  return unit.map((i, a) => node.start[a] + i * node.jump[a]);
}

// The unit of another stage whose field has its middle nearest to this place in the picture.
function unitAt(node, place) {
  return unitsOf(node).map((n, a) => min(n - 1, max(0, round((place[a] - node.start[a] - (node.sees[a] - 1) / 2) / node.jump[a]))));
}

function middleOf(node, unit) {
  return firstOf(node, unit).map((first, a) => first + (node.sees[a] - 1) / 2);
}

function measured(node, measure) {
  return measure === "field" ? max(...node.sees) : node[KEYS[measure]];
}

// Of rows of stages that are drawn: the largest of a measure for each, of them all where none is more than APART times
// another's; and the largest of a map's side.
function scaleOf(rows, measure) {
  const each = rows.map((stages) => max(1, ...stages.map((node) => measured(node, measure)))), apart = max(...each) > APART * min(...each);
  return { apart, most: apart ? each : each.map(() => max(...each)), tall: max(...rows.flat().map((node) => max(...unitsOf(node)))) };
}

// A number in three digits: 732, 12.3 k, 103 M, 15.5 G.
function amount(number) {
  for (const [letter, size] of [["G", 1e9], ["M", 1e6], ["k", 1e3]]) {
    const digits = Number((number / size).toPrecision(3));
    if (digits >= 1) return `${digits} ${letter}`;
  }
  return String(number);
}

function nameOf(node) {
  return node.path.split(".").at(-1);
}

function noun(measure) {
  return NOUNS[measure] ? `${NOUNS[measure]}s` : "receptive field";
}

// Of a net with layers whose multiply-adds nobody knows.
function partly(net, measure) {
  return measure === "mult-adds" && net.partly ? " counted" : "";
}

function cost(node, net, measure) {
  if (measure === "field") return "";
  const value = node[KEYS[measure]], total = net[KEYS[measure]], share = full(floor((1000 * value) / max(1, total) + 0.5) / 10);
  return ` ${plural(value, NOUNS[measure])}${measure === "memory" ? " kept" : ""}, ${share} percent of ${count(total)}${partly(net, measure)}.`;
}

function unitWords(node, s) {
  if ((s.row === null && s.col === null) || max(...unitsOf(node)) === 1) return "";
  const [row, col] = unitOf(node, s), [rows, cols] = firstOf(node, [row, col]).map((first, a) => places(first, first + node.sees[a] - 1));
  return ` Unit at row ${row}, column ${col} sees rows ${rows}, columns ${cols}.`;
}

function strongWords({ shape, strong }) {
  return strong.length ? ` ${shape.length === 3 ? "Strongest maps of" : "Largest numbers for"} the photo: ${strong.join(", ")}.` : "";
}

function partsWords({ kind, parts: { length } }) {
  return { layer: "", chain: ` Made of ${plural(length, "stage")}.`, residual: " Made of a body and what goes past it; the wider field is told.", concat: ` Made of ${length} branches; the widest field is told.`, opaque: " Opaque: of a kind that is not known; its shape and field are measured, its multiply-adds are not counted." }[kind];
}

// A stage of the second net with all places in the pixels of the first one's pictures: both see the same photo.
function onto(node, other, input_shape) {
  const ratio = other.input_shape.slice(1).map((n, a) => input_shape[a + 1] / n);
  const [start, jump, sees] = ["start", "jump", "sees"].map((name) => node[name].map((x, a) => x * ratio[a]));
  return { ...node, start, jump, sees };
}

// The chosen stage of the second net, or nothing.
function secondOf(s, others) {
  const other = others[s.compare];
  return other && s.compare_stage !== null ? trail(other.stages, s.compare_stage).at(-1) : undefined;
}

function mapsWords(node) {
  const shape = node.shape.length === 3 ? times(node.shape) : plural(node.shape[0], "number");
  const step = max(...unitsOf(node)) > 1 ? ` in steps of ${times([...new Set(node.jump)])}` : "";
  return `${shape}, sees ${times(node.sees)} pixels${step}`;
}

function otherWords(s, others) {
  const other = others[s.compare], second = secondOf(s, others);
  if (!other) return "";
  const name = s.compare + other.apart;
  const told = s.measure === "field" ? `sees ${count(max(...other.stages.map((node) => measured(node, "field"))))} pixels at most` : `${plural(other[KEYS[s.measure]], NOUNS[s.measure])}${s.measure === "memory" ? " kept" : ""} in all`;
  const its = second ? ` Its ${second.path}: ${mapsWords(second)}.` : "";
  return ` ${name}: ${told}.${its}`;
}

function sentence(s, net, others, hidden = s.predict) {
  const node = trail(net.stages, s.stage).at(-1);
  if (hidden) return `Stage ${node.path}: predict its ${noun(s.measure)}.`;
  return `Stage ${node.path}: ${mapsWords(node)}.${cost(node, net, s.measure)}${unitWords(node, s)}${strongWords(node)}${partsWords(node)}${otherWords(s, others)}`;
}

export { KEYS, WRITERS, times, trail, levelOf, moved, unitsOf, unitOf, firstOf, unitAt, middleOf, measured, scaleOf, amount, nameOf, noun, onto, secondOf, partly, sentence };
