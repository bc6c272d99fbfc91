"""Drawn states of the match viewer and what Python answers: test_js.py puts them to the JavaScript."""

import numpy as np

from cnnlib import data
from cnnlib.features import matching
from cnnlib.features.matching.ransac import usable
from cnnlib.widgets import _matches
from cnnlib.widgets.match_viewer import STAGES, MatchViewer


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


def case(rng, k, plain, stage=None):
    size = int(rng.integers(4, 40)), int(rng.integers(2, 40))
    n, m = {1: (3, 5), 2: (0, 4), 3: (5, 0), 4: (6, 1)}.get(k % 9, size)
    features = drawn_features(rng, n, m, int(rng.integers(0, 6)))
    if k % 7 == 0:  # all on one line
        features[0][0][:, 0] = 8
    truth = [None, np.array([[1.0, 0, 9], [0, 1, 5], [0, 0, 1]]), rng.integers(-1, m, n)][k % 3]
    widget = MatchViewer(np.zeros((80, 80)), np.ones((80, 70)), features=features, truth=truth,
                         ratio=[0.5, 0.8, 1.0, 0.95][k % 4], cross_check=bool(k % 5 == 1),
                         selected=[None, 0, int(rng.integers(-2, 50))][k // 2 % 3],
                         stage=(STAGES[0], *STAGES[2:])[k % 4], draws=int(rng.integers(1, 60)),
                         blend=float(rng.integers(0, 21) / 20), seed=int(rng.integers(-5, 2**20)),
                         predict=bool(k % 11 == 0))
    matched = rng.permutation(widget.matches[:, 0])[:int(rng.choice([0, 2, 3, 4, 4, 4]))].tolist()
    widget.picked = [*matched, -1, n + 3, *matched][:4]  # also what is no point, and a point twice
    if k % 4 % 2 and k % 3:  # pairs by hand: of the moved points all four, or one beside what was picked
        here = rng.integers(0, 300, (4, 2)) / 5
        by_hand = [(*map(float, place), float(place[0]) + 9, float(place[1]) + 5) for place in here]
        widget.picked = by_hand if k % 3 == 1 else [by_hand[0], *widget.picked[:3]]
        widget.end = [None, 0, 3, 7][k // 4 % 4]
    widget.stage = stage or widget.stage
    return answers(widget, plain)


def answers(widget, plain):
    state = {name: getattr(widget, name) for name in widget._opening if not name.startswith("image")}
    scene = {name: plain(np.frombuffer(sent["data"], np.uint8 if name in "ab" else np.float64).reshape(sent["shape"]))
             for name, sent in widget._scene.items()}
    found = {"state": state, "scene": scene, "problem": widget.problem(), "sentence": widget.sentence(),
             "code": widget.code(), "pattern": widget._code}
    if widget.problem() is None:
        found["matches"] = widget.matches.tolist()
        found |= {name: told and {"last": told.last, "count": told.count, "best": told.best,
                                  "agree": None if told.agree is None else told.agree.tolist()}
                  for name, told in (("drawn", widget.drawn()), ("agreeing", widget.agreeing()))}
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


def warps():
    """Pictures, grey and in colour, moved by homographies into another size: levels, and where they reach."""
    rng = np.random.default_rng(5)
    corners = np.array([[0, 0], [0, 20], [15, 20], [15, 0.0]])
    for k, shape in enumerate([(16, 21), (16, 21, 3), (1, 9), (7, 1, 3), (16, 21), (16, 21, 3)]):
        levels = rng.integers(0, 256, shape)
        homography = matching.fit_homography(corners, corners + rng.uniform(-6, 6, (4, 2)))
        if k % 2:  # by whole pixels, the rim included
            homography = np.eye(3)
            homography[:2, 2] = rng.integers(-4, 5, 2)
        there = matching.warp(levels.astype(float), homography, (18, 19), outside=np.nan)
        reached = np.isfinite(there.reshape(18, 19, -1)).all(2)
        yield {"shape": shape, "levels": levels.ravel().tolist(), "rows": homography.tolist(), "size": [18, 19],
               "reached": reached.ravel().tolist(),
               "expected": np.broadcast_to(np.nan_to_num(there).reshape(18, 19, -1), (18, 19, 3)).ravel().tolist()}


def match_cases(rng, plain):
    """Return the cases; `plain(array)` writes an array as JSON can hold it."""
    found = [case(rng, k, plain) for k in range(90)] + [case(rng, k, plain, "wrong") for k in range(12)]
    for ratio in (0.0, 1.5, -0.25):
        widget = MatchViewer(np.zeros((20, 20)), np.zeros((20, 20)))
        widget.ratio = ratio
        found.append(answers(widget, plain))
    return {"states": found + list(photo_cases(plain)), "fours": list(fours()), "warps": list(warps())}
