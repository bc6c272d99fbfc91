"""Reading a given model: modules that are known exactly become rows, all others stay opaque; nothing is guessed.

Modules are known by their class and its package, so that neither torch nor our engine is imported here.
"""

import math

from cnnlib.widgets._layers import layer
from cnnlib.widgets._rows import rows_of, times

PACKAGES = ("torch", "cnnlib")
SIZES = ("kernel_size", "stride", "padding", "dilation")
KEEP = {  # each output is computed from the same place of the input: shape and field stay as they are
    "Identity", "ReLU6", "LeakyReLU", "ELU", "SELU", "CELU", "GELU", "SiLU", "Mish", "Tanh", "Sigmoid", "Hardtanh",
    "Hardswish", "Hardsigmoid", "Softplus", "Softsign", "LogSigmoid", "Dropout2d", "LocalResponseNorm", "Softmax",
    "LogSoftmax", "ScaledTanh"}


def read_model(model, input_shape):
    """Return the rows of a model, opened where it is a Sequential.

    Raises
    ------
    ValueError
        A module takes another number of channels than it would get from this input.
    """
    layers, taken, flat, seen = [], [], False, set()
    for module in _leaves(model):
        row, takes = _read(module, flat)
        if takes is not None and id(module) in seen:
            row, takes = layer("other", f"{type(module).__name__} again"), None
        seen.add(id(module))
        flat = flat or row["kind"] in ("flatten", "linear")
        layers.append(row)
        taken.append(takes)
    _check(input_shape, layers, taken)
    return layers


def _check(input_shape, layers, taken):
    """Compare what each module takes with what it gets, down to the first row that does not stand."""
    shape = input_shape
    for place, (row, takes, fact) in enumerate(zip(layers, taken, rows_of(input_shape, layers, "drop")), 1):
        if "shape" not in fact:
            return
        gets = math.prod(shape) if row["kind"] == "linear" else shape[0]
        if takes not in (None, gets):
            what = "numbers" if row["kind"] == "linear" else "channels"
            raise ValueError(f"row {place} of the model, {row['kind']}, takes {takes} {what} and gets {gets} from an "
                             f"`input_shape` of {times(input_shape)}; give the shape that the model was made for")
        shape = fact["shape"]


def _leaves(module):
    """Yield the modules in the order in which they run; of other containers than Sequential it is not known."""
    if _name(module) == "Sequential":
        for child in module:
            yield from _leaves(child)
    else:
        yield module


def _name(module):
    """Return the class's name where it is one of torch's or ours, else None."""
    package, *_ = type(module).__module__.split(".")
    return type(module).__name__ if package in PACKAGES else None


def _read(module, flat):
    """Return (row, what the module takes or None); `flat` says that maps have become a list of numbers."""
    name = _name(module)
    if name in KEEP:
        return layer("keeps" if _setting(module, "dim", 1) == 1 else "other", repr(module)), None
    if name not in READ:
        return layer("other", type(module).__name__), None
    row, takes, odd = READ[name](module, flat)
    if odd:
        return layer("other", f"{name}({', '.join(odd)})"), None
    return row, takes


def _conv(module, flat):
    numbers, odd = _sizes(module, *SIZES)
    odd += _unless(module, padding_mode="zeros")
    row = layer("conv", out_channels=module.out_channels, groups=module.groups, bias=module.bias is not None, **numbers)
    return row, module.in_channels, odd


def _pool(module, flat):
    numbers, odd = _sizes(module, *SIZES[:3])
    odd += _unless(module, ceil_mode=False, dilation=1, return_indices=False, divisor_override=None)
    if numbers.get("padding"):
        odd += _unless(module, count_include_pad=True)
    return layer("max" if _name(module) == "MaxPool2d" else "avg", **numbers), None, odd


def _linear(module, flat):
    row = layer("linear", out_channels=module.out_features, bias=module.bias is not None)
    return row, module.in_features, [] if flat else ["not flattened before"]


def _norm(module, flat):
    odd = ["affine=False"] if module.weight is None or module.bias is None else []
    if flat != (_name(module) == "BatchNorm1d"):
        odd.append("on a list of numbers" if flat else "on maps")
    plain = (module.eps, module.momentum) == (1e-5, 0.1) and module.running_mean is not None
    return layer("norm", "" if plain else repr(module)), module.num_features, odd


def _dropout(module, flat):
    return layer("dropout", "" if module.p == 0.5 else repr(module)), None, []


def _flatten(module, flat):
    ends = module.start_dim, module.end_dim
    odd = [] if ends[0] == 1 and ends[1] in (-1, 3) else [f"{ends[0]}, {ends[1]}"]
    return layer("flatten"), None, odd


READ = {"Conv2d": _conv, "MaxPool2d": _pool, "AvgPool2d": _pool, "Linear": _linear, "BatchNorm2d": _norm,
        "BatchNorm1d": _norm, "Dropout": _dropout, "Flatten": _flatten,
        "ReLU": lambda module, flat: (layer("relu"), None, [])}


def _sizes(module, *names):
    """Return the sizes that are one number for rows and columns, and in words those that are not."""
    numbers, odd = {}, []
    for name in names:
        value = getattr(module, name)
        value = module.kernel_size if value is None else value
        pair = value if isinstance(value, tuple) else (value, value)
        if type(pair[0]) is int and pair[0] == pair[-1]:
            numbers[name] = pair[0]
        else:
            odd.append(f"{name}={value!r}")
    return numbers, odd


def _unless(module, **usual):
    """Return in words the options that differ from these; one that the module does not have is usual."""
    return [f"{name}={value!r}" for name, default in usual.items()
            if (value := _setting(module, name, default)) not in (default, (default, default))]


def _setting(module, name, default):
    """Return an option of a module: torch keeps it as an attribute, our engine some among the module's settings."""
    return getattr(module, name, getattr(module, "settings", {}).get(name, default))
