"""Hard votes on NumPy, a strip of cells at a time: the same numbers as the plain steps, many times faster.

What makes the difference: a strip stays in the cache; its angles are taken in float32, several times as quick as
float64; and one ``bincount`` adds up all its votes. A float32 angle is wrong by a millionth of a turn at most: the few
pixels that lie so close to a boundary are asked again in float64. Lengths stay in the image's dtype.
"""

from functools import lru_cache

import numpy as np

from cnnlib.features.hog.votes import pixel_votes

STRIP = 2**15  # pixels: their buffers fit the second-level cache
DOUBT = 1e-6  # of 180 degrees: more than a float32 angle can be wrong by
LARGEST = 1e15  # of a level: the square of a gradient is a finite float32
SIGN = np.int32(-2**31)  # the bit that a float32 has it in


def cell_histograms(image, orientations, pixels_per_cell):
    """Return the cell histograms of grey `image` (..., H, W), float32 or float64, no level beyond LARGEST.

    Returns
    -------
    array of shape (..., rows, cols, orientations), float64
    """
    height, width = pixels_per_cell
    *batch, rows, cols = image.shape
    images = image.reshape(-1, rows, cols)
    rows, cols = rows // height, cols // width
    cells = np.empty((len(images), rows, cols, orientations))
    step = max(1, min(rows, STRIP // (height * image.shape[-1])))
    shape = step * height, image.shape[-1]
    buffers = [np.empty(shape, dtype) for dtype in (image.dtype, image.dtype, "f4", "f4", "i4", np.intp)]
    for one, its_cells in zip(images, cells):
        for first in range(0, rows, step):
            _count(one, first, orientations, pixels_per_cell, buffers, its_cells[first:first + step])
    cells /= height * width
    return cells.reshape(*batch, rows, cols, orientations)


def _count(image, first, n, pixels_per_cell, buffers, out):
    """Write to `out` the summed votes of some rows of cells of one picture, the upper one being number `first`."""
    height, width = pixels_per_cell
    size, cols = len(out) * height, out.shape[1]
    if size < len(buffers[0]):  # the last strip
        buffers = [buffer[:size] for buffer in buffers]
    row, col, angle, other, sign, place = buffers
    _differences(image, first * height, row, col)

    np.copyto(angle, row, casting="same_kind")
    np.copyto(other, col, casting="same_kind")
    angle_bits, other_bits = angle.view(np.int32), other.view(np.int32)
    np.bitwise_and(angle_bits, SIGN, out=sign)
    angle_bits ^= sign  # turned into the upper half plane
    other_bits ^= sign
    np.arctan2(angle, other, out=angle)
    angle *= np.float32(n / np.pi * (1 + DOUBT / 2))  # 180 degrees give n at least, which counts as 0 below
    np.floor(angle, out=other)
    angle -= other
    doubtful = angle < np.float32(DOUBT * n)
    doubtful &= row != 0  # without a gradient along the rows the bin is right
    doubtful |= angle > np.float32(1 - DOUBT * n)
    if doubtful.any():
        other[doubtful] = pixel_votes(row[doubtful][None], col[doubtful][None], n)[0][0, 0]
    other += _first_bins(size, image.shape[1], pixels_per_cell, n + 1)
    np.copyto(place, other, casting="unsafe")

    row *= row
    col *= col
    row += col
    np.sqrt(row, out=row)
    if cols * width < image.shape[1]:
        place, row = place[:, :cols * width], row[:, :cols * width]
    votes = np.bincount(place.ravel(), row.ravel(), len(out) * cols * (n + 1)).reshape(-1, cols, n + 1)
    out[:] = votes[..., :n]
    out[..., 0] += votes[..., n]


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
