"""A net as a row of blocks: how large its maps are, how many, and where its cost or its sight sits."""

from math import floor, log2, log10
from typing import NamedTuple

from matplotlib.colors import to_rgb
from matplotlib.patches import Arc, Rectangle

from cnnlib.architectures._blocks import MEASURES, blocks, find
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
FRAME = 2.6  # points: the line about a stage that is marked
ARCS = 8  # a stage with more shortcuts than this shows one, and how many there are


@styled
def plot_architecture(summary, measure="params", ax=None, *, title=None, stage=None, own_scale=False):
    """Draw a net as a row of blocks, with bars below that say where its cost sits, or how far its units see.

    A block is as tall as its maps, and wide as the logarithm of how many there are. Arcs are shortcuts; a block in
    strips has branches, each as high as its share of the channels; a hatched one is of a kind that is not known. Sizes
    and channels are written where they change.

    Parameters
    ----------
    summary : architectures.Summary, or dict of name -> Summary
        Its stages are those that its table shows; more than 60 are folded. Nets with names are drawn below each
        other on one scale.
    measure : {"params", "mult-adds", "memory", "field"} or None
        What bars and colours show: parameters, multiply-adds, the numbers that all layers of a stage give, or the
        receptive field in pixels. None draws blocks and names alone.
    ax : matplotlib Axes, optional
    title : str, optional
        None writes the totals and the depth of a net alone.
    stage : str, or dict of name -> str, optional
        A stage of the net, or one of each, that gets a frame; of one inside a block, the block does.
    own_scale : bool
        Give the longest bar of each net the same length: where one net has far more, the others' bars cannot be seen.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        There is no such measure, or no such stage.

    Examples
    --------
    >>> from cnnlib import architectures
    >>> plot_architecture(architectures.summary(architectures.alexnet, (3, 224, 224))).get_title(loc="left")
    '61,100,840 parameters, 714,188,480 multiply-adds, depth 8'
    """
    if measure is not None and measure not in MEASURES:
        raise ValueError(f"`measure` is {measure!r}; it must be one of {', '.join(map(repr, MEASURES))}")
    tables = summary if isinstance(summary, dict) else {"": summary}
    marked = stage if isinstance(stage, dict) else dict.fromkeys(tables, stage)
    nets = {name: blocks(table) for name, table in tables.items()}
    scale = _scale_of([each for stages in nets.values() for each in stages], measure, len(nets))
    own = own_scale and measure and len(nets) > 1
    scales = {name: scale._replace(most=_most(stages, measure)) if own else scale for name, stages in nets.items()}
    marks = {name: _mark(name, stages, marked.get(name)) for name, stages in nets.items()}
    heights = [_height(stages, measure, scales[name]) for name, stages in nets.items()]
    ax = new_axes(ax, WIDTH, sum(heights) + 0.45)
    top = sum(heights)
    for (name, stages), height in zip(nets.items(), heights):
        top -= height
        _draw_net(ax, stages, measure, scales[name], name, top, marks[name], ", on its own scale" if own else "")
    ax.set(xlim=(0, WIDTH), ylim=(0, sum(heights)), xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    alone = next(iter(tables.values()))
    told = f"{alone.parameters:,} parameters, {alone.multiply_adds:,} multiply-adds, depth {alone.depth}"
    ax.set_title(title or (told if len(tables) == 1 else ""), loc="left")
    return ax


class _Scale(NamedTuple):
    """What is as tall as can be: a bar, a map; and how tall both are then, in inches."""

    most: int
    largest: int
    bars: float
    tall: float


def _most(stages, measure):
    return max([1, *(stage.measure(measure) for stage in stages)])


def _scale_of(stages, measure, count):
    """Return one scale for all stages of all nets; of several, each has less room."""
    most = _most(stages, measure) if measure else 1
    less = 1 if count == 1 else 0.65
    return _Scale(most, max(map(map_size, stages)), BARS * less if measure else 0, TALL * less)


def _mark(name, stages, path):
    """Return the block in which a stage stands that is chosen, or None."""
    found = next((block for block in stages if path is not None and find((block,), path)), None)
    if path is not None and found is None:
        of = f" of {name}" if name else ""
        raise ValueError(f"`stage` is {path!r}; the stages{of} are {', '.join(block.path for block in stages)}, and "
                         "those in them")
    return found


def _levels(stages, measure, scale):
    """Return how high, in inches above a net's lowest line, its bars begin, its heading and its blocks stand."""
    names = max(text_width(stage.path, LETTERS) for stage in stages) + 0.1
    words = max(text_width(amount(stage.measure(measure)), LETTERS) for stage in stages) + 0.15 if measure else 0
    bars = names + scale.bars + words
    return names, bars, bars + 0.6 + scale.tall / 2


def _height(stages, measure, scale):
    return _levels(stages, measure, scale)[2] + scale.tall / 2 + 0.35


def _draw_net(ax, stages, measure, scale, name, bottom, marked, aside=""):
    """Draw one net: names, bars, a heading, blocks, and the stage that is marked."""
    names, bars, middle = (bottom + level for level in _levels(stages, measure, scale))
    values = [stage.measure(measure) if measure else 0 for stage in stages]
    columns = _columns(stages)
    _draw_bars(ax, stages, columns, values, TONES.get(measure), names, scale)
    heading = [f"{name}," if name and measure else name]
    if measure:
        total = "" if measure == "field" else f": {amount(sum(values))} in all"
        heading.append(f"{NAMES[measure]}{total}{aside}")
    ax.text(EDGE, bars + 0.05, " ".join(filter(None, heading)), size=LETTERS + 1, va="bottom", color=COLOURS["ink"])
    _draw_blocks(ax, stages, columns, values, TONES.get(measure, COLOURS["paper"]), middle, scale)
    if marked is not None:
        _draw_mark(ax, marked, *columns[stages.index(marked)], names, middle, scale)


def _draw_mark(ax, stage, left, width, names, middle, scale):
    """Frame a stage's maps and its name."""
    height = max(scale.tall * map_size(stage) / scale.largest, THINNEST)
    half, long = 0.85 * LETTERS / 72, text_width(stage.path, LETTERS) + 0.06
    boxes = [(left, middle - height / 2, width, height), (left + width / 2 - half, names - 0.03 - long, 2 * half, long)]
    for low_left, low, wide, high in boxes:
        ax.add_patch(Rectangle((low_left, low), wide, high, fill=False, linewidth=FRAME, gid="marked",
                               edgecolor=COLOURS["ink"]))


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


def _draw_bars(ax, stages, columns, values, colour, low, scale):
    """Draw a bar for each stage: its value above, its name below; names alone where there is no colour."""
    for stage, (left, width), value in zip(stages, columns, values):
        centre, tall = left + width / 2, scale.bars * value / scale.most
        if colour:
            ax.add_patch(Rectangle((left, low), width, tall, facecolor=colour, linewidth=0))
        ax.text(centre, low - 0.06, stage.path, rotation=90, size=LETTERS, ha="center", va="top", color=COLOURS["ink"])
        if value:
            ax.text(centre, low + tall + 0.06, amount(value), rotation=90, size=LETTERS, ha="center",
                    va="bottom", color=COLOURS["ink"])
    if colour:
        ax.plot([EDGE, columns[-1][0] + columns[-1][1]], [low, low], color=COLOURS["charcoal"], linewidth=1)


def _draw_blocks(ax, stages, columns, values, colour, middle, scale):
    """Draw the blocks around a line, with map sizes above and channels below, where they change."""
    before = (0, 0)  # the first labels say what they are
    ends = [-1.0, -1.0]
    for stage, (left, width), value in zip(stages, columns, values):
        height = max(scale.tall * map_size(stage) / scale.largest, THINNEST)
        low = middle - height / 2
        ax.add_patch(Rectangle((left, low), width, height, facecolor=_tone(colour, value / scale.most), linewidth=1,
                               edgecolor=COLOURS["charcoal"], hatch="///" if stage.kind == "opaque" else None))
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
