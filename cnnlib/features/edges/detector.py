"""Canny's edge detector: smooth, differentiate, thin, link."""

import numpy as np

from cnnlib import _array
from cnnlib.features._picture import as_number, as_pictures
from cnnlib.features.edges.gradients import correlate, gradient_magnitude, sobel
from cnnlib.features.edges.linking import linked
from cnnlib.features.edges.thinning import crests

LOW, HIGH = 0.1, 0.3  # of a picture's largest magnitude, where no threshold is given
REACH = 4  # standard deviations after which the bell curve is cut
WIDEST = 10**6  # pixels: a wider bell would not fit into memory


def canny(image, *, sigma=1.0, low=None, high=None):
    """Find the edges of grey pictures, as lines one pixel wide.

    Four steps: smooth with a bell curve (:func:`smooth`); take Sobel's gradient; keep the crests of its magnitude
    (:func:`non_maximum_suppression`); keep those above `high`, and those above `low` that are connected to them by
    sides or corners (:func:`hysteresis`).

    Parameters
    ----------
    image : array of shape (..., H, W)
        Grey levels on any scale, NumPy or torch; as in :func:`sobel`.
    sigma : float, in pixels
        Standard deviation of the bell curve; 0 for none.
    low, high : float, optional, in grey levels per pixel
        Thresholds on the magnitude; `low` is at most `high`. Where one is not given: 0.1 and 0.3 of the largest
        magnitude in the picture, whatever its scale, but never on the wrong side of the one that is given.

    Returns
    -------
    array of shape (..., H, W), bool

    Notes
    -----
    Beyond the border pixels of the frame are repeated; on the frame itself no edges are found. What differs from
    scikit-image's ``canny(…, mode="nearest")``: its thresholds are 8 times ours, default to fixed numbers, and keep a
    pixel at the threshold; of two equally steep neighbours it keeps both (see :func:`non_maximum_suppression`). From
    ``cv2.Canny``: that does not smooth, wants 8-bit levels, rounds directions to multiples of 45°, by default adds
    |row| + |col| in place of the length, and reflects at the border, where it does find edges. Deviation from [1]_: one
    scale, and Sobel's masks in place of the derivative of a Gaussian.

    References
    ----------
    .. [1] Canny, A computational approach to edge detection, IEEE Transactions on Pattern Analysis and Machine
       Intelligence 8(6), 1986. doi:10.1109/TPAMI.1986.4767851

    Examples
    --------
    >>> step = np.zeros((5, 6))
    >>> step[:, 3:] = 1
    >>> canny(step, sigma=0).astype(int)[1]
    array([0, 0, 1, 0, 0, 0])
    """
    (x,), _ = as_pictures("canny", image=image)
    sigma = as_number("sigma", sigma, least=0)
    given = [None if value is None else as_number(name, value, least=0) for name, value in (
        ("low", low), ("high", high))]
    grad_row, grad_col = sobel(smoothed(x, sigma))
    magnitude = gradient_magnitude(grad_row, grad_col)
    low, high = _thresholds(magnitude, *given)
    thin = crests(magnitude, grad_row, grad_col, low)
    return linked(thin > low, thin > high)


def _thresholds(magnitude, low, high):
    """Return both thresholds; one that is not given follows each picture's own largest magnitude."""
    if low is not None and high is not None:
        if low > high:
            raise ValueError(f"`low` is {low} and `high` {high}: the low threshold may not exceed the high one")
        return low, high
    largest = _array.library(magnitude=magnitude).amax(magnitude, axis=(-2, -1))[..., None, None]
    if high is None:
        high = (HIGH * largest).clip(low or 0.0)
    return (LOW * largest).clip(None, high) if low is None else low, high


def smooth(image, sigma):
    """Smooth grey pictures: each pixel becomes a mean of those around it, weighted by a Gaussian bell curve.

    Parameters
    ----------
    image : array of shape (..., H, W)
        As in :func:`sobel`.
    sigma : float, in pixels
        Standard deviation of the bell; 0 leaves the picture as it is.

    Returns
    -------
    array of shape (..., H, W)

    Notes
    -----
    First along the columns, then along the rows. Cut at 4 sigma and scaled to sum 1; beyond the border pixels of the
    frame are repeated: as ``scipy.ndimage.gaussian_filter(…, mode="nearest")``.

    Examples
    --------
    >>> smooth(np.array([[0.0, 0, 1, 0, 0]]), 0.5).round(2)
    array([[0.  , 0.11, 0.79, 0.11, 0.  ]])
    """
    (x,), dtype = as_pictures("smooth", image=image)
    return _array.as_dtype(smoothed(x, as_number("sigma", sigma, least=0)), dtype)


def smoothed(x, sigma):
    """Do the work of :func:`smooth` on checked floats."""
    if sigma > WIDEST:
        raise ValueError(f"`sigma` is {sigma:g}; it must be at most {WIDEST:,} pixels")
    reach = int(REACH * sigma + 0.5)
    if not reach:
        return x
    bell = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    down, right = (_within(bell / bell.sum(), side) for side in x.shape[-2:])
    return correlate(x, down[:, None], right[None])


def _within(bell, side):
    """Return a bell no longer than a picture's side needs: a pixel so far off or further is one of the frame's."""
    spare = len(bell) // 2 - max(side - 1, 1)
    if spare <= 0:
        return bell
    short = bell[spare:-spare].copy()
    short[0] += bell[:spare].sum()
    short[-1] += bell[-spare:].sum()
    return short
