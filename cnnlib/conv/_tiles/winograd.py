"""Winograd's convolution of 3x3 kernels at stride 1, in tiles that stay in cache.

`cnnlib/conv/winograd.py` explains the method; its matrices are used here. A tile of m x m outputs needs
(m + 2)^2 products per pair of channels instead of 9 m^2: 4 times fewer for m = 4, 2.25 times fewer for m = 2.
Then the products, one matrix product over the channels for each of the (m + 2)^2 places of a tile, are only half
of the time, and everything depends on moving and transforming the tiles cheaply:

- A block is a few rows of tiles of a few samples: all its buffers together fit the second-level cache. Stages
  write to and fro between two buffers, so that each finds its input where the last one left it.
- Samples stand innermost, four at a time: what is moved is then 16 bytes, one complex128 to NumPy.
- Rows of tiles are cut from rows of the picture by a view; transforming along the rows first, before the tiles
  are cut along the columns too, spares a third of that work.
- Each transform is a product of a small matrix with a very wide one (6 rows, thousands of columns).

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

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.lib.stride_tricks import as_strided

from cnnlib._threads import run_all, scratch
from cnnlib.conv._tiles.memory import boxes, inside, rows_first
from cnnlib.conv.winograd import TRANSFORMS

BLOCK_TILES = 64  # tiles of a block, summed over its samples: the width of the products


@dataclass(frozen=True)
class Plan:
    """A stride-1 correlation with 3x3 kernels, cut into blocks of tiles."""

    tile: int  # m, outputs along one side of a tile
    start: tuple  # (row, col) of x that output (0, 0) begins to read at; x is zero outside
    counts: tuple  # tiles along (rows, cols)
    blocks: list  # of (samples, tile rows, tile cols), slices

    @property
    def side(self):
        return self.tile + 2


def plan(tile, start, out_shape):
    """Return the :class:`Plan` for an output (N, F, OH, OW)."""
    n, _, oh, ow = out_shape
    counts = -(-oh // tile), -(-ow // tile)
    samples = 4
    cols = min(counts[1], max(1, BLOCK_TILES // samples))
    rows = min(counts[0], max(1, BLOCK_TILES // (samples * cols)))
    groups = [slice(k, min(k + samples, n)) for k in range(0, n, samples)]
    return Plan(tile, start, counts, [(group, *box) for group in groups
                                      for box in boxes((counts[0], rows), (counts[1], cols))])


@cache
def transforms(tile):
    """Return Winograd's B^T (input), G (kernel) and A^T (output) for m = `tile`, in float32."""
    return [np.array(matrix, np.float32) for matrix in TRANSFORMS[tile]]


def forward(x, weight, problem, out, batch_last):
    """Write the convolution of `x` with `weight` into `out`; return whether it is finite."""
    start = tuple(-before for before, _ in problem.padding)
    return _correlate(x, weight, out, plan(_tile(problem), start, out.shape), batch_last)


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

    def work(half):
        blocks = cut.blocks[half::2]
        if not blocks:
            sums[half] = 0
        for block in blocks:
            tiles = _input_tiles(grad_output, cut, block, batch_last)
            _add_products(tiles, _output_tiles(x, cut, block), sums[half], first=block is blocks[0])
            if filters is not None:
                finite.append(_write(_products(filters, tiles), grad_x, cut, block))

    run_all(work, range(2))
    _, kernel, _ = transforms(cut.tile)
    np.add(sums[0], sums[1], out=sums[0])
    taps = np.kron(kernel, kernel).T @ sums[0].reshape(cut.side**2, -1)
    np.copyto(_turned(grad_weight), taps.reshape(3, 3, f, c).transpose(3, 2, 1, 0))
    return all(finite) and bool(np.isfinite(grad_weight).all())


def _turned(weight):
    """View the kernels as those of the way back: C filters of F channels, rotated by half a turn."""
    return weight[:, :, ::-1, ::-1].swapaxes(0, 1)


def _plan_backward(problem):
    return plan(_tile(problem), tuple(before - 2 for before, _ in problem.padding), problem.x_shape)


def _tile(problem):
    """Return the side of an output tile: 4 is fastest."""
    return 4


def _filter_places(weight, cut):
    """Return the transformed kernels, G w G^T: (places, F, C), places being (column, row) as those of the tiles."""
    f, c = weight.shape[:2]
    _, kernel, _ = transforms(cut.tile)
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

    def work(block):
        tiles = _input_tiles(x, cut, block, batch_last)
        finite.append(_write(_products(filters, tiles), out, cut, block))

    run_all(work, cut.blocks)
    return all(finite)


def _products(filters, tiles):
    """Return, for each place, filters (F, C) @ tiles (C, tiles)."""
    return np.matmul(filters, tiles, out=_buffer("ping", (*filters.shape[:2], tiles.shape[-1])))


def _buffer(name, shape):
    return scratch(f"winograd {name}", shape)


def _input_tiles(x, cut, block, batch_last):
    """Return the transformed tiles of a block, B^T d B: (places, C, tiles), places being (column, row)."""
    samples, tile_rows, tile_cols = block
    into, _, _ = transforms(cut.tile)
    m, side, c = cut.tile, cut.side, x.shape[1]
    n, rows, cols = (s.stop - s.start for s in block)
    picture = _buffer("ping", (m * rows + 2, c, m * cols + 2, n))
    _load(picture, x[samples], cut.start[0] + m * tile_rows.start, cut.start[1] + m * tile_cols.start,
          batch_last)
    width = c * picture.shape[2] * n
    by_rows = as_strided(picture, (rows, side, width), (m * picture.strides[0], picture.strides[0], 4))
    half = _buffer("pong", (rows, side, c, picture.shape[2], n))
    np.matmul(into, by_rows, out=half.reshape(rows, side, width))
    tiles = _buffer("ping", (side, side, c, rows, cols, n))
    row, place, channel, col, sample = half.strides
    _move(tiles, as_strided(half, tiles.shape, (col, place, channel, row, m * col, sample)))
    places = _buffer("pong", (side**2, c, rows * cols * n))
    np.matmul(into, tiles.reshape(side, -1), out=places.reshape(side, -1))
    return places


def _load(picture, x, first_row, first_col, batch_last):
    """Fill `picture` (rows, C, cols, samples) with x from a corner on, zero outside.

    One sample after the other where their rows are far apart: NumPy's innermost loop is then a row, not four samples.
    """
    top, bottom = inside(first_row, 1, picture.shape[0], x.shape[2])
    left, right = inside(first_col, 1, picture.shape[2], x.shape[3])
    picture[:top] = 0
    picture[bottom:] = 0
    picture[top:bottom, :, :left] = 0
    picture[top:bottom, :, right:] = 0
    source = x[:, :, first_row + top:first_row + bottom, first_col + left:first_col + right]
    to, source = picture[top:bottom, :, left:right], rows_first(source, True)
    if batch_last:
        _move(to, source)
    else:
        for k in range(to.shape[-1]):
            np.copyto(to[..., k], source[..., k])


def _write(products, out, cut, block):
    """Transform products (places, F, tiles) back, A^T M A, into their block of `out`; return whether finite."""
    samples, tile_rows, tile_cols = block
    _, _, back = transforms(cut.tile)
    m, side, f = cut.tile, cut.side, products.shape[1]
    n, rows, cols = (s.stop - s.start for s in block)
    half = _buffer("pong", (m, side, products[0].size))
    np.matmul(back, products.reshape(side, -1), out=half.reshape(m, -1))
    tiles = _buffer("ping", (m, m, f, rows, cols, n))  # (column, row) in the tile
    np.matmul(back, half, out=tiles.reshape(m, m, -1))
    picture = _buffer("pong", (f, rows, m, cols, m, n))
    _move(picture, tiles.transpose(2, 3, 1, 4, 0, 5))
    to = out[samples, :, m * tile_rows.start:m * tile_rows.stop, m * tile_cols.start:m * tile_cols.stop]
    source = picture.reshape(f, rows * m, cols * m, n)
    _move(to.transpose(1, 2, 3, 0), source[:, :to.shape[2], :to.shape[3]])
    return bool(np.isfinite(picture.sum()))  # the sum of numbers that are not all finite is not


def _output_tiles(grad_output, cut, block):
    """Return the adjoint of :func:`_write`, A dy A^T: (places, F, tiles)."""
    samples, tile_rows, tile_cols = block
    _, _, back = transforms(cut.tile)
    m, side, f = cut.tile, cut.side, grad_output.shape[1]
    n, rows, cols = (s.stop - s.start for s in block)
    picture = _buffer("dy ping", (f, rows * m, cols * m, n))
    source = grad_output[samples, :, m * tile_rows.start:m * tile_rows.stop, m * tile_cols.start:m * tile_cols.stop]
    picture[:, source.shape[2]:] = 0
    picture[:, :, source.shape[3]:] = 0
    _move(picture[:, :source.shape[2], :source.shape[3]], source.transpose(1, 2, 3, 0))
    tiles = _buffer("dy pong", (m, m, f, rows, cols, n))
    _move(tiles, picture.reshape(f, rows, m, cols, m, n).transpose(4, 2, 0, 1, 3, 5))
    half = _buffer("dy ping", (m, side, tiles[0, 0].size))
    np.matmul(back.T, tiles.reshape(m, m, -1), out=half)
    places = _buffer("dy pong", (side**2, f, rows * cols * n))
    np.matmul(back.T, half.reshape(m, -1), out=places.reshape(side, -1))
    return places


def _add_products(tiles, others, total, first):
    """Add to `total`, for each place, tiles (F, tiles) @ others (C, tiles) transposed; at `first`, set it.

    A few places at a time, so that their products are still in cache when they are added.
    """
    for places, in boxes((len(total), 6)):
        pair = tiles[places], others[places].swapaxes(1, 2)
        if first:
            np.matmul(*pair, out=total[places])
        else:
            total[places] += np.matmul(*pair, out=_buffer("sum", total[places].shape))


def _move(to, source):
    """Copy; four float32 side by side move as one complex128."""
    wide = {2: np.complex64, 4: np.complex128}.get(to.shape[-1])
    if wide and to.strides[-1] == source.strides[-1] == 4:
        to, source = to.view(wide)[..., 0], source.view(wide)[..., 0]
    np.copyto(to, source)
