// What the scale-space walker computes and says: the same points, refusals and sentences as ScaleSpaceWalker in Python.
import { full, plural, count } from "./kit/text.js";
import { STEPS, patchOf } from "./kit/sift.js";
import { abs, floor, max, min } from "./kit/numbers.js";

const REASONS = ["kept", "contrast", "edge", "unstable"], REJECTED = REASONS.slice(1);
const WORDS = { contrast: "low contrast", edge: "edge", unstable: "unstable" };
const COLUMNS = ["row", "col", "sigma", "value", "ratio", "found", "settled", "octave", "layer", "at_row", "at_col", "right", "down", "up"];
const LEAST = 0.005, SMALLEST = 0.8;

// A number to so many decimals, halves up.
const told = (x, decimals) => full(floor(x * 10 ** decimals + 0.5) / 10 ** decimals);
const degrees = (angle) => floor((angle * 180) / Math.PI + 0.5) % 360;

// Level 1, 2, … : the blurs in which extrema are looked for.
const blurOf = (level) => SMALLEST * 2 ** (level / STEPS);
const levelsOf = (space) => STEPS * space.shapes.length;
const levelOf = (space, sigma) => min(max(floor(Math.log2(sigma / SMALLEST) * STEPS + 0.5), 1), levelsOf(space));
const placeOf = (level) => ({ octave: floor((level - 1) / STEPS) - 1, layer: ((level - 1) % STEPS) + 1 });

// The table that Python sent as one object for each spot, with its orientations.
function spotsOf(table, peaks) {
  if (!table) return [];
  const n = COLUMNS.length, spots = [...Array(table.shape[0]).keys()].map((k) => ({ ...Object.fromEntries(COLUMNS.map((name, c) => [name, table.data[k * n + c]])), angles: [] }));
  if (peaks) for (let k = 0; k < peaks.data.length; k += 2) spots[peaks.data[k]].angles.push(peaks.data[k + 1]);
  return spots;
}

// What becomes of the spots by these tests: keypoints as sift.detect returns them, one for each orientation, then the
// rejected; single precision, as there.
function decide(spots, { contrast, edge_ratio }) {
  const least = Math.fround(contrast / STEPS), half = Math.fround(contrast / STEPS / 2), limit = Math.fround(edge_ratio), kept = [], rejected = [[], [], []];
  for (const spot of spots) {
    if (!(spot.found > half)) continue;
    const reason = !spot.settled ? 3 : abs(spot.value) < least ? 1 : spot.ratio >= limit ? 2 : 0;
    if (reason) rejected[reason - 1].push({ spot, reason: REASONS[reason] });
    else spot.angles.forEach((angle) => kept.push({ spot, angle, reason: "kept" }));
  }
  kept.sort((a, b) => abs(b.spot.value) - abs(a.spot.value));
  const order = new Map(spots.map((spot, k) => [spot, k]));
  return { kept, rejected: rejected.flat().sort((a, b) => order.get(a.spot) - order.get(b.spot)) };
}

const numberOf = ({ kept, rejected }, k) => (k === null ? null : (k < kept.length ? kept[k] : rejected[k - kept.length]) ?? null);

// null, or { text, fixes: [[label, patch], …] }: why this state cannot be computed and what would.
function problem(s, space, found) {
  const low = blurOf(1), high = blurOf(levelsOf(space)), fix = (name, x) => [[`${name.replace("_", " ")} ${told(x, 3)}`, { [name]: x }]];
  if (!(low * 0.99 <= s.sigma && s.sigma <= high * 1.01)) return { text: `sigma ${full(s.sigma)}: from ${told(low, 2)} to ${told(high, 2)} in this picture`, fixes: fix("sigma", s.sigma > high ? high : low) };
  if (!(s.contrast >= LEAST)) return { text: `contrast ${full(s.contrast)}: the smallest is ${full(LEAST)}`, fixes: fix("contrast", LEAST) };
  if (!(s.edge_ratio > 1)) return { text: `edge ratio ${full(s.edge_ratio)}: it must be above 1, where both curvatures are the same`, fixes: fix("edge_ratio", 10) };
  const { kept, rejected } = found();
  if (s.keypoint !== null && !(s.keypoint >= 0 && s.keypoint < kept.length + rejected.length)) return { text: `keypoint ${full(s.keypoint)}: there are ${plural(kept.length, "keypoint")} and ${count(rejected.length)} rejected`, fixes: [["none", { keypoint: null }]] };
  return null;
}

const where = ({ row, col, sigma }) => `row ${told(row, 1)}, column ${told(col, 1)}, \u03c3 ${told(sigma, 1)}`;

// Why a candidate was rejected, with its numbers.
function why({ spot: { value, ratio }, reason }, { contrast, edge_ratio }) {
  const lowe = (x) => told((x + 1) ** 2 / x, 2);
  if (reason === "contrast") return `low contrast: ${told(abs(value), 4)} < ${told(contrast / STEPS, 4)}`;
  if (reason === "unstable") return "unstable: no pixel is nearest to the fitted extremum";
  if (!Number.isFinite(ratio)) return "edge: it bends up one way and down the other";
  return `edge: ratio ${told(ratio, 2)}: ${lowe(ratio)} > ${lowe(edge_ratio)}`;
}

// The patch of a keypoint, cut from the blur nearest to its sigma.
function patchAt(space, { spot, angle }) {
  const { octave, layer } = placeOf(levelOf(space, spot.sigma)), one = space.octave(octave), pixel = (x) => (x + 0.25) / one.step;
  return patchOf(one, layer, pixel(spot.row), pixel(spot.col), spot.sigma / one.step, angle);
}

// m: { space, found }, found as decide gives it.
function sentence(s, hidden, { space, found }) {
  const trouble = problem(s, space, () => found);
  if (trouble) return `Refused: ${trouble.text}.`;
  const { kept } = found, one = numberOf(found, s.keypoint);
  if (!one) return levelWords(s, hidden, space, found);
  if (one.reason !== "kept") return `Candidate ${s.keypoint}: ${where(one.spot)}, rejected, ${why(one, s)}.`;
  const words = `Keypoint ${s.keypoint} of ${count(kept.length)}: ${where(one.spot)}, orientation `;
  if (hidden) return `${words}?.`;
  const partial = patchAt(space, one).inside.includes(0) ? " No full patch." : "";
  return `${words}${degrees(one.angle)}\u00b0, ${plural(one.spot.angles.length, "peak")}.${partial}`;
}

function levelWords(s, hidden, space, { kept, rejected }) {
  const level = levelOf(space, s.sigma), { octave, layer } = placeOf(level), words = `\u03c3 ${told(s.sigma, 2)}: octave ${full(octave)}, layer ${layer}. `;
  if (hidden) return `${words}? keypoints of about this size.`;
  const counts = REJECTED.filter((reason) => s.rejected.includes(reason)).map((reason) => `${count(rejected.filter((each) => each.reason === reason).length)} ${WORDS[reason]}`);
  const more = counts.length ? ` Rejected: ${counts.join(", ")}.` : "";
  if (!kept.length) return `${words}Keypoints: none. Lower the contrast test.${more}`;
  return `${words}${plural(kept.length, "keypoint")}, ${ofLevel(space, kept, level)} of about this size.${more}`;
}

const ofLevel = (space, points, level) => points.filter(({ spot }) => levelOf(space, spot.sigma) === level).length;

export { REJECTED, WORDS, told, degrees, blurOf, levelsOf, levelOf, placeOf, ofLevel, spotsOf, decide, numberOf, problem, why, patchAt, sentence };
