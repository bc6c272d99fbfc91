"""Activations, each with its derivative beneath it; softmax; dropout.

An activation looks at each number alone, so its backward is one product: the gradient from above times the
derivative. Results lie in memory as their arguments do. Derived in notebooks/32.
"""

from functools import wraps
from math import pi, sqrt

import numpy as np

from cnnlib import _array
from cnnlib._arguments import as_axis, beside, check_grad_output, check_shape, checked, is_integer
from cnnlib._array import as_dtype, dtype_name, library, parts, quietly, spare, working, zero_where


def _forward(integers="refused"):
    """Make an operation of a formula in x: arguments checked, half precision computed in float32, dtype restored.

    Integers are "refused", "kept" (computed in int64), or turned into "float32", as torch does for this operation.
    """
    def decorate(formula):
        @wraps(formula)
        @quietly
        def operation(x, *args, **kwargs):
            [x] = checked(formula.__name__, integers=integers != "refused", x=x)
            dtype = "float32" if is_integer(x) and integers == "float32" else dtype_name(x)
            return as_dtype(formula(working(as_dtype(x, dtype)), *args, **kwargs), dtype)
        return operation
    return decorate


def _backward(formula):
    """The same for a formula in grad_output and x. Integers have no gradient: None."""
    name = formula.__name__

    @wraps(formula)
    @quietly
    def operation(grad_output, x, *args, out=None, **kwargs):
        [x] = checked(name, integers=True, x=x)
        if is_integer(x):
            return None
        grad_output, x, out = checked(name, optional=("out",), grad_output=grad_output, x=x, out=out)
        check_grad_output(grad_output, x.shape)
        if out is not None:
            check_shape("out", out, x.shape, "the shape of `x`")
            kwargs["out"] = working(out)
        return as_dtype(formula(working(grad_output), working(x), *args, **kwargs), dtype_name(x))
    return operation


# ---- rectifiers

@_forward(integers="kept")
def relu(x):
    """Return max(x, 0).

    Parameters
    ----------
    x : array of any shape
        Integers stay integers.

    Returns
    -------
    array of x's shape, dtype and memory order; NaN where x is NaN

    Examples
    --------
    >>> relu(np.array([-2.0, 0.0, 3.0]))
    array([0., 0., 3.])
    """
    return _array.not_below_zero(x)


@_backward
def relu_backward(grad_output, x):
    """Return the gradient of x: that of the output where x > 0. At 0 it is 0, as in torch.

    The output of :func:`relu` may stand for `x`: it is positive at the same places.
    """
    return zero_where(x <= 0, grad_output)


@_forward(integers="kept")
def relu6(x):
    """Return min(max(x, 0), 6), with which MobileNet keeps its numbers small enough for eight bits.

    Examples
    --------
    >>> relu6(np.array([-2.0, 3.0, 8.0]))
    array([0., 3., 6.])
    """
    return library(x=x).where(x >= 6, 6, zero_where(x <= 0, x))


@_backward
def relu6_backward(grad_output, x):
    """Return the gradient of x: that of the output where 0 < x < 6. At 0 and 6 it is 0, as in torch."""
    return zero_where((x <= 0) | (x >= 6), grad_output)


@_forward()
def leaky_relu(x, negative_slope=0.01):
    """Return x where it is positive, and negative_slope * x elsewhere.

    Examples
    --------
    >>> leaky_relu(np.array([-2.0, 0.0, 3.0]), negative_slope=0.25)
    array([-0.5,  0. ,  3. ])
    """
    xp = library(x=x)
    negative, positive = signed_parts(x)
    below = xp.multiply(negative, negative_slope, out=spare(negative))
    return xp.add(positive, below, out=spare(below))


@_backward
def leaky_relu_backward(grad_output, x, negative_slope=0.01):
    """Return the gradient of x: grad_output times 1 where x > 0, times negative_slope elsewhere."""
    xp = library(x=x)
    above, below = parts(x > 0, grad_output)
    below = xp.multiply(below, negative_slope, out=spare(below))
    return xp.add(above, below, out=spare(below))


def signed_parts(x):
    """Return min(x, 0) and max(x, 0), whose sum is x; NaN stands in the first. For formulas in exp(-|x|)."""
    positive, negative = parts(x > 0, x)
    return negative, positive


# ---- curves

@_forward(integers="float32")
def sigmoid(x):
    """Return 1 / (1 + exp(-x)), which rises from 0 to 1.

    Parameters
    ----------
    x : array of any shape
        Integers give float32, as in torch.

    Returns
    -------
    array of x's shape, dtype and memory order

    Notes
    -----
    Computed as exp(min(x, 0)) / (1 + exp(-|x|)): no exponential can overflow, and small results keep their digits.

    Examples
    --------
    >>> sigmoid(np.array([-1000.0, 0.0, 1000.0]))
    array([0. , 0.5, 1. ])
    """
    xp = library(x=x)
    negative, positive = signed_parts(x)
    below = xp.subtract(negative, positive, out=spare(positive))  # -|x|
    below = xp.exp(below, out=spare(below))
    below = xp.add(below, 1, out=spare(below))
    return xp.divide(xp.exp(negative, out=spare(negative)), below, out=spare(below))


@_backward
def sigmoid_backward(grad_output, x, *, out=None):
    """Return the gradient of x: grad_output * y * (1 - y), with y = sigmoid(x), which may be given as `out`."""
    y = sigmoid(x) if out is None else out
    return grad_output * (y * (1 - y))


@_forward(integers="float32")
def tanh(x):
    """Return the hyperbolic tangent, which rises from -1 to 1. Integers give float32, as in torch."""
    return library(x=x).tanh(x)


@_backward
def tanh_backward(grad_output, x, *, out=None):
    """Return the gradient of x: grad_output * (1 - y²), with y = tanh(x), which may be given as `out`."""
    y = tanh(x) if out is None else out
    return grad_output * (1 - y * y)


AMPLITUDE, SLOPE = 1.7159, 2 / 3  # of LeNet-5's units: scaled_tanh(1) = 1.0000, and it bends most near ±1


@_forward(integers="float32")
def scaled_tanh(x):
    """Return 1.7159 tanh(2x/3), the unit of LeNet-5: ±1 goes to ±1, where targets of ±1 meet its strongest bend.

    References
    ----------
    .. [1] LeCun, Bottou, Bengio & Haffner, Gradient-based learning applied to document recognition,
       Proc. IEEE 86(11), 1998, appendix A. doi:10.1109/5.726791

    Examples
    --------
    >>> scaled_tanh(np.array([-1.0, 0.0, 1.0])).round(3)
    array([-1.,  0.,  1.])
    """
    xp = library(x=x)
    scaled = x * SLOPE
    y = xp.tanh(scaled, out=spare(scaled))
    return xp.multiply(y, AMPLITUDE, out=spare(y))


@_backward
def scaled_tanh_backward(grad_output, x, *, out=None):
    """Return the gradient of x: grad_output * (2/3) (A - y²/A), A = 1.7159; y = scaled_tanh(x), or given as `out`."""
    y = scaled_tanh(x) if out is None else out
    return grad_output * (SLOPE * AMPLITUDE - SLOPE / AMPLITUDE * y * y)


@_forward()
def gelu(x, approximate="none"):
    """Return x Φ(x), with Φ the distribution function of the normal distribution.

    Parameters
    ----------
    x : array of any shape
    approximate : {"none", "tanh"}
        "tanh" puts (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2 in the place of Φ.

    Raises
    ------
    ValueError
        `approximate` is another word.

    Notes
    -----
    As in torch, minus infinity gives NaN (-∞ · 0). Beyond torch, large negative x keep their digits: Φ(x) is
    computed as erfc(-x/√2) / 2, not from 1 + erf.

    References
    ----------
    .. [1] Hendrycks & Gimpel, Gaussian error linear units, 2016. doi:10.48550/arXiv.1606.08415

    Examples
    --------
    >>> gelu(np.array([-1.0, 0.0, 1.0])).round(4)
    array([-0.1587,  0.    ,  0.8413])
    """
    phi = _normal_distribution(x, approximate)
    return library(x=x).multiply(phi, x, out=spare(phi))


@_backward
def gelu_backward(grad_output, x, approximate="none"):
    """Return the gradient of x: grad_output * (Φ(x) + x Φ'(x))."""
    xp = library(x=x)
    phi = _normal_distribution(x, approximate)
    if approximate == "none":
        slope = -0.5 * x * x
        slope = xp.exp(slope, out=spare(slope)) / sqrt(2 * pi)
    else:
        slope = 2 * phi * (1 - phi) * sqrt(2 / pi) * (1 + 3 * CUBE * x * x)
    return grad_output * (phi + x * slope)


CUBE = 0.044715


def _normal_distribution(x, approximate):
    """Return Φ(x): how much of a normal distribution lies below x."""
    if approximate == "none":
        tail = _array.erfc(x * -sqrt(0.5))
        return library(x=x).multiply(tail, 0.5, out=spare(tail))
    if approximate == "tanh":
        return 0.5 + 0.5 * library(x=x).tanh(sqrt(2 / pi) * (x + CUBE * x * x * x))
    raise ValueError(f"`approximate` is {approximate!r}; it must be 'none' or 'tanh'")


# ---- over an axis

@_forward()
def softmax(x, dim):
    """Return exp(x) over its sum along an axis: positive numbers that sum to 1 there.

    .. math:: p_i = e^{x_i} / \\sum_j e^{x_j}

    Parameters
    ----------
    x : array of any shape
    dim : int
        The axis of the classes, 1 for scores of shape (N, num_classes). It has no default: over the wrong axis, softmax
        looks right and is not.

    Returns
    -------
    array of x's shape, dtype and memory order

    Raises
    ------
    ValueError, TypeError
        `dim` is no axis of x.

    Notes
    -----
    The maximum is subtracted first, which changes nothing but that no exponential overflows. As in torch, scores
    that are all minus infinity give NaN, and one that is plus infinity makes its row NaN.

    Examples
    --------
    >>> softmax(np.array([[1000.0, 1000.0], [0.0, -np.inf]]), dim=1)
    array([[0.5, 0.5],
           [1. , 0. ]])
    """
    xp = library(x=x)
    axis = as_axis("dim", dim, x.shape)
    shifted = _below_maximum(x, axis)
    exponentials = xp.exp(shifted, out=spare(shifted))
    return xp.divide(exponentials, exponentials.sum(axis=axis, keepdims=True), out=spare(exponentials))


@_backward
def softmax_backward(grad_output, x, dim, *, out=None):
    """Return the gradient of x: p (g - Σ p g) along `dim`; g = grad_output, p = softmax(x), or given as `out`."""
    p = softmax(x, dim) if out is None else out
    return p * (grad_output - (p * grad_output).sum(axis=as_axis("dim", dim, x.shape), keepdims=True))


@_forward()
def log_softmax(x, dim):
    """Return the logarithm of :func:`softmax`, right also where softmax itself would round to 0.

    Parameters
    ----------
    x : array of any shape
    dim : int
        The axis of the classes.

    Examples
    --------
    >>> log_softmax(np.array([0.0, 1000.0]), dim=0)
    array([-1000.,     0.])
    """
    xp = library(x=x)
    axis = as_axis("dim", dim, x.shape)
    shifted = _below_maximum(x, axis)
    return xp.subtract(shifted, xp.log(xp.exp(shifted).sum(axis=axis, keepdims=True)), out=spare(shifted))


@_backward
def log_softmax_backward(grad_output, x, dim, *, out=None):
    """Return the gradient of x: g - p Σ g along `dim`; g = grad_output, p = exp(y), y = log_softmax(x) or `out`."""
    p = softmax(x, dim) if out is None else library(x=x).exp(out)
    return grad_output - p * grad_output.sum(axis=as_axis("dim", dim, x.shape), keepdims=True)


def _below_maximum(x, axis):
    """Return a new array: x minus its maximum along the axis."""
    return x - library(x=x).amax(x, axis=axis, keepdims=True) if 0 not in x.shape else x + 0


# ---- dropout

def dropout(x, p=0.5, training=True, *, rng=None, return_mask=False):
    """Set each number to 0 with probability p, and divide the others by 1 - p, so that the mean stays.

    Parameters
    ----------
    x : array of any shape, float
    p : float, in [0, 1]
    training : bool
        Otherwise x is passed on unchanged.
    rng : np.random.Generator, optional
        What is dropped depends on its state and x's shape alone: it is the same in both libraries, on every device
        and for every memory order. Without it nothing can be repeated, except with torch tensors, which then follow
        torch.manual_seed.
    return_mask : bool

    Returns
    -------
    out : array of x's shape, dtype and memory order; x itself where nothing is to be dropped
    mask : array of bool, only with `return_mask`
        True for the numbers that are kept; None where `training` is off. It is what the backward pass needs.

    Raises
    ------
    ValueError
        p is outside [0, 1].
    TypeError
        x holds integers, or `rng` is no Generator.

    Notes
    -----
    As in torch, NaN and infinity are not hidden by being dropped: they give NaN.

    References
    ----------
    .. [1] Srivastava, Hinton, Krizhevsky, Sutskever & Salakhutdinov, Dropout: a simple way to prevent neural networks
       from overfitting, JMLR 15(56), 2014. jmlr.org/papers/v15/srivastava14a.html

    Examples
    --------
    >>> out, mask = dropout(np.ones(4), p=0.5, rng=np.random.default_rng(0), return_mask=True)
    >>> out, mask
    (array([2., 2., 2., 0.]), array([ True,  True,  True, False]))
    """
    [x] = checked("dropout", x=x)
    _check_probability(p)
    if rng is not None and not isinstance(rng, np.random.Generator):
        raise TypeError(f"`rng` is {rng!r}; it must be a np.random.Generator, as np.random.default_rng(0) makes")
    mask = None
    if training:
        mask = _array.in_order_of(_array.uniform(x, rng) >= p, like=x)
        x = _dropped(x, mask, p)
    return (x, mask) if return_mask else x


def dropout_backward(grad_output, mask, p):
    """Return the gradient of x: the same numbers are dropped, the others divided by 1 - p.

    `mask` is what ``dropout(..., return_mask=True)`` returned.
    """
    [grad_output] = checked("dropout", grad_output=grad_output)
    _check_probability(p)
    if mask is None:
        return grad_output
    mask = beside("dropout", "mask", mask, grad_output)
    check_shape("mask", mask, grad_output.shape, "the shape of `grad_output`")
    if dtype_name(mask) != "bool":
        raise TypeError(f"`mask` has dtype {dtype_name(mask)}; it must be the bool array that dropout returned")
    return _dropped(grad_output, mask, p)


def _check_probability(p):
    if not 0 <= p <= 1:
        raise ValueError(f"`p` is {p}; the probability of dropping a number must lie between 0 and 1")


@quietly
def _dropped(x, mask, p):
    """Return x / (1 - p) where the mask is True, and 0 times x elsewhere."""
    scaled = working(x) * (1 / (1 - p) if p < 1 else 0)
    return as_dtype(library(x=x).multiply(scaled, mask, out=spare(scaled)), dtype_name(x))
