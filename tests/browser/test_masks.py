"""The mask explorer, driven in Chromium: what lectures 00 and 12 do with it, on ramps and on photos."""

from base64 import b64decode

import numpy as np
import pytest
from budget import within
from harness import PACKED
from looks import faults

from cnnlib import data
from cnnlib.features import edges
from cnnlib.widgets import MaskExplorer
from cnnlib.widgets._masks import NAMES, preset, preset_name

pytestmark = pytest.mark.browser
RAMP = np.tile(np.arange(7.0), (7, 1))
WHERE = "all => all.map((cell) => cell.closest('[data-part]').dataset.part + cell.dataset.at)"
BLIND = [[-1, -2, -1], [0, 0, 0], [1, 2, 1]]  # to vertical edges


def inner(shown):
    """Return what stands in the cells of the response but for its rim."""
    return set(np.reshape(shown.cells("output"), (7, 7))[1:-1, 1:-1].ravel())


def rose(shown):
    """Return the number beside each name on the rose."""
    texts = shown.frame().root.locator('[data-trait="turn"] button').all_inner_texts()
    return dict(text.split("\n") for text in texts)


def chosen(shown):
    return shown.frame().root.locator('[data-trait="turn"] [aria-checked=true]').inner_text().split("\n")[0]


def strongest(shown):
    return shown.frame().root.locator('[data-trait="turn"] .cw-best').inner_text().split("\n")[0]


def weights(shown):
    return [float(text.replace("−", "-")) for text in shown.cells("weight")]


def pixels(shown, part):
    """Return the colours of a photo's canvas as an array (H, W, 3)."""
    canvas = shown.frame().root.locator(f'canvas[data-part="{part}"]')
    height, width, found = canvas.evaluate(f"""(el) => {{
      const {{ width, height }} = el.previousElementSibling, context = el.previousElementSibling.getContext('2d');
      return [height, width, ({PACKED})(context.getImageData(0, 0, width, height).data)];
    }}""")
    return np.frombuffer(b64decode(found), np.uint8).reshape(height, width, 4)[..., :3].astype(int)


def test_the_lesson_by_keys_alone(show):
    """A ramp is asked, the mask turns, other names, a weight typed; told by its sentences alone."""
    shown = show(MaskExplorer(RAMP)).hear()
    assert inner(shown) == {"8"}
    assert shown.readout == "Row 3, column 3: response 8, brighter on the right of the walk N."
    shown.tab_to('[data-trait="turn"] button').press("ArrowRight", "ArrowRight")
    assert inner(shown) == {"0"} and shown.readout == "Row 3, column 3: response 0, no step across the walk E."
    assert weights(shown) == np.ravel(preset("sobel_E")).tolist() and chosen(shown) == "E"
    shown.press("ArrowRight", "ArrowRight", "ArrowRight")
    assert chosen(shown) == "SW" and inner(shown) == {"−6"}
    assert weights(shown) == (-np.ravel(preset("sobel_NE"))).tolist()
    assert shown.readout == "Row 3, column 3: response −6, darker on the right of the walk SW."
    shown.press("u", "u").frame()
    assert chosen(shown) == "SE" or chosen(shown) == "S"
    shown.press("r").tab_to('[data-trait="names"] button').press("ArrowRight")
    assert shown.readout == "Row 3, column 3: response 8, brighter towards E." and chosen(shown) == "E"
    shown.press("r").tab_to('[data-trait="show"] button').press("ArrowRight")
    assert shown.readout == "Row 3, column 3: strength 8, direction N, brighter on the right of the walk."
    shown.press("ArrowRight")
    assert set(shown.cells("output")) == {"N"}
    shown.press("ArrowRight")
    assert shown.readout == "Row 3, column 3: strength 8, removed: across the edge W is as strong and comes first."
    shown.press("ArrowRight")
    assert shown.readout == "Row 3, column 3: no edge: strength 8, thinned away."
    shown.tab_to('[data-trait="low"] input').press("ArrowUp")
    assert shown.frame().get("low") == 0.11
    shown.page.locator(".cw").focus()
    shown.press("r").tab_to('[data-part="output"] .cw-cell').press("ArrowRight", "ArrowUp")
    assert (shown.get("row"), shown.get("col")) == (2, 4)
    shown.tab_to('[data-part="weight"] .cw-cell').press("ArrowRight", "4", "Enter")
    assert shown.readout == "Row 2, column 4: response 24. It also answers to plain brightness: its sum is 4."
    assert shown.root.locator('[data-part="total"]').inner_text() == "sum 4"
    shown.press("u").frame()
    shown.page.locator(".cw").focus()
    shown.press("p").frame()
    assert shown.readout == "Row 2, column 4: response ?." and shown.cells("output")[18] == "?"
    shown.press("8", "Enter")
    assert shown.frame().root.locator('[data-part="verdict"]').inner_text() == "yours 8 · computed 8"
    lesson = " / ".join(shown.heard)
    for told in ("walk N.", "walk E.", "walk SW.", "towards E.", "strength 8", "comes first", "plain brightness", "?"):
        assert told in lesson, told


def test_the_lesson_by_pointer_alone(show):
    """Type a mask blind to vertical edges; point, click a name, drag a weight, pair a product with its pixel."""
    shown = show(MaskExplorer(RAMP))
    shown.root.locator('[data-trait="turn"] button', has_text="NE").click()
    assert rose(shown)["NE"] == "6" and strongest(shown) == "N" and chosen(shown) == "NE"
    shown.do("turn-back")
    assert chosen(shown) == "N" and preset_name(shown.get("mask")) == "sobel_N"
    sent = shown.messages
    shown.cell("output", "0,0").hover()
    assert shown.line == "Row 0, column 0: response 4, brighter on the right of the walk N."
    shown.cell("product", "1,2").hover()
    marked = shown.frame().root.locator(".pair").evaluate_all(WHERE)
    assert sorted(marked) == ["input0,1", "product1,2", "weight1,2"]
    assert shown.messages == sent  # pointing is no message
    shown.cell("output", "4,4").click()
    assert shown.messages == sent + 1 and (shown.get("row"), shown.get("col")) == (4, 4)
    for place, weight in np.ndenumerate(BLIND):
        shown.cell("weight", f"{place[0]},{place[1]}").dblclick()
        shown.page.keyboard.type(str(weight))
        shown.press("Enter")
    assert inner(shown) == {"0"} and preset_name(shown.get("mask")) == "sobel_E"
    box, sent = shown.cell("weight", "1,1").bounding_box(), shown.messages
    shown.page.mouse.move(box["x"] + 10, box["y"] + 10)
    shown.page.mouse.down()
    for step in range(1, 5):
        shown.page.mouse.move(box["x"] + 10 + 8 * step, box["y"] + 10)
    assert shown.cells("weight")[4] == "4" and shown.cells("output")[24] == "12" and shown.messages == sent
    shown.page.mouse.up()
    assert shown.frame().messages == sent + 1 and shown.get("mask")[1, 1] == 4
    shown.do("undo")
    assert inner(shown) == {"0"}
    shown.root.locator('[data-trait="names"] button', has_text="by gradient").click()
    assert chosen(shown) == "S"
    shown.root.locator(".cw-weight select").select_option("own")
    assert shown.readout == "Row 4, column 4: response 0. The mask asks nothing: all its weights are 0."
    assert not shown.root.locator('[data-trait="turn"]').is_visible()  # it has no side to turn
    shown.root.locator('[data-trait="padding"] select').select_option("valid")
    assert len(shown.cells("output")) == 25
    shown.do("reset")
    assert inner(shown) == {"8"} and len(shown.cells("output")) == 49


def test_eight_turns(show):
    """Round the rose: each of the eight masks is Robinson's, opposite ones are negatives, the ninth is the first."""
    shown = show(MaskExplorer(RAMP))
    shown.tab_to('[data-trait="turn"] button')
    found = []
    family = shown.root.locator(".cw-weight select")
    for place, name in enumerate(NAMES):
        assert chosen(shown) == name and family.input_value() == ("sobel", "robinson")[place % 2]
        found.append(np.reshape(weights(shown), (3, 3)))
        shown.press("ArrowRight")
    assert chosen(shown) == "N"
    np.testing.assert_array_equal(found, edges.ROBINSON)
    np.testing.assert_array_equal(found[4:], -np.array(found[:4]))
    for other, name in (("robinson", "NE"), ("scharr", "NE"), ("sobel", "N")):
        family.select_option(other)
        assert chosen(shown) == name and family.input_value() == other
    assert rose(shown) == {"N": "8", "NE": "6", "E": "0", "SE": "−6", "S": "−8", "SW": "−6", "W": "0", "NW": "6"}


def test_the_direction_map_is_the_librarys(show):
    """What is painted over a photo is features.edges' direction, ties to the first; names change labels only."""
    widget = MaskExplorer("camera", "robinson_SW", show="direction")
    strength, direction = edges.robinson(widget.image.astype(np.float64))
    shown = show(widget)
    painted, hues = pixels(shown, "output"), np.array(
        shown.root.locator('[data-trait="turn"] i').evaluate_all(
            "all => all.map((el) => el.style.background.match(/\\d+/g).map(Number))"))
    share = np.round(31 * np.sqrt(strength / strength.max()))[..., None] / 31
    assert np.abs(painted - share * hues[direction]).max() <= 1.5
    shown.root.locator('[data-trait="names"] button', has_text="by gradient").click()
    np.testing.assert_array_equal(pixels(shown, "output"), painted)
    row, col = np.argwhere(direction == 3)[77]
    shown.set("row", int(row)).set("col", int(col))
    assert "direction SW, towards" in shown.readout  # one walks SE
    shown.set("names", "walk")
    assert "direction SE, brighter on the right of the walk" in shown.readout
    assert shown.root.locator('canvas[data-part="output"]').get_attribute("data-value") == "SE"


def test_thin_and_hysteresis_are_the_librarys(show):
    """On a photo, pixel by pixel; the lower threshold dragged down joins more, the upper one dragged up loses some."""
    widget = MaskExplorer("camera", show="thin")
    shown = show(widget)
    answers = widget.answers()
    thin = pixels(shown, "output")[..., 0]
    np.testing.assert_array_equal(thin > 2, answers.thinned > answers.top * 2.5 / 255)
    shown.root.locator('[data-trait="show"] button', has_text="hysteresis").click()
    levels = np.round(255 * np.array([0, 0, 0.3, 0.75, 1]))
    np.testing.assert_allclose(pixels(shown, "output")[..., 0], levels[answers.joined(0.1, 0.3)], atol=4)
    edge = [(pixels(shown, "output")[..., 0] > 150).sum()]
    for trait, text in (("low", "0.05"), ("high", "0.6")):
        shown.type(trait, text)
        edge.append((pixels(shown, "output")[..., 0] > 150).sum())
    assert edge[1] > edge[0] > edge[2] > 0
    shown.type("low", "0.7")
    assert shown.refusal.inner_text().startswith("low 0.7 > high 0.6: the lower threshold may not be the larger")
    shown.do("fix")
    assert shown.get("low") == 0.6 and not shown.refusal.is_visible()
    box, sent = shown.field("low").bounding_box(), shown.messages
    shown.page.mouse.move(box["x"] + 9, box["y"] + 9)
    shown.page.mouse.down()
    shown.page.mouse.move(box["x"] - 91, box["y"] + 9, steps=5)
    assert shown.get("low") == 0.5 and shown.messages == sent
    shown.page.mouse.up()
    assert shown.messages == sent + 1


def test_a_photo_follows_the_hand_without_a_message(show):
    """Hover, drag of one weight in each view: no message, the photo is not painted again, a frame in 16 ms."""
    widget = MaskExplorer("camera", row=100, col=118)
    shown = show(widget)
    scene, answer = (shown.root.locator(f'canvas[data-part="{part}"]') for part in ("input", "output"))
    drawn = [canvas.get_attribute("data-drawn") for canvas in (scene, answer)]
    box = scene.bounding_box()
    for step in range(60):
        shown.page.mouse.move(box["x"] + 20 + 2 * step, box["y"] + 20 + step)
    shown.frame()
    assert [canvas.get_attribute("data-drawn") for canvas in (scene, answer)] == drawn and shown.messages == 0
    row = round((20 + 59) / box["height"] * 256) - 1
    assert abs(int(scene.get_attribute("data-focus").split(",")[0]) - row) <= 2
    shown.do("reset")
    answer.focus()
    shown.press("ArrowDown", "Shift+ArrowRight").frame()
    assert (shown.get("row"), shown.get("col")) == (101, 128)
    value = f"{widget.answers().response[101, 128]:.4f}"
    assert answer.get_attribute("data-value") == value.rstrip("0").replace("-", "−")
    assert len(shown.cells("loupe")) == 49 and len(shown.cells("near")) == 25
    for view in ("response", "strength", "direction", "thin", "hysteresis"):
        shown.root.locator('[data-trait="show"] button', has_text=view).click()
        box, sent = shown.cell("weight", "1,2").bounding_box(), shown.messages
        shown.page.mouse.move(box["x"] + 10, box["y"] + 10)
        shown.page.mouse.down()
        shown.page.evaluate("document.querySelector('.cw').dataset.frames = 0")
        for step in range(1, 41):
            shown.page.mouse.move(box["x"] + 10 + step, box["y"] + 10)
            if step % 4 == 0:
                shown.frame()
        assert shown.messages == sent
        shown.page.mouse.up()
        shown.frame()
        within(f"a weight dragged over a photo, {view}: 95 of 100 frames",
               float(shown.root.get_attribute("data-frame-ms")), 16)
        widget.mask, widget.show = shown.get("mask"), view
        widget.row, widget.col = 101, 128
        assert shown.line == widget.sentence() and widget.mask[1, 2] == 7
        shown.do("undo")
    assert shown.messages < 30


def test_an_own_mask_over_nan_can_be_left(show):
    image = RAMP.copy()
    image[2, 2] = np.nan
    shown = show(MaskExplorer(image, [[0, 0, 0], [0, 2, 0], [0, 0, -1]], row=5))
    assert [k for k, text in enumerate(shown.cells("output")) if text == "NaN"] == [8, 9, 10, 15, 16, 17, 22, 23, 24]
    for view in ("strength", "direction", "thin", "hysteresis"):
        shown.root.locator('[data-trait="show"] button', has_text=view).click()
        assert shown.cells("output")[8] == "NaN"
    shown.cell("weight", "1,1").focus()
    shown.press("Enter")
    shown.page.keyboard.type("nan")
    shown.press("Enter").frame()
    assert np.isnan(shown.get("mask")[1, 1])
    assert shown.readout.startswith("Refused: hysteresis: this mask has no brighter side")
    shown.do("reset")
    assert shown.cells("weight")[4] == "2" and "NaN" not in shown.readout
    shown.check()


def test_a_refused_view_keeps_the_last_one_dimmed(show):
    shown = show(MaskExplorer(RAMP, show="direction"))
    shown.root.locator(".cw-weight select").select_option("laplacian")
    assert "this mask has no brighter side" in shown.refusal.inner_text()
    assert "cw-dim" in shown.root.locator(".cw-stage").get_attribute("class")
    assert shown.cells("weight")[4] == "−4" and set(shown.cells("output")) == {"N"}
    shown.cell("weight", "1,2").focus()  # what is typed while it is refused is seen, and may mend it
    shown.press("5", "Enter").frame()
    assert shown.cells("weight")[5] == "5" and not shown.refusal.is_visible()
    shown.press("u").frame()
    shown.refusal.get_by_role("button", name="Sobel N").click()
    assert not shown.refusal.is_visible() and preset_name(shown.get("mask")) == "sobel_N"


def test_nothing_tells_the_answer_before_a_prediction(show):
    shown = show(MaskExplorer(RAMP * 0.37, predict=True))
    answer = "2.96"
    page = shown.root.evaluate("(el) => el.outerHTML.replace(/style=\"[^\"]*\"/g, '')")
    assert answer not in page and set(shown.cells("output")) == {"?"} and set(rose(shown).values()) == {"?"}
    assert not shown.root.locator('[data-trait="turn"] .cw-best').count()
    shown.root.locator('[data-part="question"] input').fill("3")
    shown.do("commit")
    assert shown.root.locator('[data-part="verdict"]').inner_text() == f"yours 3 · computed {answer}"
    assert shown.cells("output").count("?") == 48 and answer in shown.cells("output")
    photo = show(MaskExplorer("camera", predict=True))
    assert np.ptp(pixels(photo, "output")) == 0 and set(photo.cells("near")) == {"?"}


def test_a_tap_moves_and_turns(show):
    shown = show(MaskExplorer(RAMP), has_touch=True)
    shown.cell("output", "1,5").tap()
    assert (shown.get("row"), shown.get("col")) == (1, 5)
    shown.root.locator('[data-trait="turn"] button', has_text="W").first.tap()
    assert chosen(shown) in ("NW", "W", "SW")


@pytest.mark.parametrize("state", [
    {"mask": np.ones((11, 11)), "show": "strength"}, {"mask": "scharr_SE", "show": "hysteresis"},
    {"mask": np.arange(25).reshape(5, 5) - 12.0, "padding": "valid"}, {"predict": True, "show": "direction"}])
def test_every_view_can_be_read(show, state):
    for image in ("camera", RAMP if len(state.get("mask", "")) != 11 else data.photo("text")):
        for width, theme in ((848, "light"), (680, "dark")):
            shown = show(MaskExplorer(image, **state), width, theme)
            assert faults(shown.page) == []
            assert shown.root.bounding_box()["height"] <= 560 + 50 * ("predict" in state), (width, theme)
            assert shown.line == MaskExplorer(image, **state).sentence()


def test_hidden_controls_are_not_there(show):
    shown = show(MaskExplorer(RAMP, hide=("mask", "show", "turn", "names", "padding")))
    present = shown.root.locator("[data-trait]:visible, select:visible, [data-do^=turn]:visible")
    assert present.evaluate_all("all => all.map((el) => el.dataset.trait || el.dataset.do)") == []


def test_negative_factors_stand_in_brackets(show):
    """Of a picture with negative numbers, both: in the cells of the products, which are as wide as they need."""
    shown = show(MaskExplorer(np.tile([0, -2, 3, 0], (8, 3)), "sobel_N", row=4, col=4))
    assert shown.cells("product") == ["0·(−1)", "+ 0·0", "+ (−2)·1", "+ 0·(−2)", "+ 0·0", "+ (−2)·2",
                                      "+ 0·(−1)", "+ 0·0", "+ (−2)·1"]
    assert faults(shown.page) == []
