"""The share of samples whose class is not among a net's first few guesses."""

import numpy as np

from cnnlib import _array
from cnnlib._arguments import is_integer
from cnnlib.geometry import as_int


def top_error(scores, target, k=5):
    """Return the top-k error: the share of samples whose target is not among the k classes with the highest scores.

    Parameters
    ----------
    scores : array of shape (N, num_classes)
        NumPy or torch; scores or probabilities, which have the same order.
    target : array of shape (N,), int
    k : int, 1 to num_classes

    Returns
    -------
    float

    Raises
    ------
    ValueError
        The shapes do not fit, there is no sample, a score is NaN, a target is no class, or k is larger than the number
        of classes.

    Notes
    -----
    By rank, never by threshold: what is added to all scores of a sample, or multiplies them, changes nothing. Of equal
    scores, the class that comes first is guessed first: a net that gives all classes the same is right by luck only.

    Examples
    --------
    >>> scores = np.array([[0.1, 0.7, 0.2], [0.6, 0.3, 0.1]])
    >>> top_error(scores, np.array([2, 2]), 1), top_error(scores, np.array([2, 2]), 2)
    (1.0, 0.5)
    """
    scores, target = _checked(scores, target, k)
    guesses = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return float((guesses != target[:, None]).all(axis=1).mean())


def _checked(scores, target, k):
    """Return both as NumPy arrays, after checking that each target has a rank."""
    if not is_integer(target):
        raise TypeError(f"`target` has dtype {_array.dtype_name(target)}; it must hold whole numbers, the classes")
    scores, target = _array.to_numpy(scores), _array.to_numpy(target)
    if scores.ndim != 2 or target.shape != scores.shape[:1] or not scores.size:
        raise ValueError(f"`scores` has shape {scores.shape} and `target` {target.shape}; they must be (N, classes) "
                         "and (N,), with a sample at least")
    num_classes = scores.shape[1]
    if as_int("k", k, 1) > num_classes:
        raise ValueError(f"`k` is {k}; there are {num_classes} classes")
    if np.isnan(scores).any():
        raise ValueError(f"`scores` holds NaN in {np.isnan(scores).any(axis=1).sum()} of {len(scores)} samples, which "
                         "has no rank")
    if target.min() < 0 or target.max() >= num_classes:
        raise ValueError(f"`target` goes from {target.min()} to {target.max()}; the classes are 0 to {num_classes - 1}")
    return scores, target
