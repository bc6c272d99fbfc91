"""The widgets in a real JupyterLab: rendered, in step with Python, deaf to its shortcuts, gone when closed."""

import json
import os
from pathlib import Path

import pytest
from lab_server import run_all_cells, served
from looks import faults

pytestmark = pytest.mark.browser

CELLS = [
    "from cnnlib.widgets import ConvolutionMicroscope, ShapeBuilder\n"
    "image = [[int(c) for c in row] for row in '111111 000010 011100 001000 010000 100000'.split()]\n"
    "microscope = ConvolutionMicroscope(image, [[1, 1, 1], [-1, 1, -1], [1, -1, -1]], col=1,\n"
    "                                   fn=lambda image, kernel: image[:4, :4])\nmicroscope",
    "builder = ShapeBuilder((3, 32, 32), ['conv 10 5 1 2'])\nbuilder",
    "microscope",
    "import sys\nsys.path.insert(0, WIDGETS)\nfrom examples import EXAMPLES\n"
    "others = {example.widget: example for example in reversed(EXAMPLES.values()) if example.widget in OTHERS}\n"
    "others = {name: example() for name, example in others.items()}\ndisplay(*others.values())",
    "",  # where the kernel is asked
]
OTHERS = ("AdalineMachine", "ArchitectureExplorer", "BackwardMicroscope", "HogExplorer", "MaskExplorer", "MatchViewer",
          "NetworkViewer", "OcclusionViewer", "OptimiserRace", "PoolingStepper", "ScaleSpaceWalker")
MICROSCOPE = "[data-widget=ConvolutionMicroscope]"


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Start a JupyterLab on a notebook with the widgets; gives its address."""
    pytest.importorskip("jupyterlab", reason="jupyterlab is not installed: the widgets are not tried in it")
    widgets = str(Path(__file__).parents[1] / "widgets")
    cells = [cell.replace("WIDGETS", repr(widgets)).replace("OTHERS", repr(OTHERS)) for cell in CELLS]
    with served(cells, tmp_path_factory.mktemp("lab")) as address:
        yield address


def run_all(page, address):
    run_all_cells(page, address)
    page.wait_for_selector("[data-widget=ShapeBuilder][data-ready]", timeout=90_000)
    page.wait_for_function(f"document.querySelectorAll('{MICROSCOPE}[data-ready]').length === 2", timeout=60_000)
    for name in OTHERS:
        page.wait_for_selector(f"[data-widget={name}][data-ready]", timeout=60_000)


def ask_kernel(page, source):
    """Run a line in the notebook's kernel, in a cell of its own at the end, and return what it prints."""
    cell = page.locator(".jp-Notebook .jp-Cell").last
    cell.locator(".cm-content").click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(f"print('«', {source}, '»')")
    page.keyboard.press("Control+Enter")
    text = cell.locator(".jp-OutputArea-output")
    printed = "(el) => /«[^]*»/.test(el.closest('.jp-Cell').querySelector('.jp-OutputArea')?.innerText || '')"
    page.wait_for_function(printed, arg=cell.element_handle(), timeout=20_000)
    return text.last.inner_text().split("«")[1].split("»")[0].strip()


def test_in_jupyterlab(chromium, lab):
    page = chromium.new_page(viewport={"width": 1280, "height": 2400})
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    run_all(page, lab)
    version = json.loads(page.locator("#jupyter-config-data").text_content())["appVersion"]
    assert version == os.environ.get("CNNLIB_LAB", version)  # make oldest-lab says which
    first, second = (page.locator("[data-widget=ConvolutionMicroscope]").nth(k) for k in (0, 1))
    assert first.locator('[data-part="output"] .cw-cell').all_inner_texts()[:4] == ["1", "2", "2", "5"]
    assert "760" in page.locator("[data-widget=ShapeBuilder]").inner_text()
    assert "your function: differs in 8 of 16 outputs" in first.inner_text()
    assert faults(page) == []

    # From the screen to Python, and both views alike; the keys of JupyterLab's own do nothing here.
    cells = page.locator(".jp-Notebook .jp-Cell").count()
    first.locator('[data-part="output"] [data-at="0,1"]').focus()
    for key in ("ArrowRight", "ArrowDown", *"abdd00xm"):
        page.keyboard.press(key)
    page.locator("[data-widget=ShapeBuilder] .cw-grip").first.focus()
    page.keyboard.type("abdd00xm")
    page.wait_for_timeout(500)
    assert page.locator(".jp-Notebook .jp-Cell").count() == cells
    assert page.locator(".jp-Dialog").count() == 0
    readouts = [view.locator('output[data-part="readout"]').text_content() for view in (first, second)]
    assert readouts[0] == readouts[1] and "row 1, column 2" in readouts[0]
    assert ask_kernel(page, "microscope.row, microscope.col, microscope.readout == microscope.sentence()") == "1 2 True"

    # A changed weight is computed in Python too; a state set in Python is on screen.
    first.locator('[data-part="weight"] [data-at="0,0"]').focus()
    page.keyboard.press("+")
    page.wait_for_function(f"document.querySelector('{MICROSCOPE}').innerText.includes('differs in 12 of 16 outputs')")
    assert ask_kernel(page, "*microscope.kernel[0], *microscope.output[0]") == "2.0 1.0 1.0 2.0 3.0 3.0 6.0"
    assert ask_kernel(page, "setattr(microscope, 'stride', 3), *microscope.output.ravel()") == "None 2.0 6.0 3.0 0.0"
    page.wait_for_function(f"document.querySelectorAll('{MICROSCOPE} [data-part=output] .cw-cell').length === 8")
    assert first.locator('[data-part="output"] .cw-cell').all_inner_texts() == ["2", "6", "3", "0"]

    # The other widgets keep their keys; what Python hides is hidden on screen, what the screen shows again is shown.
    ask_kernel(page, "[setattr(widget, 'predict', True) for widget in others.values()]")
    for name in OTHERS:
        page.wait_for_selector(f"[data-widget={name}] [data-do=predict][aria-pressed=true]", timeout=20_000)
        page.locator(f"[data-widget={name}] [tabindex='0']").first.focus()
        page.keyboard.type("abdd00xm")
        page.locator(f"[data-widget={name}] [data-do=predict]").click()
    assert page.locator(".jp-Notebook .jp-Cell").count() == cells and page.locator(".jp-Dialog").count() == 0
    agree = "[not widget.predict and widget.readout == widget.sentence() for widget in others.values()]"
    assert ask_kernel(page, agree) == str([True] * len(OTHERS))
    assert faults(page) == []

    # A scan runs in a thread of its own: what it finds comes to the page while the kernel is free.
    ask_kernel(page, "setattr(others['OcclusionViewer'], 'patch', 8)")
    occlusion = page.locator("[data-widget=OcclusionViewer]")
    occlusion.locator('[data-do="scan"]').click()
    page.wait_for_selector('[data-widget=OcclusionViewer] [data-part=heat][data-done="99"]', timeout=20_000)
    assert ask_kernel(page, "others['OcclusionViewer'].scanned, others['OcclusionViewer'].progress") == "True 1.0"

    # A theme that turns while the page is open; then back.
    for theme in ("dark", "light"):
        page.evaluate("(dark) => { document.body.dataset.jpThemeLight = String(!dark); }", theme == "dark")
        page.wait_for_selector(f"{MICROSCOPE}[data-theme={theme}]", timeout=5_000)
        assert faults(page) == []

    # Shift+Enter still runs the cell.
    number = "document.querySelectorAll('.jp-Notebook .jp-Cell')[1].querySelector('.jp-InputPrompt').innerText"
    before = page.evaluate(number)
    page.locator("[data-widget=ShapeBuilder] .cw-grip").first.focus()
    page.keyboard.press("Shift+Enter")
    page.wait_for_function(f"(old) => {number} !== old && !{number}.includes('*')", arg=before, timeout=20_000)

    # Closing takes the views away.
    ask_kernel(page, "microscope.close()")
    page.wait_for_function(f"document.querySelectorAll('{MICROSCOPE}').length === 0", timeout=10_000)
    # Old JupyterLabs draw, now and then, a part of their own frame that they have just taken away; we use no React.
    assert [error for error in errors if "React error #409" not in error] == []
    page.close()
