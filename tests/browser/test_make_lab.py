"""The main job, as a new user does it: `make lab`, the address that it prints, lecture 20, Run All, the microscope."""

import json
import os
import re
import selectors
import signal
import subprocess
import time
from pathlib import Path

import pytest
from looks import faults

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.browser, pytest.mark.slow]
SETTINGS = {"notebook-extension/tracker": {"windowingMode": "none"},  # every cell is on the page
            "docmanager-extension/plugin": {"autosave": False}}  # and the checkout stays as it is
MICROSCOPE = "[data-widget=ConvolutionMicroscope]"


@pytest.fixture
def printed(tmp_path):
    """Run `make lab`; gives the address that it prints and the seconds that it took. All is stopped afterwards."""
    if not (ROOT / ".venv" / ".course").exists():
        pytest.skip("there is no .venv: `make lab` would make one, which takes minutes")
    for name, value in SETTINGS.items():
        file = tmp_path / "user" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(value))
    (tmp_path / "jupyter_server_config.json").write_text(json.dumps({"ServerApp": {"open_browser": False, "port": 0}}))
    environment = os.environ | {"JUPYTER_CONFIG_DIR": str(tmp_path), "JUPYTERLAB_SETTINGS_DIR": str(tmp_path / "user"),
                                "JUPYTERLAB_WORKSPACES_DIR": str(tmp_path / "workspaces")}
    began = time.monotonic()
    server = subprocess.Popen(["make", "lab"], cwd=ROOT, env=environment, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, start_new_session=True)
    try:
        yield address_in(server.stdout, 120), time.monotonic() - began
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()
        server.stdout.close()


def address_in(stream, seconds):
    """Read what is printed until an address comes, and return it."""
    os.set_blocking(stream.fileno(), False)
    said, end = "", time.monotonic() + seconds
    with selectors.DefaultSelector() as ready:
        ready.register(stream, selectors.EVENT_READ)
        while time.monotonic() < end:
            if ready.select(1):
                said += (stream.read() or b"").decode()
            if found := re.search(r"http://(?:localhost|127\.0\.0\.1):\d+/\S*00_start_here\.ipynb\S*", said):
                return found.group()
    raise AssertionError(f"no address was printed: {said[-2000:]}")


def test_a_new_user_opens_the_convolution_lecture(chromium, printed):
    address, seconds = printed
    assert seconds < 60  # the environment is there already: a second run starts in seconds, on a busy machine too
    page = chromium.new_page(viewport={"width": 1280, "height": 900})
    page.goto(address, timeout=90_000)
    page.wait_for_selector('h2:has-text("Three traps")', state="attached", timeout=90_000)
    page.goto(re.sub(r"00_start_here\.ipynb", "20_convolution.ipynb", address).replace("?", "?reset&"), timeout=90_000)
    page.wait_for_selector('.jp-Notebook-ExecutionIndicator[data-status="idle"]', timeout=90_000)
    page.click('.lm-MenuBar-itemLabel:text-is("Run")')
    page.click('.lm-Menu-itemLabel:text-is("Run All Cells")')
    page.wait_for_function(r"""() => {
      const prompts = [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')].map((one) => one.innerText);
      return prompts.length > 20 && prompts.every((text) => /\[\d+\]/.test(text));
    }""", timeout=180_000)
    page.wait_for_selector(f"{MICROSCOPE}[data-ready]", timeout=60_000)
    assert page.locator(":is(.jp-RenderedText, .jp-RenderedError):is([data-mime-type$=stderr], [data-mime-type$=error])"
                        ).count() == 0
    assert page.locator(".jp-RenderedImage img").count() > 5 and faults(page) == []
    first = page.locator(MICROSCOPE).first
    said = first.locator("output[data-part=readout]").text_content()
    first.locator("[data-part=output] canvas, [data-part=output] [data-at='0,0']").first.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("([root, said]) => root.querySelector('output[data-part=readout]').textContent !== said",
                           arg=[first.element_handle(), said], timeout=20_000)
