"""SIFT: key points that a turned, scaled, brighter or slightly tilted picture has too, and 128 numbers about each.

Lowe, Distinctive image features from scale-invariant keypoints, International Journal of Computer Vision 60(2), 2004,
doi:10.1023/B:VISI.0000029664.99615.94, in the order of its sections: :mod:`~cnnlib.features.sift.blur`,
:mod:`~cnnlib.features.sift.scale_space` and :mod:`~cnnlib.features.sift.extrema` (3),
:mod:`~cnnlib.features.sift.refinement` and :mod:`~cnnlib.features.sift.candidates` (4),
:mod:`~cnnlib.features.sift.orientation` (5), :mod:`~cnnlib.features.sift.descriptor` (6).
Settings and conventions are OpenCV's, and where ours differ it is said.

Places are (row, col) in pixels of the picture, the first pixel's centre at (0, 0). An orientation is
atan2(grad_row, grad_col), the direction in which the picture gets brighter: from the columns' axis towards the rows',
clockwise on the screen, as OpenCV's `angle`. OpenCV's `pt` is (col + 0.25, row + 0.25), its `size` 2 sigma:
:func:`from_opencv` puts its answers into our words.
"""

from cnnlib.features.sift._sift import (
    describe,
    detect,
    detect_and_describe,
    orientation_histograms,
    patches,
)
from cnnlib.features.sift.candidates import Candidates, candidates
from cnnlib.features.sift.keypoints import Keypoints
from cnnlib.features.sift.opencv import from_opencv
from cnnlib.features.sift.orientation import peaks
from cnnlib.features.sift.scale_space import ScaleSpace, scale_space

__all__ = ["Candidates", "Keypoints", "ScaleSpace", "candidates", "describe", "detect", "detect_and_describe",
           "from_opencv", "orientation_histograms", "patches", "peaks", "scale_space"]
