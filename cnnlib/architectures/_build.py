"""What all architectures share: which engine builds them, and how wide."""

from cnnlib import layers, torch_layers
from cnnlib.geometry import as_int


def vocabulary(nn):
    """Return the namespace that a net is built from: `nn`, or torch's where it is None."""
    nn = torch_layers if nn is None else nn
    if not hasattr(nn, "Residual"):
        raise TypeError(f"`nn` is {getattr(nn, '__name__', nn)!r}; it must be cnnlib.layers (ours, on NumPy) or "
                        "cnnlib.torch_layers (torch.nn and what it lacks)")
    return nn


def of_ours(build):
    """Return a net of our engine whose weights take no memory, from a function of ``nn``."""
    with layers.without_weights():
        return build(nn=layers)


def channels(number, width):
    """Return `number` of channels of the paper times `width`, rounded, at least 1."""
    return max(1, round(number * width))


def checked(num_classes, in_channels, width=1.0):
    """Check what all factories take."""
    as_int("num_classes", num_classes, 1)
    as_int("in_channels", in_channels, 1)
    if not isinstance(width, (int, float)) or not width > 0:
        raise ValueError(f"`width` is {width!r}; it must be a number above 0, 1.0 for the paper's channels")


def chosen(name, value, known):
    """Return known[value], or say which there are."""
    if value not in known:
        raise ValueError(f"`{name}` is {value!r}; it must be one of {', '.join(map(repr, known))}")
    return known[value]
