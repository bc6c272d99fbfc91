"""A timeline: years to scale on the left, and beside each milestone who and what, one under the other."""

from cnnlib.plots._style import COLOURS, WIDTH, new_axes, styled, text_width

# Lengths in inches; the axes' units are inches too, with y downwards.
ROW = 0.31
LINE = 0.55  # from the left edge to the line of years
TEXT = 1.5  # to the milestones' years
HEAD = 0.35
WHO = TEXT + 0.57  # to the names
GAP = 0.16  # behind the longest name
SIZE = 11  # points


@styled
def plot_timeline(milestones, ax=None, *, tick=10, title=None):
    """Draw milestones along a line whose years are to scale; those that run in the lecture are filled.

    Parameters
    ----------
    milestones : sequence of objects with year, who, what and runs, in the order of their years
        As :data:`cnnlib.history.timeline.MILESTONES`.
    ax : matplotlib Axes, optional
    tick : int
        Years between two marks on the line.
    title : str, optional

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        There are none, or a year comes before the one above it.

    Examples
    --------
    >>> from cnnlib.history.timeline import MILESTONES
    >>> ax = plot_timeline(MILESTONES)
    >>> ax.texts[0].get_text()
    '1943'
    """
    years = [item.year for item in milestones]
    if not years or years != sorted(years):
        raise ValueError(f"`milestones` must be in the order of their years, and one at least, not {years}")
    bottom = HEAD + ROW * (len(years) - 1)
    height = bottom + HEAD
    ax = new_axes(ax, WIDTH + 0.1, height + 0.35 * bool(title))
    ax.set(xlim=(0, WIDTH), ylim=(height, 0))
    ax.set_axis_off()
    first, last = tick * (years[0] // tick), tick * -(-years[-1] // tick)
    ax.plot([LINE, LINE], [HEAD, bottom], color=COLOURS["charcoal"], linewidth=1.5)
    column = WHO + max(text_width(item.who, SIZE) for item in milestones) + GAP
    for k, item in enumerate(milestones):
        place = HEAD + ROW * k
        at = _to_scale(item.year, first, last, bottom)
        ax.plot([LINE, TEXT - 0.2, TEXT - 0.08], [at, place, place], color=COLOURS["faint"], linewidth=1.2, zorder=1)
        ax.plot(LINE, at, "o", markersize=8, markeredgecolor=COLOURS["output"], markeredgewidth=1.8, zorder=3,
                color=COLOURS["output" if item.runs else "paper"])
        _write(ax, item, place, column)
    for year in range(first, last + 1, tick):
        at = _to_scale(year, first, last, bottom)
        ax.plot([LINE - 0.06, LINE], [at, at], color=COLOURS["charcoal"], linewidth=1.5, zorder=2)
        ax.text(LINE - 0.12, at, str(year), size=SIZE - 1, ha="right", va="center", color=COLOURS["charcoal"])
    if title:
        ax.set_title(title, loc="left")
    return ax


def _to_scale(year, first, last, bottom):
    """Return how far down a year's place on the line is."""
    return HEAD + (bottom - HEAD) * (year - first) / max(1, last - first)


def _write(ax, item, place, column):
    """Write year, who and, from the column on, what, in one line."""
    for left, text, look in ((TEXT, str(item.year), {"weight": "bold"}),
                             (WHO, item.who, {"color": COLOURS["charcoal"]}), (column, item.what, {})):
        ax.text(left, place, text, size=SIZE, va="center", **look)
