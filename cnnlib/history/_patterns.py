"""Patterns with an answer, −1 or +1, to each; and the threshold that answers."""

import numpy as np


def threshold(total):
    """Return +1 where the sum is 0 or more, else −1.

    Examples
    --------
    >>> threshold(np.array([-0.5, 0.0, 2.0]))
    array([-1,  1,  1])
    """
    return np.where(np.asarray(total) >= 0, 1, -1)


def checked_patterns(x, targets, num_inputs):
    """Return patterns (N, num_inputs) and targets (N,) as arrays of float64."""
    x, targets = np.asarray(x, dtype=float), np.asarray(targets, dtype=float)
    if x.ndim != 2 or x.shape[1] != num_inputs or targets.shape != x.shape[:1]:
        raise ValueError(f"`x` must be (N, {num_inputs}) and `targets` (N,), not {x.shape} and {targets.shape}")
    strange = np.setdiff1d(targets, [-1, 1])
    if len(strange):
        raise ValueError(f"`targets` holds {strange[0]:g}; the threshold answers -1 or +1: for 0 and 1 give 2 * y - 1")
    return x, targets
