"""Scale space (Lowe, section 3): one picture, blurred more and more, and the differences between neighbours.

Each octave holds `scales_per_octave` + 3 pictures of one size. Each is blurred by a factor 2**(1 / scales_per_octave)
more than the one before, so that after `scales_per_octave` steps the blur has doubled: that picture, every second row
and column of it, begins the next octave. Everything is float32.
"""

from dataclasses import dataclass
from functools import cached_property
from math import sqrt

import numpy as np

from cnnlib import _array
from cnnlib._threads import one_blas_thread
from cnnlib.features._picture import as_number, check_flag
from cnnlib.features.sift._image import grey_levels
from cnnlib.features.sift.blur import blur, blur_on
from cnnlib.geometry import as_int

ASSUMED_BLUR = 0.5  # what the camera has blurred already, in pixels of the picture
WIDEST = 1000  # pixels of an octave: no first picture needs more blur
BORDER = 5  # pixels of an octave along its edge in which nothing is looked for


@dataclass(frozen=True, eq=False)
class ScaleSpace:
    """A picture at many scales.

    Parameters
    ----------
    pixels : array of shape (P,), float32
        All blurred pictures, one after the other, so that points of any octave are looked up together.
    shapes : list of (H, W)
        Of each octave, the largest first. Its pixels are ``step(octave)`` pixels of the picture apart.
    scales_per_octave : int
        S, the steps in which the blur doubles.
    sigma : float
        Blur of each octave's first picture, in that octave's pixels.
    upsample : bool
        Whether the first octave has twice the picture's rows and columns.
    """

    pixels: object
    shapes: list
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
        return range(self.first_octave, self.first_octave + len(self.shapes))

    @property
    def gaussians(self):
        """Every octave's blurred pictures, a list of arrays of shape (S + 3, H, W)."""
        return [self.gaussian(octave) for octave in self.octaves]

    def gaussian(self, octave):
        """Return the octave's blurred pictures, an array of shape (S + 3, H, W)."""
        number = octave - self.first_octave
        start, end = self.starts[number:number + 2]
        return self.pixels[start:end].reshape(-1, *self.shapes[number])

    @cached_property
    def starts(self):
        """Where each octave begins in `pixels`, and where the last one ends."""
        sizes = [(self.scales_per_octave + 3) * height * width for height, width in self.shapes]
        return [sum(sizes[:number]) for number in range(len(sizes) + 1)]

    @cached_property
    def _tables(self):
        """The octaves' heights, widths and starts, to be looked up: three arrays."""
        return *np.array(self.shapes, np.int64).T.copy(), np.array(self.starts[:-1], np.int64)

    def differences(self, octave):
        """Return the differences of neighbours (eq. 1), the more blurred minus the less: (S + 2, H, W)."""
        gaussian = self.gaussian(octave)
        return gaussian[1:] - gaussian[:-1]

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
        index = xp.clip((level - 1) // self.scales_per_octave, 0, len(self.shapes) - 1)
        layer = xp.clip(level - index * self.scales_per_octave, 0, self.scales_per_octave + 2)
        return index + self.first_octave, layer

    def sizes(self, octave):
        """Return the heights and the widths of octaves, given by an array of their numbers, as two such arrays."""
        return tuple(_array.constant(sizes, octave)[octave - self.first_octave] for sizes in self._tables[:2])

    def index(self, octave, layer, row=0, col=0):
        """Return where pixels stand in `pixels`: one row down is `width` further, one layer up `height * width`."""
        height, width = self.sizes(octave)
        start = _array.constant(self._tables[2], octave)[octave - self.first_octave]
        return start + (layer * height + row) * width + col


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
    >>> scale_space(np.zeros((40, 30))).shapes
    [(80, 60), (40, 30), (20, 15)]
    """
    space = begun(image, scales_per_octave=scales_per_octave, sigma=sigma, upsample=upsample, num_octaves=num_octaves)
    go_on(space)
    return space


@one_blas_thread()  # once, rather than at each blur
def begun(image, *, scales_per_octave=3, sigma=1.6, upsample=True, num_octaves=None):
    """Return the scale space of which only the first octave is blurred; :func:`go_on` does the others."""
    image = grey_levels("SIFT", image)
    scales, sigma = _settings(scales_per_octave, sigma, upsample, num_octaves)
    times = 2 if upsample else 1
    shapes = _octave_shapes([times * size for size in image.shape], num_octaves)
    pixels = _array.empty(sum((scales + 3) * height * width for height, width in shapes), image)
    space = ScaleSpace(pixels, shapes, scales, sigma, bool(upsample))
    levels = space.gaussian(space.first_octave)
    blur(image, sqrt(sigma ** 2 - (times * ASSUMED_BLUR) ** 2), levels[0], upsample)  # blurs add as squares
    _blur_octave(levels, sigma)
    return space


@one_blas_thread()
def go_on(space):
    """Blur all octaves after the first."""
    for octave in space.octaves[1:]:
        levels = space.gaussian(octave)
        levels[0] = space.gaussian(octave - 1)[space.scales_per_octave, ::2, ::2]
        _blur_octave(levels, space.sigma)


def _blur_octave(levels, sigma):
    """Blur an octave's first picture step by step into the others."""
    k = 2 ** (1 / (len(levels) - 3))
    blur_on(levels, [sigma * k ** layer * sqrt(k ** 2 - 1) for layer in range(len(levels) - 1)])


def _settings(scales_per_octave, sigma, upsample, num_octaves):
    """Check the settings, and return the two that are numbers of any scale space."""
    scales = as_int("scales_per_octave", scales_per_octave, 1)
    if num_octaves is not None:
        as_int("num_octaves", num_octaves, 1)
    check_flag("upsample", upsample)
    least, sigma = ASSUMED_BLUR * (2 if upsample else 1), as_number("sigma", sigma)
    if not sigma > least:
        raise ValueError(f"`sigma` is {sigma}; it must be above {least}, the blur that the "
                         f"{'doubled ' if upsample else ''}picture has already")
    if sigma > WIDEST:
        raise ValueError(f"`sigma` is {sigma:g}; it must be at most {WIDEST} pixels")
    return scales, sigma


def _octave_shapes(first, wanted):
    """Return the shapes of all octaves that have room for a point, or the first `wanted` of them."""
    shapes = [tuple(first)]
    while min(shapes[-1]) > 4 * BORDER and len(shapes) != wanted:
        shapes.append(tuple((size + 1) // 2 for size in shapes[-1]))
    return shapes
