"""Plane to plane: the map that a camera makes of a flat thing, or of everything when it only turns."""

from math import sqrt

from cnnlib import _array
from cnnlib._arguments import checked, is_integer

FLAT = 1e-10  # a second null vector (so no single answer), or a map of the plane to a line


def apply_homography(homography, points):
    """Return where a homography takes points.

    .. math:: (u, v, w)^T = H (\\mathrm{row}, \\mathrm{col}, 1)^T, \\qquad
              (\\mathrm{row}', \\mathrm{col}') = (u / w, v / w)

    Parameters
    ----------
    homography : array of shape (3, 3), or (..., 3, 3) for several at once, float
    points : array of shape (K, 2), or (..., K, 2) with a set of points for each, float or integer
        (row, col), in pixels. NumPy or torch, and on the device of `homography`.

    Returns
    -------
    array of shape (..., K, 2), in pixels
        Infinite or NaN for a point on the horizon, w = 0. In the wider of the two floating-point dtypes: key points in
        single precision go through a homography in double precision as they are.

    Examples
    --------
    >>> import numpy as np
    >>> move = np.array([[1.0, 0.0, 3.0], [0.0, 1.0, -1.0], [0.0, 0.0, 1.0]])
    >>> apply_homography(move, np.array([[2.0, 2.0]]))
    array([[5., 1.]])
    """
    homography, points = _in_one_dtype("apply_homography", homography=homography, points=points)
    if points.ndim < 2 or points.shape[-1] != 2:
        raise ValueError(f"`points` has shape {tuple(points.shape)}; it must be (K, 2): a row and a column for each "
                         "point")
    return _apply(homography, points)


@_array.quietly
def _apply(homography, points):
    lifted = points @ homography[..., :, :2].swapaxes(-1, -2) + homography[..., None, :, 2]
    return lifted[..., :2] / lifted[..., 2:]


def fit_homography(src, dst):
    """Return the homography that takes points to points, as nearly as one can.

    With four pairs it is exact. With more it makes the algebraic error least: the direct linear transform, with both
    sets of points moved to mean 0 and scaled to a mean length of √2 first, as Hartley [1]_ shows one must.

    Parameters
    ----------
    src, dst : arrays of shape (K, 2), K ≥ 4, or (..., K, 2) for several fits at once; float or integer
        Points (row, col), in pixels, and where they should go. Computed in double precision.

    Returns
    -------
    array of shape (3, 3) or (..., 3, 3), float64
        Its last entry is 1 (where that entry is far from 0; else the squares of all nine sum to 1).

    Raises
    ------
    ValueError
        Fewer than four pairs, or the points determine no homography: too many on one line.

    References
    ----------
    .. [1] R. I. Hartley, In defense of the eight-point algorithm, IEEE Transactions on Pattern Analysis and Machine
       Intelligence 19(6), 1997. doi:10.1109/34.601246

    Examples
    --------
    >>> import numpy as np
    >>> square = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    >>> fit_homography(square, 2 * square).round(6) + 0.0
    array([[2., 0., 0.],
           [0., 2., 0.],
           [0., 0., 1.]])
    """
    src, dst = check_pairs("fit_homography", src, dst)
    homography, certain = direct_linear_transform(src, dst)
    if not bool(certain.all()):
        raise ValueError(f"the {src.shape[-2]} pairs determine no homography: all but one of the points lie on one "
                         "line, in `src` or in `dst`, or are the same")
    return homography


@_array.quietly
def direct_linear_transform(src, dst):
    """The fit itself: the homography, and whether it is the only one. (Eq. 4.1 of Hartley and Zisserman's book.)"""
    xp = _array.library(src=src)
    to_src, src = _normalised(src)
    to_dst, dst = _normalised(dst)
    ones, none = xp.ones_like(src[..., :1]), xp.zeros_like(src[..., :1])
    here = xp.concatenate([src, ones], -1)  # (..., K, 3)
    nothing = xp.concatenate([none, none, none], -1)
    row, col = dst[..., :1], dst[..., 1:]
    # row · (h3·p) - (h1·p) = 0 and col · (h3·p) - (h2·p) = 0, for the three rows h1, h2, h3 of the homography.
    equations = xp.concatenate([xp.concatenate([-here, nothing, row * here], -1),
                                xp.concatenate([nothing, -here, col * here], -1)], -2)
    if equations.shape[-2] < 9:  # of eight equations the null vector would not be computed
        equations = xp.concatenate([equations, xp.zeros_like(equations[..., :1, :])], -2)
    _, sizes, vectors = xp.linalg.svd(equations, full_matrices=False)
    flat = vectors[..., 8, :]
    homography = flat.reshape(*flat.shape[:-1], 3, 3)
    certain = (sizes[..., 7] > FLAT * sizes[..., 0]) & (abs(xp.linalg.det(homography)) > FLAT)
    homography = _inverse(to_dst) @ homography @ to_src
    homography = homography / xp.sqrt((homography * homography).sum((-1, -2)))[..., None, None]
    last = homography[..., 2:, 2:]
    return homography / xp.where(abs(last) > 1e-9, last, xp.ones_like(last)), certain


def transfer_error(homography, src, dst):
    """Return how far each pair is from agreeing with a homography.

    Parameters
    ----------
    homography : array of shape (3, 3) or (..., 3, 3), float
    src, dst : arrays of shape (K, 2), float or integer
        Points (row, col), in pixels, and their partners.

    Returns
    -------
    array of shape (K,) or (..., K), in pixels, in the widest of the floating-point dtypes
        The larger of two distances: from where `src` goes to `dst`, and from where `dst` comes from to `src`.

    Notes
    -----
    Hartley and Zisserman's symmetric transfer error sums the two squares; the larger of the two can be held against a
    limit in pixels.

    Examples
    --------
    >>> import numpy as np
    >>> double = np.diag([2.0, 2.0, 1.0])
    >>> transfer_error(double, np.array([[1.0, 1.0]]), np.array([[2.0, 6.0]]))
    array([4.])
    """
    homography, src, dst = _in_one_dtype("transfer_error", homography=homography, src=src, dst=dst)
    if src.ndim != 2 or src.shape[1] != 2 or src.shape != dst.shape:
        raise ValueError(f"`src` has shape {tuple(src.shape)} and `dst` {tuple(dst.shape)}; both must be (K, 2)")
    return transfer_distances(homography, src, dst)


@_array.quietly
def transfer_distances(homography, src, dst):
    """The same, without checks."""
    xp = _array.library(src=src)
    there = ((_apply(homography, src) - dst) ** 2).sum(-1)
    back = ((_apply(_inverse(homography), dst) - src) ** 2).sum(-1)
    worse = xp.sqrt(xp.maximum(there, back))
    return xp.where(worse >= 0, worse, xp.zeros_like(worse) + float("inf"))  # NaN: the point lies on the horizon


def check_pairs(what, src, dst):
    """Return both sets of points in double precision after checking that they make at least four finite pairs."""
    src, dst = (_array.as_dtype(*checked(what, integers=True, **{name: points}), "float64")
                for name, points in (("src", src), ("dst", dst)))
    _array.library(src=src, dst=dst)
    if src.ndim < 2 or src.shape[-1] != 2 or src.shape != dst.shape:
        raise ValueError(f"`src` has shape {tuple(src.shape)} and `dst` {tuple(dst.shape)}; both must be (K, 2): a row "
                         "and a column for each point of a pair")
    if src.shape[-2] < 4:
        raise ValueError(f"{what} got {src.shape[-2]} pairs of points; a homography has eight free numbers and needs "
                         "at least 4 pairs")
    for name, points in (("src", src), ("dst", dst)):
        if not _array.all_finite(points):
            bad = int((~(abs(points) < float("inf"))).any(-1).sum())
            raise ValueError(f"`{name}` has {bad} of {points.shape[-2]} points with a coordinate that is NaN or "
                             "infinite")
    return src, dst


def _in_one_dtype(what, homography, **points):
    """Return the homography and sets of points in the widest of their dtypes, after checking what holds for each."""
    homography, = checked(what, homography=homography)
    if homography.ndim < 2 or tuple(homography.shape[-2:]) != (3, 3):
        raise ValueError(f"`homography` has shape {tuple(homography.shape)}; it must be (3, 3)")
    arrays = {"homography": homography}
    for name, some in points.items():
        arrays[name], = checked(what, integers=True, **{name: some})
    dtypes = {_array.dtype_name(a) for a in arrays.values() if not is_integer(a)}
    if len(dtypes) > 1:
        dtypes = {"float64"} if "float64" in dtypes else {"float32"}  # which holds both half precisions, too
    dtype, = dtypes
    arrays = {name: _array.as_dtype(a, dtype) for name, a in arrays.items()}
    _array.library(**arrays)  # of one library, on one device
    return arrays.values()


def _normalised(points):
    """Return the similarity that moves the points to mean 0 and mean length √2, and the points moved by it."""
    xp = _array.library(points=points)
    centre = points.mean(-2)
    moved = points - centre[..., None, :]
    length = xp.sqrt((moved**2).sum(-1)).mean(-1)
    scale = xp.where(length > 0, sqrt(2) / length, xp.ones_like(length))
    none, one = xp.zeros_like(scale), xp.ones_like(scale)
    rows = ([scale, none, -scale * centre[..., 0]], [none, scale, -scale * centre[..., 1]], [none, none, one])
    return xp.stack([xp.stack(row, -1) for row in rows], -2), moved * scale[..., None, None]


def _inverse(homography):
    """The inverse up to a factor, which a homography does not have: its columns are cross products of the rows."""
    one, two, three = homography[..., 0, :], homography[..., 1, :], homography[..., 2, :]
    return _array.library(homography=homography).stack([_cross(two, three), _cross(three, one), _cross(one, two)], -1)


def _cross(a, b):
    return a[..., [1, 2, 0]] * b[..., [2, 0, 1]] - a[..., [2, 0, 1]] * b[..., [1, 2, 0]]
