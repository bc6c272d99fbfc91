"""Quantities that follow another one: named curves, and the scatter of repeated trials."""

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.ticker import MaxNLocator, PercentFormatter

from cnnlib.plots._style import COLOURS, new_axes, numbers, styled

DASHES = ("-", "--", "-.", ":", (0, (6, 1.5, 1, 1.5, 1, 1.5)), (0, (1, 2.2)))
MARKERS = "ovs^DP"
MARKS = 10  # about so many on a curve


@styled
def plot_curves(curves, ax=None, *, x=None, xlabel="", ylabel="", percent=False, title=None):
    """Draw named curves over a common axis; each differs from the others in dashes and marks as well as in its hue.

    Parameters
    ----------
    curves : mapping of str to sequence of numbers, at most 6, all of the same length
        The names stand beside the curves, in the order of their means. NaN leaves a gap. An array of shape
        (trials, length) is drawn as its mean, in a band from the smallest to the largest trial.
    ax : matplotlib Axes, optional
    x : sequence of numbers, optional
        None takes 0, 1, 2, …
    xlabel, ylabel : str
        The quantities with their units.
    percent : bool
        Write 0.5 as 50 %.
    title : str, optional

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> ax = plot_curves({"slow": [0, 1, 2], "fast": [0, 2, 4]})
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['fast', 'slow']
    """
    rows = _rows(curves, "curves", len(DASHES), (1, 2))
    bands = {name: (row.min(axis=0), row.max(axis=0)) for name, row in rows.items() if row.ndim == 2}
    rows = {name: row.mean(axis=0) if row.ndim == 2 else row for name, row in rows.items()}
    if len({len(row) for row in rows.values()}) != 1:
        raise ValueError(f"all curves must be equally long, not {sorted({len(row) for row in rows.values()})} numbers")
    length = len(next(iter(rows.values())))
    x = np.arange(length) if x is None else numbers(x, "x", 1)
    if len(x) != length:
        raise ValueError(f"`x` has {len(x)} numbers and the curves have {length}")
    ax = new_axes(ax, 9, 3.8)
    colours = plt.rcParams["axes.prop_cycle"].by_key()["color"]
    for (name, row), dashes, marker, colour in zip(rows.items(), DASHES, MARKERS, colours):
        ax.plot(x, row, linestyle=dashes, color=colour, label=name, marker=marker, markersize=6,
                markevery=max(1, length // MARKS), clip_on=False)
        if name in bands:
            ax.fill_between(x, *bands[name], color=colour, alpha=0.25, linewidth=0)
    lines = sorted(ax.get_lines(), key=lambda line: -np.nanmean(line.get_ydata()))
    ax.legend(handles=lines, loc="center left", bbox_to_anchor=(1.01, 0.5), handlelength=3)
    low = min(np.nanmin(row) for row in [*rows.values(), *(below for below, _ in bands.values())])
    ax.set(xlabel=xlabel, ylabel=ylabel, xlim=(min(x), max(x)), ylim=(0 if low >= 0 else None, None))
    if (x == np.round(x)).all():
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    return _finished(ax, percent, title)


@styled
def plot_trials(trials, ax=None, *, ylabel="", percent=False, title=None):
    """Draw every single result of repeated trials as a mark: a column for each kind, a marker for each condition.

    Parameters
    ----------
    trials : mapping of str to (mapping of str to sequence of numbers)
        For each kind, on the horizontal axis, and for each condition, in the legend, the results.
    ax : matplotlib Axes, optional
    ylabel : str
    percent : bool
        Write 0.5 as 50 %.
    title : str, optional

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> ax = plot_trials({"max": {"still": [0.9, 0.8], "moved": [0.6]}, "stride": {"still": [0.9], "moved": [0.4]}})
    >>> [text.get_text() for text in ax.get_xticklabels()]
    ['max', 'stride']
    """
    if not trials:
        raise ValueError("`trials` is empty")
    conditions = list(next(iter(trials.values())))
    ax = new_axes(ax, 9, 3.2)
    colours = [COLOURS["output"], COLOURS["gradient"], COLOURS["input"], *[COLOURS["charcoal"]] * 3]
    for place, (kind, results) in enumerate(trials.items()):
        rows = _rows(results, f"trials[{kind!r}]", len(MARKERS))
        if list(rows) != conditions:
            raise ValueError(f"`trials[{kind!r}]` has the conditions {list(rows)}, the first kind has {conditions}")
        for k, (name, row) in enumerate(rows.items()):
            aside = 0.3 * (k / max(1, len(conditions) - 1) - 0.5)
            ax.plot(np.full(len(row), place + aside), row, MARKERS[k], color=colours[k], clip_on=False,
                    label=None if place else name)
    ax.set(xticks=range(len(trials)), xticklabels=list(trials), ylabel=ylabel, xlim=(-0.5, len(trials) - 0.5),
           ylim=(0, 1 if percent else None))
    ax.tick_params(axis="x", length=0)
    ax.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
    return _finished(ax, percent, title)


def _rows(values, name, most, ndim=1):
    """Return named sequences of numbers as arrays, at most so many of them."""
    if not 1 <= len(values) <= most:
        raise ValueError(f"`{name}` holds {len(values)} names; 1 to {most} can be told apart")
    return {key: numbers(np.asarray(row), f"{name}[{key!r}]", ndim).astype(float) for key, row in values.items()}


def _finished(ax, percent, title):
    if percent:
        ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    if title:
        ax.set_title(title, loc="left")
    return ax
