"""``python -m cnnlib.train lenet5-mnist``: LeNet-5, in today's form, on MNIST, as in lecture 40.

References
----------
.. [1] LeCun, Bottou, Bengio & Haffner, Gradient-based learning applied to document recognition, Proceedings of the
   IEEE 86(11), 1998. doi:10.1109/5.726791
"""

import numpy as np

from cnnlib import data, initializers, layers, training
from cnnlib.architectures import lenet5
from cnnlib.recipes._parts import sgd_with_cosine


def recipe(nn=layers, *, seed=0, epochs=20, num_train=None, num_test=None):
    """Return what fit needs: momentum 0.9, the rate from 0.05 to zero along a cosine, batches of 64.

    Parameters
    ----------
    nn : cnnlib.layers or cnnlib.torch_layers
    seed : int
        Of the first weights and of the run.
    epochs : int
    num_train, num_test : int, optional
        Only that many pictures, for a trial; None takes all.

    Notes
    -----
    The pictures of 28 x 28 get a frame of 2 pixels and are moved by up to 2, which takes nothing out of them.
    """
    splits = data.load_mnist(num_train, num_test)
    train, test = ((np.pad(x, ((0, 0), (0, 0), (2, 2), (2, 2))), y) for x, y in splits)
    net = initializers.redraw(lenet5(nn=nn), initializers.he_normal, np.random.default_rng(seed))
    optimizer, cosine = sgd_with_cosine(nn, net, 0.05)
    return dict(model=net, train=train, valid=test, epochs=epochs, optimizer=optimizer, batch_size=64, seed=seed,
                schedule=cosine, augment=lambda x, rng: training.shift(x, 2, rng=rng))
