"""Multiplications, against counts by hand."""

import pytest

from cnnlib.conv.counting import multiplications


@pytest.mark.parametrize("method", ["loops", "im2col", "shifted", "implicit_gemm"])
def test_straight_sums(method):
    assert multiplications((2, 3, 9, 8), (5, 3, 3, 2), method=method) == 2 * 5 * 7 * 7 * 3 * 3 * 2
    assert multiplications((4, 9, 9), (6, 2, 3, 3), stride=2, groups=2, method=method) == 6 * 4 * 4 * 2 * 9


def test_winograd():
    """One 4×4 tile: 16 for 36. Odd outputs fill whole tiles."""
    assert multiplications((1, 4, 4), (1, 1, 3, 3), method="winograd") == 16
    assert multiplications((2, 3, 7, 8), (5, 3, 3, 3), method="winograd") == 2 * 3 * 3 * 16 * 5 * 3
    even = {"x_shape": (64, 28, 28), "weight_shape": (64, 64, 3, 3), "padding": 1}
    assert multiplications(**even) / multiplications(**even, method="winograd") == 2.25


def test_fft():
    """On 4×4: 4 · (4 / 2 + 1) waves, 4 multiplications each, and two transforms of 16 · log2 16."""
    assert multiplications((1, 4, 4), (1, 1, 3, 3), method="fft") == 4 * 12 + 2 * 16 * 4
    large, small = (multiplications((1, 60, 60), (1, 1, size, size), method="fft") for size in (31, 3))
    assert large == small


def test_errors():
    with pytest.raises(ValueError, match="'direct'; it must be loops"):
        multiplications((1, 4, 4), (1, 1, 3, 3), method="direct")
    with pytest.raises(ValueError, match="stride 1"):
        multiplications((1, 9, 9), (1, 1, 3, 3), stride=2, method="winograd")
