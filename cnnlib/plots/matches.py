"""Matches: two pictures side by side, and a line from each point to the one that it was taken for."""

import numpy as np
from matplotlib.collections import LineCollection

from cnnlib.plots._style import COLOURS, WIDTH, new_axes, numbers, styled
from cnnlib.plots.keypoints import points

GAP = 0.02  # of the pictures' widths together, between them


@styled
def plot_matches(image_a, image_b, positions_a, positions_b, right=None, ax=None, *, outline=None, fade=0.4,
                 title=None):
    """Draw two pictures side by side with a line for each match: solid where it is right, dashed where it is wrong.

    Parameters
    ----------
    image_a, image_b : array of shape (H, W) or (H, W, 3), in [0, 1]
        Their sizes may differ; if one of them is in colour, both are drawn in colour.
    positions_a, positions_b : array of shape (M, 2)
        Rows and columns of the two ends of each match, in pixels. M may be 0.
    right : array of M bool, optional
        Which matches are right. None draws them all alike, solid.
    ax : matplotlib Axes, optional
    outline : array of shape (N, 2), optional
        Corners (row, col) in the second picture, drawn as a closed line: where a thing was found.
    fade : float, from 0 to 1
        Share of paper that is mixed into the pictures, so that the lines stand out.
    title : str, optional

    Returns
    -------
    matplotlib Axes
        ``ax.columns_b`` is what was added to the columns of the second picture, for drawing more on it.

    Raises
    ------
    ValueError
        The two ends, or `right`, are not equally many.

    Examples
    --------
    >>> ax = plot_matches(np.zeros((8, 10)), np.ones((8, 10)), [[1, 2], [3, 4]], [[1, 3], [7, 0]], [True, False])
    >>> ax.images[0].get_array().shape
    (8, 21, 3)
    """
    if not 0 <= fade <= 1:
        raise ValueError(f"`fade` is {fade}; it must lie from 0, the pictures as they are, to 1, paper alone")
    page, shift = _side_by_side(image_a, image_b)
    page = fade + (1 - fade) * page
    ends_a, ends_b = points(positions_a, "positions_a"), points(positions_b, "positions_b")
    if len(ends_a) != len(ends_b):
        raise ValueError(f"`positions_a` has {len(ends_a)} points and `positions_b` {len(ends_b)}; "
                         "each match needs one in each")
    right = np.ones(len(ends_a), dtype=bool) if right is None else np.asarray(right, dtype=bool)
    if right.shape != (len(ends_a),):
        raise ValueError(f"`right` has shape {right.shape}; {len(ends_a)} matches need shape ({len(ends_a)},)")
    if ax is None:
        scale = min(WIDTH / page.shape[1], 4.6 / page.shape[0])
        ax = new_axes(None, scale * page.shape[1], scale * page.shape[0] + 0.35 * bool(title) + 0.05)
    ax.imshow(page)
    lines = np.stack([ends_a, ends_b + (0, shift)], axis=1)[..., ::-1]  # (column, row), as matplotlib draws
    for kind, role, dashes in ((right, "output", "-"), (~right, "gradient", (0, (4, 2)))):
        if kind.any():
            ax.add_collection(LineCollection(lines[kind], color=COLOURS[role], linewidth=1.1, linestyle=dashes),
                              autolim=False)
            ax.plot(*lines[kind].reshape(-1, 2).T, ".", color=COLOURS[role], markersize=4)
    if outline is not None:
        corners = points(outline, "outline") + (0, shift)
        for colour, width in ((COLOURS["paper"], 4), (COLOURS["weight"], 2)):
            ax.plot(*np.vstack([corners, corners[:1]]).T[::-1], color=colour, linewidth=width)
    ax.set(xticks=[], yticks=[], xlim=(-0.5, page.shape[1] - 0.5), ylim=(page.shape[0] - 0.5, -0.5))
    ax.spines[:].set_visible(False)
    if title:
        ax.set_title(title, loc="center")
    ax.columns_b = shift
    return ax


def _side_by_side(image_a, image_b):
    """Return both pictures on one page (H, W, 3) with a gap between them, and where the second one begins."""
    colours = []
    for image, name in ((image_a, "image_a"), (image_b, "image_b")):
        image = numbers(image, name, (2, 3)).astype(float)
        if image.ndim == 3 and image.shape[2] != 3:
            raise ValueError(f"`{name}` has shape {image.shape}, which is not (H, W) or (H, W, 3)")
        if not (image.min() >= 0 and image.max() <= 1):
            raise ValueError(f"`{name}` must lie in [0, 1], not in [{image.min():g}, {image.max():g}]")
        colours.append(image if image.ndim == 3 else np.repeat(image[..., None], 3, axis=2))
    one, other = colours
    shift = one.shape[1] + max(1, round(GAP * (one.shape[1] + other.shape[1])))
    page = np.ones((max(one.shape[0], other.shape[0]), shift + other.shape[1], 3))
    page[:one.shape[0], :one.shape[1]] = one
    page[:other.shape[0], shift:] = other
    return page, shift
