"""The convolution microscope, driven in Chromium: what lecture 20 does with it."""

import numpy as np
import pytest
from budget import within
from widgets_shown import FILTER, IMAGE, channels, microscope, photo

pytestmark = pytest.mark.browser


def test_first_row_and_arrows(show):
    shown = show(microscope())
    assert shown.cells("output")[:4] == ["1", "2", "2", "5"]
    shown.cell("output", "0,0").focus()
    assert shown.press(*["ArrowRight"] * 3).readout.endswith("= 5")
    assert shown.readout == "Window rows 0 to 2, columns 3 to 5. Output row 0, column 3: " \
                            "1·1 + 1·1 + 1·1 + 0·(−1) + 1·1 + 0·(−1) + 1·1 + 0·(−1) + 0·(−1) = 5"
    assert (shown.get("row"), shown.get("col"), shown.get("readout")) == (0, 3, shown.readout)


@pytest.mark.parametrize("change, numbers", [
    ([("stride", "3")], "1 5 3 0"), ([("stride", "2"), ("padding", "same")], "1 2 1 0 1 0 0 0 0"),
    ([("dilation", "2")], "4 4 3 0")])
def test_geometry(show, change, numbers):
    shown = show(microscope())
    for trait, text in change:
        shown.type(trait, text)
    assert shown.cells("output") == numbers.split()


def test_turned(show):
    shown = show(microscope())
    shown.field("flip").check()
    assert shown.cells("output")[:4] == ["1", "2", "0", "1"]
    assert shown.cells("weight") == [str(n).replace("-", "−") for n in np.ravel(FILTER)[::-1]]


def test_hover_sends_nothing(show):
    shown = show(microscope())
    before = shown.root.locator('[data-part="input"]').get_attribute("data-rewritten")
    for at in ("0,0", "0,3", "2,2", "3,1", "1,1"):
        shown.cell("output", at).hover()
    assert shown.readout.endswith("= −2")
    shown.cell("input", "2,2").hover()
    shown.cell("weight", "1,1").hover()
    shown.settle()
    assert shown.messages == 0
    after = shown.root.locator('[data-part="input"]').get_attribute("data-rewritten")
    assert before == after  # a moving window rewrites no pixel


def test_input_lights_its_outputs(show):
    shown = show(microscope())
    shown.cell("input", "0,1").hover()
    lit = shown.frame().root.locator('[data-part="output"] .light').evaluate_all("all => all.map(c => c.dataset.at)")
    assert lit == ["0,0", "0,1"]
    assert shown.readout == "Input row 0, column 1 is used by 2 outputs, each with another weight."
    shown.cell("input", "3,3").focus()
    assert shown.frame().root.locator('[data-part="output"] .light').count() == 9


def test_product_finds_its_two_cells(show):
    shown = show(microscope(col=1))
    shown.cell("product", "1,2").hover()
    where = "all => all.map(c => c.closest('[data-part]').dataset.part + c.dataset.at)"
    paired = shown.frame().root.locator(".pair").evaluate_all(where)
    assert paired == ["input1,3", "weight1,2", "product1,2"]


def test_drag_a_weight(show):
    shown = show(microscope())
    box = shown.cell("weight", "0,0").bounding_box()
    shown.page.mouse.move(box["x"] + 10, box["y"] + 10)
    shown.page.mouse.down()
    for step in range(1, 5):
        shown.page.mouse.move(box["x"] + 10 + 8 * step, box["y"] + 10)
    assert shown.cells("output")[:4] == ["5", "6", "6", "9"]
    assert shown.messages == 0
    shown.page.mouse.up()
    assert shown.messages == 1
    np.testing.assert_array_equal(shown.get("kernel"), [[5, 1, 1], *FILTER[1:]])
    shown.do("undo")
    assert shown.cells("output")[:4] == ["1", "2", "2", "5"]


def test_type_numbers(show):
    shown = show(microscope())
    shown.cell("input", "0,0").focus()
    shown.press("7", "Enter")
    assert shown.cells("output")[0] == "7"
    shown.cell("weight", "0,0").focus()
    shown.press("+", "+", "-").frame()
    np.testing.assert_array_equal(shown.get("kernel")[0], [2, 1, 1])
    shown.press("Enter")
    shown.page.keyboard.type("1/4")
    shown.press("Enter").frame()
    assert shown.get("kernel")[0, 0] == 0.25
    shown.cell("bias", "0,0").dblclick()
    shown.page.keyboard.type("−1.5")
    shown.press("Enter").frame()
    assert shown.get("bias") == -1.5
    assert shown.readout.endswith("+ bias −1.5 = 0.25")
    shown.press("Enter", "9", "Escape").frame()
    assert shown.get("bias") == -1.5


def test_refusals_mend_themselves(show):
    shown = show(microscope())
    shown.type("dilation", "3")
    assert "6 + 2·0 < 3·(3 − 1) + 1 = 7: the dilated filter does not fit; padding 1 would" in shown.refusal.inner_text()
    assert shown.readout.startswith("Refused: ")
    assert "cw-dim" in shown.root.locator(".cw-stage").get_attribute("class")
    shown.refusal.get_by_role("button", name="padding 1").click()
    mended = microscope(dilation=3, padding=1).output
    assert shown.cells("output") == [f"{n:.0f}".replace("-", "−") for n in mended.ravel()]
    shown.type("stride", "0")
    assert "stride 0: the smallest is 1" in shown.refusal.inner_text()
    shown.refusal.get_by_role("button").click()
    assert not shown.refusal.is_visible()


def test_unread_pixels_are_hatched_and_filled(show):
    shown = show(microscope(stride=2))
    assert shown.root.locator('[data-part="input"] .lost').count() == 11
    assert "11 of 36 pixels are read by no window." in shown.readout
    shown.do("fill")
    assert shown.get("padding") == "same"
    assert shown.root.locator('[data-part="input"] .lost').count() == 0


def test_predict_hides_until_committed(show):
    shown = show(microscope(predict=True))
    numbers = shown.root.locator('[data-part="output"], [data-part="result"]').all_inner_texts()
    assert not any(digit in " ".join(shown.cells("output")) for digit in "0123456789")
    assert numbers[-1].strip() == "= ?" and shown.readout.endswith("= ?")
    shown.cell("output", "0,3").click()
    question = shown.root.locator('[data-part="question"]')
    question.locator("input").fill("4")
    question.locator("input").press("Enter")
    assert shown.frame().root.locator('[data-part="verdict"]').inner_text() == "yours 4 · computed 5"
    assert [text for text in shown.cells("output") if text != "?"] == ["5"]
    assert shown.get("predictions") == [{"place": "0,3", "yours": 4, "computed": 5}]
    shown.cell("output", "1,1").click()
    assert shown.readout.endswith("= ?")
    shown.do("choose")
    verdict = shown.root.locator('[data-part="verdict"]').inner_text()
    assert verdict == "yours row 1, column 1 · computed row 0, column 3"
    assert "?" not in shown.cells("output")


def test_nan_reaches_what_sees_it(show):
    image = np.array(IMAGE, float)
    image[0, 5] = np.nan
    shown = show(microscope(image=image))
    assert [k for k, text in enumerate(shown.cells("output")) if text == "NaN"] == [3]
    assert shown.cells("input")[5] == "NaN"


def test_channels_are_summed(show):
    widget = channels()
    shown = show(widget)
    chips = shown.root.locator('[data-do="channel"] b').all_inner_texts()
    total = sum(int(text.replace("−", "-")) for text in chips)
    assert len(chips) == 3 and shown.readout.endswith(f"= {total}".replace("-", "−"))
    assert total == widget.output[0, 0]
    shown.cell("output", "0,0").focus()
    shown.press("PageUp").frame()
    assert shown.get("channel") == 1
    np.testing.assert_array_equal([int(t.replace("−", "-")) for t in shown.cells("weight")], widget.kernel[1].ravel())


def test_students_function_stands_under_ours(show):
    def flipped(image, kernel):
        return np.array([[(image[i:i + 3, j:j + 3] * kernel[::-1, ::-1]).sum() for j in range(4)] for i in range(4)])

    widget = microscope(fn=flipped)
    shown = show(widget)
    different = (flipped(np.array(IMAGE), np.array(FILTER)) != widget.output).sum()
    assert shown.root.locator('[data-part="theirs"] .differ').count() == different > 0
    assert "yours" in shown.root.inner_text() and shown.cells("theirs")[:4] == ["1", "2", "0", "1"]


def test_photo_follows_the_pointer(show):
    shown = show(photo())
    scene = shown.root.locator('canvas[data-part="input"]')
    drawn = "[...document.querySelectorAll('canvas[data-drawn]')].map((canvas) => canvas.dataset.drawn)"
    before = shown.page.evaluate(drawn)
    box = scene.bounding_box()
    for step in range(60):
        shown.page.mouse.move(box["x"] + 20 + 3 * step, box["y"] + 20 + 2 * step)
    shown.frame()
    assert shown.messages == 0
    assert len(before) == 2 and before == shown.page.evaluate(drawn)
    row = round((20 + 2 * 59) / box["height"] * 512) - 1
    assert abs(int(scene.get_attribute("data-focus").split(",")[0]) - row) <= 2
    within("photo under the pointer, 95 of 100 frames", float(shown.root.get_attribute("data-frame-ms")), 16)


def test_photo_by_keys_and_dragged_weight(show):
    widget = photo()
    shown = show(widget)
    response = shown.root.locator('canvas[data-part="output"]')
    response.focus()
    shown.press("ArrowDown", "Shift+ArrowRight").frame()
    assert (shown.get("row"), shown.get("col")) == (101, 210)
    assert response.get_attribute("data-value") == f"{widget.output[101, 210]:.4f}".rstrip("0").replace("-", "−")
    box = shown.cell("weight", "1,1").bounding_box()
    shown.page.mouse.move(box["x"] + 10, box["y"] + 10)
    shown.page.mouse.down()
    for step in range(1, 41):
        shown.page.mouse.move(box["x"] + 10 + step, box["y"] + 10)
    shown.page.mouse.up()
    shown.frame()
    widget.kernel = shown.get("kernel")
    assert widget.kernel[1, 1] == 5
    assert response.get_attribute("data-value") == f"{widget.output[101, 210]:.4f}".rstrip("0").replace("-", "−")


def test_tap_moves_the_window(show):
    shown = show(microscope(), has_touch=True)
    shown.cell("output", "2,1").tap()
    assert shown.readout.endswith("= 5")
    assert (shown.get("row"), shown.get("col")) == (2, 1)


def test_run_walks_and_stops(show):
    shown = show(microscope(row=3, col=1))
    shown.do("play")
    shown.page.wait_for_function("model.get('row') === 3 && model.get('col') === 3", timeout=3000)
    shown.page.wait_for_function("document.querySelector('[data-do=play]').textContent === 'run'", timeout=3000)
    assert show(microscope(), reduced_motion="reduce").root.locator('[data-do="play"]').count() == 0
