"""What lecture 34 claims, computed apart from the lecture."""

import warnings

import numpy as np
import pytest
from trainees import needs_torch

pytest.importorskip("sklearn")

from cnnlib import data, layers, optim, train, training  # noqa: E402


@pytest.fixture(scope="module")
def digits():
    return data.load_digits()


def fresh(seed=0):
    return train.digits_net(layers, np.random.default_rng(seed)).to("float64")


def run(net, learn, test=None, *, lr=0.1, momentum=0.9, batch_size=64, **settings):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        history = training.fit(net, learn, test, optimizer=optim.SGD(net.parameters(), lr=lr, momentum=momentum),
                               batch_size=batch_size, callback=None, **settings)
    return history, [str(warning.message) for warning in caught]


def test_the_first_loss_is_ln_10(digits):
    """Exactly where the last layer is zero, a little above with He et al.'s weights."""
    net = fresh()
    assert np.log(10) == pytest.approx(2.3026, abs=5e-5)
    assert np.log(10) < training.evaluate(net, digits[1]).loss < 4
    net.fc2.weight.data[...] = 0
    assert training.evaluate(net, digits[1]).loss == pytest.approx(np.log(10), rel=1e-12)


def test_twenty_by_heart_also_with_random_labels(digits):
    """All 20 right both times; random labels are no help on test scans."""
    (x, y), test = digits
    for labels, low, high in ((y[:20], 0.5, 1), (np.random.default_rng(1).integers(0, 10, 20), 0, 0.2)):
        net = fresh()
        history, _ = run(net, (x[:20], labels), epochs=40, batch_size=20, lr=0.05)
        assert training.evaluate(net, (x[:20], labels)).accuracy == 1 and history.train_loss[-1] < 0.01
        assert low < training.evaluate(net, test).accuracy < high


def test_softmax_twice_has_a_floor():
    """-ln(e / (e + 9)) = 1.461: the loss of a sure and right answer that went through softmax twice."""
    floor = -np.log(np.e / (np.e + 9))
    assert floor == pytest.approx(1.461, abs=5e-4)
    sure = layers.CrossEntropyLoss()(layers.Softmax(1)(np.eye(10) * 1e3), np.arange(10))
    assert float(sure) == pytest.approx(floor, rel=1e-12)


def test_what_the_checks_catch(digits):
    """Pixels to 255: the first loss. Mixed-up pairs: learnt by heart, yet at chance. Black pictures: nothing."""
    (x, y), (x_test, y_test) = digits
    assert training.evaluate(fresh(), (255 * x_test, y_test)).loss > 100
    mixed_up = x[np.random.default_rng(2).permutation(len(x))], y
    history, said = run(fresh(), mixed_up, (x_test, y_test), epochs=2)
    assert history.valid_accuracy[-1] < 0.2 and "after epoch 1 the accuracy on `valid`" in said[0]
    history, _ = run(fresh(), (mixed_up[0][:20], y[:20]), epochs=40, batch_size=20, lr=0.05)
    assert history.train_loss[-1] < 0.01
    history, said = run(fresh(), (0 * x, y), (0 * x_test, y_test), epochs=2)
    assert history.train_loss[-1] == pytest.approx(np.log(10), abs=0.05) and "chance" in said[0]


def test_the_error_of_a_share():
    """Eq. (4), against the binomial distribution's own variance; 355 scans at 99 % know half a point."""
    a, n = 0.992, 355
    k = np.arange(n + 1)
    log_choose = np.cumsum(np.log(np.r_[1, (n - k[1:] + 1) / k[1:]]))
    p = np.exp(log_choose + k * np.log(a) + (n - k) * np.log(1 - a))
    share = k / n
    assert np.sqrt((p * share**2).sum() - (p * share).sum() ** 2) == pytest.approx(np.sqrt(a * (1 - a) / n), rel=1e-9)
    assert np.sqrt(a * (1 - a) / n) == pytest.approx(0.005, abs=5e-4)


@pytest.mark.slow  # the lecture itself is compared in every run
def test_known_writers_are_easier_than_new_ones():
    """One seed of the table: over 98 % and at least two points less."""
    found = {}
    for split in ("mixed", "last"):
        recipe = train.digits(layers, epochs=6, split=split, pixels=0)
        recipe["model"].to("float64")
        found[split] = training.fit(**recipe, callback=None).valid_accuracy[-1]
    assert found["mixed"] > 0.98 and found["last"] < found["mixed"] - 0.02


@pytest.mark.slow  # the lecture itself is compared in every run
def test_rates(digits):
    """A hundredth is slow, ten times too large is chance, and then nearly all units of fc1 are silent."""
    final = {}
    for rate in (0.001, 0.1, 1.0, 10.0):
        net = fresh()
        history, said = run(net, *digits, lr=rate, epochs=4, schedule=optim.CosineAnnealingLR)
        final[rate] = history.valid_accuracy[-1]
        silent = (net.forward_to(digits[1][0].astype("float64"), "relu3") == 0).all(axis=0).mean()
        assert (silent > 0.9) == bool(said) == (rate >= 1)
    assert final[0.001] < 0.8 < 0.95 < final[0.1] and max(final[1.0], final[10.0]) < 0.15


@pytest.mark.slow  # the lecture itself is compared in every run
def test_without_momentum_the_rate_is_ten_times_smaller(digits):
    a, _ = run(fresh(), *digits, momentum=0.0, epochs=4)
    b, _ = run(fresh(), *digits, lr=0.01, epochs=4)
    assert abs(a.valid_loss[-1] - b.valid_loss[-1]) < 0.1 * a.valid_loss[-1]


@needs_torch
def test_numpy_and_torch_lose_alike(digits):
    import torch

    from cnnlib import torch_layers

    ours, theirs = fresh(), train.digits_net(torch_layers, np.random.default_rng(0)).double()
    settings = dict(epochs=2, batch_size=64, device="auto", callback=None)
    a = training.fit(ours, *digits, optimizer=optim.SGD(ours.parameters(), lr=0.1, momentum=0.9), **settings)
    b = training.fit(theirs, *digits, optimizer=torch.optim.SGD(theirs.parameters(), lr=0.1, momentum=0.9), **settings)
    np.testing.assert_allclose(a.step_loss, b.step_loss, atol=1e-9)
    np.testing.assert_allclose(a.valid_loss, b.valid_loss, atol=1e-9)


def test_training_loss_as_it_goes_is_above_the_same_scans_afterwards(digits):
    net = fresh()
    history, _ = run(net, *digits, epochs=3, augment=lambda x, rng: training.shift(x, 1, rng=rng))
    assert training.evaluate(net, digits[0]).loss < 0.5 * history.train_loss[-1]
    assert history.valid_loss[-1] < history.train_loss[-1]


@pytest.mark.parametrize("split, linear, nearest", [("mixed", 0.966, 0.986), ("last", 0.887, 0.955)])
def test_baselines(split, linear, nearest):
    (x, y), (x_test, y_test) = data.load_digits(split=split)
    net = layers.Sequential(layers.Flatten(), layers.Linear(64, 10, rng=np.random.default_rng(0))).to("float64")
    run(net, (x, y), epochs=20, lr=0.05)
    assert training.evaluate(net, (x_test, y_test)).accuracy == pytest.approx(linear, abs=5e-4)
    distances = ((x_test.reshape(-1, 1, 64) - x.reshape(1, -1, 64)) ** 2).sum(axis=2)
    assert (y[distances.argmin(axis=1)] == y_test).mean() == pytest.approx(nearest, abs=5e-4)


@pytest.mark.slow  # the lecture itself is compared in every run
def test_mirrors_hurt_digits_that_are_not_their_own_mirror(digits):
    found = {}
    for mirror in (False, True):
        net = fresh()
        run(net, digits[0], epochs=3, augment=lambda x, rng, mirror=mirror: np.where(
            mirror & (rng.random((len(x), 1, 1, 1)) < 0.5), x[..., ::-1], x))
        found[mirror] = training.evaluate(net, digits[1]).accuracy
    assert found[True] < found[False] - 0.03
