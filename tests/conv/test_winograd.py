"""Winograd's transforms, and what they cost in accuracy: the numbers of the docstring."""

import numpy as np
import pytest
from helpers import assert_close, relative_error

from cnnlib.conv import im2col, winograd
from cnnlib.conv._problem import make_problem


@pytest.mark.parametrize("tile", (2, 4))
def test_one_dimension_by_hand(rng, tile):
    """A^T [(G g) * (B^T d)] is the correlation of d with g."""
    into, filters, back = (np.array(m) for m in winograd.TRANSFORMS[tile])
    d, g = rng.standard_normal(tile + 2), rng.standard_normal(3)
    assert_close(back @ ((filters @ g) * (into @ d)), np.correlate(d, g))


@pytest.mark.parametrize("tile", (2, 4))
@pytest.mark.parametrize("size", ((4, 4), (6, 6), (3, 9), (5, 8), (1, 1)))
def test_both_tiles_are_exact_in_real_numbers(rng, tile, size):
    x, weight = rng.standard_normal((2, 4, *size)), rng.standard_normal((6, 2, 3, 3))
    problem = make_problem(x.shape, weight.shape, padding=((1, 2), (1, 1)), groups=2)
    grad_output = rng.standard_normal(problem.out_shape)
    assert_close(winograd.forward(x, weight, problem, tile), im2col.forward(x, weight, problem))
    assert_close(winograd.backward_x(grad_output, weight, problem, tile),
                 im2col.backward_x(grad_output, weight, problem))
    assert_close(winograd.backward_weight(grad_output, x, problem, tile),
                 im2col.backward_weight(grad_output, x, problem))


def test_multiplications_saved():
    """36 multiplications by the definition for 2x2 numbers, 16 in the transformed tile: 2.25 times fewer."""
    for tile, saved in ((2, 2.25), (4, 4)):
        places = np.shape(winograd.TRANSFORMS[tile][0])[0] ** 2
        assert 9 * tile**2 / places == saved


def test_error_in_float32(rng):
    x, weight = rng.standard_normal((4, 64, 28, 28)), rng.standard_normal((64, 64, 3, 3))
    problem = make_problem(x.shape, weight.shape, padding=1)
    exact = im2col.forward(x, weight, problem)
    largest = abs(exact).max()
    x, weight = x.astype("float32"), weight.astype("float32")

    def error(out):
        return relative_error(out / largest, exact / largest)

    small, large = (error(winograd.forward(x, weight, problem, tile)) for tile in (2, 4))
    assert 1e-8 < small < 1e-6
    assert 2e-6 < large < 3e-5
    assert error(im2col.forward(x, weight, problem)) < 1e-6
