"""Key points on a photo: where, how large, and which way up."""

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.collections import LineCollection, PatchCollection
from matplotlib.patches import Circle

from cnnlib.plots._style import COLOURS, WIDTH, numbers, role_colour, styled
from cnnlib.plots.image import plot_image

EDGE = 2**0.5  # a disc answers most at sigma = radius / sqrt(2), so this circle runs along its edge
KIND_ROLES = ("output", "weight", "gradient")


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


@styled
def plot_keypoint_kinds(image, kinds):
    """Draw the key points of several kinds, a panel with the same photo for each.

    Parameters
    ----------
    image : array of shape (H, W) or (H, W, 3)
    kinds : mapping of str to (positions, sigma), at most 3
        The panels' titles, to which the number of points is added, and arrays as for :func:`plot_keypoints`.

    Returns
    -------
    array of matplotlib Axes, one per kind

    Examples
    --------
    >>> axes = plot_keypoint_kinds(np.zeros((32, 32)), {"kept": ([[16, 16]], [4]), "too faint": ([], [])})
    >>> [ax.get_title() for ax in axes]
    ['kept: 1', 'too faint: 0']
    """
    if not 1 <= len(kinds) <= len(KIND_ROLES):
        raise ValueError(f"`kinds` holds {len(kinds)} names; 1 to {len(KIND_ROLES)} can be told apart")
    side = WIDTH / len(KIND_ROLES)
    height = (side - 0.1) * np.shape(image)[0] / np.shape(image)[1] + 0.4
    _, axes = plt.subplots(1, len(kinds), squeeze=False, figsize=(side * len(kinds), height))
    for ax, (name, (positions, sigma)), role in zip(axes[0], kinds.items(), KIND_ROLES):
        plot_keypoints(image, positions, sigma, ax=ax, role=role, title=f"{name}: {len(positions)}")
    return axes[0]


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
