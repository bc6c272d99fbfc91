"""Several pictures laid over each other as one: size, brightness, and soft seams."""

import numpy as np

from cnnlib.features.matching.homography import apply_homography
from cnnlib.features.matching.warp import as_homography, warp

LARGEST = 2**26  # pixels of a panorama; more means a picture that reaches its horizon


def panorama(pictures, homographies, *, compensate=True, feathered=True):
    """Return several pictures as one.

    Parameters
    ----------
    pictures : list of arrays of shape (H, W) or (H, W, 3), float in [0, 1]
        NumPy; all grey or all in colour. Sizes may differ.
    homographies : list of arrays of shape (3, 3)
        For each picture, the one that takes its points to those of a common plane: that of the first picture, say,
        with the identity for the first.
    compensate : bool
        Make the pictures equally bright first (:func:`gains`).
    feathered : bool
        Let each picture fade out towards its border (:func:`feather`); else each counts the same wherever it reaches,
        and its border shows.

    Returns
    -------
    array of shape (rows, cols) or (rows, cols, 3), float
        0 where no picture reaches. Not cut at 1: what was clipped in one picture may be known from another.

    Examples
    --------
    >>> left, right = np.array([[0.5, 0.5, 0.5]]), np.array([[0.4, 0.4, 0.4]])
    >>> two_right = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 2.0], [0.0, 0.0, 1.0]])
    >>> panorama([left, right], [np.eye(3), two_right]).round(3)
    array([[0.447, 0.447, 0.447, 0.447, 0.447]])
    """
    pictures = _pictures("pictures", pictures)
    size, shift = canvas([picture.shape for picture in pictures], homographies)
    moved = [shift @ np.asarray(homography, dtype=np.float64) for homography in homographies]
    layers = [warp(picture, one, size, outside=np.nan) for picture, one in zip(pictures, moved)]
    if compensate:
        layers = [gain * layer for gain, layer in zip(gains(layers), layers)]
    weights = [feather(picture.shape) if feathered else np.ones(picture.shape[:2]) for picture in pictures]
    return blend(layers, [warp(weight, one, size) for weight, one in zip(weights, moved)])


def canvas(shapes, homographies):
    """Return how large the plane must be to hold all pictures, and the shift that brings them onto it.

    Parameters
    ----------
    shapes : list of (H, W) or (H, W, 3), in pixels
    homographies : list of arrays of shape (3, 3), as many

    Returns
    -------
    size : (rows, cols), in pixels
    shift : array of shape (3, 3)
        ``shift @ homography`` takes a picture's points to pixels of the plane.

    Raises
    ------
    ValueError
        A picture reaches its horizon, where it would be infinitely large.

    Examples
    --------
    >>> canvas([(10, 10)], [np.array([[1.0, 0.0, -4.0], [0.0, 2.0, 0.0], [0.0, 0.0, 1.0]])])[0]
    (10, 19)
    """
    if len(shapes) != len(homographies) or not len(shapes):
        raise ValueError(f"there are {len(shapes)} pictures and {len(homographies)} homographies; each needs one")
    corners = []
    for number, (shape, homography) in enumerate(zip(shapes, homographies)):
        homography = as_homography(f"homographies[{number}]", homography)
        height, width = shape[:2]
        outer = np.array([[row, col] for row in (0.0, height - 1) for col in (0.0, width - 1)])
        depth = outer @ homography[2, :2] + homography[2, 2]
        if not (np.all(depth > 0) or np.all(depth < 0)):
            raise ValueError(f"picture {number} reaches its horizon under its homography, where it is infinitely "
                             "large: choose a picture nearer to the middle as the plane of all")
        corners.append(apply_homography(homography, outer))
    # A hair inwards, so that rounding adds no empty row.
    low, high = np.floor(np.min(corners, axis=(0, 1)) + 1e-6), np.ceil(np.max(corners, axis=(0, 1)) - 1e-6)
    size = tuple(int(n) for n in high - low + 1)
    if size[0] * size[1] > LARGEST:
        raise ValueError(f"the panorama would have {size[0]}×{size[1]} pixels, more than {LARGEST}: a picture nearly "
                         "reaches its horizon")
    shift = np.eye(3)
    shift[:2, 2] = -low
    return size, shift


def feather(shape):
    """Return how much each pixel of a picture should count: 1 in the middle, falling to nearly 0 at the border.

    Parameters
    ----------
    shape : (H, W) or (H, W, 3), in pixels

    Returns
    -------
    array of shape (H, W), float64
        The product of two tents, one along the rows and one along the columns.

    Examples
    --------
    >>> feather((1, 3))
    array([[0.5, 1. , 0.5]])
    """
    down, across = (1 - np.abs(2 * np.arange(size) + 1 - size) / (size + 1) for size in shape[:2])
    return down[:, None] * across


def gains(layers):
    """Return by what to multiply pictures of one scene, taken with different exposures, to make them equally bright.

    Wherever two of them overlap, one is so many times as bright as the other there. The logarithms of the gains undo
    these ratios as nearly as possible (least squares, each pair of pictures weighted by the pixels that both have).

    Parameters
    ----------
    layers : list of arrays of shape (rows, cols) or (rows, cols, 3), float
        Warped onto one plane, NaN where they do not reach. Values at 0 or below and at 1 or above are clipped and tell
        nothing.

    Returns
    -------
    array of shape (len(layers),), float64
        Their geometric mean is 1, in each group of pictures that hang together: no exposure is the right one.

    Notes
    -----
    Brown and Lowe [1]_ compare the means themselves and hold the gains near 1 by a second term. Ratios find exact gains
    where the exposures differ by exact factors. A factor on the light is one on the stored levels too, if those are a
    power of the light (gamma).

    References
    ----------
    .. [1] M. Brown, D. G. Lowe, Automatic panoramic image stitching using invariant features, IJCV 74(1), 2007, section
       6. doi:10.1007/s11263-006-0002-3

    Examples
    --------
    >>> gains([np.full((2, 2), 0.2), np.full((2, 2), 0.8)]).round(6)
    array([2. , 0.5])
    """
    layers = _pictures("layers", layers, one_shape=True)
    n = len(layers)
    told = [(layer > 0) & (layer < 1) for layer in layers]  # false for NaN too
    equations, ratios = [], []
    for i in range(n):
        for j in range(i + 1, n):
            both = told[i] & told[j]
            if not (pixels := np.count_nonzero(both)):
                continue
            row = np.zeros(n)
            row[i], row[j] = 1, -1
            one, other = (layer[both].mean(dtype=np.float64) for layer in (layers[i], layers[j]))
            weight = np.sqrt(pixels)
            equations.append(weight * row)
            ratios.append(weight * np.log(other / one))
    if not equations:
        return np.ones(n)
    return np.exp(np.linalg.lstsq(np.array(equations), np.array(ratios), rcond=1e-10)[0])  # the shortest solution


def blend(layers, weights):
    """Return the weighted mean of pictures that lie on one plane.

    Parameters
    ----------
    layers : list of arrays of shape (rows, cols) or (rows, cols, 3), float
        NaN where they do not reach.
    weights : list of arrays of shape (rows, cols), float, 0 or above

    Returns
    -------
    array of shape (rows, cols) or (rows, cols, 3), dtype of the layers
        0 where no layer reaches.

    Examples
    --------
    >>> blend([np.array([[0.2, 0.4]]), np.array([[0.6, np.nan]])], [np.array([[3.0, 1.0]]), np.array([[1.0, 1.0]])])
    array([[0.3, 0.4]])
    """
    layers = _pictures("layers", layers, one_shape=True)
    shape = layers[0].shape
    if len(weights) != len(layers) or any(np.shape(weight) != shape[:2] for weight in weights):
        raise ValueError(f"`weights` have the shapes {[np.shape(weight) for weight in weights]}; each of the "
                         f"{len(layers)} layers needs one of shape {shape[:2]}")
    total, sum_of_weights = np.zeros(shape), np.zeros(shape)
    for layer, weight in zip(layers, weights):
        there = ~np.isnan(layer)
        weight = np.where(there, np.asarray(weight).reshape(shape[:2] + (1,) * (len(shape) - 2)), 0)
        total += weight * np.where(there, layer, 0)
        sum_of_weights += weight
    return np.divide(total, sum_of_weights, out=np.zeros(shape), where=sum_of_weights > 0).astype(layers[0].dtype)


def _pictures(name, pictures, one_shape=False):
    """The list of pictures, if it is one: float arrays, all grey or all in colour (and all of one size)."""
    if isinstance(pictures, np.ndarray) or not len(pictures):
        raise ValueError(f"`{name}` must be a list of at least one picture, not {type(pictures).__name__} of length "
                         f"{len(pictures)}")
    for number, picture in enumerate(pictures):
        if not isinstance(picture, np.ndarray) or picture.dtype.kind != "f":
            kind = picture.dtype if isinstance(picture, np.ndarray) else type(picture).__name__
            raise TypeError(f"`{name}[{number}]` is {kind}; pictures are NumPy arrays of floats in [0, 1]")
        first = pictures[0].shape
        if picture.ndim not in (2, 3) or picture.shape[2:] != first[2:] or one_shape and picture.shape != first:
            raise ValueError(f"`{name}[{number}]` has shape {picture.shape} and the first {first}; they must be "
                             f"{'of one shape' if one_shape else 'all (H, W) or all (H, W, 3)'}")
    return list(pictures)
