"""What the architecture explorer shows of a net that has weights: the strongest maps of the photo, stage by stage."""

import numpy as np

from cnnlib import _array, data, images
from cnnlib.architectures.pretrained import published_input
from cnnlib.inspection import activations
from cnnlib.inspection._engine import first_array, trunk_of

MOST, SIDE = 6, 28  # maps of a stage that are shown; pixels a side, at most, of each
DEEPEST = 1  # dots in the path of a stage that is looked into


def strongest(net, photo, input_shape, paths, published=None):
    """Return for each stage its strongest channels, and their maps as levels from 0 to 255.

    A channel is as strong as what a ReLU lets pass of its map, in the mean; one of which nothing passes is left out.
    All maps of a stage have one scale: 0 and what is negative black, the largest number white.

    Parameters
    ----------
    net : layers.Module or torch.nn.Module
    photo : str
        One of :data:`cnnlib.data.PHOTOS`.
    input_shape : (channels, rows, cols)
        One channel gets the photo in grey, three in colour; of another number nothing is known.
    paths : sequence of str
    published : str, optional
        Whose published weights these are: they want pictures of their own scale.

    Returns
    -------
    dict of path -> (list of int, array of shape (maps, H, W), uint8, or None of a row of numbers)
    """
    if input_shape[0] not in (1, 3):
        return {}
    known = {name for each in (net, trunk_of(net)) for name, _ in each.named_modules()}
    resting = {name for name, _ in net.named_children()} - {"trunk"} if net is not trunk_of(net) else set()
    paths = [path for path in paths
             if path in known and path.count(".") <= DEEPEST and path.split(".")[0] not in resting]
    if not paths:
        return {}
    with np.errstate(all="ignore"):
        found = activations(net, _pixels(photo, input_shape, published, first_array(net)), paths)
    return {path: _best(_array.to_numpy(maps)[0]) for path, maps in found.items()}


def _pixels(photo, input_shape, published, like):
    pixels = data.photo(photo, size=tuple(input_shape[1:]), grey=input_shape[0] == 1)
    x = np.broadcast_to(pixels, input_shape) if pixels.ndim == 2 else images.to_chw(pixels)
    x = np.ascontiguousarray(x[None], dtype=np.float32)
    x = x if published is None else published_input(x, published)
    return x if like is None else _array.constant(x, like=like)


def _best(maps):
    axes = tuple(range(1, maps.ndim))
    strength = np.maximum(np.nan_to_num(maps.astype(np.float64)), 0).mean(axis=axes) if axes else maps
    best = [int(k) for k in np.argsort(-strength, kind="stable")[:MOST] if strength[k] > 0 or not axes]
    return best, _levels(maps[best]) if axes and best else None


def _levels(maps):
    size = tuple(max(1, round(n * min(1, SIDE / max(maps.shape[1:])))) for n in maps.shape[1:])
    small = np.stack([each if each.shape == size else images.resize(each, size) for each in np.maximum(maps, 0)])
    return np.round(255 * np.clip(small / (small.max() or 1), 0, 1)).astype(np.uint8)
