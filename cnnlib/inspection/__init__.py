"""What goes on inside a net: the numbers of its stages, and which pixels they depend on.

The functions take nets of either engine: layers of cnnlib.layers, on NumPy arrays or tensors, and torch's, on tensors.
Pictures are x of shape (N, C, H, W), or (C, H, W) where one is looked at. A net is run in evaluation, and is left in
the mode, and with the gradients, that it had.
"""

from cnnlib.inspection.cam import grad_cam
from cnnlib.inspection.occluded import occlusion
from cnnlib.inspection.projection import deconvnet
from cnnlib.inspection.sizes import output_sizes
from cnnlib.inspection.slopes import saliency
from cnnlib.inspection.stages import activations

__all__ = [
    "activations",
    "deconvnet",
    "grad_cam",
    "occlusion",
    "output_sizes",
    "saliency",
]
