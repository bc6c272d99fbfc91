"""Extrema in NumPy, made for speed: tiles that stay in cache, cheap questions first, few and long calls.

Of some hundred pixels one is an extremum. So first the cheap questions: is the pixel far enough from 0, and is it an
extremum along its row, along its column and over scale? Few are left, and only their 27 neighbours are looked up.
"""

from functools import lru_cache

import numpy as np

from cnnlib._threads import run_all, scratch

TILE = 2 ** 17  # pixels of a layer in which extrema are looked for at a time
MANY = 0.05  # share of the pixels from which on asking all of them is quicker than picking out those that are left


def takes(x):
    """Whether this is a NumPy array of the dtype and order that we are made for."""
    return type(x) is np.ndarray and x.dtype == np.float32 and x.flags.c_contiguous


def each(work, jobs, like):
    """Call ``work(job)`` for each job: on one or two threads in NumPy, one after the other for tensors like `like`."""
    if type(like) is np.ndarray:
        run_all(work, jobs)
    else:
        for job in jobs:
            work(job)


def joined(pieces, cost, enough):
    """Return pieces of work in lists that cost about `enough` each, and so are worth a thread's while, or more."""
    jobs, room = [], 0
    for piece in pieces:
        if room <= 0:
            jobs.append([])
            room = enough
        jobs[-1].append(piece)
        room -= cost(piece)
    return jobs


def extrema(gaussian, threshold, border):
    """Return the layers, rows and columns of the octave's extrema, in that order's reading order."""
    return extrema_of_each([gaussian], threshold, border)[0]


def extrema_of_each(gaussians, threshold, border):
    """Return the same for each of several octaves."""
    found = [[np.zeros(0, np.int64)] for _ in gaussians]

    def tiles(job):
        for number, top, bottom in job:
            found[number].append(_of_tile(gaussians[number], top, bottom, threshold, border))

    shapes = [gaussian.shape[1:] for gaussian in gaussians]
    run_all(tiles, joined(_tiles(shapes, border), lambda one: (one[2] - one[1]) * shapes[one[0]][1], TILE))
    return [np.unravel_index(np.sort(np.concatenate(several)), gaussian.shape)
            for gaussian, several in zip(gaussians, found)]


def _tiles(shapes, border):
    """Yield the tiles: the octave's number, and the first row and the one after the last."""
    for number, (height, width) in enumerate(shapes):
        rows = max(TILE // width, 4)
        for top in range(border, height - border, rows):
            yield number, top, min(top + rows, height - border)


def _of_tile(gaussian, top, bottom, threshold, border):
    """Return where in the octave's flat array of pixels the extrema of these rows stand, in all its layers.

    The tile's layers and rows are taken as one long line, which has no gaps to step over; what the line's turns make of
    the first and last row and column is thrown away with the border.
    """
    levels, height, width = gaussian.shape
    rows = bottom - top + 2  # the tile's first and last row are only neighbours
    layer = rows * width
    differences = scratch("sift differences", (levels - 1, rows, width))
    np.subtract(gaussian[1:, top - 1:bottom + 1], gaussian[:-1, top - 1:bottom + 1], out=differences)
    line = differences.reshape(-1)
    start, end = layer + width, (levels - 2) * layer - width
    found = np.abs(line[start:end], out=scratch("sift a", (end - start,))) > threshold
    steps = [1, width, layer]  # along the row, the column, and over scale
    if np.count_nonzero(found) > MANY * len(found):
        for step in (steps.pop(0), steps.pop(0)):  # up and then down, down and then up, or level
            slope = scratch("sift a", (end - start + step,))
            np.subtract(line[start:end + step], line[start - step:end], out=slope)
            found &= np.multiply(slope[:-step], slope[step:], out=scratch("sift b", (end - start,))) <= 0
    pixel = start + np.flatnonzero(found)
    for step in steps:
        middle = line[pixel]
        pixel = pixel[(middle - line[pixel - step]) * (middle - line[pixel + step]) >= 0]
    row, col = pixel // width % rows, pixel % width
    pixel = pixel[(row > 0) & (row < rows - 1) & (col >= border) & (col < width - border)]
    cube = line[_around(rows, width)[:, None] + pixel]
    middle = cube[13]
    pixel = pixel[np.where(middle > 0, cube.max(0), cube.min(0)) == middle]
    return pixel + (pixel // layer * (height - rows) + top - 1) * width


@lru_cache(64)
def _around(height, width):
    """Return how far a pixel's 27 neighbours, itself among them, lie from it in an array of pictures."""
    steps = np.arange(-1, 2)
    return (steps[:, None, None] * (height * width) + steps[:, None] * width + steps).reshape(-1)
