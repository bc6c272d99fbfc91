"""Pictures as another hand might have written them."""

import numpy as np
import pytest

from cnnlib import data

STILL = dict(turn=0, slant=0, grow=0, push=0)
GRID = np.arange(35, dtype=np.float32).reshape(1, 1, 5, 7)


def rng():
    return np.random.default_rng(0)


class Ends:
    """A generator that always draws the upper end: what `warp` does with it is known by hand."""

    def uniform(self, low, high, size):
        return np.full(size, float(high))


def test_nothing_moves_without_limits():
    x = rng().random((3, 2, 5, 7), dtype=np.float32)
    out = data.warp(x, rng(), **STILL)
    assert out.dtype == x.dtype and out is not x and np.array_equal(out, x)


def test_pushed():
    out = data.warp(GRID, Ends(), **{**STILL, "push": 2})
    assert np.array_equal(out[0, 0, :3, :5], GRID[0, 0, 2:, 2:])
    assert not out[0, 0, 3:].any() and not out[0, 0, :, 5:].any()


def test_turned_by_a_right_angle():
    out = data.warp(GRID[..., 1:6], Ends(), **{**STILL, "turn": np.pi / 2})
    assert np.array_equal(out[0, 0], np.rot90(GRID[0, 0, :, 1:6], -1))


def test_slanted_and_grown():
    slanted = data.warp(GRID, Ends(), **{**STILL, "slant": 1})
    assert [np.flatnonzero(np.isin(GRID[0, 0, i], slanted[0, 0, i])).tolist() for i in (1, 2, 3)] == [
        [0, 1, 2, 3, 4, 5], [0, 1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5, 6]]
    grown = data.warp(GRID, Ends(), **{**STILL, "grow": 1})  # steps of two pixels
    assert np.array_equal(grown[0, 0, 1:4, 2:5], GRID[0, 0, ::2, 1::2])


def test_each_picture_its_own_and_the_same_again():
    x = np.repeat(rng().random((1, 1, 32, 32), dtype=np.float32), 3, axis=0)
    out = data.warp(x, rng())
    assert not np.array_equal(out[0], out[1]) and np.array_equal(out, data.warp(x, rng()))
    assert np.isin(out, np.append(x, 0)).all()  # no new grey levels


@pytest.mark.parametrize("x, words", [(np.zeros((1, 5, 5)), r"\(1, 5, 5\)"), (np.zeros((1, 1, 5, 5), int), "int64")])
def test_errors(x, words):
    with pytest.raises(ValueError, match=words):
        data.warp(x, rng())
