"""SURF: boxes against brute force, laws of detection, orientation and descriptor, both libraries, clear errors."""

from math import pi

import numpy as np
import pytest
from helpers import assert_close

from cnnlib import _array, data
from cnnlib.features import matching, surf
from cnnlib.features.sift import refinement
from cnnlib.features.surf import _surf, descriptor, extrema, haar, hessian, integral, orientation
from cnnlib.features.surf.haar import Everywhere

PHOTOS = ("astronaut", "camera", "coins", "rocket")


def crop(rng, name, size=160):
    """A random square of a photo."""
    photo = data.photo(name, grey=True)
    row, col = (rng.integers(0, side - size + 1) for side in photo.shape)
    return photo[row:row + size, col:col + size]


def masks(size):
    """The three box filters as masks of numbers."""
    lobe, reach = size // 3, size // 2
    rows = np.zeros((size, size))
    for k, weight in enumerate((1, -2, 1)):
        rows[k * lobe:(k + 1) * lobe, reach + 1 - lobe:reach + lobe] = weight
    mixed = np.zeros((size, size))
    for row, row_sign in ((reach - lobe, 1), (reach + 1, -1)):
        for col, col_sign in ((reach - lobe, 1), (reach + 1, -1)):
            mixed[row:row + lobe, col:col + lobe] = row_sign * col_sign
    return rows, rows.T, mixed


def blob(size, row, col, sigma):
    rows, cols = np.mgrid[:size, :size]
    return np.exp(-((rows - row) ** 2 + (cols - col) ** 2) / (2 * sigma**2))


@pytest.fixture
def garbage(monkeypatch):
    """Memory that is not written yet holds NaN, and not by chance the zeros of a fresh process."""
    monkeypatch.setattr(_array, "empty", lambda shape, like: _array.zeros(shape, like) + float("nan"))


# ---- boxes

def test_integral_known_values(array):
    sums = surf.integral_image(array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))
    assert_close(sums, array([[0.0, 0, 0, 0], [0, 1, 3, 6], [0, 5, 12, 21]]))
    assert float(surf.box_sum(sums, 0, 1, 2, 3)) == 16
    assert float(surf.box_sum(sums, 1, 1, 1, 3)) == 0


def test_box_sums_are_sums(array, rng):
    image = rng.random((13, 17))
    sums = surf.integral_image(array(image))
    for _ in range(20):
        top, bottom = np.sort(rng.integers(0, 14, 2))
        left, right = np.sort(rng.integers(0, 18, 2))
        expected = image[top:bottom, left:right].sum()
        assert_close(np.float64(surf.box_sum(sums, top, left, bottom, right)), np.float64(expected))


def test_the_nine_by_nine_masks():
    """As the paper draws them: 15 ones and 15 minus twos; four squares of 9, a pixel apart."""
    rows, cols, mixed = masks(9)
    assert (rows == 1).sum() == 30 and (rows == -2).sum() == 15 and rows.sum() == cols.sum() == mixed.sum() == 0
    assert (mixed != 0).sum() == 36 and not mixed[4].any() and not mixed[:, 4].any() and not mixed[0].any()
    spike = np.zeros((17, 17))
    spike[8, 8] = 1
    for found, mask in zip(surf.box_derivatives(surf.integral_image(spike), 9), masks(9)):
        assert_close(found[4:13, 4:13], mask[::-1, ::-1] / 81)


@pytest.mark.parametrize("size", [9, 15, 21, 27, 51])
@pytest.mark.parametrize("step", [1, 2, 4])
def test_box_hessian_equals_brute_force(array, size, step, rng, garbage):
    """To 1e-9, at every place where the filter fits, on crops of photographs."""
    image = crop(rng, rng.choice(PHOTOS))[:71, :83]
    windows = np.lib.stride_tricks.sliding_window_view(image, (size, size))
    yy, xx, xy = (np.einsum("ijpq,pq->ij", windows, mask) / size**2 for mask in masks(size))
    expected, reach = np.zeros(image.shape), size // 2
    expected[reach:71 - reach, reach:83 - reach] = yy * xx - (0.9 * xy) ** 2
    found = _array.to_numpy(surf.box_hessian(surf.integral_image(array(image)), size, step))
    assert np.abs(expected).max() > 1e-4
    np.testing.assert_allclose(found, expected[::step, ::step], rtol=0, atol=1e-9)


def test_weight_is_the_papers():
    """0.9 makes the boxes balance as Gaussians do: |Lxy| |Dyy| / (|Lyy| |Dxy|), Frobenius norms, sigma 1.2, 9 × 9."""
    rows, cols = np.mgrid[-4:5, -4:5]
    gauss = np.exp(-(rows**2 + cols**2) / (2 * 1.2**2))
    lyy, lxy = (rows**2 / 1.2**4 - 1 / 1.2**2) * gauss, rows * cols / 1.2**4 * gauss
    dyy, _, dxy = masks(9)
    weight = np.linalg.norm(lxy) * np.linalg.norm(dyy) / (np.linalg.norm(lyy) * np.linalg.norm(dxy))
    assert abs(weight - 0.912) < 0.01 and hessian.WEIGHT == 0.9


def test_filter_sizes():
    assert surf.FILTER_SIZES[:3] == ((9, 15, 21, 27), (15, 27, 39, 51), (27, 51, 75, 99))
    assert_close(np.float64(surf.sigma_of(9)), np.float64(1.2))


@pytest.mark.parametrize("height, width", [(160, 160), (151, 130), (97, 160), (40, 7)])
def test_octaves_share_filters(array, rng, height, width, garbage):
    """What is thinned out is what would have been computed."""
    sums = surf.integral_image(array(crop(rng, "camera")[:height, :width].copy()))
    for octave, maps in enumerate(hessian.hessian_octaves(sums, 4)):
        for size, found in zip(surf.FILTER_SIZES[octave], maps):
            expected = surf.box_hessian(sums, size, 2**octave)
            assert expected.shape == (-(-height // 2**octave), -(-width // 2**octave))
            assert_close(found[:expected.shape[0], :expected.shape[1]], expected)
            assert not found[expected.shape[0]:].any() and not found[:, expected.shape[1]:].any()


@pytest.mark.parametrize("step", [1, 2, 3])
def test_blocks_change_nothing(step, rng, monkeypatch):
    sums = surf.integral_image(crop(rng, "coins"))
    expected = surf.box_hessian(sums, 15, step)
    monkeypatch.setattr(hessian, "AT_A_TIME", 700)  # four rows at a time
    np.testing.assert_array_equal(surf.box_hessian(sums, 15, step), expected)


def test_the_integral_image_stays(array, rng):
    """Lines of it are views; nothing is written there."""
    image = array(crop(rng, "coins"))
    sums = surf.integral_image(image)
    before = _array.to_numpy(sums).copy()
    surf.box_hessian(sums, 9), Everywhere(sums, 3), [*hessian.hessian_octaves(sums, 4)]
    np.testing.assert_array_equal(_array.to_numpy(sums), before)


def test_fixed_point(array, rng):
    """256 levels are exact; sums wrap around and their differences do not; the response is the same."""
    levels = array(np.arange(256.0).reshape(16, 16) / 255)
    whole, unit = integral.fixed_point(levels)
    assert_close(whole, array(257 * np.arange(256, dtype=np.int32).reshape(16, 16)))
    assert abs(unit * 65535 - 1) < 1e-12 and integral.fixed_point(4 * levels)[1] == 4 * unit
    picture = rng.integers(30000, 65536, (400, 420)).astype(np.int32)  # 8e9 in all
    sums = surf.integral_image(array(picture))
    assert _array.dtype_name(sums) == "int32" and int(sums.min()) < 0
    assert int(surf.box_sum(sums, 300, 310, 390, 410)) == picture[300:390, 310:410].sum()
    for size in (9, 195):  # the largest filter too
        found = _array.to_numpy(surf.box_hessian(sums, size))
        expected = surf.box_hessian(surf.integral_image(picture.astype(float)), size)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


def test_every_filter_and_wavelet_fits_into_32_bits():
    size = surf.FILTER_SIZES[-1][-1]
    middle = 3 * (size // 3) * (2 * (size // 3) - 1)  # three times the middle boxes, all white
    assert middle * integral.LEVELS < 2**31
    half = max(2 * surf.sigma_of(size), _surf.LARGEST)  # an orientation's wavelet, a descriptor's
    assert 2 * half * half * integral.LEVELS < 2**31


# ---- detection

def test_maxima_equal_the_definition(array, rng):
    maps = np.round(rng.random((4, 12, 15)), 1)  # many ties, none of which is a maximum
    expected = [(p, i, j) for p in (1, 2) for i in range(1, 11) for j in range(1, 14)
                if maps[p, i, j] > 0.8 and (maps[p - 1:p + 2, i - 1:i + 2, j - 1:j + 2] >= maps[p, i, j]).sum() == 1]
    *places, cubes = (_array.to_numpy(each) for each in extrema.maxima(array(maps), 0.8))
    assert len(expected) > 2 and list(zip(*(each.tolist() for each in places))) == expected
    for k, (p, i, j) in enumerate(expected):
        np.testing.assert_array_equal(cubes[..., k], maps[p - 1:p + 2, i - 1:i + 2, j - 1:j + 2])


def test_derivatives_of_a_quadratic(array, rng):
    """Exact, and its top is found exactly."""
    hessian, top = -np.eye(3) + 0.2 * (m := rng.random((3, 3))) + 0.2 * m.T, rng.uniform(-0.5, 0.5, 3)
    steps = np.stack(np.mgrid[-1:2, -1:2, -1:2], -1) - top
    cube = 5 + 0.5 * np.einsum("abci,ij,abcj->abc", steps, hessian, steps)
    value, gradient, found = refinement.of_cube(array(cube[..., None]))
    assert_close(found[..., 0], array(hessian[::-1, ::-1].copy()))  # by columns, rows, layers
    assert_close(refinement.extremum_of(gradient, found)[:, 0], array(top[::-1].copy()))
    assert_close(value, array(cube[1, 1, 1, None]))
    none = _array.to_numpy(refinement.extremum_of(gradient, 0 * found))
    assert not (abs(none) < 0.5).any()  # no top: is dropped


@pytest.mark.parametrize("sigma", [2.5, 3.0, 5.0, 8.0, 13.0])
@pytest.mark.parametrize("sign", [1, -1])
def test_spots_are_found_where_and_as_large_as_they_are(sigma, sign):
    """A Gaussian spot: its centre to a twentieth of its width, and 0.69 to 0.78 of that width as sigma."""
    found = surf.detect(0.5 + sign * 0.4 * blob(200, 97.3, 104.6, sigma))
    assert np.abs(found.positions[0] - [97.3, 104.6]).max() < 0.05 * sigma
    assert 0.69 <= found.sigma[0] / sigma <= 0.78


def test_laws_of_detection(rng):
    image = crop(rng, "astronaut", 200)
    found = surf.detect(image)
    assert 50 < len(found) < 400
    assert (np.diff(found.response) <= 0).all() and (found.response > 0.0004).all()
    assert (found.positions >= 0).all() and (found.positions <= 199).all()
    assert ((found.orientation >= 0) & (found.orientation <= 2 * np.float32(pi))).all()
    for same in (1 - image, image - 0.2, image * 255 / 255):  # the negative, an offset
        again = surf.detect(same)
        assert len(again) == len(found)
        np.testing.assert_allclose(np.sort(again.response), np.sort(found.response), rtol=1e-4)
    assert len(surf.detect(0.5 * image, threshold=0.0001)) == len(found)  # response is quadratic in contrast
    few = surf.detect(image, threshold=0.002)
    assert len(few) < len(found)
    np.testing.assert_array_equal(few.positions, found.positions[:len(few)])


def test_quarter_turns(rng):
    """Places, scales and orientations turn along; the sampling grid of the first octave maps onto itself."""
    image = crop(rng, "camera", 161)
    found, turned = surf.detect(image, num_octaves=1), surf.detect(np.rot90(image).copy(), num_octaves=1)
    assert len(found) == len(turned) > 50
    expected = np.stack([160 - found.positions[:, 1], found.positions[:, 0]], 1)
    distance = np.abs(expected[:, None] - turned.positions).max(-1)
    partner = distance.argmin(1)
    assert distance.min(1).max() < 1e-3
    change = (turned.orientation[partner] - found.orientation + pi / 2 + pi) % (2 * pi) - pi
    assert np.median(np.abs(change)) < 1e-3  # rows grow downwards: turning the picture left turns the angle back


@pytest.mark.parametrize("image", [np.full((60, 60), 0.5), np.zeros((1, 1)), np.ones((8, 200)), np.eye(9)])
def test_nothing_to_find(image):
    keypoints, descriptors = surf.detect_and_describe(image)
    assert len(keypoints) == 0 and keypoints.positions.shape == (0, 2)
    assert descriptors.shape == (0, 64) and descriptors.dtype == np.float32


# ---- wavelets and orientation

def test_haar_equals_brute_force(array, rng):
    image = rng.random((30, 25))
    row, col, half = np.array([10, 12, 29, 3]), np.array([9, 14, 10, 2]), np.array([4, 7, 3, 3])
    places = (array(a[:, None].astype(float)) for a in (row, col, half))
    down, right = haar.haar(surf.integral_image(array(image)), *places)
    assert _array.dtype_name(down) == "float32"
    for k in range(2):
        box = image[row[k] - half[k]:row[k] + half[k], col[k] - half[k]:col[k] + half[k]]
        upper, lower = box[:half[k]].sum(), box[half[k]:].sum()
        left, other = box[:, :half[k]].sum(), box[:, half[k]:].sum()
        found = np.array([float(down[k, 0]), float(right[k, 0])], np.float32)
        assert_close(found, np.array([lower - upper, other - left], np.float32))
    assert [float(a[k, 0]) for a in (down, right) for k in (2, 3)] == [0.0] * 4  # over the border


@pytest.mark.parametrize("dtype", ["int32", "float64"])
@pytest.mark.parametrize("half", [1, 2, 5, 11, 12, 13, 40])
def test_everywhere_is_haar(array, rng, half, dtype, monkeypatch, garbage):
    """To the last bit at places on the picture, on its frame, beyond it; of sizes that hardly fit and that do not."""
    image = rng.integers(0, 65536, (24, 31)).astype(dtype)
    sums = surf.integral_image(array(image))
    row, col = (array(a.astype(float)) for a in rng.integers(-3, 35, (2, 40, 25)))
    halves = array(np.full((40, 1), float(half)))
    for room in (haar.AT_A_TIME, 9):  # a few places at a time
        monkeypatch.setattr(haar, "AT_A_TIME", room)
        for found, expected in zip(Everywhere(sums, half)(sums, row, col, halves), haar.haar(sums, row, col, halves)):
            assert _array.dtype_name(found) == "float32"
            np.testing.assert_array_equal(_array.to_numpy(found), _array.to_numpy(expected))


@pytest.mark.parametrize("often, at_a_time", [(0, 2**15), (1e9, 2**15), (1e-3, 900)])
def test_groups_change_nothing(array, rng, often, at_a_time, monkeypatch):
    """Whichever wavelets are laid on the whole picture, and however many points are looked at together."""
    image = array(crop(rng, "astronaut", 130))
    expected, described = surf.detect_and_describe(image)
    assert len(expected) > 40
    monkeypatch.setattr(haar, "OFTEN", often)
    monkeypatch.setattr(haar, "AT_A_TIME", at_a_time)
    found, vectors = surf.detect_and_describe(image)
    np.testing.assert_array_equal(_array.to_numpy(found.positions), _array.to_numpy(expected.positions))
    assert_close(found.orientation, expected.orientation)
    assert_close(vectors, described)


def test_two_threads_change_nothing(rng, monkeypatch):
    image = crop(rng, "camera", 300)
    found = []
    for threads in ("1", "2"):
        monkeypatch.setenv("OMP_NUM_THREADS", threads)
        found.append(surf.detect_and_describe(image))
    (one, of_one), (two, of_two) = found
    assert len(one) > 100
    for name in ("positions", "sigma", "orientation", "response"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
    np.testing.assert_array_equal(of_one, of_two)


def test_orientation_equals_the_definition(array, rng):
    """The longest sum of the vectors in a window of 60°, which may begin at every fifth degree of the circle."""
    image = crop(rng, "rocket", 120)
    row, col = rng.uniform(0, 119, (2, 60))
    sigma = rng.uniform(1.6, 4, 60)
    sums = surf.integral_image(image)
    down, across, weight = orientation._samples()
    rises = haar.haar(sums, *(np.round(at[:, None] + 0.5 + sigma[:, None] * steps) for at, steps in (
        (row, down), (col, across))), np.round(2 * sigma)[:, None])
    rises = (rises[1] + 1j * rises[0]) * weight
    bins = np.floor(np.angle(rises) / (2 * pi) * 72) % 72
    windows = np.stack([(rises * ((bins - start) % 72 < 12)).sum(1) for start in range(72)])
    longest = np.take_along_axis(windows, np.abs(windows).argmax(0)[None], 0)[0]
    found = _array.to_numpy(orientation.orientations(array(sums), *(array(each) for each in (row, col, sigma))))
    assert (np.abs(windows).argmax(0) > 60).sum() > 3  # also over the circle's end
    assert (np.abs((found - np.angle(longest) + pi) % (2 * pi) - pi) < 1e-5).all()


@pytest.mark.parametrize("zero", [0.0, -0.0])
def test_orientation_where_the_circle_closes(array, zero):
    """Exactly against the columns, where the angle is pi or -pi."""
    row, half = array(np.full(3, 20.0)), array(np.full((3, 1), 4.0))
    rises = [array(np.full((3, orientation.NUM_SAMPLES), rise, np.float32)) for rise in (zero, -1)]
    found = orientation._orientations(array(np.zeros((41, 41))), half, row, row, row / 10, lambda *_: rises)
    assert (abs(_array.to_numpy(found) - pi) < 1e-6).all()


@pytest.mark.parametrize("degrees", [*range(0, 360, 25), 180])
def test_orientation_of_a_slope(array, degrees):
    """A plane that rises in one direction has that orientation, to 1e-6 (all wavelets agree)."""
    angle = np.deg2rad(degrees)
    rows, cols = np.mgrid[:80, :80] / 80
    sums = surf.integral_image(array(np.sin(angle) * rows + np.cos(angle) * cols))
    at = [array([value]) for value in (40.0, 39.0, 2.5)]
    found = float(orientation.orientations(sums, *at)[0])
    assert abs((found - angle + pi) % (2 * pi) - pi) < 1e-6


@pytest.mark.parametrize("degrees", [17, 45, 110, 160])
def test_orientation_follows_a_rotation(degrees, rng):
    """Within 5° (median), on random crops of four photographs."""
    angle = np.deg2rad(degrees)
    errors = []
    for name in PHOTOS:
        photo = data.photo(name, grey=True)
        middle = (np.array(photo.shape) - 1) / 2
        there, back = np.eye(3), np.eye(3)
        there[:2, 2], back[:2, 2] = middle, -middle
        turn = np.array([[np.cos(angle), np.sin(angle), 0], [-np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
        homography = there @ turn @ back
        a, b = surf.detect(photo), surf.detect(matching.warp(photo, homography))
        inner = np.hypot(*(a.positions - middle).T) < 0.35 * min(photo.shape)
        moved = matching.apply_homography(homography, a.positions[inner].astype(float))
        distance = np.hypot(*(moved[:, None] - b.positions).transpose(2, 0, 1))
        distance[np.abs(np.log(b.sigma / a.sigma[inner][:, None])) > np.log(1.2)] = np.inf
        near = distance.min(1) < 1.5
        change = b.orientation[distance.argmin(1)[near]] - a.orientation[inner][near]
        errors += list(np.abs((change - angle + pi) % (2 * pi) - pi))
    assert len(errors) > 300
    assert np.rad2deg(np.median(errors)) < 5


def test_number_of_samples():
    assert [len(a) for a in orientation._samples()] == [orientation.NUM_SAMPLES] * 3
    assert [a.shape for a in descriptor._samples()] == [(3, descriptor.NUM_SAMPLES), (descriptor.NUM_SAMPLES, 16)]


# ---- descriptor

def test_descriptor_laws(rng):
    image = crop(rng, "coins", 200)
    keypoints, found = surf.detect_and_describe(image)
    assert found.shape == (len(keypoints), 64) and found.dtype == np.float32
    assert_close(np.linalg.norm(found, axis=1), np.ones(len(found), np.float32))
    cells = found.reshape(-1, 16, 4)
    assert (cells[..., 2:] >= np.abs(cells[..., :2]) - 1e-6).all()  # a sum of absolute values bounds the sum
    assert_close(surf.describe(image, keypoints), found)
    assert_close(surf.describe(0.5 * image + 0.2, keypoints), found, 1e-4)  # light: 24 bits of the picture remain
    negative = surf.describe(1 - image, keypoints).reshape(-1, 16, 4)
    assert_close(negative, cells * np.array([-1, -1, 1, 1], np.float32), 1e-4)


def test_descriptor_of_a_slope():
    """Seen along its own rise, a plane rises along the first axis alone, alike in cells that weigh alike."""
    rows, cols = np.mgrid[:120, :120] / 120
    from cnnlib.features.sift import Keypoints

    for angle in (0.0, pi / 2, pi, 3 * pi / 2):
        image = 0.5 + 0.4 * (np.sin(angle) * rows + np.cos(angle) * cols)
        point = Keypoints(np.array([[60.0, 60.0]]), np.array([2.0]), np.array([angle]), np.ones(1), np.zeros(1, int))
        cells = surf.describe(image, point).reshape(4, 4, 4)
        assert_close(cells[..., 1], np.zeros((4, 4), np.float32), 1e-4)  # sums of 24-bit levels
        assert_close(cells[..., 0], cells[..., 2], 1e-4)
        assert_close(cells, cells[::-1], 1e-4)
        assert cells[1, 1, 0] > cells[0, 1, 0] > cells[0, 0, 0] > 0


def test_matches_itself_turned(rng):
    """A quarter turn: nine of ten points that have a partner are matched to it."""
    image = crop(rng, "rocket", 220)
    a, of_a = surf.detect_and_describe(image)
    b, of_b = surf.detect_and_describe(np.rot90(image).copy())
    matches = matching.match(of_a, of_b)
    expected = np.stack([219 - a.positions[matches[:, 0], 1], a.positions[matches[:, 0], 0]], 1)
    right = np.abs(expected - b.positions[matches[:, 1]]).max(1) < 2
    assert len(matches) > 30 and right.mean() > 0.9


# ---- both libraries, and what comes in

def test_both_libraries_agree(rng):
    torch = pytest.importorskip("torch")
    image = crop(rng, "camera", 200)
    (a, of_a), (b, of_b) = surf.detect_and_describe(image), surf.detect_and_describe(torch.from_numpy(image.copy()))
    assert len(a) == len(b) > 50 and isinstance(of_b, torch.Tensor) and of_b.dtype == torch.float32
    order = np.lexsort(np.round(a.positions, 2).T), np.lexsort(np.round(b.positions.numpy(), 2).T)
    assert_close(b.positions.numpy()[order[1]], a.positions[order[0]])
    closeness = (of_b.numpy()[order[1]] * of_a[order[0]]).sum(1)
    assert closeness.min() > 1 - 1e-5


def test_dtypes_and_layouts(rng):
    levels = np.rint(255 * crop(rng, "astronaut", 120)).astype(np.uint8)
    expected = surf.detect(levels)
    assert len(expected) > 20
    for same in (levels / 255, levels.astype(np.int64), (levels / 255).astype(np.float32), np.asfortranarray(levels),
                 levels[::-1].copy()[::-1], np.repeat(levels, 2, axis=1)[:, ::2]):
        np.testing.assert_allclose(surf.detect(same).positions, expected.positions, atol=1e-3)
    levels.flags.writeable = False
    before = levels.copy()
    surf.detect_and_describe(levels)
    np.testing.assert_array_equal(levels, before)
    assert len(surf.detect(levels > 127)) > 0


def test_errors(array):
    with pytest.raises(ValueError, match=r"`image` has shape \(9, 9, 4\)"):
        surf.detect(array(np.ones((9, 9, 4))))
    with pytest.raises(ValueError, match=r"`image` has shape \(0, 9\)"):
        surf.detect(array(np.ones((0, 9))))
    bad = np.ones((20, 20))
    bad[3, 4] = bad[5, 6] = np.nan
    with pytest.raises(ValueError, match="`image` has 2 of 400 pixels that are NaN or infinite; SURF would"):
        surf.detect_and_describe(array(bad))
    with pytest.raises(ValueError, match="`num_octaves` is 5; it must be at most 4"):
        surf.detect(array(np.ones((9, 9))), num_octaves=5)
    with pytest.raises(ValueError, match="`threshold` is -1; it must be at least 0"):
        surf.detect(array(np.ones((9, 9))), threshold=-1)
    with pytest.raises(TypeError, match="`threshold` must be a number, not 'x'"):
        surf.detect(array(np.ones((9, 9))), threshold="x")
    with pytest.raises(ValueError, match="`size` is 12; it must be an odd multiple of 3"):
        surf.box_hessian(surf.integral_image(array(np.ones((30, 30)))), 12)
