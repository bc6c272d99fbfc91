// What the optimiser race computes and says: the same paths and sentences as OptimiserRace in Python.
import { full, literal } from "./kit/text.js";
import { surfaceOf, walk, divergedAt, leftAt } from "./kit/race.js";
import { abs, max, min } from "./kit/numbers.js";

const MOST = 1000, NOTHING = 1e-6;
const RUNNERS = { sgd: "SGD", momentum: "momentum", nesterov: "Nesterov", rmsprop: "RMSProp", adam: "Adam" };
const SURFACES = { ravine: "ravine", bowl: "bowl", rosenbrock: "Rosenbrock", saddle: "saddle", "two valleys": "two valleys", own: "own surface" };
const RATES = { sgd: 0.02, momentum: 0.02, nesterov: 0.02, rmsprop: 0.02, adam: 0.1 };
const STEEP_RATES = { sgd: 0.001, momentum: 0.001, nesterov: 0.001, rmsprop: 0.02, adam: 0.1 };

const rateOf = (s, name) => s.lr[name] ?? (s.surface === "rosenbrock" ? STEEP_RATES : RATES)[name];
const stepOf = (s) => min(max(s.step, 0), s.steps);
const bent = (s) => s.surface === "bowl" || s.surface === "ravine";

// null, or { text, fixes: [[label, patch], …] }: why this state cannot be computed and what would.
function problem(s) {
  if (!(s.steps >= 1 && s.steps <= MOST)) return { text: `steps ${full(s.steps)}: from 1 to ${MOST}`, fixes: [["steps 300", { steps: 300 }]] };
  if (!(s.kappa > 0)) return { text: `kappa ${full(s.kappa)}: it must be above 0`, fixes: [["kappa 10", { kappa: 10 }]] };
  if (!(s.noise >= 0)) return { text: `noise ${full(s.noise)}: the smallest is 0`, fixes: [["noise 0", { noise: 0 }]] };
  for (const name of s.runners) {
    const lr = rateOf(s, name);
    if (!(lr > 0)) return { text: `lr ${full(lr)} of ${RUNNERS[name]}: it must be above 0`, fixes: [["lr 0.01", { lr: { ...s.lr, [name]: 0.01 } }]] };
  }
  return null;
}

// The surface, and each runner's path and losses. own() gives somebody's own surface.
function raceOf(s, own, draws) {
  const surface = surfaceOf(s.surface, s.kappa, own), start = s.start ?? surface.start;
  const paths = s.runners.map((name) => walk(surface, start, name, rateOf(s, name), s.steps, s.noise, draws));
  const losses = paths.map((path) => Float64Array.from({ length: s.steps + 1 }, (_, t) => surface.value(path[2 * t], path[2 * t + 1])));
  return { surface, start, paths, losses };
}

// At which step, up to this one, a runner came to a hole of the surface; -1 if it has not.
const left = (race, k, at) => leftAt(race.paths[k], race.losses[k], race.surface.window, at);

// How a runner ranks at a step, and what is said of it: [group, number, words].
function standing(race, k, at) {
  const gone = divergedAt(race.paths[k], race.surface.window, at), hole = left(race, k, at), loss = race.losses[k][at];
  if (hole >= 0) return [2, -hole, hole ? `left the surface at step ${hole}` : "starts without a loss"];
  if (gone >= 0) return [2, -gone, `diverged at step ${gone}`];
  if (!Number.isFinite(loss)) return [1, 0, "without a loss"];
  return abs(loss) < NOTHING ? [0, 0, "below 1e\u22126"] : [0, loss, full(loss)];
}

// Places in s.runners from the lowest loss up, equals as they stand.
function ranking(s, race, at) {
  const all = s.runners.map((_, k) => standing(race, k, at));
  return [...all.keys()].sort((a, b) => all[a][0] - all[b][0] || all[a][1] - all[b][1] || a - b);
}

// Which of those that run, from 1, a prediction means: the row's number, or the runner's name; 0 where it is neither.
function rowOf(s, text) {
  const said = text.trim().toLowerCase(), named = s.runners.findIndex((name) => [name, RUNNERS[name].toLowerCase()].includes(said));
  return named >= 0 ? named + 1 : /^\d+$/.test(said) && Number(said) <= s.runners.length ? Number(said) : 0;
}

const wanted = (s) => `type a name, such as ${RUNNERS[s.runners[0]]}, or a row, 1 to ${s.runners.length}`;

const pair = (point) => `(${[...point].map((x) => full(abs(x) < NOTHING ? 0 : x)).join(", ")})`;

// The step that the runner which is looked at takes next: { at, slope, move }, or null.
function nextStep(s, race, at) {
  const k = s.runners.indexOf(s.look);
  if (k < 0 || at >= s.steps || divergedAt(race.paths[k], race.surface.window, at + 1) >= 0) return null;
  const [x, y, u, v] = race.paths[k].subarray(2 * at, 2 * at + 4);
  return { place: [x, y], slope: race.surface.gradient(x, y), move: [u - x, v - y] };
}

function sentence(s, hidden, race) {
  const trouble = problem(s);
  if (trouble) return `Refused: ${trouble.text}.`;
  const at = stepOf(s), name = SURFACES[s.surface], words = name[0].toUpperCase() + name.slice(1);
  const opening = `${words}${bent(s) ? ", kappa " + full(s.kappa) : ""}, step ${at} of ${s.steps}`;
  if (!s.runners.length) return `${opening}: nobody runs.`;
  if (hidden) return `${opening}: not yet shown.`;
  const told = ranking(s, race, at).map((k) => `${RUNNERS[s.runners[k]]} ${standing(race, k, at)[2]}`);
  const next = nextStep(s, race, at);
  const more = next ? ` ${RUNNERS[s.look]} at ${pair(next.place)}: slope ${pair(next.slope)}, next step ${pair(next.move)}.` : "";
  return `${opening}: ${told.join(", ")}.${more}`;
}

// code() calls somebody's own surface by its name, the others by theirs.
function writers(pattern) {
  return { surface: (value) => (value === "own" ? pattern.names.surface : literal(value)) };
}

export { MOST, RUNNERS, SURFACES, rateOf, stepOf, bent, problem, raceOf, left, standing, ranking, rowOf, wanted, nextStep, sentence, writers };
