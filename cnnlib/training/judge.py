"""Published weights, judged on a folder of pictures, or on Imagenette: 3,925 pictures of 10 of ImageNet's classes."""

import itertools
from pathlib import Path

import numpy as np

from cnnlib import data, images
from cnnlib.architectures import pretrained, published_crop, published_input

SUFFIXES = (".jpeg", ".jpg", ".png")
# Which of ImageNet's 1,000 classes those of data.CLASSES["imagenette"] are.
IMAGENETTE_CLASSES = np.array([0, 217, 482, 491, 497, 566, 569, 571, 574, 701])


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
    places = sorted(place for place in Path(folder).iterdir() if place.is_dir())
    if len(places) != len(classes):
        raise ValueError(f"`folder` holds {len(places)} folders and `classes` {len(classes)} classes; they must be as "
                         "many")
    found = [(path, index) for place, index in zip(places, classes)
             for path in sorted(place.iterdir()) if path.suffix.lower() in SUFFIXES]
    if not found:
        raise ValueError(f"`folder` holds no pictures ({', '.join(SUFFIXES)}) in its {len(places)} folders")
    scores = _scores(name, (images.read(path) for path, _ in found), device, batch_size)
    return scores, np.array([index for _, index in found])


def judge_imagenette(name, *, device="cpu", batch_size=32):
    """Return what :func:`judge_published` does for Imagenette's validation pictures, fetched at first use.

    Notes
    -----
    Its pictures are squares of 160 pixels and are enlarged here, ten of a thousand classes are asked for, and most of
    the pictures were among those that the weights were trained on: its split is another than ImageNet's. So this
    checks that weights, order of classes and cut fit together; it is no accuracy to put beside one on ImageNet.
    """
    _, (x, y) = data.load_imagenette(num_train=1, size=160)
    return _scores(name, map(images.to_hwc, x), device, batch_size), IMAGENETTE_CLASSES[y]


def _scores(name, pictures, device, batch_size):
    import torch

    net, scores, pictures = pretrained(name).to(device), [], iter(pictures)
    while batch := [published_crop(picture) for picture in itertools.islice(pictures, batch_size)]:
        with torch.inference_mode():
            x = published_input(torch.tensor(np.stack(batch), device=device), name)
            scores.append(net(x).cpu().numpy())
    return np.concatenate(scores)
