"""Matching descriptors: known pairs, laws, OpenCV's and scikit-image's answers, clear errors."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnlib import _array, data
from cnnlib.features import matching
from cnnlib.features.matching import nearest


def pairs(matches):
    return _array.to_numpy(matches).tolist()


def descriptors(rng, n, m, d=128, noise=1.5):
    """Descriptors of which half in `a` have a partner in `b`, one noisier than the other."""
    b = rng.random((m, d))
    a = rng.random((n, d))
    k = min(n, m) // 2
    a[:k] = b[rng.permutation(m)[:k]] + np.linspace(0, noise, k)[:, None] * rng.random((k, d))
    return a, b


def test_known_values(array):
    a = array([[0.0, 0.0], [10.0, 0.0], [5.0, 0.0]])
    b = array([[6.0, 0.0], [1.0, 0.0]])  # distances: 6 1, 4 9, 1 4
    assert pairs(matching.match(a, b)) == [[0, 1], [1, 0], [2, 0]]
    assert pairs(matching.match(a, b, ratio=0.4)) == [[0, 1], [2, 0]]  # 4/9 fails
    assert pairs(matching.match(a, b, ratio=0.2)) == [[0, 1]]
    assert pairs(matching.match(a, b, cross_check=True)) == [[0, 1], [2, 0]]
    assert pairs(matching.match(a, b, ratio=4 / 9)) == [[0, 1], [2, 0]]  # the ratio itself is not below it
    assert matching.match(a, b).dtype == array(np.zeros(1, np.int64)).dtype


def test_nothing_and_too_few(array):
    """No rows, no pairs; one candidate has no rival and passes the ratio test."""
    some, none = array([[1.0, 2.0], [3.0, 4.0]]), array(np.zeros((0, 2)))
    for a, b in ((some, none), (none, some), (none, none)):
        assert tuple(matching.match(a, b).shape) == (0, 2)
        assert tuple(matching.match(a, b, cross_check=True).shape) == (0, 2)
    assert pairs(matching.match(some, some[:1])) == [[0, 0], [1, 0]]
    assert pairs(matching.match(some, some[:1], cross_check=True)) == [[0, 0]]


def test_ties(array):
    """Twins: the first is the nearest, and doubt rejects both, at distance 0 too."""
    a, b = array([[1.0, 1.0], [0.0, 3.0]]), array([[9.0, 9.0], [1.0, 1.0], [1.0, 1.0]])
    assert pairs(matching.match(a, b, ratio=1)) == [[0, 1], [1, 1]]
    assert pairs(matching.match(a, b, ratio=0.99)) == []
    assert pairs(matching.match(b, a, ratio=1, cross_check=True)) == [[1, 0]]


def test_laws(array, rng):
    a, b = descriptors(rng, 40, 31)
    found = {ratio: set(map(tuple, pairs(matching.match(array(a), array(b), ratio=ratio)))) for ratio in (0.6, 0.8, 1)}
    assert found[0.6] < found[0.8] < found[1] and len(found[1]) == 40  # a smaller ratio keeps a part
    both = set(map(tuple, pairs(matching.match(array(a), array(b), ratio=1, cross_check=True))))
    other_way = {(i, j) for j, i in pairs(matching.match(array(b), array(a), ratio=1, cross_check=True))}
    assert both == other_way and both < found[1]  # which side asks makes no difference
    assert pairs(matching.match(array(a), array(a))) == [[i, i] for i in range(40)]  # a set with itself: all, at 0
    order = rng.permutation(31)
    moved = matching.match(array(3 * a + 5), array(3 * b[order] + 5))  # neither order nor scale nor origin count
    assert {(i, int(order[j])) for i, j in pairs(moved)} == found[0.8]


def test_blocks_change_nothing(array, rng, monkeypatch):
    a, b = descriptors(rng, 37, 23)
    whole = [pairs(matching.match(array(a), array(b), ratio=1, cross_check=check)) for check in (False, True)]
    assert max(whole[1])[0] > 10
    monkeypatch.setattr(nearest, "WORKSPACE", 5 * 23 * 8)  # five rows at a time
    assert [pairs(matching.match(array(a), array(b), ratio=1, cross_check=check)) for check in (False, True)] == whole


def test_rounded_squares_are_put_right(array):
    """The two smallest of the rounded squares are measured again: the nearer comes first, of equals the first."""
    rows, b = array([[0.0, 0.0], [0.0, 0.0]]), array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.9], [5.0, 5.0]])
    squares = array([[1.0, 0.9999, 9.0, 9.0], [9.0, 0.8, 0.81, 9.0]])  # as if rounding had preferred row 1 of b
    one, near, far = nearest.two_nearest(_array.library(b=b), squares, rows, b)
    assert one.tolist() == [0, 2] and near.tolist() == [1.0, 0.9] and far.tolist() == [1.0, 1.0]


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int64", "float16", "float32"])
def test_dtypes(dtype, rng):
    a, b = (np.round(40 * x).astype(dtype) for x in descriptors(rng, 20, 30, noise=0.5))
    expected = pairs(matching.match(a.astype(float), b.astype(float)))
    assert len(expected) > 5 and pairs(matching.match(a, b)) == expected


def test_input_is_left_alone(rng):
    a, b = descriptors(rng, 9, 8)
    expected = pairs(matching.match(a, b))
    turned = np.asfortranarray(a)[::-1][::-1]
    turned.flags.writeable = b.flags.writeable = False
    before = a.copy()
    assert pairs(matching.match(turned, b)) == expected
    np.testing.assert_array_equal(a, before)


def real_descriptors(rng, name):
    """OpenCV's SIFT on a random crop of a photo and on the same part turned by a quarter and made darker."""
    cv2 = pytest.importorskip("cv2")
    photo = (data.photo(name, grey=True) * 255).astype(np.uint8)
    height, width = photo.shape
    size = min(220, height, width)
    row, col = rng.integers(0, (height - size + 1, width - size + 1))
    crop = photo[row:row + size, col:col + size]
    sift = cv2.SIFT_create()
    a, b = (sift.detectAndCompute(np.ascontiguousarray(p), None)[1] for p in (crop, np.rot90(crop) // 2))
    return (a, b) if a is not None and b is not None and len(a) > 1 and len(b) > 1 else real_descriptors(rng, name)


@pytest.mark.parametrize("name", ["astronaut", "camera", "coffee", "rocket"])
@pytest.mark.parametrize("ratio", [0.6, 0.8])
def test_matches_opencv(name, ratio, rng):
    a, b = real_descriptors(rng, name)
    import cv2

    expected = [[one.queryIdx, one.trainIdx] for one, two in cv2.BFMatcher().knnMatch(a, b, k=2)
                if one.distance < ratio * two.distance]
    assert len(expected) > 5 and pairs(matching.match(a, b, ratio=ratio)) == expected
    crossed = sorted([m.queryIdx, m.trainIdx] for m in cv2.BFMatcher(crossCheck=True).match(a, b))
    assert pairs(matching.match(a, b, ratio=1, cross_check=True)) == crossed


@pytest.mark.parametrize("cross_check", [False, True])
@pytest.mark.parametrize("name", ["brick", "cat"])
def test_matches_scikit_image(name, cross_check, rng):
    feature = pytest.importorskip("skimage.feature")
    pytest.importorskip("scipy")
    a, b = (x.astype(float) for x in real_descriptors(rng, name))
    expected = feature.match_descriptors(a, b, metric="euclidean", max_ratio=0.8, cross_check=cross_check)
    assert len(expected) > 5 and pairs(matching.match(a, b, cross_check=cross_check)) == expected.tolist()


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 30), st.integers(2, 30), st.integers(1, 8), st.integers(0, 2**32 - 1), st.booleans())
def test_equals_the_definition(n, m, d, seed, cross_check):
    rng = np.random.default_rng(seed)
    a, b = rng.integers(-3, 4, (n, d)).astype(float), rng.integers(-3, 4, (m, d)).astype(float)  # many ties
    distance = np.array([[np.linalg.norm(p - q) for q in b] for p in a])
    expected = []
    for i, row in enumerate(distance):
        j = int(np.argmin(row))
        if row[j] < 0.8 * np.delete(row, j).min() and (not cross_check or np.argmin(distance[:, j]) == i):
            expected.append([i, j])
    assert pairs(matching.match(a, b, cross_check=cross_check)) == expected


def test_memory(rng):
    import tracemalloc

    a, b = (rng.random((4000, 32)).astype(np.float32) for _ in range(2))
    tracemalloc.start()
    matching.match(a, b, cross_check=True)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * 2 * a.nbytes + 48 * 2**20 < 4000 * 4000 * 4 * 1.5


def test_errors(array):
    x = array(np.ones((3, 4)))
    with pytest.raises(ValueError, match=r"`a` has shape \(3, 4\) and `b` \(2, 5\)"):
        matching.match(x, array(np.ones((2, 5))))
    with pytest.raises(ValueError, match=r"`a` has shape \(4,\)"):
        matching.match(x[0], x)
    for ratio in (0, 1.5, True, "0.8", float("nan")):
        with pytest.raises(ValueError, match=r"`ratio` is .* it must lie above 0"):
            matching.match(x, x, ratio=ratio)
    with pytest.raises(TypeError, match="`cross_check` must be True or False, not 'no'"):
        matching.match(x, x, cross_check="no")
    bad = array([[1.0, float("nan"), float("inf"), 0.0]])
    with pytest.raises(ValueError, match="`b` has 2 of 4 numbers that are NaN or infinite"):
        matching.match(x, bad)
    with pytest.raises(ValueError, match=r"`a` holds 1e\+200, whose square is too large for float64"):
        matching.match(1e200 * x, x)
    with pytest.raises(TypeError, match="`a` has dtype bool"):
        matching.match(x > 0, x > 0)
