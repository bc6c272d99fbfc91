"""Which places of a stage's maps speak for a class."""

import numpy as np

from cnnlib import _array, images
from cnnlib.geometry import as_pair
from cnnlib.inspection._engine import class_gradient


def grad_cam(net, x, target, stage, size=None):
    """Return where the maps of a stage speak for a class: Grad-CAM [1]_.

    .. math:: L_{ij} = \\mathrm{ReLU}\\Big(\\sum_k a_k A_{kij}\\Big), \\quad
              a_k = \\frac{1}{h w} \\sum_{ij} \\partial s_t / \\partial A_{kij}

    Parameters
    ----------
    net : layers.Module or torch.nn.Module
        Gives scores (N, classes): before the softmax. Of our engine a Sequential, or Heads around one.
    x : array of shape (N, C, H, W)
    target : int, or N ints
        The class, or that of each picture.
    stage : str
        Whose output A, of shape (N, K, h, w), is weighed: usually the last with maps. A dot leads into a stage.
    size : (rows, cols), optional
        Enlarge bilinearly to this size, in pixels: x.shape[-2:] lays the map over the picture.

    Returns
    -------
    array of shape (N, h, w), the size of the stage's maps, or (N, rows, cols) with `size`; none negative

    Raises
    ------
    ValueError
        There is no such class or stage, or the stage gives no maps.

    References
    ----------
    .. [1] Selvaraju et al., Grad-CAM: visual explanations from deep networks via gradient-based localization,
       ICCV 2017. doi:10.1109/ICCV.2017.74
    """
    maps, grad = class_gradient(net, x, target, stage)
    if maps.ndim != 4:
        raise ValueError(f"`stage` {stage!r} gives shape {tuple(maps.shape)}; it must give maps (N, K, h, w)")
    lib = _array.library(maps=maps)
    cam = (maps * grad.mean((2, 3))[:, :, None, None]).sum(1)
    cam = lib.where(cam > 0, cam, lib.zeros_like(cam))
    if size is None:
        return cam
    rows_cols = as_pair("size", size, 1)
    large = np.stack([images.resize(_array.to_numpy(one), rows_cols) for one in cam])
    return _array.constant(large, cam)
