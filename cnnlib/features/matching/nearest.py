"""Descriptors of two pictures find each other: nearest neighbours, and how far the second nearest is."""

from numbers import Real

from cnnlib import _array
from cnnlib._arguments import checked
from cnnlib.features._picture import check_flag

WORKSPACE = 16 * 2**20  # bytes of distances that are held at a time
HALF = {"float16", "bfloat16", "uint8", "int8"}  # single precision holds their products
LARGEST = {"float32": 1e16, "float64": 1e150}  # whose square, summed, is still far from infinity


def match(a, b, *, ratio=0.8, cross_check=False):
    """Pair each descriptor of one picture with its nearest in the other, if it is nearest without doubt.

    Row i of `a` is paired with its nearest row j of `b` (Euclidean distance) if

    .. math:: \\|a_i - b_j\\| < \\mathrm{ratio} \\cdot \\|a_i - b_k\\|

    where k is the second nearest: Lowe's ratio test [1]_, which measures doubt rather than distance.

    Parameters
    ----------
    a : array of shape (N, D), float or integer
        Descriptors of one picture; NumPy or torch.
    b : array of shape (M, D), of the library, dtype and device of `a`
        Descriptors of the other.
    ratio : float
        Above 0. At 1 there is no test, and each row of `a` has its pair.
    cross_check : bool
        Keep a pair only if i is also the nearest of j among the rows of `a`.

    Returns
    -------
    array of shape (pairs, 2), int64, in the library and on the device of `a`
        Rows (i, j), in rising order of i.

    Raises
    ------
    ValueError
        Shapes do not fit, there is a NaN or infinity, or a number too large to be squared.

    Notes
    -----
    - A single row in `b` has no rival: the ratio test has nothing to say and passes it. No rows in `a`, or in `b`, give
      no pairs.
    - Equally near neighbours: the first of them is the nearest. A ratio below 1 rejects them, as the second is as good
      as the first, also where both distances are 0 (where scikit-image keeps the pair).
    - Candidates are found by one matrix product a block, :math:`\\|a\\|^2 + \\|b\\|^2 - 2 a \\cdot b`, in blocks of at
      most 16 MiB. That is rounded, so the two nearest are then measured again in double precision.
      In single precision a third one that is as near, to about 1e-6 of the descriptors' own length, may still be taken
      for one of the two; descriptors of small whole numbers, such as OpenCV's, are exact.

    References
    ----------
    .. [1] D. G. Lowe, Distinctive image features from scale-invariant keypoints, IJCV 60(2), 2004, section 7.1.
       doi:10.1023/B:VISI.0000029664.99615.94

    Examples
    --------
    >>> import numpy as np
    >>> match(np.array([[0.0, 1.0], [4.0, 4.0]]), np.array([[4.0, 5.0], [0.0, 0.0], [4.0, 3.0]]))
    array([[0, 1]])
    """
    a, b = _descriptors(a, b)
    if not isinstance(ratio, Real) or isinstance(ratio, bool) or not 0 < ratio <= 1:
        raise ValueError(f"`ratio` is {ratio!r}; it must lie above 0, and at most at 1, where there is no ratio test")
    check_flag("cross_check", cross_check)
    if not len(a) or not len(b):
        return _array.zeros((0, 2), a, "int64")
    xp = _array.library(a=a)
    found, back = [], _NearestRow(a, len(b)) if cross_check else None
    rows_at_a_time = max(1, WORKSPACE // (len(b) * a.dtype.itemsize))
    for start in range(0, len(a), rows_at_a_time):
        rows = a[start:start + rows_at_a_time]
        squares = (rows * rows).sum(1)[:, None] - 2 * rows @ b.T + (b * b).sum(1)
        if cross_check:
            back.see(squares, start)
        found.append(two_nearest(xp, squares, rows, b))
    nearest, distance, second = (xp.concatenate(part) for part in zip(*found))
    number = _array.arange(len(a), a)
    kept = distance < ratio * second if ratio < 1 and len(b) > 1 else number >= 0
    if cross_check:
        kept &= back.row[nearest] == number
    return xp.stack([number[kept], nearest[kept]], 1)


def two_nearest(xp, squares, rows, b):
    """For each row: which of `b` is nearest, how far that one is, and the second one. Writes into `squares`."""
    number = _array.arange(len(rows), rows)
    one = squares.argmin(1)
    squares[number, one] = float("inf")
    other = squares.argmin(1)  # with a single candidate: that one again
    rows, b = _array.as_dtype(rows, "float64"), _array.as_dtype(b, "float64")
    near, far = (xp.sqrt(((rows - b[which]) ** 2).sum(1)) for which in (one, other))
    swap = (far < near) | ((far == near) & (other < one))  # rounding had put them in the other order
    return xp.where(swap, other, one), xp.where(swap, far, near), xp.where(swap, near, far)


class _NearestRow:
    """For each row of `b`, the nearest row of `a` among those seen so far."""

    def __init__(self, a, m):
        self.xp, self.row = _array.library(a=a), _array.zeros((m,), a, "int64")
        self.square = _array.zeros((m,), a) + float("inf")

    def see(self, squares, start):
        nearest = squares.argmin(0)
        square = squares[nearest, _array.arange(len(nearest), squares)]
        closer = square < self.square
        self.row = self.xp.where(closer, nearest + start, self.row)
        self.square = self.xp.where(closer, square, self.square)


def _descriptors(a, b):
    """Check the arguments; return both in the float dtype that is computed in."""
    a, b = checked("match", integers=True, a=a, b=b)
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1] or not a.shape[1]:
        raise ValueError(f"`a` has shape {tuple(a.shape)} and `b` {tuple(b.shape)}; they must be (N, D) and (M, D): a "
                         "row of the same D numbers for each point")
    dtype = _array.dtype_name(a)
    computed = dtype if dtype in LARGEST else "float32" if dtype in HALF else "float64"
    a, b = _array.as_dtype(a, computed), _array.as_dtype(b, computed)
    for name, x in (("a", a), ("b", b)):
        if not _array.all_finite(x):
            bad = int((~(abs(x) < float("inf"))).sum())
            raise ValueError(f"`{name}` has {bad} of {x.shape[0] * x.shape[1]} numbers that are NaN or infinite")
        if len(x) and (largest := float(abs(x).max())) > LARGEST[computed]:
            raise ValueError(f"`{name}` holds {largest:.3g}, whose square is too large for {computed}: scale both "
                             "arrays down alike, which changes no match")
    return a, b
