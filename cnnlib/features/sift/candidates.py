"""Candidates: every extremum of the differences, with what became of it."""

from dataclasses import dataclass, fields

from cnnlib import _array
from cnnlib.features._picture import check_number
from cnnlib.features.sift._tiles import each
from cnnlib.features.sift.extrema import extrema_of_each
from cnnlib.features.sift.refinement import REASONS, UNSTABLE, refine


@dataclass(eq=False)
class Candidates:
    """N extrema of a scale space, one row each in every array. ``candidates[mask]`` are some.

    Parameters
    ----------
    positions : array of shape (N, 2), float32
        Row and column, in pixels of the picture: refined, or where the extremum's pixel lies if it is unstable.
    sigma : array of shape (N,), float32
        Scale, in pixels of the picture, refined likewise.
    value : array of shape (N,), float32
        Difference of Gaussians there, positive for a dark spot, negative for a bright one.
    edge_ratio : array of shape (N,), float32
        Larger curvature divided by the smaller; infinite on a saddle.
    reason : array of shape (N,), int64
        0 kept, 1 too little contrast, 2 on an edge, 3 unstable. ``words`` spells it out.
    octave, layer, row, col : arrays of shape (N,), int64
        The pixel that refinement ended at (for an unstable one the extremum's own).
    """

    positions: object
    sigma: object
    value: object
    edge_ratio: object
    reason: object
    octave: object
    layer: object
    row: object
    col: object

    def __len__(self):
        return len(self.positions)

    def __getitem__(self, which):
        return Candidates(*(getattr(self, field.name)[which] for field in fields(self)))

    @property
    def words(self):
        """The reasons as words: "kept", "contrast", "edge" or "unstable"."""
        return [REASONS[reason] for reason in _array.to_numpy(self.reason)]


def candidates(space, *, contrast_threshold=0.04, edge_ratio=10):
    """Find the extrema of a scale space, refine them, and say of each whether it is kept, or why not.

    Parameters
    ----------
    space : ScaleSpace
    contrast_threshold : float
        Divided by the scales of an octave it is the least absolute difference of Gaussians (white 1). Extrema of the
        pixels under half of that are no candidates at all.
    edge_ratio : float
        Ratio of the two curvatures from which on a candidate counts as part of an edge.

    Returns
    -------
    Candidates
        By octave, layer, row and column. Two that ended at one pixel appear once.
    """
    return while_blurring(space, lambda: None, contrast_threshold, edge_ratio)


def while_blurring(space, complete, contrast_threshold, edge_ratio):
    """Return the candidates of a scale space whose octaves after the first are there when `complete` has been called.

    They are blurred while the first octave is searched. Products of matrices leave a second thread room to run; the
    many short steps of two searches at once would not.
    """
    _check_tests(contrast_threshold, edge_ratio)
    xp = _array.library(pixels=space.pixels)
    contrast = contrast_threshold / space.scales_per_octave
    found = []
    first, *others = space.gaussians
    each(lambda job: job(), [lambda: found.extend(extrema_of_each([first], contrast / 2)), complete], space.pixels)
    found += extrema_of_each(others, contrast / 2)
    layer, row, col = (xp.concatenate([part[axis] for part in found]) for axis in range(3))
    octave = xp.concatenate([0 * part[0] + octave for octave, part in zip(space.octaves, found)])
    fine = refine(space, octave, layer, row, col, contrast, edge_ratio)
    lost = fine.reason == UNSTABLE
    layer, row, col = (xp.where(lost, *both) for both in ((layer, fine.layer), (row, fine.row), (col, fine.col)))
    right, down, up = (xp.where(lost, 0, part) for part in fine.offset)
    positions = xp.stack([row + down, col + right], -1) * space.step(octave)[:, None] + space.origin
    sigma = space.blur(octave, layer + up)
    positions, sigma = (_array.as_dtype(a, "float32") for a in (positions, sigma))
    several = Candidates(positions, sigma, fine.value, fine.edge_ratio, fine.reason, octave, layer, row, col)
    return several[_first_of_each(space.index(octave, layer, row, col) * len(REASONS) + fine.reason)]


def _first_of_each(key):
    """Return the order of the keys, each of them once."""
    xp = _array.library(key=key)
    order = _array.order(key)
    ordered = key[order]
    return order[xp.concatenate([ordered[:1] == ordered[:1], ordered[1:] != ordered[:-1]])]


def _check_tests(contrast_threshold, edge_ratio):
    """Refuse thresholds that mean nothing."""
    for name, value in (("contrast_threshold", contrast_threshold), ("edge_ratio", edge_ratio)):
        check_number(name, value)
    if not contrast_threshold >= 0:
        raise ValueError(f"`contrast_threshold` is {contrast_threshold}; it must be 0 or more")
    if not edge_ratio > 1:
        raise ValueError(f"`edge_ratio` is {edge_ratio}; it must be above 1, where both curvatures are the same")
