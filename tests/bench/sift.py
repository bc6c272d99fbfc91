"""SIFT: the points and descriptors of OpenCV's, and how fast, beside OpenCV and scikit-image.

    python -m tests.bench.sift [agreement] [speed]       (without a name: both)

agreement    photographs of the course's, and of scikit-image's that no setting was ever looked at with
speed        detect and describe on 512×512 photographs, in turn: cnnlib with one thread and with two, OpenCV with one,
             scikit-image

Each part is written into sift.json, beside this file, with the machine and the date, and sift.md is made from both.
"""

import os
import statistics
import sys
import time
from pathlib import Path

import numpy as np

from cnnlib import data, images
from cnnlib.features import sift
from tests.bench import parts
from tests.bench.pairs import measure, ratio

HERE = Path(__file__).parent
SHIPPED = ("astronaut", "brick", "camera", "cat", "coffee", "coins", "rocket", "text")
OTHERS = ("grass", "gravel", "hubble_deep_field", "immunohistochemistry", "moon", "page", "retina")
TIMED = ("astronaut", "brick", "camera", "moon")
SAME = 0.05  # pixels: nearer, two points are one
MOST_OF_OPENCV, TIMES_SKIMAGE = 1.5, 12  # the goals: at most so much of its time, so many times as fast


def main(names=(), out=HERE):
    """Run the parts of these names, and write what was found."""
    parts.run({"agreement": agreement, "speed": speed}, names, Path(out) / "sift", page)


def levels(name):
    """Return a photograph, the course's or scikit-image's, as OpenCV takes it: grey levels, 0 to 255."""
    if name in SHIPPED:
        picture = images.to_grey(data.photo(name))
        return (255 * picture).round().astype(np.uint8)
    from skimage import data as pictures

    picture = getattr(pictures, name)()
    return images.to_grey(picture.astype(float)).round().astype(np.uint8)


# ---- how alike

def agreement(names=SHIPPED + OTHERS):
    """Return a row for each photograph: what share of OpenCV's points we find, and how alike the descriptors are."""
    rows = []
    for name in names:
        rows.append({"photo": name} | agreement_on(levels(name)))
        print(rows[-1], file=sys.stderr, flush=True)
    return rows


def agreement_on(image):
    """Return the numbers of points, the shares, and the cosines of a picture's two sets of points."""
    theirs, their_descriptors = opencv(image)
    ours, our_descriptors = sift.detect_and_describe(image)
    stronger = theirs.response >= np.median(theirs.response)
    _, off = partners(theirs, ours)
    _, back = partners(ours, theirs)
    best, off_with_turn = partners(theirs, ours, turn=0.02)
    same = off_with_turn < SAME
    cosine = (our_descriptors[best[same]] * their_descriptors[same]).sum(1)
    cosine = cosine / np.linalg.norm(their_descriptors[same], axis=1)
    shares = {"stronger half within 1.5 px": off[stronger] < 1.5, f"all within {SAME} px": off < SAME,
              f"ours within {SAME} px": back < SAME, "with orientation": same}
    return {"size": list(image.shape), "ours": len(ours), "theirs": len(theirs)} | {
        name: round(float(np.mean(which)), 4) for name, which in shares.items()} | {
        "cosine": round(float(cosine.mean()), 4), "cosine of the worst 1 %": round(float(np.quantile(cosine, 0.01)), 4)}


def opencv(image, **settings):
    """Return OpenCV's points and descriptors in our conventions: Keypoints, and (K, 128) of length about 1."""
    import cv2

    return sift.from_opencv(*cv2.SIFT_create(**settings).detectAndCompute(np.ascontiguousarray(image), None))


def partners(points, others, *, turn=np.inf):
    """Return, for each point, the nearest other within 20 % in scale (and `turn` radians), and how far it is."""
    best, off = np.zeros(len(points), int), np.zeros(len(points))
    for i in range(len(points)):
        away = np.hypot(*(others.positions - points.positions[i]).T)
        away[abs(np.log(others.sigma / points.sigma[i])) > np.log(1.2)] = np.inf
        away[abs((others.orientation - points.orientation[i] + np.pi) % (2 * np.pi) - np.pi) > turn] = np.inf
        best[i] = away.argmin()
        off[i] = away[best[i]]
    return best, off


# ---- how fast

def speed(rounds=5, seconds=1.0, names=TIMED):
    """Return a row for each photograph: milliseconds, and our time divided by that of the others."""
    rows = []
    for name in names:
        image = levels(name)[:512, :512]
        times, foreign = measure(sides(image), rounds, seconds)
        rows.append({"photo": name, "points": len(sift.detect(image)), "foreign_cores": round(foreign, 2),
                     "milliseconds": {side: round(1e3 * statistics.median(spent), 1) for side, spent in times.items()},
                     "to_opencv": round(ratio(times, "cnnlib, 1 thread", "OpenCV, 1 thread"), 3),
                     "of_skimage": {threads: round(1 / ratio(times, f"cnnlib, {threads}", "scikit-image"), 1)
                                    for threads in ("1 thread", "2 threads")}})
        print(rows[-1], file=sys.stderr, flush=True)
    return rows


def sides(image):
    """Return detect-and-describe of this picture by each side."""
    import cv2
    from skimage.feature import SIFT

    cv2.setNumThreads(1)
    theirs = cv2.SIFT_create()
    floats = image / 255

    def ours(threads):
        def run():
            before = os.environ.get("OMP_NUM_THREADS")
            os.environ["OMP_NUM_THREADS"] = threads  # cnnlib reads it at each call
            sift.detect_and_describe(image)
            del os.environ["OMP_NUM_THREADS"]
            if before is not None:
                os.environ["OMP_NUM_THREADS"] = before
        return run

    return {"cnnlib, 1 thread": ours("1"), "cnnlib, 2 threads": ours("2"),
            "OpenCV, 1 thread": lambda: theirs.detectAndCompute(image, None),
            "scikit-image": lambda: SIFT().detect_and_extract(floats)}


# ---- the page

def page(found):
    """Return the Markdown page of the results."""
    lines = ["# SIFT: as OpenCV's, and how fast", "", __doc__.partition("\n")[0],
             "Written by `python -m tests.bench.sift`. Points are near when their scales are within 20 % too; the "
             "cosines are of descriptors of points that are the same within 0.05 pixels and 0.02 radians."]
    for name, part in found.items():
        lines += parts.heading(name, part)
        if name == "agreement":
            shares = [key for key, value in part["rows"][0].items() if isinstance(value, float)]
            lines += [f"| photo | points, ours | OpenCV's | {' | '.join(shares)} |",
                      "|---|---:|---:|" + "---:|" * len(shares)]
            for row in part["rows"]:
                counts = f"{row['ours']} | {row['theirs']}"
                lines.append(f"| {row['photo']} | {counts} | {' | '.join(f'{row[share]:.4f}' for share in shares)} |")
        else:
            timed = [*part["rows"][0]["milliseconds"]]
            lines += [f"| photo, 512×512 | points | {' | '.join(f'{side}, ms' for side in timed)} | "
                      "cnnlib / OpenCV, 1 thread | times faster than scikit-image, 1 thread | 2 threads | "
                      "other programs, cores |",
                      "|---|" + "---:|" * (5 + len(timed))]
            lines += [f"| {row['photo']} | {row['points']} | "
                      + " | ".join(str(row["milliseconds"][side]) for side in timed)
                      + f" | {row['to_opencv']:.2f} | {' | '.join(map(str, row['of_skimage'].values()))} | "
                      + f"{row['foreign_cores']} |"
                      for row in part["rows"]]
            lines += ["", *verdicts(part["rows"])]
    return "\n".join(lines) + "\n"


def verdicts(rows):
    """Return a line for each goal of speed: on which photographs it is reached and on which missed, and by what."""
    lines = []
    for goal, reached, measured in (
            (f"at most {MOST_OF_OPENCV} times OpenCV's time, one thread each", lambda value: value <= MOST_OF_OPENCV,
             {row["photo"]: row["to_opencv"] for row in rows}),
            *((f"{TIMES_SKIMAGE} times as fast as scikit-image, {threads}", lambda value: value >= TIMES_SKIMAGE,
               {row["photo"]: row["of_skimage"][threads] for row in rows}) for threads in ("1 thread", "2 threads"))):
        said = {word: ", ".join(f"{photo} ({value:g})" for photo, value in measured.items() if reached(value) == yes)
                for word, yes in (("reached", True), ("missed", False))}
        lines.append(f"- Goal: {goal}: " + "; ".join(f"{word} on {names}" for word, names in said.items() if names)
                     + f"; mean {statistics.mean(measured.values()):.2f}.")
    return lines


if __name__ == "__main__":
    started = time.perf_counter()
    main(sys.argv[1:])
    print(f"{time.perf_counter() - started:.0f} s", file=sys.stderr)
