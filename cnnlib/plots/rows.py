"""Named rows of numbers under each other, on one scale: terms, and what they add up to."""

import numpy as np
from matplotlib import pyplot as plt

from cnnlib.plots._style import numbers, styled, text_width
from cnnlib.plots.grid import LARGEST, cell_colours, cell_texts, draw_cells

# All lengths are in inches.
CELL = 0.56  # a cell's side
GAP = 0.12  # between a name and its row


@styled
def plot_rows(rows, ax=None, *, role="gradient", decimals=None, xlabel=""):
    """Draw rows of numbers as cells, each row with its name before it, all on one scale of tones.

    Parameters
    ----------
    rows : mapping of str to sequence of numbers, at most 16 of each, all of the same length
    ax : matplotlib Axes, optional
    role : {"input", "weight", "output", "gradient"}
        Positive numbers have its colour, negative ones are charcoal.
    decimals : int, optional
        None: as many as make about four glyphs.
    xlabel : str
        What the columns are; they are counted from 1.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        There are no rows, too many, or rows of unequal length.

    Examples
    --------
    >>> ax = plot_rows({"direct": [1, -2], "by the mean": [0.5, 0.5], "sum": [1.5, -1.5]})
    >>> [text.get_text() for text in ax.get_yticklabels()]
    ['direct', 'by the mean', 'sum']
    """
    lengths = sorted({len(row) for row in rows.values()})
    if len(lengths) != 1 or not 1 <= lengths[0] <= LARGEST or len(rows) > LARGEST:
        raise ValueError(f"`rows` holds {len(rows)} rows of {lengths} numbers; 1 to {LARGEST} rows of one length, at "
                         f"most {LARGEST}, can be drawn")
    array = numbers(np.stack([np.asarray(row) for row in rows.values()]), "rows", 2)
    if ax is None:
        names = max(text_width(name, 12) for name in rows) + GAP
        below = 0.65 if xlabel else 0.1
        width, height = names + CELL * lengths[0] + 0.2, CELL * len(rows) + below + 0.1
        ax = plt.figure(figsize=(width, height), layout="none").add_axes((
            (names + 0.1) / width, below / height, CELL * lengths[0] / width, CELL * len(rows) / height))
    draw_cells(ax, cell_texts(array, decimals), cell_colours(array, role, "tone"))
    ax.tick_params(length=0, labelsize=12)
    ax.set_yticks(range(len(rows)), rows)
    if xlabel:
        ax.set_xticks(range(lengths[0]), range(1, lengths[0] + 1))
        ax.set_xlabel(xlabel)
    return ax
