"""Convolution as one matrix product: every window becomes a column (Chellapilla, Puri & Simard, 2006).

With the filters as the rows of one matrix and the windows as the columns of another, each output number of
notebooks/20, eq. 3 is a row times a column. The price is memory: a pixel is written once per window that it lies
in, so the columns are about KH * KW times as large as `x` (at stride 1). :func:`cnnlib.conv.conv2d` with
``method="im2col"`` builds them whole; ``method="auto"`` builds them a piece at a time.

References
----------
K. Chellapilla, S. Puri & P. Simard, High performance convolutional neural networks for document processing,
10th International Workshop on Frontiers in Handwriting Recognition, 2006.
"""

from cnnlib import _array
from cnnlib.conv._planes import as_matrices, as_planes, crop, from_planes, tap, taps


def forward(x, weight, problem):
    """Filters as rows times windows as columns."""
    columns = im2col(x, problem)
    out = as_matrices(weight, problem.groups) @ columns  # (G, F // G, N*OH*OW)
    return from_planes(out, problem.out_shape)


def backward_x(grad_output, weight, problem):
    """The transposed product gives the gradient of every column; pixels then add up over their columns."""
    rows = as_matrices(weight, problem.groups)
    columns = rows.swapaxes(1, 2) @ as_planes(grad_output, problem.groups)
    return col2im(columns, problem)


def backward_weight(grad_output, x, problem):
    """Gradient of the output times the transposed columns."""
    columns = im2col(x, problem)
    grad_weight = as_planes(grad_output, problem.groups) @ columns.swapaxes(1, 2)
    return grad_weight.reshape(problem.weight_shape)


def im2col(x, problem):
    """Return all windows of `x` as columns.

    Parameters
    ----------
    x : array of shape (N, C, H, W)
    problem : Problem

    Returns
    -------
    array of shape (G, C // G * KH * KW, N * OH * OW)
        Row (c, p, q) of group g holds what tap (p, q) sees of channel c; column (n, i, j) is one window.
    """
    view = _array.windows(_array.pad(x, problem.padding), problem.kernel_size, problem.stride, problem.dilation)
    n, _, oh, ow, kh, kw = view.shape
    groups, depth = problem.groups, problem.weight_shape[1]
    view = _array.permute(view, (1, 4, 5, 0, 2, 3))  # (C, KH, KW, N, OH, OW)
    return view.reshape(groups, depth * kh * kw, n * oh * ow)  # the reshape copies


def col2im(columns, problem):
    """Add the columns back to where :func:`im2col` took them from: its adjoint, not its inverse.

    Returns
    -------
    array of shape (N, C, H, W)
    """
    n, c = problem.x_shape[:2]
    padded = _array.zeros((n, c, *problem.padded_size), like=columns)
    columns = columns.reshape(c, *problem.kernel_size, n, *problem.out_size)
    for p, q in taps(problem):
        pixels = tap(padded, p, q, problem)
        pixels += columns[:, p, q].swapaxes(0, 1)
    return crop(padded, problem)


def workspace(problem):
    """Return how many numbers are held beside the arguments and the result."""
    n, f, oh, ow = problem.out_shape
    c, (h, w), (kh, kw) = problem.x_shape[1], problem.padded_size, problem.kernel_size
    return n * (c * h * w + c * kh * kw * oh * ow + f * oh * ow)
