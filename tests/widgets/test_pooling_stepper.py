"""The pooling stepper's Python side: what each way keeps, what a push changes, what goes back, what is refused."""

import numpy as np
import pytest

pytest.importorskip("anywidget")

from examples import DIGIT
from helpers import assert_close
from traitlets import TraitError

from cnnlib import pool
from cnnlib.widgets import PoolingStepper
from cnnlib.widgets._pooling import KINDS

SMALL = [[1, 5, 2, 0], [3, 4, 2, 2], [0, 1, 7, 1], [0, 0, 6, 2]]


@pytest.mark.parametrize("kind, expected", [
    ("max", [[5, 2], [1, 7]]), ("average", [[3.25, 1.5], [0.25, 4]]), ("stride", [[1, 2], [0, 7]]),
    ("L2", np.sqrt([[51, 12], [1, 90]])),
    # The maxima of all windows are 5 5 2 / 4 7 7 / 1 7 7, and the rim repeats itself. At the upper left:
    # 3·3·5 + 3·1·5 + 1·3·4 + 1·1·7 = 79 sixteenths.
    ("blurred", np.array([[79, 61], [49, 112]]) / 16),
])
def test_known_maps(kind, expected):
    assert_close(PoolingStepper(SMALL, kind=kind).output, np.array(expected, dtype=np.float32))


def test_blurred_by_its_definition():
    """The maxima of all windows, repeated at the rim, blurred by 1 2 1, every second kept."""
    x = np.array(DIGIT, dtype=float)
    dense = np.pad(np.lib.stride_tricks.sliding_window_view(x, (2, 2)).max(axis=(2, 3)), 1, mode="edge")
    soft = sum(dense[i:i + 7, j:j + 7] * w for (i, j), w in np.ndenumerate(np.outer([1, 2, 1], [1, 2, 1]) / 16))
    assert_close(PoolingStepper(DIGIT, kind="blurred").output, soft[::2, ::2].astype(np.float32))


@pytest.mark.parametrize("settings", [{}, {"kernel_size": 3, "stride": 2, "padding": 1}, {"kernel_size": 3},
                                      {"kernel_size": 3, "ceil_mode": True}, {"stride": 1, "shift": (2, -1)}])
def test_index_is_that_of_the_library(settings):
    widget = PoolingStepper(DIGIT, **settings)
    pushed = np.roll(np.array(DIGIT, dtype=float), settings.pop("shift", (0, 0)), axis=(0, 1))
    size = settings.pop("kernel_size", 2)
    out, index = pool.max_pool2d(pushed[None], size, **settings, return_indices=True)
    np.testing.assert_array_equal(widget.output, out[0])
    np.testing.assert_array_equal(widget.index, index[0])
    widget.kind = "average"
    assert widget.index is None


def test_of_equal_numbers_the_first_wins():
    widget = PoolingStepper([[3, 3], [3, 3]])
    assert widget.index.tolist() == [[0]]
    assert widget.sentence() == ("Window rows 0 to 1, columns 0 to 1: maximum 3, 4 times; the first, at row 0, "
                                 "column 0, wins.")


@pytest.mark.parametrize("kind", KINDS)
def test_what_goes_back_adds_up(kind):
    """A gradient of 1 from every output: all of it arrives, but for L2, whose shares are x / y."""
    widget = PoolingStepper(DIGIT, kind=kind, kernel_size=3, stride=2)
    pooling = widget.pooling()
    back = pooling.gradient(np.ones(pooling.out.shape))
    if kind != "L2":
        assert back.sum() == pytest.approx(pooling.out.size)
    eps, row, col = 1e-6, 4, 5  # and by central differences, at one pixel that is nowhere tied
    moved = np.array(DIGIT, dtype=float) + np.random.default_rng(0).random((8, 8)) / 4
    widget.image = moved
    nudge = np.zeros((8, 8))
    nudge[row, col] = eps
    pooling = widget.pooling()
    up, down = (type(pooling)(pooling.picture + sign * nudge, kind, 3, 2, 0, False).out.sum() for sign in (1, -1))
    assert pooling.gradient(np.ones(pooling.out.shape))[row, col] == pytest.approx((up - down) / (2 * eps), abs=1e-6)


def test_what_a_push_changes():
    stripes = [[0, 0, 1, 1, 0, 0, 1, 1]] * 2
    widget = PoolingStepper(stripes, shift=(0, 1))
    assert widget.output.tolist() == [[1, 1, 1, 1]]
    assert (widget.changed(), widget.change()) == ((2, 8), 1)
    assert widget.sentence().endswith("Pushed 1 right: 2 of 4 outputs and 8 of 16 inputs changed, the map by 100 %.")
    widget.shift = (0, -2)
    assert widget.output.tolist() == [[1, 0, 1, 0]]
    assert "Pushed 2 left: 4 of 4 outputs and 16 of 16 inputs changed" in widget.sentence()
    widget.shift = (1, 8)  # all the way round
    assert "Pushed 1 down and 8 right: 0 of 4 outputs and 0 of 16 inputs changed, the map by 0 %." in widget.sentence()
    by_one = {kind: PoolingStepper(DIGIT, shift=(0, 1)).change(kind) for kind in KINDS}
    assert by_one["blurred"] < by_one["max"] < by_one["stride"]  # the lecture's order
    assert np.isnan(PoolingStepper(np.zeros((4, 4)), shift=(1, 0)).change())


def test_sentences():
    widget = PoolingStepper(SMALL, row=1, col=1)
    assert widget.sentence() == "Window rows 2 to 3, columns 2 to 3: maximum 7 at row 2, column 2."
    widget.backward = True
    assert widget.sentence().endswith("Sent back: 1 to row 2, column 2.")
    widget.kind = "average"
    assert widget.sentence() == "Window rows 2 to 3, columns 2 to 3: average 4. Sent back: 0.25 to each of 4 pixels."
    widget.predict, widget.shift = True, (0, 1)
    assert widget.sentence() == "Window rows 2 to 3, columns 2 to 3: average ?."
    widget = PoolingStepper(SMALL, kind="average", padding=1, stride=2)
    assert "average 0.25, with 3 of padding counted" in widget.sentence()
    widget.row = 99  # beyond the map: its last row
    assert widget.sentence().startswith("Window rows 3 to 4, columns −1 to 0: ")


@pytest.mark.parametrize("change, words", [
    ({"kernel_size": 0}, "size 0: the smallest is 1"), ({"stride": -2}, "stride −2: the smallest is 1"),
    ({"padding": -1}, "padding −1: the smallest is 0"),
    ({"padding": 2}, "padding 2: at most half of the window, here 1, lies outside; "
                     "else a window would see padding only"),
    ({"kernel_size": 9, "padding": 1}, "4 + 2·1 < 9: the window does not fit"),
])
def test_refusals_keep_the_state_and_say_why(change, words):
    widget = PoolingStepper(SMALL)
    for name, value in change.items():
        setattr(widget, name, value)
    assert widget.problem() == words
    assert widget.sentence() == f"Refused: {words}."
    assert widget.output is None and widget.index is None
    widget.reset()
    assert widget.problem() is None and widget.output.tolist() == [[5, 2], [1, 7]]


def test_arguments_that_are_refused():
    with pytest.raises(ValueError, match=r"`image` has shape \(17, 4\): the stepper shows up to 16×16 pixels; .*crop"):
        PoolingStepper(np.zeros((17, 4)))
    with pytest.raises(TraitError, match="`shift` is 1; it must be a pair of whole numbers, .down, right."):
        PoolingStepper(SMALL, shift=1)
    with pytest.raises(TraitError, match=r"`shift` is \(0.5, 1\)"):
        PoolingStepper(SMALL, shift=(0.5, 1))
    with pytest.raises(TraitError, match="median"):
        PoolingStepper(SMALL, kind="median")
    with pytest.raises(TypeError, match="has no option 'kernelsize'; did you mean 'kernel_size'"):
        PoolingStepper(SMALL, kernelsize=3)


def test_nan_is_kept():
    image = np.array(SMALL, dtype=float)
    image[0, 0] = np.nan
    widget = PoolingStepper(image)
    assert np.isnan(widget.output[0, 0]) and widget.index[0, 0] == 0
    assert "maximum NaN at row 0, column 0" in widget.sentence()
    widget.kind, widget.backward = "L2", True
    assert np.isnan(widget.output[0, 0]) and np.isfinite(widget.output[1, 1])
    assert widget.picture()[:4] == b"\x89PNG"
