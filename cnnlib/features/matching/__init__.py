"""Points of two pictures find each other; four pairs tell how one picture lies in the other; pictures become one.

:func:`match` pairs descriptors, :func:`find_homography` finds the map that most pairs agree on,
:func:`warp` and :func:`panorama` lay pictures over each other with it.

Points are (row, col) in pixels, and a homography acts on (row, col, 1). OpenCV's acts on (x, y, 1), where x is the
column: ``homography[[1, 0, 2]][:, [1, 0, 2]]`` turns the one into the other.
"""

from cnnlib.features.matching.homography import apply_homography, fit_homography, transfer_error
from cnnlib.features.matching.nearest import match
from cnnlib.features.matching.panorama import blend, canvas, feather, gains, panorama
from cnnlib.features.matching.ransac import find_homography, num_trials
from cnnlib.features.matching.warp import warp

__all__ = ["apply_homography", "blend", "canvas", "feather", "find_homography", "fit_homography", "gains", "match",
           "num_trials", "panorama", "transfer_error", "warp"]
