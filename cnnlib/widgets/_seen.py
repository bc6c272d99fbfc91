"""What a network is shown of a drawing: as it is, or cut out and enlarged until it fills the frame.

One truth, tested: static/kit/seen.js does the same in the browser.
"""

import numpy as np

from cnnlib import images

FITS = ("drawn", "framed")
INK = 0.1  # a pixel above this belongs to the drawing


def seen(drawing, fit, margin, grain):
    """Return what the network gets of a drawing.

    Parameters
    ----------
    drawing : array of shape (H, W)
        From 0, the paper, to 1.
    fit : {"drawn", "framed"}
        "framed": the smallest box round the ink is enlarged, in one piece, until it fills the frame, and centred.
    margin : int, in pixels
        What stays free around a framed drawing.
    grain : int, in pixels
        Means of blocks of this side, enlarged again: what a scan of few pixels looks like. 1 leaves all as it is.

    Returns
    -------
    array of shape (H, W), float32
    """
    drawing = np.asarray(drawing, np.float64)
    if fit == "framed":
        drawing = _framed(drawing, margin)
    if grain > 1:
        rows, cols = drawing.shape
        drawing = drawing.reshape(rows // grain, grain, cols // grain, grain).mean(axis=(1, 3))
        drawing = images.resize(drawing, (rows, cols))
    return drawing.astype(np.float32)


def _framed(drawing, margin):
    ink = drawing > INK
    if not ink.any():
        return np.zeros_like(drawing)
    bounds = [np.flatnonzero(ink.any(axis=axis))[[0, -1]] for axis in (1, 0)]
    sizes = [last + 1 - first for first, last in bounds]
    scale = min((n - 2 * margin) / size for n, size in zip(drawing.shape, sizes))
    rows, cols = ((np.arange(n) + 0.5 - n / 2) / scale + first + size / 2 - 0.5
                  for n, (first, _), size in zip(drawing.shape, bounds, sizes))
    return _weights(rows, drawing.shape[0]) @ drawing @ _weights(cols, drawing.shape[1]).T


def _weights(places, size):
    """Return the matrix that reads a row of `size` pixels at these places, between two pixels; outside is 0."""
    return np.clip(1 - np.abs(places[:, None] - np.arange(size)), 0, None)
