"""The HOG explorer in Python: its numbers are the library's, its sentences name them, what it refuses."""

import numpy as np
import pytest

pytest.importorskip("anywidget")

from hog_cases import case

from cnnlib import data, images
from cnnlib.features import hog
from cnnlib.widgets.hog_explorer import HogExplorer

EDGE = np.tile([0, 0, 9, 9], (4, 1))


def test_the_descriptor_is_the_librarys():
    photo = data.photo("camera")[100:228, 200:264]
    widget = HogExplorer(photo, votes="trilinear", window_sigma=4.0, block_norm="L2")
    expected = hog.hog(widget.image.astype(float), cells_per_block=2, votes="trilinear", window_sigma=4.0,
                       block_norm="L2")
    np.testing.assert_array_equal(widget.descriptor, expected)
    assert len(expected) == widget.length == 3780 and "of 3,780." in widget.sentence()


@pytest.mark.parametrize("k", range(20))
def test_drawn_settings(k):
    """The cells hold the summed lengths of the gradients, the sentence the place of the block in the vector."""
    rng = np.random.default_rng(k)
    state = case(rng, k, lambda a: np.asarray(a))["state"]
    names = ("orientations", "pixels_per_cell", "cells_per_block", "block_norm", "transform_sqrt", "votes")
    kwargs = {name: state[name] for name in names} | ({"window_sigma": state["window_sigma"]}
                                                      if state["votes"] == "trilinear" else {})
    widget = HogExplorer(**state)
    np.testing.assert_array_equal(widget.descriptor, hog.hog(state["image"].astype(float), **kwargs))
    rows, cols, _ = widget.cells().shape
    height, width = state["pixels_per_cell"]
    slopes = hog.pixel_gradients(state["image"].astype(float), transform_sqrt=state["transform_sqrt"])
    lengths = np.hypot(*slopes)[:rows * height, :cols * width].sum()
    assert widget.cells().sum() * height * width == pytest.approx(lengths, rel=1e-9, abs=1e-12)
    assert f" of {len(widget.descriptor):,}." in widget.sentence()


def test_sentences():
    kwargs = {"pixels_per_cell": 4, "cells_per_block": 1}
    assert HogExplorer(EDGE, **kwargs).sentence() == (
        "Cell 0, 0: strongest bin 10°, 100 % of the votes. Block 0, 0 is numbers 1 to 9 of 9.")
    followed = HogExplorer(EDGE, **kwargs, pixel=(1, 1), votes="linear", number=8).sentence()
    assert "Pixel 1, 1 votes 4.5 for 170°, 4.5 for 10°." in followed and "Number 9: cell 0, 0, bin 170°," in followed
    assert "no gradient, no vote" in HogExplorer(EDGE, **kwargs, pixel=(1, 0)).sentence()
    soft = HogExplorer(EDGE, pixels_per_cell=2, cells_per_block=2, votes="trilinear", cell=(0, 0), pixel=(1, 1))
    assert "Pixel 1, 1 votes 4.5 for 170°, 4.5 for 10°; 8 shares in the block, together " in soft.sentence()
    one_bin = HogExplorer(EDGE, **kwargs, pixel=(1, 1), votes="linear", orientations=1)  # told once
    assert "Pixel 1, 1 votes 9 for 90°. Block" in one_bin.sentence()
    assert HogExplorer(0 * EDGE, **kwargs).sentence().startswith("Cell 0, 0: no gradient, 9 zeros.")
    zeros = "Block 0, 0 is numbers 1 to 9 of 18: zeros, divided by eps and not by 0."
    beside = np.hstack([0 * EDGE, EDGE])  # a flat block, and one beside it that is not
    assert HogExplorer(beside, **kwargs).sentence().endswith(zeros)
    assert HogExplorer(beside, **kwargs, block=(0, 1)).sentence().endswith("is numbers 10 to 18 of 18.")
    assert HogExplorer(beside, pixels_per_cell=4, cells_per_block=(1, 2)).sentence().endswith("1 to 18 of 18.")
    assert "eps" not in HogExplorer(beside, **kwargs, predict=True).sentence()
    hidden = HogExplorer(EDGE, **kwargs, pixel=(1, 1), number=3, predict=True).sentence()
    assert hidden == "Cell 0, 0: strongest bin ?. Block 0, 0 is numbers 1 to 9 of 9."


@pytest.mark.parametrize("change, words", [
    ({"orientations": 0}, "bins 0: from 1 to 36"),
    ({"pixels_per_cell": (0, 2)}, "cell 0: the smallest is 1"),
    ({"cells_per_block": (2, -1)}, "block −1: the smallest is 1"),
    ({"pixels_per_cell": 9}, "blocks of 2×2 cells of 9×9 pixels need 18×18 pixels; the picture has 14×20"),
    ({"window_sigma": 0.0}, "window_sigma 0: it must be above 0"),
    ({"transform_sqrt": True}, "gamma takes roots, and the lowest level is −5"),
])
def test_refusals(change, words):
    widget = HogExplorer(np.arange(-5.0, 275).reshape(14, 20), pixels_per_cell=4)
    for name, value in change.items():
        setattr(widget, name, value)
    assert widget.sentence() == f"Refused: {words}." and widget.descriptor is None and widget.length == 0


def test_pictures_come_in_any_form():
    assert HogExplorer("astronaut").image.shape == (256, 256)
    assert HogExplorer(data.photo("coffee")).image.ndim == 2
    colours = np.random.default_rng(0).uniform(size=(20, 30, 4))
    grey = HogExplorer(colours, cells_per_block=1)
    np.testing.assert_allclose(grey.image, images.to_grey(colours[..., :3]), atol=1e-6)
    with pytest.raises(ValueError, match=r"`image` has shape \(20, 30, 2\); it must be \(H, W\)"):
        HogExplorer(colours[..., :2])
    with pytest.raises(ValueError, match="`image` has 1 of 16 values that are NaN or infinite"):
        HogExplorer(np.where(np.arange(16).reshape(4, 4) == 3, np.nan, 1.0))
    with pytest.raises(Exception, match=r"`cell` is \(1, 2, 3\); it must be a whole number or a pair"):
        HogExplorer(EDGE, cell=(1, 2, 3))


@pytest.mark.parametrize("shape, told", [
    ((20, 30), ""), ((20, 30, 3), "Turned to grey."), ((20, 30, 4), "Turned to grey, transparency left out."),
    ((300, 20), "Reduced from 300×20 pixels."), ((20, 300, 3), "Turned to grey; reduced from 20×300 pixels.")])
def test_it_says_what_was_done_to_the_picture(shape, told):
    widget = HogExplorer(np.random.default_rng(0).uniform(size=shape), cells_per_block=1)
    assert widget._note == told
    widget.image = np.eye(40)
    assert widget._note == ""
