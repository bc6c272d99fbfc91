"""The facts of lecture 32: what the text, the captions and the folded answers say, computed again."""

import numpy as np
import pytest
from helpers import assert_close

from cnnlib import (
    activations,
    conv,
    data,
    gradcheck,
    images,
    initializers,
    layers,
    losses,
    norms,
    optim,
    pool,
)
from cnnlib.gradcheck import adjoint_error

X = np.array([[1.0, 3, 2, 1], [4, 2, 0, 1], [0, 1, 9, 6], [2, 1, 7, 3]])[None]
G = np.array([[1.0, 2], [3, 4]])[None]


@pytest.fixture(scope="module")
def digits():
    pytest.importorskip("sklearn", reason="scikit-learn is not installed: no digits to learn from")
    (x, y), (tests, answers) = data.load_digits()
    return x.astype("float64"), y, tests.astype("float64"), answers


@pytest.fixture(scope="module")
def head():
    return images.crop(data.photo("camera", size=128), 18, 40, 32, 32)[None]


def softmax_loss(net, x, y, steps, lr, momentum=0.5, batch=None, rng=None):
    """Train, and return the losses."""
    loss, optimizer, seen = layers.CrossEntropyLoss(), optim.SGD(net.parameters(), lr=lr, momentum=momentum), []
    for _ in range(steps):
        chosen = slice(None) if batch is None else rng.choice(len(x), batch, replace=False)
        net.zero_grad()
        seen.append(float(loss(net(x[chosen]), y[chosen])))
        net.backward_parameters(loss.backward())
        optimizer.step()
    return seen


# ---- pooling

def test_each_error_goes_to_the_winner():
    expected = [[0, 0, 2, 0], [1, 0, 0, 0], [0, 0, 4, 0], [3, 0, 0, 0]]
    assert pool.max_pool2d_backward(G, X, 2)[0].tolist() == expected


def test_overlaps_add_up():
    grad = pool.max_pool2d_backward(G, X, 3, 1)[0]
    assert grad[2, 2] == grad.sum() == G.sum() == 10
    _, indices = pool.max_pool2d(X, 3, 1, return_indices=True)
    overwritten = np.zeros(16)
    overwritten[indices.ravel()] = G.ravel()
    assert overwritten.sum() == 4  # what = in the place of += would leave


def test_ties_go_to_the_first_as_in_torch(digits):
    torch = pytest.importorskip("torch")
    x = digits[0]
    assert pool.max_pool2d_backward(np.ones((1, 1, 1)), np.ones((1, 2, 2)), 2).ravel().tolist() == [1, 0, 0, 0]
    _, ours = pool.max_pool2d(x, 2, return_indices=True)
    _, theirs = torch.nn.functional.max_pool2d(torch.tensor(x), 2, return_indices=True)
    np.testing.assert_array_equal(ours, theirs.numpy())


def test_how_many_windows_are_tied(digits):
    windows = np.lib.stride_tricks.sliding_window_view(digits[0], (2, 2), axis=(2, 3))[:, :, ::2, ::2]
    winners = (windows == windows.max(axis=(4, 5), keepdims=True)).sum(axis=(4, 5))
    assert winners.size == 23_072
    assert ((winners > 1).mean().round(2), winners.mean().round(2)) == (0.41, 1.98)


def test_average_and_l2_share():
    at_pixels = np.kron(G[0], np.ones((2, 2)))
    assert_close(pool.avg_pool2d_backward(G, X, 2)[0], at_pixels / 4)
    norm = np.sqrt(np.array([[1 + 9 + 16 + 4, 4 + 1 + 0 + 1], [0 + 1 + 4 + 1, 81 + 36 + 49 + 9]]))
    assert_close(pool.lp_pool2d_backward(G, X, 2.0, 2)[0], at_pixels * X[0] / np.kron(norm, np.ones((2, 2))))


def test_l2_of_zeros_as_in_torch():
    torch = pytest.importorskip("torch")
    zeros = torch.zeros((1, 2, 2), dtype=torch.float64, requires_grad=True)
    torch.nn.functional.lp_pool2d(zeros, 2.0, 2).sum().backward()
    assert not zeros.grad.any()
    assert not pool.lp_pool2d_backward(np.ones((1, 1, 1)), np.zeros((1, 2, 2)), 2.0, 2).any()


def test_share_of_the_head_that_hears(head):
    side_by_side, overlapping = np.ones((1, 16, 16)), np.ones((1, 15, 15))
    share = [np.count_nonzero(grad) / head.size for grad in (
        pool.max_pool2d_backward(side_by_side, head, 2), pool.max_pool2d_backward(overlapping, head, 3, 2),
        pool.avg_pool2d_backward(overlapping, head, 3, 2), pool.lp_pool2d_backward(overlapping, head, 2.0, 3, 2))]
    assert np.round(share, 2).tolist() == [0.25, 0.17, 0.94, 0.94]
    assert share[2] == (31 / 32) ** 2  # all but the last row and column


def test_average_and_max_are_transposes(rng):
    maps = rng.standard_normal((2, 3, 6, 7))
    assert adjoint_error(lambda x: pool.avg_pool2d(x, 3, 2), lambda u: pool.avg_pool2d_backward(u, maps, 3, 2),
                         maps) < 1e-14
    _, indices = pool.max_pool2d(maps, 3, 2, return_indices=True)
    flat = indices.reshape(2, 3, -1)
    assert adjoint_error(lambda x: np.take_along_axis(x.reshape(2, 3, -1), flat, axis=2).reshape(indices.shape),
                         lambda u: pool.max_pool2d_backward(u, maps, 3, 2, indices=indices), maps) < 1e-14
    mask = rng.random(maps.shape) > 0.5
    assert adjoint_error(lambda x: np.where(mask, 2 * x, 0), lambda u: activations.dropout_backward(u, mask, 0.5),
                         maps) < 1e-14


def test_the_norm_lies_between_average_and_maximum():
    window = np.array([[[1.0, 2], [3, 4]]])
    heard = {q: pool.lp_pool2d_backward(np.ones((1, 1, 1)), window, q, 2).ravel().round(2).tolist()
             for q in (1, 2, 8, 64)}
    assert heard[1] == [1, 1, 1, 1]
    assert heard[2] == [0.18, 0.37, 0.55, 0.73]
    assert heard[8][3] == 0.92
    assert heard[64] == [0, 0, 0, 1]


def test_relu_before_and_after_max_pooling(rng):
    x, g = rng.standard_normal((2, 3, 6, 6)) - 0.5, rng.standard_normal((2, 3, 3, 3))
    before = activations.relu_backward(pool.max_pool2d_backward(g, activations.relu(x), 2), x)
    after = pool.max_pool2d_backward(activations.relu_backward(g, pool.max_pool2d(x, 2)), x, 2)
    np.testing.assert_array_equal(before, after)


def test_exercise_by_hand():
    picture, errors = np.array([[[5.0, 5, 1], [2, 3, 0], [1, 8, 4]]]), np.array([[[1.0, -2], [3, 4]]])
    assert pool.max_pool2d_backward(errors, picture, 2, 1)[0].tolist() == [[1, -2, 0], [0, 0, 0], [0, 7, 0]]


def test_the_pixel_that_wins_four_windows():
    seven = np.array([list(map(float, line)) for line in "111111 000010 011100 001000 010000 100000".split()])[None]
    _, indices = pool.max_pool2d(seven, 3, 1, return_indices=True)
    assert np.flatnonzero(indices.ravel() == 2 * 6 + 1).tolist() == [4, 5, 8, 9]
    assert np.bincount(indices.ravel()).max() == 4
    hears = 9 * pool.avg_pool2d_backward(np.ones((1, 4, 4)), seven, 3, 1)[0]
    assert_close(hears[[0, 2, 3], [0, 2, 3]], np.array([1.0, 9, 9]))


# ---- activations and dropout

def test_slopes():
    one, six = np.ones(1), np.full(1, 6.0)
    assert activations.sigmoid_backward(one, 0 * one) == 0.25
    assert activations.sigmoid_backward(one, six).round(4) == 0.0025
    assert activations.tanh_backward(one, six).round(6) == 0.000025
    assert activations.relu_backward(one, 0 * one) == 0
    far = np.full(1, 20, dtype="float32")
    assert activations.sigmoid_backward(far, far) == activations.tanh_backward(far, far) == 0
    assert 4**10 == 1_048_576
    assert round(float(np.arctanh(np.sqrt(0.99))), 1) == 3.0  # where tanh's slope falls below 0.01; softsign's at 9


@pytest.mark.parametrize("lr, killed", [(0.5, 1), (5, 46), (10, 57)])
def test_dead_units_stay_dead(digits, lr, killed):
    x, rng = digits[0].reshape(-1, 64), np.random.default_rng(0)
    net = layers.Sequential(layers.Linear(64, 64, rng=rng), layers.ReLU(), layers.Linear(64, 10, rng=rng)).to("float64")
    from_the_start = (net.forward_to(x, "0") <= 0).all(axis=0)
    assert from_the_start.sum() == 1
    softmax_loss(net, x, digits[1], 5, lr)
    dead, before = (net.forward_to(x, "0") <= 0).all(axis=0), net[0].weight.data.copy()
    assert abs(dead.sum() - killed) <= 1 and dead[from_the_start].all()  # one may lie within rounding
    softmax_loss(net, x, digits[1], 200, 0.2)
    assert (net.forward_to(x, "0") <= 0).all(axis=0)[dead].all()
    assert not net[0].weight.grad[dead].any()
    np.testing.assert_array_equal(net[0].weight.data[dead], before[dead])
    assert (net[0].weight.data != before)[~dead].any()


def test_dropout():
    x = np.ones(10_000)
    (out, mask), (_, new) = (activations.dropout(x, 0.5, rng=np.random.default_rng(seed), return_mask=True)
                             for seed in (0, 1))
    assert_close(activations.dropout_backward(3 * x, mask, 0.5), 6.0 * mask)
    assert (out.mean().round(1), mask.mean().round(1), (new & ~mask).mean().round(2)) == (1.0, 0.5, 0.25)


# ---- softmax and cross-entropy

def test_p_minus_t(rng):
    scores, target = rng.standard_normal((8, 10)), np.arange(8)
    p, t = activations.softmax(scores, dim=1), np.eye(10)[:8]
    jointly, _ = losses.cross_entropy_backward(1.0, scores, target, reduction="sum")
    assert_close(jointly, p - t)
    assert_close(activations.softmax_backward(-t / p, scores, dim=1), p - t)
    assert abs(jointly.sum(axis=1)).max() < 1e-14
    jacobian = np.stack([activations.softmax_backward(np.eye(10)[i], scores[0], dim=0) for i in range(10)])
    assert_close(jacobian, p[0][:, None] * (np.eye(10) - p[0]))


def test_the_push_at_one_per_cent():
    grad, _ = losses.cross_entropy_backward(1.0, np.log([[0.01, 0.99]]), np.array([0]))
    assert_close(grad, np.array([[-0.99, 0.99]]))


def test_one_by_one_gives_nan_where_jointly_does_not():
    scores = np.array([[0, 1], [0, 50], [0, 100]], dtype="float32")
    with np.errstate(all="ignore"):
        upstream = np.float32([-1, 0]) / activations.softmax(scores, dim=1)
    one_by_one = activations.softmax_backward(upstream, scores, dim=1)[:, 0]
    jointly, _ = losses.cross_entropy_backward(1.0, scores, np.zeros(3, dtype=int), reduction="sum")
    assert np.isnan(one_by_one).tolist() == [False, False, True]
    assert upstream[2, 0] == -np.inf
    assert jointly[:, 0].round(2).tolist() == [np.float32(-0.73), -1, -1]


def test_softmax_twice_learns_nothing_where_it_is_surely_wrong():
    scores = np.array([[0.0, 30.0]])
    p = activations.softmax(scores, dim=1)
    assert abs(p - [[1, 0]]).max() > 0.99
    assert abs(activations.softmax_backward(p - [[1, 0]], scores, dim=1)).max() < 1e-11


# ---- norms

@pytest.fixture
def pixel(digits):
    """One pixel of eight digits, and an error."""
    return digits[0][:8, 0, 4, 4][:, None], np.random.default_rng(3).normal(size=(8, 1))


def test_three_paths(pixel):
    x, g = pixel
    mean, var = x.mean(axis=0), x.var(axis=0)
    sigma, x_hat = np.sqrt(var + 1e-5), norms.batch_norm(x, training=True)
    by_mean, by_var = (lambda g: -g.sum(axis=0) / sigma), (lambda g: -(g * x_hat).sum(axis=0) / (2 * sigma**2))
    assert gradcheck.gradcheck(lambda mean, var: norms.batch_norm(x, mean, var),
                               lambda g, mean, var: (by_mean(g), by_var(g)), mean, var)
    paths = g / sigma, by_mean(g) / 8, by_var(g) * 2 * (x - mean) / 8
    assert_close(norms.batch_norm_backward(g, x, mean, var)[0], paths[0])
    assert_close(norms.batch_norm_backward(g, x, training=True)[0], sum(paths))
    assert paths[0].sum().round(1) == -9.4


@pytest.mark.parametrize("eps, correlation", [(1e-2, 0.09029), (1e-4, 0.00103), (0, 0)])
def test_two_laws(pixel, eps, correlation):
    x, g = pixel
    grad = norms.batch_norm_backward(g, x, training=True, eps=eps)[0]
    x_hat = norms.batch_norm(x, training=True, eps=eps)
    assert abs(grad.mean()) < 1e-12
    assert abs((grad * x_hat).mean()).round(5) == correlation


def test_the_sum_of_a_batch_norm_has_no_gradient(rng):
    x = rng.standard_normal((4, 3, 5, 6))
    grad, _, _, grad_weight, grad_bias = norms.batch_norm_backward(
        np.ones_like(x), x, weight=np.array([0.5, 1, 2]), bias=np.zeros(3), training=True)
    assert abs(grad).max() < 1e-12 and abs(grad_weight).max() < 1e-10
    assert_close(grad_bias, np.full(3, 120.0))


def test_a_bias_before_batch_norm_learns_nothing(rng):
    net = layers.Sequential(layers.Conv2d(1, 3, 3, rng=rng), layers.BatchNorm2d(3), layers.ReLU()).to("float64")
    net.backward(rng.standard_normal(net(rng.standard_normal((4, 1, 6, 7))).shape))
    assert abs(net[0].bias.grad).max() < 1e-12 < abs(net[0].weight.grad).max()


def test_training_mode_depends_on_the_neighbours(pixel):
    x, _ = pixel
    batches = x[[0, 1, 2, 3]], x[[0, 4, 5, 6]]
    training = [norms.batch_norm(batch, training=True)[0, 0] for batch in batches]
    evaluation = [norms.batch_norm(batch, x.mean(axis=0), x.var(axis=0))[0, 0] for batch in batches]
    assert np.round(training, 2).tolist() == [-1.69, -1.0] and np.round(evaluation, 2).tolist() == [-1.47, -1.47]


def test_local_response_dampens_the_neighbours():
    x, middle = np.array([[[1.0], [2], [3], [2], [1]]]), np.eye(5)[None, :, 2:3]
    grad = norms.local_response_norm_backward(middle, x, 3, alpha=1.0).ravel()
    assert grad.round(3).tolist() == [0, -0.108, 0.078, -0.108, 0]
    bracket = 1 + (4 + 9 + 4) / 3  # by eq. (14), with beta = 0.75
    assert_close(grad[1], np.array(-2 * 0.75 / 3 * 2 * 3 * bracket**-1.75))


# ---- faults, as exercise 3 tells them apart

@pytest.fixture
def maps(head):
    return conv.conv2d(head[None, :, :8, :9], np.stack([head[:, r:r + 3, 20:23] - 0.5 for r in (5, 15, 25)]))


def test_a_factor_is_named(maps):
    report = gradcheck.gradcheck(lambda x: pool.avg_pool2d(x, 3, 2),
                                 lambda g, x: 9 * pool.avg_pool2d_backward(g, x, 3, 2), maps)
    assert "every entry is 9 times what it should be" in repr(report)


def test_new_random_numbers_are_named(maps, rng):
    with pytest.raises(ValueError, match="`fn` gives two results for the same arguments"):
        gradcheck.gradcheck(lambda x: activations.dropout(x, rng=rng), lambda g, x: g, maps)


def test_constants_do_not_sum_to_0(maps, rng):
    g = rng.standard_normal(maps.shape)
    right = norms.batch_norm_backward(g, maps, training=True)[0]
    wrong = norms.batch_norm_backward(g, maps, maps.mean(axis=(0, 2, 3)), maps.var(axis=(0, 2, 3)))[0]
    assert abs(right.sum(axis=(0, 2, 3))).max() < 1e-10 < 0.1 < abs(wrong.sum(axis=(0, 2, 3))).min()


def test_without_neighbours_only_those_beside_others_are_wrong():
    x = np.array([[[3.0], [0], [0], [2], [2]]])  # the first channel's neighbours are silent

    def own_only(g, x):
        bracket = (x / norms.local_response_norm(x, 3, 0.5)) ** (1 / 0.75)
        return g * (bracket**-0.75 - 2 * 0.5 * 0.75 / 3 * x * x * bracket**-1.75)

    x[x == 0] = 1e-9  # so that the bracket can be told from the output
    g = np.ones_like(x)
    wrong = abs(own_only(g, x) - norms.local_response_norm_backward(g, x, 3, 0.5)).ravel() > 1e-6
    assert wrong.tolist() == [False, False, False, True, True]


def overwriting(x, grad_output, kernel_size, stride):
    """The way back with = in the place of +=."""
    _, indices = pool.max_pool2d(x, kernel_size, stride, return_indices=True)
    grad = np.zeros((x.shape[0], x[0].size))
    for plane, places, g in zip(grad, indices, grad_output):
        plane[places.ravel()] = g.ravel()
    return grad.reshape(x.shape)


@pytest.mark.parametrize("kernel_size, passes", [(2, True), (3, False)])
def test_overwriting_passes_without_overlap(maps, rng, kernel_size, passes):
    planes = np.concatenate([maps[0], rng.standard_normal((3, 6, 7))])
    report = gradcheck.gradcheck(lambda x: pool.max_pool2d(x, kernel_size, 2),
                                 lambda g, x: overwriting(x, g, kernel_size, 2), planes)
    assert report.passed == passes


def test_softsign(maps):
    assert gradcheck.gradcheck(lambda x: x / (1 + abs(x)), lambda g, x: g / (1 + abs(x)) ** 2, maps)


class FirstWindowOnly(layers.MaxPool2d):
    def backward(self, grad_output):
        first = np.zeros_like(grad_output)
        first[:, :, 0, 0] = grad_output[:, :, 0, 0]
        return super().backward(first)


def test_a_net_learns_with_a_wrong_gradient(digits):
    x, y, tests, answers = digits
    last = []
    for pooling in (layers.MaxPool2d(2), FirstWindowOnly(2)):
        rng = np.random.default_rng(0)
        net = layers.Sequential(layers.Conv2d(1, 8, 3, rng=rng), layers.ReLU(), pooling, layers.Flatten(),
                                layers.Linear(72, 10, rng=rng)).to("float64")
        last.append(softmax_loss(net, x, y, 60, 0.5)[-1])
        assert (net(tests).argmax(axis=1) == answers).mean() > 0.9
    assert np.round(last, 1).tolist() == [0.2, 0.3]


def test_gradcheck_sees_it(rng):
    for pooling, right in ((layers.MaxPool2d(2), True), (FirstWindowOnly(2), False)):
        x = rng.standard_normal((1, 2, 6, 6))
        pooling(x)
        assert gradcheck.gradcheck(pooling, lambda g, x, layer=pooling: layer.backward(g), x).passed == right


# ---- exercise 6: noise behind batch norm

class Noise(layers.Module):
    """In training, each channel times a number between 0.5 and 2, plus one from a normal distribution."""

    def __init__(self, rng):
        self.rng = rng

    def forward(self, x):
        each = 1, x.shape[1], 1, 1
        self.keep(self.rng.uniform(0.5, 2, each).astype(x.dtype))
        return x * self.kept()[0] + self.rng.normal(size=each).astype(x.dtype)

    def backward(self, grad_output):
        return grad_output * self.kept()[0]


def deep_net(kind, he):
    rng, stages = np.random.default_rng(0), []
    for depth in range(4):
        stages.append(layers.Conv2d(12 if depth else 1, 12, 3, padding=1, rng=rng))
        if he:
            stages[-1].weight.data[...] = initializers.he_normal(stages[-1].weight.shape, rng)
            stages[-1].bias.data[...] = 0
        stages += [layers.BatchNorm2d(12)] * (kind != "plain") + [Noise(rng)] * (kind == "noise") + [layers.ReLU()]
        stages += [layers.MaxPool2d(2)] * (depth in (1, 3))
    return layers.Sequential(*stages, layers.Flatten(), layers.Linear(48, 10, rng=rng))


@pytest.mark.parametrize("he", (False, True))
def test_noise_behind_batch_norm(digits, he):
    last = {}
    for kind in ("plain", "batch norm", "noise"):
        seen = softmax_loss(deep_net(kind, he), digits[0].astype("float32"), digits[1], 60, 0.02, 0.9, 64,
                            np.random.default_rng(0))
        last[kind] = np.mean(seen[-5:])
    assert last["batch norm"] < 0.2
    if he:
        assert last["batch norm"] < last["plain"] < 0.8 < last["noise"]
    else:
        assert last["batch norm"] < last["noise"] < 1.6 < 2.2 < last["plain"]
