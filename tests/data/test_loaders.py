"""What every loader keeps to, and what each says about its own pictures."""

import re
import sys

import numpy as np
import pytest
from helpers import assert_close

from cnnlib import data, images
from cnnlib.data import shapes

LOADERS = {
    "digits": (data.load_digits, {}, "sklearn.datasets", (1, 8, 8)),
    "digits-28": (data.load_digits, {"size": 28}, "sklearn.datasets", (1, 28, 28)),
    "digits-32": (data.load_digits, {"size": 32}, "sklearn.datasets", (1, 32, 32)),
    "digits-last": (data.load_digits, {"split": "last"}, "sklearn.datasets", (1, 8, 8)),
    "numbers": (data.load_numbers, {"num_train": 600, "num_test": 200}, "sklearn.datasets", (1, 8, 16)),
    "faces": (data.load_faces, {}, "skimage.data", (1, 25, 25)),
    "textures": (data.load_textures, {}, "skimage.data", (1, 32, 32)),
    "textures-50": (data.load_textures, {"size": 50}, "skimage.data", (1, 50, 50)),
    "patches": (data.load_patches, {"count": 30}, "skimage.data", (1, 64, 64)),
    "shapes": (data.load_shapes, {"num_train": 503, "num_test": 7}, "numpy", (1, 32, 32)),
    "shapes-17": (data.load_shapes, {"num_train": 10, "num_test": 5, "size": 17}, "numpy", (1, 17, 17)),
}
SIZES = {"digits": (1442, 355), "digits-28": (1442, 355), "digits-32": (1442, 355), "digits-last": (1442, 355),
         "numbers": (600, 200),
         "faces": (160, 40), "textures": (576, 192), "textures-50": (240, 60), "patches": (120, 120),
         "shapes": (503, 7), "shapes-17": (10, 5)}


@pytest.fixture(params=LOADERS)
def loader(request):
    """A loader's name, and a function that calls it."""
    load, options, module, shape = LOADERS[request.param]
    pytest.importorskip(module)
    return request.param, lambda: load(**options), shape


def test_one_form_for_all(loader):
    name, load, shape = loader
    splits = load()
    classes = data.CLASSES[name.split("-")[0]]
    assert type(splits) is tuple and all(type(split) is tuple for split in splits)
    assert tuple(len(x) for x, _ in splits) == SIZES[name]
    for x, y in splits:
        assert x.shape == (len(y), *shape) and x.dtype == np.float32
        assert y.dtype == np.int64 and y.ndim == 1
        assert x.flags.c_contiguous and x.flags.writeable and y.flags.writeable
        assert x.min() >= 0 and x.max() <= 1 and np.ptp(x) > 0.5
        assert set(y.tolist()) == set(range(len(classes)))
        counts = np.bincount(y)
        assert counts.max() <= 1.25 * counts.min() + 1  # every class is there in earnest


def test_the_same_in_every_call_and_never_the_same_array(loader):
    _, load, _ = loader
    first, second = load(), load()
    for (x, y), (x_again, y_again) in zip(first, second):
        np.testing.assert_array_equal(x, x_again)
        np.testing.assert_array_equal(y, y_again)
        x[:] = 0.5
        y[:] = 0
        assert not (x_again == 0.5).all() and y_again.any()


def test_no_picture_stands_in_both_splits(loader):
    _, load, _ = loader
    (x_train, _), (x_test, _) = load()
    seen = {picture.tobytes() for picture in x_train}
    assert [picture.tobytes() in seen for picture in x_test].count(True) == 0


@pytest.mark.parametrize("load, package, modules", [
    (data.load_digits, "scikit-learn", ("sklearn", "sklearn.datasets")),
    (data.load_faces, "scikit-image", ("skimage", "skimage.data")),
    (data.load_textures, "scikit-image", ("skimage", "skimage.data")),
    (data.load_patches, "scikit-image", ("skimage", "skimage.data")),
])
def test_a_missing_package_is_named(load, package, modules, monkeypatch):
    for module in modules:
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=f"data.{load.__name__} takes its pictures from {package}, which is not "
                                          rf"installed: pip install {package} \(.*`course`\)"):
        load()


# ---- digits


def scans():
    return pytest.importorskip("sklearn.datasets").load_digits()


@pytest.mark.parametrize("split", ["mixed", "last"])
def test_digits_are_the_scans_each_once(split):
    source = scans()
    (x_train, y_train), (x_test, y_test) = data.load_digits(split=split)
    levels = np.concatenate([x_train, x_test])[:, 0] * 16
    labels = np.concatenate([y_train, y_test])
    assert sorted(zip(map(bytes, levels.astype(np.uint8)), labels)) == \
        sorted(zip(map(bytes, source.images.astype(np.uint8)), source.target))


def test_digits_mixed_takes_each_fifth_of_a_digit():
    source = scans()
    _, (x_test, y_test) = data.load_digits()
    for digit in range(10):
        of_digit = source.images[source.target == digit]
        np.testing.assert_array_equal(16 * x_test[y_test == digit, 0], of_digit[4::5])


def test_digits_last_takes_the_last():
    source = scans()
    (x_train, _), (x_test, y_test) = data.load_digits(split="last")
    np.testing.assert_array_equal(16 * x_train[:, 0], source.images[:-355])
    np.testing.assert_array_equal(16 * x_test[:, 0], source.images[-355:])
    np.testing.assert_array_equal(y_test, source.target[-355:])


def test_digits_enlarged_are_resized_ones():
    pytest.importorskip("sklearn")
    (small, y), _ = data.load_digits()
    (large, y_large), _ = data.load_digits(size=32)
    np.testing.assert_array_equal(y, y_large)
    for number in (0, 7, 1441):
        assert_close(large[number, 0], images.resize(small[number, 0], (32, 32)))


def test_digits_amid_a_margin():
    pytest.importorskip("sklearn")
    (small, y), (test, _) = data.load_digits()
    (framed, y_framed), (test_framed, _) = data.load_digits(size=28)
    np.testing.assert_array_equal(y, y_framed)
    for number in (0, 7, 354):
        assert_close(framed[number, 0, 4:24, 4:24], images.resize(small[number, 0], (20, 20)))
        assert_close(test_framed[number, 0, 4:24, 4:24], images.resize(test[number, 0], (20, 20)))
    margin = np.ones((28, 28), dtype=bool)
    margin[4:24, 4:24] = False
    assert (framed[:, 0, margin] == 0).all() and (test_framed[:, 0, margin] == 0).all()


def nearest_neighbour_accuracy(splits):
    (x_train, y_train), (x_test, y_test) = splits
    known, asked = (x.reshape(len(x), -1).astype(np.float64) for x in (x_train, x_test))
    distance = (known**2).sum(1) - 2 * asked @ known.T
    return np.mean(y_train[distance.argmin(1)] == y_test)


@pytest.mark.parametrize("split", ["mixed", "last"])
def test_digits_what_the_page_says_about_neighbours(split):
    pytest.importorskip("sklearn")
    said = re.search(r"right for (?P<mixed>\d+) % of a \"mixed\" test and for (?P<last>\d+) % of a \"last\" one",
                     " ".join(data.load_digits.__doc__.split()))
    accuracy = nearest_neighbour_accuracy(data.load_digits(split=split))
    assert f"{100 * accuracy:.0f}" == said[split]


def test_digits_what_the_page_says_about_their_order():
    scan = scans().data
    said = re.search(r"within (\d+) places of it for (\d+) % of the scans, where chance would give (\d+) %",
                     " ".join(data.load_digits.__doc__.split()))
    square = (scan**2).sum(1)
    distance = square[:, None] + square - 2 * scan @ scan.T
    np.fill_diagonal(distance, np.inf)
    places = np.arange(len(scan))
    near = int(said[1])
    found = np.mean(np.abs(distance.argmin(1) - places) <= near)
    by_chance = np.mean(np.abs(places[:, None] - places) <= near)
    assert (said[2], said[3]) == (f"{100 * found:.0f}", f"{100 * by_chance:.0f}")


def test_digits_errors():
    with pytest.raises(ValueError, match="`size` is 16; the digits come in 8, 28 and 32 pixels"):
        data.load_digits(size=16)
    with pytest.raises(ValueError, match="`split` is 'random'; it must be 'mixed' or 'last'"):
        data.load_digits(split="random")


# ---- faces and textures


def test_faces_are_the_first_hundred():
    source = pytest.importorskip("skimage.data").lfw_subset()
    (x_train, y_train), (x_test, y_test) = data.load_faces()
    assert_close(x_train[y_train == 1, 0], source[:80].astype(np.float32))
    assert_close(x_test[y_test == 1, 0], source[80:100].astype(np.float32))
    assert_close(x_train[y_train == 0, 0], source[100:180].astype(np.float32))
    assert_close(x_test[y_test == 0, 0], source[180:].astype(np.float32))


@pytest.mark.parametrize("size, train_rows", [(32, 12), (50, 8), (128, 3)])
def test_textures_lie_where_they_were_cut(size, train_rows):
    source = pytest.importorskip("skimage.data")
    (x_train, y_train), (x_test, y_test) = data.load_textures(size)
    cols = 512 // size
    for label, name in enumerate(data.CLASSES["textures"]):
        photo = getattr(source, name)() / 255
        assert_close(x_train[y_train == label][cols + 1, 0],  # second row, second column
                     photo[size:2 * size, size:2 * size].astype(np.float32))
        top = train_rows * size
        assert_close(x_test[y_test == label][0, 0], photo[top:top + size, :size].astype(np.float32))


def places_of(piece, picture):
    """Where in the picture the piece lies: its rows and columns."""
    windows = np.lib.stride_tricks.sliding_window_view(picture, piece.shape)
    corners = np.argwhere(windows[:, :, 0, 0] == piece[0, 0])
    return [(row, col) for row, col in corners if (windows[row, col] == piece).all()]


def test_patches_come_from_two_halves():
    source = pytest.importorskip("skimage.data")
    splits = data.load_patches(count=14)
    things = [name for name in data.PHOTOS if name != "brick"]
    for side, (x, y) in enumerate(splits):
        pictures = [getattr(source, name)() / 255 for name in data.CLASSES["patches"][:3]]
        for number in range(14):
            pictures[3:] = [data.photo(things[number % len(things)], grey=True)]
            for label, picture in enumerate(pictures):
                middle = picture.shape[1] // 2
                found = places_of(x[y == label][number, 0], picture.astype(np.float32))
                assert len(found) == 1
                assert found[0][1] + 64 <= middle if side == 0 else found[0][1] >= middle


def test_patches_are_many_and_each_another():
    pytest.importorskip("skimage")
    (x_train, y_train), _ = data.load_patches()
    assert np.bincount(y_train).tolist() == [300] * 4
    assert len({piece.tobytes() for piece in x_train}) > 1190


@pytest.mark.parametrize("settings, message", [
    ({"size": 7}, "`size` is 7; it must be a whole number from 8 to 128"),
    ({"size": 129}, "`size` is 129; it must be a whole number from 8 to 128"),
    ({"size": 64.0}, "`size` is 64.0; it must be a whole number from 1 up"),
    ({"count": 0}, "`count` is 0; it must be a whole number from 1 to 10000"),
    ({"count": 10_001}, "`count` is 10001; it must be a whole number from 1 to 10000")])
def test_patches_errors(settings, message):
    with pytest.raises(ValueError, match=message):
        data.load_patches(**settings)


@pytest.mark.parametrize("size", [7, 129, 32.0, "32", None])
def test_textures_errors(size):
    with pytest.raises(ValueError, match=f"`size` is {size!r}; it must be a whole number from 8 to 128"):
        data.load_textures(size)


# ---- shapes


@pytest.mark.parametrize("kind", data.CLASSES["shapes"])
def test_shapes_have_the_area_they_promise_wherever_they_lie(kind, rng):
    radius = rng.uniform(5, 9, 50)
    covered = shapes.coverage(kind, radius, rng.uniform(0, 7, 50), rng.uniform(14, 17, (50, 2)), 32)
    area = np.pi * radius**2
    # The border is right to first order; at corners and across the ring's thin wall a little is lost.
    np.testing.assert_allclose(covered.sum(axis=(1, 2)), area, rtol=0.02)


def test_shapes_known_values():
    """A square of 4×4 pixels, straight: its middle between pixels, so its border halves no pixel."""
    radius = np.array([4 / np.sqrt(np.pi)])
    covered = shapes.coverage("square", radius, np.zeros(1), np.array([[7.5, 5.5]]), 16)[0]
    expected = np.zeros((16, 16))
    expected[6:10, 4:8] = 1
    assert_close(covered, expected)


def test_shapes_first_axis_is_rows():
    """A triangle that is not turned has its tip below: its inner side is the upper one."""
    covered = shapes.coverage("triangle", np.array([6.0]), np.zeros(1), np.array([[16.0, 16.0]]), 32)[0]
    widths = covered.sum(axis=1)
    rows = np.flatnonzero(widths > 1)
    assert (np.diff(widths[rows[1]:rows[-1]]) < 0).all()
    assert_close(covered, covered[:, np.arange(32, 0, -1) % 32])  # left is right, about column 16


@pytest.mark.parametrize("kind, turns", [("disc", 360), ("ring", 360), ("square", 4), ("cross", 4), ("triangle", 3)])
def test_shapes_come_back_when_turned(kind, turns):
    centre = np.array([[15.3, 16.1]] * 2)
    covered = shapes.coverage(kind, np.full(2, 6.0), np.array([0.3, 0.3 + 2 * np.pi / turns]), centre, 32)
    assert_close(covered[0], covered[1])


def test_shapes_lie_inside_and_tell_nothing_but_their_form(rng):
    (x, y), _ = data.load_shapes(num_train=5000, num_test=5)
    edge = np.concatenate([x[:, 0, 0], x[:, 0, -1], x[:, 0, :, 0], x[:, 0, :, -1]], axis=1)
    # Only noise there: 0.05, or less where it is cut at 0 and 1.
    assert edge.std(axis=1).max() < 0.07
    means = np.array([[x[y == label].mean(), np.abs(x[y == label] - 0.5).mean()] for label in range(5)])
    # 1000 pictures a class, whose means scatter by 0.2: three standard errors are 0.02.
    assert np.ptp(means, axis=0).max() < 0.03


def test_shapes_follow_their_generator():
    (one, _), (test, _) = data.load_shapes(20, 10, rng=np.random.default_rng(5))
    (same, _), (same_test, _) = data.load_shapes(20, 10, rng=np.random.default_rng(5))
    (other, _), _ = data.load_shapes(20, 10, rng=np.random.default_rng(6))
    (_, _), (test_of_more, _) = data.load_shapes(30, 10, rng=np.random.default_rng(5))
    np.testing.assert_array_equal(one, same)
    np.testing.assert_array_equal(test, same_test)
    np.testing.assert_array_equal(test, test_of_more)
    assert (one != other).mean() > 0.9


@pytest.mark.parametrize("options, error, words", [
    ({"num_train": 0}, ValueError, "`num_train` is 0; it must be a whole number from 1 up"),
    ({"num_test": 2.5}, ValueError, "`num_test` is 2.5; it must be a whole number from 1 up"),
    ({"num_test": None}, ValueError, "`num_test` is None; it must be a whole number"),
    ({"size": 15}, ValueError, "`size` is 15; below 16 pixels"),
    ({"rng": 0}, TypeError, r"`rng` must be a numpy.random.Generator, not int: np.random.default_rng\(seed\)"),
])
def test_shapes_errors(options, error, words):
    with pytest.raises(error, match=words):
        data.load_shapes(**options)


def test_numbers_are_two_scans_of_their_digits():
    pytest.importorskip("sklearn")
    for pictures, scans in zip(data.load_numbers(150, 130), data.load_digits(split="last")):
        digit_of = {scan.tobytes(): digit for scan, digit in zip(*scans)}
        for picture, number in zip(*pictures):
            assert [digit_of[half.tobytes()] for half in (picture[..., :8].copy(), picture[..., 8:].copy())] == [
                number // 10, number % 10]


def test_numbers_errors():
    with pytest.raises(ValueError, match="`num_train` is 0"):
        data.load_numbers(0)
    with pytest.raises(TypeError, match="`rng` must be a numpy.random.Generator, not int"):
        data.load_numbers(rng=3)
