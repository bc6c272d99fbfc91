"""Drawn states of the match viewer and what Python answers: test_js.py puts them to the JavaScript."""

import numpy as np

from cnnlib import data
from cnnlib.features import matching
from cnnlib.features.matching.ransac import usable
from cnnlib.widgets import _matches
from cnnlib.widgets.match_viewer import MatchViewer


def quarter(noise=0.0):
    """A piece of a photo, 160 x 128 pixels, and the same turned by 90°, with noise of this standard deviation."""
    photo = data.photo("camera")[90:250, 180:308]
    turned = np.rot90(photo) + noise * np.random.default_rng(2).normal(size=photo.shape[::-1])
    return photo, np.clip(turned, 0, 1)



def drawn_features(rng, n, m, wrong):
    """Points and partners that are 9 rows and 5 columns on, some wrong; few different descriptors, so many tie."""
    a, b = rng.uniform(5, 60, (n, 2)), rng.uniform(5, 60, (m, 2))
    both = min(n, m)
    b[:both] = a[:both] + [9, 5]
    descriptors = rng.integers(0, 6, (n, 3))
    others = rng.integers(0, 6, (m, 3))
    others[:both] = descriptors[:both]
    others[:wrong] = rng.integers(0, 6, (min(wrong, m), 3))
    return (a, descriptors), (b, others)


def case(rng, k, plain):
    size = int(rng.integers(4, 40)), int(rng.integers(2, 40))
    n, m = {1: (3, 5), 2: (0, 4), 3: (5, 0), 4: (6, 1)}.get(k % 9, size)
    features = drawn_features(rng, n, m, int(rng.integers(0, 6)))
    if k % 7 == 0:  # all on one line
        features[0][0][:, 0] = 8
    truth = [None, np.array([[1.0, 0, 9], [0, 1, 5], [0, 0, 1]]), rng.integers(-1, m, n)][k % 3]
    widget = MatchViewer(np.zeros((80, 80)), np.ones((80, 70)), features=features, truth=truth,
                         ratio=[0.5, 0.8, 1.0, 0.95][k % 4], cross_check=bool(k % 5 == 1),
                         selected=[None, 0, int(rng.integers(-2, 50))][k // 2 % 3],
                         stage=["match", "homography"][k % 2], draws=int(rng.integers(1, 60)),
                         seed=int(rng.integers(-5, 2**20)), predict=bool(k % 11 == 0))
    return answers(widget, plain)


def answers(widget, plain):
    state = {name: getattr(widget, name) for name in widget._opening if not name.startswith("image")}
    scene = {name: plain(np.frombuffer(sent["data"], np.uint8 if name in "ab" else np.float64).reshape(sent["shape"]))
             for name, sent in widget._scene.items()}
    found = {"state": state, "scene": scene, "problem": widget.problem(), "sentence": widget.sentence(),
             "code": widget.code(), "pattern": widget._code}
    if widget.problem() is None:
        found["matches"] = widget.matches.tolist()
        drawn = widget.drawn()
        found["drawn"] = drawn and {"last": drawn.last, "count": drawn.count, "best": drawn.best,
                                    "agree": None if drawn.agree is None else drawn.agree.tolist()}
    return found


def photo_cases(plain):
    """SIFT's points of a photo and of the same one turned; many draws."""
    pair = quarter(0.1)
    for change in ({"ratio": 0.6}, {"ratio": 0.95, "cross_check": True, "draws": 300}, {"selected": 7, "draws": 20}):
        yield answers(MatchViewer(*pair, stage="homography", **change), plain)


def fours():
    """Draws, and homographies through four pairs: what the library says of them."""
    rng = np.random.default_rng(4)
    for seed, draw, count in ((0, 1, 4), (1, 7, 5), (-3, 999, 1000), (2**31, 12, 143), (5, 1000, 40)):
        yield {"seed": seed, "draw": draw, "count": count, "four": _matches.four(seed, draw, count)}
    for _ in range(20):
        here = rng.uniform(0, 300, (4, 2))
        there = here @ rng.normal(0, 1, (2, 2)) + rng.uniform(0, 50, (4, 2))
        if rng.uniform() < 0.5:
            there[1] = rng.uniform(0, 300, 2)
        fit = bool(usable(here[None], there[None])[0])
        yield {"here": here.tolist(), "there": there.tolist(), "usable": fit,
               "homography": matching.fit_homography(here, there).tolist() if fit else None}


def match_cases(rng, plain):
    """Return the cases; `plain(array)` writes an array as JSON can hold it."""
    found = [case(rng, k, plain) for k in range(90)]
    for ratio in (0.0, 1.5, -0.25):
        widget = MatchViewer(np.zeros((20, 20)), np.zeros((20, 20)))
        widget.ratio = ratio
        found.append(answers(widget, plain))
    return {"states": found + list(photo_cases(plain)), "fours": list(fours())}
