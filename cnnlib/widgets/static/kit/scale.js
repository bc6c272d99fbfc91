// From a number to a tone, and the legend that says so.
import { abs, max, min, round } from "./numbers.js";

const ROLES = { input: [0, 114, 178], weight: [230, 159, 0], output: [0, 158, 115], gradient: [213, 94, 0] };
const PAPER = { light: [255, 255, 255], dark: [24, 26, 31] };
const INK = { light: [44, 46, 51], dark: [236, 238, 242] };

function mix(a, b, t) {
  return a.map((x, i) => round(x + (b[i] - x) * t));
}

function css(rgb) {
  return `rgb(${rgb[0]}, ${rgb[1]}, ${rgb[2]})`;
}

function luminance(rgb) {
  const [r, g, b] = rgb.map((x) => (x <= 10 ? x / 3294.6 : ((x / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

// The better of black and white on this fill; its contrast is never below 4.5 : 1.
function inkOn(rgb) {
  return luminance(rgb) > 0.179 ? "#000" : "#fff";
}

// Pictures: low is black, high is white.
function greyScale(low, high) {
  const width = high - low || 1;
  return { kind: "grey", low, high, rgb: (x) => (Number.isNaN(x) ? [128, 128, 128] : mix([0, 0, 0], [255, 255, 255], min(1, max(0, (x - low) / width)))) };
}

// Signed numbers: zero is paper, plus the colour of the frame, minus ink.
function toneScale(limit, role, theme) {
  const paper = PAPER[theme], plus = ROLES[role], minus = INK[theme];
  return { kind: "tone", low: -limit, high: limit, rgb: (x) => (Number.isNaN(x) ? mix(paper, minus, 0.25) : mix(paper, x > 0 ? plus : minus, min(1, abs(x) / (limit || 1)))) };
}

// A map as a picture, as cnnlib.plots draws it: signed numbers with zero as mid-grey, others from zero up.
function mapScale([low, high]) {
  const limit = max(-low, high);
  return low < 0 ? greyScale(-limit, limit) : greyScale(0, max(1, high));
}

// A thin bar from the low end to the high end, with both values; null where the scale has one end only.
function legend(scale, text) {
  const el = document.createElement("div");
  el.className = "cw-legend";
  const bar = document.createElement("i");
  const stops = [0, 0.25, 0.5, 0.75, 1].map((t) => css(scale.rgb(scale.low + t * (scale.high - scale.low))));
  bar.style.background = `linear-gradient(to right, ${stops.join(", ")})`;
  el.append(text(scale.low), bar, text(scale.high));
  return el;
}

export { ROLES, PAPER, INK, mix, css, luminance, inkOn, greyScale, toneScale, mapScale, legend };
