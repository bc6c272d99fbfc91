"""The facts of lecture 31: the smallest convolution's gradients in letters, and how they grow to the whole layer."""

import numpy as np
import pytest
from helpers import assert_close

from cnnlib import conv, data, gradcheck

sympy = pytest.importorskip("sympy")
convolve2d = pytest.importorskip("scipy.signal").convolve2d

X = np.array(sympy.symbols("X1:4(1:4)")).reshape(3, 3)
F = np.array(sympy.symbols("F1:3(1:3)")).reshape(2, 2)
G = np.array(sympy.symbols("g1:3(1:3)")).reshape(2, 2)
OUT = np.array([[(X[i:i + 2, j:j + 2] * F).sum() for j in range(2)] for i in range(2)])
GRAD_F = np.array([(G * OUT).sum().diff(weight) for weight in F.flat]).reshape(2, 2)
GRAD_X = np.array([(G * OUT).sum().diff(pixel) for pixel in X.flat]).reshape(3, 3)

WEIGHTS = np.array([[1, 2], [3, 4]])
NINE = np.arange(1.0, 10).reshape(3, 3)
LOST = np.array([[2.0, -1, -1], [-1, 2, -1], [-1, -1, 2]])


def backward(grad_output, x, weight, **settings):
    """The library's gradients of one picture and one filter."""
    arrays = (np.asarray(a, dtype=float)[None, None] for a in (grad_output, x, weight))
    grads = conv.conv2d_backward(*arrays, **settings)
    return grads[0][0, 0], grads[1][0, 0]


def in_letters(lines):
    return np.array([sympy.sympify(line) for line in lines])


def test_four_outputs():
    assert (OUT.ravel() == in_letters(["X11*F11 + X12*F12 + X21*F21 + X22*F22", "X12*F11 + X13*F12 + X22*F21 + X23*F22",
                                       "X21*F11 + X22*F12 + X31*F21 + X32*F22",
                                       "X22*F11 + X23*F12 + X32*F21 + X33*F22"])).all()


def test_four_filter_gradients():
    assert (GRAD_F.ravel() == in_letters([
        "X11*g11 + X12*g12 + X21*g21 + X22*g22", "X12*g11 + X13*g12 + X22*g21 + X23*g22",
        "X21*g11 + X22*g12 + X31*g21 + X32*g22", "X22*g11 + X23*g12 + X32*g21 + X33*g22"])).all()


def test_nine_input_gradients():
    assert (GRAD_X.ravel() == in_letters([
        "F11*g11", "F12*g11 + F11*g12", "F12*g12",
        "F21*g11 + F11*g21", "F22*g11 + F21*g12 + F12*g21 + F11*g22", "F22*g12 + F12*g22",
        "F21*g21", "F22*g21 + F21*g22", "F22*g22"])).all()


def test_read_as_convolutions_in_letters():
    assert (GRAD_F == [[(X[p:p + 2, q:q + 2] * G).sum() for q in range(2)] for p in range(2)]).all()
    ring = np.pad(G, 1)
    assert (GRAD_X == [[(ring[u:u + 2, v:v + 2] * F[::-1, ::-1]).sum() for v in range(3)] for u in range(3)]).all()
    assert not (GRAD_X == [[(ring[u:u + 2, v:v + 2] * F).sum() for v in range(3)] for u in range(3)]).all()
    given = np.full((3, 3), sympy.Integer(0))
    for i, j in np.ndindex(2, 2):
        given[i:i + 2, j:j + 2] += G[i, j] * F
    assert (given == GRAD_X).all()


def test_the_library_has_these_terms(rng):
    x, weight, g = rng.standard_normal((3, 3)), rng.standard_normal((2, 2)), rng.standard_normal((2, 2))
    numbers = dict(zip([*X.flat, *F.flat, *G.flat], [*x.flat, *weight.flat, *g.flat]))
    grad_x, grad_weight = backward(g, x, weight)
    assert_close(np.array([float(line.subs(numbers)) for line in GRAD_X.flat]).reshape(3, 3), grad_x)
    assert_close(np.array([float(line.subs(numbers)) for line in GRAD_F.flat]).reshape(2, 2), grad_weight)


def test_ones_from_above():
    grad_x, _ = backward(np.ones((2, 2)), np.zeros((3, 3)), WEIGHTS)
    assert grad_x.tolist() == [[1, 3, 2], [4, 10, 6], [3, 7, 4]]
    turned, _ = backward(np.ones((2, 2)), np.zeros((3, 3)), WEIGHTS[::-1, ::-1])
    assert grad_x.mean() == turned.mean()
    assert (grad_x != turned).sum() == 8


def test_counts():
    for size in (8, 16):
        grad_x, grad_weight = backward(*(np.ones((side, side)) for side in (size - 2, size, 3)))
        assert (grad_weight == (size - 2) ** 2).all() and grad_weight.shape == (3, 3)
        assert (grad_x[4, 4], grad_x[0, 0]) == (9, 1)
    of_x, of_weight, of_bias = conv.conv2d_backward(*map(np.ones, ((4, 6, 28, 28), (4, 3, 32, 32), (6, 3, 5, 5), 6)))
    assert (of_weight == 4 * 28 * 28).all() and (of_bias == 4 * 28 * 28).all()
    assert (of_x[0, 0, 16, 16], of_x[0, 0, 0, 0]) == (6 * 25, 6)


def test_stride_spreads_the_upstream_gradient():
    x, g, spread = np.arange(25.0).reshape(5, 5) % 7, np.array([[1.0, 10], [100, 1000]]), np.zeros((3, 3))
    spread[::2, ::2] = g
    grad_x, grad_weight = backward(g, x, NINE, stride=2)
    assert grad_x[2, 2] == 1379 and (grad_x[:2, :2] == NINE[:2, :2]).all()
    assert_close(grad_x, convolve2d(spread, NINE))
    assert_close(grad_weight, conv.correlate2d(x, spread))
    unread, _ = backward(g, np.zeros((6, 6)), NINE, stride=2)
    assert not unread[5].any() and not unread[:, 5].any() and unread[4, 4] == 9000


def test_padding_is_cut_off(rng):
    x, g = rng.standard_normal((5, 4)), rng.standard_normal((7, 6))
    grad_x, grad_weight = backward(g, x, NINE, padding=2)
    assert_close(grad_x, convolve2d(g, NINE)[2:-2, 2:-2])
    assert_close(grad_weight, conv.correlate2d(np.pad(x, 2), g))


@pytest.mark.parametrize("stride, dilation, size", [(1, 2, 7), (2, 1, 5), (3, 2, 8)])
def test_stride_and_dilation_change_places(stride, dilation, size, rng):
    x = rng.standard_normal((1, 1, size, size))
    g = rng.standard_normal(conv.conv2d(x, NINE[None, None], stride=stride, dilation=dilation).shape)
    _, grad_weight, _ = conv.conv2d_backward(g, x, NINE[None, None], stride=stride, dilation=dilation)
    assert_close(conv.conv2d(x, g, stride=dilation, dilation=stride), grad_weight)


SETTINGS = [{}, {"stride": 2}, {"padding": 1}, {"dilation": 2}, {"groups": 2},
            {"stride": (2, 3), "padding": (2, 1), "dilation": (1, 2)},
            {"stride": 2, "padding": 1, "dilation": 2, "groups": 2}]


@pytest.mark.parametrize("settings", SETTINGS)
def test_equations_6_and_7_in_letters(settings):
    """SymPy differentiates eq. (4), summed with g; (6) and (7) stand here as in the lecture, index by index."""
    problem = conv.make_problem((1, 2, 4, 5), (2, 2 // settings.get("groups", 1), 2, 2), **settings)
    letters, by_sympy = gradcheck.in_letters(
        lambda x, w: conv.loops.forward(x, w, problem), x=problem.x_shape, w=problem.weight_shape)
    x, w, g = (letters[name] for name in "xwg")
    (s, t), (d, e), ((top, _), (left, _)) = problem.stride, problem.dilation, problem.padding
    padded = np.pad(x[0], [(0, 0), *problem.padding])
    zero, channels = sympy.Integer(0), w.shape[1]
    for f, c, p, q in np.ndindex(w.shape):
        there = f // (2 // problem.groups) * channels + c
        assert by_sympy["w"][f, c, p, q] == sum((g[0, f, i, j] * padded[there, s * i + d * p, t * j + e * q]
                                                for i, j in np.ndindex(g.shape[2:])), zero)
    for c, u, v in np.ndindex(x.shape[1:]):
        mine = [f for f in range(2) if f // (2 // problem.groups) == c // channels]
        assert by_sympy["x"][0, c, u, v] == sum((
            g[0, f, i, j] * w[f, c % channels, p, q]
            for f in mine for i, j in np.ndindex(g.shape[2:]) for p, q in np.ndindex(2, 2)
            if s * i + d * p == u + top and t * j + e * q == v + left), zero)
    assert (conv.loops.backward_x(g, w, problem) == by_sympy["x"]).all()
    assert (conv.loops.backward_weight(g, x, problem) == by_sympy["w"]).all()


@pytest.mark.parametrize("stride, dilation, padding, size", [(1, 2, 0, 7), (3, 2, 0, 8), (2, 3, 2, 9), (2, 2, 1, 8)])
def test_under_dilation_the_filter_is_spread(stride, dilation, padding, size, rng):
    """Eq. (3) with both spread, cut, and 0 for the pixels that no window reads."""
    x = rng.standard_normal((1, 1, size, size))
    settings = {"stride": stride, "dilation": dilation, "padding": padding}
    g = rng.standard_normal(conv.conv2d(x, NINE[None, None], **settings).shape)
    grad_x, _ = backward(g[0, 0], x[0, 0], NINE, **settings)
    full = convolve2d(spread(g[0, 0], stride), spread(NINE, dilation))
    expected = np.zeros((size + 2 * padding,) * 2)
    expected[:len(full), :len(full)] = full
    assert_close(grad_x, expected[padding:padding + size, padding:padding + size])


def spread(a, step):
    wide = np.zeros([step * (side - 1) + 1 for side in a.shape])
    wide[::step, ::step] = a
    return wide


def test_pixels_that_no_window_reads():
    """Stride 2 over six pixels: the last row and column are left out before (2), and get 0 after (3)."""
    five, powers = np.arange(25.0).reshape(5, 5) % 7, np.array([[1.0, 10], [100, 1000]])
    fitting, unfit = (backward(powers, x, NINE, stride=2) for x in (five, np.pad(five, ((0, 1), (0, 1)), "edge")))
    assert_close(unfit[0], np.pad(fitting[0], ((0, 1), (0, 1))))
    assert_close(unfit[1], fitting[1])


def test_central_differences_with_everything():
    """Two pictures of three channels, stride, padding, dilation and groups at once: every entry."""
    digits, rng = data.load_digits()[0][0][:6].astype(float).reshape(2, 3, 8, 8), np.random.default_rng(0)
    settings = {"stride": 2, "padding": 1, "dilation": 2, "groups": 3}
    report = gradcheck.gradcheck(
        lambda *args: conv.conv2d(*args, **settings), lambda g, *args: conv.conv2d_backward(g, *args, **settings),
        digits, rng.standard_normal((3, 1, 3, 3)), rng.standard_normal(3))
    assert report.passed and report.checked == 2 * 3 * 64 + 27 + 3


def test_groups_stay_apart(rng):
    x, weight, g = (rng.standard_normal(shape) for shape in ((1, 6, 5, 5), (4, 3, 2, 2), (1, 4, 4, 4)))
    grads = conv.conv2d_backward(g, x, weight, groups=2)
    for k in range(2):
        alone = conv.conv2d_backward(g[:, 2 * k:2 * k + 2], x[:, 3 * k:3 * k + 3], weight[2 * k:2 * k + 2])
        assert_close(grads[0][:, 3 * k:3 * k + 3], alone[0])
        assert_close(grads[1][2 * k:2 * k + 2], alone[1])


def test_transposed_convolution_is_the_gradient(rng):
    g, weight = rng.standard_normal((2, 6, 4, 4)), rng.standard_normal((6, 3, 3, 3))
    grad_x, _, _ = conv.conv2d_backward(g, np.zeros((2, 3, 8, 8)), weight, stride=2, padding=1)
    assert_close(conv.conv_transpose2d(g, weight, stride=2, padding=1, output_padding=1), grad_x)
    assert conv.conv_transpose2d(g, weight, stride=2, padding=1).shape == (2, 3, 7, 7)  # 7 and 8 both give 4


def test_checkerboard():
    rows = [conv.conv_transpose2d(np.ones((1, 1, 1, 6)), np.ones((1, 1, 1, size)), stride=(1, 2)).ravel()
            for size in (3, 4)]
    assert rows[0].tolist() == [1, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 1]
    assert rows[1].tolist() == [1, 1] + [2] * 10 + [1, 1]


def test_autograd_on_the_photograph():
    torch = pytest.importorskip("torch")
    x = data.photo("astronaut", size=32).transpose(2, 0, 1)
    rng = np.random.default_rng(0)
    arrays = np.stack([x, x[:, :, ::-1]]), rng.normal(size=(6, 1, 5, 5)), rng.normal(size=6)
    settings = {"stride": 2, "padding": 3, "dilation": 2, "groups": 3}
    leaves = [torch.tensor(a, requires_grad=True) for a in arrays]
    out = torch.nn.functional.conv2d(*leaves, **settings)
    g = torch.from_numpy(rng.normal(size=out.shape))
    out.backward(g)
    for ours, leaf in zip(conv.conv2d_backward(g.numpy(), *arrays, **settings), leaves):
        assert_close(ours, leaf.grad.numpy())


def test_adjoint_knows_the_turn(rng):
    weight = rng.standard_normal((6, 3, 5, 5))
    x = np.zeros((2, 3, 9, 8))

    def error(filters):
        return gradcheck.adjoint_error(lambda a: conv.conv2d(a, weight),
                                       lambda u: conv.conv2d_backward(u, x, filters)[0], x)

    assert error(weight) < 1e-12
    assert error(weight[:, :, ::-1, ::-1]) > 1e-3


def test_a_lost_filter_is_found():
    digits = data.load_digits()[0][0][:100].astype(float)
    wanted, learnt = conv.conv2d(digits, LOST[None, None]), np.zeros((1, 1, 3, 3))
    for _ in range(300):
        difference = conv.conv2d(digits, learnt) - wanted
        learnt -= conv.conv2d_backward(difference / difference.size, digits, learnt)[1]
    assert abs(learnt[0, 0] - LOST).max() < 0.01
    windows = np.lib.stride_tricks.sliding_window_view(digits, (3, 3), axis=(2, 3)).reshape(-1, 9)
    steepest = np.linalg.eigvalsh(windows.T @ windows / len(windows))[-1]
    assert 1 < 2 / steepest < 1.2  # a step of 1 converges, one of 1.2 explodes


def test_a_broken_backward_passes_with_a_symmetric_filter():
    def colleague(grad_output, x, weight):
        return convolve2d(grad_output, weight[::-1, ::-1]), conv.correlate2d(x, grad_output)

    digit = data.load_digits()[0][0][0, 0].astype(float)
    assert gradcheck.gradcheck(conv.correlate2d, colleague, digit, LOST).passed
    assert not gradcheck.gradcheck(conv.correlate2d, colleague, digit, WEIGHTS * 1.0).passed


def test_answers_of_the_exercises(rng):
    grad_x = convolve2d([[0, 1], [3, 0]], [[2, 0], [0, -1]])
    assert grad_x.tolist() == [[0, 2, 0], [6, 0, -1], [0, -3, 0]]
    assert conv.correlate2d(np.array([[1, 2, 0], [0, 1, 3], [2, 0, 1]]), np.array([[0, 1], [3, 0]])).tolist() == [
        [2, 3], [7, 3]]
    for pixels, expected in ((5, [2, 13, 20, 130, 200]), (6, [2, 13, 20, 130, 200, 300])):
        row = (np.array(a, dtype=float).reshape(1, 1, 1, -1) for a in ([1, 10, 100], [0] * pixels, [1, 2, 3]))
        assert conv.conv2d_backward(*row, stride=(1, 2), padding=(0, 1))[0].ravel().tolist() == expected
    matrix, g, x = (rng.standard_normal(shape) for shape in ((4, 3), (4, 9, 8), (3, 9, 8)))
    grads = conv.conv2d_backward(g, x, matrix[:, :, None, None])
    assert_close(g.reshape(4, -1) @ x.reshape(3, -1).T, grads[1][..., 0, 0])
    assert_close(matrix.T @ g.reshape(4, -1), grads[0].reshape(3, -1))
