"""The whole way: detect, describe, or both on one integral image.

On one thread, BLAS too: the steps are short, and two threads that wait for each other between them are no faster.
"""

from cnnlib import _array
from cnnlib._threads import one_blas_thread
from cnnlib.features._picture import check_number
from cnnlib.features.sift import Keypoints
from cnnlib.features.sift._image import grey_levels
from cnnlib.features.sift.keypoints import numbers_of
from cnnlib.features.surf.descriptor import descriptors
from cnnlib.features.surf.extrema import refined
from cnnlib.features.surf.hessian import FILTER_SIZES, hessian_octaves
from cnnlib.features.surf.integral import fixed_point, integral_image
from cnnlib.features.surf.orientation import orientations
from cnnlib.geometry import as_int

LARGEST = 90  # sigma, in pixels, up to which half a wavelet's sum fits into 32 bits
THRESHOLD = 0.0004  # finds about as many points in photographs as SIFT does


@one_blas_thread()
def detect(image, *, threshold=THRESHOLD, num_octaves=4):
    """Find key points: spots darker or brighter than what is around them, of sigma 1.6 pixels and more.

    Parameters
    ----------
    image : array of shape (H, W)
        Grey levels: floats with white 1, or uint8 and other integers with white 255 (uint16: 65535), or bool.
        NumPy or torch.
    threshold : float, 0 or above
        Least determinant of the Hessian (white 1).
    num_octaves : int
        At most 4. Each doubles the sizes: with 4, sigma goes to about 22 pixels.

    Returns
    -------
    Keypoints
        As :func:`cnnlib.features.sift.detect` returns them, each with one orientation, clearest first; `response`
        is the determinant, `octave` counts from 0.

    Raises
    ------
    ValueError, TypeError
        The image is no grey picture, is empty, or holds NaN; a setting is out of range.

    Notes
    -----
    The law: a Gaussian spot of width s gives a `sigma` of 0.69 to 0.78 s. The boxes of 9 × 9 pixels are wider than the
    Gaussian of 1.2 pixels that they are named after.

    Choices where the paper leaves one, and deviations: a point whose quadratic has its top more than half a step away
    is dropped; the orientation's window moves in steps of 5°; wavelets stand between whole pixels and have a whole
    number of them; the sign of the Laplacian, by which the paper splits matching in two, is not kept. Spots whose
    filter, or the next larger one, does not lie wholly on the picture are not found.

    References
    ----------
    .. [1] H. Bay, A. Ess, T. Tuytelaars, L. Van Gool, Speeded-up robust features (SURF), Computer Vision and Image
       Understanding 110(3), 2008. doi:10.1016/j.cviu.2007.09.014

    Examples
    --------
    >>> import numpy as np
    >>> rows, cols = np.mgrid[:64, :64]
    >>> spot = np.exp(-((rows - 30) ** 2 + (cols - 40) ** 2) / (2 * 4 ** 2))
    >>> detect(spot).positions[:1].round(1)
    array([[30., 40.]], dtype=float32)
    """
    return _detect(*_integral(image), threshold, num_octaves)


@one_blas_thread()
def describe(image, keypoints):
    """Describe the surroundings of key points.

    Parameters
    ----------
    image : array of shape (H, W)
        As in :func:`detect`.
    keypoints : Keypoints
        Any: of each its place, scale and orientation are used, in any dtype.

    Returns
    -------
    array of shape (K, 64), float32
        Each of length 1, or 0 where the picture is flat; (0, 64) of no points.
    """
    levels = grey_levels("SURF", image)
    numbers = numbers_of("SURF", keypoints, "float64")
    large = len(keypoints) and float(numbers[1].max()) > LARGEST
    return _describe(integral_image(levels if large else fixed_point(levels)[0]), *numbers)


@one_blas_thread()
def detect_and_describe(image, *, threshold=THRESHOLD, num_octaves=4):
    """Find key points and describe them: :func:`detect`, then :func:`describe`, on one integral image.

    Returns
    -------
    Keypoints
    array of shape (K, 64), float32
    """
    integral, unit = _integral(image)
    found = _detect(integral, unit, threshold, num_octaves)
    return found, _describe(integral, *numbers_of("SURF", found, "float64"))


def _integral(image):
    """Return the integral image of the picture as whole numbers, and how large a step of those is."""
    whole, unit = fixed_point(grey_levels("SURF", image))
    return integral_image(whole), unit


def _detect(integral, unit, threshold, num_octaves):
    octaves = as_int("num_octaves", num_octaves, 1)
    if octaves > len(FILTER_SIZES):
        raise ValueError(f"`num_octaves` is {octaves}; it must be at most {len(FILTER_SIZES)}")
    check_number("threshold", threshold)
    if not threshold >= 0:
        raise ValueError(f"`threshold` is {threshold}; it must be at least 0: saddles are below it")
    xp = _array.library(integral=integral)
    found = refined(hessian_octaves(integral, octaves), threshold / unit**2)
    order = _array.order(-found[3])
    row, col, sigma, response, octave = (each[order] for each in found)
    angle = orientations(integral, row, col, sigma)
    positions, sigma, angle, response = (_array.as_dtype(each, "float32") for each in (
        xp.stack([row, col], -1), sigma, angle, response * unit**2))
    return Keypoints(positions, sigma, angle, response, octave)


def _describe(integral, positions, sigma, angle):
    _array.library(image=_array.as_dtype(integral[:1], "float64"), positions=positions, sigma=sigma, orientation=angle)
    return descriptors(integral, positions[:, 0], positions[:, 1], sigma, angle)
