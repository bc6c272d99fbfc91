"""Pieces of three real surfaces: a brick wall, grass and gravel, from photographs that come with scikit-image."""

import operator

import numpy as np

from cnnlib.data._split import as_pixels, interleaved, needed
from cnnlib.data.classes import CLASSES

SMALLEST, LARGEST = 8, 128  # pixels; the photographs have 512, and a quarter of each is for the test


def load_textures(size=32):
    """Load square pieces of three surfaces: brick, grass, gravel.

    Parameters
    ----------
    size : int, in pixels, from 8 to 128

    Returns
    -------
    (x_train, y_train), (x_test, y_test)
        x: array of shape (N, 1, size, size), float32 in [0, 1]. y: array of shape (N,), int64; the classes are
        ``data.CLASSES["textures"]`` and take turns. At 32 pixels, N is 576 and 192.

    Raises
    ------
    ImportError
        scikit-image is not installed; the message says how to get it.

    Notes
    -----
    Each photograph, 512×512 grey pixels and in the public domain (CC0), is cut into a grid of pieces that do not
    overlap. The lowest quarter of the grid's rows is for the test, the rest for training, so no piece of the test
    was seen before. There is one photograph a class: what is learnt here are these three surfaces, not all bricks.

    Examples
    --------
    >>> (x_train, y_train), (x_test, y_test) = load_textures(size=64)
    >>> x_train.shape, x_test.shape
    ((144, 1, 64, 64), (48, 1, 64, 64))
    """
    try:
        side = operator.index(size)
    except TypeError:
        side = 0
    if not SMALLEST <= side <= LARGEST:
        raise ValueError(f"`size` is {size!r}; it must be a whole number from {SMALLEST} to {LARGEST}")
    source = needed("skimage.data", "scikit-image", "load_textures")
    pieces = np.stack([_pieces(getattr(source, name)(), side) for name in CLASSES["textures"]])
    test_rows = pieces.shape[1] // 4
    return _split(pieces[:, :-test_rows]), _split(pieces[:, -test_rows:])


def _pieces(photo, side):
    """A photograph (H, W) as a grid of pieces (rows, cols, side, side); what is left at the border is dropped."""
    rows, cols = (length // side for length in photo.shape)
    return photo[:rows * side, :cols * side].reshape(rows, side, cols, side).swapaxes(1, 2)


def _split(grid):
    """A grid (classes, rows, cols, side, side) as a batch with labels."""
    x = np.stack([as_pixels(pieces.reshape(-1, *pieces.shape[2:])) for pieces in grid])
    return interleaved(x, np.repeat(np.arange(len(x))[:, None], x.shape[1], axis=1))
