"""SIFT: what must hold of any picture, whatever another library says."""

import numpy as np
import pytest
from helpers import assert_close

from cnnlib import data
from cnnlib._array import to_numpy
from cnnlib.features import sift


def spot(row, col, width, shape=(96, 110)):
    """A Gaussian spot, bright on black."""
    rows, cols = np.mgrid[:shape[0], :shape[1]]
    return np.exp(-((rows - row) ** 2 + (cols - col) ** 2) / (2 * width ** 2))


def disc(row, col, radius, shape=(96, 110)):
    """A bright disc; pixels on its edge are partly covered."""
    rows, cols = np.mgrid[:shape[0], :shape[1]]
    return np.clip(radius + 0.5 - np.hypot(rows - row, cols - col), 0, 1)


@pytest.mark.parametrize("upsample", [True, False])
@pytest.mark.parametrize("radius", [4, 8, 12])
def test_a_disc_is_found_at_its_centre_with_its_size(radius, upsample, array):
    keypoints = sift.detect(array(disc(45.3, 51.6, radius)), upsample=upsample)
    positions, sigma = to_numpy(keypoints.positions), to_numpy(keypoints.sigma)
    best = np.argmin(np.hypot(*(positions - (45.3, 51.6)).T))
    np.testing.assert_allclose(positions[best], (45.3, 51.6), atol=0.1)
    assert sigma[best] == pytest.approx(radius / 2 ** 0.5, rel=0.1)


@pytest.mark.parametrize("scales", [2, 3, 5])
@pytest.mark.parametrize("width", [2.5, 4.0, 6.0])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_gaussian_spot_is_found_where_theory_says(width, scales, sign):
    """G(k sigma) - G(sigma) of a spot of width s is extreme at sigma = s / sqrt(k), as the derivative's zero says."""
    found = sift.detect(0.5 + sign * spot(45.3, 51.6, width) / 2, scales_per_octave=scales)
    best = np.argmin(np.hypot(*(found.positions - (45.3, 51.6)).T))
    np.testing.assert_allclose(found.positions[best], (45.3, 51.6), atol=0.05)
    assert found.sigma[best] == pytest.approx(width / 2 ** (0.5 / scales), rel=0.03)


def test_gain_and_offset_change_no_descriptor(rng):
    image = data.photo("camera")[100:228, 60:200] / 2
    keypoints = sift.detect(image)
    assert len(keypoints) > 20
    before, after = sift.describe(image, keypoints), sift.describe(1.6 * image + 0.1, keypoints)
    assert_close(after, before, 1e-4)  # float32 levels are rounded by 6e-8, and gradients are small beside them


def test_nothing_to_find(array):
    for image in (np.full((40, 50), 0.3), np.zeros((1, 1)), np.ones((5, 200)), np.zeros((11, 11), bool)):
        keypoints, descriptors = sift.detect_and_describe(array(image))
        assert len(keypoints) == 0
        assert tuple(keypoints.positions.shape) == (0, 2)
        assert tuple(descriptors.shape) == (0, 128)


def nearest(keypoints, positions, orientation):
    """For each place and orientation, which key point is nearest, and how far both are off."""
    off = np.hypot(*(positions[:, None] - keypoints.positions).transpose(2, 0, 1))
    turn = np.abs((orientation[:, None] - keypoints.orientation + np.pi) % (2 * np.pi) - np.pi)
    best = (off + turn).argmin(1)
    rows = np.arange(len(best))
    return best, off[rows, best], turn[rows, best]


@pytest.mark.parametrize("photo, top, left", [("camera", 100, 80), ("coins", 20, 120), ("brick", 40, 40)])
def test_a_quarter_turn_turns_everything(photo, top, left):
    """Exactly, where all octaves have a middle pixel: sides of 2**k + 1, not doubled."""
    image = data.photo(photo)[top:top + 257, left:left + 257]
    before, descriptors = sift.detect_and_describe(image, upsample=False)
    after, turned_descriptors = sift.detect_and_describe(np.rot90(image), upsample=False)
    turned = np.stack([256 - before.positions[:, 1], before.positions[:, 0]], 1)
    best, off, turn = nearest(after, turned, before.orientation - np.pi / 2)
    assert len(before) == len(after) > 50
    assert off.max() < 2e-3 and turn.max() < 1e-3  # sums of float32 in another order
    assert_close(turned_descriptors[best], descriptors, 1e-3)


def test_a_quarter_turn_of_the_doubled_picture():
    """Exactly in the first octave; later ones begin with the first pixel, which a turn makes the last."""
    image = data.photo("camera")[100:228, 80:208]
    before, after = sift.detect(image), sift.detect(np.rot90(image))
    turned = np.stack([127 - before.positions[:, 1], before.positions[:, 0]], 1)
    _, off, turn = nearest(after, turned, before.orientation - np.pi / 2)
    first = before.octave == -1
    assert first.sum() > 10
    assert off[first].max() < 2e-3 and turn[first].max() < 1e-3
    assert np.mean(off < 0.2) > 0.9


def test_a_transposed_picture_has_the_transposed_points():
    image = data.photo("camera")[100:200, 80:208]
    before, after = sift.detect(image), sift.detect(image.T)
    best, off, turn = nearest(after, before.positions[:, ::-1], np.pi / 2 - before.orientation)
    assert len(before) == len(after) == len(set(best)) > 10
    assert off.max() < 2e-3 and turn.max() < 1e-3
    np.testing.assert_array_equal(after.octave[best], before.octave)


def test_memory_order_does_not_matter_and_nothing_is_written():
    image = data.photo("camera")[100:200, 80:208].astype(np.float32)
    kept = image.copy()
    expected, expected_descriptors = sift.detect_and_describe(kept)
    image.flags.writeable = False
    wide = np.zeros((100, 256), np.float32)
    wide[:, ::2] = kept
    for same in (image, np.asfortranarray(kept), kept[::-1, ::-1].copy()[::-1, ::-1], wide[:, ::2]):
        keypoints, descriptors = sift.detect_and_describe(same)
        np.testing.assert_array_equal(keypoints.positions, expected.positions)
        np.testing.assert_array_equal(descriptors, expected_descriptors)
    np.testing.assert_array_equal(image, kept)


def test_grey_levels_of_every_kind_mean_the_same():
    levels = (255 * data.photo("camera")[100:200, 80:208]).round().astype(np.uint8)
    expected = sift.detect(levels / 255)
    for image in (levels, levels.astype(np.int64), levels.astype(np.uint16) * 257, (levels / 255).astype(np.float32)):
        keypoints = sift.detect(image)
        assert len(keypoints) == len(expected) > 10
        np.testing.assert_allclose(keypoints.positions, expected.positions, atol=1e-2)
    assert len(sift.detect(levels > 128)) == len(sift.detect((levels > 128).astype(float))) > 0


def test_descriptors_have_length_one_and_no_number_stands_out():
    descriptors = sift.describe(image := data.photo("coins")[:150, :200], sift.detect(image))
    np.testing.assert_allclose(np.linalg.norm(descriptors, axis=1), 1, atol=1e-5)
    assert descriptors.min() >= 0
    cut = descriptors[(descriptors > 0.999 * descriptors.max(1)[:, None]).sum(1) > 2]
    assert len(cut) > 10  # several numbers of a vector were above 0.2: now they are level
