// A picture too large for numbers: drawn once through a table of tones, with boxes on a layer of its own.
import { element, div, on, arrow } from "./dom.js";
import { floor, max, min, round } from "./numbers.js";

// options: part and label (both as the role where left out), role, signal; hands, all optional: enter(row, col), leave(), choose(row, col), move(rows, cols), zoom(±1).
function photo(options) {
  const { signal, role, part = role, label = part } = options;
  const picture = element("canvas.cw-picture", { "aria-hidden": "true" });
  const overlay = element("canvas.cw-overlay", { tabindex: 0, role: "img", "data-part": part, "aria-label": label });
  const box = div(`cw-photo cw-${role}`, picture, overlay);
  const me = { element: box, overlay, rows: 1, cols: 1 };

  // Fit the picture into `width` CSS pixels and draw it: rgb(k, pixel array, offset) or a scale over data.
  me.draw = ({ rows, cols, data, scale, width, height = width }) => {
    const fit = min(width / cols, height / rows);
    const [w, h] = [max(1, round(cols * fit)), max(1, round(rows * fit))];
    box.style.width = `${w}px`;
    box.style.height = `${h}px`;
    const density = window.devicePixelRatio || 1;
    if (overlay.width !== round(w * density) || overlay.height !== round(h * density)) [overlay.width, overlay.height] = [round(w * density), round(h * density)];
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
      const [w, h] = [max(cols * me.fit, 5), max(rows * me.fit, 5)];
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

  const pixel = (e) => {
    const place = overlay.getBoundingClientRect();
    const at = (x, from, size, n) => min(n - 1, max(0, floor(((x - from) / size) * n)));
    return [at(e.clientY, place.top, place.height, me.rows), at(e.clientX, place.left, place.width, me.cols)];
  };
  on(overlay, signal, {
    pointermove: (e) => options.enter?.(...pixel(e)),
    pointerleave: () => options.leave?.(),
    click: (e) => options.choose?.(...pixel(e)),
    keydown: (e) => {
      const way = arrow(e), far = e.shiftKey ? 10 : 1;
      if (/^[+\-\u2212]$/.test(e.key)) options.zoom?.(e.key === "+" ? 1 : -1);
      if (!way) return;
      e.preventDefault();
      options.move?.(way[0] * far, way[1] * far);
    },
  });
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
