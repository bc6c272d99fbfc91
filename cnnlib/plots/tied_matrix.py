"""A convolution as one matrix: sparse, because windows are small, and tied, because they share a filter."""

import numpy as np
from matplotlib.colors import to_hex, to_rgb

from cnnlib.geometry import as_int, as_pair, output_size
from cnnlib.plots._style import COLOURS, WIDTH, fit_text, ink_on, new_axes, styled

LARGEST = 49  # columns whose numbers can still be read


@styled
def plot_tied_matrix(image_size, kernel_size, ax=None, *, stride=1, title=None):
    """Draw the matrix of a convolution, each entry with the number of the filter's weight that stands there.

    Row r holds what output r (read row by row) multiplies the input's pixels with (read row by row). The
    empty entries are zeros; equal numbers are one and the same weight. Lines part the image's rows.

    Parameters
    ----------
    image_size, kernel_size : int or (rows, cols), in pixels
        The image may have at most 49 pixels.
    ax : matplotlib Axes, optional
    stride : int, in pixels
    title : str, optional

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        The image is too large to read, or the filter does not fit into it.

    Examples
    --------
    >>> ax = plot_tied_matrix((1, 4), (1, 2))
    >>> [text.get_text() for text in ax.texts]
    ['1', '2', '1', '2', '1', '2']
    """
    (height, width), (kh, kw) = as_pair("image_size", image_size, 1), as_pair("kernel_size", kernel_size, 1)
    stride = as_int("stride", stride, 1)
    if height * width > LARGEST:
        raise ValueError(f"`image_size` {height}×{width} has {height * width} pixels; "
                         f"numbers can be read up to {LARGEST}")
    oh, ow = output_size(height, kh, stride), output_size(width, kw, stride)
    taps = np.zeros((oh, ow, height, width), dtype=int)
    for i, j in np.ndindex(oh, ow):
        window = taps[i, j, i * stride:i * stride + kh, j * stride:j * stride + kw]
        window[:] = np.arange(1, kh * kw + 1).reshape(kh, kw)
    taps = taps.reshape(oh * ow, height * width)
    cell = WIDTH * 0.93 / (height * width)
    ax = new_axes(ax, WIDTH, cell * oh * ow + 0.7)
    _draw(ax, taps, kh * kw, cell)
    for edge in range(width, height * width, width):
        ax.axvline(edge - 0.5, color=COLOURS["input"], linewidth=1.2)
    for edge in range(ow, oh * ow, ow):
        ax.axhline(edge - 0.5, color=COLOURS["output"], linewidth=1.2)
    ax.set_xlabel("pixel of the image, row by row", color=COLOURS["input"])
    ax.set_ylabel("cell of the map", color=COLOURS["output"])
    if title:
        ax.set_title(title, loc="center")
    return ax


def _draw(ax, taps, num_taps, cell):
    """Fill the axes with the weights' tones and numbers; `cell` is an entry's size in inches."""
    paper, full = np.array(to_rgb(COLOURS["paper"])), np.array(to_rgb(COLOURS["weight"]))
    share = np.where(taps > 0, 0.15 + 0.85 * taps / num_taps, 0)[..., None]
    fills = paper + share * (full - paper)
    rows, cols = taps.shape
    ax.imshow(fills, extent=(-0.5, cols - 0.5, rows - 0.5, -0.5), interpolation="nearest")
    size = min(fit_text(str(num_taps), cell, cell), 11)
    for r, c in np.argwhere(taps):
        ax.text(c, r, str(taps[r, c]), size=size, color=ink_on(to_hex(fills[r, c])), ha="center",
                va="center_baseline")
    ax.set(xticks=[], yticks=[])
