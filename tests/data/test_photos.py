"""The photographs that ship: all there, all licensed, the same pixels as their source."""

import re
import shutil

import numpy as np
import pytest
from helpers import assert_close

import cnnlib
from cnnlib import data, images
from cnnlib.data import photos

SOURCES = {"cat": "chelsea"}  # where scikit-image's name is another
JPEG = {"astronaut", "coffee"}  # stored with loss here, without there


@pytest.mark.parametrize("name", data.PHOTOS)
def test_photo(name):
    photo = data.photo(name)
    assert photo.dtype == np.float64
    assert photo.ndim in (2, 3)
    assert photo.min() >= 0
    assert photo.max() <= 1
    assert np.ptp(photo) > 0.5
    assert 0.05 < photo.std() < 0.4  # a picture, not a flat field
    assert data.photo(name, grey=True).shape == photo.shape[:2]


@pytest.mark.parametrize("name", data.PHOTOS)
def test_same_pixels_as_the_source(name):
    skimage_data = pytest.importorskip("skimage.data")
    source = getattr(skimage_data, SOURCES.get(name, name))() / 255
    difference = np.abs(data.photo(name) - source)
    assert difference.mean() < (0.008 if name in JPEG else 1e-3)  # decoders of JPEG may differ by a level


def test_size():
    cat = data.photo("cat")
    assert data.photo("cat", size=64).shape == (64, 64, 3)
    assert data.photo("cat", size=(30, 90), grey=True).shape == (30, 90)
    square = images.crop(cat, 0, 75, 300, 300)
    assert_close(data.photo("cat", size=64), images.resize(square, (64, 64)))
    assert_close(data.photo("cat", size=(300, 451)), cat)


def test_each_call_gives_a_fresh_copy():
    first = data.photo("camera")
    first[:] = 0
    assert data.photo("camera").max() > 0.5


def test_unknown_name():
    with pytest.raises(ValueError, match=r"no photo 'dog'; there are astronaut, .*camera, cat"):
        data.photo("dog")


def test_files_and_licences_agree():
    files = sorted(path.name for path in (data.assets() / "photos").iterdir())
    rows = re.findall(r"^\| `([^`]+)` \| (.+) \|$", (data.assets() / "LICENSES.md").read_text("utf-8"), re.MULTILINE)
    assert files == sorted(photos._FILES.values()) == sorted(name for name, _ in rows)
    for _, row in rows:
        author, licence = row.split(" | ")[1:3]
        assert author
        assert re.search("CC0|public domain|no known copyright", licence)
    assert sum(path.stat().st_size for path in (data.assets() / "photos").iterdir()) < 1.5e6


def test_found_in_an_installed_package(tmp_path, monkeypatch):
    package = tmp_path / "cnnlib"
    shutil.copytree(data.assets(), package / "_assets")
    monkeypatch.setattr(photos.importlib.resources, "files", lambda name: package)
    assert data.assets() == package / "_assets"
    shutil.rmtree(package)
    with pytest.raises(FileNotFoundError, match="install cnnlib again"):
        data.assets()


def test_found_in_a_checkout():
    assert data.assets().is_relative_to(cnnlib.__path__[0].removesuffix("cnnlib"))


def test_size_is_checked_first():
    with pytest.raises(ValueError, match="`size` is 0; it must be at least 1"):
        data.photo("cat", size=0)
