"""The fully connected layer: every output sees every input. Derived in notebooks/23 and 30 (eqs. 1, 5 and 7)."""

from math import prod

from cnnlib import _array
from cnnlib._arguments import check_grad_output, check_shape, checked, is_integer
from cnnlib._array import as_dtype, dtype_name, quietly, working
from cnnlib._integers import as_result, check_sums, may_leave_int64


@quietly
def linear(x, weight, bias=None):
    """Multiply by a matrix along the last axis: one weight for each pair of an input and an output.

    .. math:: y_{no} = b_o + \\sum_i w_{oi}\\, x_{ni}

    Parameters
    ----------
    x : array of shape (..., in_features)
        NumPy or torch. The result has x's library, dtype and device; where a NumPy batch (N, in_features) lies
        innermost in memory, so does the result's.
    weight : array of shape (out_features, in_features)
    bias : array of shape (out_features,), optional

    Returns
    -------
    array of shape (..., out_features)

    Raises
    ------
    ValueError
        The shapes do not fit, or an integer result is out of range.
    TypeError
        An argument is no array, or libraries, dtypes or devices are mixed.

    Notes
    -----
    As torch.nn.functional.linear. Half precision is summed in float32, integers in int64.

    Examples
    --------
    >>> import numpy as np
    >>> linear(np.array([[1.0, 2.0]]), np.array([[1.0, 1.0], [0.0, -1.0], [3.0, 0.0]]), bias=np.array([0.0, 0.5, 1.0]))
    array([[ 3. , -1.5,  4. ]])
    """
    x, weight, bias = _checked(x, weight, bias)
    out = weighted_sums(working(x), working(weight), None if bias is None else working(bias))
    if is_integer(x) and may_leave_int64(x, weight, weight.shape[1], bias):
        check_sums(out, weighted_sums(*(None if a is None else as_dtype(a, "float64") for a in (x, weight, bias))))
    return as_result(out, dtype_name(x))


@quietly
def linear_backward(grad_output, x, weight, bias=None):
    """Return the gradients of :func:`linear`, given that of its output.

    Returns
    -------
    grad_x, grad_weight : arrays of the shapes of `x` and `weight`; None for integers
    grad_bias : array of shape (out_features,); None without a bias, or for integers
    """
    x, weight, bias, grad_output = _checked(x, weight, bias, grad_output=grad_output)
    check_grad_output(grad_output, (*x.shape[:-1], weight.shape[0]))
    if is_integer(x):
        return None, None, None
    dtype = dtype_name(x)
    grad_output, x, weight = working(grad_output), working(x), working(weight)
    grad_rows = _rows(grad_output)
    grad_x = _product(grad_output, weight, like=x)
    grad_weight = grad_rows.T @ _rows(x)
    grad_bias = None if bias is None else as_dtype(grad_rows.sum(axis=0), dtype)
    return as_dtype(grad_x, dtype), as_dtype(grad_weight, dtype), grad_bias


def _checked(x, weight, bias, **more):
    """Return the arrays, after checking that their shapes fit each other."""
    arrays = checked("linear", optional=("bias",), integers=True, x=x, weight=weight, bias=bias, **more)
    x, weight, bias = arrays[:3]
    if weight.ndim != 2:
        raise ValueError(f"`weight` has shape {tuple(weight.shape)}; it must be (out_features, in_features)")
    if x.ndim == 0 or x.shape[-1] != weight.shape[1]:
        hint = "" if x.ndim == 0 or x.shape[-1] != weight.shape[0] else (
            ": `weight` may be transposed, it is (out_features, in_features)")
        if x.ndim > 2 and prod(x.shape[1:]) == weight.shape[1]:
            hint = f": x.reshape({x.shape[0]}, {weight.shape[1]}) flattens each sample"
        raise ValueError(f"`x` has shape {tuple(x.shape)}; its last axis must be the {weight.shape[1]} in_features of "
                         f"`weight` {tuple(weight.shape)}{hint}")
    check_shape("bias", bias, (weight.shape[0],), f"one number for each of the {weight.shape[0]} outputs")
    return arrays


def weighted_sums(x, weight, bias):
    """Return x times the turned weight, plus bias."""
    out = _product(x, weight.T, like=x)
    if bias is not None:
        out += bias
    return out


def _product(x, matrix, like):
    """Return x times the matrix, (..., I) times (I, O), in the memory order of `like`."""
    if x.ndim == 2 and _array.is_batch_innermost(like):
        return (matrix.T @ x.T).T
    return (_rows(x) @ matrix).reshape((*x.shape[:-1], matrix.shape[1]))


def _rows(x):
    """Return x of shape (..., I) as a matrix (rows, I): one product for all of them is the fastest."""
    return x if x.ndim == 2 else x.reshape((prod(x.shape[:-1]), x.shape[-1]))
