"""MobileNet: a convolution taken apart into one filter for each channel and a 1x1 convolution across them.

References
----------
.. [1] Howard et al., MobileNets: efficient convolutional neural networks for mobile vision applications, 2017.
   doi:10.48550/arXiv.1704.04861
.. [2] Sandler, Howard, Zhu, Zhmoginov & Chen, MobileNetV2: inverted residuals and linear bottlenecks, CVPR 2018.
   doi:10.1109/CVPR.2018.00474
"""

from cnnlib.architectures._build import channels, checked, chosen, vocabulary

# (channels, stride) of each pair of a 3x3 filter for each channel and a 1x1 convolution: table 1 of [1]
V1 = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1))
# (expansion, channels, repeats, stride of the first): table 2 of [2]
V2 = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))


def mobilenet(version, num_classes=1000, in_channels=3, *, width=1.0, nn=None):
    """Return MobileNet, version 1 [1]_ or 2 [2]_.

    Parameters
    ----------
    version : {1, 2}
    num_classes, in_channels : int
    width : float
        The paper's width multiplier, without its rounding to eights.
    nn : cnnlib.layers or cnnlib.torch_layers
        The engine; torch's without.

    Returns
    -------
    Sequential
    """
    nn = vocabulary(nn)
    checked(num_classes, in_channels, width)
    return chosen("version", version, {1: _v1, 2: _v2})(nn, num_classes, in_channels, width)


def _v1(nn, num_classes, in_channels, width):
    came = channels(32, width)
    stages = _conv(nn, "1", in_channels, came, 3, 2)
    for number, (base, stride) in enumerate(V1, start=2):
        goes = channels(base, width)
        stages[f"pair{number}"] = nn.Sequential({
            **_conv(nn, "_depthwise", came, came, 3, stride, groups=came), **_conv(nn, "_pointwise", came, goes, 1)})
        came = goes
    return nn.Sequential({**stages, "avgpool": nn.AdaptiveAvgPool2d(1), "flatten": nn.Flatten(),
                          "fc": nn.Linear(came, num_classes)})


def _v2(nn, num_classes, in_channels, width):
    came, last = channels(32, width), channels(1280, max(width, 1.0))  # the paper narrows the last layer never
    stages = _conv(nn, "1", in_channels, came, 3, 2)
    for number, (expansion, base, repeats, first_stride) in enumerate(V2, start=2):
        goes, made = channels(base, width), {}
        for position in range(1, repeats + 1):
            stride = first_stride if position == 1 else 1
            made[f"conv{number}_{position}"] = _inverted(nn, came, goes, expansion, stride)
            came = goes
        stages[f"conv{number}_x"] = nn.Sequential(made)
    return nn.Sequential({**stages, **_conv(nn, "9", came, last, 1), "avgpool": nn.AdaptiveAvgPool2d(1),
                          "flatten": nn.Flatten(), "drop": nn.Dropout(0.2), "fc": nn.Linear(last, num_classes)})


def _inverted(nn, came, goes, expansion, stride):
    """An inverted residual: wide inside, narrow where it is added, and no ReLU at its end."""
    inner = came * expansion
    body = nn.Sequential({
        **(_conv(nn, "_expand", came, inner, 1) if expansion > 1 else {}),
        **_conv(nn, "_depthwise", inner, inner, 3, stride, groups=inner),
        "conv_project": nn.Conv2d(inner, goes, 1, bias=False), "bn_project": nn.BatchNorm2d(goes)})
    return nn.Residual(body) if stride == 1 and came == goes else body


def _conv(nn, name, came, goes, kernel_size, stride=1, groups=1):
    """A convolution, batch norm, and the ReLU that is cut off at 6."""
    padding = kernel_size // 2
    return {f"conv{name}": nn.Conv2d(came, goes, kernel_size, stride, padding, groups=groups, bias=False),
            f"bn{name}": nn.BatchNorm2d(goes), f"relu{name}": nn.ReLU6()}
