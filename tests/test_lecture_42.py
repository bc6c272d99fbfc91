"""The facts of lecture 42: ZFNet's numbers, what steps make of stripes, the way back, and what covering shows."""

from functools import partial

import numpy as np
import pytest
from helpers import assert_close
from trainees import needs_torch

from cnnlib import architectures, conv, data, initializers, inspection, layers, optim, pool, training

PICTURE = (3, 224, 224)
ROW, COL = np.mgrid[:133, :133]
STRIPES = np.cos(2 * np.pi * (ROW / 20 + COL / 6))
OTHER = np.cos(2 * np.pi * (ROW / 20 - COL / 12))


def summary(**settings):
    return architectures.summary(partial(architectures.zfnet, **settings), PICTURE)


def test_the_paper_s_numbers():
    table = summary()
    assert [table[stage].output_shape[-1] for stage in ("conv1", "pool1", "conv2", "pool2")] == [110, 55, 26, 13]
    assert (table.parameters, table.multiply_adds) == (62_357_608, 1_168_032_896)


@pytest.mark.parametrize("settings, expected", [
    ({}, [(7, 2), (11, 4), (27, 8), (43, 16), (75, 16), (107, 16), (139, 16), (171, 32)]),
    ({"kernel_size": 11, "stride": 4}, [(11, 4), (19, 8), (51, 16), (83, 32), (147, 32), (211, 32), (275, 32),
                                        (339, 64)])])
def test_what_units_see(settings, expected):
    table = summary(**settings)
    stages = ("conv1", "pool1", "conv2", "pool2", "conv3", "conv4", "conv5", "pool5")
    assert [(table[stage].receptive_field, table[stage].jump) for stage in stages] == expected


def test_what_the_change_costs():
    new, old = summary(), summary(kernel_size=11, stride=4)
    assert (old["conv1"].output_shape[-1], old.multiply_adds) == (54, 360_189_056)
    assert new["conv1"].multiply_adds / old["conv1"].multiply_adds == 49 * 110**2 / (121 * 54**2)
    assert round(49 * 110**2 / (121 * 54**2), 2) == 1.68


def test_the_row_by_hand():
    fine = np.array([2, 1, -1, -2, -1, 1] * 4)
    x = np.arange(24)
    assert_close(fine.astype(float), 2 * np.cos(2 * np.pi * x / 6))
    assert fine[::4].tolist() == fine[::2][:6].tolist() == [2, -1, -1, 2, -1, -1]
    assert_close(fine[::4].astype(float), 2 * np.cos(2 * np.pi * x[::4] / 12))


def test_steps_of_four_take_stripes_for_others():
    assert_close(STRIPES[::4, ::4], OTHER[::4, ::4])
    assert abs(STRIPES - OTHER)[::2, ::2].max() > 1.9


@pytest.mark.parametrize("step, across, alike", [(2, 1 / 6, 0), (4, -1 / 12, 1)])
def test_a_large_filter_does_not_mend_the_step(step, across, alike):
    r, c = np.mgrid[-5:6, -5:6]
    gabor = np.exp(-(r**2 + c**2) / 18) * np.cos(2 * np.pi * (r / 20 + c / 6))
    ours, others = (conv.conv2d(x[None, None, 3:, 3:], gabor[None, None], stride=step)[0, 0] for x in (STRIPES, OTHER))
    power = abs(np.fft.fft2(ours))
    assert_close(np.fft.fftfreq(len(ours), step)[np.argwhere(power > 0.9 * power.max())[0]], np.array([0.05, across]))
    assert abs(abs(np.corrcoef(ours.ravel(), others.ravel())[0, 1]) - alike) < 1e-3
    assert ours.max() > 20


@pytest.mark.parametrize("step, period", [(2, 5), (3, 7.5), (4, 20)])
def test_exercise_1(step, period):
    seen = np.fft.rfft(np.cos(2 * np.pi * np.arange(0, 600, step) / 5))
    assert 600 / abs(seen).argmax() == period


def test_exercise_3():
    row = np.array([4.0, 1, 3, 3, 0, 2]).reshape(1, 1, 1, 6)
    signal = np.array([10.0, 20]).reshape(1, 1, 1, 2)
    assert pool.max_pool2d_backward(signal, row, (1, 3)).ravel().tolist() == [10, 0, 0, 20, 0, 0]
    assert_close(pool.avg_pool2d_backward(signal, row, (1, 3)).ravel(), np.repeat([10 / 3, 20 / 3], 3))
    wins = pool.max_pool2d_backward(np.ones((1, 1, 1, 4)), row, (1, 3), 1).ravel()
    assert wins.tolist() == [1, 0, 2, 1, 0, 0]


def test_switches_and_a_pool_by_hand():
    square = np.array([[1.0, 8, 0, 2], [3, 0, 1, 4], [0, 1, 2, 0], [6, 2, 0, 5]])[None, None]
    net = layers.Sequential({"pool": layers.MaxPool2d(2)})
    back = sum(inspection.deconvnet(net, square[0], "pool", 0, (i, j)) for i in (0, 1) for j in (0, 1))
    assert back[0].tolist() == [[0, 8, 0, 0], [0, 0, 0, 4], [0, 0, 0, 0], [6, 0, 0, 5]]


def test_the_rule_at_the_relu():
    net = layers.Sequential({"relu": layers.ReLU(), "conv": layers.Conv2d(4, 1, 1, bias=False)}).to("float64")
    net.conv.weight.data[...] = np.array([5.0, 7, -6, -8]).reshape(1, 4, 1, 1)
    a = np.array([3.0, -1, 2, -4]).reshape(1, 4, 1, 1)
    score = net(a).item()
    assert net.backward(np.ones((1, 1, 1, 1))).ravel().tolist() == [5, 0, -6, 0]
    assert_close(inspection.deconvnet(net, a[0], "conv", 0).ravel() / score, np.array([5.0, 7, 0, 0]))


def small_zfnet(classes, last=None, nn=layers):
    return nn.Sequential({
        "conv1": nn.Conv2d(1, 8, 7, 2, padding=3), "relu1": nn.ReLU(), "pool1a": nn.MaxPool2d(3, 2, padding=1),
        "conv2": nn.Conv2d(8, 16, 3, padding=1), "relu2": nn.ReLU(), "pool2": nn.MaxPool2d(3, 2, padding=1),
        "conv3": nn.Conv2d(16, 24, 3, padding=1), "relu3": nn.ReLU(), "last": last or nn.AdaptiveAvgPool2d(1),
        "flatten": nn.Flatten(), "fc": nn.Linear(24, classes)})


def learnt(net, samples, epochs, seed):
    initializers.redraw(net, initializers.he_normal, np.random.default_rng(seed))
    training.fit(net, samples, epochs=epochs, batch_size=20, seed=seed, callback=None,
                 optimizer=optim.Adam(net.parameters(), lr=0.005))
    return net


@pytest.fixture(scope="module")
def reader():
    """A net that reads digits on a black ground of 48×48, and 40 such pictures that it has not seen."""
    pytest.importorskip("sklearn")
    rng, parts = np.random.default_rng(0), []
    for (x, y), count in zip(data.load_digits(28), (800, 200)):
        chosen, pictures = rng.integers(len(x), size=count), np.zeros((count, 1, 48, 48), "float32")
        for n, (i, j) in enumerate(rng.integers(21, size=(count, 2))):
            pictures[n, :, i:i + 28, j:j + 28] = x[chosen[n]]
        parts.append((pictures, y[chosen]))
    net = learnt(small_zfnet(10, layers.MaxPool2d(6)), parts[0], 7, 0)
    assert training.evaluate(net, parts[1]).accuracy > 0.7
    return net, *parts[1]


def strongest(net, x, place=(3, 3)):
    """Return the pictures, and the channel, that answer most at a place of relu3."""
    answers = inspection.activations(net, x, ["relu3"])["relu3"][:, :, place[0], place[1]]
    channel = int(answers.mean(0).argmax())
    return np.argsort(-answers[:, channel])[:8], channel


def patterns(net, x, channel):
    return [inspection.deconvnet(net, one, "relu3", channel, (3, 3))[0].ravel() for one in x]


def test_one_unit_gives_many_patterns_and_random_weights_much_the_same(reader):
    net, x, _ = reader
    top, channel = strongest(net, x)
    trained = patterns(net, x[top], channel)
    between = np.corrcoef(trained)[np.triu_indices(8, 1)].mean()
    alike = []
    for kept in (("conv1", "conv2"), ()):
        other = small_zfnet(10, layers.MaxPool2d(6))
        initializers.redraw(other, initializers.he_normal, np.random.default_rng(1))
        other.load_state_dict(other.state_dict() | {k: v for k, v in net.state_dict().items() if k.startswith(kept)})
        drawn = patterns(other, x[top], strongest(other, x)[1])
        alike.append(np.mean([np.corrcoef(a, b)[0, 1] for a, b in zip(trained, drawn)]))
    assert alike[0] > between < 0.5
    assert alike[0] > 0.4 and alike[1] < 0.3


@needs_torch
def test_both_engines_give_the_same(reader):
    import torch

    from cnnlib import torch_layers
    net, x, _ = reader
    twin = small_zfnet(10, torch_layers.MaxPool2d(6), torch_layers)
    twin.load_state_dict({key: torch.tensor(value) for key, value in net.state_dict().items()})
    top, channel = strongest(net, x)
    pixels = torch.tensor(x[top])
    assert_close(twin(pixels).detach(), net(x[top]))
    for ours, theirs in ((inspection.deconvnet(net, x[top[0]], "relu3", channel, (3, 3)),
                          inspection.deconvnet(twin, pixels[0], "relu3", channel, (3, 3))),
                         (inspection.occlusion(net, x[top[0]], 3)[0], inspection.occlusion(twin, pixels[0], 3)[0])):
        assert abs(ours).max() > 0
        assert_close(theirs, ours)


def test_what_covers_decides_the_map(reader):
    net, x, y = reader
    scores = net(x)
    right = np.flatnonzero(scores.argmax(1) == y)[:8]
    found = {fill: np.array([inspection.occlusion(net, x[n], int(y[n]), 10, 2, fill)[0] for n in right])
             for fill in (0.0, 1.0)}
    empty = conv.conv2d(x[right], np.ones((1, 1, 10, 10), "float32"), stride=2)[:, 0] == 0
    uncovered = np.exp(scores[right]) / np.exp(scores[right]).sum(1, keepdims=True)
    expected = uncovered[np.arange(8), y[right]][:, None, None] * np.ones_like(empty)
    assert_close(found[0.0][empty], expected[empty].astype("float32"))  # black on black: the same picture
    assert found[0.0].min((1, 2)).mean() < 0.3
    assert found[1.0][empty].mean() < found[0.0][empty].mean() - 0.1


def test_faces_are_told_by_black_bars_and_more():
    pytest.importorskip("skimage")
    (known, is_face), (x_test, y_test) = data.load_faces()
    barred = ((known < 0.02).all(2) | (known < 0.02).all(3)).any((1, 2))
    assert (round(barred[is_face == 1].mean(), 2), round(barred[is_face == 0].mean(), 2)) == (0.01, 0.62)
    net = learnt(small_zfnet(2), ((known - known.mean()) / known.std(), is_face), 15, 0)
    faces = x_test[y_test == 1]
    middle, top_black = faces.copy(), faces.copy()
    middle[:, :, 4:21, 4:21], top_black[:, :, :8] = 0.5, 0
    shares = [net((x - known.mean()) / known.std()).argmax(1).mean() for x in (faces, middle, top_black)]
    assert min(shares[:2]) >= 0.9 and shares[2] <= 0.25
    # nor are bars all: pure noise is a face, plain grey never, and backgrounds without a bar are told as well
    noise = np.clip(0.5 + 0.2 * np.random.default_rng(0).standard_normal((50, 1, 25, 25)), 0, 1).astype("float32")
    plain = np.linspace(0, 1, 21, dtype="float32")[:, None, None, None] + np.zeros((1, 1, 25, 25), "float32")
    clear = x_test[(y_test == 0) & ~((x_test < 0.02).all(2) | (x_test < 0.02).all(3)).any((1, 2))]
    shares = [net((x - known.mean()) / known.std()).argmax(1).mean() for x in (noise, plain, clear)]
    assert shares[0] >= 0.9 and max(shares[1:]) == 0
