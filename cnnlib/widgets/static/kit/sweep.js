// One pass over a picture: adding one tap of a filter, or finding its ends.
import { ceil, floor, max, min } from "./numbers.js";

// out += weight * (the plane shifted): one tap of the filter, one sweep over the picture.
function addTap(out, [rows, cols], plane, [h, w], down, right, stride, weight) {
  const outside = weight * 0;                       // NaN for a weight that is not finite, as zero padding gives
  const first = max(0, ceil(-right / stride));
  const last = min(cols - 1, floor((w - 1 - right) / stride));
  for (let i = 0; i < rows; i++) {
    const r = i * stride + down, o = i * cols;
    const inside = r >= 0 && r < h;
    if (outside !== 0) {
      for (let j = 0; j < cols; j++) if (!inside || j < first || j > last) out[o + j] += outside;
    }
    if (!inside) continue;
    let from = r * w + first * stride + right;
    for (let j = first; j <= last; j++, from += stride) out[o + j] += weight * plane[from];
  }
}

// [lowest, highest] of the numbers that are numbers.
function range(data) {
  let low = Infinity, high = -Infinity;
  for (const x of data) {
    if (x < low && x !== -Infinity) low = x;
    if (x > high && x !== Infinity) high = x;
  }
  return low <= high ? [low, high] : [0, 0];
}

export { addTap, range };
