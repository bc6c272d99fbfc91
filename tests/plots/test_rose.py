"""A rose of eight panels and arrows on pixels: what stands where, and which way it points."""

import numpy as np
import pytest
from figures import cells
from matplotlib import pyplot as plt
from matplotlib.quiver import Quiver

from cnnlib.features import edges
from cnnlib.plots.arrows import plot_arrows
from cnnlib.plots.rose import plot_rose


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def test_each_panel_stands_where_its_direction_lies(array):
    axes = plot_rose([array(mask) for mask in edges.ROBINSON])
    assert [ax.get_title() for ax in axes] == list(edges.DIRECTIONS)
    axes[0].figure.draw_without_rendering()
    middles = [(box.x0 + box.x1, box.y0 + box.y1) for box in (ax.get_position() for ax in axes)]
    centre = np.mean(middles, axis=0)
    for number, middle in enumerate(middles):
        east, north = np.sign(np.round(middle - centre, 2))
        angle = np.pi / 4 * number  # clockwise from north
        assert (east, north) == (np.sign(np.round(np.sin(angle), 2)), np.sign(np.round(np.cos(angle), 2)))
    assert cells(axes[1])[2, 2] == "2" and cells(axes[5])[2, 2] == "−2"


def test_pictures_share_one_scale():
    maps = [np.full((20, 30), k) for k in range(8)]
    axes = plot_rose(maps, np.zeros((20, 30)), titles="abcdefgh")
    assert [ax.get_title() for ax in axes] == list("abcdefgh")
    assert {ax.images[0].get_clim() for ax in axes} == {(0, 7)}
    assert len(axes[0].figure.axes) == 9 and sum(len(ax.images) for ax in axes[0].figure.axes) == 9


def test_errors_of_the_rose():
    with pytest.raises(ValueError, match="8 panels and 8 titles, not 2 and 8"):
        plot_rose(np.zeros((2, 3, 3)))
    with pytest.raises(ValueError, match=r"one shape, not \[\(3, 3\), \(4, 3\)\]"):
        plot_rose([np.zeros((3, 3))] * 7 + [np.zeros((4, 3))])


def test_arrows_point_as_told():
    """A gradient downwards is drawn downwards, and one then walks east: facing east, the right hand points down."""
    image = np.zeros((5, 6))
    row, col = image.copy(), image.copy()
    row[2, 3], col[4, 0], row[0, 0] = 2.0, 1.0, 0.1  # the last one is too short
    ax = plot_arrows(image, row, col, kinds=("gradient", "walk"))
    gradient, walk = (child for child in ax.get_children() if isinstance(child, Quiver))
    assert gradient.XY.tolist() == walk.XY.tolist() == [[3, 2], [0, 4]]
    assert np.allclose([gradient.U, gradient.V], 0.95 * np.array([[0, 0.5], [-1, 0]]))  # V is upwards
    assert np.allclose([walk.U, walk.V], 0.95 * np.array([[1, 0], [0, 1]]))


def test_the_walk_is_robinsons(array):
    """On an edge in each direction, the arrow along it points as the mask that answers loudest is called."""
    for number in range(8):
        angle = np.pi / 4 * number
        right = np.array([np.sin(angle), np.cos(angle)])  # rows, columns: a quarter clockwise from the walk
        rows, cols = np.mgrid[-3:4, -3:4]
        image = np.sign(np.round(rows * right[0] + cols * right[1], 6))
        _, direction = edges.robinson(image)
        assert direction[3, 3] == number
        ax = plot_arrows(array(image), *map(array, edges.sobel(image)), kinds=("walk",))
        walk, = (child for child in ax.get_children() if isinstance(child, Quiver))
        middle = walk.XY.tolist().index([3, 3])
        assert np.allclose((walk.U[middle], walk.V[middle]), 0.95 * np.array([np.sin(angle), np.cos(angle)]))
        plt.close(ax.figure)


def test_errors_of_arrows():
    image = np.zeros((4, 5))
    with pytest.raises(ValueError, match=r"`image` \(4, 5\), `grad_row` \(5, 4\)"):
        plot_arrows(image, image.T, image)
    with pytest.raises(ValueError, match="up to 48×48"):
        plot_arrows(*[np.zeros((49, 5))] * 3)
    with pytest.raises(ValueError, match="`kinds` must be some of gradient, walk"):
        plot_arrows(image, image, image, kinds=("edge",))
