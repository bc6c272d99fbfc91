"""A net's table as a tree: each stage with the stages in it, what it costs, and where its first unit looks."""

from itertools import groupby
from math import prod
from typing import NamedTuple

from cnnlib.architectures.summary import Row, Summary
from cnnlib.geometry import as_pair, effective_size
from cnnlib.layers import shapes

MEASURES = ("params", "mult-adds", "memory", "field")
MOST = 60  # stages in a row; a net of more is folded where its maps change their size


class Block(NamedTuple):
    """A stage of a net as it is drawn.

    Attributes
    ----------
    path : str
        Its name, with dots that lead into stages.
    kind : {"layer", "chain", "residual", "concat", "opaque"}
        What it is made of: nothing, stages one after the other, a body and what goes past it, or branches; opaque is
        a layer without a rule, whose `reach` is measured.
    row : architectures.Row
    memory : int
        Numbers that come out of its layers, those left aside that neither cost nor change anything.
    start : (row, col), in pixels of the picture
        Where begins what the first unit of its maps sees; negative in the zeros of padding.
    blocks : tuple of Block
    """

    path: str
    kind: str
    row: Row
    memory: int
    start: tuple
    blocks: tuple

    def measure(self, name):
        """Return what a bar shows: parameters, multiply-adds, numbers kept, or pixels that a unit sees."""
        if name == "field":
            return max(as_pair("field", self.row.receptive_field, 1))
        return {"params": self.row.parameters, "mult-adds": self.row.multiply_adds, "memory": self.memory}[name]


def blocks(table: Summary):
    """Return the blocks of a summary: its rows that are shown, each with what it is made of.

    Of more than 60, those whose maps have one size are folded into one block, named by its first and last.
    """
    found = _chain(table, "", (0, 0), (1, 1))[0]
    if len(found) <= MOST:
        return found
    groups = groupby(found, lambda block: block.row.output_shape[1:])
    return tuple(_folded(group) if len(group) > 1 else group[0] for group in (tuple(group) for _, group in groups))


def find(tree, path):
    """Return the block of that path, or None."""
    for block in tree:
        inside = block.path == path or find(block.blocks, path)
        if inside:
            return block if inside is True else inside
    return None


def _folded(parts):
    """Return one block of several that follow each other."""
    first, last = parts[0], parts[-1]
    row = last.row._replace(stage=f"{first.row.stage} to {last.row.stage}",
                            parameters=sum(part.row.parameters for part in parts),
                            multiply_adds=sum(part.row.multiply_adds for part in parts))
    return Block(row.stage, "chain", row, sum(part.memory for part in parts), last.start, parts)


def _chain(table, path, start, jump):
    """Return the blocks of stages one after the other, and where the first unit behind them begins.

    A further head goes on from the stage of the trunk behind which it begins.
    """
    shown, found, ends, leaves = {row.stage for row in table.shown()}, [], {}, start
    for row in table:
        if row.stage in table.behind:
            start, jump = ends[table.behind[row.stage]]
        block, start = _block(table, row, path, start, jump)
        jump = as_pair("jump", row.jump, 1) if len(row.output_shape) == 3 else jump
        ends[row.stage] = start, jump
        leaves = leaves if row.stage in table.behind else start
        if row.stage in shown:
            found.append(block)
    return tuple(found), leaves


def _block(table, row, path, start, jump):
    """Return the block of a row, and where its first unit begins; `start` and `jump` are of what comes in."""
    layer, path = table.layer(row.stage), f"{path}{row.stage}"
    kind = {"Residual": "residual", "Concat": "concat", "Gate": "layer"}.get(type(layer).__name__, "chain")
    if kind == "layer" or hasattr(layer, "reach") or not shapes.children(layer):
        start = tuple(first - before * step for first, before, step in zip(start, zeros_before(layer), jump))
        start = (0, 0) if kind == "layer" and len(row.output_shape) == 1 else start
        kind = "opaque" if is_measured(layer) else "layer"
        return Block(path, kind, row, prod(row.output_shape), start, ()), start
    inner = table.inside(row.stage)
    if kind == "chain":
        parts, start = _chain(inner, f"{path}.", start, jump)
        if len(parts) == 1:  # a ReLU behind a sum is no stage to look into
            return parts[0]._replace(path=path, row=row), start
        return Block(path, kind, row, sum(part.memory for part in parts), start, parts), start
    made = [_block(inner, way, f"{path}.", start, jump) for way in inner]
    parts = tuple(block for block, _ in made)
    widest = max(parts, key=lambda block: as_pair("field", block.row.receptive_field, 1))
    memory = sum(part.memory for part in parts) + prod(row.output_shape)
    return Block(path, kind, row, memory, widest.start, parts), widest.start


def is_measured(layer):
    """Return whether a layer's rule of shapes is a measurement."""
    return hasattr(getattr(layer, "reach", None), "zeros_before")


def zeros_before(layer):
    """Return the zeros before the first row and column of a layer's maps."""
    if is_measured(layer):
        return layer.reach.zeros_before
    settings = getattr(layer, "settings", {})
    padding = getattr(layer, "padding", settings.get("padding", 0))
    if padding == "same":
        size, spread = (as_pair(name, getattr(layer, name), 1) for name in ("kernel_size", "dilation"))
        return tuple((effective_size(k, d) - 1) // 2 for k, d in zip(size, spread))
    if isinstance(padding, tuple):
        return tuple(side[0] if isinstance(side, tuple) else side for side in padding)
    return (0, 0) if padding == "valid" else as_pair("padding", padding, 0)
