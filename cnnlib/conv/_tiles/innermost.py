"""Small pictures in big batches (LeNet): the batch innermost, whatever order the caller has.

A row of a 10 x 10 picture is a run of 40 bytes, and copying such runs costs more than multiplying them. With the
batch innermost the same row of 64 pictures is one run of 2560 bytes. So samples are turned over, zeros
around them included, and from there on each step is *one* call of NumPy on long runs. (Handing the interpreter
to another thread takes as long as a small product, so threads share out whole products, not copies.)

Forward and the gradient of the weights are im2col along one axis, as in strips.py. The gradient of the input is
the transpose of that idea: along the rows a correlation of grad_output with the rotated kernels, on overlapping
views; along the columns col2im, each tap's share added, in long runs, where it came from. The products have
C * KW rows; a correlation along both axes would give them C, and LeNet's C is 1 or 6, too few for BLAS.
"""

from functools import partial

import numpy as np
from numpy.lib.stride_tricks import as_strided

from cnnlib._threads import run_all, scratch
from cnnlib.conv._tiles.memory import boxes, inside, stepped
from cnnlib.conv._tiles.strips import phase, split

SAMPLES = 64  # turned over at once, at most
STRIP_BYTES = 2**21  # of the strips of one block
SMALL = 2**23  # multiply-adds of one block that are done before a second thread has been woken
SUM_BYTES = 2**18  # of products that are summed at once


def forward(x, weight, problem, out, batch_last):
    """Write the convolution of `x` with `weight` into `out`; return True: it is what the definition gives."""
    for xs, ws, outs in zip(split(x, problem, 1), split(weight, problem, 0), split(out, problem, 1)):
        weights = ws.transpose(0, 2, 1, 3).reshape(len(ws), -1)  # (F, KH * C * KW), as the strips lie
        for samples, rows in _blocks(problem, batch_last):
            windows = _windows(xs[samples], problem, rows)
            to = outs[samples, :, rows].transpose(2, 1, 3, 0)  # (rows, F, OW, samples)
            jobs = 1 if weights.size * windows[:, 0].size <= SMALL else 2
            run_all(partial(_multiply, weights, windows, to), [k for k, in boxes((len(to), -(-len(to) // jobs)))])
    return True


def _multiply(weights, windows, to, rows):
    """Write weights (F, K) @ windows (rows, K, OW * N) into some rows of `to` (rows, F, OW, N)."""
    to = to[rows]
    if to.strides[2:] == (4 * to.shape[3], 4):
        np.matmul(weights, windows[rows], out=_flat(to))
        return
    product = scratch("product", to.shape)
    np.matmul(weights, windows[rows], out=_flat(product))
    np.copyto(to, product)


def backward_x(grad_output, weight, problem, grad_x, batch_last):
    """Write the gradient of the input into `grad_x`; return whether it is finite (strips.backward_x says why)."""
    return backward(grad_output, None, weight, problem, grad_x, None, batch_last)


def backward_weight(grad_output, x, problem, grad_weight, batch_last):
    """Write the gradient of the weights into `grad_weight`; return True."""
    return backward(grad_output, x, None, problem, None, grad_weight, batch_last)


def backward(grad_output, x, weight, problem, grad_x, grad_weight, batch_last):
    """Write the gradients that are not None, each a job of its own; return whether that of the input is finite.

    The cut depends on the problem alone, and the gradient of the weights is a sum over the blocks in order, so
    that the number of threads changes no bit.
    """
    blocks = _sample_blocks(problem, batch_last)
    for group in range(problem.groups):
        grads, xs, ws, grad_xs = (None if array is None else split(array, problem, axis)[group]
                                  for array, axis in ((grad_output, 1), (x, 1), (weight, 0), (grad_x, 1)))
        parts = [None] * len(blocks)

        def gradient_of_weight(k, grads=grads, xs=xs, parts=parts):
            parts[k] = _weight_gradient(grads[blocks[k]], xs[blocks[k]], problem)

        def gradient_of_x(k, grads=grads, ws=ws, grad_xs=grad_xs):
            _write_gradient(grads[blocks[k]], ws, problem, grad_xs[blocks[k]])

        wanted = [gradient_of_x] * (grad_x is not None) + [gradient_of_weight] * (grad_weight is not None)
        run_all(lambda job: job[0](job[1]), [(work, k) for k in range(len(blocks)) for work in wanted])
        if grad_weight is not None:
            to = split(grad_weight, problem, 0)[group].transpose(2, 1, 3, 0)
            np.copyto(to, sum(parts[1:], parts[0]).reshape(to.shape) if parts else 0)
    return grad_x is None or bool(np.isfinite(grad_x.sum()))


def _blocks(problem, batch_last):
    """Return (samples, output rows) slices whose strips fit the cache; all samples where they lie so."""
    n, row = problem.x_shape[0], _strip_bytes(problem)
    samples = max(1, min(n, n if batch_last else SAMPLES, 2 * STRIP_BYTES // (row * problem.kernel_size[0])))
    rows = (STRIP_BYTES // (row * samples) - problem.kernel_size[0]) // problem.stride[0] + 1
    return boxes((n, samples), (problem.out_size[0], max(1, rows))) if n else []


def _sample_blocks(problem, batch_last):
    """Return slices of samples whose buffers for all rows fit the cache."""
    n = problem.x_shape[0]
    sample = _strip_bytes(problem) * (problem.padded_size[0] + problem.kernel_size[0])
    samples = max(1, min(n, n if batch_last else SAMPLES, 2 * STRIP_BYTES // sample))
    return [k for k, in boxes((n, samples))] if n else []


def _strip_bytes(problem):
    """Return the bytes that one row of one sample takes in the largest buffer."""
    f, depth = problem.weight_shape[:2]
    return 4 * max(depth * problem.kernel_size[1], f // problem.groups) * problem.padded_size[1]


def _flat(rows):
    """View (R, F, OW, N), whose last two axes touch, as (R, F, OW * N)."""
    r, f, ow, n = rows.shape
    return as_strided(rows, (r, f, ow * n), (*rows.strides[:2], 4))


def _windows(x, problem, rows):
    """Return, for each of some output rows, the matrix of its windows: (rows, KH * C * KW, OW * N)."""
    n, c = x.shape[:2]
    (kh, kw), (sh, sw), (dh, dw) = problem.kernel_size, problem.stride, problem.dilation
    ow, count = problem.out_size[1], rows.stop - rows.start
    height = (count - 1) * sh + (kh - 1) * dh + 1
    turned = _turned(x, rows.start * sh - problem.padding[0][0], height, -problem.padding[1][0], (ow - 1) * sw
                     + (kw - 1) * dw + 1)
    row, channel, col, _ = turned.strides
    strips = scratch("strips", (height, c, kw, ow, n))
    np.copyto(strips, as_strided(turned, strips.shape, (row, channel, dw * col, sw * col, 4)))
    return _stacked(strips.reshape(height, c * kw, ow * n), count, kh, sh, dh)


def _stacked(strips, rows, taps, step, spacing):
    """Return for each row the `taps` strips that it needs, one below the other: (rows, taps * K, width).

    Strips of one row that follow one another are a view; others are copied.
    """
    _, k, width = strips.shape
    strip = strips.strides[0]
    if taps == 1 or spacing == 1 and strip == k * strips.strides[1]:
        return as_strided(strips, (rows, taps * k, width), (step * strip, *strips.strides[1:]))
    stack = scratch("stack", (rows, taps, k, width))
    np.copyto(stack, as_strided(strips, stack.shape, (step * strip, spacing * strip, *strips.strides[1:])))
    return stack.reshape(rows, taps * k, width)


def _turned(x, first_row, rows, first_col, cols, name="turned"):
    """Return part of x (N, C, H, W) as (rows, C, cols, N), zero outside x; columns and samples as one run."""
    n, c, h, w = x.shape
    (top, bottom), (left, right) = inside(first_row, 1, rows, h), inside(first_col, 1, cols, w)
    source = x[:, :, first_row + top:first_row + bottom, first_col + left:first_col + right].transpose(2, 1, 3, 0)
    if source.shape == (rows, c, cols, n) and source.strides[2:] == (4 * n, 4):
        return source
    turned = scratch(name, (rows, c, cols, n))
    if source.shape != turned.shape:
        turned[:top] = turned[bottom:] = 0
        turned[:, :, :left] = turned[:, :, right:] = 0
    np.copyto(turned[top:bottom, :, left:right], source)
    return turned


def _weight_gradient(grad_output, x, problem):
    """Return the sum over the rows of windows (K, OW * N) @ grads (F, OW * N) transposed: (K, F)."""
    windows = _windows(x, problem, slice(0, problem.out_size[0]))
    grads = _flat(_turned(grad_output, 0, problem.out_size[0], 0, problem.out_size[1], "grads")).swapaxes(1, 2)
    total = np.float32(0)
    at_once = max(1, SUM_BYTES // (4 * windows.shape[1] * grads.shape[2]))  # rows whose products are still in cache
    for few, in boxes((len(grads), at_once)):
        total = total + np.matmul(windows[few], grads[few]).sum(0)
    return total


def _write_gradient(grad_output, weight, problem, grad_x):
    """Write grad_x (N, C, H, W). Its rows that are `stride` apart meet the same taps: one phase after the other."""
    (height, _), step = problem.x_shape[2:], problem.stride[0]
    for first in range(min(step, height)):
        pixels, taps, start, spacing, count = phase(first, problem.padding[0][0], problem.kernel_size[0], step,
                                                    problem.dilation[0])
        to = grad_x[:, :, pixels].transpose(2, 1, 3, 0)  # (rows, C, W, N)
        if taps is None:
            to[...] = 0
            continue
        grads = _turned(grad_output, start, len(to) + (count - 1) * spacing, 0, problem.out_size[1], "grads")
        _fold(weight[:, :, taps], _stacked(_flat(grads), len(to), count, 1, spacing), problem, to)


def _fold(weight, grads, problem, to):
    """Write rows of grad_x: the taps' shares along the columns, each added to the pixels it belongs to."""
    (c, kw), ow = weight.shape[1::2], problem.out_size[1]
    matrix = weight.transpose(1, 3, 2, 0).reshape(c * kw, -1)  # (C * KW, taps * F)
    shares = scratch("shares", (len(to), c, kw, ow, to.shape[3]))
    np.matmul(matrix, grads, out=shares.reshape(len(to), c * kw, -1))
    folded = scratch("folded", to.shape)
    folded[...] = 0
    step, (left, _) = problem.stride[1], problem.padding[1]
    for q in range(kw):
        first = q * problem.dilation[1] - left
        lo, hi = inside(first, step, ow, to.shape[2])
        if lo < hi:
            folded[:, :, stepped((first, step), lo, hi)] += shares[:, :, q, lo:hi]
    np.copyto(to, folded)
