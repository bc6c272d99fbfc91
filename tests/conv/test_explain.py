"""explain: what it says, and that it is what conv2d does."""

import numpy as np
import pytest

from cnnlib._array import batch_innermost
from cnnlib.conv import METHODS, _explain, _run, conv2d, explain
from cnnlib.conv._methods import choose


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


@pytest.mark.parametrize("shape", [(4, 2, 8, 8), (1, 2, 8, 8), (2, 8, 8), (4, 1, 1, 1), (0, 2, 8, 8)])
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_knows_the_memory_order_that_conv2d_finds(monkeypatch, shape, turned, library):
    """What a choice is made from is the same in both, also where an order is no order (one image, one pixel)."""
    x, weight = np.ones(shape, dtype="float64"), np.ones((2, shape[-3], 1, 1))
    if turned and x.ndim == 4:
        x = batch_innermost(x)
    if library == "torch":
        torch = pytest.importorskip("torch")
        x, weight = torch.from_numpy(x), torch.from_numpy(weight)
    asked = []
    for module in (_run, _explain):
        monkeypatch.setattr(module, "choose", lambda *args: asked.append(args) or choose(*args))
    conv2d(x, weight)
    explain(shape, weight.shape, dtype="float64", library=library, batch_innermost=turned)
    assert asked[0] == asked[1]
    assert asked[0][-1] == (turned and library == "numpy" and shape == (4, 2, 8, 8))


@pytest.mark.parametrize("method", [m for m in METHODS if m not in ("auto", "exact")])
def test_a_method_by_name_is_taken(method):
    assert explain((1, 2, 8, 8), (2, 2, 3, 3), method=method, library="torch").method == method


def test_errors():
    with pytest.raises(ValueError, match=r"`x` \(1, 3, 8, 8\) has 3 channels, `weight` \(2, 2, 3, 3\)"):
        explain((1, 3, 8, 8), (2, 2, 3, 3))
    with pytest.raises(TypeError, match="`dtype` is 'float8'; it must be one of float16"):
        explain((1, 2, 8, 8), (2, 2, 3, 3), dtype="float8")
    with pytest.raises(ValueError, match="`library` is 'jax'; it must be 'numpy' or 'torch'"):
        explain((1, 2, 8, 8), (2, 2, 3, 3), library="jax")
    explain((1, 2, 8, 8), (2, 2, 3, 3))  # problems are kept: the kept one must not answer for other types of number
    with pytest.raises(TypeError, match=r"`x\.shape` must be a whole number, not 1\.0"):
        explain((1.0, 2, 8, 8), (2, 2, 3, 3))
    with pytest.raises(TypeError, match="`dtype` is 'bfloat16', which NumPy does not have: library='torch'"):
        explain((1, 2, 8, 8), (2, 2, 3, 3), dtype="bfloat16")
    with pytest.raises(TypeError, match="`weight_shape` is of type ndarray; it must be a tuple of sizes"):
        explain((1, 2, 8, 8), np.ones((2, 2, 3, 3)))
    with pytest.raises(TypeError, match="`x` is a NumPy array: method='im2col' is the same product in NumPy"):
        explain((1, 2, 8, 8), (2, 2, 3, 3), method="implicit_gemm")
    with pytest.raises(TypeError, match="computes in float16, bfloat16, float32 and `x` is float64"):
        explain((1, 2, 8, 8), (2, 2, 3, 3), method="implicit_gemm", library="torch", dtype="float64")
    with pytest.raises(ValueError, match="`method` is 'best'; it must be one of auto"):
        explain((1, 2, 8, 8), (2, 2, 3, 3), method="best")
    with pytest.raises(TypeError, match="method='fft' computes with fractions and the arrays are int64"):
        explain((1, 2, 8, 8), (2, 2, 3, 3), method="fft", dtype="int64")
