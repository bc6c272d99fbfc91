"""The fully connected layer by hand-computed values, by its laws, and beside torch."""

import numpy as np
import pytest
from gradients import check_beside_torch
from helpers import assert_close
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnlib import _array
from cnnlib.linear import linear, linear_backward

quick = settings(max_examples=100, deadline=None, derandomize=True, database=None)


def test_known_values(array):
    x = array(np.array([[1.0, 2], [0, -1]]))
    weight, bias = array(np.array([[1.0, 1], [0, -1], [3, 0]])), array(np.array([0.0, 0.5, 1]))
    assert_close(linear(x, weight, bias), np.array([[3, -1.5, 4], [-1, 1.5, 1]]))
    assert_close(linear(x, weight), np.array([[3.0, -2, 3], [-1, 1, 0]]))
    grads = linear_backward(array(np.array([[1.0, 0, 0], [0, 1, 2]])), x, weight, bias)
    for grad, expected in zip(grads, ([[1, 1], [6, -1]], [[1, 2], [0, -1], [0, -2]], [1, 1, 2])):
        assert_close(grad, np.array(expected, dtype=float))


def test_is_a_1x1_convolution(array, rng):
    from cnnlib.conv import conv2d

    x, weight, bias = rng.standard_normal((2, 3, 4, 5)), rng.standard_normal((6, 3)), rng.standard_normal(6)
    expected = conv2d(x, weight[:, :, None, None], bias)
    assert_close(linear(*map(array, (np.moveaxis(x, 1, -1), weight, bias))), np.moveaxis(expected, 1, -1))


def test_backward_is_the_adjoint(array, rng):
    x, weight, g = (rng.standard_normal(shape) for shape in ((4, 3, 5), (2, 5), (4, 3, 2)))
    inner = (_array.to_numpy(linear(array(x), array(weight))) * g).sum()
    grad_x, grad_weight, grad_bias = linear_backward(array(g), array(x), array(weight))
    assert grad_bias is None
    assert abs(inner - (x * _array.to_numpy(grad_x)).sum()) < 1e-12
    assert abs(inner - (weight * _array.to_numpy(grad_weight)).sum()) < 1e-12


@quick
@given(rows=st.lists(st.integers(0, 4), max_size=3), sizes=st.tuples(st.integers(0, 6), st.integers(0, 6)),
       bias=st.booleans(), seed=st.integers(0, 2**32 - 1))
def test_matches_torch(rows, sizes, bias, seed):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(seed)
    inputs, outputs = sizes
    args = [rng.standard_normal((*rows, inputs)), rng.standard_normal((outputs, inputs)),
            rng.standard_normal(outputs) if bias else None]
    check_beside_torch(linear, linear_backward, torch.nn.functional.linear, args, {}, rng)


@pytest.mark.parametrize("shape", ((7, 5), (7, 1)))
@pytest.mark.parametrize("outputs", (3, 1))
def test_batch_innermost(rng, shape, outputs):
    """What comes flattened from maps with the batch innermost goes on, and goes back, that way."""
    x, weight, bias = rng.standard_normal(shape), rng.standard_normal((outputs, shape[1])), rng.standard_normal(outputs)
    inner = _array.batch_innermost(x)
    out = linear(inner, weight, bias)
    assert_close(out, linear(x, weight, bias))
    if min(shape[1], outputs) > 1:
        assert _array.is_batch_innermost(out)
    for grad_output in (out, np.ascontiguousarray(out)):
        grad_x, *grads = linear_backward(grad_output, inner, weight, bias)
        assert grad_x.strides == inner.strides
        for grad, expected in zip((grad_x, *grads), linear_backward(grad_output, x, weight, bias)):
            assert_close(grad, expected)


def test_integers_are_exact_or_an_error(array):
    x, weight, bias = (array(np.array(a, "int8")) for a in ([[1, 2]], [[100, 1]], [25]))
    np.testing.assert_array_equal(_array.to_numpy(linear(x, weight, bias)), [[127]])
    assert linear_backward(linear(x, weight), x, weight, bias) == (None, None, None)
    with pytest.raises(ValueError, match=r"the result holds 128, outside the range of int8 \(-128 to 127\)"):
        linear(x, weight, bias + array(np.array([1], "int8")))
    large = array(np.array([[2**62, 2**62]]))
    with pytest.raises(ValueError, match=r"the result holds a number near 9\.22337e\+18, outside the range of int64"):
        linear(large, array(np.ones((1, 2), int)))


def test_half_precision_sums_are_not_rounded_on_the_way(array):
    """In float16 itself 2048 + 1 = 2048: a sum of 3000 ones would stop there."""
    ones = array(np.ones((1, 3000), "float16"))
    assert float(linear(ones, ones)[0, 0]) == 3000
    wide = array(np.ones((3000, 1), "float16"))
    assert float(linear_backward(wide, wide, wide[:1], wide[:1, 0])[2][0]) == 3000


ERRORS = {
    "in_features": ((3, 4), (5, 6), None, r"`x` has shape \(3, 4\); its last axis must be the 6 in_features of "
                                          r"`weight` \(5, 6\)$"),
    "transposed": ((3, 4), (4, 6), None, r"the 6 in_features of `weight` \(4, 6\): `weight` may be transposed"),
    "not flat": ((3, 4, 2), (5, 8), None, r"the 8 in_features of `weight` \(5, 8\): x\.reshape\(3, 8\) flattens each"),
    "one number": ((), (5, 8), None, r"`x` has shape \(\); its last axis must be the 8 in_features"),
    "weight": ((3, 4), (4,), None, r"`weight` has shape \(4,\); it must be \(out_features, in_features\)"),
    "bias": ((3, 4), (5, 4), (4,), r"`bias` has shape \(4,\); it must be \(5,\), one number for each of the 5 outputs"),
    "bias that would broadcast": ((3, 4), (5, 4), (1,), r"`bias` has shape \(1,\); it must be \(5,\)"),
}


@pytest.mark.parametrize("case", ERRORS)
def test_errors(array, case):
    *shapes, message = ERRORS[case]
    with pytest.raises(ValueError, match=message):
        linear(*(None if shape is None else array(np.zeros(shape)) for shape in shapes))
