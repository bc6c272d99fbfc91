// What the Adaline machine computes and says: the same knobs and sentences as AdalineMachine in Python.
// Knobs are one list of 17 numbers here: the weights in reading order, then the bias.
import { MINUS, full } from "./kit/text.js";
import { abs, max } from "./kit/numbers.js";

const KNOBS = 17, MOST = 10, TINY = 1e-5, RUNAWAY = 1e6, LAPS = 1000, REMEMBERED = 600;
const SETS = {
  letters: { T: "###. .#.. .#.. .#.. +1", J: "..#. ..#. #.#. ###. -1", F: "###. #... ##.. #... -1", "T right": ".### ..#. ..#. ..#. +1", "J right": "...# ...# .#.# .### -1", "F right": ".### .#.. .##. .#.. -1" },
  xor: { none: ".... .... .... .... -1", left: "##.. ##.. ##.. ##.. +1", right: "..## ..## ..## ..## +1", both: "#### #### #### #### -1" },
};

// The patterns of a state: [{ name, x: 16 numbers, target, text }, …].
function patternsOf(s) {
  return Object.entries(typeof s.patterns === "string" ? SETS[s.patterns] : s.patterns).map(([name, text]) => {
    const parts = text.split(" ");
    return { name, text, x: [...parts.slice(0, 4).join("")].map((sign) => (sign === "#" ? 1 : -1)), target: Number(parts[4]) };
  });
}

// A picture and the answer that is wanted, as text.
function textOf(x, target) {
  const rows = [0, 4, 8, 12].map((k) => [...x.slice(k, k + 4)].map((v) => (v > 0 ? "#" : ".")).join(""));
  return `${rows.join(" ")} ${target > 0 ? "+1" : "-1"}`;
}

const knobsOf = (s) => [...s.weights.data, s.bias];
const summed = (knobs, x) => x.reduce((sum, v, i) => sum + knobs[i] * v, 0) + knobs[KNOBS - 1];
const total = (knobs, x) => { const sum = summed(knobs, x); return abs(sum) < TINY ? 0 : sum; };  // else the lamp would flicker
const answer = (knobs, x) => (total(knobs, x) >= 0 ? 1 : -1);
const isRight = (knobs, { x, target }) => answer(knobs, x) === target;

// The error of one pattern, and the knobs after it; the same knobs where nothing turns.
function stepOf(rule, knobs, x, target, rate) {
  const error = target - (rule === "adaline" ? total(knobs, x) : answer(knobs, x));
  const moved = knobs.map((w, i) => w + rate * error * (i < KNOBS - 1 ? x[i] : 1));
  return { error, knobs: abs(error) < TINY || moved.some((w) => abs(w) > RUNAWAY) ? knobs : moved };
}

// The mean over the patterns of (target − sum)².
function squaredError(knobs, patterns) {
  return patterns.reduce((sum, { x, target }) => sum + (target - total(knobs, x)) ** 2, 0) / patterns.length;
}

const known = new Map();

// Do any weights answer all of these patterns rightly? null where that is not known. The perceptron stops if they do;
// in whole numbers it comes back to knobs that it had if they do not.
function separable(patterns) {
  const key = patterns.map(({ text }) => text).join();
  if (!known.has(key)) known.set(key, decided(patterns));
  return known.get(key);
}

function decided(patterns) {
  const seen = new Set();
  let knobs = Array(KNOBS).fill(0);
  for (let lap = 0; lap < LAPS; lap++) {
    const before = knobs;
    for (const { x, target } of patterns) knobs = stepOf("perceptron", knobs, x, target, 0.5).knobs;
    if (knobs === before) return true;
    if (seen.has(String(knobs))) return false;
    seen.add(String(knobs));
  }
  return null;
}

// The least mean squared error over these patterns that any knobs have: what is left of the targets when each input's
// part in them is taken away, and of it what the inputs before it hold.
function leastError(patterns) {
  const dot = (a, b) => a.reduce((sum, v, i) => sum + v * b[i], 0), less = (a, b) => { const share = dot(a, b) / dot(b, b); return a.map((v, i) => v - share * b[i]); };
  const free = [];
  for (let k = 0; k < KNOBS; k++) {
    const own = free.reduce(less, patterns.map(({ x }) => (k < KNOBS - 1 ? x[k] : 1)));
    if (dot(own, own) > 1e-9) free.push(own);
  }
  const rest = free.reduce(less, patterns.map(({ target }) => target));
  return Number((dot(rest, rest) / rest.length).toFixed(9));
}

// Turn, and the mean squared error after it, up to the present turn; what is not of these knobs is forgotten.
function historyOf(s, raw, patterns = patternsOf(s)) {
  const now = [s.turn, squaredError(knobsOf(s), patterns)], past = raw.filter(([turn]) => turn <= s.turn), last = past.at(-1);
  return last && last[0] === s.turn && abs(last[1] - now[1]) <= 1e-4 * max(1, now[1]) ? past : [now];
}

// What turning the knobs changes, one after the other: a patch of the state and its history.
function turned(s, raw, list) {
  const patterns = patternsOf(s), past = historyOf(s, raw, patterns).slice();
  let { turn } = s;
  for (const knobs of list) past.push([turn += 1, squaredError(knobs, patterns)]);
  const last = list.at(-1), weights = { shape: [4, 4], data: Float32Array.from(last.slice(0, -1)) };
  return { weights, bias: Math.fround(last.at(-1)), turn, _history: past.slice(-REMEMBERED) };
}

// The same for patterns that are shown to it in this order; null where nothing turns.
function learn(s, raw, shows) {
  const list = [];
  let knobs = knobsOf(s);
  for (const { x, target } of shows) {
    const next = stepOf(s.rule, knobs, x, target, s.rate).knobs;
    if (next !== knobs) list.push(knobs = next);
  }
  return list.length ? turned(s, raw, list) : null;
}

// null, or { text, fixes: [[label, patch], …] }: why this state cannot learn and what would.
function problem(s) {
  if (s.rate > 0 && s.rate <= 1) return null;
  return { text: `rate ${full(s.rate)}: it must be above 0 and at most 1; 1/17 corrects the whole error`, fixes: [["rate 1/17", { rate: 1 / KNOBS }]] };
}

// Three decimals, none from 1000 on, and powers of ten where it is smaller.
function told(x) {
  if (abs(x) < TINY) return "0";
  return full(abs(x) < 0.001 ? x : Number(x.toFixed(abs(x) < 1000 ? 3 : 0)));
}

const overshoots = (s) => s.rule === "adaline" && KNOBS * s.rate > 2 + 1e-9;
const signed = (x) => (x > 0 ? "+1" : `${MINUS}1`);

// What the picture on the switches gives, and what one step makes of it.
function errorWords(s) {
  const x = [...s.inputs.data], knobs = knobsOf(s), next = stepOf(s.rule, knobs, x, s.target, s.rate), after = s.rule === "perceptron";
  const lamp = answer(knobs, x), opening = `Sum ${told(total(knobs, x))}, wanted ${full(s.target)}`;
  const said = `Lamp ${signed(lamp)}, ${lamp === s.target ? "right" : "wrong"}.`;
  if (abs(next.error) < TINY) return [`${opening}: ${after ? "no error after the threshold: " : "no error, "}nothing turns.`, said];
  if (next.knobs === knobs) return [`${opening}: the knobs have run away, and turn no further.`, said];
  const words = [`${opening}: error ${told(next.error)}${after ? " after the threshold" : ""}; every knob turns by ${told(abs(s.rate * next.error))}.`];
  if (overshoots(s)) words.push("At a rate above 2/17 each turn overshoots, and the error grows.");
  return [...words, said];
}

function sentence(s, hidden = s.predict) {
  const trouble = problem(s);
  if (trouble) return `Refused: ${trouble.text}.`;
  if (hidden) return `Sum ?, wanted ${full(s.target)}: not yet shown.`;
  const patterns = patternsOf(s), knobs = knobsOf(s), n = patterns.length, right = patterns.filter((each) => isRight(knobs, each)).length;
  const parts = [...errorWords(s), `${right === n ? "All " + n : right + " of " + n} pattern${n > 1 ? "s" : ""} right, mean squared error ${told(squaredError(knobs, patterns))}.`];
  const end = s.rule === "perceptron" ? ": the perceptron never stops" : overshoots(s) ? "" : `: no knobs get the mean squared error below ${told(leastError(patterns))}`;
  if (separable(patterns) === false) parts.push(`No weights get all ${n} right${end}. It takes more than one Adaline: a Madaline.`);
  return parts.join(" ");
}

export { KNOBS, MOST, SETS, patternsOf, textOf, knobsOf, total, answer, isRight, stepOf, squaredError, separable, leastError, historyOf, turned, learn, problem, told, signed, sentence };
