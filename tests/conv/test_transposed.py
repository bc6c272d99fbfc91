"""conv_transpose2d: the adjoint of conv2d, by hand, by law and beside torch."""

import re

import numpy as np
import pytest
from helpers import assert_close, relative_error
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from cnnlib import _array
from cnnlib.conv import conv2d, conv_transpose2d, conv_transpose2d_backward


def test_known_values(array):
    """Two pixels, stride 2, a filter of three: the copies overlap in the middle column."""
    x = array(np.array([[[[1.0, 2]]]]))
    weight = array(np.array([[[[1.0, 10, 100]]]]))
    assert_close(conv_transpose2d(x, weight, stride=2), np.array([[[[1.0, 10, 102, 20, 200]]]]))
    assert_close(conv_transpose2d(x, weight, array(np.array([5.0])), stride=2, padding=(0, 1)),
                 np.array([[[[15.0, 107, 25]]]]))
    assert_close(conv_transpose2d(x, weight, array(np.array([5.0])), stride=2, output_padding=(0, 1)),
                 np.array([[[[6.0, 15, 107, 25, 205, 5]]]]))


@pytest.mark.parametrize("kwargs", [dict(), dict(stride=2, padding=1), dict(stride=(3, 2), padding=((0, 2), (1, 0))),
                                    dict(dilation=2, padding=1), dict(groups=2, stride=2)])
def test_is_the_adjoint_of_conv2d(array, rng, kwargs):
    """<conv(x), y> = <x, conv_transpose(y)>, with one and the same weight."""
    weight = array(rng.standard_normal((6, 4 // kwargs.get("groups", 1), 3, 3)))
    y = rng.standard_normal((2, 6, 4, 5))
    image = conv_transpose2d(array(y), weight, **kwargs)
    x = rng.standard_normal(tuple(image.shape))
    out = _array.to_numpy(conv2d(array(x), weight, **kwargs))
    assert out.shape == y.shape
    assert abs((out * y).sum() - (x * _array.to_numpy(image)).sum()) < 1e-12 * np.linalg.norm(x) * np.linalg.norm(y)


def test_one_image_and_empty_batch(array, rng):
    x, weight, bias = (array(rng.standard_normal(s)) for s in ((2, 3, 4, 5), (3, 4, 3, 3), (4,)))
    out = conv_transpose2d(x, weight, bias, stride=2, output_padding=1)
    np.testing.assert_array_equal(_array.to_numpy(conv_transpose2d(x[0], weight, bias, stride=2, output_padding=1)),
                                  _array.to_numpy(out[0]))
    assert tuple(conv_transpose2d(x[:0], weight, bias, stride=2, output_padding=1).shape) == (0, *out.shape[1:])
    one = conv_transpose2d_backward(out[0], x[0], weight, bias, stride=2, output_padding=1)
    many = conv_transpose2d_backward(out[:1], x[:1], weight, bias, stride=2, output_padding=1)
    for a, b in zip(one, many):
        assert_close(a, _array.to_numpy(b).reshape(a.shape))


@pytest.mark.parametrize("dtype", ("float16", "float32"))
def test_dtype_is_kept(array, rng, dtype):
    arrays = [rng.standard_normal(s).astype(dtype) for s in ((2, 3, 4, 5), (3, 4, 3, 3), (4,))]
    exact = conv_transpose2d(*(a.astype("float64") for a in arrays), stride=2)
    out = conv_transpose2d(*(array(a) for a in arrays), stride=2)
    assert _array.dtype_name(out) == dtype
    assert_close(out, exact)
    for grad in conv_transpose2d_backward(out, *(array(a) for a in arrays), stride=2):
        assert _array.dtype_name(grad) == dtype


def test_half_precision_is_rounded_after_the_bias(array):
    """300 * 300 alone is infinite in float16; with the bias it is not. Beyond the copies there is only bias."""
    x, bias = array(np.full((1, 1, 1, 1), 300, "float16")), array(np.full(1, -60000, "float16"))
    np.testing.assert_array_equal(_array.to_numpy(conv_transpose2d(x, x, bias)), [[[[30000]]]])
    out = conv_transpose2d(x, x, bias, stride=2, output_padding=(0, 1))
    np.testing.assert_array_equal(_array.to_numpy(out), [[[[30000, -60000]]]])


def test_bfloat16_is_rounded_after_the_bias():
    """bfloat16 has 8 digits: 90000 alone is rounded to 90112, which would be seen in the sum."""
    torch = pytest.importorskip("torch")
    x, bias = torch.full((1, 1, 1, 1), 300.0).bfloat16(), torch.tensor([-60000.0]).bfloat16()
    assert conv_transpose2d(x, x, bias).item() == (x.float()[0, 0, 0, 0] ** 2 + bias.float()).bfloat16().item()


def test_half_precision_sums_are_not_rounded_on_the_way(array):
    """In float16 itself 2048 + 1 = 2048: the middle pixel, which all 3600 ones reach, would stop there."""
    ones = array(np.ones((1, 1, 60, 60), "float16"))
    assert float(conv_transpose2d(ones, ones)[0, 0, 59, 59]) == 3600


@pytest.mark.parametrize("kwargs", [dict(), dict(stride=2, output_padding=1), dict(padding=((3, 0), (0, 0)))])
def test_batch_innermost_is_kept(rng, kwargs):
    x, weight = rng.standard_normal((4, 3, 4, 5)), rng.standard_normal((3, 4, 3, 3))
    out = conv_transpose2d(_array.batch_innermost(x), weight, **kwargs)
    assert _array.is_batch_innermost(out)
    assert_close(out, conv_transpose2d(x, weight, **kwargs))
    grad_output = _array.batch_innermost(out)
    got = conv_transpose2d_backward(grad_output, x, weight, **kwargs)
    assert _array.is_batch_innermost(got[0])
    for a, b in zip(got[:2], conv_transpose2d_backward(np.ascontiguousarray(out), x, weight, **kwargs)):
        assert_close(a, b)


@st.composite
def configurations(draw):
    pair = st.tuples(st.integers(1, 3), st.integers(1, 3))
    kwargs = dict(stride=draw(pair), dilation=draw(pair), groups=draw(st.sampled_from([1, 1, 2])),
                  padding=tuple(draw(st.integers(0, 3)) for _ in range(2)))
    kwargs["output_padding"] = tuple(draw(st.integers(0, max(s, d) - 1))
                                     for s, d in zip(kwargs["stride"], kwargs["dilation"]))
    g = kwargs["groups"]
    x_shape = (draw(st.integers(1, 3)), g * draw(st.integers(1, 3)), *draw(pair))
    weight_shape = (x_shape[1], draw(st.integers(1, 3)), *draw(pair))
    for i, k, s, d, p, o in zip(x_shape[2:], weight_shape[2:], *(kwargs[w] for w in ("stride", "dilation", "padding",
                                                                                     "output_padding"))):
        assume((i - 1) * s - 2 * p + d * (k - 1) + 1 + o >= 1)
    return x_shape, weight_shape, kwargs, draw(st.booleans()), draw(st.integers(0, 2**32 - 1))


@settings(max_examples=500, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(configurations())
def test_matches_torch(configuration):
    torch = pytest.importorskip("torch")
    x_shape, weight_shape, kwargs, with_bias, seed = configuration
    rng = np.random.default_rng(seed)
    x, weight = rng.standard_normal(x_shape), rng.standard_normal(weight_shape)
    bias = rng.standard_normal(weight_shape[1] * kwargs["groups"]) if with_bias else None
    leaves = [None if a is None else torch.tensor(a, requires_grad=True) for a in (x, weight, bias)]
    expected = torch.nn.functional.conv_transpose2d(*leaves, **kwargs)
    grad_output = rng.standard_normal(tuple(expected.shape))
    expected.backward(torch.tensor(grad_output))
    assert relative_error(conv_transpose2d(x, weight, bias, **kwargs), expected) < 1e-9
    ours = conv_transpose2d(*leaves, **kwargs)
    assert relative_error(ours, expected) < 1e-9
    through = torch.autograd.grad(ours, [leaf for leaf in leaves if leaf is not None], torch.tensor(grad_output))
    for grad, leaf in zip(through, (leaf for leaf in leaves if leaf is not None)):
        assert relative_error(grad, leaf.grad) < 1e-9
    for grad, leaf in zip(conv_transpose2d_backward(grad_output, x, weight, bias, **kwargs), leaves):
        assert (grad is None) == (leaf is None)
        if leaf is not None:
            assert relative_error(grad, leaf.grad) < 1e-9


ERRORS = {
    "channels": (dict(x=(1, 3, 4, 4)), "`x` (1, 3, 4, 4) has 3 channels, `weight` (4, 2, 3, 3) takes 4: a transposed "
                                       "convolution's weight is (C, F // groups, KH, KW), input channels first"),
    "rank of x": (dict(x=(4, 4)), "`x` has shape (4, 4); it must be (N, C, H, W)"),
    "no rows": (dict(x=(1, 4, 0, 4)), "`x` has shape (1, 4, 0, 4); it must be (N, C, H, W)"),
    "rank of weight": (dict(weight=(4, 3, 3)), "`weight` has shape (4, 3, 3); it must be (C, F // groups, KH, KW)"),
    "groups": (dict(groups=3), "`groups` is 3; it must divide the 4 channels of `x` (1, 4, 4, 4)"),
    "bias": (dict(bias=(3,)), "`bias` has shape (3,); it must be (2,)"),
    "output_padding": (dict(output_padding=1), "`output_padding` is (1, 1); it must be smaller than the stride (1, 1) "
                                               "or the dilation (1, 1)"),
    "padding": (dict(padding=3), "`padding` ((3, 3), (3, 3)) cuts off all of the output: `x` (1, 4, 4, 4) and `weight` "
                                 "(4, 2, 3, 3) give 6 pixels before it"),
    "channels last": (dict(x=(1, 5, 5, 4)), "input channels first; the last axis of `x` has 4, so `x` may be "
                                            "(N, H, W, C) or (H, W, C): images.to_chw(x) brings the channels forward"),
    "channels of one image": (dict(x=(3, 4, 4)), "`x` (3, 4, 4) has 3 channels, `weight` (4, 2, 3, 3) takes 4"),
    "a word": (dict(padding="full"), "`padding` is 'full'; a transposed convolution knows int"),
    "same": (dict(padding="same"), "`padding` is 'same'; a transposed convolution knows int"),
    "stride": (dict(stride=0), "`stride` is 0; it must be at least 1"),
}


@pytest.mark.parametrize("case", ERRORS)
def test_errors(array, case):
    kwargs, message = ERRORS[case]
    shapes = {"x": (1, 4, 4, 4), "weight": (4, 2, 3, 3), "bias": None}
    arrays = {name: kwargs.get(name, shape) for name, shape in shapes.items()}
    arrays = {name: None if shape is None else array(np.zeros(shape)) for name, shape in arrays.items()}
    rest = {name: value for name, value in kwargs.items() if name not in shapes}
    with pytest.raises(ValueError, match=re.escape(message)):
        conv_transpose2d(**arrays, **rest)


def test_grad_output_of_another_shape(array):
    x, weight = array(np.zeros((1, 4, 4, 4))), array(np.zeros((4, 2, 3, 3)))
    with pytest.raises(ValueError, match=r"`grad_output` has shape \(1, 2, 5, 6\); it must be \(1, 2, 6, 6\), "
                                         "the shape of the output"):
        conv_transpose2d_backward(array(np.zeros((1, 2, 5, 6))), x, weight)
