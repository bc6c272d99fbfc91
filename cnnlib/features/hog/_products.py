"""Trilinear votes on NumPy as matrix products: the same numbers as the plain steps, many times faster.

Seen over the angle, what a pixel gives to a bin is a hat: it rises to the bin's centre and falls again. A hat is the
second difference of ``min(position, k)``, so a strip of pixels is copied once for each bin, cut at it, and no vote is
sent anywhere. What a pixel gives to the cells around it, times the Gaussian, is a factor for its row times a factor for
its column: two matrix products add up all votes. The differences are taken last, of a few numbers for each cell.
All is float32, which leaves the descriptor right within 1e-5 for up to MOST bins.
"""

from functools import lru_cache

import numpy as np

from cnnlib._threads import one_blas_thread
from cnnlib.features.hog._strips import fold
from cnnlib.features.hog.blocks import shares

MOST = 12  # bins: differences of larger numbers lose more digits
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
    planes = orientations + 2
    sums = np.empty((block_rows**2, planes, rows, cols * cell_cols), np.float32)
    shape = rows - block_rows + 1, cols - block_cols + 1, block_rows, block_cols, orientations
    out = np.empty((len(images), *shape), np.float32)
    step = max(1, min(rows, STRIP // (cell_rows * width)))
    for one, its_blocks in zip(images, out):
        for first in range(0, rows, step):
            last = min(first + step, rows)
            cut = _cut(one, first, last, cell_rows, cols * cell_cols, orientations)
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
    """Return the positions of the gradients in some rows of cells, times their lengths, cut at each bin.

    Returns
    -------
    float32 array of shape (cell_rows, n + 2, rows of cells, width)
    """
    shape = (last - first) * cell_rows, image.shape[1]
    row, col = np.empty(shape, image.dtype), np.empty(shape, image.dtype)
    down, right, angle = (np.empty(shape, np.float32) for _ in range(3))
    fold(image, first * cell_rows, row, col, down, right, angle)
    np.arctan2(down, right, out=angle)
    down *= down
    right *= right
    down += right
    by_row = (last - first, cell_rows, shape[1])
    angle, squared = (np.ascontiguousarray(a.reshape(by_row).transpose(1, 0, 2)[..., :width]) for a in (angle, down))
    lengths = np.sqrt(squared, out=squared)
    angle *= np.float32(n / np.pi)
    angle -= np.float32(n / 2)  # the position: in bins, 0 in the middle of them all, where it loses the fewest digits
    angle *= lengths
    planes = (n + 2) * lengths[0].size
    cut = np.empty((cell_rows, planes + 16), np.float32)[:, :planes]  # rows 4 KiB apart would get in each other's way
    cut.shape = cell_rows, n + 2, *lengths.shape[1:]
    limit = np.empty_like(lengths)
    for k in range(n + 1):  # at the centres of the bins, from bin -1; no angle lies beyond that of bin n
        np.multiply(lengths, np.float32(k - (n + 1) / 2), out=limit)
        np.minimum(angle, limit, out=cut[:, k])
    cut[:, -1] = angle
    return cut


def _assemble(sums, to_cols, out):
    """Write to `out` the blocks of one picture, from what the rows of pixels in each row of cells give."""
    rows, cols, block_rows, block_cols, n = out.shape
    sums = sums.reshape(block_rows, block_rows, *sums.shape[1:])
    by_row = sums[0, :, :, :rows]
    for place in range(1, block_rows):
        by_row = by_row + sums[place, :, :, place:place + rows]
    both = to_cols @ by_row.reshape(-1, to_cols.shape[1]).T
    both = both.reshape(block_cols, block_cols, block_rows, n + 2, rows, -1)
    cut = both[0, ..., :cols]
    for place in range(1, block_cols):
        cut = cut + both[place, ..., place:place + cols]
    hats = _hats(n) @ cut.reshape(block_cols, block_rows, n + 2, rows * cols)
    hats = hats.reshape(block_cols, block_rows, n, rows, cols).transpose(3, 4, 1, 0, 2)
    np.maximum(hats, 0, out=out)  # rounding may leave less than nothing


@lru_cache(16)
def _hats(n):
    """Return the matrix that makes the n bins' hats of what was cut at the n + 1 centres from bin -1, and of the whole.

    Returns
    -------
    float32 array of shape (n, n + 2)
    """
    ramps = np.diff(np.eye(n + 2), axis=0)
    hats = -np.diff(ramps, axis=0)
    hats[0] += ramps[-1]  # the circle closes: what lies beyond the centre of the last bin
    hats[-1] -= ramps[0]  # and before that of the first
    hats[-1, 0] -= 2 / (n + 1)  # what was cut at bin -1 is the length, times the centre of that bin
    hats = hats.astype(np.float32)
    hats.flags.writeable = False
    return hats
