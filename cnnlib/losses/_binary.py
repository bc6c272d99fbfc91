"""Losses of yes-or-no questions: binary cross-entropy, and the focal loss, which looks away from what is easy."""

from math import prod

from cnnlib._arguments import beside, checked
from cnnlib._array import as_dtype, dtype_name, library, quietly, working
from cnnlib.activations import sigmoid, signed_parts
from cnnlib.losses._common import (
    as_setting,
    charge,
    check_reduction,
    check_same_shape,
    check_values,
    gradient,
    reduced,
    spread,
)


@quietly
def binary_cross_entropy_with_logits(x, target, *, weight=None, reduction="mean", pos_weight=None):
    """Return minus the logarithm of the probability that the sigmoid of x gives to the target.

    .. math:: L = -w \\left( \\rho\\, y \\log \\sigma(x) + (1 - y) \\log (1 - \\sigma(x)) \\right)

    Parameters
    ----------
    x : array of any shape
        Scores (logits), any numbers: the sigmoid is part of this function and must not come before it.
    target : array of x's shape and dtype, in [0, 1]
        y, the probability of yes.
    weight : number or array that broadcasts to x's shape, optional
        w, how much each loss counts. The mean still divides by the count.
    reduction : {"mean", "sum", "none"}
    pos_weight : number or array that broadcasts to x's shape, optional
        ρ, how much more a yes counts than a no; above 1 where the yes is rare. (C,) for x of shape (N, C).

    Returns
    -------
    0-d array, or with "none" an array of x's shape; of x's library, dtype and device

    Raises
    ------
    ValueError
        The shapes differ, a target is outside [0, 1] (masks of 0 and 255?), or there is nothing to take the mean of.
    TypeError
        An argument is no array, holds integers, or libraries, dtypes or devices are mixed.

    Notes
    -----
    As torch.nn.functional.binary_cross_entropy_with_logits. Computed from log(1 + exp(-|x|)), so that no score
    overflows. Beyond torch, an infinite score that is right costs 0 (0 · ∞ = 0), not NaN.

    Examples
    --------
    >>> import numpy as np
    >>> scores, target = np.array([0.0, 1000.0, 1000.0]), np.array([1.0, 1.0, 0.0])
    >>> binary_cross_entropy_with_logits(scores, target, reduction="none").round(3).tolist()
    [0.693, 0.0, 1000.0]
    """
    x, y, weight, pos_weight, dtype = _checked_binary(x, target, weight, reduction, pos_weight)
    losses = weight * (charge(pos_weight * y, _softplus(-x)) + charge(1 - y, _softplus(x)))
    return reduced(losses, reduction, prod(x.shape), dtype)


@quietly
def binary_cross_entropy_with_logits_backward(grad_output, x, target, *, weight=None, reduction="mean",
                                              pos_weight=None):
    """Return the gradients of x and target: σ(x) - y, over the count for the mean, where nothing is weighted.

    Parameters
    ----------
    grad_output : number or 0-d array; with reduction="none" an array of x's shape

    Returns
    -------
    grad_x, grad_target : arrays of x's shape
    """
    given = x
    x, y, weight, pos_weight, _ = _checked_binary(x, target, weight, reduction, pos_weight)
    upstream = weight * spread(grad_output, reduction, prod(x.shape), given, x.shape)
    grad_x = upstream * ((pos_weight * y + 1 - y) * sigmoid(x) - pos_weight * y)
    grad_y = upstream * (pos_weight * _softplus(-x) - _softplus(x))
    return gradient(grad_x, given), gradient(grad_y, target)


def _checked_binary(x, target, weight, reduction, pos_weight):
    """Return x, target and the weights in the dtype that is computed in, and the name of x's own."""
    x, target = checked("binary_cross_entropy_with_logits", x=x, target=target)
    check_same_shape(x, target)
    check_reduction(reduction, x)
    check_values(target, (target < 0) | (target > 1), "probabilities lie between 0 and 1")
    dtype, x, target = dtype_name(x), working(x), working(target)
    weights = [1 if value is None else as_setting(name, value, x)
               for name, value in (("weight", weight), ("pos_weight", pos_weight))]
    return x, target, *weights, dtype


@quietly
def focal_loss(x, target, *, alpha=0.25, gamma=2.0, reduction="mean"):
    """Return the binary cross-entropy, each times (1 - p)^γ: the surer the right answer, the less it counts.

    .. math:: L = -\\alpha_t\\, (1 - p_t)^\\gamma \\log p_t

    with p_t the probability that the sigmoid of x gives to the right answer.

    Parameters
    ----------
    x : array of any shape
        Scores (logits).
    target : array of x's shape, any dtype, of 0 (no) and 1 (yes)
    alpha : float in [0, 1], or None
        α_t, the weight of a yes; a no has 1 - α. None weights nothing.
    gamma : float, at least 0
        γ = 0 is the binary cross-entropy.
    reduction : {"mean", "sum", "none"}

    Returns
    -------
    0-d array, or with "none" an array of x's shape; of x's library, dtype and device

    Raises
    ------
    ValueError
        The shapes differ, a target is neither 0 nor 1, alpha or gamma is out of range, or there is nothing to take the
        mean of.
    TypeError
        An argument is no array, x holds integers, or libraries or devices are mixed.

    Notes
    -----
    Equation 5 of [1]_. The paper divides the sum by the number of boxes that hold an object, not by that of all:
    take reduction="sum" and divide.

    References
    ----------
    .. [1] Lin, Goyal, Girshick, He & Dollár, Focal loss for dense object detection, ICCV 2017.
       doi:10.1109/ICCV.2017.324

    Examples
    --------
    >>> import numpy as np
    >>> easy_and_hard = np.array([3.0, -3.0]), np.array([1, 1])
    >>> focal_loss(*easy_and_hard, alpha=None, gamma=0, reduction="none").round(4).tolist()
    [0.0486, 3.0486]
    >>> focal_loss(*easy_and_hard, alpha=None, gamma=2, reduction="none").round(4).tolist()
    [0.0001, 2.7663]
    """
    score, _, alpha_t, dtype = _checked_focal(x, target, alpha, gamma, reduction)
    losses = alpha_t * _focus(score, gamma) * _softplus(-score)
    return reduced(losses, reduction, prod(x.shape), dtype)


@quietly
def focal_loss_backward(grad_output, x, target, *, alpha=0.25, gamma=2.0, reduction="mean"):
    """Return the gradient of x, and None: the target is a choice.

    With z = ±x the score of the right answer, dL/dz is α_t (1 - p_t)^γ (γ p_t log p_t - (1 - p_t)).

    Parameters
    ----------
    grad_output : number or 0-d array; with reduction="none" an array of x's shape
    """
    score, sign, alpha_t, _ = _checked_focal(x, target, alpha, gamma, reduction)
    slope = -gamma * charge(sigmoid(score), _softplus(-score)) - sigmoid(-score)
    upstream = spread(grad_output, reduction, prod(x.shape), x, x.shape)
    return gradient(upstream * sign * alpha_t * _focus(score, gamma) * slope, x), None


def _checked_focal(x, target, alpha, gamma, reduction):
    """Return the score of the right answer (x for a yes, -x for a no), its sign, α_t, and the name of x's dtype."""
    [x] = checked("focal_loss", x=x)
    target = beside("focal_loss", "target", target, x)
    check_same_shape(x, target)
    check_reduction(reduction, x)
    check_values(target, (target != 0) & (target != 1), "it must be 0 (no) or 1 (yes)")
    if alpha is not None and not 0 <= alpha <= 1:
        raise ValueError(f"`alpha` is {alpha}; it must lie between 0 and 1, or be None")
    if not gamma >= 0:
        raise ValueError(f"`gamma` is {gamma}; it must be at least 0")
    dtype, x = dtype_name(x), working(x)
    yes = as_dtype(target, dtype_name(x))
    sign = 2 * yes - 1
    return sign * x, sign, 1 if alpha is None else alpha * yes + (1 - alpha) * (1 - yes), dtype


def _focus(score, gamma):
    """Return (1 - p_t)^γ, from 1 - p_t = exp(-softplus(z))."""
    return library(score=score).exp(-gamma * _softplus(score)) if gamma else 1


def _softplus(x):
    """Return log(1 + exp(x)) = -log(1 - σ(x)); of -x it is -log σ(x). No exponential overflows."""
    xp = library(x=x)
    negative, positive = signed_parts(x)
    return positive + xp.log1p(xp.exp(negative - positive))
