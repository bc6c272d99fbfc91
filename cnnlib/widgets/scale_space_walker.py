"""The scale-space walker: a point has a size as well as a place."""

import math

import numpy as np
import traitlets
from traitlets import Enum, Float, Int, List, Unicode

from cnnlib import data, images
from cnnlib.features import sift
from cnnlib.features.sift._image import grey_levels
from cnnlib.features.sift.refinement import REASONS
from cnnlib.widgets import _base, _compose, _spots
from cnnlib.widgets._picture import panel_figure, smaller, told
from cnnlib.widgets._text import full, literal, plural

LARGEST = 256  # pixels a side; a larger photo is reduced, so that its scale space is made in a blink
SMALLEST = 6  # pixels a side: below, no octave has room for an extremum
REJECTED = REASONS[1:]
WORDS = {"contrast": "low contrast", "edge": "edge", "unstable": "unstable"}
STEPS = 3  # of an octave


class Picture(_base.Array):
    """A picture as SIFT takes it: grey, white 1, at most 256 pixels a side."""

    def __init__(self, **kwargs):
        super().__init__(2, **kwargs)

    def validate(self, obj, value):
        try:
            levels = picture_of(value)
        except (TypeError, ValueError) as error:
            raise traitlets.TraitError(str(error)) from None
        if value is not obj._made:  # traitlets validates a first picture twice
            obj._given = np.shape(value)
        obj._made = super().validate(obj, levels)
        return obj._made


class ScaleSpaceWalker(_base.CourseWidget):
    """Walk through the blurs of a photo; see where SIFT finds a point, how large it is, and why others are no points.

    Parameters
    ----------
    image : array of shape (H, W), (H, W, 3) or (H, W, 4), or the name of a shipped photo
        Levels as :func:`cnnlib.features.sift.detect` takes them: floats with white 1, integers with white 255.
        Colours are turned to grey, transparency is left out, more than 256 pixels a side are reduced: a line below
        the pictures says so.
    sigma : float, in pixels
        The blur that is shown is the nearest that SIFT computes; they grow by 2**(1/3).
    show : {"both", "blur", "difference"}
        The blurred photo, its difference to the next blur, or both.
    keypoint : int, optional
        The keypoint that is looked at, counted from 0 as :func:`cnnlib.features.sift.detect` returns them. Numbers
        beyond the last are the candidates that were rejected.
    contrast : float, at least 0.005
        Divided by 3, the least difference of Gaussians at a keypoint.
    edge_ratio : float, above 1
        Ratio of the two curvatures from which on a point counts as part of an edge.
    rejected : sequence of {"contrast", "edge", "unstable"}
        Which of the rejected candidates are drawn too.
    **options
        ``size``, ``scale``, ``hide``, ``predict``, as in :class:`CourseWidget`.

    Attributes
    ----------
    keypoints : Keypoints
        What :func:`cnnlib.features.sift.detect` finds with these tests.
    descriptor : array of shape (128,), or None
        Of the chosen keypoint.

    Examples
    --------
    >>> rows, cols = np.mgrid[:64, :64]
    >>> spot = np.exp(-((rows - 30) ** 2 + (cols - 30) ** 2) / (2 * 6 ** 2))
    >>> ScaleSpaceWalker(spot * (cols > 33), sigma=2.6)
    σ 2.6: octave 0, layer 2. 1 keypoint, 1 of about this size.
    """

    javascript = "scale_space_walker.js"
    positional = ("image",)
    controls = ("sigma", "show", "keypoint", "contrast", "edge_ratio", "rejected")
    _esm = _compose.compose(javascript)
    _css = _base.style()

    image = Picture().tag(sync=True, start=True)
    sigma = Float(1.6).tag(sync=True, start=True)
    show = Enum(("both", "blur", "difference"), "both").tag(sync=True, start=True)
    keypoint = Int(None, allow_none=True).tag(sync=True, start=True)
    contrast = Float(0.04).tag(sync=True, start=True)
    edge_ratio = Float(10.0).tag(sync=True, start=True)
    rejected = List(Enum(REJECTED)).tag(sync=True, start=True)
    scale = Enum(["auto"], "auto").tag(sync=True, start=True)  # pictures are grey, differences signed
    _table = _base.Array(2).tag(sync=True)
    _peaks = _base.Array(2).tag(sync=True)
    _note = Unicode().tag(sync=True)
    _made = None  # the picture that was made of the one given

    def __init__(self, image="camera", **state):
        name = None
        if isinstance(image, str):
            name, image = literal(image), data.photo(image)
        if "rejected" in state:
            state["rejected"] = list(state["rejected"])
        super().__init__(image=image, **state)
        self._names |= {"image": name} if name else {}
        self._tell_code()
        self._look(None)
        self.observe(self._look, "image")

    def _look(self, change):
        """Make the scale space of a new picture, and tell the browser what may be a keypoint in it."""
        self._space, self._found = sift.scale_space(self.image), {}
        with self.hold_sync():
            self._note = told(self._given, self.image.shape)
            self._table, self._peaks = _spots.spots(self._space)

    # ---- numbers

    def problem(self):
        """Return why this state cannot be computed, with what would work; else None."""
        low, high = (self.blur(level) for level in (1, self.levels))
        if not low * 0.99 <= self.sigma <= high * 1.01:
            return f"sigma {full(self.sigma)}: from {_told(low, 2)} to {_told(high, 2)} in this picture"
        if not self.contrast >= _spots.LEAST:
            return f"contrast {full(self.contrast)}: the smallest is {full(_spots.LEAST)}"
        if not self.edge_ratio > 1:
            return f"edge ratio {full(self.edge_ratio)}: it must be above 1, where both curvatures are the same"
        if self.keypoint is not None and not 0 <= self.keypoint < len(self.keypoints) + len(self.candidates):
            return (f"keypoint {full(self.keypoint)}: there are {plural(len(self.keypoints), 'keypoint')} and "
                    f"{len(self.candidates):,} rejected")
        return None

    @property
    def levels(self):
        """How many blurs there are in which extrema are looked for."""
        return STEPS * len(self._space.shapes)

    def blur(self, level):
        """Return the sigma of a level, in pixels of the picture; levels count from 1."""
        return self._space.blur(self._space.first_octave, level)

    def level(self, sigma):
        """Return the level nearest to a sigma."""
        nearest = math.floor(math.log2(float(sigma) / self.blur(0)) * STEPS + 0.5)
        return min(max(nearest, 1), self.levels)

    def place(self, level):
        """Return the octave and the layer in it of a level."""
        return (level - 1) // STEPS + self._space.first_octave, (level - 1) % STEPS + 1

    def _decided(self):
        """Return the keypoints and the rejected candidates for the present tests."""
        key = self.contrast, self.edge_ratio
        if key not in self._found:
            tests = {"contrast_threshold": self.contrast, "edge_ratio": self.edge_ratio}
            candidates = sift.candidates(self._space, **tests)
            self._found = {key: (sift.detect(self._space, **tests), candidates[candidates.reason > 0])}
        return self._found[key]

    @property
    def keypoints(self):
        return self._decided()[0]

    @property
    def candidates(self):
        return self._decided()[1]

    @property
    def descriptor(self):
        if self.problem() or self.keypoint is None or self.keypoint >= len(self.keypoints):
            return None
        return sift.describe(self._space, self.keypoints[self.keypoint])[0]

    # ---- words

    def sentence(self):
        """Return the chosen keypoint's place, size and direction, or why a candidate is none; else what there is."""
        if trouble := self.problem():
            return f"Refused: {trouble}."
        if self.keypoint is None:
            return self._level_words()
        if self.keypoint < len(self.keypoints):
            return self._keypoint_words()
        return self._candidate_words()

    def _level_words(self):
        level = self.level(self.sigma)
        octave, layer = self.place(level)
        words = f"σ {_told(self.sigma, 2)}: octave {full(octave)}, layer {layer}. "
        if self.predict:
            return words + "? keypoints of about this size."
        if len(self.keypoints) == 0:
            return f"{words}Keypoints: none. Lower the contrast test.{self._rejected_words()}"
        here = sum(self.level(sigma) == level for sigma in self.keypoints.sigma)
        return f"{words}{plural(len(self.keypoints), 'keypoint')}, {here} of about this size.{self._rejected_words()}"

    def _rejected_words(self):
        counts = [f"{list(self.candidates.words).count(reason):,} {WORDS[reason]}"
                  for reason in REJECTED if reason in self.rejected]
        return f" Rejected: {', '.join(counts)}." if counts else ""

    def _keypoint_words(self):
        found, k = self.keypoints, self.keypoint
        words = f"Keypoint {k} of {len(found):,}: {_where(found.positions[k], found.sigma[k])}, orientation "
        if self.predict:
            return f"{words}?."
        peaks = int(((found.positions == found.positions[k]).all(1) & (found.sigma == found.sigma[k])).sum())
        words += f"{degrees(found.orientation[k])}°, {plural(peaks, 'peak')}."
        inside = sift.patches(self._space, found[k])[1]
        return words if inside.all() else f"{words} No full patch."

    def _candidate_words(self):
        k = self.keypoint - len(self.keypoints)
        one = self.candidates[k:k + 1]
        words = f"Candidate {self.keypoint}: {_where(one.positions[0], one.sigma[0])}, rejected, "
        return words + why(one.words[0], one.value[0], one.edge_ratio[0], self.contrast, self.edge_ratio) + "."

    # ---- picture

    def figure(self):
        """Return a figure of the keypoints on the photo, and of the blur and the difference that are shown."""
        from cnnlib import plots

        trouble = self.problem()
        level = self.level(self.sigma) if self.sigma > 0 else 1
        octave, layer = self.place(level)
        blurred = self._space.gaussian(octave)[layer]
        panels = [(self.image, "keypoints", "weight")]
        panels += [(blurred, f"blurred, σ {_told(self.blur(level), 2)}", "input")] * (self.show != "difference")
        panels += [(self._space.gaussian(octave)[layer + 1] - blurred, "difference", "output")] * (self.show != "blur")
        figure = panel_figure(panels, self.sentence())
        if trouble or self.predict:
            return figure
        found, ax = self.keypoints, figure.axes[0]
        ax.clear()
        here = np.array([self.level(sigma) == level for sigma in found.sigma], bool)
        plots.plot_keypoints(self.image, found.positions[here], found.sigma[here], found.orientation[here], ax,
                             title="keypoints of this size")
        if self.keypoint is not None:
            one = found if self.keypoint < len(found) else self.candidates
            k = self.keypoint % len(found) if self.keypoint < len(found) else self.keypoint - len(found)
            ax.plot(*one.positions[k][::-1], "+", color=plots.COLOURS["gradient"], markersize=14, markeredgewidth=2.5)
        for reason in self.rejected:
            some = self.candidates[np.array([word == reason for word in self.candidates.words], bool)]
            ax.plot(*some.positions.T[::-1], ".", color=plots.COLOURS["gradient"], markersize=2.5)
        return figure


def why(reason, value, ratio, contrast, edge_ratio):
    """Return why a candidate was rejected, with its numbers."""
    if reason == "contrast":
        return f"low contrast: {_told(abs(value), 4)} < {_told(contrast / STEPS, 4)}"
    if reason == "unstable":
        return "unstable: no pixel is nearest to the fitted extremum"
    if not np.isfinite(ratio):
        return "edge: it bends up one way and down the other"
    ratio = float(ratio)
    lowe, limit = ((x + 1) ** 2 / x for x in (ratio, edge_ratio))
    return f"edge: ratio {_told(ratio, 2)}: {_told(lowe, 2)} > {_told(limit, 2)}"


def degrees(angle):
    """Return an angle in whole degrees, from 0 to 359."""
    return math.floor(float(angle) * 180 / math.pi + 0.5) % 360


def _where(position, sigma):
    row, col = position
    return f"row {_told(row, 1)}, column {_told(col, 1)}, σ {_told(sigma, 1)}"


def _told(value, decimals):
    """Write a number to so many decimals, halves up."""
    return full(math.floor(float(value) * 10 ** decimals + 0.5) / 10 ** decimals)


def picture_of(image):
    """Return a picture as SIFT takes it, of at most LARGEST pixels a side, in float32 with white 1."""
    image = np.asarray(image)
    if image.ndim == 3 and image.shape[2] in (3, 4) and image.size:
        image = images.to_grey(np.stack([grey_levels("ScaleSpaceWalker", image[..., k]) for k in range(3)], -1))
    levels = grey_levels("ScaleSpaceWalker", image)
    if min(levels.shape) < SMALLEST:
        raise ValueError(f"`image` has shape {levels.shape}; {SMALLEST} pixels a side are the least")
    if max(levels.shape) > LARGEST:
        levels = images.resize(levels, smaller(levels.shape, LARGEST, SMALLEST))
    return np.asarray(levels, np.float32)
