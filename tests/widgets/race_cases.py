"""Drawn states of the optimiser race and what Python answers: test_js.py puts them to the JavaScript."""

import numpy as np
from refusals import refused

from cnnlib.optim import surfaces
from cnnlib.widgets import OptimiserRace
from cnnlib.widgets.optimiser_race import RUNNERS

REFUSED = ({"steps": 0}, {"steps": 1001}, {"kappa": 0.0}, {"kappa": -3.0}, {"noise": -0.5}, {"lr": {"adam": 0.0}},
           {"lr": {"sgd": -0.1}})
CHANCE = ("ravine", "bowl", "rosenbrock", "saddle", "two valleys", "own")


def hills(w1, w2):
    return np.sin(2 * w1) * w2 + 0.3 * w1 * w1 + 0.2 * w2 * w2


def holed(w1, w2):
    return w1 * w1 + np.sqrt(w2 + 1.5)


def edged(w1, w2):
    return np.where(w1 > 0, np.nan, w1 * w1 + w2 * w2)


def hole_cases(plain):
    """Walks that come to where the loss is NaN: before it, at it, long after it, and one that starts there."""
    for step in (3, 9, 68, 69, 120):
        yield answers(OptimiserRace(edged, start=(-0.5, 0.5), step=step, look="sgd"), plain)
    yield answers(OptimiserRace(edged, start=(0.5, 0.5), step=1), plain)
    yield answers(OptimiserRace(edged, start=(-0.5, 0.5), lr={"sgd": 3.0}, steps=30, step=30), plain)


def case(rng, k, plain):
    name = CHANCE[k % 6]
    surface = name if name != "own" else surfaces.sampled(holed if k % 12 == 5 else hills, ((-2, 2), (-1, 2)))
    runners = [each for each in RUNNERS if rng.integers(4)]
    lr = {each: round(float(10 ** rng.uniform(-3, -0.5)), 4) for each in RUNNERS if rng.integers(2)}
    if name in ("rosenbrock", "own"):  # near their cliffs paths are chaotic, and the last bit of a sum grows
        lr = {each: round(rate / 100, 6) for each, rate in lr.items()}
    start = None if rng.integers(2) else tuple(rng.uniform(-0.9, 1.4, 2).round(2).tolist())
    steps = int(rng.integers(1, 120))
    return answers(OptimiserRace(
        surface, start=start, runners=runners, lr=lr, steps=steps, step=int(rng.integers(-3, 140)),
        noise=float(rng.choice([0, 0, 0.3])), seed=int(rng.integers(4)), kappa=float(rng.choice([1, 10, 47.5])),
        look=str(rng.choice(["", *RUNNERS])), predict=bool(k % 11 == 0)), plain)


def answers(widget, plain):
    paths = widget.paths
    return {"state": {name: getattr(widget, name) for name in widget._opening}, "problem": widget.problem(),
            "sentence": widget.sentence(), "code": widget.code(), "pattern": widget._code,
            "draws": plain(widget._draws[:140]),
            "own": None if widget._samples is None else [plain(widget._samples), widget._window, widget._own_start],
            "paths": None if paths is None else plain(paths),
            "losses": None if paths is None else plain(widget.losses)}


def race_cases(rng, plain):
    """Return the cases; `plain(array)` writes an array as JSON can hold it."""
    found = [case(rng, k, plain) for k in range(72)] + [*hole_cases(plain)]
    return found + refused(OptimiserRace, REFUSED, answers, plain)
