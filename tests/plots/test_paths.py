"""Paths are drawn where the optimisers went, as far as is asked, and the legend says what became of each."""

import numpy as np
import pytest
from matplotlib import pyplot as plt

from cnnlib import plots
from cnnlib.optim import surfaces, walks

BOWL = surfaces.bowl(10)
PATHS = {name: walks.walk(BOWL.gradient, (-1, 1), name, 60, lr=lr)
         for name, lr in (("sgd", 0.1), ("momentum", 0.02), ("adam", 0.1))}


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def lines(ax, length):
    return [np.stack(line.get_data(), axis=1) for line in ax.lines if len(line.get_xdata()) == length]


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_paths_are_where_the_walks_went():
    found = lines(plots.plot_paths(BOWL, PATHS), 61)
    assert len(found) == 3
    for drawn, path in zip(found, PATHS.values()):
        assert np.array_equal(drawn, path)


@pytest.mark.parametrize("step", [0, 1, 20])
def test_step_cuts_them(step):
    ax = plots.plot_paths(BOWL, PATHS, step=step)
    ends = [line.get_xydata()[-1] for line in ax.lines if line.get_marker() in "ovs" and len(line.get_xdata()) == 1]
    for path in PATHS.values():
        assert any(np.array_equal(end, path[step]) for end in ends)
    assert legend(ax)[0] == f"sgd: {plots.bars.amount_text(float(BOWL.value(PATHS['sgd'][step])))}"


def test_divergence_is_said_and_the_axes_stay():
    path = walks.walk(BOWL.gradient, (-1, 1), "sgd", 300, lr=0.21)
    ax = plots.plot_paths(BOWL, {"SGD": path})
    assert legend(ax) == [f"SGD: diverged at step {walks.diverged_at(path, BOWL.window)}"]
    assert ax.get_xlim() == (-2, 2) and ax.get_ylim() == (-2, 2)


def test_who_comes_to_a_hole_is_marked_there():
    surface = surfaces.sampled(lambda a, b: np.where(a > 0, np.nan, (a - 1) ** 2 + b * b))
    path = walks.walk(surface.gradient, (-0.5, 0.5), "sgd", 40, lr=0.02)
    ax = plots.plot_paths(surface, {"SGD": path})
    assert legend(ax) == ["SGD: left the surface at step 10"]
    assert any(np.array_equal(line.get_xydata(), path[10:11]) for line in ax.lines)
    assert np.isfinite(path[10]).all() and np.isnan(path[11]).any()
    assert legend(plots.plot_paths(surface, {"SGD": path}, step=9))[0].startswith("SGD: 1.")
    ax = plots.plot_paths(surface, {"SGD": walks.walk(surface.gradient, (0.5, 0.5), "sgd", 9, lr=0.02)})
    assert legend(ax) == ["SGD: starts without a loss"]


def test_start_and_minima():
    ax = plots.plot_paths(surfaces.saddle(), {}, start=(0.5, 1.5))
    places = [tuple(line.get_xydata()[0]) for line in ax.lines]
    assert places == [(0, 1), (0, -1), (0.5, 1.5)]
    assert ax.get_legend() is None


def test_a_surface_with_holes_and_one_that_is_flat():
    plots.plot_paths(surfaces.sampled(lambda a, b: np.sqrt(a) + b * b), {}).figure.draw_without_rendering()
    plots.plot_paths(surfaces.sampled(lambda a, b: 0 * a), {}).figure.draw_without_rendering()


def test_errors():
    with pytest.raises(ValueError, match="`paths` holds 7 names; 6 at most"):
        plots.plot_paths(BOWL, {str(k): np.zeros((2, 2)) for k in range(7)})
    with pytest.raises(ValueError, match=r"`paths\['a'\]` has shape \(4, 3\)"):
        plots.plot_paths(BOWL, {"a": np.zeros((4, 3))})
    with pytest.raises(ValueError, match="finite nowhere"):
        plots.plot_paths(surfaces.sampled(lambda a, b: a * np.nan), {})
