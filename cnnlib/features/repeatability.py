"""Are the points of one picture found again in another, and rightly matched? Asked where the answer is known.

:func:`known_changes` makes pairs of pictures of which one is the other turned, scaled, blurred, relit, tipped or noisy,
so that every point's place in the second picture is known. :func:`score` asks a detector, whichever it is, for the
share of its points that it finds again, and for the share of its matches that are right. NumPy only.
"""

from dataclasses import dataclass
from math import ceil, cos, radians, sin

import numpy as np

from cnnlib import _array
from cnnlib.conv import correlate2d
from cnnlib.features.matching import apply_homography, fit_homography, match, warp

CHANGES = {
    "rotation": (15, 30, 45, 60, 90, 120, 150, 180),  # degrees
    "scale": (0.5, 0.63, 0.8, 1.25, 1.6, 2.0),  # new size / old size
    "blur": (1.0, 2.0, 3.0),  # sigma, in pixels
    "light": (0.5, 0.7, 1.4, 2.0),  # exponent of the grey levels (gamma)
    "perspective": (0.1, 0.2, 0.3, 0.4),  # share by which the far side is shorter
    "noise": (0.02, 0.05, 0.1),  # standard deviation, of white
}
PART = 0.66  # of a photo's sides: what the first picture shows, so that a turned second one is full of photo too
PIXELS, SCALE, MATCHED = 1.5, 1.2, 3.0  # what "found again" and "rightly matched" mean: see the docstrings


@dataclass
class Pair:
    """Two pictures of one thing, and where each point went.

    Parameters
    ----------
    kind : str
        What was done, a key of :data:`CHANGES`.
    amount : float
        How much of it.
    first, second : arrays of shape (H, W), float64 in [0, 1], in the 256 levels of stored pictures
    homography : array of shape (3, 3)
        Takes points (row, col) of the first to the second.
    """

    kind: str
    amount: float
    first: np.ndarray
    second: np.ndarray
    homography: np.ndarray


def known_changes(photo, *, rng, changes=CHANGES):
    """Make pairs of pictures out of one photo: its middle, and its middle changed in a known way.

    Parameters
    ----------
    photo : array of shape (H, W), float in [0, 1]
        Grey. Its sides should be 100 pixels or more.
    rng : np.random.Generator
        Draws the noise.
    changes : dict of kind -> amounts
        Kinds are those of :data:`CHANGES`.

    Returns
    -------
    list of Pair
        All with the same `first`, the middle 66 % of the photo. Turned, shrunk and tipped second pictures show what
        lies around it too, so no border of the photo is seen (beyond it, the photo is mirrored).

    Notes
    -----
    Pictures that shrink are averaged over what each new pixel covers. All are rounded to 256 levels, as files are.

    Examples
    --------
    >>> pair, = known_changes(np.eye(120), rng=np.random.default_rng(0), changes={"scale": [0.5]})
    >>> pair.first.shape, pair.second.shape, apply_homography(pair.homography, np.array([[10.0, 20.0]]))
    ((79, 79), (40, 40), array([[4.75, 9.75]]))
    """
    photo = np.asarray(photo)
    if photo.ndim != 2 or min(photo.shape) < 16:
        raise ValueError(f"`photo` has shape {photo.shape}; it must be grey, (H, W), with 16 pixels a side or more")
    if unknown := set(changes) - set(CHANGES):
        raise ValueError(f"`changes` has {', '.join(sorted(unknown))}; there are {', '.join(CHANGES)}")
    margin = max(photo.shape) // 2
    wide = np.pad(photo, [(min(margin, side - 1),) * 2 for side in photo.shape], mode="reflect")
    size = tuple(round(PART * side) for side in photo.shape)
    place = tuple((outer - inner) // 2 for outer, inner in zip(wide.shape, size))
    part = np.s_[place[0]:place[0] + size[0], place[1]:place[1] + size[1]]
    first, pairs = _levels(wide[part]), []
    for kind, amounts in changes.items():
        for amount in amounts:
            homography, second_size = np.eye(3), size
            if kind == "blur":
                second = _blurred(wide, amount)[part]
            elif kind == "light":
                second = wide[part] ** amount
            elif kind == "noise":
                second = wide[part] + amount * rng.standard_normal(size)
            else:
                homography, second_size = _map(kind, amount, size)
                shrunk = ceil(1 / amount) if kind == "scale" else 2 if kind == "perspective" else 1
                second = warp(wide, homography @ _shift(-np.array(place)), second_size, oversample=shrunk)
            pairs.append(Pair(kind, amount, first, _levels(second), homography))
    return pairs


def _levels(picture):
    return np.rint(np.clip(picture, 0, 1) * 255) / 255


def _blurred(picture, sigma):
    """The picture blurred by a Gaussian: by the definition, since SIFT should not be judged by its own blur."""
    offsets = np.arange(-ceil(4 * sigma), ceil(4 * sigma) + 1)
    kernel = np.exp(-(offsets**2) / (2 * sigma**2))
    kernel /= kernel.sum()
    return correlate2d(correlate2d(picture, kernel[:, None], "same"), kernel[None], "same")


def _map(kind, amount, size):
    """The homography of a change, and the size of the second picture."""
    height, width = size
    middle = (np.array(size) - 1) / 2
    if kind == "rotation":
        angle = radians(amount)
        turn = np.array([[cos(angle), -sin(angle), 0], [sin(angle), cos(angle), 0], [0, 0, 1]])
        return _shift(middle) @ turn @ _shift(-middle), size
    if kind == "scale":
        new = ceil(amount * height), ceil(amount * width)
        return _shift(0.5 * (amount - 1) * np.ones(2)) @ np.diag([amount, amount, 1.0]), new  # corner on corner
    corners = np.array([[0.0, 0.0], [0.0, width - 1], [height - 1, 0.0], [height - 1, width - 1]])
    far = np.array([[amount / 2 * (height - 1), amount / 4 * (width - 1)], [0, 0],
                    [-amount / 2 * (height - 1), amount / 4 * (width - 1)], [0, 0]])  # its left side
    return fit_homography(corners, corners + far), size


def _shift(by):
    shift = np.eye(3)
    shift[:2, 2] = by
    return shift


def score(detector, pairs, *, ratio=0.8):
    """Ask a detector for the points of pairs of pictures, and say how well they agree.

    Parameters
    ----------
    detector : function
        Takes a picture, (H, W) float64 in [0, 1], and returns key points, with `positions` (K, 2) in pixels and `sigma`
        (K,), and their descriptors (K, D).
    pairs : list of Pair
    ratio : float
        Of the ratio test (:func:`~cnnlib.features.matching.match`).

    Returns
    -------
    list of dict, one a pair
        `kind`, `amount`, `points` (of the first picture), `repeatability` (:func:`repeatability`), `matches` and
        `correct`, the share of these that are right (:func:`correct_matches`).
    """
    rows, asked = [], {}
    for pair in pairs:
        if id(pair.first) not in asked:
            asked = {id(pair.first): detector(pair.first)}
        (a, of_a), (b, of_b) = asked[id(pair.first)], detector(pair.second)
        shapes = pair.first.shape, pair.second.shape
        right = correct_matches(match(of_a, of_b, ratio=ratio), a.positions, b.positions, pair.homography, shapes)
        rows.append({"kind": pair.kind, "amount": pair.amount, "points": len(a.positions),
                     "repeatability": repeatability(a, b, pair.homography, shapes),
                     "matches": len(right), "correct": float(np.mean(right)) if len(right) else 0.0})
    return rows


def means(rows):
    """Return the mean repeatability and the mean share of correct matches of each kind of change, and of all kinds.

    Parameters
    ----------
    rows : list of dict
        From :func:`score`, of any number of photos.

    Returns
    -------
    dict of kind -> {"repeatability": float, "correct": float, "matches": float}
        The last, "all", is the mean of the kinds, so that each kind counts the same.
    """
    kinds = list(dict.fromkeys(row["kind"] for row in rows))
    found = {kind: {key: float(np.mean([row[key] for row in rows if row["kind"] == kind]))
                    for key in ("repeatability", "correct", "matches")} for kind in kinds}
    return found | {"all": {key: float(np.mean([found[kind][key] for kind in kinds])) for key in found[kinds[0]]}}


def repeatability(a, b, homography, shapes, *, pixels=PIXELS, scale=SCALE):
    """Return the share of a picture's key points that are found again in the other picture.

    Both pictures show a common part. There, a point of the first is found again if a point of the second lies within
    `pixels` of where it should be, with a sigma that is right to the factor `scale`; and each is the other's nearest,
    so that none counts twice.

    Parameters
    ----------
    a, b : key points
        With `positions` (K, 2), in pixels, and `sigma` (K,). Points that are there several times, with several
        orientations, count once.
    homography : array of shape (3, 3)
        From the first picture to the second.
    shapes : two of (H, W)
        Of the pictures.
    pixels : float
        In pixels of the coarser picture, where one shows things smaller than the other.
    scale : float

    Returns
    -------
    float
        Points found again, of the smaller number of points that either picture has in the common part [1]_. 0 if one
        has none.

    References
    ----------
    .. [1] K. Mikolajczyk, C. Schmid, Scale & affine invariant interest point detectors, IJCV 60(1), 2004, section 6.1.
       doi:10.1023/B:VISI.0000027790.02288.f2
    """
    a, b = _once(a), _once(b)
    to_b, inside_a = _moved(a[:, :2], homography, shapes[1])
    _, inside_b = _moved(b[:, :2], np.linalg.inv(homography), shapes[0])
    a, to_b, b = a[inside_a], to_b[inside_a], b[inside_b]
    if not len(a) or not len(b):
        return 0.0
    growth = local_scale(homography, a[:, :2])
    distance = np.sqrt(((to_b[:, None] - b[None, :, :2]) ** 2).sum(-1)) / np.maximum(growth, 1)[:, None]
    factor = np.abs(np.log(b[None, :, 2] / (growth * a[:, 2])[:, None]))
    distance[(distance > pixels) | (factor > np.log(scale))] = np.inf
    nearest = distance.argmin(1)
    mutual = (distance.argmin(0)[nearest] == np.arange(len(a))) & np.isfinite(distance.min(1))
    return float(mutual.sum() / min(len(a), len(b)))


def correct_matches(matches, a, b, homography, shapes, *, pixels=MATCHED):
    """Say of each match whether it is right.

    Parameters
    ----------
    matches : array of shape (M, 2), int
        As :func:`~cnnlib.features.matching.match` returns them.
    a, b : arrays of shape (K, 2), in pixels
        Positions of the key points in the first and second picture.
    homography : array of shape (3, 3)
        From the first picture to the second.
    shapes : two of (H, W)
        Of the pictures.
    pixels : float
        How far from the right place a match may lie, in pixels of the coarser picture.

    Returns
    -------
    array of bool, one for each match whose first point the second picture shows
    """
    matches, a, b = (_array.to_numpy(x) for x in (matches, a, b))
    a, b = a[matches[:, 0]].astype(np.float64), b[matches[:, 1]].astype(np.float64)
    to_b, inside = _moved(a, homography, shapes[1])
    away = np.sqrt(((to_b - b) ** 2).sum(-1)) / np.maximum(local_scale(homography, a), 1)
    return (away <= pixels)[inside]


def local_scale(homography, points):
    """Return by what factor a homography stretches small things around each point: the root of its area's growth.

    Examples
    --------
    >>> local_scale(np.diag([2.0, 2.0, 1.0]), np.array([[5.0, 7.0]]))
    array([2.])
    """
    depth = points @ homography[2, :2] + homography[2, 2]
    return np.sqrt(np.abs(np.linalg.det(homography) / depth**3))


def _once(points):
    """Rows (row, col, sigma) of key points, each place and scale once."""
    columns = [_array.to_numpy(x).astype(np.float64) for x in (points.positions, points.sigma)]
    return np.unique(np.column_stack(columns), axis=0)


def _moved(points, homography, shape):
    """Return where the points go, and whether that lies on a picture of this shape."""
    moved = apply_homography(np.asarray(homography, dtype=np.float64), points)
    return moved, ((moved >= 0) & (moved <= np.array(shape) - 1)).all(1)
