// The student's numbers under ours, as cnnlib/widgets/_student.py compares them; cells that differ are ringed.
import { div, write, visible } from "./dom.js";
import { grid } from "./grid.js";
import { panel } from "./panel.js";
import { decimalsFor } from "./text.js";
import { waiting } from "./call.js";

function student({ signal, changed, what = "your function" }) {
  const cells = grid({ part: "theirs", role: "output", label: what, signal }), words = div("cw-note"), box = panel("output", what, cells.element), wait = waiting(what, signal, changed);
  let call = 0;
  return {
    element: box.element,
    words,                                           // a line of its own, for where there is room
    ask: wait.ask,
    // answer: { words, shape, data, differs, call }, call another number for another answer; hidden: the computed
    // numbers are not to be seen yet.
    draw: (answer, { cell, scale, hidden }) => {
      if (call !== answer.call) { call = answer.call; wait.answered(); }
      const pending = wait.words(), { shape, data } = answer, shown = !hidden && shape && data.length > 0;
      write(words, `${what}: ${hidden ? "shown when you have committed" : pending || answer.words}`);
      box.element.classList.toggle("cw-dim", pending !== "");
      visible(box.element, Boolean(shown));
      if (!shown) return;
      const numbers = Float32Array.from(data);
      cells.show({ rows: shape[0], cols: shape[1], data: numbers, scale, decimals: decimalsFor(numbers), cell });
      cells.mark("differ", answer.differs);
    },
  };
}

export { student };
