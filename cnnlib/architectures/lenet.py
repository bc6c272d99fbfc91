"""LeNet-5: the net of 1998 as its paper has it, and the form in which it is built today.

References
----------
.. [1] LeCun, Bottou, Bengio & Haffner, Gradient-based learning applied to document recognition,
   Proc. IEEE 86(11), 1998, sections II.B and II.C, appendix A. doi:10.1109/5.726791
"""

from math import prod

import numpy as np

from cnnlib import initializers, layers, torch_layers
from cnnlib.architectures._build import channels, checked, vocabulary

# The paper's table I: which maps of S2 each map of C3 sees.
C3 = ("012", "123", "234", "345", "045", "015", "0123", "1234", "2345", "0345", "0145", "0125", "0134", "1245", "0235",
      "012345")

# What F6 shall show for each digit: 7 x 12 pixels, drawn for this course. (The paper's own are in its figure 3.)
DIGITS = """
....... ....... ....... ....... ....... ....... ....... ....... ....... .......
..##... ..##... .####.. .####.. ...##.. ######. ..###.. ######. .####.. .####..
.####.. .###... ##..##. ##..##. ..###.. ##..... .##.... ....##. ##..##. ##..##.
##..##. ####... ....##. ....##. ..###.. ##..... ##..... ....##. ##..##. ##..##.
##..##. ..##... ....##. ....##. .####.. #####.. ##..... ...##.. ##..##. ##..##.
##..##. ..##... ...##.. ..###.. .#.##.. ##..##. #####.. ...##.. .####.. ##..##.
##..##. ..##... ..##... ..###.. ##.##.. ....##. ##..##. ..##... .####.. .#####.
##..##. ..##... .##.... ....##. ######. ....##. ##..##. ..##... ##..##. ....##.
##..##. ..##... ##..... ....##. ######. ....##. ##..##. ..##... ##..##. ....##.
.####.. ..##... ##..... ##..##. ...##.. ##..##. ##..##. .##.... ##..##. ...##..
..##... ######. ######. .####.. ...##.. .####.. .####.. .##.... .####.. .###...
....... ....... ....... ....... ....... ....... ....... ....... ....... .......
"""
PAPER, INK = -0.1, 1.175  # the levels of the input, for a mean near 0


def lenet5_1998(num_classes=10, in_channels=1, *, rng=None, nn=None):
    """Return LeNet-5 as the paper has it [1]_: five layers deep, with 60,000 parameters to learn.

    Parameters
    ----------
    num_classes : int, 1 to 10
        The digits from 0 on, for each of which there is a bitmap.
    in_channels : int
    rng : np.random.Generator, optional
        Draws the first weights and biases evenly from ± 2.4 / fan_in; a new one without. (``net.reset_parameters`` of
        our engine draws them as torch would.)
    nn : cnnlib.layers or cnnlib.torch_layers
        The engine; torch's without.

    Returns
    -------
    Sequential
        For pictures of 32 x 32 whose levels :func:`ink_levels` made. It gives minus the distances of F6 from the
        bitmaps, so that the largest belongs to the nearest, and learns by :func:`losses.rubbish_cross_entropy`.

    Raises
    ------
    ValueError
        There are more classes than bitmaps.

    Notes
    -----
    Each layer but the last is followed by the scaled tanh, subsampling too. C5 is a convolution, whose maps are 1 x 1.
    The bitmaps are not learnt, and are not among the 60,000. Deviations: they are drawn anew.
    """
    nn = vocabulary(nn)
    checked(num_classes, in_channels)
    if num_classes > 10:
        raise ValueError(f"`num_classes` is {num_classes}; there are bitmaps for ten digits: of other things draw "
                         "some, and put them in as net.output = nn.RBF(centres)")
    net = nn.Sequential({
        "c1": nn.Conv2d(in_channels, 6, 5), "tanh1": nn.ScaledTanh(), "s2": nn.Subsample2d(6), "tanh2": nn.ScaledTanh(),
        "c3": nn.TableConv2d([tuple(map(int, row)) for row in C3], 5), "tanh3": nn.ScaledTanh(),
        "s4": nn.Subsample2d(16), "tanh4": nn.ScaledTanh(),
        "c5": nn.Conv2d(16, 120, 5), "tanh5": nn.ScaledTanh(), "flatten": nn.Flatten(),
        "f6": nn.Linear(120, 7 * 12), "tanh6": nn.ScaledTanh(),
        "output": nn.RBF(bitmaps()[:num_classes].reshape(num_classes, -1))})
    return _first_weights(net, np.random.default_rng() if rng is None else rng)


def lenet5(num_classes=10, in_channels=1, *, width=1.0, nn=None):
    """Return LeNet-5 as it is built today: all of S2 for each map of C3, ReLU, the largest of four, and scores.

    Parameters
    ----------
    num_classes, in_channels : int
    width : float
        Channels and features are the paper's times this.
    nn : cnnlib.layers or cnnlib.torch_layers
        The engine; torch's without.

    Returns
    -------
    Sequential
        For pictures of 32 x 32; 61,706 parameters. Its loss is the cross-entropy.

    Notes
    -----
    Its 400 numbers of S4 are flattened before C5, which is a linear layer of as many weights as the convolution of
    :func:`lenet5_1998`.
    """
    nn = vocabulary(nn)
    checked(num_classes, in_channels, width)
    c1, c3, c5, f6 = (channels(number, width) for number in (6, 16, 120, 84))
    return nn.Sequential({
        "c1": nn.Conv2d(in_channels, c1, 5), "relu1": nn.ReLU(), "s2": nn.MaxPool2d(2),
        "c3": nn.Conv2d(c1, c3, 5), "relu3": nn.ReLU(), "s4": nn.MaxPool2d(2), "flatten": nn.Flatten(),
        "c5": nn.Linear(c3 * 5 * 5, c5), "relu5": nn.ReLU(), "f6": nn.Linear(c5, f6), "relu6": nn.ReLU(),
        "output": nn.Linear(f6, num_classes)})


def ink_levels(x):
    """Return pictures in [0, 1], 0 paper and 1 ink, with the levels that LeNet-5 of 1998 wants: -0.1 and 1.175."""
    return PAPER + (INK - PAPER) * x


def bitmaps():
    """Return what F6 shall show for the ten digits: array of shape (10, 12, 7), float32, ink 1 and paper -1."""
    rows = [[[1 if pixel == "#" else -1 for pixel in digit] for digit in line.split()]
            for line in DIGITS.strip().splitlines()]
    return np.array(rows, dtype="float32").transpose(1, 0, 2)


# ---- first weights

def _first_weights(net, rng):
    """Draw all weights and biases of a net of either engine as the paper does; return the net."""
    drawn = {}
    for name, layer in net.named_children():
        if hasattr(layer, "weight"):
            for word, fan_in in zip(("weight", "bias"), _fans(layer)):
                shape = tuple(getattr(layer, word).shape)
                drawn[f"{name}.{word}"] = initializers.lecun_uniform(shape, rng, fan_in=1) / fan_in.astype("float32")
    net.load_state_dict(drawn if isinstance(net, layers.Module) else torch_layers.tensors(drawn), strict=False)
    return net


def _fans(layer):
    """Return how many numbers the outputs of a layer sum, of the shape of its weight and of its bias, or of ()."""
    if not hasattr(layer, "table"):
        shape = tuple(layer.weight.shape)
        fan_in = np.array(prod(shape[1:]) if len(shape) > 1 else prod(layer.kernel_size))  # (C,): subsampling
        return fan_in, fan_in
    of_maps = [len(row) * prod(layer.kernel_size) for row in layer.table]
    of_kernels = [fan_in for fan_in, row in zip(of_maps, layer.table) for _ in row]
    return np.array(of_kernels)[:, None, None], np.array(of_maps)
