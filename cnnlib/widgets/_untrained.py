"""Has a net learnt anything? It is asked of its numbers alone: do they still lie as its layers first drew them?

Our layers and torch's draw weights and biases evenly from ± 1 / √fan_in. Of thousands of such numbers some lie next to
the ends, so that the first step of training takes some beyond. A net that was drawn otherwise is not recognised: the
answer is then False, and whoever made it says so.
"""

from math import prod, sqrt

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
            limit = 1 / sqrt(prod(module.weight.shape[1:]))
            arrays = [_numbers(value) for value in (module.weight, module.bias) if value is not None]
            if not all(_is_even(array, limit) for array in arrays):
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


def _is_even(array, limit):
    """Return whether numbers may be an even draw from ± limit (after Kolmogorov and Smirnov)."""
    places = (array.ravel()[::max(1, array.size // SAMPLE)].astype(np.float64) / limit + 1) / 2
    if not np.abs(array).max(initial=0) <= limit * (1 + 1e-6):  # also of NaN
        return False
    steps = np.arange(len(places) + 1) / len(places)
    places.sort()
    distance = max((steps[1:] - places).max(), (places - steps[:-1]).max())
    return distance < FAR / sqrt(len(places))
