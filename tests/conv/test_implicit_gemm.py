"""What implicit_gemm says where it cannot run, that it compiles for GPUs, and its kernels, interpreted."""

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from cnnlib.conv import conv2d, implicit_gemm

ROOT = Path(__file__).parents[2]
needs_triton = pytest.mark.skipif(find_spec("triton") is None, reason="triton is not installed")
no_interpreter = pytest.mark.skipif(os.environ.get("TRITON_INTERPRET") == "1", reason="tests the compiler")


@needs_triton
def test_interpreted():
    """The kernels are right in Triton's interpreter, which only a fresh process can choose."""
    pytest.importorskip("torch")
    tests = "tests/conv/test_implicit_gemm_kernels.py"
    environment = os.environ | {"TRITON_INTERPRET": "1", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", tests]
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-1000:]
    assert int(re.search(r"(\d+) passed", run.stdout)[1]) >= 35, run.stdout[-4000:]


@needs_triton
@no_interpreter
@pytest.mark.parametrize(("dtype", "capability", "instruction"), [
    ("float16", (8, 0), "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32"),
    ("bfloat16", (8, 0), "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32"),
    ("float16", (9, 0), "mma"),
    ("float32", (8, 0), "fma.rn.f32"),
])
def test_compiles(dtype, capability, instruction, tmp_path, monkeypatch):
    """Triton's compiler takes the kernel, and 16-bit products run on tensor cores, float32 ones do not."""
    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    assembly = implicit_gemm.assembly((2, 16, 8, 8), (16, 16, 3, 3), padding=1, dtype=dtype,
                                      capability=capability)
    assert instruction in assembly
    assert ("mma." in assembly) == (dtype != "float32")


@needs_triton
@no_interpreter
def test_weight_kernel_compiles(tmp_path, monkeypatch):
    """The second kernel too, on its own signature."""
    import triton
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    _, kernel = implicit_gemm._kernels()
    constants = {name: 1 for name in kernel.arg_names if name.isupper() and name != "M"}
    constants |= {"SHARE": 64, "PRECISION": "ieee", "ROWS": 16, "COLS": 16, "DEPTH": 16}
    types = {name: "constexpr" if name in constants else "i32" for name in kernel.arg_names}
    types |= {"grad": "*fp16", "x": "*fp16", "out": "*fp32"}
    compiled = triton.compile(ASTSource(kernel, types, constexprs=constants), GPUTarget("cuda", 80, 32),
                              implicit_gemm.COMPILER_OPTIONS)
    assert "mma.sync" in compiled.asm["ptx"]


def test_errors_numpy():
    x, weight = np.ones((1, 1, 4, 4)), np.ones((1, 1, 3, 3))
    with pytest.raises(TypeError, match=r"`x` is a NumPy array: method='im2col'"):
        conv2d(x, weight, method="implicit_gemm")


@pytest.mark.parametrize("dtype", ["float64", "int64"])
def test_errors_dtype(dtype):
    torch = pytest.importorskip("torch")
    x = torch.ones((1, 1, 4, 4), dtype=getattr(torch, dtype))
    with pytest.raises(TypeError, match=f"float16, bfloat16, float32 and `x` is {dtype}"):
        conv2d(x, x[:, :, :2, :2], method="implicit_gemm")


@needs_triton
@no_interpreter
def test_errors_cpu():
    torch = pytest.importorskip("torch")
    x = torch.ones((1, 1, 4, 4))
    with pytest.raises(ValueError, match=r"`x` is on cpu: x\.cuda\(\) .*'im2col'.*TRITON_INTERPRET=1"):
        conv2d(x, x, method="implicit_gemm")


def test_errors_no_triton(monkeypatch):
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(implicit_gemm, "find_spec", lambda name: None)
    x = torch.ones((1, 1, 4, 4))
    with pytest.raises(ValueError, match="needs triton, which is not installed .* method='im2col'"):
        conv2d(x, x, method="implicit_gemm")
