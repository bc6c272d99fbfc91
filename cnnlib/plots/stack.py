"""A stack of layers as a table with bars: shapes, parameters, multiply-adds, what a unit sees."""

import numpy as np
from matplotlib.patches import Rectangle

from cnnlib.plots._style import COLOURS, new_axes, styled, text_width

ROW = 0.34  # inches
GAP = 0.3  # inches between columns
BAR = 1.3  # inches, the longest bar


@styled
def plot_stack(rows, header, ax=None, *, bars=(), title=None):
    """Draw a table of layers, one line each, with logarithmic bars behind the columns named in `bars`.

    Parameters
    ----------
    rows : sequence of sequences of str or number
        Numbers are written with thousands separators and stand to the right.
    header : sequence of str
    ax : matplotlib Axes, optional
    bars : sequence of str
        Titles of columns of numbers that get bars. A bar's length goes with the logarithm of 1 + its number,
        so zero has none; the number stands beside it.
    title : str, optional

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> ax = plot_stack([("conv", "10×32×32", 760)], ("layer", "output", "parameters"), bars=["parameters"])
    >>> [text.get_text() for text in ax.texts]
    ['layer', 'conv', 'output', '10×32×32', 'parameters', '760']
    """
    rows, header = [list(row) for row in rows], list(header)
    if not rows or {len(row) for row in rows} != {len(header)}:
        raise ValueError(f"each row must have {len(header)} cells, as the header has, not "
                         f"{sorted({len(row) for row in rows})}")
    if missing := set(bars) - set(header):
        raise ValueError(f"`bars` names {sorted(missing)}, but the columns are {header}")
    columns = [[row[k] for row in rows] for k in range(len(header))]
    texts = [[value if isinstance(value, str) else f"{value:,}" for value in column] for column in columns]
    widths = [max(text_width(text, 12) for text in (name, *column)) + BAR * (name in bars)
              for name, column in zip(header, texts)]
    lefts = np.cumsum([0.1] + [width + GAP for width in widths])
    height = ROW * (len(rows) + 1.3)
    if ax is None:
        ax = new_axes(None, lefts[-1] - GAP + 0.1, height + 0.4 * bool(title))
        ax.figure.set_layout_engine("none")
        ax.set_position((0, 0, 1, height / ax.figure.get_figheight()))
    ax.set(xlim=(0, lefts[-1] - GAP + 0.1), ylim=(len(rows) + 0.6, -0.7))
    ax.set_axis_off()
    ax.hlines(0.5, 0.1, lefts[-1] - GAP, color=COLOURS["charcoal"], linewidth=1)
    for name, column, words, left, width in zip(header, columns, texts, lefts, widths):
        _draw_column(ax, name, column, words, left, width, name in bars)
    if title:
        ax.set_title(title, loc="left", x=0.1 / (lefts[-1] - GAP + 0.1))
    return ax


def _draw_column(ax, name, values, words, left, width, bars):
    """Write one column; numbers to the right, with bars to the left of them."""
    right = not any(isinstance(value, str) for value in values)
    x, side = (left + width, "right") if right else (left, "left")
    ax.text(x, 0, name, ha=side, va="center_baseline", weight="bold")
    longest = np.log1p(max(values)) if bars else 0
    for k, (value, text) in enumerate(zip(values, words), start=1):
        if bars and longest:
            length = BAR * 0.92 * np.log1p(value) / longest
            colour = COLOURS["weight" if name.startswith("param") else "output"]
            ax.add_patch(Rectangle((left, k - 0.32), length, 0.64, linewidth=0, facecolor=colour))
        ax.text(x, k, text, ha=side, va="center_baseline")
