"""Errors year by year: who won, with how many nets, and what one net alone could do."""

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from cnnlib.plots._style import COLOURS, new_axes, styled

HATCH = "///"
BESIDE = 0.42  # bars: from a bar's middle to its single net
KINDS = ("features by hand", "one net", "several nets, averaged")


@styled
def plot_error_chart(results, ax=None, *, single=(), human=None, log=False, title=None):
    """Draw the published errors of a challenge as bars, one a year; ensembles are hatched.

    Parameters
    ----------
    results : sequence of objects with year, system, top5, nets and ensemble
        As :data:`cnnlib.history.ilsvrc.WINNERS`.
    ax : matplotlib Axes, optional
    single : sequence of the same
        Marked by a diamond in the bar's year: what one net alone reached.
    human : float, optional
        Percent; a dashed line.
    log : bool
        A logarithmic axis, on which equal shares are equal heights.
    title : str, optional

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        There is no result, two are of one year, an error lies outside of 0 to 100 %, or a single net's year has no bar.

    Examples
    --------
    >>> from cnnlib.history import ilsvrc
    >>> ax = plot_error_chart(ilsvrc.WINNERS, human=ilsvrc.HUMAN)
    >>> [text.get_text() for text in ax.get_xticklabels()][:2]
    ['NEC-UIUC\\n2010', 'XRCE\\n2011']
    """
    places = {result.year: place for place, result in enumerate(results)}
    if not places or len(places) != len(results):
        raise ValueError(f"`results` must hold one result a year, not the years {[r.year for r in results]}")
    for result in (*results, *single):
        if not 0 < result.top5 < 100:
            raise ValueError(f"`top5` of {result.system} is {result.top5}; an error lies between 0 and 100 %")
        if result.year not in places:
            raise ValueError(f"`single` has {result.system} of {result.year}, a year without a bar")
    ax = new_axes(ax, 9.2, 4.4)
    floor = 1.0 if log else 0.0
    for result in results:
        place = places[result.year]
        ax.bar(place, result.top5 - floor, bottom=floor, width=0.62, **_look(_kind(result)))
        ax.annotate(f"{result.top5:g}", (place, result.top5), (0, 4), textcoords="offset points", ha="center",
                    bbox={"facecolor": COLOURS["paper"], "edgecolor": "none", "pad": 1})
    for result in single:
        ax.plot(places[result.year] + BESIDE, result.top5, "D", color=COLOURS["gradient"], markersize=7,
                markeredgecolor=COLOURS["paper"])
    if human is not None:
        ax.axhline(human, color=COLOURS["ink"], linestyle=(0, (4, 3)), linewidth=1.5, zorder=0.5)
    ax.set(xticks=list(places.values()), ylabel="top-5 error, %", xlim=(-0.6, len(places) - 0.4))
    ax.set_xticklabels([_label(result) for result in results])
    ax.tick_params(axis="x", length=0)
    if log:
        ax.set(yscale="log", ylim=(floor, 45), yticks=[1, 2, 5, 10, 20, 40], yticklabels=[1, 2, 5, 10, 20, 40])
        ax.minorticks_off()
    ax.legend(handles=_legend(results, single, human), loc="upper right")
    if title:
        ax.set_title(title, loc="left")
    return ax


def _kind(result):
    """Return what kind of system it is, as an index into KINDS."""
    return 2 if result.ensemble else int(result.nets == 1)


def _look(kind):
    """Return the bar's colour and hatch."""
    look = {"facecolor": COLOURS["charcoal" if kind == 0 else "output"], "edgecolor": COLOURS["paper"], "linewidth": 0}
    return look | {"hatch": HATCH} if kind == 2 else look


def _label(result):
    """Return the system's name, cut at its hyphen where it is long, and the year."""
    name = result.system if len(result.system) < 10 else result.system.replace("-", "-\n")
    return f"{name}\n{result.year}"


def _legend(results, single, human):
    """Return the legend's lines, of what is drawn only."""
    handles = [Patch(**_look(kind), label=KINDS[kind]) for kind in np.unique([_kind(result) for result in results])]
    if single:
        handles.append(Line2D([], [], marker="D", linestyle="", color=COLOURS["gradient"], markersize=7,
                              label="one of its nets alone"))
    if human is not None:
        handles.append(Line2D([], [], color=COLOURS["ink"], linestyle=(0, (4, 3)), linewidth=1.5,
                              label=f"one trained person, {human:g} %"))
    return handles
