"""The Adaline machine, driven in Chromium: by hand, then by its rules; once by keys alone, once by pointer."""

import numpy as np
import pytest

pytest.importorskip("anywidget")

from cnnlib.widgets import AdalineMachine, _adaline

pytestmark = pytest.mark.browser


def marks(shown):
    """What each pattern's button says: ✓ or ✗."""
    return shown.frame().root.locator('[data-do="pattern"] b').all_inner_texts()


def knob(shown, at):
    return shown.root.locator(f'[data-part="weight"] [data-at="{at}"]')


def painted(shown, selector):
    """The colours of a picture of 4×4 cells, but for those that are paper."""
    colours = shown.frame().root.locator(selector).evaluate("""(canvas) => [...Array(16).keys()].map((k) => {
      const at = (i) => (i + 0.5) * canvas.width / 4, context = canvas.getContext("2d");
      return [...context.getImageData(at(k % 4), at(Math.floor(k / 4)), 1, 1).data].slice(0, 3);
    })""")
    return {divmod(k, 4): tuple(rgb) for k, rgb in enumerate(colours) if rgb != [255, 255, 255]}


def same_words(shown):
    """The screen says what Python says of the state on screen."""
    names = ("inputs", "weights", "bias", "target", "rule", "patterns", "rate")
    assert shown.line == AdalineMachine(**{name: shown.get(name) for name in names}).sentence()


def test_the_lesson_by_keys_alone(show):
    """Turn switches and knobs, let it learn, the other rule, XOR, undo, predict, code; told by its sentences alone."""
    shown = show(AdalineMachine()).hear()
    shown.tab_to('[data-part="input"] .cw-cell').press("ArrowRight", "ArrowRight", "ArrowDown", " ").frame()
    expected = AdalineMachine().inputs.copy()
    expected[1, 2] *= -1
    np.testing.assert_array_equal(shown.get("inputs"), expected)
    shown.press("Control+z").frame()
    shown.tab_to(".cw-knob").press("ArrowUp", "ArrowUp", "+", "ArrowDown")
    assert shown.get("weights")[0, 0] == np.float32(0.1) and shown.get("turn") == 4
    assert shown.readout.startswith("Sum 0.1, wanted 1: error 0.9; every knob turns by 0.053. Lamp +1, right.")
    shown.press("ArrowRight", "ArrowRight", "PageDown", "-", "Shift+ArrowDown", *["PageDown"] * 3, "ArrowUp").frame()
    weights = np.zeros((4, 4), np.float32)
    weights[0, 0], weights[1, 2] = 0.1, -0.55
    np.testing.assert_array_equal(shown.get("weights"), weights)
    assert shown.get("bias") == np.float32(0.05)
    focused = shown.page.locator(".cw-knob:focus")
    assert focused.get_attribute("aria-label") == "bias knob"
    assert float(focused.get_attribute("aria-valuenow")) == pytest.approx(0.05)
    shown.press("u", "u", "u").frame()
    assert shown.get("turn") == 0 and not shown.get("weights").any()
    shown.tab_to('[data-do="learn"]').press("Enter").frame()
    machine = AdalineMachine()
    machine.learn()
    assert shown.readout == machine.sentence() and "no error, nothing turns" in shown.line
    assert shown.root.locator('[data-part="sum"]').inner_text() == "sum 1.000 → says +1"
    shown.tab_to('[data-do="learn-all"]').press("Enter").frame()
    machine.learn_all()
    np.testing.assert_allclose(shown.get("weights"), machine.weights, atol=1e-5)
    assert shown.readout == machine.sentence() and set(marks(shown)) == {"✓"}
    assert len(shown.get("_history")) == machine.turn + 1
    shown.tab_to('[data-trait="rule"] [role=radio][aria-checked=true]').press("ArrowRight").frame()
    assert shown.get("rule") == "perceptron" and "no error after the threshold: nothing turns" in shown.readout
    shown.tab_to('[data-trait="rate"] .cw-number').press("Control+a", *"3/17", "Enter").frame()
    assert shown.get("rate") == pytest.approx(3 / 17)
    shown.page.locator(".cw").focus()
    shown.press("r").frame()
    assert shown.get("rule") == "adaline" and shown.get("turn") == 0
    shown.press("p").frame()
    assert shown.readout == "Sum ?, wanted 1: not yet shown." and set(marks(shown)) == {"?"}
    shown.press("0", "Enter").frame()
    assert shown.root.locator('[data-part="verdict"]').inner_text() == "yours 0 · computed 0"
    shown.page.locator(".cw").focus()
    shown.press("c").frame()
    assert shown.root.locator(".cw-code pre").inner_text() == AdalineMachine(predict=True).code()
    lesson = " / ".join(shown.heard)
    for told in ("every knob turns by 0.053", "no error, nothing turns", "All 6 patterns right", "after the threshold"):
        assert told in lesson, told


def test_the_lesson_by_pointer_alone(show):
    shown = show(AdalineMachine())
    box = knob(shown, "2,3").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + 15
    shown.page.mouse.move(x, y)
    shown.page.mouse.down()
    shown.page.mouse.move(x, y - 40, steps=4)
    assert shown.frame().messages == 0 and knob(shown, "2,3").inner_text() == "0.5"
    assert shown.line.startswith("Sum −0.5, wanted 1: error 1.5")
    assert shown.root.locator('[data-part="curve"]').get_attribute("data-points") == "2"
    shown.page.mouse.move(x, y - 100, steps=4)
    shown.page.mouse.up()
    assert shown.frame().messages == 1 and shown.get("turn") == 1 and shown.get("weights")[2, 3] == 1.25
    assert "cw-past" in knob(shown, "2,3").get_attribute("class") and knob(shown, "2,3").inner_text() == "1.25"
    assert knob(shown, "2,3").get_attribute("aria-valuenow") == "1"
    assert painted(shown, '[data-part="picture"]') == {(2, 3): (230, 159, 0)}
    assert painted(shown, '[data-name="J"] canvas').keys() == {(0, 2), (1, 2), (2, 0), (2, 2), (3, 0), (3, 1), (3, 2)}
    same_words(shown)
    shown.do("undo")
    assert shown.get("turn") == 0 and not shown.get("weights").any()
    ways = [knob(shown, f"{k // 4},{k % 4}").get_attribute("data-way") for k in range(16)]
    assert ways == [str(int(x)) for x in AdalineMachine().inputs.ravel()]  # each turns the way of its switch
    shown.root.locator('[data-name="J"]').click()
    assert shown.frame().get("target") == -1 and shown.line.startswith("Sum 0, wanted −1: error −1")
    shown.do("learn")
    machine = AdalineMachine(inputs=shown.get("inputs"), target=-1)
    machine.learn()
    np.testing.assert_allclose(shown.get("weights"), machine.weights, atol=1e-6)
    assert shown.line == machine.sentence()
    assert marks(shown) == ["✓" if right else "✗" for right in machine.right().values()]
    shown.root.locator('[data-trait="target"] [data-value="1"]').click()
    assert shown.frame().get("target") == 1 and "Lamp −1, wrong" in shown.line
    shown.cell("input", "0,0").click()
    shown.do("own")
    assert shown.get("patterns")["own 1"] == "#.#. ..#. #.#. ###. +1"
    assert shown.root.locator('[data-do="own"]').count() == 0 and len(marks(shown)) == 7
    assert shown.root.locator('[data-trait="patterns"] select').input_value() == "own"
    same_words(shown)
    shown.check()


def test_the_perceptron_leaves_the_knobs_when_right(show):
    shown = show(AdalineMachine(rule="perceptron"))
    shown.do("learn")
    assert shown.messages == 0 and shown.get("turn") == 0
    assert shown.line.startswith("Sum 0, wanted 1: no error after the threshold: nothing turns.")
    assert shown.root.locator("[data-way]").count() == 0
    shown.do("learn-all")
    assert set(marks(shown)) == {"✓"} and "nothing turns" in shown.line


def test_xor_is_never_learnt_and_said_to_be_impossible(show):
    shown = show(AdalineMachine())
    shown.root.locator('[data-trait="patterns"] select').select_option("xor")
    assert shown.frame().get("target") == -1 and len(marks(shown)) == 4
    for rule in ("adaline", "perceptron"):
        shown.root.locator(f'[data-value="{rule}"]').click()
        for _ in range(3):
            shown.do("learn-all")
            assert "✗" in marks(shown)
        assert "It takes more than one Adaline: a Madaline." in shown.line
    errors = [error for _, error in shown.get("_history")]
    assert len(errors) > 100 and min(errors) >= 1 - 1e-6  # the least that any weights have


def test_a_rate_above_two_seventeenths_overshoots(show):
    shown = show(AdalineMachine()).type("rate", "3/17")
    assert shown.get("rate") == pytest.approx(3 / 17) and "each turn overshoots, and the error grows" in shown.line
    for error in (-2, 4, -8):
        shown.do("learn")
        assert f"error {error:d};".replace("-", "−") in shown.line
    shown.do("learn-all")
    assert np.abs(shown.get("weights")).max() <= _adaline.RUNAWAY
    same_words(shown)
    shown.type("rate", "0")
    assert "rate 0: it must be above 0 and at most 1" in shown.refusal.inner_text()
    shown.do("learn").do("fix")
    assert shown.get("rate") == pytest.approx(1 / 17) and not shown.refusal.is_visible()
    slider = shown.root.locator('[data-trait="rate"] [type=range]')
    slider.press("ArrowRight")
    assert shown.frame().get("rate") == pytest.approx(1.05 / 17)


def test_hidden_controls_are_not_there(show):
    shown = show(AdalineMachine(hide=["learn", "rule", "rate", "patterns", "target", "picture", "curve", "own"]))
    assert shown.root.locator('[data-do^="learn"], [data-trait], [data-do="own"]').count() == 0
    assert not shown.root.locator('[data-part="picture"]').is_visible()
    shown.cell("input", "3,3").click()
    assert shown.frame().root.locator('[data-do="own"]').count() == 0 and len(marks(shown)) == 6
