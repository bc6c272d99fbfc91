"""Convolution as one matrix product whose columns are never stored: a Triton kernel (T).

``im2col`` copies every window into a matrix, up to KH * KW times the image, and multiplies. Here the same
product is cut into tiles, one per program on the GPU, and each tile of that matrix is read straight from the
image just before it is multiplied: its row m says which output pixel (n, i, j), its column k which tap and
channel (p, q, c), and so where in `x` the number lies. Derived in notebooks/24, eq. 3 and 10.

Two kernels do all three jobs. The gradient in `x` is the first kernel again, run over the upstream gradient
with the filters turned by 180 degrees; the gradient in `weight` is a product that sums over the pixels.
Both sum in float32, in an order that depends on nothing but the shapes: two calls agree bit for bit.

Notes
-----
Numbers are float32, float16 or bfloat16. float32 is multiplied in float32, unless
``torch.set_float32_matmul_precision("high")`` allows TF32; 16-bit numbers use the tensor cores.
At stride S the gradient in `x` multiplies S * S times as often as it must, with zeros; depthwise layers
(one filter per group) fill a sixteenth of a tile. Both are right, neither is fast.

References
----------
.. [1] Chetlur et al., cuDNN: Efficient primitives for deep learning, 2014. doi:10.48550/arXiv.1410.0759
.. [2] Tillet, Kung & Cox, Triton: an intermediate language and compiler for tiled neural network
   computations, MAPL 2019. doi:10.1145/3315508.3329973
"""

from contextlib import nullcontext
from functools import cache
from importlib.util import find_spec

from cnnlib import _array
from cnnlib.conv import im2col
from cnnlib.conv._problem import make_problem

# Importing cnnlib imports no triton, so these are placeholders until the first call: triton.language, and the
# annotation (its name does as well) of an argument that Triton compiles in as a constant.
tl, constexpr = None, "constexpr"

DTYPES = ("float16", "bfloat16", "float32")
COMPILER_OPTIONS = {"enable_fp_fusion": True}  # x * y + z in one rounding; the default, about to change


def gemm_kernel(x, w, out,
                x_n, x_c, x_h, x_w, out_n, out_f, out_h, out_w,  # steps in memory along each axis
                M,  # rows of the product: N * OH * OW
                F: constexpr, C: constexpr,  # filters and channels of one group
                H: constexpr, W: constexpr, OH: constexpr, OW: constexpr, KH: constexpr, KW: constexpr,
                SH: constexpr, SW: constexpr, TOP: constexpr, LEFT: constexpr, DH: constexpr, DW: constexpr,
                GAP_H: constexpr, GAP_W: constexpr,  # x is read as if it had GAP - 1 zeros between its pixels
                PRECISION: constexpr, ROWS: constexpr, COLS: constexpr, DEPTH: constexpr):  # the tile
    """out[m, f] = sum over k of window[m, k] * w[f, k], for one ROWS x COLS tile of `out`."""
    K: constexpr = KH * KW * C
    group = tl.program_id(2)
    m = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    f = tl.program_id(1) * COLS + tl.arange(0, COLS)
    n, i, j = (m // (OH * OW)).to(tl.int64), m // OW % OH, m % OW
    filters = w + (group * F + f).to(tl.int64) * K

    total = tl.zeros((ROWS, COLS), dtype=tl.float32)
    for first in range(0, K, DEPTH):
        k = first + tl.arange(0, DEPTH)
        p, q, c = k // (KW * C), k // C % KW, k % C
        row = (i * SH - TOP)[:, None] + (p * DH)[None, :]
        col = (j * SW - LEFT)[:, None] + (q * DW)[None, :]
        inside = (row >= 0) & (col >= 0) & (row < H * GAP_H) & (col < W * GAP_W)
        inside = inside & (row % GAP_H == 0) & (col % GAP_W == 0)
        inside = inside & (m < M)[:, None] & (k < K)[None, :]
        where = (n * x_n)[:, None] + ((group * C + c) * x_c)[None, :]
        window = tl.load(x + where + row // GAP_H * x_h + col // GAP_W * x_w, mask=inside, other=0.0)
        taps = tl.load(filters[None, :] + k[:, None], mask=(k < K)[:, None] & (f < F)[None, :], other=0.0)
        total = tl.dot(window, taps, total, input_precision=PRECISION)

    where = (n * out_n + i * out_h + j * out_w)[:, None] + ((group * F + f) * out_f)[None, :]
    tl.store(out + where, total.to(out.dtype.element_ty), mask=(m < M)[:, None] & (f < F)[None, :])


def weight_kernel(grad, x, out,
                  grad_n, grad_f, grad_h, grad_w, x_n, x_c, x_h, x_w,  # steps in memory along each axis
                  M, SHARE: constexpr,  # sums over M = N * OH * OW pixels, of which this program takes SHARE
                  GROUPS: constexpr, F: constexpr, C: constexpr,
                  H: constexpr, W: constexpr, OH: constexpr, OW: constexpr, KH: constexpr, KW: constexpr,
                  SH: constexpr, SW: constexpr, TOP: constexpr, LEFT: constexpr, DH: constexpr, DW: constexpr,
                  PRECISION: constexpr, ROWS: constexpr, COLS: constexpr, DEPTH: constexpr):
    """out[share, f, k] = sum over this share's m of grad[m, f] * window[m, k], for one tile of (f, k)."""
    K: constexpr = KH * KW * C
    group, share = tl.program_id(2) % GROUPS, tl.program_id(2) // GROUPS
    f = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    k = tl.program_id(1) * COLS + tl.arange(0, COLS)
    p, q, c = k // (KW * C), k // C % KW, k % C

    total = tl.zeros((ROWS, COLS), dtype=tl.float32)
    for first in range(0, SHARE, DEPTH):
        m = share * SHARE + first + tl.arange(0, DEPTH)
        n, i, j = (m // (OH * OW)).to(tl.int64), m // OW % OH, m % OW
        where = (n * grad_n + i * grad_h + j * grad_w)[None, :] + ((group * F + f) * grad_f)[:, None]
        error = tl.load(grad + where, mask=(f < F)[:, None] & (m < M)[None, :], other=0.0)
        row = (i * SH - TOP)[:, None] + (p * DH)[None, :]
        col = (j * SW - LEFT)[:, None] + (q * DW)[None, :]
        inside = (row >= 0) & (col >= 0) & (row < H) & (col < W) & (m < M)[:, None] & (k < K)[None, :]
        where = (n * x_n)[:, None] + ((group * C + c) * x_c)[None, :]
        window = tl.load(x + where + row * x_h + col * x_w, mask=inside, other=0.0)
        total = tl.dot(error, window, total, input_precision=PRECISION)

    where = ((share * GROUPS + group) * F + f).to(tl.int64)[:, None] * K + k[None, :]
    tl.store(out + where, total, mask=(f < F)[:, None] & (k < K)[None, :])


def forward(x, weight, problem, bias=None):
    """Convolve `x` with `weight` and add `bias`; torch's autograd can differentiate the result.

    With a bias the kernel writes float32, so that half precision is rounded once, after it.
    """
    _check(x)
    if bias is None:
        return _autograd_function().apply(x, weight, problem, _array.dtype_name(x))
    sums = _autograd_function().apply(x, weight, problem, "float32")
    sums += bias[:, None, None]
    return sums.to(x.dtype)


def backward_x(grad_output, weight, problem):
    """Return the gradient in `x`: the same product over `grad_output`, the filters turned by 180 degrees.

    Where no output pixel used an input pixel, a tile multiplies the weight by 0; but 0 * inf is not 0. So
    every call looks at the weights, and if one is not finite ``im2col`` does the work.
    """
    _check(grad_output)
    if not _array.all_finite(weight):
        return im2col.backward_x(grad_output.float(), weight.float(), problem).to(grad_output.dtype)
    f, c, kh, kw = problem.weight_shape
    turned = weight.flip(2, 3).reshape(problem.groups, f // problem.groups, c, kh, kw).transpose(1, 2)
    before = [d * (k - 1) - p for d, k, p in zip(problem.dilation, (kh, kw), _before(problem))]
    return _product(grad_output, turned.reshape(-1, f // problem.groups, kh, kw), problem.x_shape, (1, 1),
                    before, problem.dilation, gap=problem.stride, groups=problem.groups)


def backward_weight(grad_output, x, problem):
    """Return the gradient in `weight`: each program sums a share of the pixels, then the shares are added."""
    _check(x)
    partial = _weight_shares(_multipliable(grad_output), _multipliable(x), problem)
    return partial.sum(0).permute(0, 3, 1, 2).to(x.dtype)


def _weight_shares(grad_output, x, problem):
    """Return the gradient in `weight` as sums over shares of the pixels: (shares, F, KH, KW, C // groups)."""
    groups, (f, c, kh, kw), (n, _, oh, ow) = problem.groups, problem.weight_shape, problem.out_shape
    pixels, k = n * oh * ow, c * kh * kw
    tile = {"ROWS": _tile(f // groups, 64), "COLS": _tile(k, 64), "DEPTH": _tile(pixels, 32)}
    rows, cols = _ceil(f // groups, tile["ROWS"]), _ceil(k, tile["COLS"])
    steps = _ceil(pixels, tile["DEPTH"])
    shares = max(1, min(_ceil(512, rows * cols * groups), steps // 8))  # enough programs to fill a GPU
    partial = _array.zeros((shares, f, kh, kw, c), like=x, dtype="float32")
    _, weight_kernel = _kernels()
    with _on_device_of(x):
        weight_kernel[rows, cols, groups * shares](
            grad_output, x, partial, *grad_output.stride(), *x.stride(), pixels,
            SHARE=_ceil(steps, shares) * tile["DEPTH"], GROUPS=groups, F=f // groups, C=c,
            H=x.shape[2], W=x.shape[3], OH=oh, OW=ow, KH=kh, KW=kw,
            **_taps(problem.stride, _before(problem), problem.dilation), **tile, **_options(x))
    return partial


def _product(x, weight, out_shape, stride, before, dilation, gap, groups, dtype=None):
    """Run `gemm_kernel` over `x` with filters (F, C // groups, KH, KW), and `before` zeros above and left.

    The result has the dtype called `dtype`, that of `x` unless named.
    """
    dtype = dtype or _array.dtype_name(x)
    x, weight = _multipliable(x), _multipliable(weight)
    out = _empty_in_the_order_of(x, out_shape, "float32" if dtype == "float32" else _array.dtype_name(x))
    if out.numel():
        matrix = weight.permute(0, 2, 3, 1).contiguous()  # row f holds its taps in the order (p, q, c)
        rows = out_shape[0] * out_shape[2] * out_shape[3]
        constants = _gemm_constants(x.shape, weight.shape, out_shape, stride, before, dilation, gap, groups)
        grid = (_ceil(rows, constants["ROWS"]), _ceil(constants["F"], constants["COLS"]), groups)
        gemm_kernel, _ = _kernels()
        with _on_device_of(x):
            gemm_kernel[grid](x, matrix, out, *x.stride(), *out.stride(), rows, **constants, **_options(x))
    return _array.as_dtype(out, dtype)


def _gemm_constants(x_shape, weight_shape, out_shape, stride, before, dilation, gap, groups):
    """Return what is compiled into `gemm_kernel`: so many numbers, that divisions by them become cheap."""
    f, c, kh, kw = weight_shape
    n, _, oh, ow = out_shape
    return {"F": f // groups, "C": c, "H": x_shape[2], "W": x_shape[3], "OH": oh, "OW": ow,
            "KH": kh, "KW": kw, "GAP_H": gap[0], "GAP_W": gap[1], **_taps(stride, before, dilation),
            "ROWS": _tile(n * oh * ow, 128), "COLS": _tile(f // groups, 64), "DEPTH": _tile(c * kh * kw, 32)}


def _forward(problem):
    """Return the settings with which `gemm_kernel` computes the convolution itself."""
    return {"stride": problem.stride, "before": _before(problem), "dilation": problem.dilation, "gap": (1, 1),
            "groups": problem.groups}


def _before(problem):
    """Return the zeros above and to the left; those below and to the right follow from the output's size."""
    return tuple(before for before, _ in problem.padding)


def _taps(stride, before, dilation):
    """Name the kernels' constants that say where a tap lies."""
    return {"SH": stride[0], "SW": stride[1], "TOP": before[0], "LEFT": before[1],
            "DH": dilation[0], "DW": dilation[1]}


def _options(x):
    """Choose how float32 is multiplied: as TF32 only where torch allows it and the device can."""
    import torch

    tf32 = torch.get_float32_matmul_precision() != "highest" and _has_ampere_cores(x)
    return {"PRECISION": "tf32" if tf32 else "ieee", **COMPILER_OPTIONS}


def _multipliable(x):
    """Return `x`, as float32 if it is bfloat16 and the device (or the interpreter) cannot multiply that."""
    return x.float() if _array.dtype_name(x) == "bfloat16" and not _has_ampere_cores(x) else x


def _has_ampere_cores(x):
    """Whether the device of `x` multiplies bfloat16 and TF32 (NVIDIA's compute capability 8.0)."""
    import torch

    return x.is_cuda and torch.cuda.get_device_capability(x.device) >= (8, 0)


def _empty_in_the_order_of(x, shape, dtype):
    """Return an uninitialised tensor of `shape` and the dtype called `dtype`, channels_last if `x` is."""
    import torch

    return torch.empty(shape, dtype=getattr(torch, dtype), device=x.device,
                       memory_format=torch.channels_last if _array.is_channels_last(x) else torch.contiguous_format)


def _tile(size, largest):
    """Return a tile's side: a power of two from 16, the least that Triton multiplies, to `largest`."""
    return min(largest, max(16, 1 << (size - 1).bit_length()))


def _ceil(a, b):
    return -(-a // b)


def _on_device_of(x):
    """Return a context in which Triton launches on the GPU that `x` is on."""
    import torch

    return torch.cuda.device(x.device) if x.is_cuda else nullcontext()


@cache
def _kernels():
    """Compile-on-first-use forms of the two kernels, by Triton's compiler or its interpreter."""
    global tl, constexpr
    import triton
    import triton.language as tl
    from triton.language import constexpr

    return triton.jit(gemm_kernel), triton.jit(weight_kernel)


@cache
def _autograd_function():
    """Return the torch.autograd.Function that ties the three functions of this file together."""
    import torch

    class ImplicitGemm(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, weight, problem, dtype):
            ctx.save_for_backward(x, weight)
            ctx.problem = problem
            return _product(x, weight, problem.out_shape, **_forward(problem), dtype=dtype)

        @staticmethod
        @torch.autograd.function.once_differentiable
        def backward(ctx, grad_output):
            x, weight = ctx.saved_tensors
            wants_x, wants_weight, *_ = ctx.needs_input_grad
            grad_output = grad_output.to(x.dtype)  # float32 where the sums were
            return (backward_x(grad_output, weight, ctx.problem) if wants_x else None,
                    backward_weight(grad_output, x, ctx.problem) if wants_weight else None, None, None)

    return ImplicitGemm


def assembly(x_shape, weight_shape, stride=1, padding=0, dilation=1, groups=1, *, dtype="float16",
             capability=(8, 0)):
    """Compile `gemm_kernel` for a GPU that need not be there, and return its instructions.

    Parameters
    ----------
    x_shape : (N, C, H, W)
    weight_shape : (F, C // groups, KH, KW)
    stride, padding, dilation, groups
        As in :func:`cnnlib.conv.conv2d`.
    dtype : {"float16", "bfloat16", "float32"}
    capability : (int, int)
        NVIDIA's number of the architecture: T4 (7, 5), A100 (8, 0), H100 and H200 (9, 0). On the first,
        Triton no longer uses the tensor cores.

    Returns
    -------
    str
        PTX, NVIDIA's assembly language. Products on tensor cores are its ``mma`` and ``wgmma`` lines.

    Raises
    ------
    ValueError
        Triton is not installed, or the shapes do not fit.
    """
    _check_triton()
    import triton
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    kernel, _ = _kernels()
    problem = make_problem(x_shape, weight_shape, stride, padding, dilation, groups)
    constants = _gemm_constants(problem.x_shape, problem.weight_shape, problem.out_shape, **_forward(problem))
    constants["PRECISION"] = "ieee"
    pointer = "*" + {"float16": "fp16", "bfloat16": "bf16", "float32": "fp32"}[dtype]
    types = {name: "constexpr" if name in constants else pointer if name in ("x", "w", "out") else "i32"
             for name in kernel.arg_names}
    target = GPUTarget("cuda", 10 * capability[0] + capability[1], 32)
    return triton.compile(ASTSource(kernel, types, constexprs=constants), target, COMPILER_OPTIONS).asm["ptx"]


def check_kind(library, dtype):
    """Say what would work where arrays of this library and dtype have no use for a Triton kernel."""
    if library != "torch":
        raise TypeError("method='implicit_gemm' runs on torch tensors and `x` is a NumPy array: "
                        "method='im2col' is the same product in NumPy, torch.from_numpy makes a tensor")
    if dtype not in DTYPES:
        raise TypeError(f"method='implicit_gemm' computes in {', '.join(DTYPES)} and `x` is {dtype}: "
                        "convert it, or method='im2col' takes it as it is")


def _check(x):
    """Say what would work where this machine cannot run a Triton kernel on the tensor `x`, or gradient."""
    _check_triton()
    if not x.is_cuda and not _interpreted():
        raise ValueError(f"method='implicit_gemm' runs on a CUDA device and `x` is on {x.device}: x.cuda() moves it, "
                         "method='im2col' is the same product here, and with TRITON_INTERPRET=1 set before Python "
                         "starts the kernel is interpreted, slowly")


def _check_triton():
    """Say what would work where there is no Triton."""
    if find_spec("triton") is None:
        raise ValueError("method='implicit_gemm' needs triton, which is not installed (it comes with torch "
                         "for CUDA on Linux, and only there): method='im2col' is the same product without it")


def _interpreted():
    """Whether Triton was imported with TRITON_INTERPRET=1."""
    import triton

    return not isinstance(_kernels()[0], triton.JITFunction)
