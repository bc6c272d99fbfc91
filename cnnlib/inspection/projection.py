"""What made one unit fire: its activation, sent back to the pixels of the picture it was measured on."""

from cnnlib import _array
from cnnlib.activations import relu
from cnnlib.conv import conv2d_backward
from cnnlib.geometry import as_int, as_pair
from cnnlib.inspection._engine import one_picture, run, trunk_of, undisturbed
from cnnlib.pool import max_pool2d_backward

PASSED = ("LocalResponseNorm", "Dropout", "Identity")  # what the signal passes unchanged


def deconvnet(net, x, stage, channel, unit=None):
    """Project the activation of one unit back to the pixels [1]_.

    Parameters
    ----------
    net : Sequential of either engine, or Heads around one
        Up to `stage` made of Conv2d, ReLU, MaxPool2d, LocalResponseNorm and Sequentials of these.
    x : array of shape (C, H, W)
        One picture.
    stage : str
    channel : int
    unit : (row, col), optional
        In the map of that channel; its strongest without.

    Returns
    -------
    array of shape (C, H, W)
        The pattern, in arbitrary units, zero outside of the unit's receptive field.

    Raises
    ------
    ValueError
        There is no such stage, channel or unit, or a layer on the way is of another kind.

    Notes
    -----
    On the way down each max pooling puts a number back where its maximum was (the switches; where windows overlap,
    numbers add up), each ReLU keeps what is positive of the signal that comes *down*, each convolution gives way to its
    transpose, without the bias, and normalisation is passed by. Only the rule at the ReLU differs from the gradient,
    which keeps the signal where the picture's own activation was positive. The projection belongs to this picture: it
    is no inverse of the net.

    References
    ----------
    .. [1] Zeiler & Fergus, Visualizing and understanding convolutional networks, ECCV 2014.
       doi:10.1007/978-3-319-10590-1_53

    Examples
    --------
    >>> import numpy as np
    >>> from cnnlib import layers
    >>> net = layers.Sequential({"pool": layers.MaxPool2d(2)})
    >>> deconvnet(net, np.array([[[1.0, 5.0], [2.0, 3.0]]]), "pool", 0)
    array([[[0., 5.],
            [0., 0.]]])
    """
    batch = one_picture(net, x)
    if type(trunk_of(net)).__name__ != "Sequential":
        raise TypeError(f"`net` is {type(net).__name__}; it must be a Sequential")
    way = layers_to(net, stage)
    inputs, out = [], batch.detach() if _array.is_torch(batch) else batch
    with undisturbed(net):
        for _, layer in way:
            inputs.append(out)
            out = run(layer, out.clone() if _array.is_torch(out) else out)  # torch may write over its input
    signal = _one_unit(out, stage, channel, unit)
    for (name, layer), seen in zip(reversed(way), reversed(inputs)):
        signal = _down(name, layer, signal, seen)
    return signal[0]


def reachable(net):
    """Return the names of the layers, Sequentials unfolded, from which :func:`deconvnet` finds the way back."""
    names = []
    for name, _ in _unfolded(trunk_of(net)) if type(trunk_of(net)).__name__ == "Sequential" else ():
        try:
            layers_to(net, name)
        except ValueError:
            break
        names.append(name)
    return names


def layers_to(net, stage):
    """Return [(name, layer)] from the picture up to the stage, Sequentials unfolded; check their kinds."""
    layers = list(_unfolded(trunk_of(net)))
    last = [k for k, (name, _) in enumerate(layers) if f"{name}.".startswith(f"{stage}.")]
    if not last:
        raise ValueError(f"there is no stage {stage!r}; there are {', '.join(name for name, _ in layers)}")
    found = layers[:last[-1] + 1]
    for name, layer in found:
        if type(layer).__name__ not in ("Conv2d", "ReLU", "MaxPool2d", *PASSED):
            raise ValueError(f"stage {name!r} is a {type(layer).__name__}, which has no way back here; up to `stage` "
                             f"{stage!r} there may be Conv2d, ReLU, MaxPool2d and LocalResponseNorm")
        if getattr(layer, "padding_mode", "zeros") != "zeros":
            raise ValueError(f"stage {name!r} has padding_mode {layer.padding_mode!r}; it must be 'zeros'")
    return found


def _unfolded(net, prefix=""):
    """Yield (name, layer) of all layers in Sequentials, in order."""
    for name, layer in net.named_children():
        if type(layer).__name__ == "Sequential":
            yield from _unfolded(layer, f"{prefix}{name}.")
        else:
            yield prefix + name, layer


def _one_unit(out, stage, channel, unit):
    """Return zeros, but for the activation of the unit."""
    _, channels, height, width = out.shape
    if as_int("channel", channel, 0) >= channels:
        raise ValueError(f"`channel` is {channel}; `stage` {stage!r} has channels 0 to {channels - 1}")
    row, col = divmod(int(out[0, channel].argmax()), width) if unit is None else as_pair("unit", unit, 0, "(row, col)")
    if row >= height or col >= width:
        raise ValueError(f"`unit` is {(row, col)}; the maps of {stage!r} are {height} x {width}")
    signal = _array.zeros(tuple(out.shape), out)
    signal[0, channel, row, col] = out[0, channel, row, col]
    return signal


def _down(name, layer, signal, seen):
    """Return the signal below a layer that saw `seen`."""
    kind = type(layer).__name__
    if kind == "ReLU":
        return relu(signal)
    if kind == "MaxPool2d":
        return max_pool2d_backward(signal, seen, layer.kernel_size, layer.stride, layer.padding, layer.dilation,
                                   layer.ceil_mode)
    if kind == "Conv2d":
        grad_x, *_ = conv2d_backward(signal, seen, layer.weight.data, None, stride=layer.stride,
                                     padding=layer.padding, dilation=layer.dilation, groups=layer.groups)
        return grad_x
    return signal
