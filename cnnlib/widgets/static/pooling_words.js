// What the pooling stepper computes and says: the same numbers and sentences as PoolingStepper in Python.
import { full, places, plural } from "./kit/text.js";
import { abs, ceil, floor, max, min } from "./kit/numbers.js";

const KINDS = [["max", "max"], ["average", "average"], ["L2", "L2"], ["stride", "stride only"], ["blurred", "blurred max"]];
const BLUR = [1, 2, 1].map((a) => [1, 2, 1].map((b) => (a * b) / 16));
const SAME = 1e-9;                                   // numbers closer than this, relative to their size, are equal

const strideOf = (s) => s.stride ?? s.kernel_size;
const within = (x, n) => min(max(x, 0), n - 1);
const wrapped = (x, n) => ((x % n) + n) % n;

// How many windows stand along one axis; rounded up, the last still begins inside the picture.
function windowsOf(size, s) {
  const stride = strideOf(s), room = size + 2 * s.padding - s.kernel_size;
  if (!s.ceil_mode) return floor(room / stride) + 1;
  const most = ceil(room / stride) + 1;
  return (most - 1) * stride >= size + s.padding ? most - 1 : most;
}

// null, or { text, fixes: [[label, patch], …] }: why this state cannot be computed and what would.
function problem(s) {
  for (const [trait, words] of [["kernel_size", "size"], ["stride", "stride"]]) {
    if (s[trait] !== null && s[trait] < 1) return { text: `${words} ${full(s[trait])}: the smallest is 1`, fixes: [[`${words} 1`, { [trait]: 1 }]] };
  }
  if (s.padding < 0) return { text: `padding ${full(s.padding)}: the smallest is 0`, fixes: [["padding 0", { padding: 0 }]] };
  const half = floor(s.kernel_size / 2), shortest = min(...s.image.shape);
  if (s.padding > half) return { text: `padding ${s.padding}: at most half of the window, here ${half}, lies outside; else a window would see padding only`, fixes: [[`padding ${half}`, { padding: half }]] };
  if (shortest + 2 * s.padding >= s.kernel_size) return null;
  return { text: `${shortest} + 2\u00b7${s.padding} < ${s.kernel_size}: the window does not fit`, fixes: [[`size ${shortest}`, { kernel_size: shortest, padding: 0 }]] };
}

// The picture, pushed by s.shift; what leaves on one side comes in on the other.
function pushed(s, [down, right] = s.shift) {
  const [h, w] = s.image.shape;
  return Float64Array.from(s.image.data, (_, k) => s.image.data[wrapped(floor(k / w) - down, h) * w + wrapped((k % w) - right, w)]);
}

// The pixels of the window that begins in row `top`, column `left`, in reading order, as places in the picture.
function pixels([h, w], [top, left], k) {
  const found = [];
  for (let r = max(top, 0); r < min(top + k, h); r++) for (let c = max(left, 0); c < min(left + k, w); c++) found.push(r * w + c);
  return found;
}

// The place of the largest: of equal ones the first, but NaN beats all, the last NaN the others.
function winner(data, list) {
  let best = list[0];
  for (const k of list) if (data[k] > data[best] || Number.isNaN(data[k])) best = k;
  return best;
}

// One output: its value, and what a gradient of 1 sends back to which pixel, as [[place, share], …].
function cell(data, s, row, col) {
  const size = s.image.shape, stride = strideOf(s), corner = [row, col].map((i) => i * stride - s.padding);
  const list = pixels(size, corner, s.kernel_size);
  if (s.kind === "max") {
    const best = winner(data, list);
    return { list, best, value: data[best], shares: [[best, 1]] };
  }
  if (s.kind === "average") {
    const spans = corner.map((at, a) => min(at + s.kernel_size, size[a] + s.padding) - at), n = spans[0] * spans[1];
    return { list, zeros: n - list.length, value: list.reduce((sum, k) => sum + data[k], 0) / n, shares: list.map((k) => [k, 1 / n]) };
  }
  if (s.kind === "L2") {
    const value = Math.sqrt(list.reduce((sum, k) => sum + data[k] ** 2, 0));
    return { list, value, shares: list.map((k) => [k, value === 0 ? 0 : data[k] / value]) };
  }
  if (s.kind === "stride") return { list, value: data[list[0]], shares: [[list[0], 1]] };
  return { list, ...blurred(data, s, row * stride, col * stride) };
}

// The maxima of all windows, one pixel apart, blurred round (i, j); at the rim the last one stands in for those beyond.
function blurred(data, s, i, j) {
  const shares = new Map(), dense = s.image.shape.map((n) => n + 2 * s.padding - s.kernel_size + 1);
  let value = 0;
  for (const u of [0, 1, 2]) {
    for (const v of [0, 1, 2]) {
      const at = [i + u - 1, j + v - 1].map((x, a) => within(x, dense[a]) - s.padding);
      const best = winner(data, pixels(s.image.shape, at, s.kernel_size));
      value += BLUR[u][v] * data[best];
      shares.set(best, (shares.get(best) || 0) + BLUR[u][v]);
    }
  }
  return { value, shares: [...shares] };
}

// The whole map: its size, its cells, and what a gradient of 1 from each sends back, added up.
function mapOf(s, data = pushed(s)) {
  const [rows, cols] = s.image.shape.map((n) => windowsOf(n, s)), cells = [], back = new Float64Array(data.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) cells.push(cell(data, s, i, j));
  for (const { shares } of cells) for (const [k, share] of shares) back[k] += share;
  return { rows, cols, cells, back, data, out: Float64Array.from(cells, ({ value }) => value) };
}

// Which outputs and inputs differ from those of the picture before it was pushed, as places.
function changes(s, map) {
  const start = pushed(s, [0, 0]), old = mapOf(s, start).out;
  const differ = (a, b) => [...a.keys()].filter((k) => !(abs(a[k] - b[k]) <= SAME * max(1, abs(a[k])) || Object.is(a[k], b[k])));
  return [differ(old, map.out), differ(start, map.data)];
}

// By how much the push changes the map of one kind: the length of the difference, as a share of the map's length before it.
function change(s, kind = s.kind) {
  const [old, now] = [[0, 0], s.shift].map((by) => mapOf({ ...s, kind }, pushed(s, by)).out);
  const length = (numbers) => Math.sqrt(numbers.reduce((sum, x) => sum + x * x, 0));
  return length(now.map((x, k) => x - old[k])) / (length(old) || NaN);
}

const percent = (share) => `${floor(100 * share + 0.5)} %`;

// The same push, five ways: what each of them makes of it, as [[kind, label, words], …].
function fiveWays(s) {
  return KINDS.map(([kind, label]) => [kind, label, ((share) => (Number.isFinite(share) ? percent(share) : "\u2013"))(change(s, kind))]);
}

function changedWords(s, map) {
  const [outputs, inputs] = changes(s, map).map((places) => places.length), [down, right] = s.shift, share = change(s);
  const much = Number.isFinite(share) ? `, the map by ${percent(share)}` : "";
  const ways = [[down, down < 0 ? "up" : "down"], [right, right < 0 ? "left" : "right"]].filter(([d]) => d).map(([d, way]) => `${abs(d)} ${way}`);
  return `Pushed ${ways.join(" and ")}: ${outputs} of ${plural(map.out.length, "output")} and ${inputs} of ${plural(map.data.length, "input")} changed${much}.`;
}

const placeOf = (k, [, w]) => `row ${floor(k / w)}, column ${k % w}`;

function valueWords(s, map, chosen) {
  const value = full(chosen.value), size = s.image.shape;
  const counted = chosen.zeros ? `, with ${chosen.zeros} of padding counted` : "";
  if (s.kind === "average") return `average ${value}${counted}`;
  if (s.kind === "L2") return `root of the sum of squares ${value}`;
  if (s.kind === "stride") return `only the first, ${value} at ${placeOf(chosen.list[0], size)}, is kept`;
  if (s.kind === "blurred") return `blurred maximum ${value}`;
  const equal = chosen.list.filter((k) => map.data[k] === chosen.value).length;
  return `maximum ${value}${equal > 1 ? ", " + equal + " times; the first," : ""} at ${placeOf(chosen.best, size)}${equal > 1 ? ", wins" : ""}`;
}

function backWords(s, chosen) {
  const shares = chosen.shares.map(([, share]) => share), size = s.image.shape;
  if (s.kind === "max") return `Sent back: 1 to ${placeOf(chosen.best, size)}.`;
  if (shares.every((x) => x === shares[0])) return `Sent back: ${full(shares[0])} to ${shares.length > 1 ? "each of " : ""}${plural(shares.length, "pixel")}.`;
  return `Sent back: between ${full(min(...shares))} and ${full(max(...shares))} to ${plural(shares.length, "pixel")}.`;
}

const UNTOLD = { max: "maximum", average: "average", L2: "root of the sum of squares", stride: "the first pixel", blurred: "blurred maximum" };

function sentence(s, hidden = s.predict, map = null) {
  const trouble = problem(s);
  if (trouble) return `Refused: ${trouble.text}.`;
  map ||= mapOf(s);
  const [row, col] = [within(s.row, map.rows), within(s.col, map.cols)], chosen = map.cells[row * map.cols + col];
  const spans = [row, col].map((i) => { const first = i * strideOf(s) - s.padding; return places(first, first + s.kernel_size - 1); });
  const words = hidden ? UNTOLD[s.kind] + " ?" : valueWords(s, map, chosen);
  const parts = [`Window rows ${spans[0]}, columns ${spans[1]}: ${words}.`];
  if (!hidden && s.backward) parts.push(backWords(s, chosen));
  if (!hidden && s.shift.some((x) => x)) parts.push(changedWords(s, map));
  return parts.join(" ");
}

export { KINDS, strideOf, within, wrapped, problem, mapOf, change, changes, fiveWays, sentence };
