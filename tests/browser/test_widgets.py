"""What every widget owes in a browser: it fits, it can be read, it listens to keys, it forgets and breaks nothing.

One page serves many assertions: a page is the dearest thing here. Every example of tests/widgets/examples.py is tried.
"""

import json
import random

import pytest
from budget import within
from examples import EXAMPLES, each
from looks import faults

pytestmark = pytest.mark.browser
every = each()
FIRST = {example.widget: example for example in reversed(EXAMPLES.values())}
of_each_class = each(*(name for name, example in EXAMPLES.items() if FIRST[example.widget] is example))

NAMELESS = """() => [...document.querySelectorAll('.cw :is(button, input, select, [role=grid], [role=img])')]
  .filter((el) => el.checkVisibility())
  .filter((el) => !(el.getAttribute('aria-label') || el.textContent.trim() || el.closest('label')))
  .map((el) => el.outerHTML)"""
STOPS = """() => [...document.querySelectorAll('.cw [role=grid]')].filter((grid) => grid.checkVisibility())
  .map((grid) => grid.querySelectorAll('[tabindex="0"]').length)"""
KEYS = ["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "Tab", "Tab", "Shift+Tab", "PageUp", "PageDown", "+", "-",
        "Enter", "7", "Escape", "p", "c", "?", "Delete", "Alt+ArrowUp", "u", "Control+z"]  # the last two go back
USE_ANY = """([r, forward]) => {
  const kinds = ['.cw :is(button, select, [type=checkbox])', '.cw .cw-cell', '.cw input'];
  const all = [...document.querySelectorAll(kinds[Math.floor(3 * r)])].filter((el) => el.checkVisibility())
    .filter((el) => !(forward && el.matches('[data-do=undo], [data-do=reset]')));
  const el = all[Math.floor(((3 * r) % 1) * all.length)];
  if (!el) return;
  if (el.tagName === 'BUTTON' || el.type === 'checkbox') return el.click();
  el.focus();
  if (el.tagName !== 'SELECT') return;
  el.selectedIndex = 1 + Math.floor(r * 1e3) % (el.options.length - 1);
  el.dispatchEvent(new Event('change'));
}"""
REDRAW = """async ([name, values, times]) => {
  for (let k = 0; k < times; k++) {
    model.set(name, values[k % values.length]);
    if (k % 25 === 0) await new Promise(requestAnimationFrame);
  }
  await new Promise((done) => setTimeout(done, 400));
}"""
VIEWS = [(848, "normal", "light", 13), (680, "normal", "dark", 13), (848, "projector", "light", 13),
         (680, "projector", "dark", 13), (848, "normal", "light", 20)]  # width, size, theme, Lab's font
PAPER = "() => getComputedStyle(document.querySelector('.cw')).backgroundColor"


def visible_text(shown):
    """Return all that the widget says: its text, and what it tells those who listen."""
    return shown.page.evaluate("""() => {
      const root = document.querySelector('.cw');
      const told = [...root.querySelectorAll('[aria-label]')].map((el) => el.getAttribute('aria-label'));
      return [root.innerText, ...told].join(' ');
    }""")


@every
def test_looks(show, example):
    """Every width, theme and size on one page: nothing clipped, covered, too small, too pale or too tall."""
    shown = show(example())
    within(f"first paint of {example.widget}", shown.page.evaluate("firstPaint"), 300)
    for width, size, theme, font in VIEWS:
        shown.page.set_viewport_size({"width": width + 40, "height": 800})
        shown.page.evaluate("""([width, theme, font]) => {
          document.querySelector('.place').style.width = `${width}px`;
          document.body.dataset.jpThemeLight = String(theme === 'light');
          document.body.style.setProperty('--jp-ui-font-size1', `${font}px`);
        }""", [width, theme, font])
        shown.set("size", size).frame()
        box, view = shown.root.bounding_box(), (width, size, theme, font)
        assert box["width"] <= width, view
        assert box["height"] <= 560 or size == "projector" or font > 13, (view, box["height"])
        assert faults(shown.page) == [], view
        assert shown.root.get_attribute("data-theme") == theme
        assert shown.page.evaluate(PAPER) == {"light": "rgb(255, 255, 255)", "dark": "rgb(24, 26, 31)"}[theme]
    shown.page.emulate_media(media="print")
    assert not shown.root.locator(".cw-buttons").is_visible() and not shown.root.locator(".cw-controls").is_visible()
    assert shown.root.locator(".cw-line").is_visible() and faults(shown.page) == []
    shown.check()


@every
def test_speaks_keeps_its_keys_and_sends_nothing_unasked(show, example):
    shown = show(example())
    start = shown.state()
    assert shown.page.evaluate("document.querySelectorAll('.cw [id]').length") == 0
    assert shown.page.evaluate(NAMELESS) == []
    assert set(shown.page.evaluate(STOPS)) <= {1}
    assert shown.readout == example().sentence()
    box = shown.root.bounding_box()  # a pointer that passes over everything is no message
    for row in range(1, 9):
        for col in range(1, 7):
            shown.page.mouse.move(box["x"] + col * box["width"] / 7, box["y"] + row * box["height"] / 9)
    assert shown.leave().messages == 0
    for part in ('[tabindex="0"]', "button", "input"):
        shown.root.locator(part).first.focus()
        shown.press(*"abd00xm", "ArrowDown", "Escape")
    assert shown.page.evaluate("reached") == []
    shown.do("predict").do("predict")
    undo = shown.root.locator('[data-do="undo"]')
    undo.focus()
    for _ in range(9):  # the two, and what the keys above did
        shown.press("Enter").frame()
        if not undo.is_visible():
            break
    assert not undo.is_visible() and shown.state() == start
    shown.press(*"abd00xm")  # the button went with the last step, and the focus stays in the widget
    assert shown.page.evaluate("reached") == []
    shown.press("Shift+Enter", "Control+s")
    reached = [key for key in shown.page.evaluate("reached") if key[-5:] not in ("Shift", "ntrol")]
    assert reached == ["Shift+Enter", "Ctrl+s"]


@every
def test_code_views_reset_and_end(show, example):
    """The code of a changed state makes it again; two views tell the same; reset returns; what is ended is gone."""
    shown = show(example())
    start, widget = shown.state(), example()
    for name, value in example.change.items():
        setattr(widget, name, value)
    record = json.loads(widget.record())["state"]
    shown.page.evaluate("againFromOutside()")
    for name in example.change:
        shown.set(name, record[name])
    shown.do("code")
    text = shown.root.locator(".cw-code pre").inner_text()
    made = example.again(text)
    assert made.code() == text == widget.code() and made.sentence() == widget.sentence() == shown.line
    lines = shown.page.locator(".cw-line").all_inner_texts()
    assert len(lines) == 2 and lines[0] == lines[1]
    shown.do("reset")
    assert shown.state() == start and shown.line == example().sentence()
    assert shown.page.locator(".cw-line").all_inner_texts() == [example().sentence()] * 2
    shown.page.evaluate("endings.forEach((end) => end())")
    assert shown.page.locator(".cw").count() == 0
    shown.set("size", "projector")
    assert shown.page.evaluate("errors") == []


def act(shown, chance, forward=False):
    """One random thing that a hand can do; `forward`: neither undo nor reset."""
    page = shown.page
    kind = chance.random()
    if kind < 0.45:
        page.keyboard.press(chance.choice(KEYS[:-2] if forward else KEYS))
    elif kind < 0.7:
        box = shown.root.bounding_box()
        x, y = box["x"] + chance.random() * box["width"], box["y"] + chance.random() * box["height"]
        page.mouse.move(x, y)
        if chance.random() < 0.6:
            page.mouse.down()
            page.mouse.move(x + chance.randint(-30, 30), y + chance.randint(-20, 20))
            page.mouse.up()
    else:
        page.evaluate(USE_ANY, [chance.random(), forward])


def walk_back(shown):
    """Undo all that was committed: each step is a state that was, further back each time, and the last is the first.

    Moves in a row are one step, so some are passed over. Returns how many steps there were.
    """
    trail = [shown.start, *shown.page.evaluate("window.trail")]
    place, can_undo = len(trail), "document.querySelector('[data-do=undo]').style.visibility !== 'hidden'"
    steps = 0
    while shown.page.evaluate(can_undo) and place > 0:
        steps += 1
        shown.page.evaluate("document.querySelector('[data-do=undo]').click()")
        state = shown.frame().state()
        earlier = [k for k in range(place) if trail[k] == state]
        assert earlier, "undo gave a state that never was, or one that came later"
        place = earlier[-1]
    shown.page.evaluate("document.querySelector('[data-do=undo]').click()")  # what the pointer passed over since
    assert shown.frame().state() == shown.start
    shown.page.evaluate("window.trail = []")
    return steps


@every
@pytest.mark.parametrize("actions", [50, pytest.param(300, marks=pytest.mark.slow)])
def test_random_actions(show, example, actions):
    """They break nothing; undo walks back to the start; the readout says what Python would; reset resets."""
    shown = show(example()).follow()
    chance, told, undone = random.Random(7), 0, 0
    for step in range(1, actions + 1):
        act(shown, chance, forward=step <= 50)
        if step % 50 == 0:  # undo keeps 50 steps
            told += same_words_in_python(shown.leave(), example)
            undone += walk_back(shown.press("Escape", "Escape").leave())
    assert undone >= 2 and (told or actions == 50), (undone, told)
    shown.check()
    assert "undefined" not in shown.root.inner_html()
    assert "NaN" not in visible_text(shown)
    act(shown, chance)
    shown.page.evaluate("document.querySelector('[data-do=reset]').click()")
    assert shown.frame().state() == shown.start
    shown.check()


def same_words_in_python(shown, example):
    """Make the state on screen in Python by its own code, where Python takes it: the same sentence. Was it made?"""
    shown.page.evaluate("document.querySelector('.cw-code').hidden || document.querySelector('[data-do=code]').click()")
    shown.do("code")
    text = shown.root.locator(".cw-code pre").inner_text()
    if shown.get("predict") or any(f"{name}={bad}" in text for name in ("stride", "dilation") for bad in ("0", "-")):
        return False  # commits are known to the page alone; and Python's constructor refuses what cannot be
    named = {name: shown.get(name) for name in ("image", "kernel") if f"{name}," in text or f"{name})" in text}
    made = example.again(text, **named)
    assert made.code() == text and made.sentence() == shown.line
    return True


@of_each_class
@pytest.mark.parametrize("times", [100, pytest.param(500, marks=pytest.mark.slow)])
def test_memory_is_steady(show, example, times):
    shown = show(example(), alone=True)  # what another document left behind would be counted, too
    client = shown.page.context.new_cdp_session(shown.page)
    client.send("Performance.enable")

    def nodes():
        client.send("HeapProfiler.collectGarbage")
        return {m["name"]: m["value"] for m in client.send("Performance.getMetrics")["metrics"]}

    name, value = next((n, v) for n, v in example.change.items() if isinstance(v, int | str))
    values = [shown.get(name), value]
    shown.page.evaluate(REDRAW, [name, values, times])
    before = nodes()
    shown.page.evaluate(REDRAW, [name, values, times])
    after = nodes()
    assert after["Nodes"] <= before["Nodes"] + 20
    assert after["JSEventListeners"] <= before["JSEventListeners"] + 5
    assert after["JSHeapUsedSize"] <= before["JSHeapUsedSize"] + 500_000
    within(f"{example.widget}: 95 of 100 frames", float(shown.root.get_attribute("data-frame-ms")), 16)


@of_each_class
def test_saved_page_needs_nothing_else(chromium, tmp_path, example):
    example().save_html(tmp_path / "saved.html")
    context = chromium.new_context(offline=True)
    page, wanted = context.new_page(), []
    page.on("request", lambda request: wanted.append(request.url))
    page.goto((tmp_path / "saved.html").as_uri())
    page.wait_for_selector(".cw[data-ready]", timeout=5000)
    assert [url for url in wanted if not url.endswith("saved.html")] == []
    context.close()


@of_each_class
def test_nothing_moves_by_itself_where_stillness_is_asked_for(show, example):
    shown = show(example(), reduced_motion="reduce")
    assert shown.root.locator('[data-do="play"]').count() == 0
    shown.root.locator('[tabindex="0"]').first.focus()
    shown.press(" ")
    before = shown.state()
    shown.page.wait_for_timeout(700)
    assert shown.state() == before and shown.page.evaluate("document.getAnimations().length") == 0
