"""ResNet: a block learns what to add to its input; and the same nets without the shortcuts.

References
----------
.. [1] He, Zhang, Ren & Sun, Deep residual learning for image recognition, CVPR 2016. doi:10.1109/CVPR.2016.90
"""

from cnnlib.architectures._build import channels, checked, chosen, vocabulary
from cnnlib.geometry import as_int

# The paper's table 1: the kind of block, and how many there are in conv2_x, conv3_x, conv4_x and conv5_x.
TABLE = {
    18: ("basic", (2, 2, 2, 2)),
    34: ("basic", (3, 4, 6, 3)),
    50: ("bottleneck", (3, 4, 6, 3)),
    101: ("bottleneck", (3, 4, 23, 3)),
    152: ("bottleneck", (3, 8, 36, 3)),
}
CHANNELS = (64, 128, 256, 512)
EXPANSION = {"basic": 1, "bottleneck": 4}  # channels that leave a block, per channel of its 3x3 convolution


def resnet(depth, num_classes=1000, in_channels=3, *, variant="paper", shortcuts=True, width=1.0, nn=None):
    """Return a residual network for ImageNet [1]_.

    Parameters
    ----------
    depth : {18, 34, 50, 101, 152}
        Layers with weights on the longest path.
    num_classes, in_channels : int
    variant : {"paper", "torchvision"}
        Where a bottleneck takes its stride: in the first 1x1 convolution, or, called v1.5, in the 3x3. The published
        weights are for the second. Nets of basic blocks are the same.
    shortcuts : bool
        False gives the plain twin: the same layers, each block without what goes past it. That takes away the
        projections and their parameters, too.
    width : float
        Channels are the paper's times this.
    nn : cnnlib.layers or cnnlib.torch_layers
        The engine; torch's without.

    Returns
    -------
    Sequential
        Published for pictures of 224 x 224; any other size works too.

    Notes
    -----
    Where a block changes the shape, x passes through a 1x1 convolution with batch norm: the paper's option B, for which
    the weights are published. The paper's comparison of plain and residual nets (its table 2) is with option A, as
    in :func:`resnet_cifar`.
    """
    nn = vocabulary(nn)
    checked(num_classes, in_channels, width)
    kind, blocks = chosen("depth", depth, TABLE)
    in_3x3 = chosen("variant", variant, {"paper": False, "torchvision": True})
    first = channels(64, width)

    def block(came, inner, stride):
        goes = inner * EXPANSION[kind]
        body = _basic(nn, came, inner, stride) if kind == "basic" else _bottleneck(nn, came, inner, stride, in_3x3)
        return _block(nn, body, _projection(nn, came, goes, stride), shortcuts), goes

    stages, came = _groups(nn, first, [channels(base, width) for base in CHANNELS], blocks, block)
    return nn.Sequential({
        "conv1": nn.Conv2d(in_channels, first, 7, stride=2, padding=3, bias=False), "bn1": nn.BatchNorm2d(first),
        "relu1": nn.ReLU(), "pool1": nn.MaxPool2d(3, 2, padding=1), **stages,
        "avgpool": nn.AdaptiveAvgPool2d(1), "flatten": nn.Flatten(), "fc": nn.Linear(came, num_classes)})


def resnet_cifar(depth, num_classes=10, in_channels=3, *, shortcuts=True, option="A", norm=True, width=1.0, nn=None):
    """Return a residual network for small pictures: the paper's section 4.2.

    Parameters
    ----------
    depth : {20, 32, 44, 56, 110, ...}
        6 n + 2: three groups of n blocks of two layers, of 16, 32 and 64 channels.
    option : {"A", "B"}
        The shortcut of a block that changes the shape: every second pixel and zeros for the new channels, which learns
        nothing, as in the paper; or a 1x1 convolution, as in :func:`resnet`, which adds 2,752 parameters.
    norm : bool
        Whether batch norm follows each convolution; without it, convolutions have a bias.
    num_classes, in_channels, shortcuts, width, nn
        As in :func:`resnet`.

    Returns
    -------
    Sequential
        For pictures of 32 x 32; any other size works too.
    """
    nn = vocabulary(nn)
    checked(num_classes, in_channels, width)
    if as_int("depth", depth, 8) % 6 != 2:
        raise ValueError(f"`depth` is {depth}; it must be 6 n + 2: 20, 32, 44, 56, 110, ...")
    past_shape = chosen("option", option, {"A": _zero_pad, "B": _projection})
    first = channels(16, width)

    def block(came, goes, stride):
        past = past_shape(nn, came, goes, stride, norm)
        return _block(nn, _basic(nn, came, goes, stride, norm), past, shortcuts), goes

    sizes = [channels(base, width) for base in (16, 32, 64)]
    stages, came = _groups(nn, first, sizes, [(depth - 2) // 6] * 3, block)
    return nn.Sequential({
        "conv1": nn.Conv2d(in_channels, first, 3, padding=1, bias=not norm), **_norm(nn, "bn1", first, norm),
        "relu1": nn.ReLU(), **stages,
        "avgpool": nn.AdaptiveAvgPool2d(1), "flatten": nn.Flatten(), "fc": nn.Linear(came, num_classes)})


# ---- the building block

def _groups(nn, came, sizes, counts, block):
    """Return the groups conv2_x, conv3_x, .. of blocks, and how many channels leave the last.

    All but the first begin with stride 2. ``block(came, size, stride)`` returns a block, and how many channels
    leave it.
    """
    groups = {}
    for number, (size, count) in enumerate(zip(sizes, counts), start=2):
        made = {}
        for position in range(1, count + 1):
            stride = 2 if position == 1 and number > 2 else 1
            made[f"conv{number}_{position}"], came = block(came, size, stride)
        groups[f"conv{number}_x"] = nn.Sequential(made)
    return groups, came


def _block(nn, body, past, shortcuts):
    """Return body(x) + past(x), or body(x) alone, and the ReLU behind it."""
    if not shortcuts:
        return nn.Sequential({"body": body, "relu": nn.ReLU()})
    return nn.Sequential({"residual": nn.Residual(body, past), "relu": nn.ReLU()})


def _basic(nn, came, goes, stride, norm=True):
    """Two 3x3 convolutions: left in the paper's figure 5."""
    return nn.Sequential({
        "conv1": nn.Conv2d(came, goes, 3, stride, padding=1, bias=not norm), **_norm(nn, "bn1", goes, norm),
        "relu1": nn.ReLU(),
        "conv2": nn.Conv2d(goes, goes, 3, padding=1, bias=not norm), **_norm(nn, "bn2", goes, norm)})


def _norm(nn, name, channels, norm):
    return {name: nn.BatchNorm2d(channels)} if norm else {}


def _bottleneck(nn, came, inner, stride, in_3x3):
    """1x1 to fewer channels, 3x3, 1x1 to four times as many: right in the paper's figure 5."""
    first, second = (1, stride) if in_3x3 else (stride, 1)
    goes = inner * EXPANSION["bottleneck"]
    return nn.Sequential({
        "conv1": nn.Conv2d(came, inner, 1, first, bias=False), "bn1": nn.BatchNorm2d(inner), "relu1": nn.ReLU(),
        "conv2": nn.Conv2d(inner, inner, 3, second, padding=1, bias=False), "bn2": nn.BatchNorm2d(inner),
        "relu2": nn.ReLU(),
        "conv3": nn.Conv2d(inner, goes, 1, bias=False), "bn3": nn.BatchNorm2d(goes)})


def _zero_pad(nn, came, goes, stride, norm=True):
    """Return the shortcut of option A, or None where x itself fits."""
    del norm
    return None if came == goes and stride == 1 else nn.ZeroPadShortcut(came, goes, stride)


def _projection(nn, came, goes, stride, norm=True):
    """Return the 1x1 convolution of option B, or None where x itself fits."""
    if came == goes and stride == 1:
        return None
    return nn.Sequential({"conv": nn.Conv2d(came, goes, 1, stride, bias=not norm), **_norm(nn, "bn", goes, norm)})
