"""First weights: drawn so that numbers keep their size on their way through the layers. Derived in notebooks/30.

An output that sums `fan_in` products of independent weights (mean 0, variance v) and inputs has the variance
fan_in · v · E[x²]. To keep it from layer to layer, v must be 1 / fan_in: a little more where the activation takes
something away. Backward the same holds with `fan_out`, the number of outputs that one input reaches.

Every function returns a new NumPy array, drawn from `rng`; torch.from_numpy makes a tensor of it. The same generator
gives the same weights in float32 and float64, but for rounding.
"""

from math import prod, sqrt

import numpy as np

from cnnlib.geometry import as_int


def fans(shape, groups=1):
    """Return how many numbers an output sums, and how many outputs an input reaches.

    Parameters
    ----------
    shape : tuple of int
        Of a weight: (out_features, in_features), or (F, C // groups, KH, KW) of a convolution.
    groups : int

    Returns
    -------
    fan_in : int, C // groups * KH * KW
    fan_out : int, F // groups * KH * KW
        At stride 1 and away from the border. (torch.nn.init counts all F, which only reach the inputs of their group.)

    Raises
    ------
    ValueError
        The shape has fewer than two axes (a bias has no fans: take zeros), or the groups do not divide F.

    Examples
    --------
    >>> fans((6, 1, 5, 5)), fans((10, 84)), fans((256, 48, 5, 5), groups=2)
    ((25, 150), (84, 10), (1200, 3200))
    """
    shape = tuple(as_int("shape", size, 1) for size in shape)
    if len(shape) < 2:
        raise ValueError(f"`shape` is {shape}; a weight has at least two axes, (outputs, inputs, ...), and others have "
                         "no fans: zeros are the usual choice for a bias")
    if shape[0] % as_int("groups", groups, 1):
        raise ValueError(f"`groups` is {groups}; it must divide the {shape[0]} outputs of `shape` {shape}")
    return prod(shape[1:]), shape[0] // groups * prod(shape[2:])


def glorot_uniform(shape, rng, *, groups=1, gain=1.0, dtype="float32"):
    """Draw weights evenly from ± gain √(6 / (fan_in + fan_out)).

    Forward asks for the variance 1 / fan_in, backward for 1 / fan_out; the compromise is 2 / (fan_in + fan_out). Even
    numbers from ± a have the variance a² / 3. For activations that are like x near 0: tanh, none. (torch's
    xavier_uniform_.)

    Parameters
    ----------
    shape : tuple of int
        (out_features, in_features) or (F, C // groups, KH, KW).
    rng : np.random.Generator
    groups : int
    gain : float
        Makes up for what the activation takes away; torch.nn.init.calculate_gain has a table.
    dtype : {"float16", "float32", "float64"}

    References
    ----------
    .. [1] Glorot & Bengio, Understanding the difficulty of training deep feedforward neural networks, AISTATS 2010,
       eq. 16. proceedings.mlr.press/v9/glorot10a.html

    Examples
    --------
    >>> weight = glorot_uniform((300, 200), np.random.default_rng(0))
    >>> bool(abs(weight).max() <= sqrt(6 / 500)), round(float(weight.std() * sqrt(500 / 2)), 2)
    (True, 1.0)
    """
    return _uniform(shape, rng, gain * sqrt(6 / sum(fans(shape, groups))), dtype)


def glorot_normal(shape, rng, *, groups=1, gain=1.0, dtype="float32"):
    """Draw weights from a normal distribution of variance 2 gain² / (fan_in + fan_out), as :func:`glorot_uniform`."""
    return _normal(shape, rng, gain * sqrt(2 / sum(fans(shape, groups))), dtype)


def he_uniform(shape, rng, *, groups=1, mode="fan_in", negative_slope=0.0, dtype="float32"):
    """Draw weights evenly from ± √(3 v), v = 2 / ((1 + s²) fan): the variance of :func:`he_normal`."""
    return _uniform(shape, rng, sqrt(3) * _he_deviation(shape, groups, mode, negative_slope), dtype)


def he_normal(shape, rng, *, groups=1, mode="fan_in", negative_slope=0.0, dtype="float32"):
    """Draw weights from a normal distribution of variance 2 / ((1 + s²) fan), for layers that follow a ReLU.

    Of a symmetric distribution the ReLU passes one half: E[relu(a)²] is half the variance of a, so the weights need
    twice 1 / fan_in. With the slope s on the other side it passes (1 + s²) / 2. (torch's kaiming_normal_.)

    Parameters
    ----------
    shape : tuple of int
        (out_features, in_features) or (F, C // groups, KH, KW).
    rng : np.random.Generator
    groups : int
    mode : {"fan_in", "fan_out"}
        Keep the size of the activations, or that of the gradients.
    negative_slope : float
        s, of :func:`activations.leaky_relu`.
    dtype : {"float16", "float32", "float64"}

    References
    ----------
    .. [1] He, Zhang, Ren & Sun, Delving deep into rectifiers, ICCV 2015, eq. 10 and 15. doi:10.1109/ICCV.2015.123

    Examples
    --------
    >>> weight = he_normal((64, 50, 3, 3), np.random.default_rng(0))
    >>> round(float(weight.std() * sqrt(450 / 2)), 2)
    1.0
    """
    return _normal(shape, rng, _he_deviation(shape, groups, mode, negative_slope), dtype)


def _he_deviation(shape, groups, mode, negative_slope):
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"`mode` is {mode!r}; it must be 'fan_in' or 'fan_out'")
    fan = fans(shape, groups)[mode == "fan_out"]
    return sqrt(2 / ((1 + negative_slope**2) * fan))


def lecun_uniform(shape, rng, *, fan_in=None, dtype="float32"):
    """Draw weights evenly from ± 2.4 / fan_in, as LeNet-5 began.

    The deviation is 2.4 / (√3 fan_in), 1.39 / fan_in: with inputs of deviation 1 the sums deviate by 1.39 / √fan_in
    and stay in the part of the scaled tanh that is nearly straight. (The paper divides by fan_in and not by its root,
    as it expects the inputs of a unit to be strongly correlated.)

    Parameters
    ----------
    shape : tuple of int
    rng : np.random.Generator
    fan_in : int, optional
        For layers whose outputs sum fewer numbers than the shape tells, as LeNet-5's C3 and its subsampling do.
    dtype : {"float16", "float32", "float64"}

    References
    ----------
    .. [1] LeCun, Bottou, Bengio & Haffner, Gradient-based learning applied to document recognition,
       Proc. IEEE 86(11), 1998, appendix A. doi:10.1109/5.726791

    Examples
    --------
    >>> bool(abs(lecun_uniform((6, 1, 5, 5), np.random.default_rng(0))).max() <= 2.4 / 25)
    True
    """
    fan_in = fans(shape)[0] if fan_in is None else as_int("fan_in", fan_in, 1)
    return _uniform(shape, rng, 2.4 / fan_in, dtype)


def zeros(shape, dtype="float32"):
    """Return zeros, for biases: weights that begin equal stay equal."""
    return np.zeros(shape, _dtype(dtype))


def ones(shape, dtype="float32"):
    """Return ones, for the scales of batch norm and its kin."""
    return np.ones(shape, _dtype(dtype))


def redraw(net, draw, rng):
    """Draw all weights of a net anew, and set its biases to zero; return the net.

    Parameters
    ----------
    net : layers.Module or torch.nn.Module
        The same generator gives both engines the same weights.
    draw : callable
        ``draw(shape, rng)``, as :func:`he_normal`.
    rng : np.random.Generator

    Notes
    -----
    Drawn is what has fans: weights of two axes, and of four. What has none and is no bias, such as the scales of norm
    layers, stays as it is.

    Examples
    --------
    >>> from cnnlib.layers import Linear, Sequential
    >>> net = redraw(Sequential(Linear(50, 200)), he_normal, np.random.default_rng(0))
    >>> round(float(net[0].weight.data.std() * sqrt(50 / 2)), 1), bool(net[0].bias.data.any())
    (1.0, False)
    """
    rng = _generator(rng)
    for name, parameter in net.named_parameters():
        if len(parameter.shape) in (2, 4):
            overwrite(parameter, draw(tuple(parameter.shape), rng))
        elif name.rpartition(".")[2] == "bias":
            overwrite(parameter, np.zeros(tuple(parameter.shape), "float32"))
    return net


def overwrite(parameter, values):
    """Copy an array into a parameter of either engine.

    Parameters
    ----------
    parameter : layers.Parameter or torch.nn.Parameter
    values : NumPy array of its shape
    """
    if hasattr(parameter, "set"):
        parameter.set(values)
    else:
        parameter.data.copy_(parameter.new_tensor(values))


def _uniform(shape, rng, limit, dtype):
    return _generator(rng).uniform(-limit, limit, tuple(shape)).astype(_dtype(dtype))


def _normal(shape, rng, deviation, dtype):
    return _generator(rng).normal(0.0, deviation, tuple(shape)).astype(_dtype(dtype))


def _generator(rng):
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"`rng` is {rng!r}; it must be a np.random.Generator, as np.random.default_rng(0) makes")
    return rng


def _dtype(dtype):
    name = str(dtype).removeprefix("torch.") if not isinstance(dtype, type) else np.dtype(dtype).name
    if name not in ("float16", "float32", "float64"):
        raise TypeError(f"`dtype` is {dtype!r}; it must be 'float16', 'float32' or 'float64'")
    return name
