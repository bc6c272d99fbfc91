"""A unit with sixteen switches, their knobs and a bias: what the Adaline machine shows, computed by cnnlib.history.

Knobs are one array of 17 numbers here: the weights in reading order, then the bias.
"""

import difflib
import re
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

import numpy as np
import traitlets

from cnnlib import history
from cnnlib.widgets._text import full

SIDE = 4
KNOBS = SIDE * SIDE + 1
MOST = 10  # patterns
TINY = 1e-5  # a sum or an error below is rounding: the knobs are kept in single precision
RUNAWAY = 1e6  # no knob is turned beyond
LAPS = 1000
STEPS = {"adaline": history.adaline_step, "perceptron": history.perceptron_step}
SETS = {
    "letters": {"T": "###. .#.. .#.. .#.. +1", "J": "..#. ..#. #.#. ###. -1", "F": "###. #... ##.. #... -1",
                "T right": ".### ..#. ..#. ..#. +1", "J right": "...# ...# .#.# .### -1",
                "F right": ".### .#.. .##. .#.. -1"},
    "xor": {"none": ".... .... .... .... -1", "left": "##.. ##.. ##.. ##.. +1", "right": "..## ..## ..## ..## +1",
            "both": "#### #### #### #### -1"},
}
_TEXT = re.compile(r"(?:[#.]{4} ){4}[+-]1")
_NAME = re.compile(r"[^\W\d_][\w -]{0,7}")


class Patterns(traitlets.TraitType):
    """The name of a set of patterns, or a dict from a name to its picture and the answer that is wanted."""

    default_value = "letters"

    def validate(self, obj, value):
        if isinstance(value, str):
            if value not in SETS:
                near = difflib.get_close_matches(value, SETS, 1)
                meant = f"; did you mean {near[0]!r}?" if near else ";"
                raise ValueError(f"`patterns` is {value!r}{meant} it must be {', '.join(SETS)}, or a dict of patterns")
            return value
        if not isinstance(value, dict) or not 1 <= len(value) <= MOST:
            what = f"has {len(value)} patterns" if isinstance(value, dict) else f"is {value!r}"
            raise ValueError(f"`patterns` {what}; it must be {', '.join(SETS)}, or a dict of 1 to {MOST} patterns")
        texts = {name: _read(name, one) for name, one in value.items()}
        seen = {}
        for name, text in texts.items():
            if (first := seen.setdefault(text[:-3], name)) != name:
                raise ValueError(f"`patterns` has the same picture for {first!r} and {name!r}; each must differ")
        return texts


def _read(name, value):
    """Return a pattern as text, four rows of # (on) and . (off), and the answer: "###. .#.. .#.. .#.. +1"."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError(f"`patterns` has the name {name!r}; it must be 1 to 8 letters, digits, spaces or hyphens, "
                         "a letter first")
    if isinstance(value, str) and _TEXT.fullmatch(value):
        return value
    if isinstance(value, tuple | list) and len(value) == 2:
        picture, target = np.asarray(value[0]), value[1]
        if picture.shape == (SIDE, SIDE) and np.isin(picture, (-1, 1)).all() and target in (-1, 1):
            rows = ("".join("#" if x > 0 else "." for x in row) for row in picture)
            return f"{' '.join(rows)} {int(target):+d}"
    raise ValueError(f"`patterns` has {name!r}: {value!r}; it must be a text such as {SETS['letters']['T']!r}, or a "
                     "pair of a 4×4 picture of 1 and -1 and a target of 1 or -1")


def shown(text):
    """Return the picture of a pattern, 16 numbers of −1 and +1, and its target."""
    *rows, target = text.split()
    return np.array([1.0 if sign == "#" else -1.0 for sign in "".join(rows)]), int(target)


def texts_of(patterns):
    """Return the patterns of a set by name, each as text."""
    return SETS[patterns] if isinstance(patterns, str) else patterns


def total(knobs, x):
    """Return the sum of weights times inputs, and the bias; what differs from 0 by rounding only is 0."""
    value = float(np.dot(knobs[:-1], x) + knobs[-1])
    return 0.0 if abs(value) < TINY else value


def answer(knobs, x):
    """Return what the lamp says, −1 or +1."""
    return 1 if total(knobs, x) >= 0 else -1


def step(rule, knobs, x, target, rate):
    """Return the knobs after one pattern, and the error before it; the same knobs where nothing turns."""
    steady = knobs[-1] if total(knobs, x) else -np.dot(knobs[:-1], x)  # where the lamp would flicker, a sum of 0
    weights, bias, error = STEPS[rule](knobs[:-1], steady, x, target, rate)
    moved = np.append(weights, bias - steady + knobs[-1])
    return (knobs if abs(error) < TINY or np.abs(moved).max() > RUNAWAY else moved), error


def squared_error(knobs, patterns):
    """Return the mean over the patterns of (target − sum)²."""
    return sum((target - total(knobs, x)) ** 2 for x, target in patterns) / len(patterns)


@lru_cache(maxsize=64)
def separable(texts):
    """Return whether any weights answer all of these patterns rightly; None where that is not known.

    Runs the perceptron: its sums are whole numbers here, so it stops, or comes back to knobs that it had and goes
    round for ever. It stops whenever such weights exist (Rosenblatt's theorem), so a round proves that none do.
    """
    patterns, seen = [shown(text) for text in texts], set()
    knobs = np.zeros(KNOBS)
    for _ in range(LAPS):
        before = knobs
        for x, target in patterns:
            knobs, _ = step("perceptron", knobs, x, target, 0.5)
        if knobs is before:
            return True
        if knobs.tobytes() in seen:
            return False
        seen.add(knobs.tobytes())
    return None


@lru_cache(maxsize=64)
def least_error(texts):
    """Return the least mean squared error over these patterns that any knobs have, by least squares."""
    pictures, targets = zip(*(shown(text) for text in texts))
    inputs, targets = np.column_stack([pictures, np.ones(len(texts))]), np.array(targets)
    rest = targets - inputs @ np.linalg.lstsq(inputs, targets, rcond=None)[0]
    return round(float(np.mean(rest ** 2)), 9)


def told(x):
    """Return a number as the machine says it: three decimals, none from 1000 on, and powers of ten below them.

    Examples
    --------
    >>> told(0.38), told(0.3799 / 17), told(-2e-4), told(1e-9), told(4917.24)
    ('0.38', '0.022', '−2.0e−4', '0', '4917')
    """
    if abs(x) < TINY:
        return "0"
    if abs(x) < 0.001:
        return full(x)
    return full(Decimal(x).quantize(Decimal("0.001" if abs(x) < 1000 else "1"), ROUND_HALF_UP))
