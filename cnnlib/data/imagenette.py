"""Imagenette: photographs of ten of ImageNet's classes, as JPEG files in an archive that is fetched on request."""

import io
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from cnnlib.data import archives
from cnnlib.data._fetch import fetch
from cnnlib.data._split import as_count, as_pixels
from cnnlib.geometry import as_int

# ImageNet's names for the ten classes, in the order of data.CLASSES["imagenette"].
SYNSETS = ("n01440764", "n02102040", "n02979186", "n03000684", "n03028079", "n03394916", "n03417042", "n03425413",
           "n03445777", "n03888257")
LARGEST = 256 * 2**20  # bytes: the archive holds 105 MB
COUNTS = {"train": 9469, "val": 3925}
SHORT_SIDE = 160  # of each photograph as it is stored


def load_imagenette(num_train=None, num_test=None, *, size=128):
    """Load Imagenette, 9,469 + 3,925 photographs of ten of ImageNet's classes, cut square.

    Parameters
    ----------
    num_train, num_test : int, optional
        Only that many pictures of a split, its first ones; None gives all. The classes take turns, so that the first
        few hold each of them.
    size : int
        The side of a picture, from 1 to 160. All pictures take 2.6 GB at 128, 0.7 GB at 64.

    Returns
    -------
    (x_train, y_train), (x_test, y_test)
        x: array of shape (N, 3, size, size), float32 in [0, 1], red-green-blue. y: array of shape (N,), int64; the ten
        classes are ``data.CLASSES["imagenette"]``. What its authors call validation is the test split here.

    Raises
    ------
    DownloadError
        The archive is not here and cannot be fetched; the message says what to do, also without network.
    ValueError
        A size or number that cannot be, or an archive whose files are not those of Imagenette.

    Notes
    -----
    The first call downloads 99.0 MB into ``~/.cache/cnnlib``; later calls need no network. Without one, carry the
    archive over: ``python -m cnnlib fetch imagenette --to FOLDER`` where there is network, then here
    ``os.environ["CNNLIB_MIRROR"] = "FOLDER"`` (see :func:`cnnlib.data.fetch`). The archive is read where it lies;
    nothing is unpacked on the disk. Each photograph, 160 pixels along its shorter side, is cut to the square in its
    middle and then shrunk by Pillow's antialiased bilinear filter.

    References
    ----------
    .. [1] Howard, Imagenette, 2019. https://github.com/fastai/imagenette
    """
    size = as_int("size", size, 1)
    if size > SHORT_SIDE:
        raise ValueError(f"`size` is {size}; the photographs have {SHORT_SIDE} pixels along their shorter side")
    counts = {"train": as_count("num_train", num_train, COUNTS["train"]),
              "val": as_count("num_test", num_test, COUNTS["val"])}
    [path] = fetch("imagenette").values()
    files = _files(path)
    return tuple(_decoded(_turn_by_turn(files[split])[:count], size, path) for split, count in counts.items())


def _files(path):
    """Return {split: {class: [(name, bytes), ...]}} of the archive's photographs, each list in the order of names."""
    files = {split: {label: [] for label in range(len(SYNSETS))} for split in COUNTS}
    for name, stream in archives.members(path, LARGEST):
        _, split, synset, *rest = [*name.split("/"), "", ""]
        if rest[0].lower().endswith(".jpeg") and split in files and synset in SYNSETS:
            files[split][SYNSETS.index(synset)].append((name, stream.read(LARGEST)))
    for split, wanted in COUNTS.items():
        found = sum(map(len, files[split].values()))
        if found != wanted:
            raise ValueError(f"{path} has {found} photographs in {split}, not Imagenette's {wanted}")
        for photographs in files[split].values():
            photographs.sort()
    return files


def _turn_by_turn(by_class):
    """Return [(label, name, bytes), ...]: the first of each class, then the second of each, to the last."""
    placed = [(place, label, *photograph) for label, photographs in by_class.items()
              for place, photograph in enumerate(photographs)]
    return [entry[1:] for entry in sorted(placed)]


def _decoded(photographs, size, path):
    """Return photographs as (x, y). Pillow lets other threads run while it decodes."""
    levels = np.empty((len(photographs), 3, size, size), np.uint8)

    def put(place, name, content):
        try:
            levels[place] = _square(content, size).transpose(2, 0, 1)
        except OSError as error:
            raise ValueError(f"{path}: {name} is no picture that Pillow can read ({error})") from error

    with ThreadPoolExecutor() as threads:
        list(threads.map(put, range(len(levels)), *zip(*[entry[1:] for entry in photographs])))
    return as_pixels(levels), np.array([label for label, _, _ in photographs], np.int64)


def _square(content, size):
    """Return the square in the middle of a photograph as levels of shape (size, size, 3)."""
    from PIL import Image, ImageOps

    with Image.open(io.BytesIO(content)) as opened:
        return np.asarray(ImageOps.fit(opened.convert("RGB"), (size, size), Image.Resampling.BILINEAR))
