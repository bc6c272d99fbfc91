"""Our engine: layers that run forward and backward, on NumPy arrays or torch tensors, and losses.

The constructors are torch.nn's, and beyond them stands what the classic nets need: :class:`Residual`, :class:`Concat`,
:class:`Gate`, :class:`Heads`, and in `lenet` what LeNet-5 had of its own. This module and `cnnlib.torch_layers` stand
in for each other as the namespace ``nn`` that a net is built from. A training step is

    loss(net(x), target)
    net.zero_grad()
    net.backward_parameters(loss.backward())
    optimizer.step()
"""

from cnnlib.layers._module import Buffer, Module, Parameter
from cnnlib.layers._place import batch_innermost
from cnnlib.layers.activation import (
    GELU,
    Dropout,
    LeakyReLU,
    LogSoftmax,
    ReLU,
    ReLU6,
    ScaledTanh,
    Sigmoid,
    Softmax,
    Tanh,
)
from cnnlib.layers.branches import Concat, Gate, Heads, Residual
from cnnlib.layers.convolution import Conv2d, ConvTranspose2d
from cnnlib.layers.dense import Flatten, Identity, Linear, without_weights
from cnnlib.layers.lenet import RBF, Subsample2d, TableConv2d
from cnnlib.layers.loss import (
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    FocalLoss,
    MSELoss,
    RubbishCrossEntropyLoss,
)
from cnnlib.layers.norm import BatchNorm1d, BatchNorm2d, GroupNorm, LayerNorm, LocalResponseNorm
from cnnlib.layers.pooling import AdaptiveAvgPool2d, AvgPool2d, LPPool2d, MaxPool2d
from cnnlib.layers.scale import LayerNorm2d, Scale
from cnnlib.layers.sequential import Sequential
from cnnlib.layers.shortcut import ZeroPadShortcut

__all__ = [
    "AdaptiveAvgPool2d", "AvgPool2d", "BCEWithLogitsLoss", "BatchNorm1d", "BatchNorm2d", "Buffer", "Concat", "Conv2d",
    "ConvTranspose2d", "CrossEntropyLoss", "Dropout", "Flatten", "FocalLoss", "GELU", "Gate", "GroupNorm", "Heads",
    "Identity", "LPPool2d", "LayerNorm", "LayerNorm2d", "LeakyReLU", "Linear", "LocalResponseNorm", "LogSoftmax",
    "MSELoss", "MaxPool2d", "Module", "Parameter", "RBF", "ReLU", "ReLU6", "Residual", "RubbishCrossEntropyLoss",
    "Scale", "ScaledTanh", "Sequential", "Sigmoid", "Softmax", "Subsample2d", "TableConv2d", "Tanh", "ZeroPadShortcut",
    "batch_innermost", "without_weights",
]
