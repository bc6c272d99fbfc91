"""Second derivatives by boxes (sections 3.2 and 3.3): coarse Gaussians, the large ones as quick as the small."""

from cnnlib import _array
from cnnlib._arguments import is_integer
from cnnlib.geometry import as_int

WEIGHT = 0.9  # of the mixed derivative, which boxes make too strong: |Lxy(1.2)|·|Dyy(9)| / (|Lyy(1.2)|·|Dxy(9)|), eq. 3
LAYERS = 4  # filters of an octave; points lie between its first and its last
FILTER_SIZES = tuple(tuple(3 * (2 ** (octave + 1) * (layer + 1) + 1) for layer in range(LAYERS)) for octave in range(4))
AT_A_TIME = 2**16  # numbers of a map that are computed in one go: as many as stay in a CPU's cache


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
    """Return maps, 0 where the filter does not fit, and elsewhere what the function makes of lines of corners."""
    size, step = as_int("size", size, 9), as_int("step", step, 1)
    if size % 6 != 3:
        raise ValueError(f"`size` is {size}; it must be an odd multiple of 3: 9, 15, 21, 27, …")
    near = 2 if step % 2 == 0 else 1
    corners = Corners(integral, near)
    height, width = (-(-(side - 1) // step) for side in integral.shape)
    maps = _room((count, *corners.shape), integral)
    _fill(maps, corners, size, function)
    return maps[:, ::step // near, ::step // near][:, :height, :width]


def _room(shape, integral):
    """Return maps whose numbers are still to be written."""
    return _array.empty(shape, _array.zeros((0,), integral, "float32" if is_integer(integral) else "float64"))


class Corners:
    """An integral image, sorted for steps of 1 or 2 so that a step to the right is one number further.

    Every step-th corner of every step-th row, one row after the other, is a plane, and each plane one line of numbers.
    A line is added to another three times as fast as a picture row by row. What runs over the end of a row mixes two
    rows; it belongs to filters that do not fit.

    Parameters
    ----------
    integral : array of shape (H + 1, W + 1)
    step : int, in pixels
    """

    def __init__(self, integral, step):
        self.step, self.picture = step, tuple(side - 1 for side in integral.shape)
        self.shape = tuple(-(-side // step) for side in integral.shape)  # of a plane
        if step == 1:
            planes = integral[None, None]
        else:
            planes = _array.zeros((step, step, *self.shape), integral)
            for row in range(step):
                for col in range(step):
                    some = integral[row::step, col::step]
                    planes[row, col, :some.shape[0], :some.shape[1]] = some
        self.planes = planes.reshape(step, step, -1)

    def line(self, down, right, start, count):
        """Return the corners that lie so far, in pixels, below and to the right of places of the grid, as a line."""
        (rows, row), (cols, col) = divmod(down, self.step), divmod(right, self.step)
        start += rows * self.shape[1] + cols
        return self.planes[row, col, start:start + count]


def _fill(maps, corners, size, function):
    """Write into the maps (count, *corners.shape) what the function makes of the filters that fit; elsewhere 0."""
    first = -(-(size // 2) // corners.step)  # the first centre, in steps, around which the filter fits
    last_row, last_col = ((side - 1 - size // 2) // corners.step for side in corners.picture)
    if min(last_row, last_col) < first:
        maps[...] = 0
        return
    width, lines = corners.shape[1], maps.reshape(len(maps), -1)
    begin, end = first * width + first, last_row * width + last_col + 1
    lines[:, :begin] = 0
    lines[:, end:] = 0
    for start in range(begin, end, AT_A_TIME):
        count = min(AT_A_TIME, end - start)
        for out, part in zip(lines, function(corners, size, start, count)):
            out[start:start + count] = part
    maps[:, :, :first] = 0
    maps[:, :, last_col + 1:] = 0


def _scaled_parts(corners, size, start, count):
    return [part / size**2 for part in _sums(corners, size, start, count)]


def _determinant(corners, size, start, count):
    across_rows, across_cols, mixed = _sums(corners, size, start, count)
    if is_integer(mixed):
        across_rows, across_cols, mixed = (_array.as_dtype(a, "float32") for a in (across_rows, across_cols, mixed))
    across_rows *= across_cols
    mixed *= mixed
    mixed *= WEIGHT**2
    across_rows -= mixed
    across_rows *= 1 / size**4
    return [across_rows]


def _sums(corners, size, start, count):
    """The three derivatives, not yet divided, at `count` places of the grid in a line."""
    lobe, reach = size // 3, size // 2
    thirds, inner = [k * lobe - reach for k in range(4)], (1 - lobe, lobe)  # edges, seen from the centre
    squares = -lobe, 0, 1, 1 + lobe

    def along(edges, pitch, make):
        """Return make(edge, count) for each edge; of those that lie whole steps apart parts of one long line."""
        lines = {}
        for edge in edges:
            rest = edge % corners.step
            if rest not in lines:
                last = max(other for other in edges if other % corners.step == rest)
                lines[rest] = edge, make(edge, count + (last - edge) // corners.step * pitch)
        for edge in edges:
            first, line = lines[edge % corners.step]
            begin = (edge - first) // corners.step * pitch
            yield line[begin:begin + count]

    def second(one, two, three, four):  # 1, -2, 1 is the whole minus three times the middle
        middle = three - two
        middle *= -3
        middle += four
        middle -= one
        return middle

    def opposed(one, two, three, four):  # the first box minus the second
        difference = two - one
        difference -= four
        difference += three
        return difference

    # Sums in one direction first, in the other the differences of those: fewer steps than four look-ups for each box.
    width = corners.shape[1]
    across_rows = second(*along(thirds, width, lambda down, count: (
        corners.line(down, inner[1], start, count) - corners.line(down, inner[0], start, count))))
    across_cols = second(*along(thirds, 1, lambda right, count: (
        corners.line(inner[1], right, start, count) - corners.line(inner[0], right, start, count))))
    mixed = opposed(*along(squares, width, lambda down, count: (
        opposed(*(corners.line(down, right, start, count) for right in squares)))))
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
    """Yield the maps of each octave, every 2**octave pixels one number.

    Filters that the octave before has computed already are thinned out instead of computed again. One octave is held
    at a time: the first takes four times as much memory as the picture in single precision.

    Yields
    ------
    array of shape (LAYERS, ceil((H + 1) / 2**octave), ceil((W + 1) / 2**octave))
        The last row and column may lie below and to the right of the picture, and are 0.
    """
    known = {}
    for octave, sizes in enumerate(FILTER_SIZES[:octaves]):
        if octave < 2:
            corners = Corners(integral, 2**octave)
        maps = _room((LAYERS, *(-(-side // 2**octave) for side in integral.shape)), integral)
        for out, size in zip(maps, sizes):
            if size in known:
                out[...] = known[size]
            else:
                _lay(out, corners, size, octave)
        known = {size: _array.contiguous(out[::2, ::2]) for out, size in zip(maps, sizes)}
        yield maps
        del maps, out


def _lay(out, corners, size, octave):
    """Fill a map of an octave: from the second octave on by every second pixel, of which some are kept."""
    if octave < 2:
        _fill(out[None], corners, size, _determinant)
    else:
        every_second = _array.empty((1, *corners.shape), out)
        _fill(every_second, corners, size, _determinant)
        step = 2 ** (octave - 1)
        out[...] = every_second[0, ::step, ::step]
