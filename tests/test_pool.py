"""Pooling: hand-computed windows, laws, gradients, and torch beside ours over drawn cases."""

import re
from functools import partial

import numpy as np
import pytest
from gradients import check_beside_torch, check_central_differences
from helpers import assert_close
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from layouts import LAYOUTS, laid_out

from cnnlib import _array, pool

quick = settings(max_examples=200, deadline=None, derandomize=True, database=None)
seeds = st.integers(0, 2**32 - 1)
OPS = {  # name: settings for an image of 6 x 7
    "max_pool2d": dict(kernel_size=(3, 2), stride=2, padding=1, ceil_mode=True),
    "avg_pool2d": dict(kernel_size=(3, 2), stride=2, padding=1, ceil_mode=True, count_include_pad=False),
    "lp_pool2d": dict(norm_type=3, kernel_size=(3, 2), stride=2),
    "adaptive_avg_pool2d": dict(output_size=(4, 3)),
}
IMAGE = np.array([[[1.0, 2, 5, 0], [3, 4, 0, 6], [7, 7, 1, 1]]])  # (1, 3, 4)


def pair(name):
    return getattr(pool, name), getattr(pool, f"{name}_backward")


def forward_and_backward(name, x, grad_output):
    op, backward = pair(name)
    return op(x, **OPS[name]), backward(grad_output, x, **OPS[name])


def arguments(name, rng, dtype="float64"):
    """Return x and a grad_output for the settings in OPS."""
    x = rng.standard_normal((4, 3, 6, 7)).astype(dtype)
    return x, rng.standard_normal(pair(name)[0](x, **OPS[name]).shape).astype(dtype)


# ---- by hand

def test_known_maxima(array):
    x = array(IMAGE)
    assert_close(pool.max_pool2d(x, 2), np.array([[[4.0, 6]]]))
    assert_close(pool.max_pool2d(x, 2, ceil_mode=True), np.array([[[4.0, 6], [7, 1]]]))
    assert_close(pool.max_pool2d(x, 2, stride=1), np.array([[[4.0, 5, 6], [7, 7, 6]]]))
    assert_close(pool.max_pool2d(x, 2, stride=1, dilation=(1, 2)), np.array([[[5.0, 6], [7, 7]]]))
    assert_close(pool.max_pool2d(-x, 3, stride=2, padding=1), np.array([[[-1.0, 0], [-3, 0]]]))
    out, indices = pool.max_pool2d(x, 2, stride=1, return_indices=True)
    assert_close(indices, np.array([[[5, 2, 7], [8, 9, 7]]]))  # of the two sevens the first
    assert _array.dtype_name(indices) == "int64"


def test_known_gradient_of_the_maximum(array):
    """Windows overlap: the 7 at (2, 1) is the second of two in one window, and the only one in the next."""
    grad_output = array(np.array([[[1.0, 10, 100], [1000, 10000, 100000]]]))
    expected = np.array([[[0.0, 0, 10, 0], [0, 1, 0, 100100], [1000, 10000, 0, 0]]])
    assert_close(pool.max_pool2d_backward(grad_output, array(IMAGE), 2, stride=1), expected)


def test_known_means(array):
    x = array(IMAGE)
    assert_close(pool.avg_pool2d(x, 2), np.array([[[2.5, 2.75]]]))
    assert_close(pool.avg_pool2d(x, 2, ceil_mode=True), np.array([[[2.5, 2.75], [7, 1]]]))
    assert_close(pool.avg_pool2d(x, 2, padding=1), np.array([[[1, 7, 0], [10, 12, 7]]]) / 4)
    assert_close(pool.avg_pool2d(x, 2, padding=1, count_include_pad=False), np.array([[[1, 3.5, 0], [5, 3, 3.5]]]))
    grad = pool.avg_pool2d_backward(array(np.array([[[4.0, 8]]])), x, 2)
    assert_close(grad, np.array([[[1.0, 1, 2, 2], [1, 1, 2, 2], [0, 0, 0, 0]]]))


def test_known_norms(array):
    x = array(np.array([[[3.0, 0, 1], [-4, 0, 0]]]))
    assert_close(pool.lp_pool2d(x, 2, 2, stride=1), np.array([[[5.0, 1]]]))
    assert_close(pool.lp_pool2d(x, 1, 2, stride=1), np.array([[[7.0, 1]]]))
    grad = pool.lp_pool2d_backward(array(np.array([[[10.0, 7]]])), x, 2, 2, stride=1)
    assert_close(grad, np.array([[[6.0, 0, 7], [-8, 0, 0]]]))


def test_known_adaptive_means(array):
    """Five columns in three windows: 0-1, 1-3 and 3-4."""
    x = array(np.array([[[1.0, 2, 3, 4, 9]]]))
    assert_close(pool.adaptive_avg_pool2d(x, (1, 3)), np.array([[[1.5, 3, 6.5]]]))
    assert_close(pool.adaptive_avg_pool2d(x, 1), np.array([[[3.8]]]))
    assert_close(pool.adaptive_avg_pool2d(x, (None, 5)), _array.to_numpy(x))
    grad = pool.adaptive_avg_pool2d_backward(array(np.array([[[2.0, 30, 4]]])), x, (1, 3))
    assert_close(grad, np.array([[[1.0, 11, 10, 12, 2]]]))


# ---- laws

def test_laws_of_the_maximum(array, rng):
    x = array(rng.standard_normal((2, 3, 6, 7)))
    shape = dict(kernel_size=3, stride=2, padding=1)
    out, indices = pool.max_pool2d(x, **shape, return_indices=True)
    assert_close(pool.max_pool2d(2 * x + 1, **shape), 2 * out + 1)
    flat = _array.to_numpy(x).reshape(2, 3, 42)
    assert_close(out, np.take_along_axis(flat, _array.to_numpy(indices).reshape(2, 3, -1), -1).reshape(out.shape))
    twice = pool.max_pool2d(pool.max_pool2d(x, (3, 1), stride=1), (1, 3), stride=1)
    assert_close(pool.max_pool2d(x, 3, stride=1), twice)  # first along the rows, then along the columns


def test_gradients_arrive_whole(array, rng):
    """Every number of grad_output lands somewhere, once: nothing is lost at the edges and nothing doubled."""
    for name in ("max_pool2d", "adaptive_avg_pool2d", "avg_pool2d"):  # the last without counting its padding
        x, grad_output = map(array, arguments(name, rng))
        _, grad_x = forward_and_backward(name, x, grad_output)
        assert_close(grad_x.sum(), _array.to_numpy(grad_output.sum()))


@pytest.mark.parametrize("name", ("avg_pool2d", "adaptive_avg_pool2d"))
def test_means_are_linear_and_their_backward_is_the_adjoint(array, rng, name):
    x, grad_output = map(array, arguments(name, rng))
    out, grad_x = forward_and_backward(name, x, grad_output)
    assert_close((out * grad_output).sum(), _array.to_numpy((x * grad_x).sum()))
    assert_close(pair(name)[0](3 * x - 2, **OPS[name]), 3 * out - 2)


def test_norms_lie_between_sum_and_maximum(array, rng):
    x = array(rng.standard_normal((2, 3, 6, 8)))
    assert_close(pool.lp_pool2d(x, 1, 2), 4 * pool.avg_pool2d(abs(x), 2))
    assert_close(pool.lp_pool2d(x, 2, 2) ** 2, 4 * pool.avg_pool2d(x * x, 2))
    largest = pool.max_pool2d(abs(x), 2)
    assert_close(pool.lp_pool2d(x, 400, 2), largest, tolerance=4 ** (1 / 400) - 1)  # at most 4^(1/p) times as large
    assert_close(pool.lp_pool2d(x, 3, 2), pool.lp_pool2d(-x, 3, 2))


def test_adaptive_is_average_where_the_sizes_divide(array, rng):
    x = array(rng.standard_normal((2, 3, 6, 8)))
    assert_close(pool.adaptive_avg_pool2d(x, (3, 2)), pool.avg_pool2d(x, (2, 4)))


# ---- gradients

@pytest.mark.parametrize("name", OPS)
def test_central_differences(rng, name):
    x = rng.standard_normal((2, 2, 6, 7))
    check_central_differences(*pair(name), [x], OPS[name], rng)


def test_saved_winners_and_indices_give_the_same_gradient(array, rng):
    x, grad_output = map(array, arguments("max_pool2d", rng))
    shape = OPS["max_pool2d"]
    expected = pool.max_pool2d_backward(grad_output, x, **shape)
    out, winners = pool.max_pool2d_with_winners(x, **shape)
    _, indices = pool.max_pool2d(x, **shape, return_indices=True)
    assert_close(out, pool.max_pool2d(x, **shape))
    assert_close(pool.max_pool2d_backward(grad_output, x, **shape, winners=winners), expected)
    assert_close(pool.max_pool2d_backward(grad_output, x, **shape, indices=indices), expected)
    wrong = pool.max_pool2d_backward(grad_output, x, **shape, indices=indices * 0)
    assert float(wrong[0, 0, 0, 0]) == pytest.approx(float(grad_output[0, 0].sum()))  # it is the indices that decide


# ---- torch beside ours

@st.composite
def window_cases(draw, dilated):
    """Draw a kernel, stride, padding, dilation, and an image that at least one window fits into."""
    kernel, stride = (draw(st.tuples(st.integers(1, 4), st.integers(1, 4))) for _ in range(2))
    dilation = draw(st.tuples(st.integers(1, 3), st.integers(1, 3))) if dilated else (1, 1)
    padding = tuple(draw(st.integers(0, k // 2)) for k in kernel)
    size = tuple(draw(st.integers(max(1, d * (k - 1) + 1 - 2 * p), 12)) for k, d, p in zip(kernel, dilation, padding))
    for n, k, s, d, p in zip(size, kernel, stride, dilation, padding):
        # A window whose taps all fall beside the image is refused here. torch's maximum has an index outside of it, and
        # its backward then writes to memory that is not its own.
        assume(all(any(0 <= first + d * t < n for t in range(k)) for first in range(-p, n, s)))
    return size, dict(kernel_size=kernel, stride=stride, padding=padding, ceil_mode=draw(st.booleans())), dilation


def drawn(size, seed, values=None):
    rng = np.random.default_rng(seed)
    shape = (int(rng.integers(1, 4)), int(rng.integers(1, 4)), *size)
    return rng.standard_normal(shape) if values is None else rng.choice(values, shape), rng


@quick
@given(case=window_cases(dilated=True), ties=st.booleans(), seed=seeds)
def test_maximum_matches_torch(case, ties, seed):
    torch = pytest.importorskip("torch")
    size, shape, dilation = case
    x, rng = drawn(size, seed, [-1.0, 0.0, 2.0] if ties else None)
    shape["dilation"] = dilation
    theirs = partial(torch.nn.functional.max_pool2d, **shape)
    check_beside_torch(pool.max_pool2d, pool.max_pool2d_backward, theirs, [x], shape, rng)
    _, expected = theirs(torch.tensor(x), return_indices=True)
    for convert in (np.asarray, _array.batch_innermost, torch.tensor):
        assert_close(pool.max_pool2d(convert(x), **shape, return_indices=True)[1], expected)


@quick
@given(case=window_cases(dilated=True), rest=st.sampled_from([0.0, -np.inf]), seed=seeds,
       dtype=st.sampled_from(["float32", "float64"]))
def test_nan_and_infinity_as_in_torch(case, rest, dtype, seed):
    """Which of them wins, where it stood, and where the gradient goes."""
    torch = pytest.importorskip("torch")
    size, shape, dilation = case
    x, rng = drawn(size, seed, [np.nan, np.inf, -np.inf, rest, rest, rest, rest])
    x, shape["dilation"] = x.astype(dtype), dilation
    leaf = torch.tensor(x, requires_grad=True)
    out, indices = torch.nn.functional.max_pool2d(leaf, **shape, return_indices=True)
    grad_output = rng.standard_normal(tuple(out.shape)).astype(dtype)
    out.backward(torch.tensor(grad_output))
    for convert in (np.asarray, _array.batch_innermost, torch.tensor):
        ours, found = pool.max_pool2d(convert(x), **shape, return_indices=True)
        np.testing.assert_array_equal(_array.to_numpy(ours), out.detach())
        assert_close(found, indices)
        assert_close(pool.max_pool2d_backward(convert(grad_output), convert(x), **shape), leaf.grad)


@quick
@given(case=window_cases(dilated=False), count_include_pad=st.booleans(), seed=seeds)
def test_average_matches_torch(case, count_include_pad, seed):
    torch = pytest.importorskip("torch")
    size, shape, _ = case
    x, rng = drawn(size, seed)
    shape["count_include_pad"] = count_include_pad
    theirs = partial(torch.nn.functional.avg_pool2d, **shape)
    check_beside_torch(pool.avg_pool2d, pool.avg_pool2d_backward, theirs, [x], shape, rng)


@quick
@given(case=window_cases(dilated=False), p=st.sampled_from([1, 1.5, 2, 3, 4]), seed=seeds)
def test_norm_matches_torch_where_they_agree(case, p, seed):
    """Of positive numbers, in whole windows."""
    torch = pytest.importorskip("torch")
    size, shape, _ = case
    assume(all(s >= k for s, k in zip(size, shape["kernel_size"])))
    x, rng = drawn(size, seed)
    shape = dict(kernel_size=shape["kernel_size"], stride=shape["stride"])
    theirs = partial(torch.nn.functional.lp_pool2d, norm_type=p, **shape)
    check_beside_torch(pool.lp_pool2d, pool.lp_pool2d_backward, theirs, [abs(x) + 0.1], dict(norm_type=p, **shape), rng)


@quick
@given(size=st.tuples(st.integers(1, 12), st.integers(1, 12)), seed=seeds,
       output_size=st.one_of(st.integers(1, 12), st.tuples(*[st.one_of(st.none(), st.integers(1, 12))] * 2)))
def test_adaptive_matches_torch(size, output_size, seed):
    torch = pytest.importorskip("torch")
    x, rng = drawn(size, seed)
    theirs = partial(torch.nn.functional.adaptive_avg_pool2d, output_size=output_size)
    check_beside_torch(pool.adaptive_avg_pool2d, pool.adaptive_avg_pool2d_backward, theirs, [x],
                       dict(output_size=output_size), rng)


def test_listed_deviations_of_the_norm():
    """An odd p, and a window that reaches out of the image: what torch does there, and what we do."""
    torch = pytest.importorskip("torch")
    x = np.array([[[-2.0, 1.0, 2.0]]])
    theirs = partial(torch.nn.functional.lp_pool2d, torch.tensor(x))
    assert theirs(1, (1, 3)).item() == 1 and pool.lp_pool2d(x, 1, (1, 3)).item() == 5
    assert theirs(1, (1, 2), ceil_mode=True)[0, 0, 1].item() == 4  # twice the 2 that is there
    assert pool.lp_pool2d(x, 1, (1, 2), ceil_mode=True)[0, 0, 1] == 2


@pytest.mark.parametrize("p", (1, 2, 3))
def test_a_window_of_zeros_has_no_gradient(array, p):
    """The norm has a kink there; 0, as in torch."""
    x = array(np.array([[[0.0, 0, 3, 4]]]))
    grad = _array.to_numpy(pool.lp_pool2d_backward(array(np.ones((1, 1, 2))), x, p, (1, 2)))
    assert_close(grad[..., :2], np.zeros((1, 1, 2)))
    assert_close(grad[..., 2:], np.array([[[3.0, 4]]]) ** (p - 1) / (3.0**p + 4.0**p) ** ((p - 1) / p))


def test_a_pixel_that_no_window_reaches_has_no_gradient(array):
    """Be it NaN or infinite: windows of 1 with stride 2, and a last column that is left over."""
    x = array(np.array([[[3.0, np.nan, 4, np.inf, 1, np.nan]]]))
    grad_output = array(np.ones((1, 1, 3)))
    for windows in (dict(kernel_size=1, stride=2), dict(kernel_size=(1, 1), stride=(1, 2), ceil_mode=True)):
        grad = pool.lp_pool2d_backward(grad_output, x, 2, **windows)
        assert _array.to_numpy(grad).ravel().tolist() == [1, 0, 1, 0, 1, 0]
        grad = pool.avg_pool2d_backward(grad_output, x, **windows)
        assert _array.to_numpy(grad).ravel().tolist() == [1, 0, 1, 0, 1, 0]


# ---- dtypes, memory, batches

@pytest.mark.parametrize("name", OPS)
@pytest.mark.parametrize("dtype", ("float16", "float32", "float64"))
def test_dtype_is_kept(array, rng, name, dtype):
    x, grad_output = arguments(name, rng, dtype)
    expected = forward_and_backward(name, x.astype("float64"), grad_output.astype("float64"))
    for result, value in zip(forward_and_backward(name, array(x), array(grad_output)), expected):
        assert _array.dtype_name(result) == dtype
        assert_close(result, value)


@pytest.mark.parametrize("name", OPS)
def test_bfloat16(rng, name):
    torch = pytest.importorskip("torch")
    arrays = [torch.tensor(a).bfloat16() for a in arguments(name, rng)]
    exact = forward_and_backward(name, *(a.double() for a in arrays))
    for result, value in zip(forward_and_backward(name, *arrays), exact):
        assert result.dtype == torch.bfloat16
        assert_close(result, value)


def test_half_precision_is_summed_in_single(array):
    """In float16 itself 2048 + 1 = 2048: the mean of 3600 ones would be 0.57."""
    ones = array(np.ones((1, 1, 60, 60), "float16"))
    assert float(pool.avg_pool2d(ones, 60)[0, 0, 0, 0]) == float(pool.adaptive_avg_pool2d(ones, 1)[0, 0, 0, 0]) == 1
    assert float(pool.lp_pool2d(ones, 2, 60)[0, 0, 0, 0]) == 60


@pytest.mark.parametrize("name", OPS)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", ("float32", "float64"))
def test_any_memory_layout_and_never_written(rng, name, layout, dtype):
    arrays = arguments(name, rng, dtype)
    expected = forward_and_backward(name, *arrays)
    other = laid_out(layout, arrays)
    before = [np.array(a) for a in other]
    for result, value in zip(forward_and_backward(name, *other), expected):
        assert result.dtype == value.dtype and result.flags.writeable
        assert_close(result, value)
    for a, copy in zip(other, before):
        np.testing.assert_array_equal(a, copy)


@pytest.mark.parametrize("name", OPS)
@pytest.mark.parametrize("dtype", ("float16", "float32", "float64"))
def test_memory_order_is_kept(rng, name, dtype):
    x, grad_output = arguments(name, rng, dtype)
    assert all(a.flags.c_contiguous for a in forward_and_backward(name, x, grad_output))
    turned = _array.batch_innermost(x)
    assert all(map(_array.is_batch_innermost, forward_and_backward(name, turned, _array.batch_innermost(grad_output))))
    _, grad_x = forward_and_backward(name, turned, grad_output)
    assert _array.is_batch_innermost(grad_x)  # as x lies, however the gradient does


@pytest.mark.parametrize("name", OPS)
def test_channels_last_is_kept(rng, name):
    torch = pytest.importorskip("torch")
    arrays = [torch.tensor(a) for a in arguments(name, rng)]
    expected = forward_and_backward(name, *arrays)
    x = arrays[0].contiguous(memory_format=torch.channels_last)
    for result, value in zip(forward_and_backward(name, x, arrays[1]), expected):
        assert _array.is_channels_last(result)
        assert_close(result, value)


@pytest.mark.parametrize("name", OPS)
def test_one_image_and_no_image(array, rng, name):
    x, grad_output = map(array, arguments(name, rng))
    for one, many in zip(forward_and_backward(name, x[0], grad_output[0]), forward_and_backward(name, x, grad_output)):
        assert_close(one, many[0])
    out, grad_x = forward_and_backward(name, x[:0], grad_output[:0])
    assert tuple(out.shape) == (0, *grad_output.shape[1:]) and tuple(grad_x.shape) == (0, *x.shape[1:])


def test_large_images_in_pieces(rng):
    """Two threads share the planes; the result is that of the planes one by one."""
    x = rng.standard_normal((3, 5, 96, 160)).astype("float32")
    grad_output = rng.standard_normal((3, 5, 48, 80)).astype("float32")
    for order in (np.asarray, _array.batch_innermost):
        out, grad_x = pool.max_pool2d(order(x), 2), pool.max_pool2d_backward(order(grad_output), order(x), 2)
        for n in range(3):
            np.testing.assert_array_equal(out[n], x[n].reshape(5, 48, 2, 80, 2).max(axis=(2, 4)))
            np.testing.assert_array_equal(grad_x[n], pool.max_pool2d_backward(grad_output[n], x[n], 2))


# ---- errors

ERRORS = {
    "no axes": ("max_pool2d", (4, 4), dict(kernel_size=2), r"`x` has shape \(4, 4\); it must be \(N, C, H, W\), or"),
    "no rows": ("avg_pool2d", (2, 1, 0, 4), dict(kernel_size=2), r"`x` has shape \(2, 1, 0, 4\): only the batch may"),
    "too large": ("max_pool2d", (1, 3, 4), dict(kernel_size=(2, 5)), r"`kernel_size` \(2, 5\) spans 5 columns and the "
                                                                     "input with padding 0 has 4"),
    "dilated": ("max_pool2d", (1, 3, 4), dict(kernel_size=2, dilation=3), r"\(2, 2\) spans 4 rows .* padding 0 has 3"),
    "padding": ("avg_pool2d", (1, 3, 4), dict(kernel_size=2, padding=2), r"`padding` is \(2, 2\); at most half of "
                                                                         r"`kernel_size` \(2, 2\) lies outside: 1"),
    "stride": ("max_pool2d", (1, 3, 4), dict(kernel_size=2, stride=0), "`stride` is 0; it must be at least 1"),
    "norm": ("lp_pool2d", (1, 3, 4), dict(norm_type=0.5, kernel_size=2), "`norm_type` is 0.5; it must be finite"),
    "endless": ("lp_pool2d", (1, 3, 4), dict(norm_type=float("inf"), kernel_size=2), "`norm_type` is inf; .* max_pool"),
    "size": ("adaptive_avg_pool2d", (1, 3, 4), dict(output_size=0), "`output_size` is 0; it must be at least 1"),
    "sizes": ("adaptive_avg_pool2d", (1, 3, 4), dict(output_size=(1, 2, 3)), r"`output_size` is \(1, 2, 3\); it must "
                                                                             "be one number or a pair"),
}


@pytest.mark.parametrize("case", ERRORS)
def test_values_that_are_refused(array, case):
    name, shape, kwargs, message = ERRORS[case]
    x = array(np.zeros(shape))
    with pytest.raises(ValueError, match=message):
        pair(name)[0](x, **kwargs)
    with pytest.raises(ValueError, match=message):
        pair(name)[1](x, x, **kwargs)


@pytest.mark.parametrize("ceil_mode", (False, True))
def test_a_window_that_would_see_padding_only_is_refused(ceil_mode):
    """Every small setting of one axis: refused if and only if some window has no pixel, and what is advised works."""
    refused = 0
    for size, k, s, p, d in np.ndindex(5, 4, 3, 3, 4):
        size, k, s, d = size + 1, k + 1, s + 1, d + 1
        shape = dict(kernel_size=(1, k), stride=(1, s), padding=(0, p), dilation=(1, d), ceil_mode=ceil_mode)
        try:
            out, indices = pool.max_pool2d(np.zeros((1, 1, size)), **shape, return_indices=True)
        except ValueError as error:
            if "see padding only; for" in str(error):
                advised = int(re.search(r"for the columns `dilation` (\d+) would work", str(error))[1])
                assert pool.max_pool2d(np.zeros((1, 1, size)), **shape | {"dilation": (1, advised)}).max() == 0
                assert any(not any(0 <= i * s - p + t * d < size for t in range(k)) for i in range(-(-p // s)))
                refused += 1
            continue
        assert (out == 0).all() and 0 <= indices.min() and indices.max() < size
    assert refused >= 8


@pytest.mark.parametrize(("shape", "windows", "message"), [
    ((1, 2, 5), dict(kernel_size=(2, 1), padding=(1, 0), dilation=(3, 1)),
     r"`dilation` \(3, 1\) with `padding` \(1, 0\): a window reads the rows -1, 2 of an input that has rows 0 to 1, "
     r"so it would see padding only; for the rows `dilation` 2 would work"),
    ((2, 3, 4, 1), dict(kernel_size=2, stride=(1, 3), padding=1, dilation=(1, 2)),
     r"`dilation` \(1, 2\) with `padding` \(1, 1\): a window reads the columns -1, 1 of an input that has columns 0 to "
     r"0, .* for the columns `dilation` 1 would work"),
])
def test_what_is_said_of_a_window_that_would_see_padding_only(array, shape, windows, message):
    x = array(np.zeros(shape))
    for op in (pool.max_pool2d, pool.max_pool2d_with_winners, partial(pool.max_pool2d_backward, x)):
        with pytest.raises(ValueError, match=message):
            op(x, **windows)


@pytest.mark.parametrize(("name", "kwargs", "message"), [
    ("max_pool2d", dict(kernel_size=2, ceil_mode=1), "`ceil_mode` is 1; it must be True or False"),
    ("avg_pool2d", dict(kernel_size=2, count_include_pad=0), "`count_include_pad` is 0; it must be True or False"),
    ("lp_pool2d", dict(norm_type="2", kernel_size=2), "`norm_type` is '2'; it must be a number"),
    ("max_pool2d", dict(kernel_size=2.5), "`kernel_size` must be a whole number, not 2.5"),
])
def test_types_that_are_refused(array, name, kwargs, message):
    with pytest.raises(TypeError, match=message):
        pair(name)[0](array(np.zeros((1, 3, 4))), **kwargs)


@pytest.mark.parametrize("name", OPS)
def test_gradients_of_another_shape_and_integers(array, rng, name):
    x, grad_output = map(array, arguments(name, rng))
    shape = tuple(grad_output.shape)
    with pytest.raises(ValueError, match=rf"`grad_output` has shape \(4, 3, 1, 1\); .* output, \(4, 3, {shape[2]}, "):
        pair(name)[1](grad_output[:, :, :1, :1], x, **OPS[name])
    with pytest.raises(TypeError, match=r"`x` has dtype int64; .* pooling takes float16, bfloat16, float32, float64"):
        pair(name)[0](array(np.zeros((4, 3, 6, 7), int)), **OPS[name])
    with pytest.raises(TypeError, match="`x` must be a NumPy array or a torch tensor, not list"):
        pair(name)[0]([[[1.0]]], **OPS[name])


def test_indices_and_winners_are_checked(array):
    x, grad = array(IMAGE), array(np.ones((1, 1, 2)))
    with pytest.raises(ValueError, match=r"`indices` reach from 0 to 12; a plane of 3 x 4 has the positions 0 to 11"):
        pool.max_pool2d_backward(grad, x, 2, indices=array(np.array([[[0, 12]]])))
    with pytest.raises(ValueError, match=r"`winners` has shape \(1, 1, 1\); .* `grad_output`, \(1, 1, 2\)"):
        pool.max_pool2d_backward(grad, x, 2, winners=array(np.array([[[0]]])))
    with pytest.raises(TypeError, match="`indices` has dtype float64; it must be whole numbers"):
        pool.max_pool2d_backward(grad, x, 2, indices=grad)
