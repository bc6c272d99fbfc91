"""Imagenette's loader on archives of made-up photographs, by the real path."""

import io

import numpy as np
import pytest
from packed import tar_gz
from PIL import Image
from trainees import needs_torch

from cnnlib import data, training
from cnnlib.data import imagenette
from cnnlib.recipes import imagenette as of_imagenette

SMALL = {"train": 23, "val": 10}  # pictures in the made-up archive


def jpeg(levels):
    packed = io.BytesIO()
    Image.fromarray(levels).save(packed, "JPEG", quality=100, subsampling=0)
    return packed.getvalue()


def photograph(label, rows=160, cols=213):
    """A flat picture whose red tells the class, its left and right edges white: what is cut away."""
    levels = np.full((rows, cols, 3), 20 * label, np.uint8)
    edge = (max(rows, cols) - min(rows, cols)) // 2
    if cols > rows:
        levels[:, :edge] = levels[:, -edge:] = 255
    elif rows > cols:
        levels[:edge] = levels[-edge:] = 255
    return levels


def files(**changes):
    """The archive's files: 2 or 3 photographs of each class to train on, one to test; and what is no photograph."""
    made = {"imagenette2-160/noisy_imagenette.csv": b"path,noisy_labels_0\n", "imagenette2-160/.DS_Store": b"x"}
    for split, count in SMALL.items():
        for number in reversed(range(count)):  # no order is promised
            label = number % 10
            shape = (160, 213) if number % 2 else (200, 160)
            made[f"imagenette2-160/{split}/{imagenette.SYNSETS[label]}/{split}_{number:02}.JPEG"] = jpeg(
                photograph(label, *shape))
    return made | changes


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(imagenette, "COUNTS", SMALL)


def test_photographs_are_cut_square_and_their_classes_take_turns(put, small):
    put("imagenette", {"imagenette2-160.tgz": tar_gz(files())})
    for (x, y), count in zip(data.load_imagenette(size=32), SMALL.values()):
        assert (x.dtype, y.dtype, x.shape) == (np.float32, np.int64, (count, 3, 32, 32))
        assert y.tolist() == [number % 10 for number in range(count)]
        # Only the middle is seen, to the last column: JPEG's and the filter's rounding and no more of the white edge.
        inner = np.abs(255 * x - 20 * y[:, None, None, None])[..., 2:-2, 2:-2]
        assert inner.max() < 3
        assert x.flags.writeable and x.flags.c_contiguous


def test_the_first_few_hold_every_class(put, small):
    put("imagenette", {"imagenette2-160.tgz": tar_gz(files())})
    (x_all, _), _ = data.load_imagenette(size=16)
    (x, y), (x_test, _) = data.load_imagenette(12, 3, size=16)
    np.testing.assert_array_equal(x, x_all[:12])
    assert sorted(set(y.tolist())) == list(range(10)) and len(x_test) == 3


def test_rows_and_columns_stay_and_colours_come_first(put, monkeypatch):
    monkeypatch.setattr(imagenette, "COUNTS", {"train": 1, "val": 1})
    levels = np.zeros((160, 160, 3), np.uint8)
    levels[:80, :, 0], levels[:, 80:, 2] = 200, 100  # red above, blue on the right
    made = {f"imagenette2-160/{split}/n03888257/a.JPEG": jpeg(levels) for split in ("train", "val")}
    put("imagenette", {"imagenette2-160.tgz": tar_gz(made)})
    (x, y), _ = data.load_imagenette(size=8)
    assert data.CLASSES["imagenette"][y[0]] == "parachute"
    np.testing.assert_allclose(255 * x[0, :, 0, 7], [200, 0, 100], atol=4)
    np.testing.assert_allclose(255 * x[0, :, 7, 0], [0, 0, 0], atol=4)


def test_a_grey_photograph_becomes_three_equal_colours(put, small):
    grey = {f"imagenette2-160/train/{imagenette.SYNSETS[0]}/train_00.JPEG": jpeg(np.full((160, 170), 90, np.uint8))}
    put("imagenette", {"imagenette2-160.tgz": tar_gz(files(**grey))})
    (x, _), _ = data.load_imagenette(1, 1, size=8)
    np.testing.assert_allclose(255 * x, 90, atol=1.01)


@needs_torch
def test_the_recipe_learns_from_the_archive(put, small):
    """From packed photographs to a net that tells the classes by their brightness, by the real path."""
    from cnnlib import torch_layers

    put("imagenette", {"imagenette2-160.tgz": tar_gz(files())})
    recipe = of_imagenette.recipe(torch_layers, epochs=6, batch_size=8, size=32)
    (x, y), (x_test, _) = recipe["train"], recipe["valid"]
    assert (x.shape, x_test.shape) == ((23, 3, 32, 32), (10, 3, 32, 32))
    green = (20 * y / 255 - 0.456) / 0.224  # ImageNet's mean taken away, over its deviation
    np.testing.assert_allclose(x[:, 1, 8:24, 8:24], np.broadcast_to(green[:, None, None], (23, 16, 16)), atol=0.06)
    history = training.fit(**recipe, device="cpu", callback=None)
    assert history.step[-1] == 18 and history.train_loss[-1] < 0.8 * history.train_loss[0]


@pytest.mark.parametrize("change, words", [
    ({}, "has 23 photographs in train, not Imagenette's 9469"),
    ({"imagenette2-160/train/n01440764/train_00.JPEG": b"no picture"}, "train_00.JPEG is no picture that Pillow can"),
])
def test_archives_that_are_wrong(put, monkeypatch, change, words):
    if change:
        monkeypatch.setattr(imagenette, "COUNTS", SMALL)
    put("imagenette", {"imagenette2-160.tgz": tar_gz(files(**change))})
    with pytest.raises(ValueError, match=words):
        data.load_imagenette(size=8)


@pytest.mark.parametrize("arguments, words", [
    (dict(size=161), "`size` is 161; the photographs have 160 pixels along their shorter side"),
    (dict(size=0), "`size` is 0; it must be at least 1"),
    (dict(num_train=9470), "`num_train` is 9470; it must be a whole number from 1 to 9469, or None"),
    (dict(num_test=0), "`num_test` is 0; it must be a whole number from 1 to 3925, or None"),
])
def test_what_cannot_be(arguments, words):
    with pytest.raises(ValueError, match=words):
        data.load_imagenette(**arguments)


def test_classes_and_synsets_agree():
    assert len(imagenette.SYNSETS) == len(data.CLASSES["imagenette"]) == 10
    assert list(imagenette.SYNSETS) == sorted(imagenette.SYNSETS)
