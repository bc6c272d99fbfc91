"""The timeline and the map of uses: in order, each with its source, and leading to lectures that there are."""

import re

import pytest

from cnnlib import course
from cnnlib.history.timeline import MILESTONES
from cnnlib.history.uses import USES

DOI = re.compile(r"doi:10\.\d{4,5}/[^\s;,]+[^\s;,.)]")


def test_the_years_that_a_historian_would_look_for():
    years = {item.who: item.year for item in MILESTONES}
    assert years == {
        "McCulloch & Pitts": 1943, "Rosenblatt": 1958, "Widrow & Hoff": 1960, "Widrow, Ridgway, Hoff": 1962,
        "Minsky & Papert": 1969, "Linnainmaa": 1970, "Werbos": 1974, "Fukushima": 1980,
        "Rumelhart, Hinton & Williams": 1986, "LeCun et al.": 1989, "LeCun, Bottou, Bengio & Haffner": 1998,
        "Hinton & Salakhutdinov": 2006, "Deng et al.": 2009, "Krizhevsky, Sutskever & Hinton": 2012,
        "Szegedy et al.; Simonyan & Zisserman": 2014, "He, Zhang, Ren & Sun": 2015, "Hu, Shen & Sun": 2017}
    assert list(years.values()) == sorted(years.values())


@pytest.mark.parametrize("item", [*MILESTONES, *USES], ids=lambda item: item.who)
def test_each_has_a_source_and_its_dois_are_well_formed(item):
    assert len(item.source) > 20
    assert len(DOI.findall(item.source)) == item.source.count("doi")


def test_what_has_no_doi_is_a_thesis_a_book_proceedings_or_a_page_without_one():
    without = [item.who for item in (*MILESTONES, *USES) if "doi" not in item.source]
    assert without == ["Widrow & Hoff", "Minsky & Papert", "Werbos", "Krizhevsky et al. 2012", "Guo et al. 2014",
                       "Mordvintsev, Olah & Tyka 2015"]


def test_every_application_lecture_is_reached_and_every_number_is_one():
    numbers = {use.lecture for use in USES} - {""}
    assert {course.lecture(number).number for number in numbers} == numbers
    assert numbers >= {"50", "51", "52", "53", "54", "55", "56", "57"}
    assert [use.task for use in USES if not use.lecture] == ["tumours in mammograms"]
