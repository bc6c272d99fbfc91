"""The idea that batch, layer and group norm share, forward and backward.

First the mean over some axes is taken away and the standard deviation divided by: x̂. Then each channel (or place)
is given a scale and a shift, which are learnt. Arrays are in the dtype that is computed in.
"""

from math import prod

from cnnlib._array import as_dtype, library, spare, working


def standardise(x, axes, eps, mean=None, var=None):
    """Return x̂ = (x - mean) / √(var + eps), and the statistics: of x over the axes, unless given.

    Returns
    -------
    x_hat : array of x's shape
    inverse, mean, var : arrays that broadcast against x
        ``inverse`` is 1 / √(var + eps). The variance is that with divisor n.
    """
    xp = library(x=x)
    if mean is None:
        mean = _mean(x, axes)
    centred = x - mean
    if var is None:
        var = _mean(centred * centred, axes)
    inverse = 1 / xp.sqrt(var + eps)
    return xp.multiply(centred, inverse, out=spare(centred)), inverse, mean, var


def standardise_backward(grad_x_hat, x_hat, inverse, axes):
    """Return the gradient of x, whose mean and variance move with it: g less its mean, less x̂ times the mean of g x̂."""
    along = _mean(grad_x_hat * x_hat, axes)
    return inverse * (grad_x_hat - _mean(grad_x_hat, axes) - x_hat * along)


def scale_and_shift(x_hat, weight, bias):
    """Return x̂ times weight plus bias, each where given. Writes over x̂."""
    xp = library(x_hat=x_hat)
    out = x_hat if weight is None else xp.multiply(x_hat, weight, out=spare(x_hat))
    return out if bias is None else xp.add(out, bias, out=spare(out))


def scale_and_shift_backward(grad_output, x_hat, weight, bias, axes):
    """Return the gradients of x̂, weight and bias. The axes are those along which a weight is shared."""
    grad_x_hat = grad_output if weight is None else grad_output * weight
    grad_weight = None if weight is None else _sum(grad_output * x_hat, axes)
    return grad_x_hat, grad_weight, None if bias is None else _sum(grad_output, axes)


def per_channel(a, x):
    """Return `a` (C,) so that it broadcasts against x (N, C, ...), in the dtype that is computed in."""
    return None if a is None else working(a).reshape((x.shape[1], *(1,) * (x.ndim - 2)))


def all_but_channels(x):
    """Return the axes of x (N, C, ...) without C."""
    return 0, *range(2, x.ndim)


def restored(dtype, *arrays):
    """Return the arrays in the dtype that came in; None stays None."""
    return tuple(None if a is None else as_dtype(a, dtype) for a in arrays)


def _mean(a, axes):
    """Return the mean over the axes, which stay as axes of size 1. Of no numbers it is NaN."""
    return a.sum(axis=axes, keepdims=True) / prod(a.shape[axis] for axis in axes)


def _sum(a, axes):
    return a.sum(axis=axes) if axes else a  # torch takes no axes for all of them
