"""Average and L\\ :sub:`p` pooling: of each window its mean, or the norm of its numbers."""

from cnnlib import _array
from cnnlib._array import as_dtype, dtype_name, in_order_of, quietly, working
from cnnlib.pool._windows import check_grad_output, check_input, make_windows


@quietly
def avg_pool2d(x, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True):
    """Take the mean of each window.

    .. math:: y_{ncij} = \\frac{1}{n_{ij}} \\sum_{p,q} x_{n,\\,c,\\,si+p,\\,sj+q}

    Parameters
    ----------
    x : array of shape (N, C, H, W), or (C, H, W) for one image
        NumPy or torch. The result has x's library, dtype, device and memory order.
    kernel_size, stride, padding : int or (rows, cols), in pixels
        As in :func:`max_pool2d`; padding is zeros.
    ceil_mode : bool
        Round the number of windows up: the last may reach out of the image, but begins inside.
    count_include_pad : bool
        Whether the zeros of the padding count in n. (What reaches further out, with `ceil_mode`, never counts.)

    Returns
    -------
    array of shape (N, C, OH, OW)

    Raises
    ------
    ValueError
        The window is larger than the padded image, or padding exceeds half of it.

    Notes
    -----
    As torch.nn.functional.avg_pool2d. Half precision is summed in float32. Derived in notebooks/22.

    Examples
    --------
    >>> import numpy as np
    >>> avg_pool2d(np.array([[[1., 2., 5., 0.], [3., 4., 0., 6.]]]), 2)
    array([[[2.5 , 2.75]]])
    """
    x, = check_input("average pooling", x=x)
    windows = make_windows(x.shape, kernel_size, stride, padding, 1, ceil_mode)
    means = _sums(working(x), windows) / _counts(windows, count_include_pad, x)
    return in_order_of(as_dtype(means, dtype_name(x)), x)


@quietly
def avg_pool2d_backward(grad_output, x, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True):
    """Return the gradient of `x`: every pixel of a window receives the same share of its gradient."""
    grad_output, x = check_input("average pooling", grad_output=grad_output, x=x)
    windows = make_windows(x.shape, kernel_size, stride, padding, 1, ceil_mode)
    check_grad_output(grad_output, x.shape, windows.out_size)
    grads = _spread(working(grad_output) / _counts(windows, count_include_pad, x), windows)
    return in_order_of(as_dtype(grads, dtype_name(x)), x)


@quietly
def lp_pool2d(x, norm_type, kernel_size, stride=None, ceil_mode=False):
    """Take the L\\ :sub:`p` norm of each window: between the sum (p = 1) and the maximum (p to infinity).

    .. math:: y = \\Bigl(\\sum |x|^p\\Bigr)^{1/p}

    Parameters
    ----------
    x : array of shape (N, C, H, W), or (C, H, W) for one image
    norm_type : float, at least 1
        The exponent p.
    kernel_size, stride, ceil_mode
        As in :func:`avg_pool2d`.

    Returns
    -------
    array of shape (N, C, OH, OW)

    Notes
    -----
    Deviations from torch.nn.functional.lp_pool2d: it takes x^p, so that with odd p negative numbers subtract; here
    stands the absolute value. With `ceil_mode` it scales the sum of an incomplete window up to a whole one; here it
    stays a sum. Derived in notebooks/22.

    References
    ----------
    .. [1] Sermanet, Chintala & LeCun, Convolutional neural networks applied to house numbers digit classification,
       ICPR 2012. doi:10.48550/arXiv.1204.3968

    Examples
    --------
    >>> import numpy as np
    >>> lp_pool2d(np.array([[[3., 0.], [-4., 0.]]]), 2, 2)
    array([[[5.]]])
    """
    x, = check_input("Lp pooling", x=x)
    p, windows = _exponent(norm_type), make_windows(x.shape, kernel_size, stride, 0, 1, ceil_mode)
    return in_order_of(as_dtype(_norms(working(x), p, windows), dtype_name(x)), x)


@quietly
def lp_pool2d_backward(grad_output, x, norm_type, kernel_size, stride=None, ceil_mode=False):
    """Return the gradient of `x`, sign(x) (abs(x) / y)^(p-1) of its windows: 0 where one is 0, or none reaches."""
    grad_output, x = check_input("Lp pooling", grad_output=grad_output, x=x)
    p, windows = _exponent(norm_type), make_windows(x.shape, kernel_size, stride, 0, 1, ceil_mode)
    check_grad_output(grad_output, x.shape, windows.out_size)
    numbers = working(x)
    lib = _array.library(x=numbers)
    norms = _norms(numbers, p, windows)
    nothing = norms == 0
    per_window = _array.zero_where(nothing, working(grad_output)) / lib.where(nothing, 1, norms) ** (p - 1)
    grads = lib.sign(numbers) * abs(numbers) ** (p - 1) * _spread(per_window, windows)
    if not bool((seen := _spread(_array.zeros(windows.out_size, grads) + 1, windows) > 0).all()):
        grads = lib.where(seen, grads, 0)  # what no window reaches has no gradient, be it NaN
    return in_order_of(as_dtype(grads, dtype_name(x)), x)


def _exponent(norm_type):
    if isinstance(norm_type, bool) or not isinstance(norm_type, (int, float)):
        raise TypeError(f"`norm_type` is {norm_type!r}; it must be a number")
    if not 1 <= norm_type < float("inf"):
        raise ValueError(f"`norm_type` is {norm_type}; it must be finite and at least 1 (towards infinity the norm "
                         "becomes max_pool2d of abs(x))")
    return norm_type


def _norms(x, p, windows):
    return _sums(abs(x) ** p, windows) ** (1 / p)


def _sums(x, windows):
    """Return the sum of each window, first along its columns, then along its rows."""
    kh, kw = windows.kernel_size
    framed = _array.pad(x, windows.frame)
    along_cols = sum(framed[..., windows.at(0, q)[2]] for q in range(kw))
    return sum(along_cols[..., windows.at(p, 0)[1], :] for p in range(kh))


def _spread(shares, windows):
    """Return each pixel's sum over the windows that hold it: the transpose of :func:`_sums`."""
    (kh, kw), (height, width) = windows.kernel_size, windows.framed_size
    along_rows = _array.zeros((*shares.shape[:-2], height, shares.shape[-1]), shares)
    for p in range(kh):
        along_rows[..., windows.at(p, 0)[1], :] += shares
    framed = _array.zeros((*shares.shape[:-2], height, width), shares)
    for q in range(kw):
        framed[..., windows.at(0, q)[2]] += along_rows
    return windows.crop(framed)


def _counts(windows, count_include_pad, like):
    """Return what each window's sum is divided by, (OH, OW)."""
    if not isinstance(count_include_pad, bool):
        raise TypeError(f"`count_include_pad` is {count_include_pad!r}; it must be True or False")
    counts = []
    for size, k, s, before, count in zip(windows.size, windows.kernel_size, windows.stride, windows.padding,
                                         windows.out_size):
        low, high = (-before, size + before) if count_include_pad else (0, size)
        starts = [i * s - before for i in range(count)]
        counts.append([min(start + k, high) - max(start, low) for start in starts])
    rows, cols = (_array.constant(axis, working(like)) for axis in counts)
    return rows[:, None] * cols
