"""The Triton kernels against torch: on a GPU where there is one, else in Triton's interpreter.

The interpreter has to be chosen before triton is imported, so this file runs in a process of its own with
TRITON_INTERPRET=1, which ``test_implicit_gemm.py`` starts; in the common process its CPU half is skipped.
"""

import os

import pytest
from conv.drawn_cases import cases
from helpers import assert_close, relative_error
from hypothesis import HealthCheck, given, settings

from cnnlib.conv import conv2d, conv2d_backward
from cnnlib.conv._problem import make_problem

torch = pytest.importorskip("torch")
pytest.importorskip("triton")

INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"


@pytest.fixture(params=[
    pytest.param("cpu", marks=pytest.mark.skipif(
        not INTERPRETED, reason="runs in a process of its own: test_implicit_gemm.py::test_interpreted")),
    pytest.param("cuda", marks=[pytest.mark.cuda, pytest.mark.skipif(
        INTERPRETED or not torch.cuda.is_available(), reason="no CUDA device")]),
])
def device(request):
    return request.param


# x, weight, stride, padding, dilation, groups. Odd sizes, N, C and F all different, rows and columns too.
CASES = {
    "plain": ((2, 3, 9, 8), (5, 3, 3, 2), 1, 0, 1, 1),
    "padded": ((2, 3, 9, 8), (5, 3, 3, 3), 1, 1, 1, 1),
    "uneven padding": ((2, 3, 7, 8), (4, 3, 2, 3), 1, ((1, 0), (0, 2)), 1, 1),
    "same": ((1, 2, 7, 6), (3, 2, 4, 3), 1, "same", 1, 1),
    "stride": ((2, 3, 9, 8), (5, 3, 3, 3), 2, 1, 1, 1),
    "stride by axis": ((2, 3, 11, 8), (5, 3, 3, 2), (3, 2), (1, 0), 1, 1),
    "stride over the kernel": ((1, 2, 10, 11), (3, 2, 2, 2), (4, 3), 0, 1, 1),
    "dilation": ((2, 3, 9, 11), (5, 3, 3, 3), 1, (2, 3), (2, 3), 1),
    "groups": ((2, 6, 7, 8), (4, 3, 3, 3), 1, 1, 1, 2),
    "depthwise": ((2, 5, 7, 8), (5, 1, 3, 3), 1, 1, 1, 5),
    "channel multiplier": ((1, 3, 6, 7), (6, 1, 2, 3), 2, 1, 1, 3),
    "1x1": ((3, 17, 5, 4), (19, 17, 1, 1), 1, 0, 1, 1),
    "padding over the kernel": ((1, 2, 4, 3), (3, 2, 2, 2), 2, 5, 1, 1),
    "all at once": ((2, 4, 12, 11), (6, 2, 3, 2), (2, 3), ((3, 1), (0, 2)), (2, 1), 2),
    "several tiles": ((3, 5, 7, 8), (66, 5, 3, 3), 1, 1, 1, 1),
    "one pixel": ((1, 1, 1, 1), (1, 1, 1, 1), 1, 0, 1, 1),
}
# All cases in float32; in half precision, where only loading and storing differ, those that differ most.
RUNS = [(case, "float32") for case in CASES] + [
    (case, dtype) for case in ("plain", "stride by axis", "all at once", "1x1")
    for dtype in ("float16", "bfloat16")]


def draw(shape, dtype, device, seed):
    numbers = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    return numbers.to(device, getattr(torch, dtype))


def reference(x, weight, grad_output, problem):
    """Return torch's convolution and its two gradients in float64, on the CPU."""
    x, weight, grad_output = (a.detach().cpu().double() for a in (x, weight, grad_output))
    x.requires_grad_()
    weight.requires_grad_()
    (top, bottom), (left, right) = problem.padding
    out = torch.nn.functional.conv2d(torch.nn.functional.pad(x, (left, right, top, bottom)), weight, None,
                                     problem.stride, 0, problem.dilation, problem.groups)
    return out.detach(), *torch.autograd.grad(out, (x, weight), grad_output)


@pytest.mark.parametrize(("case", "dtype"), RUNS)
def test_matches_torch(case, dtype, device):
    x_shape, weight_shape, *settings = CASES[case]
    problem = make_problem(x_shape, weight_shape, *settings)
    x, weight = draw(x_shape, dtype, device, 0), draw(weight_shape, dtype, device, 1)
    grad_output = draw(problem.out_shape, dtype, device, 2)
    expected = reference(x, weight, grad_output, problem)

    out = conv2d(x, weight, None, *settings, method="implicit_gemm")
    grad_x, grad_weight, _ = conv2d_backward(grad_output, x, weight, None, *settings, method="implicit_gemm")
    for actual, wanted in zip((out, grad_x, grad_weight), expected):
        assert actual.dtype == x.dtype and actual.device == x.device
        assert_close(actual, wanted)

    leaves = x.clone().requires_grad_(), weight.clone().requires_grad_()
    out_again = conv2d(*leaves, None, *settings, method="implicit_gemm")
    by_autograd = torch.autograd.grad(out_again, leaves, grad_output)
    for actual, wanted in zip(by_autograd, (grad_x, grad_weight)):
        torch.testing.assert_close(actual, wanted, rtol=0, atol=0)  # the same kernels, bit for bit


@settings(max_examples=50, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(case=cases())
def test_matches_torch_over_drawn_configurations(case, device):
    x, weight, bias = (None if a is None else torch.tensor(a, dtype=torch.float32, device=device)
                       for a in case.arrays())
    settings = case.settings()
    problem = make_problem(x.shape, weight.shape, *settings.values())
    assert problem.padding == case.zeros()
    grad_output = draw(problem.out_shape, "float32", device, case.seed)
    expected, *grads = reference(x, weight, grad_output, problem)
    if bias is not None:
        expected += bias.cpu().double()[:, None, None]
        grads.append(grad_output.cpu().double().sum((0, 2, 3)))
    assert_close(conv2d(x, weight, bias, **settings, method="implicit_gemm"), expected)
    ours = conv2d_backward(grad_output, x, weight, bias, **settings, method="implicit_gemm")
    for actual, wanted in zip(ours, grads):
        assert_close(actual, wanted)


def test_bias_and_single_image(device):
    x, weight, bias = (draw(shape, "float32", device, 3) for shape in ((3, 6, 5), (4, 3, 3, 3), (4,)))
    bias.requires_grad_()
    out = conv2d(x, weight, bias, padding=1, method="implicit_gemm")
    assert_close(out.detach(), torch.nn.functional.conv2d(x, weight, bias, padding=1).detach())
    (grad_bias,) = torch.autograd.grad(out.sum(), bias)
    assert_close(grad_bias, torch.full((4,), 30.0))


@pytest.mark.parametrize("order", ["channels last", "expanded", "every other", "transposed"])
def test_strides(order, device):
    """Every way of lying in memory is read where it lies, and nothing is written to."""
    x = draw((2, 3, 8, 8), "float32", device, 4)
    x = {"channels last": x.to(memory_format=torch.channels_last), "expanded": x[:1].expand(2, 3, 8, 8),
         "every other": x[:, :, ::2, 1:], "transposed": x.transpose(2, 3)}[order]
    weight = draw((2, 3, 3, 5), "float32", device, 5).transpose(2, 3)
    before = x.clone(), weight.clone()
    problem = make_problem(x.shape, weight.shape, 1, 2)
    grad_output = draw((1,), "float32", device, 6).expand(problem.out_shape)
    expected = reference(x, weight, grad_output, problem)
    actual = (conv2d(x, weight, padding=2, method="implicit_gemm"),
              *conv2d_backward(grad_output, x, weight, padding=2, method="implicit_gemm")[:2])
    for a, e in zip(actual, expected):
        assert_close(a, e)
    assert actual[0].is_contiguous(memory_format=torch.channels_last) == (order == "channels last")
    assert torch.equal(x, before[0]) and torch.equal(weight, before[1])


def test_shares_of_the_weight_gradient(device):
    """Many pixels (930: three shares) are summed in shares: still right, and the same in every run."""
    x, weight = draw((2, 2, 33, 17), "float32", device, 7), draw((3, 2, 3, 3), "float32", device, 8)
    grad_output = draw((2, 3, 31, 15), "float32", device, 9)
    expected = reference(x, weight, grad_output, make_problem(x.shape, weight.shape))[2]
    first, second = (conv2d_backward(grad_output, x, weight, method="implicit_gemm")[1] for _ in range(2))
    assert_close(first, expected)
    assert torch.equal(first, second)


def test_empty_batch(device):
    x, weight = draw((0, 3, 5, 4), "float32", device, 0), draw((2, 3, 3, 3), "float32", device, 1)
    out = conv2d(x, weight, method="implicit_gemm")
    grad_x, grad_weight, _ = conv2d_backward(out, x, weight, method="implicit_gemm")
    assert out.shape == (0, 2, 3, 2) and grad_x.shape == x.shape
    assert torch.equal(grad_weight, torch.zeros_like(weight))


def test_infinite_weight_reaches_only_its_pixels(device):
    """At stride 2 the tap (0, 0) meets even pixels only: an infinity there must not spoil the odd ones."""
    weight = torch.zeros((1, 1, 2, 2), device=device)
    weight[0, 0, 0, 0] = torch.inf
    grad_output = torch.ones((1, 1, 2, 2), device=device)
    grad_x, _, _ = conv2d_backward(grad_output, torch.zeros((1, 1, 4, 4), device=device), weight, stride=2,
                                   method="implicit_gemm")
    expected = torch.zeros((4, 4))
    expected[::2, ::2] = torch.inf
    assert torch.equal(grad_x[0, 0].cpu(), expected)


def test_long_sums_do_not_stop(device):
    """float16 is summed in float32: 5,000 ones are 5,000, where a float16 sum stops at 2,048."""
    ones = torch.ones((1, 50, 10, 10), device=device).half()
    assert conv2d(ones, ones, method="implicit_gemm").item() == 5000


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_is_rounded_after_the_bias(dtype, device):
    """300 * 300 alone is infinite in float16, and another number in bfloat16; its gradients are in half precision."""
    leaves = [torch.full(shape, number, device=device).to(getattr(torch, dtype)).requires_grad_()
              for shape, number in (((1, 1, 1, 1), 300.0), ((1, 1, 1, 1), 300.0), ((1,), -60000.0))]
    out = conv2d(*leaves, method="implicit_gemm")
    x, _, bias = (leaf.detach().float() for leaf in leaves)
    assert out.dtype == leaves[0].dtype and out.item() == (x * x + bias).to(out.dtype).item()
    out.backward()
    assert [leaf.grad.item() for leaf in leaves] == [300, 300, 1]
    assert {leaf.grad.dtype for leaf in leaves} == {out.dtype}


@pytest.mark.cuda
@pytest.mark.skipif(INTERPRETED or not torch.cuda.is_available(), reason="no CUDA device")
def test_tf32_only_where_allowed():
    x, weight = draw((4, 64, 16, 16), "float32", "cuda", 0), draw((64, 64, 3, 3), "float32", "cuda", 1)
    expected = torch.nn.functional.conv2d(x.double(), weight.double())
    assert_close(conv2d(x, weight, method="implicit_gemm"), expected)
    torch.set_float32_matmul_precision("high")
    try:
        error = relative_error(conv2d(x, weight, method="implicit_gemm"), expected)
    finally:
        torch.set_float32_matmul_precision("highest")
    assert (error > 1e-5) == (torch.cuda.get_device_capability() >= (8, 0))
