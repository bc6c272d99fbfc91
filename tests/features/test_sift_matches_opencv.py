"""SIFT: the points and descriptors of OpenCV's, on photographs that it was not made with. (In float OpenCV rounds
nothing until the end, so the two agree to far more digits than anybody needs.)"""

import numpy as np
import pytest

from cnnlib.features import sift

cv2 = pytest.importorskip("cv2")
from cnnlib.features.sift.opencv import SHIFT  # noqa: E402
from tests.bench.sift import levels, opencv, partners  # noqa: E402


def crops():
    """Photographs as they are shipped, and crops of them at seeded places and sizes."""
    rng = np.random.default_rng(11)
    for name in ("camera", "coins", "text", "rocket", "cat", "coffee"):
        image = levels(name)
        height, width = (int(rng.integers(120, size + 1)) for size in np.minimum(image.shape, 300))
        top, left = (int(rng.integers(0, room + 1)) for room in (image.shape[0] - height, image.shape[1] - width))
        yield pytest.param(image[top:top + height, left:left + width], id=f"{name} {height}x{width}")


@pytest.mark.parametrize("image", [*crops()])
def test_points(image):
    theirs, _ = opencv(image)
    ours = sift.detect(image)
    stronger = theirs.response >= np.median(theirs.response)
    _, off = partners(theirs, ours)
    assert len(theirs) > 5
    assert np.mean(off[stronger] < 1.5) >= 0.97  # the goal is 0.85
    assert np.mean(off < 0.05) >= 0.95
    _, back = partners(ours, theirs)
    assert np.mean(back < 0.05) >= 0.95  # and we find nothing that they do not


@pytest.mark.parametrize("image", [*crops()])
def test_orientations_and_descriptors(image):
    theirs, their_descriptors = opencv(image)
    ours, our_descriptors = sift.detect_and_describe(image)
    best, off = partners(theirs, ours, turn=0.02)
    same = off < 0.05
    assert same.mean() >= 0.95
    response = ours.response[best[same]] / theirs.response[same]
    assert np.mean(abs(response - 1) < 1e-3) > 0.95  # not all: OpenCV halves odd sides in another way
    np.testing.assert_array_equal(ours.octave[best[same]], theirs.octave[same])
    cosine = (our_descriptors[best[same]] * their_descriptors[same]).sum(1)
    cosine /= np.linalg.norm(their_descriptors[same], axis=1)
    assert cosine.mean() > 0.995 and np.quantile(cosine, 0.01) > 0.98


@pytest.mark.parametrize("settings, words", [
    (dict(scales_per_octave=4, contrast_threshold=0.08), dict(nOctaveLayers=4, contrastThreshold=0.08)),
    (dict(edge_ratio=4, sigma=2.0), dict(edgeThreshold=4, sigma=2.0)),
])
def test_settings(settings, words):
    image = levels("camera")[:256, 100:356]
    theirs, _ = opencv(image, **words)
    ours = sift.detect(image, **settings)
    assert abs(len(theirs) - len(ours)) <= 0.02 * len(theirs)
    assert np.mean(partners(theirs, ours)[1] < 0.05) > 0.97


def test_opencvs_answer_in_our_words():
    """Number by number, and none of nothing."""
    image = levels("coins")[:150, :200]
    found, numbers = cv2.SIFT_create().detectAndCompute(image, None)
    points, descriptors = sift.from_opencv(found, numbers)
    assert len(points) == len(found) > 20
    for k in (0, 7, len(found) - 1):
        (col, row), one = found[k].pt, points[k]
        assert np.allclose(one.positions + 0.25, (row, col)) and np.isclose(2 * one.sigma, found[k].size)
        assert np.isclose(np.degrees(one.orientation), found[k].angle) and one.response == np.float32(found[k].response)
        theirs = numbers[k].reshape(4, 4, 8)
        for i, j, b in np.ndindex(4, 4, 8):  # what _sift.describe says of them
            assert theirs[i, j, b] == 512 * descriptors[k].reshape(4, 4, 8)[i, j, -b % 8]
    assert {*points.octave.tolist()} > {-1, 0, 1} and np.allclose(np.linalg.norm(descriptors, axis=1), 1, atol=0.02)
    nothing, of_nothing = sift.from_opencv(*cv2.SIFT_create().detectAndCompute(np.full((64, 64), 9, np.uint8), None))
    assert nothing.positions.shape == (0, 2) and of_nothing.shape == (0, 128) and len(nothing.octave) == 0
    assert {a.dtype.name for a in (nothing.positions, of_nothing, points.orientation)} == {"float32"}


def test_the_shift_is_theirs():
    """OpenCV finds a spot a quarter of a pixel off its centre; with its precise doubling it does not, nor do we."""
    rows, cols = np.mgrid[:81, :91]
    spot = (200 * np.exp(-((rows - 40) ** 2 + (cols - 50) ** 2) / (2 * 3 ** 2))).round().astype(np.uint8)
    assert np.allclose(sift.detect(spot).positions[0], (40, 50), atol=0.02)
    for precise, off in ((False, SHIFT), (True, 0)):
        point = cv2.SIFT_create(enable_precise_upscale=precise).detect(spot)[0]
        assert np.allclose(point.pt[::-1], (40 + off, 50 + off), atol=0.02)
