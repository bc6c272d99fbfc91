"""Convolution of NumPy float32 arrays, tuned for caches and two threads (`cnnlib/_threads.py`). Each file is one idea.

| file | idea | for |
|---|---|---|
| chosen.py | which of the ideas below, and why | |
| memory.py | both memory orders under one set of names | all |
| whole.py | im2col of the whole batch, in the fewest calls | few windows: small maps, many groups, last layers |
| strips.py | im2col along one axis; along the other it is a view | every problem |
| columns.py | im2col in blocks, the pixels sorted by phase first | a stride, and few taps |
| space_to_depth.py | all phases of a stride in one product | gradient of a strided input |
| innermost.py | turned over, small pictures are copied in long runs | small pictures in big batches |
| pointwise.py | a picture is a matrix already | 1x1, stride 1, no padding |
| winograd.py | four times fewer multiplications, in tiles that stay in cache | 3x3, stride 1 |
| winograd_transforms.py | how those tiles are moved and transformed | |
| steps.py | calls of NumPy written down first, so that threads need little Python | innermost, winograd |

The functions take and return what every method does (`cnnlib/conv/_problem.py`), in float32, and work in the
memory order of their first argument. ``exact=True`` leaves Winograd out; `exact` is a namespace of the same functions
with that said.
"""

from functools import partial
from types import SimpleNamespace

import numpy as np

from cnnlib._array import is_batch_innermost
from cnnlib._threads import one_blas_thread
from cnnlib.conv import shifted
from cnnlib.conv._tiles import memory
from cnnlib.conv._tiles.chosen import choose, method

__all__ = ["backward", "backward_weight", "backward_x", "choose", "exact", "forward"]


@one_blas_thread()
def forward(x, weight, problem, exact=False):
    """Return the convolution, (N, F, OH, OW)."""
    batch_last = is_batch_innermost(x)
    out = memory.empty(problem.out_shape, batch_last)
    if not method(problem, exact).forward(x, weight, problem, out, batch_last):
        np.copyto(out, shifted.forward(x, weight, problem))
    return out


@one_blas_thread()
def backward_x(grad_output, weight, problem, exact=False):
    """Return the gradient of x, (N, C, H, W)."""
    batch_last = is_batch_innermost(grad_output)
    grad_x = memory.empty(problem.x_shape, batch_last)
    if not method(problem, exact).backward_x(grad_output, weight, problem, grad_x, batch_last):
        np.copyto(grad_x, shifted.backward_x(grad_output, weight, problem))
    return grad_x


@one_blas_thread()
def backward_weight(grad_output, x, problem, exact=False):
    """Return the gradient of the weights, (F, C // groups, KH, KW)."""
    grad_weight = np.empty(problem.weight_shape, np.float32)
    if not method(problem, exact).backward_weight(grad_output, x, problem, grad_weight, is_batch_innermost(x)):
        np.copyto(grad_weight, shifted.backward_weight(grad_output, x, problem))
    return grad_weight


@one_blas_thread()
def backward(grad_output, x, weight, problem, exact=False):
    """Return the gradients of x and of the weights, sharing work where the method can."""
    joint = getattr(method(problem, exact), "backward", None)
    if joint is not None:
        batch_last = is_batch_innermost(grad_output)
        grad_x = memory.empty(problem.x_shape, batch_last)
        grad_weight = np.empty(problem.weight_shape, np.float32)
        if joint(grad_output, x, weight, problem, grad_x, grad_weight, batch_last):
            return grad_x, grad_weight
    return backward_x(grad_output, weight, problem, exact), backward_weight(grad_output, x, problem, exact)


exact = SimpleNamespace(**{function.__name__: partial(function, exact=True)
                           for function in (forward, backward_x, backward_weight, backward)})
