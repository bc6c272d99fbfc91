"""Homographies: known maps, exact recovery, wrong pairs, OpenCV's answer, warps, panoramas, clear errors."""

import numpy as np
import pytest
from helpers import assert_close, relative_error

from cnnlib import _array, data, images
from cnnlib.features import matching
from cnnlib.features.matching import ransac

# A camera that turns and tips: rows, columns and the horizon all take part.
SEEN = np.array([[0.9, -0.2, 30.0], [0.15, 1.1, -20.0], [4e-4, -3e-4, 1.0]])


def scene(rng, k, wrong=0.0, noise=0.0, homography=SEEN):
    """Points, their partners under the homography, and which partners are right."""
    src = rng.uniform(0, 400, (k, 2))
    dst = matching.apply_homography(homography, src) + noise * rng.standard_normal((k, 2))
    right = np.arange(k) >= round(wrong * k)
    dst[~right] = rng.uniform(0, 400, ((~right).sum(), 2))
    return src, dst, right


# ---- apply and fit

def test_known_values(array):
    quarter = array([[0.0, -1.0, 9.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])  # (row, col) to (9 - col, row)
    assert_close(matching.apply_homography(quarter, array([[1.0, 2.0], [9.0, 9.0]])), array([[7.0, 1.0], [0.0, 9.0]]))
    tipped = array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.5, 1.0]])
    assert_close(matching.apply_homography(tipped, array([[3.0, 2.0]])), array([[1.5, 1.0]]))
    # (3, 2) goes to (1.5, 1), 2 from its partner (1.5, 3), which comes from (1.5, 3) / (1 - 0.5 · 3) = (-3, -6).
    assert_close(matching.transfer_error(tipped, array([[3.0, 2.0]]), array([[1.5, 3.0]])), array([10.0]))


def test_several_at_once(array, rng):
    many = array(SEEN + 1e-3 * rng.random((5, 3, 3)))
    points = array(rng.uniform(0, 100, (7, 2)))
    out = matching.apply_homography(many, points)
    assert tuple(out.shape) == (5, 7, 2)
    assert_close(out[3], matching.apply_homography(many[3], points))
    back = matching.fit_homography(array(np.broadcast_to(_array.to_numpy(points), (5, 7, 2)).copy()), out)
    assert_close(back, many / many[:, 2:, 2:], 1e-8)  # through places of up to 100 pixels, whose digits are lost


def test_dtypes_meet_in_the_wider_one(array, rng):
    src, dst = rng.integers(0, 300, (2, 12, 2))
    for wide, narrow in (("float64", "float32"), ("float32", "float16")):
        homography = _array.as_dtype(array(SEEN), wide)
        points, partners = (_array.as_dtype(array(some), narrow) for some in (src, dst))
        same = [_array.as_dtype(some, wide) for some in (points, partners)]
        moved = matching.apply_homography(homography, points)
        assert _array.dtype_name(moved) == wide
        assert_close(moved, matching.apply_homography(homography, same[0]), 0)
        assert_close(matching.transfer_error(homography, points, same[1]),
                     matching.transfer_error(homography, *same), 0)
        narrow_map = _array.as_dtype(homography, narrow)
        assert _array.dtype_name(matching.apply_homography(narrow_map, same[0])) == wide
    whole = matching.apply_homography(array(SEEN), array(src))
    assert_close(whole, matching.apply_homography(array(SEEN), array(src.astype(float))), 0)
    assert_close(matching.fit_homography(_array.as_dtype(array(src), "float32"), array(dst.astype(float))),
                 matching.fit_homography(array(src), array(dst)), 0)


def test_lists_and_mixed_libraries_are_refused(rng):
    torch = pytest.importorskip("torch")
    square = [[0, 0], [0, 9], [9, 0], [9, 9]]
    four = np.array(square)
    for call in (lambda: matching.fit_homography(square, four), lambda: matching.find_homography(square, four, rng=rng),
                 lambda: matching.transfer_error(SEEN, square, four)):
        with pytest.raises(TypeError, match=r"`src` must be a NumPy array .* not list: np.asarray\(src\) makes one"):
            call()
    with pytest.raises(TypeError, match=r"`points` must be a NumPy array .* not list: np.asarray\(points\) makes one"):
        matching.apply_homography(SEEN, square)
    assert matching.apply_homography(SEEN, np.asarray(square)).shape == (4, 2)  # what the message says does work
    for call in (lambda: matching.apply_homography(SEEN, torch.tensor(square)),
                 lambda: matching.fit_homography(four, torch.tensor(square)),
                 lambda: matching.transfer_error(SEEN, four, torch.tensor(square))):
        with pytest.raises(TypeError, match="arguments mix NumPy and torch"):
            call()
    with pytest.raises(TypeError, match="arguments differ in device .*points meta"):
        matching.apply_homography(torch.from_numpy(SEEN), torch.tensor(square, device="meta"))
    with pytest.raises(TypeError, match="`homography` has dtype int64; apply_homography takes float16"):
        matching.apply_homography(np.eye(3, dtype=np.int64), four)


def test_horizon_is_infinite(array):
    tipped = array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.5, -1.0]])
    assert not np.isfinite(_array.to_numpy(matching.apply_homography(tipped, array([[3.0, 2.0]])))).any()
    assert float(matching.transfer_error(tipped, array([[3.0, 2.0]]), array([[0.0, 0.0]]))[0]) == float("inf")


@pytest.mark.parametrize("k", [4, 5, 50])
def test_fit_recovers_the_map(array, rng, k):
    """Exactly, from exact pairs; in both libraries; whatever the units (Hartley's point)."""
    src, dst, _ = scene(rng, k)
    found = matching.fit_homography(array(src), array(dst))
    assert_close(found, array(SEEN), 1e-8)  # entries of 30 beside entries of 4e-4
    assert_close(matching.apply_homography(found, array(src)), array(dst), 1e-9)
    far = matching.fit_homography(array(src + 1e5), array(dst - 1e5))
    moved = matching.apply_homography(far, array(src + 1e5))
    assert relative_error(moved, array(dst - 1e5)) < 1e-9


def test_fit_is_least_squares_of_many(rng):
    """Noise of one pixel on a thousand pairs moves the corners by far less than a pixel."""
    src, dst, _ = scene(rng, 1000, noise=1.0)
    corners = np.array([[0.0, 0.0], [0.0, 400.0], [400.0, 0.0], [400.0, 400.0]])
    found = matching.fit_homography(src, dst)
    error = np.abs(matching.apply_homography(found, corners) - matching.apply_homography(SEEN, corners)).max()
    assert 0 < error < 0.5


def test_fit_does_not_depend_on_the_origin(rng, monkeypatch):
    """The reason for Hartley's step: which corner is (0, 0) makes no difference. To the plain equations it does."""
    from cnnlib.features.matching import homography

    src, dst, _ = scene(rng, 30, noise=1.0)

    def moved_to(place):
        fitted, _ = homography.direct_linear_transform(src - place, dst - place)
        return matching.apply_homography(fitted, src - place) + place

    assert np.abs(moved_to(0) - moved_to(400)).max() < 1e-8
    monkeypatch.setattr(homography, "_normalised", lambda points: (np.eye(3), points))
    assert np.abs(moved_to(0) - moved_to(400)).max() > 0.1


def test_fit_errors(array, rng):
    src = array(rng.random((3, 2)))
    with pytest.raises(ValueError, match="fit_homography got 3 pairs of points; .* at least 4 pairs"):
        matching.fit_homography(src, src)
    line = array(np.stack([np.arange(6.0), 2 * np.arange(6.0)], 1))
    any_four = array(rng.random((6, 2)))
    for one, two in ((line, any_four), (any_four, line), (0 * line, line)):
        with pytest.raises(ValueError, match="the 6 pairs determine no homography"):
            matching.fit_homography(one, two)
    with pytest.raises(ValueError, match=r"`src` has shape \(6, 2\) and `dst` \(5, 2\)"):
        matching.fit_homography(line, line[:5])
    with pytest.raises(ValueError, match=r"`points` has shape \(2,\)"):
        matching.apply_homography(array(np.eye(3)), array([1.0, 2.0]))
    with pytest.raises(ValueError, match=r"`homography` has shape \(2, 3\)"):
        matching.apply_homography(array(np.eye(3)[:2]), line)


# ---- consensus

def test_number_of_trials():
    assert matching.num_trials(0.5) == 72 and matching.num_trials(0.3) == 567
    assert matching.num_trials(1) == 1 and matching.num_trials(0.5, sample_size=2) == 17
    assert matching.num_trials(0.5, confidence=0.5) == 11
    assert matching.num_trials(1e-4) > 4e16
    for share in (0, -0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match="`inlier_share` is"):
            matching.num_trials(share)
    with pytest.raises(ValueError, match="`confidence` is 1; it must lie between 0 and 1"):
        matching.num_trials(0.5, confidence=1)


def test_trials_are_as_many_as_the_formula_says(rng):
    """72 draws from pairs half of which are right: a clean sample in 99 % of the cases."""
    clean = [(ransac._samples(rng, 1000, 72) < 500).all(1).any() for _ in range(2000)]
    assert 0.982 < np.mean(clean) < 0.996  # 0.99 ± 3.5 standard deviations


def test_samples_are_four_different_ones(rng):
    drawn = ransac._samples(rng, 5, 4000)
    assert (np.diff(np.sort(drawn, axis=1)) > 0).all() and drawn.min() == 0 and drawn.max() == 4
    left_out = 10 - drawn.sum(1)  # which of 0 … 4 is missing: each as often
    assert abs(np.bincount(left_out) - 800).max() < 110  # 4.3 standard deviations
    assert (np.sort(ransac._samples(rng, 4, 9), axis=1) == range(4)).all()


@pytest.mark.parametrize("wrong", [0.0, 0.5, 0.7])
def test_finds_the_map_among_wrong_pairs(array, wrong, rng):
    src, dst, right = scene(rng, 300, wrong=wrong, noise=0.5)
    homography, inliers = matching.find_homography(array(src), array(dst), rng=rng)
    inliers = _array.to_numpy(inliers)
    assert inliers[right].mean() > 0.99 and inliers[~right].sum() < 0.02 * len(src)
    grid = np.mgrid[0:401:100, 0:401:100].reshape(2, -1).T.astype(float)
    moved = _array.to_numpy(matching.apply_homography(homography, array(grid)))
    assert np.abs(moved - matching.apply_homography(SEEN, grid)).max() < 1


@pytest.mark.parametrize("noise", [0.5, 1.0, 2.0, 3.0])
def test_inliers_are_the_homographys(array, noise):
    """What agrees with the homography that is returned, not with another one on the way; with at least four pairs."""
    moved = 0
    for seed in range(40):
        rng = np.random.default_rng([seed, 4])
        src, dst, _ = scene(rng, int(rng.integers(10, 150)), wrong=rng.uniform(0, 0.6), noise=noise)
        homography, inliers = matching.find_homography(array(src), array(dst), rng=rng, threshold=3)
        error = _array.to_numpy(matching.transfer_error(homography, array(src), array(dst)))
        np.testing.assert_array_equal(_array.to_numpy(inliers), error < 3)
        assert inliers.sum() >= 4
        mine = _array.to_numpy(inliers)
        fitted = _array.to_numpy(matching.fit_homography(src[mine], dst[mine]))
        moved += ((np.clip(matching.transfer_error(fitted, src, dst), 0, 3) ** 2).sum()
                  < (np.clip(error, 0, 3) ** 2).sum() * (1 - 1e-9))
    assert moved <= 2  # nothing is left to be gained by one more fit, but where ten fits were not enough


def test_same_generator_same_answer(rng):
    src, dst, _ = scene(rng, 100, wrong=0.6, noise=1.0)
    one, two = (matching.find_homography(src, dst, rng=np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(one[0], two[0])
    np.testing.assert_array_equal(one[1], two[1])


def test_both_libraries_agree(rng):
    torch = pytest.importorskip("torch")
    src, dst, _ = scene(rng, 200, wrong=0.5, noise=0.5)
    ours = matching.find_homography(src, dst, rng=np.random.default_rng(1))
    theirs = matching.find_homography(torch.from_numpy(src), torch.from_numpy(dst), rng=np.random.default_rng(1))
    assert isinstance(theirs[0], torch.Tensor) and theirs[1].dtype == torch.bool
    assert_close(theirs[0].numpy(), ours[0], 1e-8)  # two SVDs; entries of 30 beside 4e-4
    np.testing.assert_array_equal(theirs[1].numpy(), ours[1])


def test_matches_opencv(rng):
    """The same pairs agree, and both maps bring the corners to within a fifth of a pixel of each other."""
    cv2 = pytest.importorskip("cv2")
    for _ in range(5):
        src, dst, _ = scene(rng, 300, wrong=0.4, noise=0.5)
        homography, inliers = matching.find_homography(src, dst, rng=rng)
        theirs, mask = cv2.findHomography(src[:, ::-1].copy(), dst[:, ::-1].copy(), cv2.RANSAC, 3.0)
        assert (inliers == mask.ravel().astype(bool)).mean() > 0.98
        swapped = theirs[[1, 0, 2]][:, [1, 0, 2]]
        corners = np.array([[0.0, 0.0], [0.0, 400.0], [400.0, 0.0], [400.0, 400.0]])
        ours, theirs = (matching.apply_homography(h, corners) for h in (homography, swapped))
        assert np.abs(ours - theirs).max() < 0.5
        assert np.median(np.abs(ours - matching.apply_homography(SEEN, corners))) < 0.3


def test_mirror_is_a_homography(rng):
    """Of the triangles all turn over, or none."""
    mirror = np.array([[1.0, 0.0, 0.0], [0.0, -1.0, 400.0], [0.0, 0.0, 1.0]])
    src, dst, right = scene(rng, 50, wrong=0.3, homography=mirror)
    homography, inliers = matching.find_homography(src, dst, rng=rng)
    assert_close(homography, mirror, 1e-8)
    np.testing.assert_array_equal(inliers, right)


def test_any_four_pairs_agree(rng):
    """An answer is no evidence: any four pairs that keep sides fit exactly, and unrelated points have some inliers."""
    src = np.array([[0.0, 0.0], [0.0, 9.0], [9.0, 0.0], [9.0, 9.0]])
    homography, inliers = matching.find_homography(src, src + rng.random((4, 2)), rng=rng)
    assert inliers.all()
    src, dst, _ = scene(rng, 200, wrong=1.0)
    _, inliers = matching.find_homography(src, dst, rng=rng)
    assert 4 <= inliers.sum() < 20


def test_degenerate_samples_are_refused():
    square = np.array([[0.0, 0.0], [0.0, 9.0], [9.0, 0.0], [9.0, 9.0]])
    on_a_line = np.array([[0.0, 0.0], [4.0, 4.0], [9.0, 9.0], [9.0, 0.0]])
    twins = np.array([[0.0, 0.0], [0.0, 0.0], [9.0, 0.0], [9.0, 9.0]])
    folded = square[[1, 0, 2, 3]]
    src = np.stack([square, on_a_line, square, twins, square, square])
    dst = np.stack([square, square, on_a_line, square, folded, square[:, ::-1]])
    assert ransac.usable(src, dst).tolist() == [True, False, False, False, False, True]


def test_points_on_one_line_are_refused(rng):
    line = np.stack([np.arange(20.0), 3 * np.arange(20.0)], 1)
    with pytest.raises(ValueError, match="no homography found: each of 50 samples .* three points lay on one line"):
        matching.find_homography(line, line, rng=rng, max_trials=50)


def test_most_points_on_one_line(rng):
    """Samples from the line teach nothing; the few points beside it do."""
    src = np.concatenate([np.stack([np.arange(60.0), np.arange(60.0)], 1), rng.uniform(0, 60, (12, 2))])
    homography, inliers = matching.find_homography(src, matching.apply_homography(SEEN, src), rng=rng)
    assert inliers.all()
    assert_close(homography, SEEN, 1e-7)  # from a region of 60 pixels


def test_find_errors(array, rng):
    src = array(rng.random((9, 2)))
    with pytest.raises(ValueError, match="find_homography got 3 pairs of points; .* at least 4 pairs"):
        matching.find_homography(src[:3], src[:3], rng=rng)
    with pytest.raises(TypeError, match="`rng` must be a np.random.Generator, not int"):
        matching.find_homography(src, src, rng=0)
    for threshold in (0, -1.0, float("inf"), "3"):
        with pytest.raises(ValueError, match="`threshold` is"):
            matching.find_homography(src, src, rng=rng, threshold=threshold)
    with pytest.raises(ValueError, match="`max_trials` is 0; it must be at least 1"):
        matching.find_homography(src, src, rng=rng, max_trials=0)
    with pytest.raises(ValueError, match="`confidence` is 2"):
        matching.find_homography(src, src, rng=rng, confidence=2)
    with pytest.raises(ValueError, match="`src` has 1 of 9 points with a coordinate that is NaN"):
        matching.find_homography(array(np.where(np.arange(18).reshape(9, 2) == 5, np.nan, 1.0)), src, rng=rng)


# ---- warp

def test_warp_known_values():
    image = np.arange(12.0).reshape(3, 4)
    half = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.5], [0.0, 0.0, 1.0]])
    assert_close(matching.warp(image, half, outside=-1), np.array([[-1, 0.5, 1.5, 2.5], [-1, 4.5, 5.5, 6.5],
                                                                   [-1, 8.5, 9.5, 10.5]]))
    turned = np.array([[0.0, -1.0, 3.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    np.testing.assert_array_equal(matching.warp(image, turned, (4, 3)), np.rot90(image))
    assert np.isnan(matching.warp(image, np.eye(3), (3, 5), outside=np.nan)[:, 4]).all()


def test_warp_moves_points(rng):
    """A spot lands where apply_homography says."""
    image = np.zeros((200, 200))
    image[90:93, 120:123] = 1
    seen = np.array([[0.9, -0.2, 30.0], [0.15, 1.1, -20.0], [4e-4, -3e-4, 1.0]])
    out = matching.warp(image, seen, (200, 220))
    centre = (np.indices(out.shape) * out).sum((1, 2)) / out.sum()
    assert np.abs(centre - matching.apply_homography(seen, np.array([[91.0, 121.0]]))[0]).max() < 0.05


def test_warp_matches_opencv(rng):
    cv2 = pytest.importorskip("cv2")
    photo = data.photo("coffee", size=(120, 150))
    ours = matching.warp(photo, SEEN, (150, 140))
    theirs = cv2.warpPerspective(photo, SEEN[[1, 0, 2]][:, [1, 0, 2]], (140, 150), flags=cv2.INTER_LINEAR)
    inside = matching.warp(np.ones((120, 150)), SEEN, (150, 140)) == 1
    assert inside.mean() > 0.3
    assert np.abs(ours - theirs)[inside].max() < 0.03  # OpenCV rounds places to 1/32 pixel


def test_warp_and_back():
    photo = images.resize(data.photo("camera"), (64, 64))
    smooth = images.resize(photo, (256, 256))
    there = matching.warp(smooth, SEEN, (320, 320), outside=np.nan)
    back = matching.warp(np.nan_to_num(there), np.linalg.inv(SEEN), (256, 256))
    seen = matching.warp(np.isfinite(there).astype(float), np.linalg.inv(SEEN), (256, 256)) == 1
    assert seen.mean() > 0.5 and np.abs(back - smooth)[seen].max() < 0.06


def test_oversampling_averages():
    stripes = np.tile([0.0, 1.0], (8, 8))
    half = np.diag([0.5, 0.5, 1.0])
    half[:2, 2] = -0.25  # corner on corner
    out = matching.warp(stripes, half, (4, 8), oversample=2)
    assert_close(out, np.full((4, 8), 0.5))
    assert matching.warp(stripes.astype(np.float32), half, (4, 8)).dtype == np.float32


def test_warp_errors():
    with pytest.raises(ValueError, match="`homography` has no inverse"):
        matching.warp(np.ones((4, 4)), np.diag([1.0, 0.0, 1.0]))
    with pytest.raises(ValueError, match=r"`homography` has shape \(2, 3\)"):
        matching.warp(np.ones((4, 4)), np.eye(3)[:2])
    with pytest.raises(TypeError, match="`image` has dtype uint8"):
        matching.warp(np.ones((4, 4), np.uint8), np.eye(3))
    with pytest.raises(ValueError, match="`image` has 1 of 4 values that are NaN"):
        matching.warp(np.array([[1, np.nan], [1, 1]]), np.eye(3))


# ---- panorama

def parts_of_a_photo(exposures):
    """Overlapping parts of one photo, each seen through a homography of its own and exposed its own way."""
    photo = 0.1 + 0.6 * data.photo("coffee", size=(160, 300))
    shifts, tips = (0.0, 70.0, 140.0), (0.0, 1e-4, -1e-4)
    pictures, homographies = [], []
    for shift, tip, exposure in zip(shifts, tips, exposures):
        to_scene = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, shift], [0.0, 0.0, 1.0]]) @ np.array(
            [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, tip, 1.0]])
        pictures.append(exposure * matching.warp(photo, np.linalg.inv(to_scene), (150, 150)))
        homographies.append(to_scene)
    return photo, pictures, homographies


def test_panorama_is_the_photo():
    """Crops of one photo, differently exposed, give the photo back, up to one factor for all."""
    exposures = (1.0, 0.7, 1.3)
    photo, pictures, homographies = parts_of_a_photo(exposures)
    found = matching.panorama(pictures, homographies)
    rows, cols = min(found.shape[0], 140), min(found.shape[1], 280)
    inner = np.s_[5:rows - 5, 5:cols - 5]
    factor = np.prod(exposures) ** (1 / 3)
    error = np.median(np.abs(found[inner] / factor - photo[inner]))
    assert error < 0.002  # three interpolations
    uneven = matching.panorama(pictures, homographies, compensate=False)
    assert np.median(np.abs(uneven[inner] - photo[inner])) > 20 * error


def test_gains_undo_exposures():
    exposures = np.array([1.0, 0.7, 1.3])
    _, pictures, homographies = parts_of_a_photo(exposures)
    size, shift = matching.canvas([p.shape for p in pictures], homographies)
    layers = [matching.warp(p, shift @ h, size, outside=np.nan) for p, h in zip(pictures, homographies)]
    found = matching.gains(layers)
    np.testing.assert_allclose(found * exposures, (found * exposures).mean(), rtol=0.01)  # three interpolations
    assert_close(np.log(found).sum(), np.float64(0))


def test_gains_known_values():
    nan = np.nan
    a, b, c = np.array([[0.4, 0.4, nan, nan]]), np.array([[nan, 0.2, 0.2, nan]]), np.array([[nan, nan, nan, 0.9]])
    assert_close(matching.gains([a, b, c]), np.array([2**-0.5, 2**0.5, 1.0]))  # the third hangs alone
    assert_close(matching.gains([a]), np.ones(1))
    clipped = np.array([[0.4, 1.0, 0.0]]), np.array([[0.2, 0.3, 0.3]])
    assert_close(matching.gains(list(clipped)), np.array([2**-0.5, 2**0.5]))


def test_feather_hides_the_step():
    """Where two flat pictures of different brightness overlap, the largest step is a fraction of the difference."""
    left, right = np.full((9, 40), 0.4), np.full((9, 40), 0.6)
    homographies = [np.eye(3), np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 20.0], [0.0, 0.0, 1.0]])]
    hard, soft = (matching.panorama([left, right], homographies, compensate=False, feathered=f) for f in (False, True))
    assert hard.shape == soft.shape == (9, 60)
    assert_close(np.abs(np.diff(hard[4])).max(), np.float64(0.1))
    assert np.abs(np.diff(soft[4])).max() < 0.02
    weights = matching.feather((9, 40))
    assert weights.min() > 0 and weights.max() <= 1
    assert_close(weights, weights[::-1, ::-1])


def test_canvas():
    turned = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    size, shift = matching.canvas([(10, 20), (10, 20, 3)], [np.eye(3), turned])
    assert size == (29, 20)  # rows -19 … 9
    assert_close(shift, np.array([[1.0, 0.0, 19.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]))


def test_panorama_errors():
    picture = np.ones((10, 20))
    tipped = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, -0.1, 1.0]])
    with pytest.raises(ValueError, match="picture 1 reaches its horizon"):
        matching.panorama([picture, picture], [np.eye(3), tipped])
    with pytest.raises(ValueError, match="there are 2 pictures and 1 homographies"):
        matching.panorama([picture, picture], [np.eye(3)])
    with pytest.raises(ValueError, match="would have 10000×19001 pixels"):
        matching.canvas([(10, 20)], [np.diag([1111.0, 1000.0, 1.0])])
    with pytest.raises(TypeError, match=r"`pictures\[1\]` is uint8"):
        matching.panorama([picture, picture.astype(np.uint8)], [np.eye(3)] * 2)
    with pytest.raises(ValueError, match=r"`pictures\[1\]` has shape \(10, 20, 3\) and the first \(10, 20\)"):
        matching.panorama([picture, np.ones((10, 20, 3))], [np.eye(3)] * 2)
    with pytest.raises(ValueError, match=r"each of the 1 layers needs one of shape \(10, 20\)"):
        matching.blend([picture], [np.ones((3, 3))])
    with pytest.raises(ValueError, match="must be a list of at least one picture"):
        matching.gains(picture)
