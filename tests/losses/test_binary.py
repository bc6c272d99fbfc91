"""Binary cross-entropy and focal loss: hand-computed values, laws, torch, and extreme scores."""

from math import log

import numpy as np
import pytest
from gradients import check_beside_torch
from helpers import assert_close
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnlib import _array, activations
from cnnlib.losses import (
    binary_cross_entropy_with_logits,
    binary_cross_entropy_with_logits_backward,
    cross_entropy,
    focal_loss,
    focal_loss_backward,
    mse_loss_backward,
)

quick = settings(max_examples=150, deadline=None, derandomize=True, database=None)
bce, bce_backward = binary_cross_entropy_with_logits, binary_cross_entropy_with_logits_backward
X, Y = np.array([0.0, log(3), -log(3)]), np.array([1.0, 1, 0.25])  # probabilities 1/2, 3/4, 1/4
EACH = np.array([log(2), log(4 / 3), 0.25 * log(4) + 0.75 * log(4 / 3)])


def test_known_values(array):
    x, y = array(X), array(Y)
    assert_close(bce(x, y, reduction="none"), EACH)
    assert_close(bce(x, y), EACH.mean())
    assert_close(bce(x, y, reduction="sum"), EACH.sum())
    grad_x, grad_y = bce_backward(1.0, x, y, reduction="sum")
    assert_close(grad_x, np.array([0.5 - 1, 0.75 - 1, 0]))  # σ(x) - y
    assert_close(grad_y, -X)  # log (1 - p) - log p
    assert_close(bce(x, y, weight=array(np.array([1.0, 0, 2])), reduction="none"), EACH * [1, 0, 2])
    heavy = bce(x, y, pos_weight=4.0, reduction="none")
    assert_close(heavy, np.array([4 * log(2), 4 * log(4 / 3), log(4) + 0.75 * log(4 / 3)]))


def test_known_values_of_focal_loss(array):
    x, y = array(X), array(np.array([1, 1, 1]))
    losses = focal_loss(x, y, alpha=None, reduction="none")
    assert_close(losses, np.array([log(2) / 4, log(4 / 3) / 16, 9 / 16 * log(4)]))
    assert_close(focal_loss(x, y, reduction="none"), _array.to_numpy(losses) / 4)
    no = focal_loss(x, y * 0, reduction="none")
    assert_close(no, 0.75 * np.array([log(2) / 4, 9 / 16 * log(4), log(4 / 3) / 16]))


def test_laws(array, rng):
    x, y = array(rng.standard_normal((3, 5))), array(rng.integers(0, 2, (3, 5)).astype(float))
    two = array(np.stack([np.zeros(15), _array.to_numpy(x).ravel()], axis=1))
    labels = array(_array.to_numpy(y).ravel().astype(int))
    assert_close(bce(x, y), cross_entropy(two, labels))  # two classes, one score fixed at 0
    assert_close(bce(-x, 1 - y, reduction="none"), bce(x, y, reduction="none"))
    assert_close(focal_loss(x, y, alpha=None, gamma=0), bce(x, y))
    assert_close(focal_loss(x, y, alpha=0.5, gamma=0), 0.5 * bce(x, y))
    p = activations.sigmoid(x)
    right = _array.to_numpy(y * p + (1 - y) * (1 - p))
    focal = focal_loss(x, y, alpha=None, gamma=2.5, reduction="none")
    assert_close(focal, -(1 - right)**2.5 * np.log(right))  # the paper's formula as it stands


def test_surely_wrong_learns(array):
    """At score -10, target 1: half the squared error of the sigmoid has a gradient of -4.5e-5, this one of -1."""
    x, y = array(np.array([-10.0])), array(np.array([1.0]))
    p = activations.sigmoid(x)
    slow = activations.sigmoid_backward(0.5 * mse_loss_backward(1.0, p, y)[0], x)
    assert_close(slow, np.array([-4.5e-5]), tolerance=1e-6)
    assert_close(bce_backward(1.0, x, y)[0], np.array([-1.0]), tolerance=1e-4)


@pytest.mark.parametrize("dtype", ("float32", "float64"))
def test_extreme_scores(array, dtype):
    """Right and sure costs 0, also at infinity, where torch has NaN; wrong and sure costs the score."""
    x = array(np.array([1000, -1000, 1000, -1000, np.inf, -np.inf, np.inf, -np.inf], dtype))
    y = array(np.array([1, 0, 0, 1, 1, 0, 0, 1], dtype))
    expected = np.array([0, 0, 1000, 1000, 0, 0, np.inf, np.inf])
    slopes = np.array([0.0, 0, 1, -1, 0, 0, 1, -1])
    np.testing.assert_array_equal(_array.to_numpy(bce(x, y, reduction="none")), expected)
    assert_close(bce_backward(1.0, x, y, reduction="sum")[0], slopes)
    for gamma in (0, 0.5, 2):
        np.testing.assert_array_equal(
            _array.to_numpy(focal_loss(x, y, alpha=None, gamma=gamma, reduction="none")), expected)
        assert_close(focal_loss_backward(1.0, x, y, alpha=None, gamma=gamma, reduction="sum")[0], slopes)


@quick
@given(shape=st.lists(st.integers(1, 4), max_size=4), reduction=st.sampled_from(["mean", "sum", "none"]),
       weighted=st.sampled_from(["", "one", "all"]), pos=st.sampled_from(["", "one", "last"]),
       hard=st.booleans(), seed=st.integers(0, 2**32 - 1))
def test_matches_torch(shape, reduction, weighted, pos, hard, seed):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(seed)
    x, y = np.asarray(rng.standard_normal(shape) * 4), np.asarray(rng.random(shape))
    x[np.asarray(rng.random(shape) < 0.1)] = 0  # where |x| has its kink
    y = np.asarray(y.round()) if hard else y
    weights = dict(weight={"": None, "one": 0.5, "all": rng.random(shape)}[weighted],
                   pos_weight={"": None, "one": 3.0, "last": rng.uniform(0.5, 3, shape[-1:])}[pos])

    def theirs(x, y):
        tensors = {name: None if value is None else torch.tensor(value, dtype=torch.float64)
                   for name, value in weights.items()}
        return torch.nn.functional.binary_cross_entropy_with_logits(x, y, reduction=reduction, **tensors)

    check_beside_torch(bce, bce_backward, theirs, [x, y], dict(reduction=reduction, **weights), rng)


@quick
@given(shape=st.lists(st.integers(1, 4), max_size=3), alpha=st.sampled_from([None, 0.25, 1.0]),
       gamma=st.sampled_from([0, 0.5, 1, 2, 5.0]), reduction=st.sampled_from(["mean", "sum", "none"]),
       seed=st.integers(0, 2**32 - 1))
def test_focal_loss_matches_the_formula_in_torch(shape, alpha, gamma, reduction, seed):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(seed)
    x, y = np.asarray(rng.standard_normal(shape) * 3), np.asarray(rng.integers(0, 2, shape))

    def theirs(x, y):
        p = torch.sigmoid(x)
        right = torch.where(y == 1, p, 1 - p)
        losses = -(1 - right)**gamma * right.log()
        losses = losses if alpha is None else losses * torch.where(y == 1, alpha, 1 - alpha)
        return losses if reduction == "none" else getattr(losses, reduction)()

    settings = dict(alpha=alpha, gamma=gamma, reduction=reduction)
    check_beside_torch(focal_loss, focal_loss_backward, theirs, [x, y], settings, rng)


@pytest.mark.parametrize("dtype", ("bool", "uint8", "int64", "float32", "float64"))
def test_focal_targets_of_any_dtype(array, dtype):
    assert_close(focal_loss(array(X), array(np.array([1, 0, 1], dtype))), focal_loss(X, np.array([1.0, 0, 1])))


def test_errors(array):
    x = array(np.zeros((2, 3)))
    with pytest.raises(ValueError, match=r"`x` has shape \(2, 3\), `target` \(3, 2\); they must be equal: target"):
        bce(x, array(np.zeros((3, 2))))
    mask = np.zeros((2, 3))
    mask[1, 0] = 255
    with pytest.raises(ValueError, match=r"`target` holds 255\.0 at \[1, 0\]; probabilities lie between 0 and 1"):
        bce(x, array(mask))
    with pytest.raises(ValueError, match=r"`target` holds 255\.0 at \[1, 0\]; it must be 0 \(no\) or 1 \(yes\)"):
        focal_loss(x, array(mask))
    with pytest.raises(ValueError, match=r"`target` holds -1 at \[0\]; it must be 0 \(no\) or 1 \(yes\)"):
        focal_loss(x[0], array(np.array([-1, 1, 1])))
    with pytest.raises(ValueError, match=r"`pos_weight` has shape \(2,\), which does not broadcast to that of `x`"):
        bce(x, x, pos_weight=np.ones(2))
    with pytest.raises(ValueError, match=r"`weight` has shape \(4, 2, 3\), which does not broadcast to that of `x`"):
        bce(x, x, weight=np.ones((4, 2, 3)))
    with pytest.raises(ValueError, match="`alpha` is 1.5; it must lie between 0 and 1, or be None"):
        focal_loss(x, x, alpha=1.5)
    with pytest.raises(ValueError, match="`gamma` is -1; it must be at least 0"):
        focal_loss(x, x, gamma=-1)
