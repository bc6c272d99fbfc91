"""Batch norm: each channel over the batch and all positions, with the statistics of the batch or kept ones."""

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
def batch_norm(x, running_mean=None, running_var=None, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5,
               *, return_stats=False):
    """Normalise each channel over the batch and all positions.

    .. math:: y = \\gamma_c\\, \\frac{x - \\mu_c}{\\sqrt{\\sigma_c^2 + \\epsilon}} + \\beta_c

    Parameters
    ----------
    x : array of shape (N, C, ...)
        NumPy or torch; (N, C, H, W) for maps. The result has x's library, dtype, device and memory order.
    running_mean, running_var : arrays of shape (C,), optional
        The mean and variance that are used where `training` is off. Unlike torch's they are never written to.
    weight, bias : arrays of shape (C,), optional
        The scale and the shift.
    training : bool
        Use the mean and variance of this batch. Each output then depends on all samples.
    momentum : float
        Stands here as in torch, where this function moves the running statistics. Ours does not:
        :func:`updated_stats` does, and a layer keeps what it returns.
    eps : float
    return_stats : bool

    Returns
    -------
    out : array of x's shape
    mean, var : arrays of shape (C,), only with `return_stats`
        What was subtracted, and the variance (divisor n) that was divided by. They spare the backward pass work.

    Raises
    ------
    ValueError
        The shapes do not fit; there is one number per channel in training, which would always become 0; running
        statistics are needed and missing; the statistics of no numbers are asked for.
    TypeError
        An argument is no array, holds integers, or libraries, dtypes or devices are mixed.

    References
    ----------
    .. [1] Ioffe & Szegedy, Batch normalization: accelerating deep network training by reducing internal covariate
       shift, ICML 2015. doi:10.48550/arXiv.1502.03167

    Examples
    --------
    >>> import numpy as np
    >>> out, mean, var = batch_norm(np.array([[1.0], [3.0]]), training=True, eps=0, return_stats=True)
    >>> out, mean, var
    (array([[-1.],
           [ 1.]]), array([2.]), array([1.]))
    """
    del momentum
    x, weight, bias, stats = _checked(x, running_mean, running_var, weight, bias, training)
    if training and return_stats and 0 in x.shape:
        raise ValueError(f"`x` has shape {tuple(x.shape)}: no numbers have no mean and variance, which `return_stats` "
                         "asks for")
    x_hat, _, mean, var = standardise(working(x), all_but_channels(x), eps, *stats)
    out = scale_and_shift(x_hat, weight, bias)
    if not return_stats:
        return as_dtype(out, dtype_name(x))
    return restored(dtype_name(x), out, mean.reshape((x.shape[1],)), var.reshape((x.shape[1],)))


@quietly
def batch_norm_backward(grad_output, x, running_mean=None, running_var=None, weight=None, bias=None, training=False,
                        momentum=0.1, eps=1e-5, *, mean=None, var=None):
    """Return the gradients of :func:`batch_norm`, given that of its output.

    Returns
    -------
    grad_x : array of x's shape
        In training it sums to 0 over each channel: mean and variance move with x.
    None, None
        The running statistics are kept, not learnt.
    grad_weight, grad_bias : arrays of shape (C,); None for those that are absent

    Notes
    -----
    `mean` and `var`, from ``return_stats``, spare computing them again.
    """
    del momentum
    x, weight, bias, stats, grad_output = _checked(x, running_mean, running_var, weight, bias, training, mean, var,
                                                   grad_output=grad_output)
    check_grad_output(grad_output, x.shape)
    axes = all_but_channels(x)
    x_hat, inverse, *_ = standardise(working(x), axes, eps, *stats)
    grad_x_hat, *grads = scale_and_shift_backward(working(grad_output), x_hat, weight, bias, axes)
    grad_x = standardise_backward(grad_x_hat, x_hat, inverse, axes) if training else grad_x_hat * inverse
    grad_x, *grads = restored(dtype_name(x), grad_x, *grads)
    return grad_x, None, None, *grads


def _checked(x, running_mean, running_var, weight, bias, training, mean=None, var=None, **more):
    """Return x, weight and bias (to broadcast against x), the mean and variance to use (None: those of x), and more."""
    optional = dict(running_mean=running_mean, running_var=running_var, weight=weight, bias=bias, mean=mean, var=var)
    x, *given = checked("batch_norm", optional=tuple(optional), x=x, **optional, **more)
    shape = tuple(x.shape)
    if len(shape) < 2:
        raise ValueError(f"`x` has shape {shape}; it must be (N, C, ...)")
    for name, a in zip(optional, given):
        check_shape(name, a, shape[1:2], f"one number for each channel of `x` {shape}")
    running_mean, running_var, weight, bias, mean, var = (per_channel(a, x) for a in given[:len(optional)])
    if not training:
        if running_mean is None or running_var is None:
            raise ValueError("`running_mean` and `running_var` are needed where `training` is off; training=True takes "
                             "the mean and variance of the batch")
        mean, var = running_mean, running_var
    elif prod(shape) == shape[1]:
        raise ValueError(f"`x` has shape {shape}, one number per channel: in training it would always become 0; take "
                         "more samples, or training=False")
    return x, weight, bias, (mean, var), *given[len(optional):]


def updated_stats(running_mean, running_var, mean, var, count, momentum=0.1):
    """Return the running statistics after one more batch, as torch moves them.

    .. math:: \\mu' = (1 - m)\\, \\mu' + m\\, \\mu \\qquad
              \\sigma'^2 = (1 - m)\\, \\sigma'^2 + m\\, \\sigma^2\\, n / (n - 1)

    The batch is normalised by its variance with divisor n; what is remembered is the estimate with n - 1.

    Parameters
    ----------
    running_mean, running_var, mean, var : arrays of shape (C,)
        `mean` and `var` as :func:`batch_norm` returned them.
    count : int
        n, the numbers per channel: N * H * W.
    momentum : float
        m, the weight of the new batch. (Not the optimisers' momentum, which is the weight of the old.)

    Examples
    --------
    >>> import numpy as np
    >>> updated_stats(np.zeros(1), np.ones(1), mean=np.array([2.0]), var=np.array([1.0]), count=2)
    (array([0.2]), array([1.1]))
    """
    count = as_int("count", count, 2)
    running_mean, running_var, mean, var = checked("updated_stats", running_mean=running_mean, running_var=running_var,
                                                   mean=mean, var=var)
    for name, a in dict(running_var=running_var, mean=mean, var=var).items():
        check_shape(name, a, running_mean.shape, "the shape of `running_mean`")
    return ((1 - momentum) * running_mean + momentum * mean,
            (1 - momentum) * running_var + momentum * count / (count - 1) * var)
