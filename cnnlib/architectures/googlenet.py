"""GoogLeNet: modules that look at a map through several filter sizes at once, at a cost that 1x1 filters make bearable.

References
----------
.. [1] Szegedy, Liu, Jia, Sermanet, Reed, Anguelov, Erhan, Vanhoucke & Rabinovich, Going deeper with convolutions,
   CVPR 2015. doi:10.1109/CVPR.2015.7298594
"""

from cnnlib.architectures._build import channels, checked, chosen, vocabulary

# The paper's table 1: channels of the branches 1x1, 3x3 (reduced to, then), 5x5 (reduced to, then), and pool's 1x1.
TABLE = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
AUXILIARY = {"aux1": "4a", "aux2": "4d"}  # each classifier, and the module that it begins behind
VARIANTS = {"paper": False, "torchvision": True}  # whether there is batch normalisation, and all that came with it


def googlenet(num_classes=1000, in_channels=3, *, aux=False, variant="paper", reductions=True, width=1.0, nn=None):
    """Return GoogLeNet [1]_.

    Parameters
    ----------
    num_classes, in_channels : int
    aux : bool
        Whether there are the two auxiliary classifiers, which work in training only: there a call returns
        (out, aux1, aux2), and the paper adds 0.3 times the loss of each.
    variant : {"paper", "torchvision"}
        The second is the net whose weights are published: batch normalisation in place of biases and of local
        response normalisation, 2x2 windows in pool4, dropout 0.2 for 0.4, and 3x3 filters in the branch called "5x5".
    reductions : bool
        False gives the paper's naive modules: no 1x1 convolution before the large filters, and none behind the pool.
    width : float
        Channels and features are the paper's times this.
    nn : cnnlib.layers or cnnlib.torch_layers
        The engine; torch's without.

    Returns
    -------
    Sequential, or Heads around it
        For pictures of 224 x 224; others work too. The paper's auxiliary classifiers want maps of 14 to 16 pixels
        behind inception4a: pictures of 223 to 270.

    Notes
    -----
    The paper's average over 7 x 7 is one over all that arrives. It says of its normalisation only where it stands; the
    numbers here are those of the net's release in Caffe.
    """
    nn = vocabulary(nn)
    checked(num_classes, in_channels, width)
    norm = chosen("variant", variant, VARIANTS)
    c1, c2_reduce, c2 = (channels(number, width) for number in (64, 64, 192))

    def response_norm(name):
        return {} if norm else {name: nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=1.0)}

    stages = {
        **_convolution(nn, "conv1", in_channels, c1, 7, norm, stride=2),
        "pool1": nn.MaxPool2d(3, 2, ceil_mode=True), **response_norm("norm1"),
        **_convolution(nn, "conv2_reduce", c1, c2_reduce, 1, norm),
        **_convolution(nn, "conv2", c2_reduce, c2, 3, norm), **response_norm("norm2"),
        "pool2": nn.MaxPool2d(3, 2, ceil_mode=True)}
    came, leaving = c2, {}
    for name, row in TABLE.items():
        if name in ("4a", "5a"):
            window = 2 if norm and name == "5a" else 3
            stages[f"pool{int(name[0]) - 1}"] = nn.MaxPool2d(window, 2, ceil_mode=True)
        row = [channels(number, width) for number in row]
        stages[f"inception{name}"] = inception(came, row, variant=variant, reductions=reductions, nn=nn)
        came = leaving[name] = row[0] + row[2] + row[4] + (row[5] if reductions else came)
    trunk = nn.Sequential({
        **stages, "avgpool": nn.AdaptiveAvgPool2d(1), "flatten": nn.Flatten(),
        "drop": nn.Dropout(0.2 if norm else 0.4), "fc": nn.Linear(came, num_classes)})
    if not aux:
        return trunk
    return nn.Heads(trunk, {head: (f"inception{name}", _auxiliary(nn, leaving[name], num_classes, width, norm))
                            for head, name in AUXILIARY.items()})


def inception(in_channels, row, *, variant="paper", reductions=True, nn=None):
    """Return one Inception module: four branches side by side, whose channels are put one after the other.

    Parameters
    ----------
    in_channels : int
    row : six int
        A row of the paper's table 1: channels of 1x1, 3x3 reduce, 3x3, 5x5 reduce, 5x5, pool projection.
    variant, reductions, nn
        As in :func:`googlenet`. Without reductions the second, fourth and sixth number say nothing: the pool's branch
        hands on all `in_channels`.

    Returns
    -------
    Concat of the branches "1x1", "3x3", "5x5" and "pool"
        Gives row[0] + row[2] + row[4] + row[5] channels, in pictures of the same size.
    """
    nn = vocabulary(nn)
    norm = chosen("variant", variant, VARIANTS)
    if len(row) != 6:
        raise ValueError(f"`row` has {len(row)} numbers; it must have six: 1x1, 3x3 reduce, 3x3, 5x5 reduce, 5x5, pool")
    one, reduce_three, three, reduce_five, five, project = row
    large = 3 if norm else 5  # the published weights have 3x3 filters here

    def branch(reduced, out_channels, kernel_size):
        if not reductions:
            return nn.Sequential(_convolution(nn, "conv", in_channels, out_channels, kernel_size, norm))
        return nn.Sequential({**_convolution(nn, "reduce", in_channels, reduced, 1, norm),
                              **_convolution(nn, "conv", reduced, out_channels, kernel_size, norm)})

    projection = _convolution(nn, "conv", in_channels, project, 1, norm) if reductions else {}
    return nn.Concat({
        "1x1": nn.Sequential(_convolution(nn, "conv", in_channels, one, 1, norm)),
        "3x3": branch(reduce_three, three, 3),
        "5x5": branch(reduce_five, five, large),
        "pool": nn.Sequential({"pool": nn.MaxPool2d(3, 1, padding=1), **projection})})


# ---- the building blocks

def _convolution(nn, name, came, goes, kernel_size, norm, stride=1):
    """Return a convolution that keeps the size at stride 1, its norm if there is one, and its ReLU."""
    def called(kind):
        return name.replace("conv", kind) if "conv" in name else f"{name}_{kind}"

    between = {called("bn"): nn.BatchNorm2d(goes, eps=1e-3)} if norm else {}
    return {name: nn.Conv2d(came, goes, kernel_size, stride, padding=kernel_size // 2, bias=not norm), **between,
            called("relu"): nn.ReLU()}


def _auxiliary(nn, came, num_classes, width, norm):
    """A small classifier beside the net; it has 4 x 4 positions, whatever arrives in the second variant."""
    maps, features = channels(128, width), channels(1024, width)
    return nn.Sequential({
        "pool": nn.AdaptiveAvgPool2d(4) if norm else nn.AvgPool2d(5, 3),
        **_convolution(nn, "conv", came, maps, 1, norm),
        "flatten": nn.Flatten(), "fc1": nn.Linear(maps * 4 * 4, features), "relu1": nn.ReLU(), "drop": nn.Dropout(0.7),
        "fc2": nn.Linear(features, num_classes)})
