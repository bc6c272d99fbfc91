"""Fixtures: every law is tested on NumPy arrays, on torch's CPU tensors and, where there is one, on a GPU."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))  # `from helpers import assert_close`, from any folder of tests

try:
    import torch
except ImportError:
    torch = None

needs_torch = pytest.mark.skipif(torch is None, reason="torch is not installed")
needs_cuda = pytest.mark.skipif(torch is None or not torch.cuda.is_available(), reason="no CUDA device")


@pytest.fixture(params=[
    pytest.param("numpy"),
    pytest.param("torch-cpu", marks=needs_torch),
    pytest.param("torch-cuda", marks=[needs_cuda, pytest.mark.cuda]),
])
def array(request):
    """Return a function that turns a NumPy array (or list) into an array of the library under test."""
    if request.param == "numpy":
        return np.asarray
    device = request.param.removeprefix("torch-")
    return lambda a: torch.as_tensor(np.array(a), device=device)


@pytest.fixture
def rng():
    """Return a generator that is the same in every run."""
    return np.random.default_rng(0)
