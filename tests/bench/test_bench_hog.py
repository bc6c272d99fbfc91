"""The benchmark of HOG runs, writes what it found, and compares sides that agree."""

import json

import pytest

pytest.importorskip("skimage")
cv2 = pytest.importorskip("cv2")

from tests.bench import hog as bench  # noqa: E402


def test_a_run_writes_what_it_found(tmp_path, monkeypatch):
    monkeypatch.setattr(bench, "SIZES", bench.SIZES[:1])
    names = ["skimage", "opencv"] if hasattr(cv2, "HOGDescriptor") else ["skimage"]
    bench.main(names, out=tmp_path, rounds=1, seconds=0.001)
    found = json.loads((tmp_path / "hog.json").read_text())
    assert list(found) == names and {"cpu", "date"} <= set(found["skimage"]["machine"])
    rows = found["skimage"]["rows"]
    assert [row["dtype"] for row in rows] == ["uint8", "float64", "float32"]
    assert all(row["largest difference"] < 1e-6 and row["times as fast"] > 1 for row in rows)
    if "opencv" in names:
        assert found["opencv"]["rows"][0]["correlation of opencv_hog"] > 0.9999
    text = (tmp_path / "hog.md").read_text()
    assert "| 128 x 64, uint8 | " in text and str(tmp_path) not in text


def test_as_stored():
    """Whatever machine it ran on: equal numbers, and every size and dtype is there."""
    found = json.loads((bench.HERE / "hog.json").read_text())
    assert len(found["skimage"]["rows"]) == 6 and len(found["opencv"]["rows"]) == 2
    assert max(row["largest difference"] for row in found["skimage"]["rows"]) < 1e-6
    assert min(row["correlation of opencv_hog"] for row in found["opencv"]["rows"]) > 0.9999


@pytest.mark.parametrize("name", ["skimage", "opencv"])
def test_goals_as_stored(name):
    """In each row: HOG 15 and 25 times as fast as scikit-image's, trilinear in at most twice OpenCV's time."""
    rows = json.loads((bench.HERE / "hog.json").read_text())[name]["rows"]
    assert {tuple(row["size"]) for row in rows} == set(bench.GOALS[name])
    for row in rows:
        assert row["times as fast"] >= bench.GOALS[name][tuple(row["size"])], row
