"""Convolution, in every way that the course teaches it.

"Convolution" here is what torch and every deep-learning library mean by it: *cross-correlation*. The filter is
laid on the image as it is, not flipped. :func:`correlate2d` on one picture, :func:`conv2d` on a batch with
channels, and their kin are the public functions; each method is a file of its own, read with
``notebook.source(conv.im2col)``:

======================  ==========================================================================
``loops``               the definition, one output number at a time
``im2col``              all windows as the columns of one matrix, then one matrix product
``shifted``             one matrix product per filter tap, on the shifted image
``fft``                 a product per frequency
``winograd``            3x3 filters with 2.25 times fewer multiplications
``implicit_gemm``       im2col that never writes its matrix: a Triton kernel for the GPU
``library``             torch's own (oneDNN, cuDNN)
======================  ==========================================================================
"""

from cnnlib.conv import fft, im2col, library, loops, shifted, winograd
from cnnlib.conv._conv1d import conv1d, conv1d_backward
from cnnlib.conv._conv2d import conv2d, conv2d_backward
from cnnlib.conv._explain import explain
from cnnlib.conv._methods import METHODS
from cnnlib.conv._problem import make_problem
from cnnlib.conv.correlate import correlate2d
from cnnlib.conv.transposed import conv_transpose2d, conv_transpose2d_backward

__all__ = [
    "METHODS", "conv1d", "conv1d_backward", "conv2d", "conv2d_backward", "conv_transpose2d",
    "conv_transpose2d_backward", "correlate2d", "explain", "fft", "im2col", "implicit_gemm", "library", "loops",
    "make_problem", "shifted", "winograd",
]


def __getattr__(name):
    if name == "implicit_gemm":  # loaded when it is first named
        from importlib import import_module

        return import_module("cnnlib.conv.implicit_gemm")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
