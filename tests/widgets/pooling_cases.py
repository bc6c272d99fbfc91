"""Drawn states of the pooling stepper and what Python answers: test_js.py puts them to the JavaScript."""

import numpy as np
from refusals import refused

from cnnlib.widgets import PoolingStepper
from cnnlib.widgets._pooling import KINDS

REFUSED = ({"kernel_size": 0}, {"stride": 0}, {"stride": -2}, {"padding": -1}, {"padding": 2}, {"kernel_size": 9},
           {"kernel_size": 12, "padding": 3})


def pixels(rng, shape, k):
    """Whole numbers with many ties, real ones, or a few NaN."""
    numbers = rng.integers(-2, 4, shape).astype(float) if k % 3 == 0 else rng.normal(size=shape)
    if k % 3 == 2:
        numbers.flat[rng.integers(numbers.size, size=2)] = np.nan
    return numbers


def case(rng, k, plain):
    shape, size = rng.integers(1, 9, 2), int(rng.integers(1, 5))
    stride = None if rng.integers(3) == 0 else int(rng.integers(1, 5))
    padding = int(rng.integers(size // 2 + 1) if k % 5 else rng.integers(3))  # mostly one that is allowed
    shift = tuple(rng.integers(-3, 4, 2).tolist()) if k % 2 else (0, 0)
    return answers(PoolingStepper(
        pixels(rng, shape, k), kind=KINDS[k % 5], kernel_size=size, stride=stride, padding=padding,
        ceil_mode=bool(rng.integers(2)), shift=shift, backward=bool(rng.integers(2)), row=int(rng.integers(9)),
        col=int(rng.integers(9)), predict=bool(k % 11 == 0)), plain)


def answers(widget, plain):
    state = {name: getattr(widget, name) for name in widget._opening} | {"image": plain(widget.image)}
    found = {"state": state, "problem": widget.problem(), "sentence": widget.sentence(), "code": widget.code(),
             "pattern": widget._code, "output": None}
    if widget.problem() is None:
        pooling = widget.pooling()
        found |= {"output": plain(pooling.out), "back": plain(pooling.gradient(np.ones(pooling.out.shape))),
                  "changed": widget.changed(), "change": plain([widget.change(kind) for kind in KINDS]),
                  "index": None if widget.index is None else plain(widget.index)}
    return found


def pooling_cases(rng, plain):
    """Return the cases; `plain(array)` writes an array as JSON can hold it."""
    found = [case(rng, k, plain) for k in range(200)]
    return found + refused(lambda: PoolingStepper(np.ones((5, 6)), kernel_size=3), REFUSED, answers, plain)
