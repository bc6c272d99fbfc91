"""Histograms of oriented gradients: the bins of one cell, and a block before and after it is normalised."""

import numpy as np
from matplotlib import pyplot as plt

from cnnlib.plots._style import COLOURS, new_axes, numbers, role_colour, styled


@styled
def plot_orientations(histogram, ax=None, *, role="gradient", title=None):
    """Draw the bins of a cell as bars over the circle of 180 degrees.

    Parameters
    ----------
    histogram : array of shape (orientations,), none negative
        One cell of what ``features.hog.cell_histograms`` returns.
    ax : matplotlib Axes, optional
    role : {"input", "weight", "output", "gradient"}
    title : str, optional

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> ax = plot_orientations([0, 2, 1])
    >>> [text.get_text() for text in ax.get_xticklabels()]
    ['30°', '90°', '150°']
    """
    histogram = numbers(histogram, "histogram", 1).astype(float)
    ax = new_axes(ax, 5.6, 2.4 + 0.35 * bool(title))
    width = 180 / len(histogram)
    centres = (np.arange(len(histogram)) + 0.5) * width
    ax.bar(centres, histogram, 0.9 * width, color=role_colour(role))
    shown = centres[::-(-len(centres) // 9)]
    ax.set_xticks(shown, [f"{centre:.3g}°" for centre in shown])
    ax.set(xlim=(0, 180), xlabel="direction of the gradient (180° is 0° again)", ylabel="votes")
    ax.set_ylim(0, 1.08 * histogram.max() or 1)
    if title:
        ax.set_title(title, loc="center")
    return ax


@styled
def plot_block(before, after, axes=None):
    """Draw the numbers of a block, cell by cell, before and after it is divided by its strength.

    Parameters
    ----------
    before, after : arrays of shape (rows in the block, cols in the block, orientations)
        What ``features.hog.group_cells`` and ``normalise_blocks`` return for one block.
    axes : two matplotlib Axes, optional

    Returns
    -------
    array of two matplotlib Axes
    """
    pair = [numbers(a, name, 3).astype(float) for a, name in ((before, "before"), (after, "after"))]
    if pair[0].shape != pair[1].shape:
        raise ValueError(f"`before` has shape {pair[0].shape} and `after` {pair[1].shape}; they must be one block")
    rows, cols, n = pair[0].shape
    if axes is None:
        _, axes = plt.subplots(2, 1, figsize=(7.2, 4.4), sharex=True, layout="constrained")
    axes = np.ravel(axes)
    places = np.arange(rows * cols * n)
    for ax, block, role, words in zip(axes, pair, ("gradient", "output"), ("before: votes", "after")):
        ax.bar(places, block.ravel(), 0.9, color=role_colour(role))
        ax.set(ylabel=words, xlim=(-0.5, len(places) - 0.5), ylim=(0, 1.08 * block.max() or 1))
        for edge in range(1, rows * cols):
            ax.axvline(edge * n - 0.5, color=COLOURS["faint"], linewidth=1)
    middles = (np.arange(rows * cols) + 0.5) * n - 0.5
    axes[-1].set_xticks(middles, [f"cell {i}, {j}" for i, j in np.ndindex(rows, cols)])
    axes[-1].tick_params(axis="x", length=0)
    return axes
