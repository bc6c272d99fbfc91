"""Small pictures in big batches (LeNet): the batch innermost, whatever order the caller has.

A row of a 10 x 10 picture is a run of 40 bytes, and copying such runs costs more than multiplying them. With the
batch innermost the same row of 64 pictures is one run of 2560 bytes. Turning the arrays over costs about as
much as one more pass over them (nothing at all where the caller keeps the batch innermost all along).

Forward and the gradient of the weights are then those of strips.py, and the gradient of the input is the transpose
of its idea: along the rows a correlation of grad_output with the rotated kernels, on overlapping views; along the
columns col2im, each tap's share added, in long runs, where it came from. The products have C * KW rows; a
correlation along both axes would give them C, and LeNet's C is 1 or 6, too few for BLAS.
"""

import numpy as np

from cnnlib.conv._tiles import strips
from cnnlib.conv._tiles.memory import boxes, inside, rows_first, stepped
from cnnlib.conv._tiles.threads import run_all, scratch

SAMPLES = 64  # of one block of shares, at most
SHARE_BYTES = 2**21  # of the taps' shares of one block: fewer calls of NumPy are worth more than a smaller cache


def forward(x, weight, problem, out, batch_last):
    """Write the convolution of `x` with `weight` into `out`; return True: it is what the definition gives."""
    return strips.forward(_turned(x, batch_last), weight, problem, out, True)


def backward_weight(grad_output, x, problem, grad_weight, batch_last):
    """Write the gradient of the weights into `grad_weight`; return True."""
    del batch_last  # x and grad_output may differ in order
    return strips.backward_weight(_turned(grad_output), _turned(x), problem, grad_weight, True)


def backward_x(grad_output, weight, problem, grad_x, batch_last):
    """Write the gradient of the input into `grad_x`; return whether it is finite (strips.backward_x says why)."""
    grads = _turned(grad_output, batch_last)
    groups = zip(strips.split(grads, problem, 1), strips.split(weight, problem, 0), strips.split(grad_x, problem, 1))
    for gs, ws, grad_xs in groups:
        for first in range(min(problem.stride[0], grad_x.shape[2])):
            _fold_phase(gs, ws, grad_xs, problem, first)
    return bool(np.isfinite(grad_x.sum()))


def _fold_phase(grads, weight, grad_x, problem, first):
    """Write the rows first, first + stride, ... of grad_x."""
    n, ow = len(grads), problem.out_size[1]
    pixels, taps, start, spacing, count = strips.phase(first, problem.padding[0][0], problem.kernel_size[0],
                                                       problem.stride[0], problem.dilation[0])
    to = grad_x[:, :, pixels]
    if taps is None or 0 in grads.shape:
        to[...] = 0
        return
    how = strips.Correlation((start, 0), (1, 1), (spacing, 1), (count, 1), batch_last=True)
    matrix = weight[:, :, taps].transpose(1, 3, 2, 0).reshape(-1, count * len(weight))  # (C * KW, taps * F)
    rows_at_once = max(1, SHARE_BYTES // (4 * len(matrix) * ow * min(n, SAMPLES)))
    run_all(lambda block: _fold_block(how, grads, matrix, problem, to, block),
            boxes((n, SAMPLES), (to.shape[2], rows_at_once), (ow, ow)))


def _fold_block(how, grads, matrix, problem, grad_x, block):
    """Write some rows of grad_x: the taps' shares along the columns, each added to the pixels it belongs to."""
    right = strips.right_sides(how, grads, block)
    samples, rows, _ = block
    to = rows_first(grad_x[samples, :, rows], True)
    c, kw = grad_x.shape[1], problem.kernel_size[1]
    shares = scratch("shares", (len(right), c, kw, problem.out_size[1], to.shape[3]))
    np.matmul(matrix, right, out=shares.reshape(len(right), c * kw, -1))
    folded = scratch("folded", to.shape)
    folded[...] = 0
    step, (left, _) = problem.stride[1], problem.padding[1]
    for q in range(kw):
        first = q * problem.dilation[1] - left
        lo, hi = inside(first, step, shares.shape[3], to.shape[2])
        if lo < hi:
            folded[:, :, stepped((first, step), lo, hi)] += shares[:, :, q, lo:hi]
    np.copyto(to, folded)


def _turned(x, batch_last=False):
    """Return x (N, C, H, W) lying with its batch innermost: itself, or a copy made channel by channel."""
    if batch_last or x.transpose(1, 2, 3, 0).flags.c_contiguous:
        return x
    n, c, h, w = x.shape
    turned = np.empty((c, h, w, n), np.float32)
    run_all(lambda channels: np.copyto(turned[channels], x[:, channels].transpose(1, 2, 3, 0)),
            [channels for channels, in boxes((c, max(1, min(c, 2**17 // max(1, n * h * w)))))])
    return turned.transpose(3, 0, 1, 2)
