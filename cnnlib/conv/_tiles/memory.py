"""Where the numbers lie: both memory orders behind one set of names.

Arrays are (N, C, H, W) in name. In memory the batch stands either first, or last ("batch innermost", as in
cuda-convnet: neighbours in the batch touch). The methods work on blocks whose first axes are rows and
channels and whose last two are samples and columns *as they lie*, so that the last two are one run of memory
and the same lines of code serve both orders.
"""

from operator import mul

import numpy as np
from numpy.lib.stride_tricks import as_strided


def empty(shape, batch_last):
    """Return an uninitialised float32 (N, C, H, W) array in either memory order."""
    if not batch_last:
        return np.empty(shape, np.float32)
    n, c, h, w = shape
    return np.empty((c, h, w, n), np.float32).transpose(3, 0, 1, 2)


def strided(array, shape, strides, first=()):
    """View float32 `array` from the element `first` on; as NumPy's as_strided, five times quicker without gaps."""
    if array.flags.c_contiguous:
        return np.ndarray(shape, np.float32, array, sum(map(mul, first, array.strides)), strides)
    return as_strided(array[tuple(slice(k, None) for k in first)], shape, strides)


def rows_first(array, batch_last):
    """View (N, C, H, W) as (H, C, N, W), or as (H, C, W, N) where the batch lies last."""
    return array.transpose(2, 1, 3, 0) if batch_last else array.transpose(2, 1, 0, 3)


def merge_last(array):
    """View (A, B, P, Q) as (A, B, P * Q) if memory allows it and BLAS takes the last two axes; else None."""
    a, b, p, q = array.shape
    inner = array.strides[3] == 4 or q == 1
    if not inner or not (p == 1 or array.strides[2] == 4 * q) or (b > 1 and array.strides[1] < 4 * p * q):
        return None
    return strided(array, (a, b, p * q), (*array.strides[:2], 4))


def boxes(*axes):
    """Return every combination of slices that cut each axis, given as (size, step), into even parts."""
    if not axes:
        return [()]
    (size, step), *rest = axes
    parts = -(-size // step)
    cuts = [slice(size * k // parts, size * (k + 1) // parts) for k in range(parts)]
    return [(cut, *tail) for cut in cuts for tail in boxes(*rest)]


def inside(start, step, count, size):
    """Return lo, hi: the k in 0 ... count - 1 for which start + k * step lies in 0 ... size - 1."""
    lo = min(count, max(0, -(start // step)))
    return lo, max(lo, min(count, (size - 1 - start) // step + 1))


def copy_inside(to, x, rows, cols):
    """Copy from x (N, C, H, W) the given rows and columns, (first, step), into `to` (R, C, N, S); zero outside x."""
    copy_phases(to[None], x, rows, cols)


def copy_phases(to, x, rows, cols):
    """Copy from x (N, C, H, W) rows and columns, (first, step), into `to` (P, R, C, N, S); zero outside x.

    Phase p holds the columns first + p, first + p + step, ...: those that a stride puts apart then lie side by side.
    All is done in as few calls as can be: between two threads, calls are what costs.
    """
    phases, height, _, _, width = to.shape
    top, bottom = inside(*rows, height, x.shape[2])
    if top or bottom < height:
        to[:, :top] = to[:, bottom:] = 0
    source = x[:, :, stepped(rows, top, bottom)].transpose(2, 1, 0, 3)
    for p in range(phases):
        axis = cols[0] + p, cols[1]
        left, right = inside(*axis, width, x.shape[3])
        part = to[p, top:bottom]
        if left or right < width:
            part[..., :left] = part[..., right:] = 0
        np.copyto(part[..., left:right], source[..., stepped(axis, left, right)])


def stepped(axis, lo, hi):
    """Return the slice of the positions first + k * step for k = lo ... hi - 1, axis being (first, step)."""
    first, step = axis
    return slice(first + lo * step, first + hi * step, step)
