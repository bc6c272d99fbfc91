"""Adaline, 1960: an adaptive neuron whose error is taken before the threshold. Used in notebooks/10."""

import numpy as np

from cnnlib.history._unit import Unit


def adaline_step(weights, bias, x, target, rate):
    """Show Adaline one pattern: move the sum towards the target, each weight by the same share.

    .. math:: e = d - \\Big(b + \\sum_i w_i x_i\\Big), \\qquad w_i \\leftarrow w_i + \\eta\\, e\\, x_i, \\qquad
              b \\leftarrow b + \\eta\\, e

    Parameters
    ----------
    weights, x : arrays of shape (n,)
    bias : float
    target : float, −1 or +1
        The sum that is wanted, d.
    rate : float
        η: with inputs of −1 and +1 a step takes the share (n + 1) η off this pattern's error.

    Returns
    -------
    weights, bias : new, of the same shapes
    error : float, e as it was before the step

    Notes
    -----
    Least mean squares (LMS), which Widrow and Hoff published in 1960 [1]_: half the squared error's gradient, from one
    pattern at a time. Every input is −1 or +1, the bias's too, so with ``rate = 1 / (n + 1)`` a single step
    corrects the whole error, and every knob turns by the same amount. Above ``2 / (n + 1)`` a repeated step grows it.

    References
    ----------
    .. [1] Widrow & Hoff, Adaptive switching circuits, 1960 IRE WESCON Convention Record, part 4, 96-104.

    Examples
    --------
    >>> adaline_step(np.zeros(3), 0.0, np.array([1, -1, 1]), target=1, rate=1 / 4)
    (array([ 0.25, -0.25,  0.25]), 0.25, 1.0)
    """
    error = target - (np.dot(weights, x) + bias)
    return weights + rate * error * x, float(bias + rate * error), float(error)


def least_squares(x, targets):
    """Return the weights and the bias that LMS goes to: those with the least mean squared error.

    Parameters
    ----------
    x : array of shape (N, n)
    targets : array of shape (N,)

    Returns
    -------
    weights : array of shape (n,)
    bias : float

    Examples
    --------
    >>> weights, bias = least_squares([[0.0], [2.0]], [-1, 1])
    >>> weights.round(6), round(float(bias), 6)
    (array([1.]), -1.0)
    """
    x = np.asarray(x, dtype=float)
    *weights, bias = np.linalg.lstsq(np.column_stack([x, np.ones(len(x))]), np.asarray(targets, float), rcond=None)[0]
    return np.array(weights), float(bias)


class Adaline(Unit):
    """The adaptive linear neuron: weights, a sum, a threshold at the output only, and the LMS rule."""

    step = staticmethod(adaline_step)
