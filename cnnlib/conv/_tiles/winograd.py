"""Winograd's convolution of 3x3 kernels at stride 1, in tiles that stay in cache.

`cnnlib/conv/winograd.py` explains the method; its matrices are used here. A tile of m x m outputs needs
(m + 2)^2 products per pair of channels instead of 9 m^2: 4 times fewer for m = 4, 2.25 times fewer for m = 2.
Then the products, one matrix product over the channels for each of the (m + 2)^2 places of a tile, are only half
of the time, and everything depends on moving and transforming the tiles cheaply:

- A block is a few rows of tiles of a few samples: its buffers stay in the processor's cache.
- winograd_transforms.py says how they are moved and transformed.

The gradient of x is the same correlation with rotated kernels, U when transformed. Being linear in U as well, it also
gives the gradient of the weights, by its adjoint: with V the transformed tiles of grad_output, which both share,

    dx = A^T (U V) A        dU = sum over the tiles of V (A x A^T)^T        dw = G^T dU G, rotated back

Error: on standard normal numbers at most 2e-5 of the largest output (direct sums 2e-6). In general it is relative
not to what comes out but to what goes in: let E be the largest number of the 6x6 tile times the sum of the filter's
absolute weights. One rounding on the way costs up to 860 * 2^-24 E = 5e-5 E, which only patterns made for it come near;
elsewhere the error is below 3e-6 E. Direct sums stay below 1e-6 E, E being that of their own 3x3 window. So
- beside a number a million times larger, small outputs of the same tile lose their digits, where direct sums
  that never meet that number keep them;
- where large products cancel (a nearly constant picture, filters that sum to zero), both lose the digits of the output:
  1e-4 of the largest and more. Direct sums are no better there, as they add nine times as many numbers one by one.
A tile whose numbers overflow on the way, or hold a NaN or infinity, is spoilt as a whole: every function here returns
whether its result is finite, and the caller computes directly what is not.

References: A. Lavin & S. Gray, Fast algorithms for convolutional neural networks, CVPR 2016,
doi:10.1109/CVPR.2016.435.
"""

from functools import cache
from math import prod
from threading import get_ident

import numpy as np

from cnnlib._threads import run_all, scratch
from cnnlib.conv._tiles.memory import boxes
from cnnlib.conv._tiles.winograd_transforms import (
    InputTransform,
    OutputAdjoint,
    OutputTransform,
    matrices,
    plan,
)


def forward(x, weight, problem, out, batch_last):
    """Write the convolution of `x` with `weight` into `out`; return whether it is finite."""
    start = tuple(-before for before, _ in problem.padding)
    return _correlate(x, weight, out, plan(_tile(problem), start, out.shape, _channels(problem)), batch_last)


def backward_x(grad_output, weight, problem, grad_x, batch_last):
    """Write the gradient of the input into `grad_x`; return whether it is finite."""
    return _correlate(grad_output, _turned(weight), grad_x, _plan_backward(problem), batch_last)


def backward_weight(grad_output, x, problem, grad_weight, batch_last):
    """Write the gradient of the weights into `grad_weight`; return whether it is finite."""
    return backward(grad_output, x, None, problem, None, grad_weight, batch_last)


def backward(grad_output, x, weight, problem, grad_x, grad_weight, batch_last):
    """Write both gradients (or, where `weight` and `grad_x` are None, the second); return whether they are finite."""
    cut = _plan_backward(problem)
    filters = None if weight is None else _filter_places(_turned(weight), cut)
    f, c = grad_weight.shape[:2]
    sums, finite = np.empty((2, cut.side**2, f, c), np.float32), []

    @cache
    def stages(thread, size):
        buffers = _buffers("", cut, size, max(f, c))
        return (InputTransform(cut, size, f, buffers), OutputAdjoint(cut, size, c, _buffers("x ", cut, size, c)),
                OutputTransform(cut, size, c, buffers))

    def work(half):
        blocks = cut.blocks[half::2]
        if not blocks:
            sums[half] = 0
        for block in blocks:
            read, read_x, write = stages(get_ident(), _size(block))
            tiles = read(grad_output, block, batch_last)
            _add_products(tiles, read_x(x, block), sums[half], first=block is blocks[0])
            if filters is not None:
                np.matmul(filters, tiles, out=write.products)
                finite.append(write(grad_x, block))

    run_all(work, range(2))
    _, kernel, _ = matrices(cut.tile)
    np.add(sums[0], sums[1], out=sums[0])
    taps = np.kron(kernel, kernel).T @ sums[0].reshape(cut.side**2, -1)
    np.copyto(_turned(grad_weight), taps.reshape(3, 3, f, c).transpose(3, 2, 1, 0))
    return all(finite) and bool(np.isfinite(grad_weight).all())


def _turned(weight):
    """View the kernels as those of the way back: C filters of F channels, rotated by half a turn."""
    return weight[:, :, ::-1, ::-1].swapaxes(0, 1)


def _plan_backward(problem):
    start = tuple(before - 2 for before, _ in problem.padding)
    return plan(_tile(problem), start, problem.x_shape, _channels(problem))


def _channels(problem):
    """Return how many of input or output, whichever are more."""
    return max(problem.weight_shape[:2])


def _tile(problem):
    """Return the side of an output tile: 4 is fastest."""
    return 4


def _filter_places(weight, cut):
    """Return the transformed kernels, G w G^T: (places, F, C), places being (column, row) as those of the tiles."""
    f, c = weight.shape[:2]
    _, kernel, _ = matrices(cut.tile)
    places = np.empty((cut.side**2, f, c), np.float32)

    def work(filters):
        taps = weight[filters].transpose(3, 2, 0, 1).reshape(9, -1)
        np.matmul(np.kron(kernel, kernel), taps, out=places[:, filters].reshape(cut.side**2, -1))

    run_all(work, [filters for filters, in boxes((f, max(1, 2**13 // c)))])
    return places


def _correlate(x, weight, out, cut, batch_last):
    """Write the correlation of x (N, C, H, W) with weight (F, C, 3, 3) into `out`; return whether it is finite."""
    filters = _filter_places(weight, cut)
    finite = []  # list.append is atomic

    @cache
    def stages(thread, size):
        f, c = weight.shape[:2]
        buffers = _buffers("", cut, size, max(f, c))
        return InputTransform(cut, size, c, buffers), OutputTransform(cut, size, f, buffers)

    def work(block):
        read, write = stages(get_ident(), _size(block))
        np.matmul(filters, read(x, block, batch_last), out=write.products)
        finite.append(write(out, block))

    run_all(work, cut.blocks)
    return all(finite)


def _size(block):
    return tuple(part.stop - part.start for part in block)


def _buffers(name, cut, size, channels):
    """Return the two buffers, flat: of a block's stages none takes more than its tiles of the most channels."""
    return [scratch(f"winograd {name}{k}", (cut.side**2 * channels * prod(size),)) for k in range(2)]


def _add_products(tiles, others, total, first):
    """Add to `total`, for each place, tiles (F, tiles) @ others (C, tiles) transposed; at `first`, set it.

    A few places at a time, so that their products are still in cache when they are added.
    """
    for places, in boxes((len(total), 6)):
        pair = tiles[places], others[places].swapaxes(1, 2)
        if first:
            np.matmul(*pair, out=total[places])
        else:
            total[places] += np.matmul(*pair, out=scratch("winograd sum", total[places].shape))
