"""The deep autoencoder: unrolled as the paper says, and against PCA on digits that it has not seen."""

import functools

import numpy as np
import pytest
from helpers import assert_close

from cnnlib import data, history, initializers, layers, optim, training
from cnnlib.activations import sigmoid

SIZES = (64, 128, 64, 32, 8)


@functools.cache
def digits():
    pytest.importorskip("sklearn")
    return [x.reshape(len(x), -1) for x, _ in data.load_digits()]


def tuned(net, optimizer, seed=0, epochs=100):
    x = digits()[0]
    training.fit(net, (x, x), epochs=epochs, batch_size=100, loss=layers.BCEWithLogitsLoss(), optimizer=optimizer,
                 callback=None, seed=seed)
    return float(np.mean((history.reconstruct(net, digits()[1]) - digits()[1]) ** 2))


def pca_error(size):
    seen, new = digits()
    return float(np.mean((history.pca(seen, size)(new) - new) ** 2))


def sgd(net):
    return optim.SGD(net.parameters(), lr=1.0, momentum=0.9)


def test_unrolled_the_net_is_the_stack_of_machines_up_and_down():
    rng = np.random.default_rng(0)
    x = rng.random((30, 12))
    rbms = history.pretrain(x, (12, 7, 5, 3), epochs=2, rng=rng)
    assert [rbm.linear for rbm in rbms] == [False, False, True]
    net = history.unroll(history.autoencoder((12, 7, 5, 3), rng=rng), rbms)
    code = rbms[2].hidden(rbms[1].hidden(rbms[0].hidden(x)))
    x = x.astype("float32")
    assert_close(net.forward_to(x, "encoder"), code)
    down = rbms[0].visible(rbms[1].visible(rbms[2].visible(code)))
    assert_close(history.reconstruct(net, x), down)
    assert_close(sigmoid(net(x)), down)


def test_each_machine_learns_what_the_one_below_makes():
    rng = np.random.default_rng(3)
    x = rng.random((30, 12))
    first, second = history.pretrain(x, (12, 7, 5), epochs=2, rng=rng)
    again = np.random.default_rng(3)
    again.random((30, 12))
    alone = history.RBM(12, 7, rng=again).fit(x, epochs=2, lr=0.1)
    assert_close(first.weight, alone.weight)
    follows = history.RBM(7, 5, rng=again, linear=True).fit(alone.hidden(x), epochs=2, lr=0.01)
    assert_close(second.weight, follows.weight)


def test_pretrained_it_beats_pca_of_equal_size_on_new_digits_by_far():
    for seed in range(2):
        rng = np.random.default_rng(seed)
        rbms = history.pretrain(digits()[0], SIZES, epochs=20, rng=rng)
        assert all(rbm.errors[-1] < 0.75 * rbm.errors[0] for rbm in rbms)
        net = history.unroll(history.autoencoder(SIZES, rng=rng), rbms)
        assert tuned(net, sgd(net), seed) < 0.67 * pca_error(8)


def test_without_pretraining_small_weights_give_the_average_digit():
    net = history.autoencoder(SIZES, rng=np.random.default_rng(0))
    error = tuned(net, sgd(net))
    average = float(np.mean((digits()[0].mean(axis=0) - digits()[1]) ** 2))
    assert error == pytest.approx(average, rel=0.02)
    assert error > 3 * pca_error(8)


def test_rectifiers_drawn_as_suits_them_need_no_pretraining():
    rng = np.random.default_rng(0)
    net = history.autoencoder(SIZES, rng=rng, activation=layers.ReLU, draw=initializers.he_normal)
    assert tuned(net, optim.Adam(net.parameters(), lr=0.002)) < 0.67 * pca_error(8)


def suited_to_the_logistic(shape, rng):
    return rng.normal(0, 4 * np.sqrt(2 / sum(shape)), shape)


@pytest.mark.slow
@pytest.mark.parametrize("options, adam, least, most", [
    (dict(activation=layers.ReLU), False, 0.62, 0.74),
    (dict(draw=suited_to_the_logistic), False, 0.68, 0.84),
    ({}, True, 1.8, 2.0),
])
def test_the_bend_or_the_first_weights_make_pretraining_needless_and_adam_does_not(options, adam, least, most):
    """Lecture 10 says what each reaches, of PCA's error."""
    for seed in range(2):
        net = history.autoencoder(SIZES, rng=np.random.default_rng(seed), **options)
        optimizer = optim.Adam(net.parameters(), lr=0.002) if adam else sgd(net)
        assert least < tuned(net, optimizer) / pca_error(8) < most


def test_first_weights_are_small_and_alike_unless_drawn_otherwise():
    net = history.autoencoder((50, 40, 30), rng=np.random.default_rng(0))
    for parameter in net.parameters():
        spread = float(parameter.data.std())
        assert spread == pytest.approx(0.1, rel=0.1) if len(parameter.shape) == 2 else spread == 0
    other = history.autoencoder((50, 40, 30), rng=np.random.default_rng(0), draw=initializers.he_normal)
    assert float(other["encoder"][0].weight.data.std()) == pytest.approx(np.sqrt(2 / 50), rel=0.1)


def test_pca_is_scikit_learns_and_no_linear_code_is_better(rng):
    decomposition = pytest.importorskip("sklearn.decomposition")
    x, new = rng.normal(size=(60, 7)) @ rng.normal(size=(7, 7)), rng.normal(size=(5, 7))
    theirs = decomposition.PCA(3).fit(x)
    assert_close(history.pca(x, 3)(new), theirs.inverse_transform(theirs.transform(new)))
    least = np.mean((history.pca(x, 3)(x) - x) ** 2)
    for _ in range(50):
        axes = np.linalg.qr(rng.normal(size=(7, 3)))[0]
        assert np.mean((x.mean(axis=0) + (x - x.mean(axis=0)) @ axes @ axes.T - x) ** 2) > least


def test_errors():
    rng = np.random.default_rng(0)
    rbms = history.pretrain(rng.random((9, 6)), (6, 4, 2), epochs=1, rng=rng)
    with pytest.raises(ValueError, match=r"the RBMs' weights are \[\(4, 6\), \(2, 4\)\], .* \[\(5, 6\), \(2, 5\)\]"):
        history.unroll(history.autoencoder((6, 5, 2), rng=rng), rbms)
