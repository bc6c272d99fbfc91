"""More pictures from the same pictures, of the same class."""

import numpy as np

from cnnlib import _array
from cnnlib._arguments import checked
from cnnlib.geometry import as_int


def shift(x, pixels, *, rng):
    """Move each picture by some whole pixels, its own number down and to the right; what comes in is 0.

    Parameters
    ----------
    x : array of shape (N, C, H, W)
    pixels : int
        At most so many, in each direction.
    rng : np.random.Generator
        Draws 2 N whole numbers from -pixels to pixels.

    Returns
    -------
    array of x's shape

    Notes
    -----
    Called by :func:`cnnlib.training.fit` as ``augment=lambda x, rng: shift(x, 1, rng=rng)``. The label stays true as
    long as what is seen stays in the picture: with a larger `pixels` a stroke may leave it.

    Examples
    --------
    >>> x = np.arange(1.0, 10).reshape(1, 1, 3, 3)
    >>> shift(x, 1, rng=np.random.default_rng(2))[0, 0]  # one down, one to the left
    array([[0., 0., 0.],
           [2., 3., 0.],
           [5., 6., 0.]])
    """
    x, = checked("shift", x=x)
    if x.ndim != 4:
        raise ValueError(f"`x` has shape {tuple(x.shape)}; it must be (N, C, H, W)")
    pixels = as_int("pixels", pixels, 0)
    count, channels, height, width = x.shape
    down, right = rng.integers(-pixels, pixels + 1, (2, count))
    rows = pixels - down[:, None] + np.arange(height)  # where in the padded picture each row is taken from
    cols = pixels - right[:, None] + np.arange(width)
    padded = _array.pad(x, ((pixels, pixels), (pixels, pixels)))
    place = (np.arange(count)[:, None, None, None], np.arange(channels)[:, None, None],
             rows[:, None, :, None], cols[:, None, None, :])
    if _array.is_torch(x):
        place = tuple(_array.library(x=x).as_tensor(index, device=x.device) for index in place)
    return padded[place]


def mirror(x, *, rng):
    """Turn each picture left to right, or leave it, with equal chance.

    Parameters
    ----------
    x : array of shape (N, C, H, W)
    rng : np.random.Generator
        Draws N numbers.

    Returns
    -------
    array of x's shape

    Notes
    -----
    For things that may look either way. A digit or a letter may not.

    Examples
    --------
    >>> x = np.arange(1.0, 7).reshape(3, 1, 1, 2)
    >>> mirror(x, rng=np.random.default_rng(0)).reshape(3, 2)
    array([[1., 2.],
           [4., 3.],
           [6., 5.]])
    """
    x, = checked("mirror", x=x)
    if x.ndim != 4:
        raise ValueError(f"`x` has shape {tuple(x.shape)}; it must be (N, C, H, W)")
    turned = rng.random(x.shape[0]) < 0.5
    return _array.library(x=x).where(_array.constant(turned, x)[:, None, None, None] > 0, _array.flip(x, (3,)), x)
