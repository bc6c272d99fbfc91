"""Small grids of numbers side by side: a row of panels whose cells are all equally large."""

import numpy as np
from matplotlib import pyplot as plt

from cnnlib.plots._style import WIDTH, text_width

TITLE = 0.36  # inches above a panel


def new_panels(shapes, titles, cell, gap, sign=""):
    """Make a figure of panels for grids of these shapes (rows, cols), each as wide as its title at least.

    Parameters
    ----------
    shapes : sequence of (rows, cols)
    titles : sequence of str
        Only their widths count here.
    cell : float, in inches
        A cell's side, at most: it is smaller where the page is not wide enough.
    gap : float, in inches
        Between two panels.
    sign : str
        Written in each gap.

    Returns
    -------
    list of matplotlib Axes
    """
    needed = [text_width(title, 13) + 0.1 for title in titles]
    room = WIDTH - 0.2 - gap * (len(shapes) - 1)
    cell = next(c for c in np.arange(cell, 0.05, -0.01) if sum(_columns(c, shapes, needed)) <= room)
    columns = _columns(cell, shapes, needed)
    width = sum(columns) + WIDTH - room
    height = cell * max(rows for rows, _ in shapes) + TITLE + 0.15
    middle = (height - TITLE + 0.05) / 2
    figure, left, axes = plt.figure(figsize=(width, height), layout="none"), 0.1, []
    for column, (rows, cols) in zip(columns, shapes):
        if axes and sign:
            figure.text((left - gap / 2) / width, middle / height, sign, size=18, ha="center", va="center")
        axes.append(figure.add_axes(((left + (column - cell * cols) / 2) / width, (middle - cell * rows / 2) / height,
                                     cell * cols / width, cell * rows / height)))
        left += column + gap
    return axes


def _columns(cell, shapes, needed):
    """Return how wide the panels are with cells of that side."""
    return [max(cell * cols, need) for (_, cols), need in zip(shapes, needed)]
