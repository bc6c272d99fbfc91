// A canvas that is a part: a clean sheet of any size in CSS pixels, sharp on any screen.
import { element } from "./dom.js";
import { max, round } from "./numbers.js";

function easel(part, label) {
  const canvas = element("canvas", { role: "img", "data-part": part, "aria-label": label });
  canvas.style.display = "block";
  // The context, cleared, with its print at `font` pixels or 11, whichever is more.
  const sheet = (width, height, font = 11) => {
    const density = window.devicePixelRatio || 1, [w, h] = [round(width * density), round(height * density)];
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
    if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
    const context = canvas.getContext("2d");
    context.setTransform(density, 0, 0, density, 0, 0);
    context.clearRect(0, 0, width, height);
    context.font = `${max(11, font)}px ${getComputedStyle(canvas).fontFamily}`;
    return context;
  };
  return { canvas, sheet };
}

export { easel };
