"""Sizes without pixels: output sizes, padding, receptive fields, parameters and multiply-adds.

Integers only. Everything that a layer does to shapes can be known before any number is computed, and
everything here is known that way. The equations are those of notebooks/21.
"""

from operator import index


def as_int(name, value, minimum):
    """Return `value` as an int, or say which argument is not a whole number of at least `minimum`."""
    try:
        if isinstance(value, bool):
            raise TypeError
        number = index(value)
    except TypeError:
        raise TypeError(f"`{name}` must be a whole number, not {value!r}") from None
    if number < minimum:
        raise ValueError(f"`{name}` is {number}; it must be at least {minimum}")
    return number


def as_pair(name, value, minimum, meaning="(rows, cols)"):
    """Return `value`, an int or a pair of ints, as a pair, of which `meaning` tells errors what stands where."""
    if isinstance(value, (tuple, list)):
        if len(value) not in (1, 2):
            raise ValueError(f"`{name}` is {value!r}; it must be one number or a pair {meaning}")
        return tuple(as_int(name, v, minimum) for v in (value * 2 if len(value) == 1 else value))
    return (as_int(name, value, minimum),) * 2


def effective_size(kernel_size, dilation=1):
    """Return the pixels that a dilated kernel spans: dilation * (kernel_size - 1) + 1.

    Examples
    --------
    >>> effective_size(3, dilation=2)
    5
    """
    return as_int("dilation", dilation, 1) * (as_int("kernel_size", kernel_size, 1) - 1) + 1


def output_size(size, kernel_size, stride=1, padding=0, dilation=1):
    """Return how many windows fit along one axis.

    .. math:: O = \\lfloor (I + P - D (K - 1) - 1) / S \\rfloor + 1 \\tag{4}

    with P the zeros added on both sides together.

    Parameters
    ----------
    size : int, in pixels
        The input along this axis.
    kernel_size, stride, dilation : int, in pixels
    padding : int or (before, after), in pixels
        Zeros added on each side.

    Returns
    -------
    int
        Rounded down, as in torch: pixels that no whole window reaches are left over (:func:`exact_fit`
        tells whether there are any).

    Raises
    ------
    ValueError
        The (dilated) kernel is larger than the padded input, or an argument is out of range.

    Examples
    --------
    >>> output_size(7, 3, stride=2), output_size(32, 5, padding=2)
    (3, 32)
    """
    steps, stride = _steps(size, kernel_size, stride, padding, dilation)
    return steps // stride + 1


def _steps(size, kernel_size, stride, padding, dilation):
    """Return how far the window can move, in pixels, and the checked stride."""
    size, stride = as_int("size", size, 0), as_int("stride", stride, 1)
    before, after = as_pair("padding", padding, 0)
    span = effective_size(kernel_size, dilation)
    steps = size + before + after - span
    if steps < 0:
        padded = size + before + after
        smaller = f" or a `kernel_size` of at most {(padded - 1) // dilation + 1}" if padded else ""
        raise ValueError(
            f"a kernel of {kernel_size} with dilation {dilation} spans {span} pixels, more than the padded "
            f"input's {size} + {before} + {after} = {padded}: `padding` {-(-(span - size) // 2)} on each side"
            f"{smaller} would fit")
    return steps, stride


def exact_fit(size, kernel_size, stride=1, padding=0, dilation=1):
    """Return whether the last window ends where the padded input does, and the nearest input sizes for which it does.

    Then the output size needs no rounding. (What is left over otherwise may be zeros of the padding; and a stride or
    dilation beyond the filter's size leaves pixels unused between windows, fit or not.)

    Parameters
    ----------
    size, kernel_size, stride, padding, dilation
        As in :func:`output_size`.

    Returns
    -------
    fits : bool
        True where the stride divides the way that the window can move.
    sizes : tuple of int
        ``(size,)`` where it fits, else the next smaller size that fits (if any) and the next larger one.

    Examples
    --------
    >>> exact_fit(7, 3, stride=3)
    (False, (6, 9))
    """
    steps, stride = _steps(size, kernel_size, stride, padding, dilation)
    size, left_over = as_int("size", size, 0), steps % stride
    if not left_over:
        return True, (size,)
    return False, tuple(s for s in (size - left_over, size - left_over + stride) if s > 0)


def same_padding(size, kernel_size, stride=1, dilation=1):
    """Return the zeros (before, after) with which the output has ceil(size / stride) pixels.

    Equation (6), shared between both sides. At stride 1 this is torch's ``padding="same"``; at larger strides
    TensorFlow's SAME rule. An odd zero goes after.

    Examples
    --------
    >>> same_padding(224, 7, stride=2)
    (2, 3)
    """
    size, stride = as_int("size", size, 1), as_int("stride", stride, 1)
    out = -(-size // stride)
    total = max((out - 1) * stride + effective_size(kernel_size, dilation) - size, 0)
    return total // 2, total - total // 2


def receptive_field(layers):
    """Return how many input pixels one output pixel sees along an axis, and how far apart two of them look.

    Equation (10): layer by layer, r grows by (K - 1) * D * j, then the jump j grows by the factor S. A layer's
    own stride acts on the layers after it.

    Parameters
    ----------
    layers : sequence of (kernel_size, stride) or (kernel_size, stride, dilation)
        From the input upwards.

    Returns
    -------
    size, jump : int, in input pixels

    Raises
    ------
    ValueError, TypeError
        A layer is no such tuple, or its numbers are out of range.

    References
    ----------
    .. [1] Araujo, Norris & Sim, Computing receptive fields of convolutional neural networks, Distill, 2019.
       doi:10.23915/distill.00021

    Examples
    --------
    >>> receptive_field([(3, 1)] * 3)
    (7, 1)
    >>> receptive_field([(11, 4), (3, 2), (5, 1)])
    (51, 8)
    """
    size, jump = 1, 1
    for number, layer in enumerate(layers):
        if not isinstance(layer, (tuple, list)) or len(layer) not in (2, 3):
            raise ValueError(f"layer {number} of `layers` is {layer!r}; it must be (kernel_size, stride) or "
                             "(kernel_size, stride, dilation), and one layer alone is [(3, 1)]")
        kernel_size, stride, *dilation = layer
        size += (effective_size(kernel_size, *dilation) - 1) * jump
        jump *= as_int("stride", stride, 1)
    return size, jump


def conv_parameters(in_channels, out_channels, kernel_size, groups=1, bias=True):
    """Return how many numbers a convolution layer learns: F * (C / groups) * KH * KW, and F biases; equation (7).

    Examples
    --------
    >>> conv_parameters(3, 10, 5)
    760
    """
    weights = _weights(in_channels, out_channels, kernel_size, groups)
    return weights + (as_int("out_channels", out_channels, 1) if bias else 0)


def conv_multiply_adds(in_channels, out_channels, kernel_size, out_size, groups=1):
    """Return the multiply-adds of a convolution of one image: every weight once per output position.

    Equation (7), right. Biases are not counted. `out_size` is the output's (rows, cols).

    Examples
    --------
    >>> conv_multiply_adds(3, 10, 5, (32, 32))
    768000
    """
    rows, cols = as_pair("out_size", out_size, 0)
    return _weights(in_channels, out_channels, kernel_size, groups) * rows * cols


def _weights(in_channels, out_channels, kernel_size, groups):
    in_channels, out_channels = as_int("in_channels", in_channels, 1), as_int("out_channels", out_channels, 1)
    groups = as_int("groups", groups, 1)
    if in_channels % groups or out_channels % groups:
        raise ValueError(f"`groups` is {groups}; it must divide both in_channels {in_channels} and "
                         f"out_channels {out_channels}")
    rows, cols = as_pair("kernel_size", kernel_size, 1)
    return out_channels * (in_channels // groups) * rows * cols
