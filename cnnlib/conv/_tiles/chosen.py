"""Which idea computes a problem. The numbers are set from timings of a few shapes, not derived."""

from functools import lru_cache
from math import prod

from cnnlib.conv._tiles import columns, innermost, pointwise, space_to_depth, strips, whole, winograd

WHOLE_COLUMNS = 2**16  # numbers, of a group: with more, cutting columns up costs less than the cache then spares
MAX_COLUMNS = 2**22  # numbers of all groups: 16 MiB
WINOGRAD_CHANNELS = 16  # fewer, on either side, and transforming costs more than multiplying
WINOGRAD_WEIGHTS = 2**16  # filters times channels: transformed kernels are four times larger, held up to three times
COLUMN_TAPS = 16  # of a strided kernel: with more, im2col's copies cost more than its wide products save
DENSE_WEIGHTS = 2**20  # weights of a strided convolution: space to depth fills them up with zeros


def choose(problem, exact=False, batch_innermost=False):
    """Return the name of the idea that :func:`method` stands for, and the reason for it."""
    del batch_innermost  # the same ideas serve both orders
    return REASONS[method(problem, exact)]


@lru_cache(256)  # a training loop asks of the same few problems thousands of times
def method(problem, exact=False):
    """Return the module that computes the problem."""
    if _is_for_whole(problem):
        return whole
    if _is_pointwise(problem):
        return pointwise
    if not exact and _is_for_winograd(problem):
        return winograd
    if _is_for_innermost(problem):
        return innermost
    if _is_for_columns(problem):
        return columns
    if _is_for_space_to_depth(problem):
        return space_to_depth
    return strips


REASONS = {
    winograd: ("winograd tiles", "3x3 at stride 1 with many channels: Winograd multiplies 4 times less"),
    whole: ("whole batch", "few windows: im2col of all samples and groups at once, in the fewest calls"),
    pointwise: ("pointwise", "1x1: each picture is a matrix already, nothing to copy"),
    space_to_depth: ("space to depth", "strided: im2col along one axis; grad_x by one dense product for all phases"),
    innermost: ("batch innermost", "small pictures in a big batch: turned over, they are copied in long runs"),
    columns: ("columns", "strided, few taps: im2col in blocks, the pixels sorted by phase first"),
    strips: ("strips", "im2col along one axis only, in blocks that fit the cache"),
}


def _is_for_whole(problem):
    n, c, *_ = problem.x_shape
    if n == 1 and _is_pointwise(problem):
        return False
    padded, columns = prod(problem.padded_size), prod(problem.out_size) * prod(problem.kernel_size)
    few = min(problem.groups * WHOLE_COLUMNS, MAX_COLUMNS)
    # Fewer numbers than there are weights are few, too: reading those is then the work.
    return n * c * max(padded, columns) <= max(few, prod(problem.weight_shape))


def _is_pointwise(problem):
    return problem.kernel_size == problem.stride == (1, 1) and not any(map(any, problem.padding))


def _is_for_winograd(problem):
    f, c = problem.weight_shape[:2]
    if problem.groups > 1 or min(f, c) < WINOGRAD_CHANNELS or f * c > WINOGRAD_WEIGHTS or min(problem.out_size) < 4:
        return False
    if max(map(max, problem.padding)) > 2:  # then the gradient's tiles, which cover x, would miss some of its windows
        return False
    return (problem.kernel_size, problem.stride, problem.dilation) == ((3, 3), (1, 1), (1, 1))


def _is_for_innermost(problem):
    n, _, height, width = problem.x_shape
    f, depth = problem.weight_shape[:2]
    return n >= 16 and height * width <= 32**2 and depth <= 16 and f <= 64 * problem.groups


def _is_for_columns(problem):
    return problem.stride != (1, 1) and prod(problem.kernel_size) <= COLUMN_TAPS


def _is_for_space_to_depth(problem):
    if problem.dilation != (1, 1) or problem.stride == (1, 1) or prod(problem.weight_shape) > DENSE_WEIGHTS:
        return False
    return min(problem.kernel_size) > max(problem.stride)
