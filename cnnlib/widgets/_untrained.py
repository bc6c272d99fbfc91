"""Has a net learnt anything? It is asked of its numbers alone: do they still lie as its layers first drew them?

Our layers and torch's draw weights and biases evenly from ± 1 / √fan_in. Of thousands of such numbers some lie next to
the ends, so that the first step of training takes some beyond. The draws of cnnlib.initializers are known, too, where
each bias is still 0, as it is nowhere after a step. A net that was drawn otherwise is not recognised: the answer is
then False, and whoever made it says so.
"""

from math import erf, prod, sqrt

import numpy as np

from cnnlib import _array
from cnnlib.widgets._model import _name as known_name

FEWEST = 30  # numbers; fewer say nothing
SAMPLE = 10_000  # numbers of an array whose spread is measured
FAR = 2.5  # times 1 / √numbers: an even draw's distance from evenness is larger once in 100,000
EVEN = ("Conv2d", "Linear")
FRESH = {"weight": 1, "bias": 0, "running_mean": 0, "running_var": 1, "num_batches_tracked": 0}  # of a batch norm


def is_untrained(model):
    """Return whether all weights, biases and averages of a net are as its layers first draw them.

    Parameters
    ----------
    model : cnnlib.layers.Module or torch.nn.Module

    Examples
    --------
    >>> from cnnlib import layers
    >>> layer = layers.Linear(64, 10, rng=np.random.default_rng(0))
    >>> is_untrained(layer)
    True
    >>> layer.weight.data[:] *= 1.01
    >>> is_untrained(layer)
    False
    """
    found = 0
    for module in model.modules():
        name = known_name(module) or ""
        if name in EVEN:
            arrays = [_numbers(value) for value in (module.weight, module.bias) if value is not None]
            if not _is_drawn(*arrays):
                return False
        elif name.startswith("BatchNorm"):
            values = [(getattr(module, word), first) for word, first in FRESH.items()]
            if not all((_numbers(value) == first).all() for value, first in values if value is not None):
                return False
            arrays = [_numbers(value) for value in (module.weight, module.bias) if value is not None]
        else:
            continue
        found += sum(array.size for array in arrays)
    return FEWEST <= found == sum(prod(parameter.shape) for parameter in model.parameters())  # all of them were asked


def _numbers(value):
    return _array.to_numpy(getattr(value, "data", value))


def _is_drawn(weight, bias=None):
    """Return whether a layer's numbers may be a first draw."""
    into, out = prod(weight.shape[1:]), weight.shape[0] * prod(weight.shape[2:])
    if all(_is_even(array, 1 / sqrt(into)) for array in (weight, bias) if array is not None):
        return True
    if bias is None or bias.any():  # without a bias nothing tells a draw from weights that are a little trained
        return False
    variances = (2 / into, 1 / into, 2 / (into + out))  # He, LeCun, Glorot
    return any(_is_even(weight, sqrt(3 * v)) or _is_normal(weight, sqrt(v)) for v in variances)


def _is_even(array, limit):
    """Return whether numbers may be an even draw from ± limit."""
    if not np.abs(array).max(initial=0) <= limit * (1 + 1e-6):  # also of NaN
        return False
    return _is_straight((_sample(array) / limit + 1) / 2)


def _is_normal(array, deviation):
    """Return whether numbers may be a draw from a normal distribution."""
    return _is_straight(np.array([(1 + erf(x / deviation / sqrt(2))) / 2 for x in _sample(array)]))


def _sample(array):
    return array.ravel()[::max(1, array.size // SAMPLE)].astype(np.float64)


def _is_straight(places):
    """Return whether places from 0 to 1 lie evenly there (after Kolmogorov and Smirnov)."""
    places, steps = np.sort(places), np.arange(len(places) + 1) / len(places)
    return max((steps[1:] - places).max(), (places - steps[:-1]).max()) < FAR / sqrt(len(places))
