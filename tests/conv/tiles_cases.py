"""What the tests of the tuned bodies share: one problem for each idea, the definition, and all that is computed."""

import numpy as np

from cnnlib.conv import _tiles, shifted
from cnnlib.conv._tiles import columns, innermost, pointwise, space_to_depth, strips, winograd

IDEAS = {
    "winograd tiles": ((5, 16, 13, 10), (17, 16, 3, 3), 1, 1, winograd),
    "pointwise": ((3, 5, 9, 7), (6, 5, 1, 1), 1, 0, pointwise),
    "space to depth": ((2, 3, 30, 31), (5, 3, 7, 5), (3, 2), 2, space_to_depth),
    "batch innermost": ((20, 2, 12, 11), (5, 2, 5, 3), 1, 2, innermost),
    "columns": ((2, 4, 13, 12), (6, 4, 3, 2), (1, 2), ((2, 0), (1, 3)), columns),
    "strips": ((2, 4, 13, 12), (6, 4, 3, 2), 1, ((2, 0), (1, 3)), strips),
}


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
