"""A batch of feature maps as matrices: what turns a convolution into matrix products.

``planes`` lays the images side by side: one row per channel, one column per position (n, i, j). With groups
there is one such matrix per group; everything then is a product of stacks of matrices.
"""

from math import prod


def as_planes(x, groups):
    """Return `x` (N, C, H, W) as (G, C // G, N*H*W)."""
    n, c, h, w = x.shape
    return x.swapaxes(0, 1).reshape(groups, c // groups, n * h * w)


def from_planes(planes, shape):
    """Return planes (G, F // G, N*H*W) as maps of `shape` (N, F, H, W): the inverse of :func:`as_planes`."""
    n, f, h, w = shape
    return planes.reshape(f, n, h, w).swapaxes(0, 1)


def as_matrices(weight, groups):
    """Return `weight` (F, C // G, ...) as (G, F // G, everything else): the filters as rows."""
    f, *rest = weight.shape
    return weight.reshape(groups, f // groups, prod(rest))


def tap(x, p, q, problem):
    """View the pixels of padded `x` that tap (p, q) of the filter touches, one for each output position.

    Returns a view of shape (N, C, OH, OW): ``x[n, c, stride*i + dilation*p, stride*j + dilation*q]``.
    """
    rows, cols = (slice(d * k, d * k + s * (size - 1) + 1, s)
                  for d, k, s, size in zip(problem.dilation, (p, q), problem.stride, problem.out_size))
    return x[:, :, rows, cols]


def taps(problem):
    """Yield every position (p, q) in the filter."""
    kh, kw = problem.kernel_size
    for p in range(kh):
        for q in range(kw):
            yield p, q


def crop(padded, problem):
    """View the image inside its padding: the adjoint of padding with zeros."""
    (top, _), (left, _) = problem.padding
    h, w = problem.x_shape[2:]
    return padded[:, :, top:top + h, left:left + w]
