"""The seam between NumPy and torch: the few words that the two libraries spell differently.

Every operation of cnnlib is written once. Words that mean the same in both libraries (``einsum``,
``matmul``, ``where``, ``amax(axis=)``, ``stack``, slicing, ``+=``) are used bare, on the library that
:func:`library` returns; the words that differ, loudly or silently, stand here and nowhere else.
torch is never imported by this file: an argument can only be a tensor if the caller has imported it.
"""

import sys
from functools import wraps

import numpy as np

from cnnlib import _erfc

# What is computed in, for each dtype that comes in. Half precision is summed in single precision and
# integers in int64, so that a long sum is rounded (or checked for its range) once, at the end.
COMPUTE_DTYPE = {
    "float16": "float32", "bfloat16": "float32", "float32": "float32", "float64": "float64",
    "uint8": "int64", "int8": "int64", "int16": "int64", "int32": "int64", "int64": "int64",
    "uint16": "int64", "uint32": "int64",
}
NAMES = {np.dtype(name): name for name in COMPUTE_DTYPE if name != "bfloat16"}  # NumPy's, in this machine's byte order


def is_torch(x):
    """Whether `x` is a torch tensor (False, at no cost, where torch was never imported)."""
    if type(x) is np.ndarray:
        return False
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(x, torch.Tensor)


def plain_dtype(arrays):
    """Return the one dtype of plain NumPy arrays, None among them passed over; None if they are anything else."""
    dtypes = {a.dtype if type(a) is np.ndarray else None for a in arrays if a is not None}
    return dtypes.pop() if len(dtypes) == 1 else None


def library(**arrays):
    """Return the library, ``numpy`` or ``torch``, that all the named arrays belong to.

    Parameters
    ----------
    **arrays : NumPy array, torch tensor or None
        By argument name, which is what an error calls them. None is passed over.

    Raises
    ------
    TypeError
        An argument is neither, or the libraries, dtypes or devices are mixed.
    """
    if plain_dtype(arrays.values()) is not None:  # nothing to say, and a training step asks a hundred times
        return np
    given = {name: a for name, a in arrays.items() if a is not None}
    for name, a in given.items():
        if not (is_torch(a) or isinstance(a, np.ndarray | np.generic)):  # x[0, 0] is a np.float64
            raise TypeError(f"`{name}` must be a NumPy array or a torch tensor, not {type(a).__name__}: "
                            f"np.asarray({name}) makes one")
    if len({is_torch(a) for a in given.values()}) > 1:
        kinds = ", ".join(f"{name} {'torch' if is_torch(a) else 'NumPy'}" for name, a in given.items())
        raise TypeError(f"arguments mix NumPy and torch ({kinds}): convert one side, with "
                        "torch.from_numpy(a) or tensor.numpy()")
    for word, of in (("dtype", dtype_name), ("device", device)):
        found = {name: of(a) for name, a in given.items()}
        if len(set(found.values())) > 1:
            raise TypeError(f"arguments differ in {word} ({', '.join(f'{n} {v}' for n, v in found.items())}): "
                            f"convert them to one {word}")
    return sys.modules["torch"] if any(is_torch(a) for a in given.values()) else np


def dtype_name(x):
    """Return the dtype as a word that both libraries know, such as ``"float32"``."""
    dtype = x.dtype
    return NAMES.get(dtype) or (dtype.name if isinstance(dtype, np.dtype) else str(dtype).removeprefix("torch."))


def device(x):
    """Return where `x` lives: ``"cpu"`` for NumPy, else torch's name such as ``"cuda:0"``."""
    return str(x.device) if is_torch(x) else "cpu"


def as_dtype(x, name):
    """Return `x` in the dtype called `name`; the same array, not a copy, where it has it already."""
    if type(x) is np.ndarray and NAMES.get(x.dtype) == name:
        return x
    if is_torch(x):
        return x.to(getattr(sys.modules["torch"], name))
    return np.asarray(x, dtype=name)


def working(x):
    """Return `x` in the dtype that is computed in (itself where it has it already)."""
    return as_dtype(x, COMPUTE_DTYPE[dtype_name(x)])


def quietly(function):
    """Let overflow give infinity, and what is undefined NaN, without NumPy's warnings, as torch does."""
    @wraps(function)
    def quiet(*args, **kwargs):
        if args and is_torch(args[0]):  # which has no warnings; and torch.compile cannot look into NumPy's settings
            return function(*args, **kwargs)
        with np.errstate(all="ignore"):
            return function(*args, **kwargs)
    return quiet


def zeros(shape, like, dtype=None):
    """Return zeros of `shape` in the library and on the device of `like`, in its dtype unless named."""
    if is_torch(like):
        torch = sys.modules["torch"]
        return torch.zeros(shape, dtype=getattr(torch, dtype) if dtype else like.dtype, device=like.device)
    return np.zeros(shape, dtype=dtype or like.dtype)


def arange(size, like):
    """Return the whole numbers from 0 to `size` - 1, int64, in the library and on the device of `like`."""
    if is_torch(like):
        return sys.modules["torch"].arange(size, device=like.device)
    return np.arange(size, dtype=np.int64)


def empty(shape, like):
    """Return an array of `shape`, its numbers still to be written, in the library, dtype and device of `like`."""
    return sys.modules["torch"].empty(shape, dtype=like.dtype, device=like.device) if is_torch(like) else np.empty(
        shape, like.dtype)


def constant(a, like):
    """Return the NumPy array `a` in the library, on the device and in the dtype of `like`."""
    if is_torch(like):
        return sys.modules["torch"].as_tensor(a, dtype=like.dtype, device=like.device)
    return np.asarray(a, dtype=like.dtype)


def contiguous(x):
    """Return `x` with its last axis innermost and no gaps (itself where it is so already)."""
    return x.contiguous() if is_torch(x) else np.asarray(x, order="C")


def to_numpy(x):
    """Return a NumPy view or copy of `x`, detached from autograd and brought to the CPU."""
    if not is_torch(x):
        return np.asarray(x)
    x = x.detach().cpu()
    return (x.float() if dtype_name(x) == "bfloat16" else x).numpy()


def permute(x, axes):
    """Return a view of `x` with its axes in this order (NumPy calls it transpose, which in torch swaps two)."""
    return x.permute(axes) if is_torch(x) else x.transpose(axes)


def flip(x, axes):
    """Reverse `x` along the given axes (torch copies: it has no negative strides)."""
    return x.flip(axes) if is_torch(x) else np.flip(x, axes)


def spare(x):
    """Return a temporary result to be written over, as the ``out=`` of the next step; in torch, whose autograd may
    still need it, None, which makes a new one."""
    return x if type(x) is np.ndarray else None


def zero_where(condition, x):
    """Return `x`, but 0 where `condition` holds: there also for NaN and infinity, which a factor 0 leaves NaN."""
    if is_torch(x):
        return sys.modules["torch"].where(condition, 0, x)
    keep = condition.view("int8") - np.int8(1)  # no bit set or all: AND is many times faster than np.where
    return np.bitwise_and(x.view(f"int{8 * x.itemsize}"), keep).view(x.dtype)


def not_below_zero(x):
    """Return max(x, 0), NaN where x is NaN. Autograd sees a slope of 0 at 0."""
    if is_torch(x) or not np.issubdtype(x.dtype, np.floating):
        return zero_where(x <= 0, x)
    return x.clip(0, np.inf)  # one pass over memory; np.maximum with a number is three times slower


def parts(condition, x):
    """Return `x` with 0 where `condition` fails, and with 0 where it holds: together they are x, to the last bit."""
    if is_torch(x):
        where = sys.modules["torch"].where
        return where(condition, x, 0), where(condition, 0, x)
    first = zero_where(~condition, x)
    bits = f"int{8 * x.itemsize}"
    return first, np.bitwise_xor(first.view(bits), x.view(bits)).view(x.dtype)


def scatter_add(out, index, values):
    """Add `values` to `out` where `index` says, along the last axis; return `out`, which is written to."""
    if is_torch(out):
        return out.scatter_add_(-1, index, values)
    planes = np.arange(out[..., 0].size).reshape(*out.shape[:-1], 1)
    np.add.at(out.reshape(-1), (planes * out.shape[-1] + index).reshape(-1), values.reshape(-1))
    return out


def scatter_min(out, index, values):
    """Lower the elements of 1-d `out` that `index` names to `values` where those are smaller; return a new array."""
    if is_torch(out):
        return out.scatter_reduce(0, index, values, "amin")
    out = out.copy()
    np.minimum.at(out, index, values)
    return out


def places(condition):
    """Return where `condition` holds, as int64 positions in the flat array (nonzero has two shapes)."""
    if is_torch(condition):
        return condition.reshape(-1).nonzero().reshape(-1)
    return np.flatnonzero(condition)


def order(x):
    """Return the int64 positions that sort 1-d `x`, equal numbers in the order in which they stand."""
    return x.argsort(stable=True) if is_torch(x) else x.argsort(kind="stable")


def look_up(x, index):
    """Return the elements of 1-d `x` at `index`, an int64 array of any shape that holds 0 to ``len(x) - 1`` only."""
    return x[index] if is_torch(x) else x.take(index, mode="clip")  # "raise" would look through the index first


def runs(x, starts, length):
    """Return runs of neighbours of 1-d `x`, an array of the shape of `starts` and one axis more.

    What would lie before the first element or beyond the last is one of those.
    """
    size = len(x)
    if is_torch(x) or not x.flags.c_contiguous or not starts.size or starts.min() < 0 or starts.max() + length > size:
        return x[(starts[..., None] + arange(length, x)).clip(0, size - 1)]
    # Elements as long as a run, one step apart, overlap; each is copied as one piece, many times faster than its parts.
    elements = np.ndarray((size - length + 1,), f"V{length * x.itemsize}", x, 0, (x.itemsize,))
    return elements[starts].view(x.dtype).reshape(*starts.shape, length)


def uniform(like, rng):
    """Draw a random number in [0, 1), float32, for each element of `like`.

    `rng` is a np.random.Generator, whose numbers fall on the elements in their logical order, whatever the library
    and the memory order; or None: a new one, and for tensors torch's own.
    """
    torch = sys.modules["torch"] if is_torch(like) else None
    if torch and rng is None:
        return torch.rand(like.shape, dtype=torch.float32, device=like.device)
    rng = np.random.default_rng() if rng is None else rng
    numbers = rng.random(tuple(like.shape), dtype=np.float32)
    return torch.as_tensor(numbers, device=like.device) if torch else numbers


def erfc(x):
    """Return 1 - erf(x), the complementary error function."""
    return sys.modules["torch"].erfc(x) if is_torch(x) else _erfc.erfc(x)


def all_finite(x):
    """Whether every number in `x` is finite. Integers always are."""
    if is_torch(x):
        return bool(sys.modules["torch"].isfinite(x).all())
    return bool(np.isfinite(x).all())


def pad(x, padding, value=0):
    """Surround the last two axes of `x` with `value`.

    Parameters
    ----------
    x : array of shape (..., H, W)
    padding : ((top, bottom), (left, right)), in pixels, none negative
    value : number

    Returns
    -------
    array of shape (..., top + H + bottom, left + W + right), in x's memory order; `x` itself where all four are zero
    """
    (top, bottom), (left, right) = padding
    if not (top or bottom or left or right):
        return x
    if is_torch(x):
        return sys.modules["torch"].nn.functional.pad(x, (left, right, top, bottom), value=value)
    *outer, height, width = x.shape
    out = np.full_like(x, value, subok=False, shape=(*outer, top + height + bottom, left + width + right))
    out[..., top:top + height, left:left + width] = x
    return out


def windows(x, kernel_size, stride, dilation):
    """View the last two axes of `x` as all windows that a kernel of `kernel_size` visits. No copy.

    Parameters
    ----------
    x : array of shape (..., H, W), already padded
    kernel_size, stride, dilation : (rows, cols), in pixels

    Returns
    -------
    read-only view of shape (..., OH, OW, KH, KW); element [..., i, j, p, q] is
    ``x[..., i*stride + p*dilation, j*stride + q*dilation]``
    """
    *outer, height, width = x.shape
    sizes, steps = list(outer), list(strides(x)[:-2])
    window_sizes, window_steps = [], []
    for size, step, k, s, d in zip((height, width), strides(x)[-2:], kernel_size, stride, dilation):
        sizes.append((size - d * (k - 1) - 1) // s + 1)
        steps.append(step * s)
        window_sizes.append(k)
        window_steps.append(step * d)
    shape, step = (*sizes, *window_sizes), (*steps, *window_steps)
    if is_torch(x):
        return x.as_strided(shape, step, x.storage_offset())
    return np.lib.stride_tricks.as_strided(x, shape, step, writeable=False)


def strides(x):
    """Return the strides in the library's own unit (torch: elements, NumPy: bytes)."""
    return x.stride() if is_torch(x) else x.strides


def rfft2(x, size):
    """Real Fourier transform over the last two axes, zero-padded to `size` (rows, cols)."""
    if is_torch(x):
        return sys.modules["torch"].fft.rfft2(x, s=size)
    return np.fft.rfft2(x, s=size, axes=(-2, -1))


def irfft2(x, size, dtype):
    """Inverse of :func:`rfft2`, in the dtype called `dtype` (NumPy 1 computes in double)."""
    if is_torch(x):
        return as_dtype(sys.modules["torch"].fft.irfft2(x, s=size), dtype)
    return as_dtype(np.fft.irfft2(x, s=size, axes=(-2, -1)), dtype)


def is_batch_innermost(x):
    """Whether a NumPy (N, C, H, W) array lies in memory as (C, H, W, N): neighbours in the batch touch.

    The same for (N, features) and other shapes. With one image, one pixel and so on both orders can describe the same
    memory; then the usual one wins.
    """
    return (not is_torch(x) and x.ndim > 1 and not x.flags.c_contiguous
            and x.transpose(_batch_last(x)).flags.c_contiguous)


def batch_innermost(x):
    """Return NumPy (N, C, H, W) `x`, same shape and values, lying in memory as (C, H, W, N)."""
    return np.ascontiguousarray(x.transpose(_batch_last(x))).transpose(-1, *range(x.ndim - 1))


def _batch_last(x):
    """Return the order of the axes with the first one last."""
    return (*range(1, x.ndim), 0)


def is_channels_last(x):
    """Whether a torch (N, C, H, W) tensor lies in memory as (N, H, W, C), which torch calls channels_last."""
    return (is_torch(x) and x.ndim == 4 and not x.is_contiguous()
            and x.is_contiguous(memory_format=sys.modules["torch"].channels_last))


def in_order_of(x, like):
    """Return (N, C, H, W) `x`, without gaps, in the order of `like`: batch innermost, channels_last or the usual."""
    if is_channels_last(like):
        return x.contiguous(memory_format=sys.modules["torch"].channels_last)
    if is_batch_innermost(like):
        return x if is_batch_innermost(x) else batch_innermost(x)
    return contiguous(x)
