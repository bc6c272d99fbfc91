"""conv2d and the arrays it is given: dtypes, memory, one image, empty batches, numbers that are not finite."""

import numpy as np
import pytest
from helpers import TOLERANCE, WINOGRAD_TOLERANCE, assert_close

from cnnlib import _array
from cnnlib.conv import _pieces, conv2d, conv2d_backward

PLAIN = ("loops", "im2col", "shifted", "fft", "winograd")
ANY = ("auto", "exact", *PLAIN)
FLOATS = ("float16", "float32", "float64")


@pytest.fixture
def problem(rng):
    """Return float64 x, weight, bias, grad_output for padding=1."""
    return [rng.standard_normal(shape) for shape in ((2, 3, 9, 8), (4, 3, 3, 3), (4,), (2, 4, 9, 8))]


def forward_and_backward(x, weight, bias, grad_output, method):
    return (conv2d(x, weight, bias, padding=1, method=method),
            *conv2d_backward(grad_output, x, weight, bias, padding=1, method=method))


@pytest.mark.parametrize("method", ANY)
@pytest.mark.parametrize("dtype", FLOATS)
def test_dtype_is_kept_and_half_is_summed_in_single(array, problem, method, dtype):
    rounded = [a.astype(dtype) for a in problem]
    expected = forward_and_backward(*(a.astype("float64") for a in rounded), "loops")
    results = forward_and_backward(*(array(a) for a in rounded), method)
    winograd = method in ("auto", "winograd") and dtype == "float32"
    for result, value in zip(results, expected):
        assert _array.dtype_name(result) == dtype
        # Winograd's differences lose digits; half precision is rounded only once, at the end
        assert_close(result, value, WINOGRAD_TOLERANCE if winograd else TOLERANCE[dtype])


@pytest.mark.parametrize("method", (*ANY, "library"))
def test_bfloat16(problem, method):
    torch = pytest.importorskip("torch")
    tensors = [torch.tensor(a).bfloat16() for a in problem]
    expected = forward_and_backward(*(t.double() for t in tensors), "loops")
    for result, value in zip(forward_and_backward(*tensors, method), expected):
        assert result.dtype == torch.bfloat16
        assert_close(result, value)


def test_half_precision_sums_are_not_rounded_on_the_way(array):
    """In float16 itself 2048 + 1 = 2048: a sum of 3000 ones would stop there."""
    x, weight = (array(np.ones(shape, "float16")) for shape in ((1, 3000, 1, 1), (1, 3000, 1, 1)))
    assert float(conv2d(x, weight)[0, 0, 0, 0]) == 3000
    assert float(conv2d_backward(array(np.ones((1, 1, 1, 1), "float16")), x, weight)[0].sum()) == 3000


@pytest.mark.parametrize("method", ANY)
@pytest.mark.parametrize("workspace", (2**24, 2000))
def test_big_endian(problem, monkeypatch, method, workspace):
    monkeypatch.setattr(_pieces, "WORKSPACE", workspace)
    swapped = [a.astype(">f8") for a in problem]
    for result, expected in zip(forward_and_backward(*swapped, method), forward_and_backward(*problem, method)):
        np.testing.assert_array_equal(result, expected)
        assert result.dtype == np.float64


def field_of_a_record(a):
    """Return the same numbers, one byte further from each other than they are long."""
    records = np.zeros(a.shape, dtype=[("flag", "u1"), ("value", a.dtype)])
    records["value"] = a
    return records["value"]


@pytest.mark.parametrize("method", (*ANY, "library"))
@pytest.mark.parametrize("dtype", ("float32", "float64"))
def test_any_memory_layout_and_never_written(problem, method, dtype):
    """Views with negative, zero and other strides, read-only ones and Fortran order give the same numbers."""
    if method == "library":
        pytest.importorskip("torch")
    problem = [a.astype(dtype) for a in problem]
    expected = forward_and_backward(*problem, method)
    layouts = {
        "reversed": lambda a: np.ascontiguousarray(a[::-1])[::-1],
        "mirrored": lambda a: np.ascontiguousarray(a[..., ::-1])[..., ::-1],
        "every second": lambda a: np.repeat(a, 2, axis=-1)[..., ::2],
        "Fortran": np.asfortranarray,
        "channels last": lambda a: np.moveaxis(np.ascontiguousarray(np.moveaxis(a, -1, 0)), 0, -1),
        "offset": lambda a: np.concatenate((a, a))[len(a):],
        "field of a record": field_of_a_record,
    }
    for name, layout in layouts.items():
        arrays = [layout(a) for a in problem]
        for a in arrays:
            a.flags.writeable = False
        before = [a.copy() for a in arrays]
        for result, value in zip(forward_and_backward(*arrays, method), expected):
            assert_close(result, value, 2e-4 if dtype == "float32" else None)  # another order, another body (Winograd)
            assert result.flags.writeable, name
        for a, copy in zip(arrays, before):
            np.testing.assert_array_equal(a, copy)


@pytest.mark.parametrize("method", ("auto", "library"))
def test_memory_that_torch_cannot_share(problem, method):
    """Writable, but between two elements, or begun between two: torch.from_numpy takes neither."""
    pytest.importorskip("torch")
    x, weight, *_ = problem
    expected = conv2d(x, weight, method=method)
    bytes_and_x = np.zeros(x.nbytes + 1, dtype="u1")
    beside = bytes_and_x[1:].view(x.dtype).reshape(x.shape)
    beside[...] = x
    for odd in (field_of_a_record(x), beside):
        assert odd.flags.writeable and not odd.flags.aligned
        assert_close(conv2d(odd, weight, method=method), expected)


@pytest.mark.parametrize("method", ANY)
def test_expanded(array, rng, method):
    """A zero stride: one image, row or filter that stands for many."""
    x, weight = array(rng.standard_normal((1, 3, 1, 8))), array(rng.standard_normal((1, 1, 3, 3)))
    if _array.is_torch(x):
        wide_x, wide_weight = x.expand(2, 3, 9, 8), weight.expand(4, 3, 3, 3)
    else:
        wide_x, wide_weight = np.broadcast_to(x, (2, 3, 9, 8)), np.broadcast_to(weight, (4, 3, 3, 3))
    full_x, full_weight = (array(np.array(_array.to_numpy(a))) for a in (wide_x, wide_weight))
    for padding in (0, 1):
        expected = conv2d(full_x, full_weight, padding=padding, method=method)
        assert_close(conv2d(wide_x, wide_weight, padding=padding, method=method), expected)
        got = conv2d_backward(expected, wide_x, wide_weight, padding=padding, method=method)
        want = conv2d_backward(expected, full_x, full_weight, padding=padding, method=method)
        for a, b in zip(got[:2], want[:2]):
            assert_close(a, b)


@pytest.mark.parametrize("method", ANY)
def test_torch_views(method):
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    x = torch.randn(2, 3, 9, 8, dtype=torch.float64)
    weight = torch.randn(4, 3, 3, 3, dtype=torch.float64)
    expected = conv2d(x, weight, padding=1, method=method)
    views = (x.contiguous(memory_format=torch.channels_last), x.transpose(2, 3).contiguous().transpose(2, 3),
             torch.cat((x, x))[2:], x.requires_grad_(True))
    for view in views:
        assert_close(conv2d(view, weight.mT.contiguous().mT, padding=1, method=method), expected)


@pytest.mark.parametrize("method", (*ANY, "library"))
@pytest.mark.parametrize("dtype", ("float32", "float64"))
def test_memory_order_is_kept(problem, method, dtype):
    if method == "library":
        pytest.importorskip("torch")
    x, weight, bias, grad_output = (a.astype(dtype) for a in problem)
    expected = forward_and_backward(x, weight, bias, grad_output, method)
    assert expected[0].flags.c_contiguous and expected[1].flags.c_contiguous
    x, grad_output = _array.batch_innermost(x), _array.batch_innermost(grad_output)
    out, grad_x, *rest = forward_and_backward(x, weight, bias, grad_output, method)
    assert _array.is_batch_innermost(out) and _array.is_batch_innermost(grad_x)
    for result, value in zip((out, grad_x, *rest), expected):
        assert_close(result, value, 2e-4 if dtype == "float32" else None)  # one order may go by Winograd


@pytest.mark.parametrize("method", (*ANY, "library"))
@pytest.mark.parametrize("dtype", ("float64", "int64"))
def test_channels_last_is_kept(method, dtype):
    """torch's batch innermost. Its own code decides for itself, and keeps it."""
    torch = pytest.importorskip("torch")
    if dtype == "int64" and method in ("fft", "winograd"):
        pytest.skip("not for integers")
    x, weight = (torch.arange(n).reshape(s).to(getattr(torch, dtype)) for n, s in (
        (2 * 3 * 9 * 8, (2, 3, 9, 8)), (4 * 3 * 9, (4, 3, 3, 3))))
    expected = conv2d(x, weight, padding=1, method=method)
    assert expected.is_contiguous()
    out = conv2d(x.contiguous(memory_format=torch.channels_last), weight, padding=1, method=method)
    assert _array.is_channels_last(out)
    assert_close(out, expected)


@pytest.mark.parametrize("method", ANY)
def test_one_image_without_a_batch(array, problem, method):
    x, weight, bias, grad_output = problem
    batched = forward_and_backward(*(array(a) for a in (x[:1], weight, bias, grad_output[:1])), method)
    single = forward_and_backward(*(array(a) for a in (x[0], weight, bias, grad_output[0])), method)
    for one, many, axes in zip(single, batched, (3, 3, 4, 1)):
        assert one.ndim == axes
        np.testing.assert_array_equal(_array.to_numpy(one), _array.to_numpy(many).reshape(one.shape))


@pytest.mark.parametrize("method", ANY)
@pytest.mark.parametrize("dtype", ("float32", "float64"))
def test_empty_batch(array, problem, method, dtype):
    x, weight, bias, grad_output = (array(a.astype(dtype)) for a in problem)
    out, grad_x, grad_weight, grad_bias = forward_and_backward(x[:0], weight, bias, grad_output[:0], method)
    assert tuple(out.shape) == (0, 4, 9, 8) and tuple(grad_x.shape) == (0, 3, 9, 8)
    assert tuple(grad_weight.shape) == (4, 3, 3, 3) and not grad_weight.any() and not grad_bias.any()
    assert _array.dtype_name(out) == dtype


@pytest.mark.parametrize("method", (*ANY, "library"))
def test_absent_bias_has_no_gradient(problem, method):
    if method == "library":
        pytest.importorskip("torch")
    x, weight, _, grad_output = problem
    assert conv2d_backward(grad_output, x, weight, padding=1, method=method)[2] is None


@pytest.mark.parametrize("bad", (np.nan, np.inf, -np.inf))
@pytest.mark.parametrize("method", ANY)
@pytest.mark.parametrize("dtype", ("float32", "float64"))
def test_bad_numbers_stay_where_the_definition_has_them(array, rng, method, dtype, bad):
    shapes = (2, 16, 12, 11), (16, 16, 3, 3), (2, 16, 10, 9)  # enough channels for the tuned body's Winograd
    x, weight, grad_output = (rng.standard_normal(s).astype(dtype) for s in shapes)
    x[0, 1, 5, 5] = bad
    grad_output[1, 2, 3, 4] = bad
    arrays = [array(a) for a in (x, weight, grad_output)]
    results = (conv2d(*arrays[:2], method=method), *conv2d_backward(arrays[2], *arrays[:2], method=method)[:2])
    x, weight, grad_output = (a.astype("float64") for a in (x, weight, grad_output))
    expected = (conv2d(x, weight, method="loops"), *conv2d_backward(grad_output, x, weight, method="loops")[:2])
    for result, value in zip(results, expected):
        result = _array.to_numpy(result)
        np.testing.assert_array_equal(np.isnan(result), np.isnan(value))
        np.testing.assert_array_equal(np.isinf(result), np.isinf(value))
        finite = np.isfinite(value)
        assert not finite.all()
        assert_close(result[finite], value[finite], 2e-4 if dtype == "float32" else None)  # Winograd, as above


@pytest.mark.parametrize("method", ANY)
def test_no_overflow_that_the_definition_does_not_have(array, method):
    """Pixels near float32's limit, each met by weights that keep the sum below it."""
    x = np.full((1, 16, 8, 8), 3e38, dtype="float32")
    weight = np.zeros((16, 16, 3, 3), dtype="float32")
    weight[:, 0] = np.diag((0.25, 0.25, 0.25))
    out = _array.to_numpy(conv2d(array(x), array(weight), method=method))
    np.testing.assert_allclose(out, 2.25e38, rtol=1e-6)


@pytest.mark.parametrize("method", ANY)
def test_overflow_is_infinite_without_a_warning(array, method):
    x, weight = (np.full(s, 3e38, dtype="float32") for s in ((1, 1, 4, 4), (1, 1, 3, 3)))
    assert np.isposinf(_array.to_numpy(conv2d(array(x), array(weight), method=method))).all()


def test_result_on_subclasses_is_a_plain_array(tmp_path, problem):
    x, weight, *_ = problem
    mapped = np.memmap(tmp_path / "x", dtype="float64", mode="w+", shape=x.shape)
    mapped[...] = x
    out = conv2d(mapped, weight)
    assert type(out) is np.ndarray
    np.testing.assert_array_equal(out, conv2d(x, weight))


def test_torch_parameters(problem):
    torch = pytest.importorskip("torch")
    x, weight, *_ = problem
    out = conv2d(torch.tensor(x), torch.nn.Parameter(torch.tensor(weight)), method="im2col")
    assert out.requires_grad


@pytest.mark.parametrize("method", ("auto", "exact", "loops", "im2col", "shifted", "fft", "library"))
def test_half_precision_is_rounded_after_the_bias(method):
    """300 * 300 alone is infinite in float16; with the bias it is not."""
    torch = pytest.importorskip("torch")
    x, bias = torch.full((1, 1, 1, 1), 300.0).half(), torch.tensor([-60000.0]).half()
    assert conv2d(x, x, bias, method=method).item() == 30000
    assert conv2d(x.numpy(), x.numpy(), bias.numpy(), method=method).item() == 30000


@pytest.mark.parametrize("method", ("auto", "library", "im2col"))
def test_half_precision_gradients_are_not_rounded_on_the_way(array, method):
    """3600 ones meet in the middle pixel, which a sum in float16 would leave at 2048."""
    pytest.importorskip("torch")
    ones, x = array(np.ones((1, 1, 60, 60), "float16")), array(np.zeros((1, 1, 119, 119), "float16"))
    grad_x, grad_weight, _ = conv2d_backward(ones, x, ones, method=method)
    assert float(grad_x[0, 0, 59, 59]) == 3600
    assert float(conv2d_backward(ones, x + 1, ones, method=method)[1][0, 0, 0, 0]) == 3600


def test_big_endian_float32_batch_innermost():
    x, weight, grad_output = (np.ones(s, "float32") for s in ((16, 16, 8, 8), (16, 16, 3, 3), (16, 16, 6, 6)))
    x, grad_output = _array.batch_innermost(x), _array.batch_innermost(grad_output)
    swapped = [a.astype(">f4") for a in (grad_output, x, weight)]
    for result, expected in zip(conv2d_backward(*swapped)[:2], conv2d_backward(grad_output, x, weight)[:2]):
        np.testing.assert_array_equal(result, expected)
