"""What every convolution does with its arrays first: check them, and make one image a batch of one."""

import os
from functools import cache
from math import prod

from cnnlib import _arguments, _array
from cnnlib._arguments import check_shape


def checked(**arrays):
    """Return the arrays, by name, as plain arrays of one library, dtype and device; only `bias` may be None."""
    return _arguments.checked("convolution", optional=("bias",), integers=True, **arrays)


def as_batch(x):
    """Return `x` as (N, C, H, W), and whether it was one image (C, H, W)."""
    return (x[None], True) if x.ndim == 3 else (x, False)


def check_bias(bias, filters):
    """Check that there is one bias per filter."""
    check_shape("bias", bias, (filters,), f"one number for each of the {filters} filters")


def check_grad_output(grad_output, out_shape):
    """Return `grad_output` as a batch, after checking that it has the shape of the output."""
    _arguments.check_grad_output(grad_output, out_shape)
    return as_batch(grad_output)[0]


def check_fits_memory(shape, like, **arguments):
    """Check that a result of `shape`, in the dtype of `like`, fits into this machine; the arguments set its size.

    A device other than the CPU knows its own memory.
    """
    size = prod(shape) * like.itemsize
    if size > memory() and _array.device(like) == "cpu":
        given = ", ".join(f"`{name}` {value}" for name, value in arguments.items())
        raise ValueError(f"the result would have shape {tuple(shape)}, {size / 1e9:,.1f} GB of "
                         f"{_array.dtype_name(like)}, more than the {memory() / 1e9:,.1f} GB of memory here: "
                         f"make it smaller by {given}")


@cache
def memory():
    """Return the bytes of this machine's memory, or a terabyte where the system does not say."""
    try:
        size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # Windows
        size = 0
    return size if size > 0 else 2**40
