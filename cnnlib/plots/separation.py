"""Points of two kinds in a plane, and the lines by which units with a threshold tell them apart."""

import numpy as np

from cnnlib.plots._style import COLOURS, new_axes, numbers, styled

MARGIN = 0.7  # of the plane beyond the outermost points
LINES = ("-", "--", "-.", ":")


@styled
def plot_separation(points, targets, weights=(), bias=(), ax=None, *, title=None):
    """Draw points with their wanted answers, and for each unit the line on which its sum is 0.

    Parameters
    ----------
    points : array of shape (N, 2)
    targets : array of shape (N,), −1 or +1
        Drawn as minus and plus.
    weights : array of shape (K, 2), optional
        At most four units. One whose weights are both 0 has no line.
    bias : array of shape (K,), optional
    ax : matplotlib Axes, optional
    title : str, optional

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> ax = plot_separation([[-1, -1], [1, 1]], [-1, 1], [[1.0, 1.0]], [0.0])
    >>> [len(line.get_xdata()) for line in ax.get_lines()]
    [1, 1, 2]
    """
    points, targets = numbers(points, "points", 2).astype(float), numbers(targets, "targets", 1)
    weights, bias = np.reshape(weights, (-1, 2)).astype(float), np.ravel(bias).astype(float)
    if points.shape != (len(targets), 2) or len(weights) != len(bias) or len(weights) > len(LINES):
        raise ValueError(f"`points` {points.shape} and `targets` {targets.shape} must be (N, 2) and (N,), `weights` "
                         f"{weights.shape} and `bias` {bias.shape} at most {len(LINES)} units")
    ax = new_axes(ax, 3.4, 3.4)
    low, high = points.min() - MARGIN, points.max() + MARGIN
    ax.set(xlim=(low, high), ylim=(low, high), aspect="equal", xlabel="x₁", ylabel="x₂")
    for point, target in zip(points, targets):
        sign = target > 0
        ax.plot(*point, "o", markersize=22, color=COLOURS["output" if sign else "paper"], zorder=3,
                markeredgecolor=COLOURS["output"], markeredgewidth=2)
        ax.text(*point, "+1" if sign else "−1", ha="center", va="center", zorder=4, size=11,
                color=COLOURS["paper" if sign else "ink"])
    for row, offset, dashes in zip(weights, bias, LINES):
        length = np.hypot(*row)
        if length > 0:
            _line(ax, row / length, offset / length, 2 * (high - low), dashes)
    ticks = np.unique(points)
    ax.set(xticks=ticks, yticks=ticks)
    if title:
        ax.set_title(title, loc="left")
    return ax


def _line(ax, normal, offset, reach, dashes):
    """Draw the line normal · x + offset = 0 and an arrow to the side where the sum is positive."""
    foot, along = -offset * normal, np.array([-normal[1], normal[0]])
    ends = np.array([foot - reach * along, foot + reach * along])
    ax.plot(*ends.T, color=COLOURS["weight"], linestyle=dashes, scalex=False, scaley=False)
    ax.annotate("", foot + 0.45 * normal, foot, arrowprops={"arrowstyle": "-|>", "color": COLOURS["weight"],
                                                            "shrinkA": 0, "shrinkB": 0, "linewidth": 2})
