"""The picture that comes in: any grey levels, checked, as float32 in which white is 1; and how it goes on beyond."""

import numpy as np

from cnnlib import _array
from cnnlib._arguments import as_plain, checked
from cnnlib.features._picture import COLOURS, check_finite

WHITE = {"uint8": 255, "uint16": 65535, "bool": 1}  # other integers count to 255, floats to 1
WIDEST = 8  # range of grey levels beyond which white cannot have been 1


def grey_levels(what, image):
    """Return the picture as float32 with white 1, after checking it for `what`; a copy only where needed."""
    _array.library(image=image)
    image = as_plain(what, "image", image)
    if image.ndim != 2:
        colours = image.ndim == 3 and image.shape[-1] in COLOURS
        cure = "images.to_grey(image[..., :3]) is grey" if colours else "one picture at a time, please"
        raise ValueError(f"`image` has shape {tuple(image.shape)}; it must be a grey picture, (H, W): {cure}")
    if 0 in image.shape:
        raise ValueError(f"`image` has shape {tuple(image.shape)}: there are no pixels in it")
    dtype = _array.dtype_name(image)
    if dtype != "bool":
        checked(what, integers=True, image=image)
    levels = _array.as_dtype(image, "float32")
    if "float" not in dtype:
        white = WHITE.get(dtype, 255)
        _check_range(levels, 0, white, dtype)
        return levels * (1 / white)
    check_finite(what, "image", levels)
    if float(levels.max() - levels.min()) > WIDEST:
        raise ValueError(f"`image` has levels from {float(levels.min()):g} to {float(levels.max()):g}; floats must "
                         "have white 1: image / 255, if they count to 255")
    return levels


def _check_range(levels, least, most, dtype):
    """Refuse integers that are no grey levels of this dtype."""
    low, high = float(levels.min()), float(levels.max())
    if low < least or high > most:
        raise ValueError(f"`image` has dtype {dtype} and levels from {low:.0f} to {high:.0f}; integers must lie in "
                         f"{least} to {most}: divide by the level that means white to get floats")


def reflected(index, size):
    """Return where pixels outside 0 … size - 1 are found when the first and last pixel are mirrors."""
    period = max(2 * size - 2, 1)
    index = index % period
    return np.where(index < size, index, period - index)
