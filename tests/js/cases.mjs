// The cases that Python wrote (tests/widgets/test_js.py), with numbers as numbers again.
import { readFileSync } from "node:fs";

const path = process.env.CNNLIB_CASES;
const missing = path ? false : "CNNLIB_CASES is not set: pytest tests/widgets/test_js.py writes the cases and runs this";

function number(x) {
  return typeof x === "number" ? x : { nan: NaN, inf: Infinity, "-inf": -Infinity }[x];
}

function array({ shape, data }) {
  return { shape, data: Float32Array.from(data, number) };
}

function cases(name) {
  const found = JSON.parse(readFileSync(`${path}/${name}.json`, "utf8"));
  if (name === "microscope") for (const { state } of found) Object.assign(state, { image: array(state.image), kernel: array(state.kernel) });
  return found;
}

export { missing, number, cases };
