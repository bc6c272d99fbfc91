"""VGG: how far depth alone goes, with 3 x 3 filters from the first layer to the last.

References
----------
.. [1] Simonyan & Zisserman, Very deep convolutional networks for large-scale image recognition, ICLR 2015.
   doi:10.48550/arXiv.1409.1556
"""

from cnnlib.architectures._build import channels, checked, chosen, vocabulary

# The paper's table 1: the channels of each 3 x 3 convolution, of a 1 x 1 where that is said; a pool at each bar.
TABLE = {
    "A": "    64     | 128     | 256 256         | 512 512         | 512 512         |",
    "A-LRN": "64 LRN | 128     | 256 256         | 512 512         | 512 512         |",
    "B": "    64 64  | 128 128 | 256 256         | 512 512         | 512 512         |",
    "C": "    64 64  | 128 128 | 256 256 1x1:256 | 512 512 1x1:512 | 512 512 1x1:512 |",
    "D": "    64 64  | 128 128 | 256 256 256     | 512 512 512     | 512 512 512     |",
    "E": "    64 64  | 128 128 | 256 256 256 256 | 512 512 512 512 | 512 512 512 512 |",
}


def vgg(configuration, num_classes=1000, in_channels=3, *, batch_norm=False, width=1.0, nn=None):
    """Return one of the six networks of the paper's table 1 [1]_.

    Parameters
    ----------
    configuration : {"A", "A-LRN", "B", "C", "D", "E"}
        A column of the table: 11, 11, 13, 16, 16 and 19 layers with weights. D is called VGG-16, E VGG-19.
    num_classes, in_channels : int
    batch_norm : bool
        Whether each convolution is followed by batch normalisation, which is a year younger than the paper.
    width : float
        Channels and features are the paper's times this.
    nn : cnnlib.layers or cnnlib.torch_layers
        The engine; torch's without.

    Returns
    -------
    Sequential
        For pictures of 32 x 32 and more, published for 224 x 224. From those come maps of 7 x 7; averages make
        7 x 7 of any others, as in torchvision, whose names the paper's replace one for one.

    Notes
    -----
    The local response normalisation of A-LRN stands after the first ReLU and has AlexNet's constants; α is 5 times
    the paper's, since ours, as torch's, divides it by the 5 channels of the sum.
    """
    nn = vocabulary(nn)
    checked(num_classes, in_channels, width)
    stages, came = {}, in_channels
    for group, entries in enumerate(chosen("configuration", configuration, TABLE).split("|")[:-1], start=1):
        for position, entry in enumerate(entries.replace("LRN", "").split(), start=1):
            one, _, base = entry.rpartition(":")
            kernel_size, goes, at = 1 if one else 3, channels(int(base), width), f"{group}_{position}"
            stages[f"conv{at}"] = nn.Conv2d(came, goes, kernel_size, padding=kernel_size // 2)
            if batch_norm:
                stages[f"bn{at}"] = nn.BatchNorm2d(goes)
            stages[f"relu{at}"] = nn.ReLU()
            came = goes
        if "LRN" in entries:
            stages[f"norm{at}"] = nn.LocalResponseNorm(5, alpha=5 * 1e-4, beta=0.75, k=2.0)
        stages[f"pool{group}"] = nn.MaxPool2d(2)
    features = channels(4096, width)
    return nn.Sequential({
        **stages, "avgpool": nn.AdaptiveAvgPool2d(7), "flatten": nn.Flatten(),
        "fc6": nn.Linear(came * 7 * 7, features), "relu6": nn.ReLU(), "drop6": nn.Dropout(0.5),
        "fc7": nn.Linear(features, features), "relu7": nn.ReLU(), "drop7": nn.Dropout(0.5),
        "fc8": nn.Linear(features, num_classes)})
