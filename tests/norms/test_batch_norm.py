"""Batch norm: training and evaluation, the statistics it returns, and how a layer keeps them."""

from math import prod

import numpy as np
import pytest
from gradients import check_beside_torch
from helpers import assert_close
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnlib import _array
from cnnlib.norms import batch_norm, batch_norm_backward, updated_stats

quick = settings(max_examples=100, deadline=None, derandomize=True, database=None)


def test_known_values(array):
    """Two channels of 1, 3 and 2, 10: means 2 and 6, variances 1 and 16."""
    x = array(np.array([[1.0, 2], [3, 10]]))
    out, mean, var = batch_norm(x, training=True, eps=0, return_stats=True)
    for actual, expected in zip((out, mean, var), ([[-1, -1], [1, 1]], [2, 6], [1, 16])):
        assert_close(actual, np.array(expected, dtype=float))
    weight, bias = array(np.array([2.0, 3])), array(np.array([0.5, 1]))
    assert_close(batch_norm(x, None, None, weight, bias, True, eps=0), np.array([[-1.5, -2], [2.5, 4]]))
    running = array(np.array([1.0, 0])), array(np.array([4.0, 9]))
    assert_close(batch_norm(x, *running, weight, bias, eps=0), np.array([[0.5, 3], [2.5, 11]]))
    grads = batch_norm_backward(array(np.array([[1.0, 0], [0, 1]])), x, *running, weight, bias, eps=0)
    assert grads[1] is grads[2] is None
    for grad, expected in zip((grads[0], *grads[3:]), ([[1, 0], [0, 1]], [0, 10 / 3], [1, 1])):
        assert_close(grad, np.array(expected, dtype=float))


@pytest.mark.parametrize("shape", ((7, 3), (4, 3, 5), (4, 3, 5, 2)))
def test_laws(array, rng, shape):
    x, g = (array(rng.standard_normal(shape)) for _ in range(2))
    axes = (0, *range(2, len(shape)))
    out = batch_norm(x, training=True, eps=0)
    assert_close(out.mean(axis=axes), np.zeros(3))
    assert_close((out * out).mean(axis=axes), np.ones(3))
    assert_close(batch_norm(5 * x - 3, training=True, eps=0), out)  # shift and scale of x change nothing,
    grad_x = batch_norm_backward(g, x, training=True)[0]
    assert_close(grad_x.sum(axis=axes), np.zeros(3))  # so the gradient has nothing along a shift
    assert_close((batch_norm_backward(g, x, training=True, eps=0)[0] * x).sum(axis=axes), np.zeros(3))  # nor a scale
    ones = batch_norm_backward(g * 0 + 1, x, training=True)[0]
    assert_close(ones, np.zeros(shape))  # the sum of the outputs is always 0


def test_mean_and_variance_are_no_constants(array, rng):
    """The frequent mistake, gradient times weight over deviation, is far off, and evaluation does just that."""
    x, g = rng.standard_normal((4, 3, 5)), array(rng.standard_normal((4, 3, 5)))
    mean, var = x.mean((0, 2)), x.var((0, 2))
    wrong = batch_norm_backward(g, array(x), array(mean), array(var))[0]
    right = batch_norm_backward(g, array(x), array(mean), array(var), training=True)[0]
    assert_close(wrong, _array.to_numpy(g) / np.sqrt(var + 1e-5)[:, None])
    assert np.abs(_array.to_numpy(wrong) - _array.to_numpy(right)).max() > 0.1
    assert_close(batch_norm(array(x), array(mean), array(var)), batch_norm(array(x), training=True))


def test_evaluation_does_not_see_the_neighbours(array, rng):
    x = array(rng.standard_normal((4, 3, 5)))
    stats = array(rng.standard_normal(3)), array(rng.uniform(1, 2, 3))
    assert_close(batch_norm(x, *stats)[:1], batch_norm(x[:1], *stats))
    alone, together = batch_norm(x[:1], training=True), batch_norm(x, training=True)[:1]
    assert np.abs(_array.to_numpy(alone) - _array.to_numpy(together)).max() > 0.1


def test_a_large_mean_costs_no_digits(array, rng):
    """The variance is that of what is left after the mean; E[x²] - E[x]² would have no digit here."""
    x = (10_000 + rng.standard_normal((50, 2))).astype("float32")
    expected = x.astype("float64")
    out = batch_norm(array(x), training=True)
    # 1e-3: float32 knows x itself to 1e-3 only
    assert_close(out, (expected - expected.mean(0)) / np.sqrt(expected.var(0) + 1e-5), tolerance=1e-3)


def test_saved_statistics(array, rng):
    x, g, weight, bias = (array(rng.standard_normal(s)) for s in ((4, 3, 5), (4, 3, 5), 3, 3))
    _, mean, var = batch_norm(x, None, None, weight, bias, True, return_stats=True)
    saved = batch_norm_backward(g, x, None, None, weight, bias, True, mean=mean, var=var)
    for grad, expected in zip(saved, batch_norm_backward(g, x, None, None, weight, bias, True)):
        if expected is not None:
            assert_close(grad, expected)
    running = mean + 1, var + 1
    _, mean, var = batch_norm(x, *running, return_stats=True)  # what was used: in evaluation the running ones
    assert_close(mean, running[0])
    assert_close(var, running[1])


@pytest.mark.parametrize("momentum", (0.1, 0.7, 1.0))
def test_running_statistics_as_torchs(rng, momentum):
    """Three batches; torch writes its buffers, ours are returned. The last batch normalises with what was kept."""
    torch = pytest.importorskip("torch")
    layer = torch.nn.BatchNorm2d(3, momentum=momentum, dtype=torch.float64)
    mean, var = np.zeros(3), np.ones(3)
    for _ in range(3):
        x = rng.standard_normal((4, 3, 5, 2)) * 2 + 1
        kept = mean.copy(), var.copy()
        out, *stats = batch_norm(x, mean, var, training=True, return_stats=True)
        np.testing.assert_array_equal((mean, var), kept)  # never written
        assert_close(out, layer(torch.tensor(x)).detach())
        mean, var = updated_stats(mean, var, *stats, count=40, momentum=momentum)
        assert_close(mean, layer.running_mean)
        assert_close(var, layer.running_var)
    assert_close(batch_norm(x, mean, var), layer.eval()(torch.tensor(x)).detach())


@quick
@given(shape=st.lists(st.integers(1, 4), min_size=2, max_size=5), training=st.booleans(), weight=st.booleans(),
       bias=st.booleans(), eps=st.sampled_from([1e-5, 0.1]), seed=st.integers(0, 2**32 - 1))
def test_matches_torch(shape, training, weight, bias, eps, seed):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(seed)
    c = shape[1]
    training = training and prod(shape) > 2 * c  # of two numbers x̂ is ±1 whatever they are: only noise is left
    args = [rng.standard_normal(shape), None if training else rng.standard_normal(c),
            None if training else rng.uniform(0.5, 2, c), rng.standard_normal(c) if weight else None,
            rng.standard_normal(c) if bias else None, training, 0.1, eps]

    def theirs(x, running_mean, running_var, *rest):
        stats = (None if a is None else a.detach() for a in (running_mean, running_var))  # buffers
        return torch.nn.functional.batch_norm(x, *stats, *rest)

    # 1e-8: a small variance multiplies the rounding of the numbers
    check_beside_torch(batch_norm, batch_norm_backward, theirs, args, {}, rng, tolerance=1e-8)


def test_errors(array):
    x, c = array(np.ones((2, 3, 4))), array(np.ones(3))
    with pytest.raises(ValueError, match="`running_mean` and `running_var` are needed where `training` is off"):
        batch_norm(x)
    with pytest.raises(ValueError, match=r"`x` has shape \(1, 3, 1\), one number per channel"):
        batch_norm(x[:1, :, :1], c, c, training=True)
    assert batch_norm(x[:1, :, :1], c, c).shape == (1, 3, 1)
    with pytest.raises(ValueError, match=r"`x` has shape \(3,\); it must be \(N, C, \.\.\.\)"):
        batch_norm(c, c, c)
    for name in ("running_mean", "running_var", "weight", "bias"):
        wrong = dict(running_mean=c, running_var=c) | {name: c[:2]}
        with pytest.raises(ValueError, match=rf"`{name}` has shape \(2,\); it must be \(3,\), one number for each"):
            batch_norm(x, **wrong)
    with pytest.raises(ValueError, match=r"`mean` has shape \(2,\); it must be \(3,\)"):
        batch_norm_backward(x, x, training=True, mean=c[:2], var=c)
    with pytest.raises(ValueError, match="`count` is 1; it must be at least 2"):
        updated_stats(c, c, c, c, count=1)
    with pytest.raises(ValueError, match=r"`var` has shape \(2,\); it must be \(3,\), the shape of `running_mean`"):
        updated_stats(c, c, c, c[:2], count=4)
