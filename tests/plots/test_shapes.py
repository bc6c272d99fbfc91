"""Windows on a row, towers of layers, and growing receptive fields are drawn where they are."""

import numpy as np
import pytest
from matplotlib import pyplot as plt

from cnnlib import geometry, plots


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def dots(ax):
    """The pixels that each window multiplies, read off the drawing."""
    return [line.get_xdata().tolist() for line in ax.lines if line.get_marker() == "o"]


@pytest.mark.parametrize("size, kernel_size, stride, padding, dilation, expected", [
    (7, 3, 1, 0, 1, [[0, 1, 2], [1, 2, 3], [2, 3, 4], [3, 4, 5], [4, 5, 6]]),
    (7, 3, 3, 0, 1, [[0, 1, 2], [3, 4, 5]]),
    (5, 3, 2, (0, 1), 2, [[0, 2, 4]]),
    (2, 3, 1, 1, 1, [[0, 1, 2], [1, 2, 3]]),
])
def test_windows_known_values(size, kernel_size, stride, padding, dilation, expected):
    assert dots(plots.plot_windows(size, kernel_size, stride, padding, dilation)) == expected


@pytest.mark.parametrize("size, never_seen", [(9, []), (7, ["1 never seen"]), (8, ["2 never seen"])])
def test_windows_say_what_is_never_seen(size, never_seen):
    words = [text.get_text() for text in plots.plot_windows(size, 3, stride=3).texts]
    assert [word for word in words if "seen" in word] == never_seen


def test_windows_show_zeros_and_pixels():
    ax = plots.plot_windows([3, 1, 4], 3, padding=(1, 2))
    assert [text.get_text() for text in ax.texts][:6] == ["0", "3", "1", "4", "0", "0"]
    assert ax.get_title(loc="left") == "3 pixels, filter 3, stride 1, padding 1 + 2: 4 windows"


def test_windows_errors():
    with pytest.raises(ValueError, match=r"a kernel of 5 .* spans 5 pixels, more than the padded input's 3 \+ 0 \+ 0"):
        plots.plot_windows(3, 5)
    with pytest.raises(ValueError, match=r"`row` has shape \(2, 2\)"):
        plots.plot_windows(np.ones((2, 2)), 1)


@pytest.mark.parametrize("layers", [
    [(3, 1)] * 3, [(3, 2), (3, 1), (3, 1)], [(3, 1), (3, 1, 2), (3, 1, 4)], [(5, 3), (1, 1), (2, 2), (3, 1)],
])
def test_tower_ends_at_the_receptive_field(layers):
    ax = plots.plot_tower(layers)
    rows = [line.get_xdata() for line in ax.lines if line.get_marker() == "s"]
    size, _ = geometry.receptive_field(layers)
    assert rows[0].tolist() == list(range(size))
    assert [len(row) for row in rows] == [int(text.get_text()) for text in ax.texts]
    assert len(rows) == len(layers) + 1 and len(rows[-1]) == 1


def test_tower_draws_the_holes_of_a_dilated_filter():
    rows = [line.get_xdata() for line in plots.plot_tower([(3, 1, 4)]).lines if line.get_marker() == "s"]
    assert rows[0].tolist() == [0, 4, 8]


def test_field_growth_known_values():
    ax = plots.plot_field_growth({"stride": [(3, 2)] * 4, "dilation": [(3, 1, 2**n) for n in range(4)]})
    assert [line.get_ydata().tolist() for line in ax.lines] == [[3, 7, 15, 31]] * 2
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["stride", "dilation"]


def test_field_growth_errors():
    with pytest.raises(ValueError, match="`stacks` is empty"):
        plots.plot_field_growth({})
