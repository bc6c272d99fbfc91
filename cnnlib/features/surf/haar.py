"""Haar wavelets (section 4): the difference of two half boxes, a gradient over many pixels."""

import numpy as np

from cnnlib import _array

AT_A_TIME = 2**15  # samples that are looked at in one go: as many as stay in a CPU's cache
CORNERS = ((-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1))  # in halves of the side
OFTEN = 1 / 10  # samples for each pixel from which on a wavelet is laid on all pixels, and then only looked up


def haar(integral, row, col, half):
    """Return a picture's rise along the columns and along the rows, by square wavelets.

    Parameters
    ----------
    integral : array of shape (H + 1, W + 1)
        From :func:`~cnnlib.features.surf.integral_image`.
    row, col : arrays of shape (K, S), float, in pixels
        The wavelets' centres, whole numbers: corners of pixels, (i, j) being the upper left one of pixel (i, j).
    half : array of shape (K, 1), float, in pixels
        Half of the wavelets' sides, whole numbers.

    Returns
    -------
    down, right : arrays of shape (K, S), float32
        Sum of the lower half minus that of the upper half, and right half minus left half; 0 for a wavelet that does
        not lie wholly on the picture.
    """
    xp, (height, width) = _array.library(integral=integral), (side - 1 for side in integral.shape)
    fitting = xp.clip(half, 0, min(height, width) // 2)
    near_row, near_col = xp.clip(row, fitting, height - fitting), xp.clip(col, fitting, width - fitting)
    inside = (near_row == row) & (near_col == col) & (fitting == half)
    line, stride = integral.reshape(-1), width + 1
    near_row *= stride
    near_row += near_col
    half = _array.as_dtype(fitting, "int64")
    place = _array.as_dtype(near_row, "int64")
    place -= half * (stride + 1)  # the upper left corner, and from there on in reading order
    corners, before = [], 0
    for rows, cols in CORNERS:
        further = (rows + 1) * stride + cols + 1
        place += half * (further - before)
        before = further
        corners.append(_array.look_up(line, place))
    return tuple(_array.as_dtype(rise, "float32") * inside for rise in _rises(*corners))


def _rises(upper_left, upper, upper_right, left, right, lower_left, lower, lower_right):
    """Return the sums of wavelets' halves, minus those of the others, from the integral image at their CORNERS.

    Down and right: whole numbers, if the corners are.
    """
    falling, rising = lower_right - upper_left, lower_left - upper_right  # along the diagonals
    across, along = right - left, lower - upper
    across *= 2
    along *= 2
    across += rising
    along -= rising
    return falling - across, falling - along


class Everywhere:
    """A wavelet of one size laid on all corners of a picture's pixels, to be looked up. Its call is :func:`haar`'s.

    Parameters
    ----------
    integral : array of shape (H + 1, W + 1)
    half : int, in pixels
    """

    def __init__(self, integral, half):
        self.shape = height, width = integral.shape
        line = integral.reshape(-1)
        self.lines = _array.empty((2, len(line)), _array.zeros((0,), integral, "float32"))
        centre = half * (width + 1)  # the first around which it fits; what runs over the end of a row does not
        self.lines[:, :centre] = 0
        self.lines[:, max(len(line) - centre, 0):] = 0
        for start in range(centre, len(line) - centre, 2 * AT_A_TIME):
            count = min(2 * AT_A_TIME, len(line) - centre - start)
            rises = _rises(*(line[start + half * (rows * width + cols):][:count] for rows, cols in CORNERS))
            for out, rise in zip(self.lines, rises):
                out[start:start + count] = rise
        maps = self.lines.reshape(2, height, width)
        maps[:, :, :half] = 0
        maps[:, :, max(width - half, 0):] = 0

    def __call__(self, _, row, col, half):
        """Return what :func:`haar` does for wavelets of this size."""
        xp, (height, width) = _array.library(row=row), self.shape
        place = xp.clip(row, 0, height - 1)  # around the corners of the frame none fits
        place *= width
        place += xp.clip(col, 0, width - 1)
        place = _array.as_dtype(place, "int64")
        return tuple(_array.look_up(line, place) for line in self.lines)


def in_groups(function, samples, integral, half, *columns):
    """Call a function for some points at a time, and join what it returns.

    Parameters
    ----------
    function : callable
        Of the integral image, of `half` as a column and the other columns, some points of each, and of what to ask in
        place of :func:`haar`.
    samples : int
        Wavelets for each point.
    integral : array of shape (H + 1, W + 1)
    half : array of shape (K,), float, in pixels
        Half of the sides of a point's wavelets.
    *columns : arrays of shape (K,)

    Returns
    -------
    array of shape (K, …)
    """
    xp, (height, width) = _array.library(integral=integral), integral.shape
    groups, rest, points = [], half > 0, max(1, AT_A_TIME // samples)
    for size, count in zip(*np.unique(_array.to_numpy(half), return_counts=True)):
        if count * samples >= OFTEN * height * width and 2 * size < min(height, width):
            same = half == float(size)
            groups.append((int(size), xp.where(same)[0]))
            rest &= ~same
    groups.append((0, xp.where(rest)[0]))
    found = []
    for size, which in groups:
        rises = Everywhere(integral, size) if size else haar
        for start in range(0, max(len(which), 1), points):
            some = which[start:start + points]
            found.append(function(integral, half[some][:, None], *(column[some] for column in columns), rises))
        del rises  # before the next one takes as much memory
    return xp.concatenate(found)[xp.argsort(xp.concatenate([which for _, which in groups]))]
