"""Where the labels of a scatter stand, and what it refuses."""

import pytest

from cnnlib.plots.scatter import plot_scatter

# eleven nets: millions of parameters, top-1 accuracy in %; resnet18's label fits between two points on its height
NETS = {"alexnet": (61.1, 56.5), "vgg11": (132.9, 69.0), "vgg13": (133.0, 69.9), "vgg16": (138.4, 71.6),
        "vgg19": (143.7, 72.4), "googlenet": (6.6, 69.8), "resnet18": (11.7, 69.8), "resnet34": (21.8, 73.3),
        "resnet50": (25.6, 76.1), "resnet101": (44.5, 77.4), "resnet152": (60.2, 78.3)}
FAMILIES = [[name for name in NETS if name.startswith(kind)] for kind in ("vgg", "resnet")]


@pytest.mark.parametrize("log", [False, True])
def test_no_label_lies_on_another(log):
    ax = plot_scatter(NETS, families=FAMILIES, log=log)
    ax.figure.draw_without_rendering()
    boxes = {text.get_text(): text.get_window_extent() for text in ax.texts}
    assert set(boxes) == set(NETS)
    places = {name: ax.transData.transform(point) for name, point in NETS.items()}
    apart = 0.2 * ax.figure.dpi
    for name, box in boxes.items():
        assert not [other for other in boxes if other != name and box.overlaps(boxes[other])], name
        assert not [other for other, (x, y) in places.items() if other != name and box.y0 < y < box.y1
                    and box.x0 - apart < x < box.x1 + apart], f"{name} may be taken for another"
        assert ax.get_window_extent().x0 < box.x0 and box.x1 < ax.get_window_extent().x1, f"{name} leaves the axes"


def test_known_values():
    ax = plot_scatter({"a": (1, 2), "b": (3, 5), "c": (10, 4)}, families=[("c", "a")])
    assert [line.get_xydata().tolist() for line in ax.lines] == [[[10, 4], [1, 2]], [[1, 2]], [[3, 5]], [[10, 4]]]


@pytest.mark.parametrize("points, settings, words", [
    ({}, {}, "two finite numbers"),
    ({"a": (1, float("nan"))}, {}, r"two finite numbers \(x, y\); not .*nan"),
    ({"a": (0, 1)}, {"log": True}, "x = 0; on a logarithmic axis"),
    ({"a": (1, 1)}, {"families": [("a", "b")]}, "names 'b'; the points are a")])
def test_errors(points, settings, words):
    with pytest.raises(ValueError, match=words):
        plot_scatter(points, **settings)
