"""Descriptor (Lowe, section 6): what the surroundings of a point look like, in 128 numbers.

An upright patch is cut out of the blurred picture: turned by the point's orientation, as wide as its scale says. Its
gradients are counted into 4 × 4 cells of 8 directions each. Rows and columns of the patch are those of the turned
frame, so nothing after the cut knows of orientation or scale.
"""

from functools import cache
from math import pi

import numpy as np

from cnnlib import _array
from cnnlib.features.sift.orientation import slopes

CELLS = 4  # along either side
BINS = 8  # directions in a cell
CELL_SIZE = 3.0  # side of a cell, in sigmas of the point
SAMPLES = 4  # of the patch along a cell's side
WINDOW = 2.0  # sigma of the weights, in cells: half the descriptor's width
CLIP = 0.2  # largest share that one number may have of the vector's length
SIDE = (CELLS + 1) * SAMPLES  # samples that reach a cell: half a cell further on either side
FAR = 2 ** 30  # pixels: beyond any picture (NumPy clips at two numbers faster than at one)
PATCH = SIDE + 2  # and a border of one sample, for the gradients


def patches(space, octave, layer, row, col, sigma, orientation):
    """Cut upright patches out of the blurred pictures.

    Parameters
    ----------
    space : ScaleSpace
    octave, layer : arrays of shape (K,), int64
    row, col, sigma : arrays of shape (K,), float32
        The points, in pixels of the octave, between pixels too.
    orientation : array of shape (K,), float32, in radians

    Returns
    -------
    patch : array of shape (K, 22, 22), float32
        Samples 3/4 sigma apart, each interpolated between its four pixels. Its columns run along the orientation.
    inside : array of shape (K, 22, 22), bool
        Whether the sample lies on the picture; those beyond repeat its edge.
    """
    xp = _array.library(pixels=space.pixels)
    along = (np.arange(PATCH) - (PATCH - 1) / 2) / SAMPLES * CELL_SIZE  # in sigmas
    along = _array.constant(along, sigma)
    cos, sin = ((f(orientation) * sigma)[:, None] * along for f in (xp.cos, xp.sin))
    down = xp.stack([row[:, None] + cos, col[:, None] - sin])  # a step down the patch moves so far, by row and column
    places = down[:, :, :, None] + xp.stack([sin, cos])[:, :, None]  # and a step to the right
    patch, inside = interpolated(space, octave[:, None], layer[:, None], places.reshape(2, -1, PATCH * PATCH))
    return patch.reshape(-1, PATCH, PATCH), inside.reshape(-1, PATCH, PATCH)


def interpolated(space, octave, layer, places):
    """Return what the blurred pictures show between their pixels (bilinearly), and whether the places lie on them.

    Parameters
    ----------
    space : ScaleSpace
    octave, layer : arrays of shape (K, 1), int64
    places : array of shape (2, K, N), float32
        Rows and columns, in pixels of the octave. Beyond the edge there is the edge's value.
    """
    xp = _array.library(pixels=space.pixels)
    height, width = space.sizes(octave)
    last = _array.as_dtype(xp.stack([height, width]) - 1, "float32")
    clipped = xp.clip(places, 0, FAR)
    clipped = xp.minimum(clipped, last, out=_array.spare(clipped))
    inside = clipped == places
    first = xp.floor(clipped)  # the last pixel at or before the place that has a next one
    first = xp.minimum(first, xp.clip(last - 1, 0, None), out=_array.spare(first))
    down, across = xp.subtract(clipped, first, out=_array.spare(clipped))
    top, left = _array.as_dtype(first, "int32")
    place = _array.as_dtype(top * _array.as_dtype(width, "int32") + left, "int64")
    place += space.index(octave, layer)
    below, next_ = (xp.where(size > 1, step, 0) for size, step in ((height, width), (width, 1)))
    corners = []
    for step in (next_, below, -next_, 0):
        corners.append(_array.look_up(space.pixels, place))
        place += step
    upper, lower = _between(corners[0], corners[1], across), _between(corners[3], corners[2], across)
    return _between(upper, lower, down), inside[0] & inside[1]


def _between(start, end, share):
    """Return what lies between start and end, this share of the way."""
    xp = _array.library(start=start)
    way = xp.subtract(end, start, out=_array.spare(end))
    way = xp.multiply(way, share, out=_array.spare(way))
    return xp.add(start, way, out=_array.spare(way))


def cell_histograms(patch, inside):
    """Count the gradients of upright patches into 4 × 4 cells of 8 directions.

    Parameters
    ----------
    patch : array of shape (K, 22, 22)
    inside : array of shape (K, 22, 22), bool
        Samples that count.

    Returns
    -------
    array of shape (K, 4, 4, 8), float32
        Cell row, cell column, direction: bin b is centred on 2 pi b / 8 from the orientation. Each sample counts with
        the length of its gradient times a Gaussian, shared among the nearest two directions, cell rows and columns in
        proportion to how near they are.
    """
    xp = _array.library(patch=patch)
    grad_row, grad_col = slopes(patch)
    length = xp.sqrt(grad_row ** 2 + grad_col ** 2) * inside[:, 1:-1, 1:-1]
    turn = xp.arctan2(grad_row, grad_col) * (BINS / (2 * pi))  # in bins, from -4 to 4
    beyond = xp.matmul(_beyond(length, turn), _array.constant(sample_weights(), patch).T)  # (K, 9, 16)
    shares = xp.clip(beyond[:, :-1] - beyond[:, 1:], 0, None)  # of bins -4 to 3
    shares[:, 0] += beyond[:, -1]  # bin 4 is the direction of bin -4
    shares = xp.concatenate([shares[:, BINS // 2:], shares[:, :BINS // 2]], 1)
    return _array.permute(shares, (0, 2, 1)).reshape(-1, CELLS, CELLS, BINS)


def _beyond(length, turn):
    """Return how much of each sample's vote lies beyond bin -4 (all of it), -3, …, 4 (nothing): (K, 9, 400).

    What lies beyond bin b - 1, less what lies beyond b, is the share of bin b.
    """
    xp = _array.library(length=length)
    out = _array.spare(_array.empty((len(length), BINS + 1, SIDE * SIDE), length))
    parts = [length.reshape(-1, SIDE * SIDE)]
    if out is not None:
        out[:, 0] = parts[0]
    turn = turn.reshape(-1, SIDE * SIDE)
    for i in range(BINS):
        part = turn - (i - BINS // 2)
        part = xp.clip(part, 0, 1, out=_array.spare(part))
        parts.append(xp.multiply(parts[0], part, out=None if out is None else out[:, i + 1]))
    return xp.stack(parts, 1) if out is None else out


@cache
def sample_weights():
    """Return how much each of the 20 × 20 samples counts for each of the 16 cells: (16, 400), the same for all points.

    Bilinear shares times a Gaussian, both products of one for the rows and one for the columns.
    """
    place = (np.arange(SIDE) - (SIDE - 1) / 2) / SAMPLES  # in cells
    centre = np.arange(CELLS) - (CELLS - 1) / 2
    share = np.clip(1 - abs(place - centre[:, None]), 0, None) * np.exp(-place ** 2 / (2 * WINDOW ** 2))
    return np.einsum("iu,jv->ijuv", share, share).reshape(CELLS ** 2, SIDE ** 2).astype(np.float32)


def normalised(histograms):
    """Return (K, 128) vectors of length 1, in which light and gain no longer show and no number exceeds 0.2 by much.

    The vectors are scaled to length 1, cut at 0.2 and scaled again (section 6.1). A flat patch gives zeros.
    """
    xp = _array.library(histograms=histograms)
    vectors = histograms.reshape(-1, CELLS * CELLS * BINS)
    return unit_vectors(xp.clip(unit_vectors(vectors), None, CLIP))


def unit_vectors(vectors):
    """Return vectors, (K, N), scaled to length 1; those of length 0 stay 0."""
    xp = _array.library(vectors=vectors)
    length = xp.sqrt((vectors ** 2).sum(-1))[:, None]
    return vectors / xp.where(length > 0, length, 1 + 0 * length)
