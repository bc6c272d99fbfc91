"""A graph of computations as boxes and wires, with its numbers, its slopes and its gradients."""

from matplotlib.colors import to_rgb
from matplotlib.patches import FancyBboxPatch

from cnnlib.plots._graph import Walk, short
from cnnlib.plots._style import COLOURS, WIDTH, new_axes, styled, text_width

ROW, BOX, LINE = 1.12, 0.62, 0.27  # inches: from row to row; a box with two lines; what a third line adds
GAPS = (0.75, 0.28)  # inches between columns where there is room; beside a slope where there is little
BOLD = 1.17  # how much wider bold text is
HEAD, NUMBER, SMALL = 12, 13, 12  # points
LINES = ((HEAD, 1), (NUMBER, BOLD), (SMALL, BOLD))  # of a box
SMALLEST = 0.8  # of these


@styled
def plot_graph(value, ax=None, *, weights=(), step=None, gradients=True, title=None):
    """Draw how a number was computed: each box is one operation, each wire carries a number to where it is used.

    A box holds a formula, the number from the forward pass, and the derivative of the result with respect to it. On
    each wire stands the slope of that one step: going back, a gradient is multiplied by it. What comes back on several
    wires adds up.

    Parameters
    ----------
    value : cnnlib.scalar.Value
        The result. Leaves are drawn if they have a name; others are constants and stand in the formulas. Operations
        without a name are called v1, v2, ...
    ax : matplotlib Axes, optional
    weights : sequence of str
        The names of the leaves that are weights; the others are inputs.
    step : int, optional
        Draw what is known after so many steps: 0 is the start, then each operation is one, then the result's own
        gradient, then each operation on the way back. None draws all.
    gradients : bool
        False draws the forward pass alone.
    title : str, optional

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        No leaf has a name, a weight is not there, the step is not there, or the graph is too wide for a page.

    Notes
    -----
    Gradients are worked out from the slopes, so it does not matter whether ``backward`` was called, or how often.

    Examples
    --------
    >>> from cnnlib.scalar import Value
    >>> w, x = Value(3.0, "w"), Value(2.0, "x")
    >>> ax = plot_graph((w * x) ** 2, weights=["w"])
    >>> [text.get_text() for text in ax.texts if "grad" in text.get_text() or "=" in text.get_text()]
    ['w = 3', 'grad 24', 'x = 2', 'grad 36', 'v1 = 6', 'grad 12', 'v2 = 36', 'grad 1']
    """
    walk = Walk(value)
    leaves = [node.name for node in walk.nodes if not node.op]
    if missing := sorted(set(weights) - set(leaves)):
        raise ValueError(f"`weights` names {missing}; the leaves are {leaves}")
    if step is not None and not 0 <= step <= walk.last:
        raise ValueError(f"`step` is {step}; this graph has the steps 0 to {walk.last}")
    columns = _columns(walk)
    roles = {id(node): "output" if node.op else "weight" if node.name in weights else "input" for node in walk.nodes}
    labels = {id(node): _labels(walk, node, roles[id(node)], step, gradients) for node in walk.nodes}
    widths, gaps, scale = _fitted(walk, columns, roles, step, gradients)
    rows = _rows(walk, columns)
    height = (BOX + LINE * gradients) * scale
    low, high = min(rows.values()) * ROW * scale - height / 2, max(rows.values()) * ROW * scale + height / 2
    lefts = [0.1]
    for width, gap in zip(widths, gaps):
        lefts.append(lefts[-1] + width + gap)
    right = lefts[-1] + 0.1
    tall = high - low + 0.2
    if ax is None:
        ax = new_axes(None, right, tall + 0.4 * bool(title))
        ax.figure.set_layout_engine("none")
        ax.set_position((0, 0, 1, tall / ax.figure.get_figheight()))
    ax.set(xlim=(0, right), ylim=(high + 0.1, low - 0.1), aspect="equal")
    ax.set_axis_off()
    boxes = {}
    for column, left, width in zip(columns, lefts, widths):
        for node in column:
            boxes[node if _is_bend(node) else id(node)] = (left, rows[_key(node)] * ROW * scale, width)
    _draw_wires(ax, walk, columns, boxes, step, gradients, scale)
    for node in walk.nodes:
        is_active = step is not None and walk.active(step)[0] is node
        _draw_box(ax, boxes[id(node)], height, labels[id(node)], roles[id(node)], is_active, scale)
    if title:
        ax.set_title(title, loc="left")
    return ax


# ---- where things stand

def _columns(walk):
    """Return the nodes of each column, from the left; a wire that passes a column has a bend there.

    A bend is a tuple (id of the source, column): one for all wires from that source which pass.
    """
    depth = {}
    for node in walk.operations:
        depth[id(node)] = 1 + max(depth.get(id(source), 0) for source, _ in walk.wires(node))
    users = {}
    for node in walk.operations:
        for source, _ in walk.wires(node):
            users.setdefault(id(source), []).append(depth[id(node)])
    for node in walk.nodes:  # a leaf stands right before its first use
        if not node.op:
            depth[id(node)] = min(users.get(id(node), [1])) - 1
    columns = [[] for _ in range(max(depth.values()) + 1)]
    for node in walk.nodes:
        columns[depth[id(node)]].append(node)
        for column in range(depth[id(node)] + 1, max(users.get(id(node), [0]))):
            columns[column].append((id(node), column))
    return columns


def _is_bend(node):
    return isinstance(node, tuple)


def _key(node):
    return node if _is_bend(node) else id(node)


def _next(walk, columns, node, column):
    """Return the keys of what a node, or a bend, leads to in the column after its own."""
    source = node[0] if _is_bend(node) else id(node)
    after = columns[column + 1] if column + 1 < len(columns) else []
    used = [id(other) for other in after if not _is_bend(other) and source in map(id, other.inputs)]
    return used + [other for other in after if _is_bend(other) and other[0] == source]


def _rows(walk, columns):
    """Return the row of each node and bend: as near as it can be to the middle of what it leads to."""
    rows = {}
    for column in reversed(range(len(columns))):
        wanted = []
        for place, node in enumerate(columns[column]):
            ahead = [key for key in _next(walk, columns, node, column) if key in rows]
            wanted.append((sum(rows[key] for key in ahead) / len(ahead) if ahead else 0.0, place, node))
        wanted.sort(key=lambda one: one[:2])
        for row, (_, _, node) in zip(_apart([one[0] for one in wanted]), wanted):
            rows[_key(node)] = row
    return rows


def _apart(wanted):
    """Move sorted numbers as little as needed for a distance of 1: groups that would overlap share their mean."""
    groups = []  # [sum of (wanted - place in the group), count]
    for place, number in enumerate(wanted):
        groups.append([number - place, 1])
        while len(groups) > 1 and groups[-2][0] / groups[-2][1] > groups[-1][0] / groups[-1][1]:
            total, count = groups.pop()
            groups[-1][0] += total
            groups[-1][1] += count
    starts = [total / count for total, count in groups for _ in range(count)]
    return [start + place for place, start in enumerate(starts)]


def _fitted(walk, columns, roles, step, gradients):
    """Return the widths of the columns, those of the gaps after them, and the scale at which all fit a page.

    Every step of one graph is laid out alike: for its widest texts.
    """
    widths, steps = [], [None] if step is None else [None, *range(walk.last)]
    for column in columns:
        boxes = [_labels(walk, node, roles[id(node)], step, gradients) for node in column if not _is_bend(node)
                 for step in steps]
        lines = {(text, *style) for box in boxes for text, style in zip(box, LINES)}
        widths.append(max((text_width(text, size) * bold for text, size, bold in lines), default=0) + 0.16)
    least = [GAPS[1] + (max(text_width(f"×{short(slope, 2)}", SMALL) for node in column if not _is_bend(node)
                            for _, slope in walk.wires(node)) if gradients else 0) for column in columns[1:]]
    room = (WIDTH - 0.2 - sum(widths)) / max(len(least), 1)
    gaps = [max(gap, min(GAPS[0], room)) for gap in least]
    scale = min(1.0, (WIDTH - 0.2) / (sum(widths) + sum(gaps)))
    if scale < SMALLEST:
        raise ValueError(f"the graph would be {WIDTH / scale:.1f} inches wide, more than the {WIDTH / SMALLEST:.1f} "
                         "that can be made fit a page: draw a part of it, or give shorter names")
    return [width * scale for width in widths], [*(gap * scale for gap in gaps), 0], scale


# ---- what stands there

def _labels(walk, node, role, step, gradients):
    """Return the lines of a box: how it is computed, its name and number, its gradient."""
    head, name = walk.formula(node) if node.op else role, walk.name(node)
    if step is None:
        return (head, f"{name} = {short(node.data)}", f"grad {short(walk.grads[id(node)])}")[:2 + gradients]
    computed, received = walk.known(step)
    number = short(node.data) if id(node) in computed else "?"
    grad = "grad ?"
    if id(node) in received:
        so_far, waiting = received[id(node)]
        grad = f"grad {short(so_far)}" + " + ?" * bool(waiting)
    return (head, f"{name} = {number}", grad)[:2 + gradients]


def _draw_box(ax, box, height, labels, role, is_active, scale):
    left, middle, width = box
    tint = tuple(1 - 0.15 * (1 - part) for part in to_rgb(COLOURS[role]))
    ax.add_patch(FancyBboxPatch((left, middle - height / 2), width, height, boxstyle="round,pad=0,rounding_size=0.08",
                                facecolor=tint, edgecolor=COLOURS["ink" if is_active else role],
                                linewidth=3.5 if is_active else 1.8, zorder=3))
    lines = [(-height / 2 + 0.17 * scale, labels[0], HEAD, "ink", "normal"),
             (-height / 2 + 0.45 * scale, labels[1], NUMBER, "ink", "bold")]
    if len(labels) > 2:
        lines.append((-height / 2 + 0.73 * scale, labels[2], SMALL, "gradient", "bold"))
    for down, text, size, colour, weight in lines:
        ax.text(left + width / 2, middle + down, text, size=size * scale, color=COLOURS[colour], weight=weight,
                ha="center", va="center", zorder=4)


def _draw_wires(ax, walk, columns, boxes, step, gradients, scale):
    active, is_back = (None, False) if step is None else walk.active(step)
    passed = len(walk.operations) if step is None else step - len(walk.operations) - 1
    done = {id(node) for node in walk.operations[::-1][:max(passed, 0)]}
    place = {id(node): k for k, column in enumerate(columns) for node in column if not _is_bend(node)}
    uses = {}
    for node in walk.operations:
        for source, _ in walk.wires(node):
            uses[id(source)] = uses.get(id(source), 0) + 1
    for node in walk.operations:
        wires = walk.wires(node)
        for k, (source, slope) in enumerate(wires):
            twins = [j for j, (other, _) in enumerate(wires) if other is source]
            aside = 0.44 * scale * (twins.index(k) - (len(twins) - 1) / 2)  # two wires between the same two boxes
            path = [boxes[id(source)]]
            path += [boxes[id(source), column] for column in range(place[id(source)] + 1, place[id(node)])]
            points = [(path[0][0] + path[0][2], path[0][1] + aside)]
            points += [(left + part * width, middle) for left, middle, width in path[1:] for part in (0, 1)]
            points.append((boxes[id(node)][0], boxes[id(node)][1] + aside))
            is_bold = active is node and (is_back or id(node) not in done)
            _draw_wire(ax, points, slope if gradients and id(node) in done else None,
                       COLOURS["gradient" if is_back and active is node else "charcoal"],
                       2.6 if is_bold else 1.4, is_back and active is node, uses[id(source)] > len(twins), scale)


def _draw_wire(ax, points, slope, colour, width, is_back, shares_source, scale):
    """Draw one wire with its arrow head, and its slope near the end that no other wire shares."""
    ax.plot(*zip(*points), color=colour, linewidth=width, zorder=1, solid_joinstyle="round")
    tip, tail = (points[0], points[1]) if is_back else (points[-1], points[-2])
    ax.annotate("", tip, tail, zorder=1, arrowprops=dict(arrowstyle="-|>", color=colour, linewidth=width,
                                                         mutation_scale=14 * scale, shrinkA=0, shrinkB=0))
    if slope is not None:
        start, end = (points[-2], points[-1]) if shares_source else (points[0], points[1])
        part = 0.45
        ax.text(start[0] + part * (end[0] - start[0]), start[1] + part * (end[1] - start[1]), f"×{short(slope, 2)}",
                size=SMALL * scale, color=COLOURS["gradient"], ha="center", va="center", zorder=2,
                bbox=dict(facecolor=COLOURS["paper"], edgecolor="none", pad=1.5))
