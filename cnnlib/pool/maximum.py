"""Max pooling: of each window the largest number, and on the way back the error goes where it came from."""

from cnnlib import _array
from cnnlib._array import as_dtype, dtype_name, in_order_of, quietly, working
from cnnlib.pool import _tiles
from cnnlib.pool._windows import check_grad_output, check_input, make_windows


def max_pool2d(x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    """Take the maximum of each window.

    .. math:: y_{ncij} = \\max_{p,q} x_{n,\\,c,\\,si+dp,\\,sj+dq}

    Parameters
    ----------
    x : array of shape (N, C, H, W), or (C, H, W) for one image
        NumPy or torch. The result has x's library, dtype, device and memory order.
    kernel_size, stride, dilation : int or (rows, cols), in pixels
        Without a stride the windows stand side by side: it is `kernel_size`.
    padding : int or (rows, cols), in pixels
        At most half of `kernel_size`. Padding is minus infinity: it never wins.
    ceil_mode : bool
        Round the number of windows up: the last may reach out of the image, but begins inside.
    return_indices : bool
        Return also where each maximum was.

    Returns
    -------
    out : array of shape (N, C, OH, OW), with OH = (H + 2 * padding - dilation * (KH - 1) - 1) // stride + 1
    indices : int64 array of the same shape, only with `return_indices`
        Positions in the flattened (H, W) plane. Of equal maxima the first in reading order wins.

    Raises
    ------
    ValueError
        The window is larger than the padded image, padding exceeds half of it, or a dilated window would see padding
        only (torch 2.13 tells a place outside of the image there, and its backward writes to it).

    Notes
    -----
    NaN is larger than every number, and of several the last one's place is told, as in torch. Derived in notebooks/22.

    References
    ----------
    .. [1] Ranzato, Huang, Boureau & LeCun, Unsupervised learning of invariant feature hierarchies with applications
       to object recognition, CVPR 2007. doi:10.1109/CVPR.2007.383157

    Examples
    --------
    >>> import numpy as np
    >>> max_pool2d(np.array([[[1., 2., 5., 0.], [3., 4., 0., 6.]]]), 2)
    array([[[4., 6.]]])
    """
    out, winners = max_pool2d_with_winners(x, kernel_size, stride, padding, dilation, ceil_mode)
    if not return_indices:
        return out
    return out, _indices(winners, make_windows(x.shape, kernel_size, stride, padding, dilation, ceil_mode))


def max_pool2d_with_winners(x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False):
    """Return :func:`max_pool2d` and, shorter than indices, the number of each window's winning tap.

    Returns
    -------
    out : array of shape (N, C, OH, OW)
    winners : array of the same shape, small integers
        ``p * KW + q`` where the maximum stood in row p, column q of its window. What a layer keeps for the way back.
    """
    x, = check_input("max pooling", x=x)
    windows = make_windows(x.shape, kernel_size, stride, padding, dilation, ceil_mode)
    best, winners = _play(x, windows)
    if any(windows.padding) and (nothing := best == float("-inf")).any():  # then the padding is no smaller
        rows, cols = (_array.constant(axis, winners) for axis in windows.first_inside)
        winners = _array.library(x=x).where(nothing, rows[:, None] * windows.kernel_size[1] + cols, winners)
    return best, winners


@quietly
def _play(x, windows):
    """Return the maxima and the winning taps; of equal ones the first, be it padding."""
    if _tiles.takes(x, windows) and (found := _tiles.max_forward(x, windows)) is not None:
        return found
    framed = _array.pad(working(x), windows.frame, float("-inf"))
    lib = _array.library(x=framed)
    best = winners = None
    for k, tap in enumerate(windows.taps):
        numbers = framed[windows.at(*tap)]
        if best is None:
            best, winners = numbers, _array.zeros(numbers.shape, framed, "int32")
            continue
        better = (numbers > best) | (numbers != numbers)  # NaN is not equal to itself
        best, winners = lib.where(better, numbers, best), lib.where(better, k, winners)
    return in_order_of(as_dtype(best, dtype_name(x)), x), as_dtype(winners, "int32")


@quietly
def max_pool2d_backward(grad_output, x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False,
                        return_indices=False, *, indices=None, winners=None):
    """Return the gradient of `x`: each number of grad_output goes to the pixel that was the maximum, and adds up there.

    Parameters
    ----------
    indices : array of shape (N, C, OH, OW), optional
        What ``max_pool2d(..., return_indices=True)`` returned; saves finding the maxima again.
    winners : array of the same shape, optional
        What :func:`max_pool2d_with_winners` returned; saves more.
    """
    del return_indices
    grad_output, x = check_input("max pooling", grad_output=grad_output, x=x)
    windows = make_windows(x.shape, kernel_size, stride, padding, dilation, ceil_mode)
    check_grad_output(grad_output, x.shape, windows.out_size)
    for name, saved in (("indices", indices), ("winners", winners)):
        if saved is not None and tuple(saved.shape) != tuple(grad_output.shape):
            raise ValueError(f"`{name}` has shape {tuple(saved.shape)}; it must be that of `grad_output`, "
                             f"{tuple(grad_output.shape)}")
    if indices is not None:
        return _scatter(grad_output, x, indices)
    if winners is None:
        _, winners = max_pool2d_with_winners(x, kernel_size, stride, padding, dilation, ceil_mode)
    if _tiles.takes(x, windows):
        return _tiles.max_backward(grad_output, x, winners, windows)
    grads = working(grad_output)
    framed = _array.zeros((*x.shape[:-2], *windows.framed_size), grads)
    for k, tap in enumerate(windows.taps):
        framed[windows.at(*tap)] += _array.zero_where(winners != k, grads)
    return in_order_of(as_dtype(windows.crop(framed), dtype_name(x)), x)


def _scatter(grad_output, x, indices):
    """Add grad_output at the flat positions `indices` of planes of zeros."""
    h, w = x.shape[-2:]
    if not _array.dtype_name(indices).startswith("int"):
        raise TypeError(f"`indices` has dtype {_array.dtype_name(indices)}; it must be whole numbers")
    if 0 not in indices.shape and (int(indices.min()) < 0 or int(indices.max()) >= h * w):
        raise ValueError(f"`indices` reach from {int(indices.min())} to {int(indices.max())}; a plane of {h} x {w} "
                         f"has the positions 0 to {h * w - 1}")
    flat = (*x.shape[:-2], -1)
    grads = _array.scatter_add(_array.zeros((*x.shape[:-2], h * w), working(grad_output)), indices.reshape(flat),
                               working(grad_output).reshape(flat))
    return in_order_of(as_dtype(grads.reshape(x.shape), dtype_name(x)), x)


def _indices(winners, windows):
    """Return winning taps as int64 positions in the flattened plane."""
    (sr, sc), (dr, dc), (top, left) = windows.stride, windows.dilation, windows.padding
    oh, ow = windows.out_size
    lib = _array.library(winners=winners)
    winners = as_dtype(winners, "int64")
    on = {"device": winners.device} if _array.is_torch(winners) else {}
    rows = winners // windows.kernel_size[1] * dr + (lib.arange(oh, **on) * sr - top)[:, None]
    cols = winners % windows.kernel_size[1] * dc + (lib.arange(ow, **on) * sc - left)
    return _array.contiguous(rows * windows.size[1] + cols)
