"""Every architecture: where its published numbers stand, and a small form of it for the twins.

One entry for each net. A small form has few channels and small pictures; everything else is the paper's.
"""

from functools import partial

from cnnlib import architectures as a

# name: (factory, input_shape, parameters, multiply-adds or None, depth or None, {stage: receptive field})
PUBLISHED = {
    # LeCun 1998, section II.B; and the form of today
    "lenet5_1998": (a.lenet5_1998, (1, 32, 32), 60_000, 326_520, 5, {
        "c1": 5, "s2": 6, "c3": 14, "s4": 16, "c5": 32, "output": 32}),
    "lenet5": (a.lenet5, (1, 32, 32), 61_706, 416_520, 5, {"c1": 5, "s2": 6, "c3": 14, "s4": 16, "c5": 32}),
    # Krizhevsky 2012: two towers of 60 million; torchvision's one tower
    "alexnet_2012": (a.alexnet_2012, (3, 227, 227), 60_965_224, 724_406_816, 8, {
        "conv1": 11, "pool1": 19, "conv2": 51, "pool2": 67, "conv3": 99, "conv4": 131, "conv5": 163, "pool5": 195}),
    "alexnet": (a.alexnet, (3, 224, 224), 61_100_840, 714_188_480, 8, {"conv5": 163, "pool5": 195}),
    # Zeiler & Fergus 2014
    "zfnet": (a.zfnet, (3, 224, 224), 62_357_608, 1_168_032_896, 8, {
        "conv1": 7, "pool1": 11, "conv2": 27, "pool2": 43, "conv3": 75, "conv4": 107, "conv5": 139, "pool5": 171}),
    # Simonyan & Zisserman 2015; with batch norm, torchvision's
    "vgg A": (partial(a.vgg, "A"), (3, 224, 224), 132_863_336, 7_609_090_048, 11, {
        "pool1": 4, "pool2": 10, "pool3": 30, "pool4": 70, "conv5_2": 134, "pool5": 150}),
    "vgg A-LRN": (partial(a.vgg, "A-LRN"), (3, 224, 224), 132_863_336, 7_609_090_048, 11, {"norm1_1": 3, "pool5": 150}),
    "vgg B": (partial(a.vgg, "B"), (3, 224, 224), 133_047_848, 11_308_466_176, 13, {
        "pool1": 6, "pool2": 16, "pool3": 36, "pool4": 76, "conv5_2": 140, "pool5": 156}),
    "vgg C": (partial(a.vgg, "C"), (3, 224, 224), 133_638_952, 11_770_888_192, 16, {"conv5_3": 140, "pool5": 156}),
    "vgg D": (partial(a.vgg, "D"), (3, 224, 224), 138_357_544, 15_470_264_320, 16, {
        "pool1": 6, "pool2": 16, "pool3": 44, "pool4": 100, "conv5_1": 132, "conv5_2": 164, "conv5_3": 196,
        "pool5": 212}),
    "vgg E": (partial(a.vgg, "E"), (3, 224, 224), 143_667_240, 19_632_062_464, 19, {
        "pool3": 52, "pool4": 124, "conv5_4": 252, "pool5": 268}),
    "vgg A, batch norm": (partial(a.vgg, "A", batch_norm=True), (3, 224, 224), 132_868_840, 7_609_090_048, 11, {}),
    "vgg B, batch norm": (partial(a.vgg, "B", batch_norm=True), (3, 224, 224), 133_053_736, 11_308_466_176, 13, {}),
    "vgg C, batch norm": (partial(a.vgg, "C", batch_norm=True), (3, 224, 224), 133_647_400, 11_770_888_192, 16, {}),
    "vgg D, batch norm": (partial(a.vgg, "D", batch_norm=True), (3, 224, 224), 138_365_992, 15_470_264_320, 16, {}),
    "vgg E, batch norm": (partial(a.vgg, "E", batch_norm=True), (3, 224, 224), 143_678_248, 19_632_062_464, 19, {}),
    # Szegedy 2015, table 1 (whose text says 1.5 billion multiply-adds); torchvision's with 3x3 in place of 5x5
    "googlenet": (a.googlenet, (3, 224, 224), 6_998_552, 1_582_671_872, 22, {
        "conv2": 19, "inception3b": 91, "inception4e": 427, "inception5b": 715}),
    "googlenet, heads": (partial(a.googlenet, aux=True), (3, 224, 224), 6_998_552 + 3_188_840 + 3_190_888, None, 22, {
        "inception5b": 715}),
    "googlenet, torchvision": (partial(a.googlenet, variant="torchvision"), (3, 224, 224), 6_624_904, 1_498_376_192, 22,
                               {"inception3b": 59, "inception4e": 235, "pool4": 251, "inception5a": 315,
                                "inception5b": 379}),
    "googlenet, torchvision, heads": (partial(a.googlenet, aux=True, variant="torchvision"), (3, 224, 224), 13_004_888,
                                      None, 22, {"inception5b": 379}),
    # He 2016, the paper's stride in the first 1x1; torchvision's in the 3x3
    "resnet18": (partial(a.resnet, 18), (3, 224, 224), 11_689_512, 1_814_073_344, 18, {
        "conv2_x": 43, "conv3_x": 99, "conv4_x": 211, "conv5_x": 435}),
    "resnet34": (partial(a.resnet, 34), (3, 224, 224), 21_797_672, 3_663_761_408, 34, {
        "conv2_x": 59, "conv3_x": 179, "conv4_x": 547, "conv5_x": 899}),
    "resnet50": (partial(a.resnet, 50), (3, 224, 224), 25_557_032, 3_857_973_248, 50, {
        "conv2_x": 35, "conv3_x": 99, "conv4_x": 291, "conv5_x": 483}),
    "resnet101": (partial(a.resnet, 101), (3, 224, 224), 44_549_160, 7_570_194_432, 101, {"conv5_x": 1027}),
    "resnet152": (partial(a.resnet, 152), (3, 224, 224), 60_192_808, 11_282_415_616, 152, {"conv5_x": 1507}),
    "resnet50, torchvision": (partial(a.resnet, 50, variant="torchvision"), (3, 224, 224), 25_557_032, 4_089_184_256,
                              50, {"conv2_x": 35, "conv3_x": 91, "conv4_x": 267, "conv5_x": 427}),
    "resnet101, torchvision": (partial(a.resnet, 101, variant="torchvision"), (3, 224, 224), 44_549_160,
                               7_801_405_440, 101, {"conv5_x": 971}),
    "resnet152, torchvision": (partial(a.resnet, 152, variant="torchvision"), (3, 224, 224), 60_192_808,
                               11_513_626_624, 152, {"conv5_x": 1451}),
    "resnet20": (partial(a.resnet_cifar, 20), (3, 32, 32), 269_722, 40_551_040, 20, {}),
    "resnet20, option B": (partial(a.resnet_cifar, 20, option="B"), (3, 32, 32), 269_722 + 2_752, 40_813_184, 20, {}),
    "resnet32": (partial(a.resnet_cifar, 32), (3, 32, 32), 464_154, None, 32, {}),
    "resnet44": (partial(a.resnet_cifar, 44), (3, 32, 32), 658_586, None, 44, {}),
    "resnet56": (partial(a.resnet_cifar, 56), (3, 32, 32), 853_018, None, 56, {}),
    "resnet110": (partial(a.resnet_cifar, 110), (3, 32, 32), 1_727_962, None, 110, {}),
    # after ResNet
    "se_resnet50": (partial(a.se_resnet, 50), (3, 224, 224), 28_088_024, None, 50, {"conv5_x": 483}),
    "densenet121": (partial(a.densenet, 121), (3, 224, 224), 7_978_856, 2_834_161_664, 121, {}),
    "mobilenet1": (partial(a.mobilenet, 1), (3, 224, 224), 4_231_976, 568_740_352, 28, {}),
    "mobilenet2": (partial(a.mobilenet, 2), (3, 224, 224), 3_504_872, 300_774_272, 53, {}),
    "convnext_tiny": (a.convnext, (3, 224, 224), 28_589_128, 4_455_531_264, 59, {}),
}

# name: (factory of a small form, its input_shape)
SMALL = {
    "lenet5_1998": (partial(a.lenet5_1998, 7, 2), (2, 32, 32)),
    "lenet5": (partial(a.lenet5, 7, width=1 / 2), (1, 32, 32)),
    "alexnet_2012": (partial(a.alexnet_2012, 7, width=1 / 16), (3, 227, 227)),
    "alexnet": (partial(a.alexnet, 7, width=1 / 16), (3, 70, 80)),
    "vgg A-LRN": (partial(a.vgg, "A-LRN", 7, width=1 / 32), (3, 33, 40)),
    "vgg C": (partial(a.vgg, "C", 7, width=1 / 32), (3, 33, 40)),
    "vgg D, batch norm": (partial(a.vgg, "D", 7, batch_norm=True, width=1 / 32), (3, 33, 40)),
    "vgg E": (partial(a.vgg, "E", 7, width=1 / 32), (3, 33, 40)),
    "googlenet": (partial(a.googlenet, 7, width=1 / 16), (3, 40, 48)),
    "googlenet, heads": (partial(a.googlenet, 7, aux=True, width=1 / 16), (3, 223, 223)),
    # wider and larger: where a branch has one channel, which engine rounds better is luck
    "googlenet, torchvision": (partial(a.googlenet, 7, variant="torchvision", width=1 / 8), (3, 64, 72)),
    "googlenet, torchvision, heads": (partial(a.googlenet, 7, aux=True, variant="torchvision", width=1 / 8),
                                      (3, 64, 72)),
    "googlenet, naive": (partial(a.googlenet, 7, reductions=False, width=1 / 16), (3, 40, 48)),
    "resnet18": (partial(a.resnet, 18, 7, width=1 / 8), (3, 40, 48)),
    "resnet50": (partial(a.resnet, 50, 7, width=1 / 16), (3, 40, 48)),
    "resnet50, torchvision": (partial(a.resnet, 50, 7, variant="torchvision", width=1 / 16), (3, 40, 48)),
    "resnet18, plain": (partial(a.resnet, 18, 7, shortcuts=False, width=1 / 8), (3, 40, 48)),
    "zfnet": (partial(a.zfnet, 7, width=1 / 16), (3, 100, 110)),
    "se_resnet50": (partial(a.se_resnet, 50, 7, width=1 / 16, reduction=4), (3, 40, 48)),
    "densenet121": (partial(a.densenet, 121, 7, width=1 / 8), (3, 64, 70)),
    "mobilenet1": (partial(a.mobilenet, 1, 7, width=1 / 8), (3, 40, 48)),
    "mobilenet2": (partial(a.mobilenet, 2, 7, width=1 / 8), (3, 40, 48)),
    "convnext_tiny": (partial(a.convnext, "tiny", 7, width=1 / 12), (3, 64, 70)),
    "resnet20": (partial(a.resnet_cifar, 20, 7, width=1 / 4), (3, 16, 20)),
    "resnet20, option B": (partial(a.resnet_cifar, 20, 7, option="B", width=1 / 4), (3, 16, 20)),
    "resnet20, no norm": (partial(a.resnet_cifar, 20, 7, norm=False, width=1 / 4), (3, 16, 20)),
    "resnet20, plain": (partial(a.resnet_cifar, 20, 7, shortcuts=False, width=1 / 4), (3, 16, 20)),
}

# name: (factory, the smallest square picture, the stage that fails on one that is a pixel smaller); others take any
SMALLEST = {
    "lenet5_1998": (lambda width=1, **engine: a.lenet5_1998(10, 3, **engine), 32, "c5"),
    "lenet5": (partial(a.lenet5, 10, 3), 32, "c5"),
    "alexnet_2012": (a.alexnet_2012, 227, "fc6"),
    "alexnet": (a.alexnet, 63, "pool5"),
    "zfnet": (a.zfnet, 53, "pool5"),
    "vgg A": (partial(a.vgg, "A"), 32, "pool5"),
    "vgg A-LRN": (partial(a.vgg, "A-LRN"), 32, "pool5"),
    "vgg B": (partial(a.vgg, "B"), 32, "pool5"),
    "vgg C": (partial(a.vgg, "C"), 32, "pool5"),
    "vgg D, batch norm": (partial(a.vgg, "D", batch_norm=True), 32, "pool5"),
    "vgg E": (partial(a.vgg, "E"), 32, "pool5"),
    "googlenet": (a.googlenet, 31, "pool4"),
    "googlenet, torchvision": (partial(a.googlenet, variant="torchvision"), 15, "pool3"),
    "densenet121": (partial(a.densenet, 121), 29, "transition3.pool"),
    "convnext_tiny": (a.convnext, 32, "down4.conv"),
}
