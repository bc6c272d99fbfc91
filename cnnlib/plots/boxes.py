"""Boxes on a picture: what a detector found, and how sure it is."""

import numpy as np

from cnnlib.plots._style import COLOURS, number_text, numbers, role_colour, styled
from cnnlib.plots.grid import frame
from cnnlib.plots.image import plot_image


@styled
def plot_boxes(image, boxes, scores=None, ax=None, *, role="output", title=None):
    """Draw boxes on a picture, each with its score on top.

    Parameters
    ----------
    image : array of shape (H, W) or (H, W, 3)
    boxes : array of shape (K, 4)
        First row, first column, last row, last column, in pixels.
    scores : array of shape (K,), optional
    ax : matplotlib Axes, optional
    role : {"input", "weight", "output", "gradient"}
    title : str, optional

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> ax = plot_boxes(np.zeros((40, 60)), [[10, 20, 30, 40]], [0.75])
    >>> [text.get_text() for text in ax.texts]
    ['0.75']
    """
    boxes = np.reshape(boxes, (0, 4)) if np.size(boxes) == 0 else numbers(boxes, "boxes", 2)
    if boxes.shape[1] != 4:
        raise ValueError(f"`boxes` has shape {boxes.shape}; it must be (K, 4): first row, first column, last row, last "
                         "column")
    if scores is not None and len(scores) != len(boxes):
        raise ValueError(f"{len(boxes)} boxes need as many scores, not {len(scores)}")
    ax = plot_image(image, ax, title=title)
    for row0, col0, row1, col1 in boxes.tolist():
        frame(ax, row0, col0, row1 - row0, col1 - col0, role_colour(role), linewidth=2)
    for (row0, col0, *_), score in zip(boxes.tolist(), [] if scores is None else scores):
        ax.annotate(number_text(float(score), 2), (col0 - 0.5, row0 - 0.5), (0, 3), textcoords="offset points", size=10,
                    color=COLOURS["ink"], va="bottom", zorder=4,
                    bbox={"facecolor": COLOURS["paper"], "edgecolor": "none", "pad": 1})
    return ax
