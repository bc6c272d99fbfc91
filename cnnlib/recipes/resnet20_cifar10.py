"""``python -m cnnlib.train resnet20-cifar10``: ResNet-20 on CIFAR-10, as the paper trains it.

References
----------
.. [1] He, Zhang, Ren & Sun, Deep residual learning for image recognition, CVPR 2016, section 4.2.
   doi:10.1109/CVPR.2016.90
"""

import numpy as np

from cnnlib import data, initializers, layers, training
from cnnlib.architectures import resnet_cifar
from cnnlib.recipes._parts import schedule, sgd

FALLS = (1 / 2, 3 / 4)  # parts of the run after which the learning rate falls to a tenth: 32,000 and 48,000 of 64,000


def recipe(nn=layers, *, seed=0, epochs=164, batch_size=128, depth=20, num_train=None, num_test=None):
    """Return what fit needs: batches of 128, momentum 0.9, weight decay 0.0001, the rate 0.1 in three steps down.

    Parameters
    ----------
    nn : cnnlib.layers or cnnlib.torch_layers
    seed : int
        Of the first weights (He et al.'s) and of the run.
    epochs, batch_size : int
        164 epochs of batches of 128 make the paper's 64,000 steps.
    depth : {20, 32, 44, 56, 110}
    num_train, num_test : int, optional
        Only that many pictures, for a trial; None takes all.

    Notes
    -----
    The mean picture of the training set is taken away; each picture is moved by up to 4 pixels and mirrored by chance.
    For 110 layers the paper begins with a rate of 0.01, which this recipe does not.
    """
    (x, y), (x_test, y_test) = data.load_cifar10(num_train, num_test)
    mean = x.mean(axis=0, dtype=np.float64).astype(x.dtype)
    net = initializers.redraw(resnet_cifar(depth, nn=nn), initializers.he_normal, np.random.default_rng(seed))
    return dict(
        model=net, train=(x - mean, y), valid=(x_test - mean, y_test), epochs=epochs, batch_size=batch_size, seed=seed,
        optimizer=sgd(nn, net.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4),
        schedule=schedule(nn, "MultiStepLR", gamma=0.1,
                          milestones=lambda steps: [int(steps * part) for part in FALLS]),
        augment=lambda x, rng: training.mirror(training.shift(x, 4, rng=rng), rng=rng))
