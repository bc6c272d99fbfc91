"""A whole network at work: every map of every stage for one picture, flat or as volumes of units."""

import numpy as np
from matplotlib.patches import Polygon, Rectangle
from matplotlib.transforms import Affine2D

from cnnlib.plots._style import COLOURS, WIDTH, new_axes, numbers, styled, times
from cnnlib.plots.grid import cell_colours, grey_limits

HEIGHT = 4.0  # inches, of the tallest column
ROWS = 8  # maps one above the other, at most
UNITS = 30  # single units one above the other, at most
LABEL = 0.62  # inches, for the two lines above a column
SHEET = 1.9  # inches, the largest sheet of a volume
SKEW = np.array([0.42, 0.3])  # where the columns of a sheet go, in its sides: to the right and up
THICK = 1.5  # inches, the deepest volume
NEW_STAGE = 0.34  # inches between two columns or volumes


@styled
def plot_network(stages, ax=None, *, view="flat", role="input", shares=None, labels=None):
    """Draw what each stage of a network makes of one picture.

    Parameters
    ----------
    stages : dict of str to array of shape (C, H, W) or (K,)
        Names and what comes out of each stage, the input first. Each stage has a grey scale of its own, the same for
        all of its maps: black 0 and white its largest number, or mid-grey 0 where there are negative numbers.
    ax : matplotlib Axes, optional
    view : {"flat", "layered"}
        Maps side by side, or each stage as the volume of units that it is: channels one behind the other, so that a
        stage of single units is a rod.
    role : {"input", "gradient"}
        Grey levels, or signed tones of gradients: zero is paper, positive vermillion, negative charcoal.
    shares : array of shape (K,), optional
        Numbers from 0 to 1, the last stage's answer: drawn as bars, with the largest written out.
    labels : sequence of K str, optional
        Names of the answers; None numbers them.

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> ax = plot_network({"input": np.ones((1, 8, 8)), "conv": np.ones((2, 6, 6)), "out": np.zeros(3)})
    >>> [text.get_text() for text in ax.texts]
    ['input', '1×8×8', 'conv', '2×6×6', 'out', '3']
    """
    if not stages:
        raise ValueError("`stages` is empty: give at least one name with its maps")
    if view not in ("flat", "layered"):
        raise ValueError(f"`view` is {view!r}; it must be 'flat' or 'layered'")
    arrays = {name: numbers(maps, f"stages[{name!r}]", (1, 3)) for name, maps in stages.items()}
    columns = [(name, array.reshape(-1, 1, 1) if array.ndim == 1 else array) for name, array in arrays.items()]
    draw, size_of = (_draw_flat, _flat_size) if view == "flat" else (_draw_volume, _volume_size)
    sides = max(max(array.shape[1:]) for _, array in columns)
    sizes = [size_of(array, sides) for _, array in columns]
    lefts = np.cumsum([0.1] + [max(width, 0.62) + NEW_STAGE for width, _ in sizes])
    bars = 1.7 * (shares is not None)
    height = max(tall for _, tall in sizes)
    if ax is None:
        ax = new_axes(None, min(WIDTH, lefts[-1] + bars), (height + LABEL + 0.1) * min(1, WIDTH / (lefts[-1] + bars)))
        ax.figure.set_layout_engine("none")
        ax.set_position((0, 0, 1, 1))
    for (name, array), (width, tall), left in zip(columns, sizes, lefts):
        middle = left + max(width, 0.62) / 2
        draw(ax, _fills(array, role), middle - width / 2, (height - tall) / 2, width, tall, sides)
        size = times(arrays[name].shape)
        ax.text(middle, height + 0.36, name, ha="center", va="baseline", weight="bold")
        ax.text(middle, height + 0.12, size, ha="center", va="baseline", size=10, color=COLOURS["charcoal"])
    if shares is not None:
        tall = sizes[-1][1] if view == "flat" else height
        _draw_shares(ax, numbers(shares, "shares", 1), labels, lefts[-1] - NEW_STAGE, (height - tall) / 2, tall)
    ax.set(xlim=(0, lefts[-1] + bars), ylim=(-0.1, height + LABEL), aspect="equal")
    ax.set_axis_off()
    return ax


def grid_of(count, single):
    """Return (rows, columns) of `count` maps, or single units, in a column of the flat view."""
    columns = -(-count // (UNITS if single else ROWS))
    return -(-count // columns), columns


def _fills(array, role):
    """Return the colours (C, H, W, 3) of a stage, all its maps on one scale."""
    finite = array[np.isfinite(array)]
    scale = "grey" if role == "input" else "tone"
    limits = grey_limits(finite) if (finite < 0).any() else (0, float(finite.max(initial=0)) or 1)
    return cell_colours(array, role, scale, limits)


def _flat_size(array, sides):
    """Return the width and height of a stage in the flat view, in inches."""
    rows, columns = grid_of(len(array), array.shape[1:3] == (1, 1))
    tile = min(HEIGHT / rows, 1.6 if rows == 1 else 0.7, 0.27 if array.shape[1:3] == (1, 1) else 9)
    return tile * columns * array.shape[2] / array.shape[1], tile * rows


def _draw_flat(ax, array, left, bottom, width, tall, sides):
    """Draw the maps of a stage as a block, column after column."""
    rows, columns = grid_of(len(array), array.shape[1:3] == (1, 1))
    tile, wide = tall / rows, width / columns
    gap = 0.06 * tile
    for k, plane in enumerate(array):
        x, y = left + k // rows * wide, bottom + tall - (k % rows + 1) * tile
        place = (x, x + wide - gap, y + gap, y + tile)
        ax.imshow(plane, extent=place)
        ax.add_patch(Rectangle(place[::2], wide - gap, tile - gap, fill=False, linewidth=0.6,
                               edgecolor=COLOURS["charcoal"]))


def _volume(array, sides):
    """Return the sides of a sheet, (tall, wide), and the step from one sheet to the next, in inches."""
    share = np.sqrt(np.array(array.shape[1:3]) / sides)  # areas grow with the number of units
    tall, wide = np.maximum(SHEET * share, 0.16)
    return tall, wide, min(0.16, THICK / len(array))


def _volume_size(array, sides):
    tall, wide, step = _volume(array, sides)
    return SKEW[0] * wide + step * (len(array) - 1), tall + SKEW[1] * wide


def _draw_volume(ax, array, left, bottom, width, tall, sides):
    """Draw the maps of a stage as sheets one behind the other, the first in front, on the left."""
    side, wide, step = _volume(array, sides)
    rows, cols = array.shape[1:3]
    for k in reversed(range(len(array))):
        x, y = left + k * step, bottom + side  # the sheet's first row and column
        right, down = SKEW * wide, np.array([0.0, -side])
        matrix = [[right[0] / cols, down[0] / rows, x], [right[1] / cols, down[1] / rows, y], [0, 0, 1]]
        picture = ax.imshow(array[k], extent=(0, cols, rows, 0))
        picture.set_transform(Affine2D(matrix) + ax.transData)
        picture.set_zorder(2 + 1 / (k + 2))
        corner = np.array([x, y])
        edge = Polygon([corner, corner + right, corner + right + down, corner + down], fill=False, linewidth=0.6,
                       edgecolor=COLOURS["output" if len(array) < 40 else "charcoal"], zorder=2 + 1 / (k + 2))
        ax.add_patch(edge)
        picture.set_clip_path(edge)


def _draw_shares(ax, shares, labels, left, bottom, tall):
    """Draw the answers as bars, one below the other, beside the units that they are of."""
    labels = [str(k) for k in range(len(shares))] if labels is None else list(labels)
    if len(labels) != len(shares):
        raise ValueError(f"{len(shares)} shares need as many labels, not {len(labels)}")
    step, best = tall / len(shares), int(np.argmax(shares))
    for k, (share, label) in enumerate(zip(shares, labels)):
        y = bottom + tall - (k + 0.5) * step
        ax.add_patch(Rectangle((left + 0.3, y - 0.35 * step), 0.9 * float(share), 0.7 * step,
                               color=COLOURS["output"], linewidth=0))
        ax.text(left + 0.2, y, label, ha="right", va="center_baseline", weight="bold" if k == best else "normal")
        if k == best:
            ax.text(left + 0.36 + 0.9 * float(share), y, f"{share:.0%}", ha="left", va="center_baseline", weight="bold")
