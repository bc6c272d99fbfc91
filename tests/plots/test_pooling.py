"""plot_pooling: the numbers are the library's, the frames stand at the window, its winner and its output."""

import numpy as np
import pytest
from figures import cells, frames

from cnnlib import plots, pool

MAP = np.array([[1, 2, 2, 5], [-1, -2, 2, 0], [0, 5, 1, 1], [3, 0, 1, 0]])


def test_numbers_and_frames():
    left, right = plots.plot_pooling(MAP, 2, row=1, col=0)
    assert cells(left)[2, 1] == "5" and cells(left)[1, 0] == "−1" and len(cells(left)) == 16
    assert cells(right) == {(0, 0): "2", (0, 1): "5", (1, 0): "5", (1, 1): "1"}
    assert frames(left, plots.COLOURS["input"]) == [(2, 0, 2, 2)]
    assert frames(left, plots.COLOURS["output"]) == [(2, 1, 1, 1)]  # the winner
    assert frames(right, plots.COLOURS["output"]) == [(1, 0, 1, 1)]


def test_of_equal_numbers_the_first_is_framed():
    left, _ = plots.plot_pooling([[3, 7, 7], [7, 0, 7]], (2, 3))
    assert frames(left, plots.COLOURS["output"]) == [(0, 1, 1, 1)]


@pytest.mark.parametrize("kind, texts", [("average", ["0.00", "2.25", "2.00", "0.75"]),
                                         ("L2", ["3.16", "5.74", "5.83", "1.73"])])
def test_other_kinds_have_no_winner(kind, texts):
    left, right = plots.plot_pooling(MAP, 2, kind=kind)
    assert list(cells(right).values()) == texts and right.get_title() == f"{kind} 2×2, stride 2"
    assert frames(left, plots.COLOURS["output"]) == []


def test_overlapping_windows():
    left, right = plots.plot_pooling(MAP, 3, 1, row=1, col=1)
    expected = pool.max_pool2d(MAP[None].astype(float), 3, 1)[0]
    assert [float(text) for text in cells(right).values()] == expected.ravel().tolist()
    assert frames(left, plots.COLOURS["input"]) == [(1, 1, 3, 3)]


@pytest.mark.parametrize("arguments, message", [
    (dict(row=2), "there is no output row 2, column 0: the output is 2×2"),
    (dict(kind="median"), "`kind` must be one of max, average, L2, not 'median'"),
    (dict(kernel_size=5), r"`kernel_size` \(5, 5\) spans 5 rows and the input with padding 0 has 4"),
])
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        plots.plot_pooling(MAP, **arguments)
    with pytest.raises(ValueError, match=r"`image` has shape \(17, 2\): plot_pooling draws up to 16×16"):
        plots.plot_pooling(np.zeros((17, 2)))
