"""ZFNet: AlexNet after a look inside, with smaller filters and steps in its first layers.

References
----------
.. [1] Zeiler & Fergus, Visualizing and understanding convolutional networks, ECCV 2014.
   doi:10.1007/978-3-319-10590-1_53
"""

from cnnlib.architectures._build import channels, checked, vocabulary
from cnnlib.architectures.alexnet import head


def zfnet(num_classes=1000, in_channels=3, *, kernel_size=7, stride=2, width=1.0, nn=None):
    """Return ZFNet as the paper's figure 3 has it [1]_.

    Parameters
    ----------
    num_classes, in_channels : int
    kernel_size, stride : int, in pixels
        Of conv1: the paper's change. 11 and 4 give AlexNet's back, for comparison; what follows conv1 stays.
    width : float
        Channels and features are the paper's times this.
    nn : cnnlib.layers or cnnlib.torch_layers
        The engine; torch's without.

    Returns
    -------
    Sequential
        For pictures of 224 x 224: maps of 110, 55, 26 and 13. Averages make the last maps 6 x 6, so that other sizes,
        and AlexNet's steps, work too.

    Notes
    -----
    The paper gives no padding: 1 in conv1 and in the first two poolings leads to the sizes of its figure. Responses are
    normalised as in AlexNet, after the pooling.
    """
    nn = vocabulary(nn)
    checked(num_classes, in_channels, width)
    c1, c2, c3, c4, c5 = (channels(number, width) for number in (96, 256, 384, 384, 256))

    def response_norm():
        return nn.LocalResponseNorm(5, alpha=5 * 1e-4, beta=0.75, k=2.0)

    return nn.Sequential({
        "conv1": nn.Conv2d(in_channels, c1, kernel_size, stride, padding=1), "relu1": nn.ReLU(),
        "pool1": nn.MaxPool2d(3, 2, padding=1), "norm1": response_norm(),
        "conv2": nn.Conv2d(c1, c2, 5, 2), "relu2": nn.ReLU(), "pool2": nn.MaxPool2d(3, 2, padding=1),
        "norm2": response_norm(),
        "conv3": nn.Conv2d(c2, c3, 3, padding=1), "relu3": nn.ReLU(),
        "conv4": nn.Conv2d(c3, c4, 3, padding=1), "relu4": nn.ReLU(),
        "conv5": nn.Conv2d(c4, c5, 3, padding=1), "relu5": nn.ReLU(), "pool5": nn.MaxPool2d(3, 2),
        **head(nn, c5, channels(4096, width), num_classes)})
