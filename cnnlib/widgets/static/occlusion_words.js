// What the occlusion viewer reads from the answers of the network: the same numbers and sentences as in Python.
// A state has its settings in s; what is known is in scene: { size, classes, whole, layers, maps, places, units }.
// An answer is a row: the probability of each class that is listed, the class that wins, and that one's probability.
import { full, count, places } from "./kit/text.js";
import { floor, max, min } from "./kit/numbers.js";

const COARSE = 8;

// The numbers of a message: { shape, data: bytes } -> { shape, data: Type }.
function tableOf({ shape, data }, Type = Float32Array) {
  const bytes = data.buffer ? data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength) : data.slice(0);
  return { shape, data: new Type(bytes) };
}

// null, or { text, fixes }: why the picture cannot be covered so.
function problem(s, size) {
  const { patch, stride } = s, fix = (name, value) => [[`${name === "patch" ? "patch" : "step"} ${value}`, { [name]: value, scanned: false }]];
  if (s.view !== "occlusion") return null;
  for (const [name, words] of [["patch", "patch"], ["stride", "step"]]) if (s[name] < 1) return { text: `${words} ${full(s[name])}: at least 1 pixel`, fixes: fix(name, 1) };
  if (patch <= min(...size)) return null;
  return { text: `patch ${patch}\u00d7${patch}: larger than the picture, ${size[0]}\u00d7${size[1]}`, fixes: [max(1, floor(min(...size) / 4)), min(...size)].flatMap((value) => fix("patch", value)) };
}

const gridOf = ({ patch, stride }, size) => size.map((n) => floor((n - patch) / stride) + 1);
const nearest = (s, size, at) => gridOf(s, size).map((n, a) => min(max(floor(at[a] / s.stride + 0.5), 0), n - 1));

// The place [i, j] nearest to the patch's upper left pixel; null where none is given.
const placeOf = (s, size) => (s.row === null || s.col === null ? null : nearest(s, size, [s.row, s.col]));

const mapKey = (s) => [s.patch, s.stride, s.fill].join();
const placeKey = (s, row, col) => [s.patch, s.fill, row, col].join();
const topOf = (scene) => scene.whole.at(-2);
const targetOf = (s, scene) => s.target ?? topOf(scene);
const columnOf = (s, scene) => scene.classes.indexOf(targetOf(s, scene));

// The row of the table at a place, or null where it is not scanned.
function rowAt(table, [i, j]) {
  const [rows, cols, n] = table.shape, first = (i * cols + j) * n;
  return Number.isNaN(table.data[first]) ? null : table.data.subarray(first, first + n);
}

// The answer with the patch where it is, or null.
function answerOf(s, scene) {
  const at = placeOf(s, scene.size), table = scene.maps.get(mapKey(s));
  return (table && rowAt(table, at)) || scene.places.get(placeKey(s, at[0] * s.stride, at[1] * s.stride)) || null;
}

// Of a map: how many places are scanned, the lowest of a column, and how often which class wins against the answer.
function factsOf(table, column, top) {
  const [rows, cols] = table.shape, others = new Map();
  let done = 0, lowest = null, least = Infinity, most = -Infinity;
  for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) {
    const row = rowAt(table, [i, j]);
    if (!row) continue;
    done += 1;
    if (row[column] < least) [least, lowest] = [row[column], [i, j]];
    most = max(most, row[column]);
    const best = row.at(-2);
    if (best !== top) others.set(best, (others.get(best) || 0) + 1);
  }
  return { done, all: rows * cols, lowest, least, most, others: [...others].sort((a, b) => b[1] - a[1] || a[0] - b[0]) };
}

// Where a scan has not been yet, the nearest above and left that it has seen stands for it: [i, j], or null.
function standIn(table, [i, j]) {
  for (let step = 1; step <= COARSE; step *= 2) {
    const at = [i - (i % step), j - (j % step)];
    if (rowAt(table, at)) return at;
  }
  return null;
}

const layerOf = (s, scene) => scene.layers.find(({ name }) => name === s.layer) || scene.layers.at(-1);

// The unit that is looked at, the nearest that there is: { layer, channel, unit }.
function unitOf(s, scene) {
  const { name, shape: [maps, ...size] } = layerOf(s, scene);
  return { layer: name, channel: min(max(s.channel, 0), maps - 1), unit: s.unit && s.unit.map((at, a) => min(max(at, 0), size[a] - 1)) };
}
const unitKey = ({ layer, channel, unit }) => [layer, channel, unit ? unit.join(":") : ""].join();

const WATCHED = -1;                                  // the unit that is watched, where a class is meant
function nameOf(s, k) {
  if (k !== WATCHED) return s.labels[k] ?? `class ${k}`;
  const [layer, map, row, col] = s.watch;
  return `${layer}, map ${map}, row ${row}, column ${col}`;
}

// The name where there is little room.
const briefly = (s, k) => (k === WATCHED ? "the unit" : nameOf(s, k));

function percent(share) {
  if (share > 0 && share < 0.005) return "under 1";
  return share >= 0.995 && share < 1 ? "over 99" : String(floor(100 * share + 0.5));
}
const placesOf = (n) => `${count(n)} place${n === 1 ? "" : "s"}`;
const two = (value) => full(floor(100 * value + 0.5) / 100);

function patchWords(s, scene, hidden) {
  const at = placeOf(s, scene.size), column = columnOf(s, scene), top = topOf(scene);
  if (!at) return "";
  const row = answerOf(s, scene), where = `Patch at row ${at[0] * s.stride}, column ${at[1] * s.stride}: `;
  if (hidden) return `${where}?`;
  if (!row) return `${where}not asked yet.`;
  const name = nameOf(s, targetOf(s, scene)), [before, after] = [percent(scene.whole[column]), percent(row[column])], best = row.at(-2);
  const told = before === after ? `${name} stays at ${after} percent` : `${name} ${row[column] < scene.whole[column] ? "falls" : "rises"} from ${before} to ${after} percent`;
  if (best === top) return `${where}${told}.`;
  return `${where}${told}, and ${best === targetOf(s, scene) ? "wins" : nameOf(s, best) + " wins with " + percent(row.at(-1))}.`;
}

// How much of the map is scanned, null where all of it is.
function scanWords(s, scene, facts) {
  const [rows, cols] = gridOf(s, scene.size), done = facts?.done || 0;
  return done < rows * cols ? `${count(done)} of ${placesOf(rows * cols)}` : null;
}

function mapWords(s, scene, facts) {
  const [rows, cols] = gridOf(s, scene.size), top = topOf(scene), told = scanWords(s, scene, facts);
  if (told) return `${told} scanned.`;
  const [i, j] = facts.lowest, lost = facts.others.reduce((sum, [, n]) => sum + n, 0);
  const words = `Lowest of ${placesOf(rows * cols)}: ${percent(facts.least)} percent at row ${i * s.stride}, column ${j * s.stride}.`;
  return lost ? `${words} Another class than ${nameOf(s, top)} wins at ${placesOf(lost)}, most often ${nameOf(s, facts.others[0][0])}.` : words;
}

function unitWords(s, scene, hidden) {
  const key = unitOf(s, scene), found = scene.units.get(unitKey(key)), at = key.unit;
  const map = `${key.layer}, map ${key.channel}`, whose = at ? `${map}, row ${at[0]}, column ${at[1]}` : map;
  if (!found) return `${whose}: not asked yet.`;
  const strongest = `${whose}: its strongest unit is row ${found.at[0]}, column ${found.at[1]}`, words = `${at ? whose : strongest}: ${two(found.value)}`;
  if (hidden) return `${words}. How far does it see?`;
  const [rows, cols] = found.first.map((first, a) => places(max(first, 0), min(first + found.size[a], scene.size[a]) - 1));
  return `${words}${found.value > 0 ? "" : "; it does not fire, so nothing goes back"}; it sees rows ${rows}, columns ${cols}.`;
}

function sentence(s, scene, hidden) {
  const trouble = problem(s, scene.size);
  if (trouble) return `Refused: ${trouble.text}.`;
  if (s.view === "deconvnet") return unitWords(s, scene, hidden);
  const target = targetOf(s, scene), top = topOf(scene), name = nameOf(s, target), patch = patchWords(s, scene, hidden);
  let whole = target === WATCHED ? `${name}: ${two(scene.level)}, here 100 percent` : `${name}, ${percent(scene.whole[columnOf(s, scene)])} percent`;
  if (target !== top) whole += `; the answer is ${nameOf(s, top)}, ${percent(scene.whole.at(-1))} percent`;
  const table = scene.maps.get(mapKey(s)), facts = table && factsOf(table, columnOf(s, scene), top), told = hidden && scanWords(s, scene, facts);
  if (hidden) return `${whole}. Where does a patch hurt ${name} most?${told ? " " + told + " scanned with these settings: press Scan." : ""}${patch ? " " + patch : ""}`;
  return `${patch || whole + "."} ${mapWords(s, scene, facts)}`;
}

export { tableOf, problem, gridOf, nearest, placeOf, mapKey, placeKey, topOf, targetOf, columnOf, rowAt, answerOf, factsOf, standIn, layerOf, unitOf, unitKey, nameOf, briefly, percent, placesOf, two, sentence };
