"""plot_connections: the bold wires are those of the unit or the weight asked for."""

import pytest
from matplotlib import pyplot as plt

from cnnlib.plots import COLOURS
from cnnlib.plots.connections import plot_connections


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def wires(ax, bold):
    """Return the (input, output) ends of the bold or of the thin wires, in units counted from the left."""
    lines = [line for line in ax.lines if len(line.get_xdata()) == 2]
    tops = [line.get_xdata()[0] for line in ax.lines if len(line.get_xdata()) == 1 and line.get_ydata()[0] > 0]
    shift = min(tops)
    return sorted((int(a), int(b - shift)) for line in lines for a, b in [line.get_xdata()]
                  if (line.get_color() == COLOURS["weight"]) == bold)


@pytest.mark.parametrize("asked, expected", [
    ({"input": 2}, [(2, 0), (2, 1), (2, 2)]),
    ({"input": 0}, [(0, 0)]),
    ({"output": 3}, [(3, 3), (4, 3), (5, 3)]),
    ({"tap": 1}, [(1, 0), (2, 1), (3, 2), (4, 3)]),
    ({"input": 2, "dense": True}, [(2, 0), (2, 1), (2, 2), (2, 3)]),
    ({"output": 1, "dense": True}, [(i, 1) for i in range(6)]),
    ({"tap": 5, "dense": True}, [(5, 0)]),
    ({}, []),
])
def test_known_wires(asked, expected):
    ax = plot_connections(6, 3, **asked)
    assert wires(ax, bold=True) == expected
    assert len(wires(ax, bold=False)) == (24 if asked.get("dense") else 12) - len(expected)


def test_errors():
    with pytest.raises(ValueError, match="`output` is 4; there are 4"):
        plot_connections(6, 3, output=4)
    with pytest.raises(ValueError, match="`tap` is 3; there are 3"):
        plot_connections(6, 3, tap=3)
    with pytest.raises(ValueError, match="choose one of `input` and `tap`"):
        plot_connections(6, 3, input=1, tap=1)
    with pytest.raises(ValueError, match="spans 7 pixels"):
        plot_connections(6, 7)
