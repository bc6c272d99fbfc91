"""The shape builder, driven in Chromium: what lecture 21 does with it."""

import pytest
from widgets_shown import builder

pytestmark = pytest.mark.browser


def row(shown, place, column):
    return shown.root.locator(f'[data-row="{place}"] [data-col="{column}"]')


def shapes(shown):
    shown.frame()
    return shown.root.locator('[data-col="shape"]').all_inner_texts()


def test_ten_filters(show):
    shown = show(builder(layers=["conv 10 5 1 2"]))
    assert row(shown, 0, "shape").inner_text() == "10×32×32"
    assert row(shown, 0, "parameters").inner_text() == "760"
    assert row(shown, 0, "multiply_adds").inner_text() == "768,000"
    assert shown.readout == "Row 1, conv: 10×32×32, 760 parameters, each neuron sees 5×5."
    assert "10·(3·5·5 + 1) = 760" in shown.root.locator('[data-part="working"]').inner_text()


def test_refusal_and_every_fix(show):
    for place in range(3):
        shown = show(builder(input_shape=(1, 7, 7), layers=["conv 2 3 3", "relu"]))
        assert "does not fit: (7 − 3)/3 + 1 = 2.33" in shown.refusal.inner_text()
        assert shapes(shown) == ["refused", "waits for row 1"]
        fix = shown.refusal.locator("button").nth(place)
        size = fix.inner_text().split(" → ")[1]
        fix.click()
        assert shapes(shown) == [f"2×{size}×{size}"] * 2
        assert shown.messages == 1


def test_numbers_are_handles(show):
    shown = show(builder())
    field = row(shown, 0, "padding").locator("input")
    field.focus()
    assert shapes(shown)[0] == "10×32×32"
    shown.press("ArrowDown")
    assert shapes(shown)[0] == "10×30×30"
    box = row(shown, 0, "out_channels").locator("input").bounding_box()
    before = shown.messages
    shown.page.mouse.move(box["x"] + 5, box["y"] + 5)
    shown.page.mouse.down()
    for step in range(1, 7):
        shown.page.mouse.move(box["x"] + 5 + 10 * step, box["y"] + 5)
    assert shapes(shown)[0] == "16×30×30" and shown.messages <= before + 1  # one for the row that was chosen
    shown.page.mouse.up()
    assert shown.get("layers")[0]["out_channels"] == 16
    shown.do("undo")
    assert shapes(shown)[0] == "10×30×30"


def test_rows_move_come_and_go_by_keys(show):
    shown = show(builder(layers=["conv 4 3", "max 2", "relu"]))
    shown.root.locator('[data-row="0"] .cw-grip').focus()
    shown.press("Alt+ArrowDown").frame()
    assert [layer["kind"] for layer in shown.get("layers")] == ["max", "conv", "relu"]
    assert shown.page.evaluate("document.activeElement.closest('tr').dataset.row") == "1"
    shown.press("ArrowDown", "Delete").frame()
    assert [layer["kind"] for layer in shown.get("layers")] == ["max", "conv"]
    shown.root.locator('[data-do="add"]').select_option("linear")
    assert shown.readout.startswith("Row 3, linear: 10 numbers, 7,850 parameters, each neuron sees 32×32; flattens")
    assert shapes(shown)[-1] == "10"
    assert "flattens 4×14×14 to 784" in shown.root.inner_text()


def test_rows_move_by_pointer(show):
    shown = show(builder(layers=["conv 4 3", "max 2", "relu"]))
    start, end = (shown.root.locator(f'[data-row="{k}"] .cw-grip').bounding_box() for k in (0, 2))
    shown.page.mouse.move(start["x"] + 5, start["y"] + 5)
    shown.page.mouse.down()
    shown.page.mouse.move(end["x"] + 5, end["y"] + 8, steps=4)
    shown.page.mouse.up()
    shown.frame()
    assert [layer["kind"] for layer in shown.get("layers")] == ["max", "relu", "conv"]


@pytest.mark.parametrize("preset, total, row_of_pool5, sees", [
    ("VGG-16", "138,357,544", 17, "212×212"), ("AlexNet", "60,965,224", 7, "195×195")])
def test_presets(show, preset, total, row_of_pool5, sees):
    shown = show(builder())
    shown.root.locator('[data-do="presets"]').select_option(preset)
    shown.frame()
    assert f"total {total} parameters" in shown.root.locator('[data-part="total"]').inner_text()
    assert row(shown, row_of_pool5, "sees").inner_text() == sees


def test_rounding(show):
    shown = show(builder(input_shape=(1, 8, 8), layers=["max 3 2"]))
    for value, shape in (("drop", "1×3×3"), ("fill", "1×4×4")):
        shown.root.locator(f'[data-value="{value}"]').click()
        assert shapes(shown) == [shape]
    assert "fills 1 row, 1 column with zeros" in shown.readout


def test_the_neuron_follows_the_pointer(show):
    shown = show(builder(layers=["conv 4 5 1 2", "max 2"]))
    canvas = shown.root.locator('canvas[data-part="photo"]')
    box = canvas.bounding_box()
    canvas.hover(position={"x": box["width"] * 0.1, "y": box["height"] * 0.1})
    assert shown.readout == "Row 2, neuron row 0, column 0 sees input rows −2 to 3, columns −2 to 3."
    assert shown.messages == 0
    canvas.focus()
    shown.press("ArrowRight", "ArrowDown")
    assert shown.readout == "Row 2, neuron row 1, column 1 sees input rows 0 to 5, columns 0 to 5."


def test_predict(show):
    shown = show(builder(predict=True))
    seen = " ".join(shown.root.locator(".cw-list, .cw-sight, .cw-line, .cw-workings, .cw-total").all_inner_texts())
    assert not any(text in seen for text in ("760", "10×32×32", "5×5")) and seen.count("?") == 25
    assert shown.readout == "Row 5, linear: predict its output."
    row(shown, 0, "kind").click()
    question = shown.root.locator('[data-part="question"]')
    question.locator("input").fill("30")
    question.locator("input").press("Enter")
    assert shown.frame().root.locator('[data-part="verdict"]').inner_text() == "yours 30 · computed 32"
    assert shapes(shown) == ["10×32×32", "?", "?", "?", "?"]


def test_a_long_list_scrolls(show):
    shown = show(builder(input_shape=(1, 450, 450), layers=["conv 1 3"] * 200))
    assert shown.root.bounding_box()["height"] <= 560
    assert shapes(shown)[-1] == "1×50×50" and row(shown, 199, "sees").inner_text() == "401×401"
    assert row(shown, 199, "shape").is_visible()
