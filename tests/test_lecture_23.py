"""The facts of lecture 23: where a stretched number goes, the layer as a convolution, the counts, the trained net."""

import numpy as np
import pytest
from helpers import assert_close, lenet5

from cnnlib import activations, conv, data, geometry, images, layers, linear, optim

LENET = {"c1": (1, 6, 5, 28), "c3": (6, 16, 5, 10), "c5": (16, 120, 5, 1), "f6": (120, 84, 1, 1),
         "output": (84, 10, 1, 1)}  # channels in and out, side of the filter and of the map


@pytest.fixture(scope="module")
def digits():
    pytest.importorskip("sklearn", reason="scikit-learn is not installed: no digits to learn from")
    return data.load_digits(size=32)


def train(net, x, y):
    """Train as the lecture does."""
    rng, loss = np.random.default_rng(0), layers.CrossEntropyLoss()
    optimizer = optim.Adam(net.reset_parameters(rng).parameters(), lr=0.004)
    schedule = optim.CosineAnnealingLR(optimizer, 16)
    for _ in range(16):
        for batch in np.split(rng.permutation(len(x)), range(64, len(x), 64)):
            loss(net(layers.batch_innermost(data.warp(x[batch], rng))), y[batch])
            net.zero_grad()
            net.backward_parameters(loss.backward())
            optimizer.step()
        schedule.step()
    return net


@pytest.fixture(scope="module")
def trained(digits):
    (x, y), _ = digits
    return train(lenet5(layers), x, y)


def slid(net, pictures):
    maps = net.forward_to(pictures, "s4")
    for name, size in (("c5", 5), ("f6", 1), ("output", 1)):
        maps = conv.conv2d(maps, net[name].weight.data.reshape(net[name].out_features, -1, size, size),
                           net[name].bias.data)
        maps = maps if name == "output" else activations.relu(maps)
    return maps


def test_by_hand():
    maps = np.array([[[1, 2], [0, 3]], [[2, 0], [1, 0]]])
    weight = np.array([[1] * 8, [1, 1, -1, -1] * 2, [1] * 4 + [-1] * 4])
    assert linear.linear(maps.reshape(1, 8), weight)[0].tolist() == [9, 1, 3]


def test_where_a_stretched_number_goes():
    assert np.ravel_multi_index((2, 1, 3), (16, 5, 4)) == 47 and np.unravel_index(100, (16, 5, 4)) == (5, 0, 0)
    x = np.arange(3 * 32 * 32).reshape(1, 3, 32, 32)
    row = layers.Flatten()(x)
    assert row.shape == (1, 3072) and row[0, 1023] == x[0, 0, 31, 31]


def test_every_unit_sees_everything_and_a_filter_75():
    rng = np.random.default_rng(0)
    to_row, _, _ = linear.linear_backward(np.eye(10)[:1], rng.normal(size=(1, 3072)), rng.normal(size=(10, 3072)))
    one_unit = np.zeros((1, 6, 28, 28))
    one_unit[0, 2, 10, 10] = 1
    to_pixels, _, _ = conv.conv2d_backward(one_unit, rng.normal(size=(1, 3, 32, 32)), rng.normal(size=(6, 3, 5, 5)))
    assert (np.count_nonzero(to_row), np.count_nonzero(to_pixels)) == (3072, 75)


def test_a_fully_connected_layer_is_a_convolution_and_slides():
    rng = np.random.default_rng(0)
    weight, bias, x = rng.normal(size=(10, 3072)), rng.normal(size=10), rng.normal(size=(1, 3, 40, 40))
    out = conv.conv2d(x, weight.reshape(10, 3, 32, 32), bias)
    assert out.shape == (1, 10, 9, 9)
    for i, j in np.ndindex(9, 9):
        crop = x[:, :, i:i + 32, j:j + 32].reshape(1, -1)
        assert_close(out[0, :, i, j], linear.linear(crop, weight, bias)[0])


def test_the_bill():
    assert (geometry.conv_parameters(3, 10, 5), geometry.conv_multiply_adds(3, 10, 5, 28)) == (760, 588_000)
    assert (geometry.conv_parameters(3, 10, 32), geometry.conv_multiply_adds(3, 10, 32, 1)) == (30_730, 30_720)
    parameters = [geometry.conv_parameters(c, f, k) for c, f, k, _ in LENET.values()]
    work = [geometry.conv_multiply_adds(*row) for row in LENET.values()]
    assert parameters == [156, 2_416, 48_120, 10_164, 850] and sum(parameters) == 61_706
    assert work == [117_600, 240_000, 48_000, 10_080, 840] and sum(work) == 416_520
    assert [sum(p.numel() for p in lenet5(layers)[name].parameters()) for name in LENET] == parameters
    assert f"{sum(parameters[2:]) / sum(parameters):.1%} {sum(work[2:]) / sum(work):.1%}" == "95.8% 14.1%"


def test_vgg16():
    pytest.importorskip("anywidget")
    from cnnlib.widgets import ShapeBuilder

    rows = [row for row in ShapeBuilder(layers="VGG-16").table if row["parameters"]]
    share = {what: sum(row[what] for row in rows[-3:]) / sum(row[what] for row in rows)
             for what in ("parameters", "multiply_adds")}
    assert len(rows) == 16 and f"{share['parameters']:.1%} {share['multiply_adds']:.1%}" == "89.4% 0.8%"
    total = sum(row["parameters"] for row in rows)
    assert (rows[-3]["parameters"], total) == (102_764_544, 138_357_544) and round(100 * 102_764_544 / total) == 74


def test_answers_of_the_exercises():
    assert geometry.conv_parameters(16, 30, (5, 4)) == 9_630
    net, sizes = lenet5(layers), {64: 13, 40: 7, 35: 5}
    for size, after in sizes.items():
        assert net.forward_to(np.zeros((1, 1, size, size), dtype="float32"), "s4").shape == (1, 16, after, after)
    assert geometry.conv_parameters(16, 120, 13) == 324_600
    assert (120 * 17, 61_706 - 48_120 + 120 * 17) == (2_040, 15_626)
    shapes = [slid(net, np.zeros((1, 1, *size), dtype="float32")).shape[2:] for size in ((32, 96), (64, 64), (35, 35))]
    assert shapes == [(1, 17), (9, 9), (1, 1)]
    assert round(np.e / (np.e + 9), 2) == 0.23
    assert 4096**2 / (64 * 64 * 9) > 455 and round(4096**2 * 4 / 1e6) == 67
    assert geometry.conv_multiply_adds(64, 64, 3, 21) / 4096**2 == pytest.approx(1, abs=0.05)
    with pytest.raises(ValueError, match=r"in stage 'c5'.*\(1, 784\).*400"):
        net(np.zeros((1, 1, 40, 40), dtype="float32"))


def test_the_trained_net_reads(trained, digits):
    _, (x, y) = digits
    answers = trained(x)
    assert np.mean(answers.argmax(axis=1) == y) > 0.95
    assert answers.argmax(axis=1)[[247, 15, 234]].tolist() == [3, 7, 6] == y[[247, 15, 234]].tolist()
    assert_close(slid(trained, x)[:, :, 0, 0], answers)
    strip = np.concatenate(list(x[[15, 247, 234]]), axis=2)
    assert_close(slid(trained, strip[None])[0, :, 0, ::8].T, answers[[15, 247, 234]])


def test_a_third_of_the_parameters_will_do(digits):
    (x, y), (x_test, y_test) = digits
    nn = layers
    start = [nn.Conv2d(1, 6, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2)]
    narrow = nn.Sequential(*start, nn.Flatten(), nn.Linear(400, 32), nn.ReLU(), nn.Linear(32, 10))
    assert sum(p.numel() for p in narrow.parameters()) == 15_734
    deep = nn.Sequential(*start, nn.Conv2d(16, 40, 3), nn.ReLU(), nn.MaxPool2d(3), nn.Flatten(), nn.Linear(40, 10))
    assert sum(p.numel() for p in deep.parameters()) == 8_782
    assert np.mean(train(deep, x, y)(x_test).argmax(axis=1) == y_test) > 0.95


def test_the_order_of_stretching_matters(trained, digits):
    _, (x, y) = digits
    other = trained.forward_to(x, "s4").transpose(0, 2, 3, 1).reshape(len(x), -1)
    for name in ("c5", "f6", "output"):
        other = trained[name](other) if name == "c5" else trained[name](activations.relu(other))
    assert np.mean(other.argmax(axis=1) == y) < 0.4


def test_noise_is_read_with_confidence(trained):
    enlarge = images.resize(np.eye(8), (32, 8))
    noise = enlarge @ np.random.default_rng(1).random((500, 1, 8, 8)) @ enlarge.T
    shares = activations.softmax(trained(noise.astype("float32")), 1)
    assert_close(shares.sum(axis=1), np.ones(500, dtype="float32"))
    assert np.mean(shares.max(axis=1) > 0.9) > 0.05


def test_torch_agrees_stage_by_stage(trained, digits):
    torch = pytest.importorskip("torch")
    from cnnlib import torch_layers

    _, (x, _) = digits
    twin = lenet5(torch_layers)
    twin.load_state_dict(torch_layers.tensors(trained.state_dict()))
    with torch.no_grad():
        for stage, _ in trained.named_children():
            assert_close(trained.forward_to(x, stage), twin.forward_to(torch.tensor(x), stage).numpy())
