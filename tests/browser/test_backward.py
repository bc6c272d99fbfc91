"""The backward microscope, driven in Chromium: what lecture 31 does with it, and what it must never do."""

import json
from io import BytesIO

import numpy as np
import pytest
from backward_cases import fails, scaled_rows
from examples import EXAMPLES
from looks import UNDER_RINGS, faults
from matplotlib import pyplot as plt

from cnnlib.widgets import BackwardMicroscope

pytestmark = pytest.mark.browser
MARKED = "all => all.map((cell) => cell.closest('[data-part]').dataset.part + ' ' + cell.dataset.at)"
SUM = "∂E/∂X22 = F22·g11 + F21·g12 + F12·g21 + F11·g22 = 4·1 + 3·0 + 2·2 + 1·(−1) = 7"


def microscope(**state):
    return EXAMPLES["backward"](**state)


def marked(shown, mark="light"):
    shown.frame()
    return shown.root.locator(f".cw-cell.{mark}").evaluate_all(MARKED)


def drawn(numbers):
    """Return whole numbers as the cells show them."""
    return [f"{n:.0f}".replace("-", "−") for n in np.ravel(numbers)]


def test_the_lesson_by_keys_alone(show):
    """Scatter, gather, adding up, stride, refusal, prediction, undo and code, without a pointer; told in sentences."""
    shown = show(microscope()).hear()
    shown.tab_to('[data-part="grad_output"] .cw-cell')
    assert shown.press("ArrowDown").readout.startswith("g21 = 2 adds F11·g21 to ∂E/∂X21, F12·g21 to ∂E/∂X22")
    assert (shown.get("row"), shown.get("col"), shown.get("part")) == (1, 0, "grad_output")
    assert shown.cells("grad_x") == drawn([0, 0, 0, 2, 4, 0, 6, 8, 0])
    shown.tab_to('[data-trait="so_far"] input').press(" ").frame()
    assert shown.cells("grad_x") == drawn([1, 2, 0, 5, 8, 0, 6, 8, 0])
    assert shown.readout.endswith("Added up: g11 to g21.")
    shown.root.locator('[data-part="grad_x"] [tabindex="0"]').focus()
    assert shown.press("ArrowDown", "ArrowRight", "ArrowUp", "ArrowDown").readout == SUM
    assert shown.cells("grad_output") == ["4·1", "3·0", "2·2", "1·(−1)"]  # the filter, turned, where it lies
    shown.root.locator('[data-trait="part"] [aria-checked="true"]').focus()
    shown.press("ArrowRight")
    assert shown.readout == "∂E/∂F11 = X11·g11 + X12·g12 + X21·g21 + X22·g22 = 1·1 + 0·0 + 0·2 + 3·(−1) = −2"
    shown.tab_to('[data-trait="dilation"] input').press("ArrowUp", "ArrowUp")
    assert shown.readout == "Refused: rows: 3 + 2·0 < 3·(2 − 1) + 1 = 4: the filter does not fit."
    shown.tab_to('[data-do="fix"]').press("Enter").frame()
    assert shown.get("dilation") == 1 and not shown.refusal.is_visible()
    shown.press("r").frame()
    shown.root.locator('[data-part="grad_weight"] [tabindex="0"]').focus()
    shown.press("ArrowRight").frame().press("p")
    assert shown.readout == "∂E/∂F12 = ?" and set(shown.cells("grad_weight")) == {"?"}
    shown.press("4", "Enter").frame()
    assert shown.root.locator('[data-part="verdict"]').inner_text() == "yours 4 · computed 5"
    assert shown.cells("grad_weight") == ["?", "5", "?", "?"] and set(shown.cells("grad_x")) == {"?"}
    assert shown.get("predictions")[0]["place"] == "∂E/∂F12"
    lesson = " / ".join(shown.heard)
    for told in ("g21 = 2 adds", SUM, "Refused: rows", "= ?", "= 5"):
        assert told in lesson, told


def test_the_lesson_by_pointer_alone(show):
    shown = show(microscope())
    shown.cell("grad_output", "2,2").hover()
    assert shown.line.startswith("g22 = −1 adds F11·g22 to ∂E/∂X22")
    assert marked(shown) == [f"input {at}" for at in ("2,2", "2,3", "3,2", "3,3")] + [
        f"weight {at}" for at in ("1,1", "1,2", "2,1", "2,2")] + [
        f"grad_x {at}" for at in ("2,2", "2,3", "3,2", "3,3")] + [
        f"grad_weight {at}" for at in ("1,1", "1,2", "2,1", "2,2")]
    shown.cell("grad_x", "2,2").hover()
    assert shown.line == SUM
    shown.cell("grad_x", "1,1").hover()
    assert shown.line == "∂E/∂X11 = F11·g11 = 1·1 = 1"
    assert marked(shown)[:3] == ["input 1,1", "weight 1,1", "grad_output 1,1"]
    shown.cell("weight", "1,2").hover()
    assert shown.line.startswith("∂E/∂F12 = X12·g11 + X13·g12 + X22·g21 + X23·g22")
    assert shown.messages == 0
    shown.cell("grad_output", "1,2").hover()
    shown.page.mouse.down()
    box = shown.cell("grad_output", "1,2").bounding_box()
    shown.page.mouse.move(box["x"] + box["width"] / 2 + 24, box["y"] + box["height"] / 2, steps=8)
    shown.page.mouse.up()
    assert shown.frame().get("grad_output").tolist() == [[1, 3], [2, -1]] and shown.messages == 1
    assert shown.line.startswith("g12 = 3 adds") and shown.cells("grad_x") == drawn([0, 3, 6, 0, 9, 12, 0, 0, 0])
    shown.do("undo")
    assert shown.get("grad_output").tolist() == [[1, 0], [2, -1]]


def test_what_collects_rings_no_gradient_that_has_no_part_in_the_sum(show):
    """∂E/∂F11 = ΣX·g reads inputs and g, and no ∂E/∂X; ∂E/∂X11 = F11·g11 likewise, also once it was predicted."""
    shown = show(microscope(part="grad_weight"))
    assert marked(shown) == [f"{part} {at}" for part, all_at in (
        ("input", ("1,1", "1,2", "2,1", "2,2")), ("weight", ("1,1",)),
        ("grad_output", ("1,1", "1,2", "2,1", "2,2"))) for at in all_at]
    shown = show(microscope(part="grad_x"))
    once = ["input 1,1", "weight 1,1", "grad_output 1,1"]
    assert marked(shown) == once
    shown.root.locator('[data-part="grad_x"] [tabindex="0"]').focus()
    shown.press("p").frame()
    shown.press("4", "Enter").frame()
    assert shown.cells("grad_x")[0] == "1" and shown.cells("grad_weight") == ["?"] * 4 and marked(shown) == once


def test_no_ring_lies_on_a_number(show):
    shown = show(BackwardMicroscope(np.arange(9.0).reshape(3, 3), [[0.25, 3], [2, 1]], grad_output=[[1, -1], [2, 0]],
                                    part="grad_x", row=1, col=1)).leave()
    assert set(shown.cells("weight")) == {"0.25", "3.00", "2.00", "1.00"} and len(marked(shown)) == 9
    assert shown.page.evaluate(UNDER_RINGS) == []


RING = """(el, mark) => {
  for (const each of ['light', 'pair', 'differ']) el.classList.toggle(each, each === mark);
  el.style.color = 'transparent';
}"""


def contrasts(before, after):
    """Return the contrast of each pixel of one picture with the same of another."""
    def light(png):
        rgb = plt.imread(BytesIO(png))[..., :3]
        return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722] + 0.05
    old, new = light(before), light(after)
    return np.maximum(old, new) / np.minimum(old, new)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_ring_is_seen_on_a_cell_of_its_own_colour(show, theme):
    """In every grid, on the chosen cell with its frame and on another: what a ring adds stands out from the cell."""
    shown = show(BackwardMicroscope(np.ones((3, 3)), np.ones((2, 2))), theme=theme).leave()
    for at in ("1,1", "2,2"):
        for part in ("input", "weight", "grad_output", "grad_x"):
            cell = shown.cell(part, at)
            box = cell.bounding_box()
            clip = {"x": box["x"] - 3, "y": box["y"] - 3, "width": box["width"] + 6, "height": box["height"] + 6}
            for mark in ("light", "pair", "differ"):
                pictures = []
                for ringed in (False, True):
                    cell.evaluate(RING, mark if ringed else "")
                    pictures.append(shown.frame().page.screenshot(clip=clip))
                assert (contrasts(*pictures) >= 3).sum() >= 25, (at, part, mark)



def test_the_sums_grow_to_the_gradients(show):
    """Step by step, adding up, the page arrives at what the library computes; with every setting of the widget."""
    shown = show(EXAMPLES["backward-7"](row=0, col=0))
    for stride, padding, dilation in ((1, 0, 1), (2, 1, 1), (3, 2, 2)):
        widget = EXAMPLES["backward-7"](stride=stride, padding=padding, dilation=dilation)
        for name, value in (("stride", stride), ("padding", padding), ("dilation", dilation), ("row", 0), ("col", 0)):
            shown.set(name, value)
        assert shown.get("part") == "grad_output"
        steps = widget.paths().out.size - 1
        for _ in range(steps):
            shown.do("step")
        assert shown.cells("grad_x") == drawn(widget.grad_x), (stride, padding, dilation)
        assert shown.cells("grad_weight") == drawn(widget.grad_weight)


def test_stride_leaves_pixels_without_a_gradient(show):
    shown = show(microscope(part="grad_x", row=2, col=2))
    shown.type("stride", "2")
    assert shown.cells("grad_x") == drawn([1, 2, 0, 3, 4, 0, 0, 0, 0])
    assert shown.line == "∂E/∂X33 = 0: no output heard it."


def test_students_gradients_are_ringed_and_said(show):
    widget = EXAMPLES["backward-yours"](part="grad_x", row=0, col=1)
    shown = show(widget)
    report = shown.root.locator('[data-part="report"]')
    assert marked(shown, "differ") == [f"grad_x {i},{j}" for i in (1, 2, 3) for j in (1, 2, 3) if (i, j) != (2, 2)]
    assert report.inner_text().startswith(f"your function: {widget.report}")
    assert report.inner_text().endswith("· Here ∂E/∂X12: yours 7, computed 3")
    shown.cell("grad_output", "1,2").hover()
    assert marked(shown, "differ") == [f"grad_x {at}" for at in ("1,2", "1,3", "2,2", "2,3")]
    assert "∂E/∂X12: yours 4, computed 1 and 3 more" in report.inner_text()
    assert shown.messages == 0  # one table was sent; every glance is answered by it
    shown.type("stride", "2")
    assert report.inner_text() == "your function: asking your function…" and marked(shown, "differ") == []
    shown.page.wait_for_timeout(3100)
    assert "the kernel does not answer; run the cell above" in report.inner_text()
    shown.do("predict")
    assert report.inner_text() == "your function: shown when you stop predicting"


def test_a_pool_has_no_weight_and_no_control_for_one(show):
    shown = show(EXAMPLES["backward-pool"]())
    assert not shown.root.locator('[data-part="weight"]').is_visible()
    assert shown.root.locator('[data-trait="part"] button').all_inner_texts() == ["g gives", "an input collects"]
    assert shown.root.locator('[data-trait="kernel_size"]').is_visible()
    shown.type("padding", "2")
    assert shown.refusal.inner_text().startswith("padding 2: at most half of the window, here 1, lies outside")
    shown.do("fix")
    assert shown.get("padding") == 1 and not shown.refusal.is_visible()


def test_a_function_of_the_readers_own(show):
    """Its measured slopes are the paths: pointing needs no kernel, another input does, and says so until it answers."""
    widget = BackwardMicroscope([[1, 0, -2], [0, 3, 1]], [[1, -1]], [[1, 2, 0], [3, -1, 1]], fn=scaled_rows,
                                fn_backward=lambda g, x, w: g * w[0, :, None])
    shown = show(widget)
    assert shown.readout == widget.sentence()
    assert "0 of" not in widget.report and "differ from central differences" in widget.report
    for part, row, col in (("grad_x", 1, 1), ("grad_weight", 0, 1), ("grad_output", 0, 2)):
        place = {"grad_x": "grad_x", "grad_weight": "grad_weight", "grad_output": "grad_output"}[part]
        shown.cell(place, f"{row + 1},{col + 1}").hover()
        [widget.part, widget.row, widget.col] = [part, row, col]
        assert shown.line == widget.sentence()
    assert shown.messages == 0 and shown.root.locator('[data-trait="stride"]').is_visible()
    assert not shown.root.locator('[data-trait="dilation"]').is_visible()
    shown.cell("input", "1,1").press("5")
    shown.press("Enter").frame()
    assert shown.refusal.inner_text() == "your function has not answered for these numbers yet"
    assert "asking your function" in shown.root.locator('[data-part="report"]').inner_text()
    widget.x = shown.get("x")
    widget.part, widget.row, widget.col = shown.get("part"), shown.get("row"), shown.get("col")
    answer(shown, widget)
    assert not shown.refusal.is_visible() and shown.readout == widget.sentence()
    assert shown.cells("grad_x") != shown.cells("input")
    shown.check()


def answer(shown, widget):
    """Do what the kernel would do."""
    record = json.loads(widget.record())
    shown.page.evaluate("""([state, tables]) => {
      for (const [name, table] of tables) {
        const data = Float32Array.from(table.data);
        model.set(name, { shape: table.shape, dtype: 'float32', data: new DataView(data.buffer) });
      }
      for (const name of ['_own', '_theirs']) model.set(name, state[name]);
    }""", [record["state"], [[name, {"shape": list(getattr(widget, name).shape),
                                     "data": getattr(widget, name).ravel().tolist()}]
                             for name in ("_own_x", "_own_weight")]])
    shown.frame()


def test_an_own_function_that_fails_is_refused_in_its_own_words(show):
    shown = show(BackwardMicroscope([[1, 2]], fn=fails))
    assert shown.refusal.inner_text().startswith("fn: ValueError: no such layer (line ")
    assert shown.readout == BackwardMicroscope([[1, 2]], fn=fails).sentence()
    shown.check()


def test_channels_and_padding_of_two_kinds(show):
    x = np.stack([np.arange(9).reshape(3, 3), np.ones((3, 3)), -np.arange(9).reshape(3, 3)])
    weight = np.stack([[[1, 2], [3, 4]], [[0, 1], [1, 0]], [[2, 2], [-1, 0]]])
    state = {"part": "grad_x", "row": 1, "col": 1}
    shown = show(BackwardMicroscope(x, weight, **state))
    shown.tab_to('[data-trait="channel"] input').press("ArrowUp", "ArrowUp").frame()
    assert shown.get("channel") == 2
    assert shown.line == BackwardMicroscope(x, weight, channel=2, **state).sentence()
    assert shown.cells("weight") == drawn(weight[2]) and shown.cells("input") == drawn(x[2])
    shown.type("padding", "1, 0")
    assert shown.get("padding") == [1, 0] and shown.field("padding").input_value() == "1, 0"
    made = BackwardMicroscope(x, weight, channel=2, padding=(1, 0), **state)
    assert shown.line == made.sentence() and shown.cells("grad_x") == drawn(made.grad_x)
    shown.cell("weight", "1,1").press("7")
    shown.press("Enter").frame()
    assert shown.get("weight").tolist() == np.concatenate([weight[:2], [[[7, 2], [-1, 0]]]]).tolist()
    shown.check()


def test_what_was_cropped_is_said(show):
    widget = BackwardMicroscope(np.arange(150).reshape(10, 15) % 9, [[1, 2], [3, 4]])
    shown = show(widget)
    assert shown.readout == widget.sentence() and shown.readout.endswith("Shown: the first 8×8 of X, which has 10×15.")
    shown.set("_cut", "")
    assert "Shown" not in shown.line
    shown.check()


@pytest.mark.parametrize("width, theme, size", [(848, "light", "normal"), (680, "dark", "normal"),
                                                (680, "light", "projector")])
def test_own_functions_and_channels_can_be_read(show, width, theme, size):
    x, weight = np.arange(40).reshape(5, 8) / 7, np.linspace(-1, 1, 5)[None]
    for widget in (BackwardMicroscope(x, weight, fn=scaled_rows, fn_backward=lambda g, x, w: g, size=size),
                   BackwardMicroscope(np.stack([x, -x]), np.ones((2, 3, 3)), channel=1, padding=(1, 0), size=size)):
        shown = show(widget, width, theme)
        assert faults(shown.page) == [] and (shown.root.bounding_box()["height"] <= 560 or size == "projector")
