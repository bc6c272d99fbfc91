"""Central differences: what a step up and down shows of a function's slope."""

from dataclasses import dataclass

import numpy as np

from cnnlib.gradcheck._arrays import is_varied, numbers, own

NOISE = 4 * 2.0**-53  # how far two values of a function may be rounded, relative to them: float64 at its best


def numerical_gradient(fn, x, eps=1e-6):
    """Return how much a number moves when an entry of an array moves, for each entry: central differences.

    Parameters
    ----------
    fn : callable
        ``fn(x)`` returns one number.
    x : float array, NumPy or torch; copied to float64
    eps : float
        The step.

    Returns
    -------
    NumPy array of x's shape, float64

    Raises
    ------
    ValueError
        `fn` returns more than one number.

    Examples
    --------
    >>> numerical_gradient(lambda x: (x**2).sum(), np.array([1.0, -3.0])).round(6)
    array([ 2., -6.])
    """
    x = own(x)
    if not is_varied(x):
        raise TypeError(f"`x` is {type(x).__name__}; it must be an array of float")
    shape = np.shape(numbers(fn(x)))
    if shape != ():
        raise ValueError(f"`fn` returns an array of shape {shape}; it must be one number: .sum() makes one")
    value = numbers(fn(x)).astype(np.float64)
    slopes = np.empty(tuple(x.shape))
    for i in np.ndindex(slopes.shape):
        slopes[i] = look_at(fn, [x], 0, i, 1.0, value, step_at(x[i], eps)).slope
    return slopes


def error_by_step(fn, slope, x, steps):
    """Return the error of the central difference of a function of one number, for each step: a curve shaped like a V.

    Large steps see the curvature, small ones the rounding; in float64 the best is near 1e-5, in float32 near 1e-2.

    Parameters
    ----------
    fn : callable of one number
    slope : float
        The derivative at x.
    x : float, or a NumPy scalar whose dtype is computed in
    steps : sequence of float

    Returns
    -------
    array of shape (len(steps),), errors relative to \\|slope\\|
    """
    kind = np.asarray(x).dtype.type if np.asarray(x).dtype.kind == "f" else np.float64
    x = kind(x)
    slopes = [float((fn(x + kind(h)) - fn(x - kind(h))) / (kind(2) * kind(h))) for h in steps]
    return np.abs(np.array(slopes) - slope) / abs(slope)


@dataclass(frozen=True)
class Look:
    """What one step up and down shows of sum(fn * weights) at one entry."""

    slope: float  # the central difference
    jump: float  # between the slopes to the right and to the left, its size added up over fn's values
    noise: float  # of the slope: the rounding of the values of fn that moved


def look_at(fn, args, k, i, weights, middle, step):
    x = args[k]  # moved by index: x keeps its memory order, in which a flat view would be a copy
    kept = float(x[i])
    up, down = kept + step, kept - step
    try:
        x[i] = up
        above = numbers(fn(*args)).astype(np.float64)
        x[i] = down
        below = numbers(fn(*args)).astype(np.float64)
    finally:
        x[i] = kept
    jumps = (above - middle) / (up - kept) - (middle - below) / (kept - down)  # as far as it went: sums are rounded
    moved = (above != below) | (above != middle)
    size = np.abs(weights * np.maximum(np.abs(above), np.abs(below)) * moved).sum()
    return Look(((above - below) * weights).sum() / (up - down), np.abs(jumps * weights).sum(), NOISE * size / step)


def step_at(value, eps):
    """Return the step at a number: eps, but not so small beside it that rounding takes it."""
    return max(eps, 1e-10 * abs(float(value)))
