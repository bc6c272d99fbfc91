"""Where windows fall on a row of pixels, what one unit of a stack of layers sees, and how that grows."""

import itertools

import numpy as np
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from cnnlib import geometry
from cnnlib.plots._style import COLOURS, new_axes, numbers, styled, text_width
from cnnlib.plots.grid import cell_colours, cell_texts, draw_cells

CELL = 0.42  # inches
PITCH = 0.62  # of a cell, between one window and the next


@styled
def plot_windows(row, kernel_size, stride=1, padding=0, dilation=1, ax=None, *, title=None):
    """Draw a row of pixels and, below it, every window that fits, numbered by its output.

    Each window is a bar with a dot on every pixel that it multiplies. Zeros of padding stand in dashed cells;
    pixels that no window reaches are hatched.

    Parameters
    ----------
    row : sequence of W numbers, or int
        The pixels; an int stands for that many pixels numbered from 0.
    kernel_size, stride, dilation : int, in pixels
    padding : int or (before, after), in pixels
    ax : matplotlib Axes, optional
    title : str, optional
        None says how many windows fit.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        The kernel is larger than the padded row.

    Examples
    --------
    >>> plot_windows(7, 3, stride=2).get_title(loc="left")
    '7 pixels, filter 3, stride 2: 3 windows'
    """
    numbered = not np.iterable(row)
    row = np.arange(geometry.as_int("row", row, 1)) if numbered else numbers(row, "row", 1)
    before, after = geometry.as_pair("padding", padding, 0)
    count = geometry.output_size(len(row), kernel_size, stride, (before, after), dilation)
    width = before + len(row) + after
    end = (count - 1) * stride + geometry.effective_size(kernel_size, dilation)
    hidden = 0.7 * (end < width)
    title = title or _sentence(len(row), kernel_size, stride, (before, after), dilation, count)
    ax = new_axes(ax, max(CELL * width + 1.1, text_width(title, 13) + 0.3),
                  CELL * (1.35 + PITCH * count + hidden) + 0.3)
    fills = np.ones((1, width, 3))
    texts = np.full((1, width), "0", dtype=object)
    inside = np.s_[:, before:before + len(row)]
    texts[inside] = cell_texts(row[None])
    if not numbered:
        fills[inside] = cell_colours(row[None], "input")
    draw_cells(ax, texts, fills, CELL)
    _frame_padding(ax, before, len(row), after)
    bottom = 0.6 + PITCH * count
    _hatch(ax, end, width, bottom + 0.35)
    for k in range(count):
        y = 0.5 + PITCH * (k + 0.62)
        taps = k * stride + dilation * np.arange(kernel_size)
        ax.plot([taps[0] - 0.35, taps[-1] + 0.35], [y, y], color=COLOURS["input"], linewidth=5, alpha=0.45,
                solid_capstyle="round")
        ax.plot(taps, np.full(kernel_size, y), "o", color=COLOURS["input"], markersize=6)
        ax.text(width - 0.3, y, f"→ {k}", color=COLOURS["output"], size=12, va="center_baseline", weight="bold")
    ax.set(xlim=(-0.65, width + 0.9), ylim=(bottom + hidden, -0.65), aspect="equal", anchor="NW")
    ax.set_title(title, loc="left")
    return ax


def _sentence(size, kernel_size, stride, padding, dilation, count):
    """Say the setting and how many windows fit."""
    uneven = f" + {padding[1]}" if padding[0] != padding[1] else ""
    zeros = f", padding {padding[0]}{uneven}" if any(padding) else ""
    wide = "" if dilation == 1 else f", dilation {dilation}"
    return f"{size} pixels, filter {kernel_size}, stride {stride}{zeros}{wide}: {count} window{'s' * (count != 1)}"


def _frame_padding(ax, before, size, after):
    """Draw a dashed frame around the zeros on either side, and a firm one around the pixels."""
    for start, cells in ((0, before), (before + size, after)):
        if cells:
            ax.add_patch(Rectangle((start - 0.5, -0.5), cells, 1, fill=False, linestyle=(0, (3, 2)), linewidth=1.5,
                                   edgecolor=COLOURS["charcoal"], clip_on=False))
    ax.add_patch(Rectangle((before - 0.5, -0.5), size, 1, fill=False, linewidth=2, edgecolor=COLOURS["input"],
                           clip_on=False))


def _hatch(ax, end, width, bottom):
    """Hatch the cells from `end` on, which no window reaches, and say so below the windows."""
    if end < width:
        ax.add_patch(Rectangle((end - 0.5, -0.5), width - end, 1, facecolor="none", hatch="////", linewidth=0,
                               edgecolor=COLOURS["gradient"]))
        ax.text(width - 0.5, bottom, f"{width - end} never seen", color=COLOURS["gradient"], size=12, ha="right",
                va="center")


@styled
def plot_tower(layers, ax=None, *, title=None):
    """Draw a stack of layers along one axis: one unit on top, and below it all that it sees.

    Parameters
    ----------
    layers : sequence of (kernel_size, stride) or (kernel_size, stride, dilation)
        From the input upwards, as in :func:`cnnlib.geometry.receptive_field`.
    ax : matplotlib Axes, optional
    title : str, optional
        None says how many pixels the unit sees.

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> plot_tower([(3, 1), (3, 1)]).get_title()
    'sees 5 pixels'
    """
    size, _ = geometry.receptive_field(layers)
    ax = new_axes(ax, min(9.3, 0.3 * size + 1.6), 0.75 * len(layers) + 1.1)
    places = [np.array([(size - 1) / 2])]
    for depth in range(len(layers), 0, -1):
        kernel_size, _, *dilation = layers[depth - 1]
        step = geometry.receptive_field(layers[:depth - 1])[1] * (dilation[0] if dilation else 1)
        offsets = step * (np.arange(kernel_size) - (kernel_size - 1) / 2)
        below = np.unique(places[0][:, None] + offsets)
        for x in places[0]:
            for end in x + offsets:
                ax.plot([x, end], [depth, depth - 1], color=COLOURS["charcoal"], linewidth=0.6, alpha=0.6, zorder=1)
        places.insert(0, below)
    right = 1.12 * size + 0.5
    marker = min(11, 0.62 * 72 * ax.get_window_extent().width / ax.figure.dpi / (right + 0.8))
    for depth, xs in enumerate(places):
        role = "input" if depth == 0 else "output"
        ax.plot(xs, np.full(len(xs), depth), "s", color=COLOURS[role], markersize=marker, zorder=2)
        ax.text(right, depth, f"{len(xs)}", color=COLOURS[role], va="center", ha="right", weight="bold")
    ax.set_yticks(range(len(layers) + 1), ["input", *(_layer_name(layer) for layer in layers)])
    ax.tick_params(length=0)
    ax.set(xlim=(-0.8, right), ylim=(-0.4, len(layers) + 0.4), xticks=[])
    ax.spines[:].set_visible(False)
    ax.set_title(title or f"sees {size} pixels")
    return ax


def _layer_name(layer):
    """Write a layer as students do: kernel, and stride and dilation where they are not 1."""
    kernel_size, stride, *dilation = layer
    wide = f"\ndilation {dilation[0]}" if dilation and dilation[0] > 1 else ""
    return f"filter {kernel_size}" + (f"\nstride {stride}" if stride > 1 else "") + wide


@styled
def plot_field_growth(stacks, ax=None):
    """Draw how the receptive field of each stack grows with depth, on a logarithmic scale.

    Parameters
    ----------
    stacks : dict of str to layers
        Names, and layers as in :func:`cnnlib.geometry.receptive_field`.
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> ax = plot_field_growth({"3×3": [(3, 1)] * 4})
    >>> ax.lines[0].get_ydata().tolist()
    [3, 5, 7, 9]
    """
    if not stacks:
        raise ValueError("`stacks` is empty: give at least one name with its layers")
    ax = new_axes(ax, 9, 3.6)
    looks = zip(itertools.cycle("osD^vX"), itertools.cycle(("-", "--", ":", "-", "--")))
    for (name, layers), (marker, line) in zip(stacks.items(), looks):
        depths = range(1, len(layers) + 1)
        fields = [geometry.receptive_field(layers[:depth])[0] for depth in depths]
        ax.semilogy(depths, fields, marker=marker, linestyle=line, color=COLOURS["output"], fillstyle="none",
                    label=name)
    ax.set(xlabel="layers", ylabel="receptive field (pixels)")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.grid(axis="y")
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return ax
