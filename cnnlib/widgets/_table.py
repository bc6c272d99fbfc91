"""The shape builder as a figure, for pages without a kernel: its table, and what the chosen unit sees."""

from cnnlib.widgets._layers import FIELDS
from cnnlib.widgets._rows import times

COLUMNS = {"": 0.3, "layer": 0.42, "output": 3.75, "params": 4.75, "mult-adds": 6.0, "sees": 6.68, "jump": 7.15}
LEFT = ("layer",)  # the others are flush right
WIDTH, PHOTO = 7.25, 1.9  # inches of the table, and beside it of the photo
LINE = 0.25  # inches
MOST = 24  # rows
LETTERS = {"out_channels": "", "kernel_size": "K", "stride": "S", "padding": "P", "dilation": "D", "groups": "G"}


def draw_table(builder):
    """Return the figure of a ShapeBuilder; rows beyond 24 are counted, hidden answers are question marks."""
    from matplotlib import pyplot as plt

    from cnnlib import plots

    lines = _lines(builder)
    height = max(LINE * (len(lines) + 3), PHOTO + 0.4 if builder.photo else 0)
    width = WIDTH + (PHOTO + 0.2 if builder.photo else 0)
    with plt.style.context(plots.STYLE):
        figure = plt.figure(figsize=(width, height), layout="none")
        ax = figure.add_axes((0, 0, WIDTH / width, 1))
        ax.set(xlim=(0, WIDTH), ylim=(height, 0))
        ax.set_axis_off()
        ax.text(0.1, LINE, f"input {times(builder.input_shape)}", weight="bold", size=11)
        _write(ax, 2, dict(zip(COLUMNS, COLUMNS)), plots.COLOURS["charcoal"])
        ax.axhline(2.35 * LINE, 0.01, 0.995, color=plots.COLOURS["charcoal"], linewidth=0.8)
        for place, words in enumerate(lines, 3):
            _write(ax, place, words, plots.COLOURS["ink"])
        if builder.photo:
            place = ((WIDTH + 0.1) / width, 1 - (PHOTO + 0.3) / height, PHOTO / width, PHOTO / height)
            _draw_sight(builder, figure.add_axes(place))
    return figure


def _lines(builder):
    shown = [*zip(builder.layers, builder.table)][:MOST]
    lines = [_line(place, layer, row, builder.predict) for place, (layer, row) in enumerate(shown, 1)]
    if len(builder.layers) > MOST:
        lines.append({"layer": f"… and {len(builder.layers) - MOST} more rows"})
    total = {name: f"{sum(row.get(key, 0) for row in builder.table):,}"
             for name, key in (("params", "parameters"), ("mult-adds", "multiply_adds"))}
    return lines if builder.predict else [*lines, {"layer": "total" if builder.valid else "total so far", **total}]


def _line(place, layer, row, hidden):
    words = {"": str(place), "layer": layer_words(layer)}
    if "shape" not in row:
        return {**words, "why": row.get("trouble") or f"waits for row {row['waits']}"}
    if hidden:
        return {**words, **dict.fromkeys(("output", "params", "mult-adds", "sees", "jump"), "?")}
    return {**words, "output": times(row["shape"]), "params": f"{row['parameters']:,}", "sees": times(row["sees"]),
            "mult-adds": f"{row['multiply_adds']:,}", "jump": str(row["jump"][0])}


def layer_words(layer):
    """Return a layer as a table names it: "conv 10 K5 S1 P2"; what is as usual is left out."""
    usual = {"dilation": 1, "groups": 1}
    names = [name for name in FIELDS[layer["kind"]] if layer[name] != usual.get(name)]
    name = layer["name"].split("(")[0] or layer["kind"]
    words = [name, *(f"{LETTERS[field]}{layer[field]}" for field in names)]
    return " ".join(words if layer["bias"] else [*words, "no bias"])


def _write(ax, line, words, colour):
    for name, text in words.items():
        if name == "why":
            ax.text(2.35, line * LINE, text, size=9, va="center", color=colour)
        else:
            side = "left" if name in LEFT else "right"
            ax.text(COLUMNS[name], line * LINE, text, size=10, ha=side, va="center", color=colour)


def _draw_sight(builder, ax):
    """Draw the photo with the fields of the layers up to the chosen row, as far as they are known and not hidden.

    What of a field lies outside the photo stands on hatched paper.
    """
    from matplotlib.patches import Rectangle

    from cnnlib import plots

    place = builder.focus if 0 <= builder.focus < len(builder.table) else len(builder.table) - 1
    rows, cols = builder.input_shape[1:]
    sizes = dict.fromkeys(tuple(row["sees"]) for row in builder.table[:place + 1] if "sees" in row)
    sizes = [] if builder.predict else [*sizes]
    high, wide = (max(n, *(size[axis] for size in sizes), 0) / 2 for axis, n in enumerate((rows, cols)))
    ax.add_patch(Rectangle((-wide, -high), 2 * wide, 2 * high, facecolor="none", hatch="///", linewidth=0,
                           edgecolor=plots.COLOURS["faint"], zorder=-1))
    ax.imshow(builder._pixels, cmap="gray", vmin=0, vmax=1, extent=(-cols / 2, cols / 2, rows / 2, -rows / 2))
    for size in sizes:
        colour = plots.COLOURS["output" if size == sizes[-1] else "input"]
        for line, paint in ((3, plots.COLOURS["paper"]), (1.4, colour)):
            ax.add_patch(Rectangle((-size[1] / 2, -size[0] / 2), size[1], size[0], fill=False, linewidth=line,
                                   edgecolor=paint, clip_on=False))
    ax.set(xlim=(-wide, wide), ylim=(high, -high))
    ax.set_axis_off()
