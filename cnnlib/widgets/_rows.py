"""What each layer does to shape, cost and sight: the rows of the shape builder's table.

The same numbers and words as static/shape_words.js; all arithmetic is :mod:`cnnlib.geometry`'s.
"""

import math
from decimal import ROUND_HALF_UP, Decimal

from cnnlib import geometry
from cnnlib.widgets._layers import FIELDS, LEAST, WORDS
from cnnlib.widgets._text import full, plural


def rows_of(input_shape, layers, rounding):
    """Return a dict per layer: shape, parameters, multiply_adds, sees, jump, note; or trouble; or waits."""
    rows, shape, windows, stopped = [], list(input_shape), ([], []), 0
    maps = shape[1:]  # rows and columns that a fully connected layer will see at once; None after the first
    for place, layer in enumerate(layers, 1):
        if stopped:
            rows.append({"waits": stopped})
            continue
        if why := trouble(layer, shape, rounding):
            stopped = place
            rows.append({"trouble": why})
            continue
        row, window = outcome(layer, shape, maps, rounding)
        if window:
            for axis in (0, 1):
                windows[axis].append(window[axis])
        fields = [geometry.receptive_field(chain) for chain in windows]
        rows.append({**row, "sees": [r for r, _ in fields], "jump": [j for _, j in fields]})
        shape = row["shape"]
        maps = None if layer["kind"] == "linear" else shape[1:] or maps
    return rows


def trouble(layer, shape, rounding):
    """Return why this layer cannot stand on this shape, or None."""
    kind = layer["kind"]
    if kind == "other":
        return f"{layer['name']}: shape unknown here"
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
        if why := _misfit(layer, n, rounding):
            return why.format(where="" if shape[1] == shape[2] else f"{axis}: ")
    return None


def _misfit(layer, n, rounding):
    """Return why the windows do not fit on `n` pixels, or None; {where} stands for the axis."""
    size, stride, padding, dilation = (layer[name] for name in ("kernel_size", "stride", "padding", "dilation"))
    span = geometry.effective_size(size, dilation)
    if n + 2 * padding < span:
        what = "filter" if layer["kind"] == "conv" else "window"
        return f"{{where}}{n} + 2·{padding} < {span}: the {what} does not fit"
    if rounding != "refuse" or geometry.exact_fit(n, size, stride, padding, dilation)[0]:
        return None
    exact = Decimal(n + 2 * padding - span) / stride + 1
    words = str(exact.quantize(Decimal("0.01"), ROUND_HALF_UP)).rstrip("0").rstrip(".")
    zeros = f" + 2·{padding}" if padding else ""
    return f"does not fit: {{where}}({n}{zeros} − {span})/{stride} + 1 = {words}"


def outcome(layer, shape, maps, rounding):
    """Return what the layer gives, and its (kernel_size, stride, dilation) per axis, or None for no window."""
    kind, size = layer["kind"], layer["kernel_size"]
    row = {"shape": list(shape), "parameters": 0, "multiply_adds": 0, "note": ""}
    flattened = f"flattens {times(shape)} to {math.prod(shape):,}" if len(shape) == 3 else ""
    if kind == "flatten":
        return row | {"shape": [math.prod(shape)], "note": flattened}, None
    if kind == "linear":
        weights = math.prod(shape) * layer["out_channels"]
        return row | {"shape": [layer["out_channels"]], "multiply_adds": weights, "note": flattened,
                      "parameters": weights + layer["out_channels"] * layer["bias"]}, maps and [(n, 1) for n in maps]
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
        row["parameters"] = geometry.conv_parameters(*counted, layer["groups"], layer["bias"])
        row["multiply_adds"] = geometry.conv_multiply_adds(*counted, tuple(out), layer["groups"])
    if any(zeros):
        row["note"] = f"fills {_both(zeros)} with zeros"
    elif any(rest):
        row["note"] = f"drops {_both(rest)}"
    return row, [(size, layer["stride"], layer["dilation"])] * 2


def _both(counts):
    return ", ".join(plural(n, noun) for n, noun in zip(counts, ("row", "column")) if n)


def times(shape):
    """Return a shape as "3×32×32"."""
    return "×".join(map(str, shape))
