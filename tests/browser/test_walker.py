"""The scale-space walker, driven in Chromium: sizes, points, why others are none; by keys alone, by pointer alone."""

import numpy as np
import pytest

from cnnlib import data
from cnnlib.features import sift
from cnnlib.widgets.scale_space_walker import ScaleSpaceWalker

pytestmark = pytest.mark.browser


def coins():
    """A cut of 120 x 140 pixels, not reduced."""
    return data.photo("coins")[60:180, 40:180]


def numbers(shown, part):
    text = shown.root.locator(f'[data-part="{part}"]').get_attribute("data-value")
    return np.array([float(x) for x in text.split(",")]) if text else None


def circles(shown, part="blur"):
    return int(shown.root.locator(f'[data-part="{part}"]').get_attribute("data-circles"))


def of_this_size(widget):
    return sum(widget.level(sigma) == widget.level(widget.sigma) for sigma in widget.keypoints.sigma)


def click(shown, widget, place, part="difference"):
    """Click at a row and a column of the photo."""
    box = shown.root.locator(f'[data-part="{part}"]').bounding_box()
    at = [(float(x) + 0.5) / n for x, n in zip(place, widget.image.shape)]
    shown.page.mouse.click(box["x"] + at[1] * box["width"], box["y"] + at[0] * box["height"])
    return shown.frame()


def test_the_lesson_by_keys_alone(show):
    """Walk up through the sizes, go to a point, to the next one, undo; the same as Python at each stop."""
    widget = ScaleSpaceWalker(coins())
    shown = show(widget)
    shown.tab_to('[data-part="blur"]')
    for step in range(1, 5):
        shown.press("PageUp").frame()
        assert shown.get("sigma") == pytest.approx(1.6 * 2 ** (step / 3), rel=1e-5)
        widget.sigma = shown.get("sigma")
        assert shown.line == widget.sentence() and circles(shown) == of_this_size(widget)
    shown.press("PageDown").frame()
    assert shown.get("sigma") == pytest.approx(3.2, rel=1e-5)
    shown.press("ArrowRight").frame()
    widget.sigma, widget.keypoint = shown.get("sigma"), shown.get("keypoint")
    assert widget.keypoint is not None and shown.line == widget.sentence()
    assert widget.keypoints.positions[widget.keypoint][1] > 70  # to the right of the middle
    np.testing.assert_allclose(numbers(shown, "descriptor"), widget.descriptor, atol=1e-4)
    assert widget.level(widget.sigma) == widget.level(widget.keypoints.sigma[widget.keypoint])
    shown.press("+").frame()
    widget.keypoint += 1
    assert shown.get("keypoint") == widget.keypoint and shown.line == widget.sentence()
    np.testing.assert_allclose(numbers(shown, "descriptor"), widget.descriptor, atol=1e-4)
    shown.press("u", "u").frame()
    assert shown.get("keypoint") is None and shown.line == ScaleSpaceWalker(coins()).sentence()
    assert shown.page.evaluate("reached") == ["Tab"] * shown.page.evaluate("reached.length")


def test_the_lesson_by_pointer_alone(show):
    """Slide, click a circle, ask a rejected candidate why, make a test milder."""
    widget = ScaleSpaceWalker(coins(), sigma=6.4)
    shown = show(widget)
    k = max(range(len(widget.keypoints)), key=lambda k: widget.keypoints.sigma[k])
    widget.sigma = float(widget.blur(widget.level(widget.keypoints.sigma[k])))
    shown.set("sigma", widget.sigma)
    click(shown, widget, widget.keypoints.positions[k])
    chosen = shown.get("keypoint")
    np.testing.assert_allclose(widget.keypoints.positions[chosen], widget.keypoints.positions[k], atol=1)
    widget.keypoint, widget.sigma = chosen, shown.get("sigma")
    assert shown.readout == widget.sentence()
    np.testing.assert_allclose(numbers(shown, "descriptor"), widget.descriptor, atol=1e-4)

    shown.root.locator('[data-trait="rejected-edge"] input').click()
    assert shown.get("rejected") == ["edge"]
    shown.frame()
    words = widget.candidates.words
    edge = max((k for k, word in enumerate(words) if word == "edge"), key=lambda k: widget.candidates.sigma[k])
    shown.set("sigma", float(widget.blur(widget.level(widget.candidates.sigma[edge]))))
    click(shown, widget, widget.candidates.positions[edge])
    assert shown.get("keypoint") == len(widget.keypoints) + edge
    assert shown.readout.startswith(f"Candidate {len(widget.keypoints) + edge}: ") and "rejected, edge" in shown.readout
    assert not shown.root.locator('[data-part="descriptor"]').is_visible()

    place = widget.candidates.positions[edge]
    shown.type("edge_ratio", "1000000")  # the same point, now kept, stays in view: with another number
    milder = ScaleSpaceWalker(coins(), edge_ratio=1e6)
    if np.isfinite(widget.candidates.edge_ratio[edge]):
        np.testing.assert_array_equal(milder.keypoints.positions[shown.get("keypoint")], place)


def test_counts_cube_and_directions_are_the_librarys(show):
    widget = ScaleSpaceWalker(coins(), keypoint=4)
    shown = show(widget)
    space = sift.scale_space(widget.image)
    found = sift.candidates(space)
    assert f"kept {len(sift.detect(space))}" in shown.root.inner_text()
    for word, name in (("contrast", "low contrast"), ("edge", "edge"), ("unstable", "unstable")):
        assert f"{name} {found.words.count(word)}" in shown.root.inner_text()
    one = widget.keypoints[4]
    at = np.flatnonzero((found.positions == one.positions[0]).all(1) & (found.reason == 0))[0]
    octave, layer, row, col = (int(getattr(found, name)[at]) for name in ("octave", "layer", "row", "col"))
    cube = space.differences(octave)[layer - 1:layer + 2, row - 1:row + 2, col - 1:col + 2]
    np.testing.assert_allclose(numbers(shown, "cube"), cube.ravel(), atol=2e-6)
    directions = sift.orientation_histograms(space, one)[0]
    np.testing.assert_allclose(numbers(shown, "directions"), directions, atol=0.02 * directions.max())


INK = """([part, x, y]) => {
  const canvas = document.querySelector(`[data-part="${part}"]`), density = canvas.width / canvas.clientWidth;
  const { data } = canvas.getContext('2d').getImageData(density * x, density * y, 1, 1);
  return data.some((_, k) => k % 4 === 3 && data[k] > 100);
}"""


@pytest.mark.parametrize("sigma", [1.3, 2.6, 6.4])
def test_circles_lie_where_the_points_are(show, sigma):
    """In every octave, whose pixels are of another size, on its rim and nowhere inside.

    Pixel k of a layer is drawn from k to k + 1 of its own pixels, and lies at k times their size - 0.25 in the photo.
    """
    row, col = np.indices((90, 110))
    blob = np.exp(-((row - 47.1) ** 2 + (col - 60.2) ** 2) / (2 * (sigma * 2 ** (1 / 6)) ** 2))
    widget = ScaleSpaceWalker(blob, sigma=sigma)
    shown = show(widget)
    octave, layer = widget.place(widget.level(sigma))
    size, cols = 2.0**octave, widget._space.gaussian(octave)[layer].shape[1]
    (row, col), radius = widget.keypoints.positions[0].tolist(), 2 ** 0.5 * float(widget.keypoints.sigma[0])
    for part in ("blur", "difference"):
        scale = shown.root.locator(f'[data-part="{part}"]').bounding_box()["width"] / cols / size
        ways = np.array([(0, 1), (0, -1), (1, 0), (-1, 0), (0, 3), (-3, 0), (0, 0)])
        places = scale * (ways[:, ::-1] * radius + (col + 0.25 + size / 2, row + 0.25 + size / 2))
        ink = [shown.page.evaluate(INK, [part, *place]) for place in places.tolist()]
        assert ink[:6] == [True] * 4 + [False] * 2 and (radius * scale < 6 or not ink[6])


def test_the_slider_sends_one_message_when_it_is_let_go(show):
    shown = show(ScaleSpaceWalker(coins()))
    slider = shown.root.locator('[data-trait="sigma"] input[type=range]')
    box = slider.bounding_box()
    shown.page.mouse.move(box["x"] + 0.25 * box["width"], box["y"] + box["height"] / 2)
    shown.page.mouse.down()
    for share in (0.3, 0.5, 0.7):
        shown.page.mouse.move(box["x"] + share * box["width"], box["y"] + box["height"] / 2)
    shown.frame()
    assert shown.messages == 0 and shown.get("sigma") > 3
    shown.page.mouse.up()
    assert shown.frame().messages == 1
    shown.do("undo")
    assert shown.get("sigma") == 1.6


def test_where_there_is_no_keypoint_it_says_what_would_help(show):
    shown = show(ScaleSpaceWalker(np.zeros((40, 50))))
    assert "Keypoints: none. Lower the contrast test." in shown.readout
    assert "No keypoints: lower the contrast test." in shown.root.inner_text()
    assert "Reduced" not in shown.root.inner_text()
    assert "Reduced from 303×384 pixels." in show(ScaleSpaceWalker("coins")).root.inner_text()
    shown = show(ScaleSpaceWalker(np.zeros((40, 50))))
    click(shown, ScaleSpaceWalker(np.zeros((40, 50))), (20, 20))
    shown.root.locator('[data-part="blur"]').focus()
    shown.press("ArrowLeft", "+", "PageUp").frame()
    assert shown.get("keypoint") is None
    faint = ScaleSpaceWalker(coins() * 0.02 + 0.5)
    assert len(faint.keypoints) == 0
    shown = show(faint)
    shown.type("contrast", "0.005")
    faint.contrast = 0.005
    assert shown.readout == faint.sentence()


def test_nothing_tells_the_answer_before_a_prediction(show):
    widget = ScaleSpaceWalker(coins(), predict=True, sigma=2.0)
    shown = show(widget)
    assert circles(shown) == 0 and "kept ?" in shown.root.inner_text()
    shown.root.locator('[data-part="question"] input').fill("7")
    shown.do("commit")
    count = of_this_size(widget)
    assert shown.root.locator('[data-part="verdict"]').inner_text() == f"yours 7 · computed {count}"
    assert circles(shown) == count
    chosen = show(ScaleSpaceWalker(coins(), predict=True, keypoint=2))
    assert numbers(chosen, "directions") is None and numbers(chosen, "descriptor") is None
    assert chosen.readout.endswith("orientation ?.") and "°," not in chosen.root.inner_text().split("orientation")[0]
    chosen.root.locator('[data-part="question"] input').fill("90")
    chosen.do("commit")
    assert len(numbers(chosen, "descriptor")) == 128


def test_hidden_controls_are_not_there(show):
    shown = show(ScaleSpaceWalker(coins(), hide=["rejected", "contrast", "edge_ratio"]))
    hidden = shown.root.locator('[data-trait^="rejected"], [data-trait="contrast"], [data-trait="edge_ratio"]')
    assert hidden.count() == 0


def test_a_point_is_let_go_by_escape_and_by_a_click_beside_all(show):
    row, col = np.indices((90, 110))
    blob = np.exp(-((row - 25) ** 2 + (col - 30) ** 2) / (2 * 3 ** 2))
    widget = ScaleSpaceWalker(blob, keypoint=0, sigma=2.6)
    shown = show(widget)
    click(shown, widget, (80, 100))
    assert shown.get("keypoint") is None and shown.line == ScaleSpaceWalker(blob, sigma=2.6).sentence()
    click(shown, widget, widget.keypoints.positions[0])
    assert shown.get("keypoint") is not None
    shown.press("Escape")
    assert shown.frame().get("keypoint") is None
    shown.press("?")
    assert "Esc, or a click beside all points" in shown.root.inner_text()


def test_steps_go_to_what_is_drawn_alone(show):
    """With edges ticked, + goes from the last keypoint to the first edge, to the next edge, and not beyond the last."""
    widget = ScaleSpaceWalker(coins())
    last = len(widget.keypoints) - 1
    edges = [last + 1 + k for k, word in enumerate(widget.candidates.words) if word == "edge"]
    assert edges[0] > last + 1 and edges[1] > edges[0] + 1
    shown = show(ScaleSpaceWalker(coins(), keypoint=last, rejected=["edge"]))
    shown.tab_to('[data-part="blur"]').press("+")
    assert shown.frame().get("keypoint") == edges[0]
    shown.root.locator('[data-trait="keypoint"] [aria-label="point more"]').click()
    assert shown.frame().get("keypoint") == edges[1]
    shown.root.locator('[data-trait="keypoint"] [aria-label="point less"]').click()
    assert shown.frame().get("keypoint") == edges[0]
    shown.type("keypoint", str(last + 1))  # of a kind that is not drawn: typed, it is gone to all the same
    assert shown.get("keypoint") == last + 1
    shown.root.locator('[data-part="blur"]').focus()
    shown.press("-")
    assert shown.frame().get("keypoint") == last
    shown.type("keypoint", str(edges[-1]))
    shown.root.locator('[data-part="blur"]').focus()
    shown.press("+")
    assert shown.frame().get("keypoint") == edges[-1]


def test_a_number_that_no_point_has_is_refused(show):
    shown = show(ScaleSpaceWalker(coins(), keypoint=2))
    shown.type("keypoint", "9999")
    assert "keypoint 9999: there are" in shown.refusal.inner_text()
    assert shown.readout == ScaleSpaceWalker(coins(), keypoint=9999).sentence()
    shown.do("fix")
    assert shown.get("keypoint") is None and not shown.refusal.is_visible()


def test_of_a_rejected_point_nothing_is_asked(show):
    widget = ScaleSpaceWalker(coins())
    shown = show(ScaleSpaceWalker(coins(), keypoint=len(widget.keypoints)))
    assert not shown.root.locator('[data-do="predict"]').is_visible()
    shown.tab_to('[data-part="blur"]').press("p")
    assert shown.frame().get("predict") is False and not shown.page.evaluate("reached.includes('p')")
    shown.type("keypoint", "0")
    shown.root.locator('[data-part="blur"]').focus()
    assert shown.press("p").frame().get("predict") is True
    assert shown.frame().root.locator('[data-do="predict"]').is_visible()


@pytest.mark.parametrize("width, height", [(1160, 720), (1800, 1080), (848, 800)])
def test_without_a_point_the_photo_has_the_page(show, width, height):
    """Blur and difference side by side; with a point, cube, histogram, patch and descriptor come beside and below."""
    shown = show(ScaleSpaceWalker("coins"))
    shown.page.set_viewport_size({"width": width + 40, "height": height})
    shown.page.evaluate("(w) => { document.querySelector('.place').style.width = `${w}px`; }", width)
    panels = shown.frame().root.locator('[data-part="cube"], [data-part="directions"], [data-part="descriptor"]')
    blur, difference = (shown.root.locator(f'[data-part="{part}"]') for part in ("blur", "difference"))
    assert blur.bounding_box()["width"] + difference.bounding_box()["width"] > 0.94 * width
    assert blur.bounding_box()["y"] == difference.bounding_box()["y"]
    assert [panel.is_visible() for panel in panels.all()] == [False] * 3
    shown.set("show", "blur")
    assert blur.bounding_box()["height"] > 0.38 * width  # one alone, as high as a screen lets it be
    shown.set("keypoint", 3)
    assert blur.bounding_box()["width"] < 0.5 * width and [panel.is_visible() for panel in panels.all()] == [True] * 3


def test_the_note_says_what_dashed_circles_are(show):
    shown = show(ScaleSpaceWalker(coins()))
    assert "Dashed" not in shown.root.inner_text()
    shown.set("rejected", ["edge"])
    assert "Dashed circles are candidates that a test has rejected: edge (long dashes)." in shown.root.inner_text()
    shown.set("rejected", ["contrast", "unstable"])
    assert "rejected: low contrast (dotted), unstable (short dashes)." in shown.root.inner_text()
