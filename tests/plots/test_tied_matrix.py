"""plot_tied_matrix: the numbers drawn are the matrix of the convolution."""

import numpy as np
import pytest
from matplotlib import pyplot as plt

from cnnlib import conv
from cnnlib.plots.tied_matrix import plot_tied_matrix


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def matrix(ax, shape):
    """Return the numbers drawn, as a matrix; empty entries are 0."""
    drawn = np.zeros(shape, dtype=int)
    for text in ax.texts:
        col, row = text.get_position()
        drawn[row, col] = int(text.get_text())
    return drawn


@pytest.mark.parametrize("image_size, kernel_size, stride", [
    ((6, 6), (3, 3), 1), ((4, 5), (2, 3), 1), ((7, 5), (3, 1), 2),
])
def test_is_the_convolution(image_size, kernel_size, stride):
    pixels, taps = np.prod(image_size), np.prod(kernel_size)
    kernel = np.arange(1, taps + 1).reshape(1, 1, *kernel_size)
    columns = conv.conv2d(np.eye(pixels, dtype=int).reshape(pixels, 1, *image_size), kernel, stride=stride)
    expected = columns.reshape(pixels, -1).T
    ax = plot_tied_matrix(image_size, kernel_size, stride=stride)
    np.testing.assert_array_equal(matrix(ax, expected.shape), expected)


def test_errors():
    with pytest.raises(ValueError, match="8×7 has 56 pixels; numbers can be read up to 49"):
        plot_tied_matrix((8, 7), 3)
    with pytest.raises(ValueError, match="spans 4 pixels"):
        plot_tied_matrix(3, 4)
