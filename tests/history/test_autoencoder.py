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
    mean = seen.mean(axis=0)
    axes = np.linalg.svd(seen - mean, full_matrices=False)[2][:size]
    return float(np.mean((mean + (new - mean) @ axes.T @ axes - new) ** 2))


def small(rng):
    """A net with the first weights of 2006: small, all alike, no biases."""
    return initializers.redraw(history.autoencoder(SIZES, rng=rng), lambda shape, rng: rng.normal(0, 0.1, shape), rng)


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
    net = small(np.random.default_rng(0))
    error = tuned(net, sgd(net))
    average = float(np.mean((digits()[0].mean(axis=0) - digits()[1]) ** 2))
    assert error == pytest.approx(average, rel=0.02)
    assert error > 3 * pca_error(8)


def test_rectifiers_drawn_as_suits_them_need_no_pretraining():
    rng = np.random.default_rng(0)
    net = initializers.redraw(history.autoencoder(SIZES, rng=rng, activation=layers.ReLU), initializers.he_normal, rng)
    assert tuned(net, optim.Adam(net.parameters(), lr=0.002)) < 0.67 * pca_error(8)


def test_errors():
    rng = np.random.default_rng(0)
    rbms = history.pretrain(rng.random((9, 6)), (6, 4, 2), epochs=1, rng=rng)
    with pytest.raises(ValueError, match=r"the RBMs' weights are \[\(4, 6\), \(2, 4\)\], .* \[\(5, 6\), \(2, 5\)\]"):
        history.unroll(history.autoencoder((6, 5, 2), rng=rng), rbms)
