"""The ways of several optimisers down one loss of two weights, on its contour map."""

import numpy as np
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.lines import Line2D
from matplotlib.ticker import MultipleLocator

from cnnlib.optim.walks import diverged_at, left_at
from cnnlib.plots._style import COLOURS, RC, new_axes, numbers, styled
from cnnlib.plots.bars import amount_text
from cnnlib.plots.curves import DASHES, MARKERS

FINE = 161  # points along each side of the map
LEVELS = 12


@styled
def plot_paths(surface, paths, ax=None, *, start=None, step=None, title=None):
    """Draw a loss of two weights as contours, and on it the paths that optimisers took.

    Parameters
    ----------
    surface : cnnlib.optim.surfaces.Surface
        The darker, the lower; levels are spaced by the logarithm. Where the loss is NaN the map is plain grey.
    paths : mapping of str to array of shape (steps + 1, 2), at most 6
        As :func:`cnnlib.optim.walks.walk` returns them. They differ in dashes and marks as well as in hue, and the
        legend says the loss that each has reached, or when it diverged or left the surface (came to a NaN, where its
        mark stands). No paths draw the map alone.
    ax : matplotlib Axes, optional
    start : (float, float), optional
        Where a cross stands; None takes where the first path begins.
    step : int, optional
        How far the paths are drawn; None takes all steps.
    title : str, optional

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> from cnnlib.optim import surfaces, walks
    >>> bowl = surfaces.bowl(10)
    >>> ax = plot_paths(bowl, {"SGD": walks.walk(bowl.gradient, (-1, 1), "sgd", 50, lr=0.19)})
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['SGD: 1.33·10⁻⁴']
    """
    if len(paths) > len(DASHES):
        raise ValueError(f"`paths` holds {len(paths)} names; {len(DASHES)} at most can be told apart")
    paths = {name: numbers(path, f"paths[{name!r}]", 2).astype(float) for name, path in paths.items()}
    for name, path in paths.items():
        if path.shape[1] != 2:
            raise ValueError(f"`paths[{name!r}]` has shape {path.shape}; it must be (steps + 1, 2)")
    ax = new_axes(ax, 7.6, 4.4)
    _contours(surface, ax)
    colours = RC["axes.prop_cycle"].by_key()["color"]
    handles = []
    for k, (name, path) in enumerate(paths.items()):
        handles.append(_path(surface, name, path if step is None else path[:step + 1], ax,
                             {"color": colours[k], "linestyle": DASHES[k]}, MARKERS[k]))
    if start is None and paths:
        start = next(iter(paths.values()))[0]
    if start is not None:
        ax.plot(*start, "P", color=COLOURS["ink"], markersize=10, markeredgecolor=COLOURS["paper"], zorder=4)
    if handles:
        ax.legend(handles=handles, loc="center left", bbox_to_anchor=(1.01, 0.5), handlelength=3)
    (left, right), (bottom, top) = surface.window
    ax.set(xlim=(left, right), ylim=(bottom, top), xlabel="weight w₁", ylabel="weight w₂", aspect="equal")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MultipleLocator((right - left) / 4))
    if title:
        ax.set_title(title, loc="left")
    return ax


def _contours(surface, ax):
    """Draw the loss in greys, and its minima as rings."""
    w1, w2 = (np.linspace(low, high, FINE) for low, high in surface.window)
    values = surface.value(np.stack(np.meshgrid(w1, w2), axis=-1))
    finite = values[np.isfinite(values)]
    if finite.size == 0:
        raise ValueError("`surface` is finite nowhere in its window")
    lift = finite.min() - 1e-3 * max(np.ptp(finite), 1e-12)  # so that the logarithm has something to hold on to
    heights = np.log(np.where(np.isfinite(values), values, np.nan) - lift)
    low, high = np.nanpercentile(heights, (0.5, 100))
    levels = np.linspace(low, max(high, low + 1e-9), LEVELS)
    greys = LinearSegmentedColormap.from_list("greys", [_grey(0.5), COLOURS["paper"]])
    ax.set_facecolor(COLOURS["faint"])
    ax.contourf(w1, w2, heights, levels, cmap=greys, extend="both", zorder=0)
    ax.contour(w1, w2, heights, levels, colors=COLOURS["charcoal"], linewidths=0.5, linestyles="-", zorder=1)
    for minimum in surface.minima:
        ax.plot(*minimum, "o", color="none", markeredgecolor=COLOURS["ink"], markeredgewidth=1.8, markersize=12,
                zorder=2)


def _grey(share):
    """Return a mixture of charcoal and paper."""
    charcoal, paper = (np.array(to_rgb(COLOURS[name])) for name in ("charcoal", "paper"))
    return paper + share * (charcoal - paper)


def _path(surface, name, path, ax, line, marker):
    """Draw one path, with its mark where it ends; return what stands for it in the legend."""
    with np.errstate(all="ignore"):  # where a walk has left for infinity
        losses = surface.value(path)
    gone, left = diverged_at(path, surface.window), left_at(path, losses, surface.window)
    walked = path if gone is None else path[:gone]
    ax.plot(*walked.T, **line, zorder=3)
    if len(walked) <= 41:
        ax.plot(*walked.T, ".", color=line["color"], markersize=5, zorder=3)
    if gone is None or (left is not None and gone):  # who has left the surface is marked where that happened
        ax.plot(*walked[-1], marker, color=line["color"], markeredgecolor=COLOURS["paper"], zorder=5, clip_on=True)
    words = f"diverged at step {gone}" if gone is not None else _amount(float(losses[-1]))
    if left is not None:
        words = f"left the surface at step {left}" if left else "starts without a loss"
    return Line2D([], [], **line, marker=marker, label=f"{name}: {words}")


def _amount(value):
    """Write a loss, which may be 0, negative, or nothing."""
    if np.isnan(value):
        return "NaN"
    return "0" if value == 0 else ("−" if value < 0 else "") + amount_text(abs(value))
