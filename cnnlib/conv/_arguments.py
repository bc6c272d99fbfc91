"""What every convolution does with its arrays first: check them, and make one image a batch of one."""

import os
from functools import cache
from math import prod

import numpy as np

from cnnlib import _array
from cnnlib._array import COMPUTE_DTYPE


def checked(**arrays):
    """Return the arrays, by name, as plain arrays of one library, dtype and device that we compute in.

    Only `bias` may be None.

    Raises
    ------
    TypeError
        An argument is no array, is masked or a matrix, or has a dtype that convolution is not defined for here.
    """
    for name, a in arrays.items():
        if a is None and name != "bias":
            raise TypeError(f"`{name}` is None; it must be an array")
    _array.library(**arrays)
    plain = []
    for name, a in arrays.items():
        if a is not None:
            _check_kind(name, a)
            a = a if _array.is_torch(a) else np.asarray(a)
        plain.append(a)
    return plain


def _check_kind(name, a):
    """Refuse arrays whose meaning would be lost, and dtypes that we do not sum."""
    if isinstance(a, np.ndarray) and type(a) is not np.ndarray:
        if isinstance(a, np.ma.MaskedArray):
            raise TypeError(f"`{name}` is a masked array, and convolution would drop its mask: "
                            f"{name}.filled(0) says what the masked numbers count as")
        if isinstance(a, np.matrix):
            raise TypeError(f"`{name}` is a np.matrix, which is always 2-d: np.asarray({name}) is an array")
    dtype = _array.dtype_name(a)
    if dtype.startswith("complex"):
        raise TypeError(f"`{name}` has dtype {dtype}; convolution here is of real numbers: convolve {name}.real and "
                        f"{name}.imag apart, it is linear")
    if dtype not in COMPUTE_DTYPE:
        raise TypeError(f"`{name}` has dtype {dtype}; convolution takes {', '.join(COMPUTE_DTYPE)}: "
                        f"{name}.{'to(torch.float32)' if _array.is_torch(a) else 'astype(np.float32)'} converts it")


def as_batch(x):
    """Return `x` as (N, C, H, W), and whether it was one image (C, H, W)."""
    return (x[None], True) if x.ndim == 3 else (x, False)


def check_bias(bias, filters):
    """Check that there is one bias per filter."""
    if bias is not None and tuple(bias.shape) != (filters,):
        raise ValueError(f"`bias` has shape {tuple(bias.shape)}; it must be ({filters},), one number for each "
                         f"of the {filters} filters")


def check_grad_output(grad_output, out_shape):
    """Return `grad_output` as a batch, after checking that it has the shape of the output."""
    if tuple(grad_output.shape) != tuple(out_shape):
        raise ValueError(f"`grad_output` has shape {tuple(grad_output.shape)}; it must have that of the output, "
                         f"{tuple(out_shape)}")
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
