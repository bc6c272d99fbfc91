"""SIFT: what it refuses, and how it says so."""

import numpy as np
import pytest

from cnnlib import data
from cnnlib.features import sift, surf


@pytest.mark.parametrize("image, error, message", [
    (np.full((4, 6), np.nan), ValueError, "24 of 24 pixels that are NaN or infinite; SIFT would"),
    (np.where(np.eye(5) > np.arange(5), np.inf, 0.0), ValueError, "1 of 25 pixels"),
    (np.zeros((8, 9, 4)), ValueError, r"\(8, 9, 4\).*to_grey\(image\[\.\.\., :3\]\)"),
    (np.zeros((8, 9, 3)), ValueError, r"\(8, 9, 3\).*to_grey"),
    (np.zeros((2, 8, 9)), ValueError, r"\(2, 8, 9\).*one picture at a time"),
    (np.zeros((0, 9)), ValueError, r"\(0, 9\): there are no pixels"),
    (np.arange(64.0).reshape(8, 8), ValueError, r"0 to 63; floats must.*image / 255"),
    (np.full((8, 8), 300), ValueError, "int64 and levels from 300 to 300; integers must lie in 0 to 255"),
    (np.full((8, 8), -1, np.int8), ValueError, "int8 and levels from -1 to -1"),
    (np.zeros((8, 8), complex), TypeError, "complex128"),
    ([[0.0, 1.0]], TypeError, "must be a NumPy array or a torch tensor, not list"),
    (np.ma.masked_equal(np.zeros((8, 8)), 0), TypeError, "masked"),
])
def test_pictures(image, error, message):
    with pytest.raises(error, match=message):
        sift.detect_and_describe(image)


@pytest.mark.parametrize("settings, error, message", [
    ({"scales_per_octave": 0}, ValueError, "`scales_per_octave` is 0; it must be at least 1"),
    ({"scales_per_octave": 2.5}, TypeError, "whole number, not 2.5"),
    ({"sigma": 1.0}, ValueError, "`sigma` is 1.0; it must be above 1.0, the blur that the doubled"),
    ({"sigma": 0.5, "upsample": False}, ValueError, "above 0.5, the blur that the picture"),
    ({"sigma": float("nan")}, ValueError, "`sigma` is nan"),
    ({"num_octaves": 0}, ValueError, "`num_octaves` is 0"),
    ({"edge_ratio": 0.5}, ValueError, "`edge_ratio` is 0.5; it must be above 1"),
    ({"contrast_threshold": -1}, ValueError, "`contrast_threshold` is -1; it must be 0 or more"),
    ({"octaves": 3}, TypeError, "octaves"),
])
def test_settings(settings, error, message):
    with pytest.raises(error, match=message):
        sift.detect(np.zeros((16, 16)), **settings)


def test_settings_of_a_scale_space_are_made():
    with pytest.raises(TypeError, match="`sigma` belongs to scale_space"):
        sift.detect(sift.scale_space(np.zeros((16, 16))), sigma=2)


def test_keypoints_of_another_library():
    torch = pytest.importorskip("torch")
    image = np.zeros((32, 32), np.float32)
    with pytest.raises(TypeError, match="mix NumPy and torch"):
        sift.describe(torch.from_numpy(image), sift.detect(image))


@pytest.mark.parametrize("dtype", ["float64", "int64"])
def test_keypoints_of_another_dtype_are_converted(dtype):
    image = data.photo("camera")[:128, 200:328].copy()
    rows, cols = np.mgrid[20:110:30, 20:110:30].reshape(2, -1)
    grid = sift.Keypoints(np.stack([rows, cols], 1), 0 * rows + 3, rows % 6, None, None)
    given, single = (sift.Keypoints(*(a.astype(name) for a in (grid.positions, grid.sigma, grid.orientation)),
                                    None, None) for name in (dtype, "float32"))
    for module in (sift, surf):
        described = module.describe(image, given)
        assert described.dtype == np.float32 and described.any(1).all()
        np.testing.assert_array_equal(described, module.describe(image, single))
    for function in (sift.patches, sift.orientation_histograms):
        np.testing.assert_array_equal(np.asarray(function(image, given)), np.asarray(function(image, single)))
    assert given.sigma.dtype == dtype  # what was given stays what it is


def test_keypoints_of_lists():
    keypoints = sift.Keypoints([[9.0, 9.0]], [2.0], [0.0], None, None)
    with pytest.raises(TypeError, match=r"`positions` must be a NumPy array .* np.asarray\(positions\) makes one"):
        sift.describe(np.zeros((32, 32)), keypoints)
