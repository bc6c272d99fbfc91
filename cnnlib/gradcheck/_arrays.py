"""Arrays of NumPy and torch as the checks take them: copied to float64, varied if they are floats."""

import numpy as np

from cnnlib import _array


def generator(seed):
    """Return a generator whose numbers are not those of ``default_rng(seed)``, which the arguments may come from.

    (With the arguments themselves as upstream gradient, products become symmetric and mistakes cancel.)
    """
    return np.random.default_rng([seed, 1986])


def _is_array(a):
    return isinstance(a, np.ndarray) or _array.is_torch(a)


def is_varied(a):
    return _is_array(a) and "float" in _array.dtype_name(a)


def own(a):
    """Return a float array as a float64 copy of our own; anything else as it is."""
    if not is_varied(a):
        return a
    return _array.as_dtype(a.detach().clone(), "float64") if _array.is_torch(a) else np.array(a, np.float64)


def numbers(a):
    return _array.to_numpy(a)


def like(a, like):
    return _array.constant(a, like)
