"""One battery for every forward/backward pair: gradients, dtypes, memory, empty batches, and what is refused."""

import numpy as np
import pytest
from gradients import check_central_differences, gradients
from helpers import TOLERANCE, assert_close
from layouts import LAYOUTS, laid_out
from pairs import PAIRS, floats

from cnnlib import _array


@pytest.fixture(params=PAIRS)
def pair(request):
    return PAIRS[request.param]


def forward_and_backward(pair, args, grad_output=None):
    """Return out and the gradients that are not None; without a grad_output for one of equal numbers, as out lies."""
    out = pair.op(*args, **pair.kwargs)
    if grad_output is None:
        grad_output = _array.as_dtype(out == out, _array.dtype_name(out)) * 1.5
    return [out, *(grad for _, grad in gradients(pair.backward, grad_output, args, pair.kwargs) if grad is not None)]


def everything(pair, rng, change=lambda a: a, convert=np.asarray):
    """Return out and gradients for drawn arguments, float arrays changed, then all converted."""
    args = floats(pair.args(rng), change)
    grad_output = floats([np.asarray(rng.standard_normal(np.shape(pair.op(*args, **pair.kwargs))))], change)[0]
    args, grad_output = both(lambda a: convert(a) if isinstance(a, np.ndarray) else a, args, grad_output)
    return forward_and_backward(pair, args, grad_output)


def both(change, args, grad_output):
    return [change(a) for a in args], change(grad_output)


def test_gradient(pair, rng):
    check_central_differences(pair.op, pair.backward, pair.args(rng), pair.kwargs, rng)


@pytest.mark.parametrize("dtype", ("float16", "float32", "float64"))
def test_dtype_is_kept_and_half_is_computed_in_single(array, pair, dtype):
    def seeded():
        return np.random.default_rng(0)

    expected = everything(pair, seeded(), lambda a: a.astype(dtype).astype("float64"))
    results = everything(pair, seeded(), lambda a: a.astype(dtype), array)
    for result, value in zip(results, expected):
        assert _array.dtype_name(result) == dtype
        assert_close(result, value, TOLERANCE[dtype])


def test_bfloat16(pair, rng):
    torch = pytest.importorskip("torch")
    args = [torch.tensor(a) if isinstance(a, np.ndarray) else a for a in pair.args(rng)]
    halves = [a.bfloat16() if _array.is_torch(a) and a.is_floating_point() else a for a in args]
    doubles = [a.double() if _array.is_torch(a) and a.is_floating_point() else a for a in halves]
    for result, value in zip(forward_and_backward(pair, halves), forward_and_backward(pair, doubles)):
        assert result.dtype == torch.bfloat16
        assert_close(result, value)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", ("float32", "float64"))
def test_any_memory_layout_and_never_written(pair, rng, layout, dtype):
    args = floats(pair.args(rng), lambda a: a.astype(dtype))
    grad_output = np.asarray(rng.standard_normal(np.shape(pair.op(*args, **pair.kwargs)))).astype(dtype)
    expected = forward_and_backward(pair, args, grad_output)
    *other, other_grad = laid_out(layout, [*args, grad_output])
    before = [np.array(a) for a in (*other, other_grad)]
    for result, value in zip(forward_and_backward(pair, other, other_grad), expected):
        assert result.dtype == value.dtype and result.flags.writeable
        assert_close(result, value)
    for a, copy in zip((*other, other_grad), before):
        np.testing.assert_array_equal(a, copy)


@pytest.mark.parametrize("dtype", ("float32", "float64"))
def test_memory_order_is_kept(pair, rng, dtype):
    args = floats(pair.args(rng), lambda a: a.astype(dtype))
    out, grad_x, *_ = forward_and_backward(pair, args)
    assert out.flags.c_contiguous and grad_x.flags.c_contiguous
    x = _array.batch_innermost(args[0])
    out, grad_x, *_ = forward_and_backward(pair, [x, *args[1:]])
    if out.shape == x.shape and not pair.is_loss:
        assert _array.is_batch_innermost(out)
    if pair.op.__name__ != "linear":  # of four axes, its rows are copied together
        assert _array.is_batch_innermost(grad_x)


def test_channels_last_is_kept(pair, rng):
    torch = pytest.importorskip("torch")
    args = [torch.tensor(a) if isinstance(a, np.ndarray) else a for a in pair.args(rng)]
    expected = forward_and_backward(pair, args)
    args[0] = args[0].contiguous(memory_format=torch.channels_last)
    results = forward_and_backward(pair, args)
    for result, value in zip(results, expected):
        assert_close(result, value)
    if pair.op.__name__ != "linear" and not pair.is_loss:
        assert _array.is_channels_last(results[0])


def test_expanded(array, pair, rng):
    """A zero stride: one picture that stands for many."""
    args = [array(a) if isinstance(a, np.ndarray) else a for a in pair.args(rng)]
    one = args[0][:1, :, :, :1]
    wide = one.expand(args[0].shape) if _array.is_torch(one) else np.broadcast_to(one, args[0].shape)
    full = array(np.array(_array.to_numpy(wide)))
    expected = forward_and_backward(pair, [full, *args[1:]])
    for result, value in zip(forward_and_backward(pair, [wide, *args[1:]]), expected):
        assert_close(result, value)


def test_empty_batch(array, pair, rng):
    args = pair.args(rng)
    x_shape = args[0].shape
    args = [array(a[:0] if len(a) == len(args[0]) else a) if isinstance(a, np.ndarray) else a for a in args]
    if pair.per_sample:
        out, grad_x, *grads = forward_and_backward(pair, args)
        assert tuple(grad_x.shape) == (0, *x_shape[1:])
        assert out.ndim == 0 and float(out) == 0 or out.shape[0] == 0
        assert all(not grad.any() for grad in grads)
    elif pair.op.__name__ == "batch_norm":
        out, grad_x, *grads = forward_and_backward(pair, args)
        assert tuple(out.shape) == tuple(grad_x.shape) == (0, *x_shape[1:])
        with pytest.raises(ValueError, match=r"`x` has shape \(0, 6, 5, 3\): no numbers have no mean and variance"):
            pair.op(*args, **pair.kwargs, return_stats=True)
    else:
        with pytest.raises(ValueError, match=r"`x` has shape \(0, 6, 5, 3\): no numbers have no mean; reduction='sum'"):
            pair.op(*args, **pair.kwargs)
        with pytest.raises(ValueError, match=r"`x` has shape \(0, 6, 5, 3\): no numbers have no mean"):
            pair.backward(1.0, *args, **pair.kwargs)


def test_integers(array, pair, rng):
    args = [array(np.arange(a.size).reshape(a.shape) % 3) if isinstance(a, np.ndarray) else a for a in pair.args(rng)]
    if pair.integers:
        grads = pair.backward(pair.op(*args, **pair.kwargs), *args, **pair.kwargs)
        assert grads is None or set(grads) == {None}
        return
    with pytest.raises(TypeError, match=r"`x` has dtype int64; \w+ takes float16, bfloat16, float32, float64: x\.\w+"):
        pair.op(*args, **pair.kwargs)


@pytest.mark.parametrize(("value", "message"), [
    ([[1.0]], "must be a NumPy array or a torch tensor, not list"),
    (None, "is None; it must be an array"),
    (np.ma.masked_less(np.ones((2, 6)), 2), r"is a masked array, and \w+ would drop its mask"),
    (np.ones((2, 6)).view(np.matrix), "is a np.matrix, which is always 2-d"),
    (np.ones((2, 6), complex), r"has dtype complex128; .*: x\.real and x\.imag are real"),
    (np.ones((2, 6), bool), r"has dtype bool; .*: x\.astype\(np\.float32\) converts it"),
])
def test_no_arrays(pair, rng, value, message):
    _, *args = pair.args(rng)
    args = [None if isinstance(a, np.ndarray) and pair.op.__name__.endswith("norm") else a for a in args]
    if isinstance(value, np.ndarray) and value.dtype.kind in "cb":
        args = floats(args, lambda a: a.astype(value.dtype))
    with pytest.raises(TypeError, match=f"`x` {message}"):
        pair.op(value, *args, **pair.kwargs)


def test_mixed_dtypes_and_libraries(pair, rng):
    x, *args = pair.args(rng)
    grad_output = np.asarray(pair.op(x, *args, **pair.kwargs))
    if grad_output.ndim:
        with pytest.raises(TypeError, match=r"differ in dtype \(.*float32.*\): convert them to one dtype"):
            pair.backward(grad_output.astype("float32"), x, *args, **pair.kwargs)
    torch = pytest.importorskip("torch")
    with pytest.raises(TypeError, match=r"arguments mix NumPy and torch|belongs to numpy \(cpu\), the other .* torch"):
        pair.backward(grad_output, torch.tensor(x), *args, **pair.kwargs)


def test_shape_of_grad_output(array, pair, rng):
    args = [array(a) if isinstance(a, np.ndarray) else a for a in pair.args(rng)]
    wrong = array(np.ones((4, 6, 5, 1)))
    with pytest.raises(ValueError, match=r"`grad_output` has shape \(4, 6, 5, 1\); it must be \("):
        pair.backward(wrong, *args, **pair.kwargs)


def test_special_results_come_without_a_warning(array, pair, rng):
    """NaN and infinities in x raise no warning (pytest would make it an error), and NaN comes out somewhere."""
    args = [array(a) if isinstance(a, np.ndarray) else a for a in pair.args(rng)]
    x = np.array(_array.to_numpy(args[0]))
    for bad in (np.nan, np.inf, -np.inf, 1e300, -1e300):
        x[0, 1, 2, 0] = bad
        out = forward_and_backward(pair, [array(x), *args[1:]])[0]
        assert bool((out != out).any()) or not np.isnan(bad)
