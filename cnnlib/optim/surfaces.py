"""Losses of two weights, with their gradients: landscapes on which an optimiser's way can be seen.

Every function takes points w of shape (..., 2), so that one call serves a single step and a whole contour map.
Optimisers walk on them in :mod:`cnnlib.optim.walks`; used in notebooks/33.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt

import numpy as np

GRID = 129  # samples along each side of a surface that is somebody's own


@dataclass(frozen=True)
class Surface:
    """A loss of two weights.

    Attributes
    ----------
    name : str
    value, gradient : callable
        Of points (..., 2): the loss, of shape (...), and its gradient, of shape (..., 2).
    window : ((left, right), (bottom, top))
        The part that is worth a look, in units of the first and of the second weight.
    start : (float, float)
        A point from which the way down teaches something.
    minima : tuple of (float, float)
        Where the gradient is 0 and the loss least; () where that is not known.
    """

    name: str
    value: Callable
    gradient: Callable
    window: tuple
    start: tuple
    minima: tuple = ()


def bowl(kappa=10.0):
    """Return L = (w₁² + κ w₂²) / 2: curvatures 1 and κ, so that gradient descent is stable below lr = 2 / κ.

    Examples
    --------
    >>> float(bowl(10).value([1.0, 1.0])), bowl(10).gradient([1.0, 1.0])
    (5.5, array([ 1., 10.]))
    """
    return _quadratic("bowl", np.diag([1.0, _curvature(kappa)]))


def ravine(kappa=10.0):
    """Return the bowl, turned so that its floor runs along (2, -1): no weight has the slow direction to itself."""
    along, across = np.array([2.0, -1.0]) / sqrt(5), np.array([1.0, 2.0]) / sqrt(5)
    return _quadratic("ravine", np.outer(along, along) + _curvature(kappa) * np.outer(across, across))


def rosenbrock():
    """Return L = (1 - w₁)² + 100 (w₂ - w₁²)²: down into a bent valley at once, then along it for ever.

    References
    ----------
    .. [1] Rosenbrock, An automatic method for finding the greatest or least value of a function, The Computer Journal
       3(3), 1960. doi:10.1093/comjnl/3.3.175
    """
    def value(w):
        x, y = _parts(w)
        return (1 - x) ** 2 + 100 * (y - x * x) ** 2

    def gradient(w):
        x, y = _parts(w)
        return np.stack([-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)], axis=-1)

    return Surface("rosenbrock", value, gradient, ((-2.0, 2.0), (-1.0, 3.0)), (-1.2, 1.0), ((1.0, 1.0),))


def saddle():
    """Return L = w₁² / 2 + (1 - w₂²)² / 4: at 0 it falls to both sides, and is so flat that descent lingers."""
    def value(w):
        x, y = _parts(w)
        return x * x / 2 + (1 - y * y) ** 2 / 4

    def gradient(w):
        x, y = _parts(w)
        return np.stack([x, y * (y * y - 1)], axis=-1)

    return Surface("saddle", value, gradient, ((-2.0, 2.0), (-2.0, 2.0)), (-1.5, 0.01), ((0.0, 1.0), (0.0, -1.0)))


# Depth, place and width of the two valleys; the wide one is the shallow one.
_VALLEYS = ((0.6, (-0.8, 0.0), 0.6), (1.0, (1.0, 0.0), 0.35))


def two_valleys():
    """Return a shallow wide valley on the left and a deep narrow one on the right, in a slope that rises outwards."""
    def valleys(w):
        x, y = _parts(w)
        for depth, (x0, y0), width in _VALLEYS:
            dx, dy = x - x0, y - y0
            yield depth * np.exp(-(dx * dx + dy * dy) / (2 * width**2)), dx / width**2, dy / width**2

    def value(w):
        x, y = _parts(w)
        return 1 + 0.05 * (x * x + y * y) - sum(pit for pit, _, _ in valleys(w))

    def gradient(w):
        x, y = _parts(w)
        return np.stack([0.1 * x + sum(pit * dx for pit, dx, _ in valleys(w)),
                         0.1 * y + sum(pit * dy for pit, _, dy in valleys(w))], axis=-1)

    return Surface("two valleys", value, gradient, ((-2.0, 2.0), (-2.0, 2.0)), (-1.2, 1.0),
                   ((-0.754566, 0.0), (0.983543, 0.0)))


def sampled(function, window=((-2.0, 2.0), (-2.0, 2.0)), start=(-1.2, 1.0)):
    """Return a surface of your own, known by its values on a grid of 129×129 points and straight lines between.

    Parameters
    ----------
    function : callable
        ``function(w1, w2)``, of two floats, or of two arrays of one shape, returns the loss. NaN is a hole.
    window : ((left, right), (bottom, top))
        The grid; beyond it the loss is that of the nearest point at its rim.
    start : (float, float)

    Returns
    -------
    Surface
        With ``.value.values``, the samples as an array (129, 129), rows from the bottom up.

    Notes
    -----
    The slopes are central differences of the samples, with straight lines between them, too. So the surface has a
    gradient everywhere, and a picture that is drawn elsewhere from the samples alone has the same.
    """
    (left, right), (bottom, top) = window
    w1, w2 = np.meshgrid(np.linspace(left, right, GRID), np.linspace(bottom, top, GRID))
    with np.errstate(all="ignore"):
        try:
            values = np.broadcast_to(np.asarray(function(w1, w2), dtype=float), w1.shape).copy()
        except (TypeError, ValueError):  # a function of two single numbers
            values = np.array([[float(function(float(a), float(b))) for a, b in zip(*row)] for row in zip(w1, w2)])
    return from_samples(values, window, start)


def from_samples(values, window, start=(-1.2, 1.0)):
    """Return the surface through samples (rows, cols) on an even grid over the window, rows from the bottom up."""
    values = np.asarray(values, dtype=float)
    if values.ndim != 2 or min(values.shape) < 3:
        raise ValueError(f"`values` has shape {values.shape}; it needs two axes of 3 samples at least")
    (left, right), (bottom, top) = window
    step = (right - left) / (values.shape[1] - 1), (top - bottom) / (values.shape[0] - 1)
    with np.errstate(all="ignore"):
        along_rows, along_cols = np.gradient(values, step[1], step[0])

    def between(grid):
        def look_up(w):
            x, y = _parts(w)
            return _bilinear(grid, (x - left) / step[0], (y - bottom) / step[1])
        look_up.values = grid
        return look_up

    slope1, slope2 = between(along_cols), between(along_rows)
    return Surface("own", between(values), lambda w: np.stack([slope1(w), slope2(w)], axis=-1), window, tuple(start))


def named(name, kappa=10.0):
    """Return the surface of this name; ValueError says which there are."""
    makers = {"bowl": lambda: bowl(kappa), "ravine": lambda: ravine(kappa), "rosenbrock": rosenbrock,
              "saddle": saddle, "two valleys": two_valleys}
    if name not in makers:
        raise ValueError(f"there is no surface {name!r}; there are {', '.join(makers)}")
    return makers[name]()


NAMES = ("bowl", "ravine", "rosenbrock", "saddle", "two valleys")


def _quadratic(name, hessian):
    """Return L = wᵀ H w / 2."""
    (a, b), (_, c) = hessian

    def value(w):
        x, y = _parts(w)
        return (a * x * x + 2 * b * x * y + c * y * y) / 2

    def gradient(w):
        x, y = _parts(w)
        return np.stack([a * x + b * y, b * x + c * y], axis=-1)

    return Surface(name, value, gradient, ((-2.0, 2.0), (-2.0, 2.0)), (-1.2, 1.0), ((0.0, 0.0),))


def _parts(w):
    """Return the two weights of points (..., 2)."""
    w = np.asarray(w, dtype=float)
    if w.shape[-1:] != (2,):
        raise ValueError(f"`w` has shape {w.shape}; the last axis must hold the two weights")
    return w[..., 0], w[..., 1]


def _curvature(kappa):
    if not 0 < kappa < float("inf"):
        raise ValueError(f"`kappa` is {kappa}; the ratio of the curvatures must be above 0 and finite")
    return float(kappa)


def _bilinear(grid, x, y):
    """Return the grid's values at places counted in samples; beyond the rim, those at the rim; NaN stays NaN."""
    rows, cols = grid.shape
    out = np.isnan(x) | np.isnan(y)
    x, y = (np.clip(np.where(out, 0, place), 0, size - 1) for place, size in ((x, cols), (y, rows)))
    col, row = (np.minimum(place.astype(int), size - 2) for place, size in ((x, cols), (y, rows)))
    s, t = x - col, y - row
    with np.errstate(all="ignore"):
        low = grid[row, col] * (1 - s) + grid[row, col + 1] * s
        high = grid[row + 1, col] * (1 - s) + grid[row + 1, col + 1] * s
        return np.where(out, np.nan, low * (1 - t) + high * t)
