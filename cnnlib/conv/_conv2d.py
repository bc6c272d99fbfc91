"""The convolution of a batch of images, by any method, and its gradients."""

from cnnlib._arguments import is_integer
from cnnlib.conv import _run
from cnnlib.conv._arguments import as_batch, check_bias, check_fits_memory, check_grad_output, checked
from cnnlib.conv._problem import make_problem


def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1, *, method="auto"):
    """Cross-correlate a batch of images with a bank of filters.

    .. math:: y_{nfij} = b_f + \\sum_{c,p,q} w_{fcpq}\\, x_{n,\\,c,\\,si+dp,\\,sj+dq}

    with x surrounded by `padding` zeros, s the stride and d the dilation.

    Parameters
    ----------
    x : array of shape (N, C, H, W), or (C, H, W) for one image
        NumPy or torch. The result has x's library, dtype and device; where a NumPy batch lies innermost in memory,
        so does the result's.
    weight : array of shape (F, C // groups, KH, KW)
        F filters. With groups, the channels and the filters are cut into as many parts, and each part of the
        filters sees its part of the channels.
    bias : array of shape (F,), optional
    stride, dilation : int or (rows, cols), in pixels
    padding : int, (rows, cols), ((top, bottom), (left, right)), "valid" or "same"
        Zeros around x. "valid" is none; "same" gives ceil(H / stride) rows, an odd zero going after.
    groups : int
    method : {"auto", "exact", "loops", "im2col", "shifted", "fft", "winograd", "implicit_gemm", "library"}
        How it is computed; the answer is the same but for rounding. "auto" chooses (see :func:`explain`),
        "exact" is "auto" without Winograd.

    Returns
    -------
    array of shape (N, F, OH, OW), with OH = (H + top + bottom - dilation * (KH - 1) - 1) // stride + 1

    Raises
    ------
    ValueError
        The channel counts differ, the filter is larger than the padded image, `method` is not for this case, or an
        integer result is out of range.
    TypeError
        An argument is no array, or libraries, dtypes or devices are mixed.

    Notes
    -----
    No filter flip, as in torch.nn.functional.conv2d. Derived in notebooks/20, eq. 3. Half precision is summed in
    float32, integers in int64. Beyond torch: uneven padding, "same" at any stride, and integers that do not fit
    are an error. Unlike torch, complex numbers and images without channels are refused. Extra memory: at most 3
    times the arguments and the result together and 32 MiB, except for "loops" and "im2col", which state theirs, and
    torch's own.

    Rounding in float32 is relative to the largest number that a sum meets, times the filter's absolute weights: at
    most 1e-6 of it with "exact". With 3x3 filters "auto" may be Winograd, which meets a whole 6x6 tile ("fft" the whole
    image) and rounds to 3e-6, in the worst patterns 5e-5: beside a pixel a million times larger than the others take
    "exact". Where large products cancel to a small result (a nearly constant image, filters that sum to zero) that
    is many of the result's digits with every method, and "exact" gains nothing: take float64, or take away the mean.

    References
    ----------
    .. [1] LeCun, Bottou, Bengio & Haffner, Gradient-based learning applied to document recognition,
       Proc. IEEE 86(11), 1998. doi:10.1109/5.726791
    .. [2] Dumoulin & Visin, A guide to convolution arithmetic for deep learning, 2016.
       doi:10.48550/arXiv.1603.07285

    Examples
    --------
    >>> import numpy as np
    >>> conv2d(np.ones((1, 1, 3, 3)), np.ones((1, 1, 2, 2)))
    array([[[[4., 4.],
             [4., 4.]]]])
    """
    x, weight, bias = checked(x=x, weight=weight, bias=bias)
    return forward(x, weight, bias, stride, padding, dilation, groups, method)


def conv2d_backward(grad_output, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1, *,
                    method="auto", need_grad_x=True):
    """Return the gradients of :func:`conv2d`, given that of its output.

    Parameters
    ----------
    grad_output : array of the output's shape
    x, weight, bias, stride, padding, dilation, groups, method
        As in :func:`conv2d`.
    need_grad_x : bool
        False spares the work of grad_x, for which the first layer of a network has no use.

    Returns
    -------
    grad_x : array of the shape of `x`; None for integers, or if it is not needed
    grad_weight : array of the shape of `weight`; None for integers
    grad_bias : array of shape (F,); None without a bias, or for integers
    """
    grad_output, x, weight, bias = checked(grad_output=grad_output, x=x, weight=weight, bias=bias)
    return backward(grad_output, x, weight, bias, stride, padding, dilation, groups, method, need_grad_x)


def forward(x, weight, bias, stride, padding, dilation, groups, method):
    """Do the work of :func:`conv2d` on arrays that are checked."""
    problem = make_problem(x.shape, weight.shape, stride, padding, dilation, groups)
    x, unbatched = as_batch(x)
    check_bias(bias, weight.shape[0])
    check_fits_memory(problem.out_shape, x, x=problem.x_shape, weight=problem.weight_shape, padding=problem.padding)
    out = _run.forward(x, weight, bias, problem, method)
    return out[0] if unbatched else out


def backward(grad_output, x, weight, bias, stride, padding, dilation, groups, method, need_grad_x=True):
    """Do the work of :func:`conv2d_backward` on arrays that are checked."""
    problem = make_problem(x.shape, weight.shape, stride, padding, dilation, groups)
    x, unbatched = as_batch(x)
    check_bias(bias, weight.shape[0])
    grad_output = check_grad_output(grad_output, problem.out_shape[1:] if unbatched else problem.out_shape)
    if is_integer(x):
        return None, None, None
    grad_bias = None if bias is None else _run.backward_bias(grad_output)
    if not need_grad_x:
        return None, _run.backward_weight(grad_output, x, problem, method), grad_bias
    grad_x, grad_weight = _run.backward(grad_output, x, weight, problem, method)
    return grad_x[0] if unbatched else grad_x, grad_weight, grad_bias
