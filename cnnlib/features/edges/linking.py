"""Hysteresis: a weak pixel counts if it hangs together with a strong one.

No loop over pixels. A *run* is a stretch of neighbours in one row that are all above the low threshold. Runs of
neighbouring rows that touch are linked; linked runs get one common label by union-find: each run points to a run with a
smaller number, until all runs of a component point to the same one. The rounds that this takes grow with the logarithm
of the number of runs, also for a spiral.
"""

from cnnlib import _array
from cnnlib.features._picture import as_number, as_pictures


def hysteresis(strength, low, high, *, connectivity=2):
    """Mark the pixels above `high`, and those above `low` that a chain of such pixels connects to one of them.

    Parameters
    ----------
    strength : array of shape (..., H, W), NumPy or torch
        Each picture of a batch by itself.
    low, high : float
        `low` is at most `high`. A pixel *at* a threshold is not above it.
    connectivity : {1, 2}
        Whether pixels touch by their four sides only, or (2) also by their four corners.

    Returns
    -------
    array of shape (..., H, W), bool

    Notes
    -----
    With connectivity=1 equal to scikit-image's ``apply_hysteresis_threshold``. A line one pixel wide runs over corners
    as often as over sides, so the default is 2.

    References
    ----------
    .. [1] Canny, A computational approach to edge detection, IEEE Transactions on Pattern Analysis and Machine
       Intelligence 8(6), 1986. doi:10.1109/TPAMI.1986.4767851

    Examples
    --------
    >>> import numpy as np
    >>> hysteresis(np.array([[2, 3, 0, 2, 2]]), 1, 2).astype(int)
    array([[1, 1, 0, 0, 0]])
    """
    low, high = as_number("low", low), as_number("high", high)
    if low > high:
        raise ValueError(f"`low` is {low} and `high` {high}: the low threshold may not exceed the high one")
    if connectivity not in (1, 2) or isinstance(connectivity, bool):
        raise ValueError(f"`connectivity` is {connectivity!r}; it must be 1 (sides) or 2 (sides and corners)")
    (strength,), _ = as_pictures("hysteresis", strength=strength)
    return linked(strength > low, strength > high, connectivity)


def linked(weak, strong, connectivity=2):
    """Return which pixels of `weak` (..., H, W) are in one component with one that is also `strong`."""
    numbers, count = _number_runs(weak)
    above, below = _links(weak, numbers, connectivity)
    root = _roots(count, above, below, like=numbers)
    kept = _array.zeros((count,), like=weak)
    kept[root[numbers[weak & strong]]] = True
    out = _array.zeros(weak.shape, like=weak)
    out[weak] = kept[root[numbers[weak]]]
    return out


def _number_runs(weak):
    """Number the runs in reading order: (for each pixel the number of the last run that began, how many there are)."""
    begins = _array.zeros(weak.shape, like=weak)
    begins[..., :1] = weak[..., :1]
    begins[..., 1:] = weak[..., 1:] & ~weak[..., :-1]
    numbers = begins.reshape(-1).cumsum(0) - 1
    return numbers.reshape(weak.shape), int(begins.sum())


def _links(weak, numbers, connectivity):
    """Return the pairs of touching runs as two arrays of numbers, the upper run's and the lower one's."""
    upper, lower = weak[..., :-1, :], weak[..., 1:, :]
    number, under = numbers[..., :-1, :], numbers[..., 1:, :]
    side = upper & lower
    side[..., 1:] = side[..., 1:] & ~(upper & lower)[..., :-1]  # two runs share a stretch of sides: once is enough
    pairs = [(number[side], under[side])]
    if connectivity == 2:  # corners, where no side says it already
        left, right = (..., slice(None, -1)), (..., slice(1, None))
        fall = upper[left] & lower[right] & ~upper[right] & ~lower[left]
        rise = upper[right] & lower[left] & ~upper[left] & ~lower[right]
        pairs += [(number[left][fall], under[right][fall]), (number[right][rise], under[left][rise])]
    concatenate = _array.library(weak=weak).concatenate
    return concatenate([a for a, _ in pairs]), concatenate([b for _, b in pairs])


def _roots(count, above, below, like):
    """Return for each of `count` runs the smallest number in its component."""
    minimum, maximum = _array.library(above=above).minimum, _array.library(above=above).maximum
    root = _array.zeros((count,), like=like) + 1
    root = root.cumsum(0) - 1  # at first each points to itself
    while len(above):
        above, below = root[above], root[below]
        apart = above != below
        above, below = above[apart], below[apart]
        root = _array.scatter_min(root, maximum(above, below), minimum(above, below))
        while bool((root[root] != root).any()):  # let each point to where its pointer points
            root = root[root]
    return root
