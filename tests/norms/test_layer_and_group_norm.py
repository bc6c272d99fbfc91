"""Layer norm and group norm: hand-computed values, laws, and torch."""

import numpy as np
import pytest
from gradients import check_beside_torch, check_central_differences
from helpers import assert_close
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnlib import _array
from cnnlib.norms import (
    batch_norm,
    group_norm,
    group_norm_backward,
    layer_norm,
    layer_norm_backward,
)

quick = settings(max_examples=100, deadline=None, derandomize=True, database=None)


def test_known_values_of_layer_norm(array):
    x = array(np.array([[1.0, 3], [10, 30]]))
    weight, bias = array(np.array([2.0, 3])), array(np.array([0.5, 1]))
    assert_close(layer_norm(x, 2, eps=0), np.array([[-1.0, 1], [-1, 1]]))
    assert_close(layer_norm(x, (2,), weight, bias, eps=0), np.array([[-1.5, 4], [-1.5, 4]]))
    whole = np.array([[1.0, 3], [10, 30]])
    assert_close(layer_norm(x, (2, 2), eps=0), (whole - 11) / np.sqrt(np.mean([100, 64, 1, 361])))


def test_known_values_of_group_norm(array):
    x = array(np.array([[1.0, 3, 10, 30]]))
    weight, bias = array(np.array([1.0, 2, 3, 4])), array(np.array([0.0, 0, 0, 1]))
    assert_close(group_norm(x, 2, eps=0), np.array([[-1.0, 1, -1, 1]]))
    assert_close(group_norm(x, 2, weight, bias, eps=0), np.array([[-1.0, 2, -3, 5]]))


def test_they_are_one_idea(array, rng):
    """One group is layer norm over everything; a sample alone, a group per channel, is batch norm."""
    x = array(rng.standard_normal((3, 4, 5, 2)))
    assert_close(group_norm(x, 1), layer_norm(x, (4, 5, 2)))
    each = group_norm(x, 4)
    for n in range(3):
        assert_close(each[n:n + 1], batch_norm(x[n:n + 1], training=True))


def test_laws(array, rng):
    x, g = (array(rng.standard_normal((3, 4, 5))) for _ in range(2))
    zeros = np.zeros(3)
    for op, backward, setting in ((layer_norm, layer_norm_backward, (4, 5)), (group_norm, group_norm_backward, 1)):
        out = op(x, setting, eps=0)
        assert_close(out.mean(axis=(1, 2)), zeros)
        assert_close((out * out).mean(axis=(1, 2)), zeros + 1)
        assert_close(op(5 * x - 3, setting, eps=0), out)
        assert_close(op(x[:1], setting), _array.to_numpy(op(x, setting))[:1])  # no sample sees another
        assert_close(backward(g, x, setting)[0].sum(axis=(1, 2)), zeros)
        assert_close((backward(g, x, setting, eps=0)[0] * x).sum(axis=(1, 2)), zeros)


def test_layer_norm_over_all_axes(rng):
    """No axis is left along which the weights are shared."""
    args = [rng.standard_normal((4, 5)), (4, 5), rng.standard_normal((4, 5)), rng.standard_normal((4, 5))]
    check_central_differences(layer_norm, layer_norm_backward, args, {}, rng)


@quick
@given(shape=st.lists(st.integers(1, 4), min_size=1, max_size=4), last=st.integers(1, 4), size=st.integers(3, 6),
       weight=st.booleans(), bias=st.booleans(), eps=st.sampled_from([1e-5, 0.1]), seed=st.integers(0, 2**32 - 1))
def test_layer_norm_matches_torch(shape, last, size, weight, bias, eps, seed):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(seed)
    shape = (*shape, size)  # with fewer than three numbers x̂ is 0 or ±1 whatever they are: only noise is left
    end = shape[-min(last, len(shape)):]
    args = [rng.standard_normal(shape), end if len(end) > 1 or seed % 2 else end[0],
            rng.standard_normal(end) if weight else None, rng.standard_normal(end) if bias else None, eps]

    def theirs(x, sizes, *rest):
        return torch.nn.functional.layer_norm(x, sizes if isinstance(sizes, tuple) else (sizes,), *rest)

    # 1e-8: a small variance multiplies the rounding of the numbers
    check_beside_torch(layer_norm, layer_norm_backward, theirs, args, {}, rng, tolerance=1e-8)


@quick
@given(n=st.integers(1, 3), groups=st.integers(1, 3), depth=st.integers(1, 3), size=st.integers(3, 5),
       more=st.lists(st.integers(1, 3), max_size=2), weight=st.booleans(), bias=st.booleans(),
       eps=st.sampled_from([1e-5, 0.1]), seed=st.integers(0, 2**32 - 1))
def test_group_norm_matches_torch(n, groups, depth, size, more, weight, bias, eps, seed):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(seed)
    c = groups * depth
    args = [rng.standard_normal((n, c, size, *more)), groups, rng.standard_normal(c) if weight else None,
            rng.standard_normal(c) if weight and bias else None, eps]  # torch's backward fails for a bias alone
    check_beside_torch(group_norm, group_norm_backward, torch.nn.functional.group_norm, args, {}, rng, tolerance=1e-8)


def test_errors(array):
    x, two = array(np.ones((2, 3, 4))), array(np.ones(2))
    for sizes in (3, (3,), (4, 3), (1, 2, 3, 4), ()):
        with pytest.raises(ValueError, match=r"`normalized_shape` is .*; it must be the end of x's shape \(2, 3, 4\)"):
            layer_norm(x, sizes)
    with pytest.raises(TypeError, match="`normalized_shape` must be a whole number, not 4.0"):
        layer_norm(x, 4.0)
    with pytest.raises(ValueError, match=r"`weight` has shape \(2,\); it must be \(3, 4\), which is `normalized"):
        layer_norm(x, (3, 4), two)
    with pytest.raises(ValueError, match=r"`num_groups` is 2; it must divide the 3 channels of `x` \(2, 3, 4\)"):
        group_norm(x, 2)
    with pytest.raises(ValueError, match="`num_groups` is 0; it must be at least 1"):
        group_norm(x, 0)
    with pytest.raises(ValueError, match=r"`bias` has shape \(2,\); it must be \(3,\), one number for each channel"):
        group_norm(x, 1, bias=two)
    with pytest.raises(ValueError, match=r"`x` has shape \(1, 3\), with num_groups=3 one number per group"):
        group_norm(x[:1, :, 0], 3)
    with pytest.raises(ValueError, match=r"`x` has shape \(2,\); it must be \(N, C, \.\.\.\)"):
        group_norm(two, 1)
