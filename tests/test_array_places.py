"""The seam's words for labels: where a condition holds, and the smallest of what arrives at a place."""

import numpy as np
from helpers import assert_close

from cnnlib import _array


def test_places(array, rng):
    mask = rng.random((3, 4, 5)) > 0.6
    found = _array.places(array(mask))
    assert _array.dtype_name(found) == "int64" and found.ndim == 1
    assert_close(found, np.flatnonzero(mask))
    assert _array.places(array(np.zeros((2, 0), bool))).shape == (0,)


def test_scatter_min(array):
    out = array(np.array([5, 5, 5, 5]))
    new = _array.scatter_min(out, array(np.array([1, 3, 1, 0])), array(np.array([4, 2, 3, 9])))
    assert _array.to_numpy(new).tolist() == [5, 3, 5, 2]
    assert _array.to_numpy(out).tolist() == [5, 5, 5, 5]
