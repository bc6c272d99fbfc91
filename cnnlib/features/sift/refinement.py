"""Refinement (Lowe, section 4): where an extremum lies between the pixels, and whether it is worth keeping.

Around each candidate the difference of Gaussians D is a quadratic function of x = (col, row, layer),

    D(x) = D + g·x + x·Hx / 2                                                                            (eq. 2)

with g and H the differences of its 26 neighbours. Its extremum lies at x = -H⁻¹ g (eq. 3). Where that is nearer to
another pixel, the search goes on there.
"""

from dataclasses import dataclass

from cnnlib import _array
from cnnlib.features.sift.scale_space import BORDER

STEPS = 5  # moves after which a candidate that has not settled is given up
KEPT, CONTRAST, EDGE, UNSTABLE = range(4)
REASONS = ("kept", "contrast", "edge", "unstable")


@dataclass
class Refined:
    """Candidates after refinement, N of each.

    Parameters
    ----------
    layer, row, col : int64
        The pixel where the search ended.
    offset : array of shape (N, 3)
        Where the extremum lies from there: columns, rows, layers.
    value : float
        D at the extremum.
    edge_ratio : float
        The larger curvature of D divided by the smaller, from 1; infinite where they differ in sign.
    reason : int
        0 kept, 1 contrast (too flat), 2 edge (too long), 3 unstable (never settled, or left the octave).
    """

    layer: object
    row: object
    col: object
    offset: object
    value: object
    edge_ratio: object
    reason: object


def refine(differences, layer, row, col, contrast, edge_ratio):
    """Fit each candidate's quadratic, move where it says, and test what is found.

    Parameters
    ----------
    differences : array of shape (S + 2, H, W)
        The octave's differences of Gaussians.
    layer, row, col : arrays of shape (N,), int
        The candidates.
    contrast : float
        Least absolute D at the extremum.
    edge_ratio : float
        Ratio of curvatures from which on a candidate lies along an edge.

    Returns
    -------
    Refined

    References
    ----------
    .. [1] Lowe, IJCV 60(2), 2004, section 4. doi:10.1023/B:VISI.0000029664.99615.94
    .. [2] Brown and Lowe, Invariant features from interest point groups, BMVC 2002.
    """
    xp = _array.library(differences=differences)
    layer, row, col = (xp.asarray(a) + 0 for a in (layer, row, col))  # ours to change
    offset = _array.zeros((len(layer), 3), differences)
    settled = _array.zeros(len(layer), differences, "bool")
    active = xp.where(~settled)[0]
    for _ in range(STEPS):
        if not len(active):
            break
        at = layer[active], row[active], col[active]
        _, g, h = derivatives(differences, *at)
        move = extremum_of(g, h)
        offset[active] = move
        near = (abs(move) < 0.5).all(-1)
        settled[active[near]] = True
        active, move = active[~near], move[~near]
        far = max(differences.shape)  # out of the octave from anywhere
        step = _array.as_dtype(xp.round(xp.clip(xp.where(xp.isnan(move), far, move), -far, far)), "int64")
        for place, along in ((col, 0), (row, 1), (layer, 2)):
            place[active] += step[:, along]
        inside = _inside(differences.shape, layer[active], row[active], col[active])
        outside, active = active[~inside], active[inside]
        layer[outside], row[outside], col[outside] = 1, BORDER, BORDER
    return _tested(differences, layer, row, col, offset, settled, contrast, edge_ratio)


def _inside(shape, layer, row, col):
    """Whether the pixels have all their neighbours and keep away from the edge."""
    return ((layer >= 1) & (layer <= shape[0] - 2) & (row >= BORDER) & (row < shape[1] - BORDER)
            & (col >= BORDER) & (col < shape[2] - BORDER))


def _tested(differences, layer, row, col, offset, settled, contrast, edge_ratio):
    """Put each candidate to the test of contrast, then to that of edges."""
    xp = _array.library(differences=differences)
    d, g, h = derivatives(differences, layer, row, col)
    value = d + 0.5 * (g * offset).sum(-1)  # eq. 3
    ratio = curvature_ratio(h)
    reason = xp.where(ratio >= edge_ratio, EDGE, KEPT)
    reason = xp.where(abs(value) < contrast, CONTRAST, reason)
    reason = xp.where(settled, reason, UNSTABLE)
    return Refined(layer, row, col, offset, value, ratio, reason)


def derivatives(differences, layer, row, col):
    """Return D (N,), its gradient (N, 3) and its Hessian (N, 3, 3) at the pixels, in the order col, row, layer."""
    xp = _array.library(differences=differences)

    def at(dx, dy, ds):
        return differences[layer + ds, row + dy, col + dx]

    steps = ((1, 0, 0), (0, 1, 0), (0, 0, 1))
    here = at(0, 0, 0)
    after = [at(*step) for step in steps]
    before = [at(*(-s for s in step)) for step in steps]
    gradient = xp.stack([(a - b) / 2 for a, b in zip(after, before)], -1)
    xx, yy, ss = (a + b - 2 * here for a, b in zip(after, before))
    xy, xs, ys = (
        (at(*(a + b for a, b in zip(one, two))) - at(*(a - b for a, b in zip(one, two)))
         - at(*(b - a for a, b in zip(one, two))) + at(*(-a - b for a, b in zip(one, two)))) / 4
        for one, two in ((steps[0], steps[1]), (steps[0], steps[2]), (steps[1], steps[2])))
    rows = [xp.stack(row_, -1) for row_ in ((xx, xy, xs), (xy, yy, ys), (xs, ys, ss))]
    return here, gradient, xp.stack(rows, -2)


@_array.quietly
def extremum_of(g, h):
    """Return -H⁻¹ g by Cramer's rule; not finite where H has no inverse."""
    xp = _array.library(g=g)
    a, b, c = h[:, 0], h[:, 1], h[:, 2]  # rows, and as H is symmetric also columns
    bc, ca, ab = _cross(b, c), _cross(c, a), _cross(a, b)
    determinant = (a * bc).sum(-1)
    return -xp.stack([(g * bc).sum(-1), (g * ca).sum(-1), (g * ab).sum(-1)], -1) / determinant[:, None]


def _cross(a, b):
    """Return the cross product along the last axis."""
    xp = _array.library(a=a)
    (a0, a1, a2), (b0, b1, b2) = (tuple(v[..., i] for i in range(3)) for v in (a, b))
    return xp.stack([a1 * b2 - a2 * b1, a2 * b0 - a0 * b2, a0 * b1 - a1 * b0], -1)


@_array.quietly
def curvature_ratio(h):
    """Return the ratio r of D's two curvatures in the picture, from trace²/determinant = (r + 1)²/r (section 4.1)."""
    xp = _array.library(h=h)
    trace = h[:, 0, 0] + h[:, 1, 1]
    determinant = h[:, 0, 0] * h[:, 1, 1] - h[:, 0, 1] ** 2
    half = trace ** 2 / determinant / 2 - 1  # (r + 1/r) / 2
    ratio = half + xp.sqrt(xp.clip(half ** 2 - 1, 0, None))
    return xp.where(determinant > 0, ratio, float("inf"))
