"""The mask explorer: a mask is a question that is asked of every pixel."""

import numpy as np
import traitlets
from traitlets import Enum, Float, Int

from cnnlib import data
from cnnlib.widgets import _base, _compose
from cnnlib.widgets._masks import EDGE, NAMES, SPOT, TINY, Answers, preset, preset_name
from cnnlib.widgets._picture import GRID, grey_picture, panel_figure
from cnnlib.widgets._text import apart, full, literal

LARGEST = 256  # pixels a side; a larger photo is reduced, so that every answer is drawn within a frame
SIZES = (3, 5, 7, 9, 11)
SHOWS = ("response", "strength", "direction", "thin", "hysteresis")
NEEDS_A_SIDE = SHOWS[2:]
WALKS = "walk", "gradient"
LEVELS = (0, 0, 0.3, 0.75, 1)  # how bright the five kinds of :meth:`Answers.joined` are drawn
# The eight directions' colours: one lightness, hues an eighth of the circle apart, opposite ones complementary.
HUES = ((237, 140, 132), (219, 157, 79), (168, 180, 85), (93, 194, 145), (38, 192, 207), (109, 176, 244),
        (176, 155, 238), (221, 140, 195))


class Mask(_base.Array):
    """A square mask of odd size, or the name of one."""

    def __init__(self, **kwargs):
        super().__init__(2, **kwargs)

    def validate(self, obj, value):
        if isinstance(value, str):
            named = preset(value)
            if named is None:
                raise traitlets.TraitError(
                    f"`{self.name}` is {value!r}; masks with a name are {', '.join([*EDGE, 'robinson'])} with _ and "
                    f"one of {' '.join(NAMES)}, as sobel_N, and {', '.join(SPOT)}")
            value = named
        array = super().validate(obj, value)
        if array is None or array.shape[0] != array.shape[1] or array.shape[0] not in SIZES:
            raise traitlets.TraitError(f"`{self.name}` has shape {np.shape(array)}; a mask has a centre: "
                                       "3×3, 5×5, 7×7, 9×9 or 11×11")
        return array


class MaskExplorer(_base.CourseWidget):
    """Ask a photo a question by a mask, turn the mask by 45°, and let the strongest of its eight turns win.

    Parameters
    ----------
    image : array of shape (H, W) or (H, W, 3), or the name of a shipped photo
        Colours are turned to grey. Up to 9×9 its numbers are shown and can be changed; more than 256 pixels a side
        are reduced.
    mask : array of shape (K, K) with K = 3, 5, 7, 9 or 11, or a name
        sobel, prewitt, scharr or robinson with a direction, as "sobel_N" or "robinson_SW" (named by walking along the
        edge with the brighter side on the right), "laplacian" or "laplacian_8".
    show : {"response", "strength", "direction", "thin", "hysteresis"}
        What the mask answers; the largest answer of its eight turns; which turn that is, ties to the first of N NE E
        SE S SW W NW; the strength where no neighbour across the edge is stronger; and what two thresholds leave.
    row, col : int, optional
        The pixel that is looked at; None is the middle.
    low, high : float
        The two thresholds, as shares of the largest strength.
    names : {"walk", "gradient"}
        Name a direction by the walk along the edge, or by where it grows brighter. Only labels differ.
    padding : {"replicate", "reflect", "zeros", "valid"}
        What stands beyond the border: its pixels again, the picture mirrored, zeros; or nothing is asked there.
    **options
        ``size``, ``scale``, ``hide``, ``predict``, as in :class:`CourseWidget`.

    Examples
    --------
    >>> MaskExplorer([[0, 1, 2], [0, 1, 2], [0, 1, 2]], "sobel_N")
    Row 1, column 1: response 8, brighter on the right of the walk N.
    >>> MaskExplorer([[0, 1, 2], [0, 1, 2], [0, 1, 2]], "sobel_N", names="gradient")
    Row 1, column 1: response 8, brighter towards E.
    """

    javascript = "mask_explorer.js"
    positional = ("image", "mask")
    controls = ("mask", "show", "turn", "low", "high", "names", "padding")
    _esm = _compose.compose(javascript)
    _css = _base.style() + (_compose.STATIC / "mask_explorer.css").read_text(encoding="utf-8")

    image = _base.Array(2).tag(sync=True, start=True)
    mask = Mask().tag(sync=True, start=True)
    show = Enum(SHOWS, "response").tag(sync=True, start=True)
    row = Int(None, allow_none=True).tag(sync=True, start=True)
    col = Int(None, allow_none=True).tag(sync=True, start=True)
    low = Float(0.1).tag(sync=True, start=True)
    high = Float(0.3).tag(sync=True, start=True)
    names = Enum(WALKS, "walk").tag(sync=True, start=True)
    padding = Enum(("replicate", "reflect", "zeros", "valid"), "replicate").tag(sync=True, start=True)
    _note = traitlets.Unicode().tag(sync=True)

    def __init__(self, image="camera", mask="sobel_N", **state):
        name = None
        if isinstance(image, str):
            name, image = literal(image), data.photo(image)
        pixels, note = grey_picture(image, LARGEST)
        super().__init__(image=pixels, mask=mask, _note=note, **state)
        self._names |= {"image": name} if name else {}
        self._tell_code()
        self.observe(lambda change: setattr(self, "_note", ""), "image")  # a new picture is shown as it is

    def _written(self, name):
        named = preset_name(self.mask) if name == "mask" else None
        return literal(named) if named else super()._written(name)

    def answers(self):
        """Return the :class:`Answers` of the present state, in double precision."""
        return Answers(self.image.astype(np.float64), self.mask.astype(np.float64), self.padding)

    def problem(self):
        """Return why this state cannot be computed, with its arithmetic and what would work; else None."""
        shortest, size = min(self.image.shape), len(self.mask)
        if self.padding == "valid" and shortest < size:
            return f"{shortest} < {size}: the mask does not fit into the picture; padding replicate would help"
        if self.show in NEEDS_A_SIDE and self.answers().kind == 0:
            return f"{self.show}: this mask has no brighter side, so its turns have no direction; Sobel's has"
        if self.show != "hysteresis":
            return None
        if not self.low >= 0:
            return f"low {full(self.low)}: the smallest is 0"
        if not self.high <= 1:
            return f"high {full(self.high)}: the largest is 1"
        if self.low > self.high:
            low, high = apart(self.low, self.high)
            return f"low {low} > high {high}: the lower threshold may not be the larger"
        return None

    def at(self, answers):
        """Return the chosen pixel, moved inside the map of answers, as (row, column) of the map."""
        middle = [n // 2 for n in self.image.shape]
        wanted = [m if x is None else x for x, m in zip((self.row, self.col), middle)]
        return [min(max(x - answers.margin, 0), n - 1) for x, n in zip(wanted, answers.response.shape)]

    def sentence(self):
        """Return what the chosen pixel answers, and what the mask cannot help answering too."""
        if trouble := self.problem():
            return f"Refused: {trouble}."
        answers = self.answers()
        row, col = self.at(answers)
        words = _untold(self.show) if self.predict else self._words(answers, row, col)
        return f"Row {row + answers.margin}, column {col + answers.margin}: {words}.{self.remark()}"

    def remark(self):
        """Say what is odd about the mask, if anything."""
        weights = self.mask.astype(np.float64)
        if not weights.any():
            return " The mask asks nothing: all its weights are 0."
        return "" if balanced(weights) else f" It also answers to plain brightness: its sum is {full(weights.sum())}."

    def _words(self, answers, row, col):
        if self.show == "response":
            return _response_words(answers, answers.response[row, col], self.names)
        strength, direction = (array[row, col] for array in answers.strongest)
        if np.isnan(strength):
            return "strength NaN, since a number is missing under the mask"
        if self.show == "thin":
            return _thin_words(answers, row, col)
        if self.show == "hysteresis":
            return self._edge_words(answers, row, col)
        if answers.kind == 0:
            return f"strength {full(strength)}"
        equal = np.count_nonzero(answers.responses[:, row, col] == strength)
        told = f"strength {full(strength)}, direction {called(direction, self.names)}"
        if equal > 1:
            return f"{told}, the first of {equal} turns that answer alike"
        if answers.kind == 2 or not balanced(answers.mask):
            return told
        return told + (", brighter on the right of the walk" if self.names == "walk" else ", towards the brighter side")

    def _edge_words(self, answers, row, col):
        strength, kept = answers.strongest[0][row, col], answers.thinned[row, col]
        low, high = (full(share * answers.top) for share in (self.low, self.high))
        if not kept > 0:
            return f"no edge: strength {full(strength)}" + (", thinned away" if strength > 0 else "")
        kind = answers.joined(self.low, self.high)[row, col]
        told = f"strength {full(strength)}"
        if kind == 1:
            return f"no edge: {told} is at most low {low}"
        if kind == 4:
            return f"edge: {told} is above high {high}"
        between = f"{told} lies between low {low} and high {high}"
        return f"edge: {between} and is joined to a strong one" if kind == 3 else \
            f"no edge: {between} and is joined to no strong one"

    def figure(self):
        """Return a figure of picture, mask and what is shown, with the chosen pixel framed."""
        from cnnlib import plots

        panels = [(self.image, "photo" if max(self.image.shape) > GRID else "input", "input"),
                  (self.mask, self.title(), "weight")]
        if self.problem():
            return panel_figure(panels, self.sentence())
        answers = self.answers()
        shown = np.full_like(answers.response, np.nan) if self.predict else self._shown(answers)
        panels.append((shown, f"{self.show}, not yet shown" if self.predict else self.show, "output"))
        figure = panel_figure(panels, self.sentence())
        (row, col), half = self.at(answers), len(self.mask) // 2
        corner = [x + answers.margin - half for x in (row, col)]
        plots.grid.frame(figure.axes[0], *corner, len(self.mask), len(self.mask), plots.COLOURS["input"], linewidth=2)
        plots.grid.frame(figure.axes[2], row, col, 1, 1, plots.COLOURS["output"], linewidth=2)
        return figure

    def title(self):
        """Return the mask's name, or what it is."""
        name = preset_name(self.mask)
        if name is None:
            return f"own mask {len(self.mask)}×{len(self.mask)}"
        family, _, direction = name.partition("_")
        tail = called(NAMES.index(direction), self.names) if direction in NAMES else direction
        return f"{family.capitalize()} {tail}".strip()

    def _shown(self, answers):
        """Return what is shown as a map of numbers or, for directions, as colours."""
        if self.show == "response":
            return answers.response
        if self.show == "strength":
            return answers.strongest[0]
        if self.show == "thin":
            return answers.thinned
        if self.show == "hysteresis":
            return np.array(LEVELS)[answers.joined(self.low, self.high)]
        strength, direction = answers.strongest
        share = np.round(3 * np.sqrt(np.clip(strength / (answers.top or 1), 0, 1))) / 3  # few colours: a small file
        return np.where(np.isnan(strength)[..., None], 0.5, share[..., None] * np.array(HUES)[direction] / 255)


def balanced(weights):
    """Do the weights sum to 0, as of a mask that asks for differences alone? (True where the sum is no number.)"""
    return not abs(weights.sum()) > TINY * np.abs(weights).sum()


def called(place, names):
    """Return the name of a direction by its walk, or by where it grows brighter, an eighth of a turn twice on."""
    return NAMES[(place + 2 * (names == "gradient")) % 8]


def _untold(show):
    return "response ?" if show == "response" else "strength ?"


def _response_words(answers, value, names):
    told = f"response {full(value)}"
    if np.isnan(value):
        return f"{told}, since a number is missing under the mask"
    if not balanced(answers.mask):
        return told
    sign = int(np.sign(value))
    name = called(answers.index, names)
    if answers.kind == 1 and names == "walk":
        ways = ("no step across", "brighter on the right of", "darker on the right of")
        return f"{told}, {ways[sign]} the walk {name}"
    if answers.kind == 1:
        return f"{told}, {('no step', 'brighter', 'darker')[sign]} towards {name}"
    if answers.kind == 2:
        ways = ("as bright along the line as", "brighter along the line than", "darker along the line than")
        return f"{told}, {ways[sign]} beside it"
    return told


def _thin_words(answers, row, col):
    """Say whether a pixel is kept, by its neighbours across the edge."""
    strength = answers.strongest[0][row, col]
    told, sides = f"strength {full(strength)}", answers.across(row, col)
    if not strength > 0:
        return f"{told}, nothing to thin"
    if not sides:
        return f"{told}, removed: the frame lacks neighbours"
    stronger = [side for side in sides if side[1] > strength]
    if stronger:
        return f"{told}, removed: across the edge {_listed(stronger)} {('is', 'are')[len(stronger) - 1]} stronger"
    for name, value, comes_first in sides:
        if comes_first and value == strength:
            return f"{told}, removed: across the edge {name} is as strong and comes first"
    return f"{told}, kept: across the edge {_listed(sides)} are not stronger"


def _listed(sides):
    return " and ".join(f"{name} {full(value)}" for name, value, _ in sides)
