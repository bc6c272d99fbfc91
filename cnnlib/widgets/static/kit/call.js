// Waiting for Python: what to say meanwhile, and when it does not answer.
import { atEnd } from "./dom.js";

const SILENT = "the kernel does not answer; run the cell above";

// changed() is called when the words change. ask() begins to wait, answered() ends it.
function waiting(what, signal, changed, limit = 3000) {
  let words = "", timer = 0;
  const say = (text) => { words = text; changed(); };
  atEnd(signal, () => clearTimeout(timer));
  return {
    words: () => words,
    ask: () => { clearTimeout(timer); timer = setTimeout(() => say(SILENT), limit); say(`asking ${what}\u2026`); },
    answered: () => { clearTimeout(timer); words = ""; },
  };
}

export { SILENT, waiting };
