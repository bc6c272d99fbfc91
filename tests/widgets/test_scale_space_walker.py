"""The scale-space walker in Python: its points are the library's, its sentences name them, what it refuses."""

import numpy as np
import pytest

pytest.importorskip("anywidget")

from walker_cases import case

from cnnlib import data
from cnnlib.features import sift
from cnnlib.widgets import _spots
from cnnlib.widgets.scale_space_walker import ScaleSpaceWalker, why

RIGHT = np.arange(96) > 50  # of a round spot every direction is as good as any other, of its half there is one


def spot(sigma, size=96, centre=(47, 50)):
    """A white Gaussian spot of this width on black."""
    row, col = np.indices((size, size))
    return np.exp(-((row - centre[0]) ** 2 + (col - centre[1]) ** 2) / (2 * sigma ** 2))


def test_a_blob_of_sigma_6_is_one_point_at_its_centre():
    """Of the two blurs whose difference is extreme sigma is the narrower; their middle is the blob's own width.

    So SIFT's sigma of it is 6 / 2**(1/6) = 5.35. Each direction of a round blob is as strong as any other, and each
    peak makes an entry: the entries are one point with several directions.
    """
    widget = ScaleSpaceWalker(spot(6))
    found = widget.keypoints
    assert len(np.unique(np.c_[found.positions, found.sigma], axis=0)) == 1
    assert len(np.unique(found.orientation)) == len(found)
    np.testing.assert_allclose(found.positions[0], (47, 50), atol=0.1)
    sigma = found.sigma[0]
    assert sigma == pytest.approx(6 / 2 ** (1 / 6), rel=0.01)
    for widget.keypoint in range(len(found)):
        assert f"row 47, column 50, σ {sigma:.1f}" in widget.sentence()
        assert f", {len(found)} peak" in widget.sentence()
    half = ScaleSpaceWalker(spot(6) * RIGHT).keypoints  # of its half one direction is the strongest: one entry
    assert len(half) == 1


@pytest.mark.parametrize("k", range(24))
def test_drawn_settings(k):
    """Points and candidates are those of sift; the table that goes to the browser holds each of them."""
    rng = np.random.default_rng(k)
    state = case(rng, k, np.asarray)["state"]
    state = {name: value for name, value in state.items() if name not in ("size", "scale", "hide", "predict")}
    widget = ScaleSpaceWalker(**state)
    tests = {"contrast_threshold": state["contrast"], "edge_ratio": state["edge_ratio"]}
    np.testing.assert_array_equal(widget.keypoints.positions, sift.detect(state["image"], **tests).positions)
    candidates = sift.candidates(sift.scale_space(state["image"]), **tests)
    assert len(widget.candidates) == np.count_nonzero(candidates.reason)
    rows = set() if widget._table is None else {tuple(row) for row in widget._table[:, [7, 8, 9, 10]].tolist()}
    at = np.stack([candidates.octave, candidates.layer, candidates.row, candidates.col], 1)
    assert {tuple(map(float, row)) for row in at.tolist()} <= rows
    if widget.keypoint is not None and widget.keypoint < len(widget.keypoints):
        expected = sift.describe(state["image"], widget.keypoints[widget.keypoint])[0]
        np.testing.assert_allclose(widget.descriptor, expected, atol=1e-6)
    else:
        assert widget.descriptor is None


def test_levels_grow_by_a_third_of_an_octave():
    widget = ScaleSpaceWalker("coins")
    assert widget.levels == 18  # six octaves of a picture of 202 × 256 pixels
    for level in range(1, widget.levels + 1):
        assert [widget.level(widget.blur(level + part)) for part in (-0.4, 0, 0.4)] == [level] * 3
        octave, layer = widget.place(level)
        assert widget._space.blur(octave, layer) == pytest.approx(widget.blur(level))
        assert widget._space.nearest(np.float32([widget.blur(level)])) == (octave, layer)


def test_sentences():
    corner = np.kron([[0, 1], [0, 0]], np.ones((20, 20)))
    assert ScaleSpaceWalker(spot(6) * RIGHT).sentence() == \
        "σ 1.6: octave −1, layer 3. 1 keypoint, 0 of about this size."
    none = ScaleSpaceWalker(corner * 0, rejected=["edge"])
    assert none.sentence().endswith("Keypoints: none. Lower the contrast test. Rejected: 0 edge.")
    assert none._table is None and none.keypoint is None
    photo = ScaleSpaceWalker("coins", contrast=0.1, edge_ratio=8, rejected=["contrast", "edge"])
    words = photo.candidates.words
    assert photo.sentence().endswith(f" Rejected: {words.count('contrast')} low contrast, {words.count('edge')} edge.")
    photo.keypoint = len(photo.keypoints) + words.index("edge")
    assert f"Candidate {photo.keypoint}: row " in photo.sentence() and ", rejected, edge: " in photo.sentence()
    assert why("edge", 0.2, np.float32(14), 0.04, 10) == "edge: ratio 14: 16.07 > 12.1"
    assert why("edge", 0.2, np.float32(np.inf), 0.04, 10) == "edge: it bends up one way and down the other"
    assert why("contrast", np.float32(-0.0081), 2, 0.04, 10) == "low contrast: 0.0081 < 0.0133"
    assert why("unstable", 0.2, 2, 0.04, 10).startswith("unstable: ")


def test_two_directions_are_two_entries_and_the_border_is_told():
    photo = ScaleSpaceWalker("text")
    found = photo.keypoints
    twins = [k for k in range(len(found)) if (found.positions == found.positions[k]).all(1).sum() == 2]
    photo.keypoint = twins[0]
    first = photo.sentence()
    photo.keypoint = twins[1]
    assert ", 2 peaks." in first and ", 2 peaks." in photo.sentence() and first != photo.sentence()
    inside = sift.patches(photo._space, found)[1].all((1, 2))
    for k in (np.flatnonzero(inside)[0], np.flatnonzero(~inside)[0]):
        photo.keypoint = int(k)
        assert photo.sentence().endswith("No full patch.") == (not inside[k])


def test_predict_hides_the_answer():
    assert ScaleSpaceWalker("coins", predict=True).sentence() == \
        "σ 1.6: octave −1, layer 3. ? keypoints of about this size."
    assert ScaleSpaceWalker("coins", predict=True, keypoint=3).sentence().endswith("orientation ?.")


@pytest.mark.parametrize("change, words", [
    ({"sigma": 0.5}, "sigma 0.5: from 1.01 to 12.8 in this picture"),
    ({"sigma": 40.0}, "sigma 40: from 1.01 to 12.8 in this picture"),
    ({"sigma": -1.0}, "sigma −1: from 1.01 to 12.8 in this picture"),
    ({"contrast": 0.001}, "contrast 0.001: the smallest is 0.005"),
    ({"edge_ratio": 1.0}, "edge ratio 1: it must be above 1, where both curvatures are the same"),
    ({"keypoint": 5}, "keypoint 5: there are 1 keypoint and 1 rejected"),
    ({"keypoint": -1}, "keypoint −1: there are 1 keypoint and 1 rejected"),
])
def test_refusals(change, words):
    widget = ScaleSpaceWalker((spot(6) * RIGHT)[8:88, 8:88])
    for name, value in change.items():
        setattr(widget, name, value)
    assert widget.sentence() == f"Refused: {words}." and widget.descriptor is None and widget.picture()


def test_pictures_come_in_any_form():
    photo = ScaleSpaceWalker("astronaut")
    assert photo.image.shape == (256, 256) and photo._note == "Turned to grey; reduced from 512×512 pixels."
    photo.image = photo.image[:200]
    assert photo._note == "" and ScaleSpaceWalker(photo.image)._note == ""
    photo.image = np.ones((300, 90, 4))
    assert photo._note == "Turned to grey, transparency left out; reduced from 300×90 pixels."
    assert ScaleSpaceWalker("coins")._note == "Reduced from 303×384 pixels."
    grey = np.round(255 * data.photo("coins")[:50, :60])
    for dtype in (np.uint8, np.int64):
        np.testing.assert_allclose(ScaleSpaceWalker(grey.astype(dtype)).image, grey / 255, atol=1e-6)
    colours = np.stack([grey] * 3, -1).astype(np.uint8)
    for white, dtype in ((255, np.uint8), (65535, np.uint16), (255, np.int64), (1, np.float64)):
        levels = (colours / 255 * white).astype(dtype)
        np.testing.assert_allclose(ScaleSpaceWalker(levels).image, grey / 255, atol=1e-5)
    assert ScaleSpaceWalker(colours)._note == "Turned to grey."
    widget = ScaleSpaceWalker(spot(4))
    widget.image = np.zeros((40, 50), np.uint8)
    assert widget._table is None and len(widget.keypoints) == 0  # made anew with the picture
    with pytest.raises(Exception, match="`image` has 1 of 1600 pixels that are NaN or infinite; ScaleSpaceWalker"):
        ScaleSpaceWalker(np.where(np.arange(1600).reshape(40, 40) == 3, np.nan, 1.0))
    with pytest.raises(Exception, match="integers must lie in 0 to 255"):
        ScaleSpaceWalker(10 * colours.astype(np.int64))
    with pytest.raises(Exception, match=r"`image` has shape \(4, 30\); 6 pixels a side are the least"):
        ScaleSpaceWalker(np.zeros((4, 30)))
    with pytest.raises(Exception, match="floats must have white 1"):
        ScaleSpaceWalker(grey)


def test_the_mildest_test_holds_all_stricter_ones():
    """Each extremum stands in the table once, in the order of sift.candidates."""
    space = sift.scale_space(data.photo("coins")[:150, :200])
    table, peaks = _spots.spots(space)
    found = sift.candidates(space, contrast_threshold=_spots.LEAST)
    assert len(table) == len(found)
    np.testing.assert_allclose(table[:, 2], found.sigma, rtol=1e-6)
    assert (peaks[:, 1] >= 0).all() and (np.diff(peaks[:, 0]) >= 0).all()
