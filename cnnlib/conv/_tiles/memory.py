"""Where the numbers lie: both memory orders behind one set of names.

Arrays are (N, C, H, W) in name. In memory the batch stands either first, or last ("batch innermost", as in
cuda-convnet: neighbours in the batch touch). The methods work on blocks whose first axes are rows and
channels and whose last two are samples and columns *as they lie*, so that the last two are one run of memory
and the same lines of code serve both orders.
"""

import numpy as np
from numpy.lib.stride_tricks import as_strided


def empty(shape, batch_last):
    """Return an uninitialised float32 (N, C, H, W) array in either memory order."""
    if not batch_last:
        return np.empty(shape, np.float32)
    n, c, h, w = shape
    return np.empty((c, h, w, n), np.float32).transpose(3, 0, 1, 2)


def rows_first(array, batch_last):
    """View (N, C, H, W) as (H, C, N, W), or as (H, C, W, N) where the batch lies last."""
    return array.transpose(2, 1, 3, 0) if batch_last else array.transpose(2, 1, 0, 3)


def merge_last(array):
    """View (A, B, P, Q) as (A, B, P * Q) if memory allows it and BLAS takes the last two axes; else None."""
    a, b, p, q = array.shape
    inner = array.strides[3] == 4 or q == 1
    if not inner or not (p == 1 or array.strides[2] == 4 * q) or (b > 1 and array.strides[1] < 4 * p * q):
        return None
    return as_strided(array, (a, b, p * q), (*array.strides[:2], 4))


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
    (top, bottom), (left, right) = (inside(*axis, count, size) for axis, count, size in (
        (rows, to.shape[0], x.shape[2]), (cols, to.shape[3], x.shape[3])))
    if top or bottom < to.shape[0]:
        to[:top] = 0
        to[bottom:] = 0
    if left or right < to.shape[3]:
        to[top:bottom, ..., :left] = 0
        to[top:bottom, ..., right:] = 0
    if top < bottom and left < right:
        source = x[:, :, stepped(rows, top, bottom), stepped(cols, left, right)]
        np.copyto(to[top:bottom, ..., left:right], source.transpose(2, 1, 0, 3))


def stepped(axis, lo, hi):
    """Return the slice of the positions first + k * step for k = lo ... hi - 1, axis being (first, step)."""
    first, step = axis
    return slice(first + lo * step, first + hi * step, step)
