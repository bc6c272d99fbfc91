"""im2col along one axis only: the exact method for kernels larger than one pixel.

im2col writes each pixel KH * KW times, and the writing costs as much as the product. Most of it is not needed.
Let the strip of an input row h hold what its pixels give to every column j of the output,

    strips[h, c, q, j] = x[c, h, j * stride + q]            C * KW rows of OW numbers,

one strip after the other. The KH * C * KW rows that output row i needs are then the strips
i * stride ... i * stride + KH - 1: *one contiguous block*, a matrix that nobody copied, overlapping
the next output row's. Each pixel is written KW times only, and a row of the output is

    out[:, i, :] = weight (F, KH * C * KW) @ strips[i * stride : i * stride + KH] (KH * C * KW, OW)

Work is cut into blocks whose strips stay in the processor's cache. Several samples share a block, side by
side in the last axis, so that the products are wide enough for BLAS.

Reference: M. Cho & D. Brand, MEC: memory-efficient convolution for deep neural network, ICML 2017,
arXiv:1706.06873.
"""

from dataclasses import dataclass

import numpy as np

from cnnlib._threads import run_all, scratch
from cnnlib.conv._tiles.memory import boxes, copy_inside, copy_phases, merge_last, rows_first, strided

BLOCK_BYTES = 2**21  # the strips of one block: with smaller ones, calls of NumPy cost more than the cache spares
MIN_WIDTH, MAX_WIDTH = 128, 2048  # columns of a product, where the batch and the picture have so many
MAX_BYTES = 2**22  # of the strips of one output row, however many channels there are
MIN_BLOCKS = 4  # so that two threads end at about the same time
SUM_BYTES = 2**18  # of products that are summed at once
SMALL = 2**24  # multiply-adds that are done before a second thread is of use


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
    for xs, ws, outs in zip(split(x, problem, 1), split(weight, problem, 0), split(out, problem, 1)):
        correlate(how, xs, ws, [outs])
    return True


def backward_x(grad_output, weight, problem, grad_x, batch_last):
    """Write the gradient of the input into `grad_x`; return whether it is finite.

    (Where it is not: around grad_output stand zeros here, which the definition does not multiply.)
    Input pixels that are `stride` apart meet the same taps of the kernel. Each such phase of the input is a
    correlation of grad_output at stride 1 with its own taps, rotated by half a turn.
    """
    groups = zip(split(grad_output, problem, 1), split(weight, problem, 0), split(grad_x, problem, 1))
    for grads, ws, grad_xs in groups:
        for how, taps, pixels in _phases(problem, batch_last):
            if how is None:
                grad_xs[pixels] = 0
            else:
                correlate(how, grads, ws[taps].swapaxes(0, 1), [grad_xs[pixels]])
    return bool(np.isfinite(grad_x.sum()))


def correlate(how, x, weight, outs):
    """Write the correlation of x (N, C, H, W) with weight (F, C, KH, KW), its filters dealt out to `outs` in order."""
    weights = weight.transpose(0, 2, 1, 3).reshape(len(weight), -1)  # (F, KH * C * KW), as the strips lie
    blocks = _blocks(how, x.shape[1], len(weight), outs[0].shape)
    run_all(lambda block: _correlate_block(how, x, weights, outs, block), blocks)


def backward_weight(grad_output, x, problem, grad_weight, batch_last):
    """Write the gradient of the weights into `grad_weight`: two fixed halves of the blocks, then their sum."""
    how = _correlation(problem, batch_last)
    groups = zip(split(grad_output, problem, 1), split(x, problem, 1), split(grad_weight, problem, 0))
    for grads, xs, grad_ws in groups:
        at_once = max(1, MAX_BYTES // grad_ws[0].nbytes)  # filters: the sums are held four times over
        for filters, in boxes((len(grad_ws), at_once)):
            _weight_gradient(how, xs, grads[:, filters], grad_ws[filters])
    return True


def _weight_gradient(how, x, grad_output, grad_weight):
    f, c, kh, kw = grad_weight.shape
    blocks = _blocks(how, c, f, grad_output.shape)
    sums = np.zeros((2, kh * c * kw, f), np.float32)
    run_all(lambda half: _add_weight_gradient(how, x, grad_output, blocks[half::2], sums[half]), range(2))
    np.copyto(grad_weight, (sums[0] + sums[1]).reshape(kh, c, kw, f).transpose(3, 1, 0, 2))


def split(array, problem, axis):
    """Return one view of `array` for each group of channels, which `axis` counts."""
    return [array] if problem.groups == 1 else np.split(array, problem.groups, axis)


def _correlation(problem, batch_last):
    start = tuple(-before for before, _ in problem.padding)
    return Correlation(start, problem.stride, problem.dilation, problem.kernel_size, batch_last)


def _phases(problem, batch_last):
    """Return for each phase of the input: its correlation (None if no tap meets it), its taps, its pixels."""
    rows, cols = ([phase(first, *axis) for first in range(min(axis[2], size))]
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


def phase(first, before, kernel_size, stride, dilation):
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


def _blocks(how, channels, filters, out_shape):
    """Return (samples, rows, cols) slices: wide enough for BLAS, small for the cache, enough for two threads."""
    n, _, oh, ow = out_shape
    if 0 in out_shape:
        return []
    (kh, kw), step = how.kernel_size, how.stride[0]
    small = filters * channels * kh * kw * n * oh * ow <= SMALL
    pixel = 4 * channels * kw  # bytes of one column in one strip
    strips_wanted = (min(oh, 2 * kh) - 1) * step + kh  # fewer rows, and most strips would be written twice
    width = min(max(MIN_WIDTH, BLOCK_BYTES // (pixel * strips_wanted)), MAX_WIDTH)
    width = max(1, min(width, MAX_BYTES // (pixel * kh)))
    if how.batch_last:
        samples = min(n, width)
        cols = min(ow, width // samples)
        if pixel * samples * ow * (3 * step + kh) <= BLOCK_BYTES:  # four whole rows at least: no copy of the result
            cols = ow
    else:
        cols = min(ow, max(width, 4 * MIN_WIDTH if width >= MIN_WIDTH else 1))
        samples = min(n, max(1, width // cols))
    strips = BLOCK_BYTES // (pixel * samples * cols)
    rows = (strips - kh) // step + 1 if how.dilation[0] == 1 else strips // kh
    rows = max(1, min(rows, oh))
    if not small:
        others = -(-n // samples) * -(-ow // cols)
        parts = max(-(-oh // rows), -(-MIN_BLOCKS // others))
        rows = -(-oh // min(oh, parts + parts * others % 2))  # even, so that two threads end together
    return boxes((n, samples), (oh, rows), (ow, cols))


def _correlate_block(how, x, weights, outs, block):
    """Write one block of a correlation; `weights` is the matrix (F, KH * C * KW)."""
    samples, rows, cols = block
    views = [rows_first(out[samples, :, rows, cols], how.batch_last) for out in outs]
    matrices = right_sides(how, x, block)
    flat = merge_last(views[0]) if len(views) == 1 else None
    if flat is not None:
        np.matmul(weights, matrices, out=flat)
        return
    count, filters, *last = views[0].shape
    product = scratch("product", (count, len(views), filters, *last))
    np.matmul(weights, matrices, out=product.reshape(count, len(weights), -1))
    for k, view in enumerate(views):
        np.copyto(view, product[:, k])


def _add_weight_gradient(how, x, grad_output, blocks, total):
    """Add the blocks' part of the gradient of the weights to `total`, of shape (KH * C * KW, F)."""
    for samples, rows, cols in blocks:
        view = rows_first(grad_output[samples, :, rows, cols], how.batch_last)
        matrices = right_sides(how, x, (samples, rows, cols))
        grads = merge_last(view)
        if grads is None:
            copy = scratch("product", view.shape)
            np.copyto(copy, view)
            grads = copy.reshape(*view.shape[:2], -1)
        at_once = max(1, SUM_BYTES // total.nbytes)  # rows whose products are kept until they are summed
        for few, in boxes((len(grads), at_once)):
            product = scratch("sum", (few.stop - few.start, *total.shape))
            np.matmul(matrices[few], grads[few].swapaxes(1, 2), out=product)
            total += product[0] if len(product) == 1 else product.sum(0)


def right_sides(how, x, block):
    """Return the right-hand sides of a block's products, (rows, KH * C * KW, width): one for each row of the output.

    Where rows are not dilated they are overlapping views of the strips; else each gets KH strips of its own.
    """
    x = x[block[0]]
    samples, count, cols = (s.stop - s.start for s in block)
    (kh, kw), step = how.kernel_size, how.stride[0]
    last = (cols, samples) if how.batch_last else (samples, cols)
    shape = (count, kh * x.shape[1] * kw, samples * cols)
    first_row = how.start[0] + block[1].start * step
    if how.dilation[0] == 1:
        strips = scratch("strips", ((count - 1) * step + kh, x.shape[1], kw, *last))
        _fill(strips, how, x, block[2], first_row, 1)
        return strided(strips, shape, (step * strips.strides[0], 4 * shape[2], 4))
    strips = scratch("strips", (count, kh, x.shape[1], kw, *last))
    for p in range(kh):
        _fill(strips[:, p], how, x, block[2], first_row + p * how.dilation[0], step)
    return strips.reshape(shape)


def _fill(strips, how, x, cols, first_row, row_step):
    """Fill strips (R, C, KW, samples and columns) from the rows first_row, first_row + row_step, ... of x."""
    by_name = strips.swapaxes(3, 4) if how.batch_last else strips  # (R, C, KW, samples, columns)
    step = how.stride[1]
    first_col = how.start[1] + cols.start * step
    if 1 < step < how.kernel_size[1] and how.dilation[1] == 1:
        _fill_by_phases(by_name, how.batch_last, x, first_row, row_step, first_col, step)
        return
    for q in range(how.kernel_size[1]):
        copy_inside(by_name[:, :, q], x, (first_row, row_step), (first_col + q * how.dilation[1], step))


def _fill_by_phases(strips, batch_last, x, first_row, row_step, first_col, step):
    """Fill strips whose columns are `step` apart: sort the columns by phase once, then each tap is a run of them.

    The taps of one phase are copied in one call: between two threads, calls are what costs.
    """
    rows, channels, kw, samples, cols = strips.shape
    width = cols + (kw - 1) // step
    phases = scratch("phases", (step, rows, channels, *((width, samples) if batch_last else (samples, width))))
    phases = phases.swapaxes(3, 4) if batch_last else phases
    copy_phases(phases, x, (first_row, row_step), (first_col, step))
    for p in range(step):
        to = strips[:, :, p::step]
        row, channel, sample, col = phases.strides[1:]
        np.copyto(to, strided(phases, to.shape, (row, channel, col, sample, col), (p,)))
