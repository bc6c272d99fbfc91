"""``python -m cnnlib.train digits``: a small net on scikit-learn's digits, in seconds, as lecture 34 trains it."""

import numpy as np

from cnnlib import data, initializers, layers, training
from cnnlib.recipes._parts import sgd_with_cosine


def digits_net(nn, rng):
    """Return a small net for digits of 8×8 pixels, its first weights drawn as He et al. do, the same in either engine.

    Parameters
    ----------
    nn : cnnlib.layers or cnnlib.torch_layers
    rng : np.random.Generator
    """
    net = nn.Sequential({
        "conv1": nn.Conv2d(1, 16, 3, padding=1), "relu1": nn.ReLU(),
        "conv2": nn.Conv2d(16, 32, 3, padding=1), "relu2": nn.ReLU(), "pool": nn.MaxPool2d(2),
        "flatten": nn.Flatten(), "fc1": nn.Linear(32 * 4 * 4, 64), "relu3": nn.ReLU(), "fc2": nn.Linear(64, 10)})
    return initializers.redraw(net, initializers.he_normal, rng)


def recipe(nn=layers, *, seed=0, epochs=15, split="mixed", pixels=1):
    """Return what fit needs to learn scikit-learn's digits to over 98 %.

    Parameters
    ----------
    nn : cnnlib.layers or cnnlib.torch_layers
    seed : int
        Of the first weights and of the run.
    epochs : int
    split : {"mixed", "last"}
        See :func:`cnnlib.data.load_digits`.
    pixels : int
        How far pictures are moved at most; 0 leaves them.
    """
    train, test = data.load_digits(split=split)
    net = digits_net(nn, np.random.default_rng(seed))
    optimizer, cosine = sgd_with_cosine(nn, net, 0.1)
    return dict(model=net, train=train, valid=test, epochs=epochs, optimizer=optimizer, batch_size=64, seed=seed,
                schedule=cosine, augment=(lambda x, rng: training.shift(x, pixels, rng=rng)) if pixels else None)
