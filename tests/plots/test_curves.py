"""plot_curves and plot_trials: every number is drawn, and no curve is told from another by its hue alone."""

import numpy as np
import pytest

from cnnlib import plots

SIX = {name: np.arange(5) * slope for slope, name in enumerate(["flat", "a", "b", "c", "d", "steep"])}


def test_curves_are_the_numbers():
    ax = plots.plot_curves({"one": [3, 1, 2], "two": [0, np.nan, 5]}, x=[2, 4, 8], xlabel="pixels", title="t")
    one, two = ax.get_lines()
    assert one.get_xdata().tolist() == [2, 4, 8] and one.get_ydata().tolist() == [3, 1, 2]
    np.testing.assert_array_equal(two.get_ydata(), [0, np.nan, 5])  # NaN leaves a gap
    assert ax.get_ylim()[0] == 0 and ax.get_xlim() == (2, 8)
    assert plots.plot_curves({"signed": [-1, 1]}).get_ylim()[0] < -0.9


def test_each_curve_has_its_own_dashes_mark_and_colour():
    lines = plots.plot_curves(SIX).get_lines()
    for look in ("get_color", "get_marker"):
        assert len({getattr(line, look)() for line in lines}) == 6
    assert len({str(line._dash_pattern) for line in lines}) == 6


def test_names_stand_in_the_order_of_the_means():
    ax = plots.plot_curves({"ends high": [0, 0, 9], "highest": [5, 5, 5], "lowest": [1, 1, np.nan]})
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["highest", "ends high", "lowest"]


def test_long_curves_have_few_marks():
    line, = plots.plot_curves({"long": np.sin(np.arange(200) / 20)}).get_lines()
    assert line.get_markevery() == 20


def test_trials_are_a_mean_and_a_band():
    ax = plots.plot_curves({"three": [[1, 4, -2], [3, 4, 2], [2, 7, 0]], "one": [5, 5, 5]}, x=[0, 2, 4])
    three, one = ax.get_lines()
    assert three.get_ydata().tolist() == [2, 5, 0] and one.get_ydata().tolist() == [5, 5, 5]
    [band] = ax.collections
    corners = {tuple(corner) for corner in band.get_paths()[0].vertices}
    assert {(0, 1), (0, 3), (2, 4), (2, 7), (4, -2), (4, 2)} <= corners
    assert ax.get_ylim()[0] < -2  # the band, too, is inside


def test_every_trial_is_a_mark():
    ax = plots.plot_trials({"max": {"still": [0.9, 0.8], "moved": [0.6]}, "stride": {"still": [0.9], "moved": [0.4]}})
    assert sorted(y for line in ax.get_lines() for y in line.get_ydata()) == [0.4, 0.6, 0.8, 0.9, 0.9]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["still", "moved"]


@pytest.mark.parametrize("call, message", [
    (lambda: plots.plot_curves({}), "`curves` holds 0 names; 1 to 6 can be told apart"),
    (lambda: plots.plot_curves({**SIX, "seventh": np.arange(5)}), "`curves` holds 7 names"),
    (lambda: plots.plot_curves({"a": [1, 2], "b": [1]}), r"all curves must be equally long, not \[1, 2\] numbers"),
    (lambda: plots.plot_curves({"a": [1, 2]}, x=[1, 2, 3]), "`x` has 3 numbers and the curves have 2"),
    (lambda: plots.plot_curves({"a": [[1, 2]], "b": [1, 2, 3]}), r"equally long, not \[2, 3\] numbers"),
    (lambda: plots.plot_curves({"a": np.zeros((1, 2, 3))}), r"`curves\['a'\]` has shape \(1, 2, 3\)"),
    (lambda: plots.plot_trials({}), "`trials` is empty"),
    (lambda: plots.plot_trials({"a": {"x": [1]}, "b": {"y": [1]}}), r"`trials\['b'\]` has the conditions \['y'\]"),
])
def test_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()
