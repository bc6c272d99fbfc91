"""The RBM against its definition, by enumerating every state of a tiny one; and CD-1 against what it should be."""

import itertools

import numpy as np
import pytest
from helpers import assert_close

from cnnlib.activations import sigmoid
from cnnlib.history import RBM

VISIBLE = np.array(list(itertools.product([0.0, 1], repeat=4)))
HIDDEN = np.array(list(itertools.product([0.0, 1], repeat=3)))


@pytest.fixture
def rbm(rng):
    machine = RBM(4, 3, rng=rng)
    machine.weight, machine.visible_bias, machine.hidden_bias = (rng.normal(size=size) for size in ((3, 4), 4, 3))
    return machine


def energies(rbm):
    """E(v, h) of all 16 × 8 states, by the definition."""
    return -(VISIBLE @ rbm.visible_bias)[:, None] - HIDDEN @ rbm.hidden_bias - VISIBLE @ rbm.weight.T @ HIDDEN.T


def log_likelihood(rbm, data):
    """Mean log p(v) of rows of `data`, by enumeration of everything."""
    weights = np.exp(-energies(rbm))
    share = weights.sum(axis=1) / weights.sum()
    return np.mean([np.log(share[(row == VISIBLE).all(axis=1)][0]) for row in data])


def exact_gradient(rbm, data):
    """Of the log-likelihood by the weights: ⟨h v⟩ of the data minus ⟨h v⟩ of the machine."""
    joint = np.exp(-energies(rbm))
    joint /= joint.sum()
    return rbm.hidden(data).T @ data / len(data) - np.einsum("vh,hk,vi->ki", joint, HIDDEN, VISIBLE)


def expected_contrast(rbm, data):
    """CD-1's mean step of the weights: over all 8 draws of the hidden units, each with its chance."""
    up = rbm.hidden(data)
    step = np.zeros_like(rbm.weight)
    for row, chance in zip(data, up):
        for drawn in HIDDEN:
            probability = np.prod(np.where(drawn == 1, chance, 1 - chance))
            back = sigmoid(drawn @ rbm.weight + rbm.visible_bias)
            step += probability * (np.outer(chance, row) - np.outer(rbm.hidden(back), back))
    return step / len(data)


def test_free_energy_is_the_sum_over_the_hidden_states(rbm):
    assert_close(rbm.free_energy(VISIBLE), -np.log(np.exp(-energies(rbm)).sum(axis=1)))


def test_the_chances_are_those_of_the_definition(rbm):
    joint = np.exp(-energies(rbm))
    assert_close(rbm.hidden(VISIBLE), joint @ HIDDEN / joint.sum(axis=1, keepdims=True))
    assert_close(rbm.visible(HIDDEN), joint.T @ VISIBLE / joint.sum(axis=0)[:, None])


def test_the_gradient_of_the_likelihood_is_a_difference_of_two_means(rbm):
    data, eps = VISIBLE[[3, 5, 5, 12]], 1e-6
    slopes = np.zeros_like(rbm.weight)
    for place in np.ndindex(slopes.shape):
        for sign in (1, -1):
            rbm.weight[place] += sign * eps
            slopes[place] += sign * log_likelihood(rbm, data) / (2 * eps)
            rbm.weight[place] -= sign * eps
    assert_close(exact_gradient(rbm, data), slopes, 1e-8)  # central differences


def test_cd1_is_its_own_mean_in_expectation(rbm):
    data = VISIBLE[[3, 5, 5, 12]]
    rounds = 4000
    drawn = np.array([rbm.contrast(data)[0] for _ in range(rounds)])
    spread = drawn.std(axis=0).max() / np.sqrt(rounds)
    assert_close(drawn.mean(axis=0), expected_contrast(rbm, data), 5 * spread)  # five standard errors
    assert 5 * spread < 0.02


def test_cd1_is_not_the_gradient_but_points_up():
    """Over 50 machines and data sets: the angle to the exact gradient is nearly always acute."""
    cosines = []
    for seed in range(50):
        rng = np.random.default_rng(seed)
        machine = RBM(4, 3, rng=rng)
        machine.weight = rng.normal(size=(3, 4))
        data = VISIBLE[rng.integers(16, size=6)]
        a, b = expected_contrast(machine, data).ravel(), exact_gradient(machine, data).ravel()
        assert not np.allclose(a, b, atol=1e-3)
        cosines.append(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
    assert np.mean(cosines) > 0.85 and np.mean(np.array(cosines) > 0) >= 0.96


def test_learning_raises_the_likelihood_and_lowers_the_reconstructions_error():
    data = np.repeat(VISIBLE[[3, 12]], 20, axis=0)  # 0011 and 1100 only
    machine = RBM(4, 3, rng=np.random.default_rng(0))
    before = log_likelihood(machine, data)
    machine.fit(data, epochs=300, lr=0.1, batch_size=10, weight_decay=0.0)
    after = log_likelihood(machine, data)
    assert before == pytest.approx(np.log(1 / 16), abs=0.1)  # nearly all states alike
    assert after > -1.0 and after < np.log(0.5) + 1e-9  # log 1/2 is the best there is
    assert machine.errors[-1] < machine.errors[0] / 4 and len(machine.errors) == 300
    energy = machine.free_energy(VISIBLE)
    assert set(np.argsort(energy)[:2]) == {3, 12}


def test_a_linear_hidden_units_free_energy_is_the_integral_over_it(rng):
    machine = RBM(4, 1, rng=rng, linear=True)
    machine.weight, machine.visible_bias, machine.hidden_bias = rng.normal(size=(1, 4)), rng.normal(size=4), np.ones(1)
    h = np.linspace(-12, 14, 4001)
    total = VISIBLE @ machine.weight[0] + 1
    integral = np.exp(total[:, None] * h - h**2 / 2).sum(axis=1) * (h[1] - h[0])
    expected = -VISIBLE @ machine.visible_bias - np.log(integral / np.sqrt(2 * np.pi))
    assert_close(machine.free_energy(VISIBLE), expected, 1e-8)  # of the sum that stands for the integral
    assert_close(machine.hidden(VISIBLE)[:, 0], total)


def test_the_machine_repeats_itself_with_its_generator(rng):
    data = VISIBLE[[3, 5, 12]]
    one, other = (RBM(4, 3, rng=np.random.default_rng(7)).fit(data, epochs=3, lr=0.1, batch_size=2) for _ in range(2))
    assert np.array_equal(one.weight, other.weight)
