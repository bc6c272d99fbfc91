"""Shifts: by hand, a law, every amount, on each library the same, errors."""

import numpy as np
import pytest
from helpers import assert_close

from cnnlib import _array, training


class Draws:
    """A generator that draws what it is told."""

    def __init__(self, down, right):
        self.draws = np.array([down, right])

    def integers(self, low, high, shape):
        assert shape == self.draws.shape and (low <= self.draws).all() and (self.draws < high).all()
        return self.draws


def test_by_hand(array):
    x = array(np.arange(1.0, 13).reshape(2, 1, 2, 3))
    expected = [[[[0.0, 0, 0], [2, 3, 0]]], [[[0, 10, 11], [0, 0, 0]]]]
    assert_close(training.shift(x, 1, rng=Draws([1, -1], [-1, 1])), array(np.array(expected)))


def test_is_numpys_roll_where_nothing_leaves(array, rng):
    x = np.zeros((5, 3, 9, 8))
    x[:, :, 2:-2, 2:-2] = rng.standard_normal((5, 3, 5, 4))
    down, right = rng.integers(-2, 3, (2, 5))
    expected = np.stack([np.roll(one, (d, r), axis=(1, 2)) for one, d, r in zip(x, down, right)])
    assert_close(training.shift(array(x), 2, rng=Draws(down, right)), array(expected))


def test_the_same_numbers_on_each_library(array, rng):
    """To the last bit: what a seed gives on the host it gives on a GPU."""
    x = rng.standard_normal((6, 2, 5, 7)).astype("float32")
    for augment in (lambda x, rng: training.shift(x, 2, rng=rng), lambda x, rng: training.mirror(x, rng=rng)):
        found = augment(array(x), np.random.default_rng(3))
        np.testing.assert_array_equal(_array.to_numpy(found), augment(x, np.random.default_rng(3)))
        assert _array.dtype_name(found) == "float32"


def test_every_amount_comes_and_none_else(rng):
    x = np.zeros((400, 1, 7, 7), dtype="float32")
    x[:, 0, 3, 3] = 1
    moved = training.shift(x, 2, rng=rng)
    assert moved.dtype == np.float32 and moved.sum() == 400
    rows, cols = moved[:, 0].max(axis=2).argmax(axis=1), moved[:, 0].max(axis=1).argmax(axis=1)
    assert set(zip(rows, cols)) == {(row, col) for row in range(1, 6) for col in range(1, 6)}


def test_no_pixels_is_no_change(array, rng):
    x = array(rng.standard_normal((3, 2, 4, 5)))
    out = training.shift(x, 0, rng=rng)
    assert_close(out, x)
    out[0] = 0
    assert _array.to_numpy(x)[0].any()  # a copy


def test_seeded(rng):
    x = rng.standard_normal((8, 1, 5, 5))
    a, b, c = (training.shift(x, 2, rng=np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(a, b)
    assert (a != c).any()


@pytest.mark.parametrize("x, pixels, error, words", [
    (np.zeros((4, 5)), 1, ValueError, r"`x` has shape \(4, 5\); it must be \(N, C, H, W\)"),
    (np.zeros((1, 1, 4, 5)), -1, ValueError, r"`pixels` is -1"),
    ([[1.0]], 1, TypeError, r"`x` must be a NumPy array or a torch tensor, not list"),
])
def test_errors(x, pixels, error, words, rng):
    with pytest.raises(error, match=words):
        training.shift(x, pixels, rng=rng)
