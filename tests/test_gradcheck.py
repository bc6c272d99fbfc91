"""The gradient check: right functions pass, planted wrong ones fail and are named, kinks are told apart."""

import re

import numpy as np
import pytest
from helpers import assert_close

from cnnlib import _array, conv, linear, pool
from cnnlib import activations as act
from cnnlib.gradcheck import adjoint_error, error_by_step, gradcheck, numerical_gradient


@pytest.fixture
def images(rng):
    return rng.standard_normal((2, 3, 7, 6))


@pytest.fixture
def filters(rng):
    return rng.standard_normal((4, 3, 3, 2))


def backward(grad_output, x, weight, bias, **settings):
    return conv.conv2d_backward(grad_output, x, weight, bias, **settings)


def test_right_functions_pass(images, filters, rng, array):
    for report in (
        gradcheck(lambda x, w, b: conv.conv2d(x, w, b, stride=2, padding=1),
                  lambda g, x, w, b: backward(g, x, w, b, stride=2, padding=1),
                  *map(array, (images, filters, rng.standard_normal(4)))),
        gradcheck(linear.linear, linear.linear_backward, *map(array, (rng.standard_normal((5, 3)),
                  rng.standard_normal((2, 3)), rng.standard_normal(2)))),
        gradcheck(lambda x: pool.avg_pool2d(x, 2), lambda g, x: pool.avg_pool2d_backward(g, x, 2), array(images)),
        gradcheck(act.tanh, act.tanh_backward, array(images)),
    ):
        assert report.passed and bool(report), report
        assert report.error < 1e-7 and "passed: all" in repr(report)


def test_every_entry_is_compared(images, filters):
    report = gradcheck(conv.conv2d, lambda g, x, w: conv.conv2d_backward(g, x, w)[:2], images, filters)
    assert report.checked == images.size + filters.size


def test_every_memory_order_is_varied(rng, array):
    """A transposed array has no flat view: what is changed must be the array itself. (Differences err by 1e-9.)"""
    x = array(rng.standard_normal((4, 3))).T
    assert gradcheck(lambda x: x * x, lambda grad_output, x: 2 * x * grad_output, x).passed
    assert_close(numerical_gradient(lambda x: (x * x).sum(), x), 2 * _array.to_numpy(x), 1e-8)


def test_numerical_gradient(rng):
    """Central differences are exact for parabolas, but for rounding: 1e-16 / 1e-6."""
    matrix, x = rng.standard_normal((3, 3)), rng.standard_normal(3)
    before = x.copy()
    measured = numerical_gradient(lambda x: x @ matrix @ x, x)
    assert_close(measured, (matrix + matrix.T) @ x, 1e-8)
    assert np.array_equal(x, before)
    assert measured.dtype == np.float64 and numerical_gradient(lambda x: x.sum(), np.zeros((0, 2))).shape == (0, 2)
    with pytest.raises(ValueError, match=r"`fn` returns an array of shape \(3,\); it must be one number"):
        numerical_gradient(lambda x: x, x)
    with pytest.raises(TypeError, match="`x` is list; it must be an array of float"):
        numerical_gradient(sum, [1.0])


def test_arguments_are_left_as_they_were(images):
    for a in (images.astype(np.float32), images):
        kept = a.copy()
        a.setflags(write=False)
        assert gradcheck(act.sigmoid, act.sigmoid_backward, a).passed
        np.testing.assert_array_equal(a, kept)


PLANTED = {  # what is wrong: (fn, wrong backward, words of the hint)
    "mean for sum": (lambda x: x.reshape(2, -1).sum(1), lambda g, x: np.broadcast_to(
        (g / 63)[:, None, None, None], x.shape), "0.01587 times"),
    "wrong sign": (lambda x: -x**2, lambda g, x: 2 * x * g, "wrong sign"),
    "never written": (act.tanh, lambda g, x: np.zeros_like(x), "zero everywhere"),
    "a NaN": (act.tanh, lambda g, x: np.full_like(x, np.nan), "NaN or infinity"),
    "a border is forgotten": (act.tanh, lambda g, x: forget(act.tanh_backward(g, x)), "only 1[0-9] % of the entries"),
}


def forget(grad):
    grad = grad.copy()
    grad[..., 0] = 0
    return grad


@pytest.mark.parametrize("mistake", PLANTED)
def test_planted_mistakes_are_found_and_named(mistake, images):
    fn, wrong, words = PLANTED[mistake]
    report = gradcheck(fn, wrong, images)
    assert not report.passed and not bool(report)
    assert report.wrong > 0 and "FAILED" in repr(report) and "worst: argument 0[" in repr(report)
    assert re.search(words, report.hint), report


def test_a_kernel_that_is_not_turned_is_named(rng):
    x, weight = rng.standard_normal((1, 1, 6, 5)), rng.standard_normal((1, 1, 3, 3))

    def wrong(grad_output, x, weight):
        grad_x, grad_weight, _ = conv.conv2d_backward(grad_output, x, weight)
        return grad_x, grad_weight[..., ::-1, ::-1]

    report = gradcheck(conv.conv2d, wrong, x, weight)
    assert report.worst.argument == 1 and "half a turn" in report.hint, report


def test_a_transposed_gradient_is_named(rng):  # also where the arguments come from the seed of the check
    matrix = rng.standard_normal((4, 4))
    report = gradcheck(lambda a: a @ matrix, lambda g, a: (g @ matrix.T).T, rng.standard_normal((4, 4)))
    assert "transposed" in report.hint


def test_kinks_are_reported_and_not_failed():
    x = np.array([-1.0, 0.0, 2.0, 0.0])
    report = gradcheck(act.relu, act.relu_backward, x)
    assert report.passed and [entry.index for entry in report.kinks] == [(1,), (3,)]
    assert "2 more at kinks" in repr(report) and report.checked == 2
    tie = np.zeros((1, 2, 2))
    report = gradcheck(lambda x: pool.max_pool2d(x, 2), lambda g, x: pool.max_pool2d_backward(g, x, 2), tie)
    assert not report.passed and len(report.kinks) == 4 and report.checked == 0
    assert "nothing could be compared, as all 4 entries" in repr(report)


@pytest.mark.parametrize("way", [0.1, 0.2, 0.3, 0.45, 0.5, 0.7, 0.9, 1.1])
def test_a_kink_beside_an_entry_is_no_fault(way):
    """Closer than a step: it is seen as a kink, or left behind by a smaller step."""
    x = np.array([-1.0, way * 1e-6, 2.0, -way * 1e-6])
    assert gradcheck(act.relu, act.relu_backward, x).passed


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize("size", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize("name, fn, slope, at", [
    ("square", lambda x: x**2, lambda x: 2 * x, [0.0, 0.0, 0.0]),
    ("nearly flat", lambda x: x**2, lambda x: 2 * x, [1e-4, 2e-4, -1e-4]),
    ("cosine", np.cos, lambda x: -np.sin(x), [0.0, 0.0, 1e-5]),
    ("fourth power", lambda x: x**4, lambda x: 4 * x**3, [0.0, 1e-3, 0.0]),
    ("exponential", np.exp, np.exp, [0.0, -3.0, 1.0]),
])
def test_what_is_smooth_is_judged(name, fn, slope, at, size, scale):
    """Where the slope is 0, curvature and rounding are all that a difference sees; they are no kinks."""
    x = np.array(at)
    good = gradcheck(lambda x: scale * fn(x), lambda g, x: g * scale * slope(x), x)
    assert good.kinks == [] and good.checked == 3
    bad = gradcheck(lambda x: scale * fn(x), lambda g, x: g * scale * (slope(x) + size), x)
    assert not bad.passed and bad.kinks == []


def test_a_bias_before_batch_norm_has_no_gradient(rng):
    x, bias = rng.standard_normal((8, 3, 4, 3)), rng.standard_normal(3)

    def normed(bias):
        moved = x + bias[:, None, None]
        return (moved - moved.mean(axis=(0, 2, 3), keepdims=True)) / moved.std(axis=(0, 2, 3), keepdims=True)

    report = gradcheck(normed, lambda g, bias: np.array([3.0, -7.0, 100.0]), bias)
    assert not report.passed and report.kinks == [] and report.wrong == 3


def test_a_wrong_gradient_beside_a_kink_still_fails():
    report = gradcheck(act.relu, lambda g, x: 2 * act.relu_backward(g, x), np.array([-1.0, 0.0, 2.0]))
    assert not report.passed and len(report.kinks) == 1 and report.worst.index == (2,)


def test_adjoint(images, filters, array):
    x, weight = array(images), array(filters)

    def forward(x):
        return conv.conv2d(x, weight, padding=1)

    assert adjoint_error(forward, lambda g: conv.conv2d_backward(g, x, weight, padding=1)[0], x) < 1e-14
    flipped = _array.flip(weight, (-2, -1))
    assert adjoint_error(forward, lambda g: conv.conv2d_backward(g, x, flipped, padding=1)[0], x) > 1e-3


def test_the_error_against_the_step_is_a_v():
    steps = 10.0 ** -np.arange(1, 13)
    errors = error_by_step(np.exp, np.exp(1.0), 1.0, steps)
    best = int(errors.argmin())
    assert 1e-8 < steps[best] < 1e-4 and errors[best] < 1e-9
    assert errors[0] > 1e-3 and errors[-1] > 1e-6
    single = error_by_step(np.exp, np.exp(1.0), np.float32(1), steps)
    assert steps[int(single.argmin())] in (1e-2, 1e-3) and single.min() > 1e-6


@pytest.mark.parametrize("call, error, message", [
    (lambda x: gradcheck(act.relu, lambda g, x: g[..., :3], x), ValueError,
     r"returned shape \(2, 3, 7, 3\) for argument 0, which has shape \(2, 3, 7, 6\)"),
    (lambda x: gradcheck(lambda a, b: a + b, lambda g, a, b: g, x, x), ValueError, "one array for 2 array arguments"),
    (lambda x: gradcheck(lambda a, b: a + b, lambda g, a, b: (g, None), x, x), ValueError,
     r"no gradient for argument 1, an array of shape \(2, 3, 7, 6\)"),
    (lambda x: gradcheck(act.relu, act.relu_backward, x, eps=0), ValueError, "`eps` is 0; a step between"),
    (lambda x: gradcheck(lambda n: n, lambda g, n: g, np.arange(3)), TypeError, "nothing to vary"),
    (lambda x: gradcheck(lambda x: x * np.random.default_rng().random(), act.relu_backward, x), ValueError,
     "two results for the same arguments"),
    (lambda x: adjoint_error(lambda x: x, lambda g: g[0], x), ValueError, r"returned shape \(3, 7, 6\)"),
])
def test_errors(call, error, message, images):
    with pytest.raises(error, match=message):
        call(images)
