"""The numbers that describe a key point: its histogram of directions, and the descriptor as a field of roses."""

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.collections import LineCollection

from cnnlib.plots._style import COLOURS, WIDTH, new_axes, numbers, role_colour, styled
from cnnlib.plots.image import plot_image
from cnnlib.plots.keypoints import plot_keypoints

AROUND = 8  # sigmas of a key point that are shown on either side of it: the descriptor and a little more


@styled
def plot_descriptor(descriptor, ax=None, *, cells=4, role="output", title=None):
    """Draw a descriptor as cells×cells roses: in each cell, a spoke per direction, as long as its number is large.

    Parameters
    ----------
    descriptor : array of shape (cells·cells·bins,)
        In the order row, column, direction. Direction b of B points to the angle 2πb/B: 0 is to the right, a
        quarter turn is down, as rows grow.
    ax : matplotlib Axes, optional
    cells : int
        Cells a side.
    role : {"input", "weight", "output", "gradient"}
    title : str, optional

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        The numbers do not fill cells×cells roses, or some are negative.

    Examples
    --------
    >>> ax = plot_descriptor(np.arange(128) / 128)
    >>> len(ax.collections[-1].get_segments())
    128
    """
    values = numbers(descriptor, "descriptor", 1).astype(float)
    if len(values) % (cells * cells) or not (values >= 0).all():
        raise ValueError(f"`descriptor` has {len(values)} numbers, the least {values.min():g}: it needs a multiple "
                         f"of {cells}×{cells}, none negative")
    roses = values.reshape(cells * cells, -1)
    angle = 2 * np.pi * np.arange(roses.shape[1]) / roses.shape[1]
    spokes = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    centres = np.stack(np.meshgrid(np.arange(cells), np.arange(cells)), axis=-1).reshape(-1, 1, 2)
    tips = centres + 0.46 * roses[..., None] / (values.max() or 1) * spokes
    ax = new_axes(ax, 3.2, 3.2 + 0.35 * bool(title))
    lines = np.arange(cells + 1) - 0.5
    ax.hlines(lines, -0.5, cells - 0.5, color=COLOURS["faint"], linewidth=1)
    ax.vlines(lines, -0.5, cells - 0.5, color=COLOURS["faint"], linewidth=1)
    segments = np.stack([np.broadcast_to(centres, tips.shape), tips], axis=-2).reshape(-1, 2, 2)
    ax.add_collection(LineCollection(segments, color=role_colour(role), linewidth=2), autolim=False)
    ax.set(aspect="equal", xticks=[], yticks=[], xlim=(-0.55, cells - 0.45), ylim=(cells - 0.45, -0.55))
    ax.spines[:].set_visible(False)
    if title:
        ax.set_title(title, loc="center")
    return ax


@styled
def plot_directions(histogram, ax=None, *, share=0.8, role="output", title=None):
    """Draw a histogram of directions as bars, with the line that a second peak must reach to count.

    Parameters
    ----------
    histogram : array of shape (B,), none negative
        Bin b holds the directions around 360·b/B degrees.
    ax : matplotlib Axes, optional
    share : float
        The dashed line lies at this share of the highest bar.
    role : {"input", "weight", "output", "gradient"}
        Bars that reach the line have the role's colour, the others are faint.
    title : str, optional

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> ax = plot_directions([1, 10, 2, 8])
    >>> ax.get_xlabel()
    'direction, degrees'
    """
    heights = numbers(histogram, "histogram", 1).astype(float)
    if not (heights >= 0).all() or heights.max() == 0:
        raise ValueError(f"`histogram` must hold amounts, one above zero, not {heights.min():g} to {heights.max():g}")
    ax = new_axes(ax, 5, 2.8 + 0.35 * bool(title))
    step, line = 360 / len(heights), share * heights.max()
    colours = [role_colour(role) if height >= line else COLOURS["faint"] for height in heights]
    ax.bar(step * np.arange(len(heights)), heights, width=0.85 * step, color=colours)
    ax.axhline(line, color=COLOURS["charcoal"], linestyle="--", linewidth=1.2)
    ax.annotate(f"{100 * share:.0f} %", (360 - step / 2, line), (4, 0), textcoords="offset points", va="center",
                annotation_clip=False)
    ax.set(xlabel="direction, degrees", xticks=range(0, 360, 90), yticks=[], xlim=(-step / 2, 360 - step / 2))
    ax.spines["left"].set_visible(False)
    if title:
        ax.set_title(title, loc="center")
    return ax


@styled
def plot_description(image, position, sigma, orientations, patch, histogram, descriptor):
    """Draw all that is known about one key point: place, upright surroundings, directions, descriptor.

    Parameters
    ----------
    image : array of shape (H, W) or (H, W, 3)
    position : (row, col), in pixels
    sigma : float, in pixels
    orientations : sequence of floats, in radians
        One or more; the patch is turned by the first.
    patch : array of shape (P, P)
        The surroundings, turned so that the first orientation points to the right.
    histogram : array of shape (B,)
        As for :func:`plot_directions`.
    descriptor : array of shape (4·4·bins,)
        As for :func:`plot_descriptor`.

    Returns
    -------
    array of matplotlib Axes, of shape (4,)

    Examples
    --------
    >>> axes = plot_description(np.eye(40), (20, 20), 1.5, [0.8], np.eye(22), np.ones(36), np.ones(128))
    >>> [ax.get_title() for ax in axes]
    ['photo', 'turned', '36 directions', 'descriptor']
    """
    orientations = np.asarray(orientations, dtype=float)
    _, axes = plt.subplots(1, 4, figsize=(WIDTH, 2.7), width_ratios=(3, 3, 4, 3))
    plot_keypoints(image, np.tile(position, (len(orientations), 1)), sigma, orientations, axes[0], title="photo")
    row, col, reach = *position, AROUND * sigma
    axes[0].set(xlim=(col - reach, col + reach), ylim=(row + reach, row - reach))
    plot_image(patch, axes[1], title="turned", limits=(np.min(patch), np.max(patch)))
    axes[1].set_xlabel("")  # stretched to the full range of greys: only its pattern counts
    plot_directions(histogram, axes[2], title=f"{len(histogram)} directions")
    plot_descriptor(descriptor, axes[3], title="descriptor")
    return axes
