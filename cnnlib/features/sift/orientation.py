"""Orientation (Lowe, section 5): which way the picture rises around a point, so that the rest can be measured from it.

An orientation is atan2(grad_row, grad_col) in radians, from 0 to 2 pi: 0 where the picture gets brighter to the right,
pi/2 where it gets brighter downwards (clockwise, as rows run down). In degrees it is OpenCV's `angle`.
"""

from math import pi

import numpy as np

from cnnlib import _array

BINS = 36
SIGMA = 1.5  # of the weights, in sigmas of the point
REACH = 4.5  # half the window's side, in sigmas of the point: three of the weights'
PEAK = 0.8  # share of the highest bin from which another one counts
SMOOTH = (1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16)


def orientation_histograms(gaussian, layer, row, col, sigma):
    """Count the directions of the gradients around points of an octave.

    Parameters
    ----------
    gaussian : array of shape (S + 3, H, W)
        The octave's blurred pictures.
    layer, row, col : arrays of shape (K,), int
        The pixels in the middle.
    sigma : array of shape (K,)
        The points' scales, in pixels of the octave.

    Returns
    -------
    array of shape (K, 36), float32
        Bin b is centred on direction 2 pi b / 36. A pixel counts with the length of its gradient times a Gaussian, for
        the bin nearest to its direction; then the histogram is smoothed with (1, 4, 6, 4, 1) / 16 around the circle.

    References
    ----------
    .. [1] Lowe, IJCV 60(2), 2004, section 5. doi:10.1023/B:VISI.0000029664.99615.94
    """
    xp = _array.library(gaussian=gaussian)
    if not len(layer):
        return _array.zeros((0, BINS), gaussian)
    reach = xp.round(REACH * sigma)[:, None]
    offsets = np.arange(-int(reach.max()), int(reach.max()) + 1)
    dr, dc = (_array.constant(a.reshape(1, -1), layer) for a in np.meshgrid(offsets, offsets, indexing="ij"))
    rows, cols = row[:, None] + dr, col[:, None] + dc
    inside = ((abs(dr) <= reach) & (abs(dc) <= reach) & (rows > 0) & (rows < gaussian.shape[1] - 1)
              & (cols > 0) & (cols < gaussian.shape[2] - 1))
    rows, cols = xp.clip(rows, 1, gaussian.shape[1] - 2), xp.clip(cols, 1, gaussian.shape[2] - 2)
    layers = layer[:, None]
    grad_row = gaussian[layers, rows + 1, cols] - gaussian[layers, rows - 1, cols]
    grad_col = gaussian[layers, rows, cols + 1] - gaussian[layers, rows, cols - 1]
    distance = (dr ** 2 + dc ** 2) / (SIGMA * sigma[:, None]) ** 2
    weight = xp.sqrt(grad_row ** 2 + grad_col ** 2) * xp.exp(-distance / 2) * inside
    bins = _array.as_dtype(xp.round(xp.arctan2(grad_row, grad_col) * (BINS / (2 * pi))), "int64") % BINS
    bins = bins + _array.constant(np.arange(0, BINS * len(layer), BINS)[:, None], bins)
    votes = xp.bincount(bins.reshape(-1), weight.reshape(-1), BINS * len(layer))
    return smoothed(_array.as_dtype(votes.reshape(len(layer), BINS), "float32"))


def smoothed(histograms):
    """Return histograms smoothed around the circle."""
    xp = _array.library(histograms=histograms)
    return sum(weight * xp.roll(histograms, shift - 2, -1) for shift, weight in enumerate(SMOOTH))


def peaks(histograms):
    """Find the histograms' peaks: bins above both neighbours and at least 80 % of the highest.

    Parameters
    ----------
    histograms : array of shape (K, B)

    Returns
    -------
    index : array of shape (P,), int64
        Whose peak it is, ascending. A point with several peaks becomes several key points.
    orientation : array of shape (P,), float32
        The top of the parabola through the bin and its neighbours, in radians from 0 to 2 pi.
    """
    xp = _array.library(histograms=histograms)
    before, after = xp.roll(histograms, 1, -1), xp.roll(histograms, -1, -1)
    if not len(histograms):
        return xp.where(histograms[:, 0])[0], histograms[:, 0]
    high = histograms >= PEAK * xp.amax(histograms, -1)[:, None]
    index, bin_ = xp.where((histograms > before) & (histograms > after) & high)
    left, middle, right = (a[index, bin_] for a in (before, histograms, after))
    top = bin_ + 0.5 * (left - right) / (left - 2 * middle + right)
    return index, _array.as_dtype(top * (2 * pi / histograms.shape[1]) % (2 * pi), "float32")
