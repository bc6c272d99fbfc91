"""An array taken apart by a condition: what each part holds, to the last bit, and what autograd makes of it."""

import numpy as np
import pytest

from cnnlib import _array


@pytest.mark.parametrize("dtype", ("float32", "float64", "int64"))
def test_known_values(array, dtype):
    x = array(np.array([-2, -1, 0, 3], dtype=dtype))
    holds, fails = (_array.to_numpy(part) for part in _array.parts(x > -2, x))
    assert holds.tolist() == [0, -1, 0, 3] and fails.tolist() == [-2, 0, 0, 0]
    assert holds.dtype == fails.dtype == dtype


def test_together_they_are_x(array, rng):
    """Also where a sum would round, or give NaN."""
    numbers = np.concatenate([rng.standard_normal(20) * 10.0 ** rng.integers(-300, 300, 20), [np.inf, -np.inf, -0.0]])
    x, condition = array(numbers), array(rng.random(23) > 0.5)
    holds, fails = (_array.to_numpy(part) for part in _array.parts(condition, x))
    np.testing.assert_array_equal(np.where(_array.to_numpy(condition), holds, fails), numbers)
    assert not holds[~_array.to_numpy(condition)].any() and not fails[_array.to_numpy(condition)].any()


def test_nan_stands_in_one_of_them(array):
    x = array(np.array([np.nan, np.nan]))
    holds, fails = (_array.to_numpy(part) for part in _array.parts(array(np.array([True, False])), x))
    np.testing.assert_array_equal([holds, fails], [[np.nan, 0], [0, np.nan]])


def test_memory_order_and_one_number(array, rng):
    x = rng.standard_normal((3, 4)).T
    holds, fails = _array.parts(x > 0, x)
    assert holds.strides == fails.strides == x.strides
    one = array(np.array(-0.5))
    assert [float(part) for part in _array.parts(one > 0, one)] == [0, -0.5]


def test_gradients():
    torch = pytest.importorskip("torch")
    x = torch.tensor([-1.0, 0.0, 2.0], requires_grad=True)
    holds, fails = _array.parts(x > 0, x)
    (holds + 10 * fails).sum().backward()
    assert x.grad.tolist() == [10, 10, 1]
