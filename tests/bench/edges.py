"""Edges: how fast they are found, beside scikit-image and OpenCV, and how far the answers agree.

    python -m tests.bench.edges [speed] [agreement]       (without a name: both)

speed      a photograph of 1080×1920 pixels, float32: Sobel's gradient, its magnitude, hysteresis, Canny, Robinson
agreement  Canny's edges on photographs that scikit-image ships, ours and theirs

OpenCV and we have two threads, scikit-image has one. The photographs are enlarged to 1080×1920, since no package ships
one of that size. Each part is written into edges.json, beside this file, with the machine and the
date, and edges.md is made from both.
"""

import statistics
import sys
import time
from pathlib import Path

import numpy as np

from cnnlib import images
from cnnlib.features import edges
from tests.bench import parts
from tests.bench.pairs import measure, ratio

HERE = Path(__file__).parent
SIZE = (1080, 1920)
PHOTOS = ("astronaut", "camera", "coffee")  # for speed
MORE = ("astronaut", "brick", "camera", "chelsea", "coffee", "coins", "grass", "rocket")  # for agreement


def main(names=(), out=HERE):
    """Run the parts of these names, and write what was found."""
    parts.run({"speed": speed, "agreement": agreement}, names, Path(out) / "edges", page)


def photo(name, size=None):
    """Return one of scikit-image's photographs, grey, float32 in [0, 1]."""
    from skimage import data

    image = images.to_grey(getattr(data, name)() / 255.0)
    return (image if size is None else images.resize(image, size)).astype("float32")


# ---- how fast

def speed(photos=PHOTOS, size=SIZE, rounds=5, seconds=0.3):
    """Return a row for each photograph and task: milliseconds a side, and how many times faster ours is."""
    rows = []
    for name in photos:
        for task, sides in sides_of(photo(name, size)).items():
            times, foreign = measure(sides, rounds, seconds)
            rows.append({
                "photo": name, "task": task, "foreign_cores": round(foreign, 2),
                "milliseconds": {side: round(1e3 * statistics.median(spent), 3) for side, spent in times.items()},
                "times_faster": {side: round(1 / ratio(times, "ours", side), 2) for side in sides if side != "ours"}})
            print(rows[-1], file=sys.stderr, flush=True)
    return rows


def sides_of(x):
    """Return for each task what we call and what the others call."""
    import cv2
    from skimage import feature, filters

    cv2.setNumThreads(2)
    levels, strength = np.round(255 * x).astype("uint8"), edges.sobel_magnitude(x)
    low, high = 0.1 * float(strength.max()), 0.3 * float(strength.max())
    return {
        "Sobel, magnitude": {
            "ours": lambda: edges.sobel_magnitude(x), "scikit-image": lambda: filters.sobel(x),
            "OpenCV": lambda: cv2.magnitude(cv2.Sobel(x, cv2.CV_32F, 1, 0), cv2.Sobel(x, cv2.CV_32F, 0, 1))},
        "Sobel, both derivatives": {
            "ours": lambda: edges.sobel(x), "scikit-image": lambda: (filters.sobel_h(x), filters.sobel_v(x)),
            "OpenCV": lambda: (cv2.Sobel(x, cv2.CV_32F, 1, 0), cv2.Sobel(x, cv2.CV_32F, 0, 1))},
        "hysteresis": {
            "ours": lambda: edges.hysteresis(strength, low, high, connectivity=1),
            "scikit-image": lambda: filters.apply_hysteresis_threshold(strength, low, high)},
        "Canny, sigma 1": {
            "ours": lambda: edges.canny(x, low=low, high=high),
            "scikit-image": lambda: feature.canny(x, 1.0, 8 * low, 8 * high, mode="nearest"),
            "OpenCV, blur and 8-bit": lambda: cv2.Canny(cv2.GaussianBlur(levels, (9, 9), 1.0), 8 * 255 * low,
                                                        8 * 255 * high, L2gradient=True)},
        "Robinson": {"ours": lambda: edges.robinson(x)},
    }


# ---- how alike

def agreement(photos=MORE):
    """Return a row for each photograph and library: the shares of common pixels and of common edge pixels."""
    import cv2
    from skimage import feature

    rows = []
    for name in photos:
        x = photo(name).astype("float64")
        levels = np.round(255 * x).astype("uint8")
        pairs = {
            "scikit-image, sigma 1": (edges.canny(x, low=0.1 / 8, high=0.2 / 8),
                                      feature.canny(x, 1.0, 0.1, 0.2, mode="nearest")),
            "scikit-image, sigma 2, its own border": (edges.canny(x, sigma=2, low=0.1 / 8, high=0.2 / 8),
                                                      feature.canny(x, 2.0, 0.1, 0.2)),
            "OpenCV, 8-bit, not smoothed": (edges.canny(levels, sigma=0, low=100 / 8, high=200 / 8),
                                            cv2.Canny(levels, 100, 200, L2gradient=True) > 0)}
        for other, (ours, theirs) in pairs.items():
            rows.append({"photo": name, "beside": other, "pixels": round(float((ours == theirs).mean()), 6),
                         "edge_pixels": round(float((ours & theirs).sum() / (ours | theirs).sum()), 4)})
    return rows


# ---- the page

def page(found):
    """Return the Markdown page of the results."""
    lines = ["# Edges: how fast, and how alike", "", __doc__.partition("\n")[0],
             "Written by `python -m tests.bench.edges`. Canny's thresholds are 0.1 and 0.3 of the largest magnitude."]
    for name, part in found.items():
        lines += parts.heading(name, part)
        if name == "speed":
            lines += ["| photo | task | ours, ms | others, ms | ours is faster, times | other programs, cores |",
                      "|---|---|---:|---|---|---:|"]
            for row in part["rows"]:
                others = [f"{side} {spent}" for side, spent in row["milliseconds"].items() if side != "ours"]
                faster = [f"{side} {times:.2f}" for side, times in row["times_faster"].items()]
                lines.append(f"| {row['photo']} | {row['task']} | {row['milliseconds']['ours']} | {', '.join(others)} |"
                             f" {', '.join(faster)} | {row['foreign_cores']} |")
            continue
        lines += ["| photo | beside | all pixels alike | edge pixels in common, of all that either has |",
                  "|---|---|---:|---:|"]
        lines += [f"| {row['photo']} | {row['beside']} | {row['pixels']:.4%} | {row['edge_pixels']:.1%} |"
                  for row in part["rows"]]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    started = time.perf_counter()
    main(sys.argv[1:])
    print(f"{time.perf_counter() - started:.0f} s", file=sys.stderr)
