"""Histograms of oriented gradients: how fast, beside scikit-image and OpenCV, at equal numbers. One thread.

    OMP_NUM_THREADS=1 python -m tests.bench.hog [skimage] [opencv]       (without a name: both)

skimage  hard votes, cells of 8 x 8 pixels, blocks of 2 x 2 cells, L2-Hys, beside skimage.feature.hog
opencv   trilinear votes through the Gaussian window, beside cv2.HOGDescriptor.compute

The pictures are scikit-image's photographs; both sides are called in turn, and what they return is compared. Each part
is written into hog.json, beside this file, with the machine and the date, and hog.md is made from all of them.
"""

import statistics
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np

from cnnlib.features import hog
from tests.bench import parts
from tests.bench.pairs import measure, ratio

HERE = Path(__file__).parent
SIZES = ((128, 64), (512, 512))
GOALS = {"skimage": {(128, 64): 15, (512, 512): 25}, "opencv": {(128, 64): 0.5, (512, 512): 0.5}}  # theirs / ours
BLOCKS = {"pixels_per_cell": (8, 8), "cells_per_block": (2, 2)}


def main(names=(), out=HERE, **options):
    """Run the parts of these names, and write what was found."""
    rows = {"skimage": partial(skimage_rows, **options), "opencv": partial(opencv_rows, **options)}
    parts.run(rows, names, Path(out) / "hog", page)


def skimage_rows(rounds=7, seconds=0.3):
    """Return a row for each size and dtype of a picture."""
    from skimage import data, feature

    camera = data.camera()
    rows = []
    for size in SIZES:
        for dtype in ("uint8", "float64", "float32"):
            image = np.ascontiguousarray(camera[:size[0], :size[1]])
            image = image if dtype == "uint8" else (image / 255).astype(dtype)
            sides = {"ours": lambda image=image: hog.hog(image, **BLOCKS),
                     "theirs": lambda image=image: feature.hog(image, **BLOCKS)}
            error = np.abs(sides["ours"]() - sides["theirs"]()).max()
            rows.append(row(size, dtype, sides, rounds, seconds) | {"largest difference": float(f"{error:.2g}")})
            print(rows[-1], file=sys.stderr, flush=True)
    return rows


def opencv_rows(rounds=7, seconds=0.3):
    """Return a row for each size; OpenCV takes 8-bit levels, and one thread."""
    import cv2
    from skimage import data

    cv2.setNumThreads(1)
    camera = data.camera()
    rows = []
    for size in SIZES:
        image = np.ascontiguousarray(camera[:size[0], :size[1]])
        theirs = cv2.HOGDescriptor(size[::-1], (16, 16), (8, 8), (8, 8), 9, 1, -1, 0, 0.2, True)
        sides = {"ours": lambda image=image: hog.hog(image, **BLOCKS, votes="trilinear", transform_sqrt=True),
                 "theirs": lambda image=image, theirs=theirs: theirs.compute(image)}
        same = np.corrcoef(hog.opencv_hog(image), sides["theirs"]().ravel())[0, 1]
        rows.append(row(size, "uint8", sides, rounds, seconds) | {"correlation of opencv_hog": round(float(same), 6)})
        print(rows[-1], file=sys.stderr, flush=True)
    return rows


def row(size, dtype, sides, rounds, seconds):
    """Return what one pair of sides came to."""
    times, foreign = measure(sides, rounds, seconds)
    return {"size": list(size), "dtype": dtype, "foreign_cores": round(foreign, 2),
            "milliseconds": {side: round(1e3 * statistics.median(spent), 4) for side, spent in times.items()},
            "times as fast": round(ratio(times, "theirs", "ours"), 2)}


def page(found):
    """Return the Markdown page of the results."""
    lines = ["# Histograms of oriented gradients: how fast", "", __doc__.partition("\n")[0],
             "Written by `python -m tests.bench.hog`."]
    for name, part in found.items():
        agreement = "largest difference" if name == "skimage" else "correlation of opencv_hog"
        lines += [*parts.heading(name, part),
                  f"| picture | ours, ms | theirs, ms | theirs / ours | goal | {agreement} | other programs, cores |",
                  "|---|---:|---:|---:|---:|---:|---:|"]
        for found_row in part["rows"]:
            size, spent = tuple(found_row["size"]), found_row["milliseconds"]
            lines.append(f"| {size[0]} x {size[1]}, {found_row['dtype']} | {spent['ours']:.3f} | {spent['theirs']:.3f} "
                         f"| {found_row['times as fast']:.2f} | {GOALS[name][size]} | {found_row[agreement]:g} "
                         f"| {found_row['foreign_cores']} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    started = time.perf_counter()
    main(sys.argv[1:])
    print(f"{time.perf_counter() - started:.0f} s", file=sys.stderr)
