// A picture too large for numbers: drawn once through a table of tones, with boxes on a layer of its own.
import { element } from "./dom.js";

// options: part, role, label, signal; hands: enter(row, col), leave(), choose(row, col), move(rows, cols), zoom(±1).
function photo(options) {
  const { part, signal } = options;
  const picture = element("canvas", { class: "cw-picture", "aria-hidden": "true" });
  const overlay = element("canvas", { class: "cw-overlay", tabindex: 0, role: "img", "data-part": part, "aria-label": options.label || part });
  const box = element("div", { class: `cw-photo cw-${options.role}` }, picture, overlay);
  const me = { element: box, overlay, rows: 1, cols: 1 };

  // Fit the picture into `width` CSS pixels and draw it: rgb(k, pixel array, offset) or a scale over data.
  me.draw = ({ rows, cols, data, scale, width, height = width }) => {
    const fit = Math.min(width / cols, height / rows);
    const [w, h] = [Math.max(1, Math.round(cols * fit)), Math.max(1, Math.round(rows * fit))];
    box.style.width = `${w}px`;
    box.style.height = `${h}px`;
    const density = window.devicePixelRatio || 1;
    if (overlay.width !== Math.round(w * density) || overlay.height !== Math.round(h * density)) [overlay.width, overlay.height] = [Math.round(w * density), Math.round(h * density)];
    Object.assign(me, { rows, cols, fit, w, h, density });
    if (picture.width !== cols || picture.height !== rows) [picture.width, picture.height] = [cols, rows];
    picture.style.imageRendering = fit > 1 ? "pixelated" : "auto";
    const context = picture.getContext("2d"), pixels = context.createImageData(cols, rows);
    fill(new Uint32Array(pixels.data.buffer), data, scale);
    context.putImageData(pixels, 0, 0);
    overlay.dataset.drawn = Number(overlay.dataset.drawn || 0) + 1;
  };

  // Boxes { row, col, rows, cols, colour, dash } in pixels of the picture.
  me.boxes = (list) => {
    const context = overlay.getContext("2d");
    context.setTransform(me.density, 0, 0, me.density, 0, 0);
    context.clearRect(0, 0, me.w, me.h);
    for (const { row, col, rows, cols, colour, dash } of list) {
      const [w, h] = [Math.max(cols * me.fit, 5), Math.max(rows * me.fit, 5)];
      const x = (col + cols / 2) * me.fit - w / 2, y = (row + rows / 2) * me.fit - h / 2;
      context.setLineDash([]);
      context.lineWidth = 4;
      context.strokeStyle = "rgba(255, 255, 255, .85)";
      context.strokeRect(x - 1, y - 1, w + 2, h + 2);
      context.setLineDash(dash ? [4, 3] : []);
      context.lineWidth = 2;
      context.strokeStyle = colour;
      context.strokeRect(x - 1, y - 1, w + 2, h + 2);
    }
  };

  const pixel = (event) => {
    const place = overlay.getBoundingClientRect();
    const at = (x, from, size, n) => Math.min(n - 1, Math.max(0, Math.floor(((x - from) / size) * n)));
    return [at(event.clientY, place.top, place.height, me.rows), at(event.clientX, place.left, place.width, me.cols)];
  };
  overlay.addEventListener("pointermove", (event) => options.enter?.(...pixel(event)), { signal });
  overlay.addEventListener("pointerleave", () => options.leave?.(), { signal });
  overlay.addEventListener("click", (event) => options.choose?.(...pixel(event)), { signal });
  overlay.addEventListener("keydown", (event) => {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (/^[+\-\u2212]$/.test(event.key)) options.zoom?.(event.key === "+" ? 1 : -1);
    if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const far = event.shiftKey ? 10 : 1;
    options.move?.(step[0] * far, step[1] * far);
  }, { signal });
  return me;
}

// One pass through a table of 256 tones; what is no number is hatched.
function fill(out, data, scale) {
  const table = new Uint32Array(256), width = scale.high - scale.low || 1;
  const packed = ([r, g, b]) => (255 << 24) | (b << 16) | (g << 8) | r;
  for (let t = 0; t < 256; t++) table[t] = packed(scale.rgb(scale.low + (t / 255) * width));
  const none = packed([213, 94, 0]), factor = 255 / width;
  for (let k = 0; k < out.length; k++) {
    const t = (data[k] - scale.low) * factor;
    out[k] = t !== t ? none : table[t < 0 ? 0 : t > 255 ? 255 : (t + 0.5) | 0];
  }
}

export { photo };
