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
    height, width = out.shape
    across = _parts(taps, width, ACROSS, double)

    def slab(down):
        top, bottom = down[0].start, down[-1].end
        between = scratch("sift blur", (bottom - top, image.shape[1] + GAP))
        for part in down:
            _down(part, image, between[part.start - top:part.end - top, :-GAP])
        for part in across:
            _across(part, between, out[top:bottom])

    run_all(slab, _slabs(taps, height, double, min(max(out.size // 2, SLAB[0]), SLAB[1]) // width))
    return out


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


@lru_cache(256)
def _slabs(taps, size, double, rows):
    """Return the parts of the matrix down the columns, in lists that make about so many rows each."""
    parts = _parts(taps, size, DOWN, double)
    if len(parts) == 1:
        return [parts]
    head, inner, tail = parts
    most = max(rows // DOWN, 1)
    pieces = []
    for begun in range(0, inner.count, most):
        count = min(most, inner.count - begun)
        start = inner.start + begun * DOWN
        pieces.append([inner._replace(start=start, end=start + count * DOWN, count=count,
                                      first=inner.first + begun * inner.step)])
    pieces[0].insert(0, head)
    pieces[-1].append(tail)
    return pieces


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
