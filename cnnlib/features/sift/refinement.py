"""Refinement (Lowe, section 4): where an extremum lies between the pixels, and whether it is worth keeping.

Around each candidate the difference of Gaussians D is a quadratic function of x = (col, row, layer),

    D(x) = D + g·x + x·Hx / 2                                                                            (eq. 2)

with g and H the differences of its 26 neighbours. Its extremum lies at x = -H⁻¹ g (eq. 3). Where that is nearer to
another pixel, the search goes on there.
"""

from dataclasses import dataclass

import numpy as np

from cnnlib import _array
from cnnlib.features.sift.scale_space import BORDER

STEPS = 5  # moves after which a candidate that has not settled is given up
KEPT, CONTRAST, EDGE, UNSTABLE = range(4)
REASONS = ("kept", "contrast", "edge", "unstable")


@dataclass(eq=False)
class Refined:
    """Candidates after refinement, N of each.

    Parameters
    ----------
    layer, row, col : int64
        The pixel where the search ended.
    offset : array of shape (3, N)
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


@_array.quietly
def refine(space, octave, layer, row, col, contrast, edge_ratio):
    """Fit each candidate's quadratic, move where it says, and test what is found.

    Parameters
    ----------
    space : ScaleSpace
    octave, layer, row, col : arrays of shape (N,), int64
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
    xp = _array.library(pixels=space.pixels)
    place = xp.stack([col, row, layer])
    height, width = space.sizes(octave)
    last = xp.stack([width - 1 - BORDER, height - 1 - BORDER, 0 * height + space.scales_per_octave])
    first = _array.constant(np.array([[BORDER], [BORDER], [1]]), place)
    d, g, h = derivatives(space, octave, place)
    offset = extremum_of(g, h)
    active = xp.where((abs(offset) < 0.5).all(0) == 0)[0]  # not yet settled
    for _ in range(STEPS - 1):
        moved = place[:, active] + _whole(offset[:, active])
        inside = ((moved >= first) & (moved <= last[:, active])).all(0)
        active, moved = active[inside], moved[:, inside]
        place[:, active] = moved
        d[active], near_g, near_h = derivatives(space, octave[active], moved)
        near = extremum_of(near_g, near_h)
        g[:, active], h[:, :, active], offset[:, active] = near_g, near_h, near
        active = active[~(abs(near) < 0.5).all(0)]
    settled = (abs(offset) < 0.5).all(0)
    value = d + 0.5 * (g * offset).sum(0)  # eq. 3
    ratio = curvature_ratio(h)
    reason = xp.where(ratio >= edge_ratio, EDGE, KEPT)
    reason = xp.where(abs(value) < contrast, CONTRAST, reason)
    reason = xp.where(settled, reason, UNSTABLE)
    return Refined(place[2], place[1], place[0], offset, value, ratio, reason)


def _whole(move):
    """Return moves rounded to whole pixels; those that are not finite lead out of any picture."""
    xp = _array.library(move=move)
    far = 2 ** 30
    return _array.as_dtype(xp.round(xp.clip(xp.where(xp.isnan(move), far, move), -far, far)), "int64")


def derivatives(space, octave, place):
    """Return D (N,), its gradient (3, N) and its Hessian (3, 3, N) at pixels, given as (3, N): col, row, layer."""
    height, width = space.sizes(octave)
    here = space.index(octave, place[2], place[1], place[0])
    steps = _array.constant(np.arange(-1, 3), here)[:, None]
    layers, rows, cols = steps * (height * width), steps[:3] * width, steps[:3]
    gaussian = space.pixels[here + layers[:, None, None] + rows[:, None] + cols]  # (4, 3, 3, N)
    return of_cube(gaussian[1:] - gaussian[:-1])


def of_cube(cube):
    """Return numbers, gradients and Hessians in the middle of cubes (3, 3, 3, N) of numbers by layer, row and column.

    Returns
    -------
    value : array of shape (N,)
    gradient : array of shape (3, N)
        By columns, rows and layers: central differences.
    hessian : array of shape (3, 3, N)
    """
    xp, d = _array.library(cube=cube), cube[1, 1, 1]
    dx, dy, ds = cube[1, 1, 2] - cube[1, 1, 0], cube[1, 2, 1] - cube[1, 0, 1], cube[2, 1, 1] - cube[0, 1, 1]
    xx = cube[1, 1, 2] + cube[1, 1, 0] - 2 * d
    yy = cube[1, 2, 1] + cube[1, 0, 1] - 2 * d
    ss = cube[2, 1, 1] + cube[0, 1, 1] - 2 * d
    xy = (cube[1, 2, 2] - cube[1, 2, 0] - cube[1, 0, 2] + cube[1, 0, 0]) / 4
    xs = (cube[2, 1, 2] - cube[2, 1, 0] - cube[0, 1, 2] + cube[0, 1, 0]) / 4
    ys = (cube[2, 2, 1] - cube[2, 0, 1] - cube[0, 2, 1] + cube[0, 0, 1]) / 4
    h = xp.stack([xp.stack(line) for line in ((xx, xy, xs), (xy, yy, ys), (xs, ys, ss))])
    return d, xp.stack([dx, dy, ds]) / 2, h


@_array.quietly
def extremum_of(g, h):
    """Return -H⁻¹ g, (3, N), by Cramer's rule; not finite where H has no inverse."""
    xp = _array.library(g=g)
    a, b, c = h  # rows, and as H is symmetric also columns
    bc, ca, ab = _cross(b, c), _cross(c, a), _cross(a, b)
    return -xp.stack([(g * bc).sum(0), (g * ca).sum(0), (g * ab).sum(0)]) / (a * bc).sum(0)


def _cross(a, b):
    """Return the cross products of vectors, (3, N)."""
    return _array.library(a=a).stack([a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]])


@_array.quietly
def curvature_ratio(h):
    """Return the ratio r of D's two curvatures in the picture, from trace²/determinant = (r + 1)²/r (section 4.1)."""
    xp = _array.library(h=h)
    trace = h[0, 0] + h[1, 1]
    determinant = h[0, 0] * h[1, 1] - h[0, 1] ** 2
    half = trace ** 2 / determinant / 2 - 1  # (r + 1/r) / 2
    ratio = half + xp.sqrt(xp.clip(half ** 2 - 1, 0, None))
    return xp.where(determinant > 0, ratio, float("inf"))
