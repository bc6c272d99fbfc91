"""Adaline and the perceptron: one step by hand, what the papers show, and where one line between them decides."""

import itertools

import numpy as np
import pytest
from helpers import assert_close
from logic import CORNERS, FUNCTIONS, XOR

from cnnlib import history

LINE, SIDES = np.array([[0.0], [1], [2], [3], [30]]), np.array([-1, -1, 1, 1, 1])


def test_known_values():
    x = np.array([1, -1, 1])
    weights, bias, error = history.adaline_step(np.array([0.5, 0.0, -1.0]), 0.25, x, -1, 0.1)
    assert error == -0.75  # the sum is 0.5 - 1 + 0.25
    assert_close(weights, np.array([0.425, 0.075, -1.075]))
    assert bias == pytest.approx(0.175)
    weights, bias, error = history.perceptron_step(np.array([0.5, 0.0, -1.0]), 0.25, x, -1, 0.1)
    assert (weights.tolist(), bias, error) == ([0.5, 0.0, -1.0], 0.25, 0.0)  # the sum -0.25 is on the right side
    weights, bias, error = history.perceptron_step(np.array([0.5, 0.0, -1.0]), 0.25, x, 1, 0.1)
    assert_close(weights, np.array([0.7, -0.2, -0.8]))
    assert (bias, error) == (pytest.approx(0.45), 2.0)


def test_a_step_of_one_over_all_knobs_corrects_the_whole_error_in_equal_shares(rng):
    """Widrow's machine: 16 switches and a bias, rate 1/17."""
    for target in (-1, 1):
        x, weights = rng.choice([-1, 1], 16), rng.normal(size=16)
        moved, bias, error = history.adaline_step(weights, 0.3, x, target, 1 / 17)
        assert moved @ x + bias == pytest.approx(target)
        shares = np.append(moved - weights, bias - 0.3)
        assert_close(np.abs(shares), np.full(17, abs(error) / 17))
        assert_close(np.sign(shares[:16]), np.sign(error) * x)


@pytest.mark.parametrize(("rate", "factor"), [(0.5 / 17, 0.5), (1.5 / 17, -0.5), (2 / 17, -1), (3 / 17, -2)])
def test_each_step_multiplies_the_error_by_one_minus_the_rate_over_all_knobs(rng, rate, factor):
    x, weights = rng.choice([-1, 1], 16), rng.normal(size=16)
    weights, bias, first = history.adaline_step(weights, 0.0, x, 1, rate)
    _, _, second = history.adaline_step(weights, bias, x, 1, rate)
    assert second == pytest.approx(factor * first)


def test_a_step_is_half_the_gradient_of_the_squared_error(rng):
    x, weights, bias, target, eps = rng.normal(size=4), rng.normal(size=4), 0.3, 1.0, 1e-6
    moved, moved_bias, error = history.adaline_step(weights, bias, x, target, 1.0)

    def loss(knobs):
        return (target - (knobs[:4] @ x + knobs[4])) ** 2

    knobs = np.append(weights, bias)
    slopes = [(loss(knobs + eps * e) - loss(knobs - eps * e)) / (2 * eps) for e in np.eye(5)]
    assert_close(np.append(moved - weights, moved_bias - bias), -0.5 * np.array(slopes), 1e-8)  # central differences


@pytest.mark.parametrize("step", [history.adaline_step, history.perceptron_step])
def test_a_step_leaves_its_arguments_alone(step):
    weights, x = np.ones(2), np.array([1, -1])
    step(weights, 0.0, x, -1, 0.5)
    assert (weights.tolist(), x.tolist()) == ([1, 1], [1, -1])


def test_no_line_separates_xor_and_the_least_squares_weights_are_zero():
    weights, bias = history.least_squares(CORNERS, XOR)
    assert_close(np.append(weights, bias), np.zeros(3))
    # By brute force, and not only at 0: every weight costs its square on top of the error 1.
    for knobs in itertools.product(np.linspace(-1, 1, 9), repeat=3):
        error = np.mean((XOR - CORNERS @ knobs[:2] - knobs[2]) ** 2)
        assert error == pytest.approx(1 + np.dot(knobs, knobs))


def test_adaline_on_xor_goes_nowhere():
    unit = history.Adaline(2).fit(CORNERS, XOR, epochs=200, rate=0.01)
    assert np.abs(unit.weights).max() < 0.02 and abs(unit.bias) < 0.02
    assert unit.squared_errors[0] == 1 and unit.squared_errors[-1] == pytest.approx(1, abs=1e-3)
    assert min(unit.mistakes) > 0


def test_fourteen_of_the_sixteen_functions_are_learnt_by_either():
    failed = {"Adaline": [], "Perceptron": []}
    for answers in FUNCTIONS:
        for kind, unit in (("Adaline", history.Adaline(2)), ("Perceptron", history.Perceptron(2))):
            if unit.fit(CORNERS, answers, epochs=50, rate=0.1).mistakes[-1]:
                failed[kind].append(answers.tolist())
    assert failed["Adaline"] == failed["Perceptron"] == [[-1, 1, 1, -1], [1, -1, -1, 1]]  # XOR and its opposite


def test_adaline_reaches_least_squares_with_small_steps(rng):
    x = rng.normal(size=(40, 3))
    targets = np.where(x @ [1, -2, 0.5] + rng.normal(size=40) > 0, 1, -1)
    unit = history.Adaline(3).fit(x, targets, epochs=4000, rate=2e-4)
    weights, bias = history.least_squares(x, targets)
    assert_close(np.append(unit.weights, unit.bias), np.append(weights, bias), 1e-3)  # steps keep it moving


def test_a_far_point_on_the_right_side_misleads_adaline_but_not_the_perceptron():
    """Points 0, 1 | 2, 3, 30: a threshold at 1.5 separates them; least squares answers -0.01 at 2."""
    weights, bias = history.least_squares(LINE, SIDES)
    sums = LINE[:, 0] * weights[0] + bias
    assert round(sums[2], 2) == -0.01
    assert (np.where(sums >= 0, 1, -1) != SIDES).tolist() == [False, False, True, False, False]
    # By hand: slope = covariance / variance, through the means.
    slope = np.cov(LINE[:, 0], SIDES, bias=True)[0, 1] / LINE[:, 0].var()
    assert_close(weights[0], slope)
    assert bias == pytest.approx(SIDES.mean() - slope * LINE.mean())
    unit = history.Perceptron(1).fit(LINE, SIDES, epochs=100, rate=0.5)
    assert unit.mistakes[-1] == 0


def test_the_perceptron_stops_and_adaline_goes_on():
    x, targets = np.array([[-1.0, 0], [1, 0.5], [2, 1]]), np.array([-1, 1, 1])
    perceptron, adaline = history.Perceptron(2), history.Adaline(2)
    for unit in (perceptron, adaline):
        unit.fit(x, targets, epochs=20, rate=0.1)
        assert unit.mistakes[-1] == 0
    before = [(unit.weights.copy(), unit.bias) for unit in (perceptron, adaline)]
    for unit in (perceptron, adaline):
        unit.fit(x, targets, epochs=1, rate=0.1)
    assert np.array_equal(perceptron.weights, before[0][0]) and perceptron.bias == before[0][1]
    assert not np.array_equal(adaline.weights, before[1][0])


def test_the_perceptrons_rate_only_scales_its_weights():
    by_rate = [history.Perceptron(2).fit(CORNERS, FUNCTIONS[1], epochs=9, rate=rate) for rate in (0.25, 2.0)]
    assert_close(8 * by_rate[0].weights, by_rate[1].weights)
    assert by_rate[0].mistakes == by_rate[1].mistakes


def test_the_record_is_of_before_and_after_each_epoch():
    unit = history.Adaline(2).fit(CORNERS, FUNCTIONS[1], epochs=3, rate=0.1)
    assert len(unit.squared_errors) == len(unit.mistakes) == 4
    assert unit.squared_errors[0] == 1  # all sums are 0
    assert unit.squared_errors[-1] == pytest.approx(np.mean((FUNCTIONS[1] - unit.sum(CORNERS)) ** 2))
    assert unit.mistakes[-1] == np.sum(unit(CORNERS) != FUNCTIONS[1])


def test_the_order_is_shuffled_by_the_generator_only():
    shuffled, again, plain = (history.Adaline(2).fit(CORNERS, XOR, epochs=2, rate=0.3, rng=rng)
                              for rng in (np.random.default_rng(5), np.random.default_rng(5), None))
    assert np.array_equal(shuffled.weights, again.weights)
    assert not np.allclose(shuffled.weights, plain.weights)


def test_errors():
    unit = history.Adaline(2)
    with pytest.raises(ValueError, match=r"\(N, 2\) and `targets` \(N,\), not \(4, 3\) and \(4,\)"):
        unit.fit(np.ones((4, 3)), XOR, epochs=1, rate=0.1)
    with pytest.raises(ValueError, match=r"not \(4, 2\) and \(3,\)"):
        unit.fit(CORNERS, XOR[:3], epochs=1, rate=0.1)
    with pytest.raises(ValueError, match=r"`targets` holds 0; .* for 0 and 1 give 2 \* y - 1"):
        unit.fit(CORNERS, (XOR + 1) // 2, epochs=1, rate=0.1)
    assert unit.mistakes == []
