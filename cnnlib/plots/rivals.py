"""Is a match right if it is near, or if its rival is far? Histograms of both, picture by picture."""

import numpy as np
from matplotlib import pyplot as plt

from cnnlib.plots._style import WIDTH, numbers, styled
from cnnlib.plots.histogram import plot_histogram


@styled
def plot_rivals(judged, distance=0.35, ratio=0.8):
    """Draw, for each picture, how far the right and the wrong nearest neighbours are, and how their rivals compare.

    Parameters
    ----------
    judged : mapping of str to (nearest, second, right), at most 3
        For each picture: the distances of its points to the nearest and to the second nearest descriptor of the other
        picture, and whether the nearest is right.
    distance, ratio : float
        Where the two thresholds are drawn. Each title says how many of those below are right.

    Returns
    -------
    array of matplotlib Axes, of shape (pictures, 2)

    Examples
    --------
    >>> axes = plot_rivals({"wall": ([0.1, 0.2, 0.9], [0.9, 0.2, 1.0], [True, False, False])})
    >>> [ax.get_title(loc="left") for ax in axes[0]]
    ['wall: 50 % right below 0.35', 'wall: 100 % right below 0.8']
    """
    if not 1 <= len(judged) <= 3:
        raise ValueError(f"`judged` holds {len(judged)} pictures; 1 to 3 have room")
    _, axes = plt.subplots(len(judged), 2, squeeze=False, figsize=(WIDTH, 2.3 * len(judged) + 0.2))
    for (name, values), row in zip(judged.items(), axes):
        near, far, right = (numbers(np.asarray(value), f"judged[{name!r}]", 1) for value in values)
        if not len(near) == len(far) == len(right):
            raise ValueError(f"`judged[{name!r}]` holds {len(near)}, {len(far)} and {len(right)} numbers; all three "
                             "need the same number")
        right = right.astype(bool)
        for ax, amount, line, what in zip(row, (near, near / far), (distance, ratio), ("distance", "ratio")):
            below = right[amount < line]
            share = f"{100 * below.mean():.0f} % right" if len(below) else "none"
            plot_histogram({"right": amount[right], "wrong": amount[~right]}, ax, limits=(0, 1), line=line,
                           xlabel=what, title=f"{name}: {share} below {line:g}")
            ax.get_legend().remove()
    axes[0, 1].legend(loc="upper left")
    return axes
