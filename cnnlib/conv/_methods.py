"""Which file does the work: the methods by name, and what ``auto`` and ``exact`` choose.

The one place that chooses. NumPy float32 goes to the tuned body, tensors to torch's own; every other NumPy dtype
to the plain im2col, a piece at a time.
"""

import importlib
from dataclasses import dataclass
from functools import cache
from types import ModuleType

from cnnlib._array import COMPUTE_DTYPE

METHODS = ("auto", "exact", "loops", "im2col", "shifted", "fft", "winograd", "implicit_gemm", "library")

WHOLE = ("loops", "im2col", "implicit_gemm", "library")  # never cut into pieces: they state their memory
SPREADING = ("fft", "winograd")  # one NaN or overflow would reach outputs that never met it
NATIVE = ("implicit_gemm", "library")  # do as torch does: round half precision, and choose the memory order, themselves


@dataclass(frozen=True)
class Choice:
    """The body that computes, its name for the reader, and why it was chosen."""

    name: str
    body: ModuleType  # or what has its functions
    reason: str
    in_pieces: bool = False

    @property
    def spreads(self):
        return self.name in SPREADING

    @property
    def native(self):
        """Whether half precision goes in and comes out; `forward` takes the bias too, which comes before rounding."""
        return self.name in NATIVE

    def compute_dtype(self, dtype):
        """Return the dtype to compute in, for arrays of `dtype`."""
        return dtype if self.native and "float16" in dtype else COMPUTE_DTYPE[dtype]


def choose(method, problem, dtype, library, batch_innermost=False):
    """Return the :class:`Choice` for `method` on arrays of this dtype and library ("numpy" or "torch")."""
    if method not in METHODS:
        raise ValueError(f"`method` is {method!r}; it must be one of {', '.join(METHODS)}")
    if method not in ("auto", "exact"):
        if "int" in dtype and method in SPREADING:
            raise TypeError(f"method={method!r} computes with fractions and the arrays are {dtype}: it would round. "
                            "Use method='auto', or convert to float64")
        body = _module(method)
        if hasattr(body, "check_kind"):
            body.check_kind(library, dtype)
        return Choice(method, body, "asked for by name", method not in WHOLE)
    if library == "torch" and "int" not in dtype:
        return Choice("library", _module("library"), "tensors: torch's own code is fastest")
    if library == "numpy" and dtype == "float32":
        tiles = _module("_tiles")
        name, reason = tiles.choose(problem, method == "exact", batch_innermost)
        return Choice(name, tiles.exact if method == "exact" else tiles, reason)
    return Choice("im2col", _module("im2col"), f"{dtype}: the tuned body is for NumPy float32 only", True)


@cache
def _module(name):
    return importlib.import_module(f"cnnlib.conv.{name}")
