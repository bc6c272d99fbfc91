"""The loss of LeNet-5: by hand, as the paper writes it, in torch, and what its rubbish class is for."""

from math import exp, log

import numpy as np
import pytest
from gradients import check_beside_torch, check_central_differences
from helpers import assert_close
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnlib import _array
from cnnlib.losses import cross_entropy, rubbish_cross_entropy, rubbish_cross_entropy_backward

quick = settings(max_examples=60, deadline=None, derandomize=True, database=None)
X, T = np.array([[-1.0, -2], [-3, 0]]), np.array([0, 0])  # penalties 1, 2 and 3, 0
SUMS = [exp(-0.1) + exp(-1) + exp(-2), exp(-0.1) + exp(-3) + 1]


def test_known_values(array):
    x, target = array(X), array(T)
    each = np.array([1 + log(SUMS[0]), 3 + log(SUMS[1])])
    assert_close(rubbish_cross_entropy(x, target, reduction="none"), each)
    assert_close(rubbish_cross_entropy(x, target), each.mean())
    assert_close(rubbish_cross_entropy(x, target, reduction="sum"), each.sum())
    grad, none = rubbish_cross_entropy_backward(2.0, x, target, reduction="sum")
    shares = np.exp(X) / np.array(SUMS)[:, None]
    assert_close(grad, 2 * (shares - [[1, 0], [1, 0]]))
    assert none is None


def test_laws(array, rng):
    x, target = array(rng.standard_normal((4, 3))), array(rng.integers(0, 3, 4))
    none_of_them = rubbish_cross_entropy(x, target, penalty=1000.0)
    assert_close(none_of_them, cross_entropy(x, target))  # a rubbish class that nothing is near
    assert float(rubbish_cross_entropy(x, target)) > float(none_of_them) > 0
    grad, _ = rubbish_cross_entropy_backward(1.0, x, target, reduction="sum")
    assert (_array.to_numpy(grad).sum(axis=1) < 0).all()  # what the classes lack, the rubbish class has


def test_it_leaves_alone_what_is_far(array):
    """A class whose penalty stands far above j is not pushed further; cross-entropy would go on pushing."""
    x, target = array(np.array([[-40.0, -41.0]])), array(np.array([0]))
    grad, _ = rubbish_cross_entropy_backward(1.0, x, target)
    assert_close(grad, np.array([[-1.0, 0.0]]))
    near, _ = rubbish_cross_entropy_backward(1.0, x + 40, target)
    assert float(near[0, 1]) > 0.1


@quick
@given(shape=st.lists(st.integers(1, 4), min_size=1, max_size=3), penalty=st.sampled_from([0.1, -2.0, 30.0]),
       reduction=st.sampled_from(["mean", "sum", "none"]), seed=st.integers(0, 2**32 - 1))
def test_matches_the_papers_formula_in_torch(shape, penalty, reduction, seed):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(shape) * 3
    axis = min(len(shape) - 1, 1)
    target = np.asarray(rng.integers(0, shape[axis], shape[:axis] + shape[axis + 1:]))

    def theirs(x, target):
        y = -x
        right = torch.gather(y, axis, target.unsqueeze(axis)).squeeze(axis)
        each = right + (np.exp(-penalty) + torch.exp(-y).sum(axis)).log()
        return each if reduction == "none" else getattr(each, reduction)()

    check_beside_torch(rubbish_cross_entropy, rubbish_cross_entropy_backward, theirs, [x, target],
                       dict(penalty=penalty, reduction=reduction), rng)


def test_gradient(rng):
    for reduction in ("mean", "none"):
        check_central_differences(rubbish_cross_entropy, rubbish_cross_entropy_backward,
                                  [rng.standard_normal((3, 4)), rng.integers(0, 4, 3)], dict(reduction=reduction), rng)


@pytest.mark.parametrize("dtype", ("float16", "float32", "float64"))
def test_far_distances_overflow_nothing(array, dtype):
    x, target = array(np.array([[-900.0, -1000.0], [0.0, -900.0]], dtype)), array(np.array([1, 0]))
    assert_close(rubbish_cross_entropy(x, target, reduction="none"),
                 np.array([1000 - 0.1, log(1 + exp(-0.1))], dtype), 2e-3 if dtype == "float16" else 1e-5)
    assert np.isfinite(_array.to_numpy(rubbish_cross_entropy_backward(1.0, x, target)[0])).all()


def test_errors(array):
    x, target = array(np.zeros((2, 3))), array(np.array([0, 2]))
    with pytest.raises(ValueError, match=r"`target` holds 3 at \[1\]; it must be a class, 0 to 2"):  # not the rubbish
        rubbish_cross_entropy(x, target + array(np.array([0, 1])))
    with pytest.raises(ValueError, match=r"`target` has shape \(2,\); it must be \(1,\), the right class of each"):
        rubbish_cross_entropy(x[:1], target)
    with pytest.raises(TypeError, match="`target` has dtype float64; it must hold the indices of classes"):
        rubbish_cross_entropy(x, array(np.zeros((2, 3))))
    with pytest.raises(ValueError, match="`penalty` is inf; it must be a finite number"):
        rubbish_cross_entropy(x, target, penalty=float("inf"))
    with pytest.raises(ValueError, match=r"`x` has shape \(2, 0\); it must be \(N, C\)"):
        rubbish_cross_entropy(x[:, :0], target)
    with pytest.raises(ValueError, match=r"`x` has shape \(0, 3\): no numbers have no mean"):
        rubbish_cross_entropy_backward(1.0, x[:0], target[:0])
    with pytest.raises(ValueError, match="`reduction` is 'all'"):
        rubbish_cross_entropy(x, target, reduction="all")
