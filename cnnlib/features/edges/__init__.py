"""Edges: where a picture changes, how much, and in which direction.

Grey pictures (..., H, W), rows down and columns right, NumPy arrays or torch tensors, leading axes a batch. Grey levels
on any scale; nothing is rescaled but the masks, so that a ramp of one level per pixel has a gradient of exactly 1.

Torch's pictures go through :mod:`cnnlib.conv`, one mask of a row and one of a column after the other, and so do NumPy's
in :func:`laplacian`, :func:`response`, :func:`robinson` and :func:`smooth`. NumPy's :func:`sobel`, :func:`prewitt` and
:func:`scharr` (and what is made of them) do not: they add whole rows (``_tuned.py``), which rounds the same sums in
another order, in less than half the time.
"""

from cnnlib.features.edges.compass import robinson
from cnnlib.features.edges.detector import canny, smooth
from cnnlib.features.edges.gradients import (
    gradient_magnitude,
    gradient_orientation,
    laplacian,
    prewitt,
    response,
    scharr,
    sobel,
    sobel_magnitude,
)
from cnnlib.features.edges.linking import hysteresis
from cnnlib.features.edges.masks import DIRECTIONS, LAPLACIAN, PREWITT, ROBINSON, SCHARR, SOBEL, turn_mask
from cnnlib.features.edges.thinning import non_maximum_suppression

__all__ = [
    "DIRECTIONS", "LAPLACIAN", "PREWITT", "ROBINSON", "SCHARR", "SOBEL", "canny", "gradient_magnitude",
    "gradient_orientation", "hysteresis", "laplacian", "non_maximum_suppression", "prewitt", "response", "robinson",
    "scharr", "smooth", "sobel", "sobel_magnitude", "turn_mask",
]
