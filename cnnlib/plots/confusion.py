"""Which class was taken for which: a table of counts in which mistakes stand out."""

import numpy as np
from matplotlib.colors import to_rgb

from cnnlib.plots._style import COLOURS, ink_on, new_axes, numbers, styled

CELL = 0.42  # inches
RIGHT = 0.25  # how much of the output's colour the right answers get


@styled
def plot_confusion(counts, labels=None, ax=None, *, title=None):
    """Draw a confusion matrix: rows are what is true, columns what was answered, mistakes in the gradient's colour.

    Parameters
    ----------
    counts : array of shape (K, K), whole numbers from 0 up
        As :func:`cnnlib.training.confusion_matrix` counts.
    labels : sequence of K str or int, optional
        None takes 0, 1, 2, ...
    ax : matplotlib Axes, optional
    title : str, optional

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> ax = plot_confusion([[5, 0], [2, 3]], ["cat", "dog"])
    >>> [text.get_text() for text in ax.texts]
    ['5', '2', '3']
    """
    counts = numbers(counts, "counts", 2)
    if counts.shape[0] != counts.shape[1] or (counts < 0).any():
        raise ValueError(f"`counts` has shape {counts.shape} and its least number is {counts.min()}; it must be "
                         "square, with no number below 0")
    labels = range(len(counts)) if labels is None else labels
    if len(labels) != len(counts):
        raise ValueError(f"`labels` has {len(labels)} names for {len(counts)} classes")
    mistakes = np.where(np.eye(len(counts), dtype=bool), 0, counts)
    share = (mistakes / max(1, mistakes.max()))[..., None]
    paper, wrong, right = (np.array(to_rgb(COLOURS[word])) for word in ("paper", "gradient", "output"))
    fill = paper + share * (wrong - paper)
    fill[np.eye(len(counts), dtype=bool)] = paper + RIGHT * (right - paper)
    side = CELL * len(counts)
    ax = new_axes(ax, side + 1.3, side + 0.9 + 0.3 * bool(title))
    ax.imshow(fill)
    for row, col in zip(*np.nonzero(counts)):
        ax.text(col, row, f"{counts[row, col]:,}", ha="center", va="center", size=11, color=ink_on(fill[row, col]))
    ticks = range(len(counts))
    ax.set(xticks=ticks, yticks=ticks, xlabel="answer", ylabel="true class")
    ax.set_xticklabels(labels)
    ax.set_yticklabels(labels)
    ax.set_xticks(np.arange(len(counts) + 1) - 0.5, minor=True)
    ax.set_yticks(np.arange(len(counts) + 1) - 0.5, minor=True)
    ax.grid(which="minor")
    ax.tick_params(which="both", length=0)
    ax.spines[:].set_visible(False)
    if title:
        ax.set_title(title, loc="left")
    return ax
