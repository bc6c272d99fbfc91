"""Which way a spot's surroundings rise (section 4.1): the longest sum of Haar responses in a sixth of the circle."""

from math import pi

import numpy as np

from cnnlib import _array
from cnnlib.features.surf.haar import haar

RADIUS = 6  # of the circle of samples, in sigma
NUM_SAMPLES = 109  # whole places within it
WIDTH = 2  # of the Gaussian that weighs them, in sigma
BINS = 72  # directions in which the window may begin
WINDOW = BINS // 6


def orientations(integral, row, col, sigma):
    """Return the direction in which a picture rises around points.

    At 109 samples in a circle of radius 6 sigma, one sigma apart, wavelets of side 4 sigma are asked. Their responses
    are vectors; those that point into one window of 60° are added, and the longest sum gives the direction.

    Parameters
    ----------
    integral : array of shape (H + 1, W + 1)
    row, col, sigma : arrays of shape (K,), in pixels

    Returns
    -------
    array of shape (K,), in radians from 0 to 2 pi
        atan2(rise along the rows, rise along the columns).
    """
    xp = _array.library(integral=integral)
    down, across, weight = (_array.constant(a, sigma) for a in _samples())
    sigma = sigma[:, None]
    rise_row, rise_col = haar(integral, xp.round(row[:, None] + 0.5 + sigma * down),
                              xp.round(col[:, None] + 0.5 + sigma * across), xp.round(xp.clip(2 * sigma, 1, None)))
    weight = _array.constant(weight, rise_row)
    rise_row, rise_col = rise_row * weight, rise_col * weight
    bins = _array.as_dtype((xp.arctan2(rise_row, rise_col) + pi) * (BINS / (2 * pi)), "int64") % BINS
    sums = []
    for rise in (rise_row, rise_col):
        histogram = _array.scatter_add(_array.zeros((len(bins), BINS), rise), bins, rise)
        around = xp.concatenate([_array.zeros((len(bins), 1), rise), histogram, histogram[:, :WINDOW]], 1).cumsum(1)
        sums.append(around[:, WINDOW:WINDOW + BINS] - around[:, :BINS])
    best = (sums[0] ** 2 + sums[1] ** 2).argmax(1)[:, None]
    rise_row, rise_col = (xp.take_along_axis(each, best, 1)[:, 0] if xp is np else xp.gather(each, 1, best)[:, 0]
                          for each in sums)
    return xp.arctan2(rise_row, rise_col) % (2 * pi)


def _samples():
    """Where the samples stand, in sigma, and what they count."""
    down, across = np.mgrid[-RADIUS:RADIUS + 1, -RADIUS:RADIUS + 1].reshape(2, -1)
    inside = down**2 + across**2 < RADIUS**2
    down, across = down[inside], across[inside]
    return down, across, np.exp(-(down**2 + across**2) / (2 * WIDTH**2))
