"""What can be measured of how a widget looks: print below 11 pixels, text cut off or covered, pale ink."""

SMALL_PRINT = """() => {
  const found = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const el = walk.currentNode.parentElement;
    if (!el.closest('.cw') || !walk.currentNode.textContent.trim() || !el.checkVisibility()) continue;
    if (el.closest('option, .cw-spoken')) continue;
    if (getComputedStyle(el).color === 'rgba(0, 0, 0, 0)') continue;
    if (parseFloat(getComputedStyle(el).fontSize) < 11) found.push(el.textContent);
  }
  return found;
}"""
# Text that is wider than what holds it: in a cell (its own box), in a field, or in any other part. (The ring of a
# framed cell lies around it, so such a cell is measured by its text alone.)
CLIPPED = """() => {
  const range = document.createRange(), shown = (el) => el.checkVisibility() && !el.closest('.cw-spoken, option');
  const wide = (el) => { range.selectNodeContents(el); return range.getBoundingClientRect().width; };
  const painted = (el) => getComputedStyle(el).color !== 'rgba(0, 0, 0, 0)';
  const all = (query) => [...document.querySelectorAll(query)].filter(shown);
  const spills = (el) => el.scrollWidth > el.clientWidth + 1, fields = all('.cw input').filter(spills);
  const cells = all('.cw-cell').filter((el) => painted(el) && wide(el) > el.clientWidth);
  const others = all('.cw, .cw *').filter((el) => el.tagName !== 'INPUT' && el.clientWidth && spills(el))
    .filter((el) => getComputedStyle(el).display !== 'inline')
    .filter((el) => !el.matches('.cw-cols, .cw-cols span, .cw-cell.framed'));
  const labels = all('.cw-cols').flatMap((row) => {  // they may reach over an empty neighbour, not over each other
    const written = [...row.children].filter((el) => el.textContent);
    const middle = (el) => el.offsetLeft + el.offsetWidth / 2;
    const near = (a, b) => middle(b) - middle(a) < (wide(a) + wide(b)) / 2 + 2;
    return written.filter((el, k) => k && near(written[k - 1], el));
  });
  const found = [...cells, ...fields, ...others, ...labels];
  return found.map((el) => `${el.className}: ${(el.value || el.textContent).slice(0, 40)}`);
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
  const unit = (text) => (text.startsWith('color(') ? 255 : 1);
  const rgb = (text) => (text.match(/[\\d.]+/g) || []).map((x, k) => (k < 3 ? unit(text) * x : Number(x)));
  const linear = (x) => (x <= 10.3 ? x / 3294.6 : ((x / 255 + 0.055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const behind = (el) => {
    const paint = rgb(getComputedStyle(el).backgroundColor);
    return paint.length === 3 || paint[3] > 0.9 || !el.parentElement ? paint : behind(el.parentElement);
  };
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = [];
  while (walk.nextNode()) {
    const el = walk.currentNode.parentElement, [r, g, b, a = 1] = rgb(getComputedStyle(el).color), ink = [r, g, b, a];
    if (!el.closest('.cw') || !walk.currentNode.textContent.trim() || !el.checkVisibility() || !ink.at(3)) continue;
    if (el.closest('option, .cw-spoken, .cw-dim')) continue;
    const [high, low] = [light(ink), light(behind(el))].sort((x, y) => y - x), ratio = (high + 0.05) / (low + 0.05);
    if (ratio < 4.5) found.push(`${el.className} ${el.textContent.slice(0, 30)}: ${ratio.toFixed(2)}`);
  }
  return found;
}"""

# Numbers that a ring lies on: the ring is what ::before draws, its line and the lines within.
UNDER_RINGS = """() => {
  const range = document.createRange(), found = [];
  for (const cell of document.querySelectorAll('.cw-cell:is(.light, .tap, .pair, .differ)')) {
    const ring = getComputedStyle(cell, '::before');
    const inner = [...ring.boxShadow.matchAll(/(\\S+)px inset/g)].map((m) => Number(m[1]));
    const line = ring.outlineStyle === 'none' ? 0 : -parseFloat(ring.outlineOffset);
    const edge = parseFloat(ring.left) + Math.max(parseFloat(ring.borderLeftWidth) + Math.max(0, ...inner), line);
    range.selectNodeContents(cell);
    if (range.getBoundingClientRect().width > cell.offsetWidth - 2 * edge + 1) found.push(cell.textContent);
  }
  return found;
}"""


def faults(page):
    """Return in words all that a reader of the widgets on this page would stumble over; nothing is good."""
    questions = {"small print": SMALL_PRINT, "clipped": CLIPPED, "on top of each other": OVERLAPS, "pale": PALE}
    return [f"{what}: {found}" for what, question in questions.items() for found in page.evaluate(question)]
