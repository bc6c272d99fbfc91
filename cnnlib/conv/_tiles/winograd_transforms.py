"""Winograd's transforms of one block of tiles after another.

Each stage writes to and fro between two buffers, so that the next finds its input where the last one left it. All
blocks of one size go through the same buffers: the views of them, some twenty, are made once for each thread.

- Samples stand innermost, four at a time: what is moved is then 16 bytes, one complex128 to NumPy.
- Rows of tiles are cut from rows of the picture by a view; transforming along the rows first, before the tiles
  are cut along the columns too, spares a third of that work.
- Each transform is a product of a small matrix with a very wide one (6 rows, thousands of columns).
"""

from dataclasses import dataclass
from functools import cache
from math import prod

import numpy as np

from cnnlib.conv._tiles.memory import boxes, inside, rows_first, strided
from cnnlib.conv._tiles.steps import Steps
from cnnlib.conv.winograd import TRANSFORMS

BLOCK_TILES = 64, 128  # tiles of a block, summed over its samples, the width of the products: at least, at most
BLOCK_BYTES = 2**21  # between the two, as many as make a buffer of this size


@dataclass(frozen=True)
class Plan:
    """A stride-1 correlation with 3x3 kernels, cut into blocks of tiles."""

    tile: int  # m, outputs along one side of a tile
    start: tuple  # (row, col) of x that output (0, 0) begins to read at; x is zero outside
    blocks: list  # of (samples, tile rows, tile cols), slices

    @property
    def side(self):
        return self.tile + 2


def plan(tile, start, out_shape, channels):
    """Return the :class:`Plan` for an output (N, F, OH, OW), and so many channels of input or output."""
    n, _, oh, ow = out_shape
    counts = -(-oh // tile), -(-ow // tile)
    samples, (least, most) = 4, BLOCK_TILES
    tiles = max(least, min(most, BLOCK_BYTES // (4 * (tile + 2)**2 * channels)))
    cols = min(counts[1], tiles // samples)
    rows = min(counts[0], tiles // (samples * cols))
    groups = [slice(k, min(k + samples, n)) for k in range(0, n, samples)]
    return Plan(tile, start, [(group, *box) for group in groups
                              for box in boxes((counts[0], rows), (counts[1], cols))])


@cache
def matrices(tile):
    """Return Winograd's B^T (input), G (kernel) and A^T (output) for m = `tile`, in float32."""
    return [np.array(matrix, np.float32) for matrix in TRANSFORMS[tile]]


class InputTransform:
    """B^T d B of the tiles of a block of this size, (samples, tile rows, tile cols)."""

    def __init__(self, cut, size, channels, buffers):
        (n, rows, cols), (ping, pong) = size, buffers
        into, _, _ = matrices(cut.tile)
        m, side = cut.tile, cut.side
        self.cut = cut
        self.picture = _view(ping, (m * rows + 2, channels, m * cols + 2, n))
        width = self.picture[0].size
        by_rows = strided(self.picture, (rows, side, width), (4 * m * width, 4 * width, 4))
        half = _view(pong, (rows, side, channels, m * cols + 2, n))
        tiles = _view(ping, (side, side, channels, rows, cols, n))
        row, place, channel, col, sample = half.strides
        cut_out = strided(half, tiles.shape, (col, place, channel, row, m * col, sample))
        self.places = _view(pong, (side**2, channels, n * rows * cols))
        self.steps = Steps()
        self.steps.add(np.matmul, into, by_rows, half.reshape(rows, side, width))
        self.steps.add(np.copyto, *_wide(tiles, cut_out))
        self.steps.add(np.matmul, into, tiles.reshape(side, -1), self.places.reshape(side, -1))

    def __call__(self, x, block, batch_last):
        """Return the transformed tiles of a block of x (N, C, H, W): (places, C, tiles), places being (column, row)."""
        samples, *tiles = block
        corner = (start + self.cut.tile * part.start for start, part in zip(self.cut.start, tiles))
        _load(self.picture, x[samples], *corner, batch_last)
        self.steps.run()
        return self.places


class OutputTransform:
    """A^T M A of the products of a block of this size; `products` (places, F, tiles) is to be filled with them."""

    def __init__(self, cut, size, filters, buffers):
        (n, rows, cols), (ping, pong) = size, buffers
        _, _, back = matrices(cut.tile)
        m, side = cut.tile, cut.side
        self.cut = cut
        self.products = _view(ping, (side**2, filters, n * rows * cols))
        half = _view(pong, (m, side, self.products[0].size))
        tiles = _view(ping, (m, m, filters, rows, cols, n))  # (column, row) in the tile
        picture = _view(pong, (filters, rows, m, cols, m, n))
        self.picture = picture.reshape(filters, rows * m, cols * m, n)
        self.steps = Steps()
        self.steps.add(np.matmul, back, self.products.reshape(side, -1), half.reshape(m, -1))
        self.steps.add(np.matmul, back, half, tiles.reshape(m, m, -1))
        self.steps.add(np.copyto, *_wide(picture, tiles.transpose(2, 3, 1, 4, 0, 5)))

    def __call__(self, out, block):
        """Write the block of `out` (N, F, OH, OW); return whether it is finite."""
        self.steps.run()
        to = _pixels(out, self.cut, block)
        np.copyto(*_wide(to, self.picture[:, :to.shape[1], :to.shape[2]]))
        return bool(np.isfinite(self.picture.sum()))  # the sum of numbers that are not all finite is not


class OutputAdjoint:
    """A dy A^T of a block of this size: the adjoint of :class:`OutputTransform`."""

    def __init__(self, cut, size, filters, buffers):
        (n, rows, cols), (ping, pong) = size, buffers
        _, _, back = matrices(cut.tile)
        m, side = cut.tile, cut.side
        self.cut = cut
        self.picture = _view(ping, (filters, rows * m, cols * m, n))
        tiles = _view(pong, (m, m, filters, rows, cols, n))
        half = _view(ping, (m, side, tiles[0, 0].size))
        self.places = _view(pong, (side**2, filters, n * rows * cols))
        cut_up = self.picture.reshape(filters, rows, m, cols, m, n).transpose(4, 2, 0, 1, 3, 5)
        self.steps = Steps()
        self.steps.add(np.copyto, *_wide(tiles, cut_up))
        self.steps.add(np.matmul, back.T, tiles.reshape(m, m, -1), half)
        self.steps.add(np.matmul, back.T, half.reshape(m, -1), self.places.reshape(side, -1))

    def __call__(self, grad_output, block):
        """Return the transformed tiles of a block of grad_output (N, F, OH, OW): (places, F, tiles)."""
        source = _pixels(grad_output, self.cut, block)
        _, height, width, _ = source.shape
        self.picture[:, height:] = 0
        self.picture[:, :, width:] = 0
        np.copyto(*_wide(self.picture[:, :height, :width], source))
        self.steps.run()
        return self.places


def _view(buffer, shape):
    """View the first numbers of a flat buffer in this shape."""
    return buffer[:prod(shape)].reshape(shape)


def _pixels(out, cut, block):
    """View the pixels of a block of `out` (N, F, OH, OW) as (F, rows, cols, samples)."""
    samples, rows, cols = block
    m = cut.tile
    return out[samples, :, m * rows.start:m * rows.stop, m * cols.start:m * cols.stop].transpose(1, 2, 3, 0)


def _load(picture, x, first_row, first_col, batch_last):
    """Fill `picture` (rows, C, cols, samples) with x from a corner on, zero outside.

    One sample after the other where their rows are far apart: NumPy's innermost loop is then a row, not four samples.
    """
    top, bottom = inside(first_row, 1, picture.shape[0], x.shape[2])
    left, right = inside(first_col, 1, picture.shape[2], x.shape[3])
    for rim in (picture[:top], picture[bottom:], picture[top:bottom, :, :left], picture[top:bottom, :, right:]):
        if rim.size:
            rim[...] = 0
    source = x[:, :, first_row + top:first_row + bottom, first_col + left:first_col + right]
    to, source = picture[top:bottom, :, left:right], rows_first(source, True)
    if batch_last:
        np.copyto(*_wide(to, source))
    else:
        for k in range(to.shape[-1]):
            np.copyto(to[..., k], source[..., k])


def _wide(to, source):
    """View both so that four float32 side by side move as one complex128."""
    wide = {2: np.complex64, 4: np.complex128}.get(to.shape[-1])
    if wide and to.strides[-1] == source.strides[-1] == 4:
        return to.view(wide)[..., 0], source.view(wide)[..., 0]
    return to, source
