"""Eight answers around a centre, each where its direction lies on a compass."""

import numpy as np
from matplotlib import pyplot as plt

from cnnlib.features.edges import DIRECTIONS
from cnnlib.plots._style import COLOURS, numbers, styled
from cnnlib.plots.grid import LARGEST, grey_limits, plot_grid
from cnnlib.plots.image import plot_image

# Where each of N NE E SE S SW W NW stands in three rows of three.
PLACES = ((0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0), (0, 0))
MASK = 1.75  # inches of a panel with numbers
PICTURE = 2.5  # inches of a panel without
TITLE = 0.34  # inches


@styled
def plot_rose(panels, centre=None, *, titles=DIRECTIONS, role="weight", limits=None):
    """Draw eight masks or maps as on a compass: north on top, then clockwise.

    Parameters
    ----------
    panels : sequence of 8 arrays of shape (H, W), in the order N NE E SE S SW W NW
        Up to 16×16 with their numbers, larger ones as pictures; all on one scale.
    centre : array of shape (H, W) or (H, W, 3), optional
        A picture in the middle. None draws the eight directions there.
    titles : sequence of 8 str
    role : {"input", "weight", "output", "gradient"}
        Whose colour positive numbers have, where numbers are written.
    limits : (low, high), optional
        The numbers at the ends of the scale.

    Returns
    -------
    array of 8 matplotlib Axes, in the order of the panels

    Examples
    --------
    >>> from cnnlib.features import edges
    >>> axes = plot_rose(edges.ROBINSON)
    >>> [ax.get_title() for ax in axes[:3]]
    ['N', 'NE', 'E']
    """
    panels, titles = [numbers(panel, f"panels[{k}]", 2) for k, panel in enumerate(panels)], list(titles)
    if len(panels) != 8 or len(titles) != 8:
        raise ValueError(f"a rose has 8 panels and 8 titles, not {len(panels)} and {len(titles)}")
    shapes = {panel.shape for panel in panels}
    if len(shapes) != 1:
        raise ValueError(f"all panels must have one shape, not {sorted(shapes)}")
    height, width = panels[0].shape
    small = max(height, width) <= LARGEST
    limits = grey_limits(np.stack(panels)) if limits is None else limits
    side = MASK * min(1, width / height) if small else PICTURE
    figure, axes = plt.subplots(3, 3, figsize=(3 * side, 3 * (side * height / width + TITLE)))
    for panel, title, place in zip(panels, titles, PLACES):
        if small:
            plot_grid(panel, axes[place], role=role, title=title, limits=limits)
        else:
            plot_image(panel, axes[place], title=title, limits=limits).set_xlabel("")
    axes[1, 1].set_axis_off()
    if centre is not None:
        plot_image(centre, axes[1, 1])
    else:
        _draw_needle(axes[1, 1])
    return np.array([axes[place] for place in PLACES])


def _draw_needle(ax):
    """Draw an arrow in each of the eight directions."""
    down, right = np.array(PLACES).T - 1
    length = np.hypot(down, right)
    ax.quiver(0.25 * right / length, -0.25 * down / length, right / length, -down / length, color=COLOURS["output"],
              angles="xy", scale_units="xy", scale=1.6, units="xy", width=0.07)
    ax.set(xlim=(-1.2, 1.2), ylim=(-1.2, 1.2), aspect="equal")
