"""Every layer as both engines make it, and the same net twice."""

import numpy as np

from cnnlib import _array, layers

IMAGE, ROW = (3, 4, 7, 8), (5, 6)
TABLE = [(0, 1, 2), (3,), (0, 3)]

LAYERS = {  # name: what makes it from a namespace, the shape of x
    "Conv2d": (lambda nn: nn.Conv2d(4, 6, (3, 2), stride=2, padding=1, groups=2), IMAGE),
    "Conv2d, no bias": (lambda nn: nn.Conv2d(4, 5, 3, dilation=2, padding="same", bias=False), IMAGE),
    "ConvTranspose2d": (lambda nn: nn.ConvTranspose2d(4, 6, 3, 2, 1, 1, groups=2), IMAGE),
    "ConvTranspose2d, no bias": (lambda nn: nn.ConvTranspose2d(4, 3, 2, dilation=2, bias=False), IMAGE),
    "Linear": (lambda nn: nn.Linear(6, 4), ROW),
    "Linear, no bias": (lambda nn: nn.Linear(8, 3, bias=False), IMAGE),
    "MaxPool2d": (lambda nn: nn.MaxPool2d(3, 2, padding=1, ceil_mode=True), IMAGE),
    "AvgPool2d": (lambda nn: nn.AvgPool2d(3, 2, padding=1, count_include_pad=False), IMAGE),
    "LPPool2d": (lambda nn: nn.LPPool2d(2, 2), IMAGE),
    "AdaptiveAvgPool2d": (lambda nn: nn.AdaptiveAvgPool2d((3, None)), IMAGE),
    "ReLU": (lambda nn: nn.ReLU(), IMAGE),
    "ReLU6": (lambda nn: nn.Sequential(nn.Conv2d(4, 4, 1), nn.ReLU6()), IMAGE),
    "Scale": (lambda nn: nn.Scale(4, 0.5), IMAGE),
    "LayerNorm2d": (lambda nn: nn.LayerNorm2d(4, eps=1e-3), IMAGE),
    "ZeroPadShortcut": (lambda nn: nn.ZeroPadShortcut(4, 7, (2, 3)), IMAGE),
    "LeakyReLU": (lambda nn: nn.LeakyReLU(0.2), IMAGE),
    "Sigmoid": (lambda nn: nn.Sigmoid(), IMAGE),
    "Tanh": (lambda nn: nn.Tanh(), IMAGE),
    "ScaledTanh": (lambda nn: nn.ScaledTanh(), IMAGE),
    "GELU": (lambda nn: nn.GELU(), IMAGE),
    "GELU, tanh": (lambda nn: nn.GELU(approximate="tanh"), IMAGE),
    "Softmax": (lambda nn: nn.Softmax(dim=1), ROW),
    "LogSoftmax": (lambda nn: nn.LogSoftmax(dim=-1), ROW),
    "Dropout, p=0": (lambda nn: nn.Dropout(0.0), IMAGE),
    "BatchNorm1d": (lambda nn: nn.BatchNorm1d(6), ROW),
    "BatchNorm2d": (lambda nn: nn.BatchNorm2d(4, eps=1e-3, momentum=0.3), IMAGE),
    "BatchNorm2d, all batches alike": (lambda nn: nn.BatchNorm2d(4, momentum=None), IMAGE),
    "BatchNorm2d, plain": (lambda nn: nn.BatchNorm2d(4, affine=False, track_running_stats=False), IMAGE),
    "LayerNorm": (lambda nn: nn.LayerNorm((7, 8), eps=1e-3), IMAGE),
    "LayerNorm, no bias": (lambda nn: nn.LayerNorm(6, bias=False), ROW),
    "LayerNorm, plain": (lambda nn: nn.LayerNorm(6, elementwise_affine=False), ROW),
    "GroupNorm": (lambda nn: nn.GroupNorm(2, 4), IMAGE),
    "LocalResponseNorm": (lambda nn: nn.LocalResponseNorm(3, 0.5, 0.75, 2.0), IMAGE),
    "Flatten": (lambda nn: nn.Flatten(), IMAGE),
    "Flatten, some": (lambda nn: nn.Flatten(1, 2), IMAGE),
    "Identity": (lambda nn: nn.Identity(), IMAGE),
    "Subsample2d": (lambda nn: nn.Subsample2d(4, (3, 2)), IMAGE),
    "TableConv2d": (lambda nn: nn.TableConv2d(TABLE, 3), IMAGE),
    "RBF": (lambda nn: nn.RBF(np.arange(12).reshape(2, 6) / 7), ROW),
    "Residual": (lambda nn: nn.Residual(nn.Conv2d(4, 4, 3, padding=1)), IMAGE),
    "Residual, shortcut": (lambda nn: nn.Residual(nn.Conv2d(4, 6, 3, 2, 1), nn.Conv2d(4, 6, 1, 2)), IMAGE),
    "Concat": (lambda nn: nn.Concat(nn.Conv2d(4, 2, 1), nn.Identity(), nn.Conv2d(4, 3, 3, padding=1)), IMAGE),
    "Concat, names": (lambda nn: nn.Concat({"a": nn.Conv2d(4, 2, 1), "b": nn.ReLU()}), IMAGE),
    "Gate": (lambda nn: nn.Gate(nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(4, 4, 1), nn.Sigmoid())), IMAGE),
    "Gate, each number": (lambda nn: nn.Gate(nn.Sigmoid()), IMAGE),
    "Sequential": (lambda nn: nn.Sequential(nn.Conv2d(4, 3, 3), nn.ReLU(), nn.MaxPool2d(2)), IMAGE),
}


def net(nn, in_channels=4):
    """A net with every container: named stages, a block within a block, branches, a gate, and two further heads."""
    block = nn.Sequential(nn.Conv2d(6, 6, 3, padding=1, bias=False), nn.BatchNorm2d(6), nn.ReLU())
    trunk = nn.Sequential({
        "conv1": nn.Conv2d(in_channels, 6, 3, padding=1), "relu1": nn.ReLU(),
        "features": nn.Sequential({"block": nn.Residual(block), "gate": nn.Gate(
            nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(6, 6, 1), nn.Sigmoid()))}),
        "mixed": nn.Concat(nn.Conv2d(6, 3, 1), nn.Sequential(nn.MaxPool2d(3, 1, 1), nn.Conv2d(6, 2, 1)), nn.Identity()),
        "pool": nn.MaxPool2d(2), "flatten": nn.Flatten(), "fc": nn.Linear(11 * 3 * 4, 5)})
    return nn.Heads(trunk, {
        "late": ("mixed", nn.Sequential({"pool": nn.AdaptiveAvgPool2d(1), "flatten": nn.Flatten(),
                                         "fc": nn.Linear(11, 5)})),
        "early": ("relu1", nn.Sequential({"pool": nn.AvgPool2d(3), "flatten": nn.Flatten(),
                                          "fc": nn.Linear(6 * 2 * 2, 5)}))})


def make(factory, rng):
    """Return our layer in float64, its weights drawn from `rng`, and moved a little: scales would begin as ones."""
    ours = factory(layers).reset_parameters(rng).to("float64")
    for parameter in ours.parameters():
        parameter.data += 0.1 * rng.standard_normal(parameter.shape)
    return ours


def twin(factory, ours):
    """Return torch's layer with the weights of ours."""
    from cnnlib import torch_layers

    theirs = factory(torch_layers).double()
    theirs.load_state_dict(torch_layers.tensors(ours.state_dict()))
    return theirs


def in_order(x, order):
    """Return NumPy x in a memory order, or as a tensor."""
    import torch

    return {"usual": np.asarray, "batch innermost": _array.batch_innermost, "torch": torch.tensor}[order](x)
