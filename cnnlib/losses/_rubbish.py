"""The cross-entropy with one class more, for what is no class: the loss of LeNet-5."""

from cnnlib import _array
from cnnlib._arguments import beside, check_shape, checked, is_integer
from cnnlib._array import dtype_name, library, quietly
from cnnlib.losses._common import check_reduction, check_values, gradient
from cnnlib.losses._cross_entropy import cross_entropy, cross_entropy_backward


@quietly
def rubbish_cross_entropy(x, target, *, penalty=0.1, reduction="mean"):
    """Return the cross-entropy of scores beside which a rubbish class stands, whose score is the same for all samples.

    .. math:: L_n = y_{n t_n} + \\log\\left(e^{-j} + \\sum_c e^{-y_{nc}}\\right), \\qquad y = -x

    The first term pulls the right class's penalty y down. The second pushes the others up, but hardly those that stand
    far above j already: it is what keeps a class from being right for everything.

    Parameters
    ----------
    x : array of shape (N, C), (N, C, ...) or (C,)
        Scores; for LeNet-5 minus the distances y that :class:`layers.RBF` returns.
    target : array of int of shape (N,), (N, ...) or ()
        The index of the right class, 0 to C - 1.
    penalty : float
        j: the rubbish class has the score -j.
    reduction : {"mean", "sum", "none"}

    Returns
    -------
    0-d array, or with "none" an array of target's shape; of x's library, dtype and device

    Raises
    ------
    ValueError
        A target is out of range, the shapes do not fit, the penalty is not finite, or there is nothing to take the mean
        of.
    TypeError
        An argument is no array, the target no integers, or libraries or devices are mixed.

    Notes
    -----
    Equation 9 of [1]_, written with scores. It is :func:`cross_entropy` over C + 1 classes, computed as such.

    References
    ----------
    .. [1] LeCun, Bottou, Bengio & Haffner, Gradient-based learning applied to document recognition,
       Proc. IEEE 86(11), 1998, section II.C. doi:10.1109/5.726791

    Examples
    --------
    >>> import numpy as np
    >>> far, near = rubbish_cross_entropy(np.array([[-40.0, -90.0], [-2.0, -90.0]]), np.array([0, 0]), reduction="none")
    >>> print(f"{far:.4f} {near:.4f}")  # 40 - 0.1, and 2 + log(exp(-0.1) + exp(-2))
    39.9000 2.0394
    """
    return cross_entropy(_with_rubbish(x, target, penalty, reduction), target, reduction=reduction)


@quietly
def rubbish_cross_entropy_backward(grad_output, x, target, *, penalty=0.1, reduction="mean"):
    """Return the gradient of x, p - 1 for the right class and p for the others; and None for the target.

    The p of all classes and that of the rubbish class add up to 1.

    Parameters
    ----------
    grad_output : number or 0-d array; with reduction="none" an array of the losses' shape
    """
    scores = _with_rubbish(x, target, penalty, reduction)
    grad_x, _ = cross_entropy_backward(grad_output, scores, target, reduction=reduction)
    return gradient(grad_x[:-1] if x.ndim == 1 else grad_x[:, :-1], x), None


def _with_rubbish(x, target, penalty, reduction):
    """Return the scores with those of the rubbish class behind them, all checked."""
    [x] = checked("rubbish_cross_entropy", x=x)
    target = beside("rubbish_cross_entropy", "target", target, x)
    axis = min(x.ndim - 1, 1)
    if x.ndim == 0 or x.shape[axis] == 0:
        raise ValueError(f"`x` has shape {tuple(x.shape)}; it must be (N, C), (N, C, ...) or (C,), with at least one "
                         "class")
    if not is_integer(target):
        raise TypeError(f"`target` has dtype {dtype_name(target)}; it must hold the indices of classes, integers")
    check_shape("target", target, (*x.shape[:axis], *x.shape[axis + 1:]), "the right class of each sample")
    check_values(target, (target < 0) | (target >= x.shape[axis]), f"it must be a class, 0 to {x.shape[axis] - 1}")
    check_reduction(reduction, x)
    if not abs(penalty) < float("inf"):
        raise ValueError(f"`penalty` is {penalty}; it must be a finite number")
    rubbish = _array.zeros((*x.shape[:axis], 1, *x.shape[axis + 1:]), x) - penalty
    return library(x=x).concatenate([x, rubbish], axis)
