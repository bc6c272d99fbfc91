"""The shape builder, driven in Chromium: what lecture 21 does with it, and what it must never do."""

import pytest
from examples import EXAMPLES, builder

pytestmark = pytest.mark.browser


def row(shown, place, column):
    return shown.root.locator(f'[data-row="{place}"] [data-col="{column}"]')


def shapes(shown):
    shown.frame()
    return shown.root.locator('[data-col="shape"]').all_inner_texts()


def kinds(shown):
    return [layer["kind"] for layer in shown.frame().get("layers")]


def test_the_lesson_by_keys_alone(show):
    """Numbers, rows, presets, refusal, its mending, prediction and the unit, without a pointer; told in sentences."""
    shown = show(builder(layers=["conv 10 5 1 2"])).hear()
    shown.tab_to(".cw-grip")
    assert shown.root.locator("th").all_inner_texts() == [
        "", "layer", "filters", *"KSPD", "output", "params", "mult-adds", "sees", "jump", ""]  # lecture 21's letters
    assert row(shown, 0, "shape").inner_text() == "10×32×32"
    assert row(shown, 0, "parameters").inner_text() == "760"
    assert row(shown, 0, "multiply_adds").inner_text() == "768,000"
    assert shown.readout == "Row 1, conv: 10×32×32, 760 parameters, each unit sees 5×5."
    assert "10·(3·5·5 + 1) = 760" in shown.root.locator('[data-part="working"]').inner_text()
    shown.tab_to('[data-trait="padding"] input').press("ArrowDown")
    assert shapes(shown) == ["10×30×30"] and "10×30×30" in shown.readout
    shown.tab_to('[data-do="add"]').press("m")  # the list box takes the first of its entries with that letter
    assert kinds(shown) == ["conv", "max"] and shapes(shown)[1] == "10×15×15"
    shown.page.wait_for_timeout(1100)  # a list box takes letters in quick succession for one word
    shown.press("f")
    assert kinds(shown) == ["conv", "max", "linear"]
    assert shown.readout.startswith("Row 3, linear: 10 numbers, 22,510 parameters, each unit sees 34×34; flattens")
    shown.root.locator('[data-row="0"] .cw-grip').focus()
    shown.press("Alt+ArrowDown")
    assert kinds(shown) == ["max", "conv", "linear"]
    assert shown.page.evaluate("document.activeElement.closest('tr').dataset.row") == "1"
    shown.press("ArrowDown", "Delete")
    assert kinds(shown) == ["max", "conv"]
    shown.frame().press("Control+z")
    assert kinds(shown) == ["max", "conv", "linear"]
    shown.press("r")
    assert kinds(shown) == ["conv"]
    shown.tab_to('[data-trait="stride"] input').press("ArrowUp", "ArrowUp", "ArrowUp").frame()
    assert shown.readout == "Row 1, conv: does not fit: (32 + 2·2 − 5)/4 + 1 = 8.75."
    shown.tab_to('[data-do="fix"]').press("Enter").frame()
    assert shapes(shown) == ["10×8×8"] and shown.get("rounding") == "drop"
    shown.tab_to('canvas[data-part="photo"]').press("ArrowRight", "ArrowDown")
    assert shown.readout.startswith("Row 1, unit at row 5, column 5 sees input rows 18 to 22, columns 18 to 22.")
    assert shown.press("p").readout == "Row 1, conv: predict its output."
    shown.press("7", "Enter").frame()
    assert shown.root.locator('[data-part="verdict"]').inner_text() == "yours 7 · computed 8"
    lesson = " / ".join(shown.heard)
    for told in ("760 parameters", "10×30×30", "flattens 10×15×15 to 2,250", "does not fit: (32 + 2·2 − 5)/4 + 1 =",
                 "drops 3 rows, 3 columns", "unit at row 5", "predict its output"):
        assert told in lesson, told


def test_the_lesson_by_pointer_alone(show):
    shown = show(builder(layers=["conv 4 3", "max 2", "relu"]))
    start, end = (shown.root.locator(f'[data-row="{k}"] .cw-grip').bounding_box() for k in (0, 2))
    shown.page.mouse.move(start["x"] + 5, start["y"] + 5)
    shown.page.mouse.down()
    shown.page.mouse.move(end["x"] + 5, end["y"] + 8, steps=4)
    shown.page.mouse.up()
    assert kinds(shown) == ["max", "relu", "conv"]
    box, before = row(shown, 2, "out_channels").locator("input").bounding_box(), shown.messages
    shown.page.mouse.move(box["x"] + 5, box["y"] + 5)
    shown.page.mouse.down()
    for step in range(1, 7):
        shown.page.mouse.move(box["x"] + 5 + 10 * step, box["y"] + 5)
    assert shapes(shown)[2] == "10×14×14" and shown.messages <= before + 1  # one for the row that was chosen
    shown.page.mouse.up()
    assert shown.get("layers")[2]["out_channels"] == 10
    shown.do("undo")
    assert shapes(shown)[2] == "4×14×14"
    row(shown, 0, "remove").locator("button").click()
    assert kinds(shown) == ["relu", "conv"]
    row(shown, 0, "kind").click()
    assert shown.get("focus") == 0
    canvas = shown.root.locator('canvas[data-part="photo"]')
    shown.do("reset")
    row(shown, 1, "kind").click()
    box, sent = canvas.bounding_box(), shown.messages
    canvas.hover(position={"x": box["width"] * 0.08, "y": box["height"] * 0.08})
    assert shown.readout == "Row 2, unit at row 0, column 0 sees input rows 0 to 3, columns 0 to 3."
    assert shown.messages == sent
    assert (canvas.get_attribute("data-focus"), canvas.get_attribute("data-value")) == ("0,0", "4×4")
    assert canvas.get_attribute("data-first") == "1,1 0,0"  # where the fields begin: of the conv in it, and its own


def test_refusal_and_every_fix(show):
    shown = show(builder(input_shape=(1, 7, 7), layers=["conv 2 3 3", "relu"]))
    for place in range(3):
        assert "does not fit: (7 − 3)/3 + 1 = 2.33" in shown.refusal.inner_text()
        assert shapes(shown) == ["refused", "waits for row 1"]
        fix, sent = shown.refusal.locator("button").nth(place), shown.messages
        size = fix.inner_text().split(" → ")[1]
        fix.click()
        assert shapes(shown) == [f"2×{size}×{size}"] * 2
        assert shown.messages == sent + 1
        shown.do("undo")
    shown.root.locator('[data-value="fill"]').click()
    assert shapes(shown) == ["2×3×3"] * 2
    shown.do("reset")
    row(shown, 0, "kernel_size").locator("input").fill("9")
    shown.press("Enter")
    assert "7 + 2·0 < 9: the filter does not fit" in shown.refusal.inner_text()
    assert "total so far 0 parameters" in shown.root.locator('[data-part="total"]').inner_text()


@pytest.mark.parametrize("preset, total, row_of_pool5, sees, groups", [
    ("VGG-16", "138,357,544", 17, "212×212", 0), ("AlexNet", "60,965,224", 7, "195×195", 3)])
def test_presets(show, preset, total, row_of_pool5, sees, groups):
    shown = show(builder())
    shown.root.locator('[data-do="presets"]').select_option(preset)
    shown.frame()
    assert f"total {total} parameters" in shown.root.locator('[data-part="total"]').inner_text()
    assert row(shown, row_of_pool5, "sees").inner_text() == sees
    assert shown.root.locator('[data-col="kind"]', has_text="2 groups").count() == groups
    assert row(shown, 0, "parameters").get_attribute("title") in ("1,792", "34,944")
    row(shown, row_of_pool5, "kind").click()
    assert shown.frame().root.locator('canvas[data-part="photo"]').get_attribute("data-value") == sees


def test_a_field_larger_than_the_photo_is_in_the_view(show):
    """What the unit at the edge sees reaches out of the photo: its dashes are on the canvas, not cut off."""
    shown = show(EXAMPLES["vgg"](focus=17))
    green = """() => {
      const canvas = document.querySelector('canvas[data-part=photo]'), context = canvas.getContext('2d');
      const { data, width, height } = context.getImageData(0, 0, canvas.width, canvas.height);
      let low = width, high = 0;
      for (let k = 0; k < data.length; k += 4) {
        if (Math.abs(data[k]) < 30 && Math.abs(data[k + 1] - 158) < 30 && Math.abs(data[k + 2] - 115) < 30) {
          [low, high] = [Math.min(low, (k / 4) % width), Math.max(high, (k / 4) % width)];
        }
      }
      return [low / width, high / width];
    }"""
    low, high = shown.page.evaluate(green)
    assert 0.46 < high - low < 0.5  # 212 of the 404 pixels that the units of this layer see together, less the margin
    shown.root.locator('canvas[data-part="photo"]').focus()
    shown.press(*["ArrowLeft"] * 7).frame()
    low, high = shown.page.evaluate(green)
    assert 0.02 < low < 0.06 and 0.46 < high - low < 0.5
    assert "sees input rows 6 to 217, columns −90 to 121" in shown.readout


def test_predict(show):
    shown = show(builder(predict=True))
    seen = " ".join(shown.root.locator(".cw-list, .cw-sight, .cw-line, .cw-workings, .cw-total").all_inner_texts())
    assert not any(text in seen for text in ("760", "10×32×32", "5×5", "flattens")) and seen.count("?") == 25
    assert shown.readout == "Row 5, linear: predict its output."
    question = shown.root.locator('[data-part="question"]')
    assert "Row 5 gives how many numbers?" in question.inner_text()
    row(shown, 0, "kind").click()
    shown.frame()
    assert "Row 1 gives how many rows?" in question.inner_text()
    question.locator("input").fill("30")
    question.locator("input").press("Enter")
    assert shown.frame().root.locator('[data-part="verdict"]').inner_text() == "yours 30 · computed 32"
    assert shapes(shown) == ["10×32×32", "?", "?", "?", "?"]
    row(shown, 0, "stride").locator("input").fill("4")
    shown.press("Enter").frame()
    assert not question.is_visible()  # a refused row asks nothing
    assert "NaN" not in shown.root.inner_html()


def test_goal(show):
    shown = show(builder(layers=["conv 10 5"], goal={"sees": 9, "parameters": 800}))
    goal = shown.root.locator('[data-part="goal"]')
    assert "○ sees 9 or more: 5, not yet" in goal.inner_text()
    assert "✓ 800 parameters or fewer: 760, met" in goal.inner_text()
    row(shown, 0, "kernel_size").locator("input").fill("9")
    shown.press("Enter").frame()
    assert "✓ sees 9 or more: 9, met" in goal.inner_text() and "○ 800 parameters or fewer: 2,440" in goal.inner_text()
    shown.do("predict")
    assert not goal.is_visible()


def test_opaque_rows(show):
    shown = show(builder(layers=["conv 4 3 nobias", {"kind": "keeps", "name": "Tanh()"},
                                 {"kind": "other", "name": "PixelShuffle"}, "relu"]))
    assert shapes(shown) == ["4×30×30", "4×30×30", "refused", "waits for row 3"]
    assert row(shown, 0, "kind").inner_text() == "conv no bias"
    assert row(shown, 1, "kind").inner_text() == "Tanh" and row(shown, 0, "parameters").inner_text() == "108"
    assert "PixelShuffle: shape unknown here" in shown.refusal.inner_text()


def test_a_long_list_scrolls(show):
    shown = show(builder(input_shape=(1, 450, 450), layers=["conv 1 3"] * 200))
    assert shown.root.bounding_box()["height"] <= 560
    assert shapes(shown)[-1] == "1×50×50" and row(shown, 199, "sees").inner_text() == "401×401"
    assert row(shown, 199, "shape").is_visible()
    head, rows = shown.root.locator("thead").bounding_box(), shown.root.locator("[data-row]")
    tops = rows.evaluate_all("all => all.map((el) => el.getBoundingClientRect().top)")
    first = next(top for top in tops if top > head["y"] + head["height"] - 2)
    assert first - head["y"] - head["height"] < 3  # whole rows: none is half under the head
