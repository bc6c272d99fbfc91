"""The gradient check: right functions pass, planted wrong ones fail and are named, kinks are told apart."""

import itertools
import re

import numpy as np
import pytest
from helpers import assert_close

from cnnlib import _array, conv, linear, losses, norms, pool
from cnnlib import activations as act
from cnnlib.gradcheck import adjoint_error, error_by_step, gradcheck, in_letters, numerical_gradient


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


def test_no_factor_is_named_where_what_should_be_zero_is_not(images):
    """ReLU's gradient without its mask is right wherever the unit is on: that is no "1 times what it should be"."""
    report = gradcheck(act.relu, lambda g, x: g, images - 0.5)
    assert not report.passed and "times what" not in report.hint, report


def test_no_factor_is_named_of_one_number(images):
    """For one number there always is a factor; only its sign says something."""
    wrong = gradcheck(lambda x, slope: x * slope, lambda g, x, slope: (g * slope, 3 * (g * x).sum(keepdims=True)),
                      images[0, 0], np.array([[0.5]]))
    assert not wrong.passed and "times what" not in wrong.hint, wrong
    sign = gradcheck(lambda x, slope: x * slope, lambda g, x, slope: (g * slope, -(g * x).sum(keepdims=True)),
                     images[0, 0], np.array([[0.5]]))
    assert "wrong sign" in sign.hint, sign


def test_a_transposed_gradient_is_named(rng):  # also where the arguments come from the seed of the check
    matrix = rng.standard_normal((4, 4))
    report = gradcheck(lambda a: a @ matrix, lambda g, a: (g @ matrix.T).T, rng.standard_normal((4, 4)))
    assert "transposed" in report.hint


SMOOTH = {  # functions with places where the slope is 0: (function, slope)
    "square": (lambda x: x**2, lambda x: 2 * x),
    "cube": (lambda x: x**3, lambda x: 3 * x**2),
    "cosine": (np.cos, lambda x: -np.sin(x)),
    "a parabola on a plain": (lambda x: 1 + x**2, lambda x: 2 * x),
    "a plain": (lambda x: 0 * x + 3, lambda x: 0 * x),
    "logarithm": (lambda x: np.log(x * x + 1e-2), lambda x: 2 * x / (x * x + 1e-2)),
    "a bend like |x|^1.5": (lambda x: np.abs(x) ** 1.5, lambda x: 1.5 * np.sign(x) * np.sqrt(np.abs(x))),
}
KINKED = {
    "relu": (lambda x: np.maximum(x, 0), lambda x: 1.0 * (x > 0)),
    "|x|": (np.abs, np.sign),
    "leaky": (lambda x: np.where(x > 0, x, 0.01 * x), lambda x: np.where(x > 0, 1, 0.01)),
    "relu on a high plain": (lambda x: np.maximum(x, 0) + 1e4, lambda x: 1.0 * (x > 0)),
    "relu and a bend": (lambda x: np.maximum(x, 0) + np.sin(x), lambda x: (x > 0) + np.cos(x)),
}
SCALES = [1e-3, 1.0, 1e3]


def scaled(pair, scale, factor=1.0, plus=0.0):
    """A function times a scale, and its backward: right, or times a factor and plus a constant that make it wrong."""
    fn, slope = pair
    return lambda x: scale * fn(x), lambda g, x: scale * (factor * slope(x) + plus) * g


@pytest.mark.parametrize("of_x", [0.0, *SCALES])
@pytest.mark.parametrize("name", SMOOTH)
def test_smooth_functions_are_judged_where_their_slope_is_0(name, of_x, rng):
    fn, slope = SMOOTH[name]
    for x, scale in itertools.product((np.zeros(3), of_x * np.array([0.0, 1, -2]), of_x * rng.standard_normal(4)),
                                      (1e-8, *SCALES, 1e8)):
        report = gradcheck(*scaled(SMOOTH[name], scale), x)
        assert report.passed and not report.kinks and report.checked == x.size, report
        report = gradcheck(*scaled(SMOOTH[name], scale, plus=7 * max(1, np.abs(slope(x)).max())), x)
        assert not report.passed and not report.kinks and report.wrong == x.size, report
        if np.abs(slope(x)).max() > 1e-6 * np.abs(fn(x)).max():
            report = gradcheck(*scaled(SMOOTH[name], scale, factor=1.01), x)
            assert report.wrong or "too small beside the rounding" in repr(report), report


@pytest.mark.parametrize("backward", [
    lambda g, x: 5 * g, lambda g, x: np.full_like(x, 1e-3), lambda g, x: np.full_like(x, np.nan)])
def test_at_the_bottom_of_a_parabola(backward):
    report = gradcheck(lambda x: x**2, backward, np.zeros(3))
    assert report.wrong == report.checked == 3 and not report.passed, report


def test_a_single_number():
    for x, right in ((0.0, 0), (2.0, 4)):
        assert gradcheck(lambda x: x**2, lambda g, x, right=right: right * g, np.array(x)).passed
        report = gradcheck(lambda x: x**2, lambda g, x: 5 * g, np.array(x))
        assert report.wrong == 1 and report.worst.index == (), report
    assert "no gradient but at kinks" in repr(gradcheck(np.abs, lambda g, x: 0 * g, np.array(0.0)))


def test_a_constant_for_a_small_slope():
    report = gradcheck(lambda x: x**2, lambda g, x: np.full_like(x, 7.0), np.array([1e-4, 2e-4]))
    assert report.wrong == report.checked == 2, report


def test_a_loss_at_its_minimum(rng):
    x = rng.standard_normal((4, 3))
    assert gradcheck(losses.mse_loss, lambda g, a, b: losses.mse_loss_backward(g, a, b), x, x.copy()).passed
    report = gradcheck(losses.mse_loss, lambda g, a, b: (np.ones_like(a), np.ones_like(b)), x, x.copy())
    assert report.wrong == 24, report


@pytest.mark.parametrize("offset", [0, 1, 100, 1000])
@pytest.mark.parametrize("scale", SCALES)
def test_a_bias_before_batch_norm(scale, offset, rng):
    """Its gradient is 0, and all that differences show is rounding; summed up, even the value is rounding alone."""
    x = scale * (rng.standard_normal((4, 3, 5, 5)) + offset)

    def normed(bias):
        return norms.batch_norm(x + bias[:, None, None], training=True)

    for fn in normed, lambda bias: normed(bias).sum():
        right = gradcheck(fn, lambda g, bias: 0 * bias, np.zeros(3))
        assert right.passed and right.checked == 3, right
        for wrong in ([3, -7, 100], [0, 0, 0.01]):
            report = gradcheck(fn, lambda g, bias, wrong=wrong: np.array(wrong, float) / scale, np.zeros(3))
            assert not report.passed and not report.kinks, report


def test_what_rounding_hides_is_said():
    """On a plain of 1e6, a slope of 1e-5 is lost in the rounding, 1e-10 of the plain divided by the step."""
    x = np.array([1e-5, -2e-5])
    zero = gradcheck(lambda x: 1e6 + x**2, lambda g, x: 0 * x, x)
    assert zero.passed and 1e-4 < zero.blind < 1e-2 and "rounding hides differences below" in repr(zero)
    for factor in (1, 3):
        report = gradcheck(lambda x: 1e6 + x**2, lambda g, x, factor=factor: factor * 2 * x * g, x)
        assert not report.passed and report.wrong == 0 and not report.kinks
        assert re.search(r"NOT JUDGED: 2 entries(.|\n)*too small beside the rounding: try a larger `eps`", repr(report))
        report = gradcheck(lambda x: 1e6 + x**2, lambda g, x, factor=factor: factor * 2 * x * g, 1e8 * x, eps=1e-2)
        assert report.passed == (factor == 1)


def test_a_function_in_float32_is_no_excuse(rng):
    x = rng.standard_normal((4, 5))
    for wrong in (lambda g, x: 0 * x, lambda g, x: 0.5 * g, lambda g, x: g * (1 - np.tanh(x) ** 2)):
        assert not gradcheck(lambda x: np.tanh(x.astype(np.float32)), wrong, x).passed
    slow = gradcheck(lambda x: 1 + np.float32(0.1) * x.astype(np.float32), lambda g, x: 0 * x, rng.random((20, 10)))
    assert slow.wrong and not slow.passed, slow


@pytest.mark.parametrize("scale", [1e-8, *SCALES, 1e8])
@pytest.mark.parametrize("of_x", SCALES)
@pytest.mark.parametrize("name", KINKED)
def test_kinks_are_reported_and_not_failed(name, of_x, scale):
    x = of_x * np.array([-1.0, 0, 2, 0])
    fn, slope = KINKED[name]
    for pair, at in (((fn, slope), x), ((lambda x: fn(x - of_x), lambda x: slope(x - of_x)), x + of_x)):
        report = gradcheck(*scaled(pair, scale), at)
        assert report.passed and [entry.index for entry in report.kinks] == [(1,), (3,)], report
        assert "2 more at kinks" in repr(report) and report.checked == 2 and report.outside == 0
        report = gradcheck(*scaled(pair, scale, factor=1.01), at)
        assert not report.passed and report.wrong >= 1, report


def test_a_kink_beside_the_number(rng):
    """Within the step, but not at its middle: the slope on this side is right, and another still wrong."""
    for place in (-1.0, -0.9, -1 / 3, -0.2, 0.01, 0.1, 1 / 3, 0.5, 0.99, *rng.uniform(-1, 1, 20)):
        x = np.array([1e-6 * place, 1.0, -2.0])
        for pair in KINKED.values():
            assert gradcheck(*scaled(pair, 1.0), x).passed
            assert not gradcheck(*scaled(pair, 1.0, factor=1.5), x).passed


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("how", [(2, 2), (3, 2), (3, 1)])
def test_ties_of_a_maximum(how, scale, rng):
    x = scale * rng.integers(0, 9, (2, 2, 7, 7)).astype(float)
    report = gradcheck(pool.max_pool2d, pool.max_pool2d_backward, x, *how)
    assert report.passed and report.kinks and report.outside == 0, report
    report = gradcheck(pool.max_pool2d, lambda g, *args: 1.01 * pool.max_pool2d_backward(g, *args), x, *how)
    assert not report.passed and report.kinks, report


def test_nothing_passes_unseen():
    """Where all entries, or all those with a gradient, are at kinks, nothing is known."""
    tie = np.zeros((1, 2, 2))
    for fn, backward, x, at_kinks in (
        (lambda x: pool.max_pool2d(x, 2), lambda g, x: pool.max_pool2d_backward(g, x, 2), tie, 4),
        (act.relu, act.relu_backward, np.array([-1.0, 0.0]), 1),
        (lambda x, w: np.abs(x) * w, lambda g, x, w: (np.sign(x) * w * g, np.abs(x) * g), np.zeros(2), 2),
    ):
        report = gradcheck(fn, backward, x, *[np.ones(2)] * (at_kinks == 2))
        assert not report.passed and report.wrong == 0 and len(report.kinks) == at_kinks
        assert re.search(r"NOT JUDGED(.|\n)*argument 0 has no gradient but at kinks: check at another", repr(report))
    empty = gradcheck(lambda x: x**2, lambda g, x: 2 * x * g, np.zeros((0, 3)))
    assert empty.passed and empty.checked == 0


def test_a_wrong_gradient_beside_a_kink_still_fails():
    report = gradcheck(act.relu, lambda g, x: 2 * act.relu_backward(g, x), np.array([-1.0, 0.0, 2.0]))
    assert not report.passed and len(report.kinks) == 1 and report.worst.index == (2,)


def test_what_backward_says_at_a_kink():
    """No number is right there, but one outside of both slopes is told, and NaN is wrong everywhere."""
    x = np.array([-1.0, 0.0, 2.0])
    for value, outside in ((0, 0), (0.5, 0), (1, 0), (7, 1), (-0.1, 1)):
        report = gradcheck(act.relu, lambda g, x, value=value: g * np.where(x == 0, value, x > 0), x)
        assert report.passed and len(report.kinks) == 1 and report.outside == outside
        assert ("at 1, backward is outside of both slopes" in repr(report)) == bool(outside)
    report = gradcheck(act.relu, lambda g, x: g * np.where(x == 0, np.nan, x > 0), x)
    assert report.wrong == 1 and report.worst.index == (1,) and "NaN" in report.hint


@pytest.mark.parametrize("size", [1e3, 1e6, 1e9, 1e12])
def test_large_numbers_are_moved_by_a_step_that_they_feel(size):
    x = size * np.array([1.0, -2])
    assert gradcheck(lambda x: x**2, lambda g, x: 2 * x * g, x).error < 2e-6
    assert gradcheck(lambda x: x**2, lambda g, x: 2.001 * x * g, x).wrong == 2


def test_adjoint(images, filters, array):
    x, weight = array(images), array(filters)

    def forward(x):
        return conv.conv2d(x, weight, padding=1)

    assert adjoint_error(forward, lambda g: conv.conv2d_backward(g, x, weight, padding=1)[0], x) < 1e-14
    flipped = _array.flip(weight, (-2, -1))
    assert adjoint_error(forward, lambda g: conv.conv2d_backward(g, x, flipped, padding=1)[0], x) > 1e-3


def test_in_letters():
    sympy = pytest.importorskip("sympy")
    letters, gradients = in_letters(lambda a, b: a @ b, a=(2, 1, 3), b=(3,))
    assert str(letters["a"][1, 0, 2]) == "a23" and letters["g"].shape == (2, 1)
    assert gradients["b"].tolist() == [sympy.sympify(f"a1{k}*g1 + a2{k}*g2") for k in (1, 2, 3)]
    assert gradients["a"].shape == (2, 1, 3) and str(gradients["a"][1, 0, 2]) == "b3*g2"
    _, of_row = in_letters(lambda x, w: x[:-1] * w[0] + x[1:] * w[1], x=(3,), w=(2,))
    for name, words in (("x", "g1*w1, g1*w2 + g2*w1, g2*w2"), ("w", "g1*x1 + g2*x2, g1*x2 + g2*x3")):
        assert ", ".join(map(str, of_row[name])) == words and words in in_letters.__doc__


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
