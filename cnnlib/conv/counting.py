"""How many multiplications each way of convolving does: what is saved on paper, before anything is timed."""

from math import log2

from cnnlib.conv import fft, winograd
from cnnlib.conv._problem import make_problem


def multiplications(x_shape, weight_shape, stride=1, padding=0, dilation=1, groups=1, *, method="im2col"):
    """Return how many multiplications of real numbers a method does for one convolution.

    Parameters
    ----------
    x_shape : (N, C, H, W) or (C, H, W)
    weight_shape : (F, C // groups, KH, KW)
    stride, padding, dilation, groups
        As in :func:`cnnlib.conv.conv2d`.
    method : {"loops", "im2col", "shifted", "implicit_gemm", "fft", "winograd"}

    Returns
    -------
    int
        What is done once per filter, its transform, is not counted.

    Notes
    -----
    The first four multiply every weight once per output position. "winograd" multiplies (tile + 2)^2 numbers per
    tile and pair of channels, here F(2x2, 3x3), whose own transforms only add. "fft" counts 4 for the product of
    two complex numbers, and N log2 N for the transform of a plane of N real ones; a transform of real numbers
    has H * (W // 2 + 1) waves that differ. Stride and dilation save it nothing.

    Examples
    --------
    >>> for method in ("im2col", "fft", "winograd"):
    ...     print(method, multiplications((64, 28, 28), (64, 64, 3, 3), padding=1, method=method))
    im2col 28901376
    fft 8994868
    winograd 12845056
    """
    x_shape = tuple(x_shape)
    problem = make_problem((1, *x_shape) if len(x_shape) == 3 else x_shape, weight_shape, stride, padding, dilation,
                           groups)
    if method in ("loops", "im2col", "shifted", "implicit_gemm"):
        return problem.multiply_adds
    (n, c, _, _), (f, depth, _, _) = problem.x_shape, problem.weight_shape
    if method == "winograd":
        rows, cols = winograd.input_tiling(problem, 2).out_size
        return 16 * n * rows * cols * f * depth
    if method == "fft":
        rows, cols = fft.transform_size(problem)
        products = 4 * rows * (cols // 2 + 1) * n * f * depth
        return products + round(n * (c + f) * rows * cols * log2(rows * cols))
    raise ValueError(f"`method` is {method!r}; it must be loops, im2col, shifted, implicit_gemm, fft or winograd")
