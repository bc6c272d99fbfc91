"""plot_convolution: the numbers drawn are those of conv2d, the framed cells those of its definition."""

import re

import numpy as np
import pytest
from figures import cells, frames
from matplotlib import pyplot as plt

from cnnlib import conv, data, plots

STROKE = np.array([[int(digit) for digit in row] for row in
                   "111111 000010 011100 001000 010000 100000".split()])
FILTER = np.array([[1, 1, 1], [-1, 1, -1], [1, -1, -1]])


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def sentence(axes):
    """What is written under the panels, on one line."""
    return axes[-1].texts[0].get_text().replace("\n", " ")


def terms_sum(text):
    """The sum of the products (and bias) that a sentence writes out, and the result that it gives."""
    products, result = re.split("[=≈]", text.split(":", 1)[1].replace("−", "-"))
    total = sum(np.prod([float(factor.strip("() ")) for factor in term.replace("bias", "").split("·")])
                for term in products.split(" + "))
    return total, float(result)


def test_known_values(array):
    window, kernel, output, _ = axes = plots.plot_convolution(array(STROKE), array(FILTER), col=1)
    assert sentence(axes) == ("Output row 0, column 1: 1·1 + 1·1 + 1·1 + 0·(−1) + 0·1 + 0·(−1) + 1·1 + 1·(−1) "
                              "+ 1·(−1) = 2")
    assert [cells(output)[0, col] for col in range(4)] == ["1", "2", "2", "5"]
    assert frames(window, plots.COLOURS["input"]) == [(0, 1, 3, 3)]
    assert frames(kernel, plots.COLOURS["weight"]) == [(0, 0, 3, 3)]
    assert frames(output, plots.COLOURS["output"]) == [(0, 1, 1, 1)]


@pytest.mark.parametrize("options", [
    {"row": 3, "col": 3}, {"stride": 3, "row": 1, "col": 1}, {"stride": 2, "padding": "same", "col": 2},
    {"dilation": 2, "padding": 1, "row": 2, "col": 1}, {"bias": 0.5, "row": 1}, {"padding": ((0, 2), (1, 0)), "row": 4},
])
def test_sum_is_conv2d(options, rng):
    image, kernel = rng.integers(-9, 10, (6, 6)), rng.integers(-9, 10, (3, 3))  # no two windows alike
    axes = plots.plot_convolution(image, kernel, **options)
    row, col, bias = options.pop("row", 0), options.pop("col", 0), options.pop("bias", 0)
    expected = conv.conv2d(image[None, None].astype(float), kernel[None, None].astype(float), **options)[0, 0] + bias
    assert terms_sum(sentence(axes)) == (expected[row, col], expected[row, col])
    drawn = np.array([[float(cells(axes[-2])[i, j].replace("−", "-")) for j in range(expected.shape[1])]
                      for i in range(expected.shape[0])])
    np.testing.assert_array_equal(np.round(drawn), np.round(expected))  # from 100 up cells have no decimals


def test_padding_and_dilation_are_drawn():
    window = plots.plot_convolution(STROKE, FILTER, padding=1, dilation=2, row=1, col=1)[0]
    assert len(cells(window)) == 64
    blue = frames(window, plots.COLOURS["input"])
    assert (1, 1, 5, 5) in blue  # the window as a whole
    assert {(1 + 2 * i, 1 + 2 * j, 1, 1) for i in range(3) for j in range(3)} == set(blue) - {(1, 1, 5, 5)}
    dashed = [patch for patch in window.patches if patch.get_linestyle() not in ("-", "solid")]
    assert dashed
    assert sum(patch.get_hatch() is not None for patch in window.patches) == 64 - 36


def test_flip_turns_the_filter():
    axes = plots.plot_convolution(STROKE, FILTER, flip=True)
    turned = ["−1", "−1", "1", "−1", "1", "−1", "1", "1", "1"]
    assert [cells(axes[1])[i, j] for i in range(3) for j in range(3)] == turned
    assert terms_sum(sentence(axes))[1] == conv.conv2d(
        STROKE[None, None].astype(float), FILTER[None, None, ::-1, ::-1].astype(float))[0, 0, 0, 0]
    assert axes[1].get_title() == "filter 3×3, turned"


def test_channels_are_summed():
    image, kernel = np.stack([STROKE, 1 - STROKE, STROKE.T]), np.stack([FILTER, FILTER.T, -FILTER])
    axes = plots.plot_convolution(image, kernel, row=2, col=3, bias=-2)
    assert len(axes) == 3 + 3 + 2
    expected = conv.conv2d(image[None].astype(float), kernel[None].astype(float))[0, 0, 2, 3] - 2
    assert terms_sum(sentence(axes)) == (expected, expected)
    assert [ax.get_ylabel() for ax in axes[:3]] == ["channel 0", "channel 1", "channel 2"]


def test_photo_has_a_loupe(array):
    photo, kernel = data.photo("camera", size=64), np.ones((3, 3)) / 9
    axes = plots.plot_convolution(array(photo), array(kernel), row=30, col=40)
    picture, loupe, _, output, _ = axes
    assert picture.images[0].get_array().shape == (64, 64)
    assert output.images[0].get_array().shape == (62, 62)
    assert len(cells(loupe)) == 49
    assert frames(loupe, plots.COLOURS["input"]) == [(2, 2, 3, 3)]
    assert cells(loupe)[3, 3] == f"{photo[31, 41]:.2f}"  # the window's centre
    assert " ≈ " in sentence(axes)
    total, result = terms_sum(sentence(axes))
    assert result == pytest.approx(photo[30:33, 40:43].mean(), abs=0.006)
    assert total == pytest.approx(result, abs=0.02)  # its terms are written with two decimals


def test_loupe_stays_inside():
    for row, col, corner in ((0, 0, (0, 0)), (61, 61, (4, 4))):
        loupe = plots.plot_convolution(data.photo("camera", size=64), np.ones((3, 3)), row=row, col=col)[1]
        assert frames(loupe, plots.COLOURS["input"]) == [(*corner, 3, 3)]


def test_nan_is_shown_where_it_counts():
    image = STROKE.astype(float)
    image[5, 5] = np.nan
    axes = plots.plot_convolution(image, FILTER, row=3, col=3)
    assert sentence(axes).endswith("NaN")
    assert cells(axes[-2])[3, 3] == "NaN"
    assert cells(axes[-2])[0, 0] == "1"


def test_many_products_are_shortened():
    axes = plots.plot_convolution(np.ones((12, 12)), np.ones((8, 8)))
    assert "(60 more)" in sentence(axes)
    assert sentence(axes).endswith("= 64")


def test_errors():
    with pytest.raises(ValueError, match="no output row 4, column 0: the output is 4×4"):
        plots.plot_convolution(STROKE, FILTER, row=4)
    with pytest.raises(ValueError, match=r"\(1, 1, 7, 7\) does not fit into `x` \(1, 1, 6, 6\)"):
        plots.plot_convolution(STROKE, np.ones((7, 7)))
    with pytest.raises(ValueError, match=r"shape \(5, 4, 4\): up to 4 channels"):
        plots.plot_convolution(np.ones((5, 4, 4)), np.ones((5, 2, 2)))
    with pytest.raises(ValueError, match="4 axes here, not 1"):
        plots.plot_convolution(STROKE, FILTER, axes=[plt.subplots()[1]])
