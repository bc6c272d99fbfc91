"""Convolution along one axis: an image one row high."""

from cnnlib._arguments import check_grad_output
from cnnlib.conv import _conv2d
from cnnlib.conv._arguments import checked
from cnnlib.conv._problem import as_padding, check_shapes
from cnnlib.geometry import as_int, as_pair, output_size


def conv1d(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1, *, method="auto"):
    """Cross-correlate a batch of signals with a bank of filters.

    Parameters
    ----------
    x : array of shape (N, C, L), or (C, L) for one signal
    weight : array of shape (F, C // groups, K)
    bias : array of shape (F,), optional
    stride, dilation : int, in samples
    padding : int, (before, after), "valid" or "same"
    groups : int
    method : str
        As in :func:`conv2d`.

    Returns
    -------
    array of shape (N, F, OL), with OL = (L + before + after - dilation * (K - 1) - 1) // stride + 1

    Raises
    ------
    ValueError, TypeError
        As in :func:`conv2d`.

    Notes
    -----
    As torch.nn.functional.conv1d; (before, after) is an extension.

    Examples
    --------
    >>> import numpy as np
    >>> conv1d(np.array([[1., 2., 4., 8.]]), np.array([[[-1., 1.]]]))
    array([[1., 2., 4.]])
    """
    x, weight, bias = checked(x=x, weight=weight, bias=bias)
    settings = _settings(stride, padding, dilation)
    _check_signal(x, weight, *settings, groups)
    return _conv2d.forward(_as_image(x), _as_image(weight), bias, *settings, groups, method)[..., 0, :]


def conv1d_backward(grad_output, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1, *,
                    method="auto"):
    """Return the gradients of :func:`conv1d`, given that of its output.

    Returns
    -------
    grad_x, grad_weight : arrays of the shapes of `x` and `weight`; None for integers
    grad_bias : array of shape (F,); None without a bias, or for integers
    """
    grad_output, x, weight, bias = checked(grad_output=grad_output, x=x, weight=weight, bias=bias)
    settings = _settings(stride, padding, dilation)
    length = _check_signal(x, weight, *settings, groups)
    check_grad_output(grad_output, (*x.shape[:-2], weight.shape[0], length))
    grad_x, grad_weight, grad_bias = _conv2d.backward(
        _as_image(grad_output), _as_image(x), _as_image(weight), bias, *settings, groups, method)
    if grad_x is None:
        return None, None, None
    return grad_x[..., 0, :], grad_weight[..., 0, :], grad_bias


def _as_image(signal):
    """Return (..., L) as (..., 1, L)."""
    return signal[..., None, :]


def _check_signal(x, weight, stride, padding, dilation, groups):
    """Check the shapes as conv2d does, but in the words of signals; return the length of the output."""
    if x.ndim not in (2, 3):
        raise ValueError(f"`x` has shape {tuple(x.shape)}; it must be (N, C, L), or (C, L) for one signal")
    if weight.ndim != 3:
        raise ValueError(f"`weight` has shape {tuple(weight.shape)}; it must be (F, C // groups, K)")
    check_shapes(tuple(x.shape), tuple(weight.shape), as_int("groups", groups, 1))
    one_row = (1, x.shape[-1]), (1, weight.shape[-1])
    (_, stride), (_, dilation), (_, zeros) = stride, dilation, as_padding(padding, *one_row, stride, dilation)
    try:
        return output_size(x.shape[-1], weight.shape[-1], stride, zeros, dilation)
    except ValueError as error:
        raise ValueError(f"`weight` {tuple(weight.shape)} does not fit into `x` {tuple(x.shape)}: {error}") from None


def _settings(stride, padding, dilation):
    """Return stride, padding and dilation as conv2d takes them: nothing happens along the one row."""
    if not isinstance(padding, str):
        padding = ((0, 0), as_pair("padding", padding, 0, "(before, after)"))
    stride, dilation = (_one(name, value) for name, value in (("stride", stride), ("dilation", dilation)))
    return (1, stride), padding, (1, dilation)


def _one(name, value):
    """Return an int given as such or, as torch allows, as a sequence of one."""
    if isinstance(value, (tuple, list)) and len(value) == 1:
        value = value[0]
    return as_int(name, value, 1)
