"""Convolution by torch's own code: oneDNN on a CPU, cuDNN on an NVIDIA GPU. What everyone uses in the end.

Takes NumPy arrays too, where torch is installed: they are handed over without a copy. torch may answer with any
algorithm, Winograd included, and on a GPU in TF32 (``torch.backends.cudnn.allow_tf32``).

Half precision is summed in float32: on a GPU by cuDNN, after which torch rounds, adds the bias and rounds again; on a
CPU it is converted first, for torch's own sums there are rounded on the way (of 3600 ones in float16, to 2048).
"""

import numpy as np

from cnnlib import _array
from cnnlib._array import COMPUTE_DTYPE
from cnnlib.conv._planes import crop


def forward(x, weight, problem, bias=None):
    """torch.nn.functional.conv2d, bias and all. Uneven padding, which torch does not know, is added first."""
    functional = _torch().nn.functional
    padded, padding = _pad_if_uneven(_tensor(x), problem)
    return _like(x, functional.conv2d(padded, _tensor(weight), None if bias is None else _tensor(bias),
                                      problem.stride, padding, problem.dilation, problem.groups))


def backward_x(grad_output, weight, problem):
    """torch.nn.grad.conv2d_input: what its autograd runs."""
    shape, padding = problem.x_shape, _even(problem)
    if padding is None:
        shape, padding = (*shape[:2], *problem.padded_size), (0, 0)
    grad = _torch().nn.grad.conv2d_input(shape, _tensor(weight), _tensor(grad_output), problem.stride, padding,
                                         problem.dilation, problem.groups)
    return _like(grad_output, grad if _even(problem) else crop(grad, problem))


def backward_weight(grad_output, x, problem):
    """torch.nn.grad.conv2d_weight: what its autograd runs."""
    padded, padding = _pad_if_uneven(_tensor(x), problem)
    return _like(x, _torch().nn.grad.conv2d_weight(padded, problem.weight_shape, _tensor(grad_output),
                                                   problem.stride, padding, problem.dilation, problem.groups))


def _torch():
    try:
        import torch
    except ImportError:
        raise ImportError("method='library' is torch's own convolution, and torch is not installed: "
                          "`pip install torch`, or use method='auto'") from None
    return torch


def _even(problem):
    """Return the padding as torch writes it, (rows, cols), or None where the two sides differ."""
    (top, bottom), (left, right) = problem.padding
    return (top, left) if (top, left) == (bottom, right) else None


def _pad_if_uneven(x, problem):
    padding = _even(problem)
    return (x, padding) if padding is not None else (_array.pad(x, problem.padding), (0, 0))


def _tensor(a):
    """Return `a` as a tensor, half precision on a CPU as float32.

    torch can share a NumPy array's memory if it may write there and steps forwards by whole numbers.
    """
    if not _array.is_torch(a):
        shareable = a.flags.writeable and a.flags.aligned and all(
            step >= 0 and step % a.itemsize == 0 for step in a.strides)
        a = _torch().from_numpy(a if shareable else np.array(a))
    return _array.as_dtype(a, COMPUTE_DTYPE[_array.dtype_name(a)]) if _array.device(a) == "cpu" else a


def _like(a, tensor):
    """Return `tensor` in the library and dtype of `a`."""
    tensor = _array.as_dtype(tensor, _array.dtype_name(a))
    return tensor if _array.is_torch(a) else tensor.numpy()


def workspace(problem):
    """Return 0: torch does not say what it holds."""
    return 0
