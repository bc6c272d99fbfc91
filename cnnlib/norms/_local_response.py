"""Local response norm: a strong channel dampens its neighbours."""

from cnnlib._arguments import check_grad_output, checked
from cnnlib._array import as_dtype, dtype_name, quietly, working
from cnnlib.geometry import as_int


@quietly
def local_response_norm(x, size, alpha=1e-4, beta=0.75, k=1.0):
    """Divide each number by a power of the squares around it, in `size` neighbouring channels at the same place.

    .. math:: y_c = x_c \\Big/ \\Big(k + \\frac{\\alpha}{n} \\sum_{j=c - \\lfloor n/2 \\rfloor}
              ^{c + \\lfloor (n-1)/2 \\rfloor} x_j^2\\Big)^{\\beta}

    with n the size; channels that do not exist count as 0.

    Parameters
    ----------
    x : array of shape (N, C, ...), of at least three axes
    size : int, in channels
    alpha, beta, k : float

    Returns
    -------
    array of x's shape, dtype and memory order

    Raises
    ------
    ValueError, TypeError
        x has fewer than three axes, or holds integers; `size` is no whole number of at least 1.

    Notes
    -----
    As torch.nn.functional.local_response_norm, which divides alpha by n. The paper does not: its k = 2, n = 5,
    alpha = 1e-4, beta = 0.75 are ``size=5, alpha=5e-4, beta=0.75, k=2`` here.

    References
    ----------
    .. [1] Krizhevsky, Sutskever & Hinton, ImageNet classification with deep convolutional neural networks,
       NIPS 2012, section 3.3. doi:10.1145/3065386 (reprint)

    Examples
    --------
    >>> import numpy as np
    >>> local_response_norm(np.array([[[3.0], [4.0]]]), size=2, alpha=2, beta=0.5, k=0)
    array([[[1. ],
            [0.8]]])
    """
    x, size = _checked(x, size)
    scale = _scale(working(x), size, alpha, k)
    return as_dtype(working(x) * scale**-beta, dtype_name(x))


@quietly
def local_response_norm_backward(grad_output, x, size, alpha=1e-4, beta=0.75, k=1.0):
    """Return the gradient of x.

    A number acts on its own output, and on the outputs of all channels in whose neighbourhood it lies:

    .. math:: g_j\\, D_j^{-\\beta} - \\frac{2 \\alpha \\beta}{n}\\, x_j \\sum_{c:\\, j \\text{ near } c}
              g_c\\, x_c\\, D_c^{-\\beta - 1}

    with D the bracket in :func:`local_response_norm`.
    """
    x, size, grad_output = _checked(x, size, grad_output=grad_output)
    check_grad_output(grad_output, x.shape)
    grad_output, x, dtype = working(grad_output), working(x), dtype_name(x)
    scale = _scale(x, size, alpha, k)
    direct = grad_output * scale**-beta
    near = _sum_of_neighbours(direct * x / scale, before=(size - 1) // 2, after=size // 2)  # seen from the other side
    return as_dtype(direct - 2 * alpha * beta / size * x * near, dtype)


def _scale(x, size, alpha, k):
    """Return D, what a power of divides x."""
    return k + alpha / size * _sum_of_neighbours(x * x, before=size // 2, after=(size - 1) // 2)


def _sum_of_neighbours(a, before, after):
    """Return, for each channel of `a` (N, C, ...), the sum over the channels from `before` it to `after` it."""
    channels = a.shape[1]
    total = a * 1
    for offset in range(max(-before, 1 - channels), min(after, channels - 1) + 1):
        if offset:
            total[:, max(-offset, 0):channels - max(offset, 0)] += a[:, max(offset, 0):channels - max(-offset, 0)]
    return total


def _checked(x, size, **more):
    x, *more = checked("local_response_norm", x=x, **more)
    if x.ndim < 3:
        raise ValueError(f"`x` has shape {tuple(x.shape)}; it must be (N, C, ...) with at least three axes")
    return x, as_int("size", size, 1), *more
