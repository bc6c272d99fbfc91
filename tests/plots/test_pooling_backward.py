"""The way back through a pooling: the numbers are the library's, the frames those of one output cell."""

import numpy as np
import pytest
from figures import cells, frames
from matplotlib import pyplot as plt

from cnnlib import plots, pool

X = np.array([[1.0, 3, 2, 1], [4, 2, 0, 1], [0, 1, 9, 6], [2, 1, 7, 3]])
G = np.array([[1.0, 2], [3, 4]])
BLUE = plots.COLOURS["input"]


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def written(ax, shape):
    return np.array([float(cells(ax)[place].replace("−", "-")) for place in np.ndindex(shape)]).reshape(shape)


def test_known_values():
    left, middle, right = plots.plot_pooling_backward(X, G, row=1)
    np.testing.assert_array_equal(written(left, (4, 4)), X)
    np.testing.assert_array_equal(written(middle, (2, 2)), G)
    np.testing.assert_array_equal(written(right, (4, 4)), [[0, 0, 2, 0], [1, 0, 0, 0], [0, 0, 4, 0], [3, 0, 0, 0]])
    assert frames(left, BLUE) == [(2, 0, 2, 2)]
    assert frames(middle, BLUE) == [(1, 0, 1, 1)]
    assert frames(right, BLUE) == [(3, 0, 1, 1)]


def test_overlapping_windows_add_up():
    _, _, right = plots.plot_pooling_backward(X, G, 3, 1, row=0, col=1)
    assert cells(right)[2, 2] == "10" and written(right, (4, 4)).sum() == 10
    assert frames(right, BLUE) == [(2, 2, 1, 1)]


@pytest.mark.parametrize("kind, gradient", [
    ("average", pool.avg_pool2d_backward(G[None], X[None], 2)[0]),
    ("L2", pool.lp_pool2d_backward(G[None], X[None], 2.0, 2)[0]),
])
def test_numbers_are_the_librarys(kind, gradient):
    left, _, right = plots.plot_pooling_backward(X, G, kind=kind, row=0, col=1)
    np.testing.assert_allclose(written(right, (4, 4)), gradient, atol=0.005)  # two decimals are written
    assert frames(left, BLUE) == [(0, 2, 2, 2)]
    shares = {(0, 2), (0, 3), (1, 3)} | ({(1, 2)} if kind == "average" else set())  # with L2, a 0 hears nothing
    assert {frame[:2] for frame in frames(right, BLUE)} == shares


def test_cells_are_equally_large():
    axes = plots.plot_pooling_backward(np.ones((6, 12)), np.ones((2, 4)), 3)
    sides = [ax.get_window_extent().width / cols for ax, cols in zip(axes, (12, 4, 12))]
    np.testing.assert_allclose(sides, sides[0], rtol=1e-6)


def test_draws_into_given_axes():
    _, axes = plt.subplots(1, 3)
    assert list(plots.plot_pooling_backward(X, G, axes=axes)) == list(axes)


@pytest.mark.parametrize("change, words", [
    (dict(row=2), r"there is no output row 2, column 0: the output is 2×2"),
    (dict(kind="median"), r"`kind` must be one of max, average, L2, not 'median'"),
    (dict(grad_output=np.ones((3, 2))), r"`grad_output` has shape \(3, 2\); the output has \(2, 2\)"),
    (dict(image=np.ones((17, 4))), r"`image` has shape \(17, 4\): up to 16×16 pixels can be drawn"),
])
def test_errors(change, words):
    with pytest.raises(ValueError, match=words):
        plots.plot_pooling_backward(**{"image": X, "grad_output": G} | change)
