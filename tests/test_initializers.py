"""First weights: limits, variances, fans, and that a signal keeps its size through the layers."""

from math import sqrt

import numpy as np
import pytest

from cnnlib import activations, initializers, layers
from cnnlib.initializers import (
    fans,
    glorot_normal,
    glorot_uniform,
    he_normal,
    he_uniform,
    lecun_uniform,
    ones,
    zeros,
)
from cnnlib.linear import linear, linear_backward

SHAPE = (300, 40, 3, 5)  # 180,000 numbers; fan_in 600, fan_out 4500
VARIANCE = {
    "glorot_uniform": 2 / 5100, "glorot_normal": 2 / 5100, "he_uniform": 2 / 600, "he_normal": 2 / 600,
    "lecun_uniform": (2.4 / 600)**2 / 3,
}
DRAWS = VARIANCE  # the functions that draw


def generator():
    return np.random.default_rng(0)


def draw(name, *args, **kwargs):
    return getattr(initializers, name)(*args, **kwargs)


@pytest.mark.parametrize(("shape", "groups", "expected"), [
    ((10, 84), 1, (84, 10)), ((6, 1, 5, 5), 1, (25, 150)), ((256, 48, 5, 5), 2, (1200, 3200)),
    ((8, 1, 3, 3), 8, (9, 9)),
])
def test_fans(shape, groups, expected):
    assert fans(shape, groups) == expected


def test_fans_count_connections(rng):
    """Each output of a convolution sums fan_in numbers, each inner input reaches fan_out outputs."""
    from cnnlib.conv import conv2d, conv2d_backward

    x, weight = np.ones((1, 4, 9, 9)), np.ones((6, 2, 3, 3))
    out = conv2d(x, weight, groups=2)
    assert (out == fans(weight.shape, 2)[0]).all()
    assert conv2d_backward(np.ones_like(out), x, weight, groups=2)[0][0, 0, 4, 4] == fans(weight.shape, 2)[1]


@pytest.mark.parametrize("name", DRAWS)
def test_mean_and_variance(name):
    weight = draw(name, SHAPE, generator(), dtype="float64")
    deviation = sqrt(VARIANCE[name])
    assert abs(weight.mean()) < 5 * deviation / sqrt(weight.size)
    # five standard errors; of a normal distribution's variance that is √2 of itself over √n, of an even one's less
    assert weight.var() == pytest.approx(VARIANCE[name], rel=5 * sqrt(2 / weight.size))
    if "uniform" in name:
        assert 0.999 * sqrt(3) * deviation < abs(weight).max() <= sqrt(3) * deviation
    else:
        assert 4 * deviation < abs(weight).max() < 7 * deviation  # not cut off


def test_settings():
    """The same draws, at another scale."""
    for glorot in (glorot_uniform, glorot_normal):
        np.testing.assert_allclose(glorot(SHAPE, generator(), gain=2), 2 * glorot(SHAPE, generator()), rtol=1e-6)
        ratio = glorot(SHAPE, generator(), groups=3) / glorot(SHAPE, generator())
        np.testing.assert_allclose(ratio, sqrt(5100 / 2100), rtol=1e-5)
    for he in (he_uniform, he_normal):
        plain = he(SHAPE, generator())
        np.testing.assert_allclose(he(SHAPE, generator(), mode="fan_out"), plain * sqrt(600 / 4500), rtol=1e-5)
        np.testing.assert_allclose(he(SHAPE, generator(), negative_slope=1.0), plain / sqrt(2), rtol=1e-5)
        grouped = he(SHAPE, generator(), mode="fan_out", groups=3)
        np.testing.assert_allclose(grouped, plain * sqrt(600 / 1500), rtol=1e-5)
    np.testing.assert_allclose(lecun_uniform((4, 1), generator(), fan_in=4), lecun_uniform((4, 1), generator()) / 4,
                               rtol=1e-6)


@pytest.mark.parametrize(("name", "theirs"), [
    ("glorot_uniform", "xavier_uniform_"), ("he_uniform", "kaiming_uniform_"),
])
def test_same_limit_as_torch(name, theirs):
    torch = pytest.importorskip("torch")
    options = dict(nonlinearity="relu") if "kaiming" in theirs else {}
    tensor = getattr(torch.nn.init, theirs)(torch.empty(SHAPE, dtype=torch.float64), **options)
    limit = abs(draw(name, SHAPE, generator(), dtype="float64")).max()
    assert limit == pytest.approx(float(tensor.abs().max()), rel=1e-3)  # the largest of 180,000 even draws


def deep(weights, x, activation):
    """Return the outputs of all layers, and the inputs of their activations."""
    outs, sums = [x], []
    for weight in weights:
        sums.append(linear(outs[-1], weight))
        outs.append(activation(sums[-1]))
    return outs, sums


def test_signals_keep_their_size_through_thirty_layers(rng):
    """He's weights hold E[x²] behind ReLU, forward and backward; weights without the 2 lose half in each layer."""
    x = rng.standard_normal((256, 200))
    weights = [he_normal((200, 200), rng, dtype="float64") for _ in range(30)]
    outs, sums = deep(weights, x, activations.relu)
    size = (outs[-1]**2).mean()
    assert 0.2 < size < 5  # of about 1
    grad = rng.standard_normal(outs[-1].shape)
    for before, weight, total in zip(outs[-2::-1], weights[::-1], sums[::-1]):
        grad = linear_backward(activations.relu_backward(grad, total), before, weight)[0]
    assert 0.2 < (grad**2).mean() < 5
    shrunk = deep([weight / sqrt(2) for weight in weights], x, activations.relu)[0][-1]
    np.testing.assert_allclose((shrunk**2).mean(), size / 2**30)


def test_glorot_behind_tanh(rng):
    x = 0.1 * rng.standard_normal((256, 200))  # small, where tanh is nearly straight
    outs, _ = deep([glorot_normal((200, 200), rng, dtype="float64") for _ in range(10)], x, activations.tanh)
    assert 0.5 < outs[-1].std() / outs[0].std() < 1.1


@pytest.mark.parametrize("dtype", ("float16", "float32", "float64", np.float32, np.dtype("float64")))
def test_dtype(dtype):
    for name in DRAWS:
        assert draw(name, (4, 3), generator(), dtype=dtype).dtype == dtype
    assert zeros(3, dtype).dtype == ones((2, 2), dtype).dtype == dtype


def test_both_precisions_begin_alike():
    for name in DRAWS:
        double = draw(name, SHAPE, generator(), dtype="float64")
        np.testing.assert_array_equal(draw(name, SHAPE, generator()), double.astype("float32"))


def test_zeros_and_ones():
    np.testing.assert_array_equal(zeros((2, 3)), [[0, 0, 0], [0, 0, 0]])
    np.testing.assert_array_equal(ones(3), [1, 1, 1])
    assert zeros(3).dtype == "float32"


def test_errors():
    with pytest.raises(ValueError, match=r"`shape` is \(6,\); a weight has at least two axes"):
        he_normal((6,), generator())
    with pytest.raises(ValueError, match=r"`groups` is 4; it must divide the 6 outputs of `shape` \(6, 3\)"):
        glorot_uniform((6, 3), generator(), groups=4)
    with pytest.raises(ValueError, match="`shape` is 0; it must be at least 1"):
        lecun_uniform((6, 0), generator())
    with pytest.raises(ValueError, match="`mode` is 'fan_avg'; it must be 'fan_in' or 'fan_out'"):
        he_uniform((6, 3), generator(), mode="fan_avg")
    with pytest.raises(TypeError, match="`dtype` is 'int64'; it must be 'float16', 'float32' or 'float64'"):
        zeros(3, "int64")
    for name in DRAWS:
        with pytest.raises(TypeError, match=r"`rng` is 0; it must be a np\.random\.Generator"):
            draw(name, (6, 3), 0)


def test_redraw():
    net = layers.Sequential(layers.Conv2d(3, 8, 3), layers.ReLU(), layers.Flatten(), layers.Linear(32, 5))
    same = initializers.redraw(net, initializers.he_normal, np.random.default_rng(1))
    rng = np.random.default_rng(1)
    assert same is net
    for stage in (net[0], net[3]):
        assert np.array_equal(stage.weight.data, initializers.he_normal(stage.weight.shape, rng))
        assert not stage.bias.data.any()


def test_redraw_gives_both_engines_the_same_and_leaves_scales():
    torch_layers = pytest.importorskip("cnnlib.torch_layers")
    pytest.importorskip("torch")

    def build(nn):
        return nn.Sequential(nn.Conv2d(3, 8, 3, groups=1), nn.BatchNorm2d(8), nn.Scale(8, 0.5), nn.Flatten(),
                             nn.Linear(32, 5))

    ours, theirs = (initializers.redraw(build(nn), initializers.he_normal, np.random.default_rng(1)).state_dict()
                    for nn in (layers, torch_layers))
    assert list(ours) == list(theirs)
    for name, values in ours.items():
        np.testing.assert_array_equal(values, theirs[name].numpy())
    assert (ours["1.weight"] == 1).all() and (ours["2.weight"] == 0.5).all() and not ours["4.bias"].any()
