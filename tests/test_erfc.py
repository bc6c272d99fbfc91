"""erfc of NumPy arrays beside the standard library's, which is right to its last digits."""

import math

import numpy as np
import pytest

from cnnlib import _erfc

X = np.concatenate([np.linspace(-9, 9, 9001), np.linspace(9, 27, 500), [0.0, 1e-300, 2.5, 1e300]])


def exact(x):
    return np.array([math.erfc(value) for value in x])


@pytest.mark.parametrize(("dtype", "limit"), [("float64", 1e-15), ("float32", 5e-7)])
def test_absolute_error(dtype, limit):
    x = X.astype(dtype) if dtype == "float64" else X[:-1].astype(dtype)
    out = _erfc.erfc(x)
    assert out.dtype == dtype
    assert np.abs(out - exact(x)).max() < limit


def test_small_values_keep_their_digits():
    for up_to, limit in ((6, 1e-14), (26, 1e-13)):  # 26: beyond, float64 has fewer digits itself
        x = X[X < up_to]
        assert np.abs(_erfc.erfc(x) / exact(x) - 1).max() < limit


def test_special_values():
    out = _erfc.erfc(np.array([np.inf, -np.inf, 0.0, -0.0, np.nan]))
    np.testing.assert_allclose(out, [0, 2, 1, 1, np.nan], rtol=0, atol=1e-15)


def test_the_smooth_factor_is_what_the_docstring_says():
    values = [_erfc._smooth(z) for z in np.linspace(0, 60, 6001)]
    assert min(values) == values[0] == 1 and 1.2 < max(values) < 1.3


def test_its_two_formulas_meet():
    assert _erfc._smooth(2 - 1e-15) == pytest.approx(_erfc._smooth(2), rel=1e-14)


@pytest.mark.parametrize("arranged", [
    lambda x: x, lambda x: x.T, lambda x: x[::-2, ::3], lambda x: np.broadcast_to(x[:, :1], x.shape), lambda x: x[:0],
    lambda x: x[0, 0, ...], lambda x: x.reshape(4, -1, 2).transpose(1, 2, 0),
])
def test_any_size_and_memory_order(rng, arranged):
    """More numbers than are done at once, and in any order: each has its own result, where it stands."""
    x = arranged(rng.standard_normal((300, 2 * _erfc.BLOCK // 300)))
    out = _erfc.erfc(x)
    assert out.shape == x.shape and out.dtype == x.dtype
    np.testing.assert_allclose(out.ravel(), exact(x.ravel()), rtol=0, atol=2e-15)  # five roundings, just above 1
