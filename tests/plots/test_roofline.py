"""Where the labels of a roofline stand."""

import numpy as np
import pytest

from cnnlib import plots

LAYERS = {"3×3": (60, 50), "3×3 NHWC": (60, 100), "1×1": (15, 55), "1×1 NHWC": (15, 60), "3×3 depthwise": (2.2, 12),
          "3×3 depthwise NHWC": (2.2, 14)}


@pytest.mark.parametrize("points", [LAYERS, {"im2col": (20, 60), "shifted": (22, 70), "auto": (30, 90)}])
def test_no_label_lies_on_the_roof_or_on_another(points):
    ax = plots.plot_roofline(points, 105, 9)
    ax.figure.draw_without_rendering()
    roof = ax.transData.transform(ax.lines[0].get_xydata())
    boxes = {text.get_text(): text.get_window_extent() for text in ax.texts if text.get_text() in points}
    assert set(boxes) == set(points)
    for name, box in boxes.items():
        inside = np.linspace(box.x0, box.x1, 50)
        line = np.interp(inside, *roof.T)
        assert (line > box.y1).all() or (line < box.y0).all(), f"{name} lies on the roof"
        assert box.x0 > ax.get_window_extent().x0, f"{name} leaves the axes"
        assert not [other for other in boxes if other != name and box.overlaps(boxes[other])], name
