"""IDX: what is written comes back; whatever else is read is a ValueError, and small."""

import gzip
import math
import re
import tracemalloc

import numpy as np
import pytest
from helpers import assert_close
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnlib.data import idx

CODES = {np.dtype(name).newbyteorder("="): code for code, name in idx.DTYPES.items()}


def written(array):
    """The array as the bytes of an IDX file."""
    header = bytes([0, 0, CODES[array.dtype], array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


def read(content, folder):
    path = folder / "a.idx"
    path.write_bytes(content)
    return idx.read(path)


@st.composite
def arrays(draw):
    dtype = draw(st.sampled_from([*CODES]))
    shape = draw(st.lists(st.integers(0, 4), max_size=4))
    content = draw(st.binary(min_size=(size := math.prod(shape) * dtype.itemsize), max_size=size))
    return np.frombuffer(content, dtype).reshape(shape) if size else np.zeros(shape, dtype)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("idx")


def test_known_bytes(folder):
    content = bytes([0, 0, 0x0B, 2, 0, 0, 0, 2, 0, 0, 0, 3]) + bytes([0, 1, 0, 2, 1, 0, 255, 255, 128, 0, 127, 255])
    for packed in (content, gzip.compress(content)):
        array = read(packed, folder)
        assert array.dtype == np.int16 and array.dtype.isnative
        assert array.tolist() == [[1, 2, 256], [-1, -32768, 32767]]


@settings(max_examples=100, deadline=None)
@given(array=arrays(), packed=st.booleans())
def test_what_is_written_comes_back(folder, array, packed):
    content = written(array)
    found = read(gzip.compress(content, 1) if packed else content, folder)
    assert found.dtype == array.dtype and found.shape == array.shape
    assert found.tobytes() == array.tobytes()  # NaN and all


@settings(max_examples=100, deadline=None)
@given(array=arrays(), packed=st.booleans(), draw=st.data())
def test_any_other_length_is_an_error(folder, array, packed, draw):
    content = written(array)
    if draw.draw(st.booleans()):
        content += draw.draw(st.binary(min_size=1, max_size=5))
    else:
        content = content[:draw.draw(st.integers(0, len(content) - 1))]
    with pytest.raises(ValueError, match=r"a\.idx is no whole IDX file: it"):
        read(gzip.compress(content, 1) if packed else content, folder)


@settings(max_examples=200, deadline=None)
@given(content=st.binary(max_size=40), prefix=st.sampled_from([b"", b"\0\0\x08", b"\0\0\x0d\x02", b"\x1f\x8b\x08\0"]))
def test_random_bytes_are_read_or_a_value_error(folder, content, prefix):
    try:
        array = read(prefix + content, folder)
    except ValueError as error:
        assert "is no whole IDX file" in str(error)
    else:
        assert written(array) == prefix + content


@settings(max_examples=60, deadline=None)
@given(array=arrays(), place=st.integers(0, 10**6), change=st.integers(1, 255))
def test_damage_in_a_packed_file_is_found(folder, array, place, change):
    content = bytearray(gzip.compress(written(array), 1, mtime=0))
    place = 10 + place % (len(content) - 10)  # behind gzip's own header, where nothing is checked
    content[place] ^= change
    try:
        found = read(bytes(content), folder)
    except ValueError as error:
        assert "is no whole IDX file" in str(error)
    else:  # some bits mean nothing to gzip
        assert found.tobytes() == array.tobytes() and found.shape == array.shape


@pytest.mark.parametrize("content, words", [
    (b"", "it begins with the bytes (none), and IDX with 00 00"),
    (b"\x89PNG\r\n", "it begins with the bytes 89 50 4e 47"),
    (b"\0\0\x0a\x01\0\0\0\1\0", "bytes 00 00 0a 01, and IDX with 00 00 and a dtype from 08, 09, 0b, 0c, 0d, 0e"),
    (b"\0\0\x08\x03\0\0\0\1", "its header promises 3 axes and ends after 1"),
    (b"\0\0\x08\x01\0\0\0\3ab", "promises 3 bytes for the shape (3,), and there are only 2"),
    (b"\0\0\x08\x01\0\0\0\3abcd", "promises 3 bytes for the shape (3,), and there are more"),
    (b"\0\0\x08\x02" + b"\xff" * 8, "(4294967295, 4294967295), 18446744065119617025 bytes; 1073741824 are the limit"),
])
def test_errors(content, words, folder):
    with pytest.raises(ValueError, match=re.escape(words)):
        read(content, folder)


def test_a_small_file_cannot_fill_the_memory(folder):
    bomb = gzip.compress(b"\0\0\x08\x01\0\0\0\x0a" + bytes(50_000_000), 9)
    assert len(bomb) < 100_000
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"promises 10 bytes for the shape \(10,\), and there are more"):
        read(bomb, folder)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2e6


def test_result_may_be_written_to(folder):
    array = read(written(np.arange(3, dtype=np.uint8)), folder)
    array += 1
    assert_close(array, np.array([1, 2, 3], np.uint8))
