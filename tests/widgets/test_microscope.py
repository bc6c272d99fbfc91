"""The convolution microscope's Python side: state, sentences, refusals, the student's function."""

import numpy as np
import pytest

pytest.importorskip("anywidget")

from helpers import assert_close

from cnnlib import conv, data
from cnnlib.widgets import ConvolutionMicroscope

IMAGE = [[int(digit) for digit in row] for row in "111111 000010 011100 001000 010000 100000".split()]
FILTER = [[1, 1, 1], [-1, 1, -1], [1, -1, -1]]


@pytest.mark.parametrize("state, expected", [
    ({}, [[1, 2, 2, 5], [-1, -2, 2, 0], [0, 5, 1, 1], [3, 0, 1, 0]]),
    ({"stride": 3}, [[1, 5], [3, 0]]),
    ({"stride": 2, "padding": "same"}, [[1, 2, 1], [0, 1, 0], [0, 0, 0]]),
    ({"dilation": 2}, [[4, 4], [3, 0]]),
    ({"stride": 3, "bias": -2}, [[-1, 3], [1, -2]]),
])
def test_known_maps(state, expected):
    np.testing.assert_array_equal(ConvolutionMicroscope(IMAGE, FILTER, **state).output, expected)


def test_turned_is_convolution():
    widget = ConvolutionMicroscope(IMAGE, FILTER, flip=True)
    assert widget.output[0].tolist() == [1, 2, 0, 1]
    np.testing.assert_array_equal(widget.output, ConvolutionMicroscope(IMAGE, np.flip(FILTER)).output)


def test_sentence():
    widget = ConvolutionMicroscope(IMAGE, FILTER, col=1)
    assert widget.sentence() == ("Window rows 0 to 2, columns 1 to 3. Output row 0, column 1: "
                                 "1·1 + 1·1 + 1·1 + 0·(−1) + 0·1 + 0·(−1) + 1·1 + 1·(−1) + 1·(−1) = 2")
    widget.predict = True
    assert widget.sentence().endswith("1·(−1) = ?")
    widget = ConvolutionMicroscope(np.ones((2, 3, 3)), np.ones((2, 2, 2)), bias=0.5, padding=1)
    assert widget.sentence() == ("Window rows −1 to 0, columns −1 to 0. Output row 0, column 0: "
                                 "channel sums 1 + 1 + bias 0.5 = 2.5")
    assert "= NaN" in ConvolutionMicroscope([[1, np.nan]], [[1, 1]]).sentence()
    large = ConvolutionMicroscope(np.ones((9, 9)), np.ones((5, 5)))
    assert large.sentence().endswith("1·1 + 1·1 + 1·1 + … (25 products) = 25")


def test_refusals_are_told_and_the_map_is_gone():
    widget = ConvolutionMicroscope(IMAGE, FILTER)
    widget.dilation = 3
    assert widget.sentence() == ("Refused: 6 + 2·0 < 3·(3 − 1) + 1 = 7: "
                                 "the dilated filter does not fit; padding 1 would.")
    assert widget.output is None and len(widget.picture()) < 40_000
    widget.padding = 1
    assert widget.output.shape == (2, 2)
    widget.kernel = np.ones((2, 3, 3))
    assert widget.problem() == "the filter has 2 channels, the image 1: a filter is as deep as its image"


def test_errors():
    with pytest.raises(ValueError, match=r"`kernel` has shape \(2, 2\) and `image` \(3, 5, 5\): .* \(3, rows, cols\)"):
        ConvolutionMicroscope(np.ones((3, 5, 5)), np.ones((2, 2)))
    with pytest.raises(ValueError, match="`stride` is 0; it must be at least 1"):
        ConvolutionMicroscope(IMAGE, FILTER, stride=0)
    with pytest.raises(ValueError, match=r"`image` has shape \(40, 50, 3\): channels come first"):
        ConvolutionMicroscope(np.ones((40, 50, 3)), np.ones((3, 3, 3)))
    with pytest.raises(Exception, match="`padding` is 'full'; it must be a whole number, a pair"):
        ConvolutionMicroscope(IMAGE, FILTER, padding="full")
    with pytest.raises(ValueError, match="there is no photo 'dog'; there are"):
        ConvolutionMicroscope("dog", FILTER)


def test_photos():
    widget = ConvolutionMicroscope("camera", FILTER)
    assert widget.code().startswith('ConvolutionMicroscope("camera", [[')
    photo = data.photo("camera", grey=True).astype(np.float32)
    assert_close(widget.output.astype(np.float32), conv.conv2d(photo[None, None], np.float32([[FILTER]]))[0, 0])
    large = ConvolutionMicroscope(np.zeros((1, 300, 1024)), np.ones((1, 2, 2)))
    assert large.image.shape == (1, 150, 512)
    assert large._note == "Resized from 300×1024 to 150×512 pixels."
    large.image = large.image[:60, :60]
    assert large._note == ""


def test_students_function():
    calls = []

    def mine(image, kernel):
        calls.append(image.shape)
        return np.array([[(image[i:i + 3, j:j + 3] * kernel).sum() for j in range(4)] for i in range(4)])

    widget = ConvolutionMicroscope(IMAGE, FILTER, fn=mine)
    assert widget._theirs["words"] == "agrees in all 16 outputs"
    widget.row, widget.stride, widget.padding = 2, 2, 1
    assert len(calls) == 1  # neither moving nor geometry asks it again
    widget.kernel = np.eye(3)
    assert len(calls) == 2


@pytest.mark.parametrize("wrong, words", [
    (lambda image, kernel: np.zeros((4, 4)),
     "differs in 12 of 16 outputs, first at row 0, column 0: yours 0, computed 1"),
    (lambda image, kernel: np.zeros((6, 6)), "gives shape (6, 6), computed (4, 4)"),
    (lambda image, kernel: image[9], "IndexError: index 9 is out of bounds"),
])
def test_students_mistakes_are_named(wrong, words):
    assert ConvolutionMicroscope(IMAGE, FILTER, fn=wrong)._theirs["words"].startswith(words)


def test_every_picture_is_drawn():
    rng = np.random.default_rng(0)
    for state in ({}, {"padding": "same", "stride": 2}, {"predict": True}, {"dilation": 2, "bias": 1}):
        ConvolutionMicroscope(IMAGE, FILTER, **state).picture()
    deep = ConvolutionMicroscope(rng.normal(size=(6, 8, 8)), rng.normal(size=(6, 3, 3)), channel=5)
    assert len(deep.picture()) <= 40_000
