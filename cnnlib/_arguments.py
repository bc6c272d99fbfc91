"""What an operation does with its arguments first: check them, and say clearly what is wrong."""

from functools import lru_cache, wraps

import numpy as np

from cnnlib import _array
from cnnlib._array import COMPUTE_DTYPE
from cnnlib.geometry import as_int

USUAL = {np.dtype("float32"), np.dtype("float64")}


def checked(what, optional=(), integers=False, **arrays):
    """Return the arrays, by name, as plain arrays of one library, dtype and device that we compute in.

    Parameters
    ----------
    what : str
        The operation, as messages call it.
    optional : tuple of str
        Names that may be None.
    integers : bool
        Whether it is defined for integers.
    **arrays : NumPy array, torch tensor or None

    Raises
    ------
    TypeError
        An argument is no array, is masked or a matrix, or has a dtype that the operation is not defined for here; or
        libraries, dtypes or devices are mixed.
    """
    for name, a in arrays.items():
        if a is None and name not in optional:
            raise TypeError(f"`{name}` is None; it must be an array")
    if (dtype := _array.plain_dtype(arrays.values())) is not None and dtype in USUAL:  # nothing to say
        return list(arrays.values())
    _array.library(**arrays)
    plain = []
    for name, a in arrays.items():
        if a is not None:
            a = as_plain(what, name, a)
            _check_dtype(what, name, a, integers)
        plain.append(a)
    return plain


def as_plain(what, name, a):
    """Return `a` without its subclass; refuse those whose meaning would be lost."""
    if type(a) is np.ndarray or _array.is_torch(a):
        return a
    if isinstance(a, np.ma.MaskedArray):
        raise TypeError(f"`{name}` is a masked array, and {what} would drop its mask: "
                        f"{name}.filled(0) says what the masked numbers count as")
    if isinstance(a, np.matrix):
        raise TypeError(f"`{name}` is a np.matrix, which is always 2-d: np.asarray({name}) is an array")
    return np.asarray(a)


def _check_dtype(what, name, a, integers):
    """Refuse dtypes that the operation is not defined for."""
    dtype = _array.dtype_name(a)
    if dtype not in COMPUTE_DTYPE or (is_integer(a) and not integers):
        known = [known for known in COMPUTE_DTYPE if integers or "float" in known]
        real = f"{name}.real and {name}.imag are real" if dtype.startswith("complex") else (
            f"{name}.{'to(torch.float32)' if _array.is_torch(a) else 'astype(np.float32)'} converts it")
        raise TypeError(f"`{name}` has dtype {dtype}; {what} takes {', '.join(known)}: {real}")


def is_integer(a):
    """Whether `a` holds integers."""
    return "int" in _array.dtype_name(a)


def beside(what, name, a, x):
    """Return the plain array `a`, of any dtype, after checking that it lies where `x` does: targets, masks."""
    x_is, a_is = (_array.library(**{key: value}).__name__ for key, value in (("x", x), (name, a)))
    if x_is != a_is or _array.device(x) != _array.device(a):
        raise TypeError(f"`{name}` belongs to {a_is} ({_array.device(a)}), the other arrays to {x_is} "
                        f"({_array.device(x)}): convert one side")
    return as_plain(what, name, a)


def check_shape(name, a, shape, meaning):
    """Check that `a`, if given, has the shape; `meaning` ends the message."""
    if a is not None and tuple(a.shape) != tuple(shape):
        raise ValueError(f"`{name}` has shape {tuple(a.shape)}; it must be {tuple(shape)}, {meaning}")


def check_grad_output(grad_output, out_shape):
    """Check that `grad_output` has the shape of the output."""
    check_shape("grad_output", grad_output, out_shape, "the shape of the output")


def as_axis(name, axis, shape):
    """Return which axis is meant, counted from the front; the argument `name` counts from either end.

    A 0-d array counts as one of a single axis, as in torch; the answer is then (), the axes that it has.
    """
    axes = max(len(shape), 1)
    axis = as_int(name, axis, -axes)
    if axis >= axes:
        raise ValueError(f"`{name}` is {axis}; arrays of shape {tuple(shape)} have the axes {-axes} to {axes - 1}")
    return axis % axes if shape else ()


def remembered(check):
    """Keep what `check` made of its last arguments: a training loop asks for the same few things thousands of times.

    Only of whole numbers, words and tuples of them, so that 1.0 or True never passes for a kept 1.
    """
    kept = lru_cache(256, typed=True)(check)

    @wraps(check)
    def call(*args):
        return (kept if all(map(_is_plain, args)) else check)(*args)
    return call


def _is_plain(value):
    kind = type(value)
    return kind in (int, bool, str, type(None)) or kind is tuple and all(
        type(part) is int or type(part) is tuple and _is_plain(part) for part in value)
