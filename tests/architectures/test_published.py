"""Each architecture has the parameters, multiply-adds, depth and receptive fields that were published."""

from functools import partial

import numpy as np
import pytest
from nets import PUBLISHED, SMALL, SMALLEST

from cnnlib import architectures, layers
from cnnlib.architectures import summary
from cnnlib.layers import shapes


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_numbers(name):
    factory, input_shape, parameters, multiply_adds, depth, fields = PUBLISHED[name]
    table = summary(factory, input_shape)
    assert table.parameters == parameters
    assert multiply_adds in (None, table.multiply_adds)
    assert depth in (None, table.depth)
    assert {stage: table[stage].receptive_field for stage in fields} == fields


@pytest.mark.parametrize("name", SMALL)
def test_the_table_agrees_with_the_net_that_runs(name, rng):
    """Output shapes stage by stage, and parameters, against a forward pass that the table has not seen."""
    factory, input_shape = SMALL[name]
    net = factory(nn=layers).reset_parameters(rng).eval()
    table = summary(net, input_shape)
    x = rng.standard_normal((2, *input_shape)).astype("float32")
    trunk = getattr(net, "trunk", net)
    for row, (stage, layer) in zip(table, trunk.named_children()):
        x = layer(x)
        assert (row.stage, row.output_shape) == (stage, x.shape[1:])
    assert table.parameters == sum(parameter.numel() for parameter in net.parameters())


@pytest.mark.parametrize("name", SMALL)
def test_both_engines_have_the_same_table(name):
    pytest.importorskip("torch")
    factory, input_shape = SMALL[name]
    assert list(summary(factory(), input_shape)) == list(summary(factory, input_shape))


@pytest.mark.parametrize("engine", ["ours", "torch"])
@pytest.mark.parametrize("name", SMALLEST)
def test_a_picture_too_small_is_refused_with_the_size_that_works(name, engine):
    """Square, too low, too narrow: the message names the picture that came."""
    factory, size, stage = SMALLEST[name]
    if engine == "torch":
        torch = pytest.importorskip("torch")
    net = factory(width=1 / 16, **({"nn": layers} if engine == "ours" else {})).eval()
    for shape in ((size - 1, size - 1), (size - 1, size + 1), (size + 1, size - 1)):
        message = (rf"in stage '{stage}'.*the smallest square picture that the net takes is {size} x {size}, "
                   rf"this one is {shape[0]} x {shape[1]}$")
        with pytest.raises(ValueError, match=message):
            summary(net, (3, *shape))
        x = np.zeros((1, 3, *shape), dtype="float32")
        with pytest.raises((ValueError, RuntimeError), match=message):
            net(torch.tensor(x) if engine == "torch" else x)
    for shape in ((size, size), (size, size + 1), (size + 1, size)):
        assert summary(net, (3, *shape)).parameters


@pytest.mark.parametrize("name", [name for name in SMALL if name.startswith(("resnet", "se_resnet", "mobilenet"))])
def test_a_net_that_ends_in_one_average_takes_every_picture(name):
    assert shapes.smallest(SMALL[name][0](nn=layers), 3) == 1


@pytest.mark.parametrize("shape", [(36, 36), (34, 40), (40, 32), (31, 52), (52, 31)])
def test_a_net_of_one_size_of_maps_tells_the_largest_picture_too(shape):
    """LeNet-5: whatever side is too long or too short."""
    message = rf"takes are 32 x 32 to 35 x 35, this one is {shape[0]} x {shape[1]}$"
    with pytest.raises(ValueError, match=f"in stage 'c5'.*the square pictures that the net {message}"):
        summary(architectures.lenet5, (1, *shape))


def test_every_factory_is_here():
    """A net that is exported is held to its numbers, and has a twin."""
    factories = {name for name in architectures.__all__ if name[0].islower()} - {
        "inception", "load_torchvision_weights", "pretrained", "published_crop", "published_input", "summary"}
    for table in (PUBLISHED, SMALL):
        there = {getattr(entry[0], "func", entry[0]).__name__ for entry in table.values()}
        assert factories - there == set()


@pytest.mark.parametrize("change, message", [
    (dict(num_classes=0), "`num_classes` is 0"),
    (dict(in_channels=-1), "`in_channels` is -1"),
    (dict(width=0), "`width` is 0"),
    (dict(nn="torch"), "`nn` is 'torch'"),
])
def test_bad_arguments(change, message):
    with pytest.raises((ValueError, TypeError), match=message):
        architectures.alexnet(**{"nn": layers, **change})


def test_depths_that_no_table_has():
    with pytest.raises(ValueError, match="`depth` is 20; it must be one of 18, 34, 50, 101, 152"):
        architectures.resnet(20, nn=layers)
    with pytest.raises(ValueError, match=r"`depth` is 21; it must be 6 n \+ 2"):
        architectures.resnet_cifar(21, nn=layers)


def test_what_a_plain_twin_lacks():
    """The projections of the nets for ImageNet, and nothing of those for small pictures."""
    plain, residual = (summary(partial(architectures.resnet, 34, shortcuts=shortcuts), (3, 224, 224))
                       for shortcuts in (False, True))
    assert residual.parameters - plain.parameters == sum(a * b + 2 * b for a, b in ((64, 128), (128, 256), (256, 512)))
    assert plain.depth == residual.depth == 34
    small = [summary(partial(architectures.resnet_cifar, 20, shortcuts=shortcuts), (3, 32, 32)) for shortcuts in
             (False, True)]
    assert [tuple(row) for row in small[0]] == [tuple(row) for row in small[1]]


@pytest.mark.parametrize("depth", [20, 110])
def test_what_option_b_adds(depth):
    """A 1x1 convolution with batch norm at each of two changes of shape, whatever the depth."""
    zeros, projections = (summary(partial(architectures.resnet_cifar, depth, **option), (3, 32, 32)) for option in (
        {}, {"option": "B"}))
    assert projections.parameters - zeros.parameters == 16 * 32 + 2 * 32 + 32 * 64 + 2 * 64 == 2_752
    grown = {row.stage: row.parameters - zeros[row.stage].parameters for row in projections}
    assert {stage: number for stage, number in grown.items() if number} == {"conv3_x": 576, "conv4_x": 2_176}
    bare = architectures.resnet_cifar(8, option="B", norm=False, nn=layers).conv3_x.conv3_1.residual.shortcut
    assert [name for name, _ in bare.named_parameters()] == ["conv.weight", "conv.bias"]
    with pytest.raises(ValueError, match="`option` is 'C'; it must be one of 'A', 'B'"):
        architectures.resnet_cifar(8, option="C", nn=layers)


def test_without_norm_a_convolution_has_a_bias():
    """One bias for two numbers of batch norm."""
    norm, bare = (architectures.resnet_cifar(8, norm=norm, nn=layers) for norm in (True, False))
    assert len(bare.parameters()) == len(norm.parameters()) - 7
    assert [name for name, _ in norm.named_parameters() if name.endswith("conv1.bias")] == []
    assert summary(norm, (3, 8, 8)).parameters - summary(bare, (3, 8, 8)).parameters == 16 * 3 + 32 * 2 + 64 * 2
