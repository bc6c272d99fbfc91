"""The key-point benchmark runs; its claims hold for its stored results."""

import json
import statistics
from functools import partial

import numpy as np
import pytest

pytest.importorskip("cv2")

from cnnlib import data  # noqa: E402
from cnnlib.features import sift  # noqa: E402
from tests.bench import keypoints as bench  # noqa: E402


def stored(name):
    found = json.loads((bench.HERE / "keypoints.json").read_text())
    if name not in found:
        pytest.skip(f"no stored result of {name}")
    return found[name]["rows"]


@pytest.mark.parametrize("part", ["shipped", "others"])
def test_suite_as_stored(part):
    """SIFT at most 2 points below OpenCV's in both shares; SURF's share of right matches at least 85 % of SIFT's."""
    rows = stored(part)
    photos = bench.SHIPPED if part == "shipped" else bench.OTHERS
    assert [(row["photo"], row["detector"]) for row in rows] == [
        (photo, name) for photo in photos for name in bench.detectors()]
    means = bench.averages(rows)
    ours, theirs, boxes = (means[name]["all"] for name in ("SIFT", "OpenCV's SIFT", "SURF"))
    for share in ("repeatability", "correct"):
        assert ours[share] >= theirs[share] - 0.02
        assert 0.5 < theirs[share] < 1
    assert boxes["correct"] >= 0.85 * ours["correct"]


def test_speed_as_stored():
    """SURF takes at most half of SIFT's time, on the mean of the photographs, with one thread each.

    Where SIFT may use two, which SURF's short steps do not profit from, a quiet machine gave 0.51: reported, and kept.
    """
    rows = stored("speed")
    assert [(row["photo"], row["threads"]) for row in rows] == [
        (photo, threads) for photo in ("astronaut", "camera") for threads in (1, 2)]
    for threads, most in ((1, 1 / bench.TIMES_SIFT), (2, 0.55)):
        shares = [row["to_sift"] for row in rows if row["threads"] == threads]
        assert statistics.mean(shares) <= most, (threads, shares)


def test_a_run_writes_what_it_found(tmp_path, monkeypatch, capsys):
    few = {"rotation": (30,), "light": (0.7,)}
    monkeypatch.setattr(bench, "shipped", partial(bench.shipped, names=("coins",), changes=few))
    monkeypatch.setattr(bench, "speed", partial(bench.speed, rounds=1, seconds=0.001, names=("coins",)))
    bench.main(["shipped", "speed"], out=tmp_path)
    found = json.loads((tmp_path / "keypoints.json").read_text())
    assert set(found) == {"shipped", "speed"} and {"cpu", "date"} <= set(found["speed"]["machine"])
    rows = found["shipped"]["rows"]
    assert [row["detector"] for row in rows] == list(bench.detectors())
    for row in rows:
        assert set(row["means"]) == {"rotation", "light", "all"} and 0.3 < row["means"]["all"]["repeatability"] <= 1
    assert [(row["photo"], row["threads"]) for row in found["speed"]["rows"]] == [("coins", 1), ("coins", 2)]
    text = (tmp_path / "keypoints.md").read_text()
    assert "| rotation | " in text and "| coins | 2 | " in text and str(tmp_path) not in text


def test_opencv_in_our_form():
    """The same points as ours where both find them: places, scales and descriptors agree to a tenth of a pixel."""
    picture = data.photo("camera", grey=True, size=256)
    (ours, of_ours), (theirs, of_theirs) = (sift.detect_and_describe(picture), bench.opencv_sift()(picture))
    distance = np.abs(ours.positions[:, None] - theirs.positions).max(-1)
    near = distance.min(1) < 0.1
    assert near.mean() > 0.9
    ratio = ours.sigma[near] / theirs.sigma[distance.argmin(1)[near]]
    assert np.median(np.abs(ratio - 1)) < 0.02
    assert of_ours.shape[1] == of_theirs.shape[1] == 128


def test_opencv_finds_nothing():
    points, descriptors = bench.opencv_sift()(np.full((64, 64), 0.5))
    assert points.positions.shape == (0, 2) and descriptors.shape == (0, 128)
