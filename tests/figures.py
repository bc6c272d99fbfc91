"""What the tests of figures share: the numbers, frames and texts that a figure holds."""

from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle
from matplotlib.text import Text


def cells(ax):
    """The texts of a grid by (row, col)."""
    return {(round(t.get_position()[1]), round(t.get_position()[0])): t.get_text() for t in ax.texts}


def frames(ax, colour):
    """The frames of that colour as (row, col, height, width)."""
    return [tuple(round(v + 0.5) if k < 2 else round(v) for k, v in
                  enumerate((*p.get_xy()[::-1], p.get_height(), p.get_width())))
            for p in ax.patches if isinstance(p, Rectangle) and to_hex(p.get_edgecolor()) == colour]


def visible_texts(figure):
    """The texts of a figure that can be seen, after laying it out."""
    figure.draw_without_rendering()
    return [text for text in figure.findobj(Text)
            if text.get_visible() and text.get_text().strip() and not is_hidden_tick(text)]


def is_hidden_tick(text):
    """Whether a text is the label of a tick that is not drawn, such as those beyond the limits."""
    for ax in text.figure.axes:
        for axis in (ax.xaxis, ax.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]:
                if text in (tick.label1, tick.label2):
                    return not ax.axison or not low <= tick.get_loc() <= high
    return False


def clipped_texts(figure, texts):
    """The texts that reach out of the figure by more than a pixel."""
    width, height = figure.bbox.size
    boxes = {text.get_text(): text.get_window_extent() for text in texts}
    return [text for text, box in boxes.items()
            if box.x0 < -1 or box.y0 < -1 or box.x1 > width + 1 or box.y1 > height + 1]


def overlapping_texts(texts):
    """Pairs of texts whose boxes share more than a sliver."""
    boxes = [(text, text.get_window_extent().shrunk(0.9, 0.7)) for text in texts if text.get_rotation() == 0]
    return [(one.get_text(), other.get_text()) for k, (one, box) in enumerate(boxes)
            for other, other_box in boxes[:k] if box.overlaps(other_box)]
