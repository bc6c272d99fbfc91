"""Group norm: each sample by itself, over groups of channels and all positions."""

from math import prod

from cnnlib._arguments import check_grad_output, check_shape, checked
from cnnlib._array import as_dtype, dtype_name, quietly, working
from cnnlib.geometry import as_int
from cnnlib.norms._standardise import (
    all_but_channels,
    per_channel,
    restored,
    scale_and_shift,
    scale_and_shift_backward,
    standardise,
    standardise_backward,
)


@quietly
def group_norm(x, num_groups, weight=None, bias=None, eps=1e-5):
    """Normalise each sample by itself, over groups of neighbouring channels and all positions.

    Parameters
    ----------
    x : array of shape (N, C, ...)
    num_groups : int
        Divides C. 1 normalises over all channels together, C each channel alone (instance norm).
    weight, bias : arrays of shape (C,), optional
    eps : float

    Returns
    -------
    array of x's shape, dtype and memory order

    Raises
    ------
    ValueError
        The groups do not divide the channels, the shapes do not fit, or there is only one number to normalise.
    TypeError
        As in :func:`batch_norm`.

    References
    ----------
    .. [1] Wu & He, Group normalization, ECCV 2018. doi:10.1007/978-3-030-01261-8_1

    Examples
    --------
    >>> import numpy as np
    >>> group_norm(np.array([[1.0, 3.0, 10.0, 30.0]]), num_groups=2).round(3)
    array([[-1.,  1., -1.,  1.]])
    """
    x, weight, bias, grouped = _checked(x, num_groups, weight, bias)
    x_hat, *_ = standardise(working(x).reshape(grouped), tuple(range(2, len(grouped))), eps)
    return as_dtype(scale_and_shift(x_hat.reshape(x.shape), weight, bias), dtype_name(x))


@quietly
def group_norm_backward(grad_output, x, num_groups, weight=None, bias=None, eps=1e-5):
    """Return the gradients of :func:`group_norm`, given that of its output.

    Returns
    -------
    grad_x : array of x's shape
    grad_weight, grad_bias : arrays of shape (C,); None for those that are absent
    """
    x, weight, bias, grouped, grad_output = _checked(x, num_groups, weight, bias, grad_output=grad_output)
    check_grad_output(grad_output, x.shape)
    axes = tuple(range(2, len(grouped)))
    x_hat, inverse, *_ = standardise(working(x).reshape(grouped), axes, eps)
    grad_x_hat, *grads = scale_and_shift_backward(working(grad_output), x_hat.reshape(x.shape), weight, bias,
                                                  all_but_channels(x))
    grad_x = standardise_backward(grad_x_hat.reshape(grouped), x_hat, inverse, axes).reshape(x.shape)
    return restored(dtype_name(x), grad_x, *grads)


def _checked(x, num_groups, weight, bias, **more):
    """Return x, weight and bias (to broadcast against x), the shape (N, groups, C // groups, ...), and more."""
    x, weight, bias, *more = checked("group_norm", optional=("weight", "bias"), x=x, weight=weight, bias=bias, **more)
    shape, groups = tuple(x.shape), as_int("num_groups", num_groups, 1)
    if len(shape) < 2:
        raise ValueError(f"`x` has shape {shape}; it must be (N, C, ...)")
    if shape[1] % groups:
        raise ValueError(f"`num_groups` is {groups}; it must divide the {shape[1]} channels of `x` {shape}")
    if prod(shape) == groups:
        raise ValueError(f"`x` has shape {shape}, with num_groups={groups} one number per group, which would always "
                         "become 0: take fewer groups")
    for name, a in dict(weight=weight, bias=bias).items():
        check_shape(name, a, shape[1:2], f"one number for each channel of `x` {shape}")
    grouped = (shape[0], groups, shape[1] // groups, *shape[2:])
    return x, per_channel(weight, x), per_channel(bias, x), grouped, *more
