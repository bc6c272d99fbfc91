"""Thinning, linking and Canny's detector: by hand, by brute force, and beside scikit-image and OpenCV."""

import tracemalloc

import numpy as np
import pytest
from helpers import assert_close
from layouts import LAYOUTS, laid_out
from photographs import PHOTOS, library, photo, photos_and_crops

from cnnlib import _array
from cnnlib.features import edges

# ---- non-maximum suppression

def suppressed_by_definition(magnitude, grad_row, grad_col, low=0.0):
    """Walk from each pixel along the gradient, both ways, to the ring of its neighbours, and compare."""
    out = np.zeros_like(magnitude)
    height, width = magnitude.shape
    for i in range(1, height - 1):
        for j in range(1, width - 1):
            row, col, here = grad_row[i, j], grad_col[i, j], magnitude[i, j]
            if here <= low:
                continue
            if row == col == 0:
                row, col = 0.0, 1.0
            if 2 * col + row < 0:
                row, col = -row, -col
            longest = max(abs(row), abs(col))
            after, before = (between(magnitude, i + way * row / longest, j + way * col / longest) for way in (1, -1))
            if before < here >= after:
                out[i, j] = here
    return out


def between(picture, row, col):
    """Read a picture between two pixels: one of the coordinates is whole."""
    top, left = int(np.floor(row)), int(np.floor(col))
    down, right = row - top, col - left
    below, beside = top + (down > 0), left + (right > 0)
    return (1 - down - right) * picture[top, left] + down * picture[below, left] + right * picture[top, beside]


@pytest.mark.parametrize("low", (0.0, 0.4))
def test_suppression_by_definition(array, rng, low):
    for shape in ((3, 3), (9, 14), (2, 7), (1, 1)):
        magnitude, (row, col) = rng.random(shape), rng.standard_normal((2, *shape))
        expected = suppressed_by_definition(magnitude, row, col, low)
        assert_close(edges.non_maximum_suppression(*map(array, (magnitude, row, col)), low=low), expected)
    for image in photos_and_crops()[6:9]:
        row, col = edges.sobel(edges.smooth(image, 1.0))
        magnitude = edges.gradient_magnitude(row, col)
        expected = suppressed_by_definition(magnitude, row, col, low / 10)
        assert 0 < (expected > 0).mean() < 0.5
        assert_close(edges.non_maximum_suppression(*map(array, (magnitude, row, col)), low=low / 10), expected)


def test_ties_by_definition(array, rng):
    """Few levels, so that neighbours are often equal; slopes whose shares between two neighbours are exact."""
    for _ in range(5):
        magnitude = rng.integers(0, 3, (12, 15)).astype(float)
        row, col = rng.choice([-4.0, -2, -1, 0, 1, 2, 4], (2, 12, 15))
        expected = suppressed_by_definition(magnitude, row, col)
        assert_close(edges.non_maximum_suppression(*map(array, (magnitude, row, col))), expected)


@pytest.mark.parametrize("turn", range(4))
@pytest.mark.parametrize("diagonal", (False, True))
def test_a_step_becomes_a_thin_line(array, turn, diagonal):
    """Both sides of a step are equally steep; one of them is kept, the same one whichever side is bright.

    A staircase under 45° keeps both: across it, the ring of neighbours lies two stairs away.
    """
    rows, cols = np.mgrid[:11, :11]
    step = np.rot90(np.where((cols + rows if diagonal else 2 * cols) > 10, 0.9, 0.2), turn)
    lines = []
    for image in (step, 1.1 - step):
        row, col = edges.sobel(array(image.copy()))
        thin = edges.non_maximum_suppression(edges.gradient_magnitude(row, col), row, col, low=1e-9)
        lines.append(_array.to_numpy(thin)[1:-1, 1:-1] > 0)
        across = lines[-1] if turn % 2 == 0 else lines[-1].T
        assert (across[1:-1].sum(axis=1) == (2 if diagonal else 1)).all()
    np.testing.assert_array_equal(*lines)


def test_suppression_reads_what_it_has_not_written(array):
    """A ramp in the magnitude has one crest, at its end: written in place it would lose every pixel but one in two."""
    magnitude = np.array([[0.0, 1, 2, 3, 4, 5, 0]] * 3)
    thin = edges.non_maximum_suppression(array(magnitude), array(0 * magnitude), array(0 * magnitude + 1))
    assert _array.to_numpy(thin)[1].tolist() == [0, 0, 0, 0, 0, 5, 0]


# ---- hysteresis

def linked_by_definition(strength, low, high, connectivity):
    """Let the strong pixels grow into weak neighbours, one step at a time, until nothing changes."""
    weak, found = strength > low, strength > high
    while True:
        more = grown(found, connectivity) & weak
        if (more == found).all():
            return found
        found = more


@pytest.mark.parametrize("connectivity", (1, 2))
@pytest.mark.parametrize("low", (0.4, 0.6, 0.75))
def test_hysteresis_by_definition(array, rng, connectivity, low):
    """Noise near the densities at which components become as large as the picture, and winding."""
    for shape in ((40, 60), (1, 50), (50, 1), (2, 2), (1, 1)):
        strength = rng.random(shape)
        found = edges.hysteresis(array(strength), low, 0.99, connectivity=connectivity)
        np.testing.assert_array_equal(_array.to_numpy(found), linked_by_definition(strength, low, 0.99, connectivity))


@pytest.mark.parametrize("connectivity", (1, 2))
def test_a_spiral_and_a_comb(array, connectivity):
    """One strong pixel at the very end lights the whole spiral; a comb's teeth meet in its last row only."""
    spiral = np.zeros((41, 41))
    row, col, step, turn = 0, 0, 40, 0
    spiral[0, 0] = 1
    while step > 0:
        for _ in range(2 if turn else 3):
            d_row, d_col = ((0, 1), (1, 0), (0, -1), (-1, 0))[turn % 4]
            for _ in range(step):
                row, col = row + d_row, col + d_col
                spiral[row, col] = 1
            turn += 1
        step -= 2
    comb = np.zeros((30, 61))
    comb[:, ::2], comb[-1] = 1, 1
    for shape in (spiral, comb, comb[::-1], comb.T, comb[:, ::-1].T):
        shape = shape.copy()
        assert 0.3 < shape.mean() < 0.6
        shape[tuple(np.argwhere(shape)[-1])] = 2
        found = _array.to_numpy(edges.hysteresis(array(shape), 0.5, 1.5, connectivity=connectivity))
        np.testing.assert_array_equal(found, shape > 0.5)


def test_corners_count_only_if_asked(array):
    steps = array(np.array([[3.0, 0, 0, 2], [0, 2, 2, 0], [0, 0, 0, 2], [2, 0, 2, 0]]))
    assert _array.to_numpy(edges.hysteresis(steps, 1, 2.5, connectivity=1)).sum() == 1
    expected = [[1, 0, 0, 1], [0, 1, 1, 0], [0, 0, 0, 1], [0, 0, 1, 0]]
    assert _array.to_numpy(edges.hysteresis(steps, 1, 2.5)).astype(int).tolist() == expected


def test_thresholds_themselves_are_not_above(array):
    at = array(np.array([[1.0, 2.0, 1.5, 1.0]]))
    assert _array.to_numpy(edges.hysteresis(at, 1, 2)).sum() == 0
    assert _array.to_numpy(edges.hysteresis(at, 1, 1.9)).astype(int).tolist() == [[0, 1, 1, 0]]


def test_hysteresis_equals_scikit_image():
    filters = library("skimage.filters")
    for image in photos_and_crops():
        strength = edges.sobel_magnitude(image)
        for low, high in ((0.01, 0.1), (0.02, 0.05), (0.05, 0.05), (0.1, 0.15)):
            np.testing.assert_array_equal(edges.hysteresis(strength, low, high, connectivity=1),
                                          filters.apply_hysteresis_threshold(strength, low, high))


# ---- canny

def test_known_values(array):
    step = np.zeros((7, 8))
    step[:, 4:] = 1
    found = _array.to_numpy(edges.canny(array(step), sigma=0))
    assert found.dtype == bool
    np.testing.assert_array_equal(found, np.pad(np.eye(8, dtype=bool)[[3] * 5], ((1, 1), (0, 0))))
    assert _array.to_numpy(edges.canny(array(np.full((7, 8), 0.3)))).sum() == 0


def test_laws(array):
    """Neither light, nor contrast, nor the scale of the levels, nor a transposition moves an edge."""
    image = np.round(255 * photo("camera")[60:160, 180:300])
    found = _array.to_numpy(edges.canny(array(image)))
    assert 0.02 < found.mean() < 0.2
    for other in (255 - image, image / 256, 3 * image + 100):
        assert (_array.to_numpy(edges.canny(array(other))) == found).mean() > 0.9995
    turned = _array.to_numpy(edges.canny(array(image.T.copy())))
    assert (turned.T == found).mean() > 0.995  # ties may fall to the other side


def test_steps_of_canny(array):
    """It is its four steps, one after the other."""
    image = photo("coins")[:120, :150]
    grads = edges.sobel(edges.smooth(array(image), 1.5))
    magnitude = edges.gradient_magnitude(*grads)
    thin = edges.non_maximum_suppression(magnitude, *grads)
    found = edges.hysteresis(thin, 0.02, 0.06)
    np.testing.assert_array_equal(_array.to_numpy(edges.canny(array(image), sigma=1.5, low=0.02, high=0.06)),
                                  _array.to_numpy(found))
    most = float(magnitude.max())
    for given in ({"low": 0.1 * most, "high": 0.3 * most}, {"low": 0.1 * most}, {"high": 0.3 * most}):
        np.testing.assert_array_equal(_array.to_numpy(edges.canny(array(image), sigma=1.5, **given)),
                                      _array.to_numpy(edges.canny(array(image), sigma=1.5)))
    assert edges.canny(array(image), sigma=1.5, low=most).sum() == 0  # high follows low upwards
    assert edges.canny(array(image), sigma=1.5, high=1e-6).sum() > 1000  # and low follows high downwards


def test_smoothing_matches_scipy(array):
    ndimage = library("scipy.ndimage")
    for image in photos_and_crops()[3:8]:
        for sigma in (0.3, 1.0, 2.7):
            assert_close(edges.smooth(array(image), sigma), ndimage.gaussian_filter(image, sigma, mode="nearest"))
    assert_close(edges.smooth(array(image), 0), image)
    for part in (image[:9, :7], image[:1, :1], image[:2, :30]):  # a bell that is wider than the picture
        for sigma in (2.0, 5.0, 300.0):
            assert_close(edges.smooth(array(part), sigma), ndimage.gaussian_filter(part, sigma, mode="nearest"))


def test_a_wide_bell_takes_no_more_room_than_the_picture():
    tracemalloc.start()
    edges.smooth(np.eye(60), 300.0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**23  # with a frame of 1,200 pixels on each side it was ten times as much
    with pytest.raises(ValueError, match=r"`sigma` is 2e\+06; it must be at most 1,000,000 pixels"):
        edges.canny(np.eye(60), sigma=2e6)


@pytest.mark.parametrize("sigma", (1.0, 2.0))
def test_canny_beside_scikit_image(sigma):
    """The same pixels, but where two neighbours are equally steep: scikit-image keeps both."""
    feature = library("skimage.feature")
    for image in photos_and_crops():
        theirs = feature.canny(image, sigma, 0.1, 0.2, mode="nearest")
        ours = edges.canny(image, sigma=sigma, low=0.1 / 8, high=0.2 / 8)
        assert (ours == theirs).mean() > 0.999
        assert not (ours & ~theirs).any()


def test_canny_beside_opencv():
    """On 8-bit levels, unsmoothed. It rounds directions to 45°: measured, 79 to 96 % of the edge pixels are common,
    and 96 to 99.7 % lie within a pixel of the other's."""
    cv2 = library("cv2")
    for name in PHOTOS:
        image = np.round(255 * photo(name)).astype("uint8")
        theirs = cv2.Canny(image, 100, 200, L2gradient=True) > 0
        ours = edges.canny(image, sigma=0, low=100 / 8, high=200 / 8)
        assert (ours & theirs).sum() / (ours | theirs).sum() > 0.75
        close = (ours & grown(theirs)).sum() + (theirs & grown(ours)).sum()
        assert close / (ours.sum() + theirs.sum()) > 0.95


def grown(mask, connectivity=2):
    """Return the pixels of a mask and their neighbours."""
    framed, (height, width) = np.pad(mask, 1), mask.shape
    return np.any([framed[i:i + height, j:j + width] for i in range(3) for j in range(3)
                   if connectivity == 2 or i == 1 or j == 1], axis=0)


def test_batches_are_pictures_by_themselves(array, rng):
    """Thresholds follow each picture, and no chain of pixels leads from one to the next."""
    images = np.stack([photo("camera")[:60, :70], 0.1 * photo("coins")[:60, :70], photo("brick")[:60, :70]])[:, None]
    found = edges.canny(array(images))
    for i in range(3):
        np.testing.assert_array_equal(_array.to_numpy(found[i, 0]), _array.to_numpy(edges.canny(array(images[i, 0]))))
    assert tuple(edges.canny(array(images[:0])).shape) == (0, 1, 60, 70)
    strength = rng.random((3, 2, 9, 8))
    found = edges.hysteresis(array(strength), 0.5, 0.9)
    for i in range(3):
        for j in range(2):
            np.testing.assert_array_equal(_array.to_numpy(found[i, j]),
                                          _array.to_numpy(edges.hysteresis(array(strength[i, j]), 0.5, 0.9)))
    assert tuple(edges.hysteresis(array(strength[:0]), 0.5, 0.9).shape) == (0, 2, 9, 8)
    empty = array(strength[:0])
    assert tuple(edges.non_maximum_suppression(empty, empty, empty).shape) == (0, 2, 9, 8)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_any_memory_layout_and_never_written(rng, layout):
    arrays = [rng.random((2, 9, 8)), *rng.standard_normal((2, 2, 9, 8))]
    other = laid_out(layout, arrays)
    before = [a.copy() for a in other]
    np.testing.assert_array_equal(edges.non_maximum_suppression(*other), edges.non_maximum_suppression(*arrays))
    np.testing.assert_array_equal(edges.hysteresis(other[0], 0.5, 0.9), edges.hysteresis(arrays[0], 0.5, 0.9))
    for a, copy in zip(other, before):
        np.testing.assert_array_equal(a, copy)


def test_errors(array):
    image = array(np.zeros((4, 5)))
    with pytest.raises(ValueError, match=r"`low` is 0.5 and `high` 0.2"):
        edges.canny(image, low=0.5, high=0.2)
    with pytest.raises(ValueError, match=r"`low` is 3.0 and `high` 2.0"):
        edges.hysteresis(image, 3, 2)
    with pytest.raises(ValueError, match=r"`sigma` is -1.0; it must be a finite number from 0 up"):
        edges.canny(image, sigma=-1)
    with pytest.raises(TypeError, match=r"`sigma` must be a number, not 'wide'"):
        edges.smooth(image, "wide")
    with pytest.raises(ValueError, match=r"`low` is nan"):
        edges.hysteresis(image, np.nan, 1)
    with pytest.raises(ValueError, match=r"`connectivity` is 8; it must be 1 .* or 2"):
        edges.hysteresis(image, 1, 2, connectivity=8)
    with pytest.raises(ValueError, match=r"`grad_row` has shape \(4, 4\) and `magnitude` \(4, 5\)"):
        edges.non_maximum_suppression(image, image[:, :4], image)
    with pytest.raises(ValueError, match=r"`strength` has 20 of 20 pixels that are NaN"):
        edges.hysteresis(image * np.nan, 1, 2)
    with pytest.raises(ValueError, match=r"`low` is -1.0"):
        edges.non_maximum_suppression(image, image, image, low=-1)
