"""Local response norm: hand-computed values, laws, torch, and the paper's constants."""

import numpy as np
import pytest
from gradients import check_beside_torch
from helpers import assert_close
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnlib.norms import local_response_norm, local_response_norm_backward

quick = settings(max_examples=100, deadline=None, derandomize=True, database=None)


def column(*values):
    """One sample whose channels hold these numbers at its only place."""
    return np.array(values, dtype=float).reshape(1, -1, 1)


def test_known_values(array):
    """Size 2 looks at a channel and the one before it, size 3 at both neighbours; alpha is divided by the size."""
    x = array(column(3, 4, 12))
    assert_close(local_response_norm(x, 2, alpha=2, beta=0.5, k=0), column(1, 4 / 5, 12 / np.sqrt(160)))
    assert_close(local_response_norm(x, 3, alpha=3, beta=1, k=1), column(3 / 26, 4 / 170, 12 / 161))
    assert_close(local_response_norm(x, 1, alpha=1, beta=1, k=0), column(1 / 3, 1 / 4, 1 / 12))


def test_alexnets_constants(array, rng):
    """The paper's formula, not divided by n, with k = 2, n = 5, alpha = 1e-4, beta = 0.75."""
    x = rng.standard_normal((2, 9, 3, 4)) * 50
    squares = np.zeros_like(x)
    for c in range(9):
        squares[:, c] = (x[:, max(c - 2, 0):c + 3]**2).sum(1)
    assert_close(local_response_norm(array(x), size=5, alpha=5e-4, beta=0.75, k=2), x / (2 + 1e-4 * squares)**0.75)


def test_laws(array, rng):
    x, g = (array(rng.standard_normal((2, 6, 3, 4))) for _ in range(2))
    assert_close(local_response_norm(x, 5, alpha=0, k=1), x)
    assert_close(local_response_norm(-x, 5, alpha=1), -local_response_norm(x, 5, alpha=1))
    # without k, and with beta = 1/2, the scale of x changes nothing, so the gradient has nothing along it
    scale_free = dict(size=4, alpha=1, beta=0.5, k=0)
    assert_close(local_response_norm(3 * x, **scale_free), local_response_norm(x, **scale_free))
    along = (local_response_norm_backward(g, x, **scale_free) * x).sum(axis=1)
    assert_close(along, np.zeros((2, 3, 4)))


def test_a_channel_acts_on_its_neighbours_outputs(array):
    """The gradient's second part: only channel 1 is asked for, and channel 0, its neighbour, has a gradient."""
    x, g = array(column(2, 1, 0)), array(column(0, 1, 0))
    # y1 = x1 / (1 + x0² + x1² + x2²): dy1/dx0 = -2 x0 x1 / 36, dy1/dx1 = (6 - 2) / 36, dy1/dx2 = 0
    grad = local_response_norm_backward(g, x, 3, alpha=3, beta=1, k=1)
    assert_close(grad, column(-4 / 36, 4 / 36, 0))


@quick
@given(shape=st.tuples(st.integers(1, 3), st.integers(1, 6), st.integers(1, 3)),
       more=st.lists(st.integers(1, 3), max_size=2), size=st.integers(1, 9), alpha=st.floats(0, 3),
       beta=st.floats(0, 2), k=st.floats(0.5, 2), seed=st.integers(0, 2**32 - 1))
def test_matches_torch(shape, more, size, alpha, beta, k, seed):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(seed)
    args = [rng.standard_normal((*shape, *more)), size, alpha, beta, k]
    check_beside_torch(local_response_norm, local_response_norm_backward, torch.nn.functional.local_response_norm, args,
                       {}, rng)


def test_errors(array):
    with pytest.raises(ValueError, match=r"`x` has shape \(2, 3\); it must be \(N, C, \.\.\.\) with at least three"):
        local_response_norm(array(np.ones((2, 3))), 5)
    with pytest.raises(ValueError, match="`size` is 0; it must be at least 1"):
        local_response_norm(array(np.ones((2, 3, 4))), 0)
    with pytest.raises(TypeError, match="`size` must be a whole number, not 2.5"):
        local_response_norm_backward(array(np.ones((2, 3, 4))), array(np.ones((2, 3, 4))), 2.5)
