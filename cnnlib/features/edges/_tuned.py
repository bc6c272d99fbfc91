"""First derivatives of NumPy pictures, a band of rows at a time.

A whole picture passed through ten steps is read and written ten times from main memory. A band of rows small enough for
the cache makes all its steps there, in buffers that stay; each step is one long call, so that two threads can share the
bands. A band is framed and then taken as one line of numbers, in which the next row's neighbour stands `width` further
on: NumPy adds such a line three times as fast as the same numbers row by row. What the last two places of each row come
to mixes two rows, and is left out at the end. The sums are those of the plain body in another order.
"""

import numpy as np

from cnnlib import _array, _threads

BAND = 2**17  # pixels of a band: some 0.5 MiB for each of its few buffers
SMALL = 2**18  # pixels below which a second thread costs more than it does


def takes(x):
    """Whether the bodies in this file are for `x`: NumPy, at least one picture."""
    return not _array.is_torch(x) and x.size > 0


def derivatives(x, smoothing):
    """Return grad_row and grad_col of `x` (..., H, W), float32 or float64."""
    side, centre, _ = smoothing
    scale = x.dtype.type(2 * sum(smoothing))
    grad_row, grad_col = np.empty(x.shape, x.dtype), np.empty(x.shape, x.dtype)

    def smooth(before, middle, after, out, spare):
        """Write side * (before + after) + centre * middle into `out`."""
        np.add(before, after, out=out)
        if side != 1:
            np.multiply(out, side, out=out)
        return np.add(out, middle if centre == 1 else np.multiply(middle, centre, out=spare), out=out)

    def band(line, width, out_row, out_col):
        first, second, third = (_buffer(name, line.size - 2 * width, x.dtype) for name in "bcd")
        above, here, below = line[:-2 * width], line[width:-width], line[2 * width:]
        smooth(above, here, below, first, second)
        np.subtract(first[2:], first[:-2], out=second[:-2])
        np.divide(_rows(second, out_col, width), scale, out=out_col)
        np.subtract(below, above, out=first)
        smooth(first[:-2], first[1:-1], first[2:], second[:-2], third[:-2])
        np.divide(_rows(second, out_row, width), scale, out=out_row)

    _for_each_band(band, x, grad_row, grad_col)
    return grad_row, grad_col


def sobel_magnitude(x):
    """Return the length of Sobel's gradient of `x` (..., H, W), float32 or float64.

    Sums q of 2×2 neighbours come first. Sobel's two masks are then the sum and the difference of two diagonal steps,
    a = q11 - q00 and b = q10 - q01: row = a + b, col = a - b, so row² + col² = 2 (a² + b²).
    """
    out = np.empty(x.shape, x.dtype)
    scale = x.dtype.type(1 / 8)  # a power of two: exact

    def band(line, width, out):
        first, second = (_buffer(name, line.size - width, x.dtype) for name in "bc")
        np.multiply(line, scale, out=line)
        np.add(line[:-width], line[width:], out=first)
        q = np.add(first[:-1], first[1:], out=second[:-1])
        a = np.subtract(q[width + 1:], q[:-width - 1], out=first[:-width - 2])
        b = np.subtract(q[width:-1], q[1:-width], out=line[:a.size])
        np.multiply(a, a, out=a)
        np.multiply(b, b, out=b)
        np.add(a, b, out=a)
        np.add(a, a, out=a)
        np.sqrt(_rows(first, out, width), out=out)

    _for_each_band(band, x, out)
    return out


def _rows(line, out, width):
    """View the beginning of a line of numbers as the rows of `out`."""
    height = len(out)
    return line[:height * width].reshape(height, width)[:, :out.shape[1]]


def _for_each_band(work, x, *outs):
    """Call ``work(line of the framed band, its width, *the outs' rows)`` for each band of each picture."""
    height, width = x.shape[-2:]
    pictures = [a.reshape(-1, height, width) for a in (x, *outs)]  # outs are new: this views them
    step = max(1, BAND // (width + 2))
    bands = [(n, start, min(start + step, height)) for n in range(len(pictures[0])) for start in range(0, height, step)]

    @_array.quietly
    def job(part):
        for n, start, stop in part:
            picture, *results = (a[n] for a in pictures)
            work(_framed(picture, start, stop).reshape(-1), width + 2, *(a[start:stop] for a in results))

    half = len(bands) // 2 if x.size > SMALL else 0
    _threads.run_all(job, [part for part in (bands[:half], bands[half:]) if part], multiply=False)


def _framed(picture, start, stop):
    """Copy rows start - 1 to stop of a picture, and one column more on either side: the frame is repeated."""
    height, width = picture.shape
    out = _buffer("a", (stop - start + 2) * (width + 2), picture.dtype).reshape(-1, width + 2)
    first, last = max(start - 1, 0), min(stop + 1, height)
    inside = out[first - start + 1:last - start + 1]
    inside[:, 1:-1] = picture[first:last]
    inside[:, 0], inside[:, -1] = inside[:, 1], inside[:, -2]
    if first == start:
        out[0] = out[1]
    if last == stop:
        out[-1] = out[-2]
    return out


def _buffer(name, size, dtype):
    """Return `size` uninitialised numbers, in the same memory at each call by the same thread."""
    return _threads.scratch(f"edges {name}", (size * dtype.itemsize // 4,)).view(dtype)
