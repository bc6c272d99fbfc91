"""Maxima over place and scale (section 3.4), to a fraction of a pixel."""

import numpy as np

from cnnlib import _array
from cnnlib.features.surf.hessian import FILTER_SIZES, sigma_of

FLAT = 1e-9  # a determinant below this share of the entries' size cubed: no inverse
NEIGHBOURS = [(p, i, j) for p in (0, -1, 1) for i in (-1, 0, 1) for j in (-1, 0, 1) if (p, i, j) != (0, 0, 0)]


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
    """
    xp = _array.library(maps=maps)
    (_, height, width), flat = maps.shape, maps.reshape(-1)
    above = maps > threshold
    above[0] = above[-1] = above[:, 0] = above[:, -1] = above[:, :, 0] = above[:, :, -1] = False
    place = xp.where(above.reshape(-1))[0]
    value = flat.take(place)
    for p, i, j in NEIGHBOURS:  # most fall at the first few
        keep = value > flat.take(place + (p * height + i) * width + j)
        place, value = place[keep], value[keep]
    return place // (height * width), place // width % height, place % width


def refined(maps, octave, threshold):
    """Return an octave's points, each at the top of the quadratic through its 27 numbers.

    Returns
    -------
    row, col, sigma : arrays of shape (N,), in pixels of the picture
    response : array of shape (N,)
        The determinant at the top.
    """
    layer, row, col = maxima(maps, threshold)
    cubes = maps[tuple(each[:, None, None, None] + _array.constant(step, each) for each, step in zip(
        (layer, row, col), np.mgrid[-1:2, -1:2, -1:2]))]
    cubes = _array.as_dtype(cubes, "float64")  # (N, 3, 3, 3)
    gradient, hessian = derivatives(cubes)
    move = top(gradient, hessian)
    near = (abs(move) < 0.5).all(-1)  # further away another number would be the top
    layer, row, col, move = layer[near], row[near], col[near], move[near]
    first, second = FILTER_SIZES[octave][:2]
    sigma = sigma_of(first + (layer + move[:, 0]) * (second - first))
    response = cubes[near, 1, 1, 1] + 0.5 * (gradient[near] * move).sum(-1)
    return (row + move[:, 1]) * 2**octave, (col + move[:, 2]) * 2**octave, sigma, response


def top(gradient, hessian):
    """Return where quadratics have their tops, -H⁻¹ g: (N, 3). Far away where H has (almost) no inverse."""
    xp = _array.library(gradient=gradient)
    flat = abs(xp.linalg.det(hessian)) <= FLAT * abs(hessian).sum((1, 2)) ** 3
    hessian = xp.where(flat[:, None, None], _array.constant(np.eye(3), hessian), hessian)
    steps = xp.linalg.solve(hessian, -gradient[..., None])
    return xp.where(flat[:, None], xp.ones_like(gradient), steps[..., 0])


def derivatives(cubes):
    """Return gradients (N, 3) and Hessians (N, 3, 3) in the middle of cubes (N, 3, 3, 3), by central differences."""
    xp = _array.library(cubes=cubes)

    def at(*place):
        return cubes[(slice(None), *(1 + steps for steps in place))]

    one = ((1, 0, 0), (0, 1, 0), (0, 0, 1))
    after, before = ([at(*(sign * step for step in axis)) for axis in one] for sign in (1, -1))
    hessian = [[None] * 3 for _ in range(3)]
    for i in range(3):
        hessian[i][i] = after[i] + before[i] - 2 * at(0, 0, 0)
        for j in range(i):
            corners = [at(*(s * a + t * b for a, b in zip(one[i], one[j])))
                       for s, t in ((1, 1), (-1, -1), (1, -1), (-1, 1))]
            hessian[i][j] = hessian[j][i] = (corners[0] + corners[1] - corners[2] - corners[3]) / 4
    gradient = xp.stack([(a - b) / 2 for a, b in zip(after, before)], -1)
    return gradient, xp.stack([xp.stack(line, -1) for line in hessian], -2)
