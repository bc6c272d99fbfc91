"""A browser for the widgets: one Chromium per worker, a page per test, messages counted."""

import os
import sys
from base64 import b64decode
from pathlib import Path

import numpy as np
import pytest

HERE = Path(__file__).parent
LATE = int(os.environ.get("CNNLIB_LATE_FRAMES", 0))  # ms; a test that reads before the frame was drawn fails every time
TIMED = bool(os.environ.get("CNNLIB_TIMED"))
sys.path[:0] = [str(HERE), str(HERE.parent / "widgets")]  # `from budget import …`, `from examples import …`

from harness import ARGUMENTS, PACKED, find_chromium, page_of  # noqa: E402

STATE = f"""() => JSON.stringify(Object.keys(model.get('_start')).sort().map((name) => {{
  const v = model.get(name);
  return v && v.shape ? [name, v.shape, ({PACKED})(v.data)] : [name, v];
}}))"""


@pytest.fixture(scope="session")
def chromium():
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: no browser tests")
    pytest.importorskip("anywidget", reason="anywidget is not installed: no widget to drive")
    executable = find_chromium()
    if executable is None:
        pytest.skip("no Chromium was found on the PATH: the widgets are not driven in a browser")
    with playwright.sync_playwright() as api:
        browser = api.chromium.launch(executable_path=executable, headless=True, args=ARGUMENTS)
        yield browser
        browser.close()


class Shown:
    """A widget on the harness page: hands on it, and what it says."""

    def __init__(self, page):
        self.page = page
        self.root = page.locator(".cw").first

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)
        return self

    def settle(self):
        """Wait until what was asked for is drawn and has been spoken: the voice has said what the line shows."""
        self.frame().page.wait_for_function("""() => [...document.querySelectorAll('.cw')].every((root) => {
          const [line, spoken] = ['.cw-line', 'output[data-part=readout]'].map((part) => root.querySelector(part));
          return spoken.textContent === line.textContent;
        })""")
        return self

    def frame(self):
        """Wait until what was asked for is drawn."""
        self.page.evaluate("() => new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r)))")
        return self

    def cell(self, part, at):
        return self.root.locator(f'[data-part="{part}"] [data-at="{at}"]')

    def cells(self, part):
        self.frame()
        return self.root.locator(f'[data-part="{part}"] .cw-cell').all_inner_texts()

    def do(self, name):
        self.root.locator(f'button[data-do="{name}"]').first.click()
        return self.frame()

    def field(self, trait):
        return self.root.locator(f'[data-trait="{trait}"] input').first

    def type(self, trait, text):
        self.field(trait).fill(text)
        self.field(trait).press("Enter")
        return self.frame()

    @property
    def readout(self):
        self.settle()
        return self.root.locator('output[data-part="readout"]').text_content()

    @property
    def refusal(self):
        self.frame()
        return self.root.locator('[data-part="refusal"]').first

    @property
    def messages(self):
        return self.page.evaluate("model.messages.length")

    def get(self, name):
        """Return a trait of the page's model; arrays come as NumPy arrays, NaN included."""
        value = self.page.evaluate(
            f"(n) => {{ const v = model.get(n); if (!v || !v.shape) return v;"
            f" return {{ shape: v.shape, bytes: ({PACKED})(v.data) }}; }}", name)
        if isinstance(value, dict) and "bytes" in value:
            return np.frombuffer(b64decode(value["bytes"]), np.float32).reshape(value["shape"])
        return value

    def state(self):
        """Return everything that is state and that a hand can change, as text to compare; arrays by their bytes."""
        return self.page.evaluate(f"({STATE})()")

    def follow(self):
        """Keep the state at the `start`, and in window.trail the state after each message."""
        self.start = self.state()
        self.page.evaluate(f"""() => {{
          window.trail = [];
          const save = model.save_changes, state = {STATE};
          model.save_changes = () => {{ save(); if (trail.at(-1) !== state()) trail.push(state()); }};
        }}""")
        return self

    def set(self, name, value):
        """Set a trait as Python would."""
        self.page.evaluate("([name, value]) => model.set(name, value)", [name, value])
        return self.frame()

    def leave(self):
        """Take pointer and focus away from the widget."""
        self.page.mouse.move(1, 795)
        self.page.evaluate("document.activeElement.blur()")
        return self.frame()

    @property
    def line(self):
        """What the readout shows at once; `readout` is what is spoken when it has settled."""
        self.frame()
        return self.root.locator(".cw-line").text_content()

    def tab_to(self, selector, most=60):
        """Press Tab until an element that matches has the focus: what no key reaches is found out here."""
        for _ in range(most):
            if self.page.evaluate("(s) => document.activeElement.matches(s)", selector):
                return self
            self.page.keyboard.press("Tab")
        raise AssertionError(f"{selector} is not reached by {most} times Tab")

    def hear(self):
        """Keep a log of all that is spoken; `heard` gives it."""
        self.page.evaluate("""() => {
          window.heard = [];
          const output = document.querySelector('output[data-part=readout]');
          const listen = new MutationObserver(() => heard.push(output.textContent));
          listen.observe(output, { childList: true, characterData: true });
        }""")
        return self

    @property
    def heard(self):
        self.settle()
        return self.page.evaluate("heard")

    def check(self):
        """No exception so far, and still drawn."""
        assert self.page.evaluate("errors") == []
        assert self.root.get_attribute("data-ready") == "true"


@pytest.fixture(scope="session")
def spare():
    """Hold the window that the last test let go of, if any: to open one costs more than most tests do in it."""
    return []


def window(chromium, **options):
    """Open a page in a context of its own."""
    page = chromium.new_context(**options).new_page()
    if LATE:
        page.add_init_script(f"const now = requestAnimationFrame; window.requestAnimationFrame = "
                             f"(f) => now(() => setTimeout(() => f(performance.now()), {LATE}));")
    page.set_default_timeout(30_000)  # machines differ; what is slow is reported by frame logs, not by this
    return page


@pytest.fixture
def show(chromium, spare, tmp_path, request):
    """Return a function that puts a widget on a page of this width and theme.

    The document is new each time. The window is one that a test before has left in order, unless options are asked
    for, or `alone`: then it is new, too, as all are where times are held to their limits.
    """
    pages, failed = [], request.session.testsfailed

    def shown(widget, width=848, theme="light", alone=TIMED, **options):
        path = tmp_path / "page.html"
        path.write_text(page_of(widget, width, theme), encoding="utf-8")
        alone = alone or bool(options)
        page = window(chromium, **options) if alone or not spare else spare.pop()
        pages.append((page, alone))
        page.set_viewport_size({"width": width + 40, "height": 800})
        page.goto(path.as_uri())
        page.wait_for_selector(".cw[data-ready]")
        return Shown(page).frame()

    yield shown
    for page, alone in pages:
        for one in page.context.pages:
            if "page.html" in one.url:
                assert one.evaluate("window.errors || []") == []
        if alone or spare or request.session.testsfailed > failed:
            page.context.close()
        else:
            page.mouse.up()
            page.mouse.move(-1, -1)  # out of the window: nothing is under the pointer of the next test
            page.emulate_media(media="null")
            spare.append(page)
