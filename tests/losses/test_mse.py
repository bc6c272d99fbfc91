"""The mean squared error: hand-computed values, torch, and the broadcast that must not happen."""

import numpy as np
import pytest
from gradients import check_beside_torch
from helpers import assert_close
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnlib import _array
from cnnlib.losses import mse_loss, mse_loss_backward

quick = settings(max_examples=60, deadline=None, derandomize=True, database=None)


def test_known_values(array):
    x, target = array(np.array([[1.0, 5], [0, 2]])), array(np.array([[1.0, 3], [1, 2]]))
    assert float(mse_loss(x, target)) == 1.25 and float(mse_loss(x, target, reduction="sum")) == 5
    assert_close(mse_loss(x, target, reduction="none"), np.array([[0.0, 4], [1, 0]]))
    grad_x, grad_target = mse_loss_backward(2.0, x, target)
    assert_close(grad_x, np.array([[0.0, 2], [-1, 0]]))
    assert_close(grad_target, np.array([[0.0, -2], [1, 0]]))


@pytest.mark.parametrize("reduction", ("mean", "sum", "none"))
@quick
@given(shape=st.lists(st.integers(1, 4), max_size=4), seed=st.integers(0, 2**32 - 1))
def test_matches_torch(reduction, shape, seed):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(seed)
    args = [np.asarray(rng.standard_normal(shape)) for _ in range(2)]
    check_beside_torch(mse_loss, mse_loss_backward, lambda *a: torch.nn.functional.mse_loss(*a, reduction=reduction),
                       args, dict(reduction=reduction), rng)


def test_the_gradient_from_above_may_be_any_one_number(array, rng):
    """A Python number, NumPy's, a 0-d array of any float dtype: what follows a loss in a sum of losses."""
    x, target = (array(rng.standard_normal((3, 4)).astype("float32")) for _ in range(2))
    expected, _ = mse_loss_backward(array(np.array(0.5, dtype="float32")), x, target)
    for half in (0.5, np.float64(0.5), np.float16(0.5), array(np.array(0.5))):
        grad, _ = mse_loss_backward(half, x, target)
        assert _array.dtype_name(grad) == "float32"
        assert_close(grad, expected)
    with pytest.raises(ValueError, match=r"`grad_output` has shape \(1,\); it must be \(\), a number, as reduction"):
        mse_loss_backward(array(np.ones(1)), x, target)
    with pytest.raises(TypeError, match="`grad_output` must be a NumPy array or a torch tensor, not float"):
        mse_loss_backward(1.0, x, target, reduction="none")


def test_no_broadcast_by_accident(array):
    """(N, 1) against (N,) would be N × N differences, and a mean that looks right."""
    x, target = array(np.zeros((4, 1))), array(np.zeros(4))
    for function in (mse_loss, lambda *args: mse_loss_backward(1.0, *args)):
        with pytest.raises(ValueError, match=r"`x` has shape \(4, 1\), `target` \(4,\); they must be equal: "
                                             r"target\.reshape\(4, 1\) gives the same numbers that shape"):
            function(x, target)
        with pytest.raises(ValueError, match=r"`x` has shape \(4, 1\), `target` \(2, 1\); they must be equal$"):
            function(x, target[:2].reshape((2, 1)))


def test_errors(array):
    x = array(np.ones((2, 3)))
    with pytest.raises(ValueError, match="`reduction` is 'average'; it must be 'mean', 'sum' or 'none'"):
        mse_loss(x, x, reduction="average")
    with pytest.raises(ValueError, match=r"`x` has shape \(0, 3\): no numbers have no mean; reduction='sum' gives 0"):
        mse_loss(x[:0], x[:0])
    with pytest.raises(TypeError, match=r"differ in dtype \(x float64, target int64\): convert them to one dtype"):
        mse_loss(x, array(np.ones((2, 3), "int64")))
