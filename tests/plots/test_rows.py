"""Named rows of numbers: what is written, in which row, on one scale."""

import numpy as np
import pytest
from figures import cells
from matplotlib import pyplot as plt

from cnnlib import plots

ROWS = {"direct": [1.0, -2], "through the mean": [0.5, 0.5], "sum": [1.5, -1.5]}


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def test_known_values():
    ax = plots.plot_rows(ROWS, xlabel="digit")
    assert [cells(ax)[place] for place in np.ndindex(3, 2)] == ["1.0", "−2.0", "0.5", "0.5", "1.5", "−1.5"]
    assert [label.get_text() for label in ax.get_yticklabels()] == list(ROWS)
    assert [label.get_text() for label in ax.get_xticklabels()] == ["1", "2"]
    assert ax.get_xlabel() == "digit"


def test_one_scale_for_all_rows():
    """The number of largest size has the full tone, and equal numbers have one colour in whatever row."""
    colours = plots.plot_rows({"a": [1, -4], "b": [1, 2]}).images[0].get_array()
    np.testing.assert_array_equal(colours[0, 0], colours[1, 0])
    assert colours[0, 1].max() < colours[1, 1].max()
    assert np.ptp(colours[1, 1]) > 0.2  # positive: the role's colour, not a grey


def test_columns_are_not_counted_without_a_name():
    assert len(plots.plot_rows(ROWS).get_xticks()) == 0


def test_draws_into_given_axes():
    _, ax = plt.subplots()
    assert plots.plot_rows(ROWS, ax) is ax


@pytest.mark.parametrize("rows, words", [
    ({}, r"`rows` holds 0 rows of \[\] numbers"), ({"a": [1], "b": [1, 2]}, r"2 rows of \[1, 2\] numbers"),
    ({"a": []}, r"1 rows of \[0\] numbers"), ({"a": [0] * 17}, r"rows of \[17\] numbers; 1 to 16 rows"),
    ({k: [1] for k in range(17)}, r"`rows` holds 17 rows"),
])
def test_errors(rows, words):
    with pytest.raises(ValueError, match=words):
        plots.plot_rows(rows)
