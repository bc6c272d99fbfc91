"""Key points on a photo: where, how large, and which way up."""

import numpy as np
from matplotlib.collections import LineCollection, PatchCollection
from matplotlib.patches import Circle

from cnnlib.plots._style import COLOURS, numbers, role_colour, styled
from cnnlib.plots.image import plot_image

EDGE = 2**0.5  # a disc answers most at sigma = radius / sqrt(2), so this circle runs along its edge


@styled
def plot_keypoints(image, positions, sigma, orientation=None, ax=None, *, role="weight", title=None, limits=None):
    """Draw each key point as a circle of its size, with a hand that shows its direction.

    Parameters
    ----------
    image : array of shape (H, W) or (H, W, 3)
        As for :func:`plot_image`.
    positions : array of shape (K, 2)
        Rows and columns, in pixels; (0, 0) is the centre of the first pixel. K may be 0.
    sigma : array of shape (K,) or a number, in pixels
        The circle's radius is √2·sigma: it runs along the edge of the disc that answers most at this sigma.
    orientation : array of shape (K,), in radians, optional
        ``atan2(row, column)``: 0 points to the right, π/2 down. None draws circles without hands.
    ax : matplotlib Axes, optional
    role : {"input", "weight", "output", "gradient"}
        Whose colour the circles have.
    title : str, optional
    limits : (black, white), optional
        As for :func:`plot_image`.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        The arrays do not belong together; the message gives their shapes.

    Examples
    --------
    >>> ax = plot_keypoints(np.zeros((32, 32)), [[16, 16]], [4])
    >>> [len(collection.get_paths()) for collection in ax.collections]
    [1, 1]
    """
    positions, sigma, orientation = _checked(positions, sigma, orientation)
    ax = plot_image(image, ax, title=title, limits=limits)
    radius = EDGE * sigma
    circles = [Circle((col, row), size) for (row, col), size in zip(positions, radius)]
    hands = []
    if orientation is not None:
        tips = positions + radius[:, None] * np.stack([np.sin(orientation), np.cos(orientation)], axis=1)
        hands = np.stack([positions, tips], axis=1)[..., ::-1]  # (column, row), as matplotlib draws
    for colour, width in ((COLOURS["paper"], 2.6), (role_colour(role), 1.3)):  # a halo, so that it shows on any grey
        ax.add_collection(PatchCollection(circles, facecolor="none", edgecolor=colour, linewidth=width), autolim=False)
        if len(hands):
            ax.add_collection(LineCollection(hands, color=colour, linewidth=width), autolim=False)
    return ax


def _checked(positions, sigma, orientation):
    """Return the three as float arrays that belong together."""
    positions = points(positions, "positions")
    count = len(positions)
    values = {"sigma": np.broadcast_to(sigma, count) if np.ndim(sigma) == 0 else sigma, "orientation": orientation}
    for name, value in values.items():
        if value is None:
            continue
        values[name] = value = np.asarray(value, dtype=float)
        if value.shape != (count,):
            raise ValueError(f"`{name}` has shape {value.shape}; {count} positions need shape ({count},)")
    if not (values["sigma"] > 0).all():
        raise ValueError(f"`sigma` must be above zero, not {values['sigma'].min():g}")
    return positions, values["sigma"], values["orientation"]


def points(positions, name):
    """Return points as a float array of shape (K, 2); none at all are allowed."""
    if np.size(positions) == 0:
        return np.zeros((0, 2))
    positions = numbers(positions, name, 2).astype(float)
    if positions.shape[1] != 2:
        raise ValueError(f"`{name}` has shape {positions.shape}; it needs (K, 2), a row and a column each")
    return positions
