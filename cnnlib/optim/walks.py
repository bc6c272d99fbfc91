"""The way that an optimiser takes from a start, step by step, where the gradient is a function that one can call."""

import numpy as np

from cnnlib import _array
from cnnlib.layers import Parameter
from cnnlib.optim._adaptive import Adam, RMSprop
from cnnlib.optim._sgd import SGD

# Five rules by the names that the course gives them: (class, settings beyond lr), torch's defaults otherwise.
RULES = {
    "sgd": (SGD, {}),
    "momentum": (SGD, {"momentum": 0.9}),
    "nesterov": (SGD, {"momentum": 0.9, "nesterov": True}),
    "rmsprop": (RMSprop, {}),
    "adam": (Adam, {}),
}


def walk(gradient, start, rule, steps=100, *, noise=None, **settings):
    """Return where an optimiser stands before the first step and after each step.

    Parameters
    ----------
    gradient : callable
        Of an array of weights: the loss's gradient there, of the same shape.
    start : array, NumPy or torch
    rule : str, or class of `cnnlib.optim` or, for a torch start, of torch.optim
        A name of :data:`RULES`, or an optimiser.
    steps : int
    noise : array of shape (steps, *start.shape), optional
        Added to the gradient of each step, as another batch would.
    **settings : number
        Of the optimiser: ``lr``, and what else it has.

    Returns
    -------
    NumPy array of shape (steps + 1, *start.shape), float64

    Examples
    --------
    >>> walk(lambda w: 10 * w, [1.0], "sgd", 3, lr=0.05).ravel()  # each step halves w
    array([1.   , 0.5  , 0.25 , 0.125])
    """
    if isinstance(rule, str):
        if rule not in RULES:
            raise ValueError(f"`rule` is {rule!r}; it must be one of {', '.join(RULES)}, or an optimiser's class")
        rule, own = RULES[rule]
        settings = own | settings
    torch_start = _array.is_torch(start)
    weight = start.detach().clone() if torch_start else Parameter(np.array(start, dtype=float))
    optimizer = rule([weight], **settings)
    path = np.empty((steps + 1, *weight.shape))
    path[0] = _array.to_numpy(weight.data)
    with np.errstate(all="ignore"):  # a walk that leaves for infinity says so by its numbers
        for t in range(steps):
            grad = np.asarray(gradient(path[t]), dtype=float)
            grad = grad if noise is None else grad + noise[t]
            weight.grad = _array.constant(grad, weight.data) if torch_start else grad
            optimizer.step()
            path[t + 1] = _array.to_numpy(weight.data)
    return path


def diverged_at(path, window, far=100):
    """Return the first step at which a walk has left for good: not finite, or `far` windows away; None for none.

    Parameters
    ----------
    path : array of shape (steps + 1, D)
    window : D pairs (low, high)
    far : float
        In widths of the window, from its middle.
    """
    low, high = np.asarray(window, dtype=float).T
    with np.errstate(all="ignore"):
        away = np.abs(np.asarray(path) - (low + high) / 2) / (high - low)
        gone = ~(away <= far).all(axis=1)  # also true of NaN
    return int(gone.argmax()) if gone.any() else None


def left_at(path, losses, window, far=100):
    """Return the first step at which a walk that has not diverged has no loss: it has come to a hole; None for none.

    A hole is where the loss is NaN. Beside one the slope may be NaN already: then the next step has no place.

    Parameters
    ----------
    path : array of shape (steps + 1, D)
    losses : array of shape (steps + 1,)
        At each place of the path.
    window, far
        As :func:`diverged_at` takes them.

    Examples
    --------
    >>> left_at(np.array([[-1.0], [0.5], [np.nan]]), np.array([1.0, np.nan, np.nan]), [(-2, 2)])
    1
    """
    path, holes = np.asarray(path), np.isnan(losses)
    if not holes.any():
        return None
    first, gone = int(holes.argmax()), diverged_at(path, window, far)
    if gone is None or first < gone:
        return first
    return first if first == gone and np.isnan(path[gone]).any() and not np.isinf(path[gone]).any() else None


def rates(schedule, lr, steps):
    """Return the learning rate of each step under a schedule.

    Parameters
    ----------
    schedule : callable
        Of an optimiser, returns the schedule: ``lambda optimizer: StepLR(optimizer, 10)``.
    lr : float
        The optimiser's.
    steps : int

    Returns
    -------
    array of shape (steps,)

    Examples
    --------
    >>> from cnnlib.optim import StepLR
    >>> rates(lambda optimizer: StepLR(optimizer, 2, gamma=0.5), 0.4, 5)
    array([0.4, 0.4, 0.2, 0.2, 0.1])
    """
    optimizer = SGD([Parameter(np.zeros(1))], lr=lr)
    moving, found = schedule(optimizer), np.empty(steps)
    for t in range(steps):
        found[t] = optimizer.param_groups[0]["lr"]
        moving.step()
    return found


def steps_until(path, share):
    """Return after how many steps a walk stays within `share` of its first distance from the origin; None if never."""
    away = np.linalg.norm(path.reshape(len(path), -1), axis=1)
    outside = np.flatnonzero(~(away <= share * away[0]))
    last = int(outside[-1]) if outside.size else -1
    return last + 1 if last + 1 < len(path) else None
