"""The HOG explorer, driven in Chromium: a cell, a pixel's vote, a block, a number; by keys alone, by pointer alone."""

import numpy as np
import pytest

from cnnlib.widgets import HogExplorer

pytestmark = pytest.mark.browser
OPTIONS = {"pixels_per_cell": 8, "cells_per_block": 2}


def picture():
    """40 x 48 pixels with edges of every direction."""
    row, col = np.indices((40, 48))
    return np.round(127 + 100 * np.sin(row / 4 + np.cos(col / 5)) + col)


def told(shown, part):
    return shown.root.locator(f'[data-part="{part}"]').get_attribute("data-value")


def numbers(shown, part):
    return np.array([float(x) for x in told(shown, part).split(",")])


def at(shown, part, row, col):
    """Return the place on the page of a share of a part's height and width."""
    box = shown.root.locator(f'[data-part="{part}"]').bounding_box()
    return box["x"] + col * box["width"], box["y"] + row * box["height"]


def block_of(widget):
    """Return the numbers of the chosen block."""
    block, size = widget.block, widget.orientations * np.prod(widget.cells_per_block)
    cols = widget.cells().shape[1] - widget.cells_per_block[1] + 1
    first = int((block[0] * cols + block[1]) * size)
    return widget.descriptor[first:first + size]


def test_the_lesson_by_keys_alone(show):
    """A cell, a pixel, a number, another way to vote, a refusal and its mending, undo, predict."""
    shown = show(HogExplorer(picture(), **OPTIONS)).hear()
    shown.tab_to('[data-part="input"]').press("ArrowDown", "ArrowRight", "ArrowRight")
    state = OPTIONS | {"cell": (1, 2)}
    assert shown.readout == HogExplorer(picture(), **state).sentence()
    np.testing.assert_allclose(numbers(shown, "bins"), HogExplorer(picture(), **state).cells()[1, 2], rtol=1e-5)
    shown.press("Shift+ArrowDown", "Shift+ArrowRight", "Shift+ArrowRight", "Shift+ArrowUp", "Shift+ArrowLeft")
    assert shown.readout == HogExplorer(picture(), **state, block=(0, 1)).sentence()
    assert shown.get("cell") == [1, 2]
    shown.press("Shift+ArrowLeft", "Shift+ArrowLeft")  # at the border it stays
    assert shown.frame().get("block") == [0, 0]
    shown.tab_to('[data-part="cell"]').press("ArrowDown", "ArrowDown", "ArrowRight")
    state |= {"pixel": (2, 1)}
    assert shown.readout == HogExplorer(picture(), **state).sentence() and "Pixel 10, 17 votes" in shown.readout
    shown.tab_to('[data-part="block"]').press("ArrowRight", "ArrowDown", "ArrowDown")
    state |= {"number": 19}
    assert shown.readout == HogExplorer(picture(), **state).sentence() and "Number 20: cell 1, 0" in shown.readout
    shown.tab_to('[data-trait="votes"] [aria-checked=true]').press("ArrowRight")
    state |= {"votes": "linear"}
    assert shown.readout == HogExplorer(picture(), **state).sentence()
    shown.tab_to('[data-do="block-right"]').press("Enter")
    state |= {"block": (0, 1)}
    assert shown.readout == HogExplorer(picture(), **state).sentence()
    np.testing.assert_allclose(numbers(shown, "block"), block_of(HogExplorer(picture(), **state)), rtol=1e-4, atol=1e-9)
    shown.page.locator(".cw").focus()
    shown.press("r")
    shown.tab_to('[data-trait="pixels_per_cell"] input')
    shown.press("Control+a", "3", "0", "Enter")
    assert "need 60×60 pixels; the picture has 40×48" in shown.refusal.inner_text()
    shown.tab_to('[data-do="fix"]').press("Enter")
    assert shown.frame().get("pixels_per_cell") == [20, 20] and not shown.refusal.is_visible()
    shown.page.locator(".cw").focus()
    shown.press("Control+z", "Control+z").frame()
    assert shown.get("pixels_per_cell") == [8, 8]
    shown.press("p").frame()
    assert "strongest bin ?" in shown.readout and not told(shown, "bins")


def test_the_lesson_by_pointer_alone(show):
    shown = show(HogExplorer(picture(), **OPTIONS))
    mouse = shown.page.mouse
    mouse.move(*at(shown, "input", 0.5, 0.3))  # row 20 of 40, column 14 of 48
    assert shown.frame().get("cell") == [2, 1] and shown.messages == 0
    mouse.click(*at(shown, "input", 0.5, 0.3))
    assert shown.frame().messages == 1
    mouse.click(*at(shown, "cell", 3.5 / 8, 5.5 / 8))
    state = OPTIONS | {"cell": (2, 1), "pixel": (3, 5)}
    assert shown.readout == HogExplorer(picture(), **state).sentence()
    shown.do("block-down").do("block-down").do("block-up")
    assert shown.get("block") == [1, 0]
    mouse.move(*at(shown, "block", 0.5, 30.5 / 36))
    assert shown.frame().get("number") == 30
    shown.root.locator('[data-trait="votes"]').get_by_text("trilinear").click()
    shown.root.locator('[data-trait="block_norm"]').get_by_text("L1", exact=True).click()
    state |= {"block": (1, 0), "votes": "trilinear", "block_norm": "L1"}
    np.testing.assert_allclose(numbers(shown.frame(), "block"), block_of(HogExplorer(picture(), **state)),
                               rtol=1e-3, atol=1e-6)
    shown.do("reset")
    assert shown.readout == HogExplorer(picture(), **OPTIONS).sentence()


def test_nothing_tells_the_answer_before_a_prediction(show):
    shown = show(HogExplorer(picture(), **OPTIONS, predict=True, pixel=(3, 3), number=4))
    for part in ("bins", "block"):
        assert not told(shown, part)
    assert "Pixel" not in shown.readout and "Number" not in shown.readout
    shown.root.locator('[data-part="question"] input').fill("90")
    shown.do("commit")
    best = HogExplorer(picture(), **OPTIONS).cells()[0, 0].argmax()
    assert shown.root.locator('[data-part="verdict"]').inner_text() == f"yours 90 · computed {20 * best + 10}"
    assert len(numbers(shown, "bins")) == 9


def test_the_block_stays_as_the_light_grows(show):
    """Half as much light again: the cell's numbers grow, the block's do not."""
    dark, bright = (show(HogExplorer(scale * picture() / 400, **OPTIONS)) for scale in (1, 1.5))
    np.testing.assert_allclose(numbers(bright, "bins"), 1.5 * numbers(dark, "bins"), rtol=1e-4)
    np.testing.assert_allclose(numbers(bright, "block"), numbers(dark, "block"), atol=1e-3)


def test_hidden_controls_are_not_there(show):
    shown = show(HogExplorer(picture(), hide=["block", "votes"]))
    assert shown.root.locator('[data-trait="votes"], [data-do^="block"]').count() == 0


INK = """([rows, cols]) => {
  const canvas = document.querySelector('[data-part="input"]'), [h, w] = [canvas.height, canvas.width];
  const { data } = canvas.getContext('2d').getImageData(0, 0, w, h);
  let inside = 0, outside = 0;
  for (let y = 0; y < h; y++) for (let x = 0; x < w; x++) {
    if (!data[4 * (y * w + x) + 3]) continue;
    if (y > rows * h + 6 || x > cols * w + 6) outside += 1; else inside += 1;
  }
  return [inside, outside];
}"""


def test_what_is_in_no_cell_is_hatched(show):
    """Rows below and columns on the right; nothing where every pixel is in a cell. The boxes lie on top of it."""
    whole, part = show(HogExplorer(picture()[:32, :40])), show(HogExplorer(picture()[:38, :46]))
    assert "5×6 cells" in show(HogExplorer(picture())).root.inner_text()
    assert "4×5, 6+6 unused" in part.root.inner_text()
    shares = [32 / 38, 40 / 46]
    for shown, least in ((whole, 0), (part, 500)):
        inside, outside = shown.page.evaluate(INK, shares)
        assert inside > 500 and (outside > least if least else outside < inside)
    hatched, bare = (show(HogExplorer(picture()[:38, :46], pixels_per_cell=size)) for size in (8, 2))
    assert hatched.page.evaluate(INK, shares)[1] > 5 * max(bare.page.evaluate(INK, shares)[1], 1)


def test_it_says_that_the_picture_is_smaller_and_grey(show):
    shown = show(HogExplorer("astronaut"))
    note = shown.root.locator('[data-part="note"]')
    assert note.inner_text() == "Turned to grey; reduced from 512×512 pixels."
    assert not show(HogExplorer(picture())).root.locator('[data-part="note"]').is_visible()
