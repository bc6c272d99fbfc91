"""The occlusion viewer as a figure: what stands where there is no kernel."""

import textwrap

import numpy as np
from matplotlib import patheffects
from matplotlib import pyplot as plt
from matplotlib.patches import Rectangle

from cnnlib import plots
from cnnlib.widgets import _occlusion


def figure(s, scene, pixels, limits, words):
    """Return the figure of a state, under its sentence."""
    picture = _occlusion.shown(pixels, limits) / 255
    scale = np.divide(picture.shape[:2], scene.size)
    with plt.style.context(plots.STYLE):
        panels = _unit_panels(s, scene, picture) if s["view"] == "deconvnet" else _panels(s, scene, picture)
        made, axes = plt.subplots(1, len(panels), figsize=(3.4 * len(panels), 3.9), layout="none", squeeze=False)
        made.subplots_adjust(0.02, 0.22, 0.98, 0.92, wspace=0.08)
        for ax, (shown, title, draw) in zip(axes[0], panels):
            plots.plot_image(shown, ax, title=title, limits=(0, 1))
            draw(ax, scale)
        made.text(0.02, 0.17, textwrap.fill(words, 44 * len(panels)), va="top", size=10)
    return made


def _panels(s, scene, picture):
    def patch(ax, scale):
        if not _occlusion.problem(s, scene.size) and (at := _occlusion.place(s, scene.size)) is not None:
            _box(ax, scale, [i * s["stride"] for i in at], [s["patch"]] * 2, "weight", fill=True)

    def heat(ax, scale):
        if s["predict"] or _occlusion.problem(s, scene.size) or (table := scene.table(s)) is None:
            return
        at = scene.classes.index(scene.top if s["target"] is None else s["target"])
        levels = table[..., at]
        rows, cols = (((np.arange(n) * s["stride"] + s["patch"] / 2) * c - 0.5) for n, c in zip(levels.shape, scale))
        if min(levels.shape) > 1 and np.nanmax(levels) > np.nanmin(levels):
            lines = ax.contour(cols, rows, 100 * levels, 5, colors=plots.COLOURS["output"], linewidths=1.6)
            lines.set(path_effects=[patheffects.withStroke(linewidth=3, foreground=plots.COLOURS["paper"])])
            labels = ax.clabel(lines, fmt="%g %%", fontsize=9, colors=plots.COLOURS["ink"])
            for text in labels:
                text.set_path_effects([patheffects.withStroke(linewidth=3, foreground=plots.COLOURS["paper"])])
        if not np.isnan(levels).all():
            i, j = np.unravel_index(np.nanargmin(levels), levels.shape)
            ax.plot(cols[j], rows[i], "o", color=plots.COLOURS["gradient"], markeredgecolor=plots.COLOURS["paper"],
                    markersize=9)

    target = scene.top if s["target"] is None else s["target"]
    name = "the unit" if target == _occlusion.WATCHED else _occlusion.name_of(s, target)
    return [(picture, "picture and patch", patch), (picture, f"{name} when covered here: percent", heat)]


def _unit_panels(s, scene, picture):
    key = scene.unit_key(s)
    found = None if s["predict"] else scene.units.get(key)

    def field(ax, scale):
        if found:
            first = np.maximum(found["first"], 0)  # what reaches beyond the picture runs along its border
            last = np.minimum(np.add(found["first"], found["size"]), scene.size)
            _box(ax, scale, first, last - first, "output")

    def unit(ax, scale):
        if found:
            _box(ax, (1, 1), found["at"], [1, 1], "output")

    panels = [(picture, "picture", field)]
    if found:
        most = float(abs(found["pattern"]).max())
        maps = found["map"] / (max(found["map"].max(), 0) or 1)
        panels += [(np.clip(maps, 0, 1), f"{key[0]}, map {key[1]}", unit),
                   (_occlusion.shown(found["pattern"], (-most, most)) / 255, "its pixels, mid-grey 0", field)]
    return panels


def _box(ax, scale, first, size, role, fill=False):
    (row, col), (tall, wide) = np.multiply(first, scale) - 0.5, np.multiply(size, scale)
    for width, colour in ((4.5, plots.COLOURS["paper"]), (2.2, plots.COLOURS[role])):
        ax.add_patch(Rectangle((col, row), wide, tall, linewidth=width, edgecolor=colour, clip_on=False,
                               facecolor=plots.COLOURS["faint"] if fill and width > 4 else "none"))
