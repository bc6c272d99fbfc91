"""Every method beside torch.nn.functional.conv2d and its autograd, over drawn configurations in float64."""

from dataclasses import dataclass
from math import ceil

import numpy as np
import pytest
from helpers import relative_error
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cnnlib.conv import _pieces, conv2d, conv2d_backward

torch = pytest.importorskip("torch")
F = torch.nn.functional

METHODS = ("auto", "exact", "loops", "im2col", "shifted", "fft", "winograd", "library")
TOLERANCE = 1e-9  # float64, sums of at most a few hundred products


@dataclass
class Case:
    """One drawn configuration. Sizes are (rows, cols)."""

    n: int
    groups: int
    depth: int
    filters_per_group: int
    size: tuple
    kernel_size: tuple
    stride: tuple
    dilation: tuple
    padding: object
    bias: bool
    library: str
    workspace: int  # bytes: a small one cuts the convolution into pieces
    seed: int

    def zeros(self):
        """Return the padding as ((top, bottom), (left, right)), by the rules of the docstring, not by the code's."""
        if self.padding == "valid":
            return ((0, 0), (0, 0))
        if self.padding == "same":
            sides = []
            for size, k, s, d in zip(self.size, self.kernel_size, self.stride, self.dilation):
                total = max((ceil(size / s) - 1) * s + d * (k - 1) + 1 - size, 0)
                sides.append((total // 2, total - total // 2))
            return tuple(sides)
        if isinstance(self.padding, int):
            return ((self.padding,) * 2,) * 2
        return tuple(p if isinstance(p, tuple) else (p, p) for p in self.padding)

    def arrays(self):
        """Return x, weight, bias (or None) as NumPy arrays."""
        rng = np.random.default_rng(self.seed)
        filters = self.groups * self.filters_per_group
        x = rng.standard_normal((self.n, self.groups * self.depth, *self.size))
        weight = rng.standard_normal((filters, self.depth, *self.kernel_size))
        return x, weight, rng.standard_normal(filters) if self.bias else None

    def settings(self):
        return dict(stride=self.stride, padding=self.padding, dilation=self.dilation, groups=self.groups)


def pairs(low, high):
    return st.tuples(st.integers(low, high), st.integers(low, high))


@st.composite
def cases(draw, winograd=False):
    """Draw a configuration; the image is made large enough for the filter."""
    kernel_size = (3, 3) if winograd else draw(pairs(1, 4))
    stride, dilation = ((1, 1), (1, 1)) if winograd else (draw(pairs(1, 3)), draw(pairs(1, 2)))
    padding = draw(st.one_of(st.integers(0, 3), pairs(0, 3), st.tuples(pairs(0, 3), pairs(0, 3)),
                             st.sampled_from(["valid", "same"])))
    case = Case(
        n=draw(st.integers(1, 3)), groups=draw(st.sampled_from([1, 1, 2, 3])), depth=draw(st.integers(1, 3)),
        filters_per_group=draw(st.integers(1, 3)), size=(0, 0), kernel_size=kernel_size, stride=stride,
        dilation=dilation, padding=padding, bias=draw(st.booleans()),
        library=draw(st.sampled_from(["numpy", "torch"])), workspace=draw(st.sampled_from([2**24, 2**24, 20_000])),
        seed=draw(st.integers(0, 2**32 - 1)))
    zeros = ((0, 0), (0, 0)) if padding == "same" else case.zeros()
    least = [max(d * (k - 1) + 1 - sum(z), 1) for k, d, z in zip(kernel_size, dilation, zeros)]
    case.size = tuple(draw(st.integers(low, low + 6)) for low in least)
    return case


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
