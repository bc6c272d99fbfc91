"""The gradient of the input of a strided convolution: one dense correlation instead of stride^2 thin ones.

With stride s, the s x s phases of the input each meet their own taps of the kernel (strips.backward_x). Taken one by
one, a picture of 3 channels makes products of 3 rows, the worst that BLAS can be asked for. Taken as the
*channels* of one small picture, "space to depth", they make s * s * C rows and read grad_output once:

    pixel (s * i + a, s * j + b) of channel c   =   channel (a, b, c) of pixel (i, j)

The kernel becomes one of ceil(KH / s) x ceil(KW / s) taps, zero where a phase has fewer.
"""

import numpy as np

from cnnlib.conv._tiles import strips
from cnnlib.conv._tiles.memory import empty


def forward(x, weight, problem, out, batch_last):
    """As in strips.py."""
    return strips.forward(x, weight, problem, out, batch_last)


def backward_weight(grad_output, x, problem, grad_weight, batch_last):
    """As in strips.py."""
    return strips.backward_weight(grad_output, x, problem, grad_weight, batch_last)


def backward_x(grad_output, weight, problem, grad_x, batch_last):
    """Write the gradient of the input into `grad_x`; return whether it is finite."""
    (sh, sw), (top, left) = problem.stride, (before for before, _ in problem.padding)
    h, w = problem.x_shape[2:]
    taps = tuple(-(-k // s) for k, s in zip(problem.kernel_size, problem.stride))
    how = strips.Correlation(tuple(1 - t for t in taps), (1, 1), (1, 1), taps, batch_last)
    size = -(-(top + h) // sh) * sh, -(-(left + w) // sw) * sw
    padded = empty((*grad_x.shape[:2], *size), batch_last)
    for grads, ws, to in zip(strips.split(grad_output, problem, 1), strips.split(weight, problem, 0),
                             strips.split(padded, problem, 1)):
        phases = [to[:, :, a::sh, b::sw] for a in range(sh) for b in range(sw)]
        strips.correlate(how, grads, _dense(ws, problem.stride, taps), phases)
    np.copyto(grad_x, padded[:, :, top:top + h, left:left + w])
    return bool(np.isfinite(grad_x.sum()))


def _dense(weight, stride, taps):
    """Return the weights (F, C, KH, KW) as those of all phases, (s * s * C, F, taps), rotated by half a turn."""
    f, c, kh, kw = weight.shape
    padded = np.zeros((f, c, taps[0] * stride[0], taps[1] * stride[1]), np.float32)
    padded[:, :, :kh, :kw] = weight
    by_phase = padded.reshape(f, c, taps[0], stride[0], taps[1], stride[1])[:, :, ::-1, :, ::-1]
    return by_phase.transpose(3, 5, 1, 0, 2, 4).reshape(-1, f, *taps)
