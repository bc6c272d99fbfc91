"""im2col along one axis only: the exact method for kernels larger than one pixel.

im2col writes each pixel KH * KW times, and the writing costs as much as the product. Most of it is not needed.
Let the strip of an input row h hold what its pixels give to every column j of the output,

    strips[h, c, q, j] = x[c, h, j * stride + q]            C * KW rows of OW numbers,

one strip after the other. The KH * C * KW rows that output row i needs are then the strips
i * stride ... i * stride + KH - 1: *one contiguous block*, a matrix that nobody copied, overlapping
the next output row's. Each pixel is written KW times only, and a row of the output is

    out[:, i, :] = weight (F, KH * C * KW) @ strips[i * stride : i * stride + KH] (KH * C * KW, OW)

Work is cut into blocks whose strips stay in the second-level cache. Several samples share a block, side by
side in the last axis, so that the products are wide enough for BLAS.

Reference: M. Cho & D. Brand, MEC: memory-efficient convolution for deep neural network, ICML 2017,
arXiv:1706.06873.
"""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import as_strided

from cnnlib.conv._tiles.memory import boxes, inside, merge_last, rows_first
from cnnlib.conv._tiles.threads import run_all, scratch

BLOCK_BYTES = 2**19  # the strips of one block: half of a typical second-level cache
BLOCK_WIDTH = 256  # columns of a product, where the batch and the picture have so many
MIN_BLOCKS = 4  # so that two threads end at about the same time


@dataclass(frozen=True)
class Correlation:
    """What is to be computed for each group, in words that suit gradients too.

    ``out[n, f, i, j] = sum over c, p, q of weight[f, c, p, q] * x[n, c, row, col]`` where (row, col) is
    ``start + (i, j) * stride + (p, q) * dilation``, and x is zero outside. A start may be positive (it crops, where a
    padding would be negative), and the output may have any size.
    """

    start: tuple  # (row, col)
    stride: tuple
    dilation: tuple
    kernel_size: tuple
    batch_last: bool  # the memory order to work in


def forward(x, weight, problem, out, batch_last):
    """Write the convolution of `x` with `weight` into `out`; return True: it is what the definition gives."""
    how = _correlation(problem, batch_last)
    jobs = [(how, xs, ws, outs, block)
            for xs, ws, outs in zip(split(x, problem, 1), split(weight, problem, 0), split(out, problem, 1))
            for block in _blocks(how, xs.shape[1], outs.shape)]
    run_all(lambda job: _correlate(*job), jobs)
    return True


def backward_x(grad_output, weight, problem, grad_x, batch_last):
    """Write the gradient of the input into `grad_x`; return whether it is finite.

    (Where it is not: around grad_output stand zeros here, which the definition does not multiply.)
    Input pixels that are `stride` apart meet the same taps of the kernel. Each such phase of the input is a
    correlation of grad_output at stride 1 with its own taps, rotated by half a turn.
    """
    jobs = []
    groups = zip(split(grad_output, problem, 1), split(weight, problem, 0), split(grad_x, problem, 1))
    for grads, ws, grad_xs in groups:
        for how, taps, pixels in _phases(problem, batch_last):
            phase = grad_xs[pixels]
            if how is None:
                phase[...] = 0
            else:
                turned = ws[taps].swapaxes(0, 1)
                jobs += [(how, grads, turned, phase, block) for block in _blocks(how, grads.shape[1], phase.shape)]
    run_all(lambda job: _correlate(*job), jobs)
    return bool(np.isfinite(grad_x.sum()))


def backward_weight(grad_output, x, problem, grad_weight, batch_last):
    """Write the gradient of the weights into `grad_weight`: two fixed halves of the blocks, then their sum."""
    how = _correlation(problem, batch_last)
    groups = zip(split(grad_output, problem, 1), split(x, problem, 1), split(grad_weight, problem, 0))
    for grads, xs, grad_ws in groups:
        f, c, kh, kw = grad_ws.shape
        blocks = _blocks(how, c, grads.shape)
        sums = np.zeros((2, f, kh * c * kw), np.float32)
        run_all(lambda half: _add_weight_gradient(how, xs, grads, blocks[half::2], sums[half]), range(2))
        np.copyto(grad_ws, (sums[0] + sums[1]).reshape(f, kh, c, kw).transpose(0, 2, 1, 3))
    return True


def split(array, problem, axis):
    """Return one view of `array` for each group of channels, which `axis` counts."""
    return np.split(array, problem.groups, axis)


def _correlation(problem, batch_last):
    start = tuple(-before for before, _ in problem.padding)
    return Correlation(start, problem.stride, problem.dilation, problem.kernel_size, batch_last)


def _phases(problem, batch_last):
    """Return for each phase of the input: its correlation (None if no tap meets it), its taps, its pixels."""
    rows, cols = ([_phase(first, *axis) for first in range(min(axis[2], size))]
                  for size, axis in zip(problem.x_shape[2:], zip(
                      (before for before, _ in problem.padding), problem.kernel_size, problem.stride,
                      problem.dilation)))
    phases = []
    for row_pixels, row_taps, *row in rows:
        for col_pixels, col_taps, *col in cols:
            how = None
            if row_taps is not None and col_taps is not None:
                start, dilation, kernel_size = zip(row, col)
                how = Correlation(start, (1, 1), dilation, kernel_size, batch_last)
            phases.append((how, (..., row_taps, col_taps), (..., row_pixels, col_pixels)))
    return phases


def _phase(first, before, kernel_size, stride, dilation):
    """Describe the pixels first, first + stride, ... of one axis: pixels, taps, start, dilation, number of taps.

    Tap k reads pixel h for output i where ``i * stride + k * dilation = h + before``. So the taps of a phase are
    evenly spaced, and so are the outputs they serve, in the opposite order.
    """
    pixels = slice(first, None, stride)
    taps = [k for k in range(kernel_size) if (first + before - k * dilation) % stride == 0]
    if not taps:
        return pixels, None, 0, 1, 0
    outputs = [(first + before - k * dilation) // stride for k in taps]
    if len(taps) == 1:
        return pixels, slice(taps[0], taps[0] + 1), outputs[0], 1, 1
    step = taps[1] - taps[0]
    backwards = slice(taps[-1], taps[0] - 1 if taps[0] else None, -step)
    return pixels, backwards, outputs[-1], outputs[0] - outputs[1], len(taps)


def _blocks(how, channels, out_shape):
    """Return (samples, rows, cols) slices: wide enough for BLAS, small for the cache, enough for two threads."""
    n, _, oh, ow = out_shape
    if 0 in out_shape:
        return []
    if how.batch_last:
        samples = min(n, 2 * BLOCK_WIDTH)
        cols = min(ow, max(1, BLOCK_WIDTH // samples))
    else:
        cols = min(ow, 2 * BLOCK_WIDTH)
        samples = min(n, max(1, BLOCK_WIDTH // cols))
    kh, kw = how.kernel_size
    strip = 4 * channels * kw * samples * cols
    if how.dilation[0] == 1:
        rows = (BLOCK_BYTES // strip - kh) // how.stride[0] + 1
    else:
        rows = BLOCK_BYTES // (strip * kh)
    others = -(-n // samples) * -(-ow // cols)
    rows = max(1, min(rows, -(-oh * others // MIN_BLOCKS)))
    return boxes((n, samples), (oh, rows), (ow, cols))


def _correlate(how, x, weight, out, block):
    """Write one block of the correlation of x (N, C, H, W) with weight (F, C, KH, KW)."""
    samples, rows, cols = block
    view = rows_first(out[samples, :, rows, cols], how.batch_last)
    weights = weight.transpose(0, 2, 1, 3).reshape(len(weight), -1)
    matrices = _matrices(how, x, block, view)
    flat = merge_last(view)
    if flat is not None:
        np.matmul(weights, matrices, out=flat)
        return
    product = scratch("product", view.shape)
    np.matmul(weights, matrices, out=product.reshape(*view.shape[:2], -1))
    np.copyto(view, product)


def _add_weight_gradient(how, x, grad_output, blocks, total):
    """Add the blocks' part of the gradient of the weights to `total`, of shape (F, KH * C * KW)."""
    for samples, rows, cols in blocks:
        view = rows_first(grad_output[samples, :, rows, cols], how.batch_last)
        matrices = _matrices(how, x, (samples, rows, cols), view).swapaxes(1, 2)
        grads = merge_last(view)
        if grads is None:
            copy = scratch("product", view.shape)
            np.copyto(copy, view)
            grads = copy.reshape(*view.shape[:2], -1)
        product = scratch("sum", total.shape)
        for grad, matrix in zip(grads, matrices):
            np.matmul(grad, matrix, out=product)
            total += product


def _matrices(how, x, block, out):
    """Return the right-hand sides of a block's products, (rows, KH * C * KW, width): one for each row of `out`.

    Where rows are not dilated they are overlapping views of the strips; else each gets KH strips of its own.
    """
    samples, rows, _ = block
    x = x[samples]
    count, (kh, kw), stride = len(out), how.kernel_size, how.stride[0]
    depth, last = x.shape[1] * kw, out.shape[2:]
    shape = (count, kh * depth, last[0] * last[1])
    first_row = how.start[0] + rows.start * stride
    if how.dilation[0] == 1:
        strips = scratch("strips", ((count - 1) * stride + kh, x.shape[1], kw, *last))
        _fill(strips, how, x, block, first_row, 1)
        return as_strided(strips, shape, (stride * strips.strides[0], 4 * shape[2], 4))
    strips = scratch("strips", (count, kh, x.shape[1], kw, *last))
    for p in range(kh):
        _fill(strips[:, p], how, x, block, first_row + p * how.dilation[0], stride)
    return strips.reshape(shape)


def _fill(strips, how, x, block, first_row, row_step):
    """Fill strips (R, C, KW, samples and columns) from the rows first_row, first_row + row_step, ... of x."""
    by_name = strips.swapaxes(3, 4) if how.batch_last else strips  # (R, C, KW, samples, columns)
    step, height, width = how.stride[1], *x.shape[2:]
    top, bottom = inside(first_row, row_step, len(strips), height)
    strips[:top] = 0
    strips[bottom:] = 0
    rows = slice(first_row + top * row_step, first_row + bottom * row_step, row_step)
    for q in range(how.kernel_size[1]):
        tap = by_name[top:bottom, :, q]
        start = how.start[1] + block[2].start * step + q * how.dilation[1]
        left, right = inside(start, step, tap.shape[3], width)
        tap[..., :left] = 0
        tap[..., right:] = 0
        cols = slice(start + left * step, start + right * step, step)
        if top < bottom and left < right:
            np.copyto(tap[..., left:right], x[:, :, rows, cols].transpose(2, 1, 0, 3))
