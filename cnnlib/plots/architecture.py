"""A net as a row of blocks: how large its maps are, how many, and where its cost or its sight sits."""

from math import floor, log2, log10

from matplotlib.colors import to_rgb
from matplotlib.patches import Arc, Rectangle

from cnnlib.architectures._blocks import MEASURES, blocks
from cnnlib.plots._style import COLOURS, WIDTH, new_axes, styled, text_width

# What a measure is called, and the colour of what it is about.
NAMES = {"params": "parameters", "mult-adds": "multiply-adds", "memory": "numbers kept",
         "field": "pixels that a unit sees"}
TONES = {"params": COLOURS["weight"], "mult-adds": COLOURS["fifth"], "memory": COLOURS["output"],
         "field": COLOURS["input"]}
assert set(NAMES) == set(TONES) == set(MEASURES)

LETTERS = 10  # points
GAP, EDGE = 0.07, 0.12  # inches between two blocks, and beside them
NARROWEST, THINNEST = 0.19, 0.08  # inches: a column's width, a block's height
TALL, BARS = 1.9, 1.0  # inches: the largest map, the longest bar
ARCS = 8  # a stage with more shortcuts than this shows one, and how many there are


@styled
def plot_architecture(summary, measure="params", ax=None, *, title=None):
    """Draw a net as a row of blocks, with bars below that say where its cost sits, or how far its units see.

    A block is as tall as its maps, and wide as the logarithm of how many there are. Arcs are shortcuts; a block in
    strips has branches, each as high as its share of the channels. Sizes and channels are written where they change.

    Parameters
    ----------
    summary : architectures.Summary
        Its stages are those that its table shows; more than 60 are folded.
    measure : {"params", "mult-adds", "memory", "field"} or None
        What bars and colours show: parameters, multiply-adds, the numbers that all layers of a stage give, or the
        receptive field in pixels. None draws blocks and names alone.
    ax : matplotlib Axes, optional
    title : str, optional
        None writes the totals and the depth.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        There is no such measure.

    Examples
    --------
    >>> from cnnlib import architectures
    >>> plot_architecture(architectures.summary(architectures.alexnet, (3, 224, 224))).get_title(loc="left")
    '61,100,840 parameters, 714,188,480 multiply-adds, depth 8'
    """
    if measure is not None and measure not in MEASURES:
        raise ValueError(f"`measure` is {measure!r}; it must be one of {', '.join(map(repr, MEASURES))}")
    stages = blocks(summary)
    names = max(text_width(stage.path, LETTERS) for stage in stages) + 0.1
    values = [stage.measure(measure) if measure else 0 for stage in stages]
    shares = [value / max(1, *values) for value in values]
    words = max(text_width(amount(value), LETTERS) for value in values) + 0.15
    bars = names + (BARS + words if measure else 0)
    middle = bars + 0.6 + TALL / 2
    top = middle + TALL / 2 + 0.35
    ax = new_axes(ax, WIDTH, top + 0.45)
    columns = _columns(stages)
    _draw_bars(ax, stages, columns, values, TONES.get(measure), names)
    if measure:
        total = "" if measure == "field" else f": {amount(sum(values))} in all"
        ax.text(EDGE, bars + 0.05, f"{NAMES[measure]}{total}", size=LETTERS + 1, va="bottom", color=COLOURS["ink"])
    _draw_blocks(ax, stages, columns, shares, TONES.get(measure, COLOURS["paper"]), middle)
    ax.set(xlim=(0, WIDTH), ylim=(0, top), xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    ax.set_title(title or f"{summary.parameters:,} parameters, {summary.multiply_adds:,} multiply-adds, "
                          f"depth {summary.depth}", loc="left")
    return ax


def amount(number):
    """Write a number in three digits: 732, 12.3 k, 103 M, 15.5 G."""
    digits = floor(log10(number)) - 2 if number else 0
    number = round(number, -digits) if digits > 0 else number
    for letter, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if number >= size:
            return f"{number / size:.3g} {letter}"
    return str(number)


def map_size(stage):
    """Return the longer side of a stage's maps; 1 for a row of numbers."""
    return max(stage.row.output_shape[1:], default=1)


def _columns(stages):
    """Return where each block begins and how wide it is, so that they fill the page."""
    logs = [log2(1 + stage.row.output_shape[0]) for stage in stages]
    room = WIDTH - 2 * EDGE - GAP * (len(stages) - 1)
    narrowest = min(NARROWEST, room / len(stages))
    scale = (room - narrowest * len(stages)) / sum(logs)
    widths = [min(narrowest + scale * log, 1.1) for log in logs]
    places, left = [], EDGE
    for width in widths:
        places.append((left, width))
        left += width + GAP
    return places


def _tone(colour, share):
    """Return a mixture of paper and a colour; the least of anything can still be seen."""
    share = 0.06 + 0.94 * share if share else 0
    return tuple(paper + share * (part - paper) for paper, part in zip(to_rgb(COLOURS["paper"]), to_rgb(colour)))


def _draw_bars(ax, stages, columns, values, colour, low):
    """Draw a bar for each stage: its value above, its name below; names alone where there is no colour."""
    for stage, (left, width), value in zip(stages, columns, values):
        centre, share = left + width / 2, value / max(1, *values)
        if colour:
            ax.add_patch(Rectangle((left, low), width, BARS * share, facecolor=colour, linewidth=0))
        ax.text(centre, low - 0.06, stage.path, rotation=90, size=LETTERS, ha="center", va="top", color=COLOURS["ink"])
        if value:
            ax.text(centre, low + BARS * share + 0.06, amount(value), rotation=90, size=LETTERS, ha="center",
                    va="bottom", color=COLOURS["ink"])
    if colour:
        ax.plot([EDGE, columns[-1][0] + columns[-1][1]], [low, low], color=COLOURS["charcoal"], linewidth=1)


def _draw_blocks(ax, stages, columns, shares, colour, middle):
    """Draw the blocks around a line, with map sizes above and channels below, where they change."""
    largest, before = max(map(map_size, stages)), (0, 0)  # the first labels say what they are
    ends = [-1.0, -1.0]
    for stage, (left, width), share in zip(stages, columns, shares):
        height = max(TALL * map_size(stage) / largest, THINNEST)
        low = middle - height / 2
        ax.add_patch(Rectangle((left, low), width, height, facecolor=_tone(colour, share), linewidth=1,
                               edgecolor=COLOURS["charcoal"]))
        arcs = _draw_inside(ax, stage, left, low, width, height)
        now = (map_size(stage), stage.row.output_shape[0])
        for k, (y, side) in enumerate(((low + height + 0.04 + arcs, "bottom"), (low - 0.04, "top"))):
            words = f"{now[k]}" if before[k] else ("×".join(map(str, stage.row.output_shape[1:])), f"{now[1]} maps")[k]
            half = text_width(words, LETTERS) / 2
            centre = max(left + width / 2, half + 0.02, ends[k] + half + 0.03)
            if now[k] != before[k] and not (k == 0 and len(stage.row.output_shape) == 1):
                ax.text(centre, y, words, size=LETTERS, ha="center", va=side, color=COLOURS["ink"])
                ends[k] = centre + half
        before = now


def _draw_inside(ax, stage, left, low, width, height):
    """Draw the shortcuts of a stage as arcs on it, its branches as strips; return how high the arcs stand."""
    if stage.kind == "concat":
        total, y = sum(part.row.output_shape[0] for part in stage.blocks), low
        for part in stage.blocks[:-1]:
            y += height * part.row.output_shape[0] / total
            ax.plot([left, left + width], [y, y], color=COLOURS["charcoal"], linewidth=0.8)
        return 0
    kinds = [part.kind for part in stage.blocks] if stage.kind == "chain" else [stage.kind]
    count = kinds.count("residual")
    if not count:
        return 0
    shown = len(kinds) if count <= ARCS else 1
    each = width / shown
    tall = min(0.22, 1.2 * each)
    for k in range(shown):
        x = left + k * each
        if k:
            ax.plot([x, x], [low, low + height], color=COLOURS["charcoal"], linewidth=0.8)
        if shown == 1 or kinds[k] == "residual":
            ax.add_patch(Arc((x + each / 2, low + height), 0.86 * each, 2 * tall, theta1=0, theta2=180, linewidth=1.4,
                             edgecolor=COLOURS["charcoal"]))
    if count > ARCS:
        ax.text(left + width / 2, low + height + 0.02, f"×{count}", size=LETTERS, ha="center", va="bottom",
                color=COLOURS["ink"])
    return tall
