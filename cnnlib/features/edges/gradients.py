"""Image gradients: how fast the grey level changes at each pixel, and in which direction it grows."""

import numpy as np

from cnnlib import _array, conv
from cnnlib.features._picture import as_pictures
from cnnlib.features.edges import _tuned
from cnnlib.features.edges.masks import LAPLACIAN

# The three first derivatives: the numbers that smooth across the difference [-1, 0, 1].
SMOOTHING = {"sobel": (1, 2, 1), "prewitt": (1, 1, 1), "scharr": (3, 10, 3)}


def sobel(image):
    """Estimate the gradient of grey pictures with Sobel's masks.

    .. math:: g_{col} = \\frac18 \\begin{pmatrix} 1\\\\2\\\\1 \\end{pmatrix} (-1 \\;\\; 0 \\;\\; 1) \\star x
       \\qquad g_{row} = \\frac18 \\begin{pmatrix} -1\\\\0\\\\1 \\end{pmatrix} (1 \\;\\; 2 \\;\\; 1) \\star x

    Parameters
    ----------
    image : array of shape (..., H, W)
        Grey levels on any scale, NumPy or torch; leading axes are a batch. Integers and bool are converted to floating
        point, as they are: 8-bit levels give a gradient in 8-bit levels per pixel.

    Returns
    -------
    grad_row, grad_col : arrays of shape (..., H, W), in grey levels per pixel
        Of a ramp that grows by 1 from pixel to pixel, exactly 1. Rows count downwards: `grad_row` is positive where the
        picture grows brighter downwards, `grad_col` where it does to the right. The dtype of `image` if that is
        floating point; float32 for bool and up to 16 bits; float64 for wider integers.

    Raises
    ------
    TypeError
        `image` is no array, or is complex or masked.
    ValueError
        `image` is not (..., H, W), has no pixels, has its colours last, or has pixels that are NaN or infinite.

    Notes
    -----
    Derived in notebooks/12, eq. 4. Beyond the border each pixel of the frame is repeated, as
    scikit-image does (it calls it "reflect", which for one pixel is the same); so on the frame itself a ramp gives 1/2.
    The same numbers on other scales: scikit-image's ``sobel_v`` is 2 ``grad_col``, ``cv2.Sobel(…, 1, 0)`` is
    8 ``grad_col`` away from the frame, where its default reflects without repeating.

    References
    ----------
    .. [1] Sobel, An isotropic 3×3 image gradient operator, 2014 (a history of the operator of 1968).

    Examples
    --------
    >>> grad_row, grad_col = sobel(np.array([[0, 5, 10, 15]] * 3))
    >>> grad_col[1]
    array([2.5, 5. , 5. , 2.5])
    >>> float(abs(grad_row).max())
    0.0
    """
    return _derivatives("sobel", image)


def prewitt(image):
    """Estimate the gradient with Prewitt's masks: the three differences count alike. Otherwise as :func:`sobel`.

    Notes
    -----
    scikit-image's ``prewitt_v`` is 2 ``grad_col``.

    References
    ----------
    .. [1] Prewitt, Object enhancement and extraction, in Lipkin & Rosenfeld (eds.), Picture Processing and
       Psychopictorics, Academic Press, 1970.
    """
    return _derivatives("prewitt", image)


def scharr(image):
    """Estimate the gradient with Scharr's masks (3, 10, 3), whose direction is the most exact of the three.

    Otherwise as :func:`sobel`.

    Notes
    -----
    scikit-image's ``scharr_v`` is 2 ``grad_col``; ``cv2.Scharr(…, 1, 0)`` is 32 ``grad_col`` away from the frame.

    References
    ----------
    .. [1] Scharr, Optimale Operatoren in der digitalen Bildverarbeitung, dissertation, Heidelberg University, 2000.
       doi:10.11588/heidok.00000962
    """
    return _derivatives("scharr", image)


def laplacian(image):
    """Add the second derivatives along rows and columns: the four neighbours minus four times the pixel.

    Parameters
    ----------
    image : array of shape (..., H, W)
        As in :func:`sobel`.

    Returns
    -------
    array of shape (..., H, W), in grey levels per pixel²
        Positive on the dark side of an edge and negative on the bright one; 0 on any ramp, and -4 on one bright pixel.

    Notes
    -----
    Borders as in :func:`sobel`. scikit-image's ``laplace`` is minus this.

    Examples
    --------
    >>> laplacian(np.array([[0.0, 0, 6, 6]]))
    array([[ 0.,  6., -6.,  0.]])
    """
    (x,), dtype = as_pictures("laplacian", image=image)
    return _array.as_dtype(correlate(x, LAPLACIAN), dtype)


def response(image, mask):
    """Lay a mask on every pixel and sum the products; beyond the border each pixel of the frame is repeated.

    .. math:: r_{ij} = \\sum_{p,q} m_{pq}\\, x_{i+p-\\lfloor K/2 \\rfloor,\\; j+q-\\lfloor L/2 \\rfloor}

    Parameters
    ----------
    image : array of shape (..., H, W)
        As in :func:`sobel`.
    mask : array of shape (K, L), K and L odd
        Not flipped, not rescaled. Of any dtype; NumPy also where `image` is a tensor.

    Returns
    -------
    array of shape (..., H, W)

    Notes
    -----
    Derived in notebooks/12, eq. 3.

    Examples
    --------
    >>> response(np.array([[0, 1, 2, 3, 4]] * 3), [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])[1]
    array([4., 8., 8., 8., 4.])
    """
    (x,), dtype = as_pictures("response", image=image)
    mask = np.asarray(_array.to_numpy(mask))
    if mask.ndim != 2 or not all(size % 2 for size in mask.shape):
        raise ValueError(f"`mask` has shape {mask.shape}; it must be (rows, columns), both odd, to have a centre")
    if mask.dtype.kind not in "biuf" or not np.isfinite(mask).all():
        raise ValueError(f"`mask` must hold finite real numbers, not {mask.tolist()}")
    return _array.as_dtype(correlate(x, mask), dtype)


def gradient_magnitude(grad_row, grad_col):
    """Return how steep the picture is: the length of its gradient.

    Parameters
    ----------
    grad_row, grad_col : arrays of shape (..., H, W), in grey levels per pixel

    Returns
    -------
    array of shape (..., H, W), in grey levels per pixel

    Notes
    -----
    Derived in notebooks/12, eq. 5. Squares of numbers above 1e19 or below 1e-19 leave the range of float32.

    Examples
    --------
    >>> gradient_magnitude(np.array([[3.0]]), np.array([[4.0]]))
    array([[5.]])
    """
    (row, col), dtype = as_pictures("gradient_magnitude", grad_row=grad_row, grad_col=grad_col)
    return _array.as_dtype(_length(row, col), dtype)


def gradient_orientation(grad_row, grad_col):
    """Return the direction in which the picture grows brighter, which is across the edge, not along it.

    Parameters
    ----------
    grad_row, grad_col : arrays of shape (..., H, W)

    Returns
    -------
    array of shape (..., H, W), in radians from -π to π
        0 to the right, π/2 downwards (rows count downwards), ±π to the left, -π/2 upwards; 0 where both are 0.

    Notes
    -----
    Derived in notebooks/12, eq. 6.

    Examples
    --------
    >>> gradient_orientation(np.array([[0.0, 1.0, -1.0]]), np.array([[1.0, 0.0, -1.0]])) / np.pi
    array([[ 0.  ,  0.5 , -0.75]])
    """
    (row, col), dtype = as_pictures("gradient_orientation", grad_row=grad_row, grad_col=grad_col)
    # Adding 0 turns -0 into 0: an angle of -π or π must not depend on the sign of a zero.
    return _array.as_dtype(_array.library(row=row).arctan2(row + 0.0, col + 0.0), dtype)


def sobel_magnitude(image):
    """Return ``gradient_magnitude(*sobel(image))`` but for rounding; many times faster than by two steps in NumPy.

    Parameters
    ----------
    image : array of shape (..., H, W)
        As in :func:`sobel`.

    Returns
    -------
    array of shape (..., H, W), in grey levels per pixel

    Notes
    -----
    scikit-image's ``sobel`` is this times the square root of 2.

    Examples
    --------
    >>> float(sobel_magnitude(np.array([[0.0, 3, 6]] * 3))[1, 1])
    3.0
    """
    (x,), dtype = as_pictures("sobel_magnitude", image=image)
    tuned = _tuned.sobel_magnitude(x) if _tuned.takes(x) else _length(*_plain(x, SMOOTHING["sobel"]))
    return _array.as_dtype(tuned, dtype)


def correlate(x, *masks):
    """Lay each mask, and then the next one on its result, on checked float `x` (..., H, W) with a repeated frame."""
    *_, height, width = x.shape
    rows, cols = (sum(mask.shape[axis] // 2 for mask in masks) for axis in (0, 1))
    out = framed(x, rows, cols).reshape(-1, 1, height + 2 * rows, width + 2 * cols)
    for mask in masks:
        out = asked(out, [mask])
    return out.reshape(x.shape)


def asked(x, masks):
    """Return the responses (N, F, H, W) of F masks of one size on pictures (N, 1, ...), framed as far as they reach.

    By methods that keep float32: no Winograd, and on a GPU no TF32.
    """
    weight = _array.constant(np.array(masks)[:, None], like=x)
    return conv.conv2d(x, weight, method="shifted" if _array.is_torch(x) else "exact")


def framed(x, rows, cols):
    """Surround (..., H, W) with `rows` and `cols` copies of its outermost pixels."""
    concatenate = _array.library(x=x).concatenate
    if rows:
        x = concatenate([x[..., :1, :]] * rows + [x] + [x[..., -1:, :]] * rows, axis=-2)
    if cols:
        x = concatenate([x[..., :1]] * cols + [x] + [x[..., -1:]] * cols, axis=-1)
    return x


def _derivatives(name, image):
    (x,), dtype = as_pictures(name, image=image)
    grads = (_tuned.derivatives if _tuned.takes(x) else _plain)(x, SMOOTHING[name])
    return tuple(_array.as_dtype(grad, dtype) for grad in grads)


@_array.quietly
def _plain(x, smoothing):
    """Smooth along one axis, take the difference along the other; scale so that a unit ramp gives 1."""
    smooth, difference = np.array([smoothing]), np.array([[-1, 0, 1]])
    scale = 2 * sum(smoothing)
    grad_row = correlate(x, smooth, difference.T) / scale
    grad_col = correlate(x, smooth.T, difference) / scale
    return grad_row, grad_col


@_array.quietly
def _length(row, col):
    square = row * row
    square += col * col
    return _array.library(row=row).sqrt(square)
