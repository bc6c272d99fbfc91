"""The transposed convolution: what a convolution's gradient does to its output, used as a layer of its own."""

from cnnlib import _array
from cnnlib._arguments import is_integer
from cnnlib.conv import _run
from cnnlib.conv._arguments import as_batch, check_bias, check_fits_memory, check_grad_output, checked
from cnnlib.conv._problem import as_padding, channels_last_hint, make_problem
from cnnlib.geometry import as_int, as_pair, effective_size


def conv_transpose2d(x, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """Spread every input number over the output as a copy of its filter: the adjoint of :func:`conv2d`.

    .. math:: y_{n,f,\\,si+dp-t,\\,sj+dq-l} = b_f + \\sum x_{ncij}\\, w_{cfpq}

    summed over all c, i, j, p, q that land there; t and l are the padding's rows above and columns before, which
    here are cut off.

    Parameters
    ----------
    x : array of shape (N, C, H, W), or (C, H, W) for one image
    weight : array of shape (C, F // groups, KH, KW)
        As the weight of the convolution from F to C channels that this is the adjoint of.
    bias : array of shape (F,), optional
    stride, dilation : int or (rows, cols), in pixels
        Of the output: neighbours in x land `stride` apart.
    padding : int, (rows, cols), ((top, bottom), (left, right)) or "valid"
        Rows and columns cut off from the output.
    output_padding : int or (rows, cols), in pixels
        Rows and columns appended below and right, smaller than the stride or the dilation: of the sizes that a
        convolution rounds down to (H, W), it says which.
    groups : int

    Returns
    -------
    array of shape (N, F, OH, OW), with
        OH = (H - 1) * stride - top - bottom + dilation * (KH - 1) + 1 + output_padding

    Raises
    ------
    ValueError
        The channel counts differ, `padding` cuts off everything, or `output_padding` is too large.
    TypeError
        As in :func:`conv2d`.

    Notes
    -----
    As torch.nn.functional.conv_transpose2d, uneven padding beyond it. Derived in notebooks/20.

    References
    ----------
    .. [1] Dumoulin & Visin, A guide to convolution arithmetic for deep learning, 2016.
       doi:10.48550/arXiv.1603.07285

    Examples
    --------
    >>> import numpy as np
    >>> conv_transpose2d(np.array([[[1., 2.]]]), np.ones((1, 1, 1, 3)), stride=2)
    array([[[1., 1., 3., 2., 2.]]])
    """
    x, weight, bias = checked(x=x, weight=weight, bias=bias)
    problem, lead, beyond = _adjoint_problem(x.shape, weight.shape, stride, padding, output_padding, groups, dilation)
    x, unbatched = as_batch(x)
    check_bias(bias, problem.x_shape[1])
    check_fits_memory(_out_shape(problem, lead, beyond), x, x=problem.out_shape, weight=problem.weight_shape,
                      stride=stride, dilation=dilation)
    out = _run.backward_x(x, weight, problem, "auto", bias)
    if any(lead) or any(beyond):
        out = _array.in_order_of(_reframed(out, lead, beyond, bias), x)
    return out[0] if unbatched else out


def conv_transpose2d_backward(grad_output, x, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1,
                              dilation=1):
    """Return the gradients of :func:`conv_transpose2d`, given that of its output.

    Returns
    -------
    grad_x, grad_weight : arrays of the shapes of `x` and `weight`; None for integers
    grad_bias : array of shape (F,); None without a bias, or for integers
    """
    grad_output, x, weight, bias = checked(grad_output=grad_output, x=x, weight=weight, bias=bias)
    problem, lead, beyond = _adjoint_problem(x.shape, weight.shape, stride, padding, output_padding, groups, dilation)
    x, unbatched = as_batch(x)
    check_bias(bias, problem.x_shape[1])
    out_shape = _out_shape(problem, lead, beyond)
    grad_output = check_grad_output(grad_output, out_shape[1:] if unbatched else out_shape)
    if is_integer(x):
        return None, None, None
    grad_bias = None if bias is None else _run.backward_bias(grad_output)
    if any(lead) or any(beyond):
        h, w = problem.x_shape[2:]
        framed = _array.pad(grad_output, ((lead[0], 0), (lead[1], 0)))[:, :, :h, :w]
        grad_output = _array.in_order_of(framed, grad_output)
    grad_x = _run.forward(grad_output, weight, None, problem, "auto")
    grad_weight = _run.backward_weight(x, grad_output, problem, "auto")
    return grad_x[0] if unbatched else grad_x, grad_weight, grad_bias


def _reframed(out, lead, beyond, bias):
    """Return `out` without its first `lead` rows and columns, and with as many as `beyond` more, which are bias."""
    rows, cols = out.shape[2:]
    out = _array.pad(out, ((0, beyond[0]), (0, beyond[1])))
    if bias is not None and any(beyond):
        out[:, :, rows:] = bias[:, None, None]
        out[..., cols:] = bias[:, None, None]
    return out[:, :, lead[0]:, lead[1]:]


def _adjoint_problem(x_shape, weight_shape, stride, padding, output_padding, groups, dilation):
    """Return the Problem of the convolution that this is the adjoint of, from (N, F, OH, OW) to (N, C, H, W).

    A shape (C, H, W) means a batch of one.
    Its image is the part of the output that copies of a filter reach. Also returns the rows and columns `lead` that
    are still to be cut off from it in front, and `beyond` that are to be added to it, of zeros.
    """
    _check_shapes(tuple(x_shape), tuple(weight_shape), groups)
    if isinstance(padding, str) and padding != "valid":
        raise ValueError(f"`padding` is {padding!r}; a transposed convolution knows int, (rows, cols), "
                         "((top, bottom), (left, right)) and 'valid'")
    stride, dilation = as_pair("stride", stride, 1), as_pair("dilation", dilation, 1)
    output_padding = as_pair("output_padding", output_padding, 0)
    padding = as_padding(padding, x_shape[-2:], weight_shape[2:], stride, dilation)
    size, used, lead, beyond = [], [], [], []
    for i, k, s, d, (before, after), extra in zip(x_shape[-2:], weight_shape[2:], stride, dilation, padding,
                                                  output_padding):
        if extra >= max(s, d):
            raise ValueError(f"`output_padding` is {output_padding}; it must be smaller than the stride {stride} or "
                             f"the dilation {dilation}")
        whole = (i - 1) * s + effective_size(k, d)
        if whole - before - after + extra < 1:
            raise ValueError(f"`padding` {padding} cuts off all of the output: `x` {tuple(x_shape)} and `weight` "
                             f"{tuple(weight_shape)} give {whole} pixels before it")
        after, more = max(after - extra, 0), max(extra - after, 0)
        cut = min(before, whole - after - 1)  # keep one pixel, even if the output begins beyond all copies
        size.append(whole - cut - after)
        used.append((cut, after))
        lead.append(before - cut)
        beyond.append(more)
    out_shape = (*x_shape[:-3], weight_shape[1] * groups, *size)
    return make_problem(out_shape, weight_shape, stride, tuple(used), dilation, groups), lead, beyond


def _out_shape(problem, lead, beyond):
    """Return (N, F, OH, OW)."""
    n, f, h, w = problem.x_shape
    return n, f, h - lead[0] + beyond[0], w - lead[1] + beyond[1]


def _check_shapes(x_shape, weight_shape, groups):
    """Check the ranks and channels in the words of the transposed convolution."""
    if len(x_shape) not in (3, 4) or 0 in x_shape[-3:]:
        raise ValueError(f"`x` has shape {x_shape}; it must be (N, C, H, W), or (C, H, W) for one image, with at "
                         "least one channel, row and column")
    if len(weight_shape) != 4 or 0 in weight_shape:
        raise ValueError(f"`weight` has shape {weight_shape}; it must be (C, F // groups, KH, KW), no side empty")
    if x_shape[-3] != weight_shape[0]:
        raise ValueError(f"`x` {x_shape} has {x_shape[-3]} channels, `weight` {weight_shape} takes {weight_shape[0]}: "
                         "a transposed convolution's weight is (C, F // groups, KH, KW), input channels first"
                         f"{channels_last_hint(x_shape, weight_shape[0])}")
    if x_shape[-3] % as_int("groups", groups, 1):
        raise ValueError(f"`groups` is {groups}; it must divide the {x_shape[-3]} channels of `x` {x_shape}")
