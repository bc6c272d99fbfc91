"""A function of the reader's own under the backward microscope: its paths are measured by central differences.

A path's factor is the slope of one output along one number. Nothing is known of how the function computes it, so the
factor has no name, only a value. What has a kink nearby has no slope there: it is left out of every comparison.
"""

import inspect

import numpy as np

from cnnlib.plots._paths import Paths
from cnnlib.widgets._text import full

STEP, STEP_SINGLE = 1e-5, 3e-2  # of a number that is 1 or less; the larger for functions in single precision
NEAR, NEAR_SINGLE = 1e-5, 5e-3  # relative to the largest number: what differs by less is rounding
SETTINGS = ("kernel_size", "stride", "padding", "dilation")


class Odd(Exception):
    """The function's answer is none that can be shown; the message says why."""


class OwnPaths(Paths):
    """What :class:`cnnlib.plots._paths.Paths` is for the library's operations, for a function.

    Parameters
    ----------
    x, weight : arrays of two axes; the weight may be None
    fn : callable
        ``fn(x)`` or ``fn(x, weight)``: of two axes, or of four, (N, C, H, W). The settings are given by name.
    settings : dict

    Attributes
    ----------
    out : array (OH, OW)
    to_x, to_weight : arrays (OH, OW, H, W) and (OH, OW, KH, KW)
    shape : tuple
        Of what the function gives.
    axes : {2, 4}
        How many it takes.
    kinks : dict of part to places, flat, of the numbers beside a kink
    near : float
        How far, relative to the largest number, a right gradient may lie from these differences.

    Raises
    ------
    Odd
        It gives no numbers in rows and columns, or others when it is called again.
    """

    def __init__(self, x, weight, fn, settings):
        self.x, self.weight, self.op, self.settings, self._fn = x, weight, "own", settings, fn
        self.axes = None
        out = self._answer(x, weight)
        single = out.dtype.kind == "f" and out.dtype.itemsize < 8
        self.near, step = (NEAR_SINGLE, STEP_SINGLE) if single else (NEAR, STEP)
        self.out = _flat(out).astype(np.float64)
        self.shape = out.shape if self.axes == 2 else self.out.shape
        if not np.array_equal(self.forward(x), self.out, equal_nan=True):
            raise Odd("gives other numbers when it is called again with the same ones")
        self.kinks, tables = {}, []
        for part, array in (("grad_x", x), ("grad_weight", weight)):
            table = None
            if array is not None:
                table, self.kinks[part] = self._differences(part, array, step)
            tables.append(table)
        self.to_x, self.to_weight = tables

    def _answer(self, x, weight):
        """Call the function with two axes, or, where that fails, with axes for batch and channel too."""
        arrays = [np.array(a) for a in (x, weight) if a is not None]
        if self.axes is None:
            try:
                answer, self.axes = self._fn(*arrays, **self.settings), 2
            except Exception as first:  # it may fail in any way; then the other form is tried
                try:
                    answer, self.axes = self._fn(*(np.array(a)[None, None] for a in arrays), **self.settings), 4
                except Exception:
                    raise first from None
        else:
            answer = self._fn(*(a if self.axes == 2 else a[None, None] for a in arrays), **self.settings)
        try:
            answer = np.asarray(answer)
        except (TypeError, ValueError):
            answer = np.asarray(None)
        if answer.dtype.kind not in "buif":
            raise Odd("gives no real numbers")
        if not answer.size or answer.ndim > 2 and answer.shape[:-2] != (1,) * (answer.ndim - 2):
            raise Odd(f"gives shape {answer.shape}; rows and columns are needed")
        return answer

    def forward(self, x, weight=None):
        return _flat(self._answer(x, self.weight if weight is None else weight)).astype(np.float64)

    def backward(self, grad_output, x=None, weight=None):
        """Return (grad_x, grad_weight) for the arrays that it was made with: the sums of its slopes."""
        return tuple(None if table is None else np.tensordot(np.asarray(grad_output, float), table, 2)
                     for table in (self.to_x, self.to_weight))

    def _differences(self, part, array, step):
        """Return the slope of every output along every number, and the places where there is none."""
        table, kinks = np.zeros((*self.out.shape, *array.shape)), []
        for place, at in enumerate(np.ndindex(*array.shape)):
            h = step * max(1.0, abs(array[at]))
            slopes, jumps = [], []
            for size in (h, h / 2):
                up, down = (self._moved(part, array, at, d) for d in (size, -size))
                slopes.append((up - down) / (2 * size))
                jumps.append(np.abs(up - 2 * self.out + down) / size)  # of a smooth function it halves with the step
            limit = self.near * np.maximum(1, np.abs(slopes[1]))
            with np.errstate(invalid="ignore"):
                bent = (jumps[1] > limit) & (jumps[1] > 0.75 * jumps[0]) | (abs(slopes[0] - slopes[1]) > limit)
            if bent.any():
                kinks.append(place)
            table[(..., *at)] = 2 * slopes[1] - slopes[0]  # without the error that halves with the step (softsign at 0)
        table[np.abs(table) < 1e-8 * np.nanmax(np.abs(table), initial=0)] = 0  # no path, but rounding
        return table.astype(np.float32).astype(np.float64), kinks  # as the page gets it

    def _moved(self, part, array, at, by):
        moved = np.array(array)
        moved[at] += by
        return self.forward(moved) if part == "grad_x" else self.forward(self.x, moved)

    def _through(self, part):
        return self.to_x if part == "grad_x" else self.to_weight

    def _factor(self, part, output, cell):
        return "", float(self._through(part)[(*output, *cell)])


def _flat(answer):
    """Return an answer in two axes: a number as (1, 1), a row as (1, K)."""
    return answer.reshape(answer.shape[-2:] if answer.ndim > 1 else (1, answer.size))


def taken(function, settings):
    """Return those of the settings that a function takes by name."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return {}
    every = any(p.kind is p.VAR_KEYWORD for p in parameters)
    names = {p.name for p in parameters}
    return {name: value for name, value in settings.items() if every or name in names}


def kinks_in_words(kinks, nouns):
    """Say how many numbers lie beside a kink: "2 inputs lie at a kink, where there is no slope to compare", or ""."""
    counted = [(len(kinks[part]), noun) for part, noun in nouns.items() if kinks.get(part)]
    if not counted:
        return ""
    words = " and ".join(f"{full(n)} {noun}{'' if n == 1 else 's'}" for n, noun in counted)
    return f"; {words} {'lies' if sum(n for n, _ in counted) == 1 else 'lie'} at a kink, with no slope to compare"
