"""Few windows: all of them as the columns of one matrix, in as few calls of NumPy as there can be.

A call of NumPy costs some microseconds whatever it does, and cutting work into blocks, or going through groups one by
one, costs many. Below some ten thousand numbers that is most of the time, and nothing beats the plain im2col of
cnnlib/conv/im2col.py: one copy, and one product for all groups and samples. The columns then fit the cache uncut.

The same where there are more weights than columns, as in a network's last layers: reading the weights is the work, and
one product reads them once. Two threads share the filters, or on the way back the channels.

Positions stand in the order in which the maps lie: (samples, rows, columns), or with the batch innermost (rows,
columns, samples). So the result is often written where it belongs.
"""

import numpy as np

from cnnlib._array import pad, windows
from cnnlib._threads import run_all, scratch
from cnnlib.conv._tiles.memory import boxes, empty

SMALL = 2**23  # multiply-adds that are done before a second thread is of use


def forward(x, weight, problem, out, batch_last):
    """Write the convolution of `x` with `weight` into `out`; return True: it is what the definition gives."""
    weights, columns = _matrices(weight, problem), _columns(x, problem, batch_last)
    to = _lying(out, batch_last)
    shape = problem.groups, weights.shape[1], columns.shape[2]
    product = to.reshape(shape) if to.flags.c_contiguous else scratch("product", shape)
    _share(problem, shape[1], lambda some: np.matmul(weights[:, some], columns, out=product[:, some]))
    if not to.flags.c_contiguous:
        np.copyto(to, product.reshape(to.shape))
    return True


def backward_x(grad_output, weight, problem, grad_x, batch_last):
    """Write the gradient of the input into `grad_x`; return True: no number is multiplied that has no part in it."""
    grads, weights = _planes(grad_output, problem, batch_last), _matrices(weight, problem)
    padded = grad_x
    if any(map(any, problem.padding)):
        padded = empty((*grad_x.shape[:2], *problem.padded_size), batch_last)
    padded[...] = 0
    depth, taps = problem.weight_shape[1], weights.shape[2] // problem.weight_shape[1]
    to = padded.reshape(len(padded), problem.groups, depth, *problem.padded_size).transpose(1, 2, 0, 3, 4)

    def work(some):
        turned = weights[:, :, some.start * taps:some.stop * taps].swapaxes(1, 2)
        shares = scratch("shares", (problem.groups, turned.shape[1], grads.shape[2]))
        _fold(np.matmul(turned, grads, out=shares), to[:, some], problem, batch_last)

    _share(problem, depth, work)
    if padded is not grad_x:
        (top, _), (left, _) = problem.padding
        np.copyto(grad_x, padded[:, :, top:top + grad_x.shape[2], left:left + grad_x.shape[3]])
    return True


def backward_weight(grad_output, x, problem, grad_weight, batch_last):
    """Write the gradient of the weights into `grad_weight`; return True."""
    grads, columns = _planes(grad_output, problem, batch_last), _columns(x, problem, batch_last).swapaxes(1, 2)
    to = _matrices(grad_weight, problem)
    _share(problem, to.shape[1], lambda some: np.matmul(grads[:, some], columns, out=to[:, some]))
    return True


def _share(problem, count, work):
    """Call work(slice) for `count` filters or channels: in two halves where a second thread pays."""
    if problem.multiply_adds <= SMALL:
        work(slice(0, count))
    else:
        run_all(lambda box: work(*box), boxes((count, -(-count // 2))))


def _matrices(weight, problem):
    """Return the weights as (G, F // G, C // G * KH * KW); a view, where memory allows it."""
    return weight.reshape(problem.groups, len(weight) // problem.groups, -1)


def _lying(maps, batch_last):
    """View maps (N, C, H, W) as (C, N, H, W), or as (C, H, W, N) where the batch lies last."""
    return maps.transpose(1, 2, 3, 0) if batch_last else maps.transpose(1, 0, 2, 3)


def _planes(maps, problem, batch_last):
    """Return maps (N, F, OH, OW) as (G, F // G, positions)."""
    return _as_matrices(_lying(maps, batch_last), maps.shape[1], problem, "planes")


def _columns(x, problem, batch_last):
    """Return the windows of `x` as (G, C // G * KH * KW, positions)."""
    view = windows(pad(x, problem.padding), problem.kernel_size, problem.stride, problem.dilation)
    view = view.transpose(1, 4, 5, 2, 3, 0) if batch_last else view.transpose(1, 4, 5, 0, 2, 3)
    rows = x.shape[1] * problem.kernel_size[0] * problem.kernel_size[1]
    return _as_matrices(view, rows, problem, "columns")


def _as_matrices(view, rows, problem, name):
    """Return `view` as (G, rows // G, positions), copied if its numbers do not lie in that order."""
    if not view.flags.c_contiguous:
        copy = scratch(name, view.shape)
        np.copyto(copy, view)
        view = copy
    return view.reshape(problem.groups, rows // problem.groups, -1)


def _fold(shares, to, problem, batch_last):
    """Add each tap's shares to the pixels of `to` (G, C // G, N, H, W) that it looked at."""
    (n, _, oh, ow), (sh, sw), (dh, dw) = problem.out_shape, problem.stride, problem.dilation
    shares = shares.reshape(*to.shape[:2], *problem.kernel_size, *((oh, ow, n) if batch_last else (n, oh, ow)))
    if batch_last:
        shares = shares.transpose(0, 1, 2, 3, 6, 4, 5)
    for p in range(problem.kernel_size[0]):
        for q in range(problem.kernel_size[1]):
            pixels = to[..., p * dh:p * dh + sh * (oh - 1) + 1:sh, q * dw:q * dw + sw * (ow - 1) + 1:sw]
            np.add(pixels, shares[:, :, p, q], out=pixels)
