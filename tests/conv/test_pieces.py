"""Cutting a convolution into pieces: every output once, and the right pixels of the image for it."""

import os

import numpy as np
import pytest
from helpers import assert_close

from cnnlib import _array
from cnnlib.conv import (
    _arguments,
    _pieces,
    conv1d,
    conv1d_backward,
    conv2d,
    conv2d_backward,
    conv_transpose2d,
    explain,
    fft,
    im2col,
)
from cnnlib.conv._methods import choose
from cnnlib.conv._problem import make_problem

SETTINGS = [dict(), dict(padding=1), dict(padding=((5, 0), (1, 2)), stride=(2, 1)), dict(stride=3, padding=(4, 0)),
            dict(dilation=2, padding=((0, 7), (3, 3))), dict(padding="same", stride=2),
            dict(stride=(1, 3), dilation=(1, 2), padding=((0, 0), (9, 4)))]


def cut(problem, workspace, monkeypatch, method="auto"):
    """Cut a float64 problem; `auto` is im2col there."""
    monkeypatch.setattr(_pieces, "WORKSPACE", workspace)
    return _pieces.cut(choose(method, problem, "float64", "numpy"), problem, "float64")


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("workspace", (10, 1000, 5000))
@pytest.mark.parametrize("method", ("auto", "fft"))
@pytest.mark.parametrize("groups", (1, 2))
def test_every_output_once(monkeypatch, settings, workspace, method, groups):
    problem = make_problem((3, 2 * groups, 9, 8), (4, 2, 3, 2), **settings, groups=groups)
    covered = np.zeros(problem.out_shape, dtype=int)
    pieces = cut(problem, workspace, monkeypatch, method)
    for piece in pieces:
        covered[piece.of_out] += 1
        assert covered[piece.of_out].shape == piece.problem.out_shape
        assert np.zeros(problem.x_shape)[piece.of_x].shape == piece.problem.x_shape
        assert np.zeros(problem.weight_shape)[piece.filters].shape == piece.problem.weight_shape
        assert make_problem_again(piece.problem) == piece.problem.out_size
    assert (covered == 1).all()
    assert len(list(pieces)) == pieces.count > 1
    needs = choose(method, problem, "float64", "numpy").body.workspace
    assert max(8 * needs(piece.problem) for piece in pieces) <= pieces.workspace
    smaller = [8 * needs(_pieces._first_piece(problem, halved)) for halved in _pieces._halves(pieces.sizes)]
    assert pieces.workspace <= workspace or all(one > _pieces.ENOUGH * pieces.workspace for one in smaller)


@pytest.mark.parametrize("size, kernel_size, dilation, most", [
    (570, 545, 1, 1), (1024, 800, 1, 1), (1024, 513, 1, 4), (2000, 3, 900, 1)])
def test_a_window_as_large_as_its_image_is_not_cut_in_vain(size, kernel_size, dilation, most):
    """Each part of the output needs nearly the whole image, and would be a transform of it all."""
    shapes = (1, 1, size, size), (1, 1, kernel_size, kernel_size)
    assert explain(*shapes, dilation=dilation, dtype="float64", method="fft").pieces <= most


def make_problem_again(problem):
    """Return the output size by the rule, where the piece's part of the image is not empty."""
    if 0 in problem.x_shape:
        return problem.out_size
    return make_problem(problem.x_shape, problem.weight_shape, problem.stride, problem.padding, problem.dilation,
                        problem.groups).out_size


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("method", ("auto", "shifted", "fft"))
@pytest.mark.parametrize("workspace", (10, 1000, 5000))
@pytest.mark.parametrize("groups", (1, 2))
def test_pieces_give_the_whole(rng, monkeypatch, settings, method, workspace, groups):
    x, weight, bias = (rng.standard_normal(s) for s in ((3, 2 * groups, 9, 8), (4, 2, 3, 2), (4,)))
    settings = {**settings, "groups": groups}
    out = conv2d(x, weight, bias, **settings, method="loops")
    grad_output = rng.standard_normal(out.shape)
    grads = conv2d_backward(grad_output, x, weight, bias, **settings, method="loops")
    monkeypatch.setattr(_pieces, "WORKSPACE", workspace)
    assert_close(conv2d(x, weight, bias, **settings, method=method), out)
    for actual, expected in zip(conv2d_backward(grad_output, x, weight, bias, **settings, method=method), grads):
        assert_close(actual, expected)


def test_piece_wholly_in_the_padding(monkeypatch):
    """Zero rows below the image, zero columns beside it: such a rectangle sees no pixel, only bias."""
    x, weight = np.ones((1, 1, 2, 2)), np.ones((1, 1, 1, 1))
    expected = np.zeros((1, 1, 7, 6))
    expected[:, :, 3:5, 1:3] = 1
    monkeypatch.setattr(_pieces, "WORKSPACE", 10)
    for method in ("auto", "shifted", "fft"):
        assert_close(conv2d(x, weight, np.full(1, 2.0), padding=((3, 2), (1, 3)), method=method), expected + 2)


def test_transposed_in_pieces_gets_its_bias_once(rng, monkeypatch):
    x, weight, bias = (rng.standard_normal(s) for s in ((3, 4, 5, 6), (4, 2, 3, 3), (2,)))
    expected = conv_transpose2d(x, weight, bias, stride=2)
    monkeypatch.setattr(_pieces, "WORKSPACE", 1000)
    assert cut(make_problem(expected.shape, weight.shape, 2), 1000, monkeypatch).count > 1
    assert_close(conv_transpose2d(x, weight, bias, stride=2), expected)


def test_groups_are_parted_before_they_are_torn(monkeypatch):
    """A piece holds whole groups with their channels, or some filters of one group with all of its channels."""
    problem = make_problem((1, 6, 5, 5), (9, 2, 3, 3), groups=3)
    for workspace in (10, 2000, 8000, 15000):
        for piece in cut(problem, workspace, monkeypatch, "fft"):
            first, last = piece.filters.start // 3, (piece.filters.stop - 1) // 3
            assert piece.of_x[1] == slice(2 * first, 2 * (last + 1))
            assert piece.problem.groups == last + 1 - first
            assert piece.problem.groups == 1 or piece.problem.weight_shape[0] == 3 * piece.problem.groups


@pytest.mark.parametrize("method", ("auto", "shifted", "fft"))
@pytest.mark.parametrize("dtype", ("float64", "float16", "float32"))
def test_a_long_signal_is_cut_along_its_length(rng, method, dtype):
    """There is one row only: the pieces must be parts of it."""
    said = explain((2, 3, 1, 2**18), (4, 3, 1, 33), padding=(0, 16), method=method, dtype=dtype)
    tuned = dtype == "float32" and method == "auto"  # has blocks of its own
    assert tuned or said.pieces > 1 and said.workspace <= _pieces.WORKSPACE
    x, weight = rng.standard_normal((1, 2, 40_000)), rng.standard_normal((3, 2, 5))
    x, weight = x.astype(dtype), weight.astype(dtype)
    out, few = conv1d(x, weight, stride=2, padding=2, method=method), np.s_[..., 19_990:]
    assert_close(out[few], conv1d(x[..., 39_978:], weight, stride=2, padding=(0, 2), method="loops"))
    grad_x, *_ = conv1d_backward(out, x, weight, stride=2, padding=2, method=method)
    assert grad_x.shape == x.shape


def test_rows_are_cut_before_columns(monkeypatch):
    """Short runs in memory are slow to copy; a filter as large as the picture pays for them."""
    pieces = cut(make_problem((1, 3, 512, 512), (4, 3, 7, 7), padding=3), 2**20, monkeypatch)
    assert pieces.sizes[4] == 512 and pieces.sizes[3] < 8
    pieces = cut(make_problem((1, 1, 64, 512), (1, 1, 61, 1), padding=(30, 0)), 2**17, monkeypatch, "fft")
    assert pieces.sizes[4] < 512 and pieces.sizes[3] > 1


# ---- padding without measure

@pytest.mark.parametrize("dtype", ("float64", "float32", "float16", "int64", "uint8"))
@pytest.mark.parametrize("method", ("auto", "shifted", "im2col"))
def test_a_result_larger_than_memory_is_refused_at_once(dtype, method):
    x, weight = np.zeros((1, 1, 4, 4), dtype), np.zeros((1, 1, 3, 3), dtype)
    size = np.dtype(dtype).itemsize * 2_000_002**2 / 1e9
    with pytest.raises(ValueError, match=rf"the result would have shape \(1, 1, 2000002, 2000002\), {size:,.1f} GB of "
                                         rf"{dtype}, more than the [\d,.]+ GB of memory here: make it smaller by `x` "
                                         r"\(1, 1, 4, 4\), `weight` \(1, 1, 3, 3\), `padding` \(\(1000000, 1000000\)"):
        conv2d(x, weight, padding=10**6, method=method)
    with pytest.raises(ValueError, match=r"\(1, 1, 2000000002, 2000000002\)"):
        conv2d(x, weight, padding=10**9, method=method)
    with pytest.raises(ValueError, match=r"\(1, 1, 1, 2000000000000\)"):
        conv1d(x[0, :, :1], weight[:, :, 0], padding=10**12 - 1, method=method)
    with pytest.raises(ValueError, match=r"\(1, 1, 3000003, 3000003\).*`stride` 1000000, `dilation` 1$"):
        conv_transpose2d(x, weight, stride=10**6)


def test_memory_that_the_system_does_not_tell(monkeypatch):
    monkeypatch.delattr(os, "sysconf")
    assert _arguments.memory.__wrapped__() == 2**40


def test_explain_counts_what_no_memory_holds():
    said = explain((1, 1, 4, 4), (1, 1, 3, 3), padding=10**9, dtype="float64")
    assert said.out_shape == (1, 1, 2_000_000_002, 2_000_000_002)
    assert said.workspace <= _pieces.WORKSPACE and said.pieces * said.workspace > said.memory


@pytest.mark.parametrize("dtype", ("float64", "float32", "float16", "int64", "uint8"))
def test_padding_that_fits_is_computed(array, dtype):
    """A million zeros on either side of four pixels: many pieces see no pixel at all."""
    x, weight = (array(np.array([[a]], dtype)) for a in ([1, 2, 3, 4], [1, 0, 2]))
    out = conv1d(x, weight, padding=10**6)
    assert tuple(out.shape) == (1, 1, 2 * 10**6 + 2)
    near = _array.to_numpy(out[0, 0, 10**6 - 2:10**6 + 4])
    np.testing.assert_array_equal(near, np.array([2, 4, 7, 10, 3, 4], dtype))
    assert int((out != 0).sum()) == 6


def test_a_stride_over_wide_padding_is_computed():
    """Three windows, two of them in the zeros, millions of pixels apart: nothing between them is made."""
    x, weight = np.arange(1.0, 17).reshape(1, 1, 4, 4), np.ones((1, 1, 2, 2))
    for dtype in ("float64", "float32", "int64"):
        out = conv2d(x.astype(dtype), weight.astype(dtype), padding=10**6, stride=10**6)
        np.testing.assert_array_equal(out, [[[[0, 0, 0], [0, 14, 0], [0, 0, 0]]]])


@pytest.mark.parametrize("size", [*range(1, 50), 10_007, 1_048_577])
def test_fft_rounds_up_to_the_next_product_of_2_3_and_5(size):
    assert fft._round_up(size) == next(n for n in range(size, 2 * size + 1) if 30**21 % n == 0)


def test_im2col_by_name_is_never_cut(monkeypatch):
    pieces = cut(make_problem((3, 2, 9, 8), (4, 2, 3, 2)), 10, monkeypatch, "im2col")
    assert pieces.count == 1 and pieces.workspace == 8 * im2col.workspace(make_problem((3, 2, 9, 8), (4, 2, 3, 2)))
