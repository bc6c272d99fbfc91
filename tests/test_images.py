"""Pictures in and out: known values, inverse pairs, Pillow's and scikit-image's answers, clear errors."""

import io
import re

import numpy as np
import pytest
from helpers import assert_close
from PIL import Image

from cnnlib import images


def saved(array_or_picture, kind="PNG", **options):
    """A file that holds the picture, as an open binary stream."""
    picture = array_or_picture
    if isinstance(picture, np.ndarray):
        picture = Image.fromarray(picture)
    file = io.BytesIO()
    picture.save(file, kind, **options)
    file.seek(0)
    return file


def test_read_known_values():
    levels = np.array([[0, 51, 255]], dtype=np.uint8)
    assert_close(images.read(saved(levels)), np.array([[0, 0.2, 1]]))
    colour = np.array([[[0, 51, 255], [255, 0, 102]]], dtype=np.uint8)
    assert_close(images.read(saved(colour)), colour / 255)
    deep = np.array([[0, 13107, 65535]], dtype=np.uint16)
    assert_close(images.read(saved(deep)), np.array([[0, 0.2, 1]]))
    assert_close(images.read(saved(deep, "TIFF")), np.array([[0, 0.2, 1]]))
    assert_close(images.read(saved(Image.fromarray(levels > 99))), np.array([[0.0, 0.0, 1.0]]))


def test_read_from_a_path(tmp_path):
    Image.new("RGB", (3, 2), (255, 0, 0)).save(tmp_path / "red.png")
    picture = images.read(str(tmp_path / "red.png"))
    assert picture.shape == (2, 3, 3)
    assert picture.dtype == np.float64
    assert_close(picture[0, 0], np.array([1.0, 0, 0]))


def test_read_lays_transparency_over_white():
    half = Image.new("RGBA", (1, 1), (0, 0, 0, 51))
    assert_close(images.read(saved(half)), np.full((1, 1, 3), 0.8))
    palette = Image.new("P", (1, 1))
    palette.putpalette([10, 20, 30])
    assert_close(images.read(saved(palette)), np.array([[[10, 20, 30]]]) / 255)
    assert_close(images.read(saved(palette, transparency=0)), np.ones((1, 1, 3)))


def test_read_turns_photographs_upright():
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned a quarter to the right
    turned = images.read(saved(np.array([[0, 255]], dtype=np.uint8), "TIFF", exif=exif))
    assert_close(turned, np.array([[0.0], [1.0]]))


def test_read_errors(tmp_path):
    with pytest.raises(ValueError, match="floating-point levels have no agreed white"):
        images.read(saved(np.ones((2, 2), dtype=np.float32), "TIFF"))
    with pytest.raises(ValueError, match="levels from 0 to 70000 are not 16-bit grey"):
        images.read(saved(np.array([[0, 70000]], dtype=np.int32), "TIFF"))
    with pytest.raises(FileNotFoundError, match="nowhere.png"):
        images.read(tmp_path / "nowhere.png")


def test_to_grey(rng):
    colour = rng.random((5, 4, 3))
    assert_close(images.to_grey(np.eye(3)[None]), np.array([[0.2126, 0.7152, 0.0722]]))
    assert_close(images.to_grey(np.eye(3)[None], images.REC601), np.array([[0.299, 0.587, 0.114]]))
    assert_close(images.to_grey(np.ones((2, 3, 3))), np.ones((2, 3)))
    for weights in (images.REC709, images.REC601):
        assert sum(weights) == pytest.approx(1, abs=1e-12)
    levels = np.round(255 * colour).astype(np.uint8)
    pillow = np.asarray(Image.fromarray(levels).convert("L")) / 255
    ours = images.to_grey(levels / 255, weights=images.REC601)
    assert np.abs(ours - pillow).max() <= 1 / 255  # Pillow rounds its result to 8 bits
    assert np.abs(images.to_grey(levels / 255) - pillow).max() > 2 / 255  # the default weights are others
    assert images.to_grey(colour.astype(np.float32)).dtype == np.float32
    grey = colour[..., 0]
    copy = images.to_grey(grey)
    assert_close(copy, grey)
    assert not np.shares_memory(copy, grey)


def test_channels_first_and_back(rng):
    colour, grey = rng.random((5, 4, 3)), rng.random((5, 4))
    channels = images.to_chw(colour)
    assert channels.shape == (3, 5, 4)
    assert channels.flags.c_contiguous
    assert channels[2, 1, 3] == colour[1, 3, 2]
    assert not np.shares_memory(channels, colour)
    assert images.to_chw(grey).shape == (1, 5, 4)
    for picture in (colour, grey):
        assert_close(images.to_hwc(images.to_chw(picture)), picture)


def test_resize_known_values():
    assert_close(images.resize(np.array([[0.0, 1.0]]), (1, 4)), np.array([[0, 0.25, 0.75, 1]]))
    row = np.array([[0.0, 0.0, 0.0, 1.0, 1.0, 1.0]])
    assert_close(images.resize(row, (1, 3)), np.array([[0, 0.5, 1]]))


@pytest.mark.parametrize("size", [(9, 8), (5, 3), (17, 31), (1, 1), (9, 4)])
def test_resize_laws(rng, size):
    picture = rng.random((9, 8, 3))
    small = images.resize(picture, size)
    assert small.shape == (*size, 3)
    assert small.min() >= picture.min() - 1e-12
    assert small.max() <= picture.max() + 1e-12
    assert_close(images.resize(np.full((9, 8), 0.3), size), np.full(size, 0.3))
    assert_close(images.resize(2 * picture, size), 2 * small)
    assert_close(images.resize(picture[::-1, ::-1], size), small[::-1, ::-1])
    assert_close(small[..., 1], images.resize(picture[..., 1], size))
    if size == (9, 8):
        assert_close(small, picture)


@pytest.mark.parametrize("size", [(5, 3), (40, 33), (11, 64), (64, 7)])
def test_resize_matches_pillow(rng, size):
    picture = rng.random((23, 18)).astype(np.float32)
    pillow = Image.fromarray(picture).resize(size[::-1], Image.Resampling.BILINEAR)
    assert_close(images.resize(picture, size), np.asarray(pillow))


def test_resize_does_not_alias():
    stripes = np.tile([0.0, 1.0], (64, 32))  # every second column is white
    small = images.resize(stripes, (21, 21))
    assert np.abs(small[:, 1:-1] - 0.5).max() < 0.06  # a grey; plain interpolation would give stripes
    transform = pytest.importorskip("skimage.transform")
    coarse = transform.resize(stripes, (21, 21), anti_aliasing=False)
    assert np.abs(coarse[:, 1:-1] - 0.5).max() > 0.4


def test_crop():
    picture = np.arange(12.0).reshape(3, 4)
    part = images.crop(picture, 1, 2, 2, 2)
    assert_close(part, np.array([[6.0, 7], [10, 11]]))
    part[:] = 0
    assert picture[1, 2] == 6


@pytest.mark.parametrize("window", [(0, 0, 4, 1), (-1, 0, 2, 2), (0, 3, 1, 2), (0, 0, 0, 1)])
def test_crop_errors(window):
    row, col, height, width = window
    message = rf"row {row}, col {col}, height {height}, width {width}\) does not lie in the 3×4 picture"
    with pytest.raises(ValueError, match=message):
        images.crop(np.zeros((3, 4)), *window)


@pytest.mark.parametrize("function", [images.to_grey, images.to_chw, lambda image: images.resize(image, (2, 2))])
def test_shape_errors(function):
    with pytest.raises(ValueError, match=r"shape \(2, 5, 4, 3\).*one picture at a time"):
        function(np.zeros((2, 5, 4, 3)))
    with pytest.raises(ValueError, match=r"shape \(5, 4, 4\).*image\[\.\.\., :3\] drops it"):
        function(np.zeros((5, 4, 4)))
    with pytest.raises(ValueError, match=r"shape \(3, 5, 5\).*to_hwc\(image\) turns it"):
        function(np.zeros((3, 5, 5)))
    with pytest.raises(ValueError, match=r"empty: shape \(0, 4\)"):
        function(np.zeros((0, 4)))
    with pytest.raises(TypeError, match="must be a NumPy array, not list"):
        function([[1.0]])


def test_number_errors():
    with pytest.raises(TypeError, match=r"dtype uint8.*image / 255"):
        images.to_grey(np.zeros((2, 2, 3), dtype=np.uint8))
    with pytest.raises(TypeError, match=r"dtype int64.*astype\(float\)"):
        images.resize(np.zeros((2, 2), dtype=np.int64), (1, 1))
    with pytest.raises(ValueError, match="1 of 4 values that are NaN"):
        images.resize(np.array([[0, 1], [np.nan, 1]]), (1, 1))
    with pytest.raises(ValueError, match=r"not \(0, 2\)"):
        images.resize(np.zeros((2, 2)), (0, 2))
    with pytest.raises(ValueError, match=r"not \(1\.5, 2\)"):
        images.resize(np.zeros((2, 2)), (1.5, 2))
    with pytest.raises(ValueError, match=r"\(1, H, W\) or \(3, H, W\), not \(2, 5, 5\)"):
        images.to_hwc(np.zeros((2, 5, 5)))
    for strange in ((1.5, 2), (None, 2), ("a", 2), (np.nan, 2), (np.inf, 2), (True, 2), (2,)):
        with pytest.raises(ValueError, match=rf"two whole numbers of pixels from 1 up, not {re.escape(repr(strange))}"):
            images.resize(np.zeros((2, 2)), strange)
    with pytest.raises(ValueError, match=r"three numbers.*not of shape \(2,\)"):
        images.to_grey(np.zeros((2, 2, 3)), weights=(0.5, 0.5))
    with pytest.raises(ValueError, match=r"three numbers.*not of shape \(\)"):
        images.to_grey(np.zeros((2, 2, 3)), weights=5)
    with pytest.raises(TypeError, match="`height` must be a whole number, not 1.5"):
        images.crop(np.zeros((3, 4)), 0, 0, 1.5, 1)


def test_masks_are_not_dropped():
    masked = np.ma.masked_less(np.zeros((2, 2)), 1)
    for function in (images.to_grey, images.to_chw, lambda image: images.crop(image, 0, 0, 1, 1)):
        with pytest.raises(TypeError, match=r"`image` is a masked array.* image\.filled\(0\)"):
            function(masked)


def test_half_precision(rng):
    """Weights are not rounded to half precision, and a grey of three equal levels is that level."""
    colour = rng.random((40, 30, 3)).astype("float16")
    grey = images.to_grey(colour)
    assert grey.dtype == np.float16
    np.testing.assert_array_equal(grey, images.to_grey(colour.astype("float64")).astype("float16"))
    assert_close(images.resize(colour, (20, 10)), images.resize(colour.astype("float64"), (20, 10)))


def test_sample():
    """Exact on pixels and on any plane; the mean of four in the middle; nothing beyond the border."""
    image = np.add.outer(10.0 * np.arange(4), np.arange(5))
    places = np.array([[[0.0, 0.0], [3.0, 4.0], [2.25, 3.5]], [[3.0, 0.5], [-1e-9, 2.0], [1.0, np.nan]]])
    assert_close(images.sample(image, places, outside=-1), np.array([[0, 34, 26], [30.5, -1, -1]]))
    colour = np.stack([image, -image, 0 * image], -1).astype(np.float32)
    out = images.sample(colour, places[0])
    assert out.dtype == np.float32
    assert_close(out[2], np.array([26, -26, 0], np.float32))
    assert_close(images.sample(image[:1, :1], np.zeros((1, 2))), np.zeros(1))
    with pytest.raises(ValueError, match=r"`points` has shape \(3,\)"):
        images.sample(image, np.zeros(3))


def test_fill_frame_known_values():
    """Two pixels of ink, in a corner, move to the middle: twice as large, read between ink and paper."""
    drawing = np.zeros((4, 4))
    drawing[0, :2] = 1
    assert_close(images.fill_frame(drawing), np.outer([0.25, 0.75, 0.75, 0.25], [0.75, 1, 1, 0.75]))


def test_fill_frame_laws(rng):
    """Where and how large it was drawn does not matter; the margin stays free; no ink gives no ink."""
    shape = np.kron(rng.uniform(0.2, 1, (3, 2)), np.ones((2, 2)))
    one, other = np.zeros((2, 24, 20), np.float32)
    one[1:7, 2:6], other[17:23, 15:19] = shape, shape
    filled = images.fill_frame(one, 3)
    assert filled.dtype == np.float32
    assert_close(images.fill_frame(other, 3), filled)
    solid = images.fill_frame((one > 0).astype(float), 3) > 0.5
    assert [np.flatnonzero(solid.any(axis=axis))[[0, -1]].tolist() for axis in (1, 0)] == [[3, 20], [4, 15]]
    assert not images.fill_frame(np.full((5, 6), 0.05)).any()


@pytest.mark.parametrize("shape, margin, words", [((4, 5, 3), 0, r"shape \(4, 5, 3\); a drawing is \(H, W\)"),
                                                  ((4, 5), 2, "`margin` is 2 .* at most 1"), ((4, 5), -1, "-1")])
def test_fill_frame_errors(shape, margin, words):
    with pytest.raises(ValueError, match=words):
        images.fill_frame(np.ones(shape), margin)
