"""im2col in blocks that fit the cache, each product as wide as the block: the exact method for strided convolutions.

A strided convolution reads every `stride`-th pixel, and a run of pixels that are not neighbours is slow to copy nine
times over. So each block of a picture is first sorted by phase, once:

    phases[a, b, c, k, l] = x[c, stride * k + a, stride * l + b]

after which tap (p, q) of the kernel reads one phase, in runs of neighbours, and all taps of a phase are *one* copy.
The columns of a block, (KH * KW * C) rows for its positions, then meet the weights in one product that writes
where the result belongs. The gradient of the input goes the same way backwards: the product's rows are added, in
runs, to their phases, and the phases are put back in their places.

With the batch innermost a position is a pixel of all samples; else a block is of one sample.
"""

from dataclasses import dataclass
from functools import partial
from math import gcd

import numpy as np
from numpy.lib.stride_tricks import as_strided

from cnnlib._threads import run_all, scratch
from cnnlib.conv._tiles.memory import boxes, inside, stepped
from cnnlib.conv._tiles.strips import split

COLUMN_BYTES = 2**21  # of one block
MIN_WIDTH = 128  # positions of a product, where the picture has so many
MAX_BYTES = 2**22  # of the weights' gradient that is summed at once


def forward(x, weight, problem, out, batch_last):
    """Write the convolution of `x` with `weight` into `out`; return True: it is what the definition gives."""
    for xs, ws, outs in zip(split(x, problem, 1), split(weight, problem, 0), split(out, problem, 1)):
        weights = ws.transpose(0, 2, 3, 1).reshape(len(ws), -1)  # (F, KH * KW * C), as the columns lie

        def work(block, xs=xs, weights=weights, outs=outs):
            samples, rows, cols = block
            np.matmul(weights, _columns(xs[samples], problem, rows, cols), out=_view(outs[samples, :, rows, cols]))

        run_all(work, _blocks(problem, batch_last))
    return True


def backward_weight(grad_output, x, problem, grad_weight, batch_last):
    """Write the gradient of the weights into `grad_weight`: two fixed halves of the blocks, then their sum."""
    blocks = _blocks(problem, batch_last)
    for grads, xs, to in zip(split(grad_output, problem, 1), split(x, problem, 1), split(grad_weight, problem, 0)):
        at_once = max(1, MAX_BYTES // to[0].nbytes)  # filters: the sums are held four times over
        for filters, in boxes((len(to), at_once)):
            some = to[filters]
            sums = np.zeros((2, some[0].size, len(some)), np.float32)
            run_all(partial(_add_products, grads[:, filters], xs, problem, blocks, sums), range(2))
            f, c, kh, kw = some.shape
            np.copyto(some, (sums[0] + sums[1]).reshape(kh, kw, c, f).transpose(3, 2, 0, 1))
    return True


def _add_products(grad_output, x, problem, blocks, sums, half):
    """Add columns (K, positions) @ grads (F, positions) transposed to sums[half], for half of the blocks."""
    product = scratch("sum", sums[half].shape)
    for samples, rows, cols in blocks[half::2]:
        columns = _columns(x[samples], problem, rows, cols)
        np.matmul(columns, _positions(grad_output[samples, :, rows, cols]).T, out=product)
        sums[half] += product


def backward_x(grad_output, weight, problem, grad_x, batch_last):
    """Write the gradient of the input into `grad_x`; return whether it is finite (strips.backward_x says why)."""
    n, c, h, w = problem.x_shape
    samples = n if batch_last else 1
    pixels = 4 * h * w * samples
    channels = max(1, min(-(-c // problem.groups // (1 if n // samples >= 4 else 2)), MAX_BYTES // max(1, pixels)))
    jobs = boxes((n, samples), (c // problem.groups, channels)) if n else []
    for grads, ws, to in zip(split(grad_output, problem, 1), split(weight, problem, 0), split(grad_x, problem, 1)):
        run_all(lambda job, grads=grads, ws=ws, to=to: _fold(grads[job[0]], ws[:, job[1]], problem, to[job]), jobs)
    return bool(np.isfinite(grad_x.sum()))


def _fold(grad_output, weight, problem, grad_x):
    """Write grad_x (N, C, H, W): every tap's share, added where it came from."""
    f, c, kh, kw = weight.shape
    rows, cols = _axes(problem)
    n = len(grad_x)
    sums = scratch("phase sums", (rows.phases, cols.phases, c, rows.length, cols.length, n))
    sums[...] = 0
    weights = weight.transpose(2, 3, 1, 0).reshape(-1, f)
    oh, ow = problem.out_size
    for some, in boxes((oh, _rows_at_once(len(weights), ow * n))):
        grads = _positions(grad_output[:, :, some])
        shares = scratch("columns", (kh, kw, c, some.stop - some.start, ow, n))
        np.matmul(weights, grads, out=shares.reshape(len(weights), -1))
        for p in range(kh):
            for q in range(kw):
                (a, k), (b, m) = rows.tap(p), cols.tap(q)
                sums[a, b, :, k + some.start:k + some.stop, m:m + ow] += shares[p, q]
    to = grad_x.transpose(1, 2, 3, 0)
    if not (rows.covered and cols.covered):
        to[...] = 0
    for a in range(rows.phases):
        for b in range(cols.phases):
            (i, k), (j, m) = rows.pixels(a), cols.pixels(b)
            np.copyto(to[:, i, j], sums[a, b, :, k, m])


@dataclass(frozen=True)
class Axis:
    """Rows or columns of a problem, sorted by phase."""

    size: int  # of x
    before: int  # zeros
    stride: int
    dilation: int
    taps: int
    count: int  # outputs

    @property
    def phases(self):
        return min(self.stride, (self.taps - 1) * self.dilation + 1)

    @property
    def length(self):
        """Return how many pixels of a phase all outputs read, at most."""
        return self.count + (self.taps - 1) * self.dilation // self.stride

    @property
    def covered(self):
        """Whether every pixel of x is read by some output."""
        return self.phases == self.stride and (self.length - 1) * self.stride >= self.size + self.before - 1

    def tap(self, p):
        """Return the phase that tap p reads, and where it begins."""
        shift, a = divmod(p * self.dilation, self.stride)
        return a, shift

    def pixels(self, a):
        """Return the pixels of x that are in phase a, and their places in it."""
        lo, hi = inside(a - self.before, self.stride, self.length, self.size)
        return stepped((a - self.before, self.stride), lo, hi), slice(lo, hi)


def _axes(problem):
    return [Axis(*each) for each in zip(problem.x_shape[2:], (before for before, _ in problem.padding), problem.stride,
                                        problem.dilation, problem.kernel_size, problem.out_size)]


def _blocks(problem, batch_last):
    """Return (samples, rows, cols) slices of the output, each a few rows, or a part of one row."""
    (n, _, _, _), (oh, ow) = problem.x_shape, problem.out_size
    samples = n if batch_last else 1
    depth = problem.weight_shape[1] * problem.kernel_size[0] * problem.kernel_size[1]
    if not n:
        return []
    rows = _rows_at_once(depth, ow * samples)
    cols = ow if 4 * depth * ow * samples <= 2 * COLUMN_BYTES else max(1, 2 * COLUMN_BYTES // (4 * depth * samples))
    return boxes((n, samples), (oh, rows if cols == ow else 1), (ow, cols))


def _rows_at_once(depth, row):
    """Return how many output rows of `row` positions make a block of columns of `depth` numbers."""
    return max(1, COLUMN_BYTES // (4 * depth * row), min(-(-MIN_WIDTH // row), 2 * COLUMN_BYTES // (4 * depth * row)))


def _view(block):
    """View (N, C, R, S) as (C, positions); None where memory does not allow it."""
    n, c, r, s = block.shape
    _, channel, row, col = block.strides
    sample = 4 if n == 1 else block.strides[0]
    if sample != 4 or s > 1 and col != 4 * n or r > 1 and row != 4 * n * s:
        return None
    return as_strided(block, (c, r * s * n), (channel, 4))


def _positions(block):
    """Return (N, C, R, S) as (C, positions): a view, or a copy where the memory order is another."""
    view = _view(block)
    if view is None:
        copy = scratch("positions", tuple(block.shape[k] for k in (1, 2, 3, 0)))
        np.copyto(copy, block.transpose(1, 2, 3, 0))
        view = copy.reshape(len(copy), -1)
    return view


def _columns(x, problem, rows, cols):
    """Return the columns of some output positions: (KH * KW * C, positions)."""
    n, c = x.shape[:2]
    kh, kw = problem.kernel_size
    r, s = rows.stop - rows.start, cols.stop - cols.start
    down, across = _axes(problem)
    phases = _phases(x, down, rows, across, cols)
    columns = scratch("columns", (kh, kw, c, r, s, n))
    for a in range(down.phases):
        for b in range(across.phases):
            ps, qs = _taps(down, a), _taps(across, b)
            if ps is None or qs is None:
                continue
            (k, dk), (m, dm) = _shifts(down, ps), _shifts(across, qs)
            source = phases[a, b, :, k:, m:]
            channel, row, col, sample = source.strides
            to = columns[ps, qs]
            np.copyto(to, as_strided(source, to.shape, (dk * row, dm * col, channel, row, col, sample)))
    return columns.reshape(-1, r * s * n)


def _taps(axis, a):
    """Return the taps that read phase a, as a slice, or None."""
    step = axis.stride // gcd(axis.stride, axis.dilation)
    first = next((p for p in range(min(step, axis.taps)) if p * axis.dilation % axis.stride == a), None)
    return None if first is None else slice(first, axis.taps, step)


def _shifts(axis, taps):
    """Return where the first of the taps begins in its phase, and how far apart they are."""
    return taps.start * axis.dilation // axis.stride, taps.step * axis.dilation // axis.stride


def _phases(x, down, rows, across, cols):
    """Return x (N, C, H, W) around some output positions by phases: (phases, phases, C, R, S, N), zero outside x."""
    n, c = x.shape[:2]
    reach = [(axis.taps - 1) * axis.dilation // axis.stride for axis in (down, across)]
    sizes = [some.stop - some.start + more for some, more in zip((rows, cols), reach)]
    phases = scratch("phases", (down.phases, across.phases, c, *sizes, n))
    source = x.transpose(1, 2, 3, 0)
    for a in range(down.phases):
        first_row = rows.start * down.stride + a - down.before
        top, bottom = inside(first_row, down.stride, sizes[0], down.size)
        for b in range(across.phases):
            first_col = cols.start * across.stride + b - across.before
            left, right = inside(first_col, across.stride, sizes[1], across.size)
            to = phases[a, b]
            if top or bottom < sizes[0]:
                to[:, :top] = to[:, bottom:] = 0
            if left or right < sizes[1]:
                to[:, :, :left] = to[:, :, right:] = 0
            np.copyto(to[:, top:bottom, left:right], source[:, stepped((first_row, down.stride), top, bottom),
                                                            stepped((first_col, across.stride), left, right)])
    return phases
