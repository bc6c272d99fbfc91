"""The mask explorer's Python side: what masks and their turns answer, what is said of it, what is refused."""

import numpy as np
import pytest

pytest.importorskip("anywidget")

from helpers import assert_close
from mask_cases import mask_cases
from traitlets import TraitError

from cnnlib import data, images
from cnnlib.features import edges
from cnnlib.widgets import MaskExplorer
from cnnlib.widgets._masks import NAMES, Answers, nature, preset, preset_name, turn

RAMP = np.tile(np.arange(6.0), (6, 1))
LINE = np.pad(np.ones((7, 1)), ((0, 0), (3, 3)))


def test_a_unit_ramp_answers_8_to_N_and_nothing_to_E():
    for name, inner in (("sobel_N", 8), ("sobel_E", 0), ("sobel_S", -8), ("robinson_NE", 6), ("prewitt_N", 6),
                        ("scharr_N", 32), ("laplacian", 0), ("laplacian_8", 0)):
        answers = MaskExplorer(RAMP, name).answers()
        assert set(answers.response[1:-1, 1:-1].ravel()) == {inner}, name
    told = MaskExplorer(RAMP.T, "sobel_E").sentence()
    assert told == "Row 3, column 3: response 8, brighter on the right of the walk E."


def test_masks_turn_as_the_lecture_has_them():
    """N, NE and SW = −NE of the lecture; the eight are features.edges.ROBINSON; a mask of any odd size turns."""
    assert preset("robinson_NE").tolist() == [[-2, -1, 0], [-1, 0, 1], [0, 1, 2]]
    np.testing.assert_array_equal(preset("robinson_SW"), -preset("robinson_NE"))
    np.testing.assert_array_equal([preset(f"sobel_{name}") for name in NAMES], edges.ROBINSON)
    rng = np.random.default_rng(0)
    for size in (3, 5, 7, 9, 11):
        mask = rng.integers(-3, 4, (size, size))
        np.testing.assert_array_equal(turn(mask, 2), np.rot90(mask, -1))  # twice 45° is a quarter, clockwise
        np.testing.assert_array_equal(turn(turn(mask, 3), -3), mask)
        kind, index = nature(mask)
        assert nature(turn(mask, 3)) == (kind, (index + 3) % (8 if kind == 1 else 4))
        if size == 3:
            np.testing.assert_array_equal(turn(mask, 3), edges.turn_mask(mask, 3))
    for name in ("sobel_W", "robinson_SE", "prewitt_NE", "scharr_S", "laplacian", "laplacian_8"):
        assert preset_name(preset(name)) == name
    assert preset_name(preset("sobel_NE")) == "robinson_NE" and preset_name(np.eye(3)) is None


@pytest.mark.parametrize("photo, row, col", [("camera", 90, 200), ("coins", 40, 60), ("text", 20, 30), ("brick", 5, 9)])
def test_strength_direction_and_ridges_equal_the_library(photo, row, col):
    """On photos, ties included: edges.robinson, and its thinning and hysteresis."""
    image = images.crop(data.photo(photo, grey=True), row, col, 61, 83).astype(np.float32).astype(np.float64)
    strength, direction = edges.robinson(image)
    for name in ("sobel_N", "robinson_SW"):  # whichever of the eight it is that stands in the widget
        answers = MaskExplorer(image, name).answers()
        ours = answers.strongest
        assert_close(ours[0], strength)
        np.testing.assert_array_equal(ours[1], direction)
        across = np.array([(0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1)], float)[direction]
        thin = edges.non_maximum_suppression(strength, across[..., 0], across[..., 1])
        assert_close(answers.thinned, thin)
        joined = edges.hysteresis(thin, 0.1 * strength.max(), 0.3 * strength.max())
        np.testing.assert_array_equal(answers.joined(0.1, 0.3) > 2, joined)
        assert 0 < joined.sum() < (thin > 0).sum()
        assert_close(answers.response, edges.response(image, answers.mask))


def test_ties_go_to_the_first():
    answers = MaskExplorer(np.ones((5, 5))).answers()
    assert not answers.strongest[1].any() and not answers.thinned.any() and answers.top == 0
    assert not answers.joined(0, 0).any()
    assert MaskExplorer(np.ones((5, 5)), show="strength").sentence() == \
        "Row 2, column 2: strength 0, direction N, the first of 8 turns that answer alike."
    step = np.repeat([[0.0, 0, 1, 1]], 4, axis=0)  # both sides of it answer 4: the left one comes first
    assert MaskExplorer(step).answers().thinned.tolist() == [[0] * 4, [0, 4, 0, 0], [0, 4, 0, 0], [0] * 4]
    assert MaskExplorer(step, show="thin", row=1, col=2).sentence() == \
        "Row 1, column 2: strength 4, removed: across the edge W is as strong and comes first."


def test_names_change_labels_only():
    straight, slanted = np.tile(np.arange(3.0), (3, 1)), np.add.outer(np.arange(3.0), np.arange(3.0))
    for place, (walk, gradient) in enumerate(zip(NAMES, NAMES[2:] + NAMES[:2])):
        image = np.rot90((straight, slanted)[place % 2], -(place // 2))  # brighter on the right of this walk
        one, other = (MaskExplorer(image, f"sobel_{walk}", names=names, show="direction")
                      for names in ("walk", "gradient"))
        strength = (8, 12)[place % 2]
        assert one.sentence() == \
            f"Row 1, column 1: strength {strength}, direction {walk}, brighter on the right of the walk."
        assert other.sentence() == \
            f"Row 1, column 1: strength {strength}, direction {gradient}, towards the brighter side."
        np.testing.assert_array_equal(one.answers().strongest[1], other.answers().strongest[1])
        family = ("sobel", "robinson")[place % 2]
        assert other.code().endswith(f'"{family}_{walk}", show="direction", names="gradient")')


def test_a_line_is_no_step():
    """On a line of one pixel Sobel answers 4, 0, −4; a line mask answers there, and runs both ways."""
    answers = MaskExplorer(LINE).answers()
    assert answers.response[3, 2:5].tolist() == [4, 0, -4]
    line = MaskExplorer(LINE, [[-1, 2, -1]] * 3)
    assert nature(line.mask) == (2, 0)
    assert line.sentence() == "Row 3, column 3: response 6, brighter along the line than beside it."
    line.show = "direction"
    assert line.sentence() == "Row 3, column 3: strength 6, direction N, the first of 2 turns that answer alike."


@pytest.mark.parametrize("mask, words", [
    (np.zeros((3, 3)), "response 0. The mask asks nothing: all its weights are 0."),
    ([[0, 1, 0], [1, 1, 1], [0, 1, 0]], "response 15. It also answers to plain brightness: its sum is 5."),
    (np.full((3, 3), 1 / 9), "response 3. It also answers to plain brightness: its sum is 1."),
    ("laplacian", "response 0."),
])
def test_odd_masks_are_named(mask, words):
    assert MaskExplorer(RAMP, mask).sentence() == f"Row 3, column 3: {words}"


def test_borders():
    told = {padding: MaskExplorer(RAMP, padding=padding) for padding in ("replicate", "reflect", "zeros", "valid")}
    rows = {padding: widget.answers().response[0].tolist() for padding, widget in told.items()}
    assert rows == {"replicate": [4, 8, 8, 8, 8, 4], "reflect": [0, 8, 8, 8, 8, 0], "zeros": [3, 6, 6, 6, 6, -12],
                    "valid": [8, 8, 8, 8]}
    told["valid"].row, told["valid"].col = 0, 99
    assert told["valid"].sentence().startswith("Row 1, column 4: response 8")


def test_nan_is_told_and_stays_where_it_is_seen():
    image = RAMP.copy()
    image[0, 0] = np.nan
    answers = MaskExplorer(image).answers()
    for told in (answers.response, answers.strongest[0], answers.thinned):
        assert np.argwhere(np.isnan(told)).tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert answers.strongest[1][1, 1] == -1 and answers.strongest[1][2, 2] == 0
    widget = MaskExplorer(image, row=1, col=1)
    assert widget.sentence() == "Row 1, column 1: response NaN, since a number is missing under the mask."
    assert widget.picture()[:4] == b"\x89PNG"
    widget.mask = [[np.nan, 0, 1]] * 3
    assert np.isnan(widget.answers().response).all()
    widget.reset()
    assert preset_name(widget.mask) == "sobel_N"


def test_photos_are_reduced_and_grey_and_it_is_said():
    widget = MaskExplorer("camera")
    assert widget.image.shape == (256, 256) and widget._note == "Reduced from 512×512 pixels."
    assert widget.code() == 'MaskExplorer("camera", "sobel_N")'
    colours = MaskExplorer(data.photo("coffee"))
    assert colours._note == "Turned to grey; reduced from 400×600 pixels."
    assert_close(colours.image, images.resize(data.photo("coffee", grey=True), (171, 256)).astype(np.float32))
    colours.image = np.eye(20)  # shown as it is
    assert colours._note == "" and MaskExplorer(np.zeros((20, 30)))._note == ""
    holed = np.ones((512, 300))
    holed[100, 100] = np.nan
    small = MaskExplorer(holed).image
    assert 0 < np.isnan(small).sum() < 30 and np.isnan(small[50, 50])
    assert_close(small[np.isfinite(small)], np.ones(np.isfinite(small).sum(), np.float32))


@pytest.mark.parametrize("change, words", [
    ({"mask": np.ones((7, 7)), "padding": "valid"},
     "6 < 7: the mask does not fit into the picture; padding replicate would help"),
    ({"mask": "laplacian", "show": "direction"},
     "direction: this mask has no brighter side, so its turns have no direction; Sobel's has"),
    ({"show": "hysteresis", "low": -0.5}, "low −0.5: the smallest is 0"),
    ({"show": "hysteresis", "high": 1.25}, "high 1.25: the largest is 1"),
    ({"show": "hysteresis", "low": 0.5, "high": 0.25},
     "low 0.5 > high 0.25: the lower threshold may not be the larger"),
    ({"show": "hysteresis", "low": 0.3, "high": 0.29999},
     "low 0.3 > high 0.29999: the lower threshold may not be the larger"),
])
def test_refusals_say_why(change, words):
    widget = MaskExplorer(RAMP)
    for name, value in change.items():
        setattr(widget, name, value)
    assert widget.problem() == words and widget.sentence() == f"Refused: {words}."
    assert widget.picture()[:4] == b"\x89PNG"
    widget.reset()
    assert widget.problem() is None


def test_arguments_that_are_refused():
    with pytest.raises(ValueError, match=r"`image` has shape \(2, 3, 3, 3\); it must be \(H, W\), or \(H, W, 3\)"):
        MaskExplorer(np.zeros((2, 3, 3, 3)))
    for shape in ((4, 4), (3, 5), (13, 13), (1, 1)):
        with pytest.raises(TraitError, match=rf"`mask` has shape \({shape[0]}, {shape[1]}\); a mask has a centre: 3×3"):
            MaskExplorer(RAMP, np.ones(shape))
    with pytest.raises(TraitError, match="`mask` is 'sobel'; masks with a name are sobel, .* as sobel_N, and lapl"):
        MaskExplorer(RAMP, "sobel")
    with pytest.raises(TraitError, match="kirsch_N"):
        MaskExplorer(RAMP, "kirsch_N")
    with pytest.raises(TypeError, match="has no option 'shows'; did you mean 'show'"):
        MaskExplorer(RAMP, shows="thin")


def test_equal_answers_are_equal_in_spite_of_rounding():
    """Weights of a tenth: what the turns of a constant picture answer is 0, not 1e-17, and all eight alike."""
    mask = np.array([[-0.1, 0, 0.1], [-0.3, 0, 0.3], [-0.1, 0, 0.1]])
    answers = Answers(np.full((5, 5), 0.7), mask, "replicate")
    assert not answers.responses.any() and not answers.strongest[1].any()


def test_cases_are_worth_asking():
    """The states that test_js.py puts to the JavaScript: each kind of sentence stands in them."""
    found = mask_cases(np.random.default_rng(12), lambda array: None)
    told = " ".join(case["sentence"] for case in found)
    assert sum(case["problem"] is not None for case in found) > 20
    for words in ("brighter on the right of the walk", "darker on the right", "no step", "brighter towards",
                  "darker towards", "brighter along", "darker along", "removed: across", "comes first", "kept: ",
                  "the frame lacks", "nothing to thin", "that answer alike", "towards the brighter side", "at most low",
                  "joined to no strong", "joined to a strong", "above high", "thinned away", "plain brightness",
                  "asks nothing", "NaN", "response ?", "strength ?"):
        assert told.count(words) > 1, words
