"""Convolution by its definition: every output number is a window times a filter, summed.

.. math:: y_{nfij} = b_f + \\sum_{c,p,q} w_{fcpq}\\, x_{n,\\,c,\\,si+dp,\\,sj+dq}

(notebooks/20, eq. 3; x padded with zeros, s the stride, d the dilation, b added by the caller.) One turn of the
loops per output number f, i, j; the images n go through it together. Python needs some microseconds for each turn,
so this is for small cases, and for checking the others. Its extra memory is one padded copy of `x`, and the products
of one window in every image: as much again for a filter as large as the image.
"""

from itertools import product
from math import prod

from cnnlib import _array
from cnnlib.conv._planes import crop


def forward(x, weight, problem):
    """Return the sum over c, p, q for every output number (n, f, i, j)."""
    x = _array.pad(x, problem.padding)
    out = _array.zeros(problem.out_shape, like=x)
    for f, i, j in positions(problem):
        window = x[window_at(f, i, j, problem)]  # (N, C // groups, KH, KW)
        out[:, f, i, j] = (window * weight[f]).sum(axis=(1, 2, 3))
    return out


def backward_x(grad_output, weight, problem):
    """Every pixel collects the gradient of each output that it helped to make, times the weight it met there."""
    n, c = problem.x_shape[:2]
    grad_padded = _array.zeros((n, c, *problem.padded_size), like=grad_output)
    for f, i, j in positions(problem):
        grad_padded[window_at(f, i, j, problem)] += grad_output[:, f, i, j][:, None, None, None] * weight[f]
    return crop(grad_padded, problem)


def backward_weight(grad_output, x, problem):
    """Every weight collects the gradient of each output that it helped to make, times the pixel it met there."""
    x = _array.pad(x, problem.padding)
    grad_weight = _array.zeros(problem.weight_shape, like=grad_output)
    for f, i, j in positions(problem):
        window = x[window_at(f, i, j, problem)]
        grad_weight[f] += (grad_output[:, f, i, j][:, None, None, None] * window).sum(axis=0)
    return grad_weight


def positions(problem):
    """Yield every output position: filter f, row i, column j."""
    _, filters, rows, cols = problem.out_shape
    return product(range(filters), range(rows), range(cols))


def window_at(f, i, j, problem):
    """Return the index of the window, in padded x, that output (f, i, j) is computed from."""
    filters, depth, kh, kw = problem.weight_shape
    (sh, sw), (dh, dw) = problem.stride, problem.dilation
    first = f // (filters // problem.groups) * depth  # filter f sees only the channels of its group
    return (slice(None), slice(first, first + depth),
            slice(sh * i, sh * i + dh * (kh - 1) + 1, dh), slice(sw * j, sw * j + dw * (kw - 1) + 1, dw))


def workspace(problem):
    """Return how many numbers are held beside the arguments and the result."""
    n, c = problem.x_shape[:2]
    return n * (c * prod(problem.padded_size) + prod(problem.weight_shape[1:]))
