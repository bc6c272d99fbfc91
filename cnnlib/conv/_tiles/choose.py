"""Which idea computes a problem. The numbers are measured (`tests/bench/conv.md`), not derived."""

from cnnlib.conv._tiles import strips, winograd

WINOGRAD_CHANNELS = 16  # fewer, on either side, and transforming costs more than multiplying


def choose(problem, exact=False, batch_innermost=False):
    """Return the name of the idea that :func:`method` stands for, and the reason for it."""
    del batch_innermost  # the same ideas serve both orders
    if _is_for_winograd(problem, exact):
        return "winograd tiles", "3x3 at stride 1 with many channels: Winograd multiplies 4 times less"
    return "strips", "im2col along one axis only, in blocks that fit the cache"


def method(problem, exact=False):
    """Return the module that computes the problem."""
    return winograd if _is_for_winograd(problem, exact) else strips


def _is_for_winograd(problem, exact):
    if exact or problem.groups > 1:
        return False
    if (problem.kernel_size, problem.stride, problem.dilation) != ((3, 3), (1, 1), (1, 1)):
        return False
    return min(problem.weight_shape[:2]) >= WINOGRAD_CHANNELS and min(problem.out_size) >= 4
