"""Cross-entropy: hand-computed values, laws, torch over drawn cases, and where torch would give NaN."""

from math import e, log, prod

import numpy as np
import pytest
from gradients import check_beside_torch
from helpers import assert_close
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnlib import _array, activations
from cnnlib.losses import cross_entropy, cross_entropy_backward

quick = settings(max_examples=150, deadline=None, derandomize=True, database=None)
SCORES = np.log([[1.0, 2, 5], [3, 3, 2]])  # probabilities in eighths


def test_known_values(array):
    x, target = array(SCORES), array(np.array([2, 0]))
    each = np.array([log(8 / 5), log(8 / 3)])
    assert_close(cross_entropy(x, target, reduction="none"), each)
    assert_close(cross_entropy(x, target), each.mean())
    assert_close(cross_entropy(x, target, reduction="sum"), each.sum())
    grad, none = cross_entropy_backward(1.0, x, target, reduction="sum")
    assert none is None
    assert_close(grad, np.array([[1, 2, -3], [-5, 3, 2]]) / 8)  # p - y
    grad, _ = cross_entropy_backward(1.0, x, target)
    assert_close(grad, np.array([[1, 2, -3], [-5, 3, 2]]) / 16)


def test_known_values_of_settings(array):
    x, target = array(SCORES), array(np.array([2, -100]))
    costs = -np.log(np.array([[1, 2, 5], [3, 3, 2]]) / 8)
    assert_close(cross_entropy(x, target), costs[0, 2])  # the mean of one
    assert_close(cross_entropy(x, target, reduction="none"), np.array([costs[0, 2], 0]))
    weight = array(np.array([1.0, 2, 4]))
    both = cross_entropy(x, array(np.array([2, 1])), weight=weight)
    assert_close(both, (4 * costs[0, 2] + 2 * costs[1, 1]) / 6)
    smooth = cross_entropy(x, array(np.array([2, 1])), label_smoothing=0.3, reduction="none")
    assert_close(smooth, 0.7 * costs[[0, 1], [2, 1]] + 0.1 * costs.sum(1))
    soft = array(np.array([[0.0, 0.25, 0.75], [1, 0, 0]]))
    assert_close(cross_entropy(x, soft, reduction="none"), (costs * _array.to_numpy(soft)).sum(1))
    assert_close(cross_entropy_backward(1.0, x, soft, reduction="sum")[1], costs)


def test_the_first_loss_of_ten_classes(array):
    scores = array(np.zeros((64, 10)))
    assert_close(cross_entropy(scores, array(np.arange(64) % 10)), np.array(log(10)))
    assert_close(cross_entropy(array(np.zeros((10, 64)))[:, :], array(np.arange(10))), np.array(log(64)))


def test_a_second_softmax_has_a_floor(array):
    """Surely right, and yet the loss is not below -ln(e / (e + 9)) = 1.4612 (lecture 33)."""
    certain = array(np.eye(10) * 1000)
    target = array(np.arange(10))
    assert float(cross_entropy(certain, target)) == 0
    assert_close(cross_entropy(activations.softmax(certain, 1), target), np.array(-log(e / (e + 9))))


def test_one_hot_is_the_class(array, rng):
    x, target = array(rng.standard_normal((5, 4, 3))), rng.integers(0, 4, (5, 3))
    one_hot = array(np.moveaxis(np.eye(4)[target], -1, 1).copy())
    for reduction in ("mean", "sum", "none"):
        settings = dict(reduction=reduction, label_smoothing=0.2)
        loss = cross_entropy(x, array(target), **settings)
        assert_close(cross_entropy(x, one_hot, **settings), loss)
        assert_close(cross_entropy_backward(loss, x, one_hot, **settings)[0],
                     cross_entropy_backward(loss, x, array(target), **settings)[0])


def test_laws(array, rng):
    x, target = array(rng.standard_normal((5, 4, 3))), array(rng.integers(0, 4, (5, 3)))
    loss = cross_entropy(x, target, reduction="none")
    assert_close(cross_entropy(x + 1000, target, reduction="none"), loss)
    grad, _ = cross_entropy_backward(1.0, x, target)
    assert_close(grad.sum(axis=1), np.zeros((5, 3)))
    assert_close(grad, (_array.to_numpy(activations.softmax(x, 1)) - np.moveaxis(
        np.eye(4)[_array.to_numpy(target)], -1, 1)) / 15)
    for n in range(5):  # each sample alone
        assert_close(cross_entropy(x[n:n + 1], target[n:n + 1], reduction="none"), loss[n:n + 1])
    assert_close(cross_entropy(x[0, :, 0], target[0, 0]), loss[0, 0])  # without a batch


@pytest.mark.parametrize("dtype", ("float32", "float64"))
def test_extreme_scores(array, dtype):
    x = array(np.array([[1000, -1000, 0], [-1000, 1000, 0], [0, -np.inf, -np.inf]], dtype=dtype))
    target = array(np.array([0, 0, 0]))
    assert_close(cross_entropy(x, target, reduction="none"), np.array([0.0, 2000, 0]))
    grad, _ = cross_entropy_backward(1.0, x, target, reduction="sum")
    assert_close(grad, np.array([[0.0, 0, 0], [-1, 1, 0], [0, 0, 0]]))
    impossible = cross_entropy(x, array(np.array([0, 0, 1])), reduction="none")
    assert float(impossible[2]) == np.inf


def test_what_never_happens_costs_nothing(array):
    """0 · ∞: torch gives NaN for probabilities, though not for the same class as an index."""
    x, soft = array(np.array([[0.0, -np.inf], [0.0, 0.0]])), array(np.array([[1.0, 0.0], [0.5, 0.5]]))
    assert_close(cross_entropy(x, soft, reduction="none"), np.array([0, log(2)]))
    assert_close(cross_entropy_backward(1.0, x, soft, reduction="sum")[0], np.zeros((2, 2)))


def test_ignored_samples_have_no_part(array):
    """Not even with NaN in their scores."""
    x = np.array([[0.0, 0.0], [np.nan, 1.0]])
    for ignore_index, target in ((-100, [1, -100]), (0, [1, 0]), (255, [1, 255])):
        args = array(x), array(np.array(target))
        assert_close(cross_entropy(*args, ignore_index=ignore_index), np.array(log(2)))
        grad, _ = cross_entropy_backward(1.0, *args, ignore_index=ignore_index)
        assert_close(grad, np.array([[0.5, -0.5], [0, 0]]))
    assert np.isnan(float(cross_entropy(array(x), array(np.array([1, 1])))))


@pytest.mark.parametrize("dtype", ("uint8", "int8", "int16", "int32", "int64"))
def test_any_integers_are_classes(array, dtype):
    assert_close(cross_entropy(array(SCORES), array(np.array([2, 0], dtype))), np.mean([log(8 / 5), log(8 / 3)]))


@quick
@given(n=st.integers(1, 4), classes=st.integers(1, 5), more=st.lists(st.integers(1, 3), max_size=2), soft=st.booleans(),
       batch=st.booleans(), ignore=st.sampled_from([-100, 0, 3, 255]), smoothing=st.sampled_from([0.0, 0.3, 1.0]),
       reduction=st.sampled_from(["mean", "sum", "none"]), weighted=st.booleans(), seed=st.integers(0, 2**32 - 1))
def test_matches_torch(n, classes, more, soft, batch, ignore, smoothing, reduction, weighted, seed):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(seed)
    shape = (n, classes, *more) if batch else (classes,)
    x = rng.standard_normal(shape) * 3
    if soft:
        target, ignore = rng.dirichlet(np.ones(classes), (*shape[:1], *shape[2:]) if batch else ()), -100
        target = np.moveaxis(target, -1, 1) if batch else target
    else:
        target = np.asarray(rng.integers(0, classes, (n, *more) if batch else ()))
        target[np.asarray(rng.random(target.shape) < 0.3)] = ignore
        if (target == ignore).all():
            target[...] = next((c for c in range(classes) if c != ignore), ignore)
            if (target == ignore).all():  # the only class is ignored: an error of its own
                return
    weight = rng.uniform(0.5, 2, classes) if weighted else None
    settings = dict(ignore_index=ignore, reduction=reduction, label_smoothing=smoothing)

    def theirs(x, target):
        theirs = None if weight is None else torch.tensor(weight)
        return torch.nn.functional.cross_entropy(x, target, theirs, **settings)

    def ours(function):
        def with_weight(*args):
            tensors = _array.is_torch(args[-1])
            return function(*args, weight=torch.tensor(weight) if tensors and weighted else weight, **settings)
        return with_weight

    check_beside_torch(ours(cross_entropy), ours(cross_entropy_backward), theirs, [x, target], {}, rng)


BAD_TARGETS = {
    "too large": ([0, 1, 10], r"`target` holds 10 at \[2\]; it must be a class of `x` \(3, 10\), 0 to 9, or "
                              "ignore_index=-100"),
    "below 0": ([0, -1, 3], r"`target` holds -1 at \[1\]; it must be a class of `x` \(3, 10\), 0 to 9"),
    "too few": ([0, 1], r"`target` has shape \(2,\) and holds integers; for `x` \(3, 10\) class indices have "
                        r"the shape \(3,\)$"),
    "a column": ([[0], [1], [2]], r"`target` has shape \(3, 1\) and holds integers; .* have the shape \(3,\)$"),
    "one-hot integers": (np.eye(3, 10, dtype=int), r"`target` has shape \(3, 10\) .* \(3,\); one-hot targets count "
                                                   "as probabilities once they have x's dtype"),
    "float indices": ([0.0, 1.0, 2.0], r"`target` has shape \(3,\) and dtype float64; for `x` \(3, 10\) it must hold "
                                       r"class indices, integers of shape \(3,\), or probabilities, float64 of shape "
                                       r"\(3, 10\)"),
    "probabilities of another dtype": (np.zeros((3, 10), "float32"), r"\(3, 10\) and dtype float32; .* float64 of"),
    "percent": (np.full((3, 10), 10.0), r"`target` holds 10\.0 at \[0, 0\]; probabilities lie between 0 and 1"),
    "booleans": (np.eye(3, 10, dtype=bool), r"`target` has shape \(3, 10\) and dtype bool; .* float64 of shape"),
    "all ignored": ([-100, -100, -100], "all 3 targets are ignore_index=-100, or have weight 0: no losses have no"),
}


@pytest.mark.parametrize("case", BAD_TARGETS)
def test_targets(array, case):
    target, message = BAD_TARGETS[case]
    x, target = array(np.zeros((3, 10))), array(np.array(target))
    for function in (cross_entropy, lambda *args: cross_entropy_backward(1.0, *args)):
        with pytest.raises(ValueError, match=message):
            function(x, target)


def test_place_of_a_wrong_target(array):
    target = np.zeros((2, 3, 4), int)
    target[1, 2, 0] = 21
    with pytest.raises(ValueError, match=r"`target` holds 21 at \[1, 2, 0\]; .* 0 to 20, or ignore_index=255"):
        cross_entropy(array(np.zeros((2, 21, 3, 4))), array(target), ignore_index=255)


def test_sums_of_nothing(array):
    x, target = array(np.ones((2, 3))), array(np.array([-100, -100]))
    assert float(cross_entropy(x, target, reduction="sum")) == 0
    assert_close(cross_entropy(x, target, reduction="none"), np.zeros(2))
    assert_close(cross_entropy_backward(1.0, x, target, reduction="sum")[0], np.zeros((2, 3)))
    assert float(cross_entropy(x[:0], target[:0], reduction="sum")) == 0


def test_errors(array):
    x, target = array(np.ones((2, 3))), array(np.array([0, 1]))
    for smoothing in (-0.1, 1.1):
        with pytest.raises(ValueError, match=f"`label_smoothing` is {smoothing}; it must lie between 0 and 1"):
            cross_entropy(x, target, label_smoothing=smoothing)
    with pytest.raises(ValueError, match=r"`weight` has shape \(2,\); it must be \(3,\), one number for each class"):
        cross_entropy(x, target, weight=x[0, :2])
    with pytest.raises(ValueError, match="all 2 targets are ignore_index=-100, or have weight 0"):
        cross_entropy(x, target, weight=x[0] * 0)
    with pytest.raises(ValueError, match=r"`x` has shape \(2, 0\); it must be \(N, C\), .* with at least one class"):
        cross_entropy(x[:, :0], target)
    with pytest.raises(ValueError, match=r"`x` has shape \(\); it must be \(N, C\)"):
        cross_entropy(x[0, 0].reshape(()), target[0])
    with pytest.raises(ValueError, match="`ignore_index` is 1; it is for class indices, and `target` holds"):
        cross_entropy(x, activations.softmax(x, 1), ignore_index=1)
    with pytest.raises(TypeError, match="`ignore_index` must be a whole number, not None"):
        cross_entropy(x, target, ignore_index=None)
    with pytest.raises(TypeError, match="takes 2 positional arguments but 3 were given"):
        cross_entropy(x, target, x[0])
    with pytest.raises(TypeError, match=r"`target` must be a NumPy array or a torch tensor, not list"):
        cross_entropy(x, [0, 1])
    assert prod(cross_entropy(x, target).shape) == 1


def test_target_in_the_other_library():
    torch = pytest.importorskip("torch")
    with pytest.raises(TypeError, match=r"`target` belongs to numpy \(cpu\), the other arrays to torch \(cpu\)"):
        cross_entropy(torch.ones(2, 3), np.array([0, 1]))
