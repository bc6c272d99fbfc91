"""SURF: spots found with boxes instead of Gaussians, because a box sum costs four look-ups, whatever its size.

Bay, Ess, Tuytelaars, Van Gool, Speeded-up robust features (SURF), Computer Vision and Image Understanding 110(3), 2008,
doi:10.1016/j.cviu.2007.09.014, a section a file: :mod:`~cnnlib.features.surf.integral` (3.1),
:mod:`~cnnlib.features.surf.hessian` (3.2, 3.3), :mod:`~cnnlib.features.surf.extrema` (3.4),
:mod:`~cnnlib.features.surf.haar` and :mod:`~cnnlib.features.surf.orientation` (4.1),
:mod:`~cnnlib.features.surf.descriptor` (4.2).

The verbs, the key points and the conventions of places, scales and orientations are those of
:mod:`cnnlib.features.sift`.
"""

from cnnlib.features.surf._surf import describe, detect, detect_and_describe
from cnnlib.features.surf.hessian import FILTER_SIZES, box_derivatives, box_hessian, sigma_of
from cnnlib.features.surf.integral import box_sum, integral_image

__all__ = ["FILTER_SIZES", "box_derivatives", "box_hessian", "box_sum", "describe", "detect", "detect_and_describe",
           "integral_image", "sigma_of"]
