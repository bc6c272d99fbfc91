"""Scale space (Lowe, section 3): one picture, blurred more and more, and the differences between neighbours.

Each octave holds `scales_per_octave` + 3 pictures of one size. Each is blurred by a factor 2**(1 / scales_per_octave)
more than the one before, so that after `scales_per_octave` steps the blur has doubled: that picture, every second row
and column of it, begins the next octave. Everything is float32.
"""

from dataclasses import dataclass
from math import ceil, sqrt

import numpy as np

from cnnlib import _array
from cnnlib.features.sift._image import grey_levels
from cnnlib.geometry import as_int

ASSUMED_BLUR = 0.5  # what the camera has blurred already, in pixels of the picture
REACH = 4  # a Gaussian is cut off at this many sigmas
BORDER = 5  # pixels of an octave along its edge in which nothing is looked for


@dataclass(frozen=True)
class ScaleSpace:
    """A picture at many scales.

    Parameters
    ----------
    gaussians : list of arrays of shape (S + 3, H, W), float32
        One array an octave. Its pixels are ``step(octave)`` pixels of the picture apart.
    scales_per_octave : int
        S, the steps in which the blur doubles.
    sigma : float
        Blur of each octave's first picture, in that octave's pixels.
    upsample : bool
        Whether the first octave has twice the picture's rows and columns.
    """

    gaussians: list
    scales_per_octave: int
    sigma: float
    upsample: bool

    @property
    def first_octave(self):
        """The number of the first octave: -1 if it is the doubled picture, else 0."""
        return -1 if self.upsample else 0

    @property
    def octaves(self):
        """The octaves' numbers."""
        return range(self.first_octave, self.first_octave + len(self.gaussians))

    def step(self, octave):
        """Return how many pixels of the picture one pixel of the octave is wide (a number, or an array of them)."""
        return 2.0 ** octave

    @property
    def origin(self):
        """Row and column, in the picture, of every octave's pixel (0, 0).

        Doubling cuts each pixel into four, whose centres lie a quarter of a pixel off its own; halving keeps the
        first pixel where it is.
        """
        return -0.25 if self.upsample else 0.0

    def blur(self, octave, layer):
        """Return the sigma of the Gaussian at this layer (a whole number or not), in pixels of the picture."""
        return self.sigma * 2.0 ** (layer / self.scales_per_octave) * self.step(octave)

    def nearest(self, sigma):
        """Return the octave and the layer (1 to S, where there is one) whose blur is nearest to each sigma: int64."""
        xp = _array.library(sigma=sigma)
        level = xp.round(xp.log2(sigma / self.blur(self.first_octave, 0)) * self.scales_per_octave)
        level = _array.as_dtype(level, "int64")
        index = xp.clip((level - 1) // self.scales_per_octave, 0, len(self.gaussians) - 1)
        layer = xp.clip(level - index * self.scales_per_octave, 0, self.scales_per_octave + 2)
        return index + self.first_octave, layer

    def gaussian(self, octave):
        """Return the octave's blurred pictures, an array of shape (S + 3, H, W)."""
        return self.gaussians[octave - self.first_octave]

    def differences(self, octave):
        """Return the differences of neighbours (eq. 1), the more blurred minus the less: (S + 2, H, W)."""
        gaussian = self.gaussian(octave)
        return gaussian[1:] - gaussian[:-1]


def scale_space(image, *, scales_per_octave=3, sigma=1.6, upsample=True, num_octaves=None):
    """Blur a picture step by step.

    Parameters
    ----------
    image : array of shape (H, W)
        Grey levels: floats with white 1, or uint8 and other integers with white 255 (uint16: 65535), or bool.
        NumPy or torch.
    scales_per_octave : int
        In how many steps the blur doubles.
    sigma : float
        Blur of the first picture, in pixels of its octave. The given picture counts as blurred by 0.5 pixels.
    upsample : bool
        Begin with the picture at twice its size, which finds about four times as many points.
    num_octaves : int, optional
        As many as have room for a point, unless given; then at most this many.

    Returns
    -------
    ScaleSpace

    Raises
    ------
    ValueError, TypeError
        The image is no grey picture, is empty, or holds NaN; a setting is out of range.

    Notes
    -----
    The doubled picture is a linear interpolation whose pixels have their centres at (j + 0.5) / 2 - 0.5, as in
    OpenCV. OpenCV then reports positions j / 2, which lie 0.25 too far down and right; ours are put right by
    :attr:`ScaleSpace.origin`.

    References
    ----------
    .. [1] Lowe, Distinctive image features from scale-invariant keypoints, IJCV 60(2), 2004, section 3.
       doi:10.1023/B:VISI.0000029664.99615.94

    Examples
    --------
    >>> [octave.shape for octave in scale_space(np.zeros((40, 30))).gaussians]
    [(6, 80, 60), (6, 40, 30), (6, 20, 15)]
    """
    image = grey_levels(image)
    scales, sigma = _settings(scales_per_octave, sigma, upsample)
    known = ASSUMED_BLUR
    if upsample:
        image, known = doubled(image), 2 * ASSUMED_BLUR
    octaves = _octave_count(min(image.shape), num_octaves)
    first = blur(image, sqrt(sigma ** 2 - known ** 2))
    gaussians = []
    for _ in range(octaves):
        gaussians.append(_octave(first, scales, sigma))
        first = gaussians[-1][scales][::2, ::2]
    return ScaleSpace(gaussians, scales, sigma, bool(upsample))


def _octave(first, scales, sigma):
    """Return `first`, which has blur `sigma`, and scales + 2 more, each blurred from the one before."""
    k = 2 ** (1 / scales)
    levels = [first]
    for layer in range(scales + 2):
        levels.append(blur(levels[-1], sigma * k ** layer * sqrt(k ** 2 - 1)))  # blurs add as squares
    return _array.library(image=first).stack(levels)


def blur(image, sigma):
    """Blur with a Gaussian: a convolution down the columns, then one along the rows.

    Parameters
    ----------
    image : array of shape (H, W), float32
    sigma : float, in pixels

    Returns
    -------
    array of shape (H, W), float32

    Notes
    -----
    Beyond its edge the picture goes on as in a mirror that stands on the last pixel (OpenCV's default).
    """
    kernel = gaussian_kernel(sigma)
    return _along_rows(_along_rows(image, kernel).T, kernel).T


def _along_rows(image, kernel):
    """Return the (W, H) array's rows, turned into columns, correlated with the kernel."""
    reach = len(kernel) // 2
    width = image.shape[1]
    padded = image[:, reflected(np.arange(-reach, width + reach), width)]
    out = float(kernel[0]) * padded[:, :width]
    for tap in range(1, len(kernel)):
        out = out + float(kernel[tap]) * padded[:, tap:tap + width]
    return out


def gaussian_kernel(sigma):
    """Return a Gaussian's values at whole pixels up to about 4 sigma on either side, scaled to sum 1: float32."""
    reach = round(2 * REACH * sigma + 1) // 2  # as OpenCV rounds it
    offsets = np.arange(-reach, reach + 1)
    values = np.exp(-offsets ** 2 / (2 * sigma ** 2))
    return (values / values.sum()).astype(np.float32)


def reflected(index, size):
    """Return where pixels outside 0 … size - 1 are found when the first and last pixel are mirrors."""
    period = max(2 * size - 2, 1)
    index = index % period
    return np.where(index < size, index, period - index)


def doubled(image):
    """Return the picture at twice its rows and columns, each new pixel 3/4 of the nearest old and 1/4 of the next."""
    return _doubled_rows(_doubled_rows(image).T).T


def _doubled_rows(image):
    before = _array.library(image=image).concatenate([image[:1], image[:-1]])
    after = _array.library(image=image).concatenate([image[1:], image[-1:]])
    out = _array.zeros((2 * image.shape[0], image.shape[1]), image)
    out[0::2] = 0.75 * image + 0.25 * before
    out[1::2] = 0.75 * image + 0.25 * after
    return out


def _settings(scales_per_octave, sigma, upsample):
    """Return the settings after checking them."""
    scales = as_int("scales_per_octave", scales_per_octave, 1)
    least = ASSUMED_BLUR * (2 if upsample else 1)
    if not sigma > least:
        raise ValueError(f"`sigma` is {sigma}; it must be above {least}, the blur that the "
                         f"{'doubled ' if upsample else ''}picture has already")
    return scales, float(sigma)


def _octave_count(size, wanted):
    """Return how many octaves have room for a point when the first one's shorter side has `size` pixels."""
    room = 0
    while size > 2 * BORDER:
        room, size = room + 1, ceil(size / 2)
    room = max(room, 1)
    return room if wanted is None else min(room, as_int("num_octaves", wanted, 1))
