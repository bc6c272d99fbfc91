// A pad to draw on: pointer, touch, or a cursor moved by keys that Space lets ink.
import { element, div, on, arrow } from "./dom.js";
import { ceil, floor, max, min, round } from "./numbers.js";

// Ink along the line from one place to another, in pixels (row, column); what is darker stays.
function ink({ shape: [h, w], data }, [r0, c0], [r1, c1], radius) {
  const out = Float32Array.from(data), [dr, dc] = [r1 - r0, c1 - c0], length = dr * dr + dc * dc;
  const from = (a, b) => max(0, floor(min(a, b) - radius - 1)), to = (a, b, n) => min(n - 1, ceil(max(a, b) + radius + 1));
  for (let i = from(r0, r1); i <= to(r0, r1, h); i++) {
    for (let j = from(c0, c1); j <= to(c0, c1, w); j++) {
      const t = length ? min(1, max(0, ((i - r0) * dr + (j - c0) * dc) / length)) : 0;
      const far = Math.hypot(i - r0 - t * dr, j - c0 - t * dc), value = min(1, max(0, radius + 0.5 - far));
      if (value > out[i * w + j]) out[i * w + j] = value;
    }
  }
  return { shape: [h, w], data: out };
}

// hands: drawing() gives what is on the pad; stroke(drawing, phase, event) gets each new one, "more" or "end".
function pad({ part, label, signal, drawing, stroke }) {
  const canvas = element("canvas.cw-pad", { tabindex: 0, role: "img", "data-part": part, "aria-label": label });
  const box = div("cw-pad-box", canvas);
  const me = { element: box, canvas, at: null };
  let last = null, keys = false, now = null;         // now: the stroke so far, whatever a kernel says meanwhile

  const radius = () => 0.35 + 0.042 * max(...drawing().shape);
  const place = (e) => {
    const area = canvas.getBoundingClientRect(), [h, w] = drawing().shape;
    return [((e.clientY - area.top) / area.height) * h - 0.5, ((e.clientX - area.left) / area.width) * w - 0.5];
  };
  const lineTo = (to, e) => { now = ink(now || drawing(), last || to, to, radius()); last = to; stroke(now, "more", e); };
  const end = (e) => { if (!last) return; const done = now; [last, now] = [null, null]; stroke(done, "end", e); };
  on(canvas, signal, {
    pointerdown: (e) => {
      if (e.button) return;
      canvas.setPointerCapture?.(e.pointerId);
      keys = false;
      lineTo(place(e), e);
    },
    pointermove: (e) => { if (last) for (const each of e.getCoalescedEvents?.() || [e]) lineTo(place(each), e); },
    pointerup: end, pointercancel: end, lostpointercapture: end,
    blur: () => { keys = false; stroke(null, "look"); },
    keydown: (e) => {
      const way = arrow(e), [h, w] = drawing().shape, far = e.shiftKey ? 4 : 1;
      me.at ||= [floor(h / 2), floor(w / 2)];
      if (way) me.at = [min(h - 1, max(0, me.at[0] + far * way[0])), min(w - 1, max(0, me.at[1] + far * way[1]))];
      else if (e.key !== " ") return;
      e.preventDefault();
      keys = true;
      if (way) return stroke(null, "look");
      stroke(ink(drawing(), me.at, me.at, radius()), "end", e);
    },
  });

  // side: the width in CSS pixels.
  me.draw = (side, mark) => {
    const { shape: [h, w], data } = drawing(), density = window.devicePixelRatio || 1, k = side / w, high = round(h * k);
    Object.assign(canvas.style, { width: `${side}px`, height: `${high}px` });
    if (canvas.width !== round(side * density) || canvas.height !== round(high * density)) [canvas.width, canvas.height] = [round(side * density), round(high * density)];
    const context = canvas.getContext("2d"), small = me.small ||= document.createElement("canvas");
    if (small.width !== w || small.height !== h) [small.width, small.height] = [w, h];
    const image = new ImageData(w, h);
    for (let n = 0; n < data.length; n++) { const v = 255 * data[n]; image.data.set([v, v, v, 255], 4 * n); }
    small.getContext("2d").putImageData(image, 0, 0);
    context.setTransform(density, 0, 0, density, 0, 0);
    context.imageSmoothingEnabled = false;
    context.drawImage(small, 0, 0, side, high);
    if (keys && me.at) {
      context.lineWidth = 2;
      context.strokeStyle = mark;
      context.strokeRect((me.at[1] - 0.5) * k, (me.at[0] - 0.5) * k, 2 * k, 2 * k);
    }
    canvas.dataset.focus = keys && me.at ? me.at.join() : "";
  };
  return me;
}

export { ink, pad };
