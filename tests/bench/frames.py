"""Frames: how long the convolution microscope takes for one, in headless Chromium.

    python -m tests.bench.frames

A screen of 60 frames a second leaves 16.7 ms for each. Playwright plays a hand; of every frame in which the widget
draws, two times are kept: of its own drawing, and of all that the page does on its main thread, layout and painting
included. Chromium has no screen and no graphics card here, so it paints by software, and a reader's browser has less
to do. The 95th percentile of each is taken in each round, and the fastest round counts: what disturbs only adds time.
All are written into frames.json, beside this file, with the machine, the date and the load (how many programs wanted a
core in that minute, Chromium included); frames.md is made from it.
"""

import os
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np

from tests.bench import parts

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent / "browser")]
from harness import ARGUMENTS, find_chromium, page_of  # noqa: E402

FRAME = 1000 / 60  # ms
MOVES, ROUNDS = 240, 5
WATCH = """() => {
  const root = document.querySelector(".cw"), channel = new MessageChannel(), began = [];
  let drawn = root.dataset.frames;
  window.whole = [];
  channel.port1.onmessage = () => {                    // posted in a frame, it comes when the frame has been painted
    const start = began.shift();
    if (root.dataset.frames !== drawn) whole.push(performance.now() - start);
    drawn = root.dataset.frames;
  };
  const next = () => { began.push(performance.now()); channel.port2.postMessage(0); requestAnimationFrame(next); };
  requestAnimationFrame(next);
}"""


def main(names=(), out=HERE, **settings):
    """Measure with the settings of :func:`microscope`, and write what was found; without a Chromium, say so."""
    if find_chromium() is None:
        print("no Chromium was found on the PATH: no frames were measured", file=sys.stderr)
        return
    parts.run({"microscope": partial(microscope, **settings)}, names, Path(out) / "frames", page)


def microscope(moves=MOVES, rounds=ROUNDS):
    """Return a row for each task: how many frames were drawn, and the 95th percentiles of their times in ms."""
    from playwright.sync_api import sync_playwright

    rows = []
    with sync_playwright() as api, tempfile.TemporaryDirectory() as folder:
        browser = api.chromium.launch(executable_path=find_chromium(), headless=True, args=ARGUMENTS)
        for task, (widget, part, step) in tasks().items():
            path = Path(folder) / "page.html"
            path.write_text(page_of(widget), encoding="utf-8")
            found = [_round(browser, path.as_uri(), part, step, moves) for _ in range(rounds)]
            frames, drawing, whole = zip(*found)
            rows.append({"task": task, "chromium": browser.version, "frames": min(frames),
                         "drawing": min(drawing), "whole": min(whole), "load": round(os.getloadavg()[0], 1),
                         "rounds": [list(one) for one in zip(drawing, whole)]})
            print(rows[-1], file=sys.stderr, flush=True)
        browser.close()
    return rows


def tasks():
    """Return by name: a microscope, the part that the pointer is put on, and its step in pixels (None: a weight)."""
    from cnnlib import widgets

    edges = np.array([[2.0, -1, -1], [-1, 2, -1], [-1, -1, 2]])
    grid = np.arange(36.0).reshape(6, 6) % 5
    on_photo, on_grid = (widgets.ConvolutionMicroscope(image, edges) for image in ("camera", grid))
    return {"a photograph of 512×512 under the pointer": (on_photo, "input", 1.2),
            "a grid of 6×6 under the pointer": (on_grid, "input", 23.0),
            "a weight is dragged, over the photograph": (on_photo, "weight", None)}


def _round(browser, address, part, step, moves):
    """Return frames drawn, and the 95th percentiles of drawing and of whole frames, for one pass of the pointer."""
    page = browser.new_page(viewport={"width": 888, "height": 800})
    page.goto(address)
    page.wait_for_selector(".cw[data-ready]")
    page.evaluate(WATCH)
    box = page.locator(f'.cw [data-part="{part}"]').first.bounding_box()
    x, y = box["x"] + 20, box["y"] + 20
    page.mouse.move(x, y)
    if step is None:
        page.mouse.down()
    for k in range(moves):
        shift = k * step if step else 40 * np.sin(k / 10)
        page.mouse.move(x + shift % (box["width"] - 40), y + shift * (2 / 3 if step else 0) % (box["height"] - 40))
    page.mouse.up()
    page.wait_for_timeout(100)
    whole, drawing = page.evaluate("[whole, Number(document.querySelector('.cw').dataset.frameMs)]")
    page.close()
    return len(whole), drawing, round(float(np.percentile(whole, 95)), 2)


def page(found):
    """Return the Markdown page of the results."""
    lines = ["# Frames: how long the convolution microscope takes for one", "",
             "95th percentiles in ms over the frames of a round, of the fastest of five rounds, measured in headless "
             f"Chromium, which paints by software; a screen of 60 frames a second leaves {FRAME:.1f} ms. Written by "
             "`python -m tests.bench.frames`."]
    for name, part in found.items():
        lines += parts.heading(name, part)
        lines += ["| task | Chromium | frames drawn | the widget's drawing | the whole frame | load |",
                  "|---|---|---:|---:|---:|---:|"]
        lines += [f"| {row['task']} | {row['chromium']} | {row['frames']} | {row['drawing']} | {row['whole']} "
                  f"| {row['load']} |" for row in part["rows"]]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    started = time.perf_counter()
    main(sys.argv[1:])
    print(f"{time.perf_counter() - started:.0f} s", file=sys.stderr)
