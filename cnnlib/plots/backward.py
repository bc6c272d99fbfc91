"""The way back through one operation: each array above its gradient, and the paths of one number written out."""

from types import SimpleNamespace

import numpy as np
from matplotlib import pyplot as plt

from cnnlib.plots import _paths
from cnnlib.plots._style import COLOURS, WIDTH, numbers, styled, text_width, times, wrap
from cnnlib.plots.grid import LARGEST, cell_colours, cell_texts, draw_cells, frame

# All lengths are in inches.
CELL = 0.44  # a cell's side, at most
TALLEST = 5.7  # height of the two rows of grids, at most
GAP = 0.55  # between two columns
TITLE = 0.34  # above a grid
LINE = 0.25  # a line of the words
TEXT_SIZE = 12  # points
ROLES = {"grad_x": "input", "grad_weight": "weight", "grad_output": "output"}


@styled
def plot_backward(x, weight=None, grad_output=None, *, op="conv2d", part="grad_output", row=0, col=0, so_far=False,
                  kernel_size=2, stride=None, padding=0, dilation=1):
    """Draw the backward pass of an operation: input, weight and output above, their gradients below.

    Parameters
    ----------
    x : array of shape (H, W), at most 16×16
        NumPy, torch or nested lists.
    weight : array of shape (KH, KW), optional
        For the operations that have one; (out_features, in_features) for "linear".
    grad_output : array of the output's shape, optional
        ∂E/∂O, whose cells are called g. None: ones.
    op : {"conv2d", "conv_transpose2d", "linear", "max_pool2d", "avg_pool2d", "relu"}
    part : {"grad_output", "grad_x", "grad_weight"}
        "grad_output" scatters: the gradients show what one output gives. The others gather: they show the sums, and
        what one input or one weight collects is written out.
    row, col : int
        The cell of that part.
    so_far : bool
        With "grad_output": show what all outputs up to this one, in reading order, have given together.
    kernel_size, stride, padding, dilation : int, in pixels
        As the operation takes them.

    Returns
    -------
    array of matplotlib Axes
        Input, weight and output, below them their gradients; without a weight two columns instead of three.

    Raises
    ------
    ValueError
        There is no such cell or operation, or the shapes do not fit (the message of the operation).

    Examples
    --------
    >>> axes = plot_backward([[1, 2, 3], [4, 5, 6], [7, 8, 9]], [[1, 2], [3, 4]], part="grad_x", row=1, col=1)
    >>> print(axes[0].figure.texts[-1].get_text())
    ∂E/∂X22 = F22·g11 + F21·g12 + F12·g21 + F11·g22
    = 4·1 + 3·1 + 2·1 + 1·1 = 10
    """
    x = numbers(x, "x", 2).astype(float)
    weight = None if weight is None else numbers(weight, "weight", 2).astype(float)
    paths = _paths.Paths(x, weight, op, {"kernel_size": kernel_size, "stride": stride, "padding": padding,
                                         "dilation": dilation})
    if max(*x.shape, *paths.out.shape) > LARGEST:
        raise ValueError(f"`x` has shape {x.shape}, the output {paths.out.shape}: plot_backward draws up to "
                         f"{LARGEST}×{LARGEST} cells")
    grad = np.ones(paths.out.shape) if grad_output is None else numbers(grad_output, "grad_output", 2).astype(float)
    if grad.shape != paths.out.shape:
        raise ValueError(f"`grad_output` has shape {grad.shape}; the output has {paths.out.shape}")
    return plot_paths_back(paths, grad, part=part, row=row, col=col, so_far=so_far)


@styled
def plot_paths_back(paths, grad, *, part, row, col, so_far):
    """Draw what :func:`plot_backward` draws, of paths that are known already."""
    case = _case(paths, grad, part, row, col, so_far)
    axes = _new_axes(case)
    for ax, (array, role, title, scale_of) in zip(axes, case.panels):
        draw_cells(ax, cell_texts(array), cell_colours(array, role, limits=scale_of), case.cell)
        ax.set_title(title, loc="center", size=12)
    for ax, part_of, below in zip(axes, case.parts * 2, [False] * len(case.parts) + [True] * len(case.parts)):
        apart = below and part not in ("grad_output", part_of) and part_of != "grad_output"  # no part in the sum
        for place in [] if apart else _rectangles(case.marked[part_of]):
            frame(ax, *place, COLOURS["gradient" if below else ROLES[part_of]], linewidth=2)
        if below and part_of == part:
            frame(ax, row, col, 1, 1, COLOURS["ink"], linewidth=3)
    return np.array(axes)


def _case(paths, grad, part, row, col, so_far):
    """Compute all that is drawn: the six panels, which cells are marked, the words."""
    parts = [name for name in ("grad_x", "grad_weight", "grad_output") if name != "grad_weight" or
             paths.weight is not None]
    if part not in parts:
        raise ValueError(f"`part` must be one of {', '.join(parts)} for {paths.op}, not {part!r}")
    shape = {"grad_x": paths.x, "grad_weight": paths.weight, "grad_output": grad}[part].shape
    if not (0 <= row < shape[0] and 0 <= col < shape[1]):
        raise ValueError(f"there is no row {row}, column {col} in `{part}`, which is {shape[0]}×{shape[1]}")
    case = SimpleNamespace(paths=paths, parts=parts)
    case.panels = _panels(paths, grad, parts, part, row, col, so_far)
    case.marked = _marked(paths, part, row, col, so_far)
    widest = max(_set_sizes(case), 4.8)
    words = _paths.sentence(paths, grad, part, row, col, _number)
    case.width = widest
    case.words = wrap(words.replace(" + ", " +\N{NO-BREAK SPACE}").replace(" = ", "\n= ", 2).replace("\n", " ", 1)
                      if part != "grad_output" else words.replace(". It", ".\nIt"), widest - 0.25, TEXT_SIZE)
    case.words = [line.replace("\N{NO-BREAK SPACE}", " ") for line in case.words]
    return case


def _panels(paths, grad, parts, part, row, col, so_far):
    """Return (array, role, title, limits) of each grid: the arrays, then their gradients."""
    grads = dict(zip(("grad_x", "grad_weight"), _paths.shown(paths, grad, part, row, col, so_far)))
    totals = dict(zip(("grad_x", "grad_weight"), paths.backward(grad)))
    arrays = {"grad_x": paths.x, "grad_weight": paths.weight, "grad_output": paths.out}
    name = paths.name("grad_output", row, col) if part == "grad_output" else ""
    share = f", {'up to' if so_far else 'from'} {name}" if name else ""
    above, below = [], []
    for which in parts:
        letter = "O" if which == "grad_output" else paths.letter(which)
        above.append((arrays[which], ROLES[which], f"{letter} {times(arrays[which].shape)}", None))
        if which == "grad_output":
            below.append((grad, "gradient", "g = ∂E/∂O", None))
            continue
        limit = float(np.nanmax(np.abs(totals[which]), initial=0)) or 1.0
        below.append((grads[which], "gradient", f"∂E/∂{letter}{share}", (-limit, limit)))
    return above + below


def _marked(paths, part, row, col, so_far):
    """Return the cells that the paths of the chosen cell run through, by part."""
    if part == "grad_output":
        given = paths.given(row, col)
        return {"grad_output": [(row, col)], **{name: [cell for cell, *_ in given[name]] for name in given}}
    outputs = [output for output, *_ in paths.collected(part, row, col)]
    marked = {"grad_output": outputs, "grad_x": [], "grad_weight": [], part: [(row, col)]}
    if paths.weight is not None and paths.op != "own":  # of which it is not known what a path goes through
        other, which = (("grad_weight", paths.weight_on) if part == "grad_x" else ("grad_x", paths.input_on))
        shape = paths.weight.shape if part == "grad_x" else paths.x.shape
        marked[other] = [tuple(map(int, np.unravel_index(which[i, j, row, col] - 1, shape))) for i, j in outputs]
    return marked


def _rectangles(places):
    """Return cells as frames (row, col, height, width): one for all where they fill a rectangle, else one each."""
    if not places:
        return []
    (top, left), (bottom, right) = np.min(places, axis=0), np.max(places, axis=0)
    height, width = bottom - top + 1, right - left + 1
    if height * width == len(set(places)):
        return [(top, left, height, width)]
    return [(*place, 1, 1) for place in sorted(set(places))]


def _set_sizes(case):
    """Choose the cells' side so that the grids fit, and return the figure's width."""
    shapes = [case.panels[k][0].shape for k in range(len(case.parts))]
    titles = [max(text_width(case.panels[k + n][2], 12) for n in (0, len(case.parts))) for k in range(len(case.parts))]

    def total(cell):
        case.columns = [max(cell * shape[1], need) for shape, need in zip(shapes, titles)]
        return 0.3 + sum(case.columns) + GAP * (len(shapes) - 1)

    case.tall = max(shape[0] for shape in shapes)
    case.cell = next((c for c in np.arange(CELL, 0.1, -0.01)
                      if total(c) <= WIDTH and 2 * (c * case.tall + TITLE) <= TALLEST), 0.1)
    return total(case.cell)


def _new_axes(case):
    """Make a figure that is as large as its panels; return the axes, those of the arrays first."""
    text = LINE * len(case.words) + 0.2
    block = case.cell * case.tall
    width, height = case.width, 2 * (block + TITLE) + 0.3 + text
    figure = plt.figure(figsize=(width, height), layout="none")
    left = (width - sum(case.columns) - GAP * (len(case.columns) - 1)) / 2
    lefts = left + np.cumsum([0] + [column + GAP for column in case.columns[:-1]])
    axes = []
    for n, (array, *_) in enumerate(case.panels):
        level, k = divmod(n, len(case.parts))
        rows, cols = np.array(array.shape) * case.cell
        top = height - TITLE - level * (block + TITLE + 0.15)
        axes.append(figure.add_axes(((lefts[k] + (case.columns[k] - cols) / 2) / width, (top - rows) / height,
                                     cols / width, rows / height)))
    figure.text(0.12 / width, (text - 0.12) / height, "\n".join(case.words), size=TEXT_SIZE, va="top",
                linespacing=1.3)
    return axes


def _number(value):
    text = f"{value:.4g}".replace("-", "−")
    return {"nan": "NaN", "inf": "∞", "−inf": "−∞", "−0": "0"}.get(text, text)
