"""The facts of lecture 43: what stacks of small filters reach and cost, where VGG's numbers are, and how it starts."""

from functools import partial

import numpy as np
import pytest
from helpers import assert_close

from cnnlib import architectures, conv, data, geometry, images, initializers, inspection, layers
from cnnlib.architectures.vgg import TABLE

PICTURE = (3, 224, 224)


@pytest.fixture(scope="module")
def nets():
    return {name: architectures.summary(partial(architectures.vgg, name), PICTURE) for name in TABLE}


@pytest.mark.parametrize("n, stack, large", [(2, 18, 25), (3, 27, 49), (5, 45, 121)])
def test_a_stack_against_one_large_filter(n, stack, large):
    assert geometry.receptive_field([(3, 1)] * n) == geometry.receptive_field([(2 * n + 1, 1)]) == (2 * n + 1, 1)
    assert n * geometry.conv_parameters(64, 64, 3, bias=False) == stack * 64**2
    assert geometry.conv_parameters(64, 64, 2 * n + 1, bias=False) == large * 64**2
    assert n * geometry.conv_multiply_adds(64, 64, 3, 56) * large == geometry.conv_multiply_adds(
        64, 64, 2 * n + 1, 56) * stack


def test_the_paper_s_percentages():
    assert (round(49 / 27, 2), round(1 - 27 / 49, 2)) == (1.81, 0.45)


def test_two_filters_are_one(rng):
    x = rng.normal(size=(1, 1, 12, 11))
    first, second = rng.normal(size=(2, 1, 1, 3, 3))
    joined = conv.conv2d(np.pad(second, ((0, 0), (0, 0), (2, 2), (2, 2))), first[..., ::-1, ::-1])
    assert joined.shape == (1, 1, 5, 5)
    assert_close(conv.conv2d(conv.conv2d(x, first), second), conv.conv2d(x, joined))


@pytest.mark.parametrize("maps, rank", [(1, 17), (2, 25)])
def test_which_filters_of_five_a_pair_of_three_reaches(maps, rank, rng):
    """The rank of the joined filter's Jacobian, by differences: bilinear, so a step of 1 in one factor is exact."""
    first, second = rng.normal(size=(maps, 1, 3, 3)), rng.normal(size=(1, maps, 3, 3))
    spot = np.zeros((1, 1, 9, 9))
    spot[..., 4, 4] = 1

    def joined(first, second):
        return conv.conv2d(conv.conv2d(spot, first), second).ravel()

    here = joined(first, second)
    moves = [joined(first + step.reshape(first.shape), second) - here for step in np.eye(first.size)]
    moves += [joined(first, second + step.reshape(second.shape)) - here for step in np.eye(second.size)]
    assert np.linalg.matrix_rank(np.array(moves)) == rank


def test_the_control_made_exact_is_one_filter_of_seven(rng):
    """Three layers without ReLU, all zeros before the first, on 8 x 8; with zeros between, the border differs."""
    x = rng.normal(size=(1, 1, 8, 8))
    weights = [rng.normal(size=shape) for shape in ((4, 1, 3, 3), (4, 4, 3, 3), (1, 4, 3, 3))]

    def chain(x, *paddings):
        for weight, padding in zip(weights, paddings):
            x = conv.conv2d(x, weight, padding=padding)
        return x

    spot = np.zeros((1, 1, 7, 7))
    spot[..., 3, 3] = 1
    one = conv.conv2d(x, chain(spot, 3, 0, 0)[..., ::-1, ::-1], padding=3)
    assert_close(chain(x, 3, 0, 0), one)
    between = chain(x, 1, 1, 1)
    assert_close(between[..., 3:5, 3:5], one[..., 3:5, 3:5])
    assert np.abs(between - one).max() > 0.1 * np.abs(one).max()
    assert round((12**2 + 10**2 + 8**2) / (3 * 8**2), 1) == 1.6  # places where its weights work


def test_the_bodies_of_the_experiment_cost_the_same():
    """27 C² with 16 maps, 49 C² with 12, and what goes before and after."""
    work = [geometry.conv_multiply_adds(1, c, 3, 8) + n * geometry.conv_multiply_adds(c, c, k, 8) + 10 * c
            for c, n, k in ((16, 3, 3), (12, 1, 7))]
    parameters = [geometry.conv_parameters(1, c, 3) + n * geometry.conv_parameters(c, c, k) + 10 * c + 10
                  for c, n, k in ((16, 3, 3), (12, 1, 7))]
    assert (work, parameters) == ([451_744, 458_616], [7_290, 7_318])
    assert max(work) / min(work) < 1.02 and max(parameters) / min(parameters) < 1.02
    assert [geometry.receptive_field([(3, 1), *body])[0] for body in ([(3, 1)] * 3, [(7, 1)])] == [9, 9]


def test_the_table_is_the_paper_s(nets):
    """Its table 1 in other words, and the millions of its table 2."""
    assert [(name, sum(kind.startswith("conv") for kind in (row.stage for row in table))) for name, table in
            nets.items()] == [("A", 8), ("A-LRN", 8), ("B", 10), ("C", 13), ("D", 13), ("E", 16)]
    assert [round(table.parameters / 1e6) for table in nets.values()] == [133, 133, 133, 134, 138, 144]
    kernels = {name: [np.max(table.layer(row.stage).kernel_size) for row in table if row.stage.startswith("conv")]
               for name, table in nets.items()}
    assert kernels["C"] == [3] * 6 + [1] + [3] * 2 + [1] + [3] * 2 + [1]
    assert all(set(sizes) == {3} for name, sizes in kernels.items() if name != "C")
    assert [row.stage for row in nets["A-LRN"]][:4] == ["conv1_1", "relu1_1", "norm1_1", "pool1"]
    assert [row.stage for row in nets["D"]][-9:] == "avgpool flatten fc6 relu6 drop6 fc7 relu7 drop7 fc8".split()


def test_where_the_numbers_are(nets):
    d = nets["D"]
    assert [row.stage for row in d if row.multiply_adds == 1_849_688_064] == [
        "conv1_2", "conv2_2", "conv3_2", "conv3_3", "conv4_2", "conv4_3"]
    assert max(row.multiply_adds for row in d) == 1_849_688_064
    assert d["fc6"].multiply_adds == 102_760_448
    fully = [d[name] for name in ("fc6", "fc7", "fc8")]
    assert round(d["fc6"].parameters / d.parameters, 2) == 0.74
    assert round(sum(row.parameters for row in fully) / d.parameters, 3) == 0.894
    assert round(sum(row.multiply_adds for row in fully) / d.multiply_adds, 3) == 0.008
    biases = sum(row.output_shape[0] for row in d if row.parameters)
    assert (biases, sum(row.output_shape[0] for row in d if row.stage.startswith("conv"))) == (13_416, 4_224)
    outputs = [int(np.prod(row.output_shape)) for row in d if row.stage.startswith("conv")]
    assert (outputs[0], sum(outputs), round(sum(outputs[:2]) / sum(outputs), 2)) == (3_211_264, 13_547_520, 0.47)
    assert round((d["conv1_1"].parameters + d["conv1_2"].parameters) / d.parameters, 4) == 0.0003
    assert (nets["D"].parameters - nets["C"].parameters, nets["D"].multiply_adds - nets["C"].multiply_adds) == (
        4_718_592, 3_699_376_128)


def test_dense_evaluation_costs_a_tenth(nets):
    """36 windows of 224 in 384 pixels: the convolutions once, the fully connected layers at each."""
    d = nets["D"]
    convolutions = d.multiply_adds - sum(d[name].multiply_adds for name in ("fc6", "fc7", "fc8"))
    with layers.without_weights():
        stages = list(architectures.vgg("D", nn=layers).named_children())[:31]
        once = architectures.summary(layers.Sequential(dict(stages)), (3, 384, 384))
    assert once.multiply_adds == convolutions * 384**2 // 224**2 and once["pool5"].output_shape == (512, 12, 12)
    dense = once.multiply_adds + 36 * (d.multiply_adds - convolutions)
    assert (round(dense / 1e9), round(36 * d.multiply_adds / 1e9)) == (50, 557)


def test_fully_connected_layers_as_convolutions(rng):
    net = initializers.redraw(architectures.vgg("D", 10, width=1 / 32, nn=layers), initializers.he_normal, rng).eval()
    head = layers.Sequential({"fc6": layers.Conv2d(16, 128, 7), "relu6": layers.ReLU(),
                              "fc7": layers.Conv2d(128, 128, 1), "relu7": layers.ReLU(),
                              "fc8": layers.Conv2d(128, 10, 1)})
    head.load_state_dict({key: net.state_dict()[key].reshape(value.shape) for key, value in head.state_dict().items()})
    large = images.to_chw(data.photo("astronaut", size=256))[None].astype("float32")
    crop = large[..., 32:, 32:]
    assert_close(head(net.forward_to(crop, "pool5"))[:, :, 0, 0], net(crop))
    scores = head(net.forward_to(large, "pool5"))
    assert scores.shape == (1, 10, 2, 2)
    assert np.abs(scores[0, :, 1, 1] - net(crop)[0]).max() > 0.01 * np.abs(scores).max()  # its padding is real pixels
    assert head(np.zeros((1, 16, 7, 13), "float32")).shape == (1, 10, 1, 7)


def test_first_weights_keep_lose_or_blow_up_the_signal():
    """Equation (4): a factor σ √(fan_in / 2) a layer, a little less where maps are small and padded with zeros."""
    x = np.random.default_rng(1).normal(size=(1, 3, 64, 64)).astype("float32")

    def factor(draw):
        with layers.without_weights():
            stages = list(architectures.vgg("E", nn=layers).named_children())[:27]  # to conv4_4 and its ReLU
        net = initializers.redraw(layers.Sequential(dict(stages)), draw, np.random.default_rng(0))
        sizes = inspection.output_sizes(net, x, layers.ReLU)[-4:]
        return (sizes[-1] / sizes[0]) ** (1 / 3)

    expected = {0.01: 0.48, 0.1: 4.8}
    for sigma, by_formula in expected.items():
        assert round(sigma * np.sqrt(9 * 512 / 2), 2) == by_formula
        assert 0.85 < factor(lambda shape, rng, sigma=sigma: rng.normal(0, sigma, shape)) / by_formula < 1
    assert 0.85 < factor(initializers.he_normal) < 1


def test_what_a_gives_to_d_fits_by_name():
    a, d = (architectures.vgg(name, 10, width=1 / 16, nn=layers).state_dict() for name in "AD")
    carried = ("conv1_1", "conv2_1", "conv3_1", "conv3_2", "fc6", "fc7", "fc8")
    keys = [key for key in a if key.split(".")[0] in carried]
    assert len(keys) == 14 and len(d) == 32
    assert all(a[key].shape == d[key].shape for key in keys)


def test_answers_of_the_exercises(nets):
    assert geometry.receptive_field([(3, 1)] * 5)[0] == 11
    own = [2, 2, 5, 1, 1]
    stack = [window for count in own for window in [(3, 1)] * count + [(2, 2)]]
    assert (geometry.receptive_field(stack)[0], sum(own) + 3) == (132, 14)
    assert [round(np.sqrt(2 / (9 * c)), 3) for c in (64, 512)] == [0.059, 0.021]
    maps = [3] + [row.output_shape[0] for row in nets["E"] if row.stage.startswith("conv")]
    kept = [came / (came + goes) for came, goes in zip(maps[:-1], maps[1:], strict=True)]  # by Glorot's weights
    assert sorted(round(share, 3) for share in kept) == [round(3 / 67, 3)] + 3 * [0.333] + 12 * [0.5]
    assert round(np.sqrt(np.prod(kept)), 4) == 0.0006
    assert geometry.output_size(256, 2, 2) // 2**4 == 8
    slim = architectures.summary(partial(architectures.vgg, "D", width=0.7), PICTURE)
    assert round(slim.multiply_adds / nets["D"].multiply_adds, 1) == 0.5
    assert round((nets["D"].parameters - 48 * 512 * 4096) / nets["D"].parameters, 2) == 0.27
    hits = {k: sum(8 - abs(offset) for offset in range(-(k // 2), k // 2 + 1)) for k in (3, 7)}
    assert hits == {3: 22, 7: 44} and [round((hits[k] / (8 * k)) ** 2, 2) for k in (3, 7)] == [0.84, 0.62]
