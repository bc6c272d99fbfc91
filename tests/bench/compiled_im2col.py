"""The rival of other courses: im2col in compiled C around a NumPy matrix product. For the benchmark only."""

import ctypes
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import numpy as np

CHUNK = 2**20  # numbers of the columns made at once: a few images, 4 MiB


class Sizes(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int) for name in (
        "n", "channels", "height", "width", "kernel_rows", "kernel_cols", "out_rows", "out_cols", "stride", "padding")]


@cache
def library():
    """Compile im2col.c for this machine and load it, or return None where there is no gcc."""
    if shutil.which("gcc") is None:
        return None
    target = Path(tempfile.mkdtemp()) / "im2col.so"
    source = Path(__file__).with_name("im2col.c")
    subprocess.run(["gcc", "-O3", "-march=native", "-shared", "-fPIC", source, "-o", target], check=True)
    return ctypes.CDLL(str(target))


def forward(x, weight, stride, padding):
    """Return the convolution of x (N, C, H, W) with weight (F, C, KH, KW)."""
    f, out_size = len(weight), _out_size(x, weight, stride, padding)
    out = np.empty((len(x), f, *out_size), np.float32)
    matrix = weight.reshape(f, -1)
    for some, columns in _columns(x, weight, stride, padding):
        product = matrix @ columns
        out[some] = product.reshape(f, -1, *out_size).swapaxes(0, 1)
    return out


def backward(grad_output, x, weight, stride, padding):
    """Return the gradients of x, weight and bias."""
    f, matrix = len(weight), weight.reshape(len(weight), -1)
    grad_x, grad_weight = np.zeros_like(x), np.zeros_like(matrix)
    for some, columns in _columns(x, weight, stride, padding):
        grads = np.ascontiguousarray(grad_output[some].swapaxes(0, 1)).reshape(f, -1)
        grad_weight += grads @ columns.T
        shares = matrix.T @ grads
        library().col2im(_pointer(shares), _pointer(grad_x[some]),
                         ctypes.byref(_sizes(x[some], weight, stride, padding)))
    return grad_x, grad_weight.reshape(weight.shape), grad_output.sum((0, 2, 3))


def _columns(x, weight, stride, padding):
    """Yield (slice of the batch, its columns)."""
    places = int(np.prod(_out_size(x, weight, stride, padding)))
    depth = weight[0].size
    step = max(1, CHUNK // (depth * places))
    for k in range(0, len(x), step):
        some = slice(k, k + step)
        images = np.ascontiguousarray(x[some])
        columns = np.empty((depth, len(images) * places), np.float32)
        library().im2col(_pointer(images), _pointer(columns), ctypes.byref(_sizes(images, weight, stride, padding)))
        yield some, columns


def _sizes(x, weight, stride, padding):
    return Sizes(*x.shape, *weight.shape[2:], *_out_size(x, weight, stride, padding), stride, padding)


def _out_size(x, weight, stride, padding):
    return tuple((size + 2 * padding - k) // stride + 1 for size, k in zip(x.shape[2:], weight.shape[2:]))


def _pointer(array):
    return array.ctypes.data_as(ctypes.c_void_p)
