"""The roofline: is a computation held back by arithmetic or by memory?"""

import numpy as np

from cnnlib.plots._points import draw_points
from cnnlib.plots._style import COLOURS, new_axes, styled
from cnnlib.plots.bars import log_axis


@styled
def plot_roofline(points, peak, bandwidth, ax=None, *, title=None):
    """Draw measured computations under the roof that a machine's arithmetic and memory put over them.

    Parameters
    ----------
    points : mapping of str to (intensity, speed)
        Intensity in floating-point operations per byte moved, speed in GFLOP/s.
    peak : float, in GFLOP/s
        What the machine can compute.
    bandwidth : float, in GB/s
        What its memory can deliver.
    ax : matplotlib Axes, optional
    title : str, optional

    Returns
    -------
    matplotlib Axes

    Notes
    -----
    The roof is min(peak, bandwidth · intensity) [1]_. Nothing here stops a point above it: a point above
    the roof says that the measured peak or the counted bytes are wrong.

    References
    ----------
    .. [1] Williams, Waterman and Patterson, Roofline: an insightful visual performance model for multicore
       architectures, Communications of the ACM 52(4), 2009. doi:10.1145/1498765.1498785

    Examples
    --------
    >>> ax = plot_roofline({"im2col": (20, 60)}, peak=100, bandwidth=10)
    >>> ax.get_xlabel()
    'operations per byte moved'
    """
    values = np.array(list(points.values()), dtype=float)
    if not points or values.shape != (len(points), 2) or min(values.min(), peak, bandwidth) <= 0:
        raise ValueError("`points` must map each name to (intensity, speed), all above zero, and so must "
                         f"`peak` and `bandwidth` be; not {dict(points)}, {peak}, {bandwidth}")
    ax = new_axes(ax, 8.2, 4.8)
    ridge = peak / bandwidth
    low = min(values[:, 0].min(), ridge) / 3
    high = max(values[:, 0].max(), ridge) * 6
    bottom, top = min(values[:, 1].min(), low * bandwidth) / 1.6, max(values[:, 1].max(), peak) * 2.2
    ax.set(xscale="log", yscale="log", xlim=(low, high), ylim=(bottom, top))
    ax.plot((low, ridge, high), (low * bandwidth, peak, peak), color=COLOURS["charcoal"])
    labels = [ax.text(high, peak * 1.08, f"arithmetic: {peak:,.0f} GFLOP/s ", ha="right", va="bottom")]
    ax.set(xlabel="operations per byte moved", ylabel="GFLOP/s")
    log_axis(ax.xaxis)
    log_axis(ax.yaxis)
    ax.figure.draw_without_rendering()  # settles the layout, so that the slope and the labels can be placed
    inches = ax.figure.dpi_scale_trans.inverted().transform
    corners = inches(ax.transData.transform([(low, low * bandwidth), (ridge, peak), (high, peak)]))
    angle = np.degrees(np.arctan2(*(corners[1] - corners[0])[::-1]))
    middle = np.sqrt(low * ridge)
    labels.append(ax.text(middle, middle * bandwidth * 1.12, f"memory: {bandwidth:,.0f} GB/s", rotation=angle,
                          ha="center", va="bottom", rotation_mode="anchor"))
    roof = [*_along(corners[:2], 0.01), *_along(corners[1:], 0.01)]
    level, slanted = (inches(label.get_window_extent().get_points()) for label in labels)
    draw_points(ax, points, [*roof, (*level[:, 0], *level[:, 1]), *_along(slanted, 0.12)], inches)
    if title:
        ax.set_title(title, loc="left")
    return ax


def _along(ends, room, parts=24):
    """Return boxes that cover the rising or level line between two points, with that much room above and below."""
    cuts = np.linspace(*ends, parts + 1)
    return [(a[0], b[0], a[1] - room, b[1] + room) for a, b in zip(cuts, cuts[1:])]
