"""correlate2d: one picture, one filter."""

import numpy as np
import pytest
from helpers import assert_close

from cnnlib import _array
from cnnlib.conv import correlate2d

# The letters a to l of the lecture's symbolic 3x4 example, as numbers that tell every product apart.
LETTERS = 10.0 ** np.arange(12).reshape(3, 4)
W, X, Y, Z = 2.0, 3.0, 5.0, 7.0


def test_the_six_sums(array):
    (a, b, c, d), (e, f, g, h), (i, j, k, l) = LETTERS  # noqa: E741 the lecture's letters
    expected = [[a * W + b * X + e * Y + f * Z, b * W + c * X + f * Y + g * Z, c * W + d * X + g * Y + h * Z],
                [e * W + f * X + i * Y + j * Z, f * W + g * X + j * Y + k * Z, g * W + h * X + k * Y + l * Z]]
    out = correlate2d(array(LETTERS), array(np.array([[W, X], [Y, Z]])))
    np.testing.assert_array_equal(_array.to_numpy(out), expected)


@pytest.mark.parametrize("kernel_size", ((1, 1), (3, 3), (2, 4), (5, 3)))
def test_modes(array, rng, kernel_size):
    """Each mode is a part of "full"."""
    image, kernel = rng.standard_normal((6, 7)), rng.standard_normal(kernel_size)
    rows, cols = kernel_size
    full = correlate2d(array(image), array(kernel), "full")
    padded = np.pad(image, ((rows - 1, rows - 1), (cols - 1, cols - 1)))
    expected = [[(padded[i:i + rows, j:j + cols] * kernel).sum() for j in range(7 + cols - 1)]
                for i in range(6 + rows - 1)]
    assert_close(full, np.array(expected))
    assert_close(correlate2d(array(image), array(kernel)), _array.to_numpy(full[rows - 1:6, cols - 1:7]))
    top, left = rows - 1 - (rows - 1) // 2, cols - 1 - (cols - 1) // 2
    assert_close(correlate2d(array(image), array(kernel), "same"),
                 _array.to_numpy(full[top:top + 6, left:left + 7]))


@pytest.mark.parametrize("mode", ("valid", "same", "full"))
@pytest.mark.parametrize("kernel_size", ((3, 5), (2, 4), (1, 2)))
def test_matches_scipy(rng, mode, kernel_size):
    signal = pytest.importorskip("scipy.signal")
    image, kernel = rng.standard_normal((6, 7)), rng.standard_normal(kernel_size)
    assert_close(correlate2d(image, kernel, mode), signal.correlate2d(image, kernel, mode))
    if mode != "same" or kernel_size == (3, 5):  # turned, an even kernel has its middle on the other side
        assert_close(correlate2d(image, kernel[::-1, ::-1], mode), signal.convolve2d(image, kernel, mode))


def test_errors(array):
    image, kernel = array(np.zeros((4, 5))), array(np.zeros((3, 3)))
    with pytest.raises(ValueError, match=r"`image` has shape \(4, 5, 3\); .*images\.to_grey\(image\) makes one grey"):
        correlate2d(array(np.zeros((4, 5, 3))), kernel)
    with pytest.raises(ValueError, match=r"`kernel` has shape \(1, 3, 3\); it must be \(rows, columns\)"):
        correlate2d(image, kernel[None])
    with pytest.raises(ValueError, match=r"`mode` is 'wrap'; it must be one of valid, same, full"):
        correlate2d(image, kernel, "wrap")
    with pytest.raises(ValueError, match=r"`kernel` \(5, 1\) lies nowhere wholly on `image` \(4, 5\): mode='same' or"):
        correlate2d(image, array(np.zeros((5, 1))))
    with pytest.raises(TypeError, match="`image` must be a NumPy array or a torch tensor, not list"):
        correlate2d([[1.0]], kernel)
    with pytest.raises(TypeError, match=r"differ in dtype \(image float64, kernel float32\)"):
        correlate2d(image, array(np.zeros((3, 3), dtype="float32")))
    with pytest.raises(ValueError, match=r"`image` has shape \(0, 5\); it must have at least one row and one column"):
        correlate2d(image[:0], kernel)
