"""Sliders over a figure in a real JupyterLab, driven by the keyboard: sentence and picture follow each step."""

import pytest
from lab_server import run_all_cells, served, wait_for

pytestmark = pytest.mark.browser

CELL = """from cnnlib.scalar import Value
from cnnlib.widgets import GraphStepper

def error(w, x):
    return (Value(w, "w") * Value(x, "x") - 1) ** 2

GraphStepper(error, weights=["w"], w=(2, -1), x=(3, 0))"""
SENTENCES = ["Start: what goes in is known. Next: v1 = w · x = ?",
             "Forward 1 of 3: v1 = w · x = 2 · 3 = 6. Next: v2 = v1 − 1 = ?",
             "Forward 2 of 3: v2 = v1 − 1 = 6 − 1 = 5. Next: v3 = v2² = ?"]


@pytest.fixture(scope="module")
def page(chromium, tmp_path_factory):
    pytest.importorskip("jupyterlab", reason="jupyterlab is not installed: the stepper is not tried in it")
    with served([CELL], tmp_path_factory.mktemp("lab")) as address:
        page = chromium.new_page(viewport={"width": 1280, "height": 900})
        run_all_cells(page, address)
        page.wait_for_selector(".widget-image", timeout=90_000)
        yield page
        page.close()


def test_the_arrow_keys_step_through_the_graph(page):
    sentence, picture = page.locator(".jp-OutputArea .widget-html-content").last, page.locator(".widget-image")
    handles = page.locator(".widget-slider .noUi-handle")
    assert handles.count() == 3
    seen = []
    handles.first.focus()
    for words in SENTENCES:
        wait_for(lambda words=words: sentence.inner_text() == words, 20)
        wait_for(lambda: picture.get_attribute("src") not in seen, 20)
        seen.append(picture.get_attribute("src"))
        page.keyboard.press("ArrowRight")
    handles.nth(1).focus()
    page.keyboard.press("ArrowRight")
    wait_for(lambda: sentence.inner_text() == "Forward 3 of 3: v3 = v2² = (−4)² = 16. Next: the way back.", 20)
    room = picture.bounding_box()
    assert room["width"] > 300 and room["x"] + room["width"] <= 1280
    assert sentence.evaluate("element => element.scrollWidth <= element.clientWidth")
