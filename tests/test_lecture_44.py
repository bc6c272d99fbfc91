"""The facts of lecture 44 that no other test holds; those about costs stand in architectures/test_googlenet.py."""

from functools import partial

import numpy as np
import pytest
from helpers import assert_close

from cnnlib import activations, conv, data, images, initializers, layers
from cnnlib.architectures import alexnet, googlenet, inception, summary
from cnnlib.architectures.googlenet import TABLE
from cnnlib.features import edges

PICTURE = (3, 224, 224)
MAPS_A = [[1, 0, 0], [0, 0, 0], [0, 0, 0]]
MAPS_B = [[0, 0, 0], [0, 1, 0], [0, 0, 2]]


def test_the_smallest_module_by_hand():
    module = inception(2, (1, 1, 1, 1, 1, 1), nn=layers).to("float64")
    for name, parameter in module.named_parameters():
        parameter.data[...] = 0 if name.endswith("bias") else 1
    out = module(np.array([[MAPS_A, MAPS_B]], dtype="float64"))[0]
    assert out[0].tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 2]]
    assert out[1].tolist() == [[2, 2, 1], [2, 4, 3], [1, 3, 3]]
    assert out[2].tolist() == [[4] * 3] * 3
    assert out[3].tolist() == [[2, 2, 1], [2, 3, 2], [1, 2, 2]]


def test_eight_compass_maps_from_four_mixtures():
    grey = data.photo("camera", size=96)
    maps = conv.conv2d(grey[None], np.array(edges.ROBINSON, dtype=float)[:, None], padding=1)
    half = np.hstack([np.eye(4), -np.eye(4)])
    few = conv.conv2d(maps, half[:, :, None, None] / 2)
    assert_close(few, np.einsum("fc,chw->fhw", half / 2, maps))
    assert_close(conv.conv2d(few, half.T[:, :, None, None]), maps)
    rectified = activations.relu(maps).reshape(8, -1)
    assert (np.linalg.matrix_rank(maps.reshape(8, -1)), np.linalg.matrix_rank(rectified)) == (4, 8)
    strengths = np.linalg.svd(rectified, compute_uv=False) ** 2
    assert round(strengths[:4].sum() / strengths.sum(), 2) == 0.97


@pytest.mark.parametrize("size, r, f, name", [(3, 96, 128, "3x3"), (5, 16, 32, "5x5")])
def test_what_a_reduction_leaves(size, r, f, name):
    naive, reduced = (summary(partial(inception, 192, TABLE["3a"], reductions=reductions), (192, 28, 28))
                      for reductions in (False, True))
    assert reduced[name].multiply_adds / naive[name].multiply_adds == pytest.approx(r / (size**2 * f) + r / 192)


def test_layers_and_the_budget():
    """57 convolutions, and 1.5 billion as the paper's table has it: all but its first row agrees with the count."""
    kinds = [type(layer).__name__ for layer in googlenet(nn=layers, width=1 / 16).modules()]
    assert (kinds.count("Conv2d"), kinds.count("Linear")) == (57, 1)
    net = summary(googlenet, PICTURE)
    paper = [360, 128, 304, 73, 88, 100, 119, 170, 54, 71, 1]  # millions, from conv2 on
    ours = [net["conv2_reduce"].multiply_adds + net["conv2"].multiply_adds,
            *(net[f"inception{name}"].multiply_adds for name in TABLE), net["fc"].multiply_adds]
    assert max(abs(count / 1e6 - said) for count, said in zip(ours, paper, strict=True)) < 3
    assert net["conv1"].multiply_adds == 9_408 * 112**2 == 118_013_952
    assert (round(64 * 3 * (7 + 7) / 1e3, 1), round(2_688 * 112**2 / 1e6)) == (2.7, 34)
    assert sum(paper) + 34 == 1_502


def test_bill_of_4a():
    """Exercise 1."""
    inside = summary(googlenet, PICTURE).inside("inception4a")
    assert [row.multiply_adds for row in inside] == [18_063_360, 44_255_232, 5_268_480, 6_021_120]
    assert inside.multiply_adds == 73_608_192


def test_dense_layers():
    table = summary(alexnet, PICTURE)
    dense = sum(table[stage].parameters for stage in ("fc6", "fc7", "fc8"))
    assert (dense, table.parameters - dense) == (58_631_144, 2_469_696)
    assert summary(googlenet, PICTURE)["fc"].parameters == 1_025_000


def test_the_scores_of_means_are_the_means_of_scores(rng):
    net = googlenet(4, width=1 / 16, nn=layers).reset_parameters(rng).to("float64").eval()
    x = rng.standard_normal((2, 3, 64, 64))
    last = net.forward_to(x, "inception5b")
    places = np.einsum("kc,nchw->nkhw", net.fc.weight.data, last) + net.fc.bias.data[:, None, None]
    assert_close(net(x), places.mean(axis=(2, 3)))


def test_from_the_paper_to_the_published_weights():
    channels = 64 + 64 + 192 + sum(map(sum, TABLE.values()))
    fewer = sum(row[3] * row[4] * (25 - 9) for row in TABLE.values())
    assert (channels, fewer) == (7_280, 380_928)
    assert 6_998_552 - fewer + channels == summary(partial(googlenet, variant="torchvision"), PICTURE).parameters


def test_heads_rescue_a_gradient_that_fades():
    """At a quarter of the width, on two photographs: thousandfold with weights of 0.01, not threefold with He's."""
    torch = pytest.importorskip("torch")
    photos = np.stack([images.to_chw(data.photo(name, size=224)) for name in ("astronaut", "cat")])
    pictures = torch.tensor((photos - photos.mean()) / photos.std(), dtype=torch.float32)

    def gain(draw):
        norms = []
        for share in (0.0, 0.3):
            net = initializers.redraw(googlenet(2, aux=True, width=1 / 4), draw, np.random.default_rng(0)).train()
            for layer in net.modules():
                if isinstance(layer, torch.nn.Dropout):
                    layer.p = 0.0
            losses = [torch.nn.functional.cross_entropy(out, torch.arange(2)) for out in net(pictures)]
            (losses[0] + share * (losses[1] + losses[2])).backward()
            norms.append(float(net.trunk["conv1"].weight.grad.norm()))
        return norms[1] / norms[0]

    assert gain(lambda shape, rng: rng.normal(0, 0.01, shape)) > 1000
    assert gain(initializers.he_normal) < 3


def test_norm_and_pool_swapped_change_the_scores_and_no_count(rng):
    """Exercise 3 (e)."""
    net = initializers.redraw(googlenet(4, width=1 / 16, nn=layers), initializers.he_normal, rng).to("float64").eval()
    stages = dict(net.named_children())
    order = list(stages)
    here = order.index("pool1")
    assert order[here:here + 2] == ["pool1", "norm1"]
    order[here:here + 2] = ["norm1", "pool1"]
    swapped = layers.Sequential({name: stages[name] for name in order}).eval()
    x = 50 * rng.standard_normal((1, 3, 64, 64))  # grey levels with their mean taken away, as the paper's
    assert sorted(swapped.state_dict()) == sorted(net.state_dict())
    assert summary(swapped, (3, 64, 64)).multiply_adds == summary(net, (3, 64, 64)).multiply_adds
    one, other = net(x), swapped(x)
    assert np.abs(one - other).max() > 1e-3 * np.abs(one).max()


def test_the_largest_reduction_that_saves():
    """Exercise 4 (a) and (b): R < K²CF / (C + K²F), which is 0.9 C for 3x3 and as many maps out as in."""
    assert [64 * r + 9 * r * 64 < 9 * 64 * 64 for r in (57, 58)] == [True, False] and 57 < 0.9 * 64 < 58
