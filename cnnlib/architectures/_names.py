"""The nets that are called by a name: the factory, and the picture that its paper was written for."""

from functools import partial

from cnnlib.architectures.alexnet import alexnet, alexnet_2012
from cnnlib.architectures.convnext import convnext
from cnnlib.architectures.densenet import densenet
from cnnlib.architectures.googlenet import googlenet
from cnnlib.architectures.lenet import lenet5, lenet5_1998
from cnnlib.architectures.mobilenet import mobilenet
from cnnlib.architectures.resnet import resnet, resnet_cifar
from cnnlib.architectures.senet import se_resnet
from cnnlib.architectures.vgg import vgg
from cnnlib.architectures.zfnet import zfnet

NAMED = {
    "lenet5_1998": (lenet5_1998, (1, 32, 32)),
    "lenet5": (lenet5, (1, 32, 32)),
    "alexnet_2012": (alexnet_2012, (3, 227, 227)),
    "alexnet": (alexnet, (3, 224, 224)),
    "zfnet": (zfnet, (3, 224, 224)),
    "vgg11": (partial(vgg, "A"), (3, 224, 224)),
    "vgg13": (partial(vgg, "B"), (3, 224, 224)),
    "vgg16": (partial(vgg, "D"), (3, 224, 224)),
    "vgg19": (partial(vgg, "E"), (3, 224, 224)),
    "vgg11_bn": (partial(vgg, "A", batch_norm=True), (3, 224, 224)),
    "vgg13_bn": (partial(vgg, "B", batch_norm=True), (3, 224, 224)),
    "vgg16_bn": (partial(vgg, "D", batch_norm=True), (3, 224, 224)),
    "vgg19_bn": (partial(vgg, "E", batch_norm=True), (3, 224, 224)),
    "googlenet": (googlenet, (3, 224, 224)),
    "resnet18": (partial(resnet, 18), (3, 224, 224)),
    "resnet34": (partial(resnet, 34), (3, 224, 224)),
    "resnet50": (partial(resnet, 50), (3, 224, 224)),
    "resnet101": (partial(resnet, 101), (3, 224, 224)),
    "resnet152": (partial(resnet, 152), (3, 224, 224)),
    "resnet20": (partial(resnet_cifar, 20), (3, 32, 32)),
    "resnet32": (partial(resnet_cifar, 32), (3, 32, 32)),
    "resnet44": (partial(resnet_cifar, 44), (3, 32, 32)),
    "resnet56": (partial(resnet_cifar, 56), (3, 32, 32)),
    "resnet110": (partial(resnet_cifar, 110), (3, 32, 32)),
    "se_resnet50": (partial(se_resnet, 50), (3, 224, 224)),
    "densenet121": (partial(densenet, 121), (3, 224, 224)),
    "mobilenet1": (partial(mobilenet, 1), (3, 224, 224)),
    "mobilenet2": (partial(mobilenet, 2), (3, 224, 224)),
    "convnext_tiny": (convnext, (3, 224, 224)),
}
