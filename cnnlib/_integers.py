"""Integers: sums are exact in int64, and a result that does not fit is an error, never a wrapped number."""

import numpy as np

from cnnlib import _array


def may_leave_int64(a, b, terms, extra=None):
    """Whether a sum of `terms` products of numbers from `a` and `b`, plus one `extra`, can leave int64."""
    bound = terms * _largest(a) * _largest(b)
    if bound * terms >= 2**113:  # float64 could not tell any more: see check_sums
        raise ValueError(f"sums of {terms} products of integers up to {_largest(a)} and {_largest(b)} go too far "
                         "beyond int64 (up to 9223372036854775807): convert the arrays to float64")
    return bound + (0 if extra is None else _largest(extra)) >= 2**63


def _largest(a):
    """Return the largest magnitude in `a`, as an int of any size."""
    if _array.is_torch(a):  # torch finds no maximum of uint16 and uint32
        a = _array.as_dtype(a, "int64")
    return max(int(a.max()), -int(a.min())) if 0 not in a.shape else 0


def check_sums(sums, estimate):
    """Check int64 `sums`, which may have wrapped, against the same sums in float64.

    Wrapping changes a sum by a multiple of 2**64; float64's rounding error stays below 2**62 here.
    """
    wrong = abs(_array.as_dtype(sums, "float64") - estimate) > 2.0**62
    if wrong.any():
        raise ValueError(f"the result holds a number near {float(estimate[wrong][0]):.6g}, outside the range of int64: "
                         "convert the arrays to float64")


def as_result(out, dtype):
    """Return sums in the dtype that came in; integers only if they fit."""
    if "int" in dtype and dtype != "int64" and 0 not in out.shape:
        limits, low, high = np.iinfo(dtype), int(out.min()), int(out.max())
        if low < limits.min or high > limits.max:
            raise ValueError(f"the result holds {low if low < limits.min else high}, outside the range of {dtype} "
                             f"({limits.min} to {limits.max}): convert the arrays to int64 or float32")
    return _array.as_dtype(out, dtype)
