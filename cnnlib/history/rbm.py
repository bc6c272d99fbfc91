"""The restricted Boltzmann machine, learnt by contrastive divergence. Used in notebooks/10."""

import numpy as np

from cnnlib.activations import sigmoid


class RBM:
    """Visible and hidden units that are on or off; a weight for each pair across, none within a layer.

    .. math:: E(v, h) = -a \\cdot v - b \\cdot h - h^\\top W v, \\qquad p(v, h) \\propto e^{-E(v, h)}

    Parameters
    ----------
    num_visible, num_hidden : int
    rng : numpy Generator
        Draws the first weights, of spread 0.1, and every on and off.
    linear : bool
        Hidden units that are numbers, of mean W v + b and spread 1: for the code of an autoencoder. (Energy + h²/2.)

    Attributes
    ----------
    weight : array of shape (num_hidden, num_visible)
    visible_bias, hidden_bias : arrays, a and b
    errors : list of float
        Of each epoch: mean squared difference of what was shown and its reconstruction.

    References
    ----------
    .. [1] Hinton, Training products of experts by minimizing contrastive divergence, Neural Computation 14(8), 2002.
       doi:10.1162/089976602760128018 (The machine: Smolensky's harmonium, in Parallel Distributed Processing 1, 1986.)
    """

    def __init__(self, num_visible, num_hidden, *, rng, linear=False):
        self.weight = rng.normal(0, 0.1, (num_hidden, num_visible))
        self.visible_bias, self.hidden_bias = np.zeros(num_visible), np.zeros(num_hidden)
        self.rng, self.linear, self.errors = rng, linear, []

    def hidden(self, v):
        """Return how likely each hidden unit is on (a linear one: its mean), given `v` of shape (N, num_visible)."""
        total = v @ self.weight.T + self.hidden_bias
        return total if self.linear else sigmoid(total)

    def visible(self, h):
        """Return how likely each visible unit is on, given `h` of shape (N, num_hidden)."""
        return sigmoid(h @ self.weight + self.visible_bias)

    def free_energy(self, v):
        """Return −log Σ_h exp(−E(v, h)) for each row: low where the machine finds `v` likely."""
        total = v @ self.weight.T + self.hidden_bias
        return -v @ self.visible_bias - (total**2 / 2 if self.linear else np.logaddexp(0, total)).sum(axis=1)

    def contrast(self, v):
        """Return CD-1's step for (weight, visible bias, hidden bias), and the error: raise data, lower reconstructions.

        Up, the hidden units are drawn on or off; back down and up again, their chances stand for draws.
        """
        up = self.hidden(v)
        drawn = up + self.rng.normal(size=up.shape) if self.linear else 1.0 * (self.rng.random(up.shape) < up)
        back = self.visible(drawn)
        again = self.hidden(back)
        return [(up.T @ v - again.T @ back) / len(v), (v - back).mean(axis=0), (up - again).mean(axis=0),
                float(np.mean((v - back) ** 2))]

    def fit(self, v, *, epochs, lr, momentum=0.9, weight_decay=2e-4, batch_size=100):
        """Learn from rows of numbers in [0, 1], in batches drawn anew each epoch; return the machine."""
        names, speed = ("weight", "visible_bias", "hidden_bias"), [0.0, 0.0, 0.0]
        for epoch in range(epochs):
            errors, order = [], self.rng.permutation(len(v))
            for start in range(0, len(v), batch_size):
                *steps, error = self.contrast(v[order[start:start + batch_size]])
                steps[0] -= weight_decay * self.weight
                for k, name in enumerate(names):  # gently at first, as in the paper of 2006
                    speed[k] = (momentum if epoch >= 5 else momentum / 2) * speed[k] + lr * steps[k]
                    setattr(self, name, getattr(self, name) + speed[k])
                errors.append(error)
            self.errors.append(float(np.mean(errors)))
        return self
