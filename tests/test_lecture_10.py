"""The facts of lecture 10, and the answers of its text. What the papers' machines do is in tests/history."""

import functools
import itertools

import numpy as np
import pytest
from helpers import assert_close
from logic import CORNERS, XOR

from cnnlib import architectures, data, history, layers
from cnnlib.history import ilsvrc
from cnnlib.history.timeline import MILESTONES

PATTERNS = np.array(list(itertools.product([0, 1], repeat=6)))
SYMMETRIC = (PATTERNS == PATTERNS[:, ::-1]).all(axis=1)
SEEDS = range(10)


def switches(rows):
    return np.array([1 if mark == "#" else -1 for mark in rows.replace(" ", "")])


T, J = switches("###. .#.. .#.. .#.."), switches("..#. ..#. #.#. ###.")


def adaline():
    return history.Adaline(16).fit([T, J], [1, -1], epochs=6, rate=1 / 17)


def test_adaline_learns_a_picture_of_t_minus_j():
    assert np.sum(T != J) == 9
    machine = adaline()
    assert_close(machine.weights, (T - J) / 18, 1e-9)  # six rounds are not for ever
    assert np.abs(machine.bias) < 1e-9
    assert machine.squared_errors[1] == pytest.approx(2e-3, rel=0.3)


def test_four_wrong_switches_are_always_forgiven_and_five_of_nine_never():
    """The sum is 1 - 2k/9, with k wrong switches among the nine that differ."""
    machine = adaline()
    for wrong, share in ((1, 1), (2, 1), (3, 1), (4, 1), (5, 0.971), (6, 0.879)):
        right = []
        for places in itertools.combinations(range(16), wrong):
            flips = np.ones(16, dtype=int)
            flips[list(places)] = -1
            k = np.sum(flips[T != J] == -1)
            assert machine.sum(flips * T) == pytest.approx(1 - 2 * k / 9)
            right += [machine(flips * T) == 1, machine(flips * J) == -1]
        assert round(np.mean(right), 3) == share


def test_one_unit_of_each_kind_on_a_pattern_that_is_right():
    weights, x = np.array([0.5, 0.25]), np.array([1, 1])
    new, _, error = history.adaline_step(weights, 0.0, x, 1, 0.1)
    assert (error, new.tolist()) == (0.25, [0.525, 0.275])
    assert history.perceptron_step(weights, 0.0, x, 1, 0.1)[2] == 0


def test_the_five_points():
    points, wanted = np.array([[0.0], [1], [2], [3], [30]]), np.array([-1, -1, 1, 1, 1])
    slope, offset = history.least_squares(points, wanted)
    assert (points[:, 0] * slope[0] + offset).round(2).tolist() == [-0.09, -0.05, -0.01, 0.03, 1.13]
    perceptron = history.Perceptron(1).fit(points, wanted, epochs=10, rate=0.5)
    assert perceptron.mistakes[:5] == [2, 2, 0, 0, 0] and perceptron.sum(points).tolist() == [-2, -1, 0, 1, 28]


def test_xor_wants_no_longer_training():
    for epochs in (10, 100, 1000):
        unit = history.Adaline(2).fit(CORNERS, XOR, epochs=epochs, rate=0.001)
        assert unit.squared_errors[-1] == pytest.approx(1, abs=5e-4) and unit.mistakes[-1] == 2


def test_the_proof_of_equation_5(rng):
    for w1, w2, b in rng.normal(size=(20, 3)):
        s = {(x, y): w1 * x + w2 * y + b for x, y in CORNERS.tolist()}
        assert s[1, -1] + s[-1, 1] == pytest.approx(2 * b) == pytest.approx(s[1, 1] + s[-1, -1])


def test_linear_layers_are_one_and_a_bend_computes_xor(rng):
    first, second, x = rng.normal(size=(5, 3)), rng.normal(size=(2, 5)), rng.normal(size=3)
    assert_close(second @ (first @ x), (second @ first) @ x)
    bend = np.maximum(0, CORNERS @ np.array([[1, -1], [-1, 1]]))
    assert (bend.sum(axis=1) - 1).tolist() == XOR.tolist()


@functools.cache
def taught(seed, centred, eps):
    """How many patterns the paper's net has right after its 1,425 sweeps, and its hidden weights and biases."""
    x, wanted = history.symmetry_patterns()
    x = 2 * x - 1 if centred else x
    net = history.learn_symmetry(x, wanted, eps=eps, seed=seed)
    return int(np.sum((net(x) > 0.5) == wanted)), net["hidden"].weight.data, net["hidden"].bias.data


def arrivals(sweeps):
    """When each of the ten nets is right on all 64 patterns, with the paper's inputs and rate; −1 for never.

    Forward and backward written out, in double precision, all nets at once: independent of our layers.
    """
    drawn = [np.random.default_rng(seed).uniform(-0.3, 0.3, 17) for seed in SEEDS]  # as the layers draw
    w, b, v, c = (np.array(parts) for parts in zip(*(
        (row[:12].reshape(2, 6), row[12:14], row[14:16], row[16]) for row in drawn)))
    speed, first = [0.0] * 4, np.full(len(drawn), -1)
    for sweep in range(sweeps):
        h = 1 / (1 + np.exp(-np.einsum("pi,ski->spk", PATTERNS, w) - b[:, None]))
        out = 1 / (1 + np.exp(-np.einsum("spk,sk->sp", h, v) - c[:, None]))
        first[(first < 0) & ((out > 0.5) == SYMMETRIC).all(axis=1)] = sweep
        slope = (out - SYMMETRIC) * out * (1 - out)
        inner = slope[..., None] * v[:, None] * h * (1 - h)
        grads = (np.einsum("spk,pi->ski", inner, PATTERNS), inner.sum(axis=1), np.einsum("sp,spk->sk", slope, h),
                 slope.sum(axis=1))
        speed = [0.9 * old - 0.1 * grad for old, grad in zip(speed, grads)]
        w, b, v, c = (a + step for a, step in zip((w, b, v, c), speed))
    return first


def test_symmetry_is_learnt_from_every_seed_with_centred_inputs_and_small_steps():
    assert [taught(seed, True, 0.03)[0] for seed in SEEDS] == [64] * 10


def test_it_is_the_rate_and_not_the_inputs():
    """Of the two changes the smaller rate alone is enough; the centred inputs alone are not."""
    assert [taught(seed, False, 0.03)[0] for seed in SEEDS] == [64] * 10
    assert [taught(seed, True, 0.1)[0] for seed in SEEDS].count(64) < 5


def test_the_papers_own_setting_gets_stuck_more_often_than_not():
    first = arrivals(3000)
    stuck = [taught(seed, False, 0.1)[0] for seed in SEEDS]
    assert stuck == [64 if 0 <= sweep < 1425 else 56 for sweep in first]
    assert stuck.count(64) == 3 and sum(first >= 0) == 6  # three more by 3,000 sweeps
    assert SYMMETRIC.sum() == 8
    assert np.array_equal(history.symmetry_patterns()[1][:, 0], SYMMETRIC)


def test_the_learnt_weights_are_antisymmetric_and_double_or_stand_as_two_three_four():
    codes = []
    for seed in SEEDS:
        _, weight, bias = taught(seed, True, 0.03)
        largest = np.abs(weight).max()
        assert np.abs(weight + weight[:, ::-1]).max() < 0.01 * largest  # about the middle
        assert np.abs(weight.sum(axis=0)).max() < 0.01 * largest  # the two units
        assert (bias < 0).all()
        ratios = np.sort(np.abs(weight[0, :3])) / largest * 4
        code = [ratio for ratio in ((1, 2, 4), (2, 3, 4)) if np.abs(ratios - ratio).max() < 0.08]
        codes += code
        assert len(code) == 1
    assert codes.count((1, 2, 4)) == 9
    assert codes[0] == (1, 2, 4)  # the one that is drawn


def test_codes_for_symmetry_in_whole_numbers():
    def works(*weights):
        return all(np.dot(weights, signs) != 0 for signs in itertools.product((-1, 0, 1), repeat=len(weights))
                   if any(signs))

    assert [code for code in itertools.combinations(range(1, 5), 3) if works(*code)] == [(1, 2, 4), (2, 3, 4)]
    assert works(1, 2, 4, 8) and not works(1, 2, 3)


@functools.cache
def digits():
    pytest.importorskip("sklearn")
    (x_learn, y_learn), (x_new, y_new) = data.load_digits()
    return x_learn.reshape(-1, 64), y_learn, x_new.reshape(-1, 64), y_new


def test_more_scans_make_the_nearest_neighbour_better():
    x_learn, y_learn, x_new, y_new = digits()
    order, wrong = np.random.default_rng(0).permutation(len(x_learn)), []
    for count in (45, 180, 720):
        known = order[:count]
        distances = (x_new**2).sum(axis=1)[:, None] + (x_learn[known] ** 2).sum(axis=1) - 2 * x_new @ x_learn[known].T
        wrong.append(round(float(np.mean(y_learn[known][distances.argmin(axis=1)] != y_new)), 3))
    assert wrong == [0.194, 0.037, 0.020]


def test_the_slope_fades_through_smooth_thresholds_more_than_through_rectifiers_of_the_same_weights():
    x, shares = digits()[0], []
    for activation in (layers.Sigmoid, layers.ReLU):
        net = history.autoencoder((64, 128, 64, 32, 8), rng=np.random.default_rng(0), activation=activation)
        bends = [stage for half in ("encoder", "decoder") for stage in net[half] if isinstance(stage, activation)]
        assert len(bends) == 6
        loss = layers.BCEWithLogitsLoss()
        loss(net(x), x)
        sent = loss.backward()
        shares.append(np.linalg.norm(net.backward(sent)) / np.linalg.norm(sent))
    assert [f"{share:.0e}" for share in shares] == ["2e-05", "5e-03"]
    assert shares[0] < 0.25**6 and f"{0.25**6:.0e}" == "2e-04"


def test_the_arithmetic_of_2012():
    net = architectures.summary(architectures.alexnet_2012, (3, 227, 227))
    assert [round(net.parameters / count) for count in (9_146, 50_000, 1_200_000)] == [6666, 1219, 51]
    operations = 2 * 3 * net.multiply_adds * 1.2e6 * 90
    assert f"{operations:.1e}" == "4.7e+17"
    assert round(100 * operations / (5.5 * 86400 * 2 * 1.58e12)) == 31
    assert round(operations / 0.4e9 / (365 * 86400)) == 37


def test_the_challenge():
    assert 1 - 5 / 1000 == 0.995
    spread = 2 * np.sqrt(0.051 * 0.949 / 1500)
    assert [round(100 * (0.051 + sign * spread), 1) for sign in (-1, 1)] == [4.0, 6.2]
    assert [result.year for result in ilsvrc.SINGLE_NETS if result.top5 < ilsvrc.HUMAN] == [2015, 2017]
    assert all(result.ensemble for result in ilsvrc.WINNERS if result.year >= 2012)
    assert len(MILESTONES) == 17
    assert ilsvrc.ALEXNET[0].top5 - ilsvrc.ALEXNET[1].top5 == pytest.approx(1.8)
    winners = {result.year: result.top5 for result in ilsvrc.WINNERS}
    won = [round(result.top5 - winners[result.year], 2) for result in ilsvrc.SINGLE_NETS if result.year > 2012]
    assert (min(won), max(won)) == (0.8, 1.54)  # what averaging was worth


def test_the_answers_by_hand():
    w, x = np.array([0.5, -0.5]), np.array([1, 1])
    weights, bias, error = history.adaline_step(w, 0.0, x, -1, 1 / 3)
    assert_close(np.append(weights, bias), np.array([1 / 6, -5 / 6, -1 / 3]))
    assert error == -1 and weights @ x + bias == pytest.approx(-1)
    weights, bias, error = history.perceptron_step(w, 0.0, x, -1, 1 / 3)
    assert_close(np.append(weights, bias), np.array([-1 / 6, -7 / 6, -2 / 3]))
    assert error == -2 and weights @ x + bias == pytest.approx(-2)
    assert history.adaline_step(w, 0.0, x, 1, 1 / 3)[2] == 1 and history.perceptron_step(w, 0.0, x, 1, 1 / 3)[2] == 0


def test_the_bugs_show_as_the_answers_say():
    """Threshold first: the error falls in steps; targets 0 and 1: refused; the bias in each product: half of b."""
    x = np.array([[-1.0, 0], [1, 0.5], [2, 1], [-2, 1]])
    wanted = np.array([-1, 1, 1, -1])
    stepped = history.Perceptron(2).fit(x, wanted, epochs=9, rate=0.1)
    assert stepped.mistakes[-1] == 0 and len(set(stepped.squared_errors)) < 5
    with pytest.raises(ValueError, match="`targets` holds 0"):
        history.Adaline(2).fit(x, (wanted + 1) // 2, epochs=1, rate=0.1)
    weights, bias = history.least_squares(x, [-1.5, 1, 1, -0.4])
    rows = np.column_stack([x, 2 * np.ones(4)])  # (w * x + b).sum() = w · x + 2 b
    assert_close(np.linalg.lstsq(rows, np.array([-1.5, 1, 1, -0.4]), rcond=None)[0], np.append(weights, bias / 2))
