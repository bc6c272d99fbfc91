"""One question at every place and in every size: a window slides over a picture that is made smaller step by step."""

from math import isfinite
from numbers import Real

import numpy as np

from cnnlib import _array, images
from cnnlib.conv import conv2d
from cnnlib.features.hog import hog
from cnnlib.geometry import as_int, as_pair


def score_windows(blocks, weight, bias=0.0):
    """Score the window at every place of a grid of blocks by a linear classifier: one cross-correlation.

    .. math:: s_{ij} = b + \\sum_{p,q,c} w_{pqc}\\, h_{i+p,\\,j+q,\\,c}

    A window's descriptor is a piece of the picture's grid of blocks, so its weights are a filter: as many rows and
    columns as the window has blocks, and a channel for each number c of a block.

    Parameters
    ----------
    blocks : array of shape (..., R, C, cells, cells, orientations)
        What :func:`~cnnlib.features.hog.hog` returns with ``feature_vector=False``. NumPy or torch.
    weight : array of shape (r, c, cells, cells, orientations)
        The classifier's weights, in the order of the window's descriptor.
    bias : float

    Returns
    -------
    array of shape (..., R - r + 1, C - c + 1), dtype of `blocks`

    Raises
    ------
    ValueError
        The blocks are not of one shape, or the window is larger than the grid.

    Notes
    -----
    Derived in notebooks/13.

    Examples
    --------
    >>> blocks, weight = np.ones((3, 4, 2, 2, 9)), np.ones((2, 2, 2, 2, 9))
    >>> score_windows(blocks, weight, bias=-100)
    array([[44., 44., 44.],
           [44., 44., 44.]])
    """
    _array.library(blocks=blocks, weight=weight)
    _check_weight(weight, bias)
    if blocks.ndim < 5 or blocks.shape[-3:] != weight.shape[-3:]:
        raise ValueError(f"`blocks` {tuple(blocks.shape)} and `weight` {tuple(weight.shape)} must be (..., rows, cols) "
                         "and (rows, cols) of blocks of one shape (cells, cells, orientations)")
    *batch, rows, cols = blocks.shape[:-3]
    if any(small > large for small, large in zip(weight.shape[:2], (rows, cols))):
        raise ValueError(f"the window has {weight.shape[0]} x {weight.shape[1]} blocks, the picture {rows} x {cols}: "
                         "it must be as large at least")
    channels = weight.shape[2] * weight.shape[3] * weight.shape[4]
    x = _array.permute(blocks.reshape(-1, rows, cols, channels), (0, 3, 1, 2))
    filters = _array.permute(weight.reshape(1, *weight.shape[:2], channels), (0, 3, 1, 2))
    scores = conv2d(x, filters)
    return scores.reshape(*batch, *scores.shape[-2:]) + bias


def pyramid(image, smallest, ratio=1.2):
    """Return a picture in ever smaller sizes, so that a window of one size meets things of every size.

    Parameters
    ----------
    image : array of shape (H, W) or (H, W, 3), float
    smallest : int or (rows, cols), in pixels
        No picture is smaller than this.
    ratio : float, above 1
        Of the sides of two neighbours.

    Returns
    -------
    list of arrays, the picture itself first
        Each is made from the first one by :func:`cnnlib.images.resize`, so that nothing is blurred twice.

    Examples
    --------
    >>> [level.shape for level in pyramid(np.zeros((90, 120)), smallest=30, ratio=2)]
    [(90, 120), (45, 60)]
    """
    rows, cols = as_pair("smallest", smallest, 1)
    if not isinstance(ratio, Real) or not isfinite(ratio) or ratio <= 1:
        raise ValueError(f"`ratio` must be a number above 1, not {ratio!r}")
    _array.library(image=image)
    levels = []
    while True:
        size = tuple(round(side / ratio ** len(levels)) for side in image.shape[:2])
        if size[0] < rows or size[1] < cols:
            return levels
        levels.append(images.resize(image, size))


def find(image, weight, bias=0.0, *, threshold=0.0, ratio=1.2, pixels_per_cell=(8, 8), **options):
    """Find all windows of a picture, at every place and in every size, that a linear classifier on HOG says yes to.

    Parameters
    ----------
    image : array of shape (H, W) or, with ``channel_axis=-1``, (H, W, 3), float; NumPy
    weight, bias
        As in :func:`score_windows`; they say how many blocks a window has, and of which cells.
    threshold : float
        Windows with a higher score are returned.
    ratio : float
        As in :func:`pyramid`.
    pixels_per_cell, **options
        As in :func:`~cnnlib.features.hog.hog`. Windows stand one cell apart.

    Returns
    -------
    boxes : float64 array of shape (K, 4)
        First row, first column, last row, last column, in pixels of `image`; all that were found, so that one thing has
        many boxes, of which :func:`~cnnlib.features.boxes.nms` keeps the best.
    scores : float64 array of shape (K,)

    Examples
    --------
    >>> stripes = np.zeros((64, 64))
    >>> stripes[:, 24:40] = 1
    >>> weight = np.zeros((1, 1, 2, 2, 4))
    >>> weight[..., 0] = 1  # vertical edges in a block of 2 x 2 cells
    >>> boxes, scores = find(stripes, weight, threshold=1.9, ratio=2)
    >>> boxes[0].tolist()
    [0.0, 16.0, 16.0, 32.0]
    """
    _check_weight(weight, bias)
    cell = as_pair("pixels_per_cell", pixels_per_cell, 1)
    block, orientations = weight.shape[2:4], as_int("orientations", weight.shape[4], 1)
    side = [(number + cells - 1) * pixels for number, cells, pixels in zip(weight.shape, block, cell)]
    boxes, scores = [np.empty((0, 4))], [np.empty(0)]
    for level in pyramid(image, side, ratio):
        blocks = hog(level, orientations, cell, block, feature_vector=False, **options)
        map_ = score_windows(blocks, weight, bias)
        rows, cols = np.where(map_ > threshold)
        corners = np.stack([rows * cell[0], cols * cell[1]], 1)
        scale = np.array(image.shape[:2]) / level.shape[:2]
        boxes.append(np.concatenate([corners * scale, (corners + side) * scale], 1))
        scores.append(map_[rows, cols])
    return np.concatenate(boxes), np.concatenate(scores)


def cut_out(image, boxes, size, margin=0.0):
    """Cut boxes out of a picture, all resized to one size, to look at or to learn from.

    Parameters
    ----------
    image : array of shape (H, W) or (H, W, 3), float; NumPy
    boxes : array of shape (K, 4)
        First row, first column, last row, last column; rounded to whole pixels.
    size : (rows, cols), in pixels
    margin : float
        How much more to take on each side, as a share of the box's side. Beyond the picture, its border is repeated.

    Returns
    -------
    array of shape (K, rows, cols) or (K, rows, cols, 3), dtype of `image`

    Examples
    --------
    >>> cut_out(np.arange(16.0).reshape(4, 4), np.array([[1, 1, 3, 3], [2, 2, 4, 4]]), (2, 2)).tolist()
    [[[5.0, 6.0], [9.0, 10.0]], [[10.0, 11.0], [14.0, 15.0]]]
    """
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise ValueError(f"`boxes` has shape {tuple(boxes.shape)}; it must be (K, 4): first row, first column, "
                         "last row, last column")
    extra = margin * (boxes[:, 2:] - boxes[:, :2])
    pieces = np.empty((len(boxes), *size, *image.shape[2:]), image.dtype)
    for piece, first, last in zip(pieces, np.rint(boxes[:, :2] - extra), np.rint(boxes[:, 2:] + extra)):
        rows, cols = (np.arange(begin, max(end, begin + 1)).clip(0, side - 1).astype(int)
                      for begin, end, side in zip(first, last, image.shape))
        piece[...] = images.resize(image[rows[:, None], cols], size)
    return pieces


def _check_weight(weight, bias):
    """Check that the classifier is one: a number for each number of each block of a window, and one more."""
    _array.library(weight=weight)
    if weight.ndim != 5 or 0 in weight.shape:
        raise ValueError(f"`weight` has shape {tuple(weight.shape)}; it must be (rows, cols, cells, cells, "
                         "orientations): a classifier's long vector, reshaped as hog shapes one window without "
                         "`feature_vector`")
    if not isinstance(bias, Real):
        raise TypeError(f"`bias` must be a number, not {type(bias).__name__}")
