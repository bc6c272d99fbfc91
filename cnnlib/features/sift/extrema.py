"""Extrema (Lowe, section 3.1): pixels above, or below, all 26 neighbours in their own and the next two pictures."""

from cnnlib import _array
from cnnlib.features.sift import _tiles
from cnnlib.features.sift.scale_space import BORDER


def extrema(gaussian, threshold=0.0):
    """Find where an octave's differences of Gaussians are maxima or minima over place and scale.

    Parameters
    ----------
    gaussian : array of shape (S + 3, H, W)
        The octave's blurred pictures.
    threshold : float
        Differences no further than this from 0 are passed over.

    Returns
    -------
    layer, row, col : arrays of shape (N,), int64
        In reading order. Layers run from 1 to S, rows and columns keep 5 pixels from the edge. A maximum is positive,
        a minimum negative; neighbours may be level with it.

    References
    ----------
    .. [1] Lowe, IJCV 60(2), 2004, section 3.1. doi:10.1023/B:VISI.0000029664.99615.94
    """
    xp = _array.library(gaussian=gaussian)
    if min(gaussian.shape[1:]) <= 2 * BORDER:
        gaussian = gaussian[:, :2 * BORDER, :2 * BORDER]  # no inner pixels
    if _tiles.takes(gaussian):
        return _tiles.extrema(gaussian, threshold, BORDER)
    differences = gaussian[1:] - gaussian[:-1]
    inner = differences[1:-1, BORDER:-BORDER, BORDER:-BORDER]
    highest, lowest = inner, inner
    for neighbour in _neighbours(differences):
        highest = xp.maximum(highest, neighbour)
        lowest = xp.minimum(lowest, neighbour)
    found = ((inner == highest) & (inner > threshold)) | ((inner == lowest) & (inner < -threshold))
    layer, row, col = xp.where(found)
    return layer + 1, row + BORDER, col + BORDER


def extrema_of_each(gaussians, threshold):
    """Return what :func:`extrema` returns, for each of several octaves."""
    if all(map(_tiles.takes, gaussians)):
        return _tiles.extrema_of_each(gaussians, threshold, BORDER)
    return [extrema(gaussian, threshold) for gaussian in gaussians]


def _neighbours(differences):
    """Yield the inner pixels' 26 neighbours: each an array of their shape, moved by one step."""
    layers, height, width = differences.shape
    for p in (-1, 0, 1):
        for i in (-1, 0, 1):
            for j in (-1, 0, 1):
                if (p, i, j) != (0, 0, 0):
                    yield differences[1 + p:layers - 1 + p, BORDER + i:height - BORDER + i,
                                      BORDER + j:width - BORDER + j]
