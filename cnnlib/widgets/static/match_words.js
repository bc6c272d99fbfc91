// What the match viewer computes and says: the same numbers and sentences as MatchViewer in Python.
import { full, count } from "./kit/text.js";
import { floor, max, min } from "./kit/numbers.js";

const { imul, sqrt } = Math;
const NUMERALS = ["I", "II", "III", "IV"], NEAR = 3, ON_A_LINE = 1e-3, MOST = 1000, BINS = 25;
const SCENES = new WeakMap();

// A table that Python sent: { shape, data } with the numbers themselves.
function table({ shape, data }, Type) {
  const bytes = data.buffer ? data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength) : data.slice(0);
  return { shape, data: new Type(bytes) };
}

// Points, rivals and pictures as Python sent them once; the same object for the same message.
function sceneOf(sent) {
  if (!SCENES.has(sent)) {
    const scene = { a: table(sent.a, Uint8Array), b: table(sent.b, Uint8Array) };
    for (const name of ["points_a", "points_b", "rivals", "distance", "mutual", "right"]) scene[name] = table(sent[name], Float64Array).data;
    const [n, m] = [scene.mutual.length, scene.points_b.length / 2];
    const ratios = Float64Array.from({ length: n }, (_, k) => (scene.distance[2 * k + 1] > 0 ? scene.distance[2 * k] / scene.distance[2 * k + 1] : 1));
    SCENES.set(sent, { ...scene, n, m, ratios, judged: scene.right.length > 0 });
  }
  return SCENES.get(sent);
}

// null, or { text, fixes }: why this state cannot be computed and what would.
function problem(s, scene) {
  if (!(s.ratio > 0 && s.ratio <= 1)) return { text: `ratio ${full(s.ratio)}: above 0, and at most 1, where there is no test`, fixes: [["ratio 0.8", { ratio: 0.8 }], ["no test", { ratio: 1 }]] };
  if (s.stage !== "wrong" || scene.judged || !scene.n || !scene.m) return null;
  return { text: "wrong only: which matches are wrong is not known, no truth was given", fixes: [["all matches", { stage: "match" }]] };
}

const passes = (ratio, scene, k) => ratio >= 1 || scene.m < 2 || scene.distance[2 * k] < ratio * scene.distance[2 * k + 1];

// The numbers of the points of A that have a match, in order.
function keptOf(s, scene) {
  const kept = [];
  for (let k = 0; k < scene.n; k++) if (scene.rivals[2 * k] >= 0 && passes(s.ratio, scene, k) && (!s.cross_check || scene.mutual[k])) kept.push(k);
  return kept;
}

// Those of them that are drawn: all, or the wrong ones alone.
const drawnOf = (s, scene, kept) => (s.stage === "wrong" ? kept.filter((k) => !scene.right[k]) : kept);

// How many ratios lie in each of 25 bins: { all, kept, wrong } of them.
function histogram(scene, kept) {
  const bins = { all: new Uint32Array(BINS), kept: new Uint32Array(BINS), wrong: new Uint32Array(BINS) }, set = new Set(kept);
  scene.ratios.forEach((x, k) => {
    const bin = min(floor(x * BINS), BINS - 1);
    bins.all[bin] += 1;
    if (set.has(k)) bins.kept[bin] += 1;
    if (scene.judged && !scene.right[k]) bins.wrong[bin] += 1;
  });
  return bins;
}

// The four different numbers below `n` that a draw takes, by mulberry32.
function four(seed, draw, n) {
  let a = imul(seed, 0x9E3779B1) + imul(draw, 0x85EBCA6B);
  const taken = [];
  for (let k = 0; k < 4; k++) {
    a = (a + 0x6D2B79F5) | 0;
    let t = imul(a ^ (a >>> 15), a | 1);
    t ^= t + imul(t ^ (t >>> 7), t | 61);
    let number = floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * (n - k));
    for (const other of [...taken].sort((x, y) => x - y)) if (number >= other) number += 1;
    taken.push(number);
  }
  return taken;
}

// Of each of the four triangles of four points, its height as a share of its longest side, signed.
function heights(p) {
  return [[0, 1, 2], [0, 1, 3], [0, 2, 3], [1, 2, 3]].map(([i, j, k]) => {
    const [a, b, c] = [p[i], p[j], p[k]], ab = [b[0] - a[0], b[1] - a[1]], ac = [c[0] - a[0], c[1] - a[1]];
    const longest = max(ab[0] ** 2 + ab[1] ** 2, ac[0] ** 2 + ac[1] ** 2, (c[0] - b[0]) ** 2 + (c[1] - b[1]) ** 2);
    return longest > 0 ? (ab[0] * ac[1] - ab[1] * ac[0]) / longest : 0;
  });
}

// No three on a line, in either picture, and the four triangles all keep their side or all change it.
function usable(here, there) {
  const [one, two] = [heights(here), heights(there)], same = one.filter((x, k) => x * two[k] > 0).length;
  return [...one, ...two].every((x) => x > ON_A_LINE || x < -ON_A_LINE) && (same === 0 || same === 4);
}

const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const columns = ([a, b, c]) => [0, 1, 2].map((i) => [a[i], b[i], c[i]]);
const times = (rows, other) => rows.map((row) => columns(other).map((col) => dot(row, col)));
const adjugate = ([a, b, c]) => columns([cross(b, c), cross(c, a), cross(a, b)]);

// The map, as three rows, that takes the corners of a triangle of reference and its middle to four points.
function basis(p) {
  const [a, b, c, d] = p.map(([row, col]) => [row, col, 1]), weights = [dot(cross(b, c), d), dot(cross(c, a), d), dot(cross(a, b), d)];
  return columns([a, b, c].map((point, k) => point.map((x) => x * weights[k])));
}

// The homography through four pairs, as three rows: over the triangle of reference.
function through(here, there) {
  return times(basis(there), adjugate(basis(here)));
}

// How far a pair is from agreeing: the larger of both ways, squared; NaN on the horizon.
function off(rows, back, here, there) {
  const far = (m, [row, col], [r, c]) => {
    const [u, v, w] = m.map((line) => line[0] * row + line[1] * col + line[2]);
    return (u / w - r) ** 2 + (v / w - c) ** 2;
  };
  return max(far(rows, here, there), far(back, there, here));
}

// What four pairs say, by both their ends: { rows, agree, count } of the matches; null if they are refused.
function tried(here, there, ends) {
  if (!usable(...ends)) return null;
  const rows = through(...ends), back = adjugate(rows), agree = here.map((point, k) => sqrt(off(rows, back, point, there[k])) < NEAR);
  return { rows, agree, count: agree.filter(Boolean).length };
}

// Both ends of the matches.
function endsOf(scene, kept) {
  const at = (points, k) => [points[2 * k], points[2 * k + 1]];
  return [kept.map((k) => at(scene.points_a, k)), kept.map((k) => at(scene.points_b, scene.rivals[2 * k]))];
}

let known = null;                                    // the draws so far, so that one more is one more

// What so many draws have found: the last four and how many agree with it (-1: refused), the best draw and who agrees.
function drawn(s, scene, kept) {
  const same = known && known.scene === scene && known.seed === s.seed && String(known.kept) === String(kept) && known.draws <= s.draws;
  if (!same) {
    known = { scene, seed: s.seed, kept, draws: 0, best: null, agree: null, rows: null, most: -1, ends: endsOf(scene, kept) };
  }
  for (; known.draws < s.draws; known.draws++) {
    const last = four(s.seed, known.draws + 1, kept.length), found = tried(...known.ends, known.ends.map((points) => last.map((k) => points[k])));
    known.last = last;
    known.count = found ? found.count : -1;
    if (known.count > known.most) Object.assign(known, { most: known.count, best: known.draws + 1, agree: found.agree, rows: found.rows });
  }
  return { last: known.last, count: known.count, best: known.best, agree: known.agree, rows: known.rows };
}

// The picked points that have a match, each once, and the pairs placed by hand, [row, col in A, row, col in B].
function picksOf(s, kept) {
  return [...new Set(s.picked)].filter((pick) => byHand(pick) || kept.includes(pick));
}

const byHand = (pick) => Array.isArray(pick);
const pairOf = (scene, pick) => (byHand(pick) ? [pick.slice(0, 2), pick.slice(2)] : endsOf(scene, [pick]).map(([end]) => end));

// The end that arrow keys move: 2 k of pair k in A, 2 k + 1 in B; or null.
const heldOf = (s, picks) => (s.stage === "pick" && s.end !== null && s.end >= 0 && s.end < 2 * picks.length ? s.end : null);

// What the four picked, or the draws, have found, as this stage asks for it: as `drawn` says it; else null.
function agreeing(s, scene, kept) {
  const picks = picksOf(s, kept), drawing = s.stage === "homography" || (s.stage === "warp" && picks.length < 4);
  if (problem(s, scene) || s.stage === "match" || s.stage === "wrong" || (drawing ? kept : picks).length < 4) return null;
  if (drawing) return drawn(s, scene, kept);
  const last = picks.map((k) => kept.indexOf(k)), pairs = picks.map((pick) => pairOf(scene, pick)), found = tried(...endsOf(scene, kept), [0, 1].map((side) => pairs.map((pair) => pair[side])));
  return { last, count: found ? found.count : -1, best: found ? 1 : null, agree: found && found.agree, rows: found && found.rows };
}

// A picture as a homography moves it, into h x w pixels of red, green, blue and opacity: the mean of the four pixels round where each comes from; clear where it does not reach.
function warped({ shape: [height, width, depth = 1], data }, rows, [h, w]) {
  const out = new Uint8ClampedArray(4 * h * w), [r, c, z] = adjugate(rows);
  for (let i = 0, k = 0; i < h; i++) {
    for (let j = 0; j < w; j++, k += 4) {
      const scale = z[0] * i + z[1] * j + z[2], y = (r[0] * i + r[1] * j + r[2]) / scale, x = (c[0] * i + c[1] * j + c[2]) / scale;
      if (!(y >= 0 && y <= height - 1 && x >= 0 && x <= width - 1)) continue;
      const top = min(floor(y), max(height - 2, 0)), left = min(floor(x), max(width - 2, 0)), down = y - top, right = x - left;
      const below = min(top + 1, height - 1) * width, beside = min(left + 1, width - 1), above = top * width;
      for (let part = 0; part < 3; part++) {
        const at = (place) => data[place * depth + (depth > 1 ? part : 0)];
        out[k + part] = (at(above + left) * (1 - right) + at(above + beside) * right) * (1 - down) + (at(below + left) * (1 - right) + at(below + beside) * right) * down;
      }
      out[k + 3] = 255;
    }
  }
  return out;
}

const tenth = (x) => floor(10 * x + 0.5) / 10;
const rounded = (x) => full(floor(1e4 * x + 0.5) / 1e4);
const chosen = (s, scene) => (s.selected === null || !scene.n ? null : min(max(s.selected, 0), scene.n - 1));

function pointWords(s, scene, kept) {
  const k = chosen(s, scene), [row, col] = [0, 1].map((axis) => full(floor(scene.points_a[2 * k + axis] + 0.5)));
  const fate = kept.includes(k) ? "kept" : s.cross_check && passes(s.ratio, scene, k) ? "rejected, since its partner's nearest is another" : "rejected";
  return `Point ${count(k)} at row ${row}, column ${col}: nearest ${rounded(scene.distance[2 * k])}, second ${rounded(scene.distance[2 * k + 1])}, ratio ${rounded(scene.ratios[k])}: ${fate}${s.stage === "pick" && !kept.includes(k) ? "; no match to pick" : ""}.`;
}

const agreed = (found) => count(found.agree.filter(Boolean).length);
const why = (whose) => `three of ${whose} points lie on a line, or they change sides.`;
const warpWords = (s, whose, found) => [`A lies over B by the homography of ${whose}, with which ${agreed(found)} agree; blend ${full(s.blend)}, from A to B.`];

function homographyWords(s, scene, kept) {
  const found = agreeing(s, scene, kept), picks = picksOf(s, kept), wanted = 4 - picks.length;
  if (s.stage === "pick" || (s.stage === "warp" && wanted <= 0)) return [...pickWords(s, found, wanted), ...endWords(s, scene, picks)];
  if (kept.length < 4) return [`A homography needs 4 matches: ${4 - kept.length} more.`];
  return s.stage === "warp" && found.best !== null ? warpWords(s, `draw ${count(found.best)}`, found) : drawWords(s, found);
}

function pickWords(s, found, wanted) {
  if (!found) return [`Pick or place ${wanted} more pair${wanted === 1 ? "" : "s"}.`];
  if (found.best === null) return [`Your four are refused: ${why("their")}`];
  return s.stage === "warp" ? warpWords(s, "your four", found) : [`${agreed(found)} agree with the homography of your four.`];
}

function endWords(s, scene, picks) {
  const held = heldOf(s, picks);
  if (held === null) return [];
  const pick = picks[held >> 1], [a, b] = pairOf(scene, pick).map(([row, col]) => `row ${full(tenth(row))}, column ${full(tenth(col))}`);
  return [`Pair ${NUMERALS[held >> 1]}${byHand(pick) ? " by hand" : ""}: ${a} in A; ${b} in B. Arrow keys move it in ${"AB"[held & 1]}.`];
}

function drawWords(s, found) {
  const { count: last, best } = found, now = count(s.draws);
  if (best === null) return [`Draw ${now} is refused, as all before: ${why("its")}`];
  const parts = [`${agreed(found)} agree with the homography of draw ${count(best)}${s.draws > 1 ? ", the best of " + now : ""}.`];
  if (best !== s.draws) parts.push(last >= 0 ? `Draw ${now}: ${count(last)} agree.` : `Draw ${now} is refused: ${why("its")}`);
  return parts;
}

function sentence(s, hidden, scene) {
  const trouble = problem(s, scene);
  if (trouble) return `Refused: ${trouble.text}.`;
  if (!scene.n || !scene.m) return `Nothing to match: A has ${count(scene.n)} points, B ${count(scene.m)}.`;
  const kept = keptOf(s, scene), n = kept.length;
  let words = `${hidden ? "?" : count(n)} match${!hidden && n === 1 ? "" : "es"} at ratio ${full(s.ratio)}${s.cross_check ? ", each the other's nearest" : ""}`;
  if (scene.judged && !hidden) { const right = kept.filter((k) => scene.right[k]).length; words += `: ${count(right)} right, ${count(n - right)} wrong`; }
  const parts = [`${words}.`];
  if (s.stage === "wrong" && !hidden) parts.push(drawnOf(s, scene, kept).length ? "Only the wrong ones are drawn." : "None is wrong.");
  if (scene.m === 1) parts.push("B has one point: no second best, so the ratio says nothing.");
  if (s.stage !== "match" && s.stage !== "wrong" && !hidden) parts.push(...homographyWords(s, scene, kept));
  if (chosen(s, scene) !== null) parts.push(pointWords(s, scene, kept));
  return parts.join(" ");
}

export { MOST, BINS, NUMERALS, sceneOf, problem, keptOf, drawnOf, histogram, four, usable, through, drawn, picksOf, byHand, pairOf, heldOf, tenth, agreeing, warped, chosen, sentence };
