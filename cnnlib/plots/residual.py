"""Residual blocks as papers draw them: the layers one below the other, and what goes past them."""

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.patches import FancyBboxPatch

from cnnlib.plots._style import COLOURS, ink_on, styled, times

WIDTH = 3.1  # inches, of one block
ROW = 0.62  # inches, from one box to the next
BOX, PAST = 1.75, 2.0  # inches from the left: where boxes end, where the line goes that passes them
WORDS = {"BatchNorm2d": "batch norm", "ReLU": "ReLU", "ZeroPadShortcut": "zeros for\nnew maps"}


@styled
def plot_residual_blocks(blocks, axes=None):
    r"""Draw residual blocks side by side, each convolution with its weights, and the ReLU that follows the sum.

    "3×3/2, 64 → 128" is a convolution of step 2 from 64 to 128 channels.

    Parameters
    ----------
    blocks : mapping of str to Summary
        For each title the paths of a Residual: ``summary(residual, input_shape)``.
    axes : sequence of matplotlib Axes, optional

    Returns
    -------
    array of matplotlib Axes

    Examples
    --------
    >>> from cnnlib.architectures import resnet_cifar, summary
    >>> from cnnlib import layers
    >>> block = resnet_cifar(8, nn=layers)["conv2_x"]["conv2_1"]["residual"]
    >>> ax = plot_residual_blocks({"basic": summary(block, (16, 32, 32))})[0]
    >>> [text.get_text() for text in ax.texts if text.get_text()][1:3]
    ['3×3, 16 → 16\n2,304 weights', 'batch norm']
    """
    if not blocks or any(paths[0].stage != "body" for paths in blocks.values()):
        raise ValueError("`blocks` must hold summaries of Residuals, one at least: {title: summary(residual, shape)}")
    bodies = {title: _words(paths, "body") for title, paths in blocks.items()}
    most = max(map(len, bodies.values()))
    if axes is None:
        _, axes = plt.subplots(1, len(blocks), figsize=(WIDTH * len(blocks), ROW * (most + 3.6)), squeeze=False)
    axes = np.ravel(axes)
    for ax, (title, paths) in zip(axes, blocks.items(), strict=True):
        past = _words(paths, "shortcut") if len(paths) > 1 else [("x as it is", False)]
        _draw(ax, bodies[title], past, paths)
        ax.set(xlim=(0, WIDTH), ylim=(ROW * (most + 2.7), -0.5 * ROW))
        ax.set_title(title, loc="left")
        ax.set_axis_off()
    return axes


def _words(paths, path):
    """Return [(text, whether it is a convolution)] of the layers on a path."""
    layer = paths.layer(path)
    if not list(layer.named_children()):
        return [_said(layer)]
    inside = paths.inside(path)
    return [_said(inside.layer(row.stage)) for row in inside]


def _said(layer):
    name = type(layer).__name__
    if name != "Conv2d":
        return WORDS.get(name, name), False
    goes, came, rows, cols = layer.weight.shape
    stride = np.ravel(layer.stride)[0]
    step = f"/{stride}" if stride > 1 else ""
    return f"{rows}×{cols}{step}, {came} → {goes}\n{goes * came * rows * cols:,} weights", True


def _draw(ax, body, past, paths):
    """Draw one block, the picture's way from top to bottom."""
    middle, y = BOX / 2, 0.0
    plus = ROW * (len(body) + 1)
    _arrow(ax, (middle, y + 0.12), (middle, plus - 0.14), "charcoal")
    ax.text(middle, y, f"x: {times(paths.input_shape)}", ha="center", va="center")
    for k, (text, weights) in enumerate(body, start=1):
        _box(ax, middle, k * ROW, text, weights)
    ax.plot((middle, PAST, PAST), (0.5 * ROW, 0.5 * ROW, plus), color=COLOURS["input"], linewidth=2.5)
    _arrow(ax, (PAST, plus), (middle + 0.15, plus), "input")
    ax.text(PAST + 0.08, plus / 2 + 0.25 * ROW, "\n".join(text.replace(", ", "\n") for text, _ in past), va="center",
            fontsize=11, linespacing=1.35)
    ax.plot(middle, plus, "o", markersize=20, markerfacecolor=COLOURS["paper"], markeredgecolor=COLOURS["ink"])
    ax.text(middle, plus, "+", ha="center", va="center_baseline", fontsize=15)
    _arrow(ax, (middle, plus + 0.14), (middle, plus + 1.55 * ROW), "charcoal")
    _box(ax, middle, plus + 0.78 * ROW, "ReLU", False)
    ax.text(middle, plus + 1.72 * ROW, f"{times(paths['body'].output_shape)}", ha="center", va="center")


def _box(ax, x, y, text, weights):
    """Draw a layer: tall and coloured if it has filters."""
    height, fill = (0.46, COLOURS["weight"]) if weights else (0.27, COLOURS["faint"])
    ax.add_patch(FancyBboxPatch((x - BOX / 2 + 0.08, y - height / 2), BOX - 0.16, height, facecolor=fill, linewidth=0,
                                boxstyle="round,pad=0.03", zorder=2))
    ax.text(x, y, text, ha="center", va="center", color=ink_on(fill), fontsize=11, zorder=3)


def _arrow(ax, start, end, colour):
    ax.annotate("", end, start, arrowprops=dict(arrowstyle="-|>", color=COLOURS[colour], linewidth=2, shrinkA=0,
                                                shrinkB=0, mutation_scale=16), zorder=1)
