"""Convolution as a product per frequency (Mathieu, Henaff & LeCun, 2014).

The Fourier transform over rows and columns turns a correlation into a product: with a bar for the complex
conjugate, at each frequency

.. math:: \\hat y_{nf} = \\sum_c \\hat x_{nc}\\, \\overline{\\hat w_{fc}}

however large the filter. Image and filter are first filled up with zeros to one size, at which the transform's
wrap-around meets only zeros. A dilated filter is spread out, with zeros between its taps; a stride computes every
position and keeps some. Derived in notebooks/24.

The rounding error is relative to the largest numbers of a whole plane, not of a window. One NaN or infinity would
reach the whole plane: where the result is not finite, ``conv2d`` computes the plain sums instead.

References
----------
M. Mathieu, M. Henaff & Y. LeCun, Fast training of convolutional networks through FFTs, ICLR 2014.
doi:10.48550/arXiv.1312.5851
"""

from functools import cache

from cnnlib import _array
from cnnlib.conv._planes import crop


def forward(x, weight, problem):
    """Correlate the images with the filters, summed over the channels c."""
    images = spectra(by_group(_array.pad(x, problem.padding), problem), problem)  # (..., G, N, C // G)
    filters = spectra(filters_by_group(weight, problem), problem)  # (..., G, F // G, C // G)
    out = maps(images @ filters.conj().swapaxes(-1, -2), problem, like=x)  # (G, N, F // G, H, W)
    return ungroup(every(problem.stride, out, problem.out_size))


def backward_x(grad_output, weight, problem):
    """Convolve the output's gradient with the filters, summed over the filters f."""
    grads = spectra(by_group(spread(grad_output, problem.stride), problem), problem)  # (..., G, N, F // G)
    filters = spectra(filters_by_group(weight, problem), problem)
    return crop(ungroup(maps(grads @ filters, problem, like=grad_output)), problem)


def backward_weight(grad_output, x, problem):
    """Correlate the images with the output's gradient, summed over the images n."""
    images = spectra(by_group(_array.pad(x, problem.padding), problem), problem)
    grads = spectra(by_group(spread(grad_output, problem.stride), problem), problem)
    shifts = maps(grads.conj().swapaxes(-1, -2) @ images, problem, like=x)  # (G, F // G, C // G, H, W)
    return every(problem.dilation, shifts, problem.kernel_size).reshape(problem.weight_shape)


def by_group(x, problem):
    """Return `x` (N, C, H, W) as (G, N, C // G, H, W)."""
    n, c, h, w = x.shape
    return x.reshape(n, problem.groups, c // problem.groups, h, w).swapaxes(0, 1)


def filters_by_group(weight, problem):
    """Return the filters, dilated, as (G, F // G, C // G, rows, cols)."""
    weight = spread(weight, problem.dilation)
    f, depth, rows, cols = weight.shape
    return weight.reshape(problem.groups, f // problem.groups, depth, rows, cols)


def ungroup(x):
    """Return `x` (G, N, C // G, H, W) as (N, C, H, W)."""
    groups, n, c, h, w = x.shape
    return x.swapaxes(0, 1).reshape(n, groups * c, h, w)


def spread(a, step):
    """Return `a` with step - 1 zeros between its neighbours along the last two axes."""
    if step == (1, 1):
        return a
    *outer, rows, cols = a.shape
    out = _array.zeros((*outer, (rows - 1) * step[0] + 1, (cols - 1) * step[1] + 1), like=a)
    out[..., ::step[0], ::step[1]] = a
    return out


def every(step, a, size):
    """Keep every step-th number along the last two axes, `size` (rows, cols) of them: undoes :func:`spread`."""
    return a[..., ::step[0], ::step[1]][..., :size[0], :size[1]]


def spectra(planes, problem):
    """Transform planes (G, A, B, H, W) and bring the frequencies to the front: (rows, cols, G, A, B)."""
    spectrum = _array.rfft2(planes, transform_size(problem))
    return _array.contiguous(_array.permute(spectrum, (3, 4, 0, 1, 2)))


def maps(spectrum, problem, like):
    """Transform (rows, cols, G, A, B) back to planes (G, A, B, H, W) of the padded size, in the dtype of `like`."""
    planes = _array.irfft2(_array.permute(spectrum, (2, 3, 4, 0, 1)), transform_size(problem), _array.dtype_name(like))
    return every((1, 1), planes, problem.padded_size)


def transform_size(problem):
    """Return the padded size (rows, cols), rounded up to products of 2, 3 and 5, which transform fastest."""
    return tuple(_round_up(size) for size in problem.padded_size)


@cache
def _round_up(size):
    """Return the least product of 2, 3 and 5 that is at least `size`."""
    odd = [3**i * 5**k for i in range(size.bit_length()) for k in range(size.bit_length()) if 3**i * 5**k < 2 * size]
    return min(factor << (-(-size // factor) - 1).bit_length() for factor in odd)


def workspace(problem):
    """Return how many numbers are held beside the arguments and the result."""
    rows, cols = transform_size(problem)
    (n, c, _, _), (f, depth, _, _) = problem.x_shape, problem.weight_shape
    return rows * (cols + 2) * (2 * n * c + 3 * f * depth + 2 * n * f)
