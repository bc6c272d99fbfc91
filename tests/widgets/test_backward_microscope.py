"""The backward microscope: its sums are the derivation, and a student's mistakes are found and named."""

import numpy as np
import pytest

pytest.importorskip("anywidget")

from examples import unturned
from helpers import assert_close

from cnnlib import conv, gradcheck
from cnnlib.plots._paths import OPS, POOLS, WITH_WEIGHT
from cnnlib.widgets import BackwardMicroscope

convolve2d = pytest.importorskip("scipy.signal").convolve2d

X = np.array([[1, 0, 2], [0, 3, 1], [2, 1, 0]])
F = np.array([[1, 2], [3, 4]])
G = np.array([[1, 0], [2, -1]])


def microscope(x=X, weight=F, grad_output=G, **state):
    return BackwardMicroscope(x, weight, grad_output, **state)


def right(grad_output, x, weight, stride=1, padding=0):
    """What a student who understood writes."""
    grad_x, grad_weight = np.zeros(np.add(x.shape, 2 * padding)), np.zeros(weight.shape)
    x, (kh, kw) = np.pad(x, padding), weight.shape
    for i, j in np.ndindex(*grad_output.shape):
        window = np.s_[stride * i:stride * i + kh, stride * j:stride * j + kw]
        grad_x[window] += grad_output[i, j] * weight
        grad_weight += grad_output[i, j] * x[window]
    return grad_x[padding:len(x) - padding, padding:x.shape[1] - padding], grad_weight


def test_terms_of_the_derivation():
    assert microscope(part="grad_x", row=1, col=1).sentence() == (
        "∂E/∂X22 = F22·g11 + F21·g12 + F12·g21 + F11·g22 = 4·1 + 3·0 + 2·2 + 1·(−1) = 7")
    assert microscope(part="grad_weight", row=1).sentence() == (
        "∂E/∂F21 = X21·g11 + X22·g12 + X31·g21 + X32·g22 = 0·1 + 3·0 + 2·2 + 1·(−1) = 3")
    assert microscope(row=1, so_far=True).sentence() == (
        "g21 = 2 adds F11·g21 to ∂E/∂X21, F12·g21 to ∂E/∂X22, F21·g21 to ∂E/∂X31, F22·g21 to ∂E/∂X32. "
        "It adds X21·g21 to ∂E/∂F11, X22·g21 to ∂E/∂F12, X31·g21 to ∂E/∂F21, X32·g21 to ∂E/∂F22. "
        "Added up: g11 to g21.")
    assert microscope(part="grad_x", predict=True).sentence() == "∂E/∂X11 = ?"
    assert microscope(predict=True, col=1).sentence() == "g12 = 0 gives to ? inputs."


def test_gradients_follow_the_settings():
    widget = microscope(grad_output=None)
    assert widget.grad_x.tolist() == [[1, 3, 2], [4, 10, 6], [3, 7, 4]]
    widget.x = np.zeros((4, 4))
    widget.stride = 2
    assert widget.grad_x.tolist() == np.tile(F, (2, 2)).tolist()
    widget.dilation = 4
    assert widget.grad_x is None and widget.sentence() == (
        "Refused: rows: 4 + 2·0 < 4·(2 − 1) + 1 = 5: the filter does not fit.")
    widget.reset()
    assert_close(widget.grad_weight, np.float32([[4, 6], [6, 5]]))


def test_a_gradient_of_another_size_is_filled_with_ones():
    widget = microscope(padding=1)
    assert widget._grad(widget.paths()).tolist() == [[1, 0, 1, 1], [2, -1, 1, 1], [1] * 4, [1] * 4]


@pytest.mark.parametrize("op", OPS)
def test_finite_differences(op, rng):
    x = rng.standard_normal((1, 5) if op == "linear" else (5, 4))
    weight = rng.standard_normal((3, 5) if op == "linear" else (2, 3)) if op in WITH_WEIGHT else None
    widget = BackwardMicroscope(x, weight, op=op, stride=2, padding=1, kernel_size=3)
    paths = widget.paths()
    settings = (paths.forward, paths.backward)
    report = gradcheck.gradcheck(lambda x: settings[0](x), lambda g, x: settings[1](g, x)[0], paths.x)
    assert report.passed and report.error < 1e-6
    if weight is not None:
        def forward(w):
            return type(paths)(paths.x, w, op, paths.settings).out

        report = gradcheck.gradcheck(forward, lambda g, w: paths.backward(g, weight=w)[1], paths.weight)
        assert report.passed and report.error < 1e-6


def test_a_right_function_agrees():
    assert microscope(fn_backward=right).report == "all 9 inputs and 4 weights agree"
    assert microscope(np.arange(42).reshape(7, 6), np.arange(6).reshape(3, 2), None, stride=2, padding=2,
                      fn_backward=right).report == "all 42 inputs and 6 weights agree"
    assert microscope(fn_backward=lambda g, x, w: right(g, x, w)[0]).report == "all 9 inputs agree"
    told = microscope(fn_backward=right)._theirs
    assert np.reshape(told["to_x"], (4, 9))[0].tolist() == [1, 2, 0, 3, 4, 0, 0, 0, 0]
    assert told["grad_x"] == [1, 2, 0, 5, 7, -2, 6, 5, -4] and told["grad_weight"] == [-2, 5, 3, 5]


def padding_kept(g, x, w, padding):
    return convolve2d(g, w), conv.correlate2d(np.pad(x, padding), g)


def stride_forgotten(g, x, w, stride):
    grad_x = np.zeros(x.shape)
    for i, j in np.ndindex(*g.shape):
        grad_x[i:i + 2, j:j + 2] += g[i, j] * w
    return grad_x, right(g, x, w, stride)[1]


def last_wins(g, x, w):
    grad_x = np.zeros(x.shape)
    for i, j in np.ndindex(*g.shape):
        grad_x[i:i + 2, j:j + 2] = g[i, j] * w
    return grad_x, right(g, x, w)[1]


WRONG = {
    "unturned": (unturned, {}, r"9 of 9 inputs and 0 of 4 weights differ; ∂E/∂X11: yours 4, computed 1. "
                               "Looks like this: the filter is not turned"),
    "padding kept": (padding_kept, {"padding": 1}, r"gives ∂E/∂X of shape (5, 5), computed (3, 3): "
                                                   "the padding's gradient is kept, cut it off"),
    "stride": (stride_forgotten, {"x": np.arange(16).reshape(4, 4), "stride": 2}, "the stride is forgotten"),
    "mean": (lambda g, x, w: (right(g, x, w)[0], right(g, x, w)[1] / 4), {},
             "every number is 0.25 times what it should be (a mean for a sum?)"),
    "last wins": (last_wins, {}, "the last one wins; they must be added"),
    "sign": (lambda g, x, w: (-right(g, x, w)[0], right(g, x, w)[1]), {}, "the sign is wrong"),
    "filter's gradient turned": (lambda g, x, w: (right(g, x, w)[0], right(g, x, w)[1][::-1, ::-1]), {},
                                 "for the filter nothing is turned"),
    "zero": (lambda g, x, w: (np.zeros(x.shape), right(g, x, w)[1]), {}, "zero everywhere"),
    "one side": (lambda g, x, w, padding: (convolve2d(g, w)[:3, :3], right(g, x, w, 1, 1)[1]), {"padding": 1},
                 "cut off on one side only"),
    "all maxima": (lambda g, x: np.ones((2, 2)) * g, {"x": np.ones((2, 2)), "op": "max_pool2d"},
                   "only the first may"),
    "relu": (lambda g, x: g * (g > 0), {"op": "relu"}, "the sign of the input counts"),
    "not transposed": (lambda g, x, w: (g @ w.T, g.T @ x), {"x": [[1, 2]], "op": "linear"}, "not transposed"),
}


@pytest.mark.parametrize("case", WRONG)
def test_mistakes_are_named(case):
    function, state, words = WRONG[case]
    report = microscope(**{"grad_output": G if state.get("op") is None else None, **state}, fn_backward=function).report
    assert words in report and "agree" not in report


def test_the_hints_differ():
    """Five wrong functions, five hints: none is so general that it fits another."""
    reports = [microscope(**WRONG[case][1], fn_backward=WRONG[case][0]).report
               for case in ("unturned", "padding kept", "stride", "mean", "last wins")]
    for report in reports:
        assert sum(WRONG[case][2].split(". ")[-1] in report
                   for case in ("unturned", "padding kept", "stride", "mean", "last wins")) == 1


def test_what_fails_is_shown_with_its_line():
    def fails(grad_output, x, weight):
        rows = x.shape[0]
        return x[rows]  # one too far

    report = microscope(fn_backward=fails).report
    assert report.startswith("IndexError: index 3 is out of bounds") and "return x[rows]  # one too far)" in report


def test_what_does_not_end_is_stopped():
    import threading

    def endless(grad_output, x, weight):
        while True:
            try:
                x = x + 1
            except Exception:
                pass

    before = threading.active_count()
    assert "no answer within 2 seconds (line " in microscope(fn_backward=endless).report
    for _ in range(100):
        if threading.active_count() == before:
            break
        threading.Event().wait(0.05)
    assert threading.active_count() == before


@pytest.mark.parametrize("function, words", [
    (lambda g, x, w: None, "gives NoneType for ∂E/∂X; real numbers of shape (3, 3) are needed"),
    (lambda g, x, w: 0.5, "gives ∂E/∂X of shape (), computed (3, 3)"),
    (lambda g, x, w: (x, "weights"), "gives str for ∂E/∂F; real numbers of shape (2, 2) are needed"),
    (lambda g, x, w: (x * 1j, w), "gives ndarray for ∂E/∂X; real numbers"),
    (lambda g, x, w: [[1, 2], [3]], "gives ∂E/∂X of shape (2,), computed (3, 3)"),
    (lambda g, x, w: (), "gives nothing"),
    (lambda g, x, w: (x * np.nan, w), "it holds NaN or infinity"),
    (lambda g: g, "TypeError: "),
    (lambda g, x, w: exit(), "SystemExit"),
])
def test_odd_answers(function, words):
    assert words in microscope(fn_backward=function).report


def test_a_setting_that_it_does_not_take():
    widget = microscope(fn_backward=last_wins, padding=1)
    assert widget.report == "it takes no padding, so it is compared where padding is 0"
    assert widget._theirs["to_x"] is None
    widget.padding = 0
    assert "the last one wins" in widget.report and widget._theirs["call"] == 2


def test_what_does_not_add_up():
    """Right for a random gradient, wrong output by output: the table would not show what the function does."""
    def odd(g, x, w):
        return [part + (np.count_nonzero(g) == 1) for part in right(g, x, w)]

    assert microscope(fn_backward=odd).report == (
        "all 9 inputs and 4 weights agree; but what all outputs give together is not the sum of what each gives")


def test_their_arguments_are_copies():
    def writes(g, x, w):
        found = right(g, x, w)
        for array in (g, x, w):
            array *= 0
        return found

    widget = microscope(fn_backward=writes)
    assert widget.report == "all 9 inputs and 4 weights agree"
    assert widget.x.tolist() == X.tolist()


@pytest.mark.parametrize("wrong, message", [
    ({"weight": None}, "`weight` is missing: conv2d needs one"),
    ({"x": np.zeros((9, 3))}, r"`x` has shape \(9, 3\): the microscope shows up to 8×8"),
    ({"op": "linear"}, r"`x` has shape \(3, 3\) and `weight` \(2, 2\); linear takes one row"),
    ({"op": "relu", "part": "grad_weight"}, "`part` is 'grad_weight', but relu has no weight"),
])
def test_errors(wrong, message):
    with pytest.raises(ValueError, match=message):
        microscope(**wrong)


@pytest.mark.parametrize("op", POOLS)
def test_pools_stand_side_by_side_by_default(op):
    widget = BackwardMicroscope(np.arange(16).reshape(4, 4), op=op)
    assert widget.paths().out.shape == (2, 2) and widget.grad_weight is None
    assert widget.grad_x.sum() == 4
