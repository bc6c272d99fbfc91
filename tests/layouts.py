"""The same numbers as they may lie in memory: views that are mirrored, spread, transposed, offset, and read-only."""

import numpy as np

from cnnlib import _array

LAYOUTS = {
    "reversed": lambda a: np.ascontiguousarray(a[::-1])[::-1],
    "mirrored": lambda a: np.ascontiguousarray(a[..., ::-1])[..., ::-1],
    "every second": lambda a: np.repeat(a, 2, axis=-1)[..., ::2],
    "Fortran": np.asfortranarray,
    "batch innermost": _array.batch_innermost,
    "offset": lambda a: np.concatenate((a, a))[len(a):],
    "big-endian": lambda a: a.astype(a.dtype.newbyteorder(">")),
}


def laid_out(name, arrays):
    """Return the arrays (None and 0-d ones as they are) in this layout, read-only."""
    result = []
    for a in arrays:
        if isinstance(a, np.ndarray) and a.ndim:
            a = LAYOUTS[name](a) if a.ndim > 1 or name != "batch innermost" else a.copy()
            a.flags.writeable = False
        result.append(a)
    return result
