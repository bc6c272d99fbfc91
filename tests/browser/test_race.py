"""The optimiser race: drag the start, scrub the time, find the cliff; once by keys alone, once by the pointer alone."""

import json

import numpy as np
import pytest

pytest.importorskip("anywidget")

from cnnlib.widgets import OptimiserRace

pytestmark = pytest.mark.browser


def places(shown):
    """Where each runner stands, as the map has drawn it."""
    return json.loads(shown.frame().root.locator('[data-part="map"]').get_attribute("data-places"))


def agree(shown, **state):
    """The map shows what Python computes for this state."""
    widget = OptimiserRace(**state)
    assert shown.line == widget.sentence()
    for name, path in zip(widget.runners, widget.paths):
        np.testing.assert_allclose(places(shown)[name], path[widget.step], rtol=1e-5, atol=1e-5)


def test_the_lesson_by_keys(show):
    """The cliff of the bowl: 0.2 swings for ever, a step more and it leaves; then the start, the time, the noise."""
    shown = show(OptimiserRace("bowl", lr={"sgd": 0.2}, step=100)).hear()
    agree(shown, surface="bowl", lr={"sgd": 0.2}, step=100)
    shown.tab_to('[data-trait="lr-sgd"] input').press("ArrowUp").frame()  # a quarter more
    assert shown.get("lr") == {"sgd": 0.25} and "SGD diverged at step 15" in shown.readout
    shown.press("ArrowDown", "ArrowDown")
    assert shown.get("lr") == {"sgd": 0.16}
    agree(shown, surface="bowl", lr={"sgd": 0.16}, step=100)
    shown.press("u").settle()  # typed into a field it is a letter; Escape leaves the field
    shown.press("Escape", "u", "u")
    assert shown.frame().get("lr") == {"sgd": 0.2}
    shown.root.locator('[data-part="map"]').focus()
    shown.press("ArrowRight", "ArrowRight", "Shift+ArrowUp").frame()
    assert shown.get("start") == [-1.1, 1.5]
    agree(shown, surface="bowl", lr={"sgd": 0.2}, step=100, start=(-1.1, 1.5))
    shown.root.locator('[data-trait="step"] input').focus()
    shown.press("Home").settle()
    assert shown.get("step") == 0 and {tuple(at) for at in places(shown).values()} == {(-1.1, 1.5)}
    shown.press("End").settle()
    assert shown.get("step") == 300
    assert any("step 300 of 300" in words for words in shown.heard)
    shown.check()


def test_the_lesson_by_pointer(show):
    shown = show(OptimiserRace("ravine", step=40))
    box = shown.root.locator('[data-part="map"]').bounding_box()
    mouse = shown.page.mouse
    mouse.move(box["x"] + box["width"] / 4, box["y"] + box["height"] / 4)
    mouse.down()
    mouse.move(box["x"] + 3 * box["width"] / 4, box["y"] + box["height"] / 2, steps=4)
    shown.frame()
    assert shown.messages == 0 and shown.get("start") == pytest.approx([1, 0], abs=0.03)
    mouse.up()
    assert shown.frame().messages == 1
    agree(shown, surface="ravine", step=40, start=shown.get("start"))
    shown.root.locator('[data-value="two valleys"]').click()
    agree(shown, surface="two valleys", step=40)
    shown.do("look-adam")
    agree(shown, surface="two valleys", step=40, look="adam")
    assert "Adam at (" in shown.line and shown.root.locator('[data-part="map"]').get_attribute("data-arrows") == "2"
    shown.root.locator('[data-part="told-adam"]').hover()
    shown.do("look-adam")
    assert "slope" not in shown.line
    shown.root.get_by_label("momentum runs").click()
    assert shown.frame().get("runners") == ["sgd", "nesterov", "rmsprop", "adam"]
    field = shown.field("lr-sgd").bounding_box()
    mouse.move(field["x"] + 5, field["y"] + 5)
    mouse.down()
    mouse.move(field["x"] + 105, field["y"] + 5, steps=5)
    mouse.up()
    assert shown.frame().get("lr") == {"sgd": 0.2}
    shown.check()


def test_divergence_is_said_and_the_picture_stays(show):
    shown = show(OptimiserRace("bowl", runners=["sgd"], lr={"sgd": 0.21}, step=300))
    assert shown.line == "Bowl, kappa 10, step 300 of 300: SGD diverged at step 63."
    shown.type("lr-sgd", "0.19")
    assert shown.line == "Bowl, kappa 10, step 300 of 300: SGD below 1e−6."
    shown.type("lr-sgd", "0")
    assert "lr 0 of SGD: it must be above 0" in shown.refusal.inner_text()
    shown.root.locator('[data-do="fix"]').click()
    assert shown.frame().get("lr") == {"sgd": 0.01}


def test_a_hole_is_left_and_the_runner_marked_there(show):
    shown = show(OptimiserRace(lambda a, b: np.where(a > 0, np.nan, a * a + b * b), start=(-0.5, 0.5), step=300))
    assert "SGD left the surface at step 69, momentum left the surface at step 9" in shown.line
    assert shown.root.locator('[data-part="told-sgd"]').inner_text() == "left at step 69"
    assert shown.root.locator('[data-part="map"]').get_attribute("data-marks") == "5"
    shown.check()


def test_the_same_seed_gives_the_same_noise(show):
    shown = show(OptimiserRace("bowl", noise=0.5, seed=3, step=50))
    agree(shown, surface="bowl", noise=0.5, seed=3, step=50)
    again, other = OptimiserRace("bowl", noise=0.5, seed=3), OptimiserRace("bowl", noise=0.5, seed=4)
    assert np.array_equal(again.paths, OptimiserRace("bowl", noise=0.5, seed=3).paths)
    assert not np.array_equal(again.paths, other.paths)
    other.seed = 3
    assert np.array_equal(again.paths, other.paths)


def test_twins_are_called_so(show):
    shown = show(OptimiserRace("bowl", kappa=1.0, start=(1.0, 1.0), step=1, lr={"sgd": 0.1, "momentum": 0.1}))
    told = shown.root.locator('[data-part="told-momentum"]')
    assert told.inner_text() == "= SGD"
    shown.set("step", 2)
    assert told.inner_text() != "= SGD"


def test_predict_hides_until_it_is_said(show):
    shown = show(OptimiserRace("ravine", predict=True, step=20))
    assert "not yet shown" in shown.line and places(shown) == {}
    shown.root.locator('[data-part="question"] input').fill("5")
    shown.do("commit")
    winner = int(np.argmin(OptimiserRace("ravine").losses[:, 20])) + 1
    assert shown.get("predictions") == [{"place": "winner", "yours": 5, "computed": winner}]
    assert "SGD" in shown.line and len(places(shown)) == 5
    shown.set("kappa", 20.0)  # another race, another question
    assert places(shown) == {}


def test_a_prediction_is_a_runner_and_what_is_none_is_told_what_is_wanted(show):
    shown = show(OptimiserRace("ravine", predict=True, step=20))
    field, told = (shown.root.locator(f'[data-part="{part}"]') for part in ("question", "wanted"))
    assert "1 to 5" in field.inner_text()
    for text in ("0", "6", "abc", ""):
        field.locator("input").fill(text)
        assert told.inner_text() == ""
        shown.do("commit").frame()
        assert told.inner_text() == "type a name, such as SGD, or a row, 1 to 5" and not shown.get("predictions")
    field.locator("input").fill(" adam ")
    shown.do("commit").frame()
    assert [each["yours"] for each in shown.get("predictions")] == [5] and told.inner_text() == ""
    assert len(places(shown)) == 5


def test_it_runs_and_stops_at_the_end(show):
    shown = show(OptimiserRace("bowl", steps=20, step=15))
    shown.do("play")
    shown.page.wait_for_function("model.get('step') === 20")
    shown.page.wait_for_function("document.querySelector('[data-do=play]').textContent === 'run'")
    assert shown.get("step") == 20
