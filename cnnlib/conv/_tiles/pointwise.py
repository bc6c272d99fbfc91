"""1x1 convolutions: each picture is a matrix of C rows already, so nothing is copied.

Forward mixes the channels, ``out[n] = weight (F, C) @ x[n] (C, H * W)``, and the gradients are the other two products
of the same three matrices. With the batch innermost the whole batch is one such matrix. Either is cut into
columns, for the cache and so that there is work for two threads.
"""

import numpy as np

from cnnlib._threads import run_all, scratch
from cnnlib.conv._tiles.memory import boxes
from cnnlib.conv._tiles.strips import split

WIDTH = 1024  # columns of one product


def forward(x, weight, problem, out, batch_last):
    """Write the convolution of `x` with `weight` into `out`; return True: it is what the definition gives."""
    for xs, ws, outs in zip(split(x, problem, 1), split(weight, problem, 0), split(out, problem, 1)):
        _mix(ws[:, :, 0, 0], xs, outs, batch_last)
    return True


def backward_x(grad_output, weight, problem, grad_x, batch_last):
    """Write the gradient of the input into `grad_x`; return True."""
    for grads, ws, grad_xs in zip(split(grad_output, problem, 1), split(weight, problem, 0), split(grad_x, problem, 1)):
        _mix(ws[:, :, 0, 0].T, grads, grad_xs, batch_last)
    return True


def backward_weight(grad_output, x, problem, grad_weight, batch_last):
    """Write the gradient of the weights into `grad_weight`, the sum of two fixed halves of the work; return True."""
    for grads, xs, grad_ws in zip(split(grad_output, problem, 1), split(x, problem, 1), split(grad_weight, problem, 0)):
        pieces = list(zip(_pieces(grads, batch_last), _pieces(xs, batch_last)))
        _sum_products(pieces, grad_ws[:, :, 0, 0])
    return True


def _sum_products(pieces, out):
    sums = np.zeros((2, *out.shape), np.float32)
    run_all(lambda half: _add_products(pieces[half::2], sums[half]), range(2))
    np.add(sums[0], sums[1], out=out)


def _mix(weights, x, out, batch_last):
    """Write weights @ x, columns by columns."""
    jobs = list(zip(_pieces(x, batch_last), _pieces(out, batch_last)))
    run_all(lambda job: np.matmul(weights, job[0], out=job[1]), jobs)


def _add_products(pieces, total):
    product = scratch("sum", total.shape)
    for grad, pixels in pieces:
        np.matmul(grad, pixels.T, out=product)
        total += product


def _pieces(x, batch_last):
    """Return x (N, C, H, W) as matrices of C rows and at most WIDTH columns; views, where memory allows it."""
    matrices = [x.transpose(1, 2, 3, 0)] if batch_last else x
    return [matrix[:, cols] for matrix in (m.reshape(len(m), m[0].size) for m in matrices)
            for cols, in boxes((matrix.shape[1], WIDTH))]
