"""Run a method on a checked problem: dtypes in and out, pieces, bias, non-finite numbers.

Arrays come and go in the caller's dtype; the method sees the dtype that is computed in.
"""

from dataclasses import replace
from functools import wraps
from math import prod

import numpy as np

from cnnlib import _array
from cnnlib._array import COMPUTE_DTYPE, as_dtype, dtype_name
from cnnlib.conv import shifted
from cnnlib.conv._integers import as_result, check_sums, is_integer, may_leave_int64
from cnnlib.conv._methods import choose
from cnnlib.conv._pieces import cut


def quietly(function):
    """Let overflow give infinity, and infinity minus infinity NaN, without a warning, as torch does."""
    @wraps(function)
    def quiet(*args):
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            return function(*args)
    return quiet


@quietly
def forward(x, weight, bias, problem, method):
    """Return the convolution (N, F, OH, OW) plus bias, in x's dtype and memory order."""
    dtype, choice = dtype_name(x), _choose(method, problem, x)
    compute = choice.compute_dtype(dtype)
    may_wrap = is_integer(x) and may_leave_int64(x, weight, prod(problem.weight_shape[1:]), bias)
    weight = as_dtype(weight, compute)
    bias = None if bias is None else as_dtype(bias, compute)

    def part(piece):
        out = _sums(choice, "forward", as_dtype(x[piece.of_x], compute), weight[piece.filters], piece.problem,
                    None if bias is None else bias[piece.filters], may_wrap)
        return as_result(out, dtype)

    parts, _ = cut(choice, problem, compute)
    if len(parts) == 1:
        return _like_input(part(parts[0]), x, choice)
    out = _array.zeros(problem.out_shape, like=x)
    for piece in parts:
        out[piece.of_out] = part(piece)
    return _like_input(out, x, choice)


@quietly
def backward(grad_output, x, weight, problem, method):
    """Return the gradients of `x` and `weight`; from one call where the method can share work between them."""
    choice = _choose(method, problem, x)
    if not hasattr(choice.body, "backward"):
        return (backward_x(grad_output, weight, problem, method), backward_weight(grad_output, x, problem, method))
    compute = choice.compute_dtype(dtype_name(x))
    grad_x, grad_weight = choice.body.backward(*(as_dtype(a, compute) for a in (grad_output, x, weight)), problem)
    return _like_input(grad_x, grad_output, choice), grad_weight


@quietly
def backward_x(grad_output, weight, problem, method):
    """Return the gradient of `x` (N, C, H, W), in grad_output's dtype and memory order."""
    dtype, choice = dtype_name(grad_output), _choose(method, problem, grad_output)
    compute = choice.compute_dtype(dtype)
    terms = problem.weight_shape[0] // problem.groups * prod(problem.kernel_size)
    may_wrap = is_integer(grad_output) and may_leave_int64(grad_output, weight, terms)
    if may_wrap:  # then only the whole sum can be checked
        choice = replace(choice, in_pieces=False)
    weight = as_dtype(weight, compute)

    def part(piece):
        return _sums(choice, "backward_x", as_dtype(grad_output[piece.of_out], compute), weight[piece.filters],
                     piece.problem, None, may_wrap)

    parts, _ = cut(choice, problem, compute)
    grad_x = _add_up(parts, part, "of_x", problem.x_shape, grad_output, compute)
    return _like_input(as_result(grad_x, dtype), grad_output, choice)


@quietly
def backward_weight(grad_output, x, problem, method):
    """Return the gradient of `weight` (F, C // groups, KH, KW), in x's dtype. Not for integers."""
    dtype, choice = dtype_name(x), _choose(method, problem, x)
    compute = choice.compute_dtype(dtype)

    def part(piece):
        return _sums(choice, "backward_weight", as_dtype(grad_output[piece.of_out], compute),
                     as_dtype(x[piece.of_x], compute), piece.problem)

    parts, _ = cut(choice, problem, compute)
    grad_weight = _add_up(parts, part, "filters", problem.weight_shape, x, compute)
    return _array.contiguous(as_dtype(grad_weight, dtype))


@quietly
def backward_bias(grad_output):
    """Return the gradient of the bias: each filter's output gradient, summed over images and positions."""
    dtype = dtype_name(grad_output)
    return as_dtype(as_dtype(grad_output, COMPUTE_DTYPE[dtype]).sum(axis=(0, 2, 3)), dtype)


@quietly
def add_bias(out, bias):
    """Return `out` plus one number per channel, in the same dtype."""
    def add(dtype):
        return as_dtype(out, dtype) + as_dtype(bias, dtype)[:, None, None]

    sums = add(COMPUTE_DTYPE[dtype_name(out)])
    if is_integer(out):
        check_sums(sums, add("float64"))
    return as_result(sums, dtype_name(out))


def _choose(method, problem, x):
    library = "torch" if _array.is_torch(x) else "numpy"
    return choose(method, problem, dtype_name(x), library, _array.is_batch_innermost(x))


def _sums(choice, step, a, b, problem, bias=None, may_wrap=False):
    """Run one step of the method on one piece and add the bias; integers are checked if they may have wrapped."""
    if choice.name == "library" and bias is not None:
        sums = choice.body.forward(a, b, problem, bias)
    else:
        sums = _call(choice, step, a, b, problem)
        if bias is not None:
            sums += bias[:, None, None]
    if may_wrap:
        a, b, bias = (None if array is None else as_dtype(array, "float64") for array in (a, b, bias))
        check_sums(sums, _sums(choice, step, a, b, problem, bias))
    return sums


def _call(choice, step, a, b, problem):
    """Run one step of the method; by the plain sums where it would spread a NaN or infinity, or the batch is empty."""
    if not choice.spreads:
        return getattr(choice.body, step)(a, b, problem)
    if problem.x_shape[0]:
        result = getattr(choice.body, step)(a, b, problem)
        if _array.all_finite(result):
            return result
    return getattr(shifted, step)(a, b, problem)


def _add_up(parts, part, where, shape, like, dtype):
    """Return the sum of the parts, each added at its piece's `where` in an array of `shape`."""
    if len(parts) == 1:
        return part(parts[0])
    total = _array.zeros(shape, like, dtype)
    for piece in parts:
        total[getattr(piece, where)] += part(piece)
    return total


def _like_input(out, x, choice):
    """Return `out` in x's memory order."""
    if _array.is_torch(x):
        return out if choice.name in ("implicit_gemm", "library") else out.contiguous()
    if _array.is_batch_innermost(x):
        return out if _array.is_batch_innermost(out) else _array.batch_innermost(out)
    return _array.contiguous(out)
