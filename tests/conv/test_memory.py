"""Peak memory, as tracemalloc sees it, on the shapes of real layers."""

import tracemalloc

import numpy as np
import pytest

from cnnlib.conv import (
    _pieces,
    conv2d,
    conv2d_backward,
    conv_transpose2d,
    conv_transpose2d_backward,
    explain,
    im2col,
    loops,
)
from cnnlib.conv._problem import make_problem

MIB = 2**20
LAYERS = {
    "64 digits, LeNet": ((64, 1, 28, 28), (6, 1, 5, 5), dict(padding=2)),
    "3x3 at 56x56": ((3, 64, 56, 56), (64, 64, 3, 3), dict(padding=1)),
    "3x3 at 14x14, weights larger than images": ((2, 256, 14, 14), (256, 256, 3, 3), dict(padding=1)),
    "one large image": ((1, 16, 224, 224), (16, 16, 3, 3), dict(padding=1)),
    "one photograph": ((1, 3, 512, 512), (4, 3, 7, 7), dict(padding=3)),
    "AlexNet's first": ((4, 3, 224, 224), (64, 3, 11, 11), dict(stride=4, padding=2)),
    "ten seconds of sound": ((1, 2, 1, 441_000), (4, 2, 1, 64), dict(padding=(0, 32))),
    "depthwise": ((2, 128, 56, 56), (128, 1, 5, 5), dict(padding=2, groups=128)),
}
# Single precision everywhere; `auto` also where it takes the plain body, in double and from half precision.
BOUNDED = [*((method, "float32") for method in ("auto", "exact", "shifted", "winograd", "fft")),
           ("auto", "float64"), ("auto", "float16")]


def peak_of(function):
    """Return the most bytes held during the call beyond those held before it, and the result."""
    function()  # once first: what is imported or made lazily is not the call's
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        result = function()
        return tracemalloc.get_traced_memory()[1] - before, result
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(("method", "dtype"), BOUNDED)
@pytest.mark.parametrize("layer", LAYERS)
def test_bounded(rng, layer, method, dtype):
    x_shape, weight_shape, kwargs = LAYERS[layer]
    if method == "winograd" and weight_shape[2:] != (3, 3):
        pytest.skip("Winograd is for 3x3 filters")
    x, weight = (rng.standard_normal(s).astype(dtype) for s in (x_shape, weight_shape))
    peak, out = peak_of(lambda: conv2d(x, weight, method=method, **kwargs))
    used = x.nbytes + weight.nbytes + out.nbytes
    assert peak <= 3 * used + 32 * MIB, f"forward: {peak / MIB:.1f} MiB for {used / MIB:.1f} MiB of arrays"
    peak, grads = peak_of(lambda: conv2d_backward(out, x, weight, method=method, **kwargs))
    used += grads[0].nbytes + grads[1].nbytes
    assert peak <= 3 * used + 32 * MIB, f"backward: {peak / MIB:.1f} MiB for {used / MIB:.1f} MiB of arrays"


@pytest.mark.parametrize("dtype", ("float32", "float64", "float16"))
def test_transposed_is_bounded(rng, dtype):
    """One that has a frame of bias, a row and a column beyond all copies."""
    x, weight, bias = (rng.standard_normal(s).astype(dtype) for s in ((2, 32, 112, 112), (32, 16, 3, 3), (16,)))
    settings = dict(stride=4, output_padding=3)
    peak, out = peak_of(lambda: conv_transpose2d(x, weight, bias, **settings))
    used = x.nbytes + weight.nbytes + out.nbytes
    assert peak <= 3 * used + 32 * MIB, f"forward: {peak / MIB:.1f} MiB for {used / MIB:.1f} MiB of arrays"
    peak, grads = peak_of(lambda: conv_transpose2d_backward(out, x, weight, bias, **settings))
    used += sum(grad.nbytes for grad in grads)
    assert peak <= 3 * used + 32 * MIB, f"backward: {peak / MIB:.1f} MiB for {used / MIB:.1f} MiB of arrays"


def test_bytes_as_pictures(rng):
    """uint8 is summed in int64, eight times as large: the pieces are converted, not the whole."""
    x = rng.integers(0, 2, (64, 3, 128, 128), dtype="uint8")
    weight = np.ones((1, 3, 1, 1), dtype="uint8")
    peak, out = peak_of(lambda: conv2d(x, weight))
    assert peak <= 3 * (x.nbytes + weight.nbytes + out.nbytes) + 32 * MIB


def test_im2col_holds_what_it_states(rng):
    """By its own name im2col builds all its columns at once; its `workspace` says how much that is."""
    x, weight = rng.standard_normal((4, 16, 56, 56)), rng.standard_normal((16, 16, 3, 3))
    problem = make_problem(x.shape, weight.shape, padding=1)
    stated = im2col.workspace(problem) * x.itemsize
    peak, out = peak_of(lambda: conv2d(x, weight, padding=1, method="im2col"))
    assert 0.9 * stated < peak < 1.1 * (stated + out.nbytes)
    assert explain(x.shape, weight.shape, padding=1, method="im2col", dtype="float64").workspace == stated


@pytest.mark.parametrize(("kernel_size", "padding"), [(3, 1), (200, 0), (202, 1)])
def test_loops_holds_what_it_states(rng, kernel_size, padding):
    """A padded copy, where there is padding, and the products of one window in every image."""
    x, weight = rng.standard_normal((2, 4, 200, 200)), rng.standard_normal((1, 4, kernel_size, kernel_size))
    problem = make_problem(x.shape, weight.shape, 1, padding)
    assert loops.workspace(problem) == 8 * ((200 + 2 * padding)**2 + kernel_size**2)
    if kernel_size > 3:  # with 3x3 the loops would take minutes
        peak, _ = peak_of(lambda: loops.forward(x, weight, problem))
        held = loops.workspace(problem) - (0 if padding else x.size)  # x itself is read where nothing is padded
        assert 0.95 * 8 * held < peak < 1.05 * 8 * held + 2**16


@pytest.mark.parametrize("method", ("shifted", "fft", "winograd"))
def test_stated_workspace_is_near_the_truth(rng, method):
    """The pieces are cut by what each file states: a statement far too low would burst the bound."""
    x, weight = rng.standard_normal((2, 8, 48, 48)), rng.standard_normal((8, 8, 3, 3))
    stated = explain(x.shape, weight.shape, padding=1, method=method, dtype="float64")
    assert stated.pieces == 1
    peak, out = peak_of(lambda: conv2d(x, weight, padding=1, method=method))
    assert 0.5 * stated.workspace < peak - out.nbytes < 1.5 * stated.workspace


def test_small_convolutions_are_not_cut(rng):
    assert explain((1, 3, 32, 32), (8, 3, 3, 3), dtype="float64").pieces == 1
    assert explain((64, 64, 56, 56), (64, 64, 3, 3), dtype="float64").pieces > 1
    assert explain((64, 64, 56, 56), (64, 64, 3, 3), dtype="float64").workspace <= _pieces.WORKSPACE
