"""One widget on a page of its own in Chromium: what the browser tests and the bench of frames open."""

import re
import shutil
from pathlib import Path

HERE = Path(__file__).parent
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync"]
# An array's bytes as base64: a list of numbers is packed one by one on the way to Python, a photo's for seconds.
PACKED = """(array) => {
  const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength), parts = [];
  for (let k = 0; k < bytes.length; k += 8192) parts.push(String.fromCharCode(...bytes.subarray(k, k + 8192)));
  return btoa(parts.join(''));
}"""


def find_chromium():
    """Return the path of an installed Chromium or Chrome, or None."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
    return next(filter(None, map(shutil.which, names)), None)


def page_of(widget, width=848, theme="light"):
    """Return the text of the harness page with this widget, in a place of `width` pixels."""
    from cnnlib.widgets import _compose

    text = (HERE / "harness.html").read_text(encoding="utf-8")
    parts = {"/*STYLE*/": widget._css + f".place {{ width: {width}px }}",
             "/*MODULE*/": _compose.join(type(widget).javascript, "host.js"), "/*RECORD*/": widget.record()}
    text = re.sub("|".join(map(re.escape, parts)), lambda m: parts[m[0]], text)
    return text.replace("<body>", f'<body data-jp-theme-light="{"true" if theme == "light" else "false"}" '
                                  f'style="background: {"#fff" if theme == "light" else "#111"}">')
