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
