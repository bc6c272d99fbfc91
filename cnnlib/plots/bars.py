"""Amounts side by side: bars with their numbers, and times of several methods on several shapes."""

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from cnnlib.plots._style import COLOURS, new_axes, number_text, numbers, role_colour, styled, text_width

BAR = 0.42  # inches
MARKERS = "osD^vPX*"


@styled
def plot_bars(labels, values, ax=None, *, log=False, unit="", role="output", decimals=None, title=None):
    """Draw horizontal bars, the first on top, each with its number behind it.

    Parameters
    ----------
    labels : sequence of K str
    values : sequence of K numbers, none negative
    ax : matplotlib Axes, optional
    log : bool
        Lengths by the logarithm; then no value may be zero. The axis says so.
    unit : str
        Written behind each number and on the axis.
    role : {"input", "weight", "output", "gradient"}
    decimals : int, optional
        None writes three significant digits, and numbers from 1000 up in full with thousands separators.
    title : str, optional

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> ax = plot_bars(["dense", "filter"], [2408448, 75], log=True, unit="weights")
    >>> [text.get_text() for text in ax.texts]
    ['2,408,448 weights', '75 weights']
    """
    values = numbers(values, "values", 1).astype(float)
    labels = list(labels)
    if len(labels) != len(values):
        raise ValueError(f"{len(values)} values need as many labels, not {len(labels)}")
    if not np.isfinite(values).all() or (values < 0).any() or (log and (values == 0).any()):
        kind = "above zero" if log else "not negative"
        raise ValueError(f"`values` must be finite and {kind}, not {values}")
    ax = new_axes(ax, 7.2, BAR * len(values) + 0.7 + 0.35 * bool(title))
    places = np.arange(len(values))
    left = 10.0 ** np.floor(np.log10(values.min()) - 0.3) if log else 0
    ax.barh(places, values - left, left=left, height=0.65, color=role_colour(role))
    texts = [f"{amount_text(value, decimals)} {unit}".rstrip() for value in values]
    ax.set(xscale="log" if log else "linear", yticks=places, ylim=(len(values) - 0.5, -0.5))
    ax.set_yticklabels(labels)
    share = max(text_width(text, 12) for text in texts) + 0.15
    share = min(0.6, share / max(1.0, 7.0 - max(text_width(label, 12) for label in labels)))
    high = values.max() or 1
    ax.set_xlim(left, left * (high / left) ** (1 / (1 - share)) if log else high / (1 - share))
    for place, value, text in zip(places, values, texts):
        ax.annotate(text, (value, place), (4, 0), textcoords="offset points", va="center")
    ax.tick_params(axis="y", length=0)
    ax.spines["bottom"].set_visible(log)
    if log:
        log_axis(ax.xaxis)
        ax.set_xlabel(f"{unit or 'amount'} (each step ×10)")
    else:
        ax.set_xticks([])
    if title:
        ax.set_title(title, loc="left")
    return ax


@styled
def plot_timings(times, shapes, ax=None, *, unit="ms", title=None):
    """Draw the times of several methods on several shapes as dots on a logarithmic axis.

    Parameters
    ----------
    times : mapping of str to sequence of S numbers
        A method's name and its time for each shape; NaN or None where it does not apply. At most 8 methods.
    shapes : sequence of S str
        Drawn as rows, the first on top.
    ax : matplotlib Axes, optional
    unit : str
    title : str, optional

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> ax = plot_timings({"loops": [1200, None], "im2col": [9, 30]}, ["LeNet C1", "ResNet"])
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['loops', 'im2col']
    """
    shapes = list(shapes)
    if not 1 <= len(times) <= len(MARKERS):
        raise ValueError(f"`times` holds {len(times)} methods; 1 to {len(MARKERS)} can be told apart")
    rows = {name: np.array([np.nan if value is None else value for value in row], dtype=float)
            for name, row in times.items()}
    for name, row in rows.items():
        if len(row) != len(shapes) or (row <= 0).any():
            raise ValueError(f"`times[{name!r}]` must be {len(shapes)} times above zero, one per shape, "
                             f"not {row}")
    ax = new_axes(ax, 8.2, 0.5 * len(shapes) + 1.1 + 0.35 * bool(title))
    ax.hlines(range(len(shapes)), 0, 1, transform=ax.get_yaxis_transform(), color=COLOURS["faint"])
    colours = plt.rcParams["axes.prop_cycle"].by_key()["color"]
    for k, (name, row) in enumerate(rows.items()):
        hollow = k >= len(colours)
        dodge = 0.4 * (k / max(1, len(rows) - 1) - 0.5)  # so that equal times do not hide each other
        colour = colours[k % len(colours)]
        ax.plot(row, np.arange(len(shapes)) + dodge, MARKERS[k], label=name, color=colour, zorder=3,
                markerfacecolor="none" if hollow else colour, clip_on=False)
    ax.set(xscale="log", yticks=range(len(shapes)), ylim=(len(shapes) - 0.5, -0.5), xlabel=f"time, {unit}")
    ax.set_yticklabels(shapes)
    ax.tick_params(axis="y", length=0)
    log_axis(ax.xaxis)
    ax.legend(loc="center left", bbox_to_anchor=(1.02, 0.5))
    if title:
        ax.set_title(title, loc="left")
    return ax


def log_axis(axis):
    """Label a logarithmic axis at its powers of ten, with 2 and 5 between where it is short."""
    low, high = axis.get_view_interval()
    decades = np.log10(high / low)
    axis.set_major_locator(LogLocator(subs=(1, 2, 5) if decades < 1.5 else (1,), numticks=12))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: (_power if decades > 5 else amount_text)(value)))


def amount_text(value, decimals=None):
    """Write an amount: whole numbers in full up to nine digits, others with three significant digits."""
    if decimals is not None:
        return number_text(value, decimals)
    if value >= 1e9 or 0 < value < 1e-3:
        exponent = int(np.floor(np.log10(value)))
        return f"{value / 10.0**exponent:.3g}·{_power(10.0**exponent)}"
    return f"{value:,.0f}" if value == round(value) or value >= 1000 else f"{value:.3g}"


def _power(value):
    """Write a power of ten with its exponent raised."""
    return "10" + str(round(np.log10(value))).translate(SUPERSCRIPT)


SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
