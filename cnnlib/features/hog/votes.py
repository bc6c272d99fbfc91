"""Each pixel votes for an orientation, as strongly as its gradient is long; a cell counts the votes of its pixels."""

from math import pi

from cnnlib import _array
from cnnlib.geometry import as_int, as_pair

VOTES = ("hard", "linear", "trilinear")


def pixel_votes(grad_row, grad_col, orientations=9, votes="hard", signed=False):
    """Return for which orientations each pixel votes, and with what weight.

    Orientations lie on a circle of 180 degrees: a gradient and its negative count as the same. Bin k covers the angles
    from k to k + 1 times 180 / orientations, measured from "brighter to the right" towards "brighter downwards".

    Parameters
    ----------
    grad_row, grad_col : arrays of shape (..., H, W)
        What :func:`pixel_gradients` returns.
    orientations : int
        How many bins.
    votes : "hard" or "linear"
        Hard: the whole vote goes to the bin in which the angle lies (the boundary belongs to the upper bin). Linear:
        it is shared by the two bins whose centres are next to the angle, each the more the nearer it is.
    signed : bool
        Let a gradient and its negative count as two: the bins lie on the circle of 360 degrees.

    Returns
    -------
    bins : int64 array of shape (..., votes, H, W)
        One vote a pixel if hard, two if linear.
    weights : array of the same shape, float64
        Together the length of the gradient.

    Notes
    -----
    Angles are computed in float64 whatever comes in: a rounding error that moves a vote over a boundary moves all of
    it. So hard votes round as scikit-image's do: of levels such as k / 255, which no float64 holds exactly, many angles
    lie within a rounding error of 45 or 135 degrees, where a bin ends if their number is a multiple of 4, and there the
    negative of a picture, or torch's arctan2, may vote for the neighbouring bin. (Not if levels are whole numbers.)
    Where scikit-image loses the vote of an angle between -1e-14 and 0 degrees, which rounds to 180, it counts as 0
    here. Shared votes turn a gradient into the upper half plane first, so that the negative of any picture casts the
    same to the last bit.

    Examples
    --------
    >>> import numpy as np
    >>> one = np.ones((1, 1))
    >>> bins, weights = pixel_votes(0 * one, 5 * one, votes="linear")  # 0 degrees: between 10 and 170
    >>> bins.ravel().tolist(), weights.ravel().tolist()
    ([8, 0], [2.5, 2.5])
    """
    xp = _array.library(grad_row=grad_row, grad_col=grad_col)
    n = as_int("orientations", orientations, 1)
    one_of("votes", votes, VOTES[:2])
    row, col = (_array.as_dtype(g, "float64") for g in (grad_row, grad_col))
    magnitude, circle = xp.hypot(row, col), 360 if signed else 180
    if votes == "hard":
        angle = xp.arctan2(row, col) * (180 / pi) % circle  # rounded as scikit-image rounds
        lower, shares = xp.floor(angle * n / circle), (magnitude,)
    else:
        angle = xp.arctan2(row, col) if signed else xp.arctan2(abs(row), xp.where(row < 0, -col, col))
        position = angle * (180 / pi) * n / circle - 0.5  # the centre of bin k is k + 0.5
        lower = xp.floor(position)
        share = position - lower
        shares = magnitude * (1 - share), magnitude * share
    bins = [_array.as_dtype(lower + i, "int64") % n for i in range(len(shares))]
    return xp.stack(bins, -3), xp.stack(shares, -3)


def cell_histograms(bins, weights, orientations=9, pixels_per_cell=(8, 8)):
    """Add up the votes in each cell, and divide by the number of its pixels.

    Parameters
    ----------
    bins, weights : arrays of shape (..., votes, H, W)
        What :func:`pixel_votes` returns.
    orientations : int
        How many bins.
    pixels_per_cell : (rows, cols) or int
        Pixels beyond the last whole cell are left out.

    Returns
    -------
    array of shape (..., H // rows, W // cols, orientations), float64
        Mean vote of a pixel. Times the pixels of a cell, the sum over its bins is the sum of its gradients' lengths.
    """
    n = as_int("orientations", orientations, 1)
    height, width = as_pair("pixels_per_cell", pixels_per_cell, 1)
    *batch, votes, rows, cols = bins.shape
    rows, cols = rows // height, cols // width
    bins, weights = (a[..., :rows * height, :cols * width] for a in (bins, weights))
    row, col = (_array.arange(size * step, bins) // step for size, step in ((rows, height), (cols, width)))
    place = (row[:, None] * cols + col) * n + bins
    sums = _array.zeros((*batch, rows * cols * n), weights)
    flat = (*batch, votes * rows * height * cols * width)
    sums = _array.scatter_add(sums, place.reshape(flat), weights.reshape(flat))
    return sums.reshape(*batch, rows, cols, n) / (height * width)


def one_of(name, value, choices):
    """Check that the argument is one of the words."""
    if value not in choices:
        raise ValueError(f"`{name}` is {value!r}; it must be one of {', '.join(map(repr, choices))}")
