"""The mean squared error."""

from math import prod

from cnnlib._arguments import checked
from cnnlib._array import dtype_name, quietly, working
from cnnlib.losses._common import check_reduction, check_same_shape, gradient, reduced, spread


@quietly
def mse_loss(x, target, *, reduction="mean"):
    """Return the squared differences between x and target: their mean, their sum, or each of them.

    Parameters
    ----------
    x, target : arrays of one shape
    reduction : {"mean", "sum", "none"}

    Returns
    -------
    0-d array, or with "none" an array of x's shape; of x's library, dtype and device

    Raises
    ------
    ValueError
        The shapes differ (torch and NumPy would broadcast (N, 1) and (N,) to N × N differences), or there is nothing
        to take the mean of (torch gives NaN).
    TypeError
        An argument is no array, holds integers, or libraries, dtypes or devices are mixed.

    Examples
    --------
    >>> import numpy as np
    >>> mse_loss(np.array([1.0, 5.0]), np.array([1.0, 3.0]))
    array(2.)
    """
    difference = _difference(x, target, reduction)
    return reduced(difference * difference, reduction, prod(x.shape), dtype_name(x))


@quietly
def mse_loss_backward(grad_output, x, target, *, reduction="mean"):
    """Return the gradients of x and target: 2 (x - target), over the count for the mean, and its opposite.

    Parameters
    ----------
    grad_output : number or 0-d array; with reduction="none" an array of x's shape

    Returns
    -------
    grad_x, grad_target : arrays of x's shape
    """
    difference = _difference(x, target, reduction)
    grad_x = 2 * difference * spread(grad_output, reduction, prod(x.shape), x, x.shape)
    return gradient(grad_x, x), gradient(-grad_x, target)


def _difference(x, target, reduction):
    """Return x - target, checked, in the dtype that is computed in."""
    x, target = checked("mse_loss", x=x, target=target)
    check_same_shape(x, target)
    check_reduction(reduction, x)
    return working(x) - working(target)
