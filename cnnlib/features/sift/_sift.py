"""The whole way: detect, describe, and the steps between, on a picture or on its scale space."""

from cnnlib import _array
from cnnlib._threads import one_blas_thread
from cnnlib.features.sift import orientation
from cnnlib.features.sift._tiles import each
from cnnlib.features.sift.candidates import while_blurring
from cnnlib.features.sift.descriptor import cell_histograms, normalised
from cnnlib.features.sift.descriptor import patches as upright
from cnnlib.features.sift.keypoints import Keypoints, numbers_of
from cnnlib.features.sift.refinement import KEPT
from cnnlib.features.sift.scale_space import ScaleSpace, begun, go_on

TOGETHER = 200  # points at a time: enough to be worth a call, few enough to stay in cache


def detect(image, *, contrast_threshold=0.04, edge_ratio=10, **settings):
    """Find key points: spots darker or brighter than what is around them, of any size.

    Parameters
    ----------
    image : array of shape (H, W), or ScaleSpace
        Grey levels: floats with white 1, or uint8 and other integers with white 255 (uint16: 65535), or bool.
        NumPy or torch. A scale space that was made of it serves as well.
    contrast_threshold : float
        Divided by `scales_per_octave`, the least difference of Gaussians (white 1). 0.04 is OpenCV's default; Lowe's
        own 0.03 is not divided, so that 0.09 here means the same.
    edge_ratio : float
        Ratio of the two curvatures from which on a point counts as part of an edge.
    **settings
        `scales_per_octave`, `sigma`, `upsample` and `num_octaves` of :func:`scale_space`.

    Returns
    -------
    Keypoints
        Clearest first. A spot with several orientations is there several times. Pictures of less than 6 rows or
        columns (11 without `upsample`) have none.

    Raises
    ------
    ValueError, TypeError
        As in :func:`scale_space`.

    Notes
    -----
    The law: on a disc of radius r, `sigma` is about r / sqrt(2). Exactly, sigma names the less blurred of the two
    pictures whose difference is extreme; with k = 2**(1 / scales_per_octave) a Gaussian spot of width s gives
    s / sqrt(k), 11 % less than s. Places are as in OpenCV, less its shift of 0.25 pixels (see :func:`scale_space`).

    References
    ----------
    .. [1] Lowe, Distinctive image features from scale-invariant keypoints, IJCV 60(2), 2004.
       doi:10.1023/B:VISI.0000029664.99615.94

    Examples
    --------
    >>> import numpy as np
    >>> rows, cols = np.mgrid[:64, :64]
    >>> spot = np.exp(-((rows - 30) ** 2 + (cols - 40) ** 2) / (2 * 4 ** 2))
    >>> detect(spot).positions[:1].round(1)
    array([[30., 40.]], dtype=float32)
    """
    return _detect(*_begun(image, settings), contrast_threshold, edge_ratio)


def _detect(space, complete, contrast_threshold, edge_ratio):
    """Find key points in a scale space whose octaves after the first `complete` blurs."""
    found = while_blurring(space, complete, contrast_threshold, edge_ratio)
    found = found[found.reason == KEPT]
    sigma = found.sigma / _array.as_dtype(space.step(found.octave), "float32")
    index, angle = orientation.peaks(orientation.orientation_histograms(
        space, found.octave, found.layer, found.row, found.col, sigma))
    found = found[index]
    keypoints = Keypoints(found.positions, found.sigma, angle, abs(found.value), found.octave)
    return keypoints[_array.order(-keypoints.response)]


def describe(image, keypoints, **settings):
    """Describe the surroundings of key points.

    Parameters
    ----------
    image : array of shape (H, W), or ScaleSpace
        As in :func:`detect`.
    keypoints : Keypoints
        Any: of each its place, scale and orientation are used, also those that :func:`detect` did not find. Numbers of
        another dtype are converted to float32.
    **settings
        As for :func:`scale_space`.

    Returns
    -------
    array of shape (K, 128), float32
        Of length 1 each (0 where the picture is flat): 4 cell rows × 4 cell columns × 8 directions, all of them counted
        from the point's orientation.

    Notes
    -----
    OpenCV multiplies by 512, rounds, and counts the directions the other way round: its number (i, j, b) is about 512
    times ours at (i, j, -b mod 8). It also adds up the pixels as they lie, around the pixel nearest to the point; ours
    are 20 × 20 samples of the turned frame (the paper speaks of 16 × 16, which leaves out half of the outer cells'
    reach). The two agree to a cosine of 0.99 and better.

    References
    ----------
    .. [1] Lowe, IJCV 60(2), 2004, section 6. doi:10.1023/B:VISI.0000029664.99615.94
    """
    space = _space(image, settings)
    out = _array.zeros((len(keypoints), 128), space.pixels)
    xp = _array.library(pixels=space.pixels)
    octave, layer, row, *_ = place = _place(space, keypoints)
    order = xp.argsort(space.index(octave, layer, _array.as_dtype(row, "int64")))  # neighbours in memory together

    def piece(start):
        some = order[start:start + TOGETHER]
        out[some] = normalised(cell_histograms(*upright(space, *(a[some] for a in place))))

    each(piece, range(0, len(keypoints), TOGETHER), space.pixels)
    return out


@one_blas_thread()  # once, rather than at each step
def detect_and_describe(image, *, contrast_threshold=0.04, edge_ratio=10, **settings):
    """Find key points and describe them: :func:`detect`, then :func:`describe`, on one scale space.

    Returns
    -------
    keypoints : Keypoints
    descriptors : array of shape (K, 128), float32
    """
    space, complete = _begun(image, settings)
    keypoints = _detect(space, complete, contrast_threshold, edge_ratio)
    return keypoints, describe(space, keypoints)


def patches(image, keypoints, **settings):
    """Cut out the upright patches that :func:`describe` looks at.

    Returns
    -------
    patch : array of shape (K, 22, 22), float32
    inside : array of shape (K, 22, 22), bool
        Which samples lie on the picture.
    """
    space = _space(image, settings)
    return upright(space, *_place(space, keypoints))


def orientation_histograms(image, keypoints, **settings):
    """Return the histograms of 36 directions that key points (their places and scales) get their orientations from.

    Returns
    -------
    array of shape (K, 36), float32
        Smoothed; bin b is centred on direction 2 pi b / 36.
    """
    space = _space(image, settings)
    xp = _array.library(pixels=space.pixels)
    octave, layer, row, col, sigma = _place(space, keypoints, ("positions", "sigma"))
    row, col = (_array.as_dtype(xp.round(a), "int64") for a in (row, col))
    return orientation.orientation_histograms(space, octave, layer, row, col, sigma)


def _place(space, keypoints, names=("positions", "sigma", "orientation")):
    """Return the octave and layer nearest to each point's scale, row, column and sigma in the octave's pixels, and the
    orientation, if it is among the names."""
    positions, sigma, *orientation = given = numbers_of("SIFT", keypoints, "float32", names)
    _array.library(pixels=space.pixels, **dict(zip(names, given)))
    octave, layer = space.nearest(sigma)
    step = _array.as_dtype(space.step(octave), "float32")
    row, col = ((positions[:, axis] - space.origin) / step for axis in (0, 1))
    return octave, layer, row, col, sigma / step, *orientation


def _space(image, settings):
    """Return the scale space of a picture, or the one that is given in its place."""
    space, complete = _begun(image, settings)
    complete()
    return space


def _begun(image, settings):
    """Return the scale space of a picture, its first octave blurred, and what to call for the others."""
    if isinstance(image, ScaleSpace):
        if settings:
            raise TypeError(f"`{next(iter(settings))}` belongs to scale_space, which has been called already")
        return image, lambda: None
    space = begun(image, **settings)
    return space, lambda: go_on(space)
