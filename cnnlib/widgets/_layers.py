"""The shape builder's language: layers in words or in dicts, read strictly and written back."""

import difflib
import re
from operator import index

from cnnlib.widgets._text import plural

FIELDS = {  # a kind's numbers, in order, with defaults: None must be given, a name is the number of that name
    "conv": {"out_channels": None, "kernel_size": None, "stride": 1, "padding": 0, "dilation": 1, "groups": 1},
    "max": {"kernel_size": None, "stride": "kernel_size", "padding": 0},
    "avg": {"kernel_size": None, "stride": "kernel_size", "padding": 0},
    "linear": {"out_channels": None},
    "relu": {}, "norm": {}, "dropout": {}, "flatten": {},
    "keeps": {}, "other": {},  # of a model only, with a name: shape and field stay as they are; nothing is known
}
NAMED = ("keeps", "other")
BIASED = ("conv", "linear")
LEAST = {"out_channels": 1, "kernel_size": 1, "stride": 1, "padding": 0, "dilation": 1, "groups": 1}
WORDS = {"out_channels": "filters", "kernel_size": "size", "stride": "stride", "padding": "padding",
         "dilation": "dilation", "groups": "groups"}
BLANK = {"kind": "", "name": "", "out_channels": 0, "kernel_size": 1, "stride": 1, "padding": 0, "dilation": 1,
         "groups": 1, "bias": True}
WANTED = {str: "a text", bool: "True or False", int: "a whole number"}
EXAMPLES = '"conv filters size stride padding", "max size stride padding", "relu", "linear filters"'

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


def preset(text):
    """Return (input shape, layers) of the preset of that name, whatever its case and hyphens; else None."""
    plain = {re.sub(r"\W", "", name).lower(): name for name in PRESETS}
    name = plain.get(re.sub(r"\W", "", text).lower())
    return PRESETS[name] if name else None


def read_layers(layers):
    """Return layers, a text or a sequence of texts and dicts, as a list of dicts that all have the same keys.

    Raises
    ------
    ValueError
        A layer cannot be read; the message names it, what is wrong and what a layer looks like.
    """
    if isinstance(layers, str):
        layers = layers.split(",") if layers.strip() else []
    try:
        layers = list(layers)
    except TypeError:
        raise TypeError(f"`layers` is {layers!r}; it must be texts such as {EXAMPLES}, a preset's name "
                        f"({', '.join(PRESETS)}) or a model") from None
    return [_from_dict(layer) if isinstance(layer, dict) else _from_words(layer) for layer in layers]


def layer(kind, name="", **numbers):
    """Return one layer with all its keys."""
    return {**BLANK, "kind": kind, "name": name, **numbers}


def words_of(row):
    """Return a layer as the text that makes it, or as the shortest dict where only a dict says it."""
    kind, fields = row["kind"], FIELDS[row["kind"]]
    if row["name"]:
        return {key: row[key] for key in BLANK if row[key] != BLANK[key]}
    numbers = [row[name] for name in fields]
    while numbers and numbers[-1] == _default(row, [*fields][len(numbers) - 1]):
        numbers.pop()
    return " ".join([kind, *map(str, numbers), *(["nobias"] if not row["bias"] else [])])


def _default(row, field):
    default = FIELDS[row["kind"]][field]
    return row[default] if isinstance(default, str) else default


def _refuse(given, why):
    raise ValueError(f"`layers` has {given!r}{why}; a layer is a kind and its whole numbers, such as {EXAMPLES}")


def _kind_of(given, kind):
    if kind not in FIELDS:
        near = difflib.get_close_matches(str(kind), FIELDS, 1)
        meant = f" (did you mean {near[0]!r}?)" if near else ""
        kinds = ", ".join(name for name in FIELDS if name not in NAMED)
        _refuse(given, f": its kind must be one of {kinds}{meant}, or the whole a preset: {', '.join(PRESETS)}")
    return kind


def _from_words(text):
    if not isinstance(text, str):
        _refuse(text, ", which is neither a text nor a dict")
    kind, *words = text.split() or [""]
    if _kind_of(text, kind) in NAMED:
        _refuse(text, f": {kind!r} stands in a dict with the name of the module")
    fields = FIELDS[kind]
    bias = not (kind in BIASED and words[-1:] == ["nobias"])
    words = words if bias else words[:-1]
    if wrong := [word for word in words if not re.fullmatch(r"-?\d+", word)]:
        _refuse(text, f": {wrong[0]!r} is not a whole number")
    if len(words) > len(fields):
        _refuse(text, f", with {plural(len(words), 'number')}: {kind} takes {len(fields)} at most")
    return _complete(text, layer(kind, bias=bias), dict(zip(fields, map(int, words))))


def _from_dict(given):
    row, fields = layer(_kind_of(given, given.get("kind"))), FIELDS[given.get("kind")]
    for key in given:
        if key not in BLANK:
            near = difflib.get_close_matches(str(key), BLANK, 1)
            meant = f" (did you mean {near[0]!r}?)" if near else ""
            _refuse(given, f": {key!r} is none of {', '.join(BLANK)}{meant}")
        whole = type(BLANK[key]) is int and hasattr(given[key], "__index__") and not isinstance(given[key], bool)
        if not whole and type(given[key]) is not type(BLANK[key]):
            _refuse(given, f": {key} is {given[key]!r}, not {WANTED[type(BLANK[key])]}")
    row |= {"name": given.get("name", ""), "bias": given.get("bias", True)}
    if row["kind"] in NAMED and not row["name"]:
        _refuse(given, ", without the name of the module")
    return _complete(given, row, {name: index(given[name]) for name in fields if name in given})


def _complete(given, row, numbers):
    """Fill in the defaults; a number that must be given and is not is named."""
    for name, default in FIELDS[row["kind"]].items():
        if name not in numbers and default is None:
            _refuse(given, f", without its {WORDS[name]}")
        row[name] = numbers[name] if name in numbers else row[default] if isinstance(default, str) else default
    return row
