"""Madaline, 1962: many Adalines, and behind them fixed logic that nobody trains. Used in notebooks/10."""

import numpy as np

from cnnlib.history._patterns import checked_patterns, threshold
from cnnlib.history.adaline import adaline_step

LOGIC = {"or": np.max, "and": np.min,
         "majority": lambda answers, axis=None: np.sign(np.sum(answers, axis=axis))}


def madaline_step(weights, bias, x, target, rate, logic):
    """Show Madaline one pattern by its rule I: where the output is wrong, change as few Adalines as will mend it.

    Parameters
    ----------
    weights, bias : arrays of shape (K, n) and (K,)
        A row for each Adaline.
    x : array of shape (n,)
    target : float, −1 or +1
        The output that is wanted.
    rate : float
    logic : {"or", "and", "majority"}

    Returns
    -------
    weights, bias : new, of the same shapes
    changed : list of int
        Which Adalines learnt: of those that answer otherwise than the target the least sure, whose sums lie nearest
        to 0. Each takes one :func:`cnnlib.history.adaline_step`, which may or may not turn its answer.

    References
    ----------
    .. [1] Widrow & Lehr, 30 years of adaptive neural networks: perceptron, madaline, and backpropagation, Proceedings
       of the IEEE 78(9), 1990. doi:10.1109/5.58323
    """
    weights, bias, changed = np.array(weights, dtype=float), np.array(bias, dtype=float), []
    sums = weights @ x + bias
    answers = threshold(sums)
    for k in np.argsort(np.abs(sums), kind="stable"):
        if LOGIC[logic](answers) == target:
            break
        if answers[k] != target:
            weights[k], bias[k], _ = adaline_step(weights[k], bias[k], x, target, rate)
            answers[k] = target
            changed.append(int(k))
    return weights, bias, changed


class Madaline:
    """Adalines side by side, their first weights drawn evenly from ±0.5, with fixed logic behind them.

    Parameters
    ----------
    num_inputs, num_adalines : int
    logic : {"or", "and", "majority"}
    rng : numpy Generator
    """

    def __init__(self, num_inputs, num_adalines, logic, *, rng):
        if logic not in LOGIC or logic == "majority" and num_adalines % 2 == 0:
            raise ValueError(f"`logic` is {logic!r} with {num_adalines} Adalines; it must be 'or', 'and', or the "
                             "'majority' of an odd number")
        drawn = rng.uniform(-0.5, 0.5, (num_adalines, num_inputs + 1))
        self.weights, self.bias = drawn[:, :-1], drawn[:, -1]
        self.logic, self.mistakes = logic, []

    def __call__(self, x):
        """Return the output, −1 or +1, for each row of `x`."""
        return LOGIC[self.logic](threshold(np.asarray(x) @ self.weights.T + self.bias), axis=-1)

    def fit(self, x, targets, *, epochs, rate):
        """Show all patterns in turn, `epochs` times; `mistakes` counts before and after each. Return the machine."""
        x, targets = checked_patterns(x, targets, self.weights.shape[1])
        for epoch in range(epochs + 1):
            for pattern, target in zip(x, targets) if epoch else ():
                self.weights, self.bias, _ = madaline_step(self.weights, self.bias, pattern, target, rate, self.logic)
            self.mistakes.append(int(np.sum(self(x) != targets)))
        return self
