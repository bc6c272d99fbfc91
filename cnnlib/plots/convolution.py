"""One output number of a convolution: the window, the filter, the output cell, and the sum written out."""

from types import SimpleNamespace

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.patches import Rectangle

from cnnlib import _array, conv
from cnnlib.conv._problem import make_problem
from cnnlib.plots._style import (
    COLOURS,
    WIDTH,
    decimals_for,
    is_exact,
    number_text,
    numbers,
    styled,
    text_width,
    times,
    wrap,
)
from cnnlib.plots.grid import LARGEST, cell_colours, cell_texts, draw_cells, frame
from cnnlib.plots.image import plot_image

# All lengths are in inches.
CELL = 0.46  # a cell's side, at most
KERNEL = 1.3  # width of the filter, at least
PHOTO = 1.95  # width of a photo
LEGEND = 0.75  # under a photo's output
GAP = 0.38  # between two panels
TITLE = 0.36  # above a panel
LINE = 0.25  # a line of the sum
LOUPE = 7  # pixels a side: with more, a projector's numbers are too small
TERMS = 49  # products written out, at most
TEXT_SIZE = 12  # points


@styled
def plot_convolution(image, kernel, *, row=0, col=0, stride=1, padding=0, dilation=1, bias=0.0, flip=False,
                     axes=None):
    """Draw how one output number comes about: window times filter, summed.

    Parameters
    ----------
    image : array of shape (H, W) or (C, H, W), C at most 4
        Up to 16×16 it is drawn as a grid of numbers; a larger one as a photo with a loupe on the window.
    kernel : array of shape (KH, KW) or (C, KH, KW)
    row, col : int
        The output cell to explain.
    stride, padding, dilation
        As in :func:`cnnlib.conv.conv2d`. The padding is drawn as a dashed ring of zeros.
    bias : float
    flip : bool
        Turn the filter by 180° first, as the convolution of mathematics does.
    axes : sequence of matplotlib Axes, optional
        As many as are returned.

    Returns
    -------
    array of matplotlib Axes
        For a grid C windows, C filters, the output, the sum; for a photo the photo stands before them.

    Raises
    ------
    ValueError
        There is no such output cell, or the filter does not fit (the message of conv2d).

    Examples
    --------
    >>> axes = plot_convolution([[1, 2], [3, 4]], [[1, -1]], row=1)
    >>> print(axes[-1].texts[0].get_text())
    Output row 1, column 0:
    3·1 + 4·(−1) = −1
    """
    case = _case(image, kernel, row, col, stride, padding, dilation, bias, flip)
    photo, channels = case.photo, len(case.kernel)
    axes = list(_new_axes(case) if axes is None else np.ravel(axes))
    if len(axes) != photo + 2 * channels + 2:
        raise ValueError(f"`axes` must hold {photo + 2 * channels + 2} axes here, not {len(axes)}")
    if photo:
        _draw_photo(axes[0], case)
    for channel in range(channels):
        _draw_window(axes[photo + channel], case, channel)
        _draw_kernel(axes[photo + channels + channel], case, channel)
    axes[photo].set_title(case.words[0], loc="center")
    axes[photo + channels].set_title(case.words[1], loc="center")
    _draw_output(axes[-2], case)
    axes[-1].set_axis_off()
    axes[-1].text(0, 1, "\n".join(case.sum), size=TEXT_SIZE, va="top", transform=axes[-1].transAxes,
                  linespacing=1.3)
    return np.array(axes)


def _case(image, kernel, row, col, stride, padding, dilation, bias, flip):
    """Compute all that is drawn: padded image, taps of the window, output, the part shown, the words."""
    image, kernel = (numbers(a, name, (2, 3)) for a, name in ((image, "image"), (kernel, "kernel")))
    image, kernel = (a.astype(float)[None] if a.ndim == 2 else a.astype(float) for a in (image, kernel))
    if len(image) > 4:
        raise ValueError(f"`image` has shape {image.shape}: up to 4 channels can be drawn, (C, H, W)")
    kernel = kernel[:, ::-1, ::-1].copy() if flip else kernel
    problem = make_problem((1, *image.shape), (1, *kernel.shape), stride, padding, dilation)
    out = conv.conv2d(image[None], kernel[None], None, stride, problem.padding, dilation)[0, 0] + bias
    if not (0 <= row < out.shape[0] and 0 <= col < out.shape[1]):
        raise ValueError(f"there is no output row {row}, column {col}: "
                         f"the output is {out.shape[0]}×{out.shape[1]}")
    rows = row * problem.stride[0] + problem.dilation[0] * np.arange(kernel.shape[1])
    cols = col * problem.stride[1] + problem.dilation[1] * np.arange(kernel.shape[2])
    padded = _array.pad(image, problem.padding)
    case = SimpleNamespace(image=image, kernel=kernel, padded=padded, padding=problem.padding, out=out,
                           row=row, col=col, rows=rows, cols=cols, bias=bias, flip=flip,
                           photo=int(max(image.shape[1:]) > LARGEST))
    case.top, case.height = _part(rows, padded.shape[1], case.photo)
    case.left, case.width = _part(cols, padded.shape[2], case.photo)
    case.words = _words(case)
    _set_sizes(case)
    case.sum = _sum_text(case, padded[:, rows[:, None], cols])
    return case


def _part(taps, size, photo):
    """Return (start, length) of the rows or columns shown with numbers: all, or a loupe around the taps."""
    if not photo:
        return 0, size
    length = min(size, max(LOUPE, taps[-1] - taps[0] + 1))
    return int(np.clip((taps[0] + taps[-1] + 1 - length) // 2, 0, size - length)), int(length)


def _words(case):
    """Return the titles of window, filter and output."""
    size, kernel_size, out_size = (
        times(shape) for shape in (case.image.shape[1:], case.kernel.shape[1:], case.out.shape))
    window = f"{case.height}×{case.width} of its pixels" if case.photo else f"input {size}"
    if np.any(case.padding) and not case.photo:
        window += " + padding"
    return window, f"filter {kernel_size}{', turned' if case.flip else ''}", f"output {out_size}"


def _set_sizes(case):
    """Choose the cells' sides and the columns' widths so that the figure is at most `WIDTH` wide."""
    kernel_cols, photos = case.kernel.shape[2], [PHOTO] * case.photo
    case.margin = 0.1 + 0.3 * (len(case.kernel) > 1 and not case.photo)

    def columns(cell):
        kernel_cell = min(CELL, max(cell, KERNEL / kernel_cols))
        widths = (case.width * cell, kernel_cols * kernel_cell, case.out.shape[1] * cell)[:3 - case.photo]
        floors = (text_width(word, 13) + 0.05 for word in case.words)
        return [*photos, *map(max, widths, floors), *photos], kernel_cell

    def total(cell):
        widths, _ = columns(cell)
        return case.margin + 0.1 + sum(widths) + GAP * (len(widths) - 1)

    case.cell = next((cell for cell in np.arange(CELL, 0.1, -0.01) if total(cell) <= WIDTH), 0.1)
    case.columns, case.kernel_cell = columns(case.cell)
    case.total = max(total(case.cell), 4.8)


def _sum_text(case, taps):
    """Write the sum as lines of text: the products, a line per channel, the bias, the result."""
    values, weights = cell_texts(taps, decimals_for(case.image)), cell_texts(case.kernel)
    result = case.out[case.row, case.col]
    decimals = next((d for d in range(2) if is_exact(result, d)), 2)  # the sum is told in full, cells are not
    groups = [[f"{_bracket(v)}·{_bracket(w)}" for v, w in zip(*(a.flat for a in pair))]
              for pair in zip(values, weights)]
    if values.size > TERMS:
        left_out = values[0].size - 4
        groups = [[*terms[:2], f"({left_out} more)", *terms[-2:]] for terms in groups]
    if case.bias:
        groups[-1].append(f"bias {number_text(case.bias, decimals_for(np.array([case.bias])))}")
    exact = all(is_exact(a, d) for a, d in ((taps, decimals_for(case.image)), (result, decimals),
                                            (case.kernel, decimals_for(case.kernel)), (case.bias, 2)))
    plus = " +\N{NO-BREAK SPACE}"  # a line breaks before the sign, never after
    text = "\n+\N{NO-BREAK SPACE}".join(plus.join(terms) for terms in groups)
    text += f" {'=' if exact else '≈'}\N{NO-BREAK SPACE}{number_text(result, decimals)}"
    lines = [f"Output row {case.row}, column {case.col}:", *wrap(text, case.total - 0.25, TEXT_SIZE)]
    return [line.replace("\N{NO-BREAK SPACE}", " ") for line in lines]


def _bracket(text):
    """Put a negative factor in brackets."""
    return f"({text})" if text.startswith("−") else text


def _new_axes(case):
    """Make a figure that is as large as its panels, and its axes in the order of `plot_convolution`."""
    channels, cell, photo = len(case.kernel), case.cell, case.photo
    block = max(case.height * cell, case.kernel.shape[1] * case.kernel_cell)
    photo_height = PHOTO * case.image.shape[1] / case.image.shape[2]
    out_cell = PHOTO / case.out.shape[1] if photo else cell
    out_size = np.flip(case.out.shape) * out_cell
    kernel_size = np.flip(case.kernel.shape[1:]) * case.kernel_cell
    above = max(channels * (block + 0.2) - 0.2, out_size[1], photo_height * photo) / 2
    below = max(above, out_size[1] / 2 + LEGEND * photo)
    text = LINE * len(case.sum) + 0.15
    width = case.total
    height, middle = TITLE + above + below + 0.15 + text, text + 0.15 + below
    figure = plt.figure(figsize=(width, height), layout="none")
    lefts = np.cumsum([case.margin] + [column + GAP for column in case.columns])

    def panel(column, centre, panel_width, panel_height):
        left = lefts[column] + (case.columns[column] - panel_width) / 2
        return figure.add_axes((left / width, (centre - panel_height / 2) / height, panel_width / width,
                                panel_height / height))

    centres = [middle + ((channels - 1) / 2 - channel) * (block + 0.2) for channel in range(channels)]
    axes = [panel(0, middle, PHOTO, photo_height)] if photo else []
    axes += [panel(photo, centre, case.width * cell, case.height * cell) for centre in centres]
    axes += [panel(photo + 1, centre, *kernel_size) for centre in centres]
    axes.append(panel(photo + 2, middle, *out_size))
    for column, sign in ((photo, "∗" if case.flip else "⋆"), (photo + 1, "=")):
        figure.text((lefts[column + 1] - GAP / 2) / width, middle / height, sign, size=18, ha="center",
                    va="center")
    return [*axes, figure.add_axes((0.1 / width, 0, 1 - 0.2 / width, text / height))]


def _draw_photo(ax, case):
    """Show the whole picture, in colour where it has three channels; a mark says where the window is."""
    image = case.image
    colour = len(image) == 3 and image.min() >= 0 and image.max() <= 1
    plot_image(np.moveaxis(image, 0, -1) if colour else image[0], ax)
    ax.set_title(f"input {'×'.join(map(str, image.shape[1:]))}", loc="center")
    _mark(ax, case.rows.mean() - case.padding[0][0], case.cols.mean() - case.padding[1][0], "input")


def _draw_window(ax, case, channel):
    """Show the pixels around the window with their numbers; padding is hatched paper in a dashed ring."""
    (above, _), (before, _) = case.padding
    height, width = case.image.shape[1:]
    fills = np.ones((*case.padded.shape[1:], 3))
    fills[above:above + height, before:before + width] = cell_colours(case.image, "input")[channel]
    part = np.s_[case.top:case.top + case.height, case.left:case.left + case.width]
    draw_cells(ax, cell_texts(case.padded[channel][part], decimals_for(case.image)), fills[part], case.cell)
    if len(case.kernel) > 1:
        ax.set_ylabel(f"channel {channel}")
    if np.any(case.padding):
        _draw_ring(ax, case, above, before, height, width)
    rows, cols = case.rows - case.top, case.cols - case.left
    extent = rows[-1] - rows[0] + 1, cols[-1] - cols[0] + 1
    if extent != case.kernel.shape[1:]:
        for i, j in np.ndindex(len(rows), len(cols)):
            frame(ax, rows[i], cols[j], 1, 1, COLOURS["input"], linewidth=2)
    frame(ax, rows[0], cols[0], *extent, COLOURS["input"], linewidth=_stroke(case.cell))


def _draw_ring(ax, case, above, before, height, width):
    """Hatch the cells of the padding that are shown; frame the image, and the whole with dashes."""
    ring = np.ones(case.padded.shape[1:], dtype=bool)
    ring[above:above + height, before:before + width] = False
    for i, j in np.argwhere(ring[case.top:case.top + case.height, case.left:case.left + case.width]):
        ax.add_patch(Rectangle((j - 0.5, i - 0.5), 1, 1, fill=False, hatch="///", edgecolor=COLOURS["faint"]))
    if not case.photo:
        frame(ax, 0, 0, case.height, case.width, COLOURS["charcoal"], linewidth=1.2, linestyle=(0, (4, 3)))
        frame(ax, above, before, height, width, COLOURS["charcoal"], linewidth=2)


def _stroke(cell):
    """Return a frame's line width in points that leaves the numbers of its cells free."""
    return 3.5 if cell >= 0.4 else 2


def _draw_kernel(ax, case, channel):
    """Show one channel of the filter; all channels share one scale of tones."""
    fills = cell_colours(case.kernel, "weight")[channel]
    draw_cells(ax, cell_texts(case.kernel)[channel], fills, case.kernel_cell)
    frame(ax, 0, 0, *case.kernel.shape[1:], COLOURS["weight"], linewidth=_stroke(case.kernel_cell))


def _draw_output(ax, case):
    """Show the output with the explained cell framed."""
    if case.photo:
        plot_image(case.out, ax)
        _mark(ax, case.row, case.col, "output")
    else:
        draw_cells(ax, cell_texts(case.out), cell_colours(case.out, "output"), case.cell)
        frame(ax, case.row, case.col, 1, 1, COLOURS["output"], linewidth=_stroke(case.cell))
    ax.set_title(case.words[2], loc="center")


def _mark(ax, row, col, role):
    """Mark a place on a photo by a square large enough to be seen."""
    for colour, width in ((COLOURS["paper"], 5), (COLOURS[role], 3)):
        ax.plot(col, row, marker="s", markersize=12, markerfacecolor="none", markeredgecolor=colour,
                markeredgewidth=width, clip_on=False)
