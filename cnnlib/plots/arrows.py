"""Directions drawn as arrows on the pixels of a small picture: across its edges, and along them."""

import numpy as np

from cnnlib.plots._style import COLOURS, new_axes, numbers, styled
from cnnlib.plots.image import plot_image

LARGEST = 48  # pixels a side, beyond which arrows are too small to be read
KINDS = {"gradient": ("gradient", "towards brighter"), "walk": ("output", "along, brighter on the right")}
FEWEST = 0.25  # of the longest gradient: shorter ones are not drawn


@styled
def plot_arrows(image, grad_row, grad_col, ax=None, *, kinds=("gradient",), every=1, least=FEWEST, title=None):
    """Draw the gradient, or the walk along the edge, as arrows on a picture.

    Parameters
    ----------
    image : array of shape (H, W), at most 48×48
        Drawn faintly behind the arrows.
    grad_row, grad_col : arrays of shape (H, W)
        The gradient, rows counted downwards.
    ax : matplotlib Axes, optional
    kinds : sequence of "gradient" and "walk"
        The arrow towards brighter pixels, of a length in proportion to the gradient; the arrow along the edge with the
        brighter side on its right hand, all of one length.
    every : int
        Draw at every so many pixels, rows and columns alike.
    least : float
        Leave out gradients shorter than this share of the longest.
    title : str, optional

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> ax = plot_arrows(np.eye(3), np.zeros((3, 3)), np.ones((3, 3)))
    >>> ax.get_legend().get_texts()[0].get_text()
    'towards brighter'
    """
    image, row, col = (numbers(a, name, 2).astype(float) for a, name in (
        (image, "image"), (grad_row, "grad_row"), (grad_col, "grad_col")))
    if not image.shape == row.shape == col.shape:
        raise ValueError(f"`image` {image.shape}, `grad_row` {row.shape} and `grad_col` {col.shape} must have one "
                         "shape")
    if max(image.shape) > LARGEST:
        raise ValueError(f"`image` has shape {image.shape}: arrows can be read on up to {LARGEST}×{LARGEST} pixels")
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown or not len(kinds):
        raise ValueError(f"`kinds` must be some of {', '.join(KINDS)}, not {kinds!r}")
    if ax is None:
        side = min(5.0 / image.shape[0], 6.0 / image.shape[1])
        ax = new_axes(None, side * image.shape[1] + 0.2, side * image.shape[0] + 0.6 + 0.35 * bool(title))
    low, high = image.min(), image.max()
    plot_image(0.6 + 0.4 * (image - low) / ((high - low) or 1), ax, title=title)
    length = np.hypot(row, col)
    longest = length.max() or 1
    at = np.zeros(image.shape, bool)
    at[::every, ::every] = True
    rows, cols = np.nonzero(at & (length > least * longest))
    row, col, length = (a[rows, cols] for a in (row, col, length))
    for kind in kinds:
        colour, words = KINDS[kind]
        down, right = (row, col) if kind == "gradient" else (-col, row)
        scale = 0.95 * every / (longest if kind == "gradient" else length)
        ax.quiver(cols, rows, right * scale, -down * scale, color=COLOURS[colour], angles="uv", label=words,
                  scale_units="x", scale=1, units="x", width=0.11 * every, headwidth=4, headlength=4.5,
                  headaxislength=4, pivot="mid" if kind == "walk" else "tail")
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, 0), ncols=2, fontsize=11, handlelength=1.2, columnspacing=1)
    return ax
