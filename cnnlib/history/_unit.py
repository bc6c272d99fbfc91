"""What Adaline and the perceptron share: weights, a sum, a threshold, and patterns shown one by one."""

import numpy as np

from cnnlib.history._patterns import checked_patterns, threshold


class Unit:
    """Weights and a bias, all 0 at first, with a threshold behind their sum; a subclass brings the rule.

    Parameters
    ----------
    num_inputs : int

    Attributes
    ----------
    weights : array of shape (num_inputs,), float64
    bias : float
    squared_errors, mistakes : lists of float and int
        Before training and after each epoch, over all patterns: the mean of (target − sum)², and how many are
        answered wrongly.
    """

    step = None  # (weights, bias, x, target, rate) -> (weights, bias, error), of the subclass

    def __init__(self, num_inputs):
        self.weights, self.bias = np.zeros(num_inputs), 0.0
        self.squared_errors, self.mistakes = [], []

    def sum(self, x):
        """Return the sum before the threshold, one for each row of `x`, which has shape (..., num_inputs)."""
        return np.asarray(x) @ self.weights + self.bias

    def __call__(self, x):
        """Return the answer, −1 or +1, for each row of `x`."""
        return threshold(self.sum(x))

    def fit(self, x, targets, *, epochs, rate, rng=None):
        """Show all patterns, one by one, as often as there are epochs; return the unit.

        Parameters
        ----------
        x : array of shape (N, num_inputs)
        targets : array of shape (N,), −1 or +1
        epochs : int
        rate : float
            Share of the error that a step's change of each weight is made of.
        rng : numpy Generator, optional
            Shuffles the patterns anew for each epoch; without it they come as given.

        Raises
        ------
        ValueError
            The shapes do not fit, or a target is neither −1 nor +1.
        """
        x, targets = checked_patterns(x, targets, len(self.weights))
        self._record(x, targets)
        for _ in range(epochs):
            for k in range(len(x)) if rng is None else rng.permutation(len(x)):
                self.weights, self.bias, _ = type(self).step(self.weights, self.bias, x[k], targets[k], rate)
            self._record(x, targets)
        return self

    def _record(self, x, targets):
        self.squared_errors.append(float(np.mean((targets - self.sum(x)) ** 2)))
        self.mistakes.append(int(np.sum(self(x) != targets)))
