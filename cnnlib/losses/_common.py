"""What the losses share: reductions, and how what they are given is checked."""

import numpy as np

from cnnlib import _array
from cnnlib._arguments import beside, check_grad_output, check_shape, checked
from cnnlib._array import as_dtype, dtype_name, working, zero_where

REDUCTIONS = ("mean", "sum", "none")


def reduced(losses, reduction, count, dtype):
    """Return the mean (the sum over `count`), the sum, or the losses themselves, in the dtype that came in."""
    if reduction != "none":
        losses = losses.sum() / (count if reduction == "mean" else 1)
    return as_dtype(losses, dtype)


def spread(grad_output, reduction, count, x, shape):
    """Return what each single loss's gradient is to be multiplied by, given the gradient of the reduced loss.

    A number; or an array in the dtype that `x` is computed in, 0-d, or for "none" of the losses' `shape`.
    """
    if reduction == "none":
        grad_output, _ = checked("the loss", grad_output=grad_output, x=x)
        check_grad_output(grad_output, shape)
        return working(grad_output)
    if isinstance(grad_output, (int, float, np.floating)):
        grad_output = float(grad_output)
    else:
        grad_output = as_dtype(beside("the loss", "grad_output", grad_output, x), dtype_name(working(x)))
        check_shape("grad_output", grad_output, (), f"a number, as reduction={reduction!r} gives one")
    return grad_output / (count if reduction == "mean" else 1)


def gradient(grad, x):
    """Return a gradient in x's dtype and memory order."""
    return _array.in_order_of(as_dtype(grad, dtype_name(x)), like=x)


def check_reduction(reduction, x):
    """Check the word, and that there is something to take the mean of."""
    if reduction not in REDUCTIONS:
        raise ValueError(f"`reduction` is {reduction!r}; it must be 'mean', 'sum' or 'none'")
    if reduction == "mean" and 0 in x.shape:
        raise ValueError(f"`x` has shape {tuple(x.shape)}: no numbers have no mean; reduction='sum' gives 0, 'none' an "
                         "empty array")


def check_same_shape(x, target):
    """Check that x and target have one shape: broadcasting would compare everything with everything."""
    if tuple(x.shape) != tuple(target.shape):
        reshaped = ", ".join(map(str, x.shape))
        same_size = np.prod(x.shape) == np.prod(target.shape)
        raise ValueError(f"`x` has shape {tuple(x.shape)}, `target` {tuple(target.shape)}; they must be equal"
                         + (f": target.reshape({reshaped}) gives the same numbers that shape" if same_size else ""))


def check_values(target, wrong, meaning):
    """If `wrong` holds anywhere, name the first such value of `target` and its place; `meaning` says what is right."""
    if not wrong.any():
        return
    wrong, target = _array.to_numpy(wrong), _array.to_numpy(target)
    place = np.unravel_index(np.argmax(wrong), wrong.shape)
    raise ValueError(f"`target` holds {target[place]} at [{', '.join(map(str, place))}]; {meaning}")


def as_setting(name, value, x):
    """Return a number or array of weights in x's library, device and dtype, such that it broadcasts to x's shape."""
    weights = _array.constant(value, like=x)
    try:
        fits = np.broadcast_shapes(tuple(weights.shape), tuple(x.shape)) == tuple(x.shape)
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(f"`{name}` has shape {tuple(weights.shape)}, which does not broadcast to that of `x`, "
                         f"{tuple(x.shape)}")
    return weights


def charge(probability, cost):
    """Return probability times cost, with 0 · ∞ = 0: what never happens costs nothing."""
    return probability * zero_where((probability == 0) & (cost == float("inf")), cost)
