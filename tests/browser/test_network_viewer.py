"""The network viewer in Chromium: draw, look, turn; by pointer, by touch, by keys; in the browser and with Python."""

import re

import numpy as np
import pytest
from budget import within
from network_cases import drawing_of, gelu_net, redrawn, small_net

from cnnlib import layers, widgets

pytestmark = pytest.mark.browser


def lenet():
    nn = layers
    return redrawn(nn.Sequential({
        "c1": nn.Conv2d(1, 6, 5), "relu1": nn.ReLU(), "s2": nn.MaxPool2d(2), "c3": nn.Conv2d(6, 16, 5),
        "relu3": nn.ReLU(), "s4": nn.MaxPool2d(2), "flatten": nn.Flatten(), "c5": nn.Linear(400, 120),
        "relu5": nn.ReLU(), "f6": nn.Linear(120, 84), "relu6": nn.ReLU(), "output": nn.Linear(84, 10)}), 5)


def viewer(**state):
    return widgets.NetworkViewer(state.pop("model", None) or lenet(), state.pop("input_shape", (1, 32, 32)), **state)


def canvas(shown):
    return shown.root.locator('[data-part="network"]')


def at(shown, part, across, down):
    """Return the pixel of the page at these shares of a part's width and height."""
    box = shown.root.locator(f'[data-part="{part}"]').bounding_box()
    return box["x"] + across * box["width"], box["y"] + down * box["height"]


def draw(shown, *points, steps=8):
    """Draw a line through points, as shares of the pad; the pointer stays down until the end."""
    mouse = shown.page.mouse
    mouse.move(*at(shown, "drawing", *points[0]))
    mouse.down()
    for point in points[1:]:
        mouse.move(*at(shown, "drawing", *point), steps=steps)
        shown.frame()
    mouse.up()
    return shown.frame()


SEVEN = [(0.2, 0.2), (0.8, 0.2), (0.5, 0.6), (0.4, 0.9)]


def test_every_map_follows_a_stroke_and_one_message_goes_out(show):
    shown = show(viewer())
    assert shown.readout.startswith("Nothing is drawn; the biases alone say ")
    frames, mouse = [], shown.page.mouse
    mouse.move(*at(shown, "drawing", 0.2, 0.2))
    mouse.down()
    for point in SEVEN[1:]:
        mouse.move(*at(shown, "drawing", *point), steps=10)
        frames.append(shown.frame().line)
        assert shown.messages == 0  # nothing to Python while the pointer is down
    mouse.up()
    shown.leave()
    assert len(set(frames)) == 3 and not any(line.startswith("Nothing") for line in frames)
    assert shown.messages == 1
    assert viewer(drawing=shown.get("drawing")).sentence() == shown.readout
    within("stroke to maps, median", float(canvas(shown).get_attribute("data-stroke-ms")), 100)
    shown.do("undo")
    assert not shown.get("drawing").any()


def test_each_stroke_is_a_step_of_undo_and_clear_is_one(show):
    shown = show(viewer(fit="drawn"))
    draw(shown, (0.2, 0.2), (0.8, 0.2))
    one = shown.get("drawing")
    draw(shown, (0.5, 0.5), (0.5, 0.9))
    assert (shown.get("drawing") >= one).all() and shown.get("drawing").sum() > one.sum()
    shown.do("undo")
    np.testing.assert_array_equal(shown.get("drawing"), one)
    shown.do("clear")
    assert not shown.get("drawing").any()
    shown.do("undo").do("undo")
    assert not shown.get("drawing").any()


def test_touch_draws(show):
    shown = show(viewer(), has_touch=True)
    client = shown.page.context.new_cdp_session(shown.page)
    for kind, place in [("touchStart", (0.3, 0.3)), ("touchMove", (0.5, 0.5)), ("touchMove", (0.7, 0.7)),
                        ("touchEnd", None)]:
        points = [dict(zip("xy", at(shown, "drawing", *place)))] if place else []
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    drawn = shown.frame().get("drawing")
    assert drawn[10, 10] > 0.9 and drawn[16, 16] > 0.9 and drawn[22, 22] > 0.9 and drawn[28, 4] == 0


def test_twenty_scans_are_read_as_python_reads_them(show):
    rng = np.random.default_rng(4)
    scans = np.stack([drawing_of(rng, (32, 32)) for _ in range(20)])
    shown, net = show(viewer(scans=scans)), lenet()
    for k in range(20):
        shown.root.locator('[data-do="scan"]').select_option(str(k))
        assert shown.frame().line == viewer(model=net, drawing=scans[k], fit="drawn").sentence()
        assert shown.get("fit") == "drawn"
    np.testing.assert_array_equal(shown.get("drawing"), scans[19])


@pytest.mark.parametrize("view", ["flat", "layered"])
def test_a_unit_shows_what_it_reads_and_hovering_sends_nothing(show, view):
    scan = drawing_of(np.random.default_rng(3), (32, 32))
    shown = show(viewer(drawing=scan, fit="drawn", view=view))
    seen = {}
    box = canvas(shown).bounding_box()
    for row in (0.52, 0.58, 0.4):
        for col in range(6, 80):
            if len(seen) == 7:
                break
            shown.page.mouse.move(box["x"] + col / 92 * box["width"], box["y"] + row * box["height"])
            shown.frame()
            focus = canvas(shown).get_attribute("data-focus")
            if focus and int(focus[0]) not in seen:
                seen[int(focus[0])] = (int(canvas(shown).get_attribute("data-lines")), focus, shown.line)
    assert {stage: lines for stage, (lines, _, _) in seen.items()} == {
        0: 25, 1: 4, 2: 150, 3: 4, 4: 400, 5: 120, 6: 84}
    for _, focus, line in seen.values():
        selected = [int(n) for n in focus.split(",")]
        assert viewer(drawing=scan, fit="drawn", view=view, selected=selected).sentence() == line
    assert shown.messages == 0
    assert canvas(shown.leave()).get_attribute("data-focus") == ""


def test_a_click_keeps_a_unit_another_beside_the_maps_lets_go(show):
    shown = show(viewer(view="flat"))
    shown.page.mouse.click(*at(shown, "network", 0.42, 0.5))
    chosen = shown.leave().get("selected")
    assert len(chosen) == 4 and shown.line.count("reads") == 1
    shown.page.mouse.click(*at(shown, "network", 0.01, 0.98))
    assert shown.get("selected") == [] and shown.messages == 2


def test_turning_changes_no_number(show):
    shown = show(viewer(drawing=drawing_of(np.random.default_rng(3), (32, 32)), view="layered"))
    state, line, picture = shown.state(), shown.line, canvas(shown).screenshot()
    mouse = shown.page.mouse
    mouse.move(*at(shown, "network", 0.5, 0.5))
    mouse.down()
    mouse.move(*at(shown, "network", 0.2, 0.6), steps=6)
    mouse.up()
    assert canvas(shown.leave()).get_attribute("data-turn") != "36,22"
    assert shown.state() == state and shown.line == line and shown.messages == 0
    assert canvas(shown).screenshot() != picture
    canvas(shown).focus()
    shown.press("Shift+ArrowRight", "Shift+ArrowUp").frame()
    assert shown.state() == state and shown.messages == 0


def test_a_drag_that_jumps_out_turns_and_reset_turns_back(show):
    shown = show(viewer(drawing=drawing_of(np.random.default_rng(3), (32, 32)), view="layered"))
    mouse, picture = shown.page.mouse, canvas(shown).screenshot()
    mouse.move(*at(shown, "network", 0.5, 0.5))
    mouse.down()
    mouse.move(*at(shown, "network", -0.3, 0.5))  # at once, outside
    mouse.up()
    assert canvas(shown.leave().frame()).get_attribute("data-turn").startswith("-")
    assert shown.get("selected") == []
    mouse.click(*at(shown, "network", 0.5, 0.5))
    assert len(shown.leave().frame().get("selected")) == 4  # a click still chooses
    shown.do("reset").leave().frame()
    assert canvas(shown).get_attribute("data-turn") == "36,22" and canvas(shown).screenshot() == picture


def test_grain_and_margin_of_a_cell_reach_the_numbers(show):
    scan = drawing_of(np.random.default_rng(3), (32, 32))
    shown = show(viewer(drawing=scan, fit="framed"))
    for name, value in (("grain", 16), ("margin", 12), ("grain", 1)):
        shown.set(name, value).frame()
        state = {each: shown.get(each) for each in ("grain", "margin")}
        assert shown.line == viewer(drawing=scan, fit="framed", **state).sentence(), state


def test_the_lesson_by_keys_alone(show):
    """Ink on the pad, the answer spoken; then down to one unit of the second convolution, and its gradient."""
    shown = show(viewer(fit="drawn")).hear()
    shown.tab_to('[data-part="drawing"]').press(*["ArrowUp"] * 8, " ", *["ArrowDown", " "] * 12).frame()
    drawn = shown.get("drawing")
    assert drawn[8:20, 16].min() > 0.9 and shown.messages >= 13
    assert any(re.match(r"\d, \d+ percent; next", text) for text in shown.heard)
    shown.tab_to('[data-part="network"]').press("ArrowDown").frame()
    assert shown.get("selected") == [0, 0, 0, 0]
    shown.press("PageUp", "PageUp", "+", "+", "ArrowDown", "ArrowRight").frame()
    assert shown.get("selected") == [2, 2, 1, 1] and "c3, map 2, row 1, column 1: " in shown.readout
    assert canvas(shown).get_attribute("data-lines") == "150"
    shown.press("PageUp", "PageUp", "ArrowDown").frame()
    assert shown.get("selected")[:2] == [4, 3]  # units stand in a row
    shown.tab_to('[data-trait="direction"] [data-value="forward"]').press("ArrowRight").frame()
    assert shown.get("direction") == "backward" and "c5, unit 3: gradient " in shown.readout
    made = viewer(drawing=drawn, fit="drawn", selected=shown.get("selected"), direction="backward")
    assert made.sentence() == shown.readout


def test_predict_hides_the_answer(show):
    shown = show(viewer(drawing=drawing_of(np.random.default_rng(3), (32, 32)), predict=True))
    assert shown.readout == "Draw, and say what the network will answer."
    assert canvas(shown).get_attribute("data-value") == ""
    assert "percent" not in canvas(shown).get_attribute("aria-label")
    shown.root.locator('[data-part="question"] input').fill("3")
    shown.do("commit")
    answer = int(shown.line.split(",")[0])
    assert shown.get("predictions") == [{"place": "answer", "yours": 3, "computed": answer}]
    draw(shown, *SEVEN)
    assert shown.line == "Draw, and say what the network will answer."  # another drawing, another question


def test_silent_maps_are_marked(show):
    net = small_net()
    net["conv"].weight.data[1], net["conv"].bias.data[1] = -1, 0
    shown = show(viewer(model=net, input_shape=(1, 8, 8), drawing=drawing_of(np.random.default_rng(3), (8, 8))))
    made = viewer(model=net, input_shape=(1, 8, 8), drawing=shown.get("drawing"))
    dead = sum(not plane.any() for out in made.outs()[:3] for plane in out)
    assert dead >= 2 and canvas(shown).get_attribute("data-silent") == str(dead)


def answer(shown, widget):
    """Do what the kernel would do."""
    widget.drawing = shown.get("drawing")
    shown.page.evaluate("""([values, gradients, answered]) => {
      for (const [name, data] of [['_values', values], ['_gradients', gradients]]) {
        model.set(name, { shape: [data.length], dtype: 'float32', data: new DataView(Float32Array.from(data).buffer) });
      }
      model.set('_answered', answered);
    }""", [widget._values.tolist(), widget._gradients.tolist(), widget._answered])


def test_python_is_not_asked_for_what_it_knows(show):
    """It answers while the pointer is still down; lifting it changes nothing, so there is nothing to wait for."""
    widget = viewer(model=gelu_net(), input_shape=(1, 8, 8))
    shown = show(widget)
    mouse = shown.page.mouse
    mouse.move(*at(shown, "drawing", 0.4, 0.4))
    mouse.down()
    assert shown.line.endswith("(asking Python…)")
    answer(shown, widget)
    assert shown.line == widget.sentence()
    late = widget.drawing
    mouse.move(*at(shown, "drawing", 0.8, 0.4), steps=3)
    shown.page.evaluate("(data) => model.set('drawing', { shape: [8, 8], dtype: 'float32', data: new DataView("
                        "Float32Array.from(data).buffer) })", late.ravel().tolist())  # an echo of what was sent first
    mouse.move(*at(shown, "drawing", 0.8, 0.8), steps=3)
    assert shown.get("drawing")[3, 5] > 0.8  # the line from before the echo is still there
    answer(shown, widget)
    mouse.up()
    shown.page.wait_for_timeout(3200)
    assert shown.leave().readout == widget.sentence()


def test_the_time_of_a_stroke_ends_with_pythons_answer(show):
    widget = viewer(model=gelu_net(), input_shape=(1, 8, 8))
    shown = show(widget)
    mouse = shown.page.mouse
    mouse.move(*at(shown, "drawing", 0.4, 0.4))
    mouse.down()
    shown.page.wait_for_timeout(300)
    assert canvas(shown).get_attribute("data-strokes") is None  # the old maps are no answer
    answer(shown, widget)
    assert canvas(shown.frame()).get_attribute("data-strokes") == "1"
    assert float(canvas(shown).get_attribute("data-stroke-ms")) > 290
    mouse.up()
    assert canvas(shown.frame()).get_attribute("data-strokes") == "1"  # nothing new was asked


def test_python_as_the_engine(show):
    """The page shows what Python sent, asks again when something is drawn, and says so when nobody answers."""
    widget = viewer(model=gelu_net(), input_shape=(1, 8, 8))
    shown = show(widget)
    assert shown.readout == widget.sentence() and shown.get("_by") == "python"
    draw(shown, (0.3, 0.3), (0.6, 0.6))
    assert shown.line.endswith("(asking Python…)") and shown.messages >= 1
    answer(shown, widget)
    assert shown.readout == widget.sentence() and not shown.line.startswith("Nothing")
    draw(shown, (0.3, 0.6), (0.6, 0.3))
    shown.page.wait_for_timeout(3200)
    assert shown.line.endswith("(the kernel does not answer; run the cell above)")


def test_three_channels_and_many_maps(show):
    nn = layers
    net = redrawn(nn.Sequential(nn.Conv2d(3, 40, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                                nn.Linear(40, 3)), 1)
    widget = viewer(model=net, input_shape=(3, 9, 12), drawing=drawing_of(np.random.default_rng(1), (9, 12)))
    shown = show(widget)
    assert shown.readout == widget.sentence()
    assert shown.page.evaluate("document.querySelectorAll('canvas').length") == 2
    shown.set("view", "layered")
    assert shown.line == widget.sentence()


def crowded():
    nn = layers
    return redrawn(nn.Sequential({"conv": nn.Conv2d(1, 40, 3), "relu": nn.ReLU(), "deep": nn.Conv2d(40, 256, 3),
                                  "relu2": nn.ReLU(), "pool": nn.AdaptiveAvgPool2d(1), "flatten": nn.Flatten(),
                                  "fc": nn.Linear(256, 3)}), 1)


def test_pages_reach_every_map(show):
    """16 of 256: by pointer to the next page, by keys to the last one; a map that keys select has its page shown."""
    scan = drawing_of(np.random.default_rng(3), (8, 8))
    shown = show(viewer(model=crowded(), input_shape=(1, 8, 8), drawing=scan, fit="drawn"))
    page = shown.root.locator('[data-part="page"]')
    assert page.inner_text() == "1 of 3" and shown.root.locator('[data-do="page-back"]').is_disabled()
    maps = [shown.page.evaluate(MAPS)]
    shown.do("page-on")
    assert shown.get("pages") == {"conv": 1} and page.inner_text() == "2 of 3" and shown.messages == 1
    maps.append(shown.page.evaluate(MAPS))
    shown.tab_to('[data-do="page-on"]').press("Enter").frame()
    assert shown.get("pages") == {"conv": 2} and shown.root.locator('[data-do="page-on"]').is_disabled()
    maps.append(shown.page.evaluate(MAPS))
    assert sorted(k for each in maps for k in each["conv"]) == list(range(40))
    shown.root.locator('[data-do="crowd"]').select_option(label="deep")
    assert len(shown.frame().page.evaluate(MAPS)["deep"]) == 16 and page.inner_text() == "1 of 16"
    canvas(shown).focus()
    shown.press("ArrowDown", "PageUp", *["+"] * 20).frame()
    assert shown.get("selected")[:2] == [1, 20] and 20 in shown.page.evaluate(MAPS)["deep"]
    assert int(canvas(shown).get_attribute("data-lines")) == 9 * 40
    made = viewer(model=crowded(), input_shape=(1, 8, 8), drawing=scan, fit="drawn", selected=shown.get("selected"),
                  pages=shown.get("pages"))
    assert made.sentence() == shown.line
    shown.check()


MAPS = "JSON.parse(document.querySelector('[data-part=network]').dataset.maps)"


def numbers(shown, role):
    cells = shown.root.locator(f".cw-net-cells.cw-{role} span").all_inner_texts()
    return np.array([float(text.replace("−", "-")) for text in cells])


def test_the_products_of_a_kept_unit(show):
    """Window times filter, map by map: the numbers are the net's, and the sums of all maps make the unit's."""
    scan = drawing_of(np.random.default_rng(3), (32, 32))
    shown = show(viewer(drawing=scan, fit="drawn", selected=(2, 3, 4, 5), channel=1))
    made = viewer(drawing=scan, fit="drawn", selected=(2, 3, 4, 5), channel=1)
    window, stage = made.outs()[1][:, 4:9, 5:10], made._network.stages[2]
    np.testing.assert_allclose(numbers(shown, "input"), window[1].ravel(), atol=0.051)
    np.testing.assert_allclose(numbers(shown, "weight"), stage.weight[3, 1].ravel(), atol=0.0051)
    np.testing.assert_allclose(numbers(shown, "output"), (window[1] * stage.weight[3, 1]).ravel(), atol=0.051)
    sums = shown.root.locator('[data-do^="channel"]').all_inner_texts()
    values = [float(text.split(": ")[1].replace("−", "-")) for text in sums]
    np.testing.assert_allclose(values, (window * stage.weight[3]).sum((1, 2)), atol=0.0051)
    total = shown.root.locator(".cw-net-products b").inner_text()
    assert total.startswith("all and the bias ") and total.split(": ")[1].split(",")[0] in shown.line
    shown.do("channel-4")
    assert shown.get("channel") == 4 and "(map 4 of s2: " in shown.line and shown.messages == 1
    assert shown.page.evaluate("document.activeElement.dataset.do") == "channel-4"
    np.testing.assert_allclose(numbers(shown, "weight"), stage.weight[3, 4].ravel(), atol=0.0051)
    height = canvas(shown).bounding_box()["height"]
    shown.tab_to('[data-part="network"]').press("PageUp").frame()  # the pool above: its window, and the largest of it
    assert shown.root.locator(".cw-net-cells").count() == 1 and numbers(shown, "input").size == 4
    assert "the largest: " in shown.root.locator(".cw-net-products b").inner_text()
    shown.root.locator('[data-value="backward"]').click()
    assert not shown.frame().root.locator(".cw-net-products").is_visible()
    assert canvas(shown).bounding_box()["height"] > height
    shown.check()


def test_the_products_open_on_the_largest_sum(show):
    """Of 64 units the eight with the largest sums have buttons; the one shown stands apart if it is none of them."""
    scan = drawing_of(np.random.default_rng(3), (8, 8))
    nn = layers
    net = redrawn(nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 3)), 2)
    made = viewer(model=net, input_shape=(1, 8, 8), drawing=scan, fit="drawn", selected=(1, 2, 0, 0))
    sums = abs(made.outs()[0][:, 0, 0] * net[3].weight.data[2])
    order = np.argsort(-sums, kind="stable")
    shown = show(made)
    row, buttons = shown.root.locator(".cw-net-products"), shown.root.locator('[data-do^="channel"]')
    assert f"window in fc1, unit {order[0]}" in row.inner_text()
    assert shown.line == made.sentence() and f"(unit {order[0]} of fc1: " in shown.line
    assert sorted(int(text.split(":")[0]) for text in buttons.all_inner_texts()) == sorted(order[:8])
    assert "the 8 largest sums of 64" in row.inner_text() and "and the one shown" not in row.inner_text()
    shown.set("channel", int(order[20])).frame()
    assert [int(text.split(":")[0]) for text in buttons.all_inner_texts()] == [*sorted(order[:8]), order[20]]
    assert "and the one shown" in row.inner_text()
    shown.check()


def test_a_large_window_is_cut_and_says_so(show):
    scan = drawing_of(np.random.default_rng(3), (8, 8))
    net = redrawn(layers.Sequential(layers.Flatten(), layers.Linear(64, 3)), 2)
    shown = show(viewer(model=net, input_shape=(1, 8, 8), drawing=scan, fit="drawn", selected=(0, 1, 0, 0)))
    assert "25 of 64 products" in shown.root.locator(".cw-net-products").inner_text()
    most = abs(scan.ravel() * net[1].weight.data[1]).max()
    assert abs(numbers(shown, "output")).max() == pytest.approx(most, abs=0.0051)


def test_a_net_of_random_weights_says_so(show):
    nn, rng = layers, np.random.default_rng(0)
    net = nn.Sequential(nn.Conv2d(1, 4, 3, rng=rng), nn.ReLU(), nn.Flatten(), nn.Linear(144, 3, rng=rng))
    shown = show(viewer(model=net, input_shape=(1, 8, 8)))
    label = shown.root.locator('[data-part="untrained"]')
    assert label.is_visible() and label.inner_text() == "random weights"
    assert shown.readout.startswith("Random weights. Nothing is drawn")
    shown.set("trained", True)
    assert not label.is_visible() and shown.line.startswith("Nothing is drawn")


def test_no_products_where_python_computes(show):
    widget = viewer(model=small_net(), input_shape=(1, 8, 8), engine="python", selected=(2, 3, 1, 0),
                    drawing=drawing_of(np.random.default_rng(3), (8, 8)))
    shown = show(widget)
    assert shown.line == widget.sentence() and not shown.root.locator(".cw-net-products").is_visible()
    shown.check()


def test_drawing_costs_less_than_a_frame(show):
    shown = show(viewer())
    for k in range(6):
        draw(shown, (0.2, 0.1 + k / 8), (0.8, 0.15 + k / 8), steps=20)
    within("stroke to maps, median of many", float(canvas(shown).get_attribute("data-stroke-ms")), 100)
    within("95 of 100 frames while drawing", float(shown.root.get_attribute("data-frame-ms")), 16)
