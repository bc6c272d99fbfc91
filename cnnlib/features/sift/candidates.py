"""Candidates: every extremum of the differences, with what became of it."""

from dataclasses import dataclass, fields

from cnnlib import _array
from cnnlib.features.sift.extrema import extrema
from cnnlib.features.sift.refinement import REASONS, UNSTABLE, refine


@dataclass
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
    contrast = contrast_threshold / space.scales_per_octave
    return _joined([_of_octave(space, octave, contrast, edge_ratio) for octave in space.octaves])


def _of_octave(space, octave, contrast, edge_ratio):
    differences = space.differences(octave)
    layer, row, col = extrema(differences, contrast / 2)
    found = refine(differences, layer, row, col, contrast, edge_ratio)
    xp = _array.library(differences=differences)
    lost = found.reason == UNSTABLE
    layer, row, col = (xp.where(lost, *both) for both in ((layer, found.layer), (row, found.row), (col, found.col)))
    offset = xp.where(lost[:, None], 0 * found.value[:, None], found.offset)
    positions = xp.stack([row + offset[:, 1], col + offset[:, 0]], -1) * space.step(octave) + space.origin
    sigma = space.blur(octave, layer + offset[:, 2])
    positions, sigma = (_array.as_dtype(a, "float32") for a in (positions, sigma))
    all_found = Candidates(positions, sigma, found.value, found.edge_ratio, found.reason, 0 * layer + octave,
                           layer, row, col)
    return all_found[_first_of_each((layer, row, col, found.reason), differences.shape)]


def _first_of_each(places, shape):
    """Return the order of the places, without candidates whose pixel and fate another one before them has."""
    xp = _array.library(layer=places[0])
    key = 0 * places[0]
    for place, size in zip(places, (*shape, len(REASONS))):
        key = key * size + place
    order = xp.argsort(key, stable=True)
    ordered = key[order]
    return order[xp.concatenate([ordered[:1] == ordered[:1], ordered[1:] != ordered[:-1]])]


def _joined(parts):
    """Return several sets of candidates as one."""
    xp = _array.library(positions=parts[0].positions)
    return Candidates(*(xp.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Candidates)))
