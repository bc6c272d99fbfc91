"""The tuned float32 bodies give what the definition gives: in both memory orders, for any layout, any setting."""

import numpy as np
import pytest
from conv.tiles_cases import (
    IDEAS,
    computed,
    draw_arrays,
    expected,
    however_few,
    largest_in,
    numbers_of_a_kind,
)
from helpers import WINOGRAD_TOLERANCE, assert_close, relative_error
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnlib._array import batch_innermost, is_batch_innermost
from cnnlib.conv import _tiles, conv2d, explain, shifted
from cnnlib.conv._problem import make_problem
from cnnlib.conv._tiles import winograd
from cnnlib.conv._tiles.chosen import method


def check(arrays, problem, exact=False, tolerance=None):
    want = expected(*arrays, problem)
    for actual, value in zip(computed(*arrays, problem, exact), (*want, *want[1:])):
        assert actual.dtype == np.float32
        assert_close(actual, value, tolerance)


@st.composite
def problems(draw):
    """Draw odd sizes on purpose: uneven padding, strides that leave a rest, kernels as large as the picture."""
    groups = draw(st.sampled_from([1, 1, 1, 2, 3]))
    small = st.integers(1, 5)
    kernel, stride = (draw(small), draw(small)), (draw(st.integers(1, 4)), draw(st.integers(1, 4)))
    dilation = draw(st.sampled_from([(1, 1), (1, 1), (2, 1), (1, 3), (2, 2), (3, 2)]))
    padding = tuple((draw(st.integers(0, 4)), draw(st.integers(0, 4))) for _ in range(2))
    size = tuple(max(draw(st.integers(1, 22)), d * (k - 1) + 1 - sum(p))
                 for k, d, p in zip(kernel, dilation, padding))
    n = draw(st.sampled_from([0, 1, 2, 3, 5, 17]))
    depth, filters = draw(st.integers(1, 9)), groups * draw(st.integers(1, 9))
    return make_problem((n, groups * depth, *size), (filters, depth, *kernel), stride, padding, dilation, groups)


@st.composite
def winograd_problems(draw):
    padding = tuple((draw(st.integers(0, 2)), draw(st.integers(0, 2))) for _ in range(2))
    size = draw(st.integers(6, 26)), draw(st.integers(6, 26))
    x_shape = (draw(st.integers(1, 9)), draw(st.integers(16, 24)), *size)
    return make_problem(x_shape, (draw(st.integers(16, 24)), x_shape[1], 3, 3), 1, padding)


@settings(max_examples=300, deadline=None)
@given(problems(), st.booleans(), st.booleans(), st.integers(0, 2**32))
def test_equals_the_definition(problem, x_turned, grad_turned, seed):
    x, weight, grad = draw_arrays(np.random.default_rng(seed), problem)
    arrays = batch_innermost(x) if x_turned else x, weight, batch_innermost(grad) if grad_turned else grad
    check(arrays, problem)  # most are small, and taken whole
    with however_few():
        check(arrays, problem)


@settings(max_examples=40, deadline=None)
@given(winograd_problems(), st.booleans(), st.booleans(), st.integers(0, 2**32))
def test_winograd_equals_the_definition(problem, x_turned, grad_turned, seed):
    x, weight, grad = draw_arrays(np.random.default_rng(seed), problem)
    arrays = batch_innermost(x) if x_turned else x, weight, batch_innermost(grad) if grad_turned else grad
    with however_few():
        assert _tiles.choose(problem)[0] == "winograd tiles"
        check(arrays, problem, tolerance=WINOGRAD_TOLERANCE)  # its sums cancel: the module says so
        check(arrays, problem, exact=True)


@pytest.mark.parametrize("name", IDEAS)
def test_each_idea_is_chosen_where_it_belongs(name, rng):
    x_shape, weight_shape, stride, padding, module = IDEAS[name]
    problem = make_problem(x_shape, weight_shape, stride, padding)
    assert method(problem) is module
    assert _tiles.choose(problem)[0] == name
    assert _tiles.choose(problem, exact=True)[0] != "winograd tiles"
    check(draw_arrays(rng, problem), problem, tolerance=WINOGRAD_TOLERANCE if module is winograd else None)


WHOLE = {  # where the plain path pays, and just beyond it: x, weight, stride, padding, dilation, groups
    "a batch of small maps": ((20, 16, 6, 6), (16, 16, 3, 3), 1, 0, 1, 1),
    "one small picture": ((1, 3, 32, 32), (8, 3, 3, 3), 1, 1, 1, 1),
    "maps of one pixel": ((64, 16, 5, 5), (120, 16, 5, 5), 1, 0, 1, 1),
    "few numbers": ((64, 16, 1, 1), (32, 16, 1, 1), 1, 0, 1, 1),
    "depthwise": ((1, 64, 28, 28), (64, 1, 3, 3), 1, 1, 1, 64),
    "more weights than windows": ((1, 512, 7, 7), (512, 512, 3, 3), 1, 1, 1, 1),
}
LARGE = {
    "LeNet": ((64, 1, 28, 28), (6, 1, 5, 5), 1, 2, 1, 1),
    "one wide picture": ((1, 3, 128, 128), (8, 3, 3, 3), 1, 1, 1, 1),
    "CIFAR": ((64, 64, 32, 32), (64, 64, 3, 3), 1, 1, 1, 1),
    "ResNet": ((8, 256, 14, 14), (256, 256, 3, 3), 1, 1, 1, 1),
    "one picture, a matrix already": ((1, 64, 14, 14), (64, 64, 1, 1), 1, 0, 1, 1),
    "much padding": ((1, 1, 4, 4), (1, 1, 2, 2), 10**6, 10**6, 1, 1),
    "two groups": ((8, 16, 32, 32), (16, 8, 3, 3), 1, 1, 1, 2),
}


@pytest.mark.parametrize("case", [*WHOLE.values(), *LARGE.values()], ids=[*WHOLE, *LARGE])
def test_few_windows_are_taken_whole(case):
    problem = make_problem(*case)
    for exact in (False, True):
        assert (_tiles.choose(problem, exact)[0] == "whole batch") == (case in WHOLE.values())
    assert explain(*case).method == _tiles.choose(problem)[0]


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("turned", [False, True])
def test_what_is_taken_whole_equals_the_definition(name, turned, rng):
    problem = make_problem(*WHOLE[name])
    x, weight, grad = draw_arrays(rng, problem)
    check((batch_innermost(x), weight, batch_innermost(grad)) if turned else (x, weight, grad), problem)


@pytest.mark.parametrize("name", IDEAS)
@pytest.mark.parametrize("turned", [False, True])
def test_the_memory_order_of_the_first_argument_is_kept(name, turned, rng):
    problem = make_problem(*IDEAS[name][:4])
    x, weight, grad = draw_arrays(rng, problem)
    if turned:
        x, grad = batch_innermost(x), batch_innermost(grad)
    for result in (_tiles.forward(x, weight, problem), _tiles.backward_x(grad, weight, problem)):
        assert is_batch_innermost(result) == turned
        assert turned or result.flags.c_contiguous


@pytest.mark.parametrize("name", IDEAS)
def test_any_layout_and_read_only_arrays(name, rng):
    problem = make_problem(*IDEAS[name][:4])
    x, weight, grad = draw_arrays(rng, problem)
    strange = (np.ascontiguousarray(x[:, :, ::-1, ::-1])[:, :, ::-1, ::-1], np.repeat(weight, 2, axis=0)[::2],
               np.asfortranarray(grad))
    before = [a.copy() for a in strange]
    for a in strange:
        a.flags.writeable = False
    for actual, plain in zip(computed(*strange, problem), computed(x, weight, grad, problem)):
        assert_close(actual, plain, WINOGRAD_TOLERANCE if name.startswith("winograd") else None)
    for a, copy in zip(strange, before):
        np.testing.assert_array_equal(a, copy)


def test_an_expanded_input(rng):
    problem = make_problem(*IDEAS["strips"][:4])
    _, weight, grad = draw_arrays(rng, problem)
    x = np.broadcast_to(np.float32(1.5), problem.x_shape)
    check((x, weight, grad), problem)


@pytest.mark.parametrize("name", IDEAS)
def test_an_empty_batch(name):
    x_shape, weight_shape, *how, _ = IDEAS[name]
    problem = make_problem((0, *x_shape[1:]), weight_shape, *how)
    x, weight, grad = (np.ones(s, np.float32) for s in (problem.x_shape, weight_shape, problem.out_shape))
    out, grad_x, grad_weight, *both = computed(x, weight, grad, problem)
    assert out.shape == problem.out_shape and grad_x.shape == problem.x_shape
    np.testing.assert_array_equal(grad_weight, np.zeros(weight_shape, np.float32))
    np.testing.assert_array_equal(both[1], grad_weight)


# ---- how exact Winograd is: what its docstring states

@pytest.mark.parametrize("channels", [16, 64, 256])
def test_the_stated_error_of_winograd_on_normal_numbers(channels, rng):
    problem = make_problem((4, channels, 16, 16), (channels, channels, 3, 3), 1, 1)
    assert _tiles.choose(problem)[0] == "winograd tiles"
    arrays = draw_arrays(rng, problem)
    want = expected(*arrays, problem)
    errors = [relative_error(a, b) for a, b in zip(computed(*arrays, problem), (*want, *want[1:]))]
    exact = [relative_error(a, b) for a, b in zip(computed(*arrays, problem, exact=True), (*want, *want[1:]))]
    assert max(errors) < 2e-5 and max(exact) < 2e-6


def test_the_stated_error_of_winograd_beside_large_numbers(rng):
    """It is relative to the tile's largest number: small outputs beside it lose their digits, exact ones do not."""
    problem = make_problem((2, 16, 20, 20), (16, 16, 3, 3), 1, 1)
    assert _tiles.choose(problem)[0] == "winograd tiles"
    x, weight, grad = draw_arrays(rng, problem)
    x[:, :, 8, 8] *= 1e6
    want = shifted.forward(x.astype(np.float64), weight.astype(np.float64), problem)
    out, direct = _tiles.forward(x, weight, problem), _tiles.forward(x, weight, problem, exact=True)
    assert relative_error(out, want) < WINOGRAD_TOLERANCE
    same_tile = np.s_[:, :, 8:12, 10:12]  # outputs that never meet the large pixel (8, 8)
    assert np.abs(direct - want)[same_tile].max() < 1e-4
    assert np.abs(out - want)[same_tile].max() > 1e-3
    far = np.s_[:, :, 16:, 16:]
    assert np.abs(out - want)[far].max() < 1e-3


KINDS = ("normal", "cancelling", "one sign", "signs", "spike", "worst")


@pytest.mark.parametrize("channels", [16, 64])
@pytest.mark.parametrize("kind", KINDS)
def test_the_stated_error_relative_to_what_goes_in(kind, channels, rng):
    """E: the largest number that a sum meets, times the filter's absolute weights."""
    problem = make_problem((3, channels, 22, 22), (48, channels, 3, 3), 1, 1)
    assert _tiles.choose(problem)[0] == "winograd tiles"
    x, weight = numbers_of_a_kind(kind, rng, problem.x_shape, problem.weight_shape)
    want = shifted.forward(x.astype(np.float64), weight.astype(np.float64), problem)
    weights = abs(weight.astype(np.float64)).sum((1, 2, 3))[:, None, None]
    in_tile, in_window = (largest_in(x, problem, *tile) * weights for tile in ((6, 4), (3, 1)))
    auto, exact = (abs(_tiles.forward(x, weight, problem, exact) - want) for exact in (False, True))
    assert (auto / in_tile).max() < (5e-5 if kind == "worst" else 3e-6)
    assert (exact / in_window).max() < 1e-6
    if kind == "worst":
        assert (auto / in_tile).max() > 3e-6 > 3 * (exact / in_window).max()


def test_the_worst_case_of_winograd_is_as_stated():
    """One rounding of the transformed numbers, carried back: 860 times the largest number times the weights."""
    into, kernel, back = map(abs, winograd.matrices(4))
    along_one_axis = [(back[i] * kernel[:, p] * into.sum(axis=1)).sum() for i in range(4) for p in range(3)]
    assert max(along_one_axis)**2 == pytest.approx(860, rel=1e-3)
    assert 860 * 2**-24 == pytest.approx(5e-5, rel=0.03)


def test_no_float32_sum_keeps_the_digits_of_what_cancels(rng):
    """What conv2d's Notes say: "exact" gains nothing there, float64 and a mean that is taken away do."""
    problem = make_problem((3, 64, 22, 22), (48, 64, 3, 3))
    assert _tiles.choose(problem)[0] == "winograd tiles"
    x, weight = numbers_of_a_kind("cancelling", rng, problem.x_shape, problem.weight_shape)
    want = shifted.forward(x.astype(np.float64), weight.astype(np.float64), problem)

    def error(out, want=want):
        return abs(out - want).max() / abs(want).max()

    auto, exact, plain = (error(conv2d(x, weight, method=method)) for method in ("auto", "exact", "im2col"))
    assert min(auto, exact, plain) > 5e-5 and max(auto, exact, plain) < 2e-3
    assert exact < 10 * auto  # no better, but of the same size
    assert error(conv2d(x.astype(np.float64), weight.astype(np.float64))) < 1e-12
    centred = x - x.mean(dtype=np.float64).astype(np.float32)  # exact: numbers next to each other
    want = shifted.forward(centred.astype(np.float64), weight.astype(np.float64), problem)
    assert error(conv2d(centred, weight, method="exact"), want) < 2e-6
