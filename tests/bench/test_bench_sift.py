"""The SIFT benchmark runs; its claims hold for its stored results."""

import json
import statistics
from functools import partial

import pytest

pytest.importorskip("cv2")
pytest.importorskip("skimage")

from tests.bench import sift as bench  # noqa: E402


def stored(name):
    found = json.loads((bench.HERE / "sift.json").read_text())
    if name not in found:
        pytest.skip(f"no stored result of {name}")
    return found[name]["rows"]


def test_agreement_as_stored():
    """At least 85 % of OpenCV's stronger half within 1.5 pixels and 20 % in scale; alike descriptors."""
    rows = stored("agreement")
    assert [row["photo"] for row in rows] == [*bench.SHIPPED, *bench.OTHERS]
    for row in rows:
        assert row["stronger half within 1.5 px"] >= 0.85
        assert row["cosine"] >= 0.99


def test_speed_as_stored():
    """No slower than OpenCV, both with one thread, where the goal is 1.5 times its time.

    The goal of 12 times as fast as scikit-image is reached with two threads by the mean of four photographs, and by
    three of them; not by the astronaut, nor with one thread by any. The page says by how much, one by one.
    """
    rows = stored("speed")
    assert max(row["to_opencv"] for row in rows) <= bench.MOST_OF_OPENCV
    assert [row["photo"] for row in rows] == [*bench.TIMED]
    assert statistics.mean(row["to_opencv"] for row in rows) <= 1
    assert statistics.mean(row["of_skimage"]["2 threads"] for row in rows) >= bench.TIMES_SKIMAGE
    assert sum(row["of_skimage"]["2 threads"] >= bench.TIMES_SKIMAGE for row in rows) >= 3
    assert min(row["of_skimage"]["2 threads"] for row in rows) >= 11
    assert min(row["of_skimage"]["1 thread"] for row in rows) >= 9.5


def test_verdicts():
    rows = [{"photo": photo, "to_opencv": ours, "of_skimage": {"1 thread": one, "2 threads": two}}
            for photo, ours, one, two in (("a", 0.8, 10, 12), ("b", 1.6, 11, 13.5))]
    assert bench.verdicts(rows) == [
        "- Goal: at most 1.5 times OpenCV's time, one thread each: reached on a (0.8); missed on b (1.6); mean 1.20.",
        "- Goal: 12 times as fast as scikit-image, 1 thread: missed on a (10), b (11); mean 10.50.",
        "- Goal: 12 times as fast as scikit-image, 2 threads: reached on a (12), b (13.5); mean 12.75."]


def test_a_run_writes_what_it_found(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(bench, "agreement", partial(bench.agreement, names=("coins",)))
    monkeypatch.setattr(bench, "speed", partial(bench.speed, rounds=1, seconds=0.001, names=("text",)))
    bench.main(out=tmp_path)
    found = json.loads((tmp_path / "sift.json").read_text())
    assert set(found) == {"agreement", "speed"} and {"cpu", "date"} <= set(found["speed"]["machine"])
    row, = found["agreement"]["rows"]
    assert row["size"] == [303, 384] and row["ours"] > 100
    assert row["all within 0.05 px"] > 0.95 and row["cosine"] > 0.99
    row, = found["speed"]["rows"]
    assert len(row["milliseconds"]) == 4 and min(row["milliseconds"].values()) > 0
    text = (tmp_path / "sift.md").read_text()
    assert "| coins | " in text and "| text | " in text and str(tmp_path) not in text


@pytest.mark.parametrize("name, change", [("positions", 1e4), ("sigma", 1e3), ("orientation", 0.03)])
def test_no_partner_is_found_where_there_is_none(name, change):
    """The shares can fall: a point alone is its own partner, and no longer when it is moved, grown or turned."""
    point = bench.opencv(bench.levels("coins")[:150, :150])[0][5]
    assert bench.partners(point, point, turn=0.02)[1] == 0
    changed = bench.sift.Keypoints(**{**vars(point), name: getattr(point, name) + change})
    assert bench.partners(point, changed, turn=0.02)[1] > 1e3
