"""The way back through one output number of a pooling: the error that arrives, and the pixels that it goes to."""

import numpy as np
from matplotlib import pyplot as plt

from cnnlib import pool
from cnnlib.plots._style import COLOURS, WIDTH, numbers, styled, text_width
from cnnlib.plots.grid import LARGEST, cell_colours, cell_texts, draw_cells, frame
from cnnlib.plots.pooling import KINDS
from cnnlib.pool._windows import make_windows

# All lengths are in inches.
CELL = 0.52  # a cell's side, at most
GAP = 0.35  # between two panels
TITLE = 0.36  # above a panel

SHARE = {"max": (pool.max_pool2d_backward, ()), "average": (pool.avg_pool2d_backward, ()),
         "L2": (pool.lp_pool2d_backward, (2.0,))}


@styled
def plot_pooling_backward(image, grad_output, kernel_size=2, stride=None, *, kind="max", row=0, col=0, axes=None):
    """Draw how the error of one output number of a pooling reaches the pixels.

    Parameters
    ----------
    image : array of shape (H, W), at most 16×16
        NumPy, torch or nested lists.
    grad_output : array of shape (OH, OW)
        The gradient of each output number.
    kernel_size, stride : int or (rows, cols), in pixels
        As in :func:`cnnlib.pool.max_pool2d`: without a stride the windows stand side by side.
    kind : {"max", "average", "L2"}
    row, col : int
        The output cell. Its window is framed on the image, its error in the middle, and on the right each pixel that
        gets a share of this error, all in one colour. The numbers on the right are the sums over all windows.
    axes : three matplotlib Axes, optional

    Returns
    -------
    array of matplotlib Axes, (input, gradient of the output, gradient of the input)

    Raises
    ------
    ValueError
        There is no such output cell or kind, a shape does not fit, or the picture is too large.

    Examples
    --------
    >>> axes = plot_pooling_backward([[1, 5], [2, 0]], [[3]])
    >>> [text.get_text() for text in axes[2].texts]
    ['0', '3', '0', '0']
    """
    image, grad_output = numbers(image, "image", 2), numbers(grad_output, "grad_output", 2).astype(float)
    if max(image.shape) > LARGEST:
        raise ValueError(f"`image` has shape {image.shape}: up to {LARGEST}×{LARGEST} pixels can be drawn")
    if kind not in KINDS:
        raise ValueError(f"`kind` must be one of {', '.join(KINDS)}, not {kind!r}")
    windows = make_windows((1, *image.shape), kernel_size, stride)
    if grad_output.shape != windows.out_size:
        raise ValueError(f"`grad_output` has shape {grad_output.shape}; the output has {windows.out_size}")
    if not (0 <= row < windows.out_size[0] and 0 <= col < windows.out_size[1]):
        raise ValueError(f"there is no output row {row}, column {col}: the output is "
                         f"{windows.out_size[0]}×{windows.out_size[1]}")
    alone = np.zeros_like(grad_output)
    alone[row, col] = 1
    grad, share = (_gradient(g, image.astype(float), windows, kind) for g in (grad_output, alone))
    titles = f"input {_size(image.shape)}", "error of the output", "error of the input"
    axes = _new_axes(image.shape, grad_output.shape, titles) if axes is None else np.ravel(axes)
    for ax, array, role, title in zip(axes, (image, grad_output, grad), ("input", "gradient", "gradient"), titles):
        draw_cells(ax, cell_texts(array), cell_colours(array, role, "auto" if role == "input" else "tone"))
        ax.set_title(title, loc="center")
    corner = row * windows.stride[0], col * windows.stride[1]
    frame(axes[0], *corner, *windows.kernel_size, COLOURS["input"])
    frame(axes[1], row, col, 1, 1, COLOURS["input"])
    for place in np.argwhere(share):
        frame(axes[2], *place, 1, 1, COLOURS["input"], linewidth=2.5)
    return np.asarray(axes)


def _gradient(grad_output, image, windows, kind):
    """Return the gradient of the image."""
    backward, exponent = SHARE[kind]
    return backward(grad_output[None], image[None], *exponent, windows.kernel_size, windows.stride)[0]


def _size(shape):
    return "×".join(map(str, shape))


def _new_axes(size, out_size, titles):
    """Make a figure of three grids of equally large cells."""
    needed = [text_width(title, 13) + 0.1 for title in titles]
    shapes = size, out_size, size
    cell = next(c for c in np.arange(CELL, 0.05, -0.01) if sum(_columns(c, shapes, needed)) + 2 * GAP + 0.2 <= WIDTH)
    columns = _columns(cell, shapes, needed)
    width, height = sum(columns) + 2 * GAP + 0.2, cell * size[0] + TITLE + 0.15
    figure, left, axes = plt.figure(figsize=(width, height), layout="none"), 0.1, []
    for column, (rows, cols) in zip(columns, shapes):
        low = (height - TITLE + 0.05 - cell * rows) / 2
        axes.append(figure.add_axes(((left + (column - cell * cols) / 2) / width, low / height, cell * cols / width,
                                     cell * rows / height)))
        left += column + GAP
    return axes


def _columns(cell, shapes, needed):
    """Return how wide the three panels are with cells of that side: as wide as their titles at least."""
    return [max(cell * cols, need) for (_, cols), need in zip(shapes, needed)]
