"""Non-maximum suppression: of a broad ridge in the gradient's magnitude only the crest is left."""

from cnnlib import _array
from cnnlib.features._picture import as_number, as_pictures


def non_maximum_suppression(magnitude, grad_row, grad_col, *, low=0.0):
    """Keep the pixels that are the highest on the line across the edge, and write 0 elsewhere.

    Parameters
    ----------
    magnitude : array of shape (..., H, W), NumPy or torch
    grad_row, grad_col : arrays of shape (..., H, W)
        The gradient. Only its direction counts.
    low : float, not negative
        Pixels up to this magnitude are not looked at, which saves their time; they become 0.

    Returns
    -------
    array of shape (..., H, W)
        `magnitude` on the crests, 0 elsewhere and on the frame, whose pixels lack neighbours.

    Notes
    -----
    Derived in notebooks/12, eq. 8. The line through the pixel along the gradient crosses the ring of its eight
    neighbours twice; the magnitude there is interpolated linearly between the two nearest, as in scikit-image. A pixel
    is kept if it is at least as high as the one crossing and *higher* than the other one, the crossing where
    2 col + row is smaller: so a step between two rows or columns, whose two sides are equally steep, gives a line one
    pixel wide, and the negative gives the same one; scikit-image keeps both sides. (A staircase under 45° gives a line
    two wide in either: across it, the ring lies two stairs away.)

    References
    ----------
    .. [1] Canny, A computational approach to edge detection, IEEE Transactions on Pattern Analysis and Machine
       Intelligence 8(6), 1986. doi:10.1109/TPAMI.1986.4767851

    Examples
    --------
    >>> import numpy as np
    >>> ridge = np.array([[0.0, 3, 5, 5, 2, 0]] * 3)
    >>> non_maximum_suppression(ridge, np.zeros((3, 6)), np.ones((3, 6)))[1]
    array([0., 0., 5., 0., 0., 0.])
    """
    low = as_number("low", low, least=0)
    (height, row, col), dtype = as_pictures("non_maximum_suppression", magnitude=magnitude, grad_row=grad_row,
                                            grad_col=grad_col)
    return _array.as_dtype(crests(height, row, col, low), dtype)


def crests(magnitude, row, col, low):
    """Do the work of :func:`non_maximum_suppression`; `low` may also be an array that broadcasts."""
    where = _array.library(magnitude=magnitude).where
    candidate = magnitude > low
    candidate[..., :1, :] = candidate[..., -1:, :] = candidate[..., :1] = candidate[..., -1:] = False
    at = _array.places(candidate)
    flat, row, col = magnitude.reshape(-1), row.reshape(-1)[at], col.reshape(-1)[at]

    backward = 2 * col + row < 0  # turn the gradient around where it is to point to the other crossing
    row, col = where(backward, -row, row), where(backward, -col, col)
    down, right = where(row < 0, -1, 1) * magnitude.shape[-1], where(col < 0, -1, 1)  # steps in the flat picture
    row, col = abs(row), abs(col)
    steep = row > col
    straight, diagonal = where(steep, down, right), down + right
    larger, smaller = where(steep, row, col), where(steep, col, row)
    share = smaller / where(larger > 0, larger, 1)  # of the way from the straight neighbour to the diagonal one

    here = flat[at]
    after = (1 - share) * flat[at + straight] + share * flat[at + diagonal]
    before = (1 - share) * flat[at - straight] + share * flat[at - diagonal]
    crest = (here > before) & (here >= after)
    out = _array.zeros(flat.shape, like=flat)
    out[at[crest]] = here[crest]
    return out.reshape(magnitude.shape)
