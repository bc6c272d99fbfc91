"""A network as the viewer needs it: stages, what each unit reads, and all numbers on the way up and down.

A fully connected layer is told to the browser as what it is, a convolution with filters as large as the maps
(notebooks/23, eq. 3), so there are three kinds of stage that are known: conv, max and avg. Activations and what only
rescales belong to the stage before them. What is not known exactly stays opaque: Python computes it.
"""

import copy
from contextlib import nullcontext
from dataclasses import dataclass, field
from math import prod

import numpy as np

from cnnlib import _array
from cnnlib.conv._problem import make_problem
from cnnlib.geometry import as_pair, effective_size
from cnnlib.layers.lenet import entries
from cnnlib.widgets import _torch_model
from cnnlib.widgets._model import _name as known_name
from cnnlib.widgets._model import _setting, _unless

MOST = 8_000_000  # multiply-adds that the browser does between two frames
POINTWISE = {"ReLU": "relu", "Tanh": "tanh", "Sigmoid": "sigmoid", "ScaledTanh": "scaled_tanh"}
PASSED = ("Identity", "Dropout", "Flatten")
NAMES = {"conv": "conv", "max": "pool", "avg": "pool", "fc": "fc", "other": "stage"}


@dataclass
class Stage:
    """One column of the viewer.

    Parameters
    ----------
    name : str
    kind : {"conv", "max", "avg", "other"}
    shape : (C, H, W) of what comes out
    geometry : dict
        kernel, stride, pad, dilation, each for rows and columns, and groups; empty for "other".
    weight, bias : arrays, or None
    then : list of [name, numbers]
        What is done to each number afterwards.
    end : int
        The number of the leaf after which the stage is complete.
    """

    name: str
    kind: str
    shape: tuple
    geometry: dict = field(default_factory=dict)
    weight: np.ndarray | None = None
    bias: np.ndarray | None = None
    then: list = field(default_factory=list)
    end: int = 0

    @property
    def multiply_adds(self):
        return 0 if self.weight is None else self.weight.size * prod(self.shape[1:])

    @property
    def faults(self):
        """How many of the weights, biases and factors are NaN or infinite."""
        arrays = [self.weight, self.bias, *(numbers for _, numbers in self.then)]
        return sum(int((~np.isfinite(array)).sum()) for array in arrays if array is not None)


class Network:
    """A copy of a model, in evaluation, opened where it is a Sequential.

    Parameters
    ----------
    model : cnnlib.layers.Module or torch.nn.Module
    input_shape : (C, H, W)

    Attributes
    ----------
    stages : list of Stage
    known : bool
        Whether the browser can compute it.

    Raises
    ------
    TypeError
        It is no model, but perhaps its class.
    ValueError
        It does not take pictures of that shape, or ends in something else than a row of scores.
    """

    def __init__(self, model, input_shape):
        if isinstance(model, type) or not callable(getattr(model, "forward", None)):
            made = f": give a network, {model.__name__}(…)" if isinstance(model, type) else ""
            raise TypeError(f"`model` is {model!r}; it must be a layer or a net of cnnlib.layers or torch.nn{made}")
        self.input_shape = tuple(input_shape)
        self.is_torch = any(base.__module__.startswith("torch.") for base in type(model).__mro__)
        self._leaves = list(_leaves("", self._own(model)))
        if len(self._leaves) > 1 and known_name(self._leaves[-1][1]) in ("Softmax", "LogSoftmax"):
            self._leaves.pop()  # the viewer shows scores, and shares of its own
        self.stages, self.known = [], True
        self._read()
        if self.stages[-1].shape[1:] != (1, 1) or self.stages[-1].shape[0] < 2:
            raise ValueError(f"`model` ends in shape {self.stages[-1].shape}; it must end in a score for each class")
        self.known = self.known and sum(stage.multiply_adds for stage in self.stages) <= MOST

    def _own(self, model):
        model = copy.deepcopy(model).eval()
        return _torch_model.plain(model) if self.is_torch else model.to("numpy").to("float32")

    # ---- numbers

    def forward(self, picture):
        """Return what comes out of each stage, (C, H, W) each, for a picture (C, H, W)."""
        with self._quietly():
            outs = self._run(self._batch(picture))
        return [_array.to_numpy(outs[stage.end])[0].reshape(stage.shape) for stage in self.stages]

    def backward(self, picture, target):
        """Return by how much the score of a class changes with each number of the input, and of each stage."""
        x = self._batch(picture)
        if self.is_torch:
            grads = self._torch_gradients(x, target)
        else:
            outs = self._run(x)
            grads = {}
            grad = np.zeros_like(outs[-1])
            grad.reshape(len(grad), -1)[0, target] = 1
            for number in reversed(range(len(self._leaves))):
                grads[number] = grad
                grad = self._leaves[number][1].backward(grad)
            grads = [grad, *(grads[stage.end] for stage in self.stages)]
        shapes = [self.input_shape, *(stage.shape for stage in self.stages)]
        return [_array.to_numpy(grad)[0].reshape(shape) for grad, shape in zip(grads, shapes)]

    def _torch_gradients(self, x, target):
        def scores_and_wanted(x):
            outs = self._run(x)
            return outs[-1].reshape(len(x), -1)[0, target], [x, *(outs[stage.end] for stage in self.stages)]

        return _torch_model.gradients(x, scores_and_wanted)

    def _batch(self, picture):
        batch = np.array(picture, np.float32)[None]
        return _torch_model.tensor(batch) if self.is_torch else batch

    def _run(self, x):
        outs = []
        for _, leaf in self._leaves:
            x = leaf(x)
            outs.append(x)
        return outs

    def _quietly(self):
        return _torch_model.no_grad() if self.is_torch else nullcontext()

    # ---- stages

    def _read(self):
        x, shape, flat = self._batch(np.zeros(self.input_shape)), self.input_shape, False
        for number, (path, leaf) in enumerate(self._leaves):
            try:
                with self._quietly():
                    x = leaf(x)
            except (ValueError, TypeError, RuntimeError) as error:
                raise ValueError(f"`model` does not take pictures of `input_shape` {self.input_shape}: {path or 'it'}, "
                                 f"{type(leaf).__name__}, got shape {tuple(x.shape)} and says: {error}") from None
            out = tuple(x.shape[1:]) if x.ndim == 4 else (prod(x.shape[1:]), 1, 1)
            flat = self._take(number, path, leaf, shape, out, flat or x.ndim == 2)
            shape = out if known_name(leaf) != "Flatten" else shape

    def _take(self, number, path, leaf, shape, out, flat):
        """Make a leaf a stage, or a part of the one before it."""
        kind = known_name(leaf)
        if kind in PASSED and (kind != "Flatten" or leaf.start_dim == 1):
            if self.stages and kind != "Flatten":
                self.stages[-1].end = number
            return flat
        then = _pointwise(leaf, kind)
        if then is not None and (then[0] != "affine" or len(then[1][0]) == shape[0]):
            if not self.stages:
                self.stages.append(self._stage(path, "max", shape, "other", geometry=_window(shape, 1, 1)))
            self.stages[-1].then.append(then)
            self.stages[-1].end = number
            return flat
        made = READ[kind](leaf, shape, flat) if kind in READ else None
        if made is None:
            self.known = False
            made = ("other", {}, None, None, [])
        kind, geometry, weight, bias, then = made
        name = "fc" if kind == "conv" and flat else kind
        self.stages.append(self._stage(path, kind, out, name, geometry=geometry, weight=weight, bias=bias, then=then))
        self.stages[-1].end = number
        return flat

    def _stage(self, path, kind, shape, name=None, **parts):
        last = path.rpartition(".")[2]
        if not last or last.isdigit():
            stem = NAMES[name or kind]
            count = 1 + sum(stage.name.rstrip("0123456789") == stem for stage in self.stages)
            last = f"{stem}{count}"
        return Stage(last, kind, shape, **parts)

    # ---- for the browser

    def told(self):
        """Return (stages as dicts, all weights in one row): what the browser needs to compute the network."""
        weights, told = [], []

        def place(array):
            if array is None or not self.known:
                return -1
            weights.append(np.asarray(array, np.float32).ravel())
            return sum(map(len, weights[:-1]))

        for stage in self.stages:
            then = [[name, place(numbers) if name == "affine" else numbers] for name, numbers in stage.then]
            told.append({"name": stage.name, "kind": stage.kind, "shape": list(stage.shape), **stage.geometry,
                         "weight": place(stage.weight), "bias": place(stage.bias), "then": then,
                         "faults": stage.faults})
        return told, np.concatenate(weights) if weights else np.zeros(1, np.float32)


def _leaves(path, module):
    """Yield (path, module) in the order in which they run; of other containers than Sequential it is not known."""
    if known_name(module) != "Sequential":
        yield path, module
        return
    children = module._modules.items() if hasattr(module, "_modules") else module.named_children()
    for name, child in children:
        yield from _leaves(f"{path}.{name}".lstrip("."), child)


def _numbers(module, name):
    value = getattr(module, name)
    return None if value is None else _array.to_numpy(getattr(value, "data", value)).astype(np.float32)


def _pointwise(leaf, kind):
    """Return [name, numbers] of what is done to each number alone, or None."""
    if kind in POINTWISE:
        return [POINTWISE[kind], 0]
    if kind == "LeakyReLU":
        return ["leaky", float(_setting(leaf, "negative_slope", 0.01))]
    if kind in ("BatchNorm2d", "BatchNorm1d") and getattr(leaf, "running_mean", None) is not None:
        mean, variance = (_numbers(leaf, name).astype(np.float64) for name in ("running_mean", "running_var"))
        scale = 1 / np.sqrt(variance + leaf.eps)
        weight, bias = (_numbers(leaf, name) for name in ("weight", "bias"))
        scale = scale if weight is None else scale * weight
        return ["affine", np.stack([scale, (0 if bias is None else bias) - mean * scale])]
    return None


def _window(shape, kernel, stride, padding=((0, 0), (0, 0)), dilation=(1, 1), groups=None):
    kernel, stride = as_pair("kernel_size", kernel, 1), as_pair("stride", stride, 1)
    return {"kernel": list(kernel), "stride": list(stride), "pad": [list(ends) for ends in padding],
            "dilation": list(dilation), "groups": shape[0] if groups is None else groups}


def _conv(leaf, shape, flat):
    if flat or _unless(leaf, padding_mode="zeros"):
        return None
    weight = _numbers(leaf, "weight")
    problem = make_problem((1, *shape), weight.shape, leaf.stride, leaf.padding, leaf.dilation, leaf.groups)
    geometry = _window(shape, weight.shape[2:], leaf.stride, problem.padding, as_pair("dilation", leaf.dilation, 1),
                       leaf.groups)
    return "conv", geometry, weight, _numbers(leaf, "bias"), []


def _table(leaf, shape, flat):
    values = _numbers(leaf, "weight")
    weight = np.zeros((leaf.out_channels, leaf.in_channels, *leaf.kernel_size), np.float32)
    weight[entries(leaf.table)] = values
    return "conv", _window(shape, leaf.kernel_size, 1, groups=1), weight, _numbers(leaf, "bias"), []


def _linear(leaf, shape, flat):
    if not flat:
        return None
    weight = _numbers(leaf, "weight").reshape(-1, *shape)
    return "conv", _window(shape, shape[1:], 1, groups=1), weight, _numbers(leaf, "bias"), []


def _pool(leaf, shape, flat):
    if _unless(leaf, ceil_mode=False, dilation=1, return_indices=False, divisor_override=None):
        return None
    padding = as_pair("padding", leaf.padding, 0)
    if any(padding) and _unless(leaf, count_include_pad=True):
        return None
    stride = leaf.kernel_size if leaf.stride is None else leaf.stride
    geometry = _window(shape, leaf.kernel_size, stride, [(p, p) for p in padding])
    return "max" if known_name(leaf) == "MaxPool2d" else "avg", geometry, None, None, []


def _global(leaf, shape, flat):
    if as_pair("output_size", _setting(leaf, "output_size", 0), 0) != (1, 1):
        return None
    return "avg", _window(shape, shape[1:], 1), None, None, []


def _subsample(leaf, shape, flat):
    scale = _numbers(leaf, "weight") * prod(leaf.kernel_size)
    geometry = _window(shape, leaf.kernel_size, leaf.kernel_size)
    return "avg", geometry, None, None, [["affine", np.stack([scale, _numbers(leaf, "bias")])]]


READ = {"Conv2d": _conv, "Linear": _linear, "MaxPool2d": _pool, "AvgPool2d": _pool, "AdaptiveAvgPool2d": _global,
        "Subsample2d": _subsample, "TableConv2d": _table}


def reads(stage, shape, row, col):
    """Return the rows and columns, ((first, last), (first, last)), of the maps before that a unit of a stage reads.

    `shape` is that of the stage before; zeros of the padding are not counted.
    """
    spans = []
    for axis, at in enumerate((row, col)):
        kernel, stride, dilation = (stage.geometry[name][axis] for name in ("kernel", "stride", "dilation"))
        first = at * stride - stage.geometry["pad"][axis][0]
        spans.append((max(first, 0), min(first + effective_size(kernel, dilation), shape[1 + axis]) - 1))
    return tuple(spans)


def parts(stage, before, plane, row, col):
    """Return the numbers that a unit reads, (maps, rows, columns), and their weights, or None for a pool.

    `before` is what comes out of the stage before; zeros of the padding are left out.
    """
    places = []
    for axis, at in enumerate((row, col)):
        kernel, stride, dilation = (stage.geometry[name][axis] for name in ("kernel", "stride", "dilation"))
        taps = at * stride - stage.geometry["pad"][axis][0] + dilation * np.arange(kernel)
        inside = (taps >= 0) & (taps < before.shape[1 + axis])
        places.append((taps[inside], np.flatnonzero(inside)))
    (rows, down), (cols, right) = places
    if stage.kind != "conv":
        return before[np.ix_([plane], rows, cols)], None
    deep = len(before) // stage.geometry["groups"]
    first = plane // (stage.shape[0] // stage.geometry["groups"]) * deep
    return before[np.ix_(range(first, first + deep), rows, cols)], stage.weight[plane][:, down[:, None], right]


def field_of(stages, input_shape, row, col):
    """Return the rows and columns, ((first, last), (first, last)), of the picture that a unit of the last stage sees.

    That is what it reads, and what those read, down to the first stage; None where a stage is opaque.
    """
    spans = ((row, row), (col, col))
    for stage, before in zip(stages[::-1], [*(stage.shape for stage in stages[-2::-1]), tuple(input_shape)]):
        if not stage.geometry:
            return None
        first, last = (reads(stage, before, *corner) for corner in zip(*spans))
        spans = tuple((low, high) for (low, _), (_, high) in zip(first, last))
    return spans


