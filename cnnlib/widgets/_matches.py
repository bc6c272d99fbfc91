"""What the match viewer computes: points and their two rivals, what is kept, and fours drawn to find a homography."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from cnnlib import images
from cnnlib.features import matching, sift
from cnnlib.features.matching.homography import direct_linear_transform, transfer_distances
from cnnlib.features.matching.nearest import two_nearest
from cnnlib.features.matching.ransac import usable

LARGEST = 360  # pixels a side; a larger picture is reduced
MOST = 1000  # points a picture, the clearest
NEAR = 3.0  # pixels: matches that are nearer to a homography agree with it
DRAWS = 1000  # fours, at most
WORD = 0xFFFFFFFF


@dataclass(frozen=True)
class Pairs:
    """Points of two pictures, and for each of the first its two nearest in the second.

    Parameters
    ----------
    points_a, points_b : arrays of shape (N, 2) and (M, 2), float64
        (row, col), in pixels of the pictures as they are shown.
    rivals : array of shape (N, 2), int64
        The nearest and the second nearest; -1 where there is no point in B. With a single point in B: it, twice.
    distance : array of shape (N, 2), float64
    mutual : array of shape (N,), bool
        Whether the point is its partner's nearest, too.
    right : array of shape (N,), bool, or None
        Whether the nearest is the right one, where that is known.
    """

    points_a: np.ndarray
    points_b: np.ndarray
    rivals: np.ndarray
    distance: np.ndarray
    mutual: np.ndarray
    right: np.ndarray | None = None

    @cached_property
    def ratios(self):
        """The first distance over the second; 1 where both are 0."""
        first, second = self.distance.T
        return np.divide(first, second, out=np.ones(len(first)), where=second > 0)

    def kept(self, ratio, cross_check):
        """Return which points of A have a match, an array of N bool, as :func:`cnnlib.features.matching.match`."""
        first, second = self.distance.T
        kept = first < ratio * second if ratio < 1 and len(self.points_b) > 1 else self.rivals[:, 0] >= 0
        return kept & self.mutual if cross_check else kept

    def ends(self, which):
        """Return both ends of the matches of these points."""
        return self.points_a[which], self.points_b[self.rivals[which, 0]]

    def judged(self, truth, scale_a, scale_b):
        """Return the same with `right`, by a homography of the unreduced pictures, a function, or partners' numbers.

        A function says where points of A lie in B; those of which it does not know it, NaN or infinite, are left out.
        """
        if not len(self.points_b):
            return self
        if not callable(truth) and truth.ndim == 1:
            return replace(self, right=self.rivals[:, 0] == truth)
        here, there = (unreduced(p, s) for p, s in zip(self.ends(slice(None)), (scale_a, scale_b)))
        if not callable(truth):
            return replace(self, right=matching.transfer_error(truth, here, there) < NEAR)
        places = np.asarray(truth(here), np.float64)
        if places.shape != here.shape:
            raise ValueError(f"`truth` gave an array of shape {places.shape} for points of shape {here.shape}")
        known = np.isfinite(places).all(1)
        part = {name: getattr(self, name)[known] for name in ("points_a", "rivals", "distance", "mutual")}
        return replace(self, **part, right=np.hypot(*(places - there)[known].T) < NEAR)


def pairs_of(points_a, descriptors_a, points_b, descriptors_b):
    """Return the :class:`Pairs` of two sets of points and their descriptors."""
    a, b = (np.asarray(x, np.float64) for x in (descriptors_a, descriptors_b))
    n, mutual = len(a), np.zeros(len(a), dtype=bool)
    rivals, distance = np.full((n, 2), -1), np.zeros((n, 2))
    if n and len(b):
        squares = (a * a).sum(1)[:, None] - 2 * a @ b.T + (b * b).sum(1)
        nearest, first, second = two_nearest(np, squares.copy(), a, b)
        squares[np.arange(n), nearest] = np.inf if len(b) > 1 else 0
        rivals = np.stack([nearest, squares.argmin(1)], 1)
        distance = np.stack([first, second], 1)
        mutual[matching.match(a, b, ratio=1, cross_check=True)[:, 0]] = True
    return Pairs(np.asarray(points_a, np.float64), np.asarray(points_b, np.float64), rivals, distance, mutual)


def found(picture):
    """Return positions and descriptors of the clearest points that SIFT finds, and how many more there were."""
    keypoints, descriptors = sift.detect_and_describe(images.to_grey(picture))
    clearest = np.sort(np.argsort(-keypoints.response, kind="stable")[:MOST])
    return keypoints.positions[clearest], descriptors[clearest], len(keypoints) - len(clearest)


def shown_picture(image, name):
    """Return a picture as it is shown, float32 in [0, 1], (H, W) or (H, W, 3), and the scales (row, col) to it."""
    image = np.asarray(image)
    if image.dtype == bool:
        image = image.astype(np.float64)
    if image.dtype.kind in "ui":
        image = image / np.iinfo(image.dtype).max
    if image.ndim == 3 and image.shape[2] == 4:
        image = image[..., :3]
    if image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] != 3) or not image.size:
        raise ValueError(f"`{name}` has shape {image.shape}: it must be (H, W), or (H, W, 3) for colours")
    image = image.astype(np.float64)
    if not np.isfinite(image).all():
        raise ValueError(f"`{name}` has {np.count_nonzero(~np.isfinite(image))} of {image.size} values that are NaN "
                         "or infinite: no point is found near them")
    if image.min() < 0 or image.max() > 1:
        raise ValueError(f"`{name}` must lie in [0, 1] (or hold integers), not in "
                         f"[{image.min():g}, {image.max():g}]")
    size = image.shape[:2]
    if max(size) > LARGEST:
        small = tuple(max(1, round(n * LARGEST / max(size))) for n in size)
        image = np.clip(images.resize(image, small), 0, 1)
    return image.astype(np.float32), np.divide(image.shape[:2], size)


def reduced(points, scale):
    """Return where points of a picture lie in the reduced one."""
    return (np.asarray(points, np.float64) + 0.5) * scale - 0.5


def unreduced(points, scale):
    """Return where points of a reduced picture lie in the picture itself."""
    return (points + 0.5) / scale - 0.5


def four(seed, draw, count):
    """Return the four different numbers below `count` that a draw takes: the same in the browser, by mulberry32."""
    a, taken = (seed * 0x9E3779B1 + draw * 0x85EBCA6B) & WORD, []
    for k in range(4):
        a = (a + 0x6D2B79F5) & WORD
        t = (a ^ a >> 15) * (a | 1) & WORD
        t ^= t + ((t ^ t >> 7) * (t | 61) & WORD) & WORD
        number = int((t ^ t >> 14) / 2**32 * (count - k))
        for other in sorted(taken):
            number += number >= other
        taken.append(number)
    return taken


@dataclass(frozen=True)
class Drawn:
    """What fours of matches have found: `best`, `agree` (K bool) and `homography` are None where none was fit."""

    last: list       # the last four, by their places among the matches; -1 for a pair that is none
    count: int       # matches that agree with the homography of the last four; -1 if they were refused
    best: int | None  # the draw with the most, counted from 1
    agree: np.ndarray | None
    homography: np.ndarray | None  # of the best, in pixels as shown


def drawn(here, there, seed, draws):
    """Let each of so many draws of four matches say how many agree with its homography."""
    return tried(here, there, np.array([four(seed, draw, len(here)) for draw in range(1, draws + 1)]))


def tried(here, there, fours):
    """Let each of these fours of matches, an array (N, 4) of their numbers, say how many agree with its homography."""
    return judged(here, there, here[fours], there[fours], fours[-1].tolist())


def judged(here, there, fours_here, fours_there, last):
    """Let each of these fours of pairs, by their ends (N, 4, 2), say how many matches agree with its homography."""
    fit = usable(fours_here, fours_there)
    agree = np.zeros((len(fit), len(here)), dtype=bool)
    homographies = np.full((len(fit), 3, 3), np.nan)
    if fit.any():
        homographies[fit], _ = direct_linear_transform(fours_here[fit], fours_there[fit])
        agree[fit] = transfer_distances(homographies[fit], here, there) < NEAR
    counts = np.where(fit, agree.sum(1), -1)
    best = int(counts.argmax())
    found = (best + 1, agree[best], homographies[best]) if counts[best] >= 0 else (None, None, None)
    return Drawn(last, int(counts[-1]), *found)


def laid_over(image_a, image_b, homography, blend):
    """Return B with A laid over it where A reaches: at blend 0 A alone is seen there, at 1 B alone."""
    if image_a.ndim != image_b.ndim:
        image_a, image_b = (np.broadcast_to(x[..., None], (*x.shape, 3)) if x.ndim == 2 else x
                            for x in (image_a, image_b))
    moved = matching.warp(image_a, homography, image_b.shape[:2], outside=np.nan)
    return np.where(np.isnan(moved), image_b, (1 - blend) * moved + blend * image_b)
