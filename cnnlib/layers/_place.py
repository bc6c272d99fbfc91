"""Where the arrays of a layer live: NumPy or a torch device, in which dtype. The one file of the layers with torch."""

import numpy as np

from cnnlib import _array

FLOATS = ("float16", "bfloat16", "float32", "float64")


def conversion(where):
    """Return the function that brings an array there.

    Parameters
    ----------
    where : "numpy", a torch device ("cpu", "cuda", "cuda:1", torch.device), or a float dtype of either library
        "cpu" means torch's tensors on the CPU.

    Raises
    ------
    ValueError, TypeError
        It is none of these, or torch has no such device here.
    """
    if where == "numpy":
        return lambda a: a if isinstance(a, np.ndarray) else _array.to_numpy(a)
    if (dtype := _float_name(where)) is not None:
        return lambda a: _in_dtype(a, dtype)
    import torch

    try:
        device = torch.device(where)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, TypeError) as error:
        raise ValueError(f"{where!r} is no place for a layer here; 'numpy', a torch device such as 'cpu' or 'cuda' and "
                         f"a float dtype such as 'float64' are ({str(error).splitlines()[0]})") from None
    return lambda a: torch.as_tensor(a).to(device)


def like(a, example):
    """Return the array `a`, of either library, in the library, on the device and in the dtype of `example`."""
    if not _array.is_torch(example):
        return np.asarray(_array.to_numpy(a), dtype=example.dtype)
    return (a if _array.is_torch(a) else _array.constant(np.ascontiguousarray(a), example)).to(example)


def batch_innermost(x):
    """Return NumPy `x`, same shape and values, lying in memory with neighbours in the batch side by side.

    In this order NumPy trains small nets about as fast as torch: give it to a net once, and every layer keeps it.
    A tensor comes back as it is.
    """
    return x if _array.is_torch(x) else _array.batch_innermost(x)


def copy(a):
    """Return a copy of an array, to the last bit."""
    return a.detach().clone() if _array.is_torch(a) else np.array(a)


def _float_name(where):
    """Return the name of a float dtype, or None for anything else."""
    if isinstance(where, (type, np.dtype)):
        name = np.dtype(where).name
    else:
        name = str(where).removeprefix("torch.")
    return name if name in FLOATS else None


def _in_dtype(a, dtype):
    if "float" not in _array.dtype_name(a):  # a counter stays one
        return a
    if dtype == "bfloat16" and not _array.is_torch(a):
        raise TypeError("NumPy has no bfloat16: to('cpu') or another torch device comes first")
    return _array.as_dtype(a, dtype)
