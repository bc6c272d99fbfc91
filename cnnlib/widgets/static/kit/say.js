// The readout: seen at once, spoken when it has settled, at most every 250 ms.
import { atEnd } from "./dom.js";

function voice(line, output, signal, delay = 250) {
  let wanted = "", timer = 0;
  atEnd(signal, () => clearTimeout(timer));
  return (text) => {
    if (text === wanted) return;
    wanted = text;
    line.textContent = text;
    clearTimeout(timer);
    timer = setTimeout(() => { output.textContent = wanted; }, delay);
  };
}

export { voice };
