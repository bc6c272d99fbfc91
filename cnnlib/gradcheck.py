"""Is a gradient right? Central differences over every entry, and the adjoint identity for linear operations.

A formula for a gradient is compared with what a gradient *is*: how much the result moves when one entry moves,

    (f(x + eps) - f(x - eps)) / (2 eps)

whose own error is about eps^2 from the curvature plus 1e-16 / eps from rounding. Where a function has a kink (a
rectifier at 0, two equal maxima) there are two slopes and no derivative: such entries are found and named, not failed.
"""

import sys
from dataclasses import dataclass, field

import numpy as np

from cnnlib import _array

TOLERANCE = 1e-5  # of the relative error
KINK = 1e-3  # where the two one-sided slopes differ by more than this, relative to the largest, we look closer
HALVINGS = 6  # of the step, in looking closer
ROUNDING = 32 * 2.0**-52  # of a sum of magnitudes: what a difference of two sums may be wrong by


@dataclass(frozen=True)
class Entry:
    """One number of one argument: what the function gives there and what the differences say."""

    argument: int
    index: tuple
    computed: float
    measured: float

    def __str__(self):
        place = ", ".join(map(str, self.index))
        return f"argument {self.argument}[{place}]: backward says {self.computed:.6g}, differences {self.measured:.6g}"


@dataclass(frozen=True, repr=False)
class Report:
    """What :func:`gradcheck` found.

    ``assert report.passed`` (or ``assert report``) is a check; printed, it says what is wrong and where.
    """

    checked: int  # entries compared
    error: float  # the largest relative error
    worst: Entry | None
    wrong: int  # entries above the tolerance
    kinks: list = field(default_factory=list)  # entries where there is no derivative
    hint: str = ""

    @property
    def passed(self):
        return self.wrong == 0 and (self.checked > 0 or not self.kinks)

    def __bool__(self):
        return self.passed

    def __repr__(self):
        kinks = f", {len(self.kinks)} more at kinks, where there is no derivative" if self.kinks else ""
        if self.passed:
            return f"passed: all {self.checked} entries agree (relative error {self.error:.1e}){kinks}"
        if self.wrong == 0:
            return f"FAILED: nothing could be compared, as all {len(self.kinks)} entries are at kinks"
        hint = f"\nperhaps: {self.hint}" if self.hint else ""
        return (f"FAILED: {self.wrong} of {self.checked} entries differ (relative error {self.error:.1e}){kinks}\n"
                f"worst: {self.worst}{hint}")


def gradcheck(fn, fn_backward, *args, eps=1e-6, tolerance=TOLERANCE, seed=0):
    """Compare a backward function with central differences, entry by entry.

    Parameters
    ----------
    fn : callable
        ``fn(*args)`` returns one array.
    fn_backward : callable
        ``fn_backward(grad_output, *args)`` returns the gradient of the array argument, or a tuple with one entry for
        each argument, None where there is none.
    *args
        Float arrays, NumPy or torch, and anything else that `fn` takes. Arrays are converted to float64: in float32
        the differences themselves are wrong by one per cent. Integer arrays stay as they are and are not varied.
    eps : float
        The step.
    tolerance : float
        Relative to the largest gradient of the same argument.
    seed : int
        For the upstream gradient, which is drawn at random: with ones, many mistakes cancel.

    Returns
    -------
    Report

    Raises
    ------
    ValueError
        A gradient has not the shape of its argument, or `fn` does not return the same for the same arguments.
    TypeError
        There is nothing to vary.

    Examples
    --------
    >>> gradcheck(lambda x: x**2, lambda grad_output, x: 2 * x * grad_output, np.array([1.0, 2.0, 3.0])).passed
    True
    >>> gradcheck(lambda x: x**2, lambda grad_output, x: x * grad_output, np.array([1.0, 2.0, 3.0]))
    FAILED: 3 of 3 entries differ (relative error 5.0e-01)
    worst: argument 0[2]: backward says -1.14566, differences -2.29132
    perhaps: every entry is 0.5 times what it should be (a mean for a sum? a factor forgotten?)
    """
    if not 0 < eps < 1:
        raise ValueError(f"`eps` is {eps}; a step between 1e-8 and 1e-3 works, 1e-6 is usual")
    args = [_own(a) for a in args]
    varied = [k for k, a in enumerate(args) if _is_varied(a)]
    if not varied:
        raise TypeError("no argument is a float array: there is nothing to vary")
    out = fn(*args)
    if not np.array_equal(_numbers(out), _numbers(fn(*args)), equal_nan=True):
        raise ValueError("`fn` gives two results for the same arguments: fix its random numbers (dropout's mask, say)")
    cotangent = _like(_rng(seed).standard_normal(tuple(out.shape)), out)
    computed = _gradients(fn_backward(cotangent, *args), args, varied)
    weights = _numbers(cotangent)
    checked, kinks, found = 0, [], []
    for k in varied:
        measured, at_kink = _differences(fn, args, k, weights, eps)
        scale = max(np.abs(measured).max(initial=0), np.abs(computed[k]).max(initial=0), 1e-12)
        errors = np.where(at_kink, 0, np.abs(computed[k] - measured) / scale)
        errors[np.isnan(errors)] = np.inf
        checked += errors.size - int(at_kink.sum())
        kinks += [Entry(k, i, float(computed[k][i]), float(measured[i]))
                  for i in np.ndindex(at_kink.shape) if at_kink[i]]
        found.append((k, errors, measured))
    k, errors, measured = max(found, key=lambda one: one[1].max(initial=0))
    wrong = sum(int((e > tolerance).sum()) for _, e, _ in found)
    place = np.unravel_index(int(errors.argmax()), errors.shape) if errors.size else ()
    worst = Entry(k, tuple(map(int, place)), float(computed[k][place]), float(measured[place])) if errors.size else None
    return Report(checked, float(errors.max(initial=0)), worst, wrong, kinks,
                  _hint(computed[k], measured, errors > tolerance) if wrong else "")


def numerical_gradient(fn, x, eps=1e-6):
    """Return how much a number moves when an entry of an array moves, for each entry: central differences.

    Parameters
    ----------
    fn : callable
        ``fn(x)`` returns one number.
    x : float array, NumPy or torch; copied to float64
    eps : float
        The step.

    Returns
    -------
    NumPy array of x's shape, float64

    Raises
    ------
    ValueError
        `fn` returns more than one number.

    Examples
    --------
    >>> numerical_gradient(lambda x: (x**2).sum(), np.array([1.0, -3.0])).round(6)
    array([ 2., -6.])
    """
    x = _own(x)
    if not _is_varied(x):
        raise TypeError(f"`x` is {type(x).__name__}; it must be an array of float")
    shape = np.shape(_numbers(fn(x)))
    if shape != ():
        raise ValueError(f"`fn` returns an array of shape {shape}; it must be one number: .sum() makes one")
    return _differences(lambda x: np.asarray(_numbers(fn(x))), [x], 0, 1.0, eps)[0]


def adjoint_error(fn, fn_backward, x, seed=0):
    """Return how far a linear `fn` and its backward are from being each other's transpose.

    For a linear f, the sum of f(x) * g equals that of x * backward(g) for every x and g. Two calls say whether it does:
    about 1e-16 where it does, about 1 where a kernel is flipped.

    Parameters
    ----------
    fn, fn_backward : callable
        ``fn(x)`` and ``fn_backward(grad_output)``, both linear.
    x : float array, NumPy or torch; only its shape, library and dtype matter

    Returns
    -------
    float
        \\|<f(x), g> - <x, backward(g)>\\|, relative to the larger of the two sums of magnitudes.

    Examples
    --------
    >>> matrix = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    >>> adjoint_error(lambda x: matrix @ x, lambda g: matrix.T @ g, np.zeros(2)) < 1e-15
    True
    """
    rng = _rng(seed)
    x = _like(rng.standard_normal(tuple(x.shape)), x)
    out = fn(x)
    grad = _like(rng.standard_normal(tuple(out.shape)), out)
    back = fn_backward(grad)
    if tuple(back.shape) != tuple(x.shape):
        raise ValueError(f"`fn_backward` returned shape {tuple(back.shape)}; the argument has {tuple(x.shape)}")
    there, home = (_numbers(a).astype(float) * _numbers(b) for a, b in ((out, grad), (x, back)))
    return float(abs(there.sum() - home.sum()) / max(np.abs(there).sum(), np.abs(home).sum(), 1e-300))


def backward_of(op):
    """Return the backward that stands beside an operation in its module, as conv2d_backward beside conv2d.

    Examples
    --------
    >>> from cnnlib import pool
    >>> backward_of(pool.max_pool2d).__name__
    'max_pool2d_backward'
    """
    name = f"{op.__name__}_backward"
    backward = getattr(sys.modules[op.__module__], name, None)
    if backward is None:
        raise ValueError(f"`op` is {op.__name__!r}; {op.__module__} has no {name}")
    return backward


def error_by_step(fn, slope, x, steps):
    """Return the error of the central difference of a function of one number, for each step: a curve shaped like a V.

    Large steps see the curvature, small ones the rounding; in float64 the best is near 1e-5, in float32 near 1e-2.

    Parameters
    ----------
    fn : callable of one number
    slope : float
        The derivative at x.
    x : float, or a NumPy scalar whose dtype is computed in
    steps : sequence of float

    Returns
    -------
    array of shape (len(steps),), errors relative to \\|slope\\|
    """
    kind = np.asarray(x).dtype.type if np.asarray(x).dtype.kind == "f" else np.float64
    x = kind(x)
    slopes = [float((fn(x + kind(h)) - fn(x - kind(h))) / (kind(2) * kind(h))) for h in steps]
    return np.abs(np.array(slopes) - slope) / abs(slope)


def _rng(seed):
    """Return a generator whose numbers are not those of ``default_rng(seed)``, which the arguments may come from.

    (With the arguments themselves as upstream gradient, products become symmetric and mistakes cancel.)
    """
    return np.random.default_rng([seed, 1986])


def _is_array(a):
    return isinstance(a, np.ndarray) or _array.is_torch(a)


def _is_varied(a):
    return _is_array(a) and "float" in _array.dtype_name(a)


def _own(a):
    """Return a float array as a float64 copy of our own; anything else as it is."""
    if not _is_varied(a):
        return a
    return _array.as_dtype(a.detach().clone(), "float64") if _array.is_torch(a) else np.array(a, np.float64)


def _numbers(a):
    return _array.to_numpy(a)


def _like(a, like):
    return _array.constant(a, like)


def _gradients(returned, args, varied):
    """Return what the backward function returned as {argument: NumPy array}, checked."""
    if not isinstance(returned, (tuple, list)):
        if len(varied) > 1:
            raise ValueError(f"`fn_backward` returned one array for {len(varied)} array arguments: a tuple is needed, "
                             "one entry for each argument, in their order")
        returned = {varied[0]: returned}
    else:
        returned = dict(enumerate(returned))
    gradients = {}
    for k in varied:
        grad = returned.get(k)
        if grad is None:
            raise ValueError(f"`fn_backward` returned no gradient for argument {k}, an array of shape "
                             f"{tuple(args[k].shape)}")
        if tuple(grad.shape) != tuple(args[k].shape):
            raise ValueError(f"`fn_backward` returned shape {tuple(grad.shape)} for argument {k}, which has shape "
                             f"{tuple(args[k].shape)}")
        gradients[k] = _numbers(grad).astype(np.float64)
    return gradients


def _differences(fn, args, k, weights, eps):
    """Return the central differences of sum(fn * weights) for every entry of args[k], and where there is a kink."""
    x, shape = args[k], tuple(args[k].shape)
    middle = _numbers(fn(*args)).astype(np.float64)

    def sides(i, step):
        """Return the slopes above and below x[i], and what rounding may make of their difference."""
        kept = float(x[i])
        try:
            x[i] = kept + step
            above = _numbers(fn(*args)).astype(np.float64)
            x[i] = kept - step
            below = _numbers(fn(*args)).astype(np.float64)
        finally:
            x[i] = kept
        return (((above - middle) * weights).sum() / step, ((middle - below) * weights).sum() / step,
                ROUNDING * (np.abs(above * weights).sum() + np.abs(below * weights).sum()) / step)

    found = np.empty((3, *shape))
    for i in np.ndindex(shape):  # by index: x keeps its memory order, in which a flat view would be a copy
        found[(slice(None), *i)] = sides(i, eps)
    above, below, rounding = found
    central, jump = (above + below) / 2, np.abs(above - below)
    level = KINK * np.abs(central).max(initial=0)
    at_kink = np.zeros(shape, bool)
    doubtful = jump > np.maximum(level, rounding)
    for i in (i for i in np.ndindex(shape) if doubtful[i]):
        slope, at_kink[i] = _closer(lambda step, i=i: sides(i, step), eps, jump[i], level)
        central[i] = central[i] if slope is None else slope
    return central, at_kink


def _closer(sides, step, jump, level):
    """Return the slope seen with a smaller step, if that sees another, and whether it is at a kink.

    A jump between the two slopes that comes from curvature falls with the step, one from a kink stays. A kink a
    little beside the entry is left behind as soon as the step is shorter than the way to it.
    """
    for _ in range(HALVINGS):
        step, before = step / 2, jump
        above, below, rounding = sides(step)
        jump = abs(above - below)
        if jump > 0.9 * before:
            return None, True
        if jump <= max(level, rounding):
            return (above + below) / 2, False
    return None, False


def _hint(computed, measured, wrong):
    """Name the mistake that the pattern looks like, if it is a known one."""
    if not np.isfinite(computed).all():
        return "the gradient holds NaN or infinity (0 divided by 0? a logarithm of 0?)"
    if not computed.any():
        return "the gradient is zero everywhere (never written? written into a copy?)"
    clear = np.abs(measured) > 1e-3 * np.abs(measured).max()
    factors = computed[clear] / measured[clear]
    if factors.size and np.ptp(factors) < 1e-4 * abs(factors.mean()):
        factor = float(factors.mean())
        if abs(factor + 1) < 1e-4:
            return "every entry has the wrong sign"
        return f"every entry is {factor:.4g} times what it should be (a mean for a sum? a factor forgotten?)"
    for axes, words in _turns(computed.ndim):
        turned = np.flip(computed, axes)
        if np.allclose(turned, measured, rtol=1e-4, atol=1e-6 * np.abs(measured).max()):
            return words
    if computed.ndim == 2 and computed.shape[0] == computed.shape[1] and np.allclose(computed.T, measured, rtol=1e-4):
        return "the gradient is transposed"
    share = wrong.mean()
    if share < 0.5:
        return f"only {100 * share:.0f} % of the entries are wrong: a border, an overlap that should add up, or a tie?"
    return ""


def _turns(ndim):
    if ndim >= 2:
        yield (-2, -1), "right after half a turn of the last two axes (the kernel not turned, or once too often)"
    if ndim:
        yield (-1,), "right when the last axis is reversed"
