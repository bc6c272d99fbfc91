// A photo with the field of one unit on it: dashed where it reaches beyond, and the view large enough for all units.
import { element } from "./dom.js";
import { PAPER, css } from "./scale.js";
import { max, min, round } from "./numbers.js";

const LEAST_PHOTO = 0.4;                             // of the view; a field that reaches further out is cut off

// How a photo of `size` stands in a view `wide` pixels wide, so that what any unit sees is in it:
// fields: null, or one or several { start, jump, sees, units }.
function viewOf(size, fields, wide) {
  const edge = 0.04 * wide, all = [fields || []].flat();
  const reach = size.map((n, a) => [min(0, ...all.map(({ start }) => start[a])), max(n, ...all.map((f) => f.start[a] + (f.units[a] - 1) * f.jump[a] + f.sees[a]))]);
  const most = max(...reach.map(([low, high]) => high - low)), scale = (wide - 2 * edge) / min(most, max(...size) / LEAST_PHOTO);
  const high = round(min(wide, (reach[0][1] - reach[0][0]) * scale + 2 * edge));
  return { scale, wide, high, origin: reach.map(([low, top], a) => ([high, wide][a] - (low + top) * scale) / 2) };
}

const PICTURES = new WeakMap();

function pictureOf(pixels) {
  if (!PICTURES.has(pixels)) {
    const [h, w] = pixels.shape, picture = element("canvas", { width: w, height: h }), context = picture.getContext("2d"), image = context.createImageData(w, h);
    pixels.data.forEach((x, k) => image.data.set([255 * x, 255 * x, 255 * x, 255], 4 * k));
    context.putImageData(image, 0, 0);
    PICTURES.set(pixels, picture);
  }
  return PICTURES.get(pixels);
}

// Draw the photo where the view has it; return the canvas' context, for what is drawn over it, and the photo's rectangle.
function drawPhoto(canvas, pixels, [h, w], { scale, origin, wide, high }) {
  const density = window.devicePixelRatio || 1, context = canvas.getContext("2d"), photo = [origin[1], origin[0], w * scale, h * scale];
  canvas.style.height = `${high}px`;
  if (canvas.width !== round(wide * density) || canvas.height !== round(high * density)) [canvas.width, canvas.height] = [round(wide * density), round(high * density)];
  context.setTransform(density, 0, 0, density, 0, 0);
  context.clearRect(0, 0, wide, high);
  context.imageSmoothingEnabled = false;
  context.drawImage(pictureOf(pixels), ...photo);
  return { context, photo };
}

// boxes: [{ first: [row, col], size: [rows, cols], colour, dotted }, …], in pixels of the input.
function drawField(canvas, pixels, size, view, boxes) {
  const { context, photo } = drawPhoto(canvas, pixels, size, view), { scale, origin } = view;
  for (const { first, size: sizes, colour, dotted } of boxes) {
    const [y, x] = first.map((v, a) => origin[a] + v * scale), [tall, broad] = sizes.map((v) => max(v * scale, 3));
    const stroke = (width, ink, dash) => {
      context.lineWidth = width;
      context.strokeStyle = css(ink);
      context.setLineDash(dash);
      context.strokeRect(x, y, broad, tall);
    };
    const twice = (dash) => { stroke(4.5, PAPER.light, dotted ? [] : dash); stroke(2.5, colour, dash); };
    context.save();
    if (!dotted) twice([6, 4]);
    context.beginPath();
    context.rect(...(dotted ? [0, 0, view.wide, view.high] : photo));
    context.clip();
    twice(dotted ? [2.5, 2.5] : []);
    context.restore();
  }
}

export { viewOf, drawPhoto, drawField };
