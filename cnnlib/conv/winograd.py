"""Convolution with 3x3 filters in fewer multiplications (Winograd, 1980; Lavin & Gray, 2016).

Derived in notebooks/24.

F(2x2, 3x3): the image is cut into tiles of 4x4 pixels that overlap by two, and each tile gives 2x2 output numbers.
Straight sums take 36 multiplications for them. Here tile d and filter g are transformed by small fixed matrices,
multiplied number by number, and transformed back:

.. math:: Y = A^T [ (G g G^T) \\odot (B^T d B) ] A

which takes 16, 2.25 times fewer; summing over the channels stands between the product and the way back, so
all tiles at one of the 16 places are one matrix product. F(4x4, 3x3) has 6x6 tiles and takes 4 times fewer.

For 3x3 filters at stride 1 and dilation 1. The gradients run the same steps transposed, in reverse order.
Fewer multiplications cost accuracy, more the larger the tile. In float32, on standard normal numbers in 64
channels, the largest error is about 4e-7 of the largest output for F(2x2) and 8e-6 for F(4x4), against 5e-7 for
im2col (a test holds them below 1e-6 and 3e-5). Sums within a tile may overflow where those of the definition do
not, and one NaN reaches its whole tile: where the result is not finite, ``conv2d`` computes the plain sums instead.
``conv2d`` uses F(2x2) here; the tuned body for NumPy float32 has its own choice.

References
----------
A. Lavin & S. Gray, Fast algorithms for convolutional neural networks, CVPR 2016. doi:10.1109/CVPR.2016.435
S. Winograd, Arithmetic complexity of computations, SIAM, 1980. doi:10.1137/1.9781611970364
"""

from dataclasses import replace

import numpy as np

from cnnlib import _array
from cnnlib.conv.im2col import col2im, im2col

# B^T (tile), G (filter) and A^T (output), by the side of the output tile. F(4, 3) from the points 0, 1, -1, 2, -2.
TRANSFORMS = {
    2: (((1, 0, -1, 0), (0, 1, 1, 0), (0, -1, 1, 0), (0, 1, 0, -1)),
        ((1, 0, 0), (1 / 2, 1 / 2, 1 / 2), (1 / 2, -1 / 2, 1 / 2), (0, 0, 1)),
        ((1, 1, 1, 0), (0, 1, -1, -1))),
    4: (((4, 0, -5, 0, 1, 0), (0, -4, -4, 1, 1, 0), (0, 4, -4, -1, 1, 0),
         (0, -2, -1, 2, 1, 0), (0, 2, -1, -2, 1, 0), (0, 4, 0, -5, 0, 1)),
        ((1 / 4, 0, 0), (-1 / 6, -1 / 6, -1 / 6), (-1 / 6, 1 / 6, -1 / 6),
         (1 / 24, 1 / 12, 1 / 6), (1 / 24, -1 / 12, 1 / 6), (0, 0, 1)),
        ((1, 1, 1, 1, 1, 0), (0, 1, -1, 2, -2, 0), (0, 1, 1, 4, 4, 0), (0, 1, -1, 8, -8, 1))),
}


def forward(x, weight, problem, tile=2):
    """Transform tiles and filters, multiply and sum over the channels, transform back."""
    into, _, back = matrices(tile, like=x)
    tiles = apply(into, cut(x, input_tiling(problem, tile)))  # (places, G, C // G, tiles)
    products = filter_places(weight, problem, tile) @ tiles  # (places, G, F // G, tiles)
    return join(apply(back, products), output_tiling(problem, tile))


def backward_x(grad_output, weight, problem, tile=2):
    """The steps of forward transposed, in reverse order; tiles add up where they overlap."""
    into, _, back = matrices(tile, like=grad_output)
    products = apply(back.T, cut(grad_output, output_tiling(problem, tile)))
    tiles = filter_places(weight, problem, tile).swapaxes(-1, -2) @ products
    return join(apply(into.T, tiles), input_tiling(problem, tile))


def backward_weight(grad_output, x, problem, tile=2):
    """The steps of forward transposed: the product sums over the tiles, the filters' transform runs backwards."""
    into, filters, back = matrices(tile, like=x)
    tiles = apply(into, cut(x, input_tiling(problem, tile)))
    products = apply(back.T, cut(grad_output, output_tiling(problem, tile)))
    taps = apply(filters.T, products @ tiles.swapaxes(-1, -2))  # (9, G, F // G, C // G)
    return _array.permute(taps, (1, 2, 3, 0)).reshape(problem.weight_shape)


def matrices(tile, like):
    """Return the tile, filter and output transforms as matrices on flattened tiles: B^T d B is kron(B^T, B^T) d."""
    return [_array.constant(np.kron(one, one), like) for one in TRANSFORMS[tile]]


def apply(matrix, places):
    """Multiply `matrix` with the first axis of `places`, whatever the others are."""
    _, *others = places.shape
    return (matrix @ places.reshape(places.shape[0], -1)).reshape(matrix.shape[0], *others)


def filter_places(weight, problem, tile):
    """Return the transformed filters (places, G, F // G, C // G)."""
    _, filters, _ = matrices(tile, like=weight)
    f, depth, kh, kw = weight.shape
    taps = weight.reshape(problem.groups, f // problem.groups, depth, kh * kw)
    return apply(filters, _array.permute(taps, (3, 0, 1, 2)))


def cut(x, tiling):
    """Cut `x` (N, C, H, W) into tiles: (places in the tile, G, C // G, number of tiles)."""
    columns = im2col(x, tiling)  # a tile is a window whose stride is the side of the output tile
    groups, _, tiles = columns.shape
    _, depth, rows, cols = tiling.weight_shape
    return _array.permute(columns.reshape(groups, depth, rows * cols, tiles), (2, 0, 1, 3))


def join(places, tiling):
    """Add the tiles up to where :func:`cut` took them from: its adjoint."""
    sides, groups, depth, tiles = places.shape
    columns = _array.permute(places, (1, 2, 0, 3)).reshape(groups, depth * sides, tiles)
    return col2im(columns, tiling)


def input_tiling(problem, tile):
    """Return the Problem whose windows are the input tiles, as many as the output needs."""
    counts, missing = _tile_counts(problem, tile)
    padding = tuple((before, after + more) for (before, after), more in zip(problem.padding, missing))
    weight_shape = (*problem.weight_shape[:2], tile + 2, tile + 2)
    return replace(problem, weight_shape=weight_shape, stride=(tile, tile), padding=padding, out_size=counts)


def output_tiling(problem, tile):
    """Return the Problem whose windows are the output tiles, side by side."""
    counts, missing = _tile_counts(problem, tile)
    filters, depth = problem.weight_shape[0], problem.weight_shape[0] // problem.groups
    return replace(problem, x_shape=problem.out_shape, weight_shape=(filters, depth, tile, tile),
                   stride=(tile, tile), padding=tuple((0, more) for more in missing), out_size=counts)


def _tile_counts(problem, tile):
    """Return how many tiles cover the output (rows, cols), and the pixels that they cover beyond it."""
    if (problem.kernel_size, problem.stride, problem.dilation) != ((3, 3), (1, 1), (1, 1)):
        raise ValueError(
            f"method='winograd' is for 3x3 filters at stride 1 and dilation 1, not for kernel_size "
            f"{problem.kernel_size}, stride {problem.stride}, dilation {problem.dilation}: use method='auto'")
    counts = tuple(-(-size // tile) for size in problem.out_size)
    return counts, tuple(count * tile - size for count, size in zip(counts, problem.out_size))


def workspace(problem, tile=2):
    """Return how many numbers are held beside the arguments and the result."""
    (rows, cols), _ = _tile_counts(problem, tile)
    (n, c, _, _), (f, depth, _, _) = problem.x_shape, problem.weight_shape
    tiles, places = n * rows * cols, (tile + 2) ** 2
    return places * (2 * tiles * (c + f) + f * depth)
