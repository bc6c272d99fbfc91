"""The facts of lecture 15 that need little training or none, and the answers of its text."""

import numpy as np
import pytest
from helpers import assert_close

from cnnlib import conv, data, layers, optim, pool, training
from cnnlib.features import edges, hog, sift

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
    logistic = linear_model.LogisticRegression(max_iter=3000)  # as linear as the others
    (x_train, y_train), (x_test, y_test) = data.load_patches()
    energy = [edges.sobel_magnitude(x).mean(axis=(1, 2, 3))[:, None] for x in (x_train, x_test)]
    scale, (grass, gravel, things) = energy[0].std(), [energy[0][y_train == label].mean() for label in (1, 2, 3)]
    assert things < gravel < grass
    for model, most in ((linear_model.RidgeClassifier(), False), (neighbors.NearestCentroid(), True), (logistic, True)):
        model.fit(energy[0] / scale, y_train)
        for x, y in zip(energy, (y_train, y_test)):
            assert (np.mean(model.predict(x / scale)[y == 2] == 2) > 0.5) == most


def ridge(features, y, some, test):
    """The share of right answers of the lecture's classifier."""
    linear_model = pytest.importorskip("sklearn.linear_model")
    scaler = pytest.importorskip("sklearn.preprocessing").StandardScaler().fit(features[some])
    model = linear_model.RidgeClassifierCV(alphas=np.logspace(-1, 5, 7)).fit(scaler.transform(features[some]), y[some])
    return model.score(scaler.transform(features[test]), y[test])


def drawn(y, count, seed):
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.choice(np.flatnonzero(y == label), count, replace=False) for label in np.unique(y)])


@pytest.fixture(scope="module")
def surfaces():
    """The pieces, their labels, and a function: the mean share of right answers over three draws of labels."""
    pytest.importorskip("skimage")
    (x_train, y_train), (x_test, y_test) = data.load_patches()
    x, y, test = np.concatenate([x_train, x_test]), np.concatenate([y_train, y_test]), np.arange(1200, 2400)
    return x, lambda features, count: np.mean(
        [ridge(features, y, drawn(y_train, count, seed), test) for seed in range(3)])


def test_hog_averaged_over_place_is_ahead_of_hog(surfaces):
    x, right = surfaces
    placed = hog.hog(x[:, 0])
    for count, expected in ((10, (0.71, 0.62)), (300, (0.765, 0.717))):
        shares = [right(features, count) for features in (placed.reshape(2400, -1, 9).mean(axis=1), placed)]
        np.testing.assert_allclose(shares, expected, atol=0.006)


def test_sobel_energy_without_places_answers_exercise_5(surfaces):
    x, right = surfaces
    placed = pool.avg_pool2d(edges.sobel_magnitude(x), 8).reshape(2400, -1)
    two = np.stack([placed.mean(axis=1), placed.std(axis=1)], axis=1)
    for count, expected in ((10, (0.61, 0.57)), (300, (0.61, 0.52))):
        shares = [right(features, count) for features in (two, placed)]
        np.testing.assert_allclose(shares, expected, atol=0.006)  # the answer gives whole percents


@pytest.mark.parametrize("seed", range(8))
def test_one_layer_of_random_filters_answers_exercise_5(surfaces, seed):
    """Untrained nets' first layers alone: about 95 % with brightness, 92 to 98 % where each piece's mean is grey."""
    x, _ = surfaces
    y_train, y_test = (y for _, y in data.load_patches())
    y, first = np.concatenate([y_train, y_test]), layers.Conv2d(1, 16, 7, stride=2, rng=np.random.default_rng(seed))
    shares = []
    for pieces in (x, x - x.mean(axis=(2, 3), keepdims=True) + 0.5):  # what the net gets is 2x - 1: grey is its 0
        maps = [np.maximum(first(2 * part - 1), 0).mean(axis=(2, 3)) for part in np.array_split(pieces, 24)]
        shares.append(ridge(np.concatenate(maps), y, drawn(y_train, 100, 0), np.arange(1200, 2400)))
    assert 0.935 < shares[0] < 0.98 and 0.915 < shares[1] < 0.985
    assert abs(shares[1] - shares[0]) < 0.035


def test_another_classifier_likes_sobel_energy_better():
    pytest.importorskip("skimage")
    neighbors = pytest.importorskip("sklearn.neighbors")
    (x_train, y_train), (x_test, y_test) = data.load_patches()
    energy = pool.avg_pool2d(edges.sobel_magnitude(np.concatenate([x_train, x_test])), 8).reshape(2400, -1)
    scaled = energy / energy[:1200].std(axis=0)
    nearest = neighbors.NearestCentroid().fit(scaled[:1200], y_train).score(scaled[1200:], y_test)
    linear = ridge(energy, np.concatenate([y_train, y_test]), np.arange(1200), np.arange(1200, 2400))
    assert nearest > linear + 0.1


def test_another_classifier_brings_averaged_hog_nearer_to_the_untrained_net(surfaces):
    """With ten labels: least squares sets the net 10 points ahead and more, logistic regression fewer."""
    linear_model, (x, _) = pytest.importorskip("sklearn.linear_model"), surfaces
    y_train, y_test = (y for _, y in data.load_patches())
    y, test, rng = np.concatenate([y_train, y_test]), np.arange(1200, 2400), np.random.default_rng(0)
    net = layers.Sequential(layers.Conv2d(1, 16, 7, stride=2, rng=rng), layers.ReLU(), layers.MaxPool2d(2),
                            layers.Conv2d(16, 32, 3, rng=rng), layers.ReLU())
    random = np.concatenate([net(2 * part - 1).mean(axis=(2, 3)) for part in np.array_split(x, 24)])
    averaged, some = hog.hog(x[:, 0]).reshape(2400, -1, 9).mean(axis=1), drawn(y_train, 10, 0)
    ahead = ridge(random, y, some, test) - ridge(averaged, y, some, test)
    other = []
    for features in (random, averaged):
        scaled = (features - features[some].mean(axis=0)) / features[some].std(axis=0)
        model = linear_model.LogisticRegression(max_iter=3000).fit(scaled[some], y[some])
        other.append(model.score(scaled[test], y[test]))
    assert ahead > 0.1 and other[0] - other[1] < ahead - 0.05


def unit(filters):
    flat = filters.reshape(-1, 49) - filters.reshape(-1, 49).mean(axis=1)[:, None]
    return flat / np.linalg.norm(flat, axis=1)[:, None]


def gabors():
    """The lecture's 128 filters."""
    i, j = np.mgrid[-3:4, -3:4]
    return unit(np.stack([np.exp(-(i**2 + j**2) / 8) * np.cos(
        2 * np.pi * f * (j * np.cos(np.pi * k / 8) + i * np.sin(np.pi * k / 8)) + np.pi * m / 2)
        for f in (0.08, 0.14, 0.2, 0.3) for k in range(8) for m in range(4)]))


@pytest.mark.parametrize("seed", range(3))
def test_blur_alone_brings_noise_as_near_to_gabor(seed):
    """The control: untrained filters have a mean cosine of 0.33, blurred with σ = 0.7 one of 0.45 to 0.49."""
    ndimage = pytest.importorskip("scipy.ndimage")
    noise = layers.Conv2d(1, 16, 7, stride=2, rng=np.random.default_rng(seed)).weight.data
    plain, blurred = ((unit(some) @ gabors().T).max(axis=1)
                      for some in (noise, ndimage.gaussian_filter(noise, (0, 0, 0.7, 0.7))))
    assert plain.mean() == pytest.approx(0.33, abs=0.01)
    assert 0.445 < blurred.mean() < 0.495


def test_of_the_trained_filters_two_are_edges_that_blur_does_not_make():
    """Seed 0, all labels: in the mean as near to Gabor's as blurred noise; the best two far ahead of its best."""
    pytest.importorskip("skimage")
    ndimage, rng = pytest.importorskip("scipy.ndimage"), np.random.default_rng(0)
    x, y = data.load_patches()[0]
    some = drawn(y, 300, 0)
    net = layers.Sequential({
        "conv1": layers.Conv2d(1, 16, 7, stride=2, rng=rng), "relu1": layers.ReLU(), "pool1": layers.MaxPool2d(2),
        "conv2": layers.Conv2d(16, 32, 3, rng=rng), "relu2": layers.ReLU(), "mean": layers.AdaptiveAvgPool2d(1),
        "flatten": layers.Flatten(), "scores": layers.Linear(32, 4, rng=rng)})
    noise = net["conv1"].weight.data.copy()
    training.fit(net, (2 * x[some] - 1, y[some]), epochs=3, batch_size=20, seed=0, callback=None,
                 optimizer=optim.Adam(net.parameters(), lr=0.005), schedule=optim.CosineAnnealingLR)
    learnt, blurred = (np.sort((unit(filters) @ gabors().T).max(axis=1)) for filters in (
        net["conv1"].weight.data, ndimage.gaussian_filter(noise, (0, 0, 0.7, 0.7))))
    assert abs(learnt.mean() - blurred.mean()) < 0.05
    assert learnt[-2] > blurred[-1] + 0.1


def test_one_octave_is_enough_for_scale_2():
    pytest.importorskip("skimage")
    places = np.linspace(0, 64, 6)[1:-1] - 0.5
    grid = np.stack(np.meshgrid(places, places, indexing="ij"), axis=-1).reshape(-1, 2).astype("float32")
    ones = np.ones(16, dtype="float32")
    points = sift.Keypoints(grid, 2 * ones, 0 * ones, ones, np.zeros(16, dtype=int))
    for piece in data.load_patches(count=1)[0][0][:, 0]:
        one, plain, doubled = (sift.describe(piece, points, **settings) for settings in (
            {"upsample": False, "num_octaves": 1}, {"upsample": False}, {}))
        np.testing.assert_array_equal(one, plain)
        assert (one * doubled).sum(axis=1).mean() > 0.99


def test_gabor_filters_are_scikit_images():
    filters = pytest.importorskip("skimage.filters")
    i, j = np.mgrid[-3:4, -3:4]
    for f, theta, phi in ((0.08, 0.3, 0), (0.2, 1.2, 0.7), (0.3, 2.8, np.pi / 2)):
        ours = np.exp(-(i**2 + j**2) / 8) * np.cos(2 * np.pi * f * (j * np.cos(theta) + i * np.sin(theta)) + phi)
        theirs = filters.gabor_kernel(f, theta=theta, sigma_x=2, sigma_y=2, offset=phi, n_stds=4).real
        row, col = len(theirs) // 2, theirs.shape[1] // 2
        theirs = theirs[row - 3:row + 4, col - 3:col + 4]
        assert_close(ours / np.linalg.norm(ours), theirs / np.linalg.norm(theirs))


@pytest.mark.slow
@pytest.mark.parametrize("steps, least, most", [(200, 0.85, 0.93), (800, 0.9, 0.955)])
def test_digits_stay_hogs_after_four_times_as_many_steps(steps, least, most):
    pytest.importorskip("sklearn")
    (x_train, y_train), (x_test, y_test) = data.load_digits(size=32)
    x, y = np.concatenate([x_train, x_test]), np.concatenate([y_train, y_test])
    some, test = drawn(y_train, 100, 0), np.arange(len(y_train), len(y))
    rng = np.random.default_rng(0)
    net = layers.Sequential({
        "conv1": layers.Conv2d(1, 16, 7, stride=2, rng=rng), "relu1": layers.ReLU(), "pool1": layers.MaxPool2d(2),
        "conv2": layers.Conv2d(16, 32, 3, rng=rng), "relu2": layers.ReLU(), "mean": layers.AdaptiveAvgPool2d(1),
        "flatten": layers.Flatten(), "scores": layers.Linear(32, 10, rng=rng)})
    training.fit(net, (2 * x[some] - 1, y[some]), epochs=20 * steps // len(some), batch_size=20, seed=0, callback=None,
                 optimizer=optim.Adam(net.parameters(), lr=0.005), schedule=optim.CosineAnnealingLR)
    learnt = ridge(net.forward_to(2 * x - 1, "flatten"), y, some, test)
    assert least < learnt < min(most, ridge(hog.hog(x[:, 0]), y, some, test) - 0.02)
