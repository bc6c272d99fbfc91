"""The published errors of the ImageNet challenge: what stands in the table, and that each says where it is from."""

import pytest

from cnnlib.history import ilsvrc

EVERY = (*ilsvrc.WINNERS, *ilsvrc.ALEXNET, *ilsvrc.SINGLE_NETS)


def test_the_winners_are_the_syllabuss():
    assert {result.year: result.top5 for result in ilsvrc.WINNERS} == {
        2010: 28.2, 2011: 25.8, 2012: 16.4, 2013: 11.7, 2014: 6.67, 2015: 3.57, 2016: 2.99, 2017: 2.25}
    assert [result.system for result in ilsvrc.WINNERS] == [
        "NEC-UIUC", "XRCE", "AlexNet", "Clarifai", "GoogLeNet", "ResNet", "Trimps-Soushen", "SENet"]
    assert [result.ensemble for result in ilsvrc.WINNERS] == [False, False, *[True] * 6]
    assert [result.nets for result in ilsvrc.WINNERS] == [0, 0, 5, None, 7, 6, None, None]


def test_2012_is_three_figures():
    assert [(result.nets, result.top5, result.on) for result in ilsvrc.ALEXNET] == [
        (1, 18.2, "validation"), (5, 16.4, "test"), (7, 15.3, "test")]


def test_a_single_net_is_single_and_worse_than_its_years_winner():
    winner = {result.year: result.top5 for result in ilsvrc.WINNERS}
    for result in ilsvrc.SINGLE_NETS:
        assert result.nets == 1 and not result.ensemble
        assert result.top5 > winner[result.year]


@pytest.mark.parametrize("result", EVERY, ids=lambda result: f"{result.year}-{result.system}")
def test_each_figure_has_a_source_of_its_year_or_later(result):
    assert result.on in ("test", "validation") and 0 < result.top5 < 100
    years = [int(word) for word in result.source.replace(",", " ").replace("/", " ").split() if word.isdigit()]
    assert years and years[0] >= result.year
    assert "doi:10." in result.source or "image-net.org" in result.source
