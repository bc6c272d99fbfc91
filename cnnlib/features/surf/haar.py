"""Haar wavelets (section 4): the difference of two half boxes, a gradient over many pixels."""

from cnnlib import _array


def haar(integral, row, col, half):
    """Return a picture's rise along the columns and along the rows, by square wavelets.

    Parameters
    ----------
    integral : array of shape (H + 1, W + 1)
        From :func:`~cnnlib.features.surf.integral_image`.
    row, col : arrays of shape (K, S), float, in pixels
        The wavelets' centres, whole numbers: corners of pixels, (i, j) being the upper left one of pixel (i, j).
    half : array of shape (K, 1), float, in pixels
        Half of the wavelets' sides, whole numbers.

    Returns
    -------
    down, right : arrays of shape (K, S), float32
        Sum of the lower half minus that of the upper half, and right half minus left half; 0 for a wavelet that does
        not lie wholly on the picture.
    """
    xp, (height, width) = _array.library(integral=integral), (side - 1 for side in integral.shape)
    fitting = xp.clip(half, 0, min(height, width) // 2)
    near_row = xp.minimum(xp.maximum(row, fitting), height - fitting)
    near_col = xp.minimum(xp.maximum(col, fitting), width - fitting)
    inside = (near_row == row) & (near_col == col) & (fitting == half)
    flat, stride = integral.reshape(-1), width + 1
    centre, half = _array.as_dtype(near_row * stride + near_col, "int64"), _array.as_dtype(fitting, "int64")
    upper, lower = centre - half * stride, centre + half * stride
    falling = flat.take(lower + half) - flat.take(upper - half)  # along one diagonal of the wavelet
    rising = flat.take(lower - half) - flat.take(upper + half)  # and along the other
    down = falling - rising - 2 * (flat.take(centre + half) - flat.take(centre - half))
    right = falling + rising - 2 * (flat.take(lower) - flat.take(upper))
    return tuple(_array.as_dtype(rise, "float32") * inside for rise in (down, right))
