"""im2col in blocks that fit the cache, each product as wide as the block: the exact method for strided convolutions.

A strided convolution reads every `stride`-th pixel, and a run of pixels that are not neighbours is slow to copy nine
times over. So the columns of each block of a picture are first sorted by phase, once:

    phases[b, c, i, l] = x[c, i, stride * l + b]

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

from cnnlib._threads import run_all, scratch
from cnnlib.conv._tiles.memory import boxes, copy_phases, inside, stepped, strided
from cnnlib.conv._tiles.strips import split

COLUMN_BYTES = 2**21  # of one block
FORWARD_BYTES = 2**20  # the same, forward: more blocks, so that the quicker thread can take more of them
MIN_WIDTH = 128  # positions of a product, where the picture has so many
MAX_BYTES = 2**22  # of the weights' gradient that is summed at once


def forward(x, weight, problem, out, batch_last):
    """Write the convolution of `x` with `weight` into `out`; return True: it is what the definition gives."""
    for xs, ws, outs in zip(split(x, problem, 1), split(weight, problem, 0), split(out, problem, 1)):
        weights = ws.transpose(0, 2, 3, 1).reshape(len(ws), -1)  # (F, KH * KW * C), as the columns lie

        def work(block, xs=xs, weights=weights, outs=outs):
            samples, rows, cols = block
            np.matmul(weights, _columns(xs[samples], problem, rows, cols), out=_view(outs[samples, :, rows, cols]))

        run_all(work, _blocks(problem, batch_last, FORWARD_BYTES))
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
    cols, oh, n = _axis(problem), problem.out_size[0], len(grad_x)
    step, spacing, before = problem.stride[0], problem.dilation[0], problem.padding[0][0]
    height = _height(problem, oh)
    sums = scratch("phase sums", (cols.phases, c, height, cols.length, n))
    sums[...] = 0
    weights = weight.transpose(2, 3, 1, 0).reshape(-1, f)
    for some, in boxes((oh, _rows_at_once(len(weights), cols.count * n))):
        grads = _positions(grad_output[:, :, some])
        shares = scratch("columns", (kh, kw, c, some.stop - some.start, cols.count, n))
        np.matmul(weights, grads, out=shares.reshape(len(weights), -1))
        for p in range(kh):
            rows = stepped((p * spacing, step), some.start, some.stop)
            for q in range(kw):
                b, m = cols.tap(q)
                sums[b, :, rows, m:m + cols.count] += shares[p, q]
    to = grad_x.transpose(1, 2, 3, 0)
    top, bottom = inside(-before, 1, height, to.shape[1])
    if not cols.covered or bottom - top < to.shape[1]:
        to[...] = 0
    for b in range(cols.phases):
        pixels, places = cols.pixels(b)
        np.copyto(to[:, top - before:bottom - before, pixels], sums[b, :, top:bottom, places])


def _height(problem, rows):
    """Return how many rows of the padded picture so many output rows read."""
    return (rows - 1) * problem.stride[0] + (problem.kernel_size[0] - 1) * problem.dilation[0] + 1


@dataclass(frozen=True)
class Axis:
    """The columns of a problem, sorted by phase."""

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


def _axis(problem):
    return Axis(problem.x_shape[3], problem.padding[1][0], problem.stride[1], problem.dilation[1],
                problem.kernel_size[1], problem.out_size[1])


def _blocks(problem, batch_last, size=COLUMN_BYTES):
    """Return (samples, rows, cols) slices of the output, each a few rows, or a part of one row."""
    (n, _, _, _), (oh, ow) = problem.x_shape, problem.out_size
    samples = n if batch_last else 1
    depth = problem.weight_shape[1] * problem.kernel_size[0] * problem.kernel_size[1]
    if not n:
        return []
    rows = _rows_at_once(depth, ow * samples, size)
    cols = ow if 4 * depth * ow * samples <= 2 * size else max(1, 2 * size // (4 * depth * samples))
    return boxes((n, samples), (oh, rows if cols == ow else 1), (ow, cols))


def _rows_at_once(depth, row, size=COLUMN_BYTES):
    """Return how many output rows of `row` positions make a block of columns of `depth` numbers."""
    return max(1, size // (4 * depth * row), min(-(-MIN_WIDTH // row), 2 * size // (4 * depth * row)))


def _view(block):
    """View (N, C, R, S) as (C, positions); None where memory does not allow it."""
    n, c, r, s = block.shape
    _, channel, row, col = block.strides
    sample = 4 if n == 1 else block.strides[0]
    if sample != 4 or s > 1 and col != 4 * n or r > 1 and row != 4 * n * s:
        return None
    return strided(block, (c, r * s * n), (channel, 4))


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
    r, s, across = rows.stop - rows.start, cols.stop - cols.start, _axis(problem)
    phases = _phases(x, problem, rows, across, cols)
    columns = scratch("columns", (*problem.kernel_size, c, r, s, n))
    for b in range(across.phases):
        qs = _taps(across, b)
        if qs is not None:
            m, dm = _shifts(across, qs)
            to, (_, channel, row, col, sample) = columns[:, qs], phases.strides
            steps = problem.dilation[0] * row, dm * col, channel, problem.stride[0] * row, col, sample
            np.copyto(to, strided(phases, to.shape, steps, (b, 0, 0, m)))
    return columns.reshape(-1, r * s * n)


def _taps(axis, a):
    """Return the taps that read phase a, as a slice, or None."""
    step = axis.stride // gcd(axis.stride, axis.dilation)
    first = next((p for p in range(min(step, axis.taps)) if p * axis.dilation % axis.stride == a), None)
    return None if first is None else slice(first, axis.taps, step)


def _shifts(axis, taps):
    """Return where the first of the taps begins in its phase, and how far apart they are."""
    return taps.start * axis.dilation // axis.stride, taps.step * axis.dilation // axis.stride


def _phases(x, problem, rows, across, cols):
    """Return x (N, C, H, W) around some output positions, its columns by phases: (phases, C, R, S, N), zero outside."""
    n, c = x.shape[:2]
    width = cols.stop - cols.start + (across.taps - 1) * across.dilation // across.stride
    phases = scratch("phases", (across.phases, c, _height(problem, rows.stop - rows.start), width, n))
    first_row, first_col = rows.start * problem.stride[0] - problem.padding[0][0], cols.start * across.stride
    copy_phases(phases.transpose(0, 2, 1, 4, 3), x, (first_row, 1), (first_col - across.before, across.stride))
    return phases
