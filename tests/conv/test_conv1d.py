"""conv1d: conv2d on signals."""

import re

import numpy as np
import pytest
from helpers import assert_close, relative_error
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cnnlib import _array
from cnnlib.conv import conv1d, conv1d_backward


@pytest.mark.parametrize("method", ("auto", "exact", "loops", "im2col", "shifted", "fft"))
def test_known_values(array, method):
    """The differences of powers of two are powers of two; the signal beside is left alone."""
    x = array(np.array([[[1.0, 2, 4, 8, 16], [9, 9, 9, 9, 9]]]))
    weight = array(np.array([[[-1.0, 1], [0, 0]]]))
    assert_close(conv1d(x, weight, method=method), np.array([[[1.0, 2, 4, 8]]]))
    assert_close(conv1d(x, weight, stride=2, method=method), np.array([[[1.0, 4]]]))
    assert_close(conv1d(x, weight, dilation=2, method=method), np.array([[[3.0, 6, 12]]]))
    assert_close(conv1d(x, weight, padding="same", method=method), np.array([[[1.0, 2, 4, 8, -16]]]))
    assert_close(conv1d(x, weight, array(np.array([0.5])), padding=(1, 0), method=method),
                 np.array([[[1.5, 1.5, 2.5, 4.5, 8.5]]]))
    assert_close(conv1d(x[0], weight, method=method), np.array([[1.0, 2, 4, 8]]))


@settings(max_examples=200, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_matches_torch(data):
    torch = pytest.importorskip("torch")
    k, d, p, g = (data.draw(st.integers(*limits)) for limits in ((1, 4), (1, 3), (0, 3), (1, 2)))
    length = data.draw(st.integers(max(d * (k - 1) + 1 - 2 * p, 1), 12))
    kwargs = dict(stride=data.draw(st.integers(1, 3)), padding=p, dilation=d, groups=g)
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    x, weight, bias = (rng.standard_normal(s) for s in ((2, 2 * g, length), (3 * g, 2, k), (3 * g,)))
    leaves = [torch.tensor(a, requires_grad=True) for a in (x, weight, bias)]
    expected = torch.nn.functional.conv1d(*leaves, **kwargs)
    grad_output = rng.standard_normal(tuple(expected.shape))
    expected.backward(torch.tensor(grad_output))
    assert relative_error(conv1d(x, weight, bias, **kwargs), expected) < 1e-9
    assert relative_error(conv1d(*leaves, **kwargs, method="im2col"), expected) < 1e-9
    for grad, leaf in zip(conv1d_backward(grad_output, x, weight, bias, **kwargs), leaves):
        assert relative_error(grad, leaf.grad) < 1e-9


def test_backward_of_one_signal_and_of_integers(array, rng):
    x, weight, grad_output = (array(rng.standard_normal(s)) for s in ((2, 9), (3, 2, 4), (3, 6)))
    grad_x, grad_weight, grad_bias = conv1d_backward(grad_output, x, weight)
    many = conv1d_backward(grad_output[None], x[None], weight)
    assert_close(grad_x, _array.to_numpy(many[0][0]))
    assert_close(grad_weight, _array.to_numpy(many[1]))
    assert grad_bias is None
    ones = array(np.ones((1, 1, 3), dtype=int))
    assert conv1d_backward(ones, ones, ones[:, :, :1]) == (None, None, None)


def test_errors(array):
    x, weight = array(np.zeros((2, 3, 8))), array(np.zeros((4, 3, 3)))
    with pytest.raises(ValueError, match=r"`x` has shape \(2, 3, 8, 1\); it must be \(N, C, L\), or \(C, L\)"):
        conv1d(x[..., None], weight)
    with pytest.raises(ValueError, match=r"`weight` has shape \(3, 3\); it must be \(F, C // groups, K\)"):
        conv1d(x, weight[0])
    with pytest.raises(ValueError, match=r"has 3 channels, `weight` \(4, 2, 3\) with groups=1 needs 2 \* 1 = 2$"):
        conv1d(x, weight[:, :2])
    with pytest.raises(ValueError, match=r"`x` \(1, 50, 3\) has 50 channels, `weight` \(3, 3, 3\) with groups=1 needs "
                                         r"3 \* 1 = 3; the last axis of `x` has 3, so `x` may be \(N, L, C\) or "
                                         r"\(L, C\): x\.swapaxes\(-1, -2\) brings the channels forward"):
        conv1d(array(np.ones((1, 50, 3))), array(np.ones((3, 3, 3))))
    with pytest.raises(ValueError, match=r"`x` has shape \(2, 0, 8\): only the batch may be empty"):
        conv1d(x[:, :0], weight)
    with pytest.raises(ValueError, match=r"`weight` has shape \(4, 3, 0\): no side of a filter may be empty"):
        conv1d(x, weight[..., :0])
    with pytest.raises(ValueError, match=r"`groups` is 3; it must divide the 4 filters of `weight` \(4, 3, 3\)"):
        conv1d(x, weight, groups=3)
    with pytest.raises(ValueError, match=r"`padding` is 'full'; the words it knows are 'valid' and 'same'"):
        conv1d(x, weight, padding="full")
    with pytest.raises(TypeError, match=r"`stride` must be a whole number, not \(2, 2\)"):
        conv1d(x, weight, stride=(2, 2))
    with pytest.raises(ValueError, match=r"`padding` is -1; it must be at least 0"):
        conv1d(x, weight, padding=-1)
    with pytest.raises(ValueError, match=r"`padding` is \(1, 2, 3\); it must be .* a pair \(before, after\)"):
        conv1d(x, weight, padding=(1, 2, 3))
    with pytest.raises(ValueError, match=r"`weight` \(4, 3, 3\) does not fit into `x` \(2, 3, 8\): a kernel of 3 with "
                                         "dilation 4 spans 9 pixels, more than the padded"):
        conv1d(x, weight, dilation=4)
    for shape in ((4, 6), (2, 4, 1, 6), (2, 4, 5)):
        wrong = rf"`grad_output` has shape {re.escape(str(shape))}; it must be \(2, 4, 6\)"
        with pytest.raises(ValueError, match=wrong):
            conv1d_backward(array(np.zeros(shape)), x, weight)
    with pytest.raises(ValueError, match=r"`grad_output` has shape \(2, 4, 6\); it must be \(4, 6\)"):
        conv1d_backward(array(np.zeros((2, 4, 6))), x[0], weight)
    with pytest.raises(TypeError, match="`x` must be a NumPy array or a torch tensor, not list"):
        conv1d([[1.0]], weight)
