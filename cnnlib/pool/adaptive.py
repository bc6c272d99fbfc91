"""Adaptive average pooling: the size of the result is given, the windows follow from it. Size 1 is global pooling."""

from cnnlib import _array
from cnnlib._array import as_dtype, dtype_name, in_order_of, quietly, working
from cnnlib.pool._windows import as_output_size, check_grad_output, check_input, make_windows


@quietly
def adaptive_avg_pool2d(x, output_size):
    """Take the mean of output_size windows that cover the image as evenly as whole pixels allow.

    Window i of O along an axis of H pixels reaches from floor(i H / O) to ceil((i + 1) H / O): neighbours overlap by
    a pixel where O does not divide H.

    Parameters
    ----------
    x : array of shape (N, C, H, W), or (C, H, W) for one image
        NumPy or torch. The result has x's library, dtype, device and memory order.
    output_size : int or (rows, cols), in pixels
        None keeps the input's size. With 1, each map becomes its mean (global average pooling).

    Returns
    -------
    array of shape (N, C, *output_size)

    Notes
    -----
    As torch.nn.functional.adaptive_avg_pool2d. Derived in notebooks/22.

    References
    ----------
    .. [1] Lin, Chen & Yan, Network in network, ICLR 2014. doi:10.48550/arXiv.1312.4400

    Examples
    --------
    >>> import numpy as np
    >>> adaptive_avg_pool2d(np.array([[[1., 2., 3.], [5., 6., 7.]]]), (1, 2))
    array([[[3.5, 4.5]]])
    """
    x, rows, cols = _checked(output_size, x=x)
    lib, numbers = _array.library(x=x), working(x)
    along_cols = lib.stack([numbers[..., span].mean(-1) for span in cols], -1)
    means = lib.stack([along_cols[..., span, :].mean(-2) for span in rows], -2)
    return in_order_of(as_dtype(means, dtype_name(x)), x)


@quietly
def adaptive_avg_pool2d_backward(grad_output, x, output_size):
    """Return the gradient of `x`: every pixel of a window receives the same share of its gradient."""
    grad_output, x, rows, cols = _checked(output_size, grad_output=grad_output, x=x)
    check_grad_output(grad_output, x.shape, (len(rows), len(cols)))
    grads = working(grad_output)
    along_rows = _array.zeros((*x.shape[:-1], len(cols)), grads)
    for i, span in enumerate(rows):
        along_rows[..., span, :] += grads[..., i:i + 1, :] / (span.stop - span.start)
    grad_x = _array.zeros(tuple(x.shape), grads)
    for j, span in enumerate(cols):
        grad_x[..., span] += along_rows[..., j:j + 1] / (span.stop - span.start)
    return in_order_of(as_dtype(grad_x, dtype_name(x)), x)


def _checked(output_size, **arrays):
    """Return the arrays, and the windows' spans along rows and columns."""
    *others, x = check_input("adaptive pooling", **arrays)
    make_windows(x.shape, 1)  # for its checks of the shape
    spans = [[slice(i * size // count, -(-(i + 1) * size // count)) for i in range(count)]
             for size, count in zip(x.shape[-2:], as_output_size(output_size, x.shape[-2:]))]
    return *others, x, *spans
