"""The suite of known changes: what it makes, what it counts, and that it tells good detectors from bad ones."""

from types import SimpleNamespace

import numpy as np
import pytest
from helpers import assert_close

from cnnlib import data
from cnnlib.features import matching, repeatability


def points(*rows):
    """Key points of rows (row, col, sigma)."""
    rows = np.array(rows, dtype=float).reshape(-1, 3)
    return SimpleNamespace(positions=rows[:, :2], sigma=rows[:, 2])


@pytest.fixture(scope="module")
def pairs():
    return repeatability.known_changes(data.photo("coffee", size=(200, 260), grey=True), rng=np.random.default_rng(0))


def test_every_change_is_there_once(pairs):
    assert [(pair.kind, pair.amount) for pair in pairs] == [
        (kind, amount) for kind, amounts in repeatability.CHANGES.items() for amount in amounts]
    for pair in pairs:
        assert pair.first.shape == (132, 172)
        for picture in (pair.first, pair.second):
            assert picture.min() >= 0 and picture.max() <= 1
            assert_close(picture * 255, np.rint(picture * 255))
        grows = pair.amount if pair.kind == "scale" else 1
        assert pair.second.shape == (np.ceil(132 * grows), np.ceil(172 * grows))


def test_homographies_are_true(pairs):
    """The first picture, moved by the homography, is the second, where it reaches and light is the same."""
    for pair in pairs:
        if pair.kind in ("light", "noise", "blur"):
            np.testing.assert_array_equal(pair.homography, np.eye(3))
            continue
        seen = matching.warp(pair.first, pair.homography, pair.second.shape, outside=np.nan, oversample=3)
        inside = np.isfinite(seen)
        assert inside.mean() > 0.5, pair.kind
        difference = np.abs(seen - pair.second)[inside]
        turned = np.abs(seen - pair.second[::-1, ::-1])[inside]
        assert np.median(difference) < 0.012 < 0.05 < np.median(turned), (pair.kind, pair.amount)


def test_changes_do_what_they_say(pairs):
    by = {(pair.kind, pair.amount): pair for pair in pairs}
    steps = [np.abs(np.diff(by["blur", sigma].second, axis=1)).mean() for sigma in (1.0, 2.0, 3.0)]
    assert np.abs(np.diff(pairs[0].first, axis=1)).mean() > steps[0] > steps[1] > steps[2]
    assert by["light", 0.5].second.mean() > pairs[0].first.mean() > by["light", 2.0].second.mean()
    noise = by["noise", 0.05].second - pairs[0].first
    assert abs(noise.std() - 0.05) < 0.004  # a little less where levels end at 0 or 1
    assert_close(repeatability.local_scale(by["scale", 2.0].homography, np.zeros((1, 2))), np.array([2.0]))
    half_turn = matching.apply_homography(by["rotation", 180].homography, np.array([[0.0, 0.0]]))
    assert_close(half_turn, np.array([[131.0, 171.0]]))


def test_same_generator_same_pairs():
    photo = data.photo("camera", size=64)
    one, two = (repeatability.known_changes(photo, rng=np.random.default_rng(3), changes={"noise": [0.1]})[0].second
                for _ in range(2))
    np.testing.assert_array_equal(one, two)


def test_repeatability_known_values():
    double, shapes = np.diag([2.0, 2.0, 1.0]), ((50, 50), (100, 100))
    a = points([10, 10, 2], [20, 20, 2], [30, 30, 2], [40, 40, 2])
    right = [[20, 20, 4], [40, 43.1, 4], [60, 60, 5], [90, 90, 4]]  # exact; 1.55 pixels; 25 % larger; elsewhere
    assert repeatability.repeatability(a, points(*right), double, shapes) == 0.25
    assert repeatability.repeatability(a, points(*right), double, shapes, pixels=1.6) == 0.5
    assert repeatability.repeatability(a, points(*right), double, shapes, scale=1.3) == 0.5
    assert repeatability.repeatability(a, points(right[0]), double, shapes) == 1  # of the smaller number
    assert repeatability.repeatability(a, points(), double, shapes) == 0
    assert repeatability.repeatability(points(*right), a, np.linalg.inv(double), shapes[::-1]) == 0.25  # either way


def test_repeatability_counts_none_twice():
    shapes = ((50, 50), (50, 50))
    crowd = points([10, 10, 2], [10, 10.5, 2], [10, 11, 2], [30, 30, 2])
    assert repeatability.repeatability(crowd, points([10, 10.4, 2], [30, 45, 2]), np.eye(3), shapes) == 0.5
    twins = points([10, 10, 2], [10, 10, 2], [30, 30, 2])  # one point with two orientations
    assert repeatability.repeatability(twins, points([10, 10, 2], [31, 30, 2]), np.eye(3), shapes) == 1


def test_only_the_common_part_counts():
    right = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 30.0], [0.0, 0.0, 1.0]])
    a, b = points([10, 10, 2], [10, 40, 2]), points([10, 40, 2], [10, 5, 2])  # the last of each is seen by one alone
    assert repeatability.repeatability(a, b, right, ((50, 50), (50, 50))) == 1
    found = repeatability.correct_matches(np.array([[0, 0], [1, 1]]), a.positions, b.positions, right, [(50, 50)] * 2)
    assert found.tolist() == [True]


def test_correct_matches_known_values():
    a, b = np.array([[10.0, 10.0], [20.0, 20.0]]), np.array([[21.0, 26.0], [40.0, 46.5]])
    double, shapes = np.diag([2.0, 2.0, 1.0]), ((50, 50), (100, 100))
    matches = np.array([[0, 0], [1, 1], [0, 1]])  # 6.08 and 6.5 pixels of the finer picture away, and wrong
    for pixels, expected in ((3.0, [False] * 3), (3.1, [True, False, False]), (3.3, [True, True, False])):
        found = repeatability.correct_matches(matches, a, b, double, shapes, pixels=pixels)
        assert found.tolist() == expected
    assert repeatability.correct_matches(np.zeros((0, 2), int), a, b, double, shapes).shape == (0,)


def test_local_scale(rng):
    """The determinant of the derivative, by differences."""
    tipped = np.array([[0.9, -0.2, 30.0], [0.15, 1.1, -20.0], [4e-4, -3e-4, 1.0]])
    places, step = rng.uniform(0, 300, (5, 2)), 1e-4
    columns = [(matching.apply_homography(tipped, places + step * one) - matching.apply_homography(
        tipped, places - step * one)) / (2 * step) for one in np.eye(2)]
    expected = np.sqrt(np.linalg.det(np.stack(columns, -1)))
    assert_close(repeatability.local_scale(tipped, places), expected, 1e-7)  # central differences


def test_score_of_a_perfect_and_of_a_blind_detector(pairs):
    """One that knows where its points went finds all; one that looks at fixed places finds what chance allows."""
    grid = np.mgrid[20:110:9, 20:150:9].reshape(2, -1).T.astype(float)
    names = np.random.default_rng(1).standard_normal((len(grid), 16))  # a descriptor each
    pairs = [pair for pair in pairs if pair.amount in (45, 0.5, 0.7)]
    truth = {id(pair.second): pair for pair in pairs}

    def knows(picture):
        pair = truth.get(id(picture))
        if pair is None:
            return points(*np.column_stack([grid, np.full(len(grid), 2.0)])), names
        moved = matching.apply_homography(pair.homography, grid)
        sigma = 2 * repeatability.local_scale(pair.homography, grid)
        return points(*np.column_stack([moved, sigma])), names

    def is_blind(picture):
        return points(*np.column_stack([grid, np.full(len(grid), 2.0)])), names

    rows = repeatability.score(knows, pairs)
    assert [(row["repeatability"], row["correct"]) for row in rows] == [(1.0, 1.0)] * len(rows)
    blind = [row for row in repeatability.score(is_blind, pairs) if row["kind"] == "rotation"]
    assert blind[0]["repeatability"] < 0.3 and blind[0]["correct"] < 0.05


def test_means_weigh_kinds_alike():
    rows = [{"kind": kind, "repeatability": r, "correct": c, "matches": 10} for kind, r, c in (
        ("a", 0.2, 0.0), ("a", 0.4, 1.0), ("b", 0.9, 0.5))]
    found = repeatability.means(rows)
    assert list(found) == ["a", "b", "all"]
    assert_close(np.array([found["a"]["repeatability"], found["all"]["repeatability"], found["all"]["correct"]]),
                 np.array([0.3, 0.6, 0.5]))


def test_errors():
    with pytest.raises(ValueError, match=r"`photo` has shape \(64, 64, 3\); it must be grey"):
        repeatability.known_changes(np.ones((64, 64, 3)), rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match="`changes` has shear; there are rotation, scale"):
        repeatability.known_changes(np.ones((64, 64)), rng=np.random.default_rng(0), changes={"shear": [1]})
