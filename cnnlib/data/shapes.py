"""Five shapes, drawn: as many pictures as one wants, in which only the shape tells the class."""

import numpy as np

from cnnlib.data._split import as_count, as_generator
from cnnlib.data.classes import CLASSES

SMALLEST = 16  # pixels; below, a cross and a square look alike
NOISE = 0.05
CHUNK = 500  # pictures drawn at once, which bounds the memory


def load_shapes(num_train=2000, num_test=500, size=32, *, rng=None):
    """Draw discs, rings, squares, triangles and crosses, turned and placed at random.

    Parameters
    ----------
    num_train, num_test : int
        How many pictures to draw for each split.
    size : int, in pixels, from 16 up
    rng : numpy.random.Generator, optional
        What the random numbers come from; None stands for ``np.random.default_rng(0)``, so that two calls give the same
        pictures. The two splits are drawn from two generators spawned from it: how many training pictures there are
        does not change the test.

    Returns
    -------
    (x_train, y_train), (x_test, y_test)
        x: array of shape (N, 1, size, size), float32 in [0, 1]. y: array of shape (N,), int64, shuffled and as even
        as N allows; the classes are ``data.CLASSES["shapes"]``.

    Notes
    -----
    Every class has the same distribution of area, angle, contrast and noise, and a shape is as often lighter than its
    ground as darker. So neither brightness nor size gives the answer away. A pixel on the border is as grey as the
    shape covers it (to first order: by its distance from the border); noise has a standard deviation of 0.05.

    Examples
    --------
    >>> (x_train, y_train), (x_test, y_test) = load_shapes(num_train=10, num_test=5)
    >>> x_train.shape, np.bincount(y_train)
    ((10, 1, 32, 32), array([2, 2, 2, 2, 2]))
    """
    num_train, num_test = as_count("num_train", num_train), as_count("num_test", num_test)
    if as_count("size", size) < SMALLEST:
        raise ValueError(f"`size` is {size}; below {SMALLEST} pixels the shapes cannot be told apart")
    rng = as_generator(rng)
    return tuple(_draw(num, size, child) for num, child in zip((num_train, num_test), rng.spawn(2)))


def coverage(kind, radius, angle, centre, size):
    """How much of each pixel a shape covers.

    Parameters
    ----------
    kind : str
        One of ``data.CLASSES["shapes"]``.
    radius : array of shape (N,), in pixels
        Of the disc that has the shape's area.
    angle : array of shape (N,), in radians
        By which the shape is turned.
    centre : array of shape (N, 2), as (row, col), in pixels
        (0, 0) is the middle of the first pixel.
    size : int, in pixels

    Returns
    -------
    array of shape (N, size, size), float64 in [0, 1]
    """
    row, col = (np.arange(size) - centre[:, axis, None] for axis in (0, 1))
    row, col = row[:, :, None], col[:, None, :]
    cos, sin, radius = (value[:, None, None] for value in (np.cos(angle), np.sin(angle), radius))
    distance = _OUTSIDE[kind](cos * row - sin * col, sin * row + cos * col, radius)
    return np.clip(0.5 - distance, 0, 1)


def _draw(num, size, rng):
    """`num` pictures and their labels."""
    y = rng.permutation(np.arange(num) % len(CLASSES["shapes"]))
    radius = size * rng.uniform(0.15, 0.28, num)
    angle = rng.uniform(0, 2 * np.pi, num)
    place = rng.uniform(-1, 1, (num, 2))
    dark, light = rng.uniform(0, 0.4, num), rng.uniform(0.6, 1, num)
    is_light = rng.random(num) < 0.5
    ground, ink = np.where(is_light, dark, light), np.where(is_light, light, dark)
    x = np.empty((num, 1, size, size), np.float32)
    room = size / 2 - _REACH * radius  # from the middle of the picture to the farthest centre
    centre = (size - 1) / 2 + place * room[:, None]
    for first in range(0, num, CHUNK):
        for label, kind in enumerate(CLASSES["shapes"]):
            these = first + np.flatnonzero(y[first:first + CHUNK] == label)
            covered = coverage(kind, radius[these], angle[these], centre[these], size)
            x[these, 0] = ground[these, None, None] + (ink - ground)[these, None, None] * covered
        part = x[first:first + CHUNK]
        part += NOISE * rng.standard_normal(part.shape, dtype=np.float32)
    return np.clip(x, 0, 1, out=x), y


# How far a point (u, v) lies outside of a shape around the origin, in pixels, negative inside. Each shape has the area
# of a disc of radius r. Off the corners this is the exact distance; near them it is a little less.

def _disc(u, v, r):
    return np.hypot(u, v) - r


def _ring(u, v, r):
    """Half as wide a hole as the whole: 3/4 of the outer disc is left."""
    outer = r * np.sqrt(4 / 3)
    return np.abs(np.hypot(u, v) - 0.75 * outer) - 0.25 * outer


def _square(u, v, r):
    return np.maximum(np.abs(u), np.abs(v)) - r * np.sqrt(np.pi) / 2


def _triangle(u, v, r):
    """Equilateral: three half-planes at the distance of the inscribed circle's radius, area 3√3 radius²."""
    inner = r * np.sqrt(np.pi / (3 * np.sqrt(3)))
    return np.maximum(-u, np.abs(v) * np.sqrt(3) / 2 + u / 2) - inner


def _cross(u, v, r):
    """Two bars, three times as long as wide; they overlap in a square. Area 20/9 of the arm's length squared."""
    arm = r * np.sqrt(9 * np.pi / 20)
    long, short = np.maximum(np.abs(u), np.abs(v)), np.minimum(np.abs(u), np.abs(v))
    return np.maximum(short - arm / 3, long - arm)


_OUTSIDE = {"disc": _disc, "ring": _ring, "square": _square, "triangle": _triangle, "cross": _cross}
_REACH = 2 * np.sqrt(np.pi / (3 * np.sqrt(3)))  # the triangle's corners reach farthest: twice its inner radius
