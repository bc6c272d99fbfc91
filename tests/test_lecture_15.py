"""The facts of lecture 15 that need no training, and the answers of its text."""

import numpy as np
import pytest
from helpers import assert_close

from cnnlib import conv, data, pool
from cnnlib.features import edges, hog

PHOTO = data.photo("camera", size=256)


def test_robinson_is_a_convolution_and_a_maximum():
    maps = conv.conv2d(PHOTO[None], np.stack(edges.ROBINSON)[:, None].astype(float))
    strength, direction = edges.robinson(PHOTO)
    assert_close(maps.max(axis=0), strength[1:-1, 1:-1])
    first, second = np.sort(maps, axis=0)[[-1, -2]]
    clear = first - second > 1e-9
    assert clear.mean() > 0.9
    np.testing.assert_array_equal(maps.argmax(axis=0)[clear], direction[1:-1, 1:-1][clear])


@pytest.mark.parametrize("name", ["camera", "cat", "coins"])
def test_hog_is_a_convolution_a_nonlinearity_and_a_pool(name):
    feature = pytest.importorskip("skimage.feature")
    photo = data.photo(name, size=(96, 128), grey=True)
    two = np.array([[[[0, -1, 0], [0, 0, 0], [0, 1, 0]]], [[[0, 0, 0], [-1, 0, 1], [0, 0, 0]]]], dtype=float)
    row, col = conv.conv2d(photo[None], two, padding=1)
    row[[0, -1]], col[:, [0, -1]] = 0, 0
    part = np.floor(np.rad2deg(np.arctan2(row, col)) % 180 / 20)
    votes = np.where(part == np.arange(9)[:, None, None], np.hypot(row, col), 0)
    blocks = hog.normalise_blocks(hog.group_cells(pool.avg_pool2d(votes[None], 8)[0].transpose(1, 2, 0)))
    np.testing.assert_allclose(blocks.ravel(), hog.hog(photo), atol=1e-6)  # the library's votes are float32's
    np.testing.assert_allclose(blocks.ravel(), feature.hog(photo), atol=1e-6)


@pytest.mark.parametrize("picture, answers", [
    ([[0, 0, 0], [0, 0, 1], [0, 1, 1]], [3, 4, 3, 0, -3, -4, -3, 0]),
    ([[0, 1, 1], [0, 0, 1], [0, 0, 0]], [3, 0, -3, -4, -3, 0, 3, 4])])
def test_eight_answers_by_hand(picture, answers):
    assert [int((mask * np.array(picture)).sum()) for mask in edges.ROBINSON] == answers


def test_numbers_a_piece():
    pytest.importorskip("skimage")
    piece = data.load_patches(count=1)[0][0]
    assert piece[0].size == 4_096 and hog.hog(piece[:, 0]).shape == (4, 2_916)
    assert pool.avg_pool2d(edges.sobel_magnitude(piece), 8).reshape(4, -1).shape == (4, 64)
    assert 2_916 / 9 == 324


def test_intervals():
    shares = np.random.default_rng(0).binomial(1000, 0.95, size=100_000) / 1000
    half = 1.96 * np.sqrt(0.95 * 0.05 / 1000)
    assert round(100 * half, 2) == 1.35
    assert round(np.mean(abs(shares - 0.95) <= half), 2) == 0.95
    assert round(196 * np.sqrt(0.95 * 0.05 / 40)) == 7
    assert round(196 * np.sqrt(0.97 * 0.03 / 1200), 2) == 0.97
    assert round(1.96**2 * 0.97 * 0.03 / 0.003**2, -2) == 12_400


def test_the_best_of_two_hundred_coins():
    best = [(np.random.default_rng(seed).integers(0, 2, (200, 100)).mean(axis=1)).max() for seed in range(200)]
    assert 0.62 < np.mean(best) < 0.66


def test_gravel_is_masked_by_least_squares_and_not_by_its_halves():
    pytest.importorskip("skimage")
    linear_model, neighbors = pytest.importorskip("sklearn.linear_model"), pytest.importorskip("sklearn.neighbors")
    (x_train, y_train), (x_test, y_test) = data.load_patches()
    energy = [edges.sobel_magnitude(x).mean(axis=(1, 2, 3))[:, None] for x in (x_train, x_test)]
    scale = energy[0].std()
    for model, most in ((linear_model.RidgeClassifier(), False), (neighbors.NearestCentroid(), True)):
        model.fit(energy[0] / scale, y_train)
        for x, y in zip(energy, (y_train, y_test)):
            assert (np.mean(model.predict(x / scale)[y == 2] == 2) > 0.5) == most
