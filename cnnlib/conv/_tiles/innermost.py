"""Small pictures in big batches (LeNet): the batch innermost, whatever order the caller has.

A row of a 10 x 10 picture is a run of 40 bytes, and copying such runs costs more than multiplying them. With the
batch innermost the same row of 64 pictures is one run of 2560 bytes. So samples are turned over, zeros
around them included, and from there on each step is *one* call of NumPy on long runs.

Two threads share out the rows. Handing the interpreter from one to the other takes as long as a small product, so the
views are made and the steps written down beforehand (steps.py), and each thread only makes its few long calls.

Forward and the gradient of the weights are im2col along one axis, as in strips.py. The gradient of the input is
the transpose of that idea: along the rows a correlation of grad_output with the rotated kernels, on overlapping
views; along the columns col2im, each tap's share added, in long runs, where it came from. The products have
C * KW rows; a correlation along both axes would give them C, and LeNet's C is 1 or 6, too few for BLAS.
"""

from functools import lru_cache
from itertools import groupby

import numpy as np

from cnnlib._threads import run_all
from cnnlib.conv._tiles.memory import boxes, inside, stepped, strided
from cnnlib.conv._tiles.steps import Steps
from cnnlib.conv._tiles.strips import phase, split

SAMPLES = 64  # turned over at once, at most
STRIP_BYTES = 2**21  # of the strips of one block
SMALL = 2**23  # multiply-adds of a gradient of one block up to which a second thread does not pay
SMALL_FORWARD = 2**24  # the same, forward: fewer steps, less to share
SUM_BYTES = 2**18  # of products that are summed at once


def forward(x, weight, problem, out, batch_last):
    """Write the convolution of `x` with `weight` into `out`; return True: it is what the definition gives."""
    for xs, ws, outs in zip(split(x, problem, 1), split(weight, problem, 0), split(out, problem, 1)):
        weights = ws.transpose(0, 2, 1, 3).reshape(len(ws), -1)  # (F, KH * C * KW), as the strips lie
        for samples, rows in _blocks(problem, batch_last):
            to = outs[samples].transpose(2, 1, 3, 0)  # (rows, F, OW, samples)
            jobs = []
            for part in _shares(rows, weights.size * to[rows, 0].size, SMALL_FORWARD):
                jobs.append(steps := Steps(len(jobs)))
                _multiply(steps, weights, _windows(steps, xs[samples], problem, part), to[part])
            run_all(Steps.run, jobs)
    return True


def _multiply(steps, weights, windows, to):
    """Write weights (F, K) @ windows (rows, K, OW * N) into `to` (rows, F, OW, N)."""
    if to.strides[2:] == (4 * to.shape[3], 4):
        steps.add(np.matmul, weights, windows, _flat(to))
        return
    product = steps.scratch("product", to.shape)
    steps.add(np.matmul, weights, windows, _flat(product))
    steps.add(np.copyto, to, product)


def _shares(rows, multiply_adds, small=SMALL):
    """Return the slice of rows, cut for two threads where that pays."""
    if rows.stop - rows.start < 2 or multiply_adds <= small:
        return [rows]
    middle = (rows.start + rows.stop + 1) // 2
    return [slice(rows.start, middle), slice(middle, rows.stop)]


def backward_x(grad_output, weight, problem, grad_x, batch_last):
    """Write the gradient of the input into `grad_x`; return True: no zero beside grad_output is multiplied."""
    return backward(grad_output, None, weight, problem, grad_x, None, batch_last)


def backward_weight(grad_output, x, problem, grad_weight, batch_last):
    """Write the gradient of the weights into `grad_weight`; return True."""
    return backward(grad_output, x, None, problem, None, grad_weight, batch_last)


def backward(grad_output, x, weight, problem, grad_x, grad_weight, batch_last):
    """Write the gradients that are not None; return True.

    Two gradients are a job each; one is cut by rows. The cut depends on the problem alone, and the gradient of the
    weights is a sum over the parts in order, so that the number of threads changes no bit.
    """
    both = grad_x is not None and grad_weight is not None
    for group in range(problem.groups):
        grads, xs, ws, grad_xs = (None if array is None else split(array, problem, axis)[group]
                                  for array, axis in ((grad_output, 1), (x, 1), (weight, 0), (grad_x, 1)))
        total = 0
        for samples in _sample_blocks(problem, batch_last):
            jobs, sums = [], []
            work = 0 if both else problem.multiply_adds // (problem.groups * problem.x_shape[0]) * len(grads[samples])
            if grad_x is not None:
                for rows in _shares(slice(0, problem.x_shape[2]), work):
                    jobs.append(steps := Steps(len(jobs)))
                    _write_gradient(steps, grads[samples], ws, problem, grad_xs[samples], rows)
            if grad_weight is not None:
                for rows in _shares(slice(0, problem.out_size[0]), work):
                    jobs.append(steps := Steps(len(jobs)))
                    sums += _weight_gradient(steps, grads[samples], xs[samples], problem, rows)
            run_all(Steps.run, jobs)
            total = sum(sums, total)
        if grad_weight is not None:
            to = split(grad_weight, problem, 0)[group].transpose(2, 1, 3, 0)
            np.copyto(to, np.reshape(total, to.shape) if np.ndim(total) else total)
    return True


@lru_cache(256)
def _blocks(problem, batch_last):
    """Return (samples, output rows) slices whose strips fit the cache; all samples where they lie so."""
    n, row = problem.x_shape[0], _strip_bytes(problem)
    samples = max(1, min(n, n if batch_last else SAMPLES, 2 * STRIP_BYTES // (row * problem.kernel_size[0])))
    rows = (STRIP_BYTES // (row * samples) - problem.kernel_size[0]) // problem.stride[0] + 1
    return boxes((n, samples), (problem.out_size[0], max(1, rows))) if n else []


@lru_cache(256)
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
    return rows.reshape(*rows.shape[:2], rows.shape[2] * rows.shape[3])


def _windows(steps, x, problem, rows):
    """Return, for each of some output rows, the matrix of its windows: (rows, KH * C * KW, OW * N)."""
    n, c = x.shape[:2]
    (kh, kw), (sh, sw), (dh, dw) = problem.kernel_size, problem.stride, problem.dilation
    ow, count = problem.out_size[1], rows.stop - rows.start
    height = (count - 1) * sh + (kh - 1) * dh + 1
    turned = _turned(steps, x, rows.start * sh - problem.padding[0][0], height, -problem.padding[1][0], (ow - 1) * sw
                     + (kw - 1) * dw + 1)
    row, channel, col, _ = turned.strides
    strips = steps.scratch("strips", (height, c, kw, ow, n))
    steps.add(np.copyto, strips, strided(turned, strips.shape, (row, channel, dw * col, sw * col, 4)))
    return _stacked(steps, strips.reshape(height, c * kw, ow * n), count, kh, sh, dh)


def _stacked(steps, strips, rows, taps, step, spacing):
    """Return for each row the `taps` strips that it needs, one below the other: (rows, taps * K, width).

    Strips of one row that follow one another are a view; others are copied.
    """
    _, k, width = strips.shape
    strip = strips.strides[0]
    if taps == 1 or spacing == 1 and strip == k * strips.strides[1]:
        return strided(strips, (rows, taps * k, width), (step * strip, *strips.strides[1:]))
    stack = steps.scratch("stack", (rows, taps, k, width))
    steps.add(np.copyto, stack, strided(strips, stack.shape, (step * strip, spacing * strip, *strips.strides[1:])))
    return stack.reshape(rows, taps * k, width)


def _turned(steps, x, first_row, rows, first_col, cols, name="turned", whole_rows=False):
    """Return part of x (N, C, H, W) as (rows, C, cols, N), zero outside x; columns and samples as one run.

    With `whole_rows` each row of all channels is one run, too.
    """
    n, c, h, w = x.shape
    (top, bottom), (left, right) = inside(first_row, 1, rows, h), inside(first_col, 1, cols, w)
    source = x[:, :, first_row + top:first_row + bottom, first_col + left:first_col + right].transpose(2, 1, 3, 0)
    if source.shape == (rows, c, cols, n) and source.strides[2:] == (4 * n, 4):
        if not whole_rows or source.strides[0] == c * source.strides[1]:
            return source
    turned = steps.scratch(name, (rows, c, cols, n))
    for zeros in (turned[:top], turned[bottom:], turned[:, :, :left], turned[:, :, right:]):
        if zeros.size:
            steps.add(np.copyto, zeros, 0)
    steps.add(np.copyto, turned[top:bottom, :, left:right], source)
    return turned


def _weight_gradient(steps, grad_output, x, problem, rows):
    """Return arrays whose sum will be windows (K, OW * N) @ grads (F, OW * N) transposed, over some rows: (K, F)."""
    windows = _windows(steps, x, problem, rows)
    grads = _flat(_turned(steps, grad_output, rows.start, len(windows), 0, problem.out_size[1], "grads")).swapaxes(1, 2)
    product = windows.shape[1], grads.shape[2]
    at_once = max(1, SUM_BYTES // (4 * product[0] * product[1]))  # rows whose products are still in cache
    cuts = boxes((len(grads), at_once))
    products = steps.scratch("products", (min(at_once, len(grads)), *product))
    sums = np.empty((len(cuts), *product), np.float32)
    for (few,), to in zip(cuts, sums):
        some = products[:few.stop - few.start]
        steps.add(np.matmul, windows[few], grads[few], some)
        steps.add(np.add.reduce, some, 0, None, to)
    return list(sums)


def _write_gradient(steps, grad_output, weight, problem, grad_x, rows):
    """Write some rows of grad_x (N, C, H, W). Those that are `stride` apart meet the same taps: a phase each."""
    for first in range(min(problem.stride[0], problem.x_shape[2])):
        pixels, taps, start, spacing, count = phase(first, problem.padding[0][0], problem.kernel_size[0],
                                                    problem.stride[0], problem.dilation[0])
        to = grad_x[:, :, pixels].transpose(2, 1, 3, 0)  # (rows, C, W, N)
        part = slice(*(-(-(end - first) // problem.stride[0]) for end in (rows.start, rows.stop)))
        to = to[max(0, part.start):max(0, part.stop)]
        if not len(to):
            continue
        if taps is None:
            steps.add(np.copyto, to, 0)
            continue
        _fold(steps, grad_output, weight[:, :, taps], (start + max(0, part.start), spacing), problem, to)


def _fold(steps, grad_output, weight, reads, problem, to):
    """Write rows of grad_x: the taps' shares along the columns, each added to the pixels it belongs to.

    Row r of `to` reads the rows first + r + k * spacing of grad_output, reads being (first, spacing): those that are
    there, a run of rows that meet the same taps at a time. At the rim of a small picture many are not there.
    """
    (c, taps, kw), ow = weight.shape[1:], problem.out_size[1]
    matrix = weight.transpose(1, 3, 2, 0).reshape(c * kw, taps, -1)  # (C * KW, taps, F)
    shares = steps.scratch("shares", (len(to), c, kw, ow, to.shape[3]))
    low, high, runs = _runs(*reads, len(to), taps, problem.out_size[0])
    grads = _flat(_turned(steps, grad_output, low, high - low, 0, ow, "grads", whole_rows=taps > 1))
    for rows, some, first in runs:
        count, there = rows.stop - rows.start, some.stop - some.start
        if there:
            windows = _stacked(steps, grads[first - low:], count, there, 1, reads[1])
            steps.add(np.matmul, matrix[:, some].reshape(c * kw, -1), windows, shares[rows].reshape(count, c * kw, -1))
        else:
            steps.add(np.copyto, shares[rows], 0)
    _add_shares(steps, shares, problem, to)


@lru_cache(256)
def _runs(first, spacing, rows, taps, size):
    """Return the range of rows read, of `size` rows, and runs (rows, taps, first row read) that meet the same taps."""
    met = [inside(first + row, spacing, taps, size) for row in range(rows)]
    runs, low, high = [], size, 0
    for (lo, hi), same in groupby(range(rows), met.__getitem__):
        same = list(same)
        start = first + same[0] + lo * spacing
        runs.append((slice(same[0], same[-1] + 1), slice(lo, hi), start))
        if lo < hi:
            low, high = min(low, start), max(high, start + len(same) + (hi - lo - 1) * spacing)
    return low, max(low, high), runs


def _add_shares(steps, shares, problem, to):
    """Write the sums of the shares (rows, C, KW, OW, N) into `to` (rows, C, W, N)."""
    kw, ow = shares.shape[2:4]
    folded = to if to.strides[2:] == (4 * to.shape[3], 4) else steps.scratch("folded", to.shape)
    steps.add(np.copyto, folded, 0)
    step, (left, _) = problem.stride[1], problem.padding[1]
    for q in range(kw):
        first = q * problem.dilation[1] - left
        lo, hi = inside(first, step, ow, to.shape[2])
        if lo < hi:
            some = folded[:, :, stepped((first, step), lo, hi)]
            steps.add(np.add, some, shares[:, :, q, lo:hi], some)
    if folded is not to:
        steps.add(np.copyto, to, folded)
