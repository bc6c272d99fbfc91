"""A picture seen through a homography."""

from math import nan

import numpy as np

from cnnlib import images
from cnnlib.features.matching.homography import apply_homography
from cnnlib.geometry import as_int, as_pair

ROWS = 64  # of the result that are computed at a time


def warp(image, homography, size=None, *, outside=0.0, oversample=1):
    """Return the picture as it looks after a homography has moved its points.

    Each new pixel asks where it comes from, by the inverse of the homography, and takes what is there: the mean of the
    four old pixels around that place, weighted by nearness (bilinear).

    Parameters
    ----------
    image : array of shape (H, W) or (H, W, 3), float
        NumPy. Any range of values.
    homography : array of shape (3, 3)
        Takes a point (row, col) of `image` to its place in the result, in pixels.
    size : (rows, cols), in pixels, optional
        Of the result; as `image` unless given.
    outside : float
        What stands where the image does not reach. NaN tells such pixels from all others.
    oversample : int
        Take the mean over this many places along each side of a new pixel. Above 1 for a map that shrinks: 2 for half
        the size, else the result skips pixels and aliases.

    Returns
    -------
    array of shape (rows, cols) or (rows, cols, 3), dtype of `image`

    Raises
    ------
    ValueError
        The homography has no inverse.

    Examples
    --------
    >>> right = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 1.0], [0.0, 0.0, 1.0]])
    >>> warp(np.array([[1.0, 2.0, 3.0]]), right)
    array([[0., 1., 2.]])
    """
    homography = as_homography("homography", homography)
    rows, cols = image.shape[:2] if size is None else as_pair("size", size, 1)
    oversample = as_int("oversample", oversample, 1)
    back = np.linalg.inv(homography)
    steps = (np.arange(oversample) + 0.5) / oversample - 0.5
    parts = []
    for top in range(0, rows, ROWS):
        bottom = min(top + ROWS, rows)
        total = 0
        for down in steps:
            for right in steps:
                grid = np.meshgrid(np.arange(top, bottom) + down, np.arange(cols) + right, indexing="ij")
                places = apply_homography(back, np.stack(grid, -1).reshape(-1, 2)).reshape(-1, cols, 2)
                total = total + images.sample(image, places, outside=outside)
        parts.append((total / oversample**2).astype(image.dtype))
    return np.concatenate(parts)


def as_homography(name, homography):
    """Return a NumPy homography in double precision that has an inverse, or say what is wrong."""
    homography = np.asarray(homography, dtype=np.float64)
    if homography.shape != (3, 3):
        raise ValueError(f"`{name}` has shape {homography.shape}; it must be (3, 3)")
    sizes = np.linalg.svd(homography, compute_uv=False) if np.isfinite(homography).all() else [nan]
    if not sizes[-1] > 1e-14 * sizes[0]:
        raise ValueError(f"`{name}` has no inverse ({homography.tolist()}): it takes whole lines to single points")
    return homography
