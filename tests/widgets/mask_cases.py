"""Drawn states of the mask explorer and what Python answers: test_js.py puts them to the JavaScript."""

import numpy as np
from refusals import refused

from cnnlib.widgets import MaskExplorer
from cnnlib.widgets._masks import EDGE, NAMES, SPOT
from cnnlib.widgets.mask_explorer import SHOWS

REFUSED = ({"mask": "laplacian", "show": "thin"}, {"mask": np.zeros((3, 3)), "show": "direction"},
           {"mask": np.ones((7, 7)), "padding": "valid"}, {"show": "hysteresis", "low": -0.1},
           {"show": "hysteresis", "high": 1.5}, {"show": "hysteresis", "low": 0.5, "high": 0.25},
           {"show": "hysteresis", "low": 0.3, "high": 0.29999})
ODD = ([[-1, 2, -1]] * 3, np.transpose([[-1, 2, -1]] * 3), [[-1, -1, 2], [-1, 2, -1], [2, -1, -1]],
       np.zeros((3, 3)), [[1, 1, 1], [0, 0, 0], [-1, -1, -2]], np.repeat([[-1, 1, 0, 1, -1]], 5, axis=0))


STEP = np.repeat([[0, 0, 1, 1, 1]], 7, axis=0)
FADING = np.outer(np.linspace(1, 0, 12), [0, 0, 0, 4, 4, 4, 4, 0, 0])  # an edge that grows weaker downwards
FAINT = np.pad(FADING[-5:-1], ((0, 0), (0, 9))) + np.eye(1, 18, 15) * 4  # the same, with nothing strong to join it
RARE = [  # what is seldom drawn
    {"image": np.ones((5, 5))}, {"image": np.ones((5, 5)), "names": "gradient"}, {"image": STEP, "mask": ODD[0]},
    {"image": np.ones((5, 6)), "mask": ODD[1]}, {"image": np.ones((5, 6)), "mask": ODD[2]},
    *({"image": STEP, "show": "thin", "row": 3, "col": col} for col in (0, 1, 2, 3)),
    *({"image": STEP.T, "show": "thin", "row": row, "col": 3} for row in (1, 2, 3)),
    *({"image": image, "show": "hysteresis", "low": low, "high": 0.6, "row": row, "col": col}
      for image, low in ((FADING, 0.4), (FAINT, 0.2)) for row in range(1, len(image) - 1) for col in (2, 6)),
]


def picture(rng, k):
    """Whole numbers with many ties, a photo's levels, real ones, or a few NaN; some too large for numbers."""
    shape = rng.integers(4, 13, 2) if k % 4 else [rng.integers(1, 4), rng.integers(17, 30)]
    if k % 6 == 0:
        return rng.integers(0, 4, shape)
    if k % 6 == 3:  # areas without a step in them, and ramps
        return np.repeat(np.repeat(rng.integers(0, 3, (3, 4)), 4, axis=0), 3, axis=1) + np.arange(12) * rng.integers(2)
    numbers = np.round(rng.random(shape) * 255) / 255 if k % 3 == 1 else rng.normal(size=shape)
    if k % 10 == 2:
        numbers.flat[rng.integers(numbers.size, size=2)] = np.nan
    return numbers


def mask(rng, k):
    """A mask with a name, an odd one, or drawn numbers: whole ones, and others in larger sizes too."""
    kind = k % 5
    if kind < 2:
        family = [*EDGE, "robinson", *SPOT][rng.integers(6)]
        return family if family in SPOT else f"{family}_{NAMES[rng.integers(8)]}"
    if kind == 2:
        return ODD[rng.integers(len(ODD))]
    size = int(rng.choice([3, 3, 5, 7, 11]))
    if kind == 3:
        return rng.integers(-3, 4, (size, size))
    drawn = np.round(rng.normal(size=(size, size)), 2)
    return drawn - drawn.mean()  # asks for differences alone


def case(rng, k, plain):
    image, show = picture(rng, k), [*SHOWS, "thin", "hysteresis"][k % 7]
    row, col = (int(rng.integers(-1, n + 1)) for n in image.shape) if k % 11 else (None, None)
    low, high = sorted(np.round(rng.random(2) / 2, 2).tolist())
    widget = MaskExplorer(
        image, mask(rng, int(rng.integers(5))), show=show, row=row, col=col, low=low, high=high,
        names=str(rng.choice(["walk", "gradient"])),
        padding=str(rng.choice(["replicate", "replicate", "reflect", "zeros", "valid"])), predict=bool(k % 13 == 0))
    if rng.integers(2) and show in ("thin", "hysteresis") and not widget.problem():  # one that is not thinned away
        kept = np.argwhere(widget.answers().thinned > 0)
        if len(kept):
            widget.row, widget.col = (kept[rng.integers(len(kept))] + widget.answers().margin).tolist()
    return answers(widget, plain)


def answers(widget, plain):
    state = {name: getattr(widget, name) for name in widget._opening}
    state |= {"image": plain(widget.image), "mask": plain(widget.mask)}
    found = {"state": state, "problem": widget.problem(), "sentence": widget.sentence(), "code": widget.code(),
             "pattern": widget._code, "answers": None}
    if widget.padding != "valid" or min(widget.image.shape) >= len(widget.mask):
        told = widget.answers()
        strength, direction = told.strongest
        found["answers"] = {
            "kind": told.kind, "index": told.index, "response": plain(told.response), "strength": plain(strength),
            "direction": plain(direction), "thinned": plain(told.thinned),
            "joined": plain(told.joined(abs(widget.low), max(widget.low, widget.high)))}
    return found


def mask_cases(rng, plain):
    """Return the cases; `plain(array)` writes an array as JSON can hold it."""
    found = [case(rng, k, plain) for k in range(300)]
    found += [answers(MaskExplorer(**state), plain) for state in RARE]
    return found + refused(lambda: MaskExplorer(np.arange(30).reshape(5, 6)), REFUSED, answers, plain)
