"""A small grid of pixels that shows numbers and grey levels: the smallest case, by hand."""

import numpy as np
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle

from cnnlib.plots._style import (
    COLOURS,
    decimals_for,
    fit_text,
    ink_on,
    new_axes,
    number_text,
    numbers,
    role_colour,
    styled,
    text_width,
    tones,
)

LARGEST = 16  # cells a side
CELL = 0.48  # inches
LEGIBLE = 0.24  # inches; a smaller cell shows its tone only


@styled
def plot_grid(array, ax=None, *, role="input", scale="auto", title=None, decimals=None, window=None,
              limits=None, indices=False):
    """Draw an array as a grid of cells, each with its number on its grey level or tone.

    Parameters
    ----------
    array : array of shape (H, W), at most 16×16
        NumPy, torch or nested lists. NaN is written as NaN.
    ax : matplotlib Axes, optional
    role : {"input", "weight", "output", "gradient"}
        Whose colour the frames and the positive tones have.
    scale : {"auto", "grey", "tone"}
        Grey levels from black to white, for pictures; or tones, for signed numbers: zero is paper, positive
        the role's colour, negative charcoal. "auto" takes grey for an input without negative numbers.
    title : str, optional
    decimals : int, optional
        None: whole numbers without, others with as many as make about four glyphs.
    window : (row, col, height, width), in cells, optional
        Framed in the role's colour; it may reach out of the grid.
    limits : (low, high), optional
        The numbers of the two ends of the scale; tones use the larger absolute value.
    indices : bool
        Number rows and columns along the border.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        The array has no two axes or more than 16 rows or columns (:func:`plot_image` shows those).

    Examples
    --------
    >>> ax = plot_grid([[0, -1], [2, 3]], role="weight")
    >>> [text.get_text() for text in ax.texts]
    ['0', '−1', '2', '3']
    """
    array = numbers(array, "array", 2)
    rows, cols = array.shape
    if max(rows, cols) > LARGEST:
        raise ValueError(f"`array` has shape {array.shape}: plot_grid draws up to {LARGEST}×{LARGEST} cells; "
                         "plot_image shows larger pictures")
    width = max(CELL * cols + 0.2 + 0.3 * indices, text_width(title or "", 13) + 0.2)
    ax = new_axes(ax, width, CELL * rows + 0.2 + 0.3 * indices + 0.35 * bool(title))
    draw_cells(ax, cell_texts(array, decimals), cell_colours(array, role, scale, limits))
    if window is not None:
        frame(ax, *window, role_colour(role))
    if indices:
        ax.tick_params(length=0, labelbottom=False, labeltop=True, labelleft=True)
        ax.set_xticks(range(cols))
        ax.set_yticks(range(rows))
    if title:
        ax.set_title(title, loc="center")
    return ax


def draw_cells(ax, texts, fills, cell=None):
    """Fill the axes with cells: `texts` (H, W) of str on colours `fills` (H, W, 3).

    `cell` is the side of a cell in inches, where it is known; below :data:`LEGIBLE` the texts are left out.
    """
    rows, cols = fills.shape[:2]
    ax.imshow(fills, extent=(-0.5, cols - 0.5, rows - 0.5, -0.5), interpolation="nearest")
    ax.hlines(np.arange(rows + 1) - 0.5, -0.5, cols - 0.5, color=COLOURS["faint"], linewidth=0.8)
    ax.vlines(np.arange(cols + 1) - 0.5, -0.5, rows - 0.5, color=COLOURS["faint"], linewidth=0.8)
    cell = cell or cell_size(ax, rows, cols)
    size = fit_text(max(texts.flat, key=len), cell, cell)
    for (i, j), text in np.ndenumerate(texts):
        if cell >= LEGIBLE:
            ax.text(j, i, text, size=size, color=ink_on(to_hex(fills[i, j])), ha="center",
                    va="center_baseline")
    ax.set(xticks=[], yticks=[], xlim=(-0.56, cols - 0.44), ylim=(rows - 0.44, -0.56))
    ax.spines[:].set_visible(False)


def cell_texts(array, decimals=None):
    """Write each number of an array, all with the same decimals so that columns align."""
    decimals = decimals_for(array) if decimals is None else decimals
    return np.array([number_text(value, decimals) for value in array.flat], dtype=object).reshape(array.shape)


def cell_colours(array, role, scale="auto", limits=None):
    """Return the colours (H, W, 3) of numbers on the grey or the tone scale."""
    array = array.astype(float)
    finite = array[np.isfinite(array)]
    if scale not in ("auto", "grey", "tone"):
        raise ValueError(f"`scale` must be auto, grey or tone, not {scale!r}")
    role_colour(role)
    if scale == "auto":
        scale = "grey" if role == "input" and (finite >= 0).all() else "tone"
    if scale == "tone":
        limit = max(map(abs, limits)) if limits is not None else np.abs(finite).max(initial=0)
        return tones(array, role, limit or 1)
    low, high = limits if limits is not None else grey_limits(finite)
    level = np.clip(np.nan_to_num((array - low) / ((high - low) or 1)), 0, 1)[..., None]
    return np.where(np.isnan(array)[..., None], tones(np.array([np.nan]), role, 1), level * np.ones(3))


def grey_limits(values):
    """Return the numbers shown as black and as white: 0 and 1 for a picture, else the ends of the range.

    Signed numbers get ends of equal size, so that mid-grey means zero.
    """
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 1.0)
    if low < 0:
        high = max(-low, high)
        return -high, high
    return (0.0, 1.0) if high <= 1 else (0.0, high)


def frame(ax, row, col, height, width, colour, *, linewidth=3.5, linestyle="-"):
    """Frame a window of cells, on a paper-coloured halo so that it stands out on any grey."""
    for colour_, width_ in ((COLOURS["paper"], linewidth + 2), (colour, linewidth)):
        ax.add_patch(Rectangle((col - 0.5, row - 0.5), width, height, fill=False, edgecolor=colour_,
                               linewidth=width_, linestyle=linestyle, zorder=3, clip_on=False))


def cell_size(ax, rows, cols):
    """Return the side of a cell in inches, as the axes stand now."""
    box = ax.get_window_extent()
    return min(box.width / (cols + 0.12), box.height / (rows + 0.12)) / ax.figure.dpi
