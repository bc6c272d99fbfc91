"""The match viewer in Python: its matches are the library's, its sentences count them, what it refuses."""

import numpy as np
import pytest

pytest.importorskip("anywidget")

from match_cases import drawn_features, quarter

from cnnlib import data
from cnnlib.features import matching, sift
from cnnlib.widgets import _matches
from cnnlib.widgets.match_viewer import MatchViewer

BLANK = np.zeros((80, 80))
SQUARE = np.array([[10.0, 10.0], [10.0, 50.0], [50.0, 10.0], [50.0, 50.0], [30.0, 20.0]])
MOVED = np.array([[1.0, 0, 9], [0, 1, 5], [0, 0, 1]])


def features(n=5):
    """So many points and their partners, moved, with descriptors that leave no doubt."""
    return (SQUARE[:n], np.eye(5)[:n]), (SQUARE[:n] + [9, 5], np.eye(5)[:n])


def as_pairs(array):
    return set(map(tuple, array.tolist()))


@pytest.mark.parametrize("cross_check", [False, True])
@pytest.mark.parametrize("ratio", [0.5, 0.6, 0.8, 0.95, 1.0])
def test_matches_are_the_librarys(ratio, cross_check):
    """On SIFT's points of two photos, and on drawn ones with many ties."""
    pair = quarter()
    (_, a), (_, b) = (sift.detect_and_describe(image.astype(np.float32)) for image in pair)
    widget = MatchViewer(*pair, ratio=ratio, cross_check=cross_check)
    expected = matching.match(a, b, ratio=ratio, cross_check=cross_check)
    np.testing.assert_array_equal(widget.matches, expected)
    assert len(expected) > 40
    for seed in range(20):
        drawn = drawn_features(np.random.default_rng(seed), 30, 25, 4)
        widget = MatchViewer(BLANK, BLANK, features=drawn, ratio=ratio, cross_check=cross_check)
        np.testing.assert_array_equal(
            widget.matches, matching.match(drawn[0][1], drawn[1][1], ratio=ratio, cross_check=cross_check))


def test_a_smaller_ratio_keeps_a_part():
    widget = MatchViewer(*quarter(), ratio=0.6)
    few = as_pairs(widget.matches)
    widget.ratio = 0.8
    assert few < as_pairs(widget.matches)


def test_the_rivals_are_the_two_nearest():
    pair = quarter()
    (_, a), (_, b) = (sift.detect_and_describe(image.astype(np.float32)) for image in pair)
    pairs = MatchViewer(*pair).pairs
    distance = np.sqrt(((a[:, None].astype(float) - b[None]) ** 2).sum(-1))
    np.testing.assert_allclose(pairs.distance, np.sort(distance, 1)[:, :2], atol=1e-6)
    np.testing.assert_allclose(np.take_along_axis(distance, pairs.rivals, 1), pairs.distance, atol=1e-6)
    assert (pairs.rivals[:, 0] != pairs.rivals[:, 1]).all()


def test_a_photo_against_itself_turned():
    """Of the matches at least 95 in 100 agree with the turn; the draws find it, and find_homography does."""
    photo, turned = quarter()
    turn = np.array([[0.0, -1, photo.shape[1] - 1], [1, 0, 0], [0, 0, 1]])  # row' = W - 1 - col, col' = row
    widget = MatchViewer(photo, turned, truth=turn, stage="homography", draws=100)
    count = len(widget.matches)
    assert count > 50 and widget.inliers >= 0.95 * count
    assert widget.pairs.right[widget.matches[:, 0]].mean() >= 0.95
    assert widget.drawn().agree.sum() >= 0.95 * count
    np.testing.assert_allclose(widget.homography, turn, atol=0.02 * photo.shape[1])


def test_large_photos_are_reduced_and_tell_their_own_pixels():
    """720 x 600 pixels, moved by 40 rows: the points, the truth and the homography are in those pixels."""
    photo = np.kron(data.photo("camera")[:380, :300], np.ones((2, 2)))
    truth = np.array([[1.0, 0, -40], [0, 1, 0], [0, 0, 1]])
    widget = MatchViewer(photo[:720], photo[40:760], truth=truth)
    assert widget.image_a.shape == (360, 300) and "A: reduced from 720×600 pixels; B: reduced" in widget._note
    assert widget.points_a.max() > 600
    kept = widget.matches
    moved = widget.points_b[kept[:, 1]] - widget.points_a[kept[:, 0]]
    np.testing.assert_allclose(np.median(moved, axis=0), [-40, 0], atol=0.1)
    assert widget.pairs.right[kept[:, 0]].mean() > 0.9
    np.testing.assert_allclose(widget.homography, truth, atol=0.5)


def test_at_most_a_thousand_points_the_clearest(monkeypatch):
    monkeypatch.setattr(_matches, "MOST", 20)
    photo = quarter()[0].astype(np.float32)
    keypoints, _ = sift.detect_and_describe(photo)
    widget = MatchViewer(photo, photo)
    assert f"A: the 20 clearest of {len(keypoints)} points" in widget._note
    kept = keypoints.positions[np.argsort(-keypoints.response, kind="stable")[:20]]
    assert as_pairs(widget.points_a) == as_pairs(kept.astype(float))


def test_sentences():
    widget = MatchViewer(BLANK, BLANK, features=features(), truth=MOVED)
    assert widget.sentence() == "5 matches at ratio 0.8: 5 right, 0 wrong."
    widget.cross_check, widget.selected = True, 2
    assert widget.sentence() == ("5 matches at ratio 0.8, each the other's nearest: 5 right, 0 wrong. Point 2 at row "
                                 "50, column 10: nearest 0, second 1.4142, ratio 0: kept.")
    widget = MatchViewer(BLANK, BLANK, features=features(), stage="homography", draws=3, predict=True)
    assert widget.sentence() == "? matches at ratio 0.8."
    widget.predict = False
    assert "5 agree with the homography of draw " in widget.sentence()
    told = MatchViewer(BLANK, BLANK, features=features(), truth=np.array([0, 1, 2, 4, 3])).sentence()
    assert told == "5 matches at ratio 0.8: 3 right, 2 wrong."
    near = (SQUARE[:2], [[0.0, 0], [1, 0]]), (SQUARE[:2], [[0.5, 1], [0.5, -1]])
    assert MatchViewer(BLANK, BLANK, features=near, selected=0).sentence() == (
        "0 matches at ratio 0.8. Point 0 at row 10, column 10: nearest 1.118, second 1.118, ratio 1: rejected.")
    both = (SQUARE[:2], [[0.0, 0], [0.1, 0]]), (SQUARE[:2], [[0.2, 0], [9, 9]])
    assert "rejected, since its partner's nearest is another." in MatchViewer(
        BLANK, BLANK, features=both, selected=0, cross_check=True).sentence()


def moved(points):
    """The truth of `features`, not known where the row is 50."""
    return np.where(points[:, :1] > 40, np.nan, points + [9, 5])


def test_truth_as_a_function():
    """It judges in pixels of the pictures as given; points of which it knows nothing are left out."""
    widget = MatchViewer(BLANK, BLANK, features=features(), truth=moved)
    assert widget.sentence() == "3 matches at ratio 0.8: 3 right, 0 wrong." and len(widget.points_a) == 3
    assert widget._note == "A: 2 left out, whose place in B is not known"
    assert widget.code() == "MatchViewer(image_a, image_b, features=features, truth=moved)"
    large = np.zeros((720, 720))
    scaled = tuple((4.5 * positions, descriptors) for positions, descriptors in features())
    told = MatchViewer(large, large, features=scaled, truth=lambda points: points + [9 * 4.5, 5 * 4.5 + 3.1])
    assert told.pairs.right.sum() == 0
    told = MatchViewer(large, large, features=scaled, truth=lambda points: points + [9 * 4.5, 5 * 4.5 + 2.9])
    assert told.pairs.right.sum() == 5
    with pytest.raises(ValueError, match=r"`truth` gave an array of shape \(5,\) for points of shape \(5, 2\)"):
        MatchViewer(BLANK, BLANK, features=features(), truth=lambda points: points[:, 0])


def test_wrong_only_draws_the_wrong_ones(monkeypatch):
    """In the sentence, in the figure, in the code; refused where no truth was given."""
    from cnnlib import plots

    drawn = []
    monkeypatch.setattr(plots, "plot_matches", lambda *given, old=plots.plot_matches, **options: drawn.append(
        (len(given[2]), None if given[4] is None else given[4].tolist())) or old(*given, **options))
    partners = np.array([0, 1, 2, 4, 3])
    widget = MatchViewer(BLANK, BLANK, features=features(), truth=partners, stage="wrong")
    assert widget.sentence() == "5 matches at ratio 0.8: 3 right, 2 wrong. Only the wrong ones are drawn."
    assert widget.figure().axes and drawn == [(2, [False, False])] and len(widget.matches) == 5
    assert 'stage="wrong"' in widget.code()
    widget = MatchViewer(BLANK, BLANK, features=features(), truth=MOVED, stage="wrong")
    assert widget.sentence() == "5 matches at ratio 0.8: 5 right, 0 wrong. None is wrong."
    assert widget.figure().axes and drawn[-1] == (0, [])
    widget = MatchViewer(BLANK, BLANK, features=features(), stage="wrong")
    assert widget.sentence() == "Refused: wrong only: which matches are wrong is not known, no truth was given."
    assert widget.matches is None and widget.figure().axes
    assert MatchViewer(BLANK, BLANK, stage="wrong").sentence() == "Nothing to match: A has 0 points, B 0."


def test_too_few_points_say_what_is_missing():
    assert MatchViewer(BLANK, BLANK).sentence() == "Nothing to match: A has 0 points, B 0."
    assert "1 match at ratio 0.8. B has one point: no second best" in MatchViewer(
        BLANK, BLANK, features=features(1)).sentence()
    widget = MatchViewer(BLANK, BLANK, features=features(3), stage="homography")
    assert widget.sentence() == "3 matches at ratio 0.8. A homography needs 4 matches: 1 more."
    assert widget.drawn() is None and widget.homography is None and widget.inliers == 0


def test_fours_on_a_line_are_refused():
    (positions, descriptors), (others, _) = features()
    line = positions * [0, 1] + [20, 0]
    widget = MatchViewer(BLANK, BLANK, features=((line, descriptors), (others, descriptors)), stage="homography",
                         draws=7)
    assert "Draw 7 is refused, as all before: three of its points lie on a line" in widget.sentence()
    assert widget.drawn().agree is None and widget.homography is None


def test_four_picked_matches_say_who_agrees():
    """Four of five that are moved alike: all agree; with a wrong one among the four, only they."""
    widget = MatchViewer(BLANK, BLANK, features=features(), stage="pick")
    assert widget.sentence() == "5 matches at ratio 0.8. Pick or place 4 more pairs." and widget.agreeing() is None
    widget.picked = [0, 1, 1, 7]
    assert widget.picks() == [0, 1] and widget.sentence().endswith("Pick or place 2 more pairs.")
    widget.picked = [0, 1, 2]
    assert widget.sentence().endswith("Pick or place 1 more pair.")
    widget.picked = [3, 1, 0, 2]
    assert widget.sentence().endswith("5 agree with the homography of your four.")
    np.testing.assert_allclose(widget.agreeing().homography, MOVED, atol=1e-9)
    (here, descriptors), (there, _) = features()
    there = there + np.array([[0, 0], [0, 0], [0, 0], [25, 0], [0, 0]])
    widget = MatchViewer(BLANK, BLANK, features=((here, descriptors), (there, descriptors)), stage="pick",
                         picked=[0, 1, 2, 3])
    assert widget.sentence().endswith("4 agree with the homography of your four.")
    assert widget.agreeing().agree.tolist() == [True, True, True, True, False]
    line = here * [1, 0] + [0, 20]
    widget = MatchViewer(BLANK, BLANK, features=((line, descriptors), (there, descriptors)), stage="pick",
                         picked=(0, 1, 2, 3))
    assert widget.sentence().endswith("Your four are refused: three of their points lie on a line, or they change "
                                      "sides.")
    assert widget.agreeing().agree is None and widget.figure().axes
    assert widget.code().endswith('stage="pick", picked=(0, 1, 2, 3), features=features)')
    with pytest.raises(Exception, match="at most 4|length|maxlen"):
        widget.picked = [0, 1, 2, 3, 4]


def test_four_pairs_placed_by_hand_say_who_agrees():
    """The corners moved as the matches are: all agree; one of them 20 pixels off: they stand alone, or nearly."""
    by_hand = [(10, 12, 19, 17), (12, 60, 21, 65), (60, 11, 69, 16), (55, 58, 64, 63)]
    widget = MatchViewer(BLANK, BLANK, features=features(), stage="pick", picked=by_hand)
    assert widget.sentence().endswith("5 agree with the homography of your four.")
    np.testing.assert_allclose(widget.agreeing().homography, MOVED, atol=1e-9)
    assert widget.agreeing().last == [-1] * 4 and widget.figure().axes
    widget.picked = [*by_hand[:3], 4]  # three by hand, and a match
    assert widget.agreeing().agree.all() and widget.agreeing().last == [-1, -1, -1, 4]
    widget.picked, widget.end = [*by_hand[:3], (55, 58, 64, 43)], 7
    assert widget.agreeing().agree.sum() < 5
    assert widget.sentence().endswith("of your four. Pair IV by hand: row 55, column 58 in A; row 64, column 43 in B. "
                                      "Arrow keys move it in B.")
    assert "picked=((10, 12, 19, 17), (12, 60, 21, 65), (60, 11, 69, 16), (55, 58, 64, 43)), end=7" in widget.code()
    widget.picked = [(10, 12, 19, 17), (10, 30, 19, 35), (10, 50, 19, 55), by_hand[3]]
    assert "Your four are refused: three of their points lie on a line" in widget.sentence()
    widget.picked = by_hand[:2]
    assert widget.held() is None and widget.sentence().endswith("Pick or place 2 more pairs.")
    widget.end = 2
    assert widget.sentence().endswith("Pair II by hand: row 12, column 60 in A; row 21, column 65 in B. Arrow keys "
                                      "move it in A.")
    alone = MatchViewer(BLANK, BLANK, features=features(3), stage="pick", picked=by_hand)  # too few to draw four
    assert alone.sentence() == "3 matches at ratio 0.8. 3 agree with the homography of your four."


@pytest.mark.parametrize("pair, words", [
    ((10, 10, 20), r"`picked` has \(10, 10, 20\); it must be a point's number, or four finite numbers: row and"),
    ((10, 10, 20, np.nan), r"`picked` has \(10, 10, 20, nan\); it must be"),
    ((10, 80, 20, 20), "`picked` has row 10, column 80 in A, which is shown with 80 rows and 80 columns"),
    ((10, 10, -1.5, 20), "`picked` has row -1.5, column 20 in B, which is shown with 80 rows and 70 columns")])
def test_a_pair_by_hand_lies_in_both_pictures(pair, words):
    with pytest.raises(Exception, match=words):
        MatchViewer(BLANK, np.zeros((80, 70)), features=features(), picked=[pair])


def test_a_lies_over_b():
    """By the four picked, else by the best draw; the blend goes from A to B, where A reaches."""
    photo, turned = quarter()
    widget = MatchViewer(photo, turned, stage="warp", draws=60, blend=0.25)
    drawn = widget.drawn()
    assert widget.sentence().endswith(
        f"A lies over B by the homography of draw {drawn.best}, with which {drawn.agree.sum()} agree; blend 0.25, "
        "from A to B.")
    turn = np.array([[0.0, -1, photo.shape[1] - 1], [1, 0, 0], [0, 0, 1]])
    inner = np.s_[3:-3, 3:-3]  # the drawn homography is half a pixel off at the rim
    for blend, level in ((0.0, 1.0), (1.0, 0.0), (0.25, 0.75)):
        laid = _matches.laid_over(photo, np.zeros_like(turned), turn, blend)
        np.testing.assert_allclose(laid[inner], level * turned[inner], atol=1e-9)
    far = _matches.laid_over(photo, np.ones((40, 40, 3)), np.array([[1.0, 0, 10], [0, 1, 0], [0, 0, 1]]), 0.0)
    assert far.shape == (40, 40, 3) and (far[:10] == 1).all()
    np.testing.assert_allclose(far[10:, :, 1], photo[:30, :40])
    widget.picked = widget.matches[drawn.last, 0].tolist()
    assert "your four" in widget.sentence()
    widget.blend, widget.stage = 1.0, "match"
    with pytest.raises(Exception, match="blend.*1.5"):
        widget.blend = 1.5


def test_draws_are_seeded_and_spread():
    fours = [_matches.four(3, draw, 10) for draw in range(1, 2001)]
    assert all(len(set(one)) == 4 and 0 <= min(one) and max(one) < 10 for one in fours)
    assert fours[0] != _matches.four(4, 1, 10) and fours[0] == _matches.four(3, 1, 10)
    counts = np.bincount(np.ravel(fours), minlength=10)
    assert (abs(counts - 800) < 5 * np.sqrt(2000 * 0.4 * 0.6)).all()  # five deviations of a fair draw


@pytest.mark.parametrize("ratio, words", [(0.0, "ratio 0: above 0"), (1.5, "ratio 1.5: above 0, and at most 1")])
def test_impossible_ratios_are_refused_aloud(ratio, words):
    widget = MatchViewer(BLANK, BLANK, features=features(), ratio=ratio)
    assert widget.sentence().startswith(f"Refused: {words}") and widget.matches is None and widget.inliers == 0


def test_what_it_is_given_is_checked():
    with pytest.raises(ValueError, match=r"`image_b` has shape \(3,\)"):
        MatchViewer(BLANK, np.zeros(3))
    with pytest.raises(ValueError, match="`image_a` has 2 of 6400 values that are NaN or infinite"):
        MatchViewer(np.where(np.arange(6400).reshape(80, 80) < 2, np.nan, 0.5), BLANK)
    with pytest.raises(ValueError, match=r"`image_a` must lie in \[0, 1\] \(or hold integers\), not in \[0, 7\]"):
        MatchViewer(BLANK + 7.0 * np.eye(80), BLANK)
    with pytest.raises(ValueError, match=r"positions of shape \(4, 2\) and descriptors of shape \(5, 5\) for image_a"):
        MatchViewer(BLANK, BLANK, features=((SQUARE[:4], np.eye(5)), features()[1]))
    with pytest.raises(ValueError, match=r"`features` must be \(\(positions_a, descriptors_a\)"):
        MatchViewer(BLANK, BLANK, features=(SQUARE, SQUARE, SQUARE))
    with pytest.raises(ValueError, match=r"`truth` has shape \(4,\) and dtype int64; .* each of the 5 points"):
        MatchViewer(BLANK, BLANK, features=features(), truth=np.arange(4))
    with pytest.raises(Exception, match="`draws` is 1001; it must be from 1 to 1000"):
        MatchViewer(BLANK, BLANK, draws=1001)


def test_pictures_come_in_any_form():
    """Integers, bool, colour, transparency, transposed, read-only; the pictures given are not written."""
    photo, turned = quarter()
    levels = np.round(255 * photo).astype(np.uint8)
    colour = np.repeat(levels[..., None], 4, axis=2)
    given = [levels, colour, photo.T, levels[:, ::-1], photo > 0.5]
    for image in given:
        image.flags.writeable = False
        widget = MatchViewer(image, turned)
        assert len(widget.points_a) > 10 and 0 <= widget.image_a.min() <= widget.image_a.max() <= 1
    widget = MatchViewer(colour, turned)
    assert widget.image_a.ndim == 3 and widget._note == "A: transparency left out"
