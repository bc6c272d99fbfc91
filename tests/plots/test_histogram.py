"""Histograms of a few kinds: the counts, and what tells the kinds apart."""

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_hex
from matplotlib.patches import StepPatch

from cnnlib import plots


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def outlines(ax):
    return [patch for patch in ax.patches if isinstance(patch, StepPatch) and not patch.get_fill()]


def test_known_counts():
    ax = plots.plot_histogram({"right": [0, 0.1, 0.9], "wrong": [1.0]}, bins=2)
    assert [outline.get_data().values.tolist() for outline in outlines(ax)] == [[2, 1], [0, 1]]
    np.testing.assert_allclose(outlines(ax)[0].get_data().edges, [0, 0.5, 1])


def test_amounts_outside_the_limits_are_not_drawn():
    ax = plots.plot_histogram({"all": [0.5, 7]}, bins=1, limits=(0, 1))
    assert outlines(ax)[0].get_data().values.tolist() == [1]
    assert ax.get_xlim() == (0, 1)


def test_kinds_differ_in_more_than_colour():
    ax = plots.plot_histogram({"a": [1.0, 2], "b": [3.0], "c": []})
    assert len({outline.get_linestyle() for outline in outlines(ax)}) == 3
    assert len({to_hex(outline.get_edgecolor()) for outline in outlines(ax)}) == 3


def test_line():
    assert plots.plot_histogram({"a": [0.0, 1]}, line=0.8).lines[0].get_xdata()[0] == 0.8


@pytest.mark.parametrize("groups, words", [
    ({}, "`groups` holds 0 names"), (dict.fromkeys("abcd", [1]), "holds 4 names; 1 to 3"),
    ({"a": []}, "no number at all"), ({"a": [[1, 2]]}, r"`groups\['a'\]` has shape \(1, 2\)"),
])
def test_errors(groups, words):
    with pytest.raises(ValueError, match=words):
        plots.plot_histogram(groups)
