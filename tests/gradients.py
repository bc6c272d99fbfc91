"""Two ways to check a backward: central differences, and torch's autograd beside ours.

Both read the contract of `op_backward(grad_output, *the op's arguments)`: a bare gradient where the op takes one array,
else a tuple with one entry for each array argument, in order, present (an array) or absent (None).
"""

import numpy as np
from helpers import relative_error

from cnnlib import _array

TOLERANCE = 1e-10  # of torch's value, float64


def is_array_argument(a):
    return a is None or _array.is_torch(a) or isinstance(a, np.ndarray)


def gradients(op_backward, grad_output, args, kwargs):
    """Return [(argument, its gradient or None)] for each array argument."""
    grads = op_backward(grad_output, *args, **kwargs)
    arrays = [a for a in args if is_array_argument(a)]
    grads = grads if isinstance(grads, tuple) else (grads,)
    assert len(grads) == len(arrays), f"{len(arrays)} array arguments, {len(grads)} gradients"
    return list(zip(arrays, grads))


def numerical_gradient(function, array, eps=1e-5):
    """Return d function() / d array, where `function` reads the float64 `array`, which is changed and restored."""
    result = np.zeros_like(array)
    for index in np.ndindex(array.shape):
        middle = array[index]
        array[index] = middle + eps
        above = function()
        array[index] = middle - eps
        result[index] = (above - function()) / (2 * eps)
        array[index] = middle
    return result


def check_central_differences(op, op_backward, args, kwargs, rng, tolerance=1e-8):
    """Compare every gradient with central differences; the default tolerance is what eps = 1e-5 in float64 allows."""
    grad_output = rng.standard_normal(np.shape(op(*args, **kwargs)))
    checked = 0
    for argument, grad in gradients(op_backward, grad_output, args, kwargs):
        if grad is not None:
            expected = numerical_gradient(lambda: float((op(*args, **kwargs) * grad_output).sum()), argument)
            assert relative_error(grad, expected) < tolerance
            checked += 1
    assert checked


def check_beside_torch(op, op_backward, theirs, args, kwargs, rng, tolerance=TOLERANCE):
    """Compare value and gradients with torch's function, on NumPy arrays and on tensors, and autograd through ours.

    Float arrays in `args` (NumPy) count as differentiable; the backward may give None only where torch does too, or for
    integers.
    """
    import torch

    def leaf(a):
        if not isinstance(a, np.ndarray):
            return a
        tensor = torch.tensor(a)
        return tensor.requires_grad_(tensor.is_floating_point())

    theirs_args = [leaf(a) for a in args]
    expected = theirs(*theirs_args)
    grad_output = np.asarray(rng.standard_normal(tuple(expected.shape)))
    expected.backward(torch.tensor(grad_output))

    for convert in (np.asarray, torch.tensor):
        ours = [convert(a) if isinstance(a, np.ndarray) else a for a in args]
        out = op(*ours, **kwargs)
        assert type(out) is type(convert(grad_output)) and _array.dtype_name(out) == "float64"
        assert relative_error(out, expected) < tolerance
        arrays = [a for a in theirs_args if is_array_argument(a)]
        for (argument, grad), beside in zip(gradients(op_backward, convert(grad_output), ours, kwargs), arrays):
            if grad is None:
                assert argument is None or beside.grad is None
            else:
                assert relative_error(grad, beside.grad) < tolerance

    leaves = [leaf(a) for a in args]
    op(*leaves, **kwargs).backward(torch.tensor(grad_output))
    for ours, beside in zip(leaves, theirs_args):
        if _array.is_torch(ours) and beside.grad is not None:
            assert relative_error(ours.grad, beside.grad) < tolerance, "autograd through our forward"
