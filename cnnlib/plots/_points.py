"""Named points, each with its label where nothing else stands."""

from cnnlib.plots._style import COLOURS, text_width

APART = 0.25  # inches from a label to another point on its height, so that nobody takes it for that one's


def draw_points(ax, points, taken, inches):
    """Draw the points; each label goes to the first side of its point where no line, text or point stands.

    `points` maps names to (x, y) in data; `taken` holds boxes (left, right, bottom, top) in inches where lines and
    texts stand; `inches` turns dots into inches.
    """
    places = inches(ax.transData.transform(list(points.values())))
    dots = [(x - 0.08, x + 0.08, y - 0.08, y + 0.08) for x, y in places]
    taken = list(taken)
    (left, _), (right, _) = inches(ax.get_window_extent().get_points())
    for name, point, (x, y) in zip(points, points.values(), places):
        ax.plot(*point, "o", color=COLOURS["output"], markersize=9, zorder=3)
        width = text_width(name, 12)
        sides = [(dx, dy) for dy in (0, -0.22, 0.22, -0.44, 0.44, -0.66) for dx in (0.14, -0.14 - width)]
        near = [(px - APART, px + APART, py, py) for other, (px, py) in zip(points, places) if other != name]
        fits = [(dx, dy) for dx, dy in sides if left < x + dx and x + dx + width < right and not any(
            _overlap((x + dx, x + dx + width, y + dy - 0.09, y + dy + 0.09), other)
            for other in (*taken, *dots, *near))]
        dx, dy = fits[0] if fits else sides[0]
        taken.append((x + dx, x + dx + width, y + dy - 0.09, y + dy + 0.09))
        ax.annotate(name, point, (dx * 72, dy * 72), textcoords="offset points", va="center")


def _overlap(one, other):
    """Whether two boxes (left, right, bottom, top) share a point."""
    return one[0] < other[1] and other[0] < one[1] and one[2] < other[3] and other[2] < one[3]
