"""What a convolution costs, and which method ``auto`` takes for it and why."""

from dataclasses import dataclass
from math import prod

from cnnlib._array import COMPUTE_DTYPE
from cnnlib.conv._methods import choose
from cnnlib.conv._pieces import ITEMSIZE, cut
from cnnlib.conv._problem import make_problem


@dataclass(frozen=True, repr=False)
class Explanation:
    """One convolution in numbers; printed, it is five lines of text."""

    method: str  # the name of what computes
    reason: str
    out_shape: tuple
    multiply_adds: int
    memory: int  # bytes of x, weight and the result
    workspace: int  # bytes that the method says it holds beside them at once; 0 where it does not say
    pieces: int  # computed one after the other

    def __repr__(self):
        parts = "one piece" if self.pieces == 1 else f"{self.pieces:,} pieces"
        held = f", {_megabytes(self.workspace)} beside them" if self.workspace else ""
        return (f"method:  {self.method}\n"
                f"because: {self.reason}\n"
                f"output:  {self.out_shape}\n"
                f"work:    {self.multiply_adds:,} multiply-adds, in {parts}\n"
                f"memory:  {_megabytes(self.memory)} for x, weight and the result{held}")


def explain(x_shape, weight_shape, stride=1, padding=0, dilation=1, groups=1, *, method="auto", dtype="float32",
            library="numpy", batch_innermost=False):
    """Tell what :func:`conv2d` would do with arrays of these shapes, without computing it.

    Parameters
    ----------
    x_shape : (N, C, H, W) or (C, H, W)
    weight_shape : (F, C // groups, KH, KW)
    stride, padding, dilation, groups, method
        As in :func:`conv2d`.
    dtype : str
        Such as "float32" or "int64".
    library : {"numpy", "torch"}
    batch_innermost : bool
        Whether a NumPy `x` lies in memory as (C, H, W, N). One image lies in both orders, and counts as the usual one.

    Returns
    -------
    Explanation
        With fields method, reason, out_shape, multiply_adds, memory, workspace (bytes) and pieces.

    Raises
    ------
    ValueError, TypeError
        As in :func:`conv2d`, but that neither the device nor the size of the memory is known here.

    Examples
    --------
    >>> explain((3, 32, 32), (10, 3, 5, 5), padding=2, dtype="float64")
    method:  im2col
    because: float64: the tuned body is for NumPy float32 only
    output:  (10, 32, 32)
    work:    768,000 multiply-adds, in one piece
    memory:  0.1 MB for x, weight and the result, 0.7 MB beside them
    """
    for name, shape in (("x_shape", x_shape), ("weight_shape", weight_shape)):
        if not isinstance(shape, tuple | list):
            raise TypeError(f"`{name}` is of type {type(shape).__name__}; it must be a tuple of sizes, such as x.shape")
    if library not in ("numpy", "torch"):
        raise ValueError(f"`library` is {library!r}; it must be 'numpy' or 'torch'")
    if dtype not in COMPUTE_DTYPE:
        raise TypeError(f"`dtype` is {dtype!r}; it must be one of {', '.join(COMPUTE_DTYPE)}")
    if (library, dtype) == ("numpy", "bfloat16"):
        raise TypeError("`dtype` is 'bfloat16', which NumPy does not have: library='torch' does")
    unbatched = len(x_shape) == 3
    problem = make_problem(x_shape, weight_shape, stride, padding, dilation, groups)
    n, *others = problem.x_shape
    turned = bool(batch_innermost) and library == "numpy" and n > 1 and prod(others) > 1
    choice = choose(method, problem, dtype, library, turned)
    numbers = sum(prod(shape) for shape in (problem.x_shape, problem.weight_shape, problem.out_shape))
    pieces = cut(choice, problem, choice.compute_dtype(dtype))
    return Explanation(choice.name, choice.reason, problem.out_shape[1:] if unbatched else problem.out_shape,
                       problem.multiply_adds, numbers * ITEMSIZE[dtype], pieces.workspace, pieces.count)


def _megabytes(size):
    return f"{size / 1e6:,.1f} MB"
