"""``python -m cnnlib.train imagenette``: ResNet-18 on photographs of ten of ImageNet's classes, from first weights.

Small enough for an evening on one GPU, and the first set of the course whose pictures are those of ImageNet. What it
reaches has not been measured.

References
----------
.. [1] He, Zhang, Ren & Sun, Deep residual learning for image recognition, CVPR 2016. doi:10.1109/CVPR.2016.90
.. [2] Smith & Topin, Super-convergence, 2017. doi:10.48550/arXiv.1708.07120
"""

import numpy as np

from cnnlib import data, initializers, layers, training
from cnnlib.architectures import resnet
from cnnlib.architectures.pretrained import DEVIATION, MEAN
from cnnlib.recipes._parts import schedule, sgd, standardised


def recipe(nn=layers, *, seed=0, epochs=30, batch_size=128, depth=18, size=128, num_train=None, num_test=None):
    """Return what fit needs.

    Parameters
    ----------
    nn : cnnlib.layers or cnnlib.torch_layers
    seed : int
        Of the first weights (He et al.'s) and of the run.
    epochs, batch_size : int
        The learning rate is in proportion to the batch: at its highest 0.1 for 128 pictures.
    depth : {18, 34, 50, 101, 152}
    size : int
        The side of the pictures, at most 160. At 128 the data take 2.6 GB.
    num_train, num_test : int, optional
        Only that many pictures, for a trial; None takes all.

    Notes
    -----
    The rate goes up and down once [2]_; each picture is moved by up to an eighth of its side and mirrored by chance.
    """
    (x, y), (x_test, y_test) = (
        (standardised(x, MEAN, DEVIATION), y) for x, y in data.load_imagenette(num_train, num_test, size=size))
    net = initializers.redraw(resnet(depth, len(data.CLASSES["imagenette"]), nn=nn), initializers.he_normal,
                              np.random.default_rng(seed))
    rate = 0.1 * batch_size / 128
    return dict(
        model=net, train=(x, y), valid=(x_test, y_test), epochs=epochs, batch_size=batch_size, seed=seed,
        optimizer=sgd(nn, net.parameters(), lr=rate, momentum=0.9, nesterov=True, weight_decay=5e-4),
        schedule=schedule(nn, "OneCycleLR", max_lr=rate, total_steps=lambda steps: steps, pct_start=0.2,
                          cycle_momentum=False),
        loss=nn.CrossEntropyLoss(label_smoothing=0.1),
        augment=lambda x, rng: training.mirror(training.shift(x, size // 8, rng=rng), rng=rng))
