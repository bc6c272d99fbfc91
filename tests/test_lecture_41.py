"""The facts of lecture 41: AlexNet counted, its towers, its normalisation and its dropout, what its text answers."""

from itertools import product
from math import prod

import numpy as np
import pytest
from helpers import assert_close

from cnnlib import architectures, data, geometry, initializers, layers, norms

TABLE = architectures.summary(architectures.alexnet_2012, (3, 227, 227))
FULLY_CONNECTED = ("fc6", "fc7", "fc8")


def share(what, stages):
    return round(100 * sum(getattr(TABLE[stage], what) for stage in stages) / getattr(TABLE, what), 1)


def test_weights_sit_at_the_end_and_work_at_the_beginning():
    assert share("parameters", FULLY_CONNECTED) == 96.2
    assert share("parameters", ["fc6"]) == 61.9
    assert share("multiply_adds", [f"conv{k}" for k in range(1, 6)]) == 91.9


def test_training_took_half_a_million_million_multiply_adds_a_second():
    assert round(3 * TABLE.multiply_adds * 1.2e6 * 90 / 1e17, 1) == 2.3
    assert round(3 * TABLE.multiply_adds * 1.2e6 * 90 / (5.5 * 86400) / 1e12, 1) == 0.5
    assert round(1.2e6 * 90 / 128, -4) == 840_000  # steps; ours are 18 passes of 400 pieces, 20 at a time
    assert 18 * 400 // 20 == 360


def test_224_does_not_fit():
    assert [geometry.output_size(size, 11, 4) for size in (224, 227)] == [54, 55]
    assert geometry.output_size(224, 11, 4, (1, 2)) == geometry.output_size(224, 11, 4, 2) == 55
    assert geometry.exact_fit(224 + 3, 11, 4)[0] and not geometry.exact_fit(224 + 4, 11, 4)[0]
    assert prod(TABLE["conv1"].output_shape) == 290_400
    assert round((253_440 // 96) ** 0.5) ** 2 != 253_440 / 96 == 2640
    with pytest.raises(ValueError, match="'fc6'.*smallest square picture that the net takes is 227 x 227, this one is "
                                         "224 x 224"):
        architectures.summary(architectures.alexnet_2012, (3, 224, 224))


def test_towers_hardly_save_parameters():
    more = [TABLE.layer(name).weight.numel() for name in ("conv2", "conv4", "conv5")]
    assert more[0] == 307_200 and geometry.conv_parameters(96, 256, 5) - 256 == 614_400
    assert TABLE.parameters + sum(more) == 62_378_344
    assert 256 * (96 // 4) * 25 == 153_600 and 96 % 5 and 256 % 5  # exercise 3


def test_a_tower_never_sees_the_other_one():
    rng = np.random.default_rng(0)
    conv2 = layers.Conv2d(96, 256, 5, padding=2, groups=2, rng=rng).to("float64")
    x = rng.normal(size=(1, 96, 7, 6))
    other = x.copy()
    other[:, :48] = 0
    differs = (conv2(x) != conv2(other)).any(axis=(0, 2, 3))
    assert differs[:128].all() and not differs[128:].any()


def test_memory_of_training():
    outputs = sum(prod(row.output_shape) for row in TABLE)
    weights = 3 * 4 * TABLE.parameters / 2**30
    activations = 2 * 4 * 128 * outputs / 2**30
    assert (round(weights, 2), round(activations, 2), round(weights + activations, 2)) == (0.68, 1.84, 2.53)
    assert 2.5 < activations / weights < 3


def test_local_response_norm_of_the_paper():
    a = np.array([1.0, 2, 300, 2, 1, 1])
    sums = np.array([sum(a[max(0, c - 2):c + 3] ** 2) for c in range(6)])
    by_hand = a / (2 + 1e-4 * sums) ** 0.75
    paper, copied = (norms.local_response_norm(a.reshape(1, 6, 1), 5, alpha=alpha, beta=0.75, k=2.0).ravel()
                     for alpha in (5e-4, 1e-4))
    assert_close(paper, by_hand)
    assert np.abs(copied - by_hand).max() > 60
    alone = a / 2**0.75
    assert abs(paper[5] / alone[5] - 1) < 1e-3  # the squares of three small maps are left
    assert (paper[[0, 1, 3, 4]] < alone[[0, 1, 3, 4]] / 3).all()
    maps = np.concatenate([a, np.zeros(90)]).reshape(1, 96, 1, 1)
    assert_close(TABLE.layer("norm1")(maps)[0, :6, 0, 0], by_hand)


def test_dropout_over_all_masks():
    x, weight = np.array([1.0, 2, -1, 3]), np.random.default_rng(1).normal(size=(3, 4))
    scores = np.array(list(product((0, 1), repeat=4))) * x @ weight.T
    assert_close(scores.mean(axis=0), weight @ x / 2)
    means = np.exp((scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))).mean(axis=0))
    halved = np.exp(weight @ x / 2)
    assert_close(means / means.sum(), halved / halved.sum())
    rectified = np.maximum(scores, 0).mean(axis=0)
    assert rectified[0] > 0.4 and weight[0] @ x < 0  # behind a rectifier: 0 at test time


def test_dropout_acts_on_the_outputs_of_fc6_and_fc7():
    """In the paper; in the net of 2014, as torchvision has it, on their inputs."""
    for factory, size, order in (
            (architectures.alexnet_2012, 227, "flatten fc6 relu6 drop6 fc7 relu7 drop7 fc8"),
            (architectures.alexnet, 224, "flatten drop6 fc6 relu6 drop7 fc7 relu7 fc8")):
        names = [row.stage for row in architectures.summary(factory, (3, size, size))]
        assert names[names.index("flatten"):] == order.split()


def test_fc6_sees_more_than_there_is():
    """355 pixels: 64 more than the picture has on either side, the zeros of padding."""
    assert TABLE["fc6"].receptive_field == 355 == 227 + 2 * 64
    assert 2 * 8 + 3 * 16 == 64  # conv2's padding and that of three convolutions, at their steps


def test_glorot_draws_the_small_nets_conv1_three_times_smaller():
    rng = np.random.default_rng(0)
    he, glorot = (rule((8, 1, 11, 11), rng).std() for rule in (initializers.he_normal, initializers.glorot_normal))
    assert 2.8 < he / glorot < 3.2


def test_slopes_are_half_of_the_chain():
    """From Glorot's weights tanh's slopes let three quarters through and the signal fades; from He's neither."""
    pytest.importorskip("skimage")
    (x, _), _ = data.load_patches(64, count=25)
    found = []
    for rule in (initializers.glorot_normal, initializers.he_normal):
        stages = {name: layers.Tanh() if name.startswith("relu") else layer for name, layer in
                  architectures.alexnet(4, 1, width=1 / 8, nn=layers).named_children() if name != "avgpool"}
        net = layers.Sequential({**stages, "fc6": layers.Linear(32, 512)}).eval()
        initializers.redraw(net, rule, np.random.default_rng(0))
        behind = [net.forward_to((x - x.mean()) / x.std(), f"relu{k}") for k in range(1, 8)]
        found.append((prod((1 - out**2).mean() for out in behind), behind[6].std()))
    (glorot_slopes, glorot_spread), (he_slopes, he_spread) = found
    assert glorot_slopes > 0.7 > 0.2 > he_slopes and he_spread > 5 * glorot_spread


def test_seven_slopes():
    assert (1 - np.tanh(2.0) ** 2) ** 7 < 1e-8
    assert (1 - np.tanh(0.1) ** 2) ** 7 > 0.9


def test_pooling_windows_that_no_shape_check_tells_apart():
    for size in (55, 27, 13):
        assert geometry.output_size(size, 3, 2) == geometry.output_size(size, 2, 2)
    rows = {row.stage: row.output_shape for row in
            architectures.summary(lambda nn: architectures.alexnet(4, 1, width=1 / 8, nn=nn), (1, 64, 64))}
    assert (rows["conv1"], rows["pool5"]) == ((8, 15, 15), (32, 1, 1))
    assert [rows[f"conv{k}"][0] for k in range(1, 6)] == [8, 24, 48, 32, 32]


def test_colours_of_photographs_vary_most_in_brightness():
    pixels = np.concatenate([data.photo(name, size=256).reshape(-1, 3)
                             for name in ("astronaut", "cat", "coffee", "rocket")])
    variances, directions = np.linalg.eigh(np.cov(pixels.T))
    assert (variances[::-1] / variances.sum()).round(3).tolist() == [0.798, 0.193, 0.009]
    first, second = np.sign(directions[:, ::-1].T[:2])
    assert abs(first.sum()) == 3 and second[0] == -second[2]


def test_five_guesses():
    scores = np.array([[9, 1, 2, 3, 0, 4, 5, 6], [6, 5, 4, 7, 0, 3, 2, 1], [8, 7, 6, 5, 4, 3, 2, 1]])
    found = [[int(np.argsort(-row)[:k].tolist().count(right)) for row, right in zip(scores, (0, 5, 7))] for k in (1, 5)]
    assert found == [[1, 0, 0], [1, 1, 0]]
