"""The architecture explorer, driven in Chromium: what lectures 40 to 46 do with it, and what it must never do."""

import pytest
from looks import faults

pytestmark = pytest.mark.browser

OWN, OTHER, PHOTO = '[data-part="input"]', '[data-part="other"]', 'canvas[data-part="photo"]'
HEIGHTS = """(part) => [...document.querySelectorAll(`[data-part=${part}] .cw-arch-bar b`)]
  .map((bar) => bar.getBoundingClientRect().height)"""


def explorer(*arguments, **state):
    from cnnlib.widgets import ArchitectureExplorer

    return ArchitectureExplorer(*arguments, **state)


def total(shown):
    return shown.root.locator('[data-part="total"]').first.inner_text()


def test_the_lesson_by_keys_alone(show):
    """Where are VGG's parameters, where its work, and which stage first sees the whole photo? Told in sentences."""
    shown = show(explorer("vgg16", stage="pool5")).hear()
    shown.tab_to(OWN)
    assert shown.readout == "Stage pool5: 512×7×7, sees 212×212 pixels in steps of 32. 0 parameters, 0 percent of " \
        "138,357,544."
    assert total(shown) == "138,357,544 parameters"
    shown.press("ArrowRight", "ArrowRight").settle()
    assert shown.readout == "Stage fc6: 4,096 numbers, sees 404×404 pixels. 102,764,544 parameters, 74.3 percent of " \
        "138,357,544."
    shown.press(*["ArrowRight"] * 4)
    assert shown.get("stage") == "fc8"  # from the last stage there is no way on
    sent = shown.messages
    shown.press("ArrowRight", "ArrowDown", "ArrowUp")
    assert shown.get("stage") == "fc8" and shown.messages == sent + 0
    shown.tab_to('[data-trait="measure"] [aria-checked="true"]').press("ArrowRight").settle()
    assert shown.get("measure") == "mult-adds" and total(shown) == "15,470,264,320 multiply-adds"
    shown.root.locator(OWN).focus()
    shown.press(*["ArrowLeft"] * 5).settle()
    assert shown.get("stage") == "conv5_3" and "462,422,016 multiply-adds, 3 percent" in shown.readout
    shown.root.locator(PHOTO).focus()
    shown.press("ArrowUp", "ArrowLeft").settle()
    assert shown.readout.endswith("Unit at row 6, column 6 sees rows 6 to 201, columns 6 to 201.")
    shown.press("r").settle()
    assert shown.get("stage") == "pool5" and shown.get("row") is None
    lesson = " / ".join(shown.heard)
    for told in ("74.3 percent", "3 percent of 15,470,264,320", "Unit at row 6", "sees 212×212"):
        assert told in lesson, told


def test_into_a_block_and_out_again(show):
    shown = show(explorer("resnet50", stage="conv3_x"))
    shown.tab_to(OWN).press("ArrowDown").frame()
    assert shown.get("stage") == "conv3_x.conv3_1"
    assert shown.root.locator(f"{OWN} .cw-arch-stage").count() == 4
    assert total(shown) == "1,219,584 parameters"
    assert shown.root.locator(".cw-arch-crumb b").first.inner_text() == "resnet50 › conv3_x"
    shown.press("ArrowDown", "ArrowRight").frame()
    assert shown.get("stage") == "conv3_x.conv3_1.residual.shortcut"
    shown.press("ArrowUp", "ArrowUp").settle()
    assert shown.get("stage") == "conv3_x" and shown.readout.startswith("Stage conv3_x: 512×28×28, sees 99×99 pixels")
    shown.do("undo")
    assert shown.get("stage") == "conv3_x" and shown.messages > 0  # moves in a row are one step


def test_the_lesson_by_pointer_alone(show):
    shown = show(explorer("alexnet"))
    shown.root.locator(f'{OWN} [data-at="pool5"]').click()
    assert shown.frame().get("stage") == "pool5" and "sees 195×195 pixels in steps of 32" in shown.line
    canvas = shown.root.locator(PHOTO)
    assert canvas.get_attribute("data-value") == "195×195"
    box = canvas.bounding_box()
    canvas.click(position={"x": box["width"] * 0.4, "y": box["height"] * 0.45})
    row, col, first = shown.frame().get("row"), shown.get("col"), canvas.get_attribute("data-first")
    assert 0 <= col <= row <= 2 and f"Unit at row {row}, column {col} sees rows" in shown.line
    canvas.click(position={"x": box["width"] * 0.65, "y": box["height"] * 0.45})
    shown.frame()
    steps = [int(b) - int(a) for a, b in zip(first.split(","), canvas.get_attribute("data-first").split(","))]
    assert steps[0] == 0 and steps[1] > 0 and steps[1] % 32 == 0  # the field moves by the stage's step
    shown.root.locator('[data-trait="measure"] [data-value="field"]').click()
    assert shown.frame().get("measure") == "field"
    shown.do("undo")
    assert shown.get("measure") == "params"


def test_two_nets_on_one_scale(show):
    """VGG-16's fc6 is the longest bar of both; every bar is its share of it."""
    widget = explorer("resnet50")
    shown = show(widget)
    assert not shown.root.locator(OTHER).is_visible()
    shown.root.locator('[data-trait="compare"] select').select_option("vgg16")
    shown.frame()
    assert shown.line.endswith("vgg16: 138,357,544 parameters in all.")
    assert shown.root.locator('[data-part="total"]').all_inner_texts() == ["25,557,032 parameters",
                                                                           "138,357,544 parameters"]
    own, other = (shown.page.evaluate(HEIGHTS, part) for part in ("input", "other"))
    stages = [widget._net["stages"], widget._others["vgg16"]["stages"]]
    longest = max(other)
    for bars, of in zip((own, other), stages):
        for bar, each in zip(bars, of, strict=True):
            assert abs(bar - longest * each["parameters"] / 102_764_544) < 0.6, each["path"]
    assert abs(sum(own) / sum(other) - 25_557_032 / 138_357_544) < 0.02


def test_a_stage_of_each_net_on_one_photo(show):
    """By pointer and by keys: the second net's unit looks at the same place; both frames are drawn."""
    shown = show(explorer("vgg16", stage="pool5", compare="alexnet", row=2, col=4)).hear()
    canvas = shown.root.locator(PHOTO)
    assert canvas.get_attribute("data-second") == ""
    shown.root.locator(f'{OTHER} [data-at="pool5"]').click()
    assert shown.frame().get("compare_stage") == "pool5" and shown.get("stage") == "pool5"
    assert shown.line.endswith("Its pool5: 256×6×6, sees 195×195 pixels in steps of 32.")
    assert canvas.get_attribute("data-first") == "-26,38"
    assert canvas.get_attribute("data-second") == "-2,62"  # -66 + 32 k: middles at 95 and 159, nearest to 79.5, 143.5
    purple = shown.page.evaluate("""() => {
      const canvas = document.querySelector('canvas[data-part=photo]');
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      let count = 0;
      for (let k = 0; k < data.length; k += 4) count += data[k] > data[k + 1] + 60 && data[k + 2] > data[k + 1] + 40;
      return count; }""")
    assert purple > 150, purple
    shown.tab_to(OTHER).press("ArrowLeft").settle()
    assert shown.get("compare_stage") == "conv5" and "Its conv5: 256×13×13" in shown.readout
    assert shown.root.locator('[data-part="second"]').inner_text().startswith("conv5 256×13×13")
    shown.press("Enter").settle()
    assert shown.get("compare_stage") is None and not shown.root.locator('[data-part="second"]').is_visible()
    shown.do("undo")
    shown.root.locator('[data-trait="compare"] select').select_option("resnet18")
    assert shown.frame().get("compare_stage") is None


@pytest.mark.parametrize("nets", [
    ("vgg16", "conv4_3", "alexnet", "pool5"), ("resnet50", "conv4_x", "vgg16", "conv4_3"),
    ("mobilenet1", "pair8", "resnet50", "conv4_x"), ("googlenet", "inception4e", None, None)])
def test_a_projector_shows_two_nets_in_one_piece(show, nets):
    """At most 560 pixels tall, so that nobody scrolls before a class; nothing is cut off for it."""
    name, stage, other, second = nets
    shown = show(explorer(name, stage=stage, compare=other, compare_stage=second, size="projector"))
    for width in (848, 680):
        shown.page.evaluate("(width) => { document.querySelector('.place').style.width = `${width}px`; }", width)
        assert shown.frame().root.bounding_box()["height"] <= 560
        assert faults(shown.page) == []


def test_the_strongest_maps_are_drawn(show):
    """Pixel by pixel what Python sent; other maps with another stage, none for a row of numbers."""
    from network_cases import small_net

    widget = explorer(small_net(), input_shape=(1, 8, 8), photo="cat", stage="conv")
    shown = show(widget)
    strip = shown.root.locator(".cw-arch-strong")
    drawn = shown.page.evaluate("""() => [...document.querySelectorAll('.cw-arch-strong canvas')].map((canvas) => {
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      return [...data].filter((_, k) => k % 4 === 0); })""")
    assert [level for canvas in drawn for level in canvas] == list(widget._maps["conv"]["data"])
    numbers = [str(channel) for channel in widget._net["stages"][0]["strong"]]
    assert strip.locator("span").all_inner_texts() == numbers and len(numbers) > 1
    assert f"Strongest maps of the photo: {', '.join(numbers)}." in shown.readout
    shown.tab_to(OWN).press(*["ArrowRight"] * 8).settle()
    assert "Largest numbers for the photo: " in shown.readout and not strip.is_visible()
    shown.press(*["ArrowLeft"] * 8).frame()
    assert strip.is_visible()
    for width in (848, 680):
        shown.page.evaluate("(width) => { document.querySelector('.place').style.width = `${width}px`; }", width)
        for size in ("projector", "normal"):
            assert shown.set("size", size).root.bounding_box()["height"] <= 560
            assert faults(shown.page) == []


def test_a_small_nets_field_on_the_photo_of_a_large_one(show):
    """LeNet-5's c1 sees 5 of 32 pixels: 35 of the 224 that VGG-16 gets of the same photo."""
    shown = show(explorer("vgg16", stage="pool5", compare="lenet5_1998", compare_stage="c1"))
    first = shown.root.locator(PHOTO).get_attribute("data-second")
    assert first == "98,98"  # 14 times 7, about the middle of what pool5's middle unit sees, 6 + 105.5


def test_the_field_is_dashed_where_it_goes_beyond_the_photo(show):
    """Left of the photo green comes and goes along the field's edge; on the photo it does not stop."""
    shown = show(explorer("vgg16", stage="conv5_3", row=7, col=0))
    runs = shown.page.evaluate("""() => {
      const canvas = document.querySelector('canvas[data-part=photo]'), context = canvas.getContext('2d');
      const { data, width, height } = context.getImageData(0, 0, canvas.width, canvas.height);
      const green = (x, y) => { const k = 4 * (y * width + x);
        return Math.abs(data[k]) < 60 && Math.abs(data[k + 1] - 158) < 40 && Math.abs(data[k + 2] - 115) < 50; };
      const changes = (list) => list.filter((on, k) => k && on !== list[k - 1]).length;
      const along = (y) => [...Array(width).keys()].map((x) => green(x, y));
      const rows = [...Array(height).keys()].map(along);
      return rows.map((row) => [row.filter(Boolean).length, changes(row)]).sort((a, b) => b[0] - a[0])[0];
    }""")
    count, changes = runs
    assert count > 40 and changes >= 6, runs  # dashes outside, then one long line inside


def test_predict(show):
    shown = show(explorer("vgg16", stage="fc6", predict=True))
    assert shown.readout == "Stage fc6: predict its parameters."
    text = shown.root.inner_text()
    assert "102" not in text and "138" not in text and "404" not in text
    question = shown.root.locator('[data-part="question"]')
    assert "Stage fc6: how many parameters?" in question.inner_text()
    question.locator("input").fill("100000000")
    question.locator("input").press("Enter")
    shown.settle()
    verdict = shown.root.locator('[data-part="verdict"]').inner_text()
    assert verdict == "yours 100000000 · computed 102764544"
    assert "102,764,544 parameters, 74.3 percent" in shown.readout
    assert shown.root.locator(f"{OWN} .cw-unknown").count() == 21  # the other stages keep theirs


@pytest.mark.parametrize("typed, yours", [("614,656", 614656), ("2 359 808", 2359808), ("2.36M", 2360000)])
def test_a_prediction_is_read_as_it_is_printed(show, typed, yours):
    shown = show(explorer("zfnet", stage="conv2", compare="alexnet", predict=True))
    question = shown.root.locator('[data-part="question"]')
    question.locator("input").fill(typed)
    shown.do("commit")
    assert [each["yours"] for each in shown.get("predictions")] == [yours]


def test_what_is_no_number_is_told(show):
    shown = show(explorer("zfnet", stage="conv2", predict=True))
    question = shown.root.locator('[data-part="question"]')
    field, notice = question.locator("input"), question.get_by_role("alert")
    shown.do("commit")
    assert notice.inner_text() == "type a number first" and field.get_attribute("aria-invalid") == "true"
    field.fill("abc")
    assert notice.inner_text() == "" and field.get_attribute("aria-invalid") is None
    field.press("Enter")
    assert shown.frame() and notice.inner_text() == "not a number: abc" and shown.get("predictions") == []
    field.fill("5")
    field.press("Enter")
    assert shown.frame() and notice.text_content() == "" and [each["yours"] for each in shown.get("predictions")] == [5]


def test_many_stages_are_folded_and_names_give_way(show):
    def deep(nn):
        return nn.Sequential(*(layer for k in range(34) for layer in (
            nn.Conv2d(3, 3, 3, 2 if k % 11 == 10 else 1, padding=1), nn.BatchNorm2d(3))))
    shown = show(explorer(deep, input_shape=(3, 64, 64)))
    assert shown.root.locator(f"{OWN} .cw-arch-stage").count() == 4
    shown.tab_to(OWN).press("ArrowLeft", "ArrowDown").frame()
    assert shown.root.locator(f"{OWN} .cw-arch-stage").count() == 22
    assert shown.get("stage") == "42"
    assert shown.root.locator(f"{OWN} .cw-arch-name").first.is_visible()
    shown.page.evaluate("document.querySelector('.place').style.width = '520px'")
    shown.frame()
    assert not shown.root.locator(f"{OWN} .cw-arch-name").first.is_visible()  # they would lie on each other
    assert shown.root.locator('[data-part="facts"]').inner_text().startswith("42 3×16×16 · 84 params")


def test_a_small_net_beside_a_large_one_has_its_own_scale(show):
    """Lecture 46 asks which stage of MobileNet has most of the work: on ResNet-50's scale none could be told."""
    widget = explorer("mobilenet1", stage="pair8", measure="mult-adds", compare="resnet50")
    shown = show(widget)
    for part, net in (("input", widget._net), ("other", widget._others["resnet50"])):
        bars, work = shown.page.evaluate(HEIGHTS, part), [stage["multiply_adds"] for stage in net["stages"]]
        assert max(bars) > 25
        for bar, value in zip(bars, work, strict=True):
            assert abs(bar - max(bars) * value / max(work)) < 0.6
    told = shown.root.locator('[data-part="apart"]')
    shown.page.evaluate("document.querySelector('.place').style.width = '680px'")
    assert shown.set("size", "projector").frame().root.bounding_box()["height"] <= 560 and faults(shown.page) == []
    assert told.all_inner_texts() == ["· own scale"] * 2
    shown.root.locator('[data-trait="compare"] select').select_option("mobilenet2")
    assert shown.frame().get("compare") == "mobilenet2" and told.count() == 0


def test_the_frame_is_dragged_over_the_photo(show):
    """It follows the pointer and tells nothing until it is let go, also beside the photo."""
    shown = show(explorer("vgg16", stage="pool5"))
    canvas, mouse = shown.root.locator(PHOTO), shown.page.mouse
    box = canvas.bounding_box()
    place = [box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"]]
    first = canvas.get_attribute("data-first")
    mouse.move(*place)
    mouse.down()
    places = []
    for share in (0.58, 0.66, 0.74):
        mouse.move(box["x"] + share * box["width"], place[1])
        places.append(shown.frame().root.locator(PHOTO).get_attribute("data-first"))
    assert len({first, *places}) > 2 and shown.messages == 0 and "Unit at row" in shown.line
    mouse.move(box["x"] + box["width"] + 60, box["y"] - 40)
    mouse.up()
    assert shown.frame().messages == 1 and (shown.get("row"), shown.get("col")) == (0, 6)
    mouse.move(*place)
    assert shown.frame().get("col") == 6  # nothing follows what is not held
    shown.do("undo")
    assert shown.get("row") is None
