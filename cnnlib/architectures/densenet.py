"""DenseNet: each layer sees the maps of all layers before it in its block.

References
----------
.. [1] Huang, Liu, van der Maaten & Weinberger, Densely connected convolutional networks, CVPR 2017.
   doi:10.1109/CVPR.2017.243
"""

from cnnlib.architectures._build import channels, checked, chosen, vocabulary

TABLE = {121: (6, 12, 24, 16), 169: (6, 12, 32, 32), 201: (6, 12, 48, 32)}  # layers in each block: the paper's table 1
GROWTH = 32  # maps that each layer adds


def densenet(depth, num_classes=1000, in_channels=3, *, width=1.0, nn=None):
    """Return a DenseNet with bottlenecks and compression (the paper's DenseNet-BC) for ImageNet [1]_.

    Parameters
    ----------
    depth : {121, 169, 201}
    num_classes, in_channels : int
    width : float
        The growth and the first channels are the paper's times this.
    nn : cnnlib.layers or cnnlib.torch_layers
        The engine; torch's without.

    Returns
    -------
    Sequential
    """
    nn = vocabulary(nn)
    checked(num_classes, in_channels, width)
    counts, growth = chosen("depth", depth, TABLE), channels(GROWTH, width)
    first = came = 2 * growth
    stages = {}
    for number, count in enumerate(counts, start=1):
        if number > 1:
            stages[f"transition{number - 1}"] = _transition(nn, came)
            came //= 2
        stages[f"block{number}"] = nn.Sequential({
            f"layer{k + 1}": _dense_layer(nn, came + k * growth, growth) for k in range(count)})
        came += count * growth
    return nn.Sequential({
        "conv1": nn.Conv2d(in_channels, first, 7, 2, padding=3, bias=False), "bn1": nn.BatchNorm2d(first),
        "relu1": nn.ReLU(), "pool1": nn.MaxPool2d(3, 2, padding=1), **stages,
        "bn2": nn.BatchNorm2d(came), "relu2": nn.ReLU(),
        "avgpool": nn.AdaptiveAvgPool2d(1), "flatten": nn.Flatten(), "fc": nn.Linear(came, num_classes)})


def _dense_layer(nn, came, growth):
    """What came, and behind it `growth` new maps made of all of it."""
    return nn.Concat({"past": nn.Identity(), "new": nn.Sequential({
        "bn1": nn.BatchNorm2d(came), "relu1": nn.ReLU(), "conv1": nn.Conv2d(came, 4 * growth, 1, bias=False),
        "bn2": nn.BatchNorm2d(4 * growth), "relu2": nn.ReLU(),
        "conv2": nn.Conv2d(4 * growth, growth, 3, padding=1, bias=False)})})


def _transition(nn, came):
    """Half the channels, half the size."""
    return nn.Sequential({"bn": nn.BatchNorm2d(came), "relu": nn.ReLU(),
                          "conv": nn.Conv2d(came, came // 2, 1, bias=False), "pool": nn.AvgPool2d(2)})
