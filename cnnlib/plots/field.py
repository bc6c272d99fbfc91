"""Receptive fields drawn on a picture: nested squares that say how far a unit sees."""

import numpy as np
from matplotlib.patches import Rectangle

from cnnlib.geometry import as_pair
from cnnlib.plots._style import COLOURS, new_axes, numbers, styled, text_width
from cnnlib.plots.image import plot_image

LINE = 0.3  # inches between two labels
HEIGHT = 4.0  # inches of the picture


@styled
def plot_receptive_field(image, fields, ax=None, *, centre=None, labels=None, title=None):
    """Draw nested receptive fields on a picture, each with a label beside it.

    Parameters
    ----------
    image : array of shape (H, W) or (H, W, 3), float in [0, 1]
    fields : sequence of int or (rows, cols), in pixels
        The sizes, as :func:`cnnlib.geometry.receptive_field` gives them; a field larger than the picture is
        drawn as far as it reaches, outside the picture on hatched paper.
    ax : matplotlib Axes, optional
    centre : (row, col), in pixels, optional
        Where the unit looks. None takes the picture's centre.
    labels : sequence of str, optional
        None writes the sizes, "5×5".
    title : str, optional

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> ax = plot_receptive_field(np.zeros((32, 32)), [3, 5, 9])
    >>> [text.get_text() for text in ax.texts]
    ['3×3', '5×5', '9×9']
    """
    image = numbers(image, "image", (2, 3))
    fields = [as_pair(f"fields[{k}]", field, 1) for k, field in enumerate(fields)]
    if not fields:
        raise ValueError("`fields` is empty: give at least one size in pixels")
    labels = [f"{rows}×{cols}" for rows, cols in fields] if labels is None else list(labels)
    if len(labels) != len(fields):
        raise ValueError(f"{len(fields)} fields need as many labels, not {len(labels)}")
    size = np.array(image.shape[:2])
    centre = (size - 1) / 2 if centre is None else np.asarray(centre, dtype=float)
    if not np.all((centre >= 0) & (centre < size)):
        raise ValueError(f"`centre` {tuple(centre)} lies outside the {size[0]}×{size[1]} picture")
    corners = np.array([centre - np.array(field) / 2 for field in fields])
    ends = np.array([centre + np.array(field) / 2 for field in fields])
    low, high = np.minimum(corners.min(axis=0), -0.5), np.maximum(ends.max(axis=0), size - 0.5)
    if ax is None:
        ax = _field_axes(high - low, labels, title)
    ax.add_patch(Rectangle(low[::-1], *(high - low)[::-1], facecolor="none", hatch="///", linewidth=0,
                           edgecolor=COLOURS["faint"], zorder=-1))
    plot_image(image, ax, title=title)
    _draw_fields(ax, corners, ends, labels, low, high)
    return ax


def _field_axes(extent, labels, title):
    """Make a figure for a picture of that extent (rows, cols) and for labels to its right."""
    height = max(min(HEIGHT, 5.5 * extent[0] / extent[1]), LINE * (len(labels) + 1))
    width = min(HEIGHT, 5.5 * extent[0] / extent[1]) * extent[1] / extent[0]
    words = max(text_width(label, 12) for label in labels)
    ax = new_axes(None, width + words + 0.75, height + 0.2 + 0.35 * bool(title))
    figure = ax.figure
    figure.set_layout_engine("none")
    total = figure.get_size_inches()
    ax.set_position((0.1 / total[0], 0.1 / total[1], width / total[0], height / total[1]))
    return ax


def _draw_fields(ax, corners, ends, labels, low, high):
    """Draw the squares; each label stands to the right on a line from its square's upper right corner."""
    ax.set(xlim=(low[1], high[1]), ylim=(high[0], low[0]))
    box = ax.get_window_extent()
    unit = (high[0] - low[0]) / (box.height / ax.figure.dpi)  # pixels of the picture in an inch
    wanted = [corner[0] for corner in corners]
    order = np.argsort(wanted, kind="stable")
    rows = _spread([wanted[k] for k in order], LINE * unit, low[0] + 0.5 * LINE * unit, high[0])
    for k, row in zip(order, rows):
        (top, left), (bottom, right) = corners[k], ends[k]
        for colour, width in ((COLOURS["paper"], 4), (COLOURS["input"], 2.2)):
            ax.add_patch(Rectangle((left, top), right - left, bottom - top, fill=False, edgecolor=colour,
                                   linewidth=width, clip_on=False))
        ax.plot((right, high[1] + 0.25 * unit), (top, row), color=COLOURS["input"], linewidth=1.2,
                clip_on=False)
    for k in range(len(labels)):
        row = rows[list(order).index(k)]
        ax.text(high[1] + 0.3 * unit, row, labels[k], va="center", ha="left")


def _spread(wanted, gap, low, high):
    """Move ascending places apart until neighbours are `gap` from each other, starting at `low` or below."""
    places = []
    for place in wanted:
        places.append(max(place, low, places[-1] + gap if places else low))
    overflow = places[-1] - high
    if overflow > 0:
        places[-1] = high
        for k in range(len(places) - 2, -1, -1):
            places[k] = min(places[k], places[k + 1] - gap)
    return places
