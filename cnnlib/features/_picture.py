"""What a feature does with its picture first: check it, and say clearly what is wrong with it."""

from math import isfinite, prod
from numbers import Real

import numpy as np

from cnnlib import _array
from cnnlib._arguments import checked

# Other floating-point dtypes stay what they are.
COMPUTED_IN = {"float16": "float32", "bfloat16": "float32", "uint8": "float32", "int8": "float32",
               "uint16": "float32", "int16": "float32", "uint32": "float64", "int32": "float64", "int64": "float64"}
COLOURS = (3, 4)  # red, green, blue, and perhaps transparency
SMALL = 4  # a "picture" of so few rows may be a window, with as many columns as there are colours


def as_pictures(what, **images):
    """Return grey pictures, by name, as plain floating-point arrays of one library, and the dtype that results have.

    Parameters
    ----------
    what : str
        The operation, as messages call it.
    **images : arrays of one shape (..., H, W)
        Floating point, integers or bool. Leading axes are a batch of pictures, which may be empty.

    Returns
    -------
    images : list of arrays of shape (..., H, W), float32 or float64
        Half precision as float32; bool and integers as float32, which holds 16-bit levels exactly, and wider integers
        as float64. Grey levels are never rescaled.
    dtype : str
        The images' own dtype if that is floating point, else that of the arrays.

    Raises
    ------
    TypeError
        An image is no array, is complex or masked, or libraries, dtypes or devices are mixed.
    ValueError
        An image is not (..., H, W), has no pixels, looks like a picture in colour, or holds NaN or infinity, or shapes
        differ.
    """
    images = {name: _bool_as_uint8(a) for name, a in images.items()}
    plain = checked(what, integers=True, **images)
    (first, shape), *others = ((name, tuple(a.shape)) for name, a in zip(images, plain))
    _check_shape(first, plain[0])
    for name, other in others:
        if other != shape:
            raise ValueError(f"`{name}` has shape {other} and `{first}` {shape}; {what} wants one shape")
    dtype = _array.dtype_name(plain[0])
    compute = COMPUTED_IN.get(dtype, dtype)
    for i, name in enumerate(images):
        plain[i] = _array.as_dtype(plain[i], compute)
        check_finite(what, name, plain[i])
    return plain, dtype if "float" in dtype else compute


def check_finite(what, name, image):
    """Refuse a picture with pixels that are NaN or infinite."""
    if not _array.all_finite(image):
        bad = int((~_array.library(image=image).isfinite(image)).sum())
        raise ValueError(f"`{name}` has {bad} of {prod(image.shape)} pixels that are NaN or infinite; {what} would "
                         f"spread them: np.nan_to_num({name}) replaces them")


def check_number(name, value):
    """Refuse what is not a number; NaN and infinity are."""
    if not isinstance(value, Real) or isinstance(value, bool):
        raise TypeError(f"`{name}` must be a number, not {value!r}")


def check_flag(name, value):
    """Refuse what is neither True nor False: a word such as "no" would count as True."""
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"`{name}` must be True or False, not {value!r}")


def as_number(name, value, least=None):
    """Return `value` as a float, or say which argument is not a finite number, or is below `least`."""
    check_number(name, value)
    value = float(value)
    if not isfinite(value) or (least is not None and value < least):
        up = "" if least is None else f" from {least} up"
        raise ValueError(f"`{name}` is {value}; it must be a finite number{up}")
    return value


def _bool_as_uint8(a):
    is_array = _array.is_torch(a) or isinstance(a, np.ndarray)
    return _array.as_dtype(a, "uint8") if is_array and _array.dtype_name(a) == "bool" else a


def _check_shape(name, image):
    """Refuse what is not (..., H, W), has no pixels, or has its colours last."""
    shape = tuple(image.shape)
    if len(shape) < 2:
        raise ValueError(f"`{name}` has shape {shape}; a grey picture is (H, W), a batch of them (..., H, W)")
    if 0 in shape[-2:]:
        raise ValueError(f"`{name}` has shape {shape}: no pixels; it must have at least one row and one column")
    check_no_colours(name, image)


def check_no_colours(name, image, else_=""):
    """Refuse what has its colours last; `else_` names another way to take them."""
    shape = tuple(image.shape)
    if len(shape) > 2 and shape[-1] in COLOURS and min(shape[-3:-1]) > SMALL:
        drop = "" if shape[-1] == 3 else f"{name}[..., :3] drops the transparency, and "
        raise ValueError(f"`{name}` has shape {shape}, which looks like a picture in colour: {drop}"
                         f"images.to_grey({name}{'' if shape[-1] == 3 else '[..., :3]'}) makes it grey{else_}")
