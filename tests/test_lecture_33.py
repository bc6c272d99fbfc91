"""The facts of lecture 33: losses and their slopes, the cliff, momentum, Adam's steps, decay, noise, first weights."""

from functools import partial
from math import log, sqrt

import numpy as np
import pytest
from helpers import assert_close

from cnnlib import activations, data, initializers, inspection, layers, losses, optim
from cnnlib.optim import surfaces, walks

CROSS_ENTROPY = layers.CrossEntropyLoss


@pytest.fixture(scope="module")
def digits():
    pytest.importorskip("sklearn")
    return data.load_digits()


def new_net(hidden=32, seed=0):
    rng = np.random.default_rng(seed)
    return layers.Sequential(layers.Flatten(), layers.Linear(64, hidden, rng=rng), layers.ReLU(),
                             layers.Linear(hidden, 10, rng=rng))


def train(net, x, target, loss, optimizer, epochs=5, batch_size=32, schedule=None):
    for epoch in range(epochs):
        order = np.random.default_rng(epoch).permutation(len(x))
        for rows in np.array_split(order, len(x) // batch_size):
            loss(net(x[rows]), target[rows])
            net.zero_grad()
            net.backward_parameters(loss.backward())
            optimizer.step()
            if schedule:
                schedule.step()
    return net


# ---- losses

def test_three_classes_by_hand():
    scores = np.log([1.0, 2.0, 5.0])
    assert_close(losses.cross_entropy(scores, np.array(1)), np.array(log(4)))
    assert_close(losses.cross_entropy_backward(1.0, scores, np.array(1))[0], np.array([1, -6, 5]) / 8)


def test_exercise_1():
    scores = np.log([3.0, 1.0, 1.0])
    assert_close(losses.cross_entropy(scores, np.array(2)), np.array(log(5)))
    assert_close(losses.cross_entropy_backward(1.0, scores, np.array(2))[0], np.array([0.6, 0.2, -0.8]))


def test_large_scores():
    with np.errstate(all="ignore"):
        assert np.isnan(-np.log(np.exp(1000.0) / (1 + np.exp(1000.0))))
    assert losses.cross_entropy(np.array([0.0, 1000.0]), np.array(1)) == 0
    assert losses.cross_entropy(np.array([0.0, -1000.0]), np.array(1)) == 1000
    assert [round(log(np.finfo(kind).max), 1) for kind in ("float64", "float32")] == [709.8, 88.7]


def test_first_loss(digits):
    (x, y), _ = digits
    assert_close(losses.cross_entropy(np.zeros((5, 10)), y[:5]), np.array(log(10)))
    assert_close(losses.cross_entropy(np.zeros((64, 64)), np.arange(64)), np.array(log(64)))  # the wrong axis
    assert all(abs(losses.cross_entropy(new_net(seed=seed)(x), y) - log(10)) < 0.1 for seed in range(10))


def test_slopes_of_a_net_that_is_surely_wrong():
    s, one = np.array([-10.0]), np.ones(1)
    p = activations.sigmoid(s)
    square = losses.mse_loss_backward(one / 2, p, one, reduction="none")[0] * activations.sigmoid_backward(one, s)
    assert_close(square, (p - 1) * p * (1 - p))
    assert f"{square[0]:.1e}" == "-4.5e-05"
    entropy = losses.binary_cross_entropy_with_logits_backward(one, s, one, reduction="none")[0]
    assert_close(entropy, p - 1)
    assert round(float(entropy[0]), 3) == -1.0
    assert max((1 - p) ** 2 * p for p in np.linspace(0, 1, 301)) == pytest.approx(4 / 27)  # exercise 2, at 1/3


def test_slopes_with_softmax_have_the_factor_too(rng):
    s = rng.normal(size=(1, 4))
    p = activations.softmax(s, 1)
    slope = activations.softmax_backward(np.eye(4)[None, 2], s, 1)[0, 2]
    assert slope == pytest.approx(p[0, 2] * (1 - p[0, 2]))


def test_sure_and_wrong_nets_recover_by_cross_entropy_alone(digits):
    (x, y), (x_test, y_test) = digits
    sides = {"entropy": (CROSS_ENTROPY, y, []),
             "squares": (layers.MSELoss, np.eye(10, dtype="float32")[y], [layers.Softmax(1)])}
    best = {}
    for bias in (0, 20):
        for name, (loss, target, last) in sides.items():
            found = []
            for lr in (0.1, 0.3, 1, 3, 10):
                net = layers.Sequential(*new_net(), *last)
                net[3].bias.data[0] += bias
                train(net, x, target, loss(), optim.SGD(net.parameters(), lr=lr))
                found.append((net(x_test).argmax(axis=1) == y_test).mean())
            best[name, bias] = max(found)
    assert min(best["entropy", 0], best["squares", 0], best["entropy", 20]) > 0.9
    assert best["squares", 20] < 0.11


def bounded(a):
    """The lecture's own loss, written with the library's: p_t = exp(-L), so L_a = (1 - exp(-a L)) / a."""
    class Bounded(layers.Module):
        def forward(self, x, target):
            self.keep(x, target)
            entropy = losses.cross_entropy(x, target, reduction="none")
            return ((1 - np.exp(-a * entropy)) / a).mean()

        def backward(self, grad_output=1.0):
            x, target = self.kept()
            entropy = losses.cross_entropy(x, target, reduction="none")
            weights = (grad_output * np.exp(-a * entropy) / len(x)).astype(x.dtype)
            return losses.cross_entropy_backward(weights, x, target, reduction="none")[0]

    return Bounded()


def test_gradient_of_the_bounded_loss(rng):
    x, target = rng.normal(size=(6, 10)), np.arange(6)
    loss = bounded(0.7)
    loss(x, target)
    p, q = activations.softmax(x, 1), np.eye(10)[target]
    assert_close(loss.backward(), (p * q).sum(axis=1, keepdims=True) ** 0.7 * (p - q) / 6)  # eq. (5)
    assert loss(1000 * x, target) <= 1 / 0.7
    assert_close(bounded(1e-9)(x, target), losses.cross_entropy(x, target), 1e-6)  # a is not 0
    assert_close(bounded(1)(x, target), 1 - (p * q).sum(axis=1).mean())


def test_half_of_the_labels_wrong(digits):
    (x, y), (x_test, y_test) = digits
    rng = np.random.default_rng(0)
    spoilt = np.where(rng.random(len(y)) < 0.5, (y + rng.integers(1, 10, len(y))) % 10, y)
    right = {}
    for name, loss in (("entropy", CROSS_ENTROPY()), ("bounded", bounded(0.7))):
        net = new_net(128)
        train(net, x, spoilt, loss, optim.Adam(net.parameters(), lr=0.01), epochs=40)
        right[name] = (net(x_test).argmax(axis=1) == y_test).mean()
    assert right["entropy"] < 0.8 < right["bounded"]


def test_softmax_twice(digits):
    (x, y), _ = digits
    floor = losses.cross_entropy(np.eye(10)[:1], np.array([0]))
    assert_close(floor, np.array(-log(np.e / (np.e + 9))))
    assert round(float(floor), 3) == 1.461
    net = layers.Sequential(*new_net(), layers.Softmax(1))
    train(net, x, y, CROSS_ENTROPY(), optim.Adam(net.parameters(), lr=0.01), epochs=10)
    assert floor < losses.cross_entropy(net(x), y) < floor + 0.1


@pytest.mark.parametrize("p, accuracy, loss", [([0.51] * 4, 1, 0.673), ([0.99, 0.99, 0.49, 0.49], 0.5, 0.362)])
def test_loss_and_accuracy_differ(p, accuracy, loss):
    assert np.mean(np.array(p) > 0.5) == accuracy
    assert round(-np.log(p).mean(), 3) == loss


# ---- walking

@pytest.mark.parametrize("lr, after", [(0.1, 0), (0.19, 0.005), (0.2, 1), (0.21, 117)])
def test_cliff_of_one_weight(lr, after):
    end = walks.walk(lambda w: 10 * w, [1.0], "sgd", 50, lr=lr)[-1, 0]
    assert float(f"{abs(end):.3f}" if after < 1 else f"{abs(end):.0f}") == after


def test_cliff_of_the_digits(digits):
    (x, y), _ = digits
    pixels, wanted = x.reshape(-1, 64).astype(float), np.eye(10)[y]
    edges = [2 / np.linalg.eigvalsh(2 / (10 * len(x)) * a.T @ a)[-1] for a in (pixels, pixels - pixels.mean(axis=0))]
    assert [round(edge, 3) for edge in edges] == [0.957, 14.342]
    ends = {}
    for share in (0.98, 1.02):
        path = walks.walk(lambda w: losses.mse_loss_backward(1.0, pixels @ w.T, wanted)[0].T @ pixels,
                          np.zeros((10, 64)), "sgd", 100, lr=share * edges[0])
        ends[share] = losses.mse_loss(pixels @ path[-1].T, wanted)
    assert ends[0.98] < 0.04 and ends[1.02] > 20


@pytest.mark.parametrize("mu", [0.0, 0.5, 0.9])
def test_cliff_with_momentum(mu):
    edge = 2 * (1 + mu) / 10
    ends = [abs(walks.walk(lambda w: 10 * w, [1.0], "momentum", 3000, lr=share * edge, momentum=mu)[-1, 0])
            for share in (0.99, 1.01)]
    assert ends[0] < 1e-3 and ends[1] > 1e3


@pytest.mark.parametrize("kappa, plain, heavy", [(10, 35, 15), (100, 346, 56), (1000, 3454, 198)])
def test_narrow_valleys(kappa, plain, heavy):
    gradient, root = surfaces.bowl(kappa).gradient, sqrt(kappa)
    paths = (walks.walk(gradient, [1, 1], "sgd", 4000, lr=2 / (kappa + 1)),
             walks.walk(gradient, [1, 1], "momentum", 4000, lr=4 / (root + 1) ** 2,
                        momentum=((root - 1) / (root + 1)) ** 2))
    assert [walks.steps_until(path, 1e-3) for path in paths] == [plain, heavy]


@pytest.mark.parametrize("slope", [100, 1, 1e-4])
def test_adams_first_step_is_the_rate(slope):
    assert walks.walk(lambda w: [slope], [0], "adam", 1, lr=0.1)[1, 0] == pytest.approx(-0.1, rel=1e-3)
    assert round(0.1 / sqrt(0.001), 1) == 3.2  # without the divisors


def test_penalty_and_decay():
    jolts = np.outer(np.tile([1, -1, -1, 1], 250), [10, 0.1])
    ends = {kind: walks.walk(lambda w: 0 * w, [1, 1], kind, 1000, noise=jolts, lr=0.01, weight_decay=0.1)[-1]
            for kind in (optim.SGD, optim.Adam, optim.AdamW)}
    shrunk = (1 - 0.001) ** 1000
    np.testing.assert_allclose(ends[optim.SGD], shrunk, atol=1e-3)
    np.testing.assert_allclose(ends[optim.AdamW], shrunk, atol=1e-2)  # Adam's steps do not cancel to the last
    assert ends[optim.Adam][0] > 0.85 and abs(ends[optim.Adam][1]) < 0.01


def test_a_turned_valley():
    """Rules that know no axes walk the same way in it; those with a rate for each weight lose most of their gain."""
    turn, start = np.array([[2, -1], [1, 2]]) / sqrt(5), np.array([-1.2, 1.0])
    straight, turned = surfaces.bowl(100), surfaces.ravine(100)
    for name in walks.RULES:
        one = walks.walk(straight.gradient, turn @ start, name, 100, lr=0.015)
        other = walks.walk(turned.gradient, start, name, 100, lr=0.015)
        if name in ("sgd", "momentum", "nesterov"):
            within = slice(None) if name != "nesterov" else slice(20)  # it explodes at this rate, and rounding with it
            assert_close(other[within] @ turn.T, one[within], 1e-9)  # rounding, grown over 100 steps
        else:
            assert turned.value(other[-1]) > 10 * straight.value(one[-1])


def test_rates_that_suffice(digits):
    (x, y), _ = digits
    lowest = {}
    for name, (kind, settings) in walks.RULES.items():
        for lr in 10 ** np.arange(-3, 0.1, 0.5):
            net = new_net()
            train(net, x, y, CROSS_ENTROPY(), kind(net.parameters(), lr=lr, **settings), epochs=4)
            if losses.cross_entropy(net(x), y) < 0.9:
                lowest[name] = f"{lr:.1g}"
                break
    assert lowest == {"sgd": "0.1", "momentum": "0.01", "nesterov": "0.01", "rmsprop": "0.001", "adam": "0.003"}


def test_noise_falls_with_the_root_of_the_batch(digits):
    (x, y), _ = digits
    each = ((0.1 - np.eye(10)[y])[:, :, None] * x.reshape(-1, 1, 64)).reshape(len(x), -1)
    net = layers.Sequential(layers.Flatten(), initializers.redraw(  # the slope at zero weights is the mean of these
        layers.Linear(64, 10), lambda shape, rng: np.zeros(shape), np.random.default_rng(0)))
    loss = CROSS_ENTROPY()
    loss(net(x), y)
    net.backward(loss.backward())
    assert_close(net[1].weight.grad, each.mean(axis=0).reshape(10, 64).astype("float32"))
    rng = np.random.default_rng(0)
    off = [np.mean([np.linalg.norm(each[rng.integers(0, len(x), size)].mean(axis=0) - each.mean(axis=0))
                    for _ in range(200)]) for size in (4, 16, 64, 256)]
    np.testing.assert_allclose(np.divide(off[1:], off[:-1]), 0.5, atol=0.05)


def test_schedules(digits):
    (x, y), _ = digits
    total = 5 * (len(x) // 4)
    finals = []
    for schedule in (lambda o: optim.CosineAnnealingLR(o, total), lambda o: optim.StepLR(o, total // 3),
                     lambda o: optim.StepLR(o, total)):
        net = new_net()
        optimizer = optim.SGD(net.parameters(), lr=0.3)
        train(net, x, y, CROSS_ENTROPY(), optimizer, batch_size=4, schedule=schedule(optimizer))
        finals.append(losses.cross_entropy(net(x), y))
    assert finals == sorted(finals)


# ---- first weights

def deep_net(draw, bend=layers.ReLU, seed=0):
    body = [stage for _ in range(10) for stage in (layers.Linear(64, 64), bend())]
    return initializers.redraw(layers.Sequential(layers.Flatten(), *body, layers.Linear(64, 10)), draw,
                               np.random.default_rng(seed))


def normal(deviation):
    return lambda shape, rng: rng.normal(0, deviation, shape)


DRAWS = {"0.01": normal(0.01), "Glorot": initializers.glorot_normal, "He": initializers.he_normal, "1": normal(1)}


def test_sizes_by_layer(digits):
    (x, _), _ = digits
    last = {how: inspection.output_sizes(deep_net(draw), x, layers.ReLU)[-1] for how, draw in DRAWS.items()}
    assert last["0.01"] < 1e-12 and 0.01 < last["Glorot"] < 0.05 and 0.3 < last["He"] < 1 and last["1"] > 1e6


@pytest.mark.parametrize("slope, least, most", [(0.5, 0.6, 1.2), (0, 1.6, 3.2)])
def test_exercise_5_tells_the_right_draw_from_the_wrong_one(digits, slope, least, most):
    (x, _), _ = digits
    for seed in range(4):
        draw = partial(initializers.he_normal, negative_slope=slope)
        net = deep_net(draw, lambda: layers.LeakyReLU(0.5), seed)
        sizes = inspection.output_sizes(net, x, layers.LeakyReLU)
        assert least < sizes[-1] / sizes[0] < most


def test_variance_of_a_sum(rng):
    """Eq. (13): fan_in times the weights' variance times the inputs' mean square."""
    x, weight = rng.random((1, 400)) + 1, rng.normal(0, 0.3, (20_000, 400))
    assert (x @ weight.T).var() == pytest.approx(400 * 0.09 * (x**2).mean(), rel=0.05)


def test_tanh_saturates(digits):
    (x, _), _ = digits
    saturated = {how: (abs(deep_net(draw, layers.Tanh)[:-1](x)) > 0.99).mean() for how, draw in DRAWS.items()}
    assert max(saturated[how] for how in ("0.01", "Glorot", "He")) < 0.001
    assert round(saturated["1"], 2) == 0.73
    assert 1 - 0.99**2 < 0.02


@pytest.mark.filterwarnings("ignore:.*encountered in:RuntimeWarning")  # weights that are too large end in NaN
def test_only_he_learns(digits):
    (x, y), _ = digits
    first, then = {}, {}
    for how, draw in DRAWS.items():
        net = deep_net(draw)
        first[how] = losses.cross_entropy(net(x), y)
        train(net, x, y, CROSS_ENTROPY(), optim.SGD(net.parameters(), lr=0.03))
        then[how] = losses.cross_entropy(net(x), y)
    assert round(float(first["0.01"]), 3) == 2.303 and first["1"] > 1e7
    assert [how for how, loss in then.items() if loss < 0.5] == ["He"]
