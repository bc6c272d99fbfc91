"""Convolution as one matrix product per filter tap, on the image shifted by that tap.

The sum over c, p, q of notebooks/20, eq. 3 can be done in two steps: for one tap (p, q), the channels of the
whole shifted image are mixed by the matrix ``weight[:, :, p, q]``; then the KH * KW mixed images are added. No
window is ever written out, so the extra memory is about one copy of `x` and one of the result.
"""

from cnnlib import _array
from cnnlib.conv._planes import as_matrices, as_planes, crop, from_planes, tap, taps


def forward(x, weight, problem):
    """Sum over the taps: weights of the tap times the shifted image."""
    x = _array.pad(x, problem.padding)
    out = _array.zeros(problem.out_shape, like=x)
    for p, q in taps(problem):
        shifted = as_planes(tap(x, p, q, problem), problem.groups)
        out += from_planes(as_matrices(weight[:, :, p, q], problem.groups) @ shifted, problem.out_shape)
    return out


def backward_x(grad_output, weight, problem):
    """Each tap sends the output's gradient back to where its pixels came from."""
    n, c = problem.x_shape[:2]
    grad_planes = as_planes(grad_output, problem.groups)
    grad_padded = _array.zeros((n, c, *problem.padded_size), like=grad_output)
    for p, q in taps(problem):
        mix = as_matrices(weight[:, :, p, q], problem.groups).swapaxes(1, 2)
        pixels = tap(grad_padded, p, q, problem)
        pixels += from_planes(mix @ grad_planes, (n, c, *problem.out_size))
    return crop(grad_padded, problem)


def backward_weight(grad_output, x, problem):
    """Each tap's weights: the output's gradient times the shifted image, summed over all positions."""
    x = _array.pad(x, problem.padding)
    grad_planes = as_planes(grad_output, problem.groups)
    grad_weight = _array.zeros(problem.weight_shape, like=grad_output)
    for p, q in taps(problem):
        shifted = as_planes(tap(x, p, q, problem), problem.groups)
        grad_weight[:, :, p, q] = (grad_planes @ shifted.swapaxes(1, 2)).reshape(problem.weight_shape[:2])
    return grad_weight


def workspace(problem):
    """Return how many numbers are held beside the arguments and the result."""
    n, f, oh, ow = problem.out_shape
    c, (h, w) = problem.x_shape[1], problem.padded_size
    return n * (c * h * w + (c + f) * oh * ow)
