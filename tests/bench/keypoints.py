"""Key points: are they found again after known changes, and rightly matched? SIFT beside OpenCV's, and SURF.

    python -m tests.bench.keypoints [shipped] [others] [speed]       (without a name: all)

shipped      the photographs that ship with the course
others       photographs of scikit-image's that no setting was ever looked at with
speed        SURF beside SIFT, both ours, paired: each with one thread, and each with two

Each part is written into keypoints.json, beside this file, with the machine and the date, and keypoints.md is made from
all of them. What "found again" and "right" mean stands in cnnlib.features.repeatability.
"""

import os
import statistics
import sys
import time
from functools import partial
from pathlib import Path
from unittest import mock

import numpy as np

from cnnlib import data, images
from cnnlib.features import repeatability, sift, surf
from tests.bench import parts
from tests.bench.pairs import measure, ratio

HERE = Path(__file__).parent
SHIPPED = ("astronaut", "brick", "camera", "cat", "coffee", "coins", "rocket")  # not `text`: too low to be cropped
# Not `cell`: of seven points a share says nothing.
OTHERS = ("moon", "grass", "gravel", "retina", "hubble_deep_field", "immunohistochemistry")
LONGEST = 512  # pixels: larger photographs are shrunk
TIMES_SIFT = 2  # the goal: SURF is so many times as fast as SIFT


def main(names=(), out=HERE):
    """Run the parts of these names, and write what was found."""
    parts.run({"shipped": shipped, "others": others, "speed": speed}, names, Path(out) / "keypoints", page)


# ---- detectors, in one form: picture in, key points and descriptors out

def opencv_sift():
    """Return OpenCV's SIFT in the suite's form."""
    import cv2

    detector = cv2.SIFT_create()

    def detect(image):
        return sift.from_opencv(*detector.detectAndCompute(np.rint(image * 255).astype(np.uint8), None))

    return detect


def detectors():
    """Return the detectors by name."""
    return {"SIFT": sift.detect_and_describe, "OpenCV's SIFT": opencv_sift(), "SURF": surf.detect_and_describe}


# ---- how well

def shipped(names=SHIPPED, **options):
    """Return a row for each detector and photograph of the course's."""
    return suite({name: data.photo(name, grey=True) for name in names}, **options)


def others(names=OTHERS, **options):
    """Return a row for each detector and photograph of scikit-image's."""
    from skimage import data as pictures

    return suite({name: images.to_grey(pictures_as_floats(getattr(pictures, name)())) for name in names}, **options)


def pictures_as_floats(picture):
    """Return levels in [0, 1], at most LONGEST pixels a side."""
    picture = picture / (255 if picture.dtype == np.uint8 else 1)
    shrink = LONGEST / max(picture.shape[:2])
    if shrink >= 1:
        return picture
    return images.resize(picture, tuple(round(shrink * side) for side in picture.shape[:2]))


def suite(photos, changes=repeatability.CHANGES):
    """Return, for each photograph and detector, the means over each kind of change."""
    rows = []
    for photo, picture in photos.items():
        pairs = repeatability.known_changes(picture, rng=np.random.default_rng(0), changes=changes)
        for name, detector in detectors().items():
            scores = repeatability.score(detector, pairs)
            rows.append({"photo": photo, "detector": name, "points": scores[0]["points"],
                         "means": {kind: {key: round(value, 4) for key, value in mean.items()}
                                   for kind, mean in repeatability.means(scores).items()}})
            print(photo, name, rows[-1]["points"], rows[-1]["means"]["all"], file=sys.stderr, flush=True)
    return rows


def averages(rows):
    """Return detector -> kind -> mean over the photographs, of the suite's rows."""
    names = list(dict.fromkeys(row["detector"] for row in rows))
    return {name: {kind: {key: statistics.mean(row["means"][kind][key] for row in rows if row["detector"] == name)
                          for key in mean} for kind, mean in rows[0]["means"].items()} for name in names}


# ---- how fast

def speed(rounds=5, seconds=0.5, names=("astronaut", "camera")):
    """Return a row for each photograph of 512 × 512 and each number of threads: milliseconds, SURF's time divided by
    SIFT's."""
    rows = []
    for name in names:
        picture = data.photo(name, grey=True, size=512)
        for threads in (1, 2):
            times, foreign = measure({side: partial(timed, detector, picture, threads) for side, detector in (
                ("SURF", surf), ("SIFT", sift))}, rounds, seconds)
            rows.append({"photo": name, "threads": threads, "foreign_cores": round(foreign, 2),
                         "milliseconds": {side: round(1e3 * statistics.median(spent), 1)
                                          for side, spent in times.items()},
                         "to_sift": round(ratio(times, "SURF", "SIFT"), 3)})
            print(rows[-1], file=sys.stderr, flush=True)
    return rows


def timed(detector, picture, threads):
    """Run a detector in so many threads."""
    with mock.patch.dict(os.environ, OMP_NUM_THREADS=str(threads)):  # cnnlib reads it at each call
        detector.detect_and_describe(picture)


# ---- the page

def page(found):
    """Return the Markdown page of the results."""
    lines = ["# Key points: found again, rightly matched", "", __doc__.partition("\n")[0],
             "Written by `python -m tests.bench.keypoints`. Found again: within 1.5 pixels and 20 % in scale; rightly "
             "matched: within 3 pixels, of the matches at ratio 0.8. Each kind of change counts the same."]
    for name, part in found.items():
        lines += parts.heading(name, part)
        lines += speed_lines(part["rows"]) if name == "speed" else suite_lines(part["rows"])
    return "\n".join(lines) + "\n"


def suite_lines(rows):
    """Return the table of kinds, and the photographs that it is the mean of."""
    means = averages(rows)
    photos = ", ".join(dict.fromkeys(row["photo"] for row in rows))
    lines = [f"Means over {photos}.", "", "| change | " + " | ".join(
        f"{name}: found again | right | matches" for name in means) + " |", "|---|" + "---:|" * 3 * len(means)]
    for kind in rows[0]["means"]:
        cells = [f"{mean[kind]['repeatability']:.1%} | {mean[kind]['correct']:.1%} | {mean[kind]['matches']:.0f}"
                 for mean in means.values()]
        lines.append(f"| {kind} | {' | '.join(cells)} |")
    return lines


def speed_lines(rows):
    """Return the table of times."""
    lines = [f"Goal: SURF at least {TIMES_SIFT} times as fast as SIFT, a share of {1 / TIMES_SIFT} or less.", "",
             "| photo, 512 × 512 | threads | SURF ms | SIFT ms | SURF / SIFT | other programs, cores |",
             "|---|---:|---:|---:|---:|---:|"]
    return lines + [f"| {row['photo']} | {row.get('threads', 1)} | {row['milliseconds']['SURF']} | "
                    f"{row['milliseconds']['SIFT']} | {row['to_sift']:.2f} | {row['foreign_cores']} |" for row in rows]


if __name__ == "__main__":
    started = time.perf_counter()
    main(sys.argv[1:])
    print(f"{time.perf_counter() - started:.0f} s", file=sys.stderr)
