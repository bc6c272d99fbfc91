"""Histograms of oriented gradients (Dalal and Triggs 2005): which way the edges run, cell by cell.

The steps, each a function that can be called by itself: :func:`pixel_gradients` (how the light changes at each pixel),
:func:`pixel_votes` (for which orientations a pixel votes, and how strongly), :func:`cell_histograms` (the votes of
8 x 8 pixels become nine numbers), :func:`group_cells` and :func:`normalise_blocks` (neighbouring cells together, so
that the strength of the light cancels). :func:`hog` does all of them, with scikit-image's words, :func:`opencv_hog`
in OpenCV's way; :func:`hog_picture` draws the histograms into an array.
"""

from cnnlib.features.hog.blocks import block_histograms, group_cells, normalise_blocks
from cnnlib.features.hog.descriptor import hog
from cnnlib.features.hog.gradients import pixel_gradients
from cnnlib.features.hog.opencv import opencv_hog
from cnnlib.features.hog.picture import hog_picture
from cnnlib.features.hog.votes import cell_histograms, pixel_votes

__all__ = ["block_histograms", "cell_histograms", "group_cells", "hog", "hog_picture", "normalise_blocks", "opencv_hog",
           "pixel_gradients", "pixel_votes"]
