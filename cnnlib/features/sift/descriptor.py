"""Descriptor (Lowe, section 6): what the surroundings of a point look like, in 128 numbers.

An upright patch is cut out of the blurred picture: turned by the point's orientation, as wide as its scale says. Its
gradients are counted into 4 × 4 cells of 8 directions each. Rows and columns of the patch are those of the turned
frame, so nothing after the cut knows of orientation or scale.
"""

from functools import cache
from math import pi

import numpy as np

from cnnlib import _array

CELLS = 4  # along either side
BINS = 8  # directions in a cell
CELL_SIZE = 3.0  # side of a cell, in sigmas of the point
SAMPLES = 4  # of the patch along a cell's side
WINDOW = 2.0  # sigma of the weights, in cells: half the descriptor's width
CLIP = 0.2  # largest share that one number may have of the vector's length
SIDE = (CELLS + 1) * SAMPLES  # samples that reach a cell: half a cell further on either side
PATCH = SIDE + 2  # and a border of one sample, for the gradients


def patches(gaussian, layer, row, col, sigma, orientation):
    """Cut upright patches out of an octave's blurred pictures.

    Parameters
    ----------
    gaussian : array of shape (S + 3, H, W)
    layer : array of shape (K,), int
    row, col, sigma : arrays of shape (K,)
        The points, in pixels of the octave, between pixels too.
    orientation : array of shape (K,), in radians

    Returns
    -------
    patch : array of shape (K, 22, 22), float32
        Samples 3/4 sigma apart, each interpolated between its four pixels. Its columns run along the orientation.
    inside : array of shape (K, 22, 22), bool
        Whether the sample lies on the picture; those beyond repeat its edge.
    """
    xp = _array.library(gaussian=gaussian)
    height, width = gaussian.shape[1:]
    grid = (np.arange(PATCH) - (PATCH - 1) / 2) / SAMPLES * CELL_SIZE  # in sigmas
    down, right = (_array.constant(a[None], sigma) for a in np.meshgrid(grid, grid, indexing="ij"))
    cos, sin = ((f(orientation) * sigma)[:, None, None] for f in (xp.cos, xp.sin))
    rows = row[:, None, None] + cos * down + sin * right
    cols = col[:, None, None] - sin * down + cos * right
    inside = (rows >= 0) & (rows <= height - 1) & (cols >= 0) & (cols <= width - 1)
    return _between(gaussian, layer[:, None, None], rows, cols), inside


def _between(gaussian, layer, rows, cols):
    """Return the pictures' values at places between the pixels, by bilinear interpolation; edges go on for ever."""
    xp = _array.library(gaussian=gaussian)
    height, width = gaussian.shape[1:]
    rows, cols = xp.clip(rows, 0, height - 1), xp.clip(cols, 0, width - 1)
    top, left = (_array.as_dtype(xp.floor(a), "int64") for a in (rows, cols))
    bottom, right = xp.clip(top + 1, 0, height - 1), xp.clip(left + 1, 0, width - 1)
    down, across = rows - top, cols - left
    above = gaussian[layer, top, left] * (1 - across) + gaussian[layer, top, right] * across
    below = gaussian[layer, bottom, left] * (1 - across) + gaussian[layer, bottom, right] * across
    return above * (1 - down) + below * down


def cell_histograms(patch, inside):
    """Count the gradients of upright patches into 4 × 4 cells of 8 directions.

    Parameters
    ----------
    patch : array of shape (K, 22, 22)
    inside : array of shape (K, 22, 22), bool
        Samples that count.

    Returns
    -------
    array of shape (K, 4, 4, 8), float32
        Cell row, cell column, direction: bin b is centred on 2 pi b / 8 from the orientation. Each sample counts with
        the length of its gradient times a Gaussian, shared among the nearest two directions, cell rows and columns in
        proportion to how near they are.
    """
    xp = _array.library(patch=patch)
    grad_row = patch[:, 2:, 1:-1] - patch[:, :-2, 1:-1]
    grad_col = patch[:, 1:-1, 2:] - patch[:, 1:-1, :-2]
    length = xp.sqrt(grad_row ** 2 + grad_col ** 2) * inside[:, 1:-1, 1:-1]
    turn = xp.arctan2(grad_row, grad_col) * (BINS / (2 * pi))  # in bins
    shares = []
    for b in range(BINS):
        away = abs((turn - b + BINS / 2) % BINS - BINS / 2)
        shares.append(xp.clip(1 - away, 0, None) * length)
    shares = xp.stack(shares, 1).reshape(-1, BINS, SIDE * SIDE)
    votes = xp.matmul(shares, _array.constant(sample_weights(), patch).T)  # (K, 8, 16)
    return _array.permute(votes, (0, 2, 1)).reshape(-1, CELLS, CELLS, BINS)


@cache
def sample_weights():
    """Return how much each of the 20 × 20 samples counts for each of the 16 cells: (16, 400), the same for all points.

    Bilinear shares times a Gaussian, both products of one for the rows and one for the columns.
    """
    place = (np.arange(SIDE) - (SIDE - 1) / 2) / SAMPLES  # in cells
    centre = np.arange(CELLS) - (CELLS - 1) / 2
    share = np.clip(1 - abs(place - centre[:, None]), 0, None) * np.exp(-place ** 2 / (2 * WINDOW ** 2))
    return np.einsum("iu,jv->ijuv", share, share).reshape(CELLS ** 2, SIDE ** 2).astype(np.float32)


def normalised(histograms):
    """Return (K, 128) vectors of length 1, in which light and gain no longer show and no number exceeds 0.2 by much.

    The vectors are scaled to length 1, cut at 0.2 and scaled again (section 6.1). A flat patch gives zeros.
    """
    xp = _array.library(histograms=histograms)
    vectors = histograms.reshape(-1, CELLS * CELLS * BINS)
    return _unit(xp.clip(_unit(vectors), None, CLIP))


def _unit(vectors):
    xp = _array.library(vectors=vectors)
    length = xp.sqrt((vectors ** 2).sum(-1))[:, None]
    return vectors / xp.where(length > 0, length, 1 + 0 * length)
