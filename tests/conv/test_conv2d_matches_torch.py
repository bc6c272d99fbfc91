"""Every method beside torch.nn.functional.conv2d and its autograd, over drawn configurations in float64.

(But implicit_gemm, which runs in a process of its own: test_implicit_gemm_kernels.py.)
"""

import numpy as np
import pytest
from conv.drawn_cases import cases
from helpers import relative_error
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cnnlib.conv import _pieces, conv2d, conv2d_backward

torch = pytest.importorskip("torch")
F = torch.nn.functional

METHODS = ("auto", "exact", "loops", "im2col", "shifted", "fft", "winograd", "library")
TOLERANCE = 1e-9  # float64, sums of at most a few hundred products


def check_against_torch(method, case):
    x, weight, bias = case.arrays()
    leaves = [None if a is None else torch.tensor(a, requires_grad=True) for a in (x, weight, bias)]
    (top, bottom), (left, right) = case.zeros()
    expected = F.conv2d(F.pad(leaves[0], (left, right, top, bottom)), *leaves[1:], case.stride, 0, case.dilation,
                        case.groups)
    grad_output = np.random.default_rng(case.seed + 1).standard_normal(tuple(expected.shape))
    expected.backward(torch.tensor(grad_output))

    convert = np.asarray if case.library == "numpy" else torch.tensor
    arrays = [None if a is None else convert(a) for a in (x, weight, bias)]
    before, _pieces.WORKSPACE = _pieces.WORKSPACE, case.workspace
    try:
        out = conv2d(*arrays, **case.settings(), method=method)
        grads = conv2d_backward(convert(grad_output), *arrays, **case.settings(), method=method)
    finally:
        _pieces.WORKSPACE = before
    assert type(out) is type(arrays[0])
    assert relative_error(out, expected) < TOLERANCE
    for name, grad, leaf in zip(("x", "weight", "bias"), grads, leaves):
        if leaf is None:
            assert grad is None
        else:
            assert relative_error(grad, leaf.grad) < TOLERANCE, f"grad_{name}"


quick = settings(max_examples=500, deadline=None, derandomize=True, database=None,
                 suppress_health_check=list(HealthCheck))
thorough = settings(quick, max_examples=5000, derandomize=False)


@pytest.mark.parametrize("method", [m for m in METHODS if m != "winograd"])
@quick
@given(case=cases())
def test_matches_torch(method, case):
    check_against_torch(method, case)


@quick
@given(case=cases(winograd=True))
def test_winograd_matches_torch(case):
    check_against_torch("winograd", case)


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
@thorough
@given(data=st.data())
def test_matches_torch_thousands_of_times(method, data):
    check_against_torch(method, data.draw(cases(winograd=method == "winograd")))


@pytest.mark.parametrize("method", METHODS)
@settings(quick, max_examples=40)
@given(data=st.data())
def test_autograd_flows_through(method, data):
    """torch's autograd through our forward gives what our backward gives."""
    case = data.draw(cases(winograd=method == "winograd"))
    leaves = [None if a is None else torch.tensor(a, requires_grad=True) for a in case.arrays()]
    before, _pieces.WORKSPACE = _pieces.WORKSPACE, case.workspace
    try:
        out = conv2d(*leaves, **case.settings(), method=method)
    finally:
        _pieces.WORKSPACE = before
    grad_output = torch.tensor(np.random.default_rng(case.seed + 1).standard_normal(tuple(out.shape)))
    out.backward(grad_output)
    arrays = [None if a is None else a.detach() for a in leaves]
    for leaf, grad in zip(leaves, conv2d_backward(grad_output, *arrays, **case.settings(), method="library")):
        if leaf is not None:
            assert relative_error(leaf.grad, grad) < TOLERANCE
