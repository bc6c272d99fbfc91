"""Two quantities of named things: a point for each, with its name beside it."""

import numpy as np

from cnnlib.plots._points import draw_points
from cnnlib.plots._style import COLOURS, new_axes, styled
from cnnlib.plots.bars import log_axis


@styled
def plot_scatter(points, ax=None, *, families=(), xlabel="", ylabel="", log=False, title=None):
    """Draw named points; the members of a family are joined by a line, in their order.

    Parameters
    ----------
    points : mapping of str to (x, y)
        Finite numbers; x above zero where `log`.
    ax : matplotlib Axes, optional
    families : sequence of sequences of names
    xlabel, ylabel : str
        The quantities with their units.
    log : bool
        A logarithmic horizontal axis.
    title : str, optional

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        There is no point, a number is not finite or not above zero, or a family names what is no point.

    Examples
    --------
    >>> ax = plot_scatter({"small": (1, 60), "large": (100, 70)}, families=[("small", "large")], log=True)
    >>> [text.get_text() for text in ax.texts]
    ['small', 'large']
    """
    values = np.array(list(points.values()), dtype=float)
    if not points or values.shape != (len(points), 2) or not np.isfinite(values).all():
        raise ValueError(f"`points` must map each name to two finite numbers (x, y); not {dict(points)}")
    if log and (values[:, 0] <= 0).any():
        raise ValueError(f"`points` has x = {values[:, 0].min():g}; on a logarithmic axis x must be above zero")
    for name in (name for family in families for name in family):
        if name not in points:
            raise ValueError(f"`families` names {name!r}; the points are {', '.join(points)}")
    ax = new_axes(ax, 8.2, 4.8)
    (left, bottom), (right, top) = values.min(axis=0), values.max(axis=0)
    if log:
        ax.set(xscale="log", xlim=(left / 1.6, right * 2.2))
        log_axis(ax.xaxis)
    else:
        margin = 0.12 * (right - left or 1)
        ax.set_xlim(left - margin, right + 2 * margin)
    ax.set(ylim=(bottom - 0.1 * (top - bottom or 1), top + 0.1 * (top - bottom or 1)), xlabel=xlabel, ylabel=ylabel)
    if title:
        ax.set_title(title, loc="left")
    ax.figure.draw_without_rendering()  # settles the layout, so that the labels can be placed
    inches = ax.figure.dpi_scale_trans.inverted().transform
    for family in families:
        ax.plot(*np.array([points[name] for name in family]).T, color=COLOURS["charcoal"], linewidth=1, zorder=1)
    draw_points(ax, points, [box for family in families for box in _lines(ax, points, family, inches)], inches)
    return ax


def _lines(ax, points, family, inches, parts=12):
    """Return boxes, in inches, that cover the lines between the members of a family."""
    places = inches(ax.transData.transform([points[name] for name in family]))
    cuts = np.linspace(places[:-1], places[1:], parts + 1)  # (parts + 1, lines, 2)
    low, high = np.minimum(cuts[:-1], cuts[1:]).reshape(-1, 2), np.maximum(cuts[:-1], cuts[1:]).reshape(-1, 2)
    return [(x0, x1, y0 - 0.01, y1 + 0.01) for (x0, y0), (x1, y1) in zip(low, high)]
