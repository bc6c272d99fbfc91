"""The shape builder: each layer changes size, cost and how far a unit sees."""

import importlib
import math
import operator

import traitlets
from traitlets import Bool, Dict, Enum, Int, List

from cnnlib import data, geometry
from cnnlib.widgets import _base, _compose
from cnnlib.widgets._layers import FIELDS, PRESETS, preset, read_layers, words_of
from cnnlib.widgets._model import read_model
from cnnlib.widgets._rows import rows_of, times
from cnnlib.widgets._text import literal, plural

GOALS = {"rows": "{} rows", "sees": "sees {} or more", "parameters": "{} parameters or fewer",
         "multiply_adds": "{} mult-adds or fewer"}


class Layers(List):
    """Layers in any form that ShapeBuilder takes, kept as dicts that all have the same keys."""

    def set(self, obj, value):
        super().set(obj, read(value, obj.input_shape))


class Shape(List):
    """Three whole numbers: channels, rows, columns."""

    def validate(self, obj, value):
        value = [value] if isinstance(value, int) else list(value)
        if len(value) != 3:
            raise ValueError(f"`input_shape` is {tuple(value)}; it must be three numbers: channels, rows, columns")
        return super().validate(obj, [geometry.as_int("input_shape", n, 1) for n in value])


def read(layers, input_shape):
    """Return layers in any of their forms (texts, dicts, a preset's name, a model) as dicts with the same keys."""
    if isinstance(layers, type):
        raise TypeError(f"`layers` is the class {layers.__name__}; give a model, {layers.__name__}(…)")
    if callable(getattr(layers, "forward", None)):
        return read_model(layers, input_shape)
    if isinstance(layers, str) and (found := preset(layers)):
        layers = found[1]
    return read_layers(layers)


class ShapeBuilder(_base.CourseWidget):
    """Stack layers and read what each does to shape, parameters, multiply-adds and receptive field.

    Parameters
    ----------
    input_shape : (channels, rows, cols), optional
        None: the preset's own, else (3, 32, 32).
    layers : sequence of str or dict, name of a preset, or a model
        A text names the kind, then its numbers: ``"conv filters size stride padding dilation groups"``,
        ``"max size stride padding"`` (so too ``"avg"``), ``"linear filters"``, ``"relu"``, ``"norm"``,
        ``"dropout"``, ``"flatten"``; what is left out has torch's default, and ``"nobias"`` at the end leaves out
        the biases. A model of torch.nn (or of cnnlib.layers) is opened where it is a Sequential; modules that are
        not known exactly stand as opaque rows: nothing is guessed.
    rounding : {"refuse", "drop", "fill"}
        Where the stride does not divide: refuse, drop the pixels that are left over, or fill with zeros after.
    focus : int
        The row whose unit is drawn on the photo; -1 is the last.
    photo : str or None
        One of :data:`cnnlib.data.PHOTOS`.
    goal : dict
        What is to be reached, of ``rows`` (exactly), ``sees`` (at least), ``parameters`` and ``multiply_adds`` (at
        most): told under the table.
    **options
        ``size``, ``hide``, ``predict``, as in :class:`CourseWidget`.

    Attributes
    ----------
    table : list of dict
        A row per layer: shape, parameters, multiply_adds, sees, jump; or why it is refused.
    valid : bool
        True where every row fits.

    Raises
    ------
    ValueError
        A layer cannot be read, with what a layer looks like; or a model takes another input than `input_shape`.

    Examples
    --------
    >>> ShapeBuilder((3, 32, 32), ["conv 10 5 1 2"])
    Row 1, conv: 10×32×32, 760 parameters, each unit sees 5×5.
    >>> ShapeBuilder(layers="LeNet-5", focus=1, goal={"sees": 5})
    Row 2, avg: 6×14×14, 0 parameters, each unit sees 6×6. Goal: sees 5 or more: 32, met.
    """

    javascript = "shape_builder.js"
    positional = ("input_shape", "layers")
    controls = ("input_shape", "add", "presets", "rounding")
    _esm = _compose.compose(javascript)
    _css = _base.style()

    input_shape = Shape(default_value=[3, 32, 32]).tag(sync=True, start=True)
    layers = Layers(Dict()).tag(sync=True, start=True)
    rounding = Enum(["refuse", "drop", "fill"], "refuse").tag(sync=True, start=True)
    focus = Int(-1).tag(sync=True, start=True)
    photo = Enum([*data.PHOTOS, None], "camera").tag(sync=True, start=True)
    goal = Dict().tag(sync=True, start=True)
    scale = Enum(["auto"], "auto").tag(sync=True, start=True)  # no array is shown here
    table = List(Dict())
    valid = Bool(True)
    _pixels = _base.Array(2).tag(sync=True)
    _presets = Dict().tag(sync=True)

    def __init__(self, input_shape=None, layers=("conv 10 5 1 2",), **state):
        found = preset(layers) if isinstance(layers, str) else None
        shape = input_shape if input_shape is not None else found[0] if found else (3, 32, 32)
        presets = {name: {"input_shape": list(size), "layers": read_layers(text)}
                   for name, (size, text) in PRESETS.items()}
        super().__init__(input_shape=shape, layers=layers, _presets=presets, **state)
        self.observe(self._compute, ["input_shape", "layers", "rounding"])
        self.observe(self._look, ["input_shape", "photo"])
        self._compute(None)
        self._look(None)

    @traitlets.validate("goal")
    def _check_goal(self, proposal):
        for name, number in proposal.value.items():
            if name not in GOALS:
                raise traitlets.TraitError(f"`goal` has {name!r}; it can name {', '.join(GOALS)}")
            geometry.as_int(f"goal[{name!r}]", number, 1)
        return proposal.value

    def _compute(self, change):
        self.table = rows_of(self.input_shape, self.layers, self.rounding)
        self.valid = all("shape" in row for row in self.table)

    def _look(self, change):
        """Show the photo at the resolution of the input, at most 256 pixels a side."""
        shrink = min(1, 256 / max(self.input_shape[1:]))
        size = tuple(max(1, round(n * shrink)) for n in self.input_shape[1:])
        self._pixels = None if self.photo is None else data.photo(self.photo, size=size, grey=True)

    def _written(self, name):
        if name == "input_shape":
            return str(tuple(self.input_shape))
        return literal([*map(words_of, self.layers)]) if name == "layers" else super()._written(name)

    def sentence(self):
        """Return what the chosen row gives, or why it is refused, and how far the goal is."""
        if not self.layers:
            return f"Input {times(self.input_shape)}, no layer yet."
        place = self.focus if 0 <= self.focus < len(self.layers) else len(self.layers) - 1
        row, layer = self.table[place], self.layers[place]
        name = f"Row {place + 1}, {layer['name'].split('(')[0] or layer['kind']}"
        if layer["kind"] == "other" and "trouble" in row:
            return f"Row {place + 1}, {row['trouble']}."
        if "trouble" in row:
            return f"{name}: {row['trouble']}."
        if "waits" in row:
            return f"{name}: waits for row {row['waits']}."
        if self.predict:
            return f"{name}: predict its output."
        shape = plural(row["shape"][0], "number") if len(row["shape"]) == 1 else times(row["shape"])
        note = f"; {row['note']}" if row["note"] else ""
        return (f"{name}: {shape}, {plural(row['parameters'], 'parameter')}, "
                f"each unit sees {times(row['sees'])}{note}.{self._goal_words()}")

    def _goal_words(self):
        """Return how far each goal is, where the stack stands."""
        if not self.goal or not self.valid:
            return ""
        last = self.table[-1]
        reached = {name: sum(row[name] for row in self.table) for name in ("parameters", "multiply_adds")}
        reached |= {"rows": last["shape"][1] if len(last["shape"]) == 3 else 1, "sees": min(last["sees"])}
        met, parts = {"rows": operator.eq, "sees": operator.ge}, []
        for name, wanted in self.goal.items():
            done = met.get(name, operator.le)(reached[name], wanted)
            parts.append(f"{GOALS[name].format(f'{wanted:,}')}: {reached[name]:,}, {'met' if done else 'not yet'}")
        return f" Goal: {'; '.join(parts)}."

    def figure(self):
        """Return the table, and what the chosen unit sees, as a figure."""
        from cnnlib.widgets._table import draw_table

        return draw_table(self)

    def to_code(self, engine=None):
        """Return the stack as the code of a Sequential.

        What has no effect on the table has torch's default, but for dropouts and activations of a given model,
        which keep theirs.

        Parameters
        ----------
        engine : {"layers", "torch"}, optional
            For ``cnnlib.layers`` or for ``torch.nn``; both have the same constructors. None takes the course's own
            engine where this version of cnnlib has it with all that the stack needs, else torch.

        Raises
        ------
        ValueError
            A row is refused or opaque: there is no such network. Or the engine lacks what the stack needs.
        """
        if engine not in ("layers", "torch", None):
            raise ValueError(f"`engine` is {engine!r}; it must be \"layers\" or \"torch\"")
        if not self.valid:
            place = next(i for i, row in enumerate(self.table, 1) if "shape" not in row)
            raise ValueError(f"row {place} does not stand: {self.table[place - 1].get('trouble')}")
        if any(row["note"].startswith("fills") for row in self.table):
            raise ValueError("rows that are filled with zeros on one side have no constructor in torch.nn; "
                             "choose a padding that fits")
        lines, shape = [], self.input_shape
        for layer, row in zip(self.layers, self.table):
            if layer["kind"] == "linear" and len(shape) == 3:
                lines.append("nn.Flatten()")
            lines.append(_constructor(layer, shape))
            shape = row["shape"]
        missing = _missing(["nn.Sequential(", *lines])
        if engine == "layers" and missing:
            raise ValueError(f"`engine` is \"layers\", and this version of cnnlib has no {missing[0]}; "
                             "to_code(\"torch\") gives the same stack for torch.nn")
        ours = engine == "layers" or engine is None and not missing
        head = "from cnnlib import layers as nn" if ours else "from torch import nn"
        body = "".join(f"    {line},\n" for line in lines)
        return f"{head}\n\nmodel = nn.Sequential(\n{body})\n"


def _missing(lines):
    """Return what these lines need and cnnlib.layers has not: itself, or constructors by name."""
    try:
        layers = importlib.import_module("cnnlib.layers")
    except ImportError:
        return ["cnnlib.layers"]
    names = [line.removeprefix("nn.").partition("(")[0] for line in lines]
    return [f"cnnlib.layers.{name}" for name in names if not hasattr(layers, name)]


def _constructor(layer, shape):
    """Return the call that makes a layer, with the arguments that differ from torch's defaults."""
    kind, size = layer["kind"], layer["kernel_size"]
    if layer["name"]:
        return f"nn.{layer['name']}"
    defaults = {"stride": 1 if kind == "conv" else size, "padding": 0, "dilation": 1, "groups": 1}
    options = [f"{name}={layer[name]}" for name, default in defaults.items()
               if layer[name] != default and name in FIELDS[kind]]
    options += [] if layer["bias"] else ["bias=False"]
    calls = {"conv": ("Conv2d", [shape[0], layer["out_channels"], size, *options]),
             "max": ("MaxPool2d", [size, *options]), "avg": ("AvgPool2d", [size, *options]),
             "linear": ("Linear", [math.prod(shape), layer["out_channels"], *options]),
             "relu": ("ReLU", []), "dropout": ("Dropout", []), "flatten": ("Flatten", []),
             "norm": ("BatchNorm2d" if len(shape) == 3 else "BatchNorm1d", [shape[0]])}
    name, arguments = calls[kind]
    return f"nn.{name}({', '.join(map(str, arguments))})"
