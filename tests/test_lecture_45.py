"""The facts of lecture 45 that are about training and gradients; sizes and counts stand in tests/architectures."""

from itertools import combinations

import numpy as np
import pytest
from helpers import assert_close

from cnnlib import architectures, data, initializers, layers, optim, training
from cnnlib.architectures import summary
from cnnlib.gradcheck import gradcheck

# A deep net may still be at chance after its first epoch, of which fit warns.
AT_CHANCE = pytest.mark.filterwarnings("ignore:after epoch:cnnlib.training.TrainingWarning")


@pytest.fixture(scope="module")
def digits():
    """Training and test scans, with the training set's mean and spread taken out."""
    pytest.importorskip("sklearn")
    learn, test = data.load_digits()
    mean, std = learn[0].mean(), learn[0].std()
    return [(layers.batch_innermost((x - mean) / std), y) for x, y in (learn, test)]


def fresh(depth, shortcuts, seed=0, width=1 / 4, norm=True):
    net = architectures.resnet_cifar(depth, 10, 1, shortcuts=shortcuts, width=width, norm=norm, nn=layers)
    return initializers.redraw(net, initializers.he_normal, np.random.default_rng(seed))


def run(net, digits, **settings):
    settings = dict(epochs=2, lr=0.1, seed=0) | settings
    optimizer = optim.SGD(net.parameters(), lr=settings.pop("lr"), momentum=0.9)
    return training.fit(net, *digits, batch_size=64, optimizer=optimizer, callback=None, **settings)


def residual_block(dtype="float64"):
    return fresh(8, True).to(dtype).eval()["conv2_x"]["conv2_1"]["residual"]


def test_a_block_hands_on_its_input_where_its_weights_are_zero(rng):
    """y = F(x) + x, and the ReLU behind it changes nothing where x is a ReLU's."""
    block = fresh(8, True).eval()["conv2_x"]["conv2_1"]
    block["residual"].body["conv2"].weight.data[...] = 0
    x = np.abs(rng.standard_normal((2, 4, 5, 6))).astype("float32")
    assert np.array_equal(block(x), x)


def test_backward_of_a_block(rng):
    block = residual_block()
    x, delta = rng.standard_normal((2, 2, 4, 6, 5))
    assert gradcheck(block, lambda grad, x: (block(x), block.backward(grad))[1], x).passed
    block.body(x)
    assert_close(block.backward(delta), block.body.backward(delta) + delta)


def test_paths_of_a_product(rng):
    a = rng.standard_normal(6)
    paths = [np.prod(a[list(used)]) for length in range(7) for used in combinations(range(6), length)]
    assert len(paths) == 2**6
    assert_close(np.array(sum(paths)), np.prod(1 + a))


def test_cost_of_the_blocks():
    with layers.without_weights():
        basic, deep = architectures.resnet(18, nn=layers), architectures.resnet(50, nn=layers)
        zeros = architectures.resnet_cifar(8, width=4, nn=layers)
    found = [summary(block["residual"], (channels, 56, 56)) for block, channels in (
        (basic["conv2_x"]["conv2_2"], 64), (zeros["conv3_x"]["conv3_1"], 64), (basic["conv3_x"]["conv3_1"], 64),
        (deep["conv2_x"]["conv2_2"], 256))]
    assert [(table.parameters, table.multiply_adds) for table in found] == [
        (73_984, 231_211_008), (221_696, 173_408_256), (230_144, 179_830_784), (70_400, 218_365_952)]
    assert found[2]["shortcut"].parameters == 8_448 and found[1]["shortcut"].parameters == 0


def test_exercise_3():
    block = summary(lambda nn: architectures.resnet(50, nn=nn), (3, 224, 224))["conv3_x.conv3_2"]
    assert block.parameters == 512 * 128 + 9 * 128**2 + 128 * 512 + 2 * (128 + 128 + 512) == 280_064
    assert block.multiply_adds == 278_528 * 28**2 == 218_365_952


@AT_CHANCE
def test_degradation_and_its_cure(digits):
    """One seed here; the lecture runs three. The gaps are several times what seeds and kernels change."""
    shallow, plain, residual = (run(fresh(depth, shortcuts), digits).train_loss[-1]
                                for depth, shortcuts in ((8, False), (44, False), (44, True)))
    assert shallow < 0.8 and plain > 1.8 and residual < 1.4


def gradient_norms(net, digits):
    (x, y), _ = digits
    net, loss = net.to("float64"), layers.CrossEntropyLoss()
    loss(net(x[:128].astype("float64")), y[:128])
    net.backward_parameters(loss.backward())
    return np.array([np.linalg.norm(parameter.grad) for parameter in net.parameters() if len(parameter.shape) == 4])


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_gradients_by_layer(digits, seed):
    norms = {(shortcuts, norm): gradient_norms(fresh(44, shortcuts, seed, norm=norm), digits)
             for shortcuts in (False, True) for norm in (False, True)}
    assert all(len(found) == 43 for found in norms.values())
    plain, even = norms[False, True], norms[True, True]
    assert plain[0] > 100 * plain[-1] and plain.min() > 0.1  # they grow towards the picture, none vanishes
    assert 3 < even[0] / even[-1] < 7
    assert norms[False, False].max() < 1e-4 and norms[True, False].min() > 10


def test_adding_doubles_the_variance():
    rng = np.random.default_rng(0)
    x = z = rng.standard_normal((200, 500))
    for _ in range(16):
        weight = rng.normal(0, 500**-0.5, (500, 500))
        body = z @ weight
        x, z = x + x @ weight, z + body / body.std()
    assert 0.9 < x.var() / 2**16 < 1.1 and 0.9 < z.var() / 17 < 1.1


@AT_CHANCE
def test_a_block_removed(digits):
    """A plain net of 20 layers does not survive it, a residual one does; conv4_3 is the last of its group."""
    for shortcuts in (False, True):
        net = fresh(20, shortcuts, width=1 / 2)
        history = run(net, digits, epochs=5, lr=0.05, schedule=optim.CosineAnnealingLR)
        assert history.valid_accuracy[-1] > 0.9
        net["conv4_x"].conv4_3 = layers.Identity()
        left = training.evaluate(net, digits[1]).accuracy
        assert left > 0.8 if shortcuts else left < 0.4


def test_the_share_of_a_block_falls_before_anything_is_learnt(digits):
    """|F(x)| / |x| with the first weights: like 1 / sqrt(block) along a group."""
    net, shares = fresh(44, True).train(), []
    x = net.forward_to(digits[0][0][:256], "relu1")
    for block in net["conv2_x"]:
        shares.append(np.linalg.norm(block["residual"].body(x)) / np.linalg.norm(x))
        x = block(x)
    assert (np.diff(shares) < 0).all() and 2 < shares[0] / shares[-1] < 4


def test_a_sum_in_place_spoils_what_the_body_kept(rng):
    """Exercise 4: `x += body(x)` gives the same scores, and wrong gradients; torch refuses, NumPy does not."""
    torch = pytest.importorskip("torch")
    body = layers.Conv2d(4, 4, 3, padding=1, bias=False).reset_parameters(rng).to("float64")
    x, delta = rng.standard_normal((2, 2, 4, 6, 5))
    block = layers.Residual(body)
    right = block(x)
    block.backward(delta)
    gradient = body.weight.grad.copy()
    body.zero_grad()
    spoilt = x.copy()
    spoilt += body(spoilt)
    body.backward(delta)
    assert_close(spoilt, right)
    assert np.abs(body.weight.grad - gradient).max() > 0.1 * np.abs(gradient).max()
    y = torch.tensor(x)
    y += torch.nn.functional.conv2d(y, torch.tensor(body.weight.data, requires_grad=True), padding=1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_a_shortcut_only_where_the_shape_changes():
    """Exercise 4: two of ResNet-110's 54 blocks; and 853,018 parameters are ResNet-56's."""
    with layers.without_weights():
        net = architectures.resnet_cifar(110, nn=layers)
    past = [net[stage][name]["residual"].shortcut for stage in ("conv2_x", "conv3_x", "conv4_x")
            for name, _ in net[stage].named_children()]
    assert (len(past), sum(way is not None for way in past)) == (54, 2)
    assert summary(lambda nn: architectures.resnet_cifar(56, nn=nn), (3, 32, 32)).parameters == 853_018
