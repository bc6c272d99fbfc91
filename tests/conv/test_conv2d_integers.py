"""Integer convolution is exact, or an error: nothing wraps round."""

import numpy as np
import pytest

from cnnlib import _array
from cnnlib.conv import conv2d, conv2d_backward, conv_transpose2d, correlate2d

METHODS = ("auto", "exact", "loops", "im2col", "shifted")
INTEGERS = ("uint8", "int8", "int16", "uint16", "int32", "uint32", "int64")
LARGEST = 2**63 - 1


def row(*numbers, dtype="int64"):
    return np.array(numbers, dtype=dtype)[None, None, None]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", INTEGERS)
def test_exact(array, rng, method, dtype):
    x, weight, bias = (rng.integers(0, 3, s).astype(dtype) for s in ((2, 4, 7, 6), (2, 2, 3, 2), (2,)))
    expected = conv2d(*(a.astype(float) for a in (x, weight, bias)), stride=2, padding=1, groups=2, method="loops")
    out = conv2d(*(array(a) for a in (x, weight, bias)), stride=2, padding=1, groups=2, method=method)
    assert _array.dtype_name(out) == dtype
    np.testing.assert_array_equal(_array.to_numpy(out), expected)


def test_beyond_what_float64_counts(array):
    """2**53 + 1 is no float64: the sum must not pass through one."""
    out = conv2d(array(row(2**53, 1)), array(row(1, 1)))
    assert int(out[0, 0, 0, 0]) == 2**53 + 1


def test_sum_in_range_though_its_terms_are_not(array):
    assert int(conv2d(array(row(2**62, 2**62, 2**62)), array(row(1, 1, -1)))[0, 0, 0, 0]) == 2**62
    assert int(conv2d(array(row(-(2**63), 5)), array(row(1, 1)))[0, 0, 0, 0]) == 5 - 2**63


@pytest.mark.parametrize("method", METHODS)
def test_out_of_range_is_an_error(array, method):
    narrow = [array(row(*n, dtype="uint8")) for n in ((255, 255), (1, 1))]
    with pytest.raises(ValueError, match=r"holds 510, outside the range of uint8 \(0 to 255\)"):
        conv2d(*narrow, method=method)
    with pytest.raises(ValueError, match=r"holds -256, outside the range of int8 \(-128 to 127\)"):
        conv2d(array(row(-128, -128, dtype="int8")), array(row(1, 1, dtype="int8")), method=method)
    with pytest.raises(ValueError, match=r"near 1\.38351e\+19, outside the range of int64"):
        conv2d(array(row(2**62, 2**62, 2**62)), array(row(1, 1, 1)), method=method)
    with pytest.raises(ValueError, match=r"near 9\.22337e\+18, outside the range of int64"):
        conv2d(array(row(LARGEST)), array(row(1)), array(np.array([1])), method=method)


def test_far_out_of_range_is_an_error(array):
    with pytest.raises(ValueError, match=r"sums of 2 products of integers up to 4611686018427387904 and"):
        conv2d(array(row(2**62, 0)), array(row(2**62, 0)))


def test_transposed(array):
    out = conv_transpose2d(array(row(1, 2, 3)), array(row(1, 10)), array(np.array([100])), stride=2)
    np.testing.assert_array_equal(_array.to_numpy(out), row(101, 110, 102, 120, 103, 130))
    with pytest.raises(ValueError, match=r"near 9\.22337e\+18, outside the range of int64"):
        conv_transpose2d(array(row(2**62, 2**62)), array(row(1, 1)))
    with pytest.raises(ValueError, match=r"near 9\.22337e\+18, outside the range of int64"):
        conv_transpose2d(array(row(LARGEST)), array(row(1)), array(np.array([1])))


def test_transposed_bytes_are_checked_after_the_bias(array):
    """11 * 12 = 132 is no int8; 122, with the bias, is. And the other way round."""
    x, weight, bias = (array(a) for a in (row(11, dtype="int8"), row(12, dtype="int8"), np.array([-10], "int8")))
    assert int(conv_transpose2d(x, weight, bias)[0, 0, 0, 0]) == 122
    with pytest.raises(ValueError, match=r"holds 132, outside the range of int8 \(-128 to 127\)"):
        conv_transpose2d(x, weight)
    with pytest.raises(ValueError, match=r"holds -142, outside the range of int8 \(-128 to 127\)"):
        conv_transpose2d(x, -weight, bias)


@pytest.mark.parametrize("dtype", INTEGERS)
def test_transposed_frames_in_every_dtype(array, dtype):
    """output_padding that no copy reaches: only bias there."""
    out = conv_transpose2d(array(row(1, 2, dtype=dtype)), array(row(3, dtype=dtype)), array(np.array([7], dtype)),
                           stride=2, output_padding=(0, 1))
    assert _array.dtype_name(out) == dtype
    np.testing.assert_array_equal(_array.to_numpy(out), row(10, 7, 13, 7))


def test_pictures(array):
    image = np.arange(200, 209, dtype="uint8").reshape(3, 3)
    out = correlate2d(array(image), array(np.array([[0, 1]], dtype="uint8")))
    np.testing.assert_array_equal(_array.to_numpy(out), image[:, 1:])


@pytest.mark.parametrize("method", ("fft", "winograd"))
def test_methods_that_would_round_refuse(array, method):
    x, weight = (array(np.ones(s, dtype="int32")) for s in ((1, 1, 5, 5), (1, 1, 3, 3)))
    with pytest.raises(TypeError, match=f"method='{method}' computes with fractions and the arrays are int32"):
        conv2d(x, weight, method=method)


def test_library(rng):
    pytest.importorskip("torch")
    x, weight = (rng.integers(-9, 9, s) for s in ((2, 2, 5, 6), (3, 2, 3, 3)))
    np.testing.assert_array_equal(conv2d(x, weight, method="library"), conv2d(x, weight, method="loops"))


def test_integers_have_no_gradient(array):
    x, weight = array(row(1, 2)), array(row(1))
    assert conv2d_backward(conv2d(x, weight), x, weight) == (None, None, None)


def test_torchs_own_code_is_checked_too():
    pytest.importorskip("torch")
    with pytest.raises(ValueError, match="the result holds 400, outside the range of int8"):
        conv2d(row(20, dtype="int8"), row(20, dtype="int8"), method="library")
