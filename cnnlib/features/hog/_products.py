"""Trilinear votes on NumPy as matrix products: the same numbers as the plain steps, many times faster.

Seen over the angle, what a pixel gives to a bin is a hat: it rises to the bin's centre and falls again. A hat is the
second difference of ``min(angle, centre)``, so a strip of pixels is copied once for each bin, cut at it, and no vote
is sent anywhere. What a pixel gives to the cells around it, times the Gaussian, is a factor for its row times a
factor for its column: two matrix products add up all votes. The differences are taken last, of a few numbers for each
cell. All is float32, which leaves the descriptor right within 1e-5 for up to MOST bins.
"""

from functools import lru_cache

import numpy as np

from cnnlib._threads import one_blas_thread, scratch
from cnnlib.features.hog._strips import angles, differences, lengths, room
from cnnlib.features.hog.blocks import shares

MOST = 12  # bins: differences of larger numbers lose more digits
LEAN = np.float32(1e-12)  # of the axes: makes no difference but at 90 degrees
STRIP = 2**14  # pixels: their copies fit the second-level cache


@one_blas_thread()
def block_histograms(image, orientations, pixels_per_cell, cells_per_block, window_sigma=None):
    """Return the block histograms of grey `image` (..., H, W), float32 or float64, no level beyond _strips.LARGEST.

    Returns
    -------
    array of shape (..., block rows, block cols, rows in the block, cols in the block, orientations), float32
    """
    *batch, height, width = image.shape
    images = image.reshape(-1, height, width)
    (cell_rows, cell_cols), (block_rows, block_cols) = pixels_per_cell, cells_per_block
    rows, cols = height // cell_rows, width // cell_cols
    to_rows, to_cols = (_pieces(*sizes, window_sigma) for sizes in zip(pixels_per_cell, cells_per_block))
    planes = _hats(orientations).shape[1]
    sums = scratch("hog sums", (block_rows**2, planes, rows, cols * cell_cols))
    shape = rows - block_rows + 1, cols - block_cols + 1, block_rows, block_cols, orientations
    out = np.empty((len(images), *shape), np.float32)
    step = max(1, min(rows, STRIP // (cell_rows * width)))
    for one, its_blocks in zip(images, out):
        for first in range(0, rows, step):
            last = min(first + step, rows)
            cut = _cut(one, first, last, cell_rows, cols * cell_cols, orientations)
            if last - first == rows:  # a small picture
                np.matmul(to_rows, cut.reshape(cell_rows, -1), out=sums.reshape(len(sums), -1))
            else:
                strip = to_rows @ cut.reshape(cell_rows, -1)
                sums[:, :, first:last] = strip.reshape(block_rows**2, planes, last - first, -1)
        _assemble(sums, to_cols, its_blocks)
    return out.reshape(*batch, *shape)


@lru_cache(32)
def _pieces(pixels_per_cell, cells_per_block, window_sigma):
    """Return what a pixel gives to the mean of each cell of a block, by where its own cell stands in the block.

    Returns
    -------
    float32 array of shape (place of its cell * cell, pixels of a cell)
    """
    given = shares(pixels_per_cell, cells_per_block, window_sigma) / pixels_per_cell
    pieces = given.reshape(cells_per_block, cells_per_block, pixels_per_cell).transpose(1, 0, 2)
    pieces = np.ascontiguousarray(pieces.reshape(cells_per_block**2, pixels_per_cell), np.float32)
    pieces.flags.writeable = False
    return pieces


def _cut(image, first, last, cell_rows, width, n):
    """Return the gradients' angles, from -90 to 90 degrees, times their lengths, cut at each bin's centre.

    Returns
    -------
    float32 array of shape (cell_rows, planes, rows of cells, width)
        Cut at the smallest centre above 0, from above; at the one as far below 0, from below and times -1; and so on;
        then the whole, then the lengths.
    """
    exact = room(((last - first) * cell_rows, image.shape[1]), image.dtype)
    differences(image, first * cell_rows, exact)
    by_row = exact.reshape(2, last - first, cell_rows, -1).transpose(0, 2, 1, 3)[..., :width]
    shape = by_row.shape[1:]
    single = scratch("hog strip, single", (4, *shape))
    both, limit = single[:2], single[3]
    both[...] = by_row
    planes = _hats(n).shape[1]
    size = planes * both[0, 0].size
    cut = scratch("hog cut", (cell_rows, size + 16))[:, :size]  # rows 4 KiB apart would get in each other's way
    cut.shape = cell_rows, planes, *shape[1:]
    angle = angles(*both, single[2], LEAN)
    length = lengths(both)
    cut[:, -1] = length
    angle *= length
    cut[:, -2] = angle
    opposite = np.negative(angle, out=both[1])
    for k in range(n // 2):  # both centres at once
        np.multiply(length, np.float32((k + 0.5) * np.pi / n), out=limit)
        np.minimum(angle, limit, out=cut[:, 2 * k])
        np.maximum(opposite, limit, out=cut[:, 2 * k + 1])
    return cut


def _assemble(sums, to_cols, out):
    """Write to `out` the blocks of one picture, from what the rows of pixels in each row of cells give."""
    rows, cols, block_rows, block_cols, n = out.shape
    sums = sums.reshape(block_rows, block_rows, *sums.shape[1:])
    by_row = sums[0, :, :, :rows]
    for place in range(1, block_rows):
        by_row = by_row + sums[place, :, :, place:place + rows]
    both = to_cols @ by_row.reshape(-1, to_cols.shape[1]).T
    both = both.reshape(block_cols, block_cols, *by_row.shape[:3], -1)
    cut = both[0, ..., :cols]
    for place in range(1, block_cols):
        cut = cut + both[place, ..., place:place + cols]
    hats = cut.reshape(*cut.shape[:3], rows * cols).swapaxes(-1, -2) @ _hats(n).T
    hats = hats.reshape(block_cols, block_rows, rows, cols, n).transpose(2, 3, 1, 0, 4)
    np.maximum(hats, 0, out=out)  # rounding may leave less than nothing


@lru_cache(16)
def _hats(n):
    """Return the matrix that makes the n bins' hats of the planes that :func:`_cut` returns.

    Returns
    -------
    float32 array of shape (n, planes)
    """
    centres = np.arange(n // 2) + 0.5
    centres = np.stack([centres, -centres], 1).ravel()
    inside = np.sort(centres)
    ends = np.array([-n / 2, *inside, n / 2])
    away = ends - np.arange(n)[:, None] - 0.5 - n * np.arange(-1, 2)[:, None, None]  # the circle closes
    values = np.maximum(0, 1 - abs(away)).sum(0)
    slopes = np.diff(values) / np.diff(ends)
    bends = np.diff(slopes)[:, np.searchsorted(inside, centres)]
    hats = [-bends * np.sign(centres), slopes[:, -1:], values[:, :1] + slopes[:, :1] * n / 2]
    hats = np.concatenate(hats, 1)
    hats[:, :-1] *= n / np.pi  # angles are in radians, the last plane is not
    hats = hats.astype(np.float32)
    hats.flags.writeable = False
    return hats
