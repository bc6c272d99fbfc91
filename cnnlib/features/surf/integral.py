"""Sums over boxes: every pixel is added up once, then any box takes four look-ups.

Where speed counts the picture is made of whole numbers first (:func:`fixed_point`), half as wide as double precision.
The sum of a large picture is too large for 32 bits and wraps around, like the hands of a clock; but so does the
difference of two such sums, and that is right again as long as the box's own sum fits.
"""

from cnnlib import _array

LEVELS = 2**16 - 1  # steps from black to white; 256 levels lie exactly on every 257th


def fixed_point(image):
    """Return the picture's levels as whole numbers from 0, int32, and how large a step is.

    Examples
    --------
    >>> import numpy as np
    >>> fixed_point(np.array([[0.2, 0.2 + 1 / 65535, 1.2]]))[0]
    array([[    0,     1, 65535]], dtype=int32)
    """
    xp, low, high = _array.library(image=image), image.min(), image.max()
    unit = max(float(high - low), 1) / LEVELS
    return _array.as_dtype(xp.round((image - low) / unit), "int32"), unit


def integral_image(image):
    """Return the sums of everything above and to the left of each corner of the pixels.

    .. math:: S_{ij} = \\sum_{p < i,\\, q < j} x_{pq}

    Parameters
    ----------
    image : array of shape (H, W), float or int32

    Returns
    -------
    array of shape (H + 1, W + 1)
        Row 0 and column 0 are 0. Of floats float64, since the corner at the lower right sums a whole picture, of which
        a box takes back the difference of two; of int32 int32, which may wrap around.

    Examples
    --------
    >>> import numpy as np
    >>> integral_image(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([[ 0.,  0.,  0.],
           [ 0.,  1.,  3.],
           [ 0.,  4., 10.]])
    """
    xp, (height, width) = _array.library(image=image), image.shape
    whole = _array.dtype_name(image) == "int32"
    sums = _array.zeros((height + 1, width + 1), image, "int32" if whole else "float64")
    xp.cumsum(image if whole else _array.as_dtype(image, "float64"), 1, dtype=sums.dtype, out=sums[1:, 1:])
    rows = [*sums]
    for above, row in zip(rows[1:], rows[2:]):  # faster than a cumsum down the columns, which jumps through memory
        row += above
    return sums


@_array.quietly  # NumPy warns when single numbers wrap around
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
    >>> float(box_sum(integral_image(np.ones((5, 6))), 1, 2, 4, 4))
    6.0
    """
    return integral[bottom, right] - integral[top, right] - integral[bottom, left] + integral[top, left]
