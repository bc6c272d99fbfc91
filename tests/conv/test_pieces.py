"""Cutting a convolution into pieces: every output once, and the right rows of the image for it."""

import numpy as np
import pytest
from helpers import assert_close

from cnnlib.conv import _pieces, conv2d, conv2d_backward, im2col
from cnnlib.conv._methods import choose
from cnnlib.conv._problem import make_problem

SETTINGS = [dict(), dict(padding=1), dict(padding=((5, 0), (1, 2)), stride=(2, 1)), dict(stride=3, padding=(4, 0)),
            dict(dilation=2, padding=((0, 7), (3, 3))), dict(padding="same", stride=2)]


def cut(problem, workspace, monkeypatch, method="im2col"):
    monkeypatch.setattr(_pieces, "WORKSPACE", workspace)
    choice = choose("auto", problem, "float64", "numpy") if method == "im2col" else choose(method, problem, "float64",
                                                                                          "numpy")
    return _pieces.cut(choice, problem, "float64")


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("workspace", (10, 1000, 5000))
@pytest.mark.parametrize("method", ("im2col", "fft"))
def test_every_output_once(monkeypatch, settings, workspace, method):
    problem = make_problem((3, 2, 9, 8), (4, 2, 3, 2), **settings)
    covered = np.zeros(problem.out_shape, dtype=int)
    parts, held = cut(problem, workspace, monkeypatch, method)
    for piece in parts:
        covered[piece.of_out] += 1
        assert covered[piece.of_out].shape == piece.problem.out_shape
        assert np.zeros(problem.x_shape)[piece.of_x].shape == piece.problem.x_shape
    assert (covered == 1).all()
    assert len(parts) > 1
    if workspace > 10:
        assert held <= workspace or all(piece.problem.out_size[0] == 1 for piece in parts
                                        if 8 * im2col.workspace(piece.problem) > workspace)


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("method", ("auto", "shifted", "fft"))
@pytest.mark.parametrize("workspace", (10, 1000, 5000))
def test_pieces_give_the_whole(rng, monkeypatch, settings, method, workspace):
    x, weight, bias = (rng.standard_normal(s) for s in ((3, 2, 9, 8), (4, 2, 3, 2), (4,)))
    out = conv2d(x, weight, bias, **settings, method="loops")
    grad_output = rng.standard_normal(out.shape)
    grads = conv2d_backward(grad_output, x, weight, bias, **settings, method="loops")
    monkeypatch.setattr(_pieces, "WORKSPACE", workspace)
    assert_close(conv2d(x, weight, bias, **settings, method=method), out)
    for actual, expected in zip(conv2d_backward(grad_output, x, weight, bias, **settings, method=method), grads):
        assert_close(actual, expected)


def test_piece_wholly_in_the_padding(monkeypatch):
    """Zero rows below the image: such a strip sees no pixel, only bias."""
    x, weight = np.ones((1, 1, 2, 2)), np.ones((1, 1, 1, 1))
    expected = np.zeros((1, 1, 7, 2))
    expected[:, :, 3:5] = 1
    monkeypatch.setattr(_pieces, "WORKSPACE", 10)
    for method in ("auto", "shifted", "fft"):
        assert_close(conv2d(x, weight, np.full(1, 2.0), padding=((3, 2), (0, 0)), method=method), expected + 2)


def test_groups_are_not_torn_apart(monkeypatch):
    problem = make_problem((1, 4, 5, 5), (4, 2, 3, 3), groups=2)
    parts, _ = cut(problem, 10, monkeypatch, "fft")
    assert {piece.problem.weight_shape for piece in parts} == {(4, 2, 3, 3)}
