"""The match viewer: a match is good when the second best is far."""

import numpy as np
import traitlets
from traitlets import Bool, Dict, Enum, Float, Int, List, Unicode

from cnnlib import data
from cnnlib.features import matching
from cnnlib.widgets import _base, _compose, _matches
from cnnlib.widgets._text import full, literal

STAGES = ("match", "wrong", "pick", "homography", "warp")
NUMERALS = ("I", "II", "III", "IV")
WHY = "three of its points lie on a line, or they change sides"


class Draws(Int):
    """How many draws there have been."""

    def validate(self, obj, value):
        value = super().validate(obj, value)
        if not 1 <= value <= _matches.DRAWS:
            raise traitlets.TraitError(f"`draws` is {value}; it must be from 1 to {_matches.DRAWS}")
        return value


class Pick(traitlets.TraitType):
    """One of the four: a point of A, by its number, or a pair placed by hand, (row, col) in A and (row, col) in B."""

    info_text = "a point's number, or four finite numbers: row and column in A, row and column in B"

    def validate(self, obj, value):
        if type(value) is int:
            return value
        numbers = isinstance(value, tuple | list) and len(value) == 4 and all(type(v) in (int, float) for v in value)
        if numbers and np.isfinite(value).all():
            return tuple(map(float, value))
        raise traitlets.TraitError(f"`picked` has {value!r}; it must be {self.info_text}")


class MatchViewer(_base.CourseWidget):
    """See each point's two rivals in the other picture, choose how far the second must be, and draw four to agree on.

    Parameters
    ----------
    image_a, image_b : arrays of shape (H, W) or (H, W, 3), floats in [0, 1] or integers, or names of shipped photos
        More than 360 pixels a side are reduced.
    features : ((positions_a, descriptors_a), (positions_b, descriptors_b)), optional
        Points (row, col) in pixels of the pictures as given, and their descriptors. If not given, SIFT finds them in
        the pictures as shown: at most 1,000 in each, the clearest.
    ratio : float
        A match is kept if its distance is below so much of the second nearest's; at 1 all are.
    cross_check : bool
        Keep a match only if each of the two is the other's nearest.
    selected : int, optional
        The point of A that is looked at.
    stage : {"match", "wrong", "pick", "homography", "warp"}
        In the second, which needs `truth`, only the wrong matches are drawn. In the third four pairs are picked among
        the matches, or placed by hand; in the fourth four matches are drawn again and again. Each four says how many
        matches agree with its homography. In the last one A is laid over B: by the four that were picked or placed,
        else by the best draw.
    draws : int
        How many draws of four there have been, from 1 to 1,000.
    picked : sequence of at most four
        Points of A whose matches were picked, by their numbers; those that have no match at this ratio wait. Or pairs
        placed by hand, (row, col in A, row, col in B), in pixels of the pictures as shown.
    end : int, optional
        In the stage "pick", what the arrow keys move and a click places: end 2 k of pair k in A, 2 k + 1 in B.
    blend : float, from 0 to 1
        In the last stage: 0 shows A where it reaches, 1 shows B.
    truth : array of shape (3, 3), function, or array of N whole numbers, optional
        The homography that takes A, as given, to B; a function that gives for points (N, 2) of A their places in B, by
        name where code is written (points that it gives NaN or infinity for are left out); or for each of the N points
        of `features` its partner's number. Right matches, to 3 pixels, are then solid, wrong ones dashed.
    seed : int
        Of the draws.
    **options
        ``size``, ``scale``, ``hide``, ``predict``, as in :class:`CourseWidget`.

    Attributes
    ----------
    matches : array of shape (K, 2), int64
        What :func:`cnnlib.features.matching.match` gives for these points, ratio and check.
    points_a, points_b : arrays of shape (N, 2) and (M, 2), float64
        In pixels of the pictures as given.
    homography : array of shape (3, 3), or None
        What :func:`cnnlib.features.matching.find_homography` finds for the matches, in pixels of the pictures as
        given; None below four matches, or if it finds none.
    inliers : int
        How many of the matches agree with it.

    Examples
    --------
    >>> corner = np.array([[4.0, 4.0], [4.0, 20.0]]), np.array([[1.0, 0.0], [0.0, 1.0]])
    >>> MatchViewer(np.zeros((24, 24)), np.zeros((24, 24)), features=(corner, corner), selected=1)
    2 matches at ratio 0.8. Point 1 at row 4, column 20: nearest 0, second 1.4142, ratio 0: kept.
    """

    javascript = "match_viewer.js"
    positional = ("image_a", "image_b")
    controls = ("ratio", "cross_check", "stage", "draws", "picked", "blend")
    _esm = _compose.compose(javascript)
    _css = _base.style()

    image_a = _base.Array(2, 3).tag(start=True)
    image_b = _base.Array(2, 3).tag(start=True)
    ratio = Float(0.8).tag(sync=True, start=True)
    cross_check = Bool(False).tag(sync=True, start=True)
    selected = Int(None, allow_none=True).tag(sync=True, start=True)
    stage = Enum(STAGES, "match").tag(sync=True, start=True)
    draws = Draws(1).tag(sync=True, start=True)
    picked = List(Pick(), maxlen=4).tag(sync=True, start=True)
    end = Int(None, allow_none=True).tag(sync=True, start=True)
    blend = Float(0.5, min=0, max=1).tag(sync=True, start=True)
    seed = Int(0).tag(sync=True, start=True)
    _scene = Dict().tag(sync=True)
    _note = Unicode().tag(sync=True)

    def __init__(self, image_a="camera", image_b="camera", *, features=None, truth=None, **state):
        names, shown, self._scales, notes = {}, [], [], {}
        for name, image in (("image_a", image_a), ("image_b", image_b)):
            names[name] = literal(image) if isinstance(image, str) else name
            given = data.photo(image) if isinstance(image, str) else image
            picture, scale = _matches.shown_picture(given, name)
            shown.append(picture)
            self._scales.append(scale)
            height, width, *colours = np.shape(given)
            words = ["transparency left out"] * (colours == [4])
            words += [f"reduced from {height}×{width} pixels"] * bool((scale != 1).any())
            notes |= {name[-1].upper(): words} if words else {}
        self._find(shown, features, notes)
        truth = None if truth is None else self._checked_truth(truth, features)
        self._truth = truth
        if truth is not None:
            found = len(self._pairs.points_a)
            self._pairs = self._pairs.judged(truth, *self._scales)
            if unknown := found - len(self._pairs.points_a):
                notes["A"] = [*notes.get("A", []), f"{unknown:,} left out, whose place in B is not known"]
        if "picked" in state:
            state["picked"] = list(state["picked"])
        super().__init__(image_a=shown[0], image_b=shown[1], **state)
        self._names |= names
        self._extra |= {} if features is None else {"features": "features"}
        self._extra |= {} if truth is None else {"truth": _written(truth)}
        with self.hold_sync():
            self._scene = self._sent()
            self._note = "; ".join(f"{letter}: {', '.join(words)}" for letter, words in sorted(notes.items()))
            self._tell_code()

    @traitlets.validate("picked")
    def _check_places(self, proposal):
        for pair in proposal.value:
            ends = () if type(pair) is int else (("A", self.image_a, pair[:2]), ("B", self.image_b, pair[2:]))
            for letter, image, place in ends:
                if not all(0 <= x <= n - 1 for x, n in zip(place, image.shape)):
                    raise traitlets.TraitError(f"`picked` has row {place[0]:g}, column {place[1]:g} in {letter}, which "
                                               f"is shown with {image.shape[0]} rows and {image.shape[1]} columns")
        return proposal.value

    def _find(self, shown, features, notes):
        if features is None:
            sets = []
            for picture, letter in zip(shown, "AB"):
                *points, lost = _matches.found(picture)
                sets.append(points)
                if lost:
                    most = f"the {_matches.MOST:,} clearest of {_matches.MOST + lost:,} points"
                    notes[letter] = [*notes.get(letter, []), most]
        else:
            sets = [[_matches.reduced(positions, scale), descriptors]
                    for (positions, descriptors), scale in zip(_checked_features(features), self._scales)]
        self._pairs = _matches.pairs_of(*sets[0], *sets[1])

    def _checked_truth(self, truth, features):
        if callable(truth):
            return truth
        truth = np.asarray(truth)
        n = len(self._pairs.points_a)
        if truth.shape == (3, 3):
            return truth.astype(np.float64)
        if features is None or truth.shape != (n,) or truth.dtype.kind not in "iu":
            raise ValueError(f"`truth` has shape {truth.shape} and dtype {truth.dtype}; it must be a homography, "
                             "(3, 3), a function, or with `features` the partner's number of each of the "
                             f"{n} points of A, whole numbers")
        return truth

    def _sent(self):
        """Return what the browser draws and measures by: bytes, and float64 numbers, so that no comparison differs."""
        pairs = self._pairs
        right = np.zeros(0) if pairs.right is None else pairs.right
        tables = {name: {"shape": list(np.shape(value)), "data": np.ascontiguousarray(value, np.float64).tobytes()}
                  for name, value in (("points_a", pairs.points_a), ("points_b", pairs.points_b),
                                      ("rivals", pairs.rivals), ("distance", pairs.distance),
                                      ("mutual", pairs.mutual), ("right", right))}
        for name, image in (("a", self.image_a), ("b", self.image_b)):
            levels = np.round(255 * image).astype(np.uint8)
            tables[name] = {"shape": list(levels.shape), "data": levels.tobytes()}
        return tables

    @property
    def pairs(self):
        """All points and their rivals, a :class:`cnnlib.widgets._matches.Pairs`."""
        return self._pairs

    @property
    def points_a(self):
        return _matches.unreduced(self._pairs.points_a, self._scales[0])

    @property
    def points_b(self):
        return _matches.unreduced(self._pairs.points_b, self._scales[1])

    @property
    def matches(self):
        if self.problem():
            return None
        kept = np.flatnonzero(self._kept())
        return np.stack([kept, self._pairs.rivals[kept, 0]], 1)

    @property
    def homography(self):
        return self._agreed()[0]

    @property
    def inliers(self):
        return self._agreed()[1]

    def _agreed(self):
        """Return what find_homography finds in the pictures as given, and how many agree."""
        matches = self.matches
        if matches is None or len(matches) < 4:
            return None, 0
        try:
            homography, inliers = matching.find_homography(
                self.points_a[matches[:, 0]], self.points_b[matches[:, 1]], rng=np.random.default_rng(self.seed))
        except ValueError:
            return None, 0
        return homography, int(inliers.sum())

    def problem(self):
        """Return why this state cannot be computed; else None."""
        if not 0 < self.ratio <= 1:
            return f"ratio {full(self.ratio)}: above 0, and at most 1, where there is no test"
        pairs = self._pairs
        if self.stage == "wrong" and pairs.right is None and len(pairs.points_a) and len(pairs.points_b):
            return "wrong only: which matches are wrong is not known, no truth was given"
        return None

    def _kept(self):
        return self._pairs.kept(self.ratio, self.cross_check)

    def drawn(self):
        """Return what the draws have found, a :class:`cnnlib.widgets._matches.Drawn`; None below four matches."""
        kept = np.flatnonzero(self._kept())
        return _matches.drawn(*self._pairs.ends(kept), self.seed, self.draws) if len(kept) >= 4 else None

    def picks(self):
        """Return the picked points that have a match, each once, and the pairs placed by hand."""
        kept, found = self._kept(), []
        for pick in self.picked:
            if type(pick) is not int or (0 <= pick < len(kept) and kept[pick] and pick not in found):
                found.append(pick)
        return found

    def pair(self, pick):
        """Return both ends of one of the picks, an array (2, 2)."""
        return np.array(self._pairs.ends(pick) if type(pick) is int else (pick[:2], pick[2:]))

    def held(self):
        """Return the number of the end that arrow keys move, or None."""
        inside = self.stage == "pick" and self.end is not None and 0 <= self.end < 2 * len(self.picks())
        return self.end if inside else None

    def agreeing(self):
        """Return what the four picked, or the draws, have found, as this stage asks for it; else None."""
        if self.problem() or self.stage in ("match", "wrong"):
            return None
        kept, four = np.flatnonzero(self._kept()), self.picks()
        if self.stage == "homography" or (self.stage == "warp" and len(four) < 4):
            return self.drawn()
        if len(four) < 4:
            return None
        ends = np.stack([self.pair(pick) for pick in four], axis=1)[:, None]  # (2, 1, 4, 2)
        places = [int(np.searchsorted(kept, pick)) if type(pick) is int else -1 for pick in four]
        return _matches.judged(*self._pairs.ends(kept), *ends, places)

    def sentence(self):
        """Return how many matches there are, how many are right, how many agree, and the chosen point's two rivals."""
        if trouble := self.problem():
            return f"Refused: {trouble}."
        pairs = self._pairs
        n, m = len(pairs.points_a), len(pairs.points_b)
        if not n or not m:
            return f"Nothing to match: A has {n:,} points, B {m:,}."
        kept = self._kept()
        count = "? matches" if self.predict else _counted(kept.sum())
        words = f"{count} at ratio {full(self.ratio)}"
        words += ", each the other's nearest" if self.cross_check else ""
        if pairs.right is not None and not self.predict:
            right = np.count_nonzero(kept & pairs.right)
            words += f": {right:,} right, {kept.sum() - right:,} wrong"
        parts = [f"{words}."]
        if self.stage == "wrong" and not self.predict:
            parts.append("Only the wrong ones are drawn." if (kept & ~pairs.right).any() else "None is wrong.")
        if m == 1:
            parts.append("B has one point: no second best, so the ratio says nothing.")
        if self.stage not in ("match", "wrong") and not self.predict:
            parts += self._homography_words(int(kept.sum()))
        if self.selected is not None:
            parts.append(self._point_words(kept))
        return " ".join(parts)

    def _homography_words(self, count):
        if self.stage != "homography" and (self.stage == "pick" or len(self.picks()) == 4):
            return self._pick_words() + self._end_words()
        if count < 4:
            return [f"A homography needs 4 matches: {4 - count} more."]
        if self.stage == "warp":
            found = self.drawn()
            if found.best is not None:
                return [self._warp_words(f"draw {found.best:,}", found)]
        return self._draw_words()

    def _pick_words(self):
        found, wanted = self.agreeing(), 4 - len(self.picks())
        if found is None:
            return [f"Pick or place {wanted} more pair{'' if wanted == 1 else 's'}."]
        if found.best is None:
            return [f"Your four are refused: {WHY.replace('its', 'their')}."]
        if self.stage == "warp":
            return [self._warp_words("your four", found)]
        return [f"{found.agree.sum():,} agree with the homography of your four."]

    def _end_words(self):
        if (held := self.held()) is None:
            return []
        pick = self.picks()[held // 2]
        (row_a, col_a), (row_b, col_b) = (map(full, np.floor(10 * place + 0.5) / 10) for place in self.pair(pick))
        return [f"Pair {NUMERALS[held // 2]}{' by hand' * (type(pick) is not int)}: row {row_a}, column {col_a} in A; "
                f"row {row_b}, column {col_b} in B. Arrow keys move it in {'AB'[held % 2]}."]

    def _warp_words(self, whose, found):
        return (f"A lies over B by the homography of {whose}, with which {found.agree.sum():,} agree; blend "
                f"{full(self.blend)}, from A to B.")

    def _draw_words(self):
        found = self.drawn()
        if found.best is None:
            return [f"Draw {self.draws:,} is refused, as all before: {WHY}."]
        parts = [f"{found.agree.sum():,} agree with the homography of draw {found.best:,}"
                 + (f", the best of {self.draws:,}." if self.draws > 1 else ".")]
        if found.best != self.draws:
            parts.append(f"Draw {self.draws:,}: {found.count:,} agree." if found.count >= 0 else
                         f"Draw {self.draws:,} is refused: {WHY}.")
        return parts

    def chosen(self):
        """Return the number of the chosen point, moved inside, or None."""
        n = len(self._pairs.points_a)
        return None if self.selected is None or not n else min(max(self.selected, 0), n - 1)

    def _point_words(self, kept):
        pairs, k = self._pairs, self.chosen()
        row, col = (full(np.floor(x + 0.5)) for x in pairs.points_a[k])
        first, second = (_rounded(x) for x in pairs.distance[k])
        fate = "kept" if kept[k] else "rejected"
        if self.cross_check and not kept[k] and pairs.kept(self.ratio, False)[k]:
            fate = "rejected, since its partner's nearest is another"
        fate += "; no match to pick" if self.stage == "pick" and not kept[k] else ""
        return (f"Point {k:,} at row {row}, column {col}: nearest {first}, second {second}, ratio "
                f"{_rounded(pairs.ratios[k])}: {fate}.")

    def figure(self):
        """Return a figure of both pictures with the matches as lines."""
        import textwrap

        from cnnlib import plots

        pairs = self._pairs
        quiet = self.problem() or self.predict or not len(pairs.points_b)
        kept = np.zeros(0, dtype=int) if quiet else np.flatnonzero(self._kept())
        kept = kept[~pairs.right[kept]] if self.stage == "wrong" and not quiet else kept
        right = None if pairs.right is None else pairs.right[kept]
        found, image_b, outline = None if quiet else self.agreeing(), self.image_b, None
        if found is not None:
            right = found.agree
            if found.homography is not None:
                outline = _rim(found.homography, self.image_a.shape)
        if self.stage == "warp" and outline is not None:
            image_b = _matches.laid_over(self.image_a, self.image_b, found.homography, self.blend)
            kept, right = kept[:0], None
        ax = plots.plot_matches(self.image_a, image_b, *pairs.ends(kept), right, outline=outline,
                                fade=0 if self.stage == "warp" else 0.4)
        for lines in ax.collections:  # where there are many, they would hide the pictures and each other
            lines.set_alpha(min(1, 50 / len(lines.get_segments())))
        for pick in self.picks() if self.stage == "pick" and not quiet else ():
            (row, col), (row_b, col_b) = self.pair(pick)
            ax.plot([col, col_b + ax.columns_b], [row, row_b], "-o", color=plots.COLOURS["ink"], linewidth=2)
        if self.chosen() is not None and len(pairs.points_b):
            row, col = pairs.points_a[self.chosen()]
            for rival, colour, dashes in zip(pairs.rivals[self.chosen()], ("input", "weight"), ("-", "--")):
                end = pairs.points_b[rival] + (0, ax.columns_b)
                ax.plot([col, end[1]], [row, end[0]], dashes, marker="o", markerfacecolor="none", linewidth=2,
                        color=plots.COLOURS[colour])
        ax.figure.text(0.02, -0.02, textwrap.fill(self.sentence(), 90), va="top", size=10)
        return ax.figure


def _rim(homography, shape):
    """Return the corners of A as they lie in B; None if part of A lies beyond the horizon."""
    corners = np.array([[-0.5, -0.5], [-0.5, shape[1] - 0.5], [shape[0] - 0.5, shape[1] - 0.5], [shape[0] - 0.5, -0.5]])
    sides = np.sign(corners @ homography[2, :2] + homography[2, 2])
    return matching.apply_homography(homography, corners) if (sides == sides[0]).all() else None


def _written(truth):
    if callable(truth):
        return getattr(truth, "__name__", "truth")
    return literal(truth) if truth.size <= _base.LITERAL else "truth"


def _counted(count):
    return f"{count:,} match{'' if count == 1 else 'es'}"


def _rounded(value):
    """Write a number to four decimals, halves up."""
    return full(np.floor(1e4 * value + 0.5) / 1e4)


def _checked_features(features):
    """Return ((positions, descriptors), (positions, descriptors)) after checking that they belong together."""
    if not isinstance(features, tuple | list) or len(features) != 2 or any(len(pair) != 2 for pair in features):
        raise ValueError("`features` must be ((positions_a, descriptors_a), (positions_b, descriptors_b))")
    checked = [[np.asarray(x, np.float64) for x in pair] for pair in features]
    for (positions, descriptors), letter in zip(checked, "ab"):
        if positions.ndim != 2 or positions.shape[1] != 2 or descriptors.shape[:1] != positions.shape[:1]:
            raise ValueError(f"`features` has positions of shape {positions.shape} and descriptors of shape "
                             f"{descriptors.shape} for image_{letter}; they must be (N, 2) and (N, D)")
        if len(positions) > _matches.MOST:
            raise ValueError(f"`features` has {len(positions):,} points for image_{letter}; at most "
                             f"{_matches.MOST:,} are shown: take the clearest")
    return checked
