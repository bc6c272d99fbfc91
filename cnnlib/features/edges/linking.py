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
    Derived in notebooks/12, eq. 9. With connectivity=1 equal to scikit-image's ``apply_hysteresis_threshold``. A line
    one pixel wide runs over corners as often as over sides, so the default is 2.

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
    line, width = _as_line(weak)
    at = _array.places(line)
    begins = line[at]
    begins[1:] = ~line[at[1:] - 1]  # the first pixel has nothing before it
    number = begins.cumsum(0) - 1  # of the run that each weak pixel is in
    count = int(begins.sum())
    numbers = _array.zeros(line.shape, like=at)
    numbers[at] = number

    pairs = [(numbers[upper], numbers[lower]) for upper, lower in _touching(line, width, connectivity)]
    concatenate = _array.library(weak=weak).concatenate
    root = _roots(count, *(concatenate(side) for side in zip(*pairs)), like=at)
    kept = _array.zeros((count,), like=weak)
    kept[root[number[_as_line(strong)[0][at]]]] = True
    out = _array.zeros(line.shape, like=weak)
    out[at] = kept[root[number]]
    return out.reshape(*weak.shape[:-2], weak.shape[-2] + 1, width)[..., :-1, :-1]


def _as_line(mask):
    """Return masks (..., H, W), each row and each picture with a False behind it, as one line; and a row's length."""
    *outer, height, width = mask.shape
    line = _array.zeros((*outer, height + 1, width + 1), like=mask)
    line[..., :-1, :-1] = mask
    return line.reshape(-1), width + 1


def _touching(line, width, connectivity):
    """Yield the positions of pixels in neighbouring rows that touch, upper and lower ones, at least a pair for any two
    runs that do."""
    both = line[:-width] & line[width:]
    both[1:] = both[1:] & ~both[:-1]  # a stretch of sides that two runs share: once is enough
    side = _array.places(both)
    yield side, side + width
    if connectivity == 2:  # corners, where no side says it already
        here, right, below, beyond = line[:-width - 1], line[1:-width], line[width:-1], line[width + 1:]
        fall = _array.places(here & beyond & ~right & ~below)
        yield fall, fall + width + 1
        rise = _array.places(right & below & ~here & ~beyond)
        yield rise + 1, rise + width


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
