"""What the tests of the tuned bodies share: one problem for each idea, the definition, and all that is computed."""

from contextlib import contextmanager
from unittest import mock

import numpy as np

from cnnlib.conv import _tiles, shifted
from cnnlib.conv._tiles import chosen, columns, innermost, pointwise, space_to_depth, strips, whole, winograd

IDEAS = {
    "whole batch": ((2, 4, 13, 12), (6, 4, 3, 2), (1, 2), ((2, 0), (1, 3)), whole),
    "winograd tiles": ((5, 16, 13, 10), (17, 16, 3, 3), 1, 1, winograd),
    "pointwise": ((3, 5, 70, 67), (6, 5, 1, 1), 1, 0, pointwise),
    "space to depth": ((5, 3, 30, 31), (5, 3, 7, 5), (3, 2), 2, space_to_depth),
    "batch innermost": ((20, 2, 12, 11), (5, 2, 5, 3), 1, 2, innermost),
    "columns": ((2, 4, 60, 61), (6, 4, 3, 2), (1, 2), ((2, 0), (1, 3)), columns),
    "strips": ((2, 4, 40, 41), (6, 4, 3, 2), 1, ((2, 0), (1, 3)), strips),
}


@contextmanager
def however_few():
    """In a ``with``: small problems go to the ideas for large ones, too."""
    with mock.patch.object(chosen, "_is_for_whole", lambda problem: False):
        chosen.method.cache_clear()
        yield
    chosen.method.cache_clear()


def expected(x, weight, grad_output, problem):
    """Return the definition's forward, grad_x and grad_weight in double precision."""
    x, weight, grad_output = (a.astype(np.float64) for a in (x, weight, grad_output))
    return (shifted.forward(x, weight, problem), shifted.backward_x(grad_output, weight, problem),
            shifted.backward_weight(grad_output, x, problem))


def computed(x, weight, grad_output, problem, exact=False):
    """Return what the tuned bodies say, the gradients both one by one and together."""
    out = _tiles.forward(x, weight, problem, exact)
    grads = (_tiles.backward_x(grad_output, weight, problem, exact),
             _tiles.backward_weight(grad_output, x, problem, exact))
    return out, *grads, *_tiles.backward(grad_output, x, weight, problem, exact)


def draw_arrays(rng, problem):
    return tuple(rng.standard_normal(shape).astype(np.float32)
                 for shape in (problem.x_shape, problem.weight_shape, problem.out_shape))


def numbers_of_a_kind(kind, rng, x_shape, weight_shape):
    """Return float32 x and weight that ask a 3x3 convolution for care, each in its own way."""
    x, weight = rng.standard_normal(x_shape), rng.standard_normal(weight_shape)
    if kind == "cancelling":  # products near 1 that add up to a thousandth
        x, weight = 1 + x / 1000, weight - weight.mean((1, 2, 3), keepdims=True)
    elif kind == "one sign":  # nothing cancels
        x, weight = abs(x), abs(weight)
    elif kind == "signs":
        x = np.sign(x)
    elif kind == "spike":
        x[:, :, 8, 8] *= 1e6
    elif kind == "worst":  # two pixels up, two down: adds up in Winograd's transforms; the filters' edges lie along it
        wave = np.array([1, 1, -1, -1])
        rows, cols = (wave[np.arange(size) % 4] for size in x_shape[2:])
        x, weight = rows[:, None] * cols * (1 + abs(x) / 100), abs(weight) * np.outer([1, 0, -1], [1, 0, -1])
    return x.astype(np.float32), weight.astype(np.float32)


def largest_in(x, problem, size, step=1):
    """Return the largest |x| that each output's window of `size` pixels meets, (N, 1, OH, OW).

    Windows begin at every `step`-th output and serve `step` outputs along each side: tiles of 6 at a step of 4.
    """
    beyond = [(before, after + size) for before, after in problem.padding]
    peaks = np.pad(abs(x).max(axis=1), ((0, 0), *beyond))
    windows = np.lib.stride_tricks.sliding_window_view(peaks, (size, size), axis=(1, 2))[:, ::step, ::step]
    rows, cols = problem.out_size
    return windows.max((-1, -2)).repeat(step, axis=1).repeat(step, axis=2)[:, None, :rows, :cols]
