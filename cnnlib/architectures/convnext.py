"""ConvNeXt: a ResNet brought up to date step by step, until it does as well as the transformers of its year.

References
----------
.. [1] Liu, Mao, Wu, Feichtenhofer, Darrell & Xie, A ConvNet for the 2020s, CVPR 2022.
   doi:10.1109/CVPR52688.2022.01167
"""

from cnnlib.architectures._build import channels, checked, chosen, vocabulary

TABLE = {"tiny": ((3, 3, 9, 3), (96, 192, 384, 768))}  # blocks in each stage, and their channels


def convnext(size="tiny", num_classes=1000, in_channels=3, *, width=1.0, nn=None):
    """Return a ConvNeXt [1]_.

    Parameters
    ----------
    size : {"tiny"}
    num_classes, in_channels : int
    width : float
        Channels are the paper's times this.
    nn : cnnlib.layers or cnnlib.torch_layers
        The engine; torch's without.

    Returns
    -------
    Sequential
        Without stochastic depth, which the paper trains with.
    """
    nn = vocabulary(nn)
    checked(num_classes, in_channels, width)
    counts, bases = chosen("size", size, TABLE)
    sizes = [channels(base, width) for base in bases]
    stages = {"stem": nn.Sequential({"conv": nn.Conv2d(in_channels, sizes[0], 4, 4), "norm": nn.LayerNorm2d(sizes[0])})}
    for number, (count, goes) in enumerate(zip(counts, sizes), start=1):
        if number > 1:
            came = sizes[number - 2]
            stages[f"down{number}"] = nn.Sequential({"norm": nn.LayerNorm2d(came), "conv": nn.Conv2d(came, goes, 2, 2)})
        stages[f"stage{number}"] = nn.Sequential({f"block{k + 1}": _block(nn, goes) for k in range(count)})
    return nn.Sequential({**stages, "avgpool": nn.AdaptiveAvgPool2d(1), "norm": nn.LayerNorm2d(sizes[-1]),
                          "flatten": nn.Flatten(), "fc": nn.Linear(sizes[-1], num_classes)})


def _block(nn, came):
    """7x7 for each channel, then each position by itself: four times as wide, GELU, and back."""
    return nn.Residual(nn.Sequential({
        "depthwise": nn.Conv2d(came, came, 7, padding=3, groups=came), "norm": nn.LayerNorm2d(came),
        "expand": nn.Conv2d(came, 4 * came, 1), "gelu": nn.GELU(), "project": nn.Conv2d(4 * came, came, 1),
        "scale": nn.Scale(came)}))
