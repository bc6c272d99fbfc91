// What the convolution microscope says: the same sentences as ConvolutionMicroscope.sentence() in Python.
import { geometry, span, turned, products, sum, unread } from "./kit/maths.js";
import { full, factor, term, places, plural } from "./kit/text.js";
import { ceil, max, min } from "./kit/numbers.js";

const RING = 16;                                     // the widest ring of zeros that is drawn
const AXES = ["rows", "columns"];

// All that follows from the state: sizes, geometry, the filter as it lies, the chosen output.
function derive(s) {
  const size = s.image.shape.slice(-2), taps = s.kernel.shape.slice(-2);
  const depth = (array) => (array.shape.length === 3 ? array.shape[0] : 1);
  const g = geometry({ size, taps, stride: max(1, s.stride), padding: s.padding, dilation: max(1, s.dilation) });
  const within = (x, n) => min(max(x, 0), max(n - 1, 0));
  return {
    g, size, taps, channels: depth(s.image), filters: depth(s.kernel),
    kernel: s.flip ? turned(s.kernel) : s.kernel,
    row: within(s.row, g.out[0]), col: within(s.col, g.out[1]), channel: within(s.channel, depth(s.image)),
  };
}

// null, or { text, fixes: [[label, patch], …] }: why this state cannot be computed and what would.
function problem(s) {
  for (const name of ["stride", "dilation"]) {
    if (s[name] < 1) return { text: `${name} ${full(s[name])}: the smallest is 1`, fixes: [[`${name} 1`, { [name]: 1 }]] };
  }
  const zeros = typeof s.padding === "string" ? [0] : [s.padding].flat(2), widest = max(...zeros);
  if (min(...zeros) < 0) return { text: `padding ${full(min(...zeros))}: the smallest is 0`, fixes: [["padding 0", { padding: 0 }]] };
  if (widest > RING) return { text: `padding ${widest}: the microscope draws at most ${RING}`, fixes: [[`padding ${RING}`, { padding: RING }]] };
  const d = derive(s);
  if (d.channels !== d.filters) {
    return { text: `the filter has ${plural(d.filters, "channel")}, the image ${d.channels}: a filter is as deep as its image`, fixes: [] };
  }
  return d.g.fits ? null : misfit(s, d);
}

function misfit(s, d) {
  const axis = d.g.out[0] > 0 ? 1 : 0, size = d.size[axis], kernel = d.taps[axis];
  const [before, after] = d.g.pad[axis];
  const zeros = before === after ? `2\u00b7${before}` : `${before} + ${after}`;
  const spread = s.dilation > 1 ? `${s.dilation}\u00b7(${kernel} \u2212 1) + 1 = ${span(kernel, s.dilation)}` : String(kernel);
  const needed = max(...[0, 1].map((a) => ceil((span(d.taps[a], s.dilation) - d.size[a]) / 2)));
  const fixes = needed <= RING ? [[`padding ${needed}`, { padding: needed }]] : [];
  for (let smaller = s.dilation - 1; smaller >= 1; smaller--) {
    if (geometry({ ...d.g, padding: s.padding, dilation: smaller }).fits) {
      fixes.push([`dilation ${smaller}`, { dilation: smaller }]);
      break;
    }
  }
  const would = needed <= RING ? `; padding ${needed} would` : "";
  const where = d.size[0] === d.size[1] && d.taps[0] === d.taps[1] ? "" : `${AXES[axis]}: `;
  return { text: `${where}${size} + ${zeros} < ${spread}: the ${s.dilation > 1 ? "dilated " : ""}filter does not fit${would}`, fixes };
}

// The output number and what it is the sum of: one list of products, or one sum per channel.
function working(s, d = derive(s)) {
  const lists = [...Array(d.channels).keys()].map((c) => products(s.image, d.kernel, d.g, d.row, d.col, c));
  const sums = lists.map((list) => sum(list.map((p) => p.product)));
  return { lists, sums, value: sum([s.bias, ...sums]) };
}

function sumWords(s, work) {
  const terms = work.lists.length > 1 ? work.sums.map(factor) : work.lists[0].map((p) => term(p.pixel, p.weight));
  const few = terms.length > 9 ? [...terms.slice(0, 3), `\u2026 (${terms.length} ${work.lists.length > 1 ? "channels" : "products"})`] : terms;
  return few.join(" + ") + (s.bias ? ` + bias ${full(s.bias)}` : "");
}

function missed(d) {
  const lost = [0, 1].map((a) => unread(d.g, a).length);
  return d.size[0] * d.size[1] - (d.size[0] - lost[0]) * (d.size[1] - lost[1]);
}

function missedWords(d, n) {
  return `${n} of ${plural(d.size[0] * d.size[1], "pixel")} ${n === 1 ? "is" : "are"} read by no window.`;
}

function sentence(s, hidden = s.predict) {
  const trouble = problem(s);
  if (trouble) return `Refused: ${trouble.text}.`;
  const d = derive(s), work = working(s, d), lost = missed(d);
  const window = [d.row, d.col].map((at, a) => {
    const first = at * d.g.stride - d.g.pad[a][0];
    return places(first, first + span(d.taps[a], d.g.dilation) - 1, d.g.dilation);
  });
  const sums = work.lists.length > 1 ? "channel sums " : "";
  return `${lost ? missedWords(d, lost) + " " : ""}Window rows ${window[0]}, columns ${window[1]}. ` +
    `Output row ${d.row}, column ${d.col}: ${sums}${sumWords(s, work)} = ${hidden ? "?" : full(work.value)}`;
}

export { derive, problem, working, missed, missedWords, sentence };
