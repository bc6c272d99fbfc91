"""Pictures turned, slanted, stretched and pushed at random: what another hand might have written."""

import numpy as np


def warp(x, rng, *, turn=0.3, slant=0.4, grow=0.25, push=3.0):
    """Return each picture of a batch as another hand might have written it: the label stays.

    Parameters
    ----------
    x : array of shape (N, C, H, W), float
        NumPy. What comes in from outside of a picture is 0, the paper of written digits.
    rng : np.random.Generator
        Each picture gets numbers of its own, drawn evenly from minus to plus:
    turn : float, in radians
    slant : float
        Columns by which a row one further down is moved.
    grow : float
        Share by which rows, and columns, are stretched or squeezed.
    push : float, in pixels
        Along the rows, and along the columns.

    Returns
    -------
    array of the shape and dtype of `x`

    Notes
    -----
    Each pixel takes the value of the nearest one of where it comes from, so no new grey levels arise.

    Examples
    --------
    >>> x = np.ones((2, 1, 8, 8), dtype=np.float32)
    >>> float(warp(x, np.random.default_rng(0), turn=0, slant=0, grow=0, push=0).sum())
    128.0
    """
    x = np.asarray(x)
    if x.ndim != 4 or x.dtype.kind != "f":
        raise ValueError(f"`x` has shape {x.shape} and dtype {x.dtype}; it must be (N, C, H, W), of float")
    n, _, height, width = x.shape
    angle, slope, tall, wide, down, right = (
        rng.uniform(-limit, limit, (n, 1)) for limit in (turn, slant, grow, grow, push, push))
    rows, cols = np.indices((height, width)).reshape(2, 1, -1)
    rows, cols = rows - (height - 1) / 2, cols - (width - 1) / 2
    rows, cols = rows * (1 + tall), (cols + slope * rows) * (1 + wide)
    rows, cols = np.cos(angle) * rows - np.sin(angle) * cols, np.sin(angle) * rows + np.cos(angle) * cols
    i = np.rint(rows + down + (height - 1) / 2).astype(int)
    j = np.rint(cols + right + (width - 1) / 2).astype(int)
    inside = (i >= 0) & (i < height) & (j >= 0) & (j < width)
    places = np.where(inside, i * width + j, 0)[:, None]
    return np.where(inside[:, None], np.take_along_axis(x.reshape(n, -1, height * width), places, axis=2),
                    x.dtype.type(0)).reshape(x.shape)
