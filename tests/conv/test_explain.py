"""explain: what it says, and that it is what conv2d does."""

import numpy as np
import pytest

from cnnlib.conv import METHODS, _run, conv2d, explain


def test_text():
    said = explain((8, 64, 56, 56), (64, 64, 3, 3), padding=1, library="torch")
    assert repr(said) == str(said) == (
        "method:  library\n"
        "because: tensors: torch's own code is fastest\n"
        "output:  (8, 64, 56, 56)\n"
        "work:    924,844,032 multiply-adds, in one piece\n"
        "memory:  13.0 MB for x, weight and the result")


def test_numbers():
    said = explain((2, 3, 32, 32), (10, 3, 5, 5), padding=2, dtype="float64")
    assert (said.method, said.out_shape, said.multiply_adds) == ("im2col", (2, 10, 32, 32), 2 * 768_000)
    assert said.memory == 8 * (2 * 3 * 32 * 32 + 10 * 3 * 25 + 2 * 10 * 32 * 32)
    assert explain((3, 32, 32), (10, 3, 5, 5), padding=2).out_shape == (10, 32, 32)
    assert explain((3, 32, 32), (10, 3, 5, 5), dtype="float16").memory * 4 == explain(
        (3, 32, 32), (10, 3, 5, 5), dtype="float64").memory


@pytest.mark.parametrize("dtype", ("float16", "float32", "float64", "int32"))
@pytest.mark.parametrize("method", ("auto", "exact", "loops", "shifted"))
def test_is_what_conv2d_does(monkeypatch, dtype, method):
    x, weight = np.ones((1, 2, 8, 8), dtype=dtype), np.ones((2, 2, 3, 3), dtype=dtype)
    chosen = []
    choose = _run.choose

    def watch(*args):
        chosen.append(choose(*args))
        return chosen[-1]

    monkeypatch.setattr(_run, "choose", watch)
    conv2d(x, weight, method=method)
    said = explain(x.shape, weight.shape, method=method, dtype=dtype)
    assert [(c.name, c.reason) for c in chosen] == [(said.method, said.reason)]


@pytest.mark.parametrize("method", [m for m in METHODS if m not in ("auto", "exact")])
def test_a_method_by_name_is_taken(method):
    assert explain((1, 2, 8, 8), (2, 2, 3, 3), method=method).method == method


def test_errors():
    with pytest.raises(ValueError, match=r"`x` \(1, 3, 8, 8\) has 3 channels, `weight` \(2, 2, 3, 3\)"):
        explain((1, 3, 8, 8), (2, 2, 3, 3))
    with pytest.raises(TypeError, match="`dtype` is 'float8'; it must be one of float16"):
        explain((1, 2, 8, 8), (2, 2, 3, 3), dtype="float8")
    with pytest.raises(ValueError, match="`library` is 'jax'; it must be 'numpy' or 'torch'"):
        explain((1, 2, 8, 8), (2, 2, 3, 3), library="jax")
    with pytest.raises(ValueError, match="`method` is 'best'; it must be one of auto"):
        explain((1, 2, 8, 8), (2, 2, 3, 3), method="best")
    with pytest.raises(TypeError, match="method='fft' computes with fractions and the arrays are int64"):
        explain((1, 2, 8, 8), (2, 2, 3, 3), method="fft", dtype="int64")
