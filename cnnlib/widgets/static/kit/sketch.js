// A canvas that is a part and is drawn anew each time.
import { element, on, arrow } from "./dom.js";
import { max, min, round } from "./numbers.js";

// A clean sheet of any size in CSS pixels, sharp on any screen; with a font size, its print has that many pixels, or 11.
function easel(part, label) {
  const canvas = element("canvas", { role: "img", "data-part": part, "aria-label": label });
  canvas.style.display = "block";
  const sheet = (width, height, font) => {
    const density = window.devicePixelRatio || 1, [w, h] = [round(width * density), round(height * density)];
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
    if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
    const context = canvas.getContext("2d");
    context.setTransform(density, 0, 0, density, 0, 0);
    context.clearRect(0, 0, width, height);
    if (font) context.font = `${max(11, font)}px ${getComputedStyle(canvas).fontFamily}`;
    return context;
  };
  return { canvas, sheet };
}

// With hands, all optional, which get places as shares of height and width: enter(y, x, event), choose(y, x); move(rows, cols, far) by arrow keys.
function sketch(part, label, signal, { enter, choose, move }) {
  const { canvas, sheet } = easel(part, label);
  canvas.tabIndex = 0;
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
  return { canvas, sheet };
}

export { easel, sketch };
