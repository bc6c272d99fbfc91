"""Hard votes on NumPy, a strip of cells at a time: the same numbers as the plain steps, many times faster.

What makes the difference: a strip stays in the cache; angles and lengths are taken in float32, several times as quick
as float64; and one ``bincount`` adds up all votes. A float32 angle is wrong by a millionth at most: the few pixels that
lie so close to a boundary are asked again in float64. A float32 length is wrong by 6e-8 of itself, and stays so;
the blocks are float32 too.
"""

from functools import lru_cache

import numpy as np

from cnnlib.features.hog.votes import pixel_votes

STRIP = 2**15  # pixels: their buffers fit the second-level cache
DOUBT = 1e-6  # of an angle: more than float32 can be wrong by
LARGEST = 1e15  # of a level: the square of a gradient is a finite float32
SIGN = np.int32(-2**31)  # the bit that a float32 has it in


def group_cells(cells, cells_per_block):
    """View contiguous `cells` as blocks, as its namesake does, in a fraction of the time."""
    *batch, rows, cols, n = cells.shape
    height, width = cells_per_block
    shape = (*batch, rows - height + 1, cols - width + 1, height, width, n)
    return np.ndarray(shape, cells.dtype, cells, 0, (*cells.strides[:-1], *cells.strides[-3:]))


def cell_histograms(image, orientations, pixels_per_cell):
    """Return the cell histograms of grey `image` (..., H, W), float32 or float64, no level beyond LARGEST.

    Returns
    -------
    array of shape (..., rows, cols, orientations), float32
    """
    height, width = pixels_per_cell
    *batch, rows, cols = image.shape
    images = image.reshape(-1, rows, cols)
    rows, cols = rows // height, cols // width
    cells = np.empty((len(images), rows, cols, orientations), np.float32)
    step = max(1, min(rows, STRIP // (height * image.shape[-1])))
    shape = step * height, image.shape[-1]
    buffers = [np.empty(shape, dtype) for dtype in (image.dtype, image.dtype, "f4", "f4", "f4", np.intp)]
    for one, its_cells in zip(images, cells):
        for first in range(0, rows, step):
            _count(one, first, orientations, pixels_per_cell, buffers, its_cells[first:first + step])
    return cells.reshape(*batch, rows, cols, orientations)


def _count(image, first, n, pixels_per_cell, buffers, out):
    """Write to `out` the histograms of some rows of cells of one picture, the upper one being number `first`."""
    height, width = pixels_per_cell
    size, cols = len(out) * height, out.shape[1]
    if size < len(buffers[0]):  # the last strip
        buffers = [buffer[:size] for buffer in buffers]
    row, col, down, right, other, place = buffers
    fold(image, first * height, row, col, down, right, other)

    # The bin: the angle is scaled a little too small, so that only those just below the end of a bin are in doubt.
    angle = np.arctan2(down, right, out=other)
    angle *= np.float32(n / np.pi * (1 - DOUBT))
    down *= down
    right *= right
    down += right
    length, bins = np.sqrt(down, out=down), np.floor(angle, out=right)
    angle -= bins
    doubtful = angle > np.float32(1 - 2 * n * DOUBT)
    if np.count_nonzero(doubtful):
        bins[doubtful] = pixel_votes(row[doubtful][None], col[doubtful][None], n)[0][0, 0]
    bins += _first_bins(size, image.shape[1], pixels_per_cell, n)
    np.copyto(place, bins, casting="unsafe")
    if cols * width < image.shape[1]:
        place, length = place[:, :cols * width], length[:, :cols * width]
    votes = np.bincount(place.ravel(), length.ravel(), out.size)
    np.divide(votes.reshape(out.shape), height * width, out=out, casting="same_kind")


def fold(image, first, row, col, down, right, spare):
    """Write the gradients of some rows of `image`, and once more in float32, turned into the upper half plane.

    By the sign of the gradient along the rows or, where that is 0, along the columns.
    """
    _differences(image, first, row, col)
    np.copyto(down, row, casting="same_kind")
    np.copyto(right, col, casting="same_kind")
    np.multiply(right, np.float32(1e-30), out=spare)
    spare += down
    sign, down_bits, right_bits = (a.view(np.int32) for a in (spare, down, right))
    sign &= SIGN
    down_bits ^= sign
    right_bits ^= sign


def _differences(image, first, row, col):
    """Write the gradients of some rows of `image`, from row `first`."""
    last = first + len(row)
    top, bottom = max(first, 1), min(last, len(image) - 1)
    np.subtract(image[top + 1:bottom + 1], image[top - 1:bottom - 1], out=row[top - first:bottom - first])
    if top > first:
        row[0] = 0
    if bottom < last:
        row[-1] = 0
    pixels = image[first:last].reshape(-1)  # as one long row, several times as quick; the border is written over
    np.subtract(pixels[2:], pixels[:-2], out=col.reshape(-1)[1:-1])
    col[:, 0] = col[:, -1] = 0


@lru_cache(16)
def _first_bins(height, width, pixels_per_cell, bins):
    """Return for each pixel of a strip where the bins of its cell begin."""
    row, col = (np.arange(size) // step for size, step in zip((height, width), pixels_per_cell))
    cols = width // pixels_per_cell[1]
    first = ((row[:, None] * cols + col) * bins).astype(np.float32)
    first.flags.writeable = False
    return first
