"""The Adaline machine in Python: its steps are cnnlib.history's, what it knows of its patterns, what it refuses."""

import itertools

import numpy as np
import pytest

pytest.importorskip("anywidget")

from traitlets import TraitError

from cnnlib import history
from cnnlib.widgets import AdalineMachine, _adaline

T = _adaline.SETS["letters"]["T"]


def test_one_step_from_zero_brings_the_sum_to_one():
    machine = AdalineMachine()
    machine.learn()
    assert f"{_adaline.total(machine.knobs, machine.inputs.ravel()):.3f}" == "1.000"
    np.testing.assert_allclose(np.abs(machine.knobs), 1 / 17, rtol=1e-6)
    assert machine.turn == 1 and machine.sentence().startswith("Sum 1, wanted 1: no error, nothing turns.")


@pytest.mark.parametrize("patterns", _adaline.SETS)
@pytest.mark.parametrize("rule, rate", [
    ("adaline", 1 / 17), ("adaline", 0.3 / 17),
    ("perceptron", 1 / 16), ("perceptron", 1 / 64),  # powers of two: a sum of 0 is 0 in either precision
])
def test_fifty_steps_are_those_of_the_history(rule, patterns, rate):
    """Pressed one by one, so that each is rounded to single precision, beside double precision throughout."""
    machine, step = AdalineMachine(rule=rule, patterns=patterns, rate=rate), _adaline.STEPS[rule]
    weights, bias, turns = np.zeros(16), 0.0, 0
    for k in range(50):
        x, target = machine.lessons[k % len(machine.lessons)]
        weights, bias, error = step(weights, bias, x, target, rate)
        turns += abs(error) > 1e-5
        machine.inputs, machine.target = x.reshape(4, 4), target
        machine.learn()
        np.testing.assert_allclose(machine.knobs, np.append(weights, bias), atol=1e-5)
    assert machine.turn == turns > 3


@pytest.mark.parametrize("rule, unit", [("adaline", history.Adaline), ("perceptron", history.Perceptron)])
def test_ten_laps_are_ten_epochs(rule, unit):
    machine, epochs = AdalineMachine(rule=rule), unit(16)
    machine.learn_all()
    epochs.fit([x for x, _ in machine.lessons], [target for _, target in machine.lessons], epochs=10, rate=1 / 17)
    np.testing.assert_allclose(machine.knobs, np.append(epochs.weights, epochs.bias), atol=1e-5)
    assert machine.history[-1] == (machine.turn, pytest.approx(epochs.squared_errors[-1], abs=1e-5))
    assert [turn for turn, _ in machine.history] == list(range(machine.turn + 1))


def test_the_perceptron_leaves_the_knobs_when_right():
    machine = AdalineMachine(rule="perceptron", weights=np.eye(4) / 8)
    assert machine.sentence().startswith("Sum 0, wanted 1: no error after the threshold: nothing turns. Lamp +1, right")
    machine.learn(3)
    assert np.array_equal(machine.weights, np.eye(4) / 8) and machine.turn == 0 and len(machine.history) == 1
    machine.target = -1
    machine.learn()
    assert machine.turn == 1 and machine.sentence().startswith("Sum −2, wanted −1: no error after the threshold")


@pytest.mark.parametrize("rule", _adaline.STEPS)
def test_the_letters_are_learnt_and_xor_never_is(rule):
    letters, xor = AdalineMachine(rule=rule), AdalineMachine(rule=rule, patterns="xor")
    letters.learn_all()
    assert all(letters.right().values()) and "All 6 patterns right" in letters.sentence()
    assert "Madaline" not in letters.sentence()
    for _ in range(100):
        xor.learn_all(1)
        assert not all(xor.right().values())
    end = {"adaline": "no knobs get the mean squared error below 1", "perceptron": "the perceptron never stops"}[rule]
    assert xor.sentence().endswith(f"No weights get all 4 right: {end}. It takes more than one Adaline: a Madaline.")


def test_the_least_error_is_that_of_the_normal_equations():
    """XOR's least is 1, that of no knobs at all; of drawn patterns many steps of gradient descent come to it."""
    assert _adaline.least_error(tuple(_adaline.SETS["xor"].values())) == 1
    assert AdalineMachine(patterns="xor").history[-1][1] == 1
    rng = np.random.default_rng(3)
    for n in (2, 6, 10):
        x = np.repeat(rng.choice([-1, 1], (n, 4)), 4, axis=0).reshape(n, 16)  # rows alike: 4 columns tell them apart
        y = rng.choice([-1, 1], n)
        texts = tuple(" ".join("".join(".#"[int(v > 0)] for v in row) for row in picture.reshape(4, 4)) + f" {t:+d}"
                      for picture, t in zip(x, y))
        knobs, inputs = np.zeros(17), np.column_stack([x, np.ones(n)])
        for _ in range(30000):
            knobs += inputs.T @ (y - inputs @ knobs) / (17 * n)
        assert _adaline.least_error(texts) == pytest.approx(np.mean((y - inputs @ knobs) ** 2), abs=1e-4)


def test_what_the_machine_calls_impossible_is_so():
    """All 256 answers to the eight corners of a cube, beside those that small weights give: the known 104."""
    cube = np.array([*itertools.product([-1, 1], repeat=3)])
    knobs = itertools.product([-2, -1, 0, 1, 2], [-2, -1, 0, 1, 2], [-2, -1, 0, 1, 2], np.arange(-5.5, 6))
    possible = {tuple(np.sign(cube @ weights + bias).astype(int)) for *weights, bias in knobs}
    assert len(possible) == 104
    pictures = [" ".join(["".join(".#"[int(x > 0)] for x in (a, b, c, c))] * 4) for a, b, c in cube]
    for answers in itertools.product([-1, 1], repeat=8):
        texts = tuple(f"{picture} {answer:+d}" for picture, answer in zip(pictures, answers))
        assert _adaline.separable(texts) is (answers in possible), answers


def test_a_sum_that_only_rounding_makes_negative_is_zero():
    """XOR's sums are often 0: the lamp must not flicker with the last bit of a knob."""
    for rule, error in (("adaline", 1), ("perceptron", 0)):
        machine = AdalineMachine(rule=rule, bias=-2e-8)
        assert machine.right()["T"] and _adaline.answer(machine.knobs, machine.lessons[0][0]) == 1
        assert _adaline.step(rule, machine.knobs, *machine.lessons[0], 1 / 17)[1] == error
        assert machine.sentence().startswith("Sum 0, wanted 1: ")


def test_rates():
    errors = {}
    for times_17 in (0.5, 1.5, 2, 3):
        machine = AdalineMachine(rate=times_17 / 17)
        machine.learn()
        errors[times_17] = 1 - _adaline.total(machine.knobs, machine.inputs.ravel())
        assert ("overshoots, and the error grows" in machine.sentence()) == (times_17 > 2)
    assert list(errors.values()) == pytest.approx([0.5, -0.5, -1, -2], abs=1e-6)
    machine.learn(100)
    assert np.abs(machine.knobs).max() <= _adaline.RUNAWAY and machine.turn < 60
    assert "the knobs have run away, and turn no further" in machine.sentence()


def test_history_is_that_of_the_present_state():
    machine = AdalineMachine()
    machine.learn_all(1)
    whole = machine.history
    assert len(whole) == machine.turn + 1 == 7 and whole[0] == (0, 1)
    machine.turn = 3
    machine.weights, machine.bias = np.zeros((4, 4)), 0.0  # not what stood there after turn 3
    assert machine.history == [(3, 1)]
    machine.reset()
    assert machine.turn == 0 and machine.history == [(0, 1)]


def test_patterns():
    picture = np.array([[1 if sign == "#" else -1 for sign in row] for row in T.split()[:4]])
    machine = AdalineMachine(patterns={"mine": (picture, -1), "all on": "#### #### #### #### +1"})
    assert machine.patterns == {"mine": T.replace("+1", "-1"), "all on": "#### #### #### #### +1"}
    assert np.array_equal(machine.inputs, picture) and machine.target == -1  # the first pattern, and its answer
    assert machine.right() == {"mine": False, "all on": True}
    assert machine.code() == ('AdalineMachine(target=-1, patterns={"mine": "###. .#.. .#.. .#.. -1", '
                              '"all on": "#### #### #### #### +1"})')
    assert AdalineMachine(patterns="xor").target == -1
    assert type(AdalineMachine(target=np.int64(-1)).target) is int
    assert AdalineMachine(bias=0.1).code() == "AdalineMachine(bias=0.1)"


@pytest.mark.parametrize("state, words", [
    ({"patterns": "leters"}, "`patterns` is 'leters'; did you mean 'letters'. it must be letters, xor, or a dict"),
    ({"patterns": "digits"}, "`patterns` is 'digits'; it must be letters, xor, or a dict of patterns"),
    ({"patterns": 3}, "`patterns` is 3; it must be letters, xor, or a dict of 1 to 10 patterns"),
    ({"patterns": {}}, "`patterns` has 0 patterns; it must be"),
    ({"patterns": {"1": T}}, "`patterns` has the name '1'; it must be 1 to 8 letters, .* a letter first"),
    ({"patterns": {"T": "### .#. .#. .#. +1"}}, "has 'T': '### .#. .#. .#. .1'; it must be a text such as '###. "),
    ({"patterns": {"T": (np.ones((3, 4)), 1)}}, "(?s)`patterns` has 'T': .* a pair of a 4×4 picture of 1 and -1"),
    ({"patterns": {"T": (np.ones((4, 4)), 0)}}, "and a target of 1 or -1"),
    ({"patterns": {"A": T, "B": T.replace("+1", "-1")}}, "the same picture for 'A' and 'B'; each must differ"),
    ({"inputs": np.ones((4, 3))}, r"`inputs` is an array of shape \(4, 3\) .*; it must be 4×4 numbers of 1 .on. and"),
    ({"inputs": np.zeros((4, 4))}, "`inputs` is .* it must be 4×4 numbers of 1"),
    ({"weights": np.full((4, 4), np.nan)}, "`weights` is .*; it must be 4×4 finite numbers"),
    ({"bias": np.inf}, "`bias` is inf; it must be a finite number"), ({"bias": 1e39}, "`bias` is inf; it must be"),
    ({"target": 0}, r"'target' trait .* expected any of \[1, -1\], not the int 0"),
    ({"rule": "hebb"}, r"'rule' trait .* expected any of \['adaline', 'perceptron'\], not the str 'hebb'"),
])
def test_errors(state, words):
    with pytest.raises((ValueError, TraitError), match=words):
        AdalineMachine(**state)


def test_a_rate_that_cannot_be_is_refused_aloud():
    machine = AdalineMachine(rate=0.0)
    assert machine.sentence() == ("Refused: rate 0: it must be above 0 and at most 1; 1/17 corrects the whole error.")
    with pytest.raises(ValueError, match="the machine cannot learn with rate 0: it must be above 0"):
        machine.learn()
