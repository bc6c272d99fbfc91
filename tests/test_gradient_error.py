"""How far a pair is from torch: near 0 for right pairs, and not for wrong values, wrong gradients or NaN."""

import numpy as np
import pytest

from cnnlib import activations, conv, gradcheck, linear, losses, norms, pool, torch_layers

torch = pytest.importorskip("torch")


def half(x):
    return x / 2


def half_backward(grad_output, x):
    return half_backward.factor * grad_output


@pytest.mark.parametrize("op, args, settings", [
    (conv.conv2d, [(2, 3, 6, 5), (4, 3, 3, 2), (4,)], dict(stride=2)),
    (pool.max_pool2d, [(2, 3, 6, 5)], dict(kernel_size=3, stride=1)),
    (activations.gelu, [(3, 4)], {}),
    (linear.linear, [(2, 3, 5), (4, 5), (4,)], {}),
    (norms.batch_norm, [(4, 3, 2), None, None, (3,), (3,)], dict(training=True)),
])
def test_right_pairs(rng, op, args, settings):
    arrays = [shape and rng.standard_normal(shape) for shape in args]
    assert torch_layers.gradient_error(op, *arrays, **settings) < 1e-12


def test_integers_are_passed_on(rng):
    x, target = rng.standard_normal((5, 3)), np.array([0, 2, 1, 1, 0])
    assert torch_layers.gradient_error(losses.cross_entropy, x, target) < 1e-12


def test_float32_is_compared_in_float64(rng):
    x = rng.standard_normal((3, 4)).astype("float32")
    assert torch_layers.gradient_error(activations.tanh, x) < 1e-14
    assert x.dtype == "float32"


def test_a_wrong_gradient_is_seen(rng, monkeypatch):
    monkeypatch.setattr(half_backward, "factor", 0.5, raising=False)
    x = rng.standard_normal((3, 4))
    assert torch_layers.gradient_error(half, x, theirs=lambda x: x / 2) == 0
    half_backward.factor = 0.25
    assert torch_layers.gradient_error(half, x, theirs=lambda x: x / 2) == 0.5
    half_backward.factor = np.nan
    assert torch_layers.gradient_error(half, x, theirs=lambda x: x / 2) == np.inf


def test_a_wrong_value_is_seen(rng, monkeypatch):
    monkeypatch.setattr(half_backward, "factor", 0.5, raising=False)
    assert torch_layers.gradient_error(half, rng.random(5) + 1, theirs=lambda x: x / 2 + 1) > 0.1


def test_errors(rng, monkeypatch):
    with pytest.raises(TypeError, match="no argument is a NumPy array of float"):
        torch_layers.gradient_error(activations.relu, np.arange(3))
    monkeypatch.setattr(half_backward, "factor", np.ones((2, 1)), raising=False)
    with pytest.raises(ValueError, match=r"ours has shape \(2, 3\), torch's \(3,\)"):
        torch_layers.gradient_error(half, rng.standard_normal(3), theirs=lambda x: x / 2)


def test_backward_of():
    assert gradcheck.backward_of(half) is half_backward
    assert gradcheck.backward_of(conv.conv2d) is conv.conv2d_backward
    with pytest.raises(ValueError, match=f"`op` is 'half_backward'; {__name__} has no half_backward_backward"):
        gradcheck.backward_of(half_backward)
