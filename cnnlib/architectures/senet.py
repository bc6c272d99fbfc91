"""SE-ResNet: in each residual block a gate weighs the channels by what the whole map shows.

References
----------
.. [1] Hu, Shen & Sun, Squeeze-and-excitation networks, CVPR 2018. doi:10.1109/CVPR.2018.00745
"""

from cnnlib.architectures._build import vocabulary
from cnnlib.architectures.resnet import resnet


def se_resnet(depth, num_classes=1000, in_channels=3, *, reduction=16, variant="paper", width=1.0, nn=None):
    """Return a ResNet whose blocks end in a squeeze-and-excitation gate [1]_.

    Parameters
    ----------
    depth, num_classes, in_channels, variant, width, nn
        As in :func:`resnet`.
    reduction : int
        The gate's hidden layer has the block's channels over this.

    Returns
    -------
    Sequential
    """
    nn = vocabulary(nn)
    net = resnet(depth, num_classes, in_channels, variant=variant, width=width, nn=nn)
    for stage in ("conv2_x", "conv3_x", "conv4_x", "conv5_x"):
        for block in net[stage]:
            body = block.residual.body
            body.gate = gate(nn, _channels(body), reduction)
    return net


def gate(nn, channels, reduction):
    """Return the gate: squeeze each map into its mean, excite its channel by a number between 0 and 1."""
    hidden = max(1, channels // reduction)
    return nn.Gate(nn.Sequential({
        "squeeze": nn.AdaptiveAvgPool2d(1), "reduce": nn.Conv2d(channels, hidden, 1), "relu": nn.ReLU(),
        "expand": nn.Conv2d(hidden, channels, 1), "sigmoid": nn.Sigmoid()}))


def _channels(body):
    """Return how many channels leave a residual block's body."""
    return (body.conv3 if hasattr(body, "conv3") else body.conv2).out_channels
