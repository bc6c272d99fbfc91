"""Which way a spot's surroundings rise (section 4.1): the longest sum of Haar responses in a sixth of the circle."""

from functools import cache
from math import pi

import numpy as np

from cnnlib import _array
from cnnlib.features.surf.haar import in_groups

RADIUS = 6  # of the circle of samples, in sigma
NUM_SAMPLES = 109  # whole places within it
WIDTH = 2  # of the Gaussian that weighs them, in sigma
BINS = 72  # directions in which the window may begin
WINDOW = BINS // 6
ROOM = BINS + WINDOW  # of a histogram that goes on as far as the last window reaches


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
    return in_groups(_orientations, NUM_SAMPLES, integral, xp.round(xp.clip(2 * sigma, 1, None)), row, col, sigma)


def _orientations(integral, half, row, col, sigma, rises):
    """Return the directions of a few points, of whose wavelets `rises` tells."""
    xp = _array.library(integral=integral)
    down, across, weight = (_array.constant(a, sigma) for a in _samples())
    rows, cols = (xp.stack([middle + 0.5, sigma], -1) @ xp.stack([xp.ones_like(steps), steps])
                  for middle, steps in ((row, down), (col, across)))
    rise_row, rise_col = rises(integral, xp.round(rows), xp.round(cols), half)
    weight = _array.constant(weight, rise_row)
    rise_row *= weight
    rise_col *= weight
    angle = xp.arctan2(rise_row, rise_col)
    angle += pi
    angle *= BINS / (2 * pi)
    bins = _array.as_dtype(angle, "int64")  # from 0 to BINS, which is 0 again
    bins += _array.arange(len(half), bins)[:, None] * ROOM
    sums = []
    for rise in (rise_row, rise_col):
        histogram = xp.bincount(bins.reshape(-1), rise.reshape(-1), len(half) * ROOM).reshape(-1, ROOM)
        histogram[:, 0] += histogram[:, BINS]
        histogram[:, BINS:] = histogram[:, :ROOM - BINS]  # the circle goes on
        line = histogram.reshape(-1)
        four = _doubled(_doubled(line, 1), 2)
        window = _doubled(four, 4)[:-4] + four[8:]  # a bin and the 11 after it
        line[:len(window)] = window
        sums.append(histogram[:, :BINS])
    best = (sums[0] ** 2 + sums[1] ** 2).argmax(1)
    rise_row, rise_col = (each[_array.arange(len(half), best), best] for each in sums)
    return xp.arctan2(rise_row, rise_col) % (2 * pi)


def _doubled(sums, width):
    """Return the sums of twice as many neighbours as `width`, of those of so many."""
    return sums[:-width] + sums[width:]


@cache
def _samples():
    """Where the samples stand, in sigma, and what they count."""
    down, across = np.mgrid[-RADIUS:RADIUS + 1, -RADIUS:RADIUS + 1].reshape(2, -1)
    inside = down**2 + across**2 < RADIUS**2
    down, across = down[inside], across[inside]
    return down, across, np.exp(-(down**2 + across**2) / (2 * WIDTH**2))
