"""The numbers 00 to 99: two of scikit-learn's scanned digits side by side, for problems of many classes."""

import numpy as np

from cnnlib.data._split import as_generator
from cnnlib.data.digits import load_digits
from cnnlib.geometry import as_int

STEP = 37  # has no factor in common with 100, so that a hundred steps meet every number


def load_numbers(num_train=3000, num_test=2000, *, split="last", rng=None):
    """Load pictures of two handwritten digits, a hundred classes.

    Parameters
    ----------
    num_train, num_test : int
    split : {"mixed", "last"}
        As in :func:`load_digits`, whose training scans make the training pictures, and its test scans the others.
    rng : np.random.Generator, optional
        Draws which scans meet; ``np.random.default_rng(0)`` without.

    Returns
    -------
    (x_train, y_train), (x_test, y_test)
        x: array of shape (N, 1, 8, 16), float32 in [0, 1], white ink on black. y: array of shape (N,), int64, the
        number 0 to 99; all numbers take turns.

    Raises
    ------
    ImportError
        scikit-learn is not installed; the message says how to get it.

    Notes
    -----
    The scans are real, the pairs are drawn. Each of 355 test scans comes back in many pictures, so that 2,000 pictures
    say less than 2,000 that were written one by one.

    Examples
    --------
    >>> (x_train, y_train), (x_test, y_test) = load_numbers()
    >>> x_train.shape, x_test.shape, int(y_test.max())
    ((3000, 1, 8, 16), (2000, 1, 8, 16), 99)
    """
    counts = as_int("num_train", num_train, 1), as_int("num_test", num_test, 1)
    rng = as_generator(rng)
    return tuple(_pairs(*scans, count, rng) for scans, count in zip(load_digits(split=split), counts))


def _pairs(scans, digits, count, rng):
    """The first `count` numbers of an order in which all hundred take turns, each of two scans of its digits."""
    numbers = STEP * np.arange(count) % 100
    of_digit = [np.flatnonzero(digits == digit) for digit in range(10)]
    drawn = [np.array([of_digit[digit][rng.integers(len(of_digit[digit]))] for digit in place])
             for place in (numbers // 10, numbers % 10)]
    return np.concatenate([scans[which] for which in drawn], axis=3), numbers
