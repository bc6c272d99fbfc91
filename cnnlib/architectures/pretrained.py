"""Nets with the weights that torchvision publishes, fetched once and checked each time."""

import hashlib
import os
import shutil
from functools import partial
from pathlib import Path

import numpy as np

from cnnlib import _array, images
from cnnlib.architectures._build import chosen, of_ours, vocabulary
from cnnlib.architectures.alexnet import alexnet
from cnnlib.architectures.googlenet import googlenet
from cnnlib.architectures.resnet import resnet
from cnnlib.architectures.vgg import vgg
from cnnlib.architectures.weights import load_torchvision_weights
from cnnlib.data import folders, is_offline

URL = "https://download.pytorch.org/models"
FOLDER = "torchvision"  # below the place where data sets are kept, and below CNNLIB_MIRROR

# name: (factory, file). The digits in a file's name are the first of its sha256.
PUBLISHED = {
    "alexnet": (alexnet, "alexnet-owt-7be5be79.pth"),
    "vgg11": (partial(vgg, "A"), "vgg11-8a719046.pth"),
    "vgg11_bn": (partial(vgg, "A", batch_norm=True), "vgg11_bn-6002323d.pth"),
    "vgg13": (partial(vgg, "B"), "vgg13-19584684.pth"),
    "vgg13_bn": (partial(vgg, "B", batch_norm=True), "vgg13_bn-abd245e5.pth"),
    "vgg16": (partial(vgg, "D"), "vgg16-397923af.pth"),
    "vgg16_bn": (partial(vgg, "D", batch_norm=True), "vgg16_bn-6c64b313.pth"),
    "vgg19": (partial(vgg, "E"), "vgg19-dcbb9e9d.pth"),
    "vgg19_bn": (partial(vgg, "E", batch_norm=True), "vgg19_bn-c79401a0.pth"),
    "googlenet": (partial(googlenet, variant="torchvision"), "googlenet-1378be20.pth"),
    "resnet18": (partial(resnet, 18, variant="torchvision"), "resnet18-f37072fd.pth"),
    "resnet34": (partial(resnet, 34, variant="torchvision"), "resnet34-b627a593.pth"),
    "resnet50": (partial(resnet, 50, variant="torchvision"), "resnet50-0676ba61.pth"),
    "resnet50_v2": (partial(resnet, 50, variant="torchvision"), "resnet50-11ad3fa6.pth"),
    "resnet101": (partial(resnet, 101, variant="torchvision"), "resnet101-63fe2227.pth"),
    "resnet152": (partial(resnet, 152, variant="torchvision"), "resnet152-394f9c45.pth"),
}
# Their published accuracy in percent, top-1 and top-5, on ImageNet's 50,000 validation pictures, one crop of each:
# docs.pytorch.org/vision/stable/models.html, IMAGENET1K_V1. Not measured here.
ACCURACY = {
    "alexnet": (56.522, 79.066),
    "vgg11": (69.020, 88.628),
    "vgg13": (69.928, 89.246),
    "vgg16": (71.592, 90.382),
    "vgg19": (72.376, 90.876),
    "googlenet": (69.778, 89.530),
    "resnet18": (69.758, 89.078),
    "resnet34": (73.314, 91.420),
    "resnet50": (76.130, 92.862),
    "resnet101": (77.374, 93.546),
    "resnet152": (78.312, 94.046),
}
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's red, green and blue, in [0, 1]
ROUNDED = 1e-3  # how far a pixel may be outside of [0, 1]


def pretrained(name, *, nn=None):
    """Return a net with the weights published for it, in evaluation.

    Parameters
    ----------
    name : str
        One of :data:`PUBLISHED`: "alexnet", "vgg16", "vgg16_bn", "googlenet", "resnet50", ...
    nn : cnnlib.layers or cnnlib.torch_layers
        The engine; torch's without. The files are torch's, so that torch must be installed for either.

    Returns
    -------
    Sequential
        For 1,000 classes, and for pictures as :func:`published_input` makes them.

    Raises
    ------
    ValueError
        No weights are published under that name here.
    OSError
        The file is not here and cannot be fetched, or its sha256 is another; the message says what to do.

    Notes
    -----
    The file comes from ``CNNLIB_MIRROR`` (its folder ``torchvision``) if that is set, else from download.pytorch.org,
    and is kept where data sets are (see :func:`cnnlib.data.fetch`). Its sha256 must begin with the digits in its name;
    the whole of it is written beside the file at first use, and holds from then on. It is read with ``weights_only``,
    so that it cannot run code.
    """
    factory, file = chosen("name", name, PUBLISHED)
    nn = vocabulary(nn)
    state_dict = _read(_file(file))
    model = factory(nn=nn) if not hasattr(nn, "without_weights") else of_ours(factory)
    return load_torchvision_weights(model, state_dict).eval()


def published_input(x, name="resnet50"):
    """Return pictures as the published weights want them.

    Parameters
    ----------
    x : array of shape (N, 3, H, W), float, in [0, 1]
        Red, green, blue. The weights were judged at 224 x 224, cut from the middle of a picture whose shorter side had
        256 pixels.
    name : str
        Of :data:`PUBLISHED`. GoogLeNet wants -1 to 1; all others ImageNet's mean taken away, over its deviation.

    Returns
    -------
    array of x's shape, library and dtype

    Raises
    ------
    TypeError, ValueError
        It is not of floats in [0, 1], or not of three channels.
    """
    chosen("name", name, PUBLISHED)
    if x.ndim != 4 or x.shape[1] != 3:
        raise ValueError(f"`x` has shape {tuple(x.shape)}; it must be (N, 3, H, W)")
    _check_levels("x", x)
    mean, deviation = ((0.5,) * 3, (0.5,) * 3) if name == "googlenet" else (MEAN, DEVIATION)
    planes = [(x[:, k:k + 1] - mean[k]) / deviation[k] for k in range(3)]
    return _array.library(x=x).concatenate(planes, axis=1)


def published_crop(image):
    """Cut from a picture what the published weights were judged on.

    Parameters
    ----------
    image : array of shape (H, W) or (H, W, 3), float in [0, 1]

    Returns
    -------
    array of shape (3, 224, 224), float32, in [0, 1]
        The middle square, whose side is 224/256 of the shorter side, at 224 x 224; a grey picture three times over.

    Raises
    ------
    TypeError, ValueError
        It is not of floats in [0, 1], or not the shape of a picture.

    Notes
    -----
    torchvision first resizes until the shorter side has 256 pixels, and then cuts; up to rounding that is the same.
    """
    _check_levels("image", image)
    side = max(1, min(image.shape[:2]) * 224 // 256)
    row, col = ((length - side) // 2 for length in image.shape[:2])
    small = images.resize(images.crop(image, row, col, side, side), (224, 224))
    return np.ascontiguousarray(np.broadcast_to(images.to_chw(small), (3, 224, 224)), dtype="float32")


def _check_levels(name, x):
    """Check that pixels are floats in [0, 1], up to what resizing rounds."""
    library = _array.library(**{name: x})
    if "float" not in _array.dtype_name(x):
        raise TypeError(f"`{name}` has dtype {_array.dtype_name(x)}; pixels are floats in [0, 1]: {name} / 255 turns "
                        "8-bit ones into them")
    seen = (x.detach() if _array.is_torch(x) else x).reshape(-1)
    if len(seen) and not (-ROUNDED <= (low := float(library.amin(seen))) and float(library.amax(seen)) <= 1 + ROUNDED):
        raise ValueError(f"`{name}` has values from {low:.4g} to {float(library.amax(seen)):.4g}; pixels must be in "
                         "[0, 1]: those from 0 to 255 are, divided by 255")


# ---- the file

def _file(name):
    """Return where the file lies, after it was brought here if need be, and checked."""
    for place in folders.places():
        path = place / FOLDER / name
        if path.is_file():
            _check(path, path, path, "Delete it, and it is fetched again")
            return path
    target = folders.home() / FOLDER / name
    if fault := folders.fault(target.parent):
        raise OSError(f"{name} cannot be kept in {target.parent} ({fault}); set CNNLIB_DATA to a folder that you may "
                      "write to")
    part = target.with_name(f".{name}.{os.getpid()}.part")
    try:
        source = _bring(name, part)
        _check(part, target, source, "Put the right file there")
        os.replace(part, target)  # seen under its name only when it is whole and right
    finally:
        part.unlink(missing_ok=True)
    return target


def _bring(name, part):
    """Fetch the file to `part`; return where it came from."""
    folder = part.parent
    mirror = os.environ.get("CNNLIB_MIRROR", "")
    if mirror and "://" not in mirror:
        source = Path(mirror).expanduser() / FOLDER / name
        if source.is_file():
            shutil.copyfile(source, part)
            return source
        mirror = ""
    if is_offline():
        raise OSError(f"{name} is not in {folder}, and CNNLIB_OFFLINE=1 forbids the network: fetch it on a "
                      f"machine with network from {URL}/{name} and put it there")
    import torch

    url = f"{mirror.rstrip('/')}/{FOLDER}/{name}" if mirror else f"{URL}/{name}"
    try:
        torch.hub.download_url_to_file(url, str(part), hash_prefix=_digits(name))
    except (OSError, RuntimeError) as error:
        raise OSError(f"{name} could not be fetched from {url}: {error}. Check the network, or put the file into "
                      f"{folder}") from error
    return url


def _check(path, target, source, cure):
    """Check a file's sha256 against the name of `target`, where it is kept, and against what it was the first time.

    The error speaks of it as `source`, and ends with the cure.
    """
    with open(path, "rb") as content:
        digits = hashlib.file_digest(content, "sha256").hexdigest()
    record = target.with_suffix(".sha256")
    known = record.read_text().split() if record.is_file() else []  # an empty record is none
    wanted = known[0] if known else _digits(target.name)
    if not digits.startswith(wanted):
        raise OSError(f"{source} is damaged: its sha256 is {digits}, and must begin with {wanted}. {cure}")
    if not known and not folders.fault(record.parent):  # a folder that may only be read keeps no record
        part = record.with_name(f".{record.name}.{os.getpid()}.part")
        part.write_text(f"{digits}  {target.name}\n")
        os.replace(part, record)


def _digits(name):
    """Return the digits in a file's name."""
    return Path(name).stem.rpartition("-")[2]


def _read(path):
    """Return the file's arrays; torch reads them without running code."""
    try:
        import torch
    except ImportError:
        raise OSError(f"{path.name} is torch's, which is not installed here: `pip install torch`") from None
    return torch.load(path, map_location="cpu", weights_only=True)
