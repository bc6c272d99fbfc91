"""MNIST and Fashion-MNIST: 70,000 grey pictures of 28×28 pixels each, fetched on request."""

import numpy as np

from cnnlib.data import idx
from cnnlib.data._fetch import fetch
from cnnlib.data._split import as_count, as_pixels
from cnnlib.data.classes import CLASSES

SIDE = 28


def load_mnist(num_train=None, num_test=None):
    """Load MNIST, 60,000 + 10,000 handwritten digits.

    Parameters
    ----------
    num_train, num_test : int, optional
        Only that many pictures of a split, its first ones; None gives all. All of them take 220 MB.

    Returns
    -------
    (x_train, y_train), (x_test, y_test)
        x: array of shape (N, 1, 28, 28), float32 in [0, 1], white ink on black. y: array of shape (N,), int64, the
        digit.

    Raises
    ------
    DownloadError
        The files are not here and cannot be fetched; the message says what to do, also without network.

    Notes
    -----
    The first call downloads 11.6 MB into ``~/.cache/cnnlib``; later calls need no network. Without one, carry the
    files over: ``python -m cnnlib fetch mnist --to FOLDER`` where there is network, then here
    ``os.environ["CNNLIB_MIRROR"] = "FOLDER"`` (see :func:`cnnlib.data.fetch`), or work with
    :func:`cnnlib.data.load_digits`, which needs no download.

    References
    ----------
    .. [1] LeCun et al., Gradient-based learning applied to document recognition, Proc. IEEE 86(11), 1998.
       doi:10.1109/5.726791
    """
    return _load("mnist", num_train, num_test)


def load_fashion_mnist(num_train=None, num_test=None):
    """Load Fashion-MNIST, 60,000 + 10,000 pieces of clothing: as large as MNIST and a good deal harder.

    Parameters
    ----------
    num_train, num_test : int, optional
        Only that many pictures of a split, its first ones; None gives all. All of them take 220 MB.

    Returns
    -------
    (x_train, y_train), (x_test, y_test)
        x: array of shape (N, 1, 28, 28), float32 in [0, 1]. y: array of shape (N,), int64; the ten classes are
        ``data.CLASSES["fashion_mnist"]``.

    Raises
    ------
    DownloadError
        The files are not here and cannot be fetched; the message says what to do, also without network.

    Notes
    -----
    The first call downloads 30.9 MB into ``~/.cache/cnnlib``; later calls need no network. Without one, carry the
    files over: ``python -m cnnlib fetch fashion_mnist --to FOLDER`` where there is network, then here
    ``os.environ["CNNLIB_MIRROR"] = "FOLDER"`` (see :func:`cnnlib.data.fetch`).

    References
    ----------
    .. [1] Xiao, Rasul, Vollgraf, Fashion-MNIST: a novel image dataset for benchmarking machine learning algorithms,
       2017. arXiv:1708.07747
    """
    return _load("fashion_mnist", num_train, num_test)


def _load(name, num_train, num_test):
    """Both splits of a data set in MNIST's four files."""
    paths = fetch(name)
    return tuple(_split(name, paths[f"{prefix}-images-idx3-ubyte.gz"], paths[f"{prefix}-labels-idx1-ubyte.gz"],
                        word, count)
                 for prefix, word, count in (("train", "num_train", num_train), ("t10k", "num_test", num_test)))


def _split(name, images_path, labels_path, word, count):
    """One split, after its two files were found to belong together."""
    levels, labels = idx.read(images_path), idx.read(labels_path)
    if levels.dtype != np.uint8 or levels.shape[1:] != (SIDE, SIDE):
        raise ValueError(f"{images_path} holds {levels.dtype} of shape {levels.shape}, not uint8 (N, {SIDE}, {SIDE})")
    if labels.dtype != np.uint8 or labels.shape != levels.shape[:1]:
        raise ValueError(f"{labels_path} holds {labels.dtype} labels of shape {labels.shape} for "
                         f"{len(levels)} pictures")
    if labels.max(initial=0) >= len(CLASSES[name]):
        raise ValueError(f"{labels_path} holds the label {labels.max()}; there are {len(CLASSES[name])} classes")
    count = as_count(word, count, len(levels))
    return as_pixels(levels[:count]), labels[:count].astype(np.int64)
