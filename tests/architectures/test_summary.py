"""The table of a net: rows, what is inside a stage, paths side by side, and how it is written."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from cnnlib import architectures, geometry, layers
from cnnlib.architectures import summary
from cnnlib.layers import shapes


def test_a_chain_by_hand():
    net = layers.Sequential({"conv": layers.Conv2d(3, 4, 5, stride=2, padding=1), "relu": layers.ReLU(),
                             "pool": layers.MaxPool2d(3, 2), "flatten": layers.Flatten(), "fc": layers.Linear(36, 10)})
    table = summary(net, (3, 15, 15))
    assert [tuple(row) for row in table] == [
        ("conv", (4, 7, 7), 304, 300 * 49, 5, 2), ("relu", (4, 7, 7), 0, 0, 5, 2), ("pool", (4, 3, 3), 0, 0, 9, 4),
        ("flatten", (36,), 0, 0, 17, 4), ("fc", (10,), 370, 360, 17, 4)]
    assert (table.parameters, table.multiply_adds, table.depth) == (674, 15_060, 2)
    assert (table["pool"].receptive_field, 4) == geometry.receptive_field([(5, 2), (3, 2)])


def test_paths_side_by_side():
    """The largest field and depth of the branches, the products of all."""
    branches = layers.Concat({"small": layers.Conv2d(2, 3, 1), "large": layers.Sequential(
        layers.Conv2d(2, 4, 3, padding=1), layers.Conv2d(4, 5, 3, padding=1)), "same": layers.Identity()})
    table = summary(layers.Sequential({"mixed": branches}), (2, 6, 6))
    assert tuple(table["mixed"]) == ("mixed", (10, 6, 6), 9 + 76 + 185, 36 * (6 + 72 + 180), 5, 1)
    assert table.depth == 2
    assert [row.receptive_field for row in table.inside("mixed")] == [1, 5, 1]


def test_branches_whose_steps_differ_are_refused():
    with pytest.raises(ValueError, match=r"lie \(1, 1\) and \(2, 2\) pixels apart"):
        summary(layers.Sequential(layers.Concat(layers.Conv2d(1, 1, 1, stride=2), layers.Sequential(
            layers.Conv2d(1, 1, 4), layers.Identity()))), (1, 6, 6))


def test_a_gate_is_no_path_but_costs():
    gate = layers.Gate(layers.Sequential(layers.AdaptiveAvgPool2d(1), layers.Conv2d(4, 4, 1), layers.Sigmoid()))
    table = summary(layers.Sequential({"gate": gate}), (4, 5, 5))
    assert tuple(table["gate"]) == ("gate", (4, 5, 5), 20, 16, 1, 1) and table.depth == 0


def test_heads_are_rows_of_their_own():
    trunk = layers.Sequential({"conv": layers.Conv2d(1, 2, 3), "flatten": layers.Flatten(), "fc": layers.Linear(18, 4)})
    head = layers.Sequential({"pool": layers.AdaptiveAvgPool2d(1), "flatten": layers.Flatten(),
                              "fc": layers.Linear(2, 4)})
    table = summary(layers.Heads(trunk, {"aux": ("conv", head)}), (1, 5, 5))
    assert [row.stage for row in table] == ["conv", "flatten", "fc", "aux"]
    assert tuple(table["aux"]) == ("aux", (4,), 12, 8, 5, 1)
    assert table.parameters == 20 + 76 + 12 and table.inside("aux")["fc"].parameters == 12


def test_a_transposed_convolution_looks_closer():
    table = summary(layers.Sequential(layers.Conv2d(1, 2, 3, stride=2), layers.ConvTranspose2d(2, 1, 2, stride=2)),
                    (1, 9, 9))
    assert table[1].output_shape == (1, 8, 8) and table[1].jump == 1 and table[1].receptive_field == 3


def test_rows_and_columns_may_differ():
    table = summary(layers.Sequential(layers.Conv2d(1, 1, (1, 7), stride=(1, 2))), (1, 8, 9))
    assert table[0].receptive_field == (1, 7) and table[0].jump == (1, 2)


@pytest.mark.parametrize("stage, size", [("conv2_x", 35), ("conv3_x", 99)])
def test_the_field_is_what_a_gradient_reaches(stage, size):
    """A twin of one channel whose weights are all positive: each pixel that is seen has a gradient, and no other."""
    net = architectures.resnet(50, width=1 / 64, nn=layers)
    net.pool1 = layers.AvgPool2d(3, 2, padding=1)  # a maximum passes its gradient to one pixel
    net.to("float64").eval()
    for parameter in net.parameters():
        parameter.data[...] = np.abs(parameter.data) + 0.1
    x = np.ones((1, 3, 256, 256))
    out = net.forward_to(x, stage)
    grad = np.zeros_like(out)
    grad[0, 0, out.shape[2] // 2, out.shape[3] // 2] = 1
    reached = np.argwhere(net.backward(grad)[0].sum(axis=0))
    assert tuple(np.ptp(reached, axis=0) + 1) == (size, size)


def test_inside_and_dots():
    table = summary(partial(architectures.resnet, 18), (3, 224, 224))
    assert table["conv3_x.conv3_1"] == table.inside("conv3_x")[0]
    assert sum(row.parameters for row in table.inside("conv3_x")) == table["conv3_x"].parameters
    paths = table.inside("conv3_x").inside("conv3_1").inside("residual")
    assert [(row.stage, row.receptive_field) for row in paths] == [("body", 67), ("shortcut", 43)]
    with pytest.raises(KeyError, match="there is no stage 'conv9'; there are conv1, bn1"):
        table["conv9"]
    with pytest.raises(ValueError, match="stage 'conv1' is a Conv2d, which has no stages in it"):
        table.inside("conv1")


def test_how_it_is_written():
    table = summary(architectures.alexnet, (3, 224, 224))
    lines = str(table).splitlines()
    assert lines[0].split() == ["stage", "output", "shape", "parameters", "multiply-adds", "sees", "step"]
    assert "256 x 6 x 6" in lines[9] and "relu1" not in str(table) and lines[-1].split() == [
        "depth", "8", "61,100,840", "714,188,480"]
    assert len({len(line) for line in lines[:1] + lines[2:-2]}) == 1  # columns stand below each other
    html = table._repr_html_()
    assert html.count("<tr>") == len(lines) - 2 and "61,100,840" in html


def test_a_layer_of_ones_own_tells_its_reach():
    class Halve(layers.Identity):
        def reach(self, before):
            return before.through((before.shape[0], before.shape[1] // 2, before.shape[2] // 2), 2, 2)

    assert summary(layers.Sequential(Halve()), (1, 8, 8))[0] == ("0", (1, 4, 4), 0, 0, 2, 2)

    class Unknown(layers.Module):
        def forward(self, x):
            return x

    with pytest.raises(TypeError, match="in stage '0'.*Unknown has no rule of shapes; give its class a method"):
        summary(layers.Sequential(Unknown()), (1, 8, 8))

    class Another(layers.ReLU):
        def forward(self, x):
            return x[:, :1]

    with pytest.raises(TypeError, match="Another has no rule of shapes"):  # a subclass that computes something else
        summary(layers.Sequential(Another()), (1, 8, 8))


@pytest.mark.parametrize("bad, message", [
    ((3, 224), r"`input_shape` is \(3, 224\)"), ((1, 3, 224, 224), "without the batch"), ((3, 0, 8), "at least 1"),
    ((3, 8.0, 8), "whole number"), (224, "`input_shape` is 224")])
def test_bad_input_shapes(bad, message):
    with pytest.raises((ValueError, TypeError), match=message):
        summary(architectures.alexnet, bad)


def test_no_net():
    with pytest.raises(TypeError, match="`model` is 'alexnet'; it must be a net"):
        summary("alexnet", (3, 224, 224))


def test_the_wrong_channels_have_no_size_that_works():
    with pytest.raises(ValueError, match="`x`") as caught:
        summary(architectures.alexnet, (4, 224, 224))
    assert "smallest" not in str(caught.value)


def test_reach_is_a_value():
    begin = shapes.start((3, 8, 8))
    assert begin == shapes.Reach((3, 8, 8)) and replace(begin, depth=1).depth == 1
