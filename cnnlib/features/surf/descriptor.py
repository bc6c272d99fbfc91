"""64 numbers about a spot (section 4.2): in each of 4 × 4 cells, how much it rises and how much it changes."""

from functools import cache

import numpy as np

from cnnlib import _array
from cnnlib.features.sift.descriptor import unit_vectors
from cnnlib.features.surf.haar import in_groups

CELLS, SAMPLES = 4, 5  # cells along a side of the window, samples along a side of a cell, one sigma apart
NUM_SAMPLES = (CELLS * SAMPLES) ** 2
WIDTH = 3.3  # of the Gaussian that weighs the samples, in sigma


def descriptors(integral, row, col, sigma, orientation):
    """Describe points by the Haar responses in a window of 20 sigma that is turned as they are.

    Parameters
    ----------
    integral : array of shape (H + 1, W + 1)
    row, col, sigma : arrays of shape (K,), in pixels
    orientation : array of shape (K,), in radians

    Returns
    -------
    array of shape (K, 64), float32
        Of length 1. For each cell, row by row in the turned window: the sums of the rises along the window's first axis
        (which the orientation names) and its second one, then the sums of their absolute values. 0 where the picture is
        flat.
    """
    xp = _array.library(integral=integral)
    return in_groups(_descriptors, NUM_SAMPLES, integral, xp.round(xp.clip(sigma, 1, None)), row, col, sigma,
                     orientation)


def _descriptors(integral, half, row, col, sigma, orientation, rises):
    """Return the descriptors of a few points, of whose wavelets `rises` tells."""
    xp = _array.library(integral=integral)
    places, weights = (_array.constant(a, sigma) for a in _samples())
    cosine, sine = xp.cos(orientation), xp.sin(orientation)
    along, beside = sigma * cosine, sigma * sine
    rows, cols = (xp.stack(steps, -1) @ places for steps in ((row + 0.5, beside, along), (col + 0.5, along, -beside)))
    rise_row, rise_col = rises(integral, xp.round(rows), xp.round(cols), half)
    cosine, sine, weights = (_array.as_dtype(a, "float32") for a in (cosine[:, None], sine[:, None], weights))
    first, second = cosine * rise_col, cosine * rise_row
    rise_row *= sine
    rise_col *= sine
    first += rise_row
    second -= rise_col
    vectors = xp.stack([each @ weights for each in (first, second, abs(first), abs(second))], -1)
    return unit_vectors(vectors.reshape(len(row), 4 * CELLS**2))


@cache
def _samples():
    """Return where the samples stand, (3, 400): ones, and places along the window's axes in sigma; and how much each
    counts for each cell, (400, 16)."""
    side = CELLS * SAMPLES
    second, first = (a.reshape(-1) for a in np.mgrid[:side, :side])
    cell = second // SAMPLES * CELLS + first // SAMPLES
    second, first = second - (side - 1) / 2, first - (side - 1) / 2
    weight = np.exp(-(first**2 + second**2) / (2 * WIDTH**2))
    return np.stack([np.ones(side**2), first, second]), weight[:, None] * (cell[:, None] == np.arange(CELLS**2))
