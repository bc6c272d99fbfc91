"""The chart of a challenge's errors: heights, hatches, and what it refuses."""

from dataclasses import replace

import pytest
from matplotlib import pyplot as plt

from cnnlib import plots
from cnnlib.history import ilsvrc


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


@pytest.mark.parametrize("log", [False, True])
def test_the_bars_are_the_errors_and_the_hatched_ones_the_ensembles(log):
    ax = plots.plot_error_chart(ilsvrc.WINNERS, log=log)
    for bar, result in zip(ax.patches, ilsvrc.WINNERS, strict=True):
        assert bar.get_y() + bar.get_height() == pytest.approx(result.top5)
        assert bool(bar.get_hatch()) == result.ensemble
    assert [text.get_text() for text in ax.texts] == [f"{result.top5:g}" for result in ilsvrc.WINNERS]


def test_single_nets_and_the_person_stand_where_they_belong():
    ax = plots.plot_error_chart(ilsvrc.WINNERS, single=ilsvrc.SINGLE_NETS, human=ilsvrc.HUMAN)
    *diamonds, person = ax.get_lines()
    years = [result.year for result in ilsvrc.WINNERS]
    for diamond, result in zip(diamonds, ilsvrc.SINGLE_NETS, strict=True):
        assert (int(diamond.get_xdata()[0]), diamond.get_ydata()[0]) == (years.index(result.year), result.top5)
    assert set(person.get_ydata()) == {5.1}
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "features by hand", "several nets, averaged", "one of its nets alone", "one trained person, 5.1 %"]


def test_errors():
    with pytest.raises(ValueError, match=r"one result a year, not the years \[2012, 2012, 2012\]"):
        plots.plot_error_chart(ilsvrc.ALEXNET)
    with pytest.raises(ValueError, match=r"one result a year, not the years \[\]"):
        plots.plot_error_chart([])
    with pytest.raises(ValueError, match=r"`top5` of AlexNet is 164; .* between 0 and 100 %"):
        plots.plot_error_chart([replace(ilsvrc.WINNERS[2], top5=164)])
    with pytest.raises(ValueError, match=r"`single` has ResNet-152 of 2015, a year without a bar"):
        plots.plot_error_chart(ilsvrc.WINNERS[:3], single=ilsvrc.SINGLE_NETS[3:])
