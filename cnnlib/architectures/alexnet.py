"""AlexNet: the net of 2012 in its two towers, and the one tower of 2014 whose weights are published.

References
----------
.. [1] Krizhevsky, Sutskever & Hinton, ImageNet classification with deep convolutional neural networks, NIPS 2012.
   Reprinted in Communications of the ACM 60(6), 2017. doi:10.1145/3065386
.. [2] Krizhevsky, One weird trick for parallelizing convolutional neural networks, 2014.
   doi:10.48550/arXiv.1404.5997
"""

from cnnlib.architectures._build import channels, checked, vocabulary


def alexnet_2012(num_classes=1000, in_channels=3, *, width=1.0, norm=True, nn=None):
    """Return AlexNet as the paper has it [1]_: two towers that meet in conv3 and in the fully connected layers.

    Parameters
    ----------
    num_classes, in_channels : int
    width : float
        Channels and features are the paper's times this, each tower's rounded.
    norm : bool
        Whether there is local response normalisation.
    nn : cnnlib.layers or cnnlib.torch_layers
        The engine; torch's without.

    Returns
    -------
    Sequential
        For pictures of 227 x 227. (The paper says 224, from which 11 x 11 filters with stride 4 give 54 positions
        without padding, not the 55 of its figure.)

    Notes
    -----
    A tower is a group of channels: conv2, conv4 and conv5 have two groups. The paper's normalisation divides by
    (k + α Σ a²)^β; torch's, and ours, divides α by the number of channels in the sum, so α is 5 times the paper's.
    Dropout acts on the outputs of fc6 and fc7, as in the paper; in :func:`alexnet` on their inputs, as in torchvision.
    """
    nn = vocabulary(nn)
    checked(num_classes, in_channels, width)
    c1, c2, c3, c4, c5 = (2 * channels(number, width) for number in (48, 128, 192, 192, 128))
    features = channels(4096, width)

    def response_norm(name):
        return {name: nn.LocalResponseNorm(5, alpha=5 * 1e-4, beta=0.75, k=2.0)} if norm else {}

    return nn.Sequential({
        "conv1": nn.Conv2d(in_channels, c1, 11, stride=4), "relu1": nn.ReLU(), **response_norm("norm1"),
        "pool1": nn.MaxPool2d(3, 2),
        "conv2": nn.Conv2d(c1, c2, 5, padding=2, groups=2), "relu2": nn.ReLU(), **response_norm("norm2"),
        "pool2": nn.MaxPool2d(3, 2),
        "conv3": nn.Conv2d(c2, c3, 3, padding=1), "relu3": nn.ReLU(),
        "conv4": nn.Conv2d(c3, c4, 3, padding=1, groups=2), "relu4": nn.ReLU(),
        "conv5": nn.Conv2d(c4, c5, 3, padding=1, groups=2), "relu5": nn.ReLU(),
        "pool5": nn.MaxPool2d(3, 2), "flatten": nn.Flatten(),
        "fc6": nn.Linear(c5 * 6 * 6, features), "relu6": nn.ReLU(), "drop6": nn.Dropout(0.5),
        "fc7": nn.Linear(features, features), "relu7": nn.ReLU(), "drop7": nn.Dropout(0.5),
        "fc8": nn.Linear(features, num_classes)})


def alexnet(num_classes=1000, in_channels=3, *, width=1.0, nn=None):
    """Return the AlexNet of one tower [2]_, which torchvision has and whose weights are published.

    Parameters
    ----------
    num_classes, in_channels, width, nn
        As in :func:`alexnet_2012`.

    Returns
    -------
    Sequential
        For pictures of 63 x 63 and more, published for 224 x 224; from 6 x 6 maps on, averages make them 6 x 6.
    """
    nn = vocabulary(nn)
    checked(num_classes, in_channels, width)
    c1, c2, c3, c4, c5 = (channels(number, width) for number in (64, 192, 384, 256, 256))
    return nn.Sequential({
        "conv1": nn.Conv2d(in_channels, c1, 11, stride=4, padding=2), "relu1": nn.ReLU(), "pool1": nn.MaxPool2d(3, 2),
        "conv2": nn.Conv2d(c1, c2, 5, padding=2), "relu2": nn.ReLU(), "pool2": nn.MaxPool2d(3, 2),
        "conv3": nn.Conv2d(c2, c3, 3, padding=1), "relu3": nn.ReLU(),
        "conv4": nn.Conv2d(c3, c4, 3, padding=1), "relu4": nn.ReLU(),
        "conv5": nn.Conv2d(c4, c5, 3, padding=1), "relu5": nn.ReLU(), "pool5": nn.MaxPool2d(3, 2),
        **head(nn, c5, channels(4096, width), num_classes)})


def head(nn, came, features, num_classes):
    """Return what stands behind the maps of an AlexNet of any picture, and of its kin: three full layers, by name."""
    return {"avgpool": nn.AdaptiveAvgPool2d(6), "flatten": nn.Flatten(),
            "drop6": nn.Dropout(0.5), "fc6": nn.Linear(came * 6 * 6, features), "relu6": nn.ReLU(),
            "drop7": nn.Dropout(0.5), "fc7": nn.Linear(features, features), "relu7": nn.ReLU(),
            "fc8": nn.Linear(features, num_classes)}
