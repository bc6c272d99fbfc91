"""A picture of the histograms: in each cell a line for each bin, as bright as the bin is full."""

from math import cos, pi, sin

import numpy as np

from cnnlib import _array
from cnnlib.geometry import as_pair


def hog_picture(cells, pixels_per_cell=(8, 8)):
    """Draw cell histograms as lines along the edges, across the gradients that voted.

    Parameters
    ----------
    cells : array of shape (..., rows, cols, orientations)
        What :func:`cell_histograms` returns.
    pixels_per_cell : (rows, cols) or int
        The size to draw a cell in; it need not be that of the cells.

    Returns
    -------
    array of shape (..., rows * cell rows, cols * cell cols), of the dtype of `cells`
        Where lines cross, their brightness adds up.

    Notes
    -----
    As in scikit-image's ``visualize=True``, but for the rounding of where a line passes between two pixels.
    """
    size = as_pair("pixels_per_cell", pixels_per_cell, 1)
    *batch, rows, cols, n = cells.shape
    lines = _array.constant(np.stack([_line(size, pi * (k + 0.5) / n) for k in range(n)]), cells)
    drawn = _array.library(cells=cells).einsum("...rck,kyx->...rycx", cells, lines)
    return drawn.reshape(*batch, rows * size[0], cols * size[1])


def _line(size, angle):
    """Return a cell with a line of ones through its middle, across the gradient of this angle."""
    radius = max(0, min(size) // 2 - 1)
    down, right = radius * cos(angle), -radius * sin(angle)  # the gradient, turned by 90 degrees
    steps = np.linspace(-1, 1, 2 * int(max(abs(down), abs(right)) + 0.5) + 1)
    drawn = np.zeros(size)
    drawn[(size[0] // 2 + steps * down).round().astype(int), (size[1] // 2 + steps * right).round().astype(int)] = 1
    return drawn
