"""Which pixels a score reacts to: its gradient."""

from cnnlib import _array
from cnnlib.inspection._engine import class_gradient


def saliency(net, x, target):
    """Return how strongly the score of a class reacts to each pixel [1]_.

    .. math:: M_{ij} = \\max_c |\\partial s_t / \\partial x_{cij}|

    Parameters
    ----------
    net : layers.Module or torch.nn.Module
        Gives scores (N, classes): before the softmax.
    x : array of shape (N, C, H, W)
    target : int, or N ints
        The class, or that of each picture.

    Returns
    -------
    array of shape (N, H, W), in score per unit of pixel

    Raises
    ------
    ValueError
        There is no such class, or `x` is not a batch of pictures.

    Notes
    -----
    It says what a *small* change would do. A pixel may matter and have a small gradient, where the score is saturated.

    References
    ----------
    .. [1] Simonyan, Vedaldi & Zisserman, Deep inside convolutional networks: visualising image classification models
       and saliency maps, ICLR workshop 2014. doi:10.48550/arXiv.1312.6034

    Examples
    --------
    >>> import numpy as np
    >>> from cnnlib import layers
    >>> net = layers.Sequential(layers.Flatten(), layers.Linear(2, 1))
    >>> net[1].weight.set(np.array([[3.0, -4.0]]))
    >>> saliency(net, np.zeros((1, 1, 1, 2), dtype="float32"), 0)
    array([[[3., 4.]]], dtype=float32)
    """
    _, grad = class_gradient(net, x, target)
    return _array.library(grad=grad).amax(abs(grad), axis=1)
