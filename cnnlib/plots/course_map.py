"""The map of the course: its parts from left to right, and what each lecture builds on."""

from itertools import permutations

import numpy as np
from matplotlib.patches import FancyBboxPatch

from cnnlib.course import PARTS
from cnnlib.plots._style import COLOURS, WIDTH, new_axes, styled, text_width, wrap

# Lengths in inches; the axes' units are inches too, with y downwards.
BOX_HEIGHT = 0.76
ROW = 0.92  # from one box to the next
CHANNEL = 0.34  # between two columns, for the lines
HEAD = 0.75  # for the parts' names
SIZE = 11  # points
MARGIN = 0.06  # beside a box's text


@styled
def plot_course_map(lectures, existing, ax=None, *, parts=PARTS, title=None):
    """Draw the lectures, a column for each part, with lines from each lecture to those that build on it.

    Parameters
    ----------
    lectures : sequence of objects with number, title, part and needs
        As :data:`cnnlib.course.LECTURES`.
    existing : sequence of lectures or of their numbers
        The lectures that are written: filled. The others are planned: dashed and hollow.
    ax : matplotlib Axes, optional
    parts : sequence of str
        The columns' titles.
    title : str, optional

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        A lecture needs one that is not there.

    Examples
    --------
    >>> from cnnlib import course
    >>> ax = plot_course_map(course.LECTURES, course.existing())
    >>> sum(text.get_text().startswith("20") for text in ax.texts)
    1
    """
    written = {getattr(item, "number", item) for item in existing}
    columns = [[item for item in lectures if item.part == part] for part in range(len(parts))]
    rows = max(map(len, columns))
    width = (WIDTH - 0.1 - CHANNEL * len(parts)) / len(parts)
    lefts = 0.1 + (width + CHANNEL) * np.arange(len(parts))
    bottom = HEAD + ROW * rows + 0.45
    if ax is None:
        ax = new_axes(None, WIDTH, bottom + 0.35 * bool(title))
        ax.figure.set_layout_engine("none")
        ax.set_position((0, 0, 1, bottom / ax.figure.get_figheight()))
    ax.set(xlim=(0, WIDTH), ylim=(bottom, 0))
    ax.set_axis_off()
    places = {item.number: (item.part, columns[item.part].index(item)) for item in lectures}
    for part, left in enumerate(lefts):
        ax.text(left, HEAD - 0.2, "\n".join(wrap(parts[part], 0.92 * width, 11)), size=11, va="bottom",
                weight="bold", linespacing=1.1)
    lengths = [len(column) for column in columns]
    _draw_lines(ax, lectures, places, lengths, lefts, width, written)
    for item in lectures:
        part, row = places[item.number]
        _draw_box(ax, item, lefts[part], HEAD + ROW * row, width, item.number in written)
    legend = "filled: written · dashed: planned · an arrow leads to what builds on a lecture"
    ax.text(0.1, bottom - 0.15, legend, size=11, va="center")
    if title:
        ax.set_title(title, loc="left", x=0.1 / WIDTH)
    return ax


def _draw_box(ax, item, left, top, width, written):
    """Draw one lecture with its number and title."""
    ax.add_patch(FancyBboxPatch((left, top), width, BOX_HEIGHT, boxstyle="round,pad=0,rounding_size=0.06",
                                facecolor=COLOURS["charcoal" if written else "paper"], linewidth=1.2, zorder=2,
                                edgecolor=COLOURS["charcoal"], linestyle="-" if written else (0, (3, 2))))
    words = f"{item.number} {item.title}".replace("-", "- ")  # a line may break after a hyphen
    size = SIZE
    room = width - 2 * MARGIN
    while len(lines := wrap(words, room, size)) > 4 or max(text_width(line, size) for line in lines) > room:
        size -= 0.5
    lines = [line.replace("- ", "-") for line in lines]
    ax.text(left + MARGIN, top + BOX_HEIGHT / 2, "\n".join(lines), size=size, va="center", linespacing=1.1,
            zorder=3, color=COLOURS["paper" if written else "ink"])


def _draw_lines(ax, lectures, places, lengths, lefts, width, written):
    """Draw every need: straight down to the next box, else through the channel beside the column."""
    edges = []
    for item in lectures:
        for need in item.needs:
            if need not in places:
                raise ValueError(f"lecture {item.number} needs {need!r}, which is not among the lectures")
            edges.append((places[need], places[item.number], {need, item.number} <= written))
    lanes = {}
    for part in range(len(lefts)):
        lanes |= _lanes([(a, b) for a, b, _ in edges if a[0] == part and b != (part, a[1] + 1)])
    for (part, row), (to_part, to_row), known in edges:
        start, end = _middle(row), _middle(to_row)
        if to_part == part and to_row == row + 1:
            x = lefts[part] + width / 2
            _line(ax, [(x, start + BOX_HEIGHT / 2), (x, end - BOX_HEIGHT / 2)], known)
            continue
        lane = lanes[part, row]
        x = lefts[part] + width + CHANNEL * lane
        end += 0.08 + 0.16 * lane if to_part == part else 0.26 * (lane - 0.5)  # arrows side by side
        path = [(lefts[part] + width, start), (x, start)]
        if to_part > part + 1:
            below = HEAD + ROW * max(lengths[part + 1:to_part])
            x = lefts[to_part] - CHANNEL * 0.12
            path += [(path[-1][0], below), (x, below)]
            end += 0.1
        _line(ax, [*path, (x, end), (lefts[to_part] + (width if to_part == part else 0), end)], known)


def _middle(row):
    """Return how far down the middle of a row's boxes is."""
    return HEAD + ROW * row + BOX_HEIGHT / 2


def _lanes(edges):
    """Give each source of a channel a lane, 0 to 1 of its width, in the order with the fewest crossings."""
    sources = sorted({source for source, _ in edges})

    def crossings(order):
        lane = {source: k for k, source in enumerate(order)}
        count = 0
        for (part, row), (to_part, to_row) in edges:
            for other, (other_part, other_row) in edges:
                low, high = sorted((other[1], other_row if other_part <= part + 1 else 99))
                left_of = lane[other] < lane[part, row]
                count += left_of and low <= row <= high
                count += other != (part, row) and left_of == (to_part == part) and low <= to_row <= high
        return count

    best = min(permutations(sources), key=crossings)
    return {source: 0.08 + 0.72 * (k + 0.5) / len(best) for k, source in enumerate(best)}


def _line(ax, path, known):
    """Draw a line with an arrowhead at its end; faded where one of its two lectures is only planned."""
    style = {"color": COLOURS["charcoal"], "linewidth": 1.2, "alpha": 1 if known else 0.55}
    ax.plot(*zip(*path), zorder=1, solid_joinstyle="round", **style)
    ax.annotate("", path[-1], path[-2], arrowprops={"arrowstyle": "-|>", "shrinkA": 0, "shrinkB": 0, **style})
