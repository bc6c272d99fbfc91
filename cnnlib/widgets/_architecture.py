"""What the architecture explorer tells of a net: its stages as plain data, and what a unit of one sees."""

import functools

from cnnlib.architectures import summary
from cnnlib.architectures._blocks import blocks
from cnnlib.architectures._names import NAMED
from cnnlib.geometry import as_pair

SMALL_MENU = ("alexnet", "zfnet", "vgg16", "googlenet", "resnet18", "resnet50", "densenet121", "mobilenet2")


def net_of(table):
    """Return a summary as JSON can hold it: totals, and stages with the stages in them.

    `partly` says that there are layers in it whose multiply-adds are not counted.
    """
    tree = blocks(table)
    kinds = [kind for block in tree for kind in _kinds(block)]
    return {"partly": "opaque" in kinds, "input_shape": list(table.input_shape), "depth": table.depth,
            "parameters": table.parameters, "multiply_adds": table.multiply_adds,
            "memory": sum(block.memory for block in tree), "stages": [_node(block) for block in tree]}


def _kinds(block):
    return [block.kind, *(kind for part in block.blocks for kind in _kinds(part))]


def _node(block):
    row = block.row
    return {"path": block.path, "kind": block.kind, "shape": list(row.output_shape), "parameters": row.parameters,
            "multiply_adds": row.multiply_adds, "memory": block.memory, "start": list(block.start),
            "sees": list(as_pair("receptive_field", row.receptive_field, 1)),
            "jump": list(as_pair("jump", row.jump, 1)), "strong": [],
            "parts": [_node(part) for part in block.blocks]}


def with_strong(net, strong):
    """Return a net whose stages tell their strongest channels: of path -> list of int."""
    def told(node):
        return node | {"strong": strong.get(node["path"], []), "parts": [told(part) for part in node["parts"]]}
    return net | {"stages": [told(stage) for stage in net["stages"]]}


def named(name, channels):
    """Return the factory of a net by its name, for pictures of so many channels."""
    return functools.partial(NAMED[name][0], in_channels=channels)


@functools.cache
def others(input_shape=None):
    """Return the nets that one can be compared with, without what their stages are made of, by name.

    Each for pictures of this shape, or without one for those of its own paper.
    """
    found = {}
    for name in SMALL_MENU:
        shape = input_shape or NAMED[name][1]
        try:
            found[name] = without_parts(net_of(summary(named(name, shape[0]), shape)))
        except ValueError:  # pictures of this size are too small for it
            continue
    return found


def without_parts(net):
    """Return a net whose stages cannot be looked into."""
    return net | {"stages": [stage | {"parts": []} for stage in net["stages"]]}


def trail(net, path):
    """Return the stages that lead to one, itself the last; empty where there is none of that path."""
    for stage in net["stages"]:
        if found := _trail(stage, path):
            return found
    return []


def _trail(node, path):
    if node["path"] == path:
        return [node]
    for part in node["parts"]:
        if found := _trail(part, path):
            return [node, *found]
    return []


def apart(net, name, input_shape):
    """Return in words for which pictures a second net stands, where they are not its paper's or not the first's."""
    shape = net["input_shape"]
    usual = name not in NAMED or shape == list(NAMED[name][1])
    return "" if usual and shape == list(input_shape) else f" at {'×'.join(map(str, shape))}"


def paths(stages):
    """Return the paths of these stages and of all that is in them."""
    return [path for stage in stages for path in (stage["path"], *paths(stage["parts"]))]


def units(node):
    """Return how many rows and columns of units a stage has."""
    return node["shape"][1:] or [1, 1]


def unit_of(node, row, col):
    """Return the unit that is looked at: the middle one where none is named, the nearest one that there is."""
    return [n // 2 if at is None else min(n - 1, max(0, at)) for at, n in zip((row, col), units(node))]


def field_of(node, unit):
    """Return the first and last row, and the first and last column, of the pixels that a unit sees."""
    firsts = [start + jump * at for start, jump, at in zip(node["start"], node["jump"], unit)]
    return [[first, first + size - 1] for first, size in zip(firsts, node["sees"])]


def measured(node, measure):
    """Return what a bar shows."""
    return max(node["sees"]) if measure == "field" else node[KEYS[measure]]


def scaled_apart(nets, measure):
    """Return whether one net has more than `APART` times another's largest stage: each then has its own scale."""
    most = [max(1, *(measured(stage, measure) for stage in net["stages"])) for net in nets]
    return max(most) > APART * min(most)


APART = 10
KEYS = {"params": "parameters", "mult-adds": "multiply_adds", "memory": "memory"}
NOUNS = {"params": "parameter", "mult-adds": "multiply-add", "memory": "number"}
