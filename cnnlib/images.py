"""Pictures in and out: read, grey, turn, shrink and cut them. NumPy only; Pillow when a file is read.

A picture is a float array with values in [0, 1], of shape (H, W) if grey and (H, W, 3) if in colour
(rows down, columns right, red-green-blue last). Convolutions want the channels first: :func:`to_chw` and
:func:`to_hwc` are the only two places of cnnlib where axes are turned.
"""

from math import inf
from numbers import Real

import numpy as np

from cnnlib._arguments import as_plain
from cnnlib.geometry import as_int

REC709 = (0.2126, 0.7152, 0.0722)
REC601 = (0.299, 0.587, 0.114)
INK = 0.1  # a pixel of a drawing above this belongs to it


def read(path):
    """Read a picture file as floats.

    Parameters
    ----------
    path : str or path-like, or a binary file opened for reading
        Any format that Pillow knows: PNG, JPEG, TIFF, WebP, ...

    Returns
    -------
    array of shape (H, W) or (H, W, 3), float64 in [0, 1]
        8-bit levels are divided by 255 and 16-bit grey levels by 65535.

    Raises
    ------
    ValueError
        The file holds floating-point or 32-bit levels, for which no level means "white".

    Notes
    -----
    Transparent pictures (RGBA) are laid over white, as a browser shows them on a page. A photograph that
    the camera marked as turned (EXIF orientation) is turned upright. Palettes become colour, CMYK becomes
    RGB, and of an animation the first frame is read.

    Examples
    --------
    >>> import io
    >>> from PIL import Image
    >>> file = io.BytesIO()
    >>> Image.fromarray(np.array([[0, 255]], dtype=np.uint8)).save(file, "PNG")
    >>> read(file)
    array([[0., 1.]])
    """
    from PIL import Image, ImageOps

    with Image.open(path) as opened:
        picture = ImageOps.exif_transpose(opened)
        picture.load()
    if picture.mode.startswith("I"):
        levels = np.asarray(picture).astype(np.float64)
        if levels.min() < 0 or levels.max() > 65535:
            raise ValueError(f"{path}: levels from {levels.min():.0f} to {levels.max():.0f} are not 16-bit "
                             "grey; divide them yourself by the level that means white")
        return levels / 65535
    if picture.mode == "F":
        raise ValueError(f"{path}: floating-point levels have no agreed white; "
                         "scale them to [0, 1] yourself and save 8 or 16 bits")
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    picture = picture.convert("L" if picture.mode in ("1", "L") else "RGB")
    return np.asarray(picture) / 255.0


def to_grey(image, weights=REC709):
    """Turn a colour picture into a grey one.

    Parameters
    ----------
    image : array of shape (H, W, 3) or (H, W), float in [0, 1]
        A grey picture comes back as a copy.
    weights : three floats
        How much red, green and blue count. They should sum to 1, so that white stays white.

    Returns
    -------
    array of shape (H, W), dtype of `image`

    Notes
    -----
    The weights apply to the stored, gamma-encoded levels, so the result is the luma Y' of television, not
    physical luminance. :data:`REC709` [1]_ is the default; :data:`REC601` [2]_ is what Pillow and OpenCV use.

    References
    ----------
    .. [1] Recommendation ITU-R BT.709-6, Parameter values for the HDTV standards, 2015, item 3.2.
    .. [2] Recommendation ITU-R BT.601-7, Studio encoding parameters of digital television, 2011, item 2.5.1.

    Examples
    --------
    >>> to_grey(np.ones((1, 2, 3)))
    array([[1., 1.]])
    """
    image = _picture(image)
    weights = np.asarray(weights, dtype=np.result_type(image, np.float32))  # half precision is summed in single
    if weights.shape != (3,):
        raise ValueError(f"`weights` must be three numbers (red, green, blue), not of shape {weights.shape}")
    if image.ndim == 2:
        return image.copy()
    return (image @ weights).astype(image.dtype, copy=False)


def to_chw(image):
    """Put the channels first, as convolutions want them: (H, W, 3) to (3, H, W), (H, W) to (1, H, W).

    Parameters
    ----------
    image : array of shape (H, W) or (H, W, 3)

    Returns
    -------
    array of shape (1 or 3, H, W), a copy, each channel contiguous

    Examples
    --------
    >>> to_chw(np.zeros((4, 5, 3))).shape
    (3, 4, 5)
    """
    image = _picture(image, floats=False)
    channels = image[None] if image.ndim == 2 else image.transpose(2, 0, 1)
    return np.array(channels, order="C")


def to_hwc(channels):
    """Put the channels last, as pictures are shown: the inverse of :func:`to_chw`.

    Parameters
    ----------
    channels : array of shape (3, H, W) or (1, H, W)

    Returns
    -------
    array of shape (H, W, 3) or (H, W), a copy

    Examples
    --------
    >>> to_hwc(np.zeros((3, 4, 5))).shape
    (4, 5, 3)
    """
    channels = _numpy(channels, "channels")
    if channels.ndim != 3 or channels.shape[0] not in (1, 3):
        raise ValueError(f"`channels` must have shape (1, H, W) or (3, H, W), not {channels.shape}")
    return np.array(channels[0] if channels.shape[0] == 1 else channels.transpose(1, 2, 0), order="C")


def resize(image, size):
    """Resize a picture without jagged edges: each new pixel is a weighted mean of the old ones near it.

    Parameters
    ----------
    image : array of shape (H, W) or (H, W, 3), float
    size : (rows, cols), in pixels

    Returns
    -------
    array of shape (rows, cols) or (rows, cols, 3), dtype of `image`

    Notes
    -----
    The weights of a row of pixels and those of a column are two small matrices, R and C, so the new picture
    is ``R @ image @ C.T``. The weights are a triangle, one old pixel wide on either side when growing
    (bilinear interpolation) and one *new* pixel wide when shrinking (so that no old pixel is skipped, which
    would alias), cut at the border and scaled to sum 1. This is Pillow's ``BILINEAR``.

    Examples
    --------
    >>> resize(np.array([[0.0, 0.0, 1.0, 1.0]]), (1, 2)).round(3)
    array([[0.143, 0.857]])
    """
    image = _picture(image)
    if not isinstance(size, tuple | list) or len(size) != 2 or not all(
            isinstance(n, Real) and not isinstance(n, bool) and n >= 1 and n % 1 == 0 for n in size):
        raise ValueError(f"`size` must be (rows, cols), two whole numbers of pixels from 1 up, not {size!r}")
    rows, cols = (_resampling(old, int(new)) for old, new in zip(image.shape, size))
    if image.ndim == 3:
        return np.einsum("rh,hwc,vw->rvc", rows, image, cols, optimize=True).astype(image.dtype)
    return (rows @ image @ cols.T).astype(image.dtype)


def crop(image, row, col, height, width):
    """Cut a window out of a picture.

    Parameters
    ----------
    image : array of shape (H, W) or (H, W, 3)
    row, col : int, in pixels
        Its upper left corner.
    height, width : int, in pixels

    Returns
    -------
    array of shape (height, width) or (height, width, 3), a copy

    Raises
    ------
    ValueError
        The window is empty or reaches out of the picture.
    TypeError
        One of the four numbers is not a whole number.

    Examples
    --------
    >>> crop(np.arange(12.0).reshape(3, 4), 1, 1, 2, 2)
    array([[ 5.,  6.],
           [ 9., 10.]])
    """
    image = _picture(image, floats=False)
    rows, cols = image.shape[:2]
    row, col, height, width = (as_int(name, value, -inf) for name, value in (
        ("row", row), ("col", col), ("height", height), ("width", width)))
    if height < 1 or width < 1 or row < 0 or col < 0 or row + height > rows or col + width > cols:
        raise ValueError(f"the window (row {row}, col {col}, height {height}, width {width}) does not lie in "
                         f"the {rows}×{cols} picture")
    return image[row:row + height, col:col + width].copy()


def sample(image, points, *, outside=np.nan):
    """Read a picture between its pixels: the mean of the four around a place, weighted by nearness (bilinear).

    Parameters
    ----------
    image : array of shape (H, W) or (H, W, 3), float
    points : array of shape (..., 2)
        (row, col), in pixels; whole numbers are centres of pixels.
    outside : float
        What is read beyond the centres of the outermost pixels, and where a coordinate is NaN.

    Returns
    -------
    array of shape (...) or (..., 3), dtype of `image`

    Examples
    --------
    >>> sample(np.array([[0.0, 1.0], [2.0, 3.0]]), np.array([[0.5, 0.5], [1.0, 0.25], [-1.0, 0.0]]))
    array([1.5 , 2.25,  nan])
    """
    image, points = _picture(image), np.asarray(points)
    if points.ndim < 1 or points.shape[-1] != 2:
        raise ValueError(f"`points` has shape {points.shape}; it must be (..., 2): a row and a column for each point")
    height, width = image.shape[:2]
    rows, cols = points[..., 0], points[..., 1]
    inside = (rows >= 0) & (rows <= height - 1) & (cols >= 0) & (cols <= width - 1)
    rows, cols = np.where(inside, rows, 0), np.where(inside, cols, 0)
    top = np.minimum(rows.astype(np.intp), max(height - 2, 0))
    left = np.minimum(cols.astype(np.intp), max(width - 2, 0))
    down, right = (rows - top).astype(image.dtype), (cols - left).astype(image.dtype)
    if image.ndim == 3:
        inside, down, right = inside[..., None], down[..., None], right[..., None]
    bottom, beside = np.minimum(top + 1, height - 1), np.minimum(left + 1, width - 1)
    upper = image[top, left] * (1 - right) + image[top, beside] * right
    lower = image[bottom, left] * (1 - right) + image[bottom, beside] * right
    return np.where(inside, upper * (1 - down) + lower * down, image.dtype.type(outside))


def fill_frame(image, margin=0):
    """Enlarge what is drawn, in one piece, until it fills the picture, and centre it.

    Parameters
    ----------
    image : array of shape (H, W), float
        A drawing: 0 is the paper. What is above 0.1 is ink.
    margin : int, in pixels
        What stays free on each side, but for the soft rim of the enlarged ink.

    Returns
    -------
    array of shape (H, W), dtype of `image`
        The smallest box round the ink, read between the pixels (bilinear); without ink all 0.

    Raises
    ------
    ValueError
        The picture is in colour, or the margins leave no room.

    Examples
    --------
    >>> drawing = np.zeros((4, 4))
    >>> drawing[0, :2] = 1
    >>> fill_frame(drawing).round(2)
    array([[0.19, 0.25, 0.25, 0.19],
           [0.56, 0.75, 0.75, 0.56],
           [0.56, 0.75, 0.75, 0.56],
           [0.19, 0.25, 0.25, 0.19]])
    """
    image, margin = _picture(image), as_int("margin", margin, 0)
    if image.ndim == 3:
        raise ValueError(f"`image` has shape {image.shape}; a drawing is (H, W): to_grey(image) is one")
    if 2 * margin >= min(image.shape):
        raise ValueError(f"`margin` is {margin} on each side of a picture of shape {image.shape}: no room is left; at "
                         f"most {(min(image.shape) - 1) // 2}")
    ink = image > INK
    if not ink.any():
        return np.zeros_like(image)
    bounds = [np.flatnonzero(ink.any(axis=axis))[[0, -1]] for axis in (1, 0)]
    sizes = [last + 1 - first for first, last in bounds]
    scale = min((n - 2 * margin) / size for n, size in zip(image.shape, sizes))
    rows, cols = ((np.arange(n) + 0.5 - n / 2) / scale + first + size / 2 - 0.5
                  for n, (first, _), size in zip(image.shape, bounds, sizes))
    return (_reading(rows, image.shape[0]) @ image @ _reading(cols, image.shape[1]).T).astype(image.dtype)


def _reading(places, size):
    """Matrix that reads a row of `size` pixels at these places, between two pixels; outside is 0."""
    return np.clip(1 - np.abs(places[:, None] - np.arange(size)), 0, None)


def _resampling(old, new):
    """Matrix (new, old) whose row i holds the weights of the old pixels in new pixel i; rows sum to 1."""
    step = old / new
    reach = max(step, 1.0)
    centres = (np.arange(new) + 0.5) * step - 0.5
    weights = np.maximum(0, 1 - np.abs(centres[:, None] - np.arange(old)) / reach)
    return weights / weights.sum(axis=1, keepdims=True)


def _numpy(array, name):
    """The plain array, if it is a NumPy array that is not empty and has no mask."""
    if not isinstance(array, np.ndarray):
        raise TypeError(f"`{name}` must be a NumPy array, not {type(array).__name__}: "
                        f"np.asarray({name}) makes one")
    if array.size == 0:
        raise ValueError(f"`{name}` is empty: shape {array.shape}")
    return as_plain("this function", name, array)


def _picture(image, floats=True):
    """The image itself, if its shape is a picture's and (where `floats`) so are its numbers."""
    image = _numpy(image, "image")
    shape = image.shape
    if image.ndim not in (2, 3) or (image.ndim == 3 and shape[2] != 3):
        hint = "give one picture at a time" if image.ndim > 3 else "give (H, W) or (H, W, 3)"
        if image.ndim == 3 and shape[2] == 4:
            hint = "a fourth channel is transparency: image[..., :3] drops it"
        elif image.ndim == 3 and shape[0] in (1, 3):
            hint = "its channels stand first: to_hwc(image) turns it"
        raise ValueError(f"`image` has shape {shape}, which is not (H, W) or (H, W, 3): {hint}")
    if floats and image.dtype.kind != "f":
        hint = "image / 255" if image.dtype == np.uint8 else "image.astype(float)"
        raise TypeError(f"`image` has dtype {image.dtype}; pictures are floats in [0, 1]: {hint} makes one")
    if floats and (bad := np.count_nonzero(~np.isfinite(image))):
        raise ValueError(f"`image` has {bad} of {image.size} values that are NaN or infinite: "
                         "a mean over them would spread them")
    return image
