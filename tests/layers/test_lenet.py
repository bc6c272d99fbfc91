"""LeNet-5's own layers by hand, and against what they abbreviate. (Beside torch they are in test_matches_torch.)"""

import re

import numpy as np
import pytest
from gradients import numerical_gradient
from helpers import assert_close, relative_error

from cnnlib import _array, layers
from cnnlib.conv import conv2d

C3 = ["012", "123", "234", "345", "045", "015", "0123", "1234", "2345", "0345", "0145", "0125", "0134", "1245", "0235",
      "012345"]  # the paper's table I: which maps of S2 each map of C3 sees


def set_weights(layer, weight, bias):
    layer.weight.data[...], layer.bias.data[...] = weight, bias
    return layer.to("float64")


def test_subsampling_by_hand():
    layer = set_weights(layers.Subsample2d(2), [0.5, -1], [1, 0])
    x = np.array([[[[1.0, 2, 9], [3, 4, 9]], [[0, 1, 9], [1, 0, 9]]]])
    assert_close(layer(x), np.array([[[[6.0]], [[-2.0]]]]))
    assert_close(layer.backward(np.array([[[[2.0]], [[3.0]]]])),
                 np.array([[[[1.0, 1, 0], [1, 1, 0]], [[-3, -3, 0], [-3, -3, 0]]]]))
    assert_close(layer.weight.grad, np.array([20.0, 6.0]))
    assert_close(layer.bias.grad, np.array([2.0, 3.0]))


def test_the_papers_numbers_of_parameters():
    """S2 12, S4 32, C3 1516: facts of the paper."""
    table = [tuple(map(int, row)) for row in C3]
    sizes = [sum(p.numel() for p in layer.parameters()) for layer in (
        layers.Subsample2d(6), layers.Subsample2d(16), layers.TableConv2d(table, 5))]
    assert sizes == [12, 32, 1516]


def test_a_table_is_a_convolution_with_zeros(rng):
    table = [(0, 2), (1,), (2, 0, 1)]
    layer = layers.TableConv2d(table, (3, 2), rng=rng).to("float64")
    dense, kernels = np.zeros((3, 3, 3, 2)), iter(layer.weight.data)
    for number, row in enumerate(table):
        for channel in row:
            dense[number, channel] = next(kernels)
    x = rng.standard_normal((2, 3, 5, 6))
    assert_close(layer(x), conv2d(x, dense, layer.bias.data))


def test_a_map_does_not_see_the_channels_that_its_row_leaves_out(rng):
    layer = layers.TableConv2d([(0, 2), (1,)], 3, rng=rng).to("float64")
    x = rng.standard_normal((1, 3, 5, 5))
    out = layer(x)
    x[:, 1] += 1
    assert_close(layer(x)[:, 0], out[:, 0])
    assert (layer(x)[:, 1] != out[:, 1]).all()
    layer(x)
    grad_output = np.zeros_like(out)
    grad_output[:, 0] = 1
    assert not layer.backward(grad_output)[:, 1].any()


def test_distances_by_hand(array):
    layer = layers.RBF([[0.0, 0], [3, 4]]).to("float64")
    if _array.is_torch(array(np.ones(1))):
        layer.to(array(np.ones(1)).device)
    x = array(np.array([[3.0, 4], [0, 1]]))
    assert_close(layer(x), np.array([[-25.0, 0], [-1, -18]]))
    assert_close(layer.backward(array(np.array([[1.0, 7], [0, 1]]))), np.array([[-6.0, -8], [6, 6]]))
    assert layer.parameters() == [] and list(layer.state_dict()) == ["centres"]


@pytest.mark.parametrize("build", [
    lambda rng: layers.Subsample2d(3, rng=rng), lambda rng: layers.RBF(rng.random((4, 6))),
    lambda rng: layers.TableConv2d([(0, 2), (1,)], 3, rng=rng)])
def test_central_differences(rng, build):
    layer = build(rng).to("float64")
    x = rng.standard_normal((2, 6) if isinstance(layer, layers.RBF) else (2, 3, 5, 4))
    grad_output = rng.standard_normal(layer(x).shape)

    def value():
        return float((layer(x) * grad_output).sum())

    layer(x)
    grad_x = layer.backward(grad_output)
    pairs = [(grad_x, x), *((parameter.grad, parameter.data) for parameter in layer.parameters())]
    for grad, argument in pairs:
        assert relative_error(grad, numerical_gradient(value, argument)) < 1e-8  # what eps = 1e-5 allows


def test_first_weights_are_within_one_over_the_root_of_what_they_sum(rng):
    layer = layers.TableConv2d([(0,), tuple(range(100))], 5, rng=rng)
    assert 0.8 < abs(layer.weight.data[0]).max() * 5 <= 1  # 25 weights
    assert 0.99 < abs(layer.weight.data[1:]).max() * 50 <= 1  # 2500 weights
    assert abs(layers.Subsample2d(100, rng=rng).weight.data).max() <= 0.5
    first, second = (layer.reset_parameters(np.random.default_rng(1)).state_dict() for _ in range(2))
    np.testing.assert_array_equal(first["weight"], second["weight"])


@pytest.mark.parametrize(("build", "message"), [
    (lambda: layers.TableConv2d([(0, 1), ()], 3), "row 1 of `table` is (); each map must see at least one channel"),
    (lambda: layers.TableConv2d([(2, 2)], 3), "row 0 of `table` is (2, 2)"),
    (lambda: layers.TableConv2d([], 3), "`table` is empty"),
    (lambda: layers.RBF(np.ones(3)), "`centres` has shape (3,); it must be (num_classes, in_features)"),
    (lambda: layers.RBF(np.ones((2, 3)))(np.ones((4, 5), "float32")), "`x` has shape (4, 5); it must be (N, 3), as"),
    (lambda: layers.Subsample2d(3)(np.ones((1, 4, 2, 2), "float32")), "`x` has shape (1, 4, 2, 2); it must be (N, 3"),
])
def test_errors(build, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        build()
