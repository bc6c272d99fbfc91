"""A network at work, flat and as volumes."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from cnnlib import plots
from cnnlib.plots import network

STAGES = {"input": np.linspace(0, 1, 64).reshape(1, 8, 8), "conv": np.linspace(-1, 1, 72).reshape(2, 6, 6),
          "out": np.array([1.0, 3.0, 2.0])}


def texts(ax):
    return [text.get_text() for text in ax.texts]


@pytest.mark.parametrize("view", ["flat", "layered"])
def test_every_map_is_drawn_on_its_stages_scale(view):
    ax = plots.plot_network(STAGES, view=view)
    assert texts(ax) == ["input", "1×8×8", "conv", "2×6×6", "out", "3"]
    drawn = sorted((picture.get_array().shape[:2], float(picture.get_array().max())) for picture in ax.images)
    assert [shape for shape, _ in drawn] == 3 * [(1, 1)] + 2 * [(6, 6)] + [(8, 8)]
    np.testing.assert_allclose([grey for _, grey in drawn], [1 / 3, 2 / 3, 1, 0.5 - 0.5 / 71, 1, 1])


def test_maps_stand_in_reading_order_column_after_column():
    ax = plots.plot_network({"maps": np.arange(10.0)[:, None, None] * np.ones((1, 4, 4))})
    places = sorted((extent[0], -extent[3], round(9 * picture.get_array()[0, 0, 0])) for picture in ax.images
                    for extent in [picture.get_extent()])
    assert [value for _, _, value in places] == list(range(10))


def test_layered_sheets_lie_behind_one_another():
    ax = plots.plot_network({"maps": np.ones((3, 4, 4))}, view="layered")
    by_place = sorted(ax.images, key=lambda picture: picture.get_transform().transform((0, 0))[0])
    orders = [picture.get_zorder() for picture in by_place]
    assert orders == sorted(orders, reverse=True) and len(set(orders)) == 3


def test_gradients_have_signed_tones():
    ax = plots.plot_network({"one": np.array([[[-2.0, 0.0, 2.0]]])}, role="gradient")
    charcoal, paper, vermillion = (to_rgb(plots.COLOURS[name]) for name in ("charcoal", "paper", "gradient"))
    np.testing.assert_allclose(ax.images[0].get_array()[0], [charcoal, paper, vermillion])


def test_shares():
    ax = plots.plot_network(STAGES, shares=[0.1, 0.7, 0.2], labels=["no", "yes", "both"])
    assert texts(ax)[-4:] == ["no", "yes", "70%", "both"]
    assert [round(bar.get_width(), 6) for bar in ax.patches[-3:]] == [0.09, 0.63, 0.18]


@pytest.mark.parametrize("count, single, expected", [
    (1, False, (1, 1)), (6, False, (6, 1)), (16, False, (8, 2)), (120, True, (30, 4)), (84, True, (28, 3))])
def test_grid_of(count, single, expected):
    assert network.grid_of(count, single) == expected


def test_errors():
    with pytest.raises(ValueError, match="`stages` is empty"):
        plots.plot_network({})
    with pytest.raises(ValueError, match="'deep'"):
        plots.plot_network(STAGES, view="deep")
    with pytest.raises(ValueError, match=r"stages\['a'\].*\(2, 2\)"):
        plots.plot_network({"a": np.ones((2, 2))})
    with pytest.raises(ValueError, match="3 shares need as many labels, not 1"):
        plots.plot_network(STAGES, shares=[0, 0, 1], labels=["a"])
