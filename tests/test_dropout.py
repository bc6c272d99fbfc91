"""Dropout: what is kept, what is drawn, and that the backward pass drops the same."""

import numpy as np
import pytest
from helpers import assert_close
from layouts import LAYOUTS, laid_out

from cnnlib import _array
from cnnlib.activations import dropout, dropout_backward


def drawn(x, p, seed=0):
    return dropout(x, p, rng=np.random.default_rng(seed), return_mask=True)


@pytest.mark.parametrize("p", (0.0, 0.2, 0.5, 0.9))
def test_what_is_kept_is_divided_by_the_share_that_is_kept(array, p):
    """The mean stays: 12,000 ones keep theirs to five standard deviations."""
    out, mask = drawn(array(np.ones((3, 40, 100))), p)
    assert_close(out, _array.to_numpy(mask) / (1 - p))
    assert abs(float(out.mean()) - 1) <= 5 * np.sqrt(p / (1 - p) / 12_000)
    assert _array.dtype_name(mask) == "bool"


def test_everything_and_nothing(array, rng):
    x = array(rng.standard_normal((3, 4)))
    out, mask = drawn(x, 1)
    assert not bool(mask.any()) and not bool(out.any())
    assert_close(drawn(x, 0)[0], x)
    assert not bool(dropout_backward(x, mask, 1).any())


def test_not_training(array, rng):
    x = array(rng.standard_normal((3, 4)))
    out, mask = dropout(x, 0.5, training=False, return_mask=True)
    assert mask is None
    assert_close(out, x)
    assert_close(dropout(x, 0.5, False), x)
    assert_close(dropout_backward(x, mask, 0.5), x)


def test_the_backward_pass_drops_the_same(array, rng):
    """<dropout(x), g> = <x, backward(g)>, as for every linear map."""
    x, g = (rng.standard_normal((5, 7)) for _ in range(2))
    out, mask = drawn(array(x), 0.3)
    grad = dropout_backward(array(g), mask, 0.3)
    assert abs((_array.to_numpy(out) * g).sum() - (x * _array.to_numpy(grad)).sum()) < 1e-13 * np.abs(x).sum()
    assert_close(grad, g * _array.to_numpy(mask) / 0.7)


def test_the_generator_decides_alone(array, rng):
    """The same numbers are dropped in both libraries and for every memory order; other draws drop others."""
    x = rng.standard_normal((4, 3, 5, 2))
    expected, kept = drawn(x, 0.5)
    out, mask = drawn(array(x), 0.5)
    assert_close(out, expected)
    np.testing.assert_array_equal(_array.to_numpy(mask), kept)
    for name in LAYOUTS:
        np.testing.assert_array_equal(drawn(laid_out(name, [x])[0], 0.5)[0], expected)
    assert not np.array_equal(drawn(x, 0.5, seed=1)[1], kept)
    generator = np.random.default_rng(0)
    assert not np.array_equal(*(dropout(x, 0.5, rng=generator) for _ in range(2)))


def test_memory_order_is_kept(rng):
    for x in (_array.batch_innermost(rng.standard_normal((4, 3, 5, 2))), _array.batch_innermost(rng.random((4, 3)))):
        out, mask = drawn(x, 0.5)
        assert all(map(_array.is_batch_innermost, (out, mask, dropout_backward(x, mask, 0.5))))


def test_without_a_generator(array):
    x = array(np.ones(200))
    assert not np.array_equal(*(_array.to_numpy(dropout(x)) for _ in range(2)))  # equal once in 2**200


def test_tensors_follow_torchs_seed():
    torch = pytest.importorskip("torch")
    outs = []
    for _ in range(2):
        torch.manual_seed(3)
        outs.append(dropout(torch.ones(50)))
    assert torch.equal(*outs)


@pytest.mark.parametrize("dtype", ("float16", "float32", "float64"))
def test_dtype_is_kept(array, dtype):
    out, mask = drawn(array(np.ones((4, 5), dtype)), 0.5)
    assert _array.dtype_name(out) == _array.dtype_name(dropout_backward(out, mask, 0.5)) == dtype
    assert_close(out, 2 * _array.to_numpy(mask).astype(float))


def test_special_numbers_are_not_hidden(array):
    """As in torch: a NaN or infinity that is dropped gives NaN."""
    out, mask = drawn(array(np.array([np.nan, np.inf] * 20)), 0.5)
    assert np.isnan(_array.to_numpy(out)[~_array.to_numpy(mask)]).all()


def test_one_number_and_none(array):
    assert tuple(drawn(array(np.array(1.0)), 0.5)[1].shape) == ()
    assert tuple(drawn(array(np.zeros((0, 3))), 0.5)[0].shape) == (0, 3)


def test_autograd_flows_through(rng):
    torch = pytest.importorskip("torch")
    x = torch.tensor(rng.standard_normal((3, 4)), requires_grad=True)
    out, mask = drawn(x, 0.4)
    out.sum().backward()
    assert_close(x.grad, dropout_backward(torch.ones(3, 4, dtype=torch.float64), mask, 0.4))


def test_errors(array):
    x = array(np.ones((2, 3)))
    for p in (-0.1, 1.5, float("nan")):
        with pytest.raises(ValueError, match=f"`p` is {p}; the probability of dropping a number must lie"):
            dropout(x, p)
        with pytest.raises(ValueError, match=f"`p` is {p}; the probability"):
            dropout_backward(x, x > 0, p)
    with pytest.raises(TypeError, match=r"`rng` is 0; it must be a np\.random\.Generator, as np\.random\.default_rng"):
        dropout(x, rng=0)
    with pytest.raises(TypeError, match="`x` has dtype int64; dropout takes float16"):
        dropout(array(np.ones(3, "int64")))
    with pytest.raises(TypeError, match="`mask` has dtype float64; it must be the bool array that dropout returned"):
        dropout_backward(x, x, 0.5)
    with pytest.raises(ValueError, match=r"`mask` has shape \(3,\); it must be \(2, 3\), the shape of `grad_output`"):
        dropout_backward(x, x[0] > 0, 0.5)
