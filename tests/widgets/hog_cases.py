"""Drawn states of the HOG explorer and what Python answers: test_js.py puts them to the JavaScript."""

import numpy as np
from refusals import refused

from cnnlib import data
from cnnlib.features import hog
from cnnlib.widgets.hog_explorer import NORMS, VOTES, HogExplorer

REFUSED = ({"orientations": 0}, {"orientations": 40}, {"pixels_per_cell": (0, 3)}, {"cells_per_block": (-1, 2)},
           {"pixels_per_cell": (9, 9)}, {"cells_per_block": (7, 30)}, {"window_sigma": 0.0},
           {"transform_sqrt": True})


def picture(rng, k, shape):
    """Noise, a part of a photo, whole numbers with equal slopes, or a flat picture."""
    if k % 4 == 0:
        return rng.uniform(0, 1, shape)
    if k % 4 == 1:
        row, col = rng.integers(0, 400, 2)
        return data.photo("camera")[row:row + shape[0], col:col + shape[1]]
    return rng.integers(0, 3, shape) * 10 if k % 12 else np.full(shape, 7)


def case(rng, k, plain):
    cell, block = (tuple(rng.integers(1, most, 2).tolist()) for most in (7, 4))
    shape = [c * b + int(extra) for c, b, extra in zip(cell, block, rng.integers(0, 12, 2))]
    cells = [max(n // c, 1) for n, c in zip(shape, cell)]
    widget = HogExplorer(
        picture(rng, k, shape), orientations=int(rng.integers(1, 19)), pixels_per_cell=cell, cells_per_block=block,
        block_norm=NORMS[k % 4], transform_sqrt=bool(k % 5 == 0), votes=VOTES[k % 3],
        window_sigma=[None, 3.5][k % 2], cell=tuple(int(rng.integers(n)) for n in cells), block=(k % 3, k % 2),
        pixel=tuple(int(rng.integers(n)) for n in cell) if k % 2 else (-1, -1), number=int(rng.integers(-1, 20)),
        predict=bool(k % 11 == 0))
    return answers(widget, plain)


def answers(widget, plain):
    state = {name: getattr(widget, name) for name in widget._opening} | {"image": plain(widget.image)}
    found = {"state": state, "problem": widget.problem(), "sentence": widget.sentence(), "code": widget.code(),
             "pattern": widget._code, "descriptor": None}
    if widget.problem() is None:
        # From the steps, in double precision: hog itself takes NumPy's hard and trilinear votes in float32.
        sizes = widget.orientations, widget.pixels_per_cell, widget.cells_per_block
        if widget.votes == "trilinear":
            blocks = hog.block_histograms(*widget.ballots(), *sizes, widget.window_sigma)
        else:
            blocks = hog.group_cells(widget.cells(), widget.cells_per_block)
        numbers = hog.normalise_blocks(blocks, widget.block_norm).ravel()
        assert np.abs(numbers - widget.descriptor).max() <= 1e-5
        found |= {"descriptor": plain(numbers), "cells": plain(widget.cells())}
    return found


def hog_cases(rng, plain):
    """Return the cases; `plain(array)` writes an array as JSON can hold it."""
    found = [case(rng, k, plain) for k in range(72)]
    found += [answers(HogExplorer(np.outer(np.arange(8.0), np.arange(8.0) + 1), pixels_per_cell=4, orientations=1,
                                  votes=votes, pixel=(2, 1)), plain) for votes in VOTES]  # one bin is told once
    return found + refused(lambda: HogExplorer(np.arange(-5.0, 275).reshape(14, 20), pixels_per_cell=4), REFUSED,
                           answers, plain)
