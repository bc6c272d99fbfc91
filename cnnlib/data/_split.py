"""What all loaders share: pixels as floats, the first few of a split, and a package that may not be there."""

import importlib
import operator

import numpy as np


def as_pixels(levels):
    """Return 8-bit levels (N, H, W) or (N, C, H, W) as float32 (N, C, H, W) in [0, 1]; 255 becomes exactly 1."""
    pixels = np.divide(levels, np.float32(255), dtype=np.float32)
    return pixels[:, None] if pixels.ndim == 3 else pixels


def as_count(name, count, available=None):
    """Return how many pictures are asked for, as an int; None stands for all that are available."""
    if count is None and available is not None:
        return available
    try:
        number = operator.index(count)
    except TypeError:
        number = 0
    if number < 1 or (available is not None and number > available):
        limit = "from 1 up" if available is None else f"from 1 to {available}, or None for all"
        raise ValueError(f"`{name}` is {count!r}; it must be a whole number {limit}")
    return number


def as_generator(rng):
    """Return the random generator that is asked for; None stands for the one of seed 0."""
    rng = np.random.default_rng(0) if rng is None else rng
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"`rng` must be a numpy.random.Generator, not {type(rng).__name__}: "
                        "np.random.default_rng(seed) makes one")
    return rng


def interleaved(x, y):
    """Return pictures (classes, n, C, H, W) and labels (classes, n) as one batch in which the classes take turns."""
    return np.ascontiguousarray(x.swapaxes(0, 1)).reshape(-1, *x.shape[2:]), y.T.reshape(-1)


def needed(module, package, caller):
    """Import a module of a package that is no hard dependency, or say how to get it."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise ImportError(f"data.{caller} takes its pictures from {package}, which is not installed: "
                          f"pip install {package} (one of the packages in cnnlib's extra `course`)") from error
