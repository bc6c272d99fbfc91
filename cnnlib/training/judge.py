"""Published weights, judged on a folder of pictures, or on Imagenette: 3,925 pictures of 10 of ImageNet's classes."""

from pathlib import Path

import numpy as np

from cnnlib import data, images
from cnnlib.architectures import pretrained, published_crop, published_input
from cnnlib.data import folders

SUFFIXES = (".jpeg", ".jpg", ".png")
IMAGENETTE = "https://s3.amazonaws.com/fast-ai-imageclas/imagenette2-160.tgz"  # some 94 MB
IMAGENETTE_SHA256 = "64d0c4859f35a461889e0147755a999a48b49bf38a7e0f9bd27003f10db02fe5"
# Which of the 1,000 its folders are: tench, English springer, cassette player, chain saw, church, French horn, garbage
# truck, gas pump, golf ball, parachute.
IMAGENETTE_CLASSES = (0, 217, 482, 491, 497, 566, 569, 571, 574, 701)


def judge_published(name, folder, classes, *, device="cpu", batch_size=32):
    """Return the scores that published weights give to the pictures of a folder, and the pictures' classes.

    Parameters
    ----------
    name : str
        As in :func:`cnnlib.architectures.pretrained`.
    folder : path
        Holds a folder for each class, with its pictures in it (.JPEG, .jpg, .png).
    classes : sequence of int
        Which of the net's classes each folder is, in the folders' alphabetical order.
    device : str
    batch_size : int

    Returns
    -------
    scores : array of shape (N, num_classes), float32
    target : array of shape (N,), int64

    Raises
    ------
    ValueError
        There are not as many folders as classes, or no pictures.
    """
    import torch

    places = sorted(place for place in Path(folder).iterdir() if place.is_dir())
    if len(places) != len(classes):
        raise ValueError(f"`folder` holds {len(places)} folders and `classes` {len(classes)} classes; they must be as "
                         "many")
    found = [(path, index) for place, index in zip(places, classes)
             for path in sorted(place.iterdir()) if path.suffix.lower() in SUFFIXES]
    if not found:
        raise ValueError(f"`folder` holds no pictures ({', '.join(SUFFIXES)}) in its {len(places)} folders")
    net, scores = pretrained(name).to(device), []
    for first in range(0, len(found), batch_size):
        batch = np.stack([published_crop(images.read(path)) for path, _ in found[first:first + batch_size]])
        with torch.inference_mode():
            scores.append(net(published_input(torch.tensor(batch, device=device), name)).cpu().numpy())
    return np.concatenate(scores), np.array([index for _, index in found])


def judge_imagenette(name, *, device="cpu"):
    """Return what :func:`judge_published` does for Imagenette's validation pictures, fetched at first use.

    Notes
    -----
    Its pictures are 160 pixels high or wide and are enlarged here, and ten of a thousand classes are asked for: what
    comes out is not to be put beside an accuracy on ImageNet.
    """
    import torch

    place = folders.home() / "imagenette"
    if not place.is_dir():
        archive = place.with_suffix(".tgz")
        archive.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(IMAGENETTE, str(archive), hash_prefix=IMAGENETTE_SHA256)
        data.unpack(archive, place)
    return judge_published(name, place / "imagenette2-160" / "val", IMAGENETTE_CLASSES, device=device)
