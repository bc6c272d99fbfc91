"""Boxes lie where they are said to, and say their score."""

import numpy as np
import pytest

from cnnlib.plots.boxes import plot_boxes


def frames(ax):
    """The frames as (first row, first column, last row, last column); each is drawn over a paper-coloured halo."""
    return [[patch.get_y() + 0.5, patch.get_x() + 0.5, patch.get_y() + patch.get_height() + 0.5,
             patch.get_x() + patch.get_width() + 0.5] for patch in ax.patches[1::2]]


def test_where_and_what():
    boxes = [[10, 20, 30, 45], [0, 0, 40, 60]]
    ax = plot_boxes(np.zeros((40, 60)), boxes, [0.754, -1.0])
    assert frames(ax) == boxes
    assert [text.get_text() for text in ax.texts] == ["0.75", "−1.00"]
    assert ax.get_xlim() == (-0.5, 59.5) and ax.get_ylim() == (39.5, -0.5)  # the picture, not more


def test_none_found():
    for none in ([], np.empty((0, 4))):
        ax = plot_boxes(np.zeros((40, 60, 3)), none, [], title="nothing")
        assert not ax.patches and not ax.texts and ax.get_title() == "nothing"


def test_errors():
    with pytest.raises(ValueError, match=r"`boxes` has shape \(1, 3\)"):
        plot_boxes(np.zeros((4, 4)), [[1, 2, 3]])
    with pytest.raises(ValueError, match="2 boxes need as many scores, not 1"):
        plot_boxes(np.zeros((4, 4)), [[0, 0, 1, 1], [1, 1, 2, 2]], [0.5])
