"""What a network is shown of a drawing: as it is, or cut out and enlarged until it fills the frame.

One truth, tested: static/kit/seen.js does the same in the browser.
"""

import numpy as np

from cnnlib import images

FITS = ("drawn", "framed")


def seen(drawing, fit, margin, grain):
    """Return what the network gets of a drawing.

    Parameters
    ----------
    drawing : array of shape (H, W)
        From 0, the paper, to 1.
    fit : {"drawn", "framed"}
        "framed": by :func:`cnnlib.images.fill_frame`.
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
        drawing = images.fill_frame(drawing, margin)
    if grain > 1:
        rows, cols = drawing.shape
        drawing = drawing.reshape(rows // grain, grain, cols // grain, grain).mean(axis=(1, 3))
        drawing = images.resize(drawing, (rows, cols))
    return drawing.astype(np.float32)
