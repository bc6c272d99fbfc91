// What the mask explorer computes and says: the same answers and sentences as MaskExplorer in Python.
import { NAMES, TINY, turnMask, nature, bordered, answersOf } from "./kit/edges.js";
import { full, literal } from "./kit/text.js";
import { abs, floor, max, min } from "./kit/numbers.js";

const SHOWS = ["response", "strength", "direction", "thin", "hysteresis"];
const STEP_MASKS = { sobel: [1, 2], prewitt: [1, 1], scharr: [3, 10] };
const SPOT_MASKS = { laplacian: [0, 1, 0, 1, -4, 1, 0, 1, 0], laplacian_8: [1, 1, 1, 1, -8, 1, 1, 1, 1] };

const maskOf = (numbers) => ({ shape: [Math.sqrt(numbers.length), Math.sqrt(numbers.length)], data: Float32Array.from(numbers) });
const alike = (a, b) => a.data.length === b.data.length && a.data.every((x, k) => x === b.data[k]);

// The mask of this name, a family with a place in NAMES or one that has no direction.
function preset(family, place = 0) {
  if (SPOT_MASKS[family]) return maskOf(SPOT_MASKS[family]);
  const [a, b] = STEP_MASKS[family];
  return turnMask(maskOf([-a, 0, a, -b, 0, b, -a, 0, a]), place);
}

// { family, place } of a mask that has a name, else null; place is null where there is no direction.
function presetOf(mask) {
  for (const family of Object.keys(SPOT_MASKS)) if (alike(mask, preset(family))) return { family, place: null };
  const { kind, index } = nature(mask);
  const family = kind === 1 && Object.keys(STEP_MASKS).find((name) => alike(mask, preset(name, index)));
  return family ? { family, place: index } : null;
}

// As code() writes it: Sobel's mask turned by an odd eighth is called Robinson's.
function maskCode(mask) {
  const named = presetOf(mask);
  if (!named) return mask.data.length > 81 ? "mask" : literal(mask);
  const { family, place } = named;
  return place === null ? `"${family}"` : `"${family === "sobel" && place % 2 ? "robinson" : family}_${NAMES[place]}"`;
}

// The name of a direction by its walk, or by where it grows brighter, an eighth of a turn twice on.
const called = (place, names) => NAMES[(place + (names === "gradient" ? 2 : 0)) % 8];

// The answers for this state; what is known of them already is kept, and one changed weight is one sweep.
function answersFor(s, before = null) {
  const stays = before && before.image === s.image && before.padding === s.padding && before.size === s.mask.shape[0];
  if (stays && before.mask === s.mask) return before;
  const picture = stays ? before.picture : bordered(s.image, floor(s.mask.shape[0] / 2), s.padding);
  const level = stays ? before.level : s.image.data.reduce((a, x) => max(a, Number.isFinite(x) ? abs(x) : 0), 0);
  const made = { image: s.image, padding: s.padding, mask: s.mask, size: s.mask.shape[0], picture, level, margin: s.padding === "valid" ? floor(s.mask.shape[0] / 2) : 0, version: (before?.version || 0) + 1 };
  const k = stays ? changedWeight(before.mask, s.mask) : -1;
  return { ...made, answers: k < 0 ? answersOf(picture, s.mask, level) : before.answers.changed(s.mask, k) };
}

// The one weight in which two masks differ, if it is a number in both; else -1.
function changedWeight(old, now) {
  const places = [...now.data.keys()].filter((k) => !Object.is(old.data[k], now.data[k]));
  return places.length === 1 && Number.isFinite(now.data[places[0]] - old.data[places[0]]) ? places[0] : -1;
}

// null, or { text, fixes: [[label, patch], …] }: why this state cannot be computed and what would.
function problem(s) {
  const shortest = min(...s.image.shape), size = s.mask.shape[0];
  if (s.padding === "valid" && shortest < size) return { text: `${shortest} < ${size}: the mask does not fit into the picture; padding replicate would help`, fixes: [["padding replicate", { padding: "replicate" }]] };
  if (SHOWS.indexOf(s.show) > 1 && nature(s.mask).kind === 0) {
    return { text: `${s.show}: this mask has no brighter side, so its turns have no direction; Sobel's has`, fixes: [["Sobel N", { mask: preset("sobel") }], ["show response", { show: "response" }]] };
  }
  if (s.show !== "hysteresis") return null;
  if (!(s.low >= 0)) return { text: `low ${full(s.low)}: the smallest is 0`, fixes: [["low 0", { low: 0 }]] };
  if (!(s.high <= 1)) return { text: `high ${full(s.high)}: the largest is 1`, fixes: [["high 1", { high: 1 }]] };
  const [low, high] = full(s.low) === full(s.high) ? [s.low, s.high].map(String) : [s.low, s.high].map(full);
  if (s.low > s.high) return { text: `low ${low} > high ${high}: the lower threshold may not be the larger`, fixes: [[`low ${high}`, { low: s.high }], [`high ${low}`, { high: s.low }]].filter(([, patch]) => (patch.low ?? 0) >= 0 && (patch.high ?? 1) <= 1) };
  return null;
}

// The chosen pixel as (row, column) of the map of answers, and its place there.
function chosen(s, { margin, answers: { rows, cols } }) {
  const within = (x, a, n) => min(max((x ?? floor(s.image.shape[a] / 2)) - margin, 0), n - 1);
  const row = within(s.row, 0, rows), col = within(s.col, 1, cols);
  return { row, col, k: row * cols + col };
}

const add = (data, of = (w) => w) => data.reduce((sum, w) => sum + of(w), 0);
// Do the weights sum to 0, as of a mask that asks for differences alone?
const balanced = (data) => !(abs(add(data)) > TINY * add(data, abs));

function remark({ data }) {
  if (!data.some((w) => w !== 0)) return " The mask asks nothing: all its weights are 0.";
  return balanced(data) ? "" : ` It also answers to plain brightness: its sum is ${full(add(data))}.`;
}

function responseWords({ kind, index, mask }, value, names) {
  const told = `response ${full(value)}`, sign = value === 0 ? 0 : value > 0 ? 1 : 2, name = called(index, names);
  if (Number.isNaN(value)) return `${told}, since a number is missing under the mask`;
  if (!balanced(mask.data)) return told;
  if (kind === 1 && names === "walk") return `${told}, ${["no step across", "brighter on the right of", "darker on the right of"][sign]} the walk ${name}`;
  if (kind === 1) return `${told}, ${["no step", "brighter", "darker"][sign]} towards ${name}`;
  if (kind === 2) return `${told}, ${["as bright along the line as", "brighter along the line than", "darker along the line than"][sign]} beside it`;
  return told;
}

function thinWords({ strongest: { strength }, across }, { row, col, k }) {
  const own = strength[k], told = `strength ${full(own)}`, sides = across(row, col);
  const list = (places) => places.map(([name, at]) => `${name} ${full(strength[at])}`).join(" and ");
  if (!(own > 0)) return `${told}, nothing to thin`;
  if (!sides.length) return `${told}, removed: the frame lacks neighbours`;
  const stronger = sides.filter(([, at]) => strength[at] > own), [equal] = sides.filter(([, at, first]) => first && strength[at] === own);
  if (stronger.length) return `${told}, removed: across the edge ${list(stronger)} ${stronger.length === 1 ? "is" : "are"} stronger`;
  return equal ? `${told}, removed: across the edge ${equal[0]} is as strong and comes first` : `${told}, kept: across the edge ${list(sides)} are not stronger`;
}

function edgeWords(s, answers, k) {
  const strength = answers.strongest.strength[k], told = `strength ${full(strength)}`;
  if (!(answers.thinned[k] > 0)) return `no edge: ${told}${strength > 0 ? ", thinned away" : ""}`;
  const kind = answers.joined(s.low, s.high)[k], [low, high] = [s.low, s.high].map((share) => full(share * answers.top));
  const between = `${told} lies between low ${low} and high ${high} and is joined to`;
  return ["", `no edge: ${told} is at most low ${low}`, `no edge: ${between} no strong one`, `edge: ${between} a strong one`, `edge: ${told} is above high ${high}`][kind];
}

function answerWords(s, answers, at) {
  if (s.show === "response") return responseWords(answers, answers.at(at.k)[answers.index], s.names);
  const strength = answers.strongest.strength[at.k], direction = answers.strongest.direction[at.k];
  if (Number.isNaN(strength)) return "strength NaN, since a number is missing under the mask";
  if (s.show === "thin") return thinWords(answers, at);
  if (s.show === "hysteresis") return edgeWords(s, answers, at.k);
  if (answers.kind === 0) return `strength ${full(strength)}`;
  const told = `strength ${full(strength)}, direction ${called(direction, s.names)}`;
  const equal = answers.at(at.k).filter((x) => x === strength).length;
  if (equal > 1) return `${told}, the first of ${equal} turns that answer alike`;
  if (answers.kind === 2 || !balanced(s.mask.data)) return told;
  return told + (s.names === "walk" ? ", brighter on the right of the walk" : ", towards the brighter side");
}

function sentence(s, hidden = s.predict, map = null) {
  const trouble = problem(s);
  if (trouble) return `Refused: ${trouble.text}.`;
  map ||= answersFor(s);
  const at = chosen(s, map), told = hidden ? (s.show === "response" ? "response ?" : "strength ?") : answerWords(s, map.answers, at);
  return `Row ${at.row + map.margin}, column ${at.col + map.margin}: ${told}.${remark(s.mask)}`;
}

export { SHOWS, maskOf, preset, presetOf, maskCode, called, answersFor, problem, chosen, sentence };
