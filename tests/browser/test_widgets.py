"""What every widget owes: it fits, it can be read, it listens to keys, it forgets nothing and breaks on nothing."""

import random

import pytest
from budget import within
from widgets_shown import WIDGETS, builder, microscope

pytestmark = pytest.mark.browser
every = pytest.mark.parametrize("name", WIDGETS)

SMALL_PRINT = """() => {
  const found = [];
  const walk = document.createTreeWalker(document.querySelector('.cw'), NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const el = walk.currentNode.parentElement;
    if (!walk.currentNode.textContent.trim() || !el.checkVisibility() || el.closest('option, .cw-spoken')) continue;
    if (getComputedStyle(el).color === 'rgba(0, 0, 0, 0)') continue;
    if (parseFloat(getComputedStyle(el).fontSize) < 11) found.push(el.textContent);
  }
  return found;
}"""
CLIPPED = """() => [...document.querySelectorAll('.cw, .cw *')]
  .filter((el) => el.checkVisibility() && !el.closest('.cw-spoken, .cw-list, option') && el.tagName !== 'INPUT')
  .filter((el) => el.clientWidth && el.scrollWidth > el.clientWidth + 1 && getComputedStyle(el).display !== 'inline')
  .map((el) => el.className + ': ' + el.textContent.slice(0, 40))"""


NAMELESS = """() => [...document.querySelectorAll('.cw :is(button, input, select, [role=grid], [role=img])')]
  .filter((el) => el.checkVisibility())
  .filter((el) => !(el.getAttribute('aria-label') || el.textContent.trim() || el.closest('label')))
  .map((el) => el.outerHTML)"""
STOPS = """() => [...document.querySelectorAll('.cw [role=grid]')]
  .map((grid) => grid.querySelectorAll('[tabindex="0"]').length)"""
KEYS = ["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "Tab", "Tab", "Shift+Tab", "PageUp", "PageDown", "+", "-",
        "Enter", "7", "Escape", "p", "c", "?", "u", "Control+z", "Delete", "Alt+ArrowUp"]
USE_ANY = """(r) => {
  const parts = document.querySelectorAll('.cw :is(button, select, .cw-cell, input)');
  const all = [...parts].filter((el) => el.checkVisibility());
  const el = all[Math.floor(r * all.length)];
  if (!el) return;
  if (el.tagName === 'BUTTON' || el.type === 'checkbox') return el.click();
  el.focus();
  if (el.tagName !== 'SELECT') return;
  el.selectedIndex = 1 + Math.floor(r * 1e3) % (el.options.length - 1);
  el.dispatchEvent(new Event('change'));
}"""
REDRAW = """async () => {
  const name = model.get('stride') === undefined ? 'focus' : 'col';
  for (let k = 0; k < 500; k++) {
    model.set(name, k % 4);
    if (k % 25 === 0) await new Promise(requestAnimationFrame);
  }
  await new Promise((done) => setTimeout(done, 400));
}"""


@every
@pytest.mark.parametrize("width, size, theme", [
    (848, "normal", "light"), (680, "normal", "dark"), (848, "projector", "light")])
def test_fits_and_can_be_read(show, name, width, size, theme):
    shown = show(WIDGETS[name](size=size), width, theme)
    box = shown.root.bounding_box()
    assert box["width"] <= width
    assert box["height"] <= 560 or size == "projector"
    assert shown.page.evaluate(SMALL_PRINT) == []
    assert shown.page.evaluate(CLIPPED) == []
    within(f"first paint of the {name}", shown.page.evaluate("firstPaint"), 300)
    assert shown.root.get_attribute("data-theme") == theme


@every
def test_is_named_for_those_who_listen(show, name):
    shown = show(WIDGETS[name]())
    assert shown.page.evaluate("document.querySelectorAll('.cw [id]').length") == 0
    assert shown.page.evaluate(NAMELESS) == []
    assert set(shown.page.evaluate(STOPS)) <= {1}
    assert shown.readout == WIDGETS[name]().sentence()


@every
def test_theme_turns_with_the_page(show, name):
    shown = show(WIDGETS[name]())
    paper = "() => getComputedStyle(document.querySelector('.cw')).backgroundColor"
    assert shown.page.evaluate(paper) == "rgb(255, 255, 255)"
    shown.page.evaluate("document.body.dataset.jpThemeLight = 'false'")
    assert shown.frame().page.evaluate(paper) == "rgb(24, 26, 31)"


@every
def test_keys_stay_inside(show, name):
    shown = show(WIDGETS[name]())
    shown.root.locator('[tabindex="0"], .cw-grip').first.focus()
    shown.press(*"abdd00xm", "ArrowDown", "Escape")
    assert shown.page.evaluate("reached") == []
    shown.press("Shift+Enter", "Control+s")
    reached = [key for key in shown.page.evaluate("reached") if key[-5:] not in ("Shift", "ntrol")]
    assert reached == ["Shift+Enter", "Ctrl+s"]


@every
def test_code_makes_this_state(show, name):
    import cnnlib.widgets

    widget = WIDGETS[name]()
    shown = show(widget)
    if name == "builder":
        shown.root.locator('[data-row="0"] [data-trait="padding"] input').fill("1")
        shown.press("Enter").frame()
    else:
        shown.type("stride", "2")
    shown.do("code")
    text = shown.root.locator(".cw-code pre").inner_text()
    names = {"image": getattr(widget, "image", None)}
    again = eval(text, {**vars(cnnlib.widgets), "ConvolutionMicroscope": cnnlib.widgets.ConvolutionMicroscope,
                        "ShapeBuilder": cnnlib.widgets.ShapeBuilder, **names})
    assert again.code() == text
    assert again.sentence() == shown.readout


@every
def test_views_follow_each_other_and_end(show, name):
    shown = show(WIDGETS[name]())
    shown.page.evaluate("again()")
    shown.frame()
    lines = shown.page.locator(".cw-line").all_inner_texts()
    assert len(lines) == 2 and lines[0] == lines[1]
    trait = "rounding" if name == "builder" else "stride"
    shown.page.evaluate("([n, v]) => model.set(n, v)", [trait, "drop" if name == "builder" else 2])
    shown.frame()
    lines = shown.page.locator(".cw-line").all_inner_texts()
    assert lines[0] == lines[1]
    frames = "() => document.querySelectorAll('.cw')[0].dataset.frames"
    shown.page.evaluate("endings.forEach((end) => end())")
    assert shown.page.locator(".cw").count() == 0
    shown.page.evaluate("model.set('size', 'projector')")
    shown.page.wait_for_timeout(50)
    assert shown.page.evaluate("errors") == [] and shown.page.evaluate(frames.replace("[0].", "[0]?.")) is None


def act(shown, chance):
    """One random thing that a hand can do."""
    page = shown.page
    kind = chance.random()
    if kind < 0.45:
        page.keyboard.press(chance.choice(KEYS))
    elif kind < 0.7:
        box = shown.root.bounding_box()
        x, y = box["x"] + chance.random() * box["width"], box["y"] + chance.random() * box["height"]
        page.mouse.move(x, y)
        if chance.random() < 0.6:
            page.mouse.down()
            page.mouse.move(x + chance.randint(-30, 30), y + chance.randint(-20, 20))
            page.mouse.up()
    else:
        page.evaluate(USE_ANY, chance.random())


@every
def test_fuzz_reset_and_undo(show, name):
    """300 actions break nothing; undo walks back to the start, and so does reset."""
    shown = show(WIDGETS[name]())
    start, chance = shown.state(), random.Random(7)
    for step in range(300):
        act(shown, chance)
        if step == 29:
            shown.press("Escape", "Escape")
            for _ in range(60):
                shown.page.evaluate("document.querySelector('[data-do=undo]').click()")
            assert shown.frame().state() == start
    shown.frame().check()
    assert "undefined" not in shown.root.inner_html()
    assert "NaN" not in shown.root.inner_text()
    shown.page.evaluate("document.querySelector('[data-do=reset]').click()")
    assert shown.frame().state() == start
    shown.check()


@pytest.mark.parametrize("make", [microscope, builder])
def test_memory_is_steady(show, make):
    shown = show(make())
    client = shown.page.context.new_cdp_session(shown.page)
    client.send("Performance.enable")

    def nodes():
        client.send("HeapProfiler.collectGarbage")
        return {m["name"]: m["value"] for m in client.send("Performance.getMetrics")["metrics"]}

    shown.page.evaluate(REDRAW)
    before = nodes()
    shown.page.evaluate(REDRAW)
    after = nodes()
    assert after["Nodes"] <= before["Nodes"] + 20
    assert after["JSEventListeners"] <= before["JSEventListeners"] + 5
    assert after["JSHeapUsedSize"] <= before["JSHeapUsedSize"] + 500_000


@every
def test_saved_page_needs_nothing_else(chromium, tmp_path, name):
    WIDGETS[name]().save_html(tmp_path / "saved.html")
    context = chromium.new_context(offline=True)
    page, wanted = context.new_page(), []
    page.on("request", lambda request: wanted.append(request.url))
    page.goto((tmp_path / "saved.html").as_uri())
    page.wait_for_selector(".cw[data-ready]", timeout=5000)
    assert [url for url in wanted if not url.endswith("saved.html")] == []
    context.close()
