"""The convolution microscope, driven in Chromium: what lectures 20 and 21 do with it, and what it must never do."""

import numpy as np
import pytest
from budget import within
from examples import EXAMPLES, FILTER, IMAGE, microscope, mistaken
from looks import faults
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgb

from cnnlib import plots

pytestmark = pytest.mark.browser
WHERE = "all => all.map((cell) => cell.closest('[data-part]').dataset.part + cell.dataset.at)"
photo, channels, strip = (EXAMPLES[name] for name in ("photo", "channels", "strip"))


def minus(numbers):
    """Return whole numbers as the cells show them."""
    return [f"{n:.0f}".replace("-", "−") for n in np.ravel(numbers)]


def focused(shown):
    return shown.page.evaluate("(document.activeElement.closest('[data-part]') || document.activeElement).dataset.part")


def test_the_lesson_by_keys_alone(show):
    """Arrows, geometry, weights, prediction, undo, help and code, without a pointer; told by its sentences alone."""
    shown = show(microscope()).hear()
    shown.tab_to('[data-part="output"] .cw-cell')
    assert shown.press(*["ArrowRight"] * 3).readout.endswith("= 5")
    assert shown.readout == "Window rows 0 to 2, columns 3 to 5. Output row 0, column 3: " \
                            "1·1 + 1·1 + 1·1 + 0·(−1) + 1·1 + 0·(−1) + 1·1 + 0·(−1) + 0·(−1) = 5"
    assert (shown.get("row"), shown.get("col"), shown.get("readout")) == (0, 3, shown.readout)
    shown.press("Home", "ArrowDown", "ArrowDown", "ArrowUp", "End")
    assert shown.readout.startswith("Window rows 1 to 3, columns 3 to 5.")
    shown.tab_to('[data-trait="stride"] input').press("ArrowUp", "ArrowUp")
    assert shown.cells("output") == "1 5 3 0".split()
    shown.tab_to('[data-trait="dilation"] input').press("ArrowUp", "ArrowUp")
    assert shown.readout == "Refused: 6 + 2·0 < 3·(3 − 1) + 1 = 7: the dilated filter does not fit; padding 1 would."
    shown.tab_to('[data-do="fix"]').press("Enter")
    assert shown.get("padding") == 1 and not shown.refusal.is_visible()
    shown.press("r").frame()
    assert shown.cells("output")[:4] == ["1", "2", "2", "5"]
    shown.tab_to('[data-part="weight"] .cw-cell').press("+", "+", "-").frame()
    np.testing.assert_array_equal(shown.get("kernel")[0], [2, 1, 1])
    shown.press("Control+z").frame()
    np.testing.assert_array_equal(shown.get("kernel")[0], [3, 1, 1])
    shown.press("r").frame()
    shown.page.locator(".cw").focus()
    shown.press("p")
    assert focused(shown) == "question" and shown.readout.endswith("= ?")
    shown.press("3", "Enter")
    assert shown.frame().root.locator('[data-part="verdict"]').inner_text() == "yours 3 · computed 1"
    shown.page.locator(".cw").focus()
    shown.press("?").frame()
    assert "ten steps" in shown.root.locator(".cw-help").inner_text()
    shown.press("c").frame()
    assert shown.root.locator(".cw-code pre").inner_text() == microscope(predict=True).code()
    shown.press("Escape").frame()
    assert not shown.root.locator(".cw-code").is_visible()
    lesson = " / ".join(shown.heard)
    for told in ("= 5", "Window rows 1 to 3", "Refused: 6 + 2·0 < 3·(3 − 1) + 1 = 7", "= ?", "columns 0 to 2. Output"):
        assert told in lesson, told


def test_the_lesson_by_pointer_alone(show):
    """The same states with the mouse: point, click, drag, buttons."""
    shown = show(microscope())
    before = shown.root.locator('[data-part="input"]').get_attribute("data-rewritten")
    for at in ("0,0", "0,3", "2,2", "3,1", "1,1"):
        shown.cell("output", at).hover()
    assert shown.readout.endswith("= −2")
    shown.cell("input", "0,1").hover()
    assert shown.frame().root.locator(".light").evaluate_all(WHERE) == ["output0,0", "output0,1"]
    assert shown.readout == "Input row 0, column 1 is used by 2 outputs, each with another weight."
    shown.cell("product", "1,2").hover()
    assert shown.frame().root.locator(".pair").evaluate_all(WHERE) == ["input2,3", "weight1,2", "product1,2"]
    assert shown.messages == 0  # none of it is a message, and a moving window rewrites no pixel
    assert before == shown.root.locator('[data-part="input"]').get_attribute("data-rewritten")
    shown.cell("output", "0,3").click()
    assert shown.readout.endswith("= 5") and shown.messages == 1
    for _ in range(2):
        shown.root.locator('[data-trait="stride"]').get_by_text("+").click()
    assert shown.cells("output") == "1 5 3 0".split()
    for _ in range(2):
        shown.root.locator('[data-trait="dilation"]').get_by_text("+").click()
    shown.frame()
    assert "cw-dim" in shown.root.locator(".cw-stage").get_attribute("class")
    shown.refusal.get_by_role("button", name="padding 1").click()
    assert shown.cells("output") == minus(microscope(dilation=3, padding=1, stride=3).output)
    shown.do("reset")
    box, sent = shown.cell("weight", "0,0").bounding_box(), shown.messages
    shown.page.mouse.move(box["x"] + 10, box["y"] + 10)
    shown.page.mouse.down()
    for step in range(1, 5):
        shown.page.mouse.move(box["x"] + 10 + 8 * step, box["y"] + 10)
    assert shown.cells("output")[:4] == ["5", "6", "6", "9"] and shown.messages == sent
    shown.page.mouse.up()
    np.testing.assert_array_equal(shown.get("kernel"), [[5, 1, 1], *FILTER[1:]])
    assert shown.messages == sent + 1
    shown.do("undo")
    assert shown.cells("output")[:4] == ["1", "2", "2", "5"]
    shown.do("step").do("step").do("back")
    assert (shown.get("row"), shown.get("col")) == (0, 1)
    shown.do("predict")
    shown.cell("output", "1,1").click()
    shown.do("choose")
    verdict = shown.root.locator('[data-part="verdict"]').inner_text()
    assert verdict == "yours row 1, column 1 · computed row 0, column 3"


def test_geometry(show):
    shown = show(microscope())
    cases = {"1 5 3 0": {"stride": "3"}, "1 2 1 0 1 0 0 0 0": {"stride": "2", "padding": "same"},
             "4 4 3 0": {"dilation": "2"}, " ".join(minus(microscope(padding=(1, 0)).output)): {"padding": "1, 0"}}
    for numbers, change in cases.items():
        for trait, text in change.items():
            shown.type(trait, text)
        assert shown.cells("output") == numbers.split(), change
        shown.do("reset")
    shown.field("flip").check()
    assert shown.cells("output")[:4] == ["1", "2", "0", "1"]
    assert shown.cells("weight") == minus(np.ravel(FILTER)[::-1])
    shown.do("reset").type("stride", "2")
    assert shown.root.locator('[data-part="input"] .lost').count() == 11
    assert "11 of 36 pixels are read by no window." in shown.readout
    shown.do("fill")
    assert shown.get("padding") == "same" and shown.root.locator('[data-part="input"] .lost').count() == 0
    shown.type("stride", "0")
    assert "stride 0: the smallest is 1" in shown.refusal.inner_text()
    shown.refusal.get_by_role("button").click()
    assert not shown.refusal.is_visible()


def test_a_pixel_that_went_is_forgotten(show):
    """A grid that moves in the page may hear of a coming and not of the going: what is said must not stay."""
    shown = show(microscope())
    shown.cell("input", "5,1").focus()
    assert shown.line == "Input row 5, column 1 is used by 2 outputs, each with another weight."
    shown.set("padding", 1)
    assert shown.line == microscope(padding=1).sentence()
    shown.cell("input", "5,1").hover()
    assert shown.line.startswith("Input row 5, column 1 is used by 6 outputs")
    shown.leave()
    assert shown.line == microscope(padding=1).sentence()
    shown.cell("input", "5,1").dispatch_event("pointerover")  # with the pointer elsewhere
    assert shown.line == microscope(padding=1).sentence()


def test_type_numbers(show):
    shown = show(microscope())
    shown.cell("input", "0,0").focus()
    shown.press("7", "Enter")
    assert shown.cells("output")[0] == "7"
    shown.cell("weight", "0,0").focus()
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


def test_what_is_typed_while_it_is_refused_is_seen(show):
    shown = show(microscope(dilation=3))
    assert shown.refusal.is_visible()
    assert shown.cells("weight") == minus(FILTER) and shown.cells("input") == minus(IMAGE)
    shown.cell("weight", "0,0").focus()
    shown.press("9", "Enter")
    shown.cell("input", "0,0").focus()
    shown.press("8", "Enter")
    assert shown.cells("weight")[0] == "9" and shown.cells("input")[0] == "8"
    shown.refusal.get_by_role("button", name="padding 1").click()
    assert shown.frame().root.locator('[data-part="output"]').is_visible()


def test_a_quick_drag_counts(show):
    """The first move may already lead out of the grid; a click and a double click stay what they are."""
    shown = show(microscope())
    box, mouse = shown.cell("weight", "1,1").bounding_box(), shown.page.mouse
    before = shown.get("kernel")[1, 1]
    mouse.move(box["x"] + 9, box["y"] + 9)
    mouse.down()
    mouse.move(box["x"] + 89, box["y"] + 9)
    mouse.move(box["x"] + 129, box["y"] + 9)
    assert shown.frame().messages == 0
    mouse.up()
    assert shown.frame().get("kernel")[1, 1] == before + 15 and shown.messages == 1
    mouse.move(box["x"] + 189, box["y"] + 9)
    assert shown.frame().get("kernel")[1, 1] == before + 15
    shown.cell("weight", "1,1").dblclick()
    shown.press("4", "Enter")
    assert shown.frame().get("kernel")[1, 1] == 4


def test_one_large_weight_hides_no_number(show):
    """Four glyphs have room; of five, that number alone is hidden."""
    hidden = "all => all.filter((el) => getComputedStyle(el).color === 'rgba(0, 0, 0, 0)').map((el) => el.textContent)"
    shown = show(microscope())
    for typed, most in (("\u2212100", 0), ("12.5", 0), ("\u22121e11", 1)):
        shown.cell("weight", "1,1").dblclick()
        shown.page.keyboard.insert_text(typed)
        shown.press("Enter").leave()
        for part in ("weight", "output"):
            cells = shown.frame().root.locator(f'[data-part="{part}"] .cw-cell')
            few = most if part == "weight" else most * cells.count()
            assert len(cells.evaluate_all(hidden)) <= few, (typed, part)
        assert faults(shown.page) == [], typed
        if typed == "12.5":
            assert shown.cells("weight")[4] == "12.5"


def test_predict_hides_until_committed(show):
    """Before a commit the answer stands nowhere in the page: not in the text, not in an attribute."""
    image, kernel = [[0.125, 0.5, 0.25]], [[4, 16]]
    answers = ["8.5", "6"]
    shown = show(microscope(image=image, kernel=kernel, predict=True))
    page = shown.root.evaluate("(el) => el.outerHTML.replace(/style=\"[^\"]*\"/g, '')")
    assert not any(f">{answer}<" in page or f"= {answer}" in page or f": {answer}" in page for answer in answers)
    assert shown.cells("output") == ["?", "?"] and shown.readout.endswith("= ?")
    assert shown.root.locator('[data-part="result"]').inner_text().strip() == "= ?"
    shown.page.evaluate("again()")
    shown.cell("output", "0,1").click()
    question = shown.root.locator('[data-part="question"]')
    question.locator("input").fill("4")
    question.locator("input").press("Enter")
    assert shown.frame().root.locator('[data-part="verdict"]').inner_text() == "yours 4 · computed 6"
    assert shown.cells("output") == ["?", "6.00"]
    assert shown.page.locator(".cw").nth(1).locator('[data-part="output"] .cw-cell').all_inner_texts() == ["?", "6.00"]
    assert shown.get("predictions") == [{"place": "0,1", "yours": 4, "computed": 6}]
    shown.cell("output", "0,0").click()
    assert shown.readout.endswith("= ?")
    shown.type("dilation", "9")  # a refused state asks nothing
    assert shown.refusal.is_visible() and not question.is_visible()


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
    total = sum(int(text.strip("()").replace("−", "-")) for text in chips)
    assert len(chips) == 3 and shown.readout.endswith(f"= {total}".replace("-", "−"))
    assert total == widget.output[0, 0]
    shown.cell("output", "0,0").focus()
    shown.press("PageUp").frame()
    assert shown.get("channel") == 1 and shown.cells("weight") == minus(widget.kernel[1])
    shown.root.locator('[data-do="channel"]').nth(2).click()
    assert shown.cells("weight") == minus(widget.kernel[2])


def test_many_channels_are_a_strip(show):
    widget = strip()
    shown = show(widget)
    sums = [int(text.replace("−", "-")) for text in shown.cells("sums")]
    assert len(sums) == 16 and sum(sums) == widget.output[0, 0]
    shown.cell("sums", "1,2").click()
    assert shown.get("channel") == 10 and shown.cells("weight") == minus(widget.kernel[10])
    shown.cell("sums", "1,2").focus()
    shown.press("ArrowRight").frame()
    assert shown.get("channel") == 11


def test_students_function_stands_under_ours(show):
    widget = EXAMPLES["students"]()
    shown = show(widget)
    different = (mistaken(np.array(IMAGE), np.array(FILTER)) != microscope().output).sum()
    assert shown.root.locator('[data-part="theirs"] .differ').count() == different > 0
    assert shown.cells("theirs")[:4] == ["1", "2", "0", "1"]
    verdict = "your function: differs in 10 of 16 outputs, first at row 0, column 2: yours 0, computed 2"
    assert verdict in shown.root.inner_text()
    shown.do("predict")
    assert verdict not in shown.root.inner_text() and not shown.root.locator('[data-part="theirs"]').is_visible()
    shown.do("predict").cell("weight", "0,0").focus()
    shown.frame().page.clock.install()  # a frame asked for before would come by the old clock, after the next ones
    shown.press("+").frame()  # nobody answers on this page
    assert "asking your function…" in shown.root.inner_text()
    shown.page.clock.fast_forward(3100)
    assert "the kernel does not answer; run the cell above" in shown.frame().root.inner_text()
    shown.set("_theirs", {"words": "agrees in all 16 outputs", "shape": None, "data": [], "differs": [], "call": 9})
    assert "your function: agrees in all 16 outputs" in shown.root.inner_text()
    shown.cell("output", "2,2").click()
    assert "asking" not in shown.frame().root.inner_text()  # moving asks nobody


def paints(canvas, role):
    """Return how many pixels of a canvas have the colour of a role."""
    wanted = [round(255 * x) for x in to_rgb(plots.COLOURS[role])]
    return canvas.evaluate("""(el, [r, g, b]) => {
      const { data } = el.getContext('2d').getImageData(0, 0, el.width, el.height);
      let n = 0;
      for (let k = 0; k < data.length; k += 4) n += data[k] === r && data[k + 1] === g && data[k + 2] === b;
      return n;
    }""", wanted)


def test_a_window_has_the_colour_of_the_input_and_one_scale_is_everywhere(show):
    """As plots.plot_convolution draws them: what the lecture shows above the widget looks the same in it."""
    widget = photo()
    shown = show(widget)
    scene, response = (shown.root.locator(f'canvas[data-part="{part}"]') for part in ("input", "output"))
    assert [paints(scene, role) > 0 for role in ("input", "weight", "output")] == [True, False, False]
    assert [paints(response, role) > 0 for role in ("input", "weight", "output")] == [False, False, True]
    blue = "rgb({}, {}, {})".format(*(round(255 * x) for x in to_rgb(plots.COLOURS["input"])))
    frames = shown.root.locator('[data-part="loupe"] .cw-frame-window')
    assert frames.evaluate("(el) => getComputedStyle(el).borderTopColor") == blue
    axes = plots.plot_convolution(widget.image, widget.kernel, row=100, col=200)
    said = axes[-2].get_xlabel().split("white ")[1]
    plt.close(axes[0].figure)
    assert shown.root.locator(".cw-output .cw-legend").first.inner_text().split() == ["−" + said, said]
    shown = show(microscope(image="camera", kernel=np.full((5, 5), 0.04)))  # no number below zero: a picture again
    assert shown.root.locator(".cw-output .cw-legend").first.inner_text().split() == ["0", "1"]


def test_photo(show):
    widget = photo()
    shown = show(widget)
    scene, response = (shown.root.locator(f'canvas[data-part="{part}"]') for part in ("input", "output"))
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
    shown.do("reset")
    response.focus()
    shown.press("ArrowDown", "Shift+ArrowRight").frame()
    assert (shown.get("row"), shown.get("col")) == (101, 210)
    assert response.get_attribute("data-value") == f"{widget.output[101, 210]:.4f}".rstrip("0").replace("-", "−")
    assert scene.get_attribute("data-value") == f"{widget.image[102, 211]:.4f}".rstrip("0")
    assert len(shown.cells("loupe")) == 81
    shown.press("+").frame()
    assert len(shown.cells("loupe")) == 49
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


@pytest.mark.parametrize("size", [5, 11, 21])
def test_large_filters(show, size):
    """Where its numbers cannot be read they are not shown; beyond 16×16 it is looked at, not edited."""
    shown = show(microscope(image="camera", kernel=np.ones((size, size)) / size**2))
    assert shown.root.bounding_box()["height"] <= 560
    legible = shown.root.locator('[data-part="weight"] .cw-cell').first.evaluate("(el) => getComputedStyle(el).color")
    assert (legible != "rgba(0, 0, 0, 0)") == (size == 5)
    shown.cell("weight", "0,0").focus()
    shown.press("+").frame()
    assert (shown.messages > 0) == (size <= 16)


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
    shown.do("undo")
    assert (shown.get("row"), shown.get("col")) == (3, 1)


def test_hidden_controls_are_not_there(show):
    shown = show(microscope(hide=("stride", "padding", "bias", "predict", "code")))
    present = shown.root.locator("[data-trait], [data-part=bias], .cw-buttons button").evaluate_all(
        "all => all.map((el) => el.dataset.trait || el.dataset.part || el.dataset.do)")
    assert set(present) == {"channel", "flip", "dilation", "undo", "reset", "help"}
    shown.cell("output", "0,0").focus()
    shown.press("p", "c").frame()
    assert not shown.get("predict") and not shown.root.locator(".cw-code").is_visible()
