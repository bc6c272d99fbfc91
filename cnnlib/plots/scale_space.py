"""Scale space on one sheet: an octave a row, blur growing to the right, each picture as large as it is stored."""

import numpy as np
from matplotlib import pyplot as plt

from cnnlib.plots._style import WIDTH, number_text, numbers, styled, text_width
from cnnlib.plots.grid import grey_limits
from cnnlib.plots.image import plot_image

LABEL = 0.3  # inches above each picture


@styled
def plot_scale_space(octaves, sigmas, axes=None, *, limits=None, smallest=0.45):
    """Show the levels of each octave as one row of pictures, halved in size from row to row.

    Parameters
    ----------
    octaves : sequence of arrays of shape (S, H, W)
        One array per octave, the largest first; all with the same number of levels.
    sigmas : sequence of sequences of S numbers, in pixels of the input
        Written above each picture.
    axes : sequence of matplotlib Axes, optional
        One per picture, octave by octave.
    limits : (black, white), optional
        None takes those of all levels together.
    smallest : float
        No picture is narrower than this, in inches, so that its label has room.

    Returns
    -------
    array of matplotlib Axes, of shape (octaves, S)

    Examples
    --------
    >>> axes = plot_scale_space([np.zeros((2, 8, 8)), np.zeros((2, 4, 4))], [[1.6, 2], [3.2, 4]])
    >>> [ax.get_title() for ax in axes.ravel()]
    ['σ 1.6', 'σ 2.0', 'σ 3.2', 'σ 4.0']
    """
    octaves = [numbers(levels, f"octaves[{k}]", 3) for k, levels in enumerate(octaves)]
    counts = [len(levels) for levels in octaves]
    if not octaves or len(set(counts)) != 1 or [len(row) for row in sigmas] != counts:
        raise ValueError(f"octaves of {counts} levels and {[len(row) for row in sigmas]} sigmas do not make a sheet")
    values = np.concatenate([levels.ravel() for levels in octaves])
    limits = grey_limits(values) if limits is None else limits
    axes = _sheet(octaves, smallest) if axes is None else np.asarray(axes).reshape(len(octaves), -1)
    for row, levels, names in zip(axes, octaves, sigmas):
        for ax, level, sigma in zip(row, levels, names):
            plot_image(level, ax, limits=limits)
            ax.set_xlabel("")  # one scale, for the caption to say
            ax.set_title(f"σ {number_text(sigma, 1)}", size=11, loc="center")
    return axes


def _sheet(octaves, smallest):
    """Return the axes of a new figure: widths in proportion to the pictures' sizes in pixels."""
    levels, rows, cols = octaves[0].shape
    column = (WIDTH - 0.2) / levels
    smallest = max(smallest, text_width("σ 88.8", 11) * 0.9)
    sizes = [max(smallest, (column - 0.12) * octave.shape[2] / cols) for octave in octaves]
    tall = [width * octave.shape[1] / octave.shape[2] for width, octave in zip(sizes, octaves)]
    height = sum(tall) + LABEL * len(octaves) + 0.1
    figure, top, axes = plt.figure(figsize=(WIDTH, height), layout="none"), height, []
    for width, high in zip(sizes, tall):
        top -= high + LABEL
        lefts = 0.1 + column * np.arange(levels) + (column - width) / 2
        axes.append([figure.add_axes((left / WIDTH, top / height, width / WIDTH, high / height)) for left in lefts])
    return np.array(axes)
