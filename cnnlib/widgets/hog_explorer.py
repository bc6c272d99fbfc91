"""The HOG explorer: a patch becomes nine numbers, then a block that light does not change."""

import numpy as np
import traitlets
from traitlets import Bool, Enum, Float, Int, Unicode

from cnnlib import data
from cnnlib.features import hog
from cnnlib.features.hog.blocks import NORMS, shares
from cnnlib.features.hog.votes import VOTES
from cnnlib.widgets import _base, _compose
from cnnlib.widgets._picture import grey_picture, panel_figure
from cnnlib.widgets._text import full, literal, plural

LARGEST = 256  # pixels a side; a larger photo is reduced
MOST = 36  # bins


class Pair(traitlets.TraitType):
    """A pair of whole numbers, (rows, columns); one number means both."""

    info_text = "a whole number or a pair of them, (rows, columns)"

    def validate(self, obj, value):
        if type(value) is int:
            return value, value
        if isinstance(value, tuple | list) and len(value) == 2 and all(type(v) is int for v in value):
            return tuple(value)
        raise traitlets.TraitError(f"`{self.name}` is {value!r}; it must be {self.info_text}")


class HogExplorer(_base.CourseWidget):
    """See a pixel's gradient vote for an orientation, the votes of a cell, and a block before and after normalising.

    Parameters
    ----------
    image : array of shape (H, W), (H, W, 3) or (H, W, 4), or the name of a shipped photo
        Colours are turned to grey, transparency is left out, more than 256 pixels a side are reduced: a line below
        the picture says so.
    orientations : int
        Bins on the circle of 180 degrees, at most 36.
    pixels_per_cell, cells_per_block : (rows, cols) or int
    block_norm : {"L1", "L1-sqrt", "L2", "L2-Hys"}
    transform_sqrt : bool
    votes : {"hard", "linear", "trilinear"}
    window_sigma : float, optional, in pixels
        Of the Gaussian over a block, for trilinear votes; half of the block's side if not given.
    cell, block : (int, int)
        The cell and the block that are looked at, as (row, column).
    pixel : (int, int)
        The pixel of the cell whose vote is followed; (-1, -1) for none.
    number : int
        The number of the block that is looked at; -1 for none.
    **options
        ``size``, ``scale``, ``hide``, ``predict``, as in :class:`CourseWidget`.

    Attributes
    ----------
    descriptor : array of shape (length,)
        What :func:`cnnlib.features.hog.hog` gives for these settings; None where they are refused.
    length : int
        How many numbers that are; 0 where they are refused.

    Examples
    --------
    >>> HogExplorer([[0, 0, 9, 9], [0, 0, 9, 9], [0, 0, 9, 9], [0, 0, 9, 9]], pixels_per_cell=4, cells_per_block=1)
    Cell 0, 0: strongest bin 10°, 100 % of the votes. Block 0, 0 is numbers 1 to 9 of 9.
    """

    javascript = "hog_explorer.js"
    positional = ("image",)
    controls = ("orientations", "pixels_per_cell", "cells_per_block", "votes", "block_norm", "transform_sqrt", "block")
    _esm = _compose.compose(javascript)
    _css = _base.style()

    image = _base.Array(2).tag(sync=True, start=True)
    orientations = Int(9).tag(sync=True, start=True)
    pixels_per_cell = Pair((8, 8)).tag(sync=True, start=True)
    cells_per_block = Pair((2, 2)).tag(sync=True, start=True)
    block_norm = Enum(NORMS, "L2-Hys").tag(sync=True, start=True)
    transform_sqrt = Bool(False).tag(sync=True, start=True)
    votes = Enum(VOTES, "hard").tag(sync=True, start=True)
    window_sigma = Float(None, allow_none=True).tag(sync=True, start=True)
    cell = Pair((0, 0)).tag(sync=True, start=True)
    block = Pair((0, 0)).tag(sync=True, start=True)
    pixel = Pair((-1, -1)).tag(sync=True, start=True)
    number = Int(-1).tag(sync=True, start=True)
    _note = Unicode().tag(sync=True)

    def __init__(self, image="camera", **state):
        name = None
        if isinstance(image, str):
            name, image = literal(image), data.photo(image)
        picture, note = _picture_of(image)
        super().__init__(image=picture, _note=note, **state)
        self._names |= {"image": name} if name else {}
        self._tell_code()
        self.observe(lambda change: setattr(self, "_note", ""), "image")  # a new picture is shown as it is

    def problem(self):
        """Return why this state cannot be computed, with its arithmetic; else None."""
        (height, width), (rows, cols), (block_rows, block_cols) = (
            self.image.shape, self.pixels_per_cell, self.cells_per_block)
        if not 1 <= self.orientations <= MOST:
            return f"bins {full(self.orientations)}: from 1 to {MOST}"
        for words, pair in (("cell", (rows, cols)), ("block", (block_rows, block_cols))):
            if min(pair) < 1:
                return f"{words} {full(min(pair))}: the smallest is 1"
        if self.window_sigma is not None and not self.window_sigma > 0:
            return f"window_sigma {full(self.window_sigma)}: it must be above 0"
        if height < rows * block_rows or width < cols * block_cols:
            return (f"blocks of {block_rows}×{block_cols} cells of {rows}×{cols} pixels need "
                    f"{rows * block_rows}×{cols * block_cols} pixels; the picture has {height}×{width}")
        if self.transform_sqrt and self.image.min() < 0:
            return f"gamma takes roots, and the lowest level is {full(self.image.min())}"
        return None

    def _options(self):
        names = ("orientations", "pixels_per_cell", "cells_per_block", "block_norm", "transform_sqrt", "votes")
        return ({name: getattr(self, name) for name in names}
                | ({"window_sigma": self.window_sigma} if self.votes == "trilinear" else {}))

    @property
    def descriptor(self):
        if self.problem():
            return None
        return hog.hog(self.image.astype(np.float64), **self._options())

    @property
    def length(self):
        return 0 if self.problem() else len(self.descriptor)

    def ballots(self):
        """Return each pixel's bins and weights, as :func:`cnnlib.features.hog.pixel_votes` does."""
        gradients = hog.pixel_gradients(self.image.astype(np.float64), transform_sqrt=self.transform_sqrt)
        return hog.pixel_votes(*gradients, self.orientations, "hard" if self.votes == "hard" else "linear")

    def cells(self):
        """Return the histogram of each cell's own pixels, (rows, cols, orientations)."""
        return hog.cell_histograms(*self.ballots(), self.orientations, self.pixels_per_cell)

    def at(self, cells):
        """Return the chosen cell and block, moved inside the picture."""
        cell = [min(max(x, 0), n - 1) for x, n in zip(self.cell, cells.shape)]
        block = [min(max(x, 0), n - size) for x, n, size in zip(self.block, cells.shape, self.cells_per_block)]
        return cell, block

    def centre(self, k):
        """Return the middle of bin k in degrees, as it is written."""
        return f"{full(np.floor((k + 0.5) * 1800 / self.orientations + 0.5) / 10)}°"

    def sentence(self):
        """Return the chosen cell's strongest bin, the block's place in the vector, the pixel's vote, the number."""
        if trouble := self.problem():
            return f"Refused: {trouble}."
        cells = self.cells()
        (row, col), block = self.at(cells)
        histogram = cells[row, col]
        words = f"Cell {row}, {col}: "
        if self.predict:
            words += "strongest bin ?."
        elif not histogram.any():
            words += f"no gradient, {self.orientations} zeros."
        else:
            best = int(histogram.argmax())
            share = np.floor(100 * histogram[best] / histogram.sum() + 0.5)
            words += f"strongest bin {self.centre(best)}, {share:.0f} % of the votes."
        parts = [words]
        if not self.predict and self.pixel_inside():
            parts.append(self._pixel_words(row, col, block))
        size = self.orientations * np.prod(self.cells_per_block)
        rows, cols = (n - b + 1 for n, b in zip(cells.shape, self.cells_per_block))
        first = int((block[0] * cols + block[1]) * size)
        length = int(rows * cols * size)
        flat = not cells[block[0]:block[0] + self.cells_per_block[0], block[1]:block[1] + self.cells_per_block[1]].any()
        told = ": zeros, divided by eps and not by 0" if flat and not self.predict else ""
        parts.append(f"Block {block[0]}, {block[1]} is numbers {first + 1:,} to {first + size:,} of {length:,}{told}.")
        if not self.predict and 0 <= self.number < size:
            place = np.unravel_index(self.number, (*self.cells_per_block, self.orientations))
            value = self.descriptor[first + self.number]
            parts.append(f"Number {first + self.number + 1:,}: cell {block[0] + place[0]}, {block[1] + place[1]}, bin "
                         f"{self.centre(place[2])}, {_rounded(value)}.")
        return " ".join(parts)

    def pixel_inside(self):
        """Whether a pixel of the cell is followed."""
        return all(0 <= x < n for x, n in zip(self.pixel, self.pixels_per_cell))

    def _pixel_words(self, row, col, block):
        i, j = (c * n + x for c, n, x in zip((row, col), self.pixels_per_cell, self.pixel))
        bins, weights = (a[:, i, j] for a in self.ballots())
        if not weights.any():
            return f"Pixel {i}, {j}: no gradient, no vote."
        if self.orientations == 1:  # one bin is its own neighbour: both shares are one vote
            bins, weights = bins[:1], weights.sum(keepdims=True)
        votes = ", ".join(f"{_rounded(w)} for {self.centre(k)}" for k, w in zip(bins, weights))
        if self.votes != "trilinear":
            return f"Pixel {i}, {j} votes {votes}."
        gives = weights[:, None, None] * np.outer(*(
            self._given(x - first * n, n, size)
            for x, first, n, size in zip((i, j), block, self.pixels_per_cell, self.cells_per_block)))
        count = np.count_nonzero(gives)
        told = f"{plural(count, 'share')} in the block, together {_rounded(gives.sum())}"
        return f"Pixel {i}, {j} votes {votes}; {told if count else 'none in the block'}."

    def _given(self, x, pixels, size):
        """Return what a pixel gives to the cells of the block along one axis; nothing from outside."""
        given = shares(pixels, size, self.window_sigma)
        return given[:, x] if 0 <= x < given.shape[1] else np.zeros(size)

    def figure(self):
        """Return a figure of the picture with the chosen cell and block, and of its histograms drawn as lines."""
        from cnnlib import plots

        picture = self.image.astype(np.float64)
        if self.problem():
            return panel_figure([(picture, "picture", "input")], self.sentence())
        cells = self.cells()
        drawn = hog.hog_picture(cells, tuple(max(n, 8) for n in self.pixels_per_cell))
        drawn = np.minimum(drawn / (np.quantile(cells, 0.97) or 1), 1)  # the few strongest would leave the rest dark
        if self.predict:
            drawn = np.full(drawn.shape, np.nan)
        figure = panel_figure([(picture, "picture", "input"), (drawn, "histograms", "gradient")], self.sentence())
        (row, col), block = self.at(cells)
        for (r, c), size, colour in (((row, col), (1, 1), "gradient"), (block, self.cells_per_block, "output")):
            place = [x * n for x, n in zip((r, c, *size), self.pixels_per_cell * 2)]
            plots.grid.frame(figure.axes[0], *place, plots.COLOURS[colour], linewidth=2.5)
        return figure


def _rounded(value):
    """Write a number to four decimals, halves up."""
    return full(np.floor(1e4 * value + 0.5) / 1e4)


def _picture_of(image):
    """Return a grey picture of at most LARGEST pixels a side, and what was done to the one given, in words."""
    image, words = grey_picture(image, LARGEST)
    if not np.isfinite(image).all():
        raise ValueError(f"`image` has {np.count_nonzero(~np.isfinite(image))} of {image.size} values that are NaN or "
                         "infinite: they have no gradient")
    return image, words
