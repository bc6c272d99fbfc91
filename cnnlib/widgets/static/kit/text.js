// Numbers and words as people read them. cnnlib/widgets/_text.py says the same words in Python.
import { abs, max, min, round } from "./numbers.js";

const MINUS = "\u2212";

function trim(digits) {
  const text = digits.includes(".") ? digits.replace(/\.?0+$/, "") : digits;
  return text === "-0" ? "0" : text.replace("-", MINUS);
}

// A number in a sentence: at most four decimals, real minus, never "−0".
function full(value) {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "\u221e" : MINUS + "\u221e";
  if (value !== 0 && !(abs(value) >= 0.001 && abs(value) < 1e15)) return value.toExponential(1).replace("e+", "e").replace(/-/g, MINUS);
  return trim(value.toFixed(4));
}

// A factor in a product: a negative one in brackets.
function factor(value) {
  const text = full(value);
  return text.startsWith(MINUS) ? `(${text})` : text;
}

function term(pixel, weight) {
  return `${factor(pixel)}\u00b7${factor(weight)}`;
}

// The decimals with which every number of a grid fits its cell, so that columns align.
function decimalsFor(numbers) {
  let most = 0, low = 0, whole = true;
  for (const x of numbers) {
    if (!Number.isFinite(x)) continue;
    if (whole && !Number.isInteger(x)) whole = false;
    if (x < low) low = x;
    if (abs(x) > most) most = abs(x);
  }
  if (whole) return 0;
  if (most < 0.995) return 2;
  const room = (x) => 3 - String(round(x)).length;   // decimals beside so many digits
  return max(0, low < 0 ? min(1, room(most), room(-low) - 1) : room(most));
}

// A number in a cell: at most four glyphs where it can be ("−.25", "12.5", "NaN").
function short(value, decimals = 0) {
  if (!Number.isFinite(value)) return full(value);
  let text = value.toFixed(decimals);
  if (Number(text) === 0) text = text.replace("-", "");
  if (text.length > 4) text = text.replace(/^(-?)0\./, "$1.");
  if (text.length > 4) text = value.toFixed(0);
  if (text.length > 4) text = value.toExponential(0).replace("e+", "e");
  return text.replace(/-/g, MINUS);
}

// The same in a narrow cell: ".25", "−.25".
function dense(value, decimals) {
  return short(value, decimals).replace(/^(\u2212?)0\./, "$1.");
}

// 768000 as "768,000".
function count(whole) {
  return String(whole).replace(/\B(?=(\d{3})+$)/g, ",");
}

function plural(n, noun) {
  return `${count(n)} ${noun}${n === 1 ? "" : "s"}`;
}

// Rows "0 to 2", or "0 to 4 in steps of 2", or "3" alone.
function places(first, last, step = 1) {
  if (first === last) return full(first);
  return `${full(first)} to ${full(last)}${step > 1 ? " in steps of " + step : ""}`;
}

// What a person typed, as a number: "−1", "1/9", ".5"; null where it is none.
function parse(text) {
  const clean = text.trim().replace(/[\u2212\u2013]/g, "-").replace(",", ".");
  if (/^nan$/i.test(clean)) return NaN;
  const fraction = clean.match(/^(-?[\d.]+)\s*\/\s*([\d.]+)$/);
  const value = fraction ? Number(fraction[1]) / Number(fraction[2]) : clean === "" ? NaN : Number(clean);
  return Number.isFinite(value) ? value : null;
}

// The same for an amount, as readouts print it: "614,656" and "2 359 808" have thousands, "2.36M" is in millions. "0,125" is no thousand.
function amountOf(text) {
  const [, digits, unit] = text.trim().match(/^(.*?)\s*([kKMG]?)$/s);
  // A plain blank would not pass the joining of the files: it is written \x20.
  const grouped = /^[-\u2212\u2013]?[1-9]\d{0,2}([\x20,\u00a0\u2009\u202f])\d{3}(\1\d{3})*(\.\d+)?$/.test(digits);
  const value = parse(grouped ? digits.replace(/[\x20,\u00a0\u2009\u202f]/g, "") : digits);
  const times = { k: 1e3, K: 1e3, M: 1e6, G: 1e9 }[unit];
  return times && value !== null ? Number((value * times).toPrecision(15)) : value;
}

// A value as Python would write it: the cell that "Code" copies. Single precision, its shortest digits.
function literal(value) {
  if (value == null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "string") return `"${value}"`;
  if (typeof value === "number") return numberLiteral(value);
  if (Array.isArray(value)) return `(${value.map(literal).join(", ")}${value.length === 1 ? "," : ""})`;
  if (value.shape) return nested([...value.data], value.shape);
  return "{" + Object.entries(value).map(([k, v]) => `"${k}": ${literal(v)}`).join(", ") + "}";
}

function numberLiteral(value) {
  if (!Number.isFinite(value)) return `float("${value > 0 ? "inf" : value < 0 ? "-inf" : "nan"}")`;
  if (Number.isInteger(value) && abs(value) < 1e16) return repr(value);
  for (let digits = 6; digits < 10; digits++) {
    const rounded = Number(value.toPrecision(digits));
    if (rounded === value || (Math.fround(value) === value && Math.fround(rounded) === value)) return repr(rounded);
  }
  return repr(value);
}

// As Python's repr: below 0.0001 and from 1e16 on with a power of ten, of two digits.
function repr(value) {
  if (value === 0 || (abs(value) >= 1e-4 && abs(value) < 1e16)) return String(value);
  return value.toExponential().replace(/[+-](?=\d$)/, "$&0");
}

function nested(data, shape) {
  if (!shape.length) return numberLiteral(data[0]);
  const size = data.length / shape[0];
  const parts = [...Array(shape[0]).keys()].map((i) => nested(data.slice(i * size, (i + 1) * size), shape.slice(1)));
  return `[${parts.join(", ")}]`;
}

export { MINUS, full, factor, term, decimalsFor, short, dense, count, plural, places, parse, amountOf, literal };
