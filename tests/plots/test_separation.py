"""The plane with its lines: where they run, to which side they point, and what it refuses."""

import numpy as np
import pytest
from matplotlib import pyplot as plt

from cnnlib import plots

CORNERS, XOR = [[-1, -1], [-1, 1], [1, -1], [1, 1]], [-1, 1, 1, -1]


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def test_the_sum_is_zero_on_the_line_and_positive_where_the_arrow_points():
    weights, bias = np.array([[0.5, -2.0], [1.0, 1.0]]), np.array([0.3, -0.5])
    ax = plots.plot_separation(CORNERS, XOR, weights, bias)
    for line, arrow, row, offset in zip(ax.get_lines()[4:], ax.texts[4:], weights, bias, strict=True):
        assert np.transpose(line.get_data()) @ row + offset == pytest.approx([0, 0])
        assert np.array(arrow.xy) @ row + offset > 0
        assert np.array(arrow.xyann) @ row + offset == pytest.approx(0)


def test_the_points_say_what_is_wanted():
    ax = plots.plot_separation(CORNERS, XOR)
    assert [text.get_text() for text in ax.texts] == ["−1", "+1", "+1", "−1"]


def test_no_weights_have_no_line():
    assert len(plots.plot_separation(CORNERS, XOR, [[0, 0]], [0.0]).get_lines()) == 4


def test_errors():
    with pytest.raises(ValueError, match=r"`points` \(4, 2\) and `targets` \(3,\)"):
        plots.plot_separation(CORNERS, XOR[:3])
    with pytest.raises(ValueError, match=r"`weights` \(2, 2\) and `bias` \(1,\) at most 4 units"):
        plots.plot_separation(CORNERS, XOR, np.ones((2, 2)), [0.0])
    with pytest.raises(ValueError, match=r"`weights` \(5, 2\) and `bias` \(5,\) at most 4"):
        plots.plot_separation(CORNERS, XOR, np.ones((5, 2)), np.ones(5))
