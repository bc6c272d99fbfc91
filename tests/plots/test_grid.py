"""Grids, pictures and maps: what is written in each cell, on which tone, under which legend."""

import numpy as np
import pytest
from figures import cells, frames
from matplotlib import pyplot as plt
from matplotlib.colors import to_hex, to_rgb

from cnnlib import plots


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def test_grid_known_values(array):
    ax = plots.plot_grid(array([[0.0, -1.0, 2.0], [3.0, 40.0, -0.0]]), role="weight")
    assert cells(ax) == {(0, 0): "0", (0, 1): "−1", (0, 2): "2", (1, 0): "3", (1, 1): "40", (1, 2): "0"}
    fills = ax.images[0].get_array()
    assert to_hex(fills[0, 0]) == plots.COLOURS["paper"]
    assert to_hex(fills[1, 1]) == plots.COLOURS["weight"]
    assert np.allclose(fills[0, 1], 1 - (1 - np.array(to_rgb(plots.COLOURS["charcoal"]))) / 40)


def test_grid_scales():
    grey = plots.plot_grid([[0, 1], [0.5, 0.25]]).images[0].get_array()
    assert np.allclose(grey[..., 0], [[0, 1], [0.5, 0.25]])
    assert np.ptp(grey, axis=-1).max() == 0
    signed = plots.plot_grid([[-2, 2], [0, 1]]).images[0].get_array()
    assert to_hex(signed[0, 1]) == plots.COLOURS["input"]
    assert to_hex(signed[0, 0]) == plots.COLOURS["charcoal"]
    assert np.allclose(plots.plot_grid([[-2, 2]], scale="grey").images[0].get_array()[0, :, 0], [0, 1])
    assert np.allclose(plots.plot_grid([[1, 2]], limits=(0, 4)).images[0].get_array()[0, :, 0], [0.25, 0.5])
    assert np.allclose(plots.plot_grid([[0, 0]], role="output").images[0].get_array(), 1)


def test_grid_decimals_and_nan():
    assert cells(plots.plot_grid([[0.5, np.nan]])) == {(0, 0): "0.5", (0, 1): "NaN"}
    assert cells(plots.plot_grid([[1 / 3, -1]], decimals=3)) == {(0, 0): "0.333", (0, 1): "−1.000"}
    assert cells(plots.plot_grid([[True, False]])) == {(0, 0): "1", (0, 1): "0"}


@pytest.mark.parametrize("role", ["input", "weight", "output", "gradient"])
def test_grid_window_is_framed_in_the_role_s_colour(role):
    ax = plots.plot_grid(np.eye(6), role=role, window=(1, 2, 3, 4))
    assert frames(ax, plots.COLOURS[role]) == [(1, 2, 3, 4)]


def test_grid_errors():
    with pytest.raises(ValueError, match=r"shape \(17, 3\).*16×16.*plot_image"):
        plots.plot_grid(np.zeros((17, 3)))
    with pytest.raises(ValueError, match=r"shape \(3,\).*2 axes"):
        plots.plot_grid([1, 2, 3])
    with pytest.raises(ValueError, match=r"shape \(0, 3\)"):
        plots.plot_grid(np.zeros((0, 3)))
    with pytest.raises(ValueError, match="input, weight, output, gradient, not 'kernel'"):
        plots.plot_grid([[1]], role="kernel")
    with pytest.raises(ValueError, match="auto, grey or tone, not 'hot'"):
        plots.plot_grid([[1]], scale="hot")
    with pytest.raises(TypeError, match="real numbers, not complex128"):
        plots.plot_grid([[1j]])


@pytest.mark.parametrize("image, limits, legend", [
    ([[0.2, 0.9]], (0, 1), ""), ([[0.0, 7.0]], (0, 7), "black 0 · white 7"),
    ([[-2.5, 1.0]], (-2.5, 2.5), "black −2.5 · mid-grey 0 · white 2.5"),
])
def test_image_scale(image, limits, legend):
    ax = plots.plot_image(np.array(image))
    assert ax.images[0].get_clim() == limits
    assert ax.get_xlabel().replace("\n", " · ") == legend


def test_image_errors():
    with pytest.raises(ValueError, match=r"shape \(3, 5, 4\).*plot_maps"):
        plots.plot_image(np.zeros((3, 5, 4)))
    with pytest.raises(ValueError, match=r"\[0, 1\], not in \[0, 255\]"):
        plots.plot_image(np.array([[[0, 128, 255]]]))
    with pytest.raises(ValueError, match="2 maps need as many axes and titles, not 2 and 1"):
        plots.plot_maps(np.zeros((2, 3, 3)), titles=["one"])


def test_maps_share_one_scale():
    axes = plots.plot_maps(np.stack([np.eye(3), -4 * np.eye(3)]))
    assert {ax.images[0].get_clim() for ax in axes} == {(-4.0, 4.0)}
    assert axes[0].figure.get_supxlabel() == "black −4 · mid-grey 0 · white 4"
    mixed = plots.plot_maps([np.eye(3), -4 * np.eye(5)])
    assert [ax.images[0].get_clim() for ax in mixed] == [(0, 1), (-4, 4)]
