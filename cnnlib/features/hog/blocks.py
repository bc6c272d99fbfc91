"""Neighbouring cells are judged together: divided by the strength of their block, the light cancels."""

from math import prod

import numpy as np

from cnnlib import _array
from cnnlib.features.hog.votes import one_of
from cnnlib.geometry import as_int, as_pair

NORMS = ("L1", "L1-sqrt", "L2", "L2-Hys")
CLIP = 0.2  # where L2-Hys cuts: Lowe's number for SIFT, kept by Dalal and Triggs


def group_cells(cells, cells_per_block=(3, 3)):
    """View the cells as all blocks of neighbours, one cell apart, so that most cells stand in several blocks.

    Parameters
    ----------
    cells : array of shape (..., rows, cols, orientations)
        What :func:`~cnnlib.features.hog.cell_histograms` returns.
    cells_per_block : (rows, cols) or int

    Returns
    -------
    read-only view of shape (..., block rows, block cols, rows in the block, cols in the block, orientations)
    """
    size = as_pair("cells_per_block", cells_per_block, 1)
    axes = tuple(range(cells.ndim - 3))
    rows, cols, n = (len(axes) + i for i in range(3))
    view = _array.windows(_array.permute(cells, (*axes, n, rows, cols)), size, (1, 1), (1, 1))
    first = len(axes)
    return _array.permute(view, (*axes, *range(first + 1, first + 5), first))


def block_histograms(bins, weights, orientations=9, pixels_per_cell=(8, 8), cells_per_block=(2, 2),
                     window_sigma=None, window_shift=0):
    """Add up the votes in each block as Dalal and Triggs do: also between cells, and through a Gaussian window.

    A pixel votes in the cells whose centres surround it, in each the more the nearer it is; and the less, the farther
    it is from the middle of the block. A pixel's vote is therefore another one in each block that it belongs to.

    .. math:: h_{pqk} = \\frac{1}{A} \\sum_{i,j} g_i g_j \\, \\Lambda(p - u_i) \\Lambda(q - u_j) \\, v_{ijk},
       \\qquad \\Lambda(t) = \\max(0, 1 - |t|)

    where u counts pixels in cells from the centre of the first one, g is the Gaussian, v the pixel's vote for bin k
    and A the pixels of a cell.

    Parameters
    ----------
    bins, weights : arrays of shape (..., votes, H, W)
        What :func:`~cnnlib.features.hog.pixel_votes` returns, with linear votes for trilinear ones.
    orientations : int
    pixels_per_cell, cells_per_block : (rows, cols) or int
    window_sigma : float, optional, in pixels
        Of the Gaussian over the block; half the block's side if not given, as in [1]_; math.inf for no window.
    window_shift : float, in pixels
        How far its middle lies below and to the right of the block's.

    Returns
    -------
    array of shape (..., block rows, block cols, rows in the block, cols in the block, orientations), float64

    References
    ----------
    .. [1] Dalal & Triggs, Histograms of oriented gradients for human detection, CVPR 2005.
       doi:10.1109/CVPR.2005.177
    """
    xp = _array.library(bins=bins)
    n = as_int("orientations", orientations, 1)
    cell, block = as_pair("pixels_per_cell", pixels_per_cell, 1), as_pair("cells_per_block", cells_per_block, 1)
    pixels = tuple(c * b for c, b in zip(cell, block))
    planes = xp.stack([(weights * (bins == k)).sum(-3) for k in range(n)], -3)  # (..., n, H, W)
    windows = _array.windows(planes, pixels, cell, (1, 1))  # (..., n, block rows, block cols, pixel rows, pixel cols)
    by_row, by_col = (_array.constant(shares(*sizes, window_sigma, window_shift), weights)
                      for sizes in zip(cell, block))
    sums = xp.einsum("...kijyx,qx->...kijyq", windows, by_col)
    sums = xp.einsum("...kijyq,py->...ijpqk", sums, by_row)
    return sums / (cell[0] * cell[1])


def shares(pixels_per_cell, cells_per_block, window_sigma=None, window_shift=0):
    """Return what a pixel gives to each cell of a block, along one axis: Gaussian times nearness.

    Returns
    -------
    float64 array of shape (cells_per_block, pixels in the block)
    """
    side = pixels_per_cell * cells_per_block
    places = np.arange(side) + 0.5
    sigma = side / 2 if window_sigma is None else window_sigma
    gaussian = np.exp(-((places - side / 2 - window_shift) / sigma)**2 / 2)
    centres = (np.arange(cells_per_block)[:, None] + 0.5) * pixels_per_cell
    return gaussian * np.maximum(0, 1 - abs(places - centres) / pixels_per_cell)


def normalise_blocks(blocks, block_norm="L2-Hys", eps=1e-5):
    """Divide each block by its own strength.

    Parameters
    ----------
    blocks : array of shape (..., rows in the block, cols in the block, orientations)
        What :func:`group_cells` or :func:`block_histograms` returns; no number is negative.
    block_norm : "L1", "L1-sqrt", "L2" or "L2-Hys"
        By the sum; the square root of that; by the root of the sum of squares; the last, then cut at 0.2 and divided
        once more, so that a single strong edge does not rule the block.
    eps : float
        Is added to the strength, so that a block without any gradient stays 0.

    Returns
    -------
    array of the same shape
    """
    one_of("block_norm", block_norm, NORMS)
    xp = _array.library(blocks=blocks)
    vectors = blocks.reshape(-1, prod(blocks.shape[-3:]))
    if block_norm.startswith("L1"):
        vectors = vectors / (vectors.sum(1) + eps)[:, None]
        vectors = xp.sqrt(vectors) if block_norm == "L1-sqrt" else vectors
    else:
        vectors = vectors * _inverse_length(xp, vectors, eps)
    if block_norm == "L2-Hys":
        vectors = xp.clip(vectors, 0, CLIP, out=_array.spare(vectors))
        vectors = xp.multiply(vectors, _inverse_length(xp, vectors, eps), out=_array.spare(vectors))
    return vectors.reshape(blocks.shape)


def _inverse_length(xp, vectors, eps):
    """Return 1 over the length of each row, as a column."""
    squared = xp.einsum("ij,ij->i", vectors, vectors)
    squared += eps**2
    return (1 / xp.sqrt(squared, out=_array.spare(squared)))[:, None]
