"""Second derivatives by boxes (sections 3.2 and 3.3): coarse Gaussians, the large ones as quick as the small."""

from cnnlib import _array
from cnnlib._arguments import is_integer
from cnnlib.geometry import as_int

WEIGHT = 0.9  # of the mixed derivative, which boxes make too strong: |Lxy(1.2)|·|Dyy(9)| / (|Lyy(1.2)|·|Dxy(9)|), eq. 3
LAYERS = 4  # filters of an octave; points lie between its first and its last
FILTER_SIZES = tuple(tuple(3 * (2 ** (octave + 1) * (layer + 1) + 1) for layer in range(LAYERS)) for octave in range(4))
AT_A_TIME = 2**17  # numbers of a map that are computed in one go: as many as stay in a CPU's cache


def sigma_of(size):
    """Return the scale of a filter, in pixels: 9 × 9 stands for a Gaussian of sigma 1.2.

    Examples
    --------
    >>> sigma_of(9), sigma_of(15)
    (1.2, 2.0)
    """
    return 1.2 * size / 9


def box_derivatives(integral, size, step=1):
    """Return the three second derivatives of a picture, by boxes.

    Along the rows' axis, three boxes of ``size / 3`` rows above each other count 1, -2, 1; along the columns' axis they
    stand beside each other; for the mixed one four square boxes around the centre, a pixel apart, count 1, -1, -1, 1.

    Parameters
    ----------
    integral : array of shape (H + 1, W + 1)
        From :func:`~cnnlib.features.surf.integral_image`.
    size : int, in pixels
        Side of the filter: an odd multiple of 3, at least 9.
    step : int, in pixels
        Every how many pixels they are taken.

    Returns
    -------
    across_rows, across_cols, mixed : arrays of shape (ceil(H / step), ceil(W / step)), float64
        Each divided by the filter's area, and 0 where the filter does not lie wholly on the picture.

    Examples
    --------
    >>> import numpy as np
    >>> from cnnlib.features.surf import integral_image
    >>> rows = np.arange(15.0)[:, None]
    >>> across_rows, across_cols, _ = box_derivatives(integral_image(rows**2 * np.ones(15)), 9)
    >>> at = 7, 7  # 15 columns of 3 rows, each 18 higher than a parabola's middle
    >>> float(across_rows[at].round(6)), float(across_cols[at])
    (3.333333, 0.0)
    """
    return _over_the_picture(_scaled_parts, integral, size, step, 3)


def _over_the_picture(function, integral, size, step, count):
    """Return maps, 0 where the filter does not fit, and elsewhere what the function makes of a few rows at a time."""
    size, step = as_int("size", size, 9), as_int("step", step, 1)
    if size % 6 != 3:
        raise ValueError(f"`size` is {size}; it must be an odd multiple of 3: 9, 15, 21, 27, …")
    height, width = (side - 1 for side in integral.shape)
    dtype = "float32" if is_integer(integral) else "float64"
    maps = [_array.zeros((-(-height // step), -(-width // step)), integral, dtype) for _ in range(count)]
    first = -(-(size // 2) // step)  # the first centre, in steps, around which the filter fits
    last_row, last_col = ((side - 1 - size // 2) // step for side in (height, width))
    if last_col < first:
        return maps
    tall = max(1, AT_A_TIME // width)
    for row in range(first, last_row + 1, tall):
        end = min(row + tall, last_row + 1)
        for out, part in zip(maps, function(integral, size, step, (row, end), (first, last_col + 1))):
            out[row:end, first:last_col + 1] = part
    return maps


def _scaled_parts(integral, size, step, rows, cols):
    return [part / size**2 for part in _sums(integral, size, step, rows, cols)]


def _determinant(integral, size, step, rows, cols):
    across_rows, across_cols, mixed = _sums(integral, size, step, rows, cols)
    if is_integer(integral):
        across_rows, across_cols, mixed = (_array.as_dtype(a, "float32") for a in (across_rows, across_cols, mixed))
    across_rows *= across_cols
    mixed *= mixed
    mixed *= WEIGHT**2
    across_rows -= mixed
    across_rows *= 1 / size**4
    return [across_rows]


def _sums(integral, size, step, rows, cols):
    """The three derivatives, not yet divided, at centres ``step * rows`` × ``step * cols``."""
    lobe, reach = size // 3, size // 2
    tall, wide = rows[1] - rows[0] - 1, cols[1] - cols[0] - 1
    near = integral[step * rows[0] - reach:step * (rows[1] - 1) + reach + 2,
                    step * cols[0] - reach:step * (cols[1] - 1) + reach + 2]

    def down(table, edge):  # the numbers that lie `edge` pixels below each filter's upper edge
        return table[edge:edge + step * tall + 1:step]

    def right(table, edge):
        return table[:, edge:edge + step * wide + 1:step]

    def second(along, band):  # 1, -2, 1 is the whole minus three times the middle
        middle = along(band, 2 * lobe) - along(band, lobe)
        middle *= -3
        middle += along(band, size)
        middle -= along(band, 0)
        return middle

    # Sums in one direction first, in the other the differences of those: fewer steps than four look-ups for each box.
    across_rows = second(down, right(near, reach + lobe) - right(near, reach + 1 - lobe))
    across_cols = second(right, down(near, reach + lobe) - down(near, reach + 1 - lobe))
    before, after = reach - lobe, reach + 1 + lobe
    band = right(near, reach) - right(near, before)
    band -= right(near, after)
    band += right(near, reach + 1)
    mixed = down(band, reach) - down(band, before)
    mixed -= down(band, after)
    mixed += down(band, reach + 1)
    return across_rows, across_cols, mixed


def box_hessian(integral, size, step=1):
    """Return how spot-like a picture is around each pixel: the determinant of its Hessian, by boxes.

    .. math:: D_{rr} D_{cc} - (0.9\\, D_{rc})^2 \\tag{3}

    Parameters
    ----------
    integral, size, step
        As in :func:`box_derivatives`.

    Returns
    -------
    array of shape (ceil(H / step), ceil(W / step)), float64 (of an integral of whole numbers float32)
        Dark spots and bright ones give large numbers, saddles negative ones, edges about 0.
    """
    return _over_the_picture(_determinant, integral, size, step, 1)[0]


def hessian_octaves(integral, octaves):
    """Return the maps of each octave: a list of arrays (LAYERS, H', W'), every 2**octave pixels one number.

    Filters that the octave before has computed already are thinned out instead of computed again.
    """
    known, stacks = {}, []
    for octave in range(octaves):
        known = {size: each[::2, ::2] for size, each in known.items()}
        for size in FILTER_SIZES[octave]:
            if size not in known:
                known[size] = box_hessian(integral, size, 2**octave)
        stacks.append(_array.library(integral=integral).stack([known[size] for size in FILTER_SIZES[octave]]))
    return stacks
