"""Blur in NumPy, made for speed: a product with a band, in few and long calls.

Blurring with a Gaussian is a product with a matrix that is zero away from its diagonal. Cut into strips of a few rows,
only the band of each is multiplied: a small matrix product, which a processor does many times faster than it adds up
shifted pictures. Away from the edges all strips hold the same weights, each a little further right; so one call of
`matmul` does them all, on a view in which the bands, though they overlap, are pictures of their own.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from cnnlib._threads import run_all, scratch
from cnnlib.features.sift._image import reflected

DOWN = 4  # rows that one small product makes down the columns: the fewer, the fewer zeros are multiplied
ACROSS = 16  # columns that one makes along the rows: fewer, and BLAS no longer fills its registers
TOGETHER = 64  # rows of such a product
GAP = 16  # pixels between the rows that it reads: rows a power of two apart fall into the same few lines of the cache
SLAB = 2 ** 17, 2 ** 19  # pixels of the result at a time: not worth a second thread, and too much for its cache
SMALL = 64  # rows or columns of which the whole matrix is multiplied


def blur(image, taps, out, double=False):
    """Write the (H, W) picture (at twice its size, if `double`), blurred with the taps, a tuple, into `out`."""
    image = np.ascontiguousarray(image)
    cuts = _cuts(*out.shape)

    def slab(number):
        _rows(image, taps, out, cuts[number], cuts[number + 1], double)

    run_all(slab, range(len(cuts) - 1))
    return out


def blur_on(levels, several):
    """Blur the first of some pictures, (L, H, W), with the first taps into the second, that into the third, and so on.

    Two threads need not wait for each other after each picture: one begins at the top and stops short of the middle by
    what the pictures so far have reached, the other begins as far below it. What they leave, a wedge, is done at the
    end.
    """
    height, width = levels.shape[1:]
    cuts = _cuts(height, width)
    reaches = [-(-(len(taps) // 2) // DOWN) * DOWN for taps in several]  # in whole strips
    short = [sum(reaches[:number]) for number in range(len(several) + 1)]
    if len(cuts) < 3 or cuts[1] < 2 * short[-1] + SMALL or cuts[-1] - cuts[-2] < 2 * short[-1] + SMALL:
        for number, taps in enumerate(several):
            blur(levels[number], taps, levels[number + 1])
        return

    def slab(number):
        for level, taps in enumerate(several):
            top = cuts[number] + (short[level + 1] if number else 0)
            bottom = cuts[number + 1] - (short[level + 1] if number < len(cuts) - 2 else 0)
            _rows(levels[level], taps, levels[level + 1], top, bottom)

    run_all(slab, range(len(cuts) - 1))
    for level, taps in enumerate(several):
        for cut in cuts[1:-1]:
            _rows(levels[level], taps, levels[level + 1], cut - short[level + 1], cut + short[level + 1])


def _cuts(height, width):
    """Return the rows at which a picture is cut into slabs, its first and last among them."""
    rows = min(max(height * width // 2, SLAB[0]), SLAB[1]) // width // DOWN * DOWN
    count = max(-(-height // max(rows, 1)), 1) if height > SMALL else 1
    return [*(height * number // count // DOWN * DOWN for number in range(count)), height]


def _rows(image, taps, out, top, bottom, double=False):
    """Write the rows `top` to `bottom` of the blurred picture into `out`."""
    between = scratch("sift blur", (bottom - top, image.shape[1] + GAP))
    for part in _cut(taps, len(out), double, top, bottom):
        _down(part, image, between[part.start - top:part.end - top, :-GAP])
    for part in _parts(taps, out.shape[1], ACROSS, double):
        _across(part, between, out[top:bottom])


class Part(NamedTuple):
    """Strips of the blur's matrix that hold the same weights: `count` of them, from row `start` to row `end`.

    The weights of the first begin in column `first`, those of each further one `step` columns further right.
    """

    start: int
    end: int
    count: int
    first: int
    step: int
    weights: np.ndarray  # (rows of a strip, columns of its band)
    turned: np.ndarray  # their transpose


def _down(part, image, out):
    """Multiply the part with the picture's columns."""
    rows, band = part.weights.shape
    width = image.shape[1]
    bands = _view(image, part.first * width, (part.count, band, width), (part.step * width, width, 1))
    np.matmul(part.weights, bands, out=out.reshape(part.count, rows, width))


def _across(part, image, out):
    """Multiply the picture's rows with the part: some at a time, and those that are left."""
    band, cols = part.turned.shape
    height, width, out_width = *image.shape, out.shape[1]
    whole = height // TOGETHER * TOGETHER
    for top, rows, groups in ((0, TOGETHER, whole // TOGETHER), (whole, height - whole, 1)):
        if rows and groups:
            bands = _view(image, top * width + part.first, (groups, part.count, rows, band),
                          (rows * width, part.step, width, 1))
            strips = _view(out, top * out_width + part.start, (groups, part.count, rows, cols),
                           (rows * out_width, cols, out_width, 1))
            np.matmul(bands, part.turned, out=strips)


def _view(array, start, shape, steps):
    """Return a view of an array without gaps, from its element `start` on; its parts may overlap."""
    return np.ndarray(shape, array.dtype, array, start * array.itemsize, [step * array.itemsize for step in steps])


@lru_cache(1024)
def _cut(taps, size, double, top, bottom):
    """Return the parts of the matrix down the columns that make these rows; both ends are cuts between strips."""
    parts = _parts(taps, size, DOWN, double)
    if len(parts) == 1:
        return parts
    head, inner, tail = parts
    start, end = max(top, inner.start), min(bottom, inner.end)
    strips = (start - inner.start) // DOWN
    middle = inner._replace(start=start, end=end, count=(end - start) // DOWN, first=inner.first + strips * inner.step)
    return [*[head] * (top == 0), middle, *[tail] * (bottom == size)]


@lru_cache(256)
def _parts(taps, size, rows, double):
    """Return the blur's matrix for pictures of this size: what the mirrors touch, strips of so many rows, the rest."""
    reach = len(taps) // 2 + 2
    first, last = -(-reach // rows) * rows, (size - reach) // rows * rows
    if size <= SMALL or last <= first:
        return [_part(taps, size, 0, size, double)]
    inner = _part(taps, size, first, first + rows, double)
    inner = inner._replace(end=last, count=(last - first) // rows, step=rows // 2 if double else rows)
    return [_part(taps, size, 0, first, double), inner, _part(taps, size, last, size, double)]


def _part(taps, size, start, end, double):
    """Return one strip: the part of the matrix's rows that is not zero."""
    reach = len(taps) // 2
    columns = reflected(np.arange(start - reach, end + reach), size)
    if double:  # pixel j of the doubled picture is 3/4 of the old one at j // 2 and 1/4 of the one on j's side of it
        near = columns // 2
        far = np.clip(near + 2 * (columns % 2) - 1, 0, size // 2 - 1)
    else:
        near = far = columns
    first = min(near.min(), far.min())
    weights = np.zeros((end - start, max(near.max(), far.max()) + 1 - first))
    rows = np.arange(end - start)[:, None]
    reached = rows + np.arange(len(taps))
    np.add.at(weights, (rows, near[reached] - first), 0.75 * np.array(taps))
    np.add.at(weights, (rows, far[reached] - first), 0.25 * np.array(taps))
    weights = weights.astype(np.float32)
    return Part(start, end, 1, int(first), 0, weights, np.ascontiguousarray(weights.T))
