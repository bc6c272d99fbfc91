"""The cross-entropy of scores for several classes."""

from math import prod

import numpy as np

from cnnlib import _array
from cnnlib._arguments import beside, check_shape, checked, is_integer
from cnnlib._array import as_dtype, dtype_name, library, quietly, working, zero_where
from cnnlib.activations import log_softmax
from cnnlib.geometry import as_int
from cnnlib.losses._common import charge, check_reduction, check_values, gradient, reduced, spread


def cross_entropy(x, target, *, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0):
    """Return minus the logarithm of the probability that softmax gives to the right class.

    .. math:: L_n = -\\sum_c w_c\\, q_{nc} \\log p_{nc}, \\qquad p = \\mathrm{softmax}(x)

    with q the expected probabilities: 1 for the target's class; with label smoothing ε, 1 - ε of that plus ε / C for
    each of the C classes.

    Parameters
    ----------
    x : array of shape (N, C), (N, C, ...) or (C,)
        Scores (logits) of C classes, any numbers: softmax is part of this function and must not come before it.
    target : array of int of shape (N,), (N, ...) or (); or array of x's shape and dtype
        The index of the right class, or the probability of each class.
    weight : array of shape (C,), optional
        How much each class counts.
    ignore_index : int
        Samples of this class index have no loss, no gradient, and no part in the mean.
    reduction : {"mean", "sum", "none"}
        With class indices the mean divides by the sum of the targets' weights (without `weight`, the number of
        samples that are not ignored); with probabilities by the number of samples.
    label_smoothing : float, in [0, 1]

    Returns
    -------
    0-d array, or with "none" an array of shape (N,), (N, ...) or (); of x's library, dtype and device

    Raises
    ------
    ValueError
        A target is out of range, the shapes do not fit, or there is nothing to take the mean of: no samples, only
        ignored ones, or only weights 0 (torch gives NaN).
    TypeError
        An argument is no array, x holds integers, or libraries or devices are mixed.

    Notes
    -----
    As torch.nn.functional.cross_entropy. Beyond it, a class that is expected with probability 0 costs nothing also
    where its score is minus infinity (0 · ∞ = 0), and probabilities outside [0, 1] are an error.

    Examples
    --------
    >>> import numpy as np
    >>> round(float(cross_entropy(np.zeros((2, 10)), np.array([3, 7]))), 4)  # no idea which class: ln 10
    2.3026
    """
    return CrossEntropy(x, target, weight, ignore_index, reduction, label_smoothing).loss()


def cross_entropy_backward(grad_output, x, target, *, weight=None, ignore_index=-100, reduction="mean",
                           label_smoothing=0.0):
    """Return the gradients of x and target: p - q per sample, over the count for the mean.

    Parameters
    ----------
    grad_output : number or 0-d array; with reduction="none" an array of the losses' shape

    Returns
    -------
    grad_x : array of x's shape
        p Σ w q - w q, summed over the classes: p - q where nothing is weighted.
    grad_target : array of x's shape, -w log p (times 1 - ε); None for class indices
    """
    return CrossEntropy(x, target, weight, ignore_index, reduction, label_smoothing).gradients(grad_output)


class CrossEntropy:
    """One batch, checked, and the logarithms of its probabilities: what the loss and its gradient share.

    Parameters are those of :func:`cross_entropy`; arrays are kept in the dtype that is computed in.
    """

    @quietly
    def __init__(self, x, target, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0):
        x, weight = checked("cross_entropy", optional=("weight",), x=x, weight=weight)
        target = beside("cross_entropy", "target", target, x)
        axis = min(x.ndim - 1, 1)
        if x.ndim == 0 or x.shape[axis] == 0:
            raise ValueError(f"`x` has shape {tuple(x.shape)}; it must be (N, C), (N, C, ...) or (C,), with at least "
                             "one class")
        classes, one = x.shape[axis], _with_one(axis, x.shape)
        per_class = (classes, *(1,) * (x.ndim - axis - 1))  # the shape in which one per class broadcasts against x
        check_reduction(reduction, x)
        check_shape("weight", weight, (classes,), f"one number for each class of `x` {tuple(x.shape)}")
        if not 0 <= label_smoothing <= 1:
            raise ValueError(f"`label_smoothing` is {label_smoothing}; it must lie between 0 and 1")
        self.x, self.target, self.axis, self.one, self.reduction = x, target, axis, one, reduction
        self.log_p = log_softmax(working(x), axis)
        weight = 1 if weight is None else working(weight).reshape(per_class)
        self.ignored = None  # which samples, (N, ...); None for probabilities
        if is_integer(target):
            target = as_dtype(target, "int64")
            self.ignored = _check_classes(target, x, axis, as_int("ignore_index", ignore_index, -2**63))
            is_class = target.reshape(one) == _array.constant(np.arange(classes).reshape(per_class), like=target)
            expected = as_dtype(is_class & ~self.ignored.reshape(one), dtype_name(self.log_p))
            self.count = float((expected * weight).sum())  # what a mean divides by
        else:
            _check_probabilities(target, x, axis, ignore_index)
            expected, self.count = working(target), prod(x.shape) // classes
        if reduction == "mean" and self.count == 0:
            raise ValueError(f"all {prod(target.shape)} targets are ignore_index={ignore_index}, or have weight 0: no "
                             "losses have no mean; reduction='sum' gives 0")
        self.share = weight * (1 - label_smoothing)  # what a given probability is multiplied by in `expected`
        self.expected = self.share * expected + weight * (label_smoothing / classes)  # (N, C, ...): w q

    @quietly
    def loss(self):
        """Return the loss of each sample, or what they are reduced to."""
        losses = charge(self.expected, -self.log_p).sum(axis=self.axis)
        if self.ignored is not None:
            losses = zero_where(self.ignored, losses)
        return reduced(losses, self.reduction, self.count, dtype_name(self.x))

    @quietly
    def gradients(self, grad_output):
        """Return the gradients of x and, where it holds probabilities, of the target."""
        axis, one = self.axis, self.one
        upstream = spread(grad_output, self.reduction, self.count, self.x, one[:axis] + one[axis + 1:])
        if self.reduction == "none":
            upstream = upstream.reshape(one)
        p = library(x=self.log_p).exp(self.log_p)
        grad_x = (p * self.expected.sum(axis=axis).reshape(one) - self.expected) * upstream
        if self.ignored is not None:
            return gradient(zero_where(self.ignored.reshape(one), grad_x), self.x), None
        return gradient(grad_x, self.x), gradient(-self.log_p * self.share * upstream, self.target)


def _check_classes(target, x, axis, ignore_index):
    """Check class indices; return which are to be ignored."""
    shape, right = tuple(x.shape), tuple(x.shape[:axis] + x.shape[axis + 1:])
    if tuple(target.shape) != right:
        hint = "; one-hot targets count as probabilities once they have x's dtype" if target.shape == x.shape else ""
        raise ValueError(f"`target` has shape {tuple(target.shape)} and holds integers; for `x` {shape} class indices "
                         f"have the shape {right}{hint}")
    ignored = target == ignore_index
    check_values(target, ~ignored & ((target < 0) | (target >= x.shape[axis])),
                 f"it must be a class of `x` {shape}, 0 to {x.shape[axis] - 1}, or ignore_index={ignore_index}")
    return ignored


def _check_probabilities(target, x, axis, ignore_index):
    """Check the probabilities of classes."""
    dtype, shape = dtype_name(target), tuple(x.shape)
    if tuple(target.shape) != shape or dtype != dtype_name(x):
        raise ValueError(f"`target` has shape {tuple(target.shape)} and dtype {dtype}; for `x` {shape} it must hold "
                         f"class indices, integers of shape {shape[:axis] + shape[axis + 1:]}, or probabilities, "
                         f"{dtype_name(x)} of shape {shape}")
    if ignore_index >= 0:
        raise ValueError(f"`ignore_index` is {ignore_index}; it is for class indices, and `target` holds probabilities")
    check_values(target, (target < 0) | (target > 1), "probabilities lie between 0 and 1")


def _with_one(axis, shape):
    """Return the shape with size 1 along the axis."""
    return *shape[:axis], 1, *shape[axis + 1:]
