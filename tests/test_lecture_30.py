"""The facts of lecture 30: back-propagation by hand, its cost, hasty updates, starts, checks, a net that learns."""

import math

import numpy as np
import pytest
from helpers import assert_close

from cnnlib import activations, data, gradcheck, initializers, layers, linear, losses, optim, scalar
from cnnlib.scalar import Value

RATE = 0.1


def two_weights(w1, w2, x=1.0, y=1.0):
    """E = (w2 w1 x - y)^2 and its three leaves."""
    leaves = Value(float(w1)), Value(float(w2)), Value(float(x))
    return (leaves[1] * (leaves[0] * leaves[2]) - y) ** 2, leaves


@pytest.fixture
def small(rng):
    """A net with sizes that all differ: weights, activations, slopes, input, target."""
    sizes = [4, 5, 3, 2]
    weights = {n: rng.standard_normal((sizes[n], sizes[n - 1])) for n in (1, 2, 3)}
    sigmoid = activations.sigmoid
    h = {1: np.tanh, 2: np.tanh, 3: sigmoid}
    slope = {1: lambda a: 1 - np.tanh(a) ** 2, 2: lambda a: 1 - np.tanh(a) ** 2,
             3: lambda a: sigmoid(a) * (1 - sigmoid(a))}
    return weights, h, slope, rng.standard_normal(4), np.array([1.0, 0.0])


def forward(weights, h, x):
    o, a = {0: x}, {}
    for n in weights:
        a[n] = weights[n] @ o[n - 1]
        o[n] = h[n](a[n])
    return o, a


def backward(weights, slope, o, a, y):
    """Equations (4), (6) and (7)."""
    top = max(weights)
    delta = {top: 2 * (o[top] - y) * slope[top](a[top])}
    for n in range(top - 1, 0, -1):
        delta[n] = (weights[n + 1].T @ delta[n + 1]) * slope[n](a[n])
    return delta, {n: np.outer(delta[n], o[n - 1]) for n in weights}


def library_net(weights, layer=layers.Linear):
    top = max(weights)
    net = layers.Sequential({name: stage for n, weight in weights.items() for name, stage in [
        (f"W{n}", layer(*weight.shape[::-1], bias=False)),
        (f"h{n}", layers.Sigmoid() if n == top else layers.Tanh())]})
    for parameter, weight in zip(net.parameters(), weights.values()):
        parameter.data = weight.copy()
    return net


@pytest.fixture(scope="module")
def digits():
    pytest.importorskip("sklearn")
    return [(x.reshape(len(x), 64).astype(float), y) for x, y in data.load_digits()]


def random_start(seed=0):
    rng = np.random.default_rng(seed)
    return {1: initializers.glorot_uniform((32, 64), rng, dtype="float64"),
            2: initializers.glorot_uniform((10, 32), rng, dtype="float64")}


class Hasty(layers.Linear):
    def backward(self, grad_output):
        self.weight.data -= RATE * grad_output.T @ self.kept()[0]
        return grad_output @ self.weight.data


class Swapped(layers.Linear):
    """The same two steps in the right order."""

    def backward(self, grad_output):
        grad_x = grad_output @ self.weight.data
        self.weight.data -= RATE * grad_output.T @ self.kept()[0]
        return grad_x


def train(digits, weights, steps, layer=layers.Linear):
    (pixels, labels), _ = digits
    net, loss, errors = library_net(weights, layer), layers.MSELoss(reduction="sum"), []
    optimizer = optim.SGD(net.parameters(), lr=RATE)
    for point in np.random.default_rng(1).integers(len(pixels), size=steps):
        errors.append(float(loss(net(pixels[point:point + 1]), np.eye(10)[labels[point:point + 1]])))
        net.zero_grad()
        net.backward(loss.backward())
        optimizer.step()
    return net, errors


def share_right(digits, net):
    pixels, labels = digits[1]
    return np.mean(net(pixels).argmax(axis=1) == labels)


def test_two_weights_by_hand():
    E, leaves = two_weights(2, 3)
    E.backward()
    assert (E.data, [leaf.grad for leaf in leaves]) == (25, [30, 20, 60])
    h = 0.001
    assert (two_weights(2 + h, 3)[0].data - two_weights(2 - h, 3)[0].data) / (2 * h) == pytest.approx(30)


def test_hasty_update_of_two_weights():
    """The gradient of w1 with the w2 of the forward pass, and with the updated one: 30 and 10."""
    grad_o = 2 * (3 * 2 - 1)
    hasty = 3 - RATE * grad_o * 2
    assert (grad_o * 3, hasty, grad_o * hasty) == (30, 1, 10)


def test_every_line_of_the_derivation(small):
    """Each line against measurement, which errs in the tenth digit or so."""
    weights, h, slope, x, y = small
    o, a = forward(weights, h, x)
    assert_close(o[3], h[3](weights[3] @ np.tanh(weights[2] @ np.tanh(weights[1] @ x))))

    def error_from(n, a_n):
        out = h[n](a_n)
        return ((out - y) ** 2).sum() if n == 3 else error_from(n + 1, weights[n + 1] @ out)

    delta, grads = backward(weights, slope, o, a, y)
    for n in weights:
        assert_close(delta[n], gradcheck.numerical_gradient(lambda a_n, n=n: error_from(n, a_n), a[n]), 1e-8)
        assert_close(grads[n], gradcheck.numerical_gradient(
            lambda weight, n=n: error_from(n, weight @ o[n - 1]), weights[n]), 1e-8)
        assert grads[n].shape == weights[n].shape
    sums = np.array([sum(delta[3][i] * weights[3][i, j] for i in range(2)) for j in range(3)])
    assert_close(sums, gradcheck.numerical_gradient(lambda out: error_from(3, weights[3] @ out), o[2]), 1e-8)
    assert_close(weights[3].T @ delta[3], sums)


def test_library_scalars_and_torch_give_the_same_gradients(small):
    weights, h, slope, x, y = small
    grads = backward(weights, slope, *forward(weights, h, x), y)[1]
    net, loss = library_net(weights), layers.MSELoss(reduction="sum")
    loss(net(x[None]), y[None])
    net.backward(loss.backward())
    values = {n: [[Value(w) for w in row] for row in weights[n]] for n in weights}
    signals = [Value(number) for number in x]
    for n in weights:
        sums = [sum(w * s for w, s in zip(row, signals)) for row in values[n]]
        signals = [s.sigmoid() if n == 3 else s.tanh() for s in sums]
    E = sum((s - t) ** 2 for s, t in zip(signals, y))
    E.backward()
    for n in weights:
        assert_close(net[f"W{n}"].weight.grad, grads[n])
        assert_close(np.array([[w.grad for w in row] for row in values[n]]), grads[n])
    boxes = [value for value in E.graph() if value.inputs]
    assert (len(boxes), sum(len(value.inputs) for value in boxes)) == (100, 188)
    torch = pytest.importorskip("torch")
    tensors, out = {n: torch.tensor(weights[n], requires_grad=True) for n in weights}, torch.tensor(x)
    for n in weights:
        out = (torch.sigmoid if n == 3 else torch.tanh)(tensors[n] @ out)
    ((out - torch.tensor(y)) ** 2).sum().backward()
    for n in weights:
        assert_close(tensors[n].grad, grads[n])


@pytest.mark.parametrize("sizes, both, weights", [
    ((4, 5, 3, 2), 41 + 62, 41), ((64, 32, 10), 2368 + 2688, 2368), ((784, 100, 10), 79_400 + 80_400, 79_400),
    ((25088, 4096, 4096, 1000), 123_633_664 + 144_506_880, 123_633_664),
])
def test_all_gradients_cost_less_than_three_forward_passes(sizes, both, weights):
    products = [a * b for a, b in zip(sizes, sizes[1:])]  # multiply-adds of (1), of (7); of (5) but for the first
    assert sum(products) == weights
    assert sum(products) + sum(products) + sum(products[1:]) == both < 3 * weights


def test_e_is_the_sum_of_squares_and_the_batch_adds_up(small, rng):
    """2 (o - y), over a batch the sum: text, loss and linear agree; the default mean divides by the outputs too."""
    weights, h, slope, _, y = small
    x = rng.standard_normal((6, 4))
    net, loss = library_net(weights), layers.MSELoss(reduction="sum")
    targets = np.tile(y, (6, 1))
    E = loss(net(x), targets)
    net.backward(loss.backward())
    alone = [backward(weights, slope, *forward(weights, h, point), y)[1] for point in x]
    assert_close(E, sum(((forward(weights, h, point)[0][3] - y) ** 2).sum() for point in x))
    for n in weights:
        assert_close(net[f"W{n}"].weight.grad, sum(grads[n] for grads in alone))
    assert_close(losses.mse_loss(net(x), targets), E / 12)


def test_bias_gradient_is_delta_summed(rng):
    delta, x = rng.standard_normal((6, 3)), rng.standard_normal((6, 4))
    weight = rng.standard_normal((3, 4))
    grad_x, grad_weight, grad_bias = linear.linear_backward(delta, x, weight, np.zeros(3))
    assert_close(grad_bias, delta.sum(axis=0))
    assert_close(grad_weight, sum(np.outer(d, point) for d, point in zip(delta, x)))
    assert_close(grad_x, delta @ weight)


def test_shortcut_adds_the_gradient_itself(rng):
    weight, grad_out, x = rng.standard_normal((4, 4)), rng.standard_normal(4), rng.standard_normal(4)
    measured = gradcheck.numerical_gradient(lambda x: grad_out @ (x + np.tanh(weight @ x)), x)
    delta = grad_out * (1 - np.tanh(weight @ x) ** 2)
    assert_close(grad_out + weight.T @ delta, measured, 1e-8)  # differences err in the tenth digit or so


def test_hasty_gradient_is_off_in_proportion_to_the_rate(digits):
    pixels, labels = digits[0]
    start, x = random_start(), pixels[3]
    o_1 = np.tanh(start[1] @ x)
    o_2 = activations.sigmoid(start[2] @ o_1)
    delta_2 = 2 * (o_2 - np.eye(10)[labels[3]]) * o_2 * (1 - o_2)
    right = (start[2].T @ delta_2) * (1 - o_1**2)
    off = []
    for rate in (0.01, 0.1, 1.0):
        hasty = start[2] - rate * np.outer(delta_2, o_1)
        off.append(np.linalg.norm((hasty.T @ delta_2) * (1 - o_1**2) - right) / np.linalg.norm(right))
    assert [f"{share:.1%}" for share in off] == ["1.2%", "11.5%", "115.2%"]
    assert_close(np.array(off) / off[0], np.array([1.0, 10, 100]), 1e-9)  # a difference of nearly equal arrays


def test_the_net_learns_and_a_hasty_one_nearly_as_well(digits):
    start = random_start()
    net, errors = train(digits, start, 3000)
    hasty_net, hasty_errors = train(digits, start, 3000, Hasty)
    assert share_right(digits, library_net(start)) < 0.25
    assert share_right(digits, net) > 0.9 and share_right(digits, hasty_net) > 0.9
    assert np.mean(errors[-500:]) < 0.2 * np.mean(errors[:50])
    assert 1e-4 < abs(np.mean(errors) - np.mean(hasty_errors)) < 0.01  # not the same, and hard to see


def test_a_layer_may_change_once_both_its_uses_are_done(digits):
    start = random_start()
    net, in_place = train(digits, start, 20)[0], train(digits, start, 20, Swapped)[0]
    hasty = train(digits, start, 20, Hasty)[0]
    assert_close(in_place["W1"].weight.data, net["W1"].weight.data)
    assert abs(hasty["W1"].weight.data - net["W1"].weight.data).max() > 1e-3


@pytest.mark.parametrize("value, rank", [(0.0, 0), (0.02, 1)])
def test_equal_weights_stay_equal(digits, value, rank):
    start = {n: np.full(weight.shape, value) for n, weight in random_start().items()}
    net = train(digits, start, 500)[0]
    learnt = net["W1"].weight.data
    assert np.linalg.matrix_rank(learnt, tol=1e-8) == rank  # rounding may differ between equal rows
    assert abs(learnt - learnt[0]).max() < 1e-8
    assert abs(learnt - start[1]).max() == 0 if value == 0 else abs(learnt - start[1]).max() > 0.01
    assert share_right(digits, net) < 0.2
    if value == 0:
        assert abs(net["W2"].weight.data).max() == 0


def test_random_weights_part(digits):
    net = train(digits, random_start(), 500)[0]
    assert np.linalg.matrix_rank(net["W1"].weight.data) == 32
    assert share_right(digits, net) > 0.7


def test_zero_in_the_last_layer_alone_is_left_at_once(digits):
    start = random_start() | {2: np.zeros((10, 32))}
    first = train(digits, start, 1)[0]
    assert np.array_equal(first["W1"].weight.data, start[1]) and abs(first["W2"].weight.data).max() > 0
    assert share_right(digits, train(digits, start, 500)[0]) > 0.7


@pytest.mark.parametrize("layer", [1, 2])
@pytest.mark.parametrize("size, after_500, after_3000", [
    (1e-6, (0, 0.15), (0, 0.15)), (1e-3, (0, 0.15), (0.5, 0.85)), (1e-1, (0.2, 0.8), (0.9, 1))])
def test_a_small_difference_has_to_grow(digits, layer, size, after_500, after_3000):
    """Exercise 5, its shares with room for another random draw."""
    start = {n: np.full(weight.shape, 0.02) for n, weight in random_start().items()}
    start[layer] = start[layer] + size * np.random.default_rng(0).normal(size=start[layer].shape)
    for steps, (low, high) in [(500, after_500), (3000, after_3000)]:
        assert low <= share_right(digits, train(digits, start, steps)[0]) <= high


def test_difference_errs_most_at_small_steps():
    steps = 10.0 ** np.arange(-12, 1)
    double, single = (gradcheck.error_by_step(np.tanh, 1 - np.tanh(0.5) ** 2, kind(0.5), steps)
                      for kind in (np.float64, np.float32))
    assert double[0] > double[6] and double[6:8].max() < 1e-9 and single[4] == 1
    assert single.min() > 1e-8 and single[9:11].min() < 1e-3


def test_kinks_are_no_faults():
    at_kink = np.array([-1.0, 0.0, 2.0])
    measured = gradcheck.numerical_gradient(lambda x: activations.relu(x).sum(), at_kink)
    assert_close(measured, np.array([0, 0.5, 1]), 1e-8)  # differences err in the tenth digit or so
    report = gradcheck.gradcheck(activations.relu, activations.relu_backward, at_kink)
    assert report.passed and [kink.index for kink in report.kinks] == [(1,)]


@pytest.mark.parametrize("name, passed, wrong", [("sigmoid", False, 12), ("relu", True, 0), ("tanh", False, 11)])
def test_slope_taken_at_o(name, passed, wrong):
    op, op_backward = getattr(activations, name), getattr(activations, f"{name}_backward")
    x = np.random.default_rng(0).normal(size=(3, 4))
    report = gradcheck.gradcheck(op, lambda grad, a: op_backward(grad, op(a)), x)
    assert (report.passed, report.wrong) == (passed, wrong)


def test_gradients_add_up_over_calls():
    E, (w1, _, _) = two_weights(2, 3)
    seen = []
    for _ in range(3):
        E.backward()
        seen.append(w1.grad)
    assert seen == [30, 60, 90]


def test_ten_sigmoids_leave_a_millionth():
    x = out = Value(0.0)
    for layer in range(10):
        out = (out - (layer > 0) * 0.5).sigmoid()
    out.backward()
    assert x.grad == 0.25**10 == pytest.approx(9.54e-7, rel=1e-3)


def test_answers_of_the_play_section():
    grads = {}
    for w1, w2 in [(0, 0), (1, 1), (2, 0)]:
        E, leaves = two_weights(w1, w2)
        E.backward()
        grads[w1, w2] = (E.data, leaves[0].grad, leaves[1].grad)
    assert grads == {(0, 0): (1, 0, 0), (1, 1): (0, 0, 0), (2, 0): (1, 0, -4)}


def test_answers_of_exercise_1():
    for w1, expected in [(1.0, (9, 24, 12)), (-1.0, (1, 0, 0))]:
        w1, w2 = Value(w1), Value(2.0)
        E = (w2 * (w1 * 2.0).relu() - 1) ** 2
        E.backward()
        assert (E.data, w1.grad, w2.grad) == expected


def test_the_lines_of_exercise_6():
    def sine(value):
        return scalar._result("sin", math.sin(value.data), (value, math.cos(value.data)))

    x = Value(0.5)
    sine(x * 2).backward()
    measured = gradcheck.numerical_gradient(lambda x: np.sin(2 * x), np.array(0.5))
    assert x.grad == pytest.approx(float(measured), abs=1e-9)
