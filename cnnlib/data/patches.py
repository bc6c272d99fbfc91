"""Pieces of brick, grass, gravel, and of photographs of things: many of them, which overlap, from two halves."""

import numpy as np

from cnnlib.data._split import as_count, interleaved, needed
from cnnlib.data.classes import CLASSES
from cnnlib.data.photos import PHOTOS, photo

SMALLEST, LARGEST = 8, 128  # pixels; the narrowest half of a picture has 192
THINGS = tuple(name for name in PHOTOS if name != "brick")


def load_patches(size=64, *, count=300):
    """Load square pieces of three surfaces and of photographs of things: four classes, to compare features on.

    Parameters
    ----------
    size : int, in pixels, from 8 to 128
    count : int, from 1 to 10,000
        Pieces of each class, in the training set and again in the test set.

    Returns
    -------
    (x_train, y_train), (x_test, y_test)
        x: array of shape (4 count, 1, size, size), float32 in [0, 1]. y: array of shape (4 count,), int64; the classes
        are ``data.CLASSES["patches"]`` and take turns.

    Raises
    ------
    ImportError
        scikit-image is not installed; the message says how to get it.

    Notes
    -----
    Every picture is cut down the middle: pieces for training come from its left half, pieces of the test from its right
    half, so no pixel of the test was seen before. Within a half the places are drawn at random, always the same ones,
    and the pieces overlap: 300 of them are fewer than 300 independent pictures. Brick, grass and gravel are one
    photograph each (512×512, from scikit-image, CC0); the fourth class takes its pieces in turn from those of
    ``data.PHOTOS`` that show things, in grey. What is learnt here are these surfaces, not all bricks.
    """
    size, count = as_count("size", size), as_count("count", count, 10_000)
    if not SMALLEST <= size <= LARGEST:
        raise ValueError(f"`size` is {size}; it must be a whole number from {SMALLEST} to {LARGEST}")
    source = needed("skimage.data", "scikit-image", "load_patches")
    surfaces = [[getattr(source, name)() / 255] for name in CLASSES["patches"][:3]]
    classes = [*surfaces, [photo(name, grey=True) for name in THINGS]]
    return tuple(_cut(classes, half, size, count) for half in (0, 1))


def _cut(classes, half, size, count):
    """Pieces of the left (0) or right (1) halves as a batch with labels; picture after picture takes its turn."""
    rng = np.random.default_rng(half)
    x = np.empty((len(classes), count, 1, size, size), dtype=np.float32)
    for label, pictures in enumerate(classes):
        halves = [np.split(picture, [picture.shape[1] // 2], axis=1)[half] for picture in pictures]
        for number in range(count):
            piece = halves[number % len(halves)]
            row, col = (rng.integers(0, length - size + 1) for length in piece.shape)
            x[label, number, 0] = piece[row:row + size, col:col + size]
    return interleaved(x, np.repeat(np.arange(len(classes))[:, None], count, axis=1))
