"""The shape builder: each layer changes size, cost and how far a neuron sees."""

from decimal import ROUND_HALF_UP, Decimal

from traitlets import Bool, Dict, Enum, Int, List, Unicode

from cnnlib import data, geometry
from cnnlib.widgets import _base, _compose
from cnnlib.widgets._text import full, plural

FIELDS = {  # what the words of a layer mean, in order, with defaults; None must be given
    "conv": {"out_channels": None, "kernel_size": None, "stride": 1, "padding": 0, "dilation": 1, "groups": 1},
    "max": {"kernel_size": None, "stride": 0, "padding": 0},  # stride 0 in a text: as the window
    "avg": {"kernel_size": None, "stride": 0, "padding": 0},
    "linear": {"out_channels": None},
    "relu": {}, "norm": {}, "dropout": {}, "other": {},
}
LEAST = {"out_channels": 1, "kernel_size": 1, "stride": 1, "padding": 0, "dilation": 1, "groups": 1}
WORDS = {"out_channels": "filters", "kernel_size": "size", "stride": "stride", "padding": "padding",
         "dilation": "dilation", "groups": "groups"}

PRESETS = {  # name: (input, layers); rows without effect on shapes (ReLU, dropout) left out
    "ten 5×5 filters": ((3, 32, 32), "conv 10 5 1 2"),
    "LeNet-5": ((1, 32, 32), "conv 6 5, avg 2, conv 16 5, avg 2, conv 120 5, linear 84, linear 10"),
    "AlexNet": ((3, 227, 227), "conv 96 11 4, max 3 2, conv 256 5 1 2 1 2, max 3 2, conv 384 3 1 1, "
                "conv 384 3 1 1 1 2, conv 256 3 1 1 1 2, max 3 2, linear 4096, linear 4096, linear 1000"),
    "VGG-16": ((3, 224, 224), ", ".join(
        [*(f"conv {n} 3 1 1" for n in (64, 64)), "max 2", *(f"conv {n} 3 1 1" for n in (128, 128)), "max 2",
         *(f"conv {n} 3 1 1" for n in (256, 256, 256)), "max 2", *(f"conv {n} 3 1 1" for n in (512, 512, 512)),
         "max 2", *(f"conv {n} 3 1 1" for n in (512, 512, 512)), "max 2",
         "linear 4096", "linear 4096", "linear 1000"])),
}


class ShapeBuilder(_base.CourseWidget):
    """Stack layers and read what each does to shape, parameters, multiply-adds and receptive field.

    Parameters
    ----------
    input_shape : (channels, rows, cols)
    layers : sequence of str or dict, name of a preset, or a torch.nn.Module
        A text names the kind, then its numbers: ``"conv filters size stride padding dilation groups"``,
        ``"max size stride padding"`` (so too ``"avg"``), ``"relu"``, ``"linear filters"``; what is left out has
        torch's default. Layers of a module that are not known here stand as opaque rows: nothing is guessed.
    rounding : {"refuse", "drop", "fill"}
        Where the stride does not divide: refuse, drop the pixels that are left over, or fill with zeros after.
    focus : int
        The row whose neuron is drawn on the photo; -1 is the last.
    photo : str
        One of :data:`cnnlib.data.PHOTOS`.
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
        A layer cannot be read; the message says what a layer looks like.

    Examples
    --------
    >>> ShapeBuilder((3, 32, 32), ["conv 10 5 1 2"])
    Row 1, conv: 10×32×32, 760 parameters, each neuron sees 5×5.
    """

    javascript = "shape_builder.js"
    positional = ("input_shape", "layers")
    _esm = _compose.compose(javascript)
    _css = _base.style()

    input_shape = List(Int(), [3, 32, 32], minlen=3, maxlen=3).tag(sync=True, start=True)
    layers = List(Dict()).tag(sync=True, start=True)
    rounding = Enum(["refuse", "drop", "fill"], "refuse").tag(sync=True, start=True)
    focus = Int(-1).tag(sync=True, start=True)
    photo = Unicode("camera", allow_none=True)
    table = List(Dict())
    valid = Bool(True)
    _pixels = _base.Array(2).tag(sync=True)
    _presets = Dict().tag(sync=True)

    def __init__(self, input_shape=(3, 32, 32), layers=("conv 10 5 1 2",), *, photo="camera", **state):
        if isinstance(layers, str) and layers in PRESETS:
            input_shape, layers = PRESETS[layers]
        shape = [geometry.as_int("input_shape", n, 1) for n in input_shape]
        presets = {name: {"input_shape": list(size), "layers": read_layers(text)}
                   for name, (size, text) in PRESETS.items()}
        super().__init__(input_shape=shape, layers=read_layers(layers), photo=photo, _presets=presets, **state)
        self.observe(self._compute, ["input_shape", "layers", "rounding"])
        self.observe(self._look, ["input_shape", "photo"])
        self._compute(None)
        self._look(None)

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
        return super()._written(name)

    def sentence(self):
        """Return what the chosen row gives, or why it is refused."""
        if not self.layers:
            return f"Input {_times(self.input_shape)}, no layer yet."
        place = self.focus if 0 <= self.focus < len(self.layers) else len(self.layers) - 1
        row, name = self.table[place], f"Row {place + 1}, {self.layers[place]['kind']}"
        if "trouble" in row:
            return f"{name}: {row['trouble']}."
        if "waits" in row:
            return f"{name}: waits for row {row['waits']}."
        if self.predict:
            return f"{name}: predict its output."
        shape = plural(row["shape"][0], "number") if len(row["shape"]) == 1 else _times(row["shape"])
        note = f"; {row['note']}" if row["note"] else ""
        return (f"{name}: {shape}, {plural(row['parameters'], 'parameter')}, "
                f"each neuron sees {_times(row['sees'])}{note}.")

    def figure(self):
        """Return the table as a figure."""
        from matplotlib import pyplot as plt

        heads = ["", "layer", "output", "params", "mult-adds", "sees", "step"]
        shown = list(zip(self.layers, self.table))[:24]
        cells = [[str(place), _layer_words(layer), *_row_words(row)] for place, (layer, row) in enumerate(shown, 1)]
        figure, ax = plt.subplots(figsize=(8, 0.32 * (len(cells) + 2)))
        ax.set_axis_off()
        ax.set_title(f"input {_times(self.input_shape)}", loc="left", fontsize=11)
        if cells:
            table = ax.table(cells, colLabels=heads, loc="upper left", cellLoc="right", edges="horizontal",
                             colWidths=[0.05, 0.3, 0.2, 0.15, 0.16, 0.1, 0.06])
            table.auto_set_font_size(False)
            table.set_fontsize(10)
            table.scale(1, 1.35)
        return figure

    def to_code(self, engine="layers"):
        """Return the stack as the code of a Sequential.

        Parameters
        ----------
        engine : {"layers", "torch"}
            For ``cnnlib.layers`` or for ``torch.nn``; both have the same constructors.

        Raises
        ------
        ValueError
            A row is refused or opaque: there is no such network.
        """
        if engine not in ("layers", "torch"):
            raise ValueError(f"`engine` is {engine!r}; it must be \"layers\" or \"torch\"")
        if not self.valid:
            place = next(i for i, row in enumerate(self.table, 1) if "shape" not in row)
            raise ValueError(f"row {place} does not stand: {self.table[place - 1].get('trouble')}")
        if self.rounding == "fill" and any(row["note"].startswith("fills") for row in self.table):
            raise ValueError("rows that are filled with zeros on one side have no constructor in torch.nn; "
                             "choose a padding that fits")
        lines, shape = [], self.input_shape
        for layer, row in zip(self.layers, self.table):
            if layer["kind"] == "linear" and len(shape) == 3:
                lines.append("nn.Flatten()")
            lines.append(_constructor(layer, shape))
            shape = row["shape"]
        head = "from cnnlib import layers as nn" if engine == "layers" else "from torch import nn"
        body = "".join(f"    {line},\n" for line in lines)
        return f"{head}\n\nmodel = nn.Sequential(\n{body})\n"


def read_layers(layers):
    """Return layers in any of their forms as a list of dicts, all with the same keys."""
    if isinstance(layers, str):
        layers = layers.split(",")
    if hasattr(layers, "named_children"):
        return [layer for module in [layers] for layer in _read_module(module)]
    return [_read_layer(layer) for layer in layers]


def _layer(kind, name="", **numbers):
    return {"kind": kind, "name": name, "out_channels": 0, "kernel_size": 1, "stride": 1, "padding": 0,
            "dilation": 1, "groups": 1, **numbers}


def _read_layer(layer):
    if isinstance(layer, dict):
        if layer.get("kind") not in FIELDS:
            raise ValueError(f"`layers` has {layer!r}; its kind must be one of {', '.join(FIELDS)}")
        return _layer(**layer)
    kind, *words = str(layer).split()
    fields = FIELDS.get(kind)
    if fields is None or len(words) > len(fields) or not all(word.isdigit() for word in words):
        raise ValueError(f"`layers` has {layer!r}; a layer is a kind and its whole numbers, such as "
                         "\"conv filters size stride padding\", \"max size stride padding\", \"relu\", "
                         "\"linear filters\"")
    numbers = dict(zip(fields, map(int, words)))
    for name, default in fields.items():
        if name not in numbers and default is None:
            raise ValueError(f"`layers` has {layer!r}, without its {WORDS[name]}")
        numbers.setdefault(name, default)
    if kind in ("max", "avg") and not numbers["stride"]:
        numbers["stride"] = numbers["kernel_size"]
    return _layer(kind, **numbers)


def _read_module(module):
    """Yield the rows of a module: Sequentials are opened, what is not known stays opaque."""
    name, same = type(module).__name__, _same_number
    if name in ("Sequential", "ModuleList"):
        for child in module.children():
            yield from _read_module(child)
    elif name == "Conv2d" and getattr(module, "padding_mode", "zeros") == "zeros" and module.bias is not None and (
            numbers := same(module, "kernel_size", "stride", "padding", "dilation")):
        yield _layer("conv", out_channels=module.out_channels, groups=module.groups, **numbers)
    elif name in ("MaxPool2d", "AvgPool2d") and not module.ceil_mode and (
            numbers := same(module, "kernel_size", "stride", "padding")):
        yield _layer("max" if name == "MaxPool2d" else "avg", **numbers)
    elif name == "Linear" and module.bias is not None:
        yield _layer("linear", out_channels=module.out_features)
    elif name in ("ReLU", "Dropout", "Dropout2d", "BatchNorm2d"):
        yield _layer({"ReLU": "relu", "BatchNorm2d": "norm"}.get(name, "dropout"))
    elif name not in ("Flatten", "Identity"):
        yield _layer("other", name)


def _same_number(module, *names):
    """Return the module's sizes where each is one number for rows and columns, else None."""
    numbers = {}
    for name in names:
        value = getattr(module, name)
        pair = value if isinstance(value, tuple) else (value, value)
        if not isinstance(pair[0], int) or pair[0] != pair[-1]:
            return None
        numbers[name] = pair[0]
    return numbers


def rows_of(input_shape, layers, rounding):
    """Return a dict per layer: shape, parameters, multiply_adds, sees, jump, note; or trouble; or waits."""
    rows, shape, windows, stopped = [], list(input_shape), ([], []), 0
    for place, layer in enumerate(layers, 1):
        if stopped:
            rows.append({"waits": stopped})
            continue
        opaque = f"{layer['name']}: shape unknown here" if layer["kind"] == "other" else None
        if why := opaque or _trouble(layer, shape, rounding):
            stopped = place
            rows.append({"trouble": why})
            continue
        row, window = _outcome(layer, shape, rounding)
        if window:
            for axis in (0, 1):
                windows[axis].append(window[axis])
        fields = [geometry.receptive_field(chain) for chain in windows]
        rows.append({**row, "sees": [r for r, _ in fields], "jump": [j for _, j in fields]})
        shape = row["shape"]
    return rows


def _trouble(layer, shape, rounding):
    """Return why this layer cannot stand on this shape, or None."""
    kind = layer["kind"]
    for name in FIELDS[kind]:
        if layer[name] < LEAST[name]:
            return f"{WORDS[name]} {full(layer[name])}: the smallest is {LEAST[name]}"
    if "kernel_size" not in FIELDS[kind]:
        return None
    if len(shape) < 3:
        return f"needs maps; the layer before gives a list of {plural(shape[0], 'number')}"
    groups, filters, size, padding = (layer[n] for n in ("groups", "out_channels", "kernel_size", "padding"))
    if kind == "conv" and (shape[0] % groups or filters % groups):
        return f"groups {groups} must divide {shape[0]} channels in and {filters} out"
    if kind != "conv" and padding > size // 2:
        return f"padding {padding} is more than half of {size}: the largest is {size // 2}"
    for axis, n in zip(("rows", "columns"), shape[1:]):
        where = "" if shape[1] == shape[2] else f"{axis}: "
        span = geometry.effective_size(size, layer["dilation"])
        if n + 2 * padding < span:
            return f"{where}{n} + 2·{padding} < {span}: the {'filter' if kind == 'conv' else 'window'} does not fit"
        if rounding == "refuse" and not geometry.exact_fit(n, size, layer["stride"], padding, layer["dilation"])[0]:
            exact = Decimal(n + 2 * padding - span) / layer["stride"] + 1
            words = str(exact.quantize(Decimal("0.01"), ROUND_HALF_UP)).rstrip("0").rstrip(".")
            zeros = f" + 2·{padding}" if padding else ""
            return f"does not fit: {where}({n}{zeros} − {span})/{layer['stride']} + 1 = {words}"
    return None


def _outcome(layer, shape, rounding):
    """Return what the layer gives, and its (kernel_size, stride, dilation) per axis, or None for no window."""
    kind, size = layer["kind"], layer["kernel_size"]
    row = {"shape": list(shape), "parameters": 0, "multiply_adds": 0, "note": ""}
    if kind == "linear":
        inputs, outputs = _product(shape), layer["out_channels"]
        note = f"flattens {_times(shape)} to {inputs:,}" if len(shape) == 3 else ""
        window = [(n, 1) for n in shape[1:]] if len(shape) == 3 else None
        return {"shape": [outputs], "parameters": (inputs + 1) * outputs, "multiply_adds": inputs * outputs,
                "note": note}, window
    if "kernel_size" not in FIELDS[kind]:
        return row | {"parameters": 2 * shape[0] if kind == "norm" else 0}, None
    numbers = (size, layer["stride"], layer["padding"], layer["dilation"])
    rest = [(n + 2 * layer["padding"] - geometry.effective_size(size, layer["dilation"])) % layer["stride"]
            for n in shape[1:]]
    zeros = [layer["stride"] - r if r and rounding == "fill" else 0 for r in rest]
    out = [geometry.output_size(n, numbers[0], numbers[1], (numbers[2], numbers[2] + z), numbers[3])
           for n, z in zip(shape[1:], zeros)]
    row["shape"] = [layer["out_channels"] if kind == "conv" else shape[0], *out]
    if kind == "conv":
        counted = shape[0], layer["out_channels"], size
        row["parameters"] = geometry.conv_parameters(*counted, layer["groups"])
        row["multiply_adds"] = geometry.conv_multiply_adds(*counted, tuple(out), layer["groups"])
    if any(zeros):
        row["note"] = f"fills {_both(zeros)} with zeros"
    elif any(rest):
        row["note"] = f"drops {_both(rest)}"
    return row, [(size, layer["stride"], layer["dilation"])] * 2


def _both(counts):
    return ", ".join(plural(n, noun) for n, noun in zip(counts, ("row", "column")) if n)


def _product(shape):
    result = 1
    for n in shape:
        result *= n
    return result


def _times(shape):
    return "×".join(map(str, shape))


def _layer_words(layer):
    names = [name for name in FIELDS[layer["kind"]] if name != "groups" or layer[name] > 1]
    letters = {"out_channels": "", "kernel_size": "F", "stride": "S", "padding": "P", "dilation": "D", "groups": "G"}
    return " ".join([layer["name"] or layer["kind"], *(f"{letters[name]}{layer[name]}" for name in names)])


def _row_words(row):
    if "shape" not in row:
        return [row.get("trouble") or f"waits for row {row['waits']}", "", "", "", ""]
    return [_times(row["shape"]), f"{row['parameters']:,}", f"{row['multiply_adds']:,}", _times(row["sees"]),
            str(row["jump"][0])]


def _constructor(layer, shape):
    """Return the call that makes a layer, with the arguments that differ from torch's defaults."""
    kind, size = layer["kind"], layer["kernel_size"]
    default_stride = 1 if kind == "conv" else size
    options = [f"{name}={layer[name]}" for name, default in (("stride", default_stride), ("padding", 0),
               ("dilation", 1), ("groups", 1)) if layer[name] != default and name in FIELDS[kind]]
    calls = {"conv": ("Conv2d", [shape[0], layer["out_channels"], size, *options]),
             "max": ("MaxPool2d", [size, *options]), "avg": ("AvgPool2d", [size, *options]),
             "linear": ("Linear", [_product(shape), layer["out_channels"]]),
             "relu": ("ReLU", []), "norm": ("BatchNorm2d", [shape[0]]), "dropout": ("Dropout", [])}
    name, arguments = calls[kind]
    return f"nn.{name}({', '.join(map(str, arguments))})"
