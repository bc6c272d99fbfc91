"""The photographs that ship with the course. Authors and licences: assets/LICENSES.md."""

import functools
import importlib.resources
from pathlib import Path

from cnnlib import images
from cnnlib.geometry import as_pair

_FILES = {
    "astronaut": "astronaut.jpg", "brick": "brick.png", "camera": "camera.png", "cat": "cat.png",
    "coffee": "coffee.jpg", "coins": "coins.png", "rocket": "rocket.jpg", "text": "text.png",
}
PHOTOS = tuple(_FILES)


def assets():
    """Return the folder of the shipped pictures: in the installed package, else beside it in a checkout.

    Raises
    ------
    FileNotFoundError
        Neither folder is there, so the package was installed without its pictures.
    """
    package = importlib.resources.files("cnnlib")
    for folder in (package / "_assets", Path(str(package)).parent / "assets"):
        if (folder / "photos").is_dir():
            return folder
    raise FileNotFoundError(f"cnnlib's pictures are missing: neither {package / '_assets'} nor an assets "
                            "folder beside the package is there; install cnnlib again")


def photo(name, *, size=None, grey=False):
    """Return one of the photographs that ship with the course.

    Parameters
    ----------
    name : str
        One of :data:`PHOTOS`.
    size : int or (rows, cols), in pixels, optional
        The largest centred part of the photo that has these proportions (a square for an int), resized to
        it. None gives the whole photo as it is.
    grey : bool
        Turn a colour photo into a grey one by :func:`cnnlib.images.to_grey`.

    Returns
    -------
    array of shape (H, W) or (H, W, 3), float64 in [0, 1], a fresh copy

    Raises
    ------
    ValueError
        There is no such photo; the message lists those there are.

    Examples
    --------
    >>> photo("cat", size=64, grey=True).shape
    (64, 64)
    """
    if name not in _FILES:
        raise ValueError(f"there is no photo {name!r}; there are {', '.join(PHOTOS)}")
    image = _read(name).copy()
    if grey:
        image = images.to_grey(image)
    if size is None:
        return image
    rows, cols = as_pair("size", size, 1)
    return images.resize(_centre(image, rows, cols), (rows, cols))


@functools.lru_cache(maxsize=len(_FILES))
def _read(name):
    """Read a photo once per process; callers copy."""
    with (assets() / "photos" / _FILES[name]).open("rb") as file:
        return images.read(file)


def _centre(image, rows, cols):
    """Cut out the largest centred part of the picture whose sides are as rows to cols."""
    height, width = image.shape[:2]
    shrink = min(height / rows, width / cols)
    part_height, part_width = max(1, round(rows * shrink)), max(1, round(cols * shrink))
    return images.crop(image, (height - part_height) // 2, (width - part_width) // 2, part_height, part_width)
