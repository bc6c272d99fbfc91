"""The scalar autograd of lecture 30: known values, sums over paths, and torch's gradients."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnlib.scalar import Value

try:
    import torch
except ImportError:
    torch = None


def test_known_values():
    w, x, b = Value(2.0, "w"), Value(-3.0, "x"), Value(1.0, "b")
    y = (w * x + b).tanh()
    y.backward()
    slope = 1 - math.tanh(-5) ** 2
    assert (w.grad, x.grad, b.grad) == pytest.approx((-3 * slope, 2 * slope, slope))
    assert repr(w) == "Value(w = 2, grad=-0.00054475)"


def test_a_number_used_twice_receives_the_sum_over_both_paths():
    x = Value(3.0)
    (x * x + x).backward()
    assert x.grad == 7.0


def test_gradients_of_several_passes_add_up_until_they_are_set_to_zero():
    x = Value(2.0)
    y = x**3
    y.backward()
    y.backward()
    assert x.grad == 24.0
    y.zero_grad()
    assert (x.grad, y.grad) == (0.0, 0.0)
    y.backward()
    assert x.grad == 12.0


def test_the_syllabus_example_of_updating_too_early():
    """E = (w2 w1 x - y)^2, x = y = 1, w1 = 2, w2 = 3: the gradient of w1 is 30; with the updated w2 = 1 it is 10."""
    def gradient(w2):
        w1 = Value(2.0)
        error = Value(3.0) * w1 * 1 - 1  # the forward pass used w2 = 3
        (2 * error.data * Value(w2) * w1).backward()
        return w1.grad

    w1, w2 = Value(2.0), Value(3.0)
    ((w2 * w1 * 1 - 1) ** 2).backward()
    assert (w1.grad, w2.grad) == (30.0, 20.0)
    assert (gradient(3.0), gradient(3.0 - 0.1 * w2.grad)) == (30.0, 10.0)


def test_a_deep_graph_needs_no_recursion():
    y = x = Value(1.0)
    for _ in range(20_000):
        y = y + x
    y.backward()
    assert x.grad == 20_001


def test_the_graph_lists_inputs_first():
    x = Value(2.0, "x")
    y = x * x + 1
    order = y.graph()
    assert order[-1] is y and order.index(x) < order.index(order[-1].inputs[0])
    assert [value.op for value in order if value.op] == ["*", "+"]


LEAVES = st.floats(-2, 2, allow_nan=False).map(lambda v: round(v, 3))
EXPRESSIONS = st.recursive(
    st.sampled_from(["a", "b", "c"]),
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(["add", "sub", "mul", "div"]), inner, inner),
        st.tuples(st.sampled_from(["tanh", "sigmoid", "relu", "exp", "log", "square", "cube", "neg"]), inner)),
    max_leaves=8)


def evaluate(expression, leaves, ours):
    """Compute an expression on Values, or the same on torch scalars."""
    if isinstance(expression, str):
        return leaves[expression]
    op, *inputs = expression
    a, *b = (evaluate(each, leaves, ours) for each in inputs)
    if op in ("tanh", "sigmoid", "relu"):
        return getattr(a, op)() if ours else getattr(torch, op)(a)
    if op == "exp":  # of something bounded, so that nothing overflows
        return a.tanh().exp()
    if op == "log":
        return (a * a + 1).log()
    if op == "div":
        return a / (b[0] * b[0] + 1)
    return {"add": lambda: a + b[0], "sub": lambda: a - b[0], "mul": lambda: a * b[0], "neg": lambda: -a,
            "square": lambda: a**2, "cube": lambda: a**3}[op]()


@pytest.mark.skipif(torch is None, reason="torch is not installed")
@settings(max_examples=200, deadline=None)
@given(EXPRESSIONS, LEAVES, LEAVES, LEAVES)
def test_matches_torch(expression, a, b, c):
    ours = {name: Value(v) for name, v in zip("abc", (a, b, c))}
    theirs = {name: torch.tensor(v, dtype=torch.float64, requires_grad=True) for name, v in zip("abc", (a, b, c))}
    y, expected = evaluate(expression, ours, True), evaluate(expression, theirs, False)
    y.backward()
    expected.backward()
    assert y.data == pytest.approx(expected.item(), rel=1e-12, abs=1e-12)
    for name in "abc":
        grad = theirs[name].grad
        assert ours[name].grad == pytest.approx(0.0 if grad is None else grad.item(), rel=1e-12, abs=1e-12)


def test_the_other_side_of_each_operator():
    x = Value(4.0)
    assert ((2 + x).data, (2 * x).data, (2 - x).data, (2 / x).data) == (6.0, 8.0, -2.0, 0.5)
    (2 / x).backward()
    assert x.grad == -2 / 16


def equal(ours, theirs):
    """Relative: 1e-12 of a number as small as 1e-44 counts, too."""
    return ours == pytest.approx(theirs, rel=1e-12, abs=0, nan_ok=True)


NUMBERS = [sign * size for size in (1e-200, 1e-3, 1, 5, 20, 36.5, 40, 99.5, 100, 700, 1e200) for sign in (-1.0, 1.0)]
FUNCTIONS = {
    "sigmoid": (NUMBERS, lambda x: x.sigmoid()),
    "log sigmoid": ([x for x in NUMBERS if x > -1e3], lambda x: x.sigmoid().log()),
    "exp": (NUMBERS, lambda x: x.exp()),
    "log": ([x for x in NUMBERS if x > 0], lambda x: x.log()),
    "relu": (NUMBERS, lambda x: x.relu()),
    **{f"power {n}": (NUMBERS, lambda x, n=n: x**n) for n in (0, 1, 2, 3, -1, -2, -3)},
    **{f"power {n}": ([x for x in NUMBERS if x > 0], lambda x, n=n: x**n) for n in (0.5, -0.5, 2.5)},
}


@pytest.mark.skipif(torch is None, reason="torch is not installed")
@pytest.mark.parametrize("name", FUNCTIONS)
def test_large_and_small_numbers_match_torch(name):
    numbers, fn = FUNCTIONS[name]
    for number in numbers:
        ours, theirs = Value(number), torch.tensor(number, dtype=torch.float64, requires_grad=True)
        y, expected = fn(ours), fn(theirs)
        y.backward()
        expected.backward()
        assert equal(y.data, expected.item()), (name, number)
        assert equal(ours.grad, theirs.grad.item()), (name, number)


def test_far_out_in_known_numbers():
    x = Value(-40)
    y = x.sigmoid()
    y.log().backward()
    assert equal(y.data, math.exp(-40)) and equal(x.grad, 1.0)
    for base, exponent, power in ((1e200, 2, math.inf), (-1e200, 2, math.inf), (-1e200, 3, -math.inf),
                                  (-1e-200, -3, -math.inf), (1e-200, -2, math.inf)):
        assert (Value(base) ** exponent).data == power
    assert (Value(0.0) ** 0.5).slopes == (math.inf,)


def test_sigmoid_of_large_numbers_does_not_overflow():
    assert Value(-1000).sigmoid().data == 0.0
    assert Value(1000).sigmoid().data == 1.0
    assert Value(1000).exp().data == math.inf


@pytest.mark.parametrize("wrong, message", [
    (lambda: Value("3"), r"`data` is '3'; a Value holds one number"),
    (lambda: Value(True), "`data` is True"),
    (lambda: Value(2.0) ** Value(3.0), r"must be a plain number \(a Value: write exp"),
    (lambda: Value(-2.0) ** 0.5, r"-2.0 \*\* 0.5 is no real number"),
    (lambda: Value(0.0) ** -1, r"0.0 \*\* -1 is no real number"),
    (lambda: Value(0.0).log(), "the logarithm of 0.0 does not exist"),
])
def test_errors(wrong, message):
    with pytest.raises((TypeError, ValueError), match=message):
        wrong()
