"""The seam: both libraries do the same under one name, and nothing mixed gets through it."""

import numpy as np
import pytest
from helpers import assert_close

from cnnlib import _array


def test_library_names_what_it_refuses(array):
    x = array([1.0])
    assert _array.library(x=x, bias=None).__name__ in ("numpy", "torch")
    with pytest.raises(TypeError, match="`weight` must be a NumPy array or a torch tensor, not list"):
        _array.library(x=x, weight=[1.0])
    with pytest.raises(TypeError, match="dtype .*x float64, weight int64"):
        _array.library(x=x, weight=array([1]))


def test_mixed_libraries():
    torch = pytest.importorskip("torch")
    with pytest.raises(TypeError, match="x NumPy, weight torch"):
        _array.library(x=np.ones(1), weight=torch.ones(1))


def test_windows_are_the_windows(array, rng):
    x = rng.normal(size=(2, 3, 9, 8))
    view = _array.windows(array(x), (3, 2), (2, 3), (2, 1))
    assert tuple(view.shape) == (2, 3, 3, 3, 3, 2)
    for i, j, p, q in np.ndindex(3, 3, 3, 2):
        assert_close(view[..., i, j, p, q], x[..., 2 * i + 2 * p, 3 * j + q])


def test_windows_of_a_view(array, rng):
    x = rng.normal(size=(9, 16))
    assert_close(_array.windows(array(x)[1:, ::2], (2, 2), (1, 1), (1, 1))[3, 4], x[4:6, 8:12:2])


@pytest.mark.parametrize("starts", [[[3, 0], [7, 3]], [[-2, 8], [5, 20]], [[], []]])  # some beyond the ends; none
def test_runs_are_neighbours(starts, array, rng):
    x = rng.random(10, dtype=np.float32)
    runs = _array.runs(array(x), array(np.array(starts, np.int64)), 3)
    expected = [[[x[min(max(start + i, 0), 9)] for i in range(3)] for start in line] for line in starts]
    np.testing.assert_array_equal(_array.to_numpy(runs), np.array(expected, np.float32).reshape(2, -1, 3))
    assert _array.dtype_name(runs) == "float32"


def test_look_up(array):
    x = array(np.arange(5.0) ** 2)
    assert_close(_array.look_up(x, array(np.array([[4, 0], [2, 2]]))), [[16.0, 0], [4, 4]])


def test_pad(array, rng):
    x = rng.normal(size=(2, 3, 4))
    out = _array.pad(array(x), ((1, 2), (0, 3)), value=7)
    assert_close(out, np.pad(x, ((0, 0), (1, 2), (0, 3)), constant_values=7))
    assert _array.pad(out, ((0, 0), (0, 0))) is out


def test_pad_keeps_the_memory_order(rng):
    x = _array.batch_innermost(rng.normal(size=(5, 3, 4, 2)))
    out = _array.pad(x, ((1, 0), (0, 2)))
    assert _array.is_batch_innermost(out)
    np.testing.assert_array_equal(out[:, :, 1:, :2], x)


def test_in_order_of(rng):
    x = rng.normal(size=(5, 3, 4, 2))
    inner = _array.batch_innermost(x)
    assert _array.in_order_of(x, x) is x and _array.in_order_of(inner, inner) is inner
    assert _array.is_batch_innermost(_array.in_order_of(x, inner))
    assert _array.in_order_of(inner, x).flags.c_contiguous
    torch = pytest.importorskip("torch")
    last = torch.tensor(x).contiguous(memory_format=torch.channels_last)
    assert _array.is_channels_last(last) and not _array.is_channels_last(torch.tensor(x))
    assert _array.is_channels_last(_array.in_order_of(torch.tensor(x), last))
    assert _array.in_order_of(last, torch.tensor(x)).is_contiguous()
    assert not _array.is_channels_last(inner) and not _array.is_channels_last(last[0])


def test_small_words(array, rng):
    x = array(rng.normal(size=(2, 3)))
    assert _array.dtype_name(x) == "float64" and _array.dtype_name(_array.as_dtype(x, "float32")) == "float32"
    assert tuple(_array.zeros((2, 1), x, "int64").shape) == (2, 1)
    assert _array.dtype_name(_array.zeros((2, 1), x, "int64")) == "int64"
    assert tuple(_array.empty((2, 1), x).shape) == (2, 1) and _array.empty(3, x).dtype == x.dtype
    assert_close(_array.flip(x, (0, 1)), _array.to_numpy(x)[::-1, ::-1])
    assert_close(_array.irfft2(_array.rfft2(x, (4, 5)), (4, 5), "float64")[:2, :3], x)
    assert _array.all_finite(x) and not _array.all_finite(x * float("nan"))


def test_batch_innermost(rng):
    x = rng.normal(size=(5, 3, 4, 2))
    inner = _array.batch_innermost(x)
    assert _array.is_batch_innermost(inner) and not _array.is_batch_innermost(x)
    assert inner.strides[0] == x.itemsize
    np.testing.assert_array_equal(inner, x)
