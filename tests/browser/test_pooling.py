"""The pooling stepper, driven in Chromium: what lectures 22 and 32 do with it, and what it must never do."""

import numpy as np
import pytest
from examples import DIGIT
from looks import UNDER_RINGS

from cnnlib.widgets import PoolingStepper

pytestmark = pytest.mark.browser
WHERE = "all => all.map((cell) => cell.closest('[data-part]').dataset.part + cell.dataset.at)"
SMALL = [[1, 5, 2, 0], [3, 4, 2, 2], [0, 1, 7, 1], [0, 0, 6, 2]]


def whole(numbers):
    """Return whole numbers as the cells show them."""
    return [f"{n:.0f}" for n in np.ravel(numbers)]


def marked(shown, mark):
    return shown.frame().root.locator(f".{mark}").evaluate_all(WHERE)


def test_the_lesson_by_keys_alone(show):
    """Walk, push, another way, refusal, undo, predict, code: without a pointer, told by its sentences alone."""
    shown = show(PoolingStepper(DIGIT)).hear()
    shown.tab_to('[data-part="output"] .cw-cell').press("ArrowRight", "ArrowRight", "ArrowDown")
    assert shown.readout == "Window rows 2 to 3, columns 4 to 5: maximum 11 at row 2, column 5."
    assert (shown.get("row"), shown.get("col")) == (1, 2)
    shown.press("Shift+ArrowRight")
    expected = PoolingStepper(DIGIT, shift=(0, 1), row=1, col=2)
    assert shown.readout == expected.sentence() and shown.get("shift") == [0, 1]
    assert (shown.get("row"), shown.get("col")) == (1, 2)  # the picture moves, the chosen window stays
    assert shown.cells("output") == whole(expected.output)
    assert "Pushed 2 right" in shown.press("Shift+ArrowRight").readout
    assert shown.cells("output") == whole(PoolingStepper(DIGIT, shift=(0, 2)).output)
    shown.press("Control+z", "Control+z").frame()
    assert shown.get("shift") == [0, 0] and marked(shown, "differ") == []
    shown.tab_to('[data-trait="kind"] [role=radio][aria-checked=true], [data-trait="kind"] input:checked')
    shown.press("ArrowRight").frame()
    assert shown.get("kind") == "average"
    assert shown.readout == PoolingStepper(DIGIT, kind="average", row=1, col=2).sentence()
    shown.tab_to('[data-trait="padding"] input').press("ArrowUp", "ArrowUp")
    assert shown.readout.startswith("Refused: padding 2: at most half of the window, here 1, lies outside")
    shown.tab_to('[data-do="fix"]').press("Enter")
    assert shown.get("padding") == 1 and not shown.refusal.is_visible()
    shown.press("r").frame()
    assert shown.cells("output") == whole(PoolingStepper(DIGIT).output)
    shown.page.locator(".cw").focus()
    shown.press("p").frame()
    assert shown.readout == "Window rows 0 to 1, columns 0 to 1: maximum ?."
    shown.press("4", "Enter")
    assert shown.frame().root.locator('[data-part="verdict"]').inner_text() == "yours 4 · computed 0"
    shown.page.locator(".cw").focus()
    shown.press("c").frame()
    assert shown.root.locator(".cw-code pre").inner_text() == PoolingStepper(DIGIT, predict=True).code()
    lesson = " / ".join(shown.heard)
    for told in ("maximum 11", "Pushed 1 right", "Pushed 2 right", "average", "Refused: padding 2", "maximum ?"):
        assert told in lesson, told


def test_the_lesson_by_pointer_alone(show):
    shown = show(PoolingStepper(SMALL))
    shown.cell("output", "1,1").hover()
    assert shown.readout == "Window rows 2 to 3, columns 2 to 3: maximum 7 at row 2, column 2."
    shown.cell("input", "1,2").hover()
    assert marked(shown, "light") == ["output0,1"]
    assert shown.messages == 0  # pointing is no message
    shown.cell("output", "0,1").click()
    assert shown.messages == 1 and (shown.get("row"), shown.get("col")) == (0, 1)
    assert marked(shown, "tap") == ["input1,2", "input1,3"]  # the other two twos; the first wins
    shown.do("push-right")
    assert shown.get("shift") == [0, 1]
    assert shown.cells("input") == whole(np.roll(SMALL, 1, axis=1))
    assert shown.cells("output") == whole(PoolingStepper(SMALL, shift=(0, 1)).output)
    changed = PoolingStepper(SMALL, shift=(0, 1)).changed()[0]
    assert len(marked(shown, "differ")) == changed > 0
    ways, share = shown.root.locator('[data-part="ways"]').inner_text(), PoolingStepper(SMALL, shift=(0, 1)).change()
    assert ways.count("%") == 5 and f"max {100 * share:.0f} %" in ways
    for way, shift in (("left", [0, 0]), ("up", [-1, 0]), ("down", [0, 0])):
        shown.do(f"push-{way}")
        assert shown.get("shift") == shift
    assert not shown.root.locator('[data-part="ways"]').is_visible()
    shown.root.locator('[data-trait="kind"]').get_by_text("blurred max").click()
    assert shown.get("kind") == "blurred"
    shown.do("reset").do("step")
    assert (shown.get("row"), shown.get("col")) == (0, 1)
    box, sent = shown.cell("input", "0,0").bounding_box(), shown.messages
    shown.page.mouse.move(box["x"] + 10, box["y"] + 10)
    shown.page.mouse.down()
    for step in range(1, 9):
        shown.page.mouse.move(box["x"] + 10 + 10 * step, box["y"] + 10)
    dragged = int(shown.cells("input")[0])
    assert dragged > 5 and shown.cells("output")[0] == str(dragged) and shown.messages == sent
    shown.page.mouse.up()
    assert shown.frame().get("image")[0, 0] == dragged and shown.messages == sent + 1
    shown.do("undo")
    assert shown.cells("output") == whole(PoolingStepper(SMALL).output)


def test_a_pushed_pixel_is_edited_where_it_stands(show):
    """What is typed into a cell of the pushed picture is written where that pixel came from."""
    shown = show(PoolingStepper(SMALL, shift=(1, -1)))
    shown.cell("input", "0,0").focus()
    shown.press("9", "Enter").frame()
    expected = np.array(SMALL)
    expected[3, 1] = 9
    np.testing.assert_array_equal(shown.get("image"), expected)
    assert shown.cells("input") == whole(np.roll(expected, (1, -1), axis=(0, 1)))


def test_backward(show):
    """A gradient of 1 from every output: to the winner, shared, or added up where windows overlap."""
    shown = show(PoolingStepper(SMALL, backward=True))
    assert shown.cells("grad_input") == whole([[0, 1, 1, 0], [0, 0, 0, 0], [0, 1, 1, 0], [0, 0, 0, 0]])
    shown.cell("output", "1,1").click()
    assert marked(shown, "pair") == ["grad_input2,2"]
    assert shown.readout.endswith("Sent back: 1 to row 2, column 2.")
    shown.root.locator('[data-trait="kind"]').get_by_text("average").click()
    assert set(shown.cells("grad_input")) == {"0.25"}
    shown.do("reset").type("kernel_size", "3")
    shown.type("stride", "1")
    pooling = PoolingStepper(SMALL, kernel_size=3, stride=1).pooling()
    back = pooling.gradient(np.ones(pooling.out.shape))
    assert back.max() == 4 and shown.cells("grad_input") == whole(back)  # all four windows see the 7
    shown.field("backward").uncheck()
    shown.frame()
    assert not shown.root.locator('[data-part="grad_input"]').is_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("kind", ["average", "L2"])
def test_no_ring_lies_on_a_number(show, kind, theme):
    shown = show(PoolingStepper(DIGIT, kind=kind, kernel_size=3, stride=1, backward=True, shift=(0, 1)), theme=theme)
    assert len(marked(shown, "pair")) == 9 and len(marked(shown, "differ")) > 9
    shown.cell("input", "3,3").hover()
    assert len(marked(shown, "light")) == 9 and shown.page.evaluate(UNDER_RINGS) == []


def test_nothing_tells_the_answer_before_a_prediction(show):
    """Neither numbers nor winners nor what a push changed are in the page while a prediction is asked for."""
    shown = show(PoolingStepper([[1, 50, 2, 0], [3, 4, 2, 61]], predict=True, backward=True, shift=(0, 1)))
    output = shown.root.locator('[data-part="output"]')
    assert "61" not in output.inner_html() and "50" not in output.inner_html()
    assert marked(shown, "tap") == marked(shown, "differ") == []
    assert not shown.root.locator('[data-part="grad_input"]').is_visible()
    assert not shown.root.locator('[data-part="ways"]').is_visible()
    assert "?" in shown.readout and "Pushed" not in shown.readout
    shown.root.locator('[data-part="question"] input').fill("61")
    shown.do("commit")
    assert shown.root.locator('[data-part="verdict"]').inner_text() == "yours 61 · computed 61"
    assert [(each["yours"], each["computed"]) for each in shown.get("predictions")] == [(61, 61)]


@pytest.mark.parametrize("change, words, fix, mended", [
    (("padding", "2"), "at most half of the window, here 1", "padding 1", {"padding": 1}),
    (("kernel_size", "9"), "4 + 2·0 < 9: the window does not fit", "size 4", {"kernel_size": 4}),
    (("stride", "0"), "stride 0: the smallest is 1", "stride 1", {"stride": 1}),
])
def test_refusals(show, change, words, fix, mended):
    shown = show(PoolingStepper(SMALL)).type(*change)
    assert words in shown.refusal.inner_text()
    assert "cw-dim" in shown.root.locator(".cw-stage").get_attribute("class")
    assert shown.cells("output") == whole(PoolingStepper(SMALL).output)  # the last one that could be computed
    shown.refusal.get_by_role("button", name=fix).click()
    assert not shown.refusal.is_visible()
    assert {name: shown.get(name) for name in mended} == mended


def test_a_start_that_cannot_be_computed_is_shown_and_mended(show):
    """A stride of 0 would have endless windows: nobody may try to count them."""
    shown = show(PoolingStepper(SMALL, stride=0))
    assert "stride 0: the smallest is 1" in shown.refusal.inner_text()
    assert shown.cells("input") == whole(SMALL)
    shown.do("fix")
    assert shown.cells("output") == whole(PoolingStepper(SMALL, stride=1).output)


def test_hidden_controls_do_nothing(show):
    shown = show(PoolingStepper(SMALL, hide=["push", "kind", "step", "backward"]))
    assert shown.root.locator('[data-trait="kind"], [data-do^="push"], [data-trait="backward"]').count() == 0
    shown.cell("output", "0,0").focus()
    shown.press("Shift+ArrowRight").frame()
    assert shown.get("shift") == [0, 0]
