"""Layer norm: each sample by itself, over its last axes."""

from cnnlib._arguments import check_grad_output, check_shape, checked
from cnnlib._array import as_dtype, dtype_name, quietly, working
from cnnlib.geometry import as_int
from cnnlib.norms._standardise import (
    restored,
    scale_and_shift,
    scale_and_shift_backward,
    standardise,
    standardise_backward,
)


@quietly
def layer_norm(x, normalized_shape, weight=None, bias=None, eps=1e-5):
    """Normalise each sample by itself, over its last axes.

    Parameters
    ----------
    x : array of shape (..., *normalized_shape)
    normalized_shape : int or tuple of int
        The last axes of x, over which the mean and the variance are taken.
    weight, bias : arrays of shape normalized_shape, optional
    eps : float

    Returns
    -------
    array of x's shape, dtype and memory order

    Raises
    ------
    ValueError
        `normalized_shape` is not the end of x's shape, or `weight` or `bias` is not of that shape.
    TypeError
        As in :func:`batch_norm`.

    References
    ----------
    .. [1] Ba, Kiros & Hinton, Layer normalization, 2016. doi:10.48550/arXiv.1607.06450

    Examples
    --------
    >>> import numpy as np
    >>> layer_norm(np.array([[1.0, 3.0], [10.0, 30.0]]), 2).round(3)
    array([[-1.,  1.],
           [-1.,  1.]])
    """
    x, weight, bias, axes = _checked(x, normalized_shape, weight, bias)
    x_hat, *_ = standardise(working(x), axes, eps)
    return as_dtype(scale_and_shift(x_hat, weight, bias), dtype_name(x))


@quietly
def layer_norm_backward(grad_output, x, normalized_shape, weight=None, bias=None, eps=1e-5):
    """Return the gradients of :func:`layer_norm`, given that of its output.

    Returns
    -------
    grad_x : array of x's shape
    grad_weight, grad_bias : arrays of shape normalized_shape; None for those that are absent
    """
    x, weight, bias, axes, grad_output = _checked(x, normalized_shape, weight, bias, grad_output=grad_output)
    check_grad_output(grad_output, x.shape)
    x_hat, inverse, *_ = standardise(working(x), axes, eps)
    samples = tuple(range(x.ndim - len(axes)))
    grad_x_hat, *grads = scale_and_shift_backward(working(grad_output), x_hat, weight, bias, samples)
    return restored(dtype_name(x), standardise_backward(grad_x_hat, x_hat, inverse, axes), *grads)


def _checked(x, normalized_shape, weight, bias, **more):
    """Return x, weight and bias in the dtype that is computed in, the axes to normalise over, and more."""
    x, weight, bias, *more = checked("layer_norm", optional=("weight", "bias"), x=x, weight=weight, bias=bias, **more)
    sizes = normalized_shape if isinstance(normalized_shape, (tuple, list)) else (normalized_shape,)
    sizes = tuple(as_int("normalized_shape", size, 1) for size in sizes)
    if not sizes or tuple(x.shape[-len(sizes):]) != sizes:
        raise ValueError(f"`normalized_shape` is {normalized_shape}; it must be the end of x's shape {tuple(x.shape)}")
    for name, a in dict(weight=weight, bias=bias).items():
        check_shape(name, a, sizes, "which is `normalized_shape`")
    weight, bias = (None if a is None else working(a) for a in (weight, bias))
    return x, weight, bias, tuple(range(x.ndim - len(sizes), x.ndim)), *more
