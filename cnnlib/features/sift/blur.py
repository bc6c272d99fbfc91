"""Blur: a Gaussian, down the columns and along the rows, and the picture at twice its size."""

from functools import cache

import numpy as np

from cnnlib import _array
from cnnlib.features.sift import _bands, _tiles
from cnnlib.features.sift._image import reflected

REACH = 4  # a Gaussian is cut off at this many sigmas


def blur(image, sigma, out, double=False):
    """Blur with a Gaussian: a convolution down the columns, then one along the rows.

    Parameters
    ----------
    image : array of shape (H, W), float32
    sigma : float, in pixels of the result
    out : array of shape (H, W), or (2 H, 2 W) if `double`, float32
        Where the result is written.
    double : bool
        Whether the picture is brought to twice its size before.

    Notes
    -----
    Beyond its edge the picture goes on as in a mirror that stands on the last pixel (OpenCV's default).
    """
    if _tiles.takes(out):
        _bands.blur(image, _taps(sigma), out, double)
    else:
        kernel = gaussian_kernel(sigma)
        out[:] = _along_rows(_along_rows(doubled(image) if double else image, kernel).T, kernel).T


def blur_on(levels, sigmas):
    """Blur the first picture of an octave, (S + 3, H, W), with the first sigma into the second, and so on."""
    if _tiles.takes(levels):
        _bands.blur_on(levels, [_taps(sigma) for sigma in sigmas])
    else:
        for layer, sigma in enumerate(sigmas):
            blur(levels[layer], sigma, levels[layer + 1])


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


@cache
def _taps(sigma):
    """Return the kernel as numbers that lists of weights can be kept under."""
    return tuple(gaussian_kernel(sigma).tolist())


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
