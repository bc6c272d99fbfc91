"""The IDX format of MNIST and its kin: a header that says dtype and shape, then the numbers, big-endian."""

import gzip
import math
import zlib

import numpy as np

DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
LARGEST = 2**30  # bytes: twenty times the largest file there is, and nothing that a header can raise


def read(path):
    """Read an IDX file, packed with gzip or not.

    Parameters
    ----------
    path : str or path-like

    Returns
    -------
    array of the shape and dtype that the file's header names, in this machine's byte order

    Raises
    ------
    ValueError
        The file is not IDX, or its length is not the one that its header promises.

    Notes
    -----
    The header is two zero bytes, one for the dtype (:data:`DTYPES`), one for the number of axes, and each axis as a
    big-endian uint32. No more is read than it promises, so a small packed file cannot fill the memory.
    """
    with open(path, "rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        try:
            return _parse(gzip.GzipFile(fileobj=file) if packed else file)
        except (ValueError, EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise ValueError(f"{path} is no whole IDX file: {error}") from error


def _parse(stream):
    """The array in a stream of bytes that are not packed."""
    magic = stream.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in DTYPES:
        raise ValueError(f"it begins with the bytes {magic.hex(' ') or '(none)'}, and IDX with 00 00 and a dtype "
                         f"from {', '.join(f'{code:02x}' for code in DTYPES)}")
    dtype, axes = np.dtype(DTYPES[magic[2]]), magic[3]
    header = stream.read(4 * axes)
    if len(header) < 4 * axes:
        raise ValueError(f"its header promises {axes} axes and ends after {len(header) // 4}")
    shape = tuple(np.frombuffer(header, ">u4").tolist())
    promised = math.prod(shape) * dtype.itemsize
    if promised > LARGEST or axes > 32:  # NumPy before 2.0 knows no more axes
        raise ValueError(f"its header promises the shape {shape}, {promised} bytes; {LARGEST} are the limit here")
    content = stream.read(promised + 1)
    if len(content) != promised:
        more = "more" if len(content) > promised else f"only {len(content)}"
        raise ValueError(f"its header promises {promised} bytes for the shape {shape}, and there are {more}")
    return np.frombuffer(content, dtype).reshape(shape).astype(dtype.newbyteorder("="))
