"""How often which amount: histograms of a few kinds over one axis."""

import numpy as np

from cnnlib.plots._style import COLOURS, new_axes, numbers, styled

STYLES = (("output", 0.45, "-"), ("gradient", 0, "--"), ("charcoal", 0, ":"))  # filled, then outlines over it


@styled
def plot_histogram(groups, ax=None, *, bins=24, limits=None, line=None, xlabel="", ylabel="count", title=None):
    """Draw the histograms of up to three groups over each other: the first filled, the others as outlines.

    Parameters
    ----------
    groups : mapping of str to sequence of numbers
        The names stand in the legend. A group may be empty.
    ax : matplotlib Axes, optional
    bins : int
    limits : (low, high), optional
        Ends of the axis; amounts outside are not drawn. None takes the least and the largest.
    line : number, optional
        A vertical line, such as a threshold.
    xlabel, ylabel : str
    title : str, optional

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        No group, more than three, or no number at all.

    Examples
    --------
    >>> ax = plot_histogram({"right": [0.1, 0.2], "wrong": [0.9]}, bins=2)
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['right', 'wrong']
    """
    if not 1 <= len(groups) <= len(STYLES):
        raise ValueError(f"`groups` holds {len(groups)} names; 1 to {len(STYLES)} can be told apart")
    values = {name: numbers(group, f"groups[{name!r}]", 1).astype(float) if len(group) else np.zeros(0)
              for name, group in groups.items()}
    together = np.concatenate(list(values.values()))
    if not together.size:
        raise ValueError("`groups` holds no number at all")
    edges = np.linspace(*(limits or (together.min(), together.max())), bins + 1)
    ax = new_axes(ax, 6, 3.2 + 0.35 * bool(title))
    for (name, group), (role, alpha, dashes) in zip(values.items(), STYLES):
        counts = np.histogram(group, edges)[0]
        ax.stairs(counts, edges, color=COLOURS[role], linestyle=dashes, linewidth=1.8, label=name)
        if alpha:
            ax.stairs(counts, edges, color=COLOURS[role], alpha=alpha, fill=True)
    if line is not None:
        ax.axvline(line, color=COLOURS["ink"], linewidth=1.2)
    ax.set(xlabel=xlabel, ylabel=ylabel, xlim=(edges[0], edges[-1]))
    ax.set_ylim(bottom=0)
    if len(values) > 1:
        ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1))
    if title:
        ax.set_title(title, loc="left")
    return ax
