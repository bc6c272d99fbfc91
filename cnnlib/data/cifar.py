"""CIFAR-10 in its binary form: records of one label and 3072 levels each, in an archive that is fetched on request."""

import numpy as np

from cnnlib.data import archives
from cnnlib.data._fetch import fetch
from cnnlib.data._split import as_count, as_pixels
from cnnlib.data.classes import CLASSES

SIDE = 32
RECORD = 1 + 3 * SIDE * SIDE  # bytes: the label, then the red plane, the green and the blue, row by row
BATCH = 10_000  # records in each of the six files
TRAIN = tuple(f"cifar-10-batches-bin/data_batch_{number}.bin" for number in range(1, 6))
TEST = ("cifar-10-batches-bin/test_batch.bin",)
LARGEST = 256 * 2**20  # bytes: the archive holds 184 MB


def load_cifar10(num_train=None, num_test=None):
    """Load CIFAR-10, 50,000 + 10,000 small colour photographs in ten classes.

    Parameters
    ----------
    num_train, num_test : int, optional
        Only that many pictures of a split, its first ones; None gives all. All of them take 740 MB, so ask for
        fewer on a small machine.

    Returns
    -------
    (x_train, y_train), (x_test, y_test)
        x: array of shape (N, 3, 32, 32), float32 in [0, 1], red-green-blue. y: array of shape (N,), int64; the ten
        classes are ``data.CLASSES["cifar10"]``.

    Raises
    ------
    DownloadError
        The archive is not here and cannot be fetched; the message says what to do, also without network.

    Notes
    -----
    The first call downloads 170 MB into ``~/.cache/cnnlib``; later calls need no network. Without one, carry the
    archive over: ``python -m cnnlib fetch cifar10 --to FOLDER`` where there is network, then here
    ``os.environ["CNNLIB_MIRROR"] = "FOLDER"`` (see :func:`cnnlib.data.fetch`). The archive is read where it lies;
    nothing is unpacked on the disk.

    References
    ----------
    .. [1] Krizhevsky, Learning multiple layers of features from tiny images, technical report, University of
       Toronto, 2009.
    """
    counts = {TRAIN: as_count("num_train", num_train, BATCH * len(TRAIN)),
              TEST: as_count("num_test", num_test, BATCH * len(TEST))}
    [path] = fetch("cifar10").values()
    splits = {names: (np.empty((count, 3, SIDE, SIDE), np.float32), np.empty(count, np.int64))
              for names, count in counts.items()}
    missing = {*TRAIN, *TEST}
    for name, stream in archives.members(path, LARGEST):
        for names, (x, y) in splits.items():
            if name in names:
                missing.discard(name)
                first = BATCH * names.index(name)
                levels, labels = parse(stream.read(BATCH * RECORD + 1), name, BATCH)
                x[first:first + BATCH] = as_pixels(levels[:max(0, len(x) - first)])
                y[first:first + BATCH] = labels[:max(0, len(y) - first)]
    if missing:
        raise ValueError(f"{path} lacks {', '.join(sorted(missing))}")
    return splits[TRAIN], splits[TEST]


def parse(content, name, count=None):
    """Cut the bytes of a CIFAR-10 batch into pictures and labels.

    Parameters
    ----------
    content : bytes
    name : str
        What an error calls them.
    count : int, optional
        How many records there must be; None takes any whole number from 1 up.

    Returns
    -------
    levels : array of shape (N, 3, 32, 32), uint8, a view of the bytes
    labels : array of shape (N,), uint8

    Raises
    ------
    ValueError
        The length is not that of `count` records, or a label is above 9.
    """
    records, rest = divmod(len(content), RECORD)
    if rest or not records or (count is not None and records != count):
        wanted = "a whole number of records" if count is None else f"{count * RECORD} bytes for {count} records"
        raise ValueError(f"{name} has {len(content)} bytes, not {wanted} of {RECORD} bytes")
    table = np.frombuffer(content, np.uint8).reshape(records, RECORD)
    labels = table[:, 0]
    if labels.max() >= len(CLASSES["cifar10"]):
        raise ValueError(f"{name}: record {labels.argmax()} has the label {labels.max()}; they end at 9")
    return table[:, 1:].reshape(records, 3, SIDE, SIDE), labels
