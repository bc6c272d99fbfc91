"""SIFT, step by step: known values, and the fast bodies beside the plain ones (which torch's tensors take)."""

import numpy as np
import pytest
from helpers import assert_close

from cnnlib import data
from cnnlib._array import to_numpy
from cnnlib.features import sift
from cnnlib.features.sift import _tiles
from cnnlib.features.sift.blur import blur, blur_on, doubled, gaussian_kernel
from cnnlib.features.sift.descriptor import cell_histograms, normalised, sample_weights
from cnnlib.features.sift.extrema import extrema, extrema_of_each
from cnnlib.features.sift.orientation import smoothed
from cnnlib.features.sift.refinement import CONTRAST, EDGE, KEPT, UNSTABLE, refine
from cnnlib.features.sift.scale_space import ScaleSpace

# ---- scale space

def test_kernel_is_a_gaussian():
    for sigma in (0.8, 1.6, 3.1):
        kernel = gaussian_kernel(sigma)
        offsets = np.arange(len(kernel)) - len(kernel) // 2
        assert kernel.dtype == np.float32
        assert kernel.sum() == pytest.approx(1, abs=1e-6)
        assert (kernel * offsets ** 2).sum() == pytest.approx(sigma ** 2, rel=0.01)  # cut at 4 sigma


def test_doubled_known_values(array):
    doubles = doubled(array(np.array([[0.0, 1.0]], np.float32)))
    np.testing.assert_allclose(to_numpy(doubles), [[0, 0.25, 0.75, 1]] * 2)


def test_blur_mirrors_at_the_border(array):
    """A step of 1 per pixel from the border: 2 sum_i kernel[i] * i more at the mirror than the ramp itself."""
    image = array(np.tile(np.arange(30, dtype=np.float32), (4, 1)))
    out = image * 0
    blur(image, 1.5, out)
    kernel = gaussian_kernel(1.5)
    reach = len(kernel) // 2
    expected = (kernel * abs(np.arange(-reach, reach + 1))).sum()
    np.testing.assert_allclose(to_numpy(out)[:, 0], expected, rtol=1e-5)
    np.testing.assert_allclose(to_numpy(out)[:, 15], 15, rtol=1e-5)


@pytest.mark.parametrize("double", [False, True])
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (3, 40), (37, 33), (70, 6), (550, 35), (9, 1100), (515, 530)])
def test_the_strips_are_the_plain_blur(shape, double, rng):
    """The last of the shapes is so large that it is cut into slabs."""
    torch = pytest.importorskip("torch")
    image = rng.random(shape, dtype=np.float32)
    for sigma in (0.6, 1.6, 3.7):
        fast = np.zeros([n * (1 + double) for n in shape], np.float32)
        plain = torch.zeros(fast.shape)
        blur(image, sigma, fast, double)
        blur(torch.from_numpy(image), sigma, plain, double)
        assert_close(fast, plain)


@pytest.mark.parametrize("shape", [(30, 40), (515, 530)])  # in one piece; in three, with wedges between
def test_an_octave_is_blurred_as_its_pictures_one_by_one(shape, monkeypatch, rng):
    sigmas = (1.2, 1.5, 1.9, 2.5, 3.1)
    levels = np.zeros((6, *shape), np.float32)
    levels[0] = rng.random(shape)
    expected = levels.copy()
    for layer, sigma in enumerate(sigmas):
        blur(expected[layer], sigma, expected[layer + 1])
    found = []
    for threads in ("1", "2"):
        monkeypatch.setenv("OMP_NUM_THREADS", threads)
        levels[1:] = np.nan
        blur_on(levels, sigmas)
        found.append(levels.copy())
    np.testing.assert_array_equal(*found)
    # Pieces are products of other shapes, and some kernels of BLAS (Haswell's) round each shape in their own way.
    np.testing.assert_allclose(levels, expected, rtol=0, atol=1e-6)


def test_every_level_is_blurred_as_much_as_it_says(array):
    """A single bright pixel becomes a Gaussian, whose variance is the level's less that of the assumed blur."""
    image = np.zeros((101, 101), np.float32)
    image[50, 50] = 1
    space = sift.scale_space(array(image), upsample=False, num_octaves=2)
    offsets = np.arange(101) - 50
    for layer, level in enumerate(to_numpy(space.gaussian(0))):
        variance = (level.sum(0) * offsets ** 2).sum()
        assert variance == pytest.approx(space.blur(0, layer) ** 2 - 0.25, rel=0.01)
    np.testing.assert_array_equal(to_numpy(space.gaussian(1)[0]), to_numpy(space.gaussian(0)[3, ::2, ::2]))
    assert space.blur(0, 3) == space.blur(1, 0) == 2 * space.blur(0, 0) == 3.2
    assert space.step(1) == 2 and space.origin == 0


def test_places_of_pixels():
    space = sift.scale_space(data.photo("camera")[:40, :50])
    octave, layer, row, col = (np.array(a) for a in ([-1, 0, 1], [2, 0, 5], [3, 7, 9], [90, 11, 3]))
    expected = [space.gaussian(o)[p, i, j] for o, p, i, j in zip(octave, layer, row, col)]
    np.testing.assert_array_equal(space.pixels[space.index(octave, layer, row, col)], expected)
    np.testing.assert_array_equal(space.sizes(octave), np.array(space.shapes)[octave + 1].T)
    assert space.origin == -0.25


def test_nearest_octave_and_layer_are_those_of_the_detector():
    space = sift.scale_space(data.photo("camera")[100:300, 100:300])
    found = sift.candidates(space)
    found = found[found.reason == KEPT]
    assert {*found.layer.tolist()} == {1, 2, 3}
    octave, layer = space.nearest(found.sigma)
    np.testing.assert_array_equal(octave, found.octave)
    np.testing.assert_array_equal(layer, found.layer)
    octave, layer = space.nearest(np.array([0.01, 0.8, 1e4]))  # finer and coarser than there is: the ends
    assert (octave[0], layer[0], octave[1], layer[1]) == (-1, 0, -1, 0)
    assert (octave[2], layer[2]) == (space.octaves[-1], 5)


# ---- extrema

def octave_of(differences):
    """Blurred pictures that have these differences."""
    return np.concatenate([np.zeros_like(differences[:1]), np.cumsum(differences, 0, np.float32)])


@pytest.mark.parametrize("levels", [2, 7, 30])  # few levels have many ties; of many levels few pixels stand out
@pytest.mark.parametrize("shape", [(5, 20, 23), (3, 300, 40), (6, 11, 90)])
def test_extrema_are_those_of_the_definition(shape, levels, array, rng):
    differences = rng.integers(-levels, levels + 1, shape).astype(np.float32)  # small integers: sums are exact
    found = extrema(array(octave_of(differences)), levels - 0.5)
    expected = []
    for layer, row, col in np.ndindex(*shape):
        cube = differences[max(layer - 1, 0):layer + 2, row - 1:row + 2, col - 1:col + 2]
        value = differences[layer, row, col]
        if (0 < layer < shape[0] - 1 and 5 <= row < shape[1] - 5 and 5 <= col < shape[2] - 5
                and abs(value) > levels - 0.5 and (value == cube.max() if value > 0 else value == cube.min())):
            expected.append((layer, row, col))
    assert expected
    assert np.stack([to_numpy(a) for a in found], 1).tolist() == [list(place) for place in expected]


@pytest.mark.parametrize("tile, many", [(2 ** 11, 0), (2 ** 11, 1), (2 ** 17, 0.05)])
def test_tiles_of_many_octaves_find_what_the_plain_body_finds(tile, many, monkeypatch):
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(_tiles, "TILE", tile)
    monkeypatch.setattr(_tiles, "MANY", many)
    gaussians = sift.scale_space(data.photo("camera")[:200, :230]).gaussians
    found = extrema_of_each(gaussians, 0.04 / 6)
    expected = extrema_of_each([torch.from_numpy(gaussian) for gaussian in gaussians], 0.04 / 6)
    assert [len(layer) > 0 for layer, _, _ in found[:3]] == [True] * 3 and len(found[-1][0]) == 0
    for several, others in zip(found, expected):
        np.testing.assert_array_equal(np.stack(several), torch.stack(others).numpy())


def test_no_room_for_extrema(array):
    assert [len(a) for a in extrema(array(np.zeros((6, 10, 50), np.float32)))] == [0, 0, 0]


# ---- refinement

def quadratic(centre, curvatures, height=0.5, shape=(5, 24, 26)):
    """A scale space of one octave whose differences are height + a quadratic with its extremum at (layer, row, col)."""
    axes = np.meshgrid(*map(np.arange, shape), indexing="ij")
    differences = height + sum(c * (axis - x) ** 2 / 2 for c, axis, x in zip(curvatures, axes, centre))
    return ScaleSpace(octave_of(differences.astype(np.float32)).reshape(-1), [shape[1:]], shape[0] - 2, 1.6, False)


def refined(space, array, layer, row, col, contrast=0.01, edge_ratio=10):
    space = ScaleSpace(array(space.pixels), *(getattr(space, name) for name in (
        "shapes", "scales_per_octave", "sigma", "upsample")))
    return refine(space, *(array(np.array([n])) for n in (0, layer, row, col)), contrast, edge_ratio)


def test_the_extremum_of_a_quadratic_is_found_also_from_afar(array):
    space = quadratic((2.2, 11.3, 14.4), (-0.01, -0.02, -0.03))
    for start in ((2, 11, 14), (2, 12, 14), (1, 9, 12)):
        found = refined(space, array, *start)
        assert (int(found.layer[0]), int(found.row[0]), int(found.col[0])) == (2, 11, 14)
        np.testing.assert_allclose(to_numpy(found.offset)[:, 0], (0.4, 0.3, 0.2), atol=1e-3)
        assert float(found.value[0]) == pytest.approx(0.5, abs=1e-5)
        assert float(found.edge_ratio[0]) == pytest.approx(1.5, rel=1e-3)
        assert int(found.reason[0]) == KEPT


@pytest.mark.parametrize("curvatures, height, centre, reason", [
    ((-0.01, -0.02, -0.19), 0.5, (2, 11, 14), KEPT),  # ratio 9.5
    ((-0.01, -0.02, -0.21), 0.5, (2, 11, 14), EDGE),  # 10.5
    ((-0.01, -0.21, -0.02), 0.5, (2, 11, 14), EDGE),
    ((-0.01, 0.02, -0.02), 0.5, (2, 11, 14), EDGE),  # a saddle
    ((-0.01, -0.02, -0.02), 0.009, (2, 11, 14), CONTRAST),
    ((-0.01, -0.02, -0.02), -0.011, (2, 11, 14), KEPT),  # its absolute value counts
    ((-0.01, -0.02, -0.02), 0.5, (2, 1.0, 14), UNSTABLE),  # in the border
    ((-0.01, -0.02, -0.02), 0.5, (9.0, 11, 14), UNSTABLE),  # beyond the layers
    ((0.0, -0.02, -0.02), 0.5, (2, 11, 14), UNSTABLE),  # level over scale: no extremum at all
])
def test_reasons(curvatures, height, centre, reason, array):
    found = refined(quadratic(centre, curvatures, height), array, 2, 11, 14)
    assert int(found.reason[0]) == reason


def test_candidates_say_what_became_of_them():
    space = sift.scale_space(data.photo("camera")[:200, :200])
    found = sift.candidates(space)
    assert {*found.words} == {"kept", "contrast", "edge", "unstable"}
    for word, test in (("kept", (abs(found.value) >= 0.04 / 3) & (found.edge_ratio < 10)),
                       ("contrast", abs(found.value) < 0.04 / 3), ("edge", found.edge_ratio >= 10)):
        assert test[[i for i, reason in enumerate(found.words) if reason == word]].all()
    assert set(map(tuple, sift.detect(space).positions)) == set(map(tuple, found[found.reason == KEPT].positions))


# ---- orientation

@pytest.mark.parametrize("degrees", [0, 33, 90, 153, 200, 290, 358])
def test_the_orientation_of_a_ramp_is_the_way_up(degrees, array):
    rows, cols = np.mgrid[:140, :140]
    angle = np.radians(degrees)
    ramp = ((np.sin(angle) * rows + np.cos(angle) * cols) / 400 + 0.5).astype(np.float32)
    point = sift.Keypoints(*(array(np.array(a)) for a in (
        np.array([[70, 69]], np.float32), np.array([3], np.float32), np.array([angle], np.float32),
        np.ones(1, np.float32), np.zeros(1, int))))
    histograms = sift.orientation_histograms(array(ramp), point)
    index, found = sift.peaks(histograms)
    assert tuple(histograms.shape) == (1, 36) and len(index) == 1
    assert int(to_numpy(histograms)[0].argmax()) == round(degrees / 10) % 36
    # All votes are in the one nearest bin, so a ramp's direction is known to half a bin.
    assert abs((float(found[0]) - angle + np.pi) % (2 * np.pi) - np.pi) <= np.radians(5) + 1e-6
    patch, inside = sift.patches(array(ramp), point)
    assert to_numpy(inside).all()
    np.testing.assert_allclose(np.diff(to_numpy(patch)[0], axis=0), 0, atol=1e-5)  # upright: level from row to row
    np.testing.assert_allclose(np.diff(to_numpy(patch)[0], axis=1), 0.75 * 3 / 400, atol=1e-5)


def test_peaks_known_values(array):
    histogram = np.zeros((3, 36), np.float32)
    histogram[0, [4, 5, 6]] = 1, 2, 1  # its top is in the middle of bin 5
    histogram[0, [20, 21, 22]] = 0, 1.5, 0  # too low
    histogram[1, [35, 0, 1]] = 2, 3, 1  # (2 - 1) / 2 / (2 - 6 + 1) = -1/6 bins from 0
    histogram[1, [10, 11, 12]] = 2, 2.5, 1  # high enough for a second orientation, -1/4 bins from 11
    index, orientation = sift.peaks(array(histogram))
    assert to_numpy(index).tolist() == [0, 1, 1]
    np.testing.assert_allclose(to_numpy(orientation) * 18 / np.pi, (5, 36 - 1 / 6, 11 - 0.25), atol=1e-4)


def test_smoothing_goes_round_and_keeps_the_mass(array):
    histogram = np.zeros((1, 36), np.float32)
    histogram[0, 35] = 16
    smooth = to_numpy(smoothed(array(histogram)))[0]
    assert smooth[[33, 34, 35, 0, 1]].tolist() == [1, 4, 6, 4, 1] and smooth.sum() == 16


# ---- descriptor

def test_sample_weights():
    weights = sample_weights().reshape(4, 4, 20, 20)
    assert weights.shape == (4, 4, 20, 20)
    np.testing.assert_array_equal(weights, weights[::-1, ::-1, ::-1, ::-1])
    place = (np.arange(20) - 9.5) / 4
    gaussian = np.exp(-place ** 2 / 8)
    np.testing.assert_allclose(weights.sum((0, 1))[4:16, 4:16], np.outer(gaussian, gaussian)[4:16, 4:16], rtol=1e-5)
    assert weights[1, 2, 7, 11] == pytest.approx((1 - 0.125) ** 2 * gaussian[7] * gaussian[11], rel=1e-5)


def test_every_vote_is_counted_in_two_directions(array, rng):
    """What a patch's cells hold together is what its gradients are long, weighted: sharing loses nothing."""
    patch = rng.random((3, 22, 22), dtype=np.float32)
    inside = np.ones(patch.shape, bool)
    histograms = to_numpy(cell_histograms(array(patch), array(inside)))
    down, right = patch[:, 2:, 1:-1] - patch[:, :-2, 1:-1], patch[:, 1:-1, 2:] - patch[:, 1:-1, :-2]
    mass = np.hypot(down, right).reshape(3, 400) @ sample_weights().T
    np.testing.assert_allclose(histograms.sum(-1).reshape(3, 16), mass, rtol=1e-4)


@pytest.mark.parametrize("steps, shares", [((0, 1), {0: 1}), ((1, 1), {1: 1}), ((1, 0), {2: 1}), ((0, -1), {4: 1}),
                                           ((-1, 0), {6: 1}), ((1, np.tan(np.pi / 8)), {1: 0.5, 2: 0.5})])
def test_directions_of_a_patch(steps, shares, array):
    rows, cols = np.mgrid[:22, :22]
    patch = (steps[0] * rows + steps[1] * cols)[None].astype(np.float32)
    histogram = to_numpy(cell_histograms(array(patch), array(np.ones(patch.shape, bool))))[0, 1, 2]
    expected = np.zeros(8)
    expected[[*shares]] = [*shares.values()]
    np.testing.assert_allclose(histogram / histogram.sum(), expected, atol=1e-5)


def test_normalised_known_values(array):
    histogram = np.zeros((2, 4, 4, 8), np.float32)
    histogram[0].reshape(-1)[:4] = 3, 4, 0, 0  # 0.6 and 0.8: both cut to 0.2, so level
    vectors = to_numpy(normalised(array(histogram)))
    np.testing.assert_allclose(vectors[0, :3], (0.5 ** 0.5, 0.5 ** 0.5, 0), atol=1e-6)
    assert not vectors[1].any()


def test_points_at_the_border_and_beyond_the_scales_are_described(array):
    image = data.photo("camera")[:60, :70].astype(np.float32)
    positions = np.array([[0, 0], [59, 69], [30, 0], [-20, 300]], np.float32)
    point = sift.Keypoints(*(array(np.array(a, np.float32)) for a in (positions, [1, 40, 0.1, 2], [0, 1, 2, 3],
                                                                      np.ones(4))), array(np.zeros(4, int)))
    descriptors = to_numpy(sift.describe(array(image), point))
    assert np.isfinite(descriptors).all()
    np.testing.assert_allclose(np.linalg.norm(descriptors, axis=1), (1, 1, 1, 0), atol=1e-5)
    assert tuple(sift.orientation_histograms(array(image), point).shape) == (4, 36)
    _, inside = sift.patches(array(image), point)
    assert [bool(part) for part in to_numpy(inside).reshape(4, -1).any(1)] == [True, True, True, False]


# ---- all together

@pytest.mark.parametrize("photo", ["camera", "coins", "brick"])
def test_torch_finds_and_describes_the_same(photo):
    torch = pytest.importorskip("torch")
    image = data.photo(photo)[100:220, 60:210].astype(np.float32)
    ours, descriptors = sift.detect_and_describe(image)
    theirs, their_descriptors = sift.detect_and_describe(torch.from_numpy(image))
    assert len(ours) == len(theirs) > 10
    order = np.lexsort((ours.orientation, ours.positions[:, 0]))
    their_order = np.lexsort((theirs.orientation.numpy(), theirs.positions[:, 0].numpy()))
    for name in ("positions", "sigma", "orientation", "response", "octave"):
        # A different order of float32 sums in the blur, which the second differences of refinement make larger.
        np.testing.assert_allclose(getattr(theirs, name).numpy()[their_order], getattr(ours, name)[order], atol=5e-3)
    assert_close(their_descriptors[torch.from_numpy(their_order)], descriptors[order], 1e-3)
    assert theirs.octave.dtype == torch.int64 and their_descriptors.dtype == torch.float32


def test_keypoints_are_a_sequence():
    keypoints = sift.detect(data.photo("camera")[100:250, 100:250])
    assert len(keypoints[:5]) == 5 and len(keypoints[7]) == len(keypoints[np.int64(3)]) == len(keypoints[-1]) == 1
    assert keypoints[7].positions.tolist() == keypoints.positions[7:8].tolist()
    assert len(keypoints[keypoints.sigma > 2]) == (keypoints.sigma > 2).sum()
    assert (np.diff(keypoints.response) <= 0).all()
    np.testing.assert_array_equal(keypoints[[3, 1]].orientation, keypoints.orientation[[3, 1]])


def test_points_may_be_described_in_any_order(rng):
    image = data.photo("camera")[100:250, 100:250]
    keypoints = sift.detect(image)
    order = rng.permutation(len(keypoints))
    assert len(order) > 10
    assert_close(sift.describe(image, keypoints[order]), sift.describe(image, keypoints)[order])


def test_one_thread_and_two_find_the_same_bits(monkeypatch):
    image = data.photo("camera")[:300, :280]
    found = []
    for threads in ("1", "2"):
        monkeypatch.setenv("OMP_NUM_THREADS", threads)
        found.append(sift.detect_and_describe(image))
    (one, of_one), (two, of_two) = found
    np.testing.assert_array_equal(one.positions, two.positions)
    np.testing.assert_array_equal(one.orientation, two.orientation)
    np.testing.assert_array_equal(of_one, of_two)
