"""No NaN or infinity reaches a place where the definition has none, and none is lost."""

from contextlib import nullcontext

import numpy as np
import pytest
from conv.tiles_cases import IDEAS, computed, draw_arrays, expected, however_few

from cnnlib._array import batch_innermost
from cnnlib.conv import _tiles
from cnnlib.conv._problem import make_problem


def same_where_finite(arrays, problem, turned):
    given = [batch_innermost(a) if turned and k != 1 else a for k, a in enumerate(arrays)]
    with np.errstate(all="ignore"):
        want = expected(*arrays, problem)
        found = computed(*given, problem)
    spread = False
    for actual, value in zip(found, (*want, *want[1:])):
        with np.errstate(all="ignore"):
            value = value.astype(np.float32)  # what overflows single precision is infinite in it
        finite = np.isfinite(value)
        np.testing.assert_array_equal(np.isfinite(actual), finite)
        scale = np.abs(value[finite]).max(initial=1)
        np.testing.assert_allclose(actual[finite], value[finite], rtol=0, atol=2e-4 * scale)
        spread |= not finite.all() and finite.any()
    assert spread, "the example has no number that could be spread"


@pytest.mark.parametrize("name", IDEAS)
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("where", ["x", "weight", "grad_output"])
def test_one_number_that_is_not_finite(name, turned, value, where, rng):
    problem = make_problem(*IDEAS[name][:4])
    arrays = draw_arrays(rng, problem)
    array = arrays[("x", "weight", "grad_output").index(where)]
    array[tuple(size // 2 for size in array.shape)] = value
    same_where_finite(arrays, problem, turned)


@pytest.mark.parametrize("corner", [0, -1])
def test_infinite_weights_at_the_rim_of_the_kernel(corner, rng):
    """grad_x has pixels that a corner tap never reaches: the zeros around grad_output must not stand in for it."""
    for name in IDEAS:
        problem = make_problem(*IDEAS[name][:4])
        arrays = draw_arrays(rng, problem)
        arrays[1][0, 0, corner, corner] = np.inf
        with np.errstate(all="ignore"):
            want = expected(*arrays, problem)[1]
            found = _tiles.backward_x(arrays[2], arrays[1], problem)
        np.testing.assert_array_equal(np.isfinite(found), np.isfinite(want))


def test_large_finite_numbers_that_overflow_only_in_winograds_transforms(rng):
    """Sums of 3e37 overflow when they are multiplied by 5 on the way; the outputs themselves are small."""
    problem = make_problem((2, 16, 12, 12), (16, 16, 3, 3), 1, 1)
    x, weight, grad = draw_arrays(rng, problem)
    x = np.full_like(x, 3e38) * np.sign(x)
    weight *= 1e-3 / 16
    want = expected(x, weight, grad, problem)[0]
    assert np.isfinite(want).all() and np.abs(want).max() < 3e38
    with however_few():
        out = _tiles.forward(x, weight, problem)
    np.testing.assert_allclose(out, want, rtol=0, atol=1e-5 * np.abs(want).max())


def test_a_nan_in_the_far_padding_reaches_the_weights_gradient(rng):
    """With padding beyond the kernel's reach, some windows see no pixel at all; their gradient counts all the same."""
    problem = make_problem((1, 16, 6, 6), (16, 16, 3, 3), padding=4)
    x, weight, grad_output = draw_arrays(rng, problem)
    grad_output[0, 0, 0, 0] = np.nan
    want = np.isnan(expected(x, weight, grad_output, problem)[2]).sum()
    for how in (nullcontext, however_few):
        with how():
            _, grad_weight = _tiles.backward(grad_output, x, weight, problem)
        assert np.isnan(grad_weight).sum() == want == 144
