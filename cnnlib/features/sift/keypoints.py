"""Key points: where, how large, which way, how clear."""

from dataclasses import dataclass, fields
from numbers import Integral

from cnnlib import _array
from cnnlib._arguments import check_shape, checked


@dataclass(eq=False)
class Keypoints:
    """K key points of a picture, one row each in every array. ``keypoints[mask]`` and ``keypoints[:100]`` are some.

    Parameters
    ----------
    positions : array of shape (K, 2), float32
        Row and column, in pixels of the picture; the first pixel's centre is (0, 0).
    sigma : array of shape (K,), float32
        Scale, in pixels of the picture: the blur at which the difference to the next blur is extreme (Lowe's
        sigma; half of OpenCV's `size`).
    orientation : array of shape (K,), float32
        Direction in which the picture rises, atan2(grad_row, grad_col), in radians from 0 to 2 pi.
    response : array of shape (K,), float32
        Absolute difference of Gaussians at the point: how clearly it stands out.
    octave : array of shape (K,), int64
        Octave it was found in: -1 is the doubled picture, 0 the picture itself, 1 half of it, and so on.
    """

    positions: object
    sigma: object
    orientation: object
    response: object
    octave: object

    def __len__(self):
        return len(self.positions)

    def __getitem__(self, which):
        if isinstance(which, Integral):
            which = slice(which, which + 1 or None)
        return Keypoints(*(getattr(self, field.name)[which] for field in fields(self)))


@_array.quietly  # of doubles too large for single precision, which are then named
def numbers_of(what, keypoints, dtype, names=("positions", "sigma", "orientation")):
    """Return what key points have under these names, in this dtype, after checking that `what` can look there."""
    found = []
    for name in names:
        a, = checked(what, integers=True, **{name: getattr(keypoints, name)})
        a = _array.as_dtype(a, dtype)
        if name == "positions":
            count = len(a) if a.ndim else 1
            check_shape(name, a, (count, 2), "a row and a column for each key point")
        else:
            check_shape(name, a, (count,), "one number for each of the `positions`")
        bad = ~(abs(a) < float("inf"))  # NaN, too
        bad = bad.any(1) if name == "positions" else bad | (a <= 0) if name == "sigma" else bad
        if bool(bad.any()):
            above = " and above 0" if name == "sigma" else ""
            raise ValueError(f"`{name}` is {a[bad][0].tolist()} for the first of {int(bad.sum())} key points, of "
                             f"{count}, that {what} cannot use; it must be finite{above}")
        found.append(a)
    return found
