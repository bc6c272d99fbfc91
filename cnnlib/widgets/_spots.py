"""Every spot of a picture that may become a keypoint, with the numbers that decide about it.

Tests can then be made stricter or milder without looking for extrema again: in the browser too.
"""

import numpy as np

from cnnlib.features import sift
from cnnlib.features.sift.extrema import extrema
from cnnlib.features.sift.orientation import orientation_histograms
from cnnlib.features.sift.refinement import UNSTABLE, refine

LEAST = 0.005  # the mildest contrast test
COLUMNS = ("row", "col", "sigma", "value", "ratio", "found", "settled", "octave", "layer", "at_row", "at_col",
           "right", "down", "up")


def spots(space):
    """Return all extrema that the mildest tests leave, and the orientations of those that may be kept.

    Parameters
    ----------
    space : ScaleSpace, in NumPy

    Returns
    -------
    table : array of shape (N, 14), float32, or None if there are none
        A row for each: place and sigma in pixels of the picture; the difference of Gaussians at the fitted extremum
        and the ratio of its curvatures; the largest difference at a pixel from which the search led here; whether it
        settled; the pixel it ended at; the shift from there. In the order of :func:`cnnlib.features.sift.candidates`.
    peaks : array of shape (P, 2), float32, or None
        Row of the table, and orientation in radians.
    """
    contrast = LEAST / space.scales_per_octave
    found = [(octave, *extrema(space.gaussian(octave), contrast / 2)) for octave in space.octaves]
    octave = np.concatenate([np.full(len(layer), octave) for octave, layer, _, _ in found])
    layer, row, col = (np.concatenate([part[axis] for part in found]) for axis in (1, 2, 3))
    if not len(layer):
        return None, None
    start = space.index(octave, layer, row, col)
    height, width = space.sizes(octave)
    size = abs(space.pixels[start + height * width] - space.pixels[start])  # of the difference where it was found
    fine = refine(space, octave, layer, row, col, contrast, np.inf)
    settled = fine.reason != UNSTABLE
    layer, row, col = (np.where(settled, *both) for both in ((fine.layer, layer), (fine.row, row), (fine.col, col)))
    right, down, up = np.where(settled, fine.offset, 0).astype(np.float32)
    step = space.step(octave)
    table = np.stack([(row + down) * step + space.origin, (col + right) * step + space.origin,
                      space.blur(octave, layer + up), fine.value, fine.edge_ratio, size, settled, octave, layer,
                      row, col, right, down, up], 1).astype(np.float32)
    table = _once(table, 2 * space.index(octave, layer, row, col) + ~settled)
    return table, _peaks(space, table)


def _once(table, key):
    """Return the table's rows by their keys, each key once, with the largest difference that led to it."""
    order = np.lexsort((-table[:, COLUMNS.index("found")], key))
    return table[order][np.unique(key[order], return_index=True)[1]]


def _peaks(space, table):
    """Return (row of the table, orientation) for each orientation of the spots that may be kept."""
    columns = dict(zip(COLUMNS, table.T))
    may = np.flatnonzero((columns["settled"] > 0)
                         & (abs(columns["value"]) >= np.float32(LEAST / space.scales_per_octave)))
    if not len(may):
        return None
    place = [columns[name][may].astype(np.int64) for name in ("octave", "layer", "at_row", "at_col")]
    sigma = columns["sigma"][may] / space.step(place[0]).astype(np.float32)
    index, angle = sift.peaks(orientation_histograms(space, *place, sigma))
    return np.stack([may[index], angle], 1).astype(np.float32)
