"""The classic networks: one file for each paper, one definition for both engines.

Each factory returns a Sequential of stages that carry the paper's names. ``nn=cnnlib.layers`` builds it of our own
layers, for NumPy; without `nn` it is an ordinary torch.nn.Module. Both have the same names in their state_dict.
:func:`summary` computes shapes, parameters, multiply-adds and receptive fields of either, without running it.
"""

from cnnlib.architectures._names import NAMED
from cnnlib.architectures.alexnet import alexnet, alexnet_2012
from cnnlib.architectures.convnext import convnext
from cnnlib.architectures.densenet import densenet
from cnnlib.architectures.googlenet import googlenet, inception
from cnnlib.architectures.lenet import lenet5, lenet5_1998
from cnnlib.architectures.mobilenet import mobilenet
from cnnlib.architectures.pretrained import pretrained, published_crop, published_input
from cnnlib.architectures.resnet import resnet, resnet_cifar
from cnnlib.architectures.senet import se_resnet
from cnnlib.architectures.summary import Row, Summary, summary
from cnnlib.architectures.vgg import vgg
from cnnlib.architectures.weights import load_torchvision_weights
from cnnlib.architectures.zfnet import zfnet

__all__ = [
    "NAMED",
    "Row",
    "Summary",
    "alexnet",
    "alexnet_2012",
    "convnext",
    "densenet",
    "googlenet",
    "inception",
    "lenet5",
    "lenet5_1998",
    "load_torchvision_weights",
    "mobilenet",
    "pretrained",
    "published_crop",
    "published_input",
    "resnet",
    "resnet_cifar",
    "se_resnet",
    "summary",
    "vgg",
    "zfnet",
]
