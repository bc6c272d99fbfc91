"""Blur and extrema in NumPy, made for speed: small tiles that stay in cache, the same numbers.

Blurring with a Gaussian is a product with a matrix that is zero away from its diagonal. Cut into strips of a few rows,
only the band of each is multiplied: a small matrix product, which a processor does many times faster than it adds up
shifted pictures.

Of some hundred pixels one is an extremum. So first the cheap question: is the pixel an extremum along its row, along
its column and over scale? Few are left, and only their 27 neighbours are looked up.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from cnnlib._threads import run_all, scratch
from cnnlib.features.sift._image import reflected

STRIP = 16  # rows that one product makes down the columns, and half of the columns of one along the rows
SLAB = 32  # strips that stay in cache from the one to the other
WIDE = 1024  # columns of a product: small ones (of up to a million multiplications) spare BLAS a copy
TILE = 2 ** 18  # pixels of a tile in which extrema are looked for


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


def blur(image, kernel, out, double=False):
    """Write the (H, W) picture (at twice its size, if `double`), blurred with the kernel, into `out`."""
    taps = tuple(kernel.tolist())
    down, across = _strips(taps, out.shape[0], STRIP, double), _strips(taps, out.shape[1], 2 * STRIP, double)

    def slab(number):
        strips = down[number:number + SLAB]
        top, bottom = strips[0].start, strips[-1].end
        between = scratch("sift blur", (bottom - top, image.shape[1]))
        for strip in strips:
            for left in range(0, image.shape[1], WIDE):
                np.matmul(strip.weights, image[strip.first:strip.last, left:left + WIDE],
                          out=between[strip.start - top:strip.end - top, left:left + WIDE])
        for strip in across:
            np.matmul(between[:, strip.first:strip.last], strip.turned, out=out[top:bottom, strip.start:strip.end])

    run_all(slab, range(0, len(down), SLAB))
    return out


class Strip(NamedTuple):
    """Rows `start` to `end` of the blur's matrix: in columns `first` to `last` the `weights`, elsewhere 0."""

    start: int
    end: int
    first: int
    last: int
    weights: np.ndarray
    turned: np.ndarray  # the weights' transpose


@lru_cache(512)
def _strips(taps, size, rows, double):
    """Return the blur's matrix for pictures of this size, cut into strips of so many rows."""
    strips, inner, reach = [], {}, len(taps) // 2
    for start in range(0, size, rows):
        end = min(start + rows, size)
        base = start // 2 if double else start
        if start - reach - 2 < 0 or end + reach + 2 > size or start % 2:
            weights, first = _weights(taps, size, start, end, double)
            turned = np.ascontiguousarray(weights.T)
        else:  # all of one length are the same
            if end - start not in inner:
                weights, first = _weights(taps, size, start, end, double)
                inner[end - start] = weights, np.ascontiguousarray(weights.T), first - base
            weights, turned, ahead = inner[end - start]
            first = base + ahead
        strips.append(Strip(start, end, first, first + weights.shape[1], weights, turned))
    return strips


def _weights(taps, size, start, end, double):
    """Return the part of the matrix's rows that is not zero, and its first column."""
    reach = len(taps) // 2
    columns = reflected(np.arange(start - reach, end + reach), size)
    if double:  # pixel j of the doubled picture is 3/4 of the old one at j // 2 and 1/4 of the one on j's side of it
        near = columns // 2
        far = np.clip(near + 2 * (columns % 2) - 1, 0, size // 2 - 1)
    else:
        near = far = columns
    first = min(near.min(), far.min())
    weights = np.zeros((end - start, max(near.max(), far.max()) + 1 - first))
    rows = np.arange(end - start)[:, None]
    reached = rows + np.arange(len(taps))
    np.add.at(weights, (rows, near[reached] - first), 0.75 * np.array(taps))
    np.add.at(weights, (rows, far[reached] - first), 0.25 * np.array(taps))
    return weights.astype(np.float32), int(first)


def extrema(gaussian, threshold, border):
    """Return the layers, rows and columns of the octave's extrema, in that order's reading order."""
    levels, height, width = gaussian.shape
    rows = max(TILE // width, 4)
    tops = range(border, height - border, rows)
    found = {}

    def tile(top):
        bottom = min(top + rows, height - border)
        differences = scratch("sift differences", (levels - 1, bottom - top + 2, width))
        np.subtract(gaussian[1:, top - 1:bottom + 1], gaussian[:-1, top - 1:bottom + 1], out=differences)
        found[top] = [_of_layer(differences, layer, threshold, border, top) for layer in range(1, levels - 2)]

    run_all(tile, tops)
    parts = [found[top][layer] for layer in range(levels - 3) for top in tops]
    layer, row, col = np.concatenate([*parts, np.zeros((3, 0), np.int64)], axis=1)
    return layer, row, col


def _of_layer(differences, layer, threshold, border, top):
    """Return (layer, row, col) of the extrema of one layer of a tile, as an array of shape (3, N).

    The tile's rows are taken as one long line, which has no gaps to step over; what the line's turns make of the first
    and last column is thrown away with the border.
    """
    _, height, width = differences.shape
    line = differences.reshape(-1)
    start = layer * height * width + width  # the tile's first and last row are only neighbours
    end = start + (height - 2) * width
    found = np.abs(line[start:end], out=scratch("sift a", (end - start,))) > threshold
    for step in (1, width):  # along the row, then the column: up and then down, down and then up, or level
        slope = scratch("sift a", (end - start + step,))
        np.subtract(line[start:end + step], line[start - step:end], out=slope)
        found &= np.multiply(slope[:-step], slope[step:], out=scratch("sift b", (end - start,))) <= 0
    pixel = np.flatnonzero(found)
    col = pixel % width
    pixel = pixel[(col >= border) & (col < width - border)]
    cube = line.take(_around(height, width)[:, None] + (start + pixel))
    middle = cube[13]
    pixel = pixel[np.where(middle > 0, cube.max(0), cube.min(0)) == middle]
    return np.stack([np.full_like(pixel, layer), top + pixel // width, pixel % width])


@lru_cache(64)
def _around(height, width):
    """Return how far a pixel's 27 neighbours, itself among them, lie from it in an array of pictures."""
    steps = np.arange(-1, 2)
    return (steps[:, None, None] * (height * width) + steps[:, None] * width + steps).reshape(-1)
