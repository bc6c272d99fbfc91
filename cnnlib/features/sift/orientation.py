"""Orientation (Lowe, section 5): which way the picture rises around a point, so that the rest can be measured from it.

An orientation is atan2(grad_row, grad_col) in radians, from 0 to 2 pi: 0 where the picture gets brighter to the right,
pi/2 where it gets brighter downwards (clockwise, as rows run down). In degrees it is OpenCV's `angle`.
"""

from math import pi

import numpy as np

from cnnlib import _array
from cnnlib.features.sift._tiles import each, joined

BINS = 36
SIGMA = 1.5  # of the weights, in sigmas of the point
REACH = 4.5  # half the window's side, in sigmas of the point: three of the weights'
PEAK = 0.8  # share of the highest bin from which another one counts
TOGETHER = 2 ** 17  # pixels at a time: enough to be worth a call, few enough to stay in cache
ALIKE = 3  # reaches up to a multiple of this are counted together: fewer calls, somewhat larger windows
SMOOTH = (1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16)


def orientation_histograms(space, octave, layer, row, col, sigma):
    """Count the directions of the gradients around points.

    Parameters
    ----------
    space : ScaleSpace
    octave, layer, row, col : arrays of shape (K,), int64
        The pixels in the middle.
    sigma : array of shape (K,), float32
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
    xp = _array.library(pixels=space.pixels)
    out = _array.zeros((len(octave), BINS), space.pixels)
    reach = xp.clip(_array.as_dtype(xp.round(REACH * sigma), "int64"), None, max(space.shapes[0]))
    group = (reach + ALIKE - 1) // ALIKE * ALIKE
    pieces = []
    for size in sorted({*_array.to_numpy(group).tolist()}):  # windows of about one size together
        same = xp.where(group == size)[0]
        together = max(TOGETHER // (2 * size + 3) ** 2, 1)
        pieces += [(size, same[start:start + together]) for start in range(0, len(same), together)]

    def work(job):
        for size, which in job:
            out[which] = _windows(space, size, *(a[which] for a in (octave, layer, row, col, sigma, reach)))

    each(work, joined(pieces, lambda one: len(one[1]) * (2 * one[0] + 3) ** 2, TOGETHER // 2), out)
    return smoothed(out)


def _windows(space, most, octave, layer, row, col, sigma, reach):
    """Return the histograms, not yet smoothed, of windows that reach as far as they say, at most so far."""
    xp = _array.library(pixels=space.pixels)
    height, width = (a[:, None] for a in space.sizes(octave))
    offsets = _array.constant(np.arange(-most - 1, most + 2), row)
    rows, cols = row[:, None] + offsets, col[:, None] + offsets
    near = abs(offsets) <= reach[:, None]
    gaussian = xp.exp(-(offsets / (SIGMA * sigma[:, None])) ** 2 / 2) * near
    weights = [(gaussian * ((a > 0) & (a < size - 1)))[:, 1:-1] for a, size in ((rows, height), (cols, width))]
    rows = xp.minimum(xp.clip(rows, 0, None), height - 1)
    patch = _array.runs(space.pixels, space.index(octave, layer)[:, None] + rows * width + cols[:, :1], len(offsets))
    grad_row, grad_col = slopes(patch)
    votes = xp.sqrt(grad_row ** 2 + grad_col ** 2) * (weights[0][:, :, None] * weights[1][:, None])
    bins = _array.as_dtype(xp.round(xp.arctan2(grad_row, grad_col) * (BINS / (2 * pi))), "int32")
    # From -18 to 18: one bin more than there are, as both ends are the same direction.
    bins = bins + _array.constant(np.arange(len(row))[:, None, None] * (BINS + 1) + BINS // 2, bins)
    counts = xp.bincount(bins.reshape(-1), votes.reshape(-1), len(row) * (BINS + 1)).reshape(len(row), BINS + 1)
    return _array.as_dtype(xp.concatenate(
        [counts[:, BINS // 2:BINS], counts[:, BINS:] + counts[:, :1], counts[:, 1:BINS // 2]], -1), "float32")


def slopes(patch):
    """Return the differences of each inner pixel's neighbours, below minus above and right minus left."""
    return patch[:, 2:, 1:-1] - patch[:, :-2, 1:-1], patch[:, 1:-1, 2:] - patch[:, 1:-1, :-2]


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
    high = histograms >= PEAK * xp.amax(histograms, -1)[:, None]
    index, bin_ = xp.where((histograms > before) & (histograms > after) & high)
    left, middle, right = (a[index, bin_] for a in (before, histograms, after))
    top = bin_ + 0.5 * (left - right) / (left - 2 * middle + right)
    return index, _array.as_dtype(top * (2 * pi / histograms.shape[1]) % (2 * pi), "float32")
