"""The blocks of a net are as large as its maps, its bars are its summary's numbers, its shortcuts and branches show."""

from functools import partial

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.patches import Arc, Rectangle

from cnnlib import architectures, layers, plots
from cnnlib.architectures._blocks import MEASURES, blocks, find
from cnnlib.layers import shapes
from cnnlib.plots.architecture import BARS, TALL, THINNEST, amount

SHAPE = (3, 224, 224)
NETS = {"alexnet": architectures.alexnet, "vgg": partial(architectures.vgg, "D"), "googlenet": architectures.googlenet,
        "resnet50": partial(architectures.resnet, 50), "densenet": partial(architectures.densenet, 121),
        "mobilenet": partial(architectures.mobilenet, 2), "se_resnet": partial(architectures.se_resnet, 50)}


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def table(name):
    return architectures.summary(NETS[name], SHAPE)


def parts(ax):
    """The heights of the bars, and of the blocks, in their order."""
    found = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
    return tuple(np.array([patch.get_height() for patch in found if bool(patch.get_linewidth()) == framed])
                 for framed in (False, True))


@pytest.mark.parametrize("measure", MEASURES)
def test_bars_are_the_measure_of_each_stage(measure):
    made = table("vgg")
    bars, _ = parts(plots.plot_architecture(made, measure))
    values = {"params": [row.parameters for row in made.shown()],
              "mult-adds": [row.multiply_adds for row in made.shown()],
              "memory": [np.prod(row.output_shape) for row in made.shown()],
              "field": [row.receptive_field for row in made.shown()]}[measure]
    np.testing.assert_allclose(bars, BARS * np.array(values) / max(values), rtol=1e-12)


def test_blocks_are_as_tall_as_the_maps_and_as_wide_as_the_logarithm_of_the_channels():
    ax = plots.plot_architecture(table("vgg"))
    _, heights = parts(ax)
    sizes = np.array([224, 224, 112, 112, 112, 56, 56, 56, 56])
    np.testing.assert_allclose(heights[:9], TALL * sizes / 224, rtol=1e-12)
    width = {row.output_shape[0]: patch.get_width() for row, patch in zip(
        table("vgg").shown(), [patch for patch in ax.patches if patch.get_linewidth()])}
    assert width[512] - width[256] == pytest.approx(width[128] - width[64], rel=0.02)
    assert width[25088] > width[4096] > width[1000] > width[512]


def test_sizes_and_channels_are_written_where_they_change():
    words = [text.get_text() for text in plots.plot_architecture(table("vgg")).texts]
    for word in ("224×224", "112", "56", "28", "14", "7", "64 maps", "128", "256", "512", "25088", "4096", "1000"):
        assert words.count(word) == 1, word
    assert "103 M" in words and "parameters: 138 M in all" in words


@pytest.mark.parametrize("depth, arcs, words", [(18, 8, []), (50, 16, []), (152, 3 + 8 + 1 + 3, ["×36"])])
def test_shortcuts_are_arcs(depth, arcs, words):
    ax = plots.plot_architecture(architectures.summary(partial(architectures.resnet, depth), SHAPE))
    assert sum(isinstance(patch, Arc) for patch in ax.patches) == arcs
    assert [text.get_text() for text in ax.texts if "×" in text.get_text()][1:] == words
    plain = architectures.summary(partial(architectures.resnet, depth, shortcuts=False), SHAPE)
    assert not any(isinstance(patch, Arc) for patch in plots.plot_architecture(plain).patches)


def test_branches_are_strips_as_high_as_their_share():
    """inception3a gives 64 + 128 + 32 + 32 = 256 channels."""
    ax = plots.plot_architecture(table("googlenet"))
    assert len(ax.lines) - 1 == 9 * 3
    block = [patch for patch in ax.patches if patch.get_linewidth()][5]
    lows = [line.get_ydata()[0] for line in ax.lines[1:4]]
    np.testing.assert_allclose((np.array(lows) - block.get_y()) / block.get_height(), np.cumsum([64, 128, 32]) / 256)


@pytest.mark.parametrize("name", NETS)
def test_blocks_are_the_summary(name):
    made = table(name)
    tree = blocks(made)
    assert [block.row for block in tree] == made.shown()
    assert sum(block.measure("params") for block in tree) == made.parameters
    assert sum(block.measure("mult-adds") for block in tree) == made.multiply_adds

    def check(block):
        assert made[block.path] == block.row and find(tree, block.path) is block
        if block.blocks:
            assert sum(part.row.parameters for part in block.blocks) == block.row.parameters
            assert block.memory >= sum(part.memory for part in block.blocks)
        for part in block.blocks:
            check(part)

    for block in tree:
        check(block)


def test_where_the_first_unit_looks():
    """The field of VGG's pool5 begins 90 pixels before the photo."""
    assert find(blocks(table("vgg")), "pool5").start == (-90, -90)
    tree = blocks(table("resnet50"))
    assert find(tree, "pool1").start == (-5, -5)
    assert find(tree, "conv3_x.conv3_1").kind == "residual"
    assert [part.path for part in find(tree, "conv3_x.conv3_1").blocks] == [
        "conv3_x.conv3_1.residual.body", "conv3_x.conv3_1.residual.shortcut"]


def test_where_a_unit_looks_is_where_its_gradient_is():
    """Measured: of weights that are all positive, the gradient of one unit is there, and only there, not zero."""
    net = layers.Sequential({
        "conv": layers.Conv2d(1, 2, 5, 2, padding=1), "sum": layers.Residual(layers.Sequential(
            layers.Conv2d(2, 2, 3, padding=1), layers.Conv2d(2, 2, 3, padding=1))),
        "wide": layers.Conv2d(2, 2, 3, padding=2, dilation=2), "branches": layers.Concat(
            layers.Conv2d(2, 1, 1), layers.AvgPool2d(3, 1, padding=1)), "pool": layers.AvgPool2d(3, 2)})
    for parameter in net.parameters():
        parameter.set(np.ones(parameter.shape))
    out = net(np.ones((1, 1, 63, 63), np.float32))
    block = blocks(architectures.summary(net, (1, 63, 63)))[-1]
    assert block.row.output_shape == out.shape[1:]
    grad = np.zeros(out.shape, np.float32)
    grad[0, -1, 5, 7] = 1  # a channel of the branch that sees more
    rows, cols = np.nonzero(net.backward(grad)[0, 0])
    first = [start + jump * unit for start, unit, jump in zip(block.start, (5, 7), (block.row.jump,) * 2)]
    assert (rows.min(), cols.min()) == tuple(first)
    assert rows.max() - rows.min() + 1 == cols.max() - cols.min() + 1 == block.row.receptive_field


def test_a_further_head_looks_from_the_stage_behind_which_it_begins():
    """Measured by the gradient of a unit in the head alone; the trunk goes on to a row of numbers before its rows."""
    head = layers.Sequential({"pool": layers.AvgPool2d(3, 2), "conv": layers.Conv2d(2, 2, 3, padding=1)})
    trunk = layers.Sequential({
        "conv1": layers.Conv2d(1, 2, 5, 2, padding=2), "conv2": layers.Conv2d(2, 2, 3, padding=1),
        "conv3": layers.Conv2d(2, 2, 3, 2, padding=1), "flat": layers.Flatten(), "fc": layers.Linear(512, 2)})
    net = layers.Heads(trunk, {"side": ("conv2", head)})
    for parameter in net.parameters():
        parameter.set(np.ones(parameter.shape))
    out, side = net(np.ones((1, 1, 63, 63), np.float32))
    block = find(blocks(architectures.summary(net, (1, 63, 63))), "side")
    assert block.row.output_shape == side.shape[1:]
    grad = np.zeros(side.shape, np.float32)
    grad[0, 0, 5, 7] = 1
    rows, cols = np.nonzero(net.backward((np.zeros_like(out), grad))[0, 0])
    assert (rows.min(), cols.min()) == tuple(start + block.row.jump * unit for start, unit in zip(block.start, (5, 7)))
    assert rows.max() - rows.min() + 1 == cols.max() - cols.min() + 1 == block.row.receptive_field
    parts = [find(blocks(architectures.summary(net, (1, 63, 63))), f"side.{name}").start for name in ("pool", "conv")]
    assert parts[1] == block.start and all(first > block.start[0] for first in parts[0])


def test_googlenets_heads():
    """aux1 begins behind inception4a, which sees 171 pixels from -71 on; its pool has no zeros before it."""
    tree = blocks(architectures.summary(partial(architectures.googlenet, aux=True), SHAPE))
    assert find(tree, "inception4a").start == find(tree, "aux1.pool").start == (-71, -71)
    assert find(tree, "inception4d").start == find(tree, "aux2.pool").start == (-167, -167)
    assert find(tree, "fc").start == (-327, -327)


def test_more_than_sixty_stages_are_folded(rng):
    def deep(nn):
        return nn.Sequential({f"{kind}{k}": layer for k in range(1, 36) for kind, layer in (
            ("conv", nn.Conv2d(1, 1, 3, 2 if k % 12 == 0 else 1, padding=1)), ("bn", nn.BatchNorm2d(1)))})
    made = architectures.summary(deep, (1, 64, 64))
    tree = blocks(made)
    assert [block.path for block in tree] == ["conv1 to bn11", "conv12 to bn23", "conv24 to bn35"]
    assert [len(block.blocks) for block in tree] == [22, 24, 24]
    assert sum(block.row.parameters for block in tree) == made.parameters
    assert tree[1].row.output_shape == (1, 32, 32) and tree[1].row.receptive_field == made["bn23"].receptive_field
    assert shapes.children(made.layer("bn3")) == []
    assert len(parts(plots.plot_architecture(made))[0]) == 3


@pytest.mark.parametrize("number, words", [(0, "0"), (999, "999"), (1000, "1 k"), (999_999, "1 M"), (1792, "1.79 k"),
                                           (102_764_544, "103 M"), (15_470_264_320, "15.5 G")])
def test_amounts(number, words):
    assert amount(number) == words


def framed(ax):
    """The frames of marked stages: of the maps, then of the name."""
    return [patch.get_bbox() for patch in ax.patches if patch.get_gid() == "marked"]


def test_a_stage_is_marked():
    ax = plots.plot_architecture(table("vgg"), stage="pool5")
    maps, name = framed(ax)
    words = [text for text in ax.texts if text.get_text() == "pool5"][0]
    assert name.x0 < words.get_position()[0] < name.x1 and maps.x0 < words.get_position()[0] < maps.x1
    assert maps.height == pytest.approx(THINNEST)  # 7 of 224 pixels would be thinner
    assert framed(plots.plot_architecture(table("vgg"))) == []
    group = framed(plots.plot_architecture(table("resnet50"), stage="conv3_x"))
    inside = framed(plots.plot_architecture(table("resnet50"), stage="conv3_x.conv3_2"))
    assert [box.bounds for box in inside] == [box.bounds for box in group] and len(group) == 2


@pytest.mark.parametrize("measure", MEASURES)
def test_two_nets_are_drawn_on_one_scale(measure):
    nets = {"vgg16": table("vgg"), "alexnet": table("alexnet")}
    ax = plots.plot_architecture(nets, measure, stage={"alexnet": "conv2"})
    bars, maps = (heights[heights > 0] for heights in parts(ax))
    each = [block for made in nets.values() for block in blocks(made)]
    values = np.array([block.measure(measure) for block in each])
    np.testing.assert_allclose(bars, 0.65 * BARS * values[values > 0] / values.max(), rtol=1e-12)
    tall = [0.65 * TALL * max([1, *block.row.output_shape[1:]]) / 224 for block in each]
    np.testing.assert_allclose(maps[:22], np.maximum(tall[:22], THINNEST), rtol=1e-12)
    assert maps[22] == pytest.approx(0.65 * TALL * 55 / 224)  # AlexNet's conv1 beside VGG-16's 224
    words = [text.get_text() for text in ax.texts]
    assert any(text.startswith("vgg16, ") for text in words) and any(text.startswith("alexnet, ") for text in words)
    places = {text.get_text(): text.get_position()[1] for text in ax.texts}
    assert framed(ax)[1].y1 < places["conv1"] + 0.1 < places["conv1_1"]


def test_each_net_may_have_a_scale_of_its_own():
    nets = {"vgg16": table("vgg"), "alexnet": table("alexnet")}
    ax = plots.plot_architecture(nets, "mult-adds", own_scale=True)
    bars = [heights[heights > 0] for heights in parts(ax)][0]
    each = [np.array([block.measure("mult-adds") for block in blocks(made)]) for made in nets.values()]
    wanted = np.concatenate([values[values > 0] / values.max() for values in each])
    np.testing.assert_allclose(bars, 0.65 * BARS * wanted, rtol=1e-12)
    assert sum(text.get_text().endswith(" in all, on its own scale") for text in ax.texts) == 2
    alone = plots.plot_architecture(nets["alexnet"], "mult-adds", own_scale=True)
    assert not any("scale" in text.get_text() for text in alone.texts)


def test_errors():
    with pytest.raises(ValueError, match="`stage` is 'pool6'; the stages are conv1, .* fc8, and those in them"):
        plots.plot_architecture(table("alexnet"), stage="pool6")
    with pytest.raises(ValueError, match="`stage` is 'conv2'; the stages of vgg16 are conv1_1, "):
        plots.plot_architecture({"vgg16": table("vgg"), "alexnet": table("alexnet")}, stage="conv2")
    with pytest.raises(ValueError, match="`measure` is 'weights'; it must be one of 'params', 'mult-adds', 'memory'"):
        plots.plot_architecture(table("alexnet"), "weights")
