"""GoogLeNet: the branches of its modules, what reductions save, where its heads begin, the published variant."""

from functools import partial

import numpy as np
import pytest

from cnnlib import layers
from cnnlib.architectures import googlenet, inception, summary

PICTURE = (3, 224, 224)
ROW_3A = (64, 96, 128, 16, 32, 32)


def branches(**settings):
    table = summary(partial(inception, 192, ROW_3A, **settings), (192, 28, 28))
    return {row.stage: row for row in table}, table


def test_inception_3a_with_reductions_and_without():
    reduced, table = branches()
    naive, other = branches(reductions=False)
    assert (table.parameters, table.multiply_adds, table.depth) == (163_696, 128_049_152, 2)
    assert (other.parameters, other.multiply_adds, other.depth) == (387_296, 303_464_448, 1)
    assert [row.output_shape[0] for row in reduced.values()] == [64, 128, 32, 32]  # 256 together
    assert [row.output_shape[0] for row in naive.values()] == [64, 128, 32, 192]  # 416: the pool hands all on
    assert (naive["5x5"].multiply_adds, reduced["5x5"].multiply_adds) == (120_422_400, 12_443_648)
    assert [row.receptive_field for row in reduced.values()] == [1, 3, 5, 3]


def test_a_naive_net_grows():
    table = summary(partial(googlenet, reductions=False), PICTURE)
    assert (table.parameters, table.multiply_adds, table.depth) == (97_526_008, 12_568_061_056, 13)
    assert table["inception3a"].output_shape[0] == 416 and table["inception5b"].output_shape[0] == 4944


def test_the_heads_and_what_they_cost():
    table = summary(partial(googlenet, aux=True), PICTURE)
    assert (table["aux1"].parameters, table["aux2"].parameters) == (3_188_840, 3_190_888)
    # 171 and 363 pixels behind 4a and 4d, 4 steps of 16 in the pool, 3 of 48 between its four positions
    assert (table["aux1"].receptive_field, table["aux2"].receptive_field) == (171 + 64 + 144, 363 + 64 + 144)
    assert [row.output_shape for row in table.inside("aux1")][:2] == [(512, 4, 4), (128, 4, 4)]
    for size, works in ((222, False), (223, True), (270, True), (271, False)):
        if works:
            assert summary(partial(googlenet, aux=True), (3, size, size)).parameters == 13_378_280
        else:
            told = {222: "the smallest square picture that the net takes is 223 x 223, this one is 222 x 222",
                    271: "the square pictures that the net takes are 223 x 223 to 270 x 270, this one is 271 x 271"}
            with pytest.raises(ValueError, match=rf"in stage 'aux1.fc1'.*it wants 2048 features; {told[size]}$"):
                summary(partial(googlenet, aux=True), (3, size, size))


@pytest.mark.parametrize("engine", ["numpy", "torch"])
def test_only_in_training_must_a_picture_fit_the_heads(engine):
    x = np.zeros((1, 3, 64, 64), "float32")
    if engine == "torch":
        torch = pytest.importorskip("torch")
        net, x = googlenet(5, aux=True, width=1 / 16), torch.tensor(x)
    else:
        net = googlenet(5, aux=True, width=1 / 16, nn=layers)
    assert net.eval()(x).shape == (1, 5)
    with pytest.raises((ValueError, RuntimeError), match=r"in stage 'aux1\.pool.*the smallest square picture that the "
                                                         "net takes is 223 x 223, this one is 64 x 64"):
        net.train()(x)


def test_in_training_the_heads_answer_too(rng):
    net = googlenet(5, aux=True, variant="torchvision", width=1 / 16, nn=layers).reset_parameters(rng)
    x = rng.standard_normal((2, 3, 32, 32)).astype("float32")
    assert [out.shape for out in net.train()(x)] == [(2, 5)] * 3
    assert net.eval()(x).shape == (2, 5)


def test_the_branch_called_5x5_of_the_published_variant():
    _, paper = branches()
    _, published = branches(variant="torchvision")
    assert paper.inside("5x5").layer("conv").weight.shape == (32, 16, 5, 5)
    assert published.inside("5x5").layer("conv").weight.shape == (32, 16, 3, 3)
    assert published.inside("5x5").layer("bn").eps == 1e-3
    assert paper.multiply_adds - published.multiply_adds == 32 * 16 * (25 - 9) * 28 * 28


def test_a_branch_is_a_branch(rng):
    """The module's output is its branches' outputs, one after the other along the channels."""
    net = inception(3, (2, 2, 3, 1, 2, 1), nn=layers).reset_parameters(rng)
    x = rng.standard_normal((2, 3, 6, 7)).astype("float32")
    parts = [branch(x) for _, branch in net.named_children()]
    assert [part.shape for part in parts] == [(2, 2, 6, 7), (2, 3, 6, 7), (2, 2, 6, 7), (2, 1, 6, 7)]
    np.testing.assert_array_equal(net(x), np.concatenate(parts, axis=1))


def test_errors():
    with pytest.raises(ValueError, match="`row` has 5 numbers; it must have six"):
        inception(3, (1, 2, 3, 4, 5), nn=layers)
    with pytest.raises(ValueError, match="`variant` is 'v3'; it must be one of 'paper', 'torchvision'"):
        googlenet(variant="v3", nn=layers)
