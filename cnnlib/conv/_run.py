"""Run a method on a checked problem: dtypes in and out, pieces, bias, non-finite numbers.

Arrays come and go in the caller's dtype; the method sees the dtype that is computed in. Whatever the method, a sum is
rounded, or checked for its range, once: after the bias.
"""

from dataclasses import replace
from functools import partial
from math import prod

from cnnlib import _array
from cnnlib._arguments import is_integer
from cnnlib._array import COMPUTE_DTYPE, as_dtype, dtype_name, quietly
from cnnlib._integers import as_result, check_sums, may_leave_int64
from cnnlib.conv import shifted
from cnnlib.conv._methods import choose
from cnnlib.conv._pieces import cut


@quietly
def forward(x, weight, bias, problem, method):
    """Return the convolution (N, F, OH, OW) plus bias, in x's dtype and memory order."""
    dtype, choice = dtype_name(x), _choose(method, problem, x)
    compute = choice.compute_dtype(dtype)
    may_wrap = is_integer(x) and may_leave_int64(x, weight, prod(problem.weight_shape[1:]), bias)
    weight = as_dtype(weight, compute)
    bias = None if bias is None else as_dtype(bias, compute)

    def part(piece):
        out = _checked(partial(_convolve, choice, piece.problem), may_wrap, as_dtype(x[piece.of_x], compute),
                       weight[piece.filters], None if bias is None else bias[piece.filters])
        return as_result(out, dtype)

    pieces = cut(choice, problem, compute)
    if pieces.count == 1:
        out, = map(part, pieces)
    else:
        out = _array.zeros(problem.out_shape, x, dtype)
        for piece in pieces:
            out[piece.of_out] = part(piece)
    return _in_order(choice, out, x)


@quietly
def backward(grad_output, x, weight, problem, method):
    """Return the gradients of `x` and `weight`; from one call where the method can share work between them."""
    choice = _choose(method, problem, x)
    if not hasattr(choice.body, "backward"):
        return (backward_x(grad_output, weight, problem, method), backward_weight(grad_output, x, problem, method))
    compute = choice.compute_dtype(dtype_name(x))
    grad_x, grad_weight = choice.body.backward(*(as_dtype(a, compute) for a in (grad_output, x, weight)), problem)
    return _array.in_order_of(grad_x, grad_output), grad_weight


@quietly
def backward_x(grad_output, weight, problem, method, bias=None):
    """Return the gradient of `x` (N, C, H, W), plus `bias` (C,), in grad_output's dtype and memory order.

    A gradient has no bias, but this is the transposed convolution too. No method adds the bias here before it rounds:
    with one, half precision is summed in float32 by them all.
    """
    dtype, choice = dtype_name(grad_output), _choose(method, problem, grad_output)
    compute = choice.compute_dtype(dtype) if bias is None else COMPUTE_DTYPE[dtype]
    terms = problem.weight_shape[0] // problem.groups * prod(problem.kernel_size)
    may_wrap = is_integer(grad_output) and may_leave_int64(grad_output, weight, terms, bias)
    if may_wrap:  # then only the whole sum can be checked
        choice = replace(choice, in_pieces=False)
    weight = as_dtype(weight, compute)
    bias = None if bias is None else as_dtype(bias, compute)
    pieces = cut(choice, problem, compute)
    single = pieces.count == 1  # else their parts of x overlap, and the bias is added to the total

    def part(piece):
        return _checked(partial(_transposed, choice, piece.problem), may_wrap,
                        as_dtype(grad_output[piece.of_out], compute), weight[piece.filters], bias if single else None)

    grad_x = _add_up(pieces, part, "of_x", problem.x_shape, grad_output, compute)
    grad_x = as_result(grad_x if single else _plus(grad_x, bias), dtype)
    return _in_order(choice, grad_x, grad_output)


@quietly
def backward_weight(grad_output, x, problem, method):
    """Return the gradient of `weight` (F, C // groups, KH, KW), in x's dtype. Not for integers."""
    dtype, choice = dtype_name(x), _choose(method, problem, x)
    compute = choice.compute_dtype(dtype)

    def part(piece):
        return _call(choice, "backward_weight", as_dtype(grad_output[piece.of_out], compute),
                     as_dtype(x[piece.of_x], compute), piece.problem)

    grad_weight = _add_up(cut(choice, problem, compute), part, "filters", problem.weight_shape, x, compute)
    return _array.contiguous(as_dtype(grad_weight, dtype))


@quietly
def backward_bias(grad_output):
    """Return the gradient of the bias: each filter's output gradient, summed over images and positions."""
    dtype = dtype_name(grad_output)
    return as_dtype(as_dtype(grad_output, COMPUTE_DTYPE[dtype]).sum(axis=(0, 2, 3)), dtype)


def _choose(method, problem, x):
    library = "torch" if _array.is_torch(x) else "numpy"
    return choose(method, problem, dtype_name(x), library, _array.is_batch_innermost(x))


def _convolve(choice, problem, x, weight, bias):
    """Return the convolution of one piece plus bias."""
    if choice.native:
        return choice.body.forward(x, weight, problem, bias)
    return _plus(_call(choice, "forward", x, weight, problem), bias)


def _transposed(choice, problem, grad_output, weight, bias):
    """Return the gradient of one piece's x plus bias."""
    return _plus(_call(choice, "backward_x", grad_output, weight, problem), bias)


def _in_order(choice, out, x):
    """Return `out` in x's memory order; what torch's own code says about that is left as it is."""
    return out if choice.native and _array.is_torch(x) else _array.in_order_of(out, x)


def _plus(sums, bias):
    """Add one number per channel, if any, to the sums."""
    if bias is not None:
        sums += bias[:, None, None]
    return sums


def _checked(compute, may_wrap, *arrays):
    """Return compute(*arrays); integers that may have wrapped are compared with the same in float64."""
    result = compute(*arrays)
    if may_wrap:
        check_sums(result, compute(*(None if a is None else as_dtype(a, "float64") for a in arrays)))
    return result


def _call(choice, step, a, b, problem):
    """Run one step of the method; by the plain sums where it would spread a NaN or infinity, or the batch is empty."""
    if not choice.spreads:
        return getattr(choice.body, step)(a, b, problem)
    if problem.x_shape[0]:
        result = getattr(choice.body, step)(a, b, problem)
        if _array.all_finite(result):
            return result
    return getattr(shifted, step)(a, b, problem)


def _add_up(pieces, part, where, shape, like, dtype):
    """Return the sum of the parts, each added at its piece's `where` in an array of `shape`."""
    if pieces.count == 1:
        total, = map(part, pieces)
        return total
    total = _array.zeros(shape, like, dtype)
    for piece in pieces:
        total[getattr(piece, where)] += part(piece)
    return total
