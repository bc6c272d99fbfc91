"""Nets without numbers: what each layer does to a shape, what it costs, and what a unit behind it sees.

The rules read the attributes that our layers and torch's have in common (``kernel_size``, ``stride``, the shape of
``weight``), so that they tell of a net of either engine, before it has seen a picture. A layer of your own joins in by
a method ``reach(before)`` that returns a :class:`Reach`.
"""

from dataclasses import dataclass, replace
from math import ceil, prod

from cnnlib.conv import make_problem
from cnnlib.geometry import as_int, as_pair, effective_size
from cnnlib.layers._stages import check_branches, check_gate, check_sum, in_stage
from cnnlib.pool import as_output_size, make_windows

LARGEST = 1024  # pixels a side, up to which a net's smallest picture is looked for


@dataclass(frozen=True)
class Reach:
    """What is known of what comes out of a layer.

    Attributes
    ----------
    shape : tuple of int
        Of one sample: (C, H, W), or (F,).
    field, jump : (rows, cols), in pixels of the picture
        What one unit sees, as though the picture went on beyond its borders, and how far apart two neighbours look.
    multiply_adds : int
        Spent so far for one sample: the products of convolutions and of linear layers.
    depth : int
        Layers with weights on the longest path so far.
    """

    shape: tuple
    field: tuple = (1, 1)
    jump: tuple = (1, 1)
    multiply_adds: int = 0
    depth: int = 0

    def through(self, shape, kernel_size=1, stride=1, dilation=1, **more):
        """Return the reach behind windows of this size that give maps of this shape."""
        kernel, stride, dilation = (as_pair(name, value, 1) for name, value in (
            ("kernel_size", kernel_size), ("stride", stride), ("dilation", dilation)))
        field = tuple(f + (effective_size(k, d) - 1) * j for f, k, d, j in zip(self.field, kernel, dilation, self.jump))
        jump = tuple(j * s for j, s in zip(self.jump, stride))
        return replace(self, shape=tuple(shape), field=field, jump=jump, **more)

    def weighted(self, products):
        """Return what a layer with weights adds: its products, and one layer of depth."""
        return dict(multiply_adds=self.multiply_adds + products, depth=self.depth + 1)

    def over_all(self, shape):
        """Return the reach of units that see the whole of every map."""
        sizes = self.shape[1:] if len(self.shape) == 3 else (1, 1)
        return replace(self.through(shape, sizes), jump=self.jump)


def start(input_shape):
    """Return the reach of a picture's pixels; `input_shape` is (C, H, W), or (F,) for a row of numbers.

    Raises
    ------
    ValueError, TypeError
        It is not one, three, or a batch's four whole numbers.
    """
    if not isinstance(input_shape, (tuple, list)) or len(input_shape) not in (1, 3):
        raise ValueError(f"`input_shape` is {input_shape!r}; it must be (C, H, W) without the batch, such as "
                         "(3, 224, 224), or (F,)")
    return Reach(tuple(as_int("input_shape", size, 1) for size in input_shape))


def after(layer, before):
    """Return the :class:`Reach` behind a layer, or a net, of either engine.

    Parameters
    ----------
    layer : layers.Module or torch.nn.Module
    before : Reach

    Raises
    ------
    ValueError
        The shape does not fit; the message says in which stage.
    TypeError
        A layer is of a kind that has no rule here.

    Examples
    --------
    >>> from cnnlib import layers
    >>> net = layers.Sequential(layers.Conv2d(3, 8, 5, stride=2), layers.ReLU(), layers.MaxPool2d(2))
    >>> after(net, start((3, 33, 33)))
    Reach(shape=(8, 7, 7), field=(7, 7), jump=(4, 4), multiply_adds=135000, depth=1)
    """
    if hasattr(layer, "reach"):
        return layer.reach(before)
    if rule := _rule_of(layer):
        return rule(layer, before)
    raise TypeError(f"{type(layer).__name__} has no rule of shapes; give its class a method `reach(before)`, which "
                    "returns before.through(shape, kernel_size, stride)")


def is_known(layer):
    """Return whether a layer has a rule of shapes; of a net whose layers are in it, whether the net itself has."""
    return hasattr(layer, "reach") or _rule_of(layer) is not None


def _rule_of(layer):
    """Return the rule of the kind that a layer is, or None; a class that changes the forward is another kind."""
    for kind in type(layer).__mro__:
        if kind.__name__ in RULES and kind.__module__.startswith(("cnnlib.", "torch.nn.")):
            if type(layer).forward is kind.forward:
                return RULES[kind.__name__]
    return None


def smallest(net, channels):
    """Return the smallest n so that the net takes pictures of `channels` x n x n; None where none up to 1024 is."""
    for size in range(1, LARGEST + 1):
        if _takes(net, (channels, size, size)):
            return size
    return None


def tell_smallest(net, x_shape, error):
    """Add to the error of a net that failed on an x of this shape which pictures it takes, if it is the size."""
    shape = tuple(x_shape[-3:])
    if len(x_shape) not in (3, 4) or 0 in shape or _takes(net, shape) is not False:
        return
    if (size := smallest(net, shape[0])) is None:
        return
    told = f"the smallest square picture that the net takes is {size} x {size}"
    longer = max(shape[1:])
    if longer > size and not _takes(net, (shape[0], longer, longer)):  # a part takes one size of maps, these are larger
        largest = next(n for n in range(size, longer) if not _takes(net, (shape[0], n + 1, n + 1)))
        told = f"the square pictures that the net takes are {size} x {size} to {largest} x {largest}"
    error.args = (f"{error}; {told}, this one is {shape[1]} x {shape[2]}",)


def _takes(net, shape):
    """Whether the net takes such a picture; None where that cannot be told."""
    try:
        after(net, start(shape))
    except ValueError:
        return False
    except TypeError:
        return None
    return True


def children(layer):
    """Return [(name, layer)] of the layers in one of either engine."""
    return list(layer.named_children())


# ---- one rule for each kind of layer

def _setting(layer, name, default):
    """Return a setting, which ours may keep in a dict."""
    return getattr(layer, name, getattr(layer, "settings", {}).get(name, default))


def _same(layer, before):
    del layer
    return before


def _channels(layer, before):
    """A norm that knows how many channels come."""
    count = getattr(layer, "num_features", getattr(layer, "num_channels", before.shape[0]))
    if before.shape[0] != count:
        raise ValueError(f"the maps are {before.shape}; it wants {count} channels")
    return before


def _convolution(layer, before):
    weight = tuple(layer.weight.shape)
    if len(weight) == 3:  # a table's: one kernel for each connection
        products, weight = prod(weight), (layer.out_channels, layer.in_channels, *weight[1:])
    else:
        products = prod(weight)
    settings = {name: getattr(layer, name, usual) for name, usual in (
        ("stride", 1), ("padding", 0), ("dilation", 1), ("groups", 1))}
    problem = make_problem(before.shape, weight, **settings)
    return before.through(problem.out_shape[1:], weight[2:], settings["stride"], settings["dilation"],
                          **before.weighted(products * prod(problem.out_size)))


def _transposed(layer, before):
    channels, kernel = before.shape[0], tuple(layer.weight.shape[2:])
    if channels != layer.weight.shape[0]:
        raise ValueError(f"the maps are {before.shape}; it wants {layer.weight.shape[0]} channels")
    stride, padding, more, dilation = (as_pair(name, getattr(layer, name), 0) for name in (
        "stride", "padding", "output_padding", "dilation"))
    size = tuple((n - 1) * s - 2 * p + effective_size(k, d) + o for n, s, p, k, d, o in zip(
        before.shape[1:], stride, padding, kernel, dilation, more))
    field = tuple(f + (ceil(effective_size(k, d) / s) - 1) * j for f, k, d, s, j in zip(
        before.field, kernel, dilation, stride, before.jump))
    jump = tuple(j // s if j % s == 0 else j / s for j, s in zip(before.jump, stride))
    products = prod(layer.weight.shape) * prod(before.shape[1:])
    return replace(before, shape=(layer.out_channels, *size), field=field, jump=jump, **before.weighted(products))


def _linear(layer, before):
    features, wanted = layer.weight.shape
    if before.shape[-1] != wanted:
        raise ValueError(f"what comes is {before.shape}; it wants {wanted} features")
    positions = prod(before.shape[:-1])
    return before.through((*before.shape[:-1], features), **before.weighted(prod(layer.weight.shape) * positions))


def _rbf(layer, before):
    centres = getattr(layer.centres, "data", layer.centres)
    if before.shape != (centres.shape[1],):
        raise ValueError(f"what comes is {before.shape}; it wants ({centres.shape[1]},)")
    return before.through((centres.shape[0],), **before.weighted(prod(centres.shape)))


def _flatten(layer, before):
    rank = len(before.shape) + 1
    first, last = layer.start_dim % rank - 1, layer.end_dim % rank - 1
    shape = (*before.shape[:first], prod(before.shape[first:last + 1]), *before.shape[last + 1:])
    return before.over_all(shape) if len(shape) == 1 else before.through(shape)


def _pool(layer, before):
    dilation = _setting(layer, "dilation", 1)
    windows = make_windows(before.shape, layer.kernel_size, layer.stride, _setting(layer, "padding", 0), dilation,
                           bool(_setting(layer, "ceil_mode", False)))
    return before.through((before.shape[0], *windows.out_size), windows.kernel_size, windows.stride, dilation)


def _subsample(layer, before):
    if before.shape[0] != layer.channels:
        raise ValueError(f"the maps are {before.shape}; it wants {layer.channels} channels")
    return _pool(layer, before)


def _adaptive(layer, before):
    """Windows that differ by a pixel count as the largest; their step, rounded down, as one."""
    sizes = before.shape[1:]
    out = as_output_size(_setting(layer, "output_size", None), sizes)
    if out == (1, 1):
        return before.over_all((before.shape[0], 1, 1))
    largest = tuple(max(ceil((k + 1) * n / o) - k * n // o for k in range(o)) for n, o in zip(sizes, out))
    return before.through((before.shape[0], *out), largest, tuple(max(1, n // o) for n, o in zip(sizes, out)))


def _sequential(layer, before):
    for name, stage in children(layer):
        before = in_stage(name, stage, after, stage, before)
    return before


def _join(ends, before, shape):
    """Return the reach where branches meet: the largest field and depth, the products of all."""
    jumps = {end.jump for end in ends if len(end.shape) == 3}
    if len(jumps) > 1:
        raise ValueError(f"the branches' units lie {' and '.join(map(str, sorted(jumps)))} pixels apart; they must "
                         "agree")
    return Reach(shape, tuple(max(sizes) for sizes in zip(*(end.field for end in ends))), ends[0].jump,
                 before.multiply_adds + sum(end.multiply_adds - before.multiply_adds for end in ends),
                 max(end.depth for end in ends))


def _residual(layer, before):
    ends = [in_stage("body", layer.body, after, layer.body, before), before]
    if layer.shortcut is not None:
        ends[1] = in_stage("shortcut", layer.shortcut, after, layer.shortcut, before)
    check_sum(*(end.shape for end in ends))
    return _join(ends, before, ends[0].shape)


def _concat(layer, before):
    ends = {name: in_stage(name, branch, after, branch, before) for name, branch in children(layer)}
    check_branches({name: (1, *end.shape) for name, end in ends.items()})
    total = sum(end.shape[0] for end in ends.values())
    return _join(list(ends.values()), before, (total, *next(iter(ends.values())).shape[1:]))


def _gate(layer, before):
    """What a gate multiplies by is no path of x: neither its field nor its depth counts, its products do."""
    scale = in_stage("body", layer.body, after, layer.body, before)
    check_gate(scale.shape, before.shape)
    return replace(before, multiply_adds=scale.multiply_adds)


def _heads(layer, before):
    """What leaves the trunk; in evaluation the heads rest, in training what comes must fit them too."""
    reach = before
    for stage, part in children(layer.trunk):
        reach = in_stage("trunk", layer.trunk, in_stage, stage, part, after, part, reach)
        for name, head in children(layer) if layer.training else ():
            if layer._after.get(name) == stage:
                in_stage(name, head, after, head, reach)
    return reach


def _zero_pad(layer, before):
    if before.shape[0] != layer.in_channels:
        raise ValueError(f"the maps are {before.shape}; it wants {layer.in_channels} channels")
    sizes = tuple(-(-size // step) for size, step in zip(before.shape[1:], layer.stride))
    return before.through((layer.out_channels, *sizes), 1, layer.stride)


RULES = {
    "Conv2d": _convolution, "TableConv2d": _convolution, "ConvTranspose2d": _transposed, "Linear": _linear,
    "RBF": _rbf, "Flatten": _flatten, "Subsample2d": _subsample, "MaxPool2d": _pool, "AvgPool2d": _pool,
    "LPPool2d": _pool, "AdaptiveAvgPool2d": _adaptive, "ZeroPadShortcut": _zero_pad,
    "Sequential": _sequential, "Residual": _residual, "Concat": _concat, "Gate": _gate, "Heads": _heads,
    **dict.fromkeys(("BatchNorm1d", "BatchNorm2d", "GroupNorm", "LayerNorm2d", "Scale"), _channels),
    **dict.fromkeys((
        "ReLU", "ReLU6", "LeakyReLU", "ELU", "SiLU", "GELU", "Hardswish", "Hardsigmoid", "Sigmoid", "Tanh",
        "ScaledTanh", "Softplus", "Softmax", "LogSoftmax", "Dropout", "Dropout2d", "Identity", "LayerNorm",
        "LocalResponseNorm"), _same),
}
