"""The pooling stepper: of each window one number passes, and its place is forgotten."""

import numpy as np
import traitlets
from traitlets import Bool, Enum, Int

from cnnlib.widgets import _base, _compose
from cnnlib.widgets._picture import panel_figure
from cnnlib.widgets._pooling import KINDS, Pooling
from cnnlib.widgets._text import full, places, plural

LARGEST = 16  # pixels a side
SAME = 1e-9  # numbers closer than this, relative to their size, are equal
GEOMETRY = ["image", "kind", "kernel_size", "stride", "padding", "ceil_mode", "shift"]
UNTOLD = {"max": "maximum", "average": "average", "L2": "root of the sum of squares", "stride": "the first pixel",
          "blurred": "blurred maximum"}


class Shift(traitlets.TraitType):
    """How far the picture is pushed: a pair of whole numbers, down and right."""

    info_text = "a pair of whole numbers, (down, right)"
    default_value = (0, 0)

    def validate(self, obj, value):
        if isinstance(value, tuple | list) and len(value) == 2 and all(type(v) is int for v in value):
            return tuple(value)
        raise traitlets.TraitError(f"`shift` is {value!r}; it must be {self.info_text}")


class PoolingStepper(_base.CourseWidget):
    """Walk a window over a picture and see which number of it is kept; then push the picture.

    Parameters
    ----------
    image : array of shape (H, W), at most 16×16
    kind : {"max", "average", "L2", "stride", "blurred"}
        The maximum, the mean (zeros of the padding counted), the root of the sum of squares, the window's first pixel
        alone (what a stride keeps), or the maxima at every pixel, blurred by 1 2 1 before the stride.
    kernel_size, stride : int, in pixels
        Without a stride the windows stand side by side.
    padding : int, in pixels
        At most half of the window. It never wins.
    ceil_mode : bool
        Round the number of windows up.
    shift : (int, int)
        How far the picture is pushed down and to the right; what leaves on one side comes in on the other.
    backward : bool
        Show what a gradient of 1 from every output sends back, added up.
    row, col : int
        The output cell that is looked at.
    **options
        ``size``, ``scale``, ``hide``, ``predict``, as in :class:`CourseWidget`.

    Attributes
    ----------
    output : array of shape (OH, OW)
        The pooled picture; None while the window does not fit.
    index : array of shape (OH, OW)
        For the maximum, where each number stands in the flattened, pushed picture, as
        :func:`cnnlib.pool.max_pool2d` gives it; else None.

    Raises
    ------
    ValueError
        The picture is larger than 16×16.

    Examples
    --------
    >>> PoolingStepper([[1, 5, 2, 0], [3, 4, 2, 2]], col=1)
    Window rows 0 to 1, columns 2 to 3: maximum 2, 3 times; the first, at row 0, column 2, wins.
    """

    javascript = "pooling_stepper.js"
    positional = ("image",)
    controls = ("kind", "kernel_size", "stride", "padding", "ceil_mode", "backward", "push", "step")
    _esm = _compose.compose(javascript)
    _css = _base.style()

    image = _base.Array(2).tag(sync=True, start=True)
    kind = Enum(KINDS, "max").tag(sync=True, start=True)
    kernel_size = Int(2).tag(sync=True, start=True)
    stride = Int(None, allow_none=True).tag(sync=True, start=True)
    padding = Int(0).tag(sync=True, start=True)
    ceil_mode = Bool(False).tag(sync=True, start=True)
    shift = Shift().tag(sync=True, start=True)
    backward = Bool(False).tag(sync=True, start=True)
    row = Int(0).tag(sync=True, start=True)
    col = Int(0).tag(sync=True, start=True)
    output = _base.Array(2)
    index = _base.Array(2)

    def __init__(self, image, **state):
        super().__init__(image=image, **state)
        if max(self.image.shape) > LARGEST:
            raise ValueError(f"`image` has shape {self.image.shape}: the stepper shows up to {LARGEST}×{LARGEST} "
                             "pixels; cnnlib.images.crop cuts a piece out")
        self.observe(self._compute, GEOMETRY)
        self._compute(None)

    def _compute(self, change):
        pooling = None if self.problem() else self.pooling()
        self.output = pooling and pooling.out
        self.index = pooling.winners if pooling and self.kind == "max" else None

    def pooling(self, shift=None, kind=None):
        """Return the library's answers for the present state, or for another push or kind."""
        picture = np.roll(self.image.astype(np.float64), self.shift if shift is None else shift, axis=(0, 1))
        stride = self.kernel_size if self.stride is None else self.stride
        return Pooling(picture, kind or self.kind, self.kernel_size, stride, self.padding, self.ceil_mode)

    def problem(self):
        """Return why this state cannot be computed, with its arithmetic and what would work; else None."""
        for name, words in (("kernel_size", "size"), ("stride", "stride")):
            value = getattr(self, name)
            if value is not None and value < 1:
                return f"{words} {full(value)}: the smallest is 1"
        if self.padding < 0:
            return f"padding {full(self.padding)}: the smallest is 0"
        half, shortest = self.kernel_size // 2, min(self.image.shape)
        if self.padding > half:
            return (f"padding {self.padding}: at most half of the window, here {half}, lies outside; else a window "
                    "would see padding only")
        if shortest + 2 * self.padding < self.kernel_size:
            return f"{shortest} + 2·{self.padding} < {self.kernel_size}: the window does not fit"
        return None

    def changed(self):
        """Return how many outputs and how many inputs differ from those of the picture before it was pushed."""
        start, now = self.pooling((0, 0)), self.pooling()
        return _differ(start.out, now.out), _differ(start.picture, now.picture)

    def change(self, kind=None):
        """Return the length of what a push adds to the pooled map, as a share of the map's length before it.

        Equation 6 of lecture 22; NaN where the map had no length, or there are NaN in it.
        """
        start, now = self.pooling((0, 0), kind).out, self.pooling(None, kind).out
        length = np.linalg.norm(start)
        return float(np.linalg.norm(now - start) / length) if length else np.nan

    def sentence(self):
        """Return the chosen window and the number that it becomes, what goes back, and what a push has changed."""
        if trouble := self.problem():
            return f"Refused: {trouble}."
        pooling = self.pooling()
        at = self._at(pooling)
        rows, cols = (places(first, first + self.kernel_size - 1) for first in pooling.corner(*at))
        words = f"{UNTOLD[self.kind]} ?" if self.predict else _value_words(pooling, *at)
        parts = [f"Window rows {rows}, columns {cols}: {words}."]
        if self.backward and not self.predict:
            parts.append(_back_words(pooling, *at))
        if any(self.shift) and not self.predict:
            parts.append(self._changed_words(pooling))
        return " ".join(parts)

    def _at(self, pooling):
        """Return the chosen output cell, moved inside the map."""
        return [min(max(i, 0), n - 1) for i, n in zip((self.row, self.col), pooling.windows.out_size)]

    def _changed_words(self, pooling):
        (outputs, inputs), (down, right) = self.changed(), self.shift
        ways = [f"{abs(d)} {way[d < 0]}" for d, way in ((down, ("down", "up")), (right, ("right", "left"))) if d]
        share = self.change()
        much = "" if np.isnan(share) else f", the map by {np.floor(100 * share + 0.5):.0f} %"
        return (f"Pushed {' and '.join(ways)}: {outputs} of {plural(pooling.out.size, 'output')} and "
                f"{inputs} of {plural(self.image.size, 'input')} changed{much}.")

    def figure(self):
        """Return a figure of the pushed picture and the pooled one, with window and winner framed."""
        from cnnlib import plots

        if self.problem():
            return panel_figure([(self.pooling().picture, "input", "input")], self.sentence())
        pooling, size = self.pooling(), self.kernel_size
        shown = np.full(pooling.out.shape, np.nan) if self.predict else pooling.out
        panels = [(pooling.picture, "input", "input"),
                  (shown, f"{self.kind}, not yet shown" if self.predict else self.kind, "output")]
        if self.backward and not self.predict:
            panels.append((pooling.gradient(np.ones(pooling.out.shape)), "sent back", "gradient"))
        figure = panel_figure(panels, self.sentence())
        (left, right), at = figure.axes[:2], self._at(pooling)
        plots.grid.frame(left, *pooling.corner(*at), size, size, plots.COLOURS["input"])
        plots.grid.frame(right, *at, 1, 1, plots.COLOURS["output"])
        if self.kind == "max" and not self.predict:
            winner = np.unravel_index(pooling.winners[tuple(at)], pooling.picture.shape)
            plots.grid.frame(left, *winner, 1, 1, plots.COLOURS["output"], linewidth=2.5)
        return figure


def _value_words(pooling, row, col):
    """Say what the window becomes."""
    number, inside = pooling.out[row, col], pooling.inside(row, col)
    value = full(number)
    if pooling.kind == "average":
        zeros = pooling.zeros(row, col)
        return f"average {value}{f', with {zeros} of padding counted' if zeros else ''}"
    if pooling.kind == "L2":
        return f"root of the sum of squares {value}"
    if pooling.kind == "stride":
        return f"only the first, {value} at row {inside[0].start}, column {inside[1].start}, is kept"
    if pooling.kind == "blurred":
        return f"blurred maximum {value}"
    place = _place(pooling.winners[row, col], pooling.picture.shape)
    equal = np.count_nonzero(pooling.picture[inside] == number)
    if equal > 1:
        return f"maximum {value}, {equal} times; the first, at {place}, wins"
    return f"maximum {value} at {place}"


def _back_words(pooling, row, col):
    """Say what a gradient of 1 from this output sends back."""
    shares = pooling.shares(row, col)
    if len(shares) == 1 and pooling.kind == "max":
        return f"Sent back: 1 to {_place(pooling.winners[row, col], pooling.picture.shape)}."
    if (shares == shares[0]).all():
        return f"Sent back: {full(shares[0])} to {'each of ' * (len(shares) > 1)}{plural(len(shares), 'pixel')}."
    return f"Sent back: between {full(shares.min())} and {full(shares.max())} to {plural(len(shares), 'pixel')}."


def _place(flat, shape):
    return "row {}, column {}".format(*np.unravel_index(flat, shape))


def _differ(one, other):
    """Return how many numbers differ by more than rounding; NaN equals NaN."""
    near = np.abs(one - other) <= SAME * np.maximum(1, np.abs(one))
    return int(np.count_nonzero(~(near | (np.isnan(one) & np.isnan(other)))))
