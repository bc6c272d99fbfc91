"""Rosenblatt's perceptron, its last layer: the error is taken after the threshold. Used in notebooks/10."""

import numpy as np

from cnnlib.history._patterns import threshold
from cnnlib.history._unit import Unit


def perceptron_step(weights, bias, x, target, rate):
    """Show the perceptron one pattern: nothing moves unless the answer is wrong.

    .. math:: e = d - \\operatorname{sign}\\Big(b + \\sum_i w_i x_i\\Big), \\qquad
              w_i \\leftarrow w_i + \\eta\\, e\\, x_i, \\qquad b \\leftarrow b + \\eta\\, e

    Parameters
    ----------
    weights, x : arrays of shape (n,)
    bias : float
    target : float, −1 or +1
        The answer that is wanted, d.
    rate : float
        η: from weights of 0, another rate only scales them all.

    Returns
    -------
    weights, bias : new, of the same shapes
    error : float
        Target minus answer as it was before the step: −2, 0 or +2.

    Notes
    -----
    One line differs from :func:`cnnlib.history.adaline_step`: the threshold in the error. A sum of 0 answers +1. The
    perceptron of 1958 [1]_ has a layer of fixed random units in front; here it is its adaptive layer alone,
    with the error-correcting rule of [2]_. If any weights answer all patterns rightly, it stops after a finite number
    of steps (Rosenblatt's convergence theorem; proof: [3]_); if none do, never.

    References
    ----------
    .. [1] Rosenblatt, The perceptron: a probabilistic model for information storage and organization in the brain,
       Psychological Review 65(6), 1958. doi:10.1037/h0042519
    .. [2] Rosenblatt, Principles of Neurodynamics, Spartan Books, 1962.
    .. [3] Novikoff, On convergence proofs on perceptrons, Symposium on the Mathematical Theory of Automata, 1962.

    Examples
    --------
    >>> perceptron_step(np.zeros(2), 0.0, np.array([1, -1]), target=-1, rate=0.5)
    (array([-1.,  1.]), -1.0, -2.0)
    >>> perceptron_step(np.array([-1.0, 1.0]), -1.0, np.array([1, -1]), target=-1, rate=0.5)[2]
    0.0
    """
    error = target - threshold(np.dot(weights, x) + bias)
    return weights + rate * error * x, float(bias + rate * error), float(error)


class Perceptron(Unit):
    """Weights, a sum, a threshold, and Rosenblatt's rule, which learns from mistakes only."""

    step = staticmethod(perceptron_step)
