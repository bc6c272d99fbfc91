"""The benchmark of edges runs; the goals hold for its stored results."""

import json
from functools import partial

import pytest

pytest.importorskip("cv2")
pytest.importorskip("skimage")

from tests.bench import edges as bench  # noqa: E402


def stored(name):
    found = json.loads((bench.HERE / "edges.json").read_text())
    if name not in found:
        pytest.skip(f"no stored result of {name}")
    return found[name]["rows"]


def test_speed_as_stored():
    """Sobel's magnitude five times as fast as scikit-image's and under 100 ms; Canny faster than its, and fast enough
    for a slider where no other program takes the cores."""
    rows = {(row["photo"], row["task"]): row for row in stored("speed")}
    assert {photo for photo, _ in rows} == set(bench.PHOTOS)
    for photo in bench.PHOTOS:
        sobel, canny = rows[photo, "Sobel, magnitude"], rows[photo, "Canny, sigma 1"]
        assert sobel["times_faster"]["scikit-image"] >= 5 and sobel["milliseconds"]["ours"] < 100
        assert canny["times_faster"]["scikit-image"] > 1
        assert canny["milliseconds"]["ours"] < 100 or canny["foreign_cores"] > 0.5


def test_agreement_as_stored():
    for row in stored("agreement"):
        if row["beside"].startswith("OpenCV"):
            assert row["edge_pixels"] > 0.75
        elif "border" not in row["beside"]:
            assert row["pixels"] > 0.9999


def test_agreement_again():
    """One photograph, now."""
    rows = bench.agreement(["coins"])
    assert rows == [row for row in stored("agreement") if row["photo"] == "coins"]


def test_a_run_writes_what_it_found(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(bench, "speed", partial(bench.speed, ["coins"], (60, 80), rounds=1, seconds=0.001))
    monkeypatch.setattr(bench, "agreement", partial(bench.agreement, ["coins"]))
    bench.main(out=tmp_path)
    found = json.loads((tmp_path / "edges.json").read_text())
    assert set(found) == {"speed", "agreement"} and {"cpu", "date"} <= set(found["speed"]["machine"])
    assert all(row["milliseconds"]["ours"] > 0 for row in found["speed"]["rows"])
    text = (tmp_path / "edges.md").read_text()
    assert "| coins | Sobel, magnitude |" in text and "| coins | OpenCV, 8-bit, not smoothed |" in text
    assert str(tmp_path) not in text
