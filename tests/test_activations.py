"""Activations and softmax by hand-computed values, by their laws, and beside torch."""

from math import log

import numpy as np
import pytest
from gradients import check_beside_torch
from helpers import assert_close
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnlib import _array, activations
from cnnlib.activations import (
    gelu,
    leaky_relu,
    log_softmax,
    relu,
    scaled_tanh,
    sigmoid,
    softmax,
    tanh,
)

quick = settings(max_examples=60, deadline=None, derandomize=True, database=None)
NAMES = ("relu", "relu6", "leaky_relu", "sigmoid", "tanh", "scaled_tanh", "gelu")
WITH_OUT = ("sigmoid", "tanh", "scaled_tanh", "softmax", "log_softmax")


def pair(name):
    return getattr(activations, name), getattr(activations, f"{name}_backward")


KNOWN = {  # x, y, dy/dx
    "relu": ([-2, 0, 3], [0, 0, 3], [0, 0, 1]),
    "relu6": ([-2, 3, 8], [0, 3, 6], [0, 1, 0]),
    "leaky_relu": ([-2, 0, 3], [-0.02, 0, 3], [0.01, 0.01, 1]),
    "sigmoid": ([-log(3), 0, log(3)], [0.25, 0.5, 0.75], [3 / 16, 1 / 4, 3 / 16]),
    "tanh": ([-log(3) / 2, 0, log(3) / 2], [-0.5, 0, 0.5], [0.75, 1, 0.75]),
    "scaled_tanh": ([-0.75 * log(3), 0], [-1.7159 / 2, 0], [0.75 * 1.7159 * 2 / 3, 1.7159 * 2 / 3]),
    # Φ(1) = 0.8413447460685429, φ(1) = 0.24197072451914337
    "gelu": ([0, 1, -1], [0, 0.8413447460685429, -0.15865525393145707],
             [0.5, 0.8413447460685429 + 0.24197072451914337, 0.15865525393145707 - 0.24197072451914337]),
}


@pytest.mark.parametrize("name", KNOWN)
def test_known_values(array, name):
    op, backward = pair(name)
    x, y, slope = (np.array(column, dtype=float) for column in KNOWN[name])
    assert_close(op(array(x)), y)
    assert_close(backward(array(np.full(x.shape, 2.0)), array(x)), 2 * slope)


def test_known_values_of_softmax(array):
    x = array(np.log([[1.0, 2.0, 5.0], [3.0, 3.0, 2.0]]))
    assert_close(softmax(x, dim=1), np.array([[1, 2, 5], [3, 3, 2]]) / 8)
    assert_close(softmax(x, dim=0), np.array([[1 / 4, 2 / 5, 5 / 7], [3 / 4, 3 / 5, 2 / 7]]))
    assert_close(log_softmax(x, dim=-1), np.log(np.array([[1, 2, 5], [3, 3, 2]]) / 8))
    grad = activations.softmax_backward(array(np.array([[1.0, 0, 0], [0, 0, 1]])), x, dim=1)
    assert_close(grad, np.array([[7, -2, -5], [-6, -6, 12]]) / 64)
    grad = activations.log_softmax_backward(array(np.array([[1.0, 0, 0], [0, 0, 1]])), x, dim=1)
    assert_close(grad, np.array([[7, -2, -5], [-3, -3, 6]]) / 8)


def test_scaled_tanh_is_lecuns(array):
    """f(1) = 1, f(-1) = -1 to the paper's four digits."""
    assert_close(scaled_tanh(array(np.array([1.0, -1.0]))), np.array([1.0, -1.0]), tolerance=5e-5)


def test_laws(array, rng):
    x = array(rng.standard_normal((3, 4, 5)) * 3)
    assert_close(relu(x) - relu(-x), x)
    assert_close(relu(x) - 0.3 * relu(-x), leaky_relu(x, 0.3))
    assert_close(sigmoid(-x), 1 - sigmoid(x))
    assert_close(tanh(x), 2 * sigmoid(2 * x) - 1)
    assert_close(gelu(x) - gelu(-x), x)
    assert_close(gelu(x, "tanh"), x * sigmoid(2 * np.sqrt(2 / np.pi) * (x + 0.044715 * x * x * x)))
    assert_close(gelu(x, "tanh"), gelu(x), tolerance=5e-4)  # an approximation


@pytest.mark.parametrize("dim", (0, 1, 2, -1))
def test_laws_of_softmax(array, rng, dim):
    x, g = (array(rng.standard_normal((3, 4, 5)) * 3) for _ in range(2))
    p = softmax(x, dim)
    ones = p.sum(axis=dim)
    assert bool((p > 0).all())
    assert_close(ones, np.ones(tuple(ones.shape)))
    assert_close(softmax(x + 1000, dim), p)
    assert_close(softmax(_array.flip(x, (dim,)), dim), _array.flip(p, (dim,)))
    assert_close(log_softmax(x, dim), np.log(_array.to_numpy(p)))
    for name in ("softmax", "log_softmax"):  # x + constant changes nothing
        total = pair(name)[1](g, x, dim).sum(axis=dim)
        assert_close(total, np.zeros(tuple(total.shape)))


def test_softmax_of_two_is_the_sigmoid(array, rng):
    x = rng.standard_normal(7)
    assert_close(softmax(array(np.stack([x, 0 * x])), dim=0)[0], _array.to_numpy(sigmoid(array(x))))


@pytest.mark.parametrize("dtype", ("float32", "float64"))
def test_extreme_scores(array, dtype):
    x = array(np.array([-np.inf, -1e30, -1000, 1000, 1e30, np.inf], dtype=dtype))
    assert_close(sigmoid(x), np.array([0.0, 0, 0, 1, 1, 1]))
    assert_close(tanh(x), np.array([-1.0, -1, -1, 1, 1, 1]))
    np.testing.assert_array_equal(_array.to_numpy(relu(x)), np.maximum(_array.to_numpy(x), 0))
    rows = array(np.array([[1000, 1000, -1000], [0, -np.inf, -1e30]], dtype=dtype))
    assert_close(softmax(rows, 1), np.array([[0.5, 0.5, 0], [1, 0, 0]]))
    logs = _array.to_numpy(log_softmax(rows, 1))
    np.testing.assert_allclose(logs[0], [-log(2), -log(2), -2000 - log(2)], rtol=1e-6)
    np.testing.assert_array_equal(logs[1], np.array([0, -np.inf, -1e30], dtype=dtype))


def test_small_results_keep_their_digits(array):
    x = array(np.array([-40.0, -300.0, -700.0]))
    np.testing.assert_allclose(_array.to_numpy(sigmoid(x)), np.exp([-40.0, -300.0, -700.0]), rtol=1e-13)
    # Φ(-8) = 6.220960574271786e-16 (tabulated), where 1 + erf has no digit left
    np.testing.assert_allclose(_array.to_numpy(gelu(array(np.array([-8.0])))), [-8 * 6.220960574271786e-16], rtol=1e-13)


@pytest.mark.parametrize("name", NAMES)
def test_nan_and_infinity_as_in_torch(name):
    torch = pytest.importorskip("torch")
    theirs = getattr(torch.nn.functional, name, lambda x: 1.7159 * torch.tanh(2 / 3 * x))
    x = np.array([np.nan, np.inf, -np.inf, 1.0])
    np.testing.assert_allclose(pair(name)[0](x), theirs(torch.tensor(x)).numpy(), rtol=1e-12)


@pytest.mark.parametrize("row", ([np.nan, 1.0], [np.inf, 1.0], [-np.inf, -np.inf]))
def test_nan_of_softmax_as_in_torch(array, row):
    x = array(np.array([row, [0.0, 0.0]]))
    assert_close(softmax(x, 1)[1], np.array([0.5, 0.5]))  # the other row has nothing of it
    assert np.isnan(_array.to_numpy(softmax(x, 1)[0])).all()
    assert np.isnan(_array.to_numpy(log_softmax(x, 1)[0])).any()


def test_gradients_stop_where_relu_is_0_even_for_infinity(array):
    """A product with 0 would give NaN."""
    x, g = array(np.array([-1.0, 0.0, 2.0])), array(np.array([np.inf, np.nan, np.inf]))
    np.testing.assert_array_equal(_array.to_numpy(activations.relu_backward(g, x)), [0, 0, np.inf])


def test_the_output_of_relu_may_stand_for_its_input(array, rng):
    x, g = (array(rng.standard_normal((3, 4))) for _ in range(2))
    assert_close(activations.relu_backward(g, relu(x)), activations.relu_backward(g, x))


def test_integers(array):
    x = array(np.array([-3, 0, 5], dtype="int8"))
    np.testing.assert_array_equal(_array.to_numpy(relu(x)), [0, 0, 5])
    assert _array.dtype_name(relu(x)) == "int8"
    for name in ("sigmoid", "tanh", "scaled_tanh"):
        op, backward = pair(name)
        out = op(x)
        assert _array.dtype_name(out) == "float32"  # as torch does
        assert_close(out, op(np.array([-3.0, 0.0, 5.0])), tolerance=1e-6)
        assert backward(out, x) is None


def test_one_number(array):
    x = array(np.array(-0.5))
    for name in NAMES:
        assert tuple(pair(name)[0](x).shape) == tuple(pair(name)[1](x, x).shape) == ()
    assert float(softmax(x, 0)) == float(softmax(x, -1)) == 1 and float(log_softmax(x, 0)) == 0
    assert float(activations.softmax_backward(x, x, 0)) == 0


def test_no_classes(array):
    x = array(np.zeros((3, 0)))
    assert tuple(softmax(x, 1).shape) == tuple(log_softmax(x, 1).shape) == (3, 0)


@pytest.mark.parametrize("name", WITH_OUT)
def test_saved_output(array, rng, name):
    op, backward = pair(name)
    x, g = (array(rng.standard_normal((3, 4))) for _ in range(2))
    dim = (1,) if "softmax" in name else ()
    assert_close(backward(g, x, *dim, out=op(x, *dim)), backward(g, x, *dim))
    with pytest.raises(ValueError, match=r"`out` has shape \(3, 3\); it must be \(3, 4\)"):
        backward(g, x, *dim, out=op(x, *dim)[:, :3])


TWINS = {"relu": (), "relu6": (), "leaky_relu": (0.3,), "sigmoid": (), "tanh": (), "gelu": (), "gelu, tanh": ("tanh",)}
shapes = st.lists(st.integers(1, 5), min_size=0, max_size=4).map(tuple)


@pytest.mark.parametrize("name", TWINS)
@quick
@given(shape=shapes, seed=st.integers(0, 2**32 - 1))
def test_matches_torch(name, shape, seed):
    torch = pytest.importorskip("torch")
    op, backward = pair(name.partition(",")[0])
    rng = np.random.default_rng(seed)
    x = np.asarray(rng.standard_normal(shape) * 4)
    x[np.asarray(rng.random(shape) < 0.1)] = 0  # the kink itself

    def theirs(x, *settings):
        if name == "gelu, tanh":
            return torch.nn.functional.gelu(x, approximate=settings[0])
        return getattr(torch.nn.functional, name)(x, *settings)

    check_beside_torch(op, backward, theirs, [x, *TWINS[name]], {}, rng)


@pytest.mark.parametrize("name", ("softmax", "log_softmax"))
@quick
@given(shape=shapes, axis=st.integers(-100, 100), seed=st.integers(0, 2**32 - 1))
def test_softmax_matches_torch(name, shape, axis, seed):
    torch = pytest.importorskip("torch")
    axes = max(len(shape), 1)
    dim = axis % (2 * axes) - axes
    rng = np.random.default_rng(seed)
    args = [np.asarray(rng.standard_normal(shape) * 4), dim]
    check_beside_torch(*pair(name), getattr(torch.nn.functional, name), args, {}, rng)


@pytest.mark.parametrize("name", NAMES)
def test_autograd_through_extreme_numbers(name):
    """torch's autograd through our formulas is right also where an exponential overflows, and at 0."""
    torch = pytest.importorskip("torch")
    op, backward = pair(name)
    x = torch.tensor([-1000.0, -90.0, 0.0, 90.0, 1000.0], requires_grad=True)
    op(x).sum().backward()
    assert_close(x.grad, backward(torch.ones(5), x.detach()))


def test_errors(array):
    x = array(np.zeros((3, 4)))
    with pytest.raises(ValueError, match=r"`dim` is 2; arrays of shape \(3, 4\) have the axes -2 to 1"):
        softmax(x, 2)
    with pytest.raises(ValueError, match="`dim` is -3; it must be at least -2"):
        log_softmax(x, -3)
    with pytest.raises(TypeError, match=r"`dim` must be a whole number, not \(0, 1\)"):
        softmax(x, (0, 1))
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'dim'"):
        softmax(x)
    for function in (gelu, lambda x, word: activations.gelu_backward(x, x, word)):
        with pytest.raises(ValueError, match="`approximate` is 'erf'; it must be 'none' or 'tanh'"):
            function(x, "erf")
