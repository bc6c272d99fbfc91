"""The backward microscope: its sums are the derivation, and a student's mistakes are found and named."""

import numpy as np
import pytest

pytest.importorskip("anywidget")

from backward_cases import norms_of_rows, scaled_rows, softsign, softsign_backward
from examples import unturned
from helpers import assert_close

from cnnlib import activations, conv, gradcheck, linear, pool
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
    "unturned": (unturned, {}, r"8 of 9 inputs and 0 of 4 weights differ for this g, 9 of 9 and 0 of 4 for a "
                               "random g; ∂E/∂X11: yours 4, computed 1. Looks like this: the filter is not turned"),
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


def slope_of_the_wrong_side(grad_output, x, slope):
    return grad_output * ((x > 0) + slope.reshape(-1, 1, 1) * (x <= 0)), (grad_output * x.clip(min=0)).sum((0, 2, 3))


def test_one_number_has_no_factor_to_name():
    """Of one wrong number there always is a factor, by chance of the random g; its sign alone may say something."""
    def report(fn_backward):
        return BackwardMicroscope([[1, -2, 3], [-4, 5, -6]], [[0.25]], fn=prelu, fn_backward=fn_backward,
                                  part="grad_weight").report
    assert report(slope_of_the_wrong_side) == (
        "0 of 6 inputs and 1 of 1 weight differ from central differences; ∂E/∂F11: yours 9, computed −12")
    assert report(lambda g, x, slope: (slope_of_the_wrong_side(g, x, slope)[0], -(g * x.clip(max=0)).sum((0, 2, 3)))
                  ).endswith("Looks like this: the sign is wrong")


def test_the_count_is_that_of_the_gradient_on_screen():
    """What is ringed belongs to this g; what a random g finds beyond it is said apart."""
    def count(grad):
        return microscope(grad_output=grad, fn_backward=last_wins).report.partition(". Looks")[0].partition(";")[0]
    rest = " of 9 inputs and 0 of 4 weights differ for this g, 5 of 9 and 0 of 4 for a random g"
    assert count(None) == "5 of 9 inputs and 0 of 4 weights differ"
    assert count([[1, 0], [0, 0]]) == "3" + rest  # three of four cells lie in windows whose g is 0, and are overwritten
    assert count([[0, 0], [0, 1]]) == "0" + rest  # the last window: nothing is written over it


def test_what_only_the_gradient_on_screen_shows_is_no_agreement():
    def careless(g, x, w):
        return right(g if (g != 1).any() else 2 * g, x, w)
    report = microscope(grad_output=None, fn_backward=careless).report
    assert report.startswith("9 of 9 inputs and 4 of 4 weights differ for this g, 0 of 9 and 0 of 4 for a random g")


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


# ---- functions that the widget has no name for


def own(x=X / 2 - 0.6, fn=softsign, **state):
    return BackwardMicroscope(x, state.pop("weight", None), state.pop("grad_output", None), fn=fn, **state)


def test_any_function_is_measured_by_central_differences():
    widget = own(fn_backward=softsign_backward)
    assert widget.op == "own" and widget.report == "all 9 inputs agree with central differences"
    assert_close(widget.grad_x, np.float32(softsign_backward(1.0, X / 2 - 0.6)), tolerance=1e-6)
    assert own(part="grad_x", row=1, col=1).sentence() == "∂E/∂X22 = 0.277·g22 = 0.277·1 = 0.277"
    assert own(col=1).sentence() == "g12 = 1 adds 0.3906·g12 to ∂E/∂X12."
    assert widget.code().endswith('op="own", fn=softsign, fn_backward=softsign_backward)')
    widget.x = np.ones((2, 2))
    assert widget.report == "all 4 inputs agree with central differences" and widget.grad_x.tolist() == [[0.25] * 2] * 2


def test_a_wrong_gradient_of_an_own_function_is_found():
    report = own(fn_backward=lambda g, x: g / (1 + np.abs(x))).report
    assert report == "9 of 9 inputs differ from central differences; ∂E/∂X11: yours 0.9091, computed 0.8264"
    assert "every number is 2 times" in own(fn_backward=lambda g, x: 2 * softsign_backward(g, x)).report
    assert "the sign is wrong" in own(fn_backward=lambda g, x: -softsign_backward(g, x)).report


def test_a_function_with_a_weight_and_settings_of_its_own():
    x, weight = np.arange(12).reshape(4, 3) / 10, np.array([[1.0, -2, 3, 0.5]])

    def back(grad_output, x, weight, stride):
        grad = np.zeros(x.shape)
        grad[::stride] = grad_output
        slope = grad * (1 - np.tanh(x * weight[0, :, None]) ** 2)
        return slope * weight[0, :, None], (slope * x).sum(1)[None]

    widget = own(x, scaled_rows, weight=weight, fn_backward=back, stride=2)
    assert widget.report == "all 12 inputs and 4 weights agree with central differences"
    assert widget.paths().out.shape == (2, 3) and widget._own["settings"] == ["stride"]
    widget.stride = 1
    assert widget.paths().out.shape == (4, 3) and "agree" in widget.report
    widget.stride = 0
    assert widget.sentence() == "Refused: stride 0: the smallest is 1." and widget.report == "not compared"
    assert own(x, scaled_rows, weight=weight, part="grad_weight", col=3).sentence().startswith("∂E/∂F14 = 0.7")


LIBRARY = {
    "conv2d": (conv.conv2d_backward, dict(x=X, weight=F, stride=2, padding=1), "9 inputs and 4 weights"),
    "conv_transpose2d": (conv.conv_transpose2d_backward, dict(x=X, weight=F, stride=2), "9 inputs and 4 weights"),
    "max_pool2d": (pool.max_pool2d_backward, dict(x=X, kernel_size=2, stride=1), "9 inputs"),
    "avg_pool2d": (pool.avg_pool2d_backward, dict(x=X, kernel_size=2, stride=1), "9 inputs"),
    "relu": (activations.relu_backward, dict(x=X - 1), "9 inputs"),
    "linear": (linear.linear_backward, dict(x=[[1, 2]], weight=F), "2 inputs and 4 weights"),
}


@pytest.mark.parametrize("op", LIBRARY)
def test_the_librarys_own_functions_can_be_passed_in(op):
    """With axes (N, C, H, W), as every layer of the course has them."""
    function, state, counted = LIBRARY[op]
    assert BackwardMicroscope(op=op, fn_backward=function, **state).report == f"all {counted} agree"


def test_the_librarys_functions_on_both_sides():
    widget = own(X, conv.conv2d, weight=F, stride=2, padding=1, fn_backward=conv.conv2d_backward)
    assert widget.report == "all 9 inputs and 4 weights agree with central differences"
    named = microscope(grad_output=None, stride=2, padding=1)
    assert_close(widget.grad_x, named.grad_x, tolerance=1e-5)
    assert_close(widget.grad_weight, named.grad_weight, tolerance=1e-5)
    report = own(np.arange(8).reshape(2, 4), norms_of_rows, fn_backward=lambda g, x: g * x / norms_of_rows(x)).report
    assert report == "all 8 inputs agree with central differences"


def prelu(x, slope):
    return x.clip(min=0) + slope.reshape(-1, 1, 1) * x.clip(max=0)


def prelu_backward(grad_output, x, slope):
    grad_x = grad_output * ((x > 0) + slope.reshape(-1, 1, 1) * (x <= 0))
    return grad_x, (grad_output * x.clip(max=0)).sum((0, 2, 3))


def test_the_layer_of_lecture_32():
    """A pair with axes (N, C, H, W), whose weight is one slope for each channel."""
    widget = own([[1.0, -2, 3], [-4, 5, -6]], prelu, weight=[[0.25]], fn_backward=prelu_backward, part="grad_weight")
    assert widget.report == "all 6 inputs and 1 weight agree with central differences"
    assert widget.sentence() == "∂E/∂F11 = (−2)·g12 + (−4)·g21 + (−6)·g23 = (−2)·1 + (−4)·1 + (−6)·1 = −12"


def test_both_ways_of_failing_are_told():
    def picky(grad_output, x, weight):
        if x.ndim == 4:
            raise KeyError("channels")
        raise IndexError("rows")

    report = microscope(fn_backward=picky).report
    assert report.startswith("IndexError: rows (line ") and "and with axes for batch and channel, KeyError:" in report


def test_beside_a_kink_nothing_is_compared():
    widget = own(np.array([[-1.0, 0, 2]]), lambda x: np.maximum(x, 0), fn_backward=lambda g, x: g * (x > 0))
    assert widget.report == (
        "all 2 inputs agree with central differences; 1 input lies at a kink, with no slope to compare")
    assert own(np.zeros((1, 2)), np.abs, fn_backward=lambda g, x: 7 * g).report == (
        "nothing could be compared; 2 inputs lie at a kink, with no slope to compare")
    assert "1 of 3 inputs differ" in own(np.array([[-1.0, 0, 2]]), lambda x: np.maximum(x, 0),
                                         fn_backward=lambda g, x: g * (x > 5)).report
    right = own(np.zeros((1, 2)), fn_backward=softsign_backward)  # smooth, but the slope of its slope jumps at 0
    assert right.report == "all 2 inputs agree with central differences" and right.grad_x.tolist() == [[1, 1]]
    smooth = own(np.zeros((1, 3)), lambda x: x**2, fn_backward=lambda g, x: g * (2 * x + 5))  # slope 0 is no kink
    assert smooth.report.startswith("3 of 3 inputs differ from central differences")


def test_single_precision_is_enough():
    widget = own(fn=lambda x: np.tanh(x.astype(np.float32)), fn_backward=lambda g, x: g / np.cosh(x) ** 2)
    assert widget.report == "all 9 inputs agree with central differences"
    wrong = own(fn=lambda x: np.tanh(x.astype(np.float32)), fn_backward=lambda g, x: 1.02 * g / np.cosh(x) ** 2)
    assert "differ" in wrong.report


@pytest.mark.parametrize("fn, words", [
    (lambda x: 1 / 0, "fn: ZeroDivisionError: division by zero (line "),
    (lambda x: "text", "fn: gives no real numbers"),
    (lambda x: np.zeros((2, 3, 3)), "fn: gives shape (2, 3, 3); rows and columns are needed"),
    (lambda x: x + np.random.default_rng().random(), "fn: gives other numbers when it is called again"),
    (lambda x: np.zeros((11, 2)), "output 11×2: at most 10×10 are shown"),
])
def test_functions_that_cannot_be_shown_are_refused(fn, words):
    widget = own(fn=fn, fn_backward=softsign_backward)
    assert widget.sentence().startswith(f"Refused: {words}") and widget.grad_x is None
    assert widget.report == "not compared" and widget.picture()


def test_an_own_function_that_does_not_end_is_stopped():
    def endless(x):
        while True:
            x = x + 1

    assert "Refused: fn: no answer within 4 seconds (line " in own(fn=endless).sentence()


# ---- channels, large inputs, padding of two kinds, views


def test_channels_have_backward_passes_of_their_own():
    x, weight = np.stack([X, X + 1, -X]), np.stack([F, F * 0, 2 * F])
    whole = conv.conv2d_backward(G[None].astype(float), x.astype(float), weight[None].astype(float))
    for channel in range(3):
        widget = BackwardMicroscope(x, weight, G, channel=channel)
        assert_close(widget.grad_x, np.float32(whole[0][channel]))
        assert_close(widget.grad_weight, np.float32(whole[1][0, channel]))
    widget.channel = 0
    assert_close(widget.grad_x, np.float32(whole[0][0]))
    assert "F11·g11" in widget.sentence() and "channel=2" not in widget.code()
    pooled = BackwardMicroscope(np.stack([X, X.T]), None, np.stack([G, 10 * G]), op="max_pool2d", stride=1, channel=1)
    assert_close(pooled.grad_x, np.float32(pool.max_pool2d_backward(
        10.0 * G[None], X.T[None].astype(float), 2, 1)[0]))


def test_large_inputs_are_cropped_and_said():
    picture = np.arange(20 * 30).reshape(20, 30) % 7
    widget = BackwardMicroscope(picture, F, fn_backward=right)
    assert widget.x.tolist() == picture[:8, :8].tolist() and widget.report == "all 64 inputs and 4 weights agree"
    assert widget.sentence().endswith(" Shown: the first 8×8 of X, which has 20×30.")
    assert widget.code() == "BackwardMicroscope(x, weight, fn_backward=right)"
    widget.x = X  # edited: it is no longer a piece of the picture
    assert "Shown" not in widget.sentence() and widget.code().startswith("BackwardMicroscope([[1, 0, 2]")
    row = BackwardMicroscope(np.ones((1, 9)), np.ones((10, 9)), op="linear")
    assert row.sentence().endswith("Shown: the first 1×8 of X, which has 1×9 and the first 8×8 of the weight, which "
                                   "has 10×9.")


def test_padding_of_rows_and_columns():
    widget = microscope(padding=(1, 0), grad_output=None, fn_backward=conv.conv2d_backward)
    assert widget.paths().out.shape == (4, 2) and widget.report == "all 9 inputs and 4 weights agree"
    assert widget.code().endswith("padding=(1, 0), fn_backward=conv2d_backward)")
    widget.padding = (0, -1)
    assert widget.sentence() == "Refused: padding −1: the smallest is 0."
    kept = microscope(padding=(1, 0), fn_backward=lambda g, x, w, padding: convolve2d(g, w)).report
    assert "gives ∂E/∂X of shape (5, 3), computed (3, 3): the padding's gradient is kept, cut it off" in kept
    one = microscope(padding=(1, 0), grad_output=None, fn_backward=lambda g, x, w, padding: convolve2d(g, w)[:3]).report
    assert "cut off on one side only" in one
    assert "X has padding" not in BackwardMicroscope(X, op="max_pool2d", padding=(0, 1)).sentence()
    with pytest.raises(Exception, match="`padding` is 'same'; it must be an int or a pair"):
        microscope(padding="same")


def test_a_window_that_reads_padding_alone_is_refused():
    widget = BackwardMicroscope([[1, 2, 3]], op="max_pool2d", padding=1, dilation=2)
    assert widget.sentence() == "Refused: rows: a window reads nothing but padding; dilation 1 would read more."
    widget.dilation = 1
    assert widget.problem() is None and widget.grad_x is not None


def test_view_is_another_word_for_part():
    assert microscope(view="gather").part == "grad_x" and microscope(view="scatter").part == "grad_output"
    widget = microscope(view="gather", part="grad_weight")
    assert widget.part == "grad_weight" and widget.view == "gather"
    widget.view = "scatter"
    assert widget.part == "grad_output"
    widget.view = "gather"
    assert widget.part == "grad_x"


@pytest.mark.parametrize("wrong, message", [
    ({"weight": None}, "`weight` is missing: conv2d needs one"),
    ({"op": "sigmoid"}, "`op` is 'sigmoid'; it must be one of conv2d, .*, or give the function itself as `fn`"),
    ({"op": "own"}, "`op` is 'own': give the function of an operation that has no name here as `fn`"),
    ({"op": "conv2d", "fn": np.tanh}, "`op` is 'conv2d': give the function"),
    ({"x": np.zeros((2, 3, 3))}, r"`weight` has shape \(2, 2\); for `x` of shape \(2, 3, 3\) it needs 2 channels, "),
    ({"x": np.zeros((2, 3, 3)), "op": "relu", "channel": 2}, "`channel` is 2; `x` has channels 0 to 1"),
    ({"x": np.zeros((2, 3, 3)), "weight": None, "fn": np.tanh}, "a function of your own is shown for two axes"),
    ({"view": "both"}, "`view` is 'both'; it must be 'scatter' or 'gather'"),
    ({"view": "gather", "part": "grad_output"}, "`view` is 'gather', but `part` is 'grad_output'"),
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
