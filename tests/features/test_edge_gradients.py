"""First and second derivatives: by hand, by law, and beside scikit-image and OpenCV."""

import numpy as np
import pytest
from helpers import TOLERANCE, assert_close
from layouts import LAYOUTS, laid_out
from photographs import library, photos_and_crops

from cnnlib import _array
from cnnlib.features import edges
from cnnlib.features.edges import _tuned, gradients

FIRST = ("sobel", "prewitt", "scharr")
MASK = {"sobel": edges.SOBEL, "prewitt": edges.PREWITT, "scharr": edges.SCHARR}
SCALE = {"sobel": 8, "prewitt": 6, "scharr": 32}


def by_definition(image, mask):
    """Sum the products of the mask and each pixel's neighbours, one at a time."""
    reach = [size // 2 for size in mask.shape]
    framed = np.pad(image, [(size, size) for size in reach], mode="edge")
    return np.array([[(framed[i:i + mask.shape[0], j:j + mask.shape[1]] * mask).sum()
                      for j in range(image.shape[1])] for i in range(image.shape[0])])


# ---- known values

def test_known_values(array):
    """One bright pixel shows the mask, turned by half a turn; the frame is repeated."""
    image = np.zeros((5, 5))
    image[2, 2] = 8
    grad_row, grad_col = edges.sobel(array(image))
    assert _array.to_numpy(grad_col)[1:4, 1:4].tolist() == [[1, 0, -1], [2, 0, -2], [1, 0, -1]]
    assert _array.to_numpy(grad_row)[1:4, 1:4].tolist() == [[1, 2, 1], [0, 0, 0], [-1, -2, -1]]
    assert _array.to_numpy(edges.laplacian(array(image)))[1:4, 1:4].tolist() == [[0, 8, 0], [8, -32, 8], [0, 8, 0]]
    corner = array(np.array([[1.0, 3], [5, 11]]))  # framed by hand: 1 1 3 3 / 1 1 3 3 / 5 5 11 11 / 5 5 11 11
    grad_row, grad_col = edges.sobel(corner)
    assert_close(grad_row, np.array([[20, 28], [20, 28]]) / 8)
    assert_close(grad_col, np.array([[12, 12], [20, 20]]) / 8)


@pytest.mark.parametrize("name", FIRST)
@pytest.mark.parametrize("dtype", ("float32", "float64", "uint8", "int16", "int64", "float16"))
def test_a_unit_ramp_gives_exactly_1(array, name, dtype):
    ramp = np.broadcast_to(np.arange(9), (7, 9)).astype(dtype)
    grad_row, grad_col = map(_array.to_numpy, getattr(edges, name)(array(ramp)))
    assert (grad_row == 0).all() and (grad_col[:, 1:-1] == 1).all() and (grad_col[:, [0, -1]] == 0.5).all()
    grad_row, grad_col = map(_array.to_numpy, getattr(edges, name)(array(ramp.T.copy())))
    assert (grad_col == 0).all() and (grad_row[1:-1] == 1).all()
    assert (_array.to_numpy(edges.laplacian(array(ramp)))[:, 1:-1] == 0).all()
    assert (_array.to_numpy(edges.sobel_magnitude(array(ramp)))[:, 1:-1] == 1).all()


def test_steps_and_lines():
    """What the lecture says of the raw masks: 4 on a unit step, 8 on a slope of 1, +4 0 -4 on a line."""
    step, ramp, line = np.zeros((5, 8)), np.arange(8.0) * np.ones((5, 1)), np.zeros((5, 8))
    step[:, 4:], line[:, 4] = 1, 1
    assert edges.response(step, edges.SOBEL)[2].tolist() == [0, 0, 0, 4, 4, 0, 0, 0]
    assert edges.response(ramp, edges.SOBEL)[2, 1:-1].tolist() == [8] * 6
    assert edges.response(line, edges.SOBEL)[2].tolist() == [0, 0, 0, 4, 0, -4, 0, 0]
    assert edges.response(line, edges.LAPLACIAN)[2].tolist() == [0, 0, 0, 1, -2, 1, 0, 0]
    diagonal = np.triu(np.ones((7, 7)), 1)
    assert abs(edges.response(diagonal, edges.SOBEL)[3, 3]) == abs(edges.response(diagonal, edges.SOBEL.T)[3, 3]) == 3


@pytest.mark.parametrize("shape", ((1, 1), (1, 7), (6, 1), (2, 2), (3, 4), (11, 13)))
@pytest.mark.parametrize("name", FIRST)
def test_definition(array, rng, shape, name):
    image = rng.standard_normal(shape)
    grad_row, grad_col = getattr(edges, name)(array(image))
    assert_close(grad_row, by_definition(image, MASK[name].T) / SCALE[name])
    assert_close(grad_col, by_definition(image, MASK[name]) / SCALE[name])
    assert_close(edges.laplacian(array(image)), by_definition(image, edges.LAPLACIAN))
    assert_close(edges.sobel_magnitude(array(image)), _array.to_numpy(edges.gradient_magnitude(
        *edges.sobel(array(image)))))


@pytest.mark.parametrize("size", ((1, 1), (1, 3), (5, 3), (3, 7)))
def test_any_odd_mask(array, rng, size):
    image, mask = rng.standard_normal((6, 9)), rng.standard_normal(size)
    for given in (mask, mask.tolist(), array(mask)):
        assert_close(edges.response(array(image), given), by_definition(image, mask))


# ---- laws

@pytest.mark.parametrize("name", FIRST)
def test_laws(array, name):
    derivative = getattr(edges, name)
    for image in photos_and_crops()[4:8]:
        x = array(image)
        grad_row, grad_col = derivative(x)
        for ours, other in zip(derivative(1 - x), (grad_row, grad_col)):
            assert_close(ours, -_array.to_numpy(other))  # the negative
        across_row, across_col = derivative(array(image.T.copy()))
        assert_close(across_row, _array.to_numpy(grad_col).T)
        assert_close(across_col, _array.to_numpy(grad_row).T)
        turned_row, turned_col = derivative(array(image[::-1, ::-1].copy()))
        assert_close(turned_row, -_array.to_numpy(grad_row)[::-1, ::-1])
        assert_close(turned_col, -_array.to_numpy(grad_col)[::-1, ::-1])
        for constant in derivative(0 * x + 0.3):
            assert_close(constant, np.zeros(image.shape))


def test_magnitude_and_orientation(array, rng):
    row, col = rng.standard_normal((2, 5, 6))
    magnitude = _array.to_numpy(edges.gradient_magnitude(array(row), array(col)))
    angle = _array.to_numpy(edges.gradient_orientation(array(row), array(col)))
    assert_close(magnitude * np.sin(angle), row)
    assert_close(magnitude * np.cos(angle), col)
    assert (abs(angle) <= np.pi).all()


def test_orientation_of_a_disc(array):
    """Bright inside: the gradient points to the centre, and arctan of the quotient would send half of it outwards."""
    rows, cols = np.mgrid[-20:21, -20:21]
    disc = np.clip(15.5 - np.hypot(rows, cols), 0, 1)
    grad_row, grad_col = map(_array.to_numpy, edges.sobel(array(disc)))
    angle = _array.to_numpy(edges.gradient_orientation(array(grad_row), array(grad_col)))
    rim = edges.gradient_magnitude(grad_row, grad_col) > 0.2
    inwards = np.arctan2(-rows, -cols)
    off = np.angle(np.exp(1j * (angle - inwards)))[rim]
    assert rim.sum() > 80 and abs(off).max() < np.radians(6)  # 3×3 pixels know no more


def test_scharr_has_the_most_exact_direction():
    """Of plane waves of 4 pixels in all directions: the largest error of the angle."""
    rows, cols = np.mgrid[:64, :64]
    worst = dict.fromkeys(FIRST, 0.0)
    for angle in np.radians(np.arange(0, 90, 5)):
        wave = np.sin(np.pi / 2 * (rows * np.sin(angle) + cols * np.cos(angle)))
        for name in FIRST:
            grads = getattr(edges, name)(wave)
            steep = edges.gradient_magnitude(*grads)[1:-1, 1:-1] > 0.3
            found = edges.gradient_orientation(*grads)[1:-1, 1:-1][steep]
            off = abs((found - angle + np.pi / 2) % np.pi - np.pi / 2)  # bright to dark half a turn away
            worst[name] = max(worst[name], off.max())
    assert worst["scharr"] < np.radians(0.5) < np.radians(3) < worst["sobel"] < np.radians(4) < worst["prewitt"]


def test_zeros_of_either_sign_have_one_angle(array):
    zeros = array(np.array([[0.0, -0.0, 0.0, -0.0]]))
    ones = array(np.array([[0.0, -0.0, -1.0, -1.0]]))
    assert _array.to_numpy(edges.gradient_orientation(zeros, ones)).tolist() == [[0, 0, np.pi, np.pi]]


# ---- other libraries

def test_matches_scikit_image():
    """Its _h masks answer to horizontal edges, so they are the derivative down a column; a unit ramp gives it 2."""
    filters = library("skimage.filters")
    for image in photos_and_crops():
        for dtype in ("float64", "float32"):
            x = image.astype(dtype)
            for name in FIRST:
                grad_row, grad_col = getattr(edges, name)(x)
                assert_close(2 * grad_row, getattr(filters, f"{name}_h")(image), TOLERANCE[dtype])
                assert_close(2 * grad_col, getattr(filters, f"{name}_v")(image), TOLERANCE[dtype])
            assert_close(np.sqrt(2) * edges.sobel_magnitude(x), filters.sobel(image), TOLERANCE[dtype])
            assert_close(-edges.laplacian(x), filters.laplace(image), TOLERANCE[dtype])


def test_matches_opencv():
    """In its border mode "replicate" everywhere, in its default one away from the frame."""
    cv2 = library("cv2")
    for image in photos_and_crops():
        x = image.astype("float32")
        for name, theirs in (("sobel", cv2.Sobel), ("scharr", cv2.Scharr)):
            grad_row, grad_col = getattr(edges, name)(x)
            scale = SCALE[name]
            assert_close(scale * grad_col, theirs(x, cv2.CV_32F, 1, 0, borderType=cv2.BORDER_REPLICATE))
            assert_close(scale * grad_row, theirs(x, cv2.CV_32F, 0, 1, borderType=cv2.BORDER_REPLICATE))
            inside = theirs(x, cv2.CV_32F, 1, 0)[1:-1, 1:-1]
            assert_close(scale * grad_col[1:-1, 1:-1], inside)


# ---- batches, dtypes, memory

@pytest.mark.parametrize("name", (*FIRST, "sobel_magnitude", "laplacian"))
def test_batches(array, rng, name):
    images = rng.random((2, 3, 9, 8))
    whole = getattr(edges, name)(array(images))
    one = getattr(edges, name)(array(images[1, 2]))
    for a, b in zip(whole, one) if isinstance(whole, tuple) else [(whole, one)]:
        assert tuple(a.shape) == images.shape
        assert_close(a[1, 2], _array.to_numpy(b))
    empty = getattr(edges, name)(array(images[:0]))
    for a in empty if isinstance(empty, tuple) else [empty]:
        assert tuple(a.shape) == (0, 3, 9, 8)


@pytest.mark.parametrize("name", FIRST)
@pytest.mark.parametrize("dtype", ("float32", "float64"))
@pytest.mark.parametrize("shape", ((1, 1), (300, 1000), (3, 700, 90), (200000, 2)))
def test_the_tuned_body_is_the_plain_one(rng, name, dtype, shape):
    """In one band and in many, by one thread and by two; to the last bit the same for any number of threads."""
    image = rng.standard_normal(shape).astype(dtype)
    assert _tuned.takes(image)
    smoothing = gradients.SMOOTHING[name]
    plain = gradients._plain(image, smoothing)
    for ours, expected in zip(_tuned.derivatives(image, smoothing), plain):
        assert ours.dtype == dtype
        assert_close(ours, expected)
    if name == "sobel":
        assert_close(_tuned.sobel_magnitude(image), np.hypot(*plain))


def test_any_number_of_threads_gives_the_same_bits(rng, monkeypatch):
    image = rng.standard_normal((700, 900)).astype("float32")
    results = []
    for threads in ("1", "2"):
        monkeypatch.setenv("OMP_NUM_THREADS", threads)
        results.append([*edges.sobel(image), edges.sobel_magnitude(image)])
    for one, two in zip(*results):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", (*FIRST, "sobel_magnitude", "laplacian", "robinson", "canny"))
def test_any_memory_layout_and_never_written(rng, layout, name):
    image = rng.random((3, 12, 9))
    other, = laid_out(layout, [image])
    before = other.copy()
    expected, found = getattr(edges, name)(image), getattr(edges, name)(other)
    for a, b in zip(expected, found) if isinstance(expected, tuple) else [(expected, found)]:
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(other, before)


@pytest.mark.parametrize("dtype, computed", [
    ("float16", "float16"), ("float32", "float32"), ("float64", "float64"), ("bool", "float32"), ("uint8", "float32"),
    ("uint16", "float32"), ("int16", "float32"), ("int32", "float64"), ("int64", "float64")])
def test_dtypes(array, rng, dtype, computed):
    """Integers count as they are: the gradient is exact, and dark sides are negative, as uint8 could not hold."""
    levels = rng.integers(0, 2 if dtype == "bool" else 250, (8, 9))
    image = array(levels.astype(dtype))
    exact = edges.sobel(levels.astype("float64"))
    for grad, expected in zip(edges.sobel(image), exact):
        assert _array.dtype_name(grad) == computed
        assert_close(grad, expected)
    assert exact[0].min() < 0
    for result in (edges.laplacian(image), edges.robinson(image)[0], edges.smooth(image, 1.0),
                   edges.sobel_magnitude(image)):
        assert _array.dtype_name(result) == computed
    assert _array.dtype_name(edges.canny(image)) == "bool"


def test_numpy_and_torch_agree(rng):
    torch = pytest.importorskip("torch")
    for image in photos_and_crops()[2:9]:
        for dtype in ("float32", "float64"):
            x = image.astype(dtype)
            for name in (*FIRST, "sobel_magnitude", "laplacian"):
                ours, theirs = getattr(edges, name)(x), getattr(edges, name)(torch.tensor(x))
                for a, b in zip(ours, theirs) if isinstance(ours, tuple) else [(ours, theirs)]:
                    assert_close(b, a)


def test_autograd_passes_through(rng):
    """In torch the gradient of a gradient is that of the masks: the adjoint of a ramp's response."""
    torch = pytest.importorskip("torch")
    image = torch.tensor(rng.random((6, 7)), requires_grad=True)
    edges.sobel(image)[1][3, 3].backward()
    assert_close(image.grad[2:5, 2:5], edges.SOBEL / 8)


# ---- errors

@pytest.mark.parametrize("name", (*FIRST, "sobel_magnitude", "laplacian", "robinson", "canny"))
def test_errors(array, name):
    function = getattr(edges, name)
    bad = np.zeros((4, 5))
    bad[1, 2], bad[3, 3], bad[0, 0] = np.nan, np.nan, np.inf
    with pytest.raises(ValueError, match=rf"`image` has 3 of 20 pixels that are NaN or infinite; {name}"):
        function(array(bad))
    with pytest.raises(ValueError, match=r"`image` has shape \(6, 7, 4\).*in colour.*to_grey\(image\[..., :3\]\)"):
        function(array(np.zeros((6, 7, 4))))
    with pytest.raises(ValueError, match=r"`image` has shape \(6, 7, 3\).*to_grey\(image\) makes it grey"):
        function(array(np.zeros((6, 7, 3))))
    with pytest.raises(ValueError, match=r"`image` has shape \(5,\)"):
        function(array(np.zeros(5)))
    with pytest.raises(ValueError, match=r"`image` has shape \(3, 0\): no pixels"):
        function(array(np.zeros((3, 0))))
    with pytest.raises(TypeError, match="complex"):
        function(array(np.zeros((3, 3), complex)))
    with pytest.raises(TypeError, match=r"`image` must be a NumPy array or a torch tensor, not list"):
        function([[1, 2], [3, 4]])
    with pytest.raises(TypeError, match="`image` is None"):
        function(None)


def test_masked_arrays_are_refused():
    with pytest.raises(TypeError, match="`image` is a masked array"):
        edges.sobel(np.ma.masked_less(np.ones((3, 3)), 0))


def test_errors_of_masks_and_gradients(array):
    image = array(np.zeros((4, 5)))
    with pytest.raises(ValueError, match=r"`mask` has shape \(2, 3\); it must be .* both odd"):
        edges.response(image, np.ones((2, 3)))
    with pytest.raises(ValueError, match="`mask` must hold finite real numbers"):
        edges.response(image, [[1, np.nan, 2]])
    with pytest.raises(ValueError, match=r"`grad_col` has shape \(1, 5\) and `grad_row` \(4, 5\)"):
        edges.gradient_magnitude(image, image[:1])
    with pytest.raises(ValueError, match="`grad_row` has 1 of 1 pixels that are NaN"):
        edges.gradient_orientation(array(np.array([[np.nan]])), array(np.zeros((1, 1))))


def test_libraries_do_not_mix():
    torch = pytest.importorskip("torch")
    with pytest.raises(TypeError, match="mix NumPy and torch"):
        edges.gradient_magnitude(np.zeros((2, 2)), torch.zeros(2, 2))


def test_small_windows_are_no_colours(array):
    """A batch of 3×3 windows has three columns, too."""
    assert tuple(edges.sobel(array(np.zeros((9, 3, 3))))[0].shape) == (9, 3, 3)
