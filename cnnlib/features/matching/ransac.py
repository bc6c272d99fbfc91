"""A map that most pairs agree on, although many pairs are wrong: random sample consensus."""

from math import ceil, isfinite, log1p
from numbers import Real

import numpy as np

from cnnlib import _array
from cnnlib.features.matching.homography import check_pairs, direct_linear_transform, transfer_distances
from cnnlib.geometry import as_int

AT_A_TIME = 64  # samples that are tried in one go
ON_A_LINE = 1e-3  # of a triangle's longest side: a height below it counts as none
REFITS = 10  # at most


def num_trials(inlier_share, confidence=0.99, sample_size=4):
    """Return how many random samples it takes until one of them, very likely, holds no wrong pair.

    .. math:: N = \\left\\lceil \\frac{\\log(1 - p)}{\\log(1 - w^s)} \\right\\rceil

    Parameters
    ----------
    inlier_share : float, above 0 and at most 1
        Share w of pairs that are right.
    confidence : float, above 0 and below 1
        How likely p that should be.
    sample_size : int
        Pairs s in a sample.

    Returns
    -------
    int

    References
    ----------
    .. [1] M. A. Fischler, R. C. Bolles, Random sample consensus, Communications of the ACM 24(6), 1981.
       doi:10.1145/358669.358692

    Examples
    --------
    >>> num_trials(0.5), num_trials(0.3)
    (72, 567)
    """
    sample_size = as_int("sample_size", sample_size, 1)
    if not isinstance(inlier_share, Real) or not 0 < inlier_share <= 1:
        raise ValueError(f"`inlier_share` is {inlier_share!r}; it must lie above 0 and at most at 1: with no right "
                         "pair no number of trials is enough")
    if not isinstance(confidence, Real) or not 0 < confidence < 1:
        raise ValueError(f"`confidence` is {confidence!r}; it must lie between 0 and 1, for example 0.99")
    clean = inlier_share**sample_size
    if clean == 1:
        return 1
    return max(1, ceil(log1p(-confidence) / log1p(-clean)))


def find_homography(src, dst, *, rng, threshold=3.0, confidence=0.99, max_trials=10_000):
    """Find the homography that most of the pairs agree on, and say which do.

    Four pairs, drawn at random, give a homography; the pairs that it takes to within `threshold` of each other are
    counted. After enough draws (:func:`num_trials`, of the largest share so far) the largest set wins. The homography
    is fitted to all of it, and again to all pairs that agree then, for as long as that brings the pairs nearer: as long
    as the sum of their squared errors falls, in which none counts more than `threshold`.

    Parameters
    ----------
    src, dst : arrays of shape (K, 2), K ≥ 4, float or integer
        Points (row, col), in pixels, and their partners, many of which may be wrong. NumPy or torch.
    rng : np.random.Generator
        Draws the samples: the same generator gives the same answer.
    threshold : float, in pixels
        Pairs with a smaller :func:`transfer_error` agree.
    confidence : float, above 0 and below 1
        How likely a sample without a wrong pair should have been among those drawn.
    max_trials : int
        Samples drawn at most. (10,000 is enough where one pair in seven is right.)

    Returns
    -------
    homography : array of shape (3, 3), float64
        Takes `src` to `dst`.
    inliers : array of shape (K,), bool
        Which pairs agree with it: their :func:`transfer_error` is below `threshold`. At least four.

    Raises
    ------
    ValueError
        Fewer than four pairs, or no sample was fit to be tried: all points on one line, say.

    Notes
    -----
    Any four pairs agree on something, so an answer is no evidence that there is one: compare the number of inliers
    with what wrong pairs reach.

    A sample is refused if three of its points lie on a line, in either picture (a height of the triangle below 0.001
    of its longest side), or if some triangles of its points turn over from `src` to `dst` and some do not: no camera
    sees that of a flat thing that lies in front of it. Refused samples count as drawn.

    The fit to all of a set may agree with fewer pairs than the sample did that found the set; those are then returned.

    References
    ----------
    .. [1] M. A. Fischler, R. C. Bolles, Random sample consensus, Communications of the ACM 24(6), 1981.
       doi:10.1145/358669.358692

    Examples
    --------
    >>> src = np.array([[0, 0], [0, 90], [90, 0], [90, 90], [30, 50], [40, 40]])
    >>> dst = src + [5, 1]
    >>> dst[5] = [7, 7]
    >>> homography, inliers = find_homography(src, dst, rng=np.random.default_rng(0))
    >>> inliers
    array([ True,  True,  True,  True,  True, False])
    """
    src, dst = check_pairs("find_homography", src, dst)
    if src.ndim != 2:
        raise ValueError(f"`src` has shape {tuple(src.shape)}; find_homography takes one set of pairs, (K, 2)")
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"`rng` must be a np.random.Generator, not {type(rng).__name__}: np.random.default_rng(0) is "
                        "one")
    if not isinstance(threshold, Real) or not (threshold > 0 and isfinite(threshold)):
        raise ValueError(f"`threshold` is {threshold!r}; it must be a number of pixels above 0")
    homography = _consensus(src, dst, rng, threshold, confidence, as_int("max_trials", max_trials, 1))
    error = transfer_distances(homography, src, dst)
    for _ in range(REFITS):
        fitted, _ = direct_linear_transform(src[error < threshold], dst[error < threshold])
        fitted_error = transfer_distances(fitted, src, dst)
        if not _cost(fitted_error, threshold) < _cost(error, threshold):
            break
        homography, error = fitted, fitted_error
    return homography, error < threshold


def _cost(error, threshold):
    """Return the sum of squared errors, none of which counts more than the threshold."""
    return float((error.clip(0, threshold) ** 2).sum())


def _consensus(src, dst, rng, threshold, confidence, max_trials):
    """The homography through four pairs that most pairs agree with."""
    count, best, drawn = len(src), None, 0
    needed, most = max_trials, 0
    num_trials(1, confidence)  # says what is wrong with `confidence`
    while drawn < needed:
        samples = _samples(rng, count, min(AT_A_TIME, needed - drawn))
        drawn += len(samples)
        fit = usable(src[samples], dst[samples])
        if not bool(fit.any()):
            continue
        homographies, certain = direct_linear_transform(src[samples][fit], dst[samples][fit])
        agree = (transfer_distances(homographies, src, dst) < threshold) & certain[:, None]
        counts = agree.sum(1)
        winner = int(counts.argmax())
        if int(counts[winner]) > most:
            best, most = homographies[winner], int(counts[winner])
            needed = min(max_trials, num_trials(most / count, confidence))
    if most < 4:
        raise ValueError(f"no homography found: each of {drawn} samples of four pairs was refused, since three points "
                         "lay on one line or the points had changed sides")
    return best


def _samples(rng, count, trials):
    """Draw (trials, 4) numbers below `count`, four different ones in a row."""
    numbers = rng.integers(0, count - np.arange(4), (trials, 4))
    for k in range(1, 4):  # the k-th counts only those that are not taken yet
        for taken in np.sort(numbers[:, :k], axis=1).T:
            numbers[:, k] += numbers[:, k] >= taken
    return numbers


def usable(src, dst):
    """Whether samples (trials, 4, 2) have no three points on a line, and all four triangles keep (or change) sides."""
    one, two = _heights(src), _heights(dst)
    kept = (one * two > 0).sum(-1)
    return ((abs(one) > ON_A_LINE) & (abs(two) > ON_A_LINE)).all(-1) & ((kept == 0) | (kept == 4))


@_array.quietly
def _heights(points):
    """For each of the four triangles of four points: its height over its longest side, signed, as a share of it."""
    xp = _array.library(points=points)
    shares = []
    for corners in ([0, 1, 2], [0, 1, 3], [0, 2, 3], [1, 2, 3]):
        a, b, c = (points[..., corner, :] for corner in corners)
        ab, ac, bc = b - a, c - a, c - b
        longest = xp.maximum(xp.maximum((ab**2).sum(-1), (ac**2).sum(-1)), (bc**2).sum(-1))
        area = ab[..., 0] * ac[..., 1] - ab[..., 1] * ac[..., 0]  # twice the triangle's
        shares.append(xp.where(longest > 0, area / longest, xp.zeros_like(area)))
    return xp.stack(shares, -1)
