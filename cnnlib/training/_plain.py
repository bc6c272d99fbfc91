"""Python's own data as JSON that comes back as it was: JSON alone turns a tuple into a list, a key 5 into "5"."""

from collections import Counter

import numpy as np

KIND = "*"  # the key of what JSON has no word for: {"*": [kind, content]}


def encode(value, name):
    """Return plain data as what JSON takes; `name` is what an error calls it.

    Raises
    ------
    TypeError
        There is something in it that is no plain data; the message says where.
    """
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, np.generic):
        return encode(value.item(), name)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if np.isfinite(value) else {KIND: ["float", repr(float(value))]}
    if type(value) is list:
        return [encode(item, f"{name}[{number}]") for number, item in enumerate(value)]
    if type(value) is tuple:
        return {KIND: ["tuple", encode(list(value), name)]}
    if type(value) in (dict, Counter):
        if type(value) is dict and KIND not in value and all(isinstance(key, str) for key in value):
            return {key: encode(item, f"{name}.{key}") for key, item in value.items()}
        pairs = [[encode(key, f"a key of {name}"), encode(item, f"{name}[{key!r}]")] for key, item in value.items()]
        return {KIND: [type(value).__name__, pairs]}
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        return {KIND: ["array", [value.dtype.str, encode(value.tolist(), name)]]}
    raise TypeError(f"a checkpoint cannot hold {name}, a {type(value).__name__}: it holds numbers, texts, lists, "
                    "tuples, dicts and arrays")


def decode(value):
    """Return what :func:`encode` was given."""
    if isinstance(value, list):
        return [decode(item) for item in value]
    if not isinstance(value, dict):
        return value
    if KIND not in value:
        return {key: decode(item) for key, item in value.items()}
    kind, content = value[KIND]
    content = decode(content)
    if kind == "float":
        return float(content)
    if kind == "tuple":
        return tuple(content)
    if kind == "array":
        dtype, numbers = content
        return np.array(numbers, dtype)
    return {"dict": dict, "Counter": Counter}[kind](dict(content))
