"""The way back through one output number of a pooling: the error that arrives, and the pixels that it goes to."""

import numpy as np

from cnnlib import pool
from cnnlib.plots._panels import new_panels
from cnnlib.plots._style import COLOURS, numbers, styled, times
from cnnlib.plots.grid import LARGEST, cell_colours, cell_texts, draw_cells, frame
from cnnlib.plots.pooling import check_cell, windows_of

# All lengths are in inches.
CELL = 0.52  # a cell's side, at most
GAP = 0.35  # between two panels

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
    windows = windows_of(image, kernel_size, stride, kind)
    if grad_output.shape != windows.out_size:
        raise ValueError(f"`grad_output` has shape {grad_output.shape}; the output has {windows.out_size}")
    check_cell(windows, row, col)
    alone = np.zeros_like(grad_output)
    alone[row, col] = 1
    grad, share = (_gradient(g, image.astype(float), windows, kind) for g in (grad_output, alone))
    titles = f"input {times(image.shape)}", "error of the output", "error of the input"
    shapes = image.shape, grad_output.shape, image.shape
    axes = new_panels(shapes, titles, CELL, GAP) if axes is None else np.ravel(axes)
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
