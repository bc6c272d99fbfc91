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
    (np.zeros((8, 8), object), TypeError, r"`image` has dtype object; SIFT takes .*image.astype\(np.float32\)"),
    (np.zeros((8, 8), "datetime64[s]"), TypeError, "`image` has dtype datetime64.*; SIFT takes"),
    (np.zeros((8, 8), np.uint64), TypeError, "`image` has dtype uint64; SIFT takes"),
    ([[0.0, 1.0]], TypeError, "must be a NumPy array or a torch tensor, not list"),
    (np.ma.masked_equal(np.zeros((8, 8)), 0), TypeError, "masked"),
])
def test_pictures(image, error, message):
    with pytest.raises(error, match=message):
        sift.detect_and_describe(image)
    with pytest.raises(error, match=message.replace("SIFT", "SURF")):
        surf.detect_and_describe(image)


@pytest.mark.parametrize("settings, error, message", [
    ({"scales_per_octave": 0}, ValueError, "`scales_per_octave` is 0; it must be at least 1"),
    ({"scales_per_octave": 2.5}, TypeError, "whole number, not 2.5"),
    ({"sigma": 1.0}, ValueError, "`sigma` is 1.0; it must be above 1.0, the blur that the doubled"),
    ({"sigma": 1e9}, ValueError, r"`sigma` is 1e\+09; it must be at most 1000 pixels"),
    ({"sigma": 0.5, "upsample": False}, ValueError, "above 0.5, the blur that the picture"),
    ({"sigma": float("nan")}, ValueError, "`sigma` is nan"),
    ({"sigma": float("inf")}, ValueError, "`sigma` is inf; it must be a finite number"),
    ({"sigma": "1.6"}, TypeError, "`sigma` must be a number, not '1.6'"),
    ({"upsample": "no"}, TypeError, "`upsample` must be True or False, not 'no'"),
    ({"num_octaves": 0}, ValueError, "`num_octaves` is 0"),
    ({"edge_ratio": 0.5}, ValueError, "`edge_ratio` is 0.5; it must be above 1"),
    ({"contrast_threshold": -1}, ValueError, "`contrast_threshold` is -1; it must be 0 or more"),
    ({"contrast_threshold": float("nan")}, ValueError, "`contrast_threshold` is nan; it must be 0 or more"),
    ({"contrast_threshold": "x"}, TypeError, "`contrast_threshold` must be a number, not 'x'"),
    ({"edge_ratio": True}, TypeError, "`edge_ratio` must be a number, not True"),
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


def points(count=5, **changed):
    """Key points on a row, all fit for use but for what is changed: (number of the point, value) or an array."""
    arrays = {"positions": np.full((count, 2), 16.0), "sigma": np.full(count, 2.0), "orientation": np.zeros(count)}
    for name, change in changed.items():
        if isinstance(change, tuple):
            arrays[name][change[0]] = change[1]
        else:
            arrays[name] = change
    return sift.Keypoints(**arrays, response=None, octave=None)


@pytest.mark.parametrize("changed, message", [
    ({"positions": (3, [np.nan, 2])}, r"`positions` is \[nan, 2.0\] for the first of 1 .*finite$"),
    ({"positions": (slice(1, 3), np.inf)}, r"`positions` is \[inf, inf\] for the first of 2 key points, of 5"),
    ({"sigma": (0, np.nan)}, "`sigma` is nan for the first of 1 key points, of 5, .* must be finite and above 0"),
    ({"sigma": (4, 0)}, r"`sigma` is 0\.0 for the first of 1 key points, of 5, .* must be finite and above 0"),
    ({"sigma": (slice(2), -2)}, r"`sigma` is -2\.0 for the first of 2 key points, of 5"),
    ({"orientation": (2, np.nan)}, "`orientation` is nan for the first of 1 key points, of 5, .* must be finite$"),
    ({"orientation": (2, -np.inf)}, "`orientation` is -inf"),
    ({"positions": np.ones((5, 3))}, r"`positions` has shape \(5, 3\); it must be \(5, 2\), a row and a column"),
    ({"positions": np.ones(2)}, r"`positions` has shape \(2,\); it must be \(2, 2\), a row and a column"),
    ({"sigma": np.ones(1)}, r"`sigma` has shape \(1,\); it must be \(5,\), one number for each of the `positions`"),
    ({"orientation": np.ones((5, 1))}, r"`orientation` has shape \(5, 1\); it must be \(5,\), one number"),
])
@pytest.mark.parametrize("module", [sift, surf])
def test_keypoints_that_cannot_be_looked_at(module, changed, message):
    with pytest.raises(ValueError, match=message):
        module.describe(np.eye(32), points(**changed))


def test_too_large_for_single_precision():
    with pytest.raises(ValueError, match="`sigma` is inf for the first of 1 key points, of 5, that SIFT cannot use"):
        sift.describe(np.eye(32), points(sigma=(1, 1e300)))
    assert not surf.describe(np.eye(32), points(sigma=(1, 1e300)))[1].any()  # SURF reckons places in double precision


def test_all_that_look_at_keypoints_check_them():
    for function in (sift.patches, sift.orientation_histograms):
        with pytest.raises(ValueError, match="`sigma` is -1.0 for the first of 1 key points, of 5"):
            function(np.eye(32), points(sigma=(1, -1)))
    assert sift.orientation_histograms(np.eye(32), points(orientation=None)).shape == (5, 36)  # has no use for it
    with pytest.raises(TypeError, match="`orientation` is None; it must be an array"):
        sift.describe(np.eye(32), points(orientation=None))
    with pytest.raises(TypeError, match="`sigma` has dtype object; SURF takes"):
        surf.describe(np.eye(32), points(sigma=np.ones(5, object)))


@pytest.mark.parametrize("module, size", [(sift, 128), (surf, 64)])
def test_no_keypoints(module, size):
    assert module.describe(np.eye(32), points(0)).shape == (0, size)
