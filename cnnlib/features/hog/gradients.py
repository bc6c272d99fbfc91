"""How the light changes at each pixel: the difference of its two neighbours, down and to the right."""

from math import prod

from cnnlib import _array
from cnnlib._arguments import as_plain
from cnnlib.features._picture import check_no_colours
from cnnlib.geometry import as_int

LARGEST = 1e100  # of a level: its square, summed over any picture, is a finite double
SHORT = ("bool", "uint8", "int8", "uint16", "int16")  # float32 holds their differences exactly


def pixel_gradients(image, *, transform_sqrt=False, channel_axis=None):
    """Return how much each pixel's neighbours differ, along the rows and along the columns.

    .. math:: r_{ij} = x_{i+1,j} - x_{i-1,j}, \\qquad c_{ij} = x_{i,j+1} - x_{i,j-1}

    Parameters
    ----------
    image : array of shape (..., H, W)
        NumPy or torch; one picture or, with leading axes, many. Any levels: 0 to 1, 0 to 255, booleans.
    transform_sqrt : bool
        Take the square root of each level first, which evens out dark and bright regions.
    channel_axis : int, optional
        Which axis holds the colours. At each pixel the colour whose gradient is longest is taken (of equal ones the
        first), not their sum: red that falls where green rises is an edge.

    Returns
    -------
    grad_row, grad_col : arrays of shape (..., H, W), in levels per two pixels
        Positive where it gets brighter downwards, to the right. 0 where a neighbour is missing: in the first and last
        row and column. In the image's dtype where that is float32 or float64; half precision gives float32,
        integers and booleans float64.

    Raises
    ------
    ValueError
        A level is NaN or infinite, beyond 1e100 or, with `transform_sqrt`, negative; or there are four channels.

    Examples
    --------
    >>> import numpy as np
    >>> grad_row, grad_col = pixel_gradients(np.array([[1, 1, 1], [2, 3, 9], [5, 5, 5]]))
    >>> int(grad_row[1, 1]), int(grad_col[1, 1])
    (4, 7)
    """
    image, _ = levels(image, transform_sqrt, channel_axis)
    return gradients_of(image, channel_axis is not None)


def gradients_of(image, colours):
    """Return the gradients of an image that :func:`levels` made, whose first axis may hold colours."""
    grad_row, grad_col = _differences(image)
    return _strongest(grad_row, grad_col) if colours else (grad_row, grad_col)


def _differences(x):
    """Return the differences of neighbours over the last two axes, 0 at the border."""
    grad_row, grad_col = _array.zeros(x.shape, x), _array.zeros(x.shape, x)
    grad_row[..., 1:-1, :] = x[..., 2:, :] - x[..., :-2, :]
    grad_col[..., :, 1:-1] = x[..., :, 2:] - x[..., :, :-2]
    return grad_row, grad_col


def _strongest(grad_row, grad_col):
    """Take, at each pixel, the gradient of the channel (first axis) where it is longest."""
    xp = _array.library(grad_row=grad_row)
    best_row, best_col = grad_row[0], grad_col[0]
    longest = xp.hypot(best_row, best_col)
    for row, col in zip(grad_row[1:], grad_col[1:]):
        length = xp.hypot(row, col)
        longer = length > longest
        best_row, best_col = xp.where(longer, row, best_row), xp.where(longer, col, best_col)
        longest = xp.where(longer, length, longest)
    return best_row, best_col


def levels(image, transform_sqrt=False, channel_axis=None, short="float64"):
    """Return the image in the dtype that its gradients have, channels (if any) first, and its largest level or more.

    Grey levels of a SHORT dtype become `short`, and are as exact in float32 as in float64.
    """
    _array.library(image=image)
    image = as_plain("hog", "image", image)
    dtype = _array.dtype_name(image)
    if dtype != "bool" and dtype not in _array.COMPUTE_DTYPE:
        raise TypeError(f"`image` has dtype {dtype}; hog takes real numbers and booleans")
    axes = image.ndim - (channel_axis is not None)
    if axes < 2:
        raise ValueError(f"`image` has shape {tuple(image.shape)}; it must be (..., H, W)"
                         + (" and its channels" if channel_axis is not None else ""))
    if channel_axis is None:
        check_no_colours("image", image, "; or say where the colours are, with channel_axis=-1")
    else:
        image = _channels_first(image, channel_axis)
    small = "float" not in dtype and dtype != "int64"
    roots = transform_sqrt and dtype not in ("bool", "uint8", "uint16", "uint32")  # those are never negative
    brief = dtype in SHORT and not transform_sqrt and channel_axis is None
    image = _array.as_dtype(image, short if brief else gradient_dtype(image))
    largest = _largest_level(image, small, roots)
    return (_array.library(image=image).sqrt(image) if transform_sqrt else image), largest


def gradient_dtype(image):
    """Return the dtype of an image's gradients."""
    dtype = _array.dtype_name(image)
    return {"float16": "float32", "bfloat16": "float32", "float32": "float32"}.get(dtype, "float64")


def result_dtype(image):
    """Return the dtype of an image's descriptor: its own, but float64 for integers and booleans."""
    dtype = _array.dtype_name(image)
    return dtype if "float" in dtype else "float64"


def _channels_first(image, channel_axis):
    """Return the image with its channels as the first axis."""
    axis = as_int("channel_axis", channel_axis, -image.ndim)
    if axis >= image.ndim:
        raise ValueError(f"`channel_axis` is {axis}; `image` of shape {tuple(image.shape)} has the axes "
                         f"{-image.ndim} to {image.ndim - 1}")
    axis %= image.ndim
    if image.shape[axis] == 4:
        raise ValueError(f"`image` has 4 channels along axis {channel_axis}: opacity, the fourth of RGBA, is no colour "
                         "whose edges could be seen; image[..., :3] drops a last one")
    if image.shape[axis] == 0:
        raise ValueError(f"`image` of shape {tuple(image.shape)} has no channels along axis {channel_axis}")
    return _array.permute(image, (axis, *(i for i in range(image.ndim) if i != axis)))


def _largest_level(image, small, transform_sqrt):
    """Return the largest level or more, after refusing those that have no gradient, or no square root.

    `small` ones were integers of at most 32 bits.
    """
    if 0 in image.shape or small and not transform_sqrt:
        return 2**32
    lowest, highest = image.min().item(), image.max().item()
    if not (-LARGEST <= lowest and highest <= LARGEST):  # NaN fails both
        double = _array.as_dtype(image, "float64")  # beside single precision 1e100 would be infinity
        bad = int((~((double >= -LARGEST) & (double <= LARGEST))).sum())
        raise ValueError(f"`image` has {bad} of {prod(image.shape)} values that are NaN, infinite or beyond "
                         f"{LARGEST:g}: they have no gradient, and a block would spread them")
    if transform_sqrt and lowest < 0:
        raise ValueError(f"`image` has {int((image < 0).sum())} negative values, the lowest {lowest:g}, which have no "
                         "square root: leave out `transform_sqrt`, or subtract the minimum")
    return max(-lowest, highest)
