"""What a class depends on: cover a part of the picture, and see what becomes of its probability."""

import numpy as np

from cnnlib import _array, pool
from cnnlib.activations import softmax
from cnnlib.geometry import as_int, as_pair
from cnnlib.inspection._engine import as_targets, one_picture, run, undisturbed

FILLS = ("grey", "mean", "blur", "noise")


def occlusion(net, x, target, patch=8, stride=4, fill="grey", *, batch_size=64, rng=None):
    """Return the probability of a class with a patch at each place, and which class wins there [1]_.

    Parameters
    ----------
    net : layers.Module or torch.nn.Module
        Gives scores (N, classes), of which the softmax is taken.
    x : array of shape (C, H, W)
        One picture.
    target : int
        The class. It stays the same at every place, whichever class wins there.
    patch, stride : int or (rows, cols), in pixels
        The patch's size, and its steps. It is always wholly inside.
    fill : "grey", "mean", "blur", "noise", or a number
        What covers: 0.5, which is grey where pixels go from 0 to 1; each channel's mean; the picture's own mean over
        windows of about the patch's size; normal noise of each channel's mean and spread; or this number.
    batch_size : int
        How many covered pictures are run at once.
    rng : np.random.Generator, optional
        For noise, drawn once for the whole picture; a new one without.

    Returns
    -------
    probability : array of shape (rows, cols) of places
        [i, j] is that with the patch's upper left pixel at (i * stride, j * stride). Low: the class depends on what is
        covered.
    winner : int64 array of the same shape

    Raises
    ------
    ValueError
        The patch is larger than the picture, there is no such class, or `fill` is none of these.

    Notes
    -----
    The map belongs to the patch and its filling as much as to the picture: compare several.

    References
    ----------
    .. [1] Zeiler & Fergus, Visualizing and understanding convolutional networks, ECCV 2014.
       doi:10.1007/978-3-319-10590-1_53
    """
    batch = one_picture(net, x)
    patch, stride = as_pair("patch", patch, 1), as_pair("stride", stride, 1)
    batch_size = as_int("batch_size", batch_size, 1)
    size = tuple(x.shape[-2:])
    if any(p > s for p, s in zip(patch, size)):
        raise ValueError(f"`patch` is {patch}; it must fit into the picture, {size}")
    cover = cover_of(batch, fill, patch, rng)[0]
    rows, cols = (range(0, s - p + 1, step) for s, p, step in zip(size, patch, stride))
    places = [(i, j) for i in rows for j in cols]
    probability, winner = [], []
    with undisturbed(net):
        for start in range(0, len(places), batch_size):
            logits = covered_logits(net, x, cover, places[start:start + batch_size], patch)
            chosen = int(as_targets(target, logits)[0])
            probability.append(softmax(logits, 1)[:, chosen])
            winner.append(logits.argmax(1))
    join = _array.library(x=x).concatenate
    return tuple(join(parts).reshape(len(rows), len(cols)) for parts in (probability, winner))


def covered_logits(net, x, cover, places, patch):
    """Return the scores (N, classes) of a picture with the patch at each of these places: its upper left pixels."""
    return run(net, _array.library(x=x).stack([_covered(x, cover, place, patch) for place in places]))


def _covered(x, cover, place, patch):
    """Return a copy of x in which the patch at this place is the cover's."""
    out = x.clone() if _array.is_torch(x) else x.copy()
    (i, j), (height, width) = place, patch
    out[:, i:i + height, j:j + width] = cover[:, i:i + height, j:j + width]
    return out


def cover_of(batch, fill, patch, rng):
    """Return the pictures that are seen through the patch, for a batch of pictures."""
    if isinstance(fill, (int, float)) and not isinstance(fill, bool):
        return batch * 0 + fill
    if not isinstance(fill, str) or fill not in FILLS:
        raise ValueError(f"`fill` is {fill!r}; it must be one of {', '.join(map(repr, FILLS))}, or a number")
    if fill == "grey":
        return batch * 0 + 0.5
    if fill == "blur":
        half = [p // 2 for p in patch]
        return pool.avg_pool2d(batch, [2 * h + 1 for h in half], 1, half, count_include_pad=False)
    pixels = _array.to_numpy(batch)
    mean = pixels.mean((2, 3), keepdims=True)
    if fill == "noise":
        rng = np.random.default_rng() if rng is None else rng
        spread = ((pixels - mean) ** 2).mean((2, 3), keepdims=True) ** 0.5
        mean = mean + spread * rng.standard_normal(pixels.shape)
    return _array.constant(np.broadcast_to(mean, pixels.shape).astype(pixels.dtype), batch)
