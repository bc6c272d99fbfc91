"""Sizes without pixels, against hand-counted cases, torch and the published receptive fields."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnlib import geometry

SIZES = dict(size=st.integers(1, 40), kernel_size=st.integers(1, 7), stride=st.integers(1, 5),
             padding=st.tuples(st.integers(0, 4), st.integers(0, 4)), dilation=st.integers(1, 3))


def count_windows(size, kernel_size, stride, padding, dilation):
    """Count, one by one, the places at which a whole window lies inside the padded input."""
    padded, span = size + sum(padding), dilation * (kernel_size - 1) + 1
    return sum(start + span <= padded for start in range(0, padded, stride))


@given(**SIZES)
def test_output_size_counts_windows(size, kernel_size, stride, padding, dilation):
    expected = count_windows(size, kernel_size, stride, padding, dilation)
    if expected:
        assert geometry.output_size(size, kernel_size, stride, padding, dilation) == expected
    else:
        with pytest.raises(ValueError, match=f"spans {dilation * (kernel_size - 1) + 1} pixels"):
            geometry.output_size(size, kernel_size, stride, padding, dilation)


@given(**SIZES)
def test_what_the_refusal_offers_would_fit(size, kernel_size, stride, padding, dilation):
    try:
        geometry.output_size(size, kernel_size, stride, padding, dilation)
    except ValueError as error:
        words = str(error).split()
        each_side = int(words[words.index("`padding`") + 1])
        smaller_kernel = int(words[-3])
        assert geometry.output_size(size, kernel_size, stride, each_side, dilation) >= 1
        assert geometry.output_size(size, smaller_kernel, stride, padding, dilation) >= 1


@pytest.mark.parametrize("stride, expected", [(1, 5), (2, 3), (3, 2)])
def test_known_values(stride, expected):
    assert geometry.output_size(7, 3, stride) == expected
    assert geometry.output_size(7, 3, padding=1) == 7
    assert [geometry.output_size(32, k, padding=(k - 1) // 2) for k in (3, 5, 7)] == [32, 32, 32]


@given(**SIZES)
def test_exact_fit_ends_with_the_input(size, kernel_size, stride, padding, dilation):
    span = dilation * (kernel_size - 1) + 1
    if size + sum(padding) < span:
        return
    fits, sizes = geometry.exact_fit(size, kernel_size, stride, padding, dilation)
    last = (geometry.output_size(size, kernel_size, stride, padding, dilation) - 1) * stride + span
    assert fits == (last == size + sum(padding))
    assert all(geometry.exact_fit(s, kernel_size, stride, padding, dilation)[0] for s in sizes)
    assert max(sizes) >= size and min(sizes) <= max(size, min(sizes))


@given(size=st.integers(1, 60), kernel_size=st.integers(1, 9), stride=st.integers(1, 5), dilation=st.integers(1, 3))
def test_same_padding_gives_the_ceiling(size, kernel_size, stride, dilation):
    before, after = geometry.same_padding(size, kernel_size, stride, dilation)
    assert after - before in (0, 1)
    # With fewer taps than steps between them, "same" leaves pixels out and needs no zeros.
    assert geometry.output_size(size, kernel_size, stride, (before, after), dilation) == -(-size // stride)


def test_same_padding_known_values():
    assert geometry.same_padding(224, 7, 2) == (2, 3)
    assert [geometry.same_padding(32, k) for k in (3, 5, 7)] == [(1, 1), (2, 2), (3, 3)]


VGG16 = [(3, 1)] * 2 + [(2, 2)] + [(3, 1)] * 2 + [(2, 2)] + ([(3, 1)] * 3 + [(2, 2)]) * 3
ALEXNET = [(11, 4), (3, 2), (5, 1), (3, 2), (3, 1), (3, 1), (3, 1), (3, 2)]


@pytest.mark.parametrize("layers, expected", [
    ([], (1, 1)), ([(3, 1)] * 3, (7, 1)), ([(3, 1, 2)], (5, 1)), (VGG16, (212, 32)), (ALEXNET, (195, 32)),
    ([(5, 1), (2, 2), (5, 1), (2, 2), (5, 1)], (32, 4)),  # LeNet-5 to C5
])
def test_receptive_field(layers, expected):
    assert geometry.receptive_field(layers) == expected


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 3), st.integers(1, 3)), max_size=5))
def test_receptive_field_by_following_the_windows_down(layers):
    """Two neighbouring output pixels, followed down to the input, one layer at a time."""
    fields = [{0}, {1}]
    for kernel_size, stride, dilation in reversed(layers):
        fields = [{i * stride + p * dilation for i in field for p in range(kernel_size)} for field in fields]
    size, jump = geometry.receptive_field(layers)
    assert max(fields[0]) - min(fields[0]) + 1 == size
    assert min(fields[1]) - min(fields[0]) == jump


def test_counts():
    assert geometry.conv_parameters(3, 10, 5) == 760
    assert geometry.conv_parameters(6, 16, 5) == 2416
    assert geometry.conv_parameters(96, 256, 5, groups=2, bias=False) == 256 * 48 * 25
    assert geometry.conv_multiply_adds(3, 10, (5, 5), (32, 32)) == 768_000


@pytest.mark.parametrize("call, error, message", [
    (lambda: geometry.output_size(7, 3, stride=0), ValueError, "`stride` is 0; it must be at least 1"),
    (lambda: geometry.output_size(7, 3, padding=-1), ValueError, "`padding` is -1; it must be at least 0"),
    (lambda: geometry.output_size(7, 3, padding=(1, 2, 3)), ValueError, r"`padding` is \(1, 2, 3\)"),
    (lambda: geometry.output_size(7.5, 3), TypeError, "`size` must be a whole number, not 7.5"),
    (lambda: geometry.output_size(True, 3), TypeError, "`size` must be a whole number, not True"),
    (lambda: geometry.output_size(3, 5), ValueError, "`padding` 1 on each side or a `kernel_size` of at most 3"),
    (lambda: geometry.output_size(0, 3), ValueError, r"0 \+ 0 \+ 0 = 0: `padding` 2 on each side would fit"),
    (lambda: geometry.same_padding(0, 3), ValueError, "`size` is 0; it must be at least 1"),
    (lambda: geometry.receptive_field((3, 1)), ValueError,
     r"layer 0 of `layers` is 3; it must be .*, and one layer alone is \[\(3, 1\)\]"),
    (lambda: geometry.receptive_field([(3,)]), ValueError, r"layer 0 of `layers` is \(3,\)"),
    (lambda: geometry.conv_parameters(3, 4, 3, groups=2), ValueError, "`groups` is 2; it must divide both"),
])
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_numpy_integers_are_whole_numbers():
    assert geometry.output_size(np.int64(7), np.int32(3), np.uint8(2)) == 3
    fits, sizes = geometry.exact_fit(np.int64(7), 3)
    counted = geometry.conv_parameters(np.int64(3), np.int64(10), 5)
    assert fits and {type(number) for number in (*sizes, counted)} == {int}  # they print as such


def test_matches_torch():
    torch = pytest.importorskip("torch")
    for size in range(5, 12):
        for kernel_size, stride, padding, dilation in ((3, 2, 1, 1), (3, 3, 0, 2), (5, 4, 2, 1)):
            out = torch.nn.functional.conv1d(torch.zeros(1, 1, size), torch.zeros(1, 1, kernel_size),
                                             stride=stride, padding=padding, dilation=dilation)
            assert geometry.output_size(size, kernel_size, stride, padding, dilation) == out.shape[2]
