"""What every widget owes in a browser: it fits, it can be read, it listens to keys, it forgets and breaks nothing.

One page serves many assertions: a page is the dearest thing here. Every example of tests/widgets/examples.py is tried.
"""

import json
import random

import pytest
from budget import within
from examples import EXAMPLES, each

pytestmark = pytest.mark.browser
every = each()
of_each_class = each(*{example.widget: name for name, example in reversed(EXAMPLES.items())}.values())

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
# Text that is wider than what holds it: in a cell (its own box), in a field, or in any other part.
CLIPPED = """() => {
  const range = document.createRange(), shown = (el) => el.checkVisibility() && !el.closest('.cw-spoken, option');
  const wide = (el) => { range.selectNodeContents(el); return range.getBoundingClientRect().width; };
  const painted = (el) => getComputedStyle(el).color !== 'rgba(0, 0, 0, 0)';
  const all = (query) => [...document.querySelectorAll(query)].filter(shown);
  const spills = (el) => el.scrollWidth > el.clientWidth + 1, fields = all('.cw input').filter(spills);
  const cells = all('.cw-cell').filter((el) => painted(el) && wide(el) > el.clientWidth);
  const others = all('.cw, .cw *').filter((el) => el.tagName !== 'INPUT' && el.clientWidth && spills(el))
    .filter((el) => getComputedStyle(el).display !== 'inline');
  return [...cells, ...fields, ...others].map((el) => `${el.className}: ${(el.value || el.textContent).slice(0, 40)}`);
}"""
# Controls and captions that lie on each other.
OVERLAPS = """() => {
  const parts = '.cw :is(button, input, select, .cw-caption, .cw-label, .cw-cells, .cw-photo, canvas.cw-field-view)';
  const all = [...document.querySelectorAll(parts)]
    .filter((el) => el.checkVisibility() && !el.closest('.cw-list, .cw-cell'));
  const boxes = all.map((el) => el.getBoundingClientRect()), found = [];
  all.forEach((a, i) => all.forEach((b, j) => {
    if (i >= j || a.contains(b) || b.contains(a)) return;
    const x = Math.min(boxes[i].right, boxes[j].right) - Math.max(boxes[i].left, boxes[j].left);
    const y = Math.min(boxes[i].bottom, boxes[j].bottom) - Math.max(boxes[i].top, boxes[j].top);
    if (x > 2 && y > 2) found.push(`${a.className} ${a.textContent} / ${b.className} ${b.textContent}`);
  }));
  return found;
}"""
# Text whose contrast against what is painted behind it is below 4.5.
PALE = """() => {
  const rgb = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const linear = (x) => (x <= 10.3 ? x / 3294.6 : ((x / 255 + 0.055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const behind = (el) => {
    const paint = rgb(getComputedStyle(el).backgroundColor);
    return paint.length === 3 || paint[3] > 0.9 || !el.parentElement ? paint : behind(el.parentElement);
  };
  const walk = document.createTreeWalker(document.querySelector('.cw'), NodeFilter.SHOW_TEXT), found = [];
  while (walk.nextNode()) {
    const el = walk.currentNode.parentElement, ink = rgb(getComputedStyle(el).color);
    if (!walk.currentNode.textContent.trim() || !el.checkVisibility() || ink[3] === 0) continue;
    if (el.closest('option, .cw-spoken, .cw-dim')) continue;
    const [a, b] = [light(ink), light(behind(el))].sort((x, y) => y - x), ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) found.push(`${el.className} ${el.textContent.slice(0, 30)}: ${ratio.toFixed(2)}`);
  }
  return found;
}"""
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
REDRAW = """async ([name, values]) => {
  for (let k = 0; k < 500; k++) {
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
        assert shown.page.evaluate(SMALL_PRINT) == [], view
        assert shown.page.evaluate(CLIPPED) == [], view
        assert shown.page.evaluate(OVERLAPS) == [], view
        assert shown.page.evaluate(PALE) == [], view
        assert shown.root.get_attribute("data-theme") == theme
        assert shown.page.evaluate(PAPER) == {"light": "rgb(255, 255, 255)", "dark": "rgb(24, 26, 31)"}[theme]
    shown.page.emulate_media(media="print")
    assert not shown.root.locator(".cw-buttons").is_visible() and not shown.root.locator(".cw-controls").is_visible()
    assert shown.root.locator(".cw-line").is_visible() and shown.page.evaluate(CLIPPED) == []
    shown.check()


@every
def test_speaks_keeps_its_keys_and_sends_nothing_unasked(show, example):
    shown = show(example())
    assert shown.page.evaluate("document.querySelectorAll('.cw [id]').length") == 0
    assert shown.page.evaluate(NAMELESS) == []
    assert set(shown.page.evaluate(STOPS)) <= {1}
    assert shown.readout == example().sentence()
    box = shown.root.bounding_box()  # a pointer that passes over everything is no message
    for row in range(1, 12):
        for col in range(1, 9):
            shown.page.mouse.move(box["x"] + col * box["width"] / 9, box["y"] + row * box["height"] / 12)
    assert shown.leave().messages == 0
    for part in ('[tabindex="0"]', "button", "input"):
        shown.root.locator(part).first.focus()
        shown.press(*"abd00xm", "ArrowDown", "Escape")
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
    shown.page.evaluate("again()")
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


def walk_back(shown, trail):
    """Undo all: each step must be a state of the trail, further back each time, and the last one its start."""
    place = len(trail)
    while shown.page.evaluate("document.querySelector('[data-do=undo]').style.visibility !== 'hidden'"):
        shown.page.evaluate("document.querySelector('[data-do=undo]').click()")
        state = shown.frame().state()
        earlier = [k for k in range(place) if trail[k] == state]
        assert earlier, "undo gave a state that never was, or one that came later"
        place = earlier[-1]
    assert shown.state() == trail[0]
    return len(trail) - 1


@every
def test_300_random_actions(show, example):
    """They break nothing; undo walks back through the first 30; the readout says what Python would; reset resets."""
    shown = show(example())
    trail, chance, told = [shown.state()], random.Random(7), 0
    for step in range(300):
        act(shown, chance)
        if step < 30 and (state := shown.frame().state()) != trail[-1]:
            trail.append(state)
        if step == 29:
            shown.press("Escape", "Escape").leave()
            assert walk_back(shown, trail) >= 3
        if step % 60 == 59:
            told += same_words_in_python(shown.leave(), example)
    assert told >= 2
    shown.check()
    assert "undefined" not in shown.root.inner_html()
    assert "NaN" not in visible_text(shown)
    shown.page.evaluate("document.querySelector('[data-do=reset]').click()")
    assert shown.frame().state() == trail[0]
    shown.check()


def same_words_in_python(shown, example):
    """Make the state on screen in Python by its own code, where Python takes it: the same sentence. Was it made?"""
    shown.page.evaluate("document.querySelector('.cw-code').hidden || document.querySelector('[data-do=code]').click()")
    shown.do("code")
    text = shown.root.locator(".cw-code pre").inner_text()
    if shown.get("predict") or any(f"{name}={bad}" in text for name in ("stride", "dilation") for bad in ("0", "-")):
        return False  # commits are known to the page alone; and Python's constructor refuses what cannot be
    made = example.again(text)
    assert made.code() == text and made.sentence() == shown.line
    return True


@of_each_class
def test_memory_is_steady(show, example):
    shown = show(example())
    client = shown.page.context.new_cdp_session(shown.page)
    client.send("Performance.enable")

    def nodes():
        client.send("HeapProfiler.collectGarbage")
        return {m["name"]: m["value"] for m in client.send("Performance.getMetrics")["metrics"]}

    name, value = next((n, v) for n, v in example.change.items() if isinstance(v, int | str))
    values = [shown.get(name), value]
    shown.page.evaluate(REDRAW, [name, values])
    before = nodes()
    shown.page.evaluate(REDRAW, [name, values])
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
