"""The timeline: years to scale, a row for each milestone, and what it refuses."""

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_hex

from cnnlib import plots
from cnnlib.history.timeline import MILESTONES


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def dots(ax):
    return [line for line in ax.get_lines() if line.get_marker() == "o"]


def test_years_are_to_scale_and_what_runs_is_filled():
    ax = plots.plot_timeline(MILESTONES)
    places = [line.get_ydata()[0] for line in dots(ax)]
    ticks = {text.get_text(): text.get_position()[1] for text in ax.texts if text.get_text().endswith("0")
             and text.get_ha() == "right"}
    line = max(ax.get_lines(), key=lambda line: abs(np.subtract(*line.get_ydata()[[0, -1]])))
    assert list(line.get_ydata()) == pytest.approx([ticks["1940"], ticks["2020"]])
    per_year = (ticks["2020"] - ticks["1940"]) / 80
    assert places == pytest.approx([ticks["1940"] + per_year * (item.year - 1940) for item in MILESTONES])
    assert [to_hex(line.get_color()) == plots.COLOURS["output"] for line in dots(ax)] == [m.runs for m in MILESTONES]


def test_each_milestone_has_its_row():
    ax = plots.plot_timeline(MILESTONES)
    rows = {}
    for text in ax.texts:
        if text.get_ha() == "left":
            rows.setdefault(round(text.get_position()[1], 3), []).append(text.get_text())
    assert list(rows.values()) == [[str(item.year), item.who, item.what] for item in MILESTONES]


def test_errors():
    with pytest.raises(ValueError, match=r"in the order of their years, and one at least, not \[1958, 1943\]"):
        plots.plot_timeline(MILESTONES[1::-1])
    with pytest.raises(ValueError, match=r"one at least, not \[\]"):
        plots.plot_timeline([])
