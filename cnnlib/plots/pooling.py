"""One output number of a pooling: the window on the picture, the pixel that wins, the cell that it becomes."""

import numpy as np

from cnnlib import pool
from cnnlib.plots._panels import new_panels
from cnnlib.plots._style import COLOURS, decimals_for, numbers, styled, text_width, times
from cnnlib.plots.grid import LARGEST, cell_colours, cell_size, cell_texts, draw_cells, frame
from cnnlib.pool._windows import make_windows

KINDS = ("max", "average", "L2")

# All lengths are in inches.
CELL = 0.44  # a cell's side, at most
GAP = 0.5  # between the two panels


@styled
def plot_pooling(image, kernel_size=2, stride=None, *, kind="max", row=0, col=0, axes=None):
    """Draw how one output number of a pooling comes about.

    Parameters
    ----------
    image : array of shape (H, W), at most 16×16
        NumPy, torch or nested lists.
    kernel_size, stride : int or (rows, cols), in pixels
        As in :func:`cnnlib.pool.max_pool2d`: without a stride the windows stand side by side.
    kind : {"max", "average", "L2"}
    row, col : int
        The output cell whose window is framed. With "max", the pixel that wins is framed as well, in the output's
        colour: of equal ones the first in reading order, as in the library.
    axes : two matplotlib Axes, optional

    Returns
    -------
    array of matplotlib Axes, (input, output)

    Raises
    ------
    ValueError
        There is no such output cell or kind, the picture is too large, or the window does not fit.

    Examples
    --------
    >>> axes = plot_pooling([[1, 5], [2, 0]])
    >>> [text.get_text() for text in axes[1].texts]
    ['5']
    """
    image = numbers(image, "image", 2)
    if max(image.shape) > LARGEST:
        raise ValueError(f"`image` has shape {image.shape}: plot_pooling draws up to {LARGEST}×{LARGEST} pixels")
    windows = windows_of(image, kernel_size, stride, kind)
    check_cell(windows, row, col)
    out, winner = _pooled(image.astype(float), windows, kind)
    titles = [f"input {times(image.shape)}", f"{kind} {times(windows.kernel_size)}, stride {_stride(windows.stride)}"]
    left, right = (new_panels((image.shape, out.shape), titles, CELL, GAP, "→") if axes is None
                   else np.ravel(axes))
    for ax, array, role, title in ((left, image, "input", titles[0]), (right, out, "output", titles[1])):
        draw_cells(ax, _texts(array, cell_size(ax, *array.shape)), cell_colours(array, role))
        ax.set_title(title, loc="center")
    (top, start), (height, width) = (row * windows.stride[0], col * windows.stride[1]), windows.kernel_size
    frame(left, top, start, height, width, COLOURS["input"])
    if winner is not None:
        frame(left, *np.unravel_index(winner[row, col], image.shape), 1, 1, COLOURS["output"], linewidth=2.5)
    frame(right, row, col, 1, 1, COLOURS["output"])
    return np.array([left, right])


def _pooled(image, windows, kind):
    """Return the pooled picture and, for the maximum, where in the flattened picture each of its numbers stood."""
    how = windows.kernel_size, windows.stride
    if kind == "max":
        out, winner = pool.max_pool2d(image[None], *how, return_indices=True)
        return out[0], winner[0]
    out = pool.avg_pool2d(image[None], *how) if kind == "average" else pool.lp_pool2d(image[None], 2.0, *how)
    return out[0], None


def _texts(array, cell):
    """Write the numbers with as many decimals as a cell of that side has room for, at 6 points."""
    for decimals in range(decimals_for(array), -1, -1):
        texts = cell_texts(array, decimals)
        if max(text_width(text, 6) for text in texts.flat) <= 0.95 * cell:
            break
    return texts


def windows_of(image, kernel_size, stride, kind):
    """Return the windows of a pooling of an image, after checking the kind."""
    if kind not in KINDS:
        raise ValueError(f"`kind` must be one of {', '.join(KINDS)}, not {kind!r}")
    return make_windows((1, *image.shape), kernel_size, stride)


def check_cell(windows, row, col):
    """Check that there is such an output cell."""
    if not (0 <= row < windows.out_size[0] and 0 <= col < windows.out_size[1]):
        raise ValueError(f"there is no output row {row}, column {col}: the output is {times(windows.out_size)}")


def _stride(stride):
    return str(stride[0]) if stride[0] == stride[1] else times(stride)
