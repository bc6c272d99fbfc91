"""The occlusion viewer, driven in Chromium: drag, scan, read; units and their pixels; by keys and by pointer alone."""

import json

import numpy as np
import pytest
from examples import SCAN
from looks import faults
from network_cases import small_net
from occlusion_cases import looked_at, watching

from cnnlib.widgets.occlusion_viewer import OcclusionViewer

pytestmark = pytest.mark.browser
STATE = dict(patch=16, stride=4, labels=["nothing", "bright", "dark"])
TOLD = ("_map", "_place", "_unit", "_cover", "_scanning", "_trouble", "scanned")
SENT = ["target", "patch", "stride", "fill", "row", "col", "view", "layer", "channel", "unit", "_ask"]
PUSH = """(told) => told.forEach(([name, value, buffers]) => {
  for (const [key, text] of buffers) {
    value[key[0]] = key.length > 1 ? { ...value[key[0]], [key[1]]: null } : null;
    const bytes = new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
    if (key.length > 1) value[key[0]][key[1]] = bytes; else value[key[0]] = bytes;
  }
  if (JSON.stringify(model.get(name)) !== JSON.stringify(value) || buffers.length) model.set(name, value);
})"""


def made(**state):
    return OcclusionViewer(*looked_at(), **{**STATE, **state})


def told(shown, name, part="heat"):
    return shown.frame().root.locator(f'[data-part="{part}"]').get_attribute(f"data-{name}")


def at(shown, row, col, part="photo", size=(40, 48)):
    """Return where on the page a point of the picture is drawn."""
    box = shown.root.locator(f'[data-part="{part}"]').bounding_box()
    return box["x"] + 1 + col / size[1] * (box["width"] - 2), box["y"] + 1 + row / size[0] * (box["height"] - 2)


def started(show, widget):
    """Show a widget and keep what the page sends."""
    shown = show(widget)
    shown.page.evaluate("""(names) => {
      const save = model.save_changes;
      window.sent = {};
      model.save_changes = () => { save(); for (const name of names) sent[name] = model.get(name); };
    }""", SENT)
    return shown


def kernel(shown, widget):
    """Be the kernel for one round: take state and question from the page, give back what Python tells."""
    for name, value in shown.page.evaluate("window.sent").items():
        if getattr(widget, name) != value:
            setattr(widget, name, value)
    if widget._worker:
        widget._worker.join(30)
    record = json.loads(widget.record())
    parts = [[name, record["state"][name], [[path[1:], text] for path, text in record["buffers"] if path[0] == name]]
             for name in TOLD]
    shown.page.evaluate(PUSH, parts)
    return shown.frame()


def colour(shown, row, col, part="heat"):
    """Return the colour that is drawn at a point of the picture."""
    return shown.page.evaluate("""([part, y, x]) => {
      const canvas = document.querySelector(`[data-part=${part}]`), context = canvas.getContext('2d');
      return [...context.getImageData(Math.floor(x * canvas.width), Math.floor(y * canvas.height), 1, 1).data];
    }""", [part, row / 40, col / 48])[:3]


def test_a_unit_is_covered_and_projected(show):
    """Occlusion and deconvnet on the same unit: its map by the patch, its pixels by the other view."""
    widget = OcclusionViewer(*watching(), watch=("relu2", 1, (6, 8)), patch=3, stride=1, fill="mean", scanned=True)
    shown = show(widget)
    assert shown.readout == widget.sentence() and "here 100 percent" in shown.readout
    shown.do("lowest")
    i, j = np.argwhere(widget.heat == widget.heat.min())[0]
    assert shown.line.startswith(f"Patch at row {i}, column {j}: relu2, map 1, row 6, column 8 falls from 100 to ")
    assert "-1:" in told(shown, "value", "bars") and shown.messages == 1  # the place; the map was read
    options = shown.root.locator('[data-trait="target"] option').all_inner_texts()
    assert options[-1] == "relu2, map 1, row 6, column 8" and len(options) == 6
    shown.root.locator('[data-trait="view"] [data-value="deconvnet"]').click()
    assert shown.frame().get("layer") == "relu2" and shown.get("unit") == [6, 8]
    shown.do("undo").set("size", "projector")
    for width in (848, 680):
        shown.page.evaluate("(width) => { document.querySelector('.place').style.width = `${width}px`; }", width)
        assert faults(shown.frame().page) == []
    shown.check()


def test_dragging_after_a_scan_sends_nothing_and_reads_the_map(show):
    shown = show(made(scanned=True))
    mouse = shown.page.mouse
    mouse.move(*at(shown, 20, 28))
    assert shown.frame().messages == 0 and shown.get("row") is None
    mouse.down()
    for row, col in ((12, 20), (16, 24), (0, 0), (24, 32)):
        mouse.move(*at(shown, row + 8, col + 8), steps=3)
        assert shown.line == made(scanned=True, row=row, col=col).sentence()
        assert (told(shown, "focus", "photo"), shown.messages) == (f"{row // 4},{col // 4}", 0)
    mouse.up()
    assert shown.frame().messages == 1 and (shown.get("row"), shown.get("col")) == (24, 32)
    assert shown.readout == made(scanned=True, row=24, col=32).sentence()
    shown.page.mouse.click(*at(shown, 21, 29, "heat"))
    assert shown.readout == made(scanned=True, row=12, col=20).sentence() and shown.messages == 2
    shown.do("undo").do("undo")
    assert shown.get("row") is None


def test_the_map_is_drawn_where_the_patch_was(show):
    """The palest square of the map is that of the lowest place; a class that wins elsewhere is marked there alone."""
    widget = made(scanned=True)
    shown = show(widget)
    assert (told(shown, "done"), told(shown, "lowest")) == ("63", "3,5")
    heat = widget.heat
    green = {tuple(at): colour(shown, 4 * at[0] + 9.5, 4 * at[1] + 9.5) for at in np.argwhere(heat > 0).tolist()}
    redness = np.array([[green[i, j][0] for j in range(9)] for i in range(7)])  # 255 on paper, 0 where it is highest
    order = np.argsort(heat.ravel(), kind="stable")
    assert redness.ravel()[order[0]] > 240 and np.argmax(redness) == order[0]
    assert (np.diff(redness.ravel()[order]) <= 1).all() and redness.ravel()[order[-1]] < 4
    assert told(shown, "value", "winner") == "2:1"
    shown.set("target", 2)
    assert shown.line == made(scanned=True, target=2).sentence()


def test_before_a_scan_each_move_asks_and_the_newest_wins(show):
    widget = made()
    shown = started(show, widget)
    mouse = shown.page.mouse
    mouse.move(*at(shown, 20, 28))
    mouse.down()
    mouse.move(*at(shown, 8, 8), steps=4)
    assert shown.frame().messages == 1 and "not asked yet" in shown.line  # one question is under way
    mouse.move(*at(shown, 28, 36), steps=3)
    assert shown.frame().messages == 1
    kernel(shown, widget)  # answers the first; the newest is asked next
    assert shown.messages == 2 and shown.get("_ask")["row"] == 20 and shown.get("_ask")["col"] == 28
    kernel(shown, widget)
    assert shown.line == made(row=20, col=28).sentence() and shown.messages == 2
    mouse.up()
    assert shown.frame().messages == 3
    kernel(shown, widget)
    assert shown.readout == widget.sentence() == made(row=20, col=28).sentence()


def test_scan_stop_and_a_new_patch_by_keys_alone(show):
    widget = made()
    shown = started(show, widget).hear()
    assert shown.root.locator('[data-do="scan"]').inner_text() == "Scan 63 places"
    shown.tab_to('[data-part="photo"]').press("ArrowDown")
    kernel(shown, widget)
    state = {"row": 12, "col": 16}
    assert shown.readout == made(**state).sentence() and "falls from 99 to" in shown.readout
    shown.press("ArrowRight")
    kernel(shown, widget)
    state["col"] = 20
    shown.tab_to('[data-do="scan"]').press("Enter")
    assert shown.get("_ask")["what"] == "scan"
    shown.set("_scanning", True)
    assert shown.root.locator('[data-do="stop"]').is_visible()
    assert not shown.root.locator('[data-do="scan"]').is_visible()
    shown.tab_to('[data-do="stop"]').press("Enter")
    assert shown.get("_ask")["what"] == "stop"
    shown.page.evaluate("model.set('_ask', { what: 'scan', number: 0 }); model.save_changes()")
    kernel(shown, widget)
    assert shown.get("scanned") and not shown.root.locator('[data-do="scan"], [data-do="stop"]').first.is_visible()
    assert shown.readout == made(scanned=True, **state).sentence()
    shown.page.locator(".cw").focus()
    shown.tab_to('[data-trait="patch"] input').press("ArrowUp")
    assert (shown.get("patch"), shown.get("scanned")) == (17, False)
    kernel(shown, widget)
    assert shown.readout == made(**state, patch=17).sentence() and "0 of" in shown.readout
    shown.press("Control+a", "4", "1", "Enter")
    assert shown.refusal.inner_text().startswith("patch 41×41: larger than the picture, 40×48")
    assert shown.readout == made(patch=41).sentence()
    shown.tab_to('[data-do="fix"]').press("Enter")
    assert shown.frame().get("patch") == 10 and not shown.refusal.is_visible()
    shown.page.locator(".cw").focus()
    shown.press("u", "u")  # the mended patch; the two steps that changed it
    assert (shown.get("patch"), shown.get("scanned")) == (16, True)
    assert shown.readout == made(scanned=True, **state).sentence()
    assert any("falls from 99 to" in words for words in shown.heard)


def test_the_kernel_that_does_not_answer_is_named(show):
    shown = show(made())
    shown.page.mouse.click(*at(shown, 20, 28))
    assert "asking Python…" in shown.frame().root.inner_text()
    shown.page.wait_for_timeout(3200)
    assert "the kernel does not answer; run the cell above" in shown.root.inner_text()
    assert "not asked yet" in shown.line
    shown.check()


def test_units_by_pointer_and_by_keys(show):
    state = dict(view="deconvnet", layer="relu2", channel=3, patch=3, stride=1)
    widget = OcclusionViewer(small_net(), SCAN, **state)
    shown = started(show, widget)
    strongest = widget._known.units["relu2", 3, None]
    assert told(shown, "focus") == ",".join(map(str, strongest["at"]))
    assert told(shown, "field", "photo") == ",".join(map(str, [*strongest["first"], *strongest["size"]]))
    box = shown.root.locator('[data-part="heat"]').bounding_box()
    shown.page.mouse.click(box["x"] + 0.25 * box["width"], box["y"] + 0.75 * box["height"])
    assert shown.frame().get("unit") == [1, 0]
    kernel(shown, widget)
    assert shown.readout == widget.sentence() == OcclusionViewer(small_net(), SCAN, **state, unit=(1, 0)).sentence()
    shown.tab_to('[data-part="heat"]').press("ArrowRight", "PageDown")
    assert shown.frame().get("unit") is None and shown.get("channel") == 2
    kernel(shown, widget)
    kernel(shown, widget)  # what was asked while the first was under way
    assert shown.readout == widget.sentence() and "relu2, map 2: its strongest" in shown.readout
    shown.root.locator('[data-trait="view"]').get_by_text("occlusion").click()
    assert shown.frame().root.locator('[data-trait="patch"]').is_visible()
    assert not shown.root.locator('[data-trait="layer"]').is_visible()


def test_a_square_is_predicted_and_stands_beside_the_computed_one(show):
    shown = show(made(scanned=True, predict=True, row=8, col=16))
    assert shown.readout == "bright, 99 percent. Where does a patch hurt bright most? Patch at row 8, column 16: ?"
    assert told(shown, "done") == "" and told(shown, "lowest") == "" and "?" in told(shown, "value", "bars")
    assert not shown.root.locator('[data-part="winner"], [data-do="lowest"]').first.is_visible()
    shown.do("choose")
    verdict = shown.root.locator('[data-part="verdict"]').inner_text()
    lowest = made(scanned=True).sentence().split("Lowest of 63 places: ")[1].split(" percent")[0]
    yours = round(100 * made(scanned=True, row=8, col=16).probability)
    assert verdict == (f"yours row 8, column 16: {yours} percent · computed row 12, column 20: {lowest} percent")
    assert told(shown, "done") == "63" and shown.get("predictions")[0]["yours"].startswith("row 8")


def test_after_the_verdict_another_filling_asks_for_a_scan(show):
    """No commit row is there before that map is whole; the readout says what to press."""
    shown = show(made(scanned=True, predict=True, row=8, col=16))
    shown.do("choose")
    shown.root.locator('[data-trait="fill"] [data-value="blur"]').click()
    assert shown.frame().get("fill") == "blur" and not shown.root.locator('[data-do="choose"]').is_visible()
    assert shown.line == made(predict=True, row=8, col=16, fill="blur").sentence()
    assert "0 of 63 places scanned with these settings: press Scan." in shown.line
    assert shown.root.locator('[data-do="scan"]').is_visible()
    caption = shown.root.locator('.cw-panel:has([data-part="heat"])').inner_text()
    assert "not scanned" in caption and "hidden" not in caption


def test_the_legends_round_as_the_sentence_does(show):
    widget = made(scanned=True, patch=17, stride=2)  # at least 30.7 percent
    shown = show(widget)
    assert "percent at row" in shown.line and ": 31 percent" in shown.line
    rule = shown.root.locator('.cw-panel:has([data-part="heat"]) .cw-scale').inner_text().split()
    assert rule[0] == "31" and rule[-1] == "99"
    assert shown.root.locator('[data-part="others"]').inner_text().strip() == "dark: 3 places"


def test_hidden_controls_are_not_there(show):
    shown = show(made(hide=["fill", "scan", "target"]))
    assert shown.root.locator('[data-trait="fill"], [data-trait="scan"], [data-trait="target"]').count() == 0
    assert shown.root.locator('[data-trait="view"]').count() == 0  # this net has no way back to the pixels
