// A canvas that is a part and is drawn anew each time.
import { element, on, arrow } from "./dom.js";
import { max, min, round } from "./numbers.js";

// Hands, all optional, get places as shares of height and width: enter(y, x, event), choose(y, x); move(rows, cols) by arrow keys.
function sketch(part, label, signal, { enter, choose, move }) {
  const canvas = element("canvas", { tabindex: 0, role: "img", "data-part": part, "aria-label": label });
  const at = (e) => { const box = canvas.getBoundingClientRect(); return [(e.clientY - box.top) / box.height, (e.clientX - box.left) / box.width].map((x) => min(max(x, 0), 0.9999)); };
  on(canvas, signal, {
    pointermove: (e) => enter?.(...at(e), e),
    click: (e) => choose?.(...at(e)),
    keydown: (e) => {
      const way = arrow(e);
      if (!way || !move) return;
      e.preventDefault();
      move(...way, e.shiftKey ? 10 : 1);
    },
  });
  Object.assign(canvas.style, { display: "block", touchAction: "pan-y" });
  // A clean sheet of this size in CSS pixels.
  const sheet = (width, height) => {
    const density = window.devicePixelRatio || 1, [w, h] = [round(width * density), round(height * density)];
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
    if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
    const context = canvas.getContext("2d");
    context.setTransform(density, 0, 0, density, 0, 0);
    context.clearRect(0, 0, width, height);
    return context;
  };
  return { canvas, sheet };
}

export { sketch };
