"""Sums over boxes: every pixel is added up once, then any box takes four look-ups."""

from cnnlib import _array


def integral_image(image):
    """Return the sums of everything above and to the left of each corner of the pixels.

    .. math:: S_{ij} = \\sum_{p < i,\\, q < j} x_{pq}

    Parameters
    ----------
    image : array of shape (H, W), float

    Returns
    -------
    array of shape (H + 1, W + 1), float64
        Row 0 and column 0 are 0. In double precision, since the corner at the lower right sums a whole picture, of
        which a box takes back the difference of two.

    Examples
    --------
    >>> import numpy as np
    >>> integral_image(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([[ 0.,  0.,  0.],
           [ 0.,  1.,  3.],
           [ 0.,  4., 10.]])
    """
    height, width = image.shape
    sums = _array.zeros((height + 1, width + 1), image, "float64")
    sums[1:, 1:] = _array.as_dtype(image, "float64").cumsum(1)
    for row in range(2, height + 1):  # faster than a cumsum down the columns, which jumps through memory
        sums[row] += sums[row - 1]
    return sums


def box_sum(integral, top, left, bottom, right):
    """Return the sum of the pixels of a box: rows from `top` up to but not including `bottom`, columns likewise.

    Parameters
    ----------
    integral : array of shape (H + 1, W + 1)
        From :func:`integral_image`.
    top, left, bottom, right : int, or arrays of int for many boxes

    Returns
    -------
    number or array

    Examples
    --------
    >>> import numpy as np
    >>> box_sum(integral_image(np.ones((5, 6))), 1, 2, 4, 4)
    np.float64(6.0)
    """
    return integral[bottom, right] - integral[top, right] - integral[bottom, left] + integral[top, left]
