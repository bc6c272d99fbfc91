"""Draw a digit: how long a stroke takes to reach the maps of a network, in a real JupyterLab, with either engine.

    python -m tests.bench.draw

browser  the page computes the network itself
python   each stroke goes to the kernel, and the numbers of all maps come back

LeNet-5 on 32×32 pixels, in headless Chromium without a graphics card. A time begins when the pointer has moved and ends
when the maps are painted. The results are in draw.json, beside this file, with the machine and the date; draw.md is
made from them.
"""

import sys
import tempfile
from pathlib import Path

from tests.bench import parts

HERE = Path(__file__).parent
ENGINES = {"browser": "auto", "python": "python"}
CELL = """import numpy as np
from cnnlib import architectures, initializers, layers
from cnnlib.widgets import NetworkViewer
net = initializers.redraw(architectures.lenet5(nn=layers), initializers.he_normal, np.random.default_rng(0))
NetworkViewer(net, (1, 32, 32), engine={engine!r})"""
STROKES, MOVES = 30, 12
PAUSE = 40  # milliseconds between two moves: 25 a second, as a hand that thinks


def main(names=(), out=HERE):
    """Measure both engines, and write what was found."""
    parts.run({"stroke to maps": strokes}, names, Path(out) / "draw", page)


def strokes(count=STROKES, engines=tuple(ENGINES)):
    """Return a row for each engine: milliseconds from a stroke to the maps, the median and 95 of 100."""
    rows = []
    for engine in engines:
        median, slow, measured = draw(ENGINES[engine], count)
        rows.append({"engine": engine, "net": "LeNet-5, 32×32", "measured": measured, "median_ms": median,
                     "p95_ms": slow})
        print(rows[-1], file=sys.stderr, flush=True)
    return rows


def draw(engine, count):
    """Draw on the pad of a viewer in JupyterLab; return (median, 95 of 100, number) of the times, in milliseconds."""
    from playwright.sync_api import sync_playwright

    sys.path[:0] = [str(HERE.parent / "browser")]
    from harness import ARGUMENTS, find_chromium
    from lab_server import run_all_cells, served

    with tempfile.TemporaryDirectory() as work, served([CELL.format(engine=engine)], Path(work)) as address, \
            sync_playwright() as api:
        browser = api.chromium.launch(executable_path=find_chromium(), headless=True, args=ARGUMENTS)
        shown = browser.new_page(viewport={"width": 1280, "height": 1000})
        run_all_cells(shown, address)
        shown.wait_for_selector("[data-widget=NetworkViewer][data-ready]", timeout=90_000)
        pad = shown.locator("[data-part=drawing]").bounding_box()
        for k in range(count):
            hand(shown, pad, k)
        shown.wait_for_timeout(500)
        data = shown.locator("[data-part=network]").evaluate("(el) => ({ ...el.dataset })")
        browser.close()
    return float(data["strokeMs"]), float(data["strokeP95"]), int(data["strokes"])


def hand(page, pad, k):
    """Draw one line across the pad, as long as a stroke of a digit."""
    down = (0.15 + 0.7 * ((k * 7) % 10) / 10) * pad["height"]
    page.mouse.move(pad["x"] + 0.15 * pad["width"], pad["y"] + down)
    page.mouse.down()
    for move in range(1, MOVES + 1):
        page.mouse.move(pad["x"] + (0.15 + 0.7 * move / MOVES) * pad["width"], pad["y"] + down)
        page.wait_for_timeout(PAUSE)
    page.mouse.up()


def page(found):
    """Return the Markdown page of the results."""
    lines = ["# Draw a digit", "", __doc__.partition("\n")[0], "Written by `python -m tests.bench.draw`."]
    for name, part in found.items():
        lines += parts.heading(name, part)
        lines += ["| engine | net | times | median, ms | 95 of 100 below, ms |", "|---|---|---:|---:|---:|"]
        lines += [f"| {row['engine']} | {row['net']} | {row['measured']} | {row['median_ms']} | {row['p95_ms']} |"
                  for row in part["rows"]]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main(sys.argv[1:])
