"""Maxima over place and scale (section 3.4), to a fraction of a pixel."""

from functools import partial

import numpy as np

from cnnlib import _array
from cnnlib.features.sift.refinement import extremum_of, of_cube
from cnnlib.features.surf.hessian import FILTER_SIZES, sigma_of


def maxima(maps, threshold):
    """Find the numbers above a threshold that are larger than all 26 neighbours in their own and the next two maps.

    Parameters
    ----------
    maps : array of shape (L, H, W)
    threshold : float

    Returns
    -------
    layer, row, col : arrays of shape (N,), int64
        Never in the first or last layer, row or column.
    cubes : array of shape (3, 3, 3, N)
        The numbers and their neighbours, by layer, row and column.
    """
    (layers, height, width), line = maps.shape, maps.reshape(-1)
    plane = height * width
    inner = line[plane:-plane]
    above = inner > threshold
    for step in (1, -1, width, -width, plane, -plane):  # on all at once; few are left for the other 20
        above &= inner > line[plane + step:len(line) - plane + step]
    above = above.reshape(layers - 2, height, width)
    above[:, 0] = above[:, -1] = above[:, :, 0] = above[:, :, -1] = False
    place = _array.places(above) + plane
    steps = _array.constant(np.arange(-1, 2), place)[:, None]
    cubes = line[place + steps + steps[:, :, None] * width + steps[:, :, None, None] * plane]
    largest = (cubes < cubes[1, 1, 1]).sum((0, 1, 2)) == 26
    place = place[largest]
    return place // plane, place // width % height, place % width, cubes[..., largest]


def refined(stacks, threshold):
    """Return the points of all octaves, each at the top of the quadratic through its 27 numbers.

    Parameters
    ----------
    stacks : iterable of arrays of shape (L, H, W)
        From :func:`~cnnlib.features.surf.hessian.hessian_octaves`.
    threshold : float

    Returns
    -------
    row, col, sigma : arrays of shape (N,), in pixels of the picture
    response : array of shape (N,)
        The determinant at the top.
    octave : array of shape (N,), int64
    """
    found = [*map(partial(maxima, threshold=threshold), stacks)]  # which holds no octave longer than it must
    xp = _array.library(cubes=found[0][-1])
    octave = xp.concatenate([0 * part[0] + octave for octave, part in enumerate(found)])
    layer, row, col, cubes = (xp.concatenate(parts, -1) for parts in zip(*found))
    value, gradient, hessian = of_cube(_array.as_dtype(cubes, "float64"))
    move = extremum_of(gradient, hessian)  # by columns, rows and layers
    response = value + 0.5 * (gradient * move).sum(0)
    near = (abs(move) < 0.5).all(0)  # further away another number would be the top
    layer, row, col, response, octave = (each[near] for each in (layer, row, col, response, octave))
    right, down, up = move[:, near]
    first, second = (_array.constant(sizes, up)[octave] for sizes in np.array(FILTER_SIZES).T[:2])
    sigma = sigma_of(first + (layer + up) * (second - first))
    return (row + down) * 2**octave, (col + right) * 2**octave, sigma, response, octave
