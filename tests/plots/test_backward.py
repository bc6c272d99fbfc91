"""plot_backward and its paths: they are the library's gradients, cell by cell, and the words say the same terms."""

import numpy as np
import pytest
from figures import cells, frames
from helpers import assert_close
from matplotlib import pyplot as plt

from cnnlib import plots
from cnnlib.plots import _paths
from cnnlib.plots.backward import plot_backward

PICTURE = np.array([[1, 0, 2], [0, 3, 1], [2, 1, 0]])
WEIGHTS = np.array([[1, 2], [3, 4]])
GRAD = np.array([[1, 0], [2, -1]])
CASES = {
    "plain": ("conv2d", (5, 4), (3, 2), {}),
    "stride": ("conv2d", (7, 6), (3, 2), {"stride": 2}),
    "padding": ("conv2d", (4, 5), (3, 3), {"padding": 2}),
    "all": ("conv2d", (7, 6), (3, 2), {"stride": 2, "padding": 1, "dilation": 2}),
    "transposed": ("conv_transpose2d", (3, 2), (3, 2), {"stride": 2, "padding": 1}),
    "linear": ("linear", (1, 4), (3, 4), {}),
    "max": ("max_pool2d", (5, 4), None, {"kernel_size": 3, "stride": 1}),
    "average": ("avg_pool2d", (4, 6), None, {"kernel_size": 2}),
    "relu": ("relu", (3, 4), None, {}),
}


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def paths_of(case, rng):
    op, size, kernel_size, settings = CASES[case]
    weight = None if kernel_size is None else rng.standard_normal(kernel_size)
    return _paths.Paths(rng.standard_normal(size), weight, op, settings)


@pytest.mark.parametrize("case", CASES)
def test_paths_add_up_to_the_gradients(case, rng):
    paths = paths_of(case, rng)
    grad = rng.standard_normal(paths.out.shape)
    found = {"grad_x": np.zeros(paths.x.shape)}
    if paths.weight is not None:
        found["grad_weight"] = np.zeros(paths.weight.shape)
    for i, j in np.ndindex(*grad.shape):
        for part, given in paths.given(i, j).items():
            for cell, _, factor in given:
                found[part][cell] += factor * grad[i, j]
    for part, expected in zip(("grad_x", "grad_weight"), paths.backward(grad)):
        if expected is not None:
            assert_close(found[part], expected)


@pytest.mark.parametrize("case", CASES)
def test_collected_is_what_is_given(case, rng):
    paths = paths_of(case, rng)
    there = {(part, out, cell, *rest) for out in np.ndindex(*paths.out.shape)
             for part, given in paths.given(*out).items() for cell, *rest in given}
    shapes = {"grad_x": paths.x.shape} | ({} if paths.weight is None else {"grad_weight": paths.weight.shape})
    back = {(part, out, cell, *rest) for part, shape in shapes.items() for cell in np.ndindex(*shape)
            for out, *rest in paths.collected(part, *cell)}
    assert there == back and there


def test_words_are_the_derivation():
    paths = _paths.Paths(PICTURE.astype(float), WEIGHTS.astype(float))

    def said(*place):
        return _paths.sentence(paths, GRAD, *place, lambda value: f"{value:g}".replace("-", "−"))

    assert said("grad_x", 1, 1) == "∂E/∂X22 = F22·g11 + F21·g12 + F12·g21 + F11·g22 = 4·1 + 3·0 + 2·2 + 1·(−1) = 7"
    assert said("grad_x", 0, 0) == "∂E/∂X11 = F11·g11 = 1·1 = 1"
    assert said("grad_weight", 0, 1) == ("∂E/∂F12 = X12·g11 + X13·g12 + X22·g21 + X23·g22"
                                         " = 0·1 + 2·0 + 3·2 + 1·(−1) = 5")
    assert said("grad_output", 0, 1) == (
        "g12 = 0 adds F11·g12 to ∂E/∂X12, F12·g12 to ∂E/∂X13, F21·g12 to ∂E/∂X22, F22·g12 to ∂E/∂X23. "
        "It adds X12·g12 to ∂E/∂F11, X13·g12 to ∂E/∂F12, X22·g12 to ∂E/∂F21, X23·g12 to ∂E/∂F22.")


def test_words_without_a_weight():
    def said(op, place, **settings):
        paths = _paths.Paths(PICTURE.astype(float), None, op, settings)
        return _paths.sentence(paths, np.full(paths.out.shape, 4), *place, "{:g}".format)

    assert said("max_pool2d", ("grad_output", 0, 0), kernel_size=2, stride=1) == "g11 = 4 adds g11 to ∂E/∂X22."
    assert said("max_pool2d", ("grad_x", 1, 1), kernel_size=2, stride=1) == (
        "∂E/∂X22 = g11 + g12 + g21 + g22 = 4 + 4 + 4 + 4 = 16")
    assert said("max_pool2d", ("grad_x", 0, 0), kernel_size=2, stride=1) == "∂E/∂X11 = 0: no output heard it."
    assert said("avg_pool2d", ("grad_x", 0, 1), kernel_size=2, stride=1) == (
        "∂E/∂X12 = 0.25·g11 + 0.25·g12 = 0.25·4 + 0.25·4 = 2")
    assert said("relu", ("grad_output", 0, 1)) == "g12 = 4 gives nothing to ∂E/∂X."


def test_draws_the_gradients():
    axes = plot_backward(PICTURE, WEIGHTS, GRAD, part="grad_x", row=1, col=1)
    drawn = [np.array(list(cells(ax).values())) for ax in axes]
    assert [len(numbers) for numbers in drawn] == [9, 4, 4, 9, 4, 4]
    assert drawn[3].tolist() == ["1", "2", "0", "5", "7", "−2", "6", "5", "−4"]
    assert frames(axes[3], plots.COLOURS["ink"]) == [(1, 1, 1, 1)]
    assert frames(axes[1], plots.COLOURS["weight"]) == [(0, 0, 2, 2)]


@pytest.mark.parametrize("part, unread", [("grad_x", 4), ("grad_weight", 3)])
def test_what_collects_frames_no_gradient_that_has_no_part_in_the_sum(part, unread):
    axes = plot_backward(PICTURE, WEIGHTS, GRAD, part=part, row=1, col=1)
    assert not frames(axes[unread], plots.COLOURS["gradient"]) and frames(axes[5], plots.COLOURS["gradient"])
    assert frames(plot_backward(PICTURE, WEIGHTS, GRAD)[unread], plots.COLOURS["gradient"])


def test_scatter_draws_one_output_or_all_so_far():
    one = plot_backward(PICTURE, WEIGHTS, GRAD, row=1)[3]
    assert list(cells(one).values()) == ["0", "0", "0", "2", "4", "0", "6", "8", "0"]
    assert frames(one, plots.COLOURS["gradient"]) == [(1, 0, 2, 2)]
    so_far = plot_backward(PICTURE, WEIGHTS, GRAD, row=1, so_far=True)[3]
    assert list(cells(so_far).values()) == ["1", "2", "0", "5", "8", "0", "6", "8", "0"]
    every = plot_backward(PICTURE, WEIGHTS, GRAD, row=1, col=1, so_far=True)[3]
    assert list(cells(every).values()) == ["1", "2", "0", "5", "7", "−2", "6", "5", "−4"]


@pytest.mark.parametrize("wrong, message", [
    ({"op": "conv3d"}, "`op` must be one of conv2d, .* not 'conv3d'"),
    ({"weight": None}, "`weight` is missing: conv2d needs one"),
    ({"grad_output": [[1]]}, r"`grad_output` has shape \(1, 1\); the output has \(2, 2\)"),
    ({"part": "weight"}, "`part` must be one of grad_x, grad_weight, grad_output for conv2d, not 'weight'"),
    ({"part": "grad_x", "row": 3}, "no row 3, column 0 in `grad_x`, which is 3×3"),
    ({"x": np.zeros((17, 3))}, r"`x` has shape \(17, 3\), the output \(16, 2\): plot_backward draws up to 16×16"),
    ({"weight": np.ones((4, 4))}, "does not fit into `x`"),
    ({"op": "linear"}, r"`x` has shape \(3, 3\); linear takes one row, \(1, 9\)"),
])
def test_errors(wrong, message):
    with pytest.raises(ValueError, match=message):
        plot_backward(**{"x": PICTURE, "weight": WEIGHTS} | wrong)
