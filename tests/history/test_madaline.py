"""Madaline: rule I by hand, XOR with two Adalines behind each logic, and what it refuses."""

import numpy as np
import pytest
from helpers import assert_close
from logic import CORNERS, FUNCTIONS, XOR

from cnnlib import history

WEIGHTS, BIAS, X = np.array([[0.2, 0.1], [-0.4, 0.3], [0.5, 0.1]]), np.zeros(3), np.array([1, 1])
# On X the sums are 0.3, -0.1 and 0.6: the answers +1, -1, +1.


@pytest.mark.parametrize(("logic", "target", "changed"), [
    ("or", 1, []), ("or", -1, [0, 2]), ("and", -1, []), ("and", 1, [1]), ("majority", 1, []), ("majority", -1, [0])])
def test_rule_one_changes_as_few_as_will_mend_the_output_the_least_sure_first(logic, target, changed):
    weights, bias, found = history.madaline_step(WEIGHTS, BIAS, X, target, 1 / 3, logic)
    assert found == changed
    for k in range(3):
        if k in changed:  # an Adaline's whole error is mended by a rate of 1 over its knobs
            assert weights[k] @ X + bias[k] == pytest.approx(target)
        else:
            assert_close(weights[k], WEIGHTS[k])
    assert WEIGHTS[1, 0] == -0.4 and not BIAS.any()  # the arguments are left alone


def test_an_or_that_should_say_yes_needs_one_adaline_only():
    _, _, changed = history.madaline_step(-np.abs(WEIGHTS), BIAS, X, 1, 1 / 3, "or")
    assert changed == [0]  # sums -0.3, -0.7, -0.6


@pytest.mark.parametrize(("logic", "size"), [("or", 2), ("and", 2), ("majority", 3)])
def test_xor_is_learnt_behind_each_logic_from_each_of_twenty_seeds(logic, size):
    for seed in range(20):
        machine = history.Madaline(2, size, logic, rng=np.random.default_rng(seed))
        machine.fit(CORNERS, XOR, epochs=20, rate=1 / 3)
        assert machine.mistakes[-1] == 0
        assert machine(CORNERS).tolist() == XOR.tolist()


def test_two_adalines_behind_or_learn_all_sixteen_functions():
    for answers in FUNCTIONS:
        machine = history.Madaline(2, 2, "or", rng=np.random.default_rng(0))
        assert machine.fit(CORNERS, answers, epochs=20, rate=1 / 3).mistakes[-1] == 0, answers


def test_the_logic_is_fixed_and_what_it_says():
    machine = history.Madaline(2, 3, "majority", rng=np.random.default_rng(0))
    machine.weights, machine.bias = WEIGHTS, BIAS
    for logic, expected in (("or", 1), ("and", -1), ("majority", 1)):
        machine.logic = logic
        assert machine(X[None]).tolist() == [expected]


def test_errors():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="`logic` is 'xor' with 2 Adalines"):
        history.Madaline(2, 2, "xor", rng=rng)
    with pytest.raises(ValueError, match="`logic` is 'majority' with 4 Adalines; .* of an odd number"):
        history.Madaline(2, 4, "majority", rng=rng)
    with pytest.raises(ValueError, match=r"\(N, 2\) and `targets` \(N,\), not \(4, 3\)"):
        history.Madaline(2, 2, "or", rng=rng).fit(np.ones((4, 3)), XOR, epochs=1, rate=0.1)
