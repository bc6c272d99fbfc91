"""Is a gradient right? Central differences over every entry, the adjoint identity, and a proof in letters.

A formula for a gradient is compared with what a gradient *is*: how much the result moves when one entry moves,

    (f(x + eps) - f(x - eps)) / (2 eps)

whose own error is about eps^2 from the curvature plus 1e-16 / eps from rounding. Where a function has a kink (a
rectifier at 0, two equal maxima) there are two slopes and no derivative: such entries are found and named, not failed.

A kink is told from a bend by smaller steps. The slopes to the right and to the left differ by

    jump(eps) = (f(x + eps) - 2 f(x) + f(x - eps)) / eps

which falls with eps where f is smooth, also where its slope is 0; at a kink it stays as it is; of rounding alone it
grows with 1 / eps.
"""

import sys
from dataclasses import dataclass, field

import numpy as np

from cnnlib import _array

TOLERANCE = 1e-5  # of the relative error
FINER = (1, 1 / 8, 1 / 64)  # the steps that tell a kink from a bend, times eps
STAYS = 0.3, 3.0  # a kink's jump at a finer step, relative to that at eps: 1, or a little less where a bend helps
NOISE = 4 * 2.0**-53  # how far two values of a function may be rounded, relative to them: float64 at its best
ROUGH = 2e4  # times that: a function rougher than this does not compute in float64, which excuses nothing
VOID = 1e13  # times that: the function's value is itself nothing but the rounding of 0
CLEAR = 1e3  # a gradient this many times above the rounding is judged, one as far below counts as 0


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
    outside: int = 0  # kinks where backward gives neither of the two slopes nor a number between them
    unjudged: tuple = ()  # of which arguments nothing can be said, and why
    blind: float = 0.0  # rounding hides differences up to this, more than the tolerance, and has hidden some

    @property
    def passed(self):
        return self.wrong == 0 and not self.unjudged

    def __bool__(self):
        return self.passed

    def __repr__(self):
        rest = f", {len(self.kinks)} more at kinks, where there is no derivative" if self.kinks else ""
        rest += f" (at {self.outside}, backward is outside of both slopes: see .kinks)" if self.outside else ""
        rest += f"\nrounding hides differences below {self.blind:.0e}" if self.blind else ""
        if self.passed:
            return f"passed: all {self.checked} entries agree (relative error {self.error:.1e}){rest}"
        if not self.wrong:
            return "\n".join([f"NOT JUDGED: {self.checked} entries do not differ{rest}", *self.unjudged])
        hint = f"\nperhaps: {self.hint}" if self.hint else ""
        return (f"FAILED: {self.wrong} of {self.checked} entries differ (relative error {self.error:.1e}){rest}\n"
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
        The step; for entries above 10,000 it is 1e-10 of their size, so that rounding does not take it.
    tolerance : float
        Relative to the largest gradient of the same argument.
    seed : int
        For the upstream gradient, which is drawn at random: with ones, many mistakes cancel.

    Returns
    -------
    Report
        Entries at kinks are counted, not judged. Where an argument's whole gradient is so small that rounding hides it,
        0 passes, and the report says what it cannot see. An argument of which no entry can be judged does not pass.

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
    middle = _numbers(out).astype(np.float64)
    judged = {k: _judge(fn, args, k, weights, middle, computed[k], eps, tolerance) for k in varied}
    k = max(judged, key=lambda k: judged[k].errors.max(initial=0))
    worst = judged[k]
    wrong = sum(int((one.errors > tolerance).sum()) for one in judged.values())
    place = np.unravel_index(int(worst.errors.argmax()), worst.errors.shape) if worst.errors.size else None
    return Report(
        checked=sum(int((~one.at_kink).sum()) for one in judged.values()),
        error=float(worst.errors.max(initial=0)),
        worst=None if place is None else _entry(k, place, computed[k], worst.measured),
        wrong=wrong,
        kinks=[_entry(k, i, computed[k], one.measured) for k, one in judged.items() for i in _where(one.at_kink)],
        hint=_hint(computed[k], worst.measured, worst.errors > tolerance) if wrong else "",
        outside=sum(one.outside for one in judged.values()),
        unjudged=tuple(f"argument {k} {one.unjudged}" for k, one in judged.items() if one.unjudged),
        blind=max(one.blind for one in judged.values()))


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
    value = _numbers(fn(x)).astype(np.float64)
    slopes = np.empty(tuple(x.shape))
    for i in np.ndindex(slopes.shape):
        slopes[i] = _look(fn, [x], 0, i, 1.0, value, _step(x[i], eps)).slope
    return slopes


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


def in_letters(fn, **shapes):
    """Differentiate the sum of fn(..) * g in letters, as SymPy does it: a proof for this size, with no rounding.

    Parameters
    ----------
    fn : callable
        Takes NumPy arrays of letters (dtype object) by position, returns one; it may add, multiply and index.
    **shapes : tuple of int
        The shape of each argument, under the name that its letters bear.

    Returns
    -------
    letters : dict of arrays
        The arguments by name, and the upstream gradient as "g". Entry [0, 1] of "X" is the symbol X12: places count
        from 1, along the axes that are longer than one.
    gradients : dict of arrays of SymPy expressions, one for each argument

    Raises
    ------
    ImportError
        SymPy is not installed.

    Examples
    --------
    With SymPy, ``in_letters(lambda x, w: x[:-1] * w[0] + x[1:] * w[1], x=(3,), w=(2,))`` gives as gradients of x
    ``g1*w1, g1*w2 + g2*w1, g2*w2``, and of w ``g1*x1 + g2*x2, g1*x2 + g2*x3``.
    """
    letters = {name: _letters(name, shape) for name, shape in shapes.items()}
    out = fn(*letters.values())
    letters["g"] = _letters("g", out.shape)
    total = (letters["g"] * out).sum()
    return letters, {name: np.array([total.diff(letter) for letter in letters[name].flat]).reshape(shape)
                     for name, shape in shapes.items()}


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


def _letters(name, shape):
    import sympy

    marks = ("".join(str(i + 1) for i, size in zip(index, shape) if size > 1) for index in np.ndindex(shape))
    return np.array([sympy.Symbol(name + mark) for mark in marks]).reshape(shape)


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


def _where(mask):
    return [index for index in np.ndindex(mask.shape) if mask[index]]


def _entry(k, index, computed, measured):
    index = tuple(map(int, index))
    return Entry(k, index, float(computed[index]), float(measured[index]))


@dataclass(frozen=True)
class _Look:
    """What one step up and down shows of sum(fn * weights) at one entry."""

    slope: float  # the central difference
    jump: float  # between the slopes to the right and to the left, its size added up over fn's values
    noise: float  # of the slope: the rounding of the values of fn that moved


def _look(fn, args, k, i, weights, middle, step):
    x = args[k]  # moved by index: x keeps its memory order, in which a flat view would be a copy
    kept = float(x[i])
    up, down = kept + step, kept - step
    try:
        x[i] = up
        above = _numbers(fn(*args)).astype(np.float64)
        x[i] = down
        below = _numbers(fn(*args)).astype(np.float64)
    finally:
        x[i] = kept
    jumps = (above - middle) / (up - kept) - (middle - below) / (kept - down)  # as far as it went: sums are rounded
    moved = (above != below) | (above != middle)
    size = np.abs(weights * np.maximum(np.abs(above), np.abs(below)) * moved).sum()
    return _Look(((above - below) * weights).sum() / (up - down), np.abs(jumps * weights).sum(), NOISE * size / step)


def _step(value, eps):
    """Return the step at a number: eps, but not so small beside it that rounding takes it."""
    return max(eps, 1e-10 * abs(float(value)))


@dataclass(frozen=True)
class _Judged:
    """What is known of one argument's entries; `outside`, `unjudged` and `blind` are the report's."""

    errors: np.ndarray  # 0 at kinks
    measured: np.ndarray
    at_kink: np.ndarray
    outside: int
    unjudged: str
    blind: float


def _judge(fn, args, k, weights, middle, computed, eps, tolerance):
    """Compare one argument's gradient with the differences; look closer where they differ, or where slopes jump."""
    measured, jumps, noises = (np.empty(computed.shape) for _ in range(3))
    for i in np.ndindex(computed.shape):
        look = _look(fn, args, k, i, weights, middle, _step(args[k][i], eps))
        measured[i], jumps[i], noises[i] = look.slope, look.jump, look.noise
    scale = max(np.abs(a[np.isfinite(a)]).max(initial=0) for a in (measured, computed))
    noise = seen = noises[np.isfinite(noises)].max(initial=0)
    limit = max(tolerance * scale, noise)
    at_kink, outside = np.zeros(computed.shape, bool), 0
    for i in _where(~(np.abs(computed - measured) <= limit) | ~(jumps <= limit)):
        looks = [_look(fn, args, k, i, weights, middle, part * _step(args[k][i], eps)) for part in FINER]
        if np.isfinite(computed[i]) and jumps[i] > limit and _is_kink(looks):
            at_kink[i] = True
            outside += int(abs(computed[i] - looks[-1].slope) > 0.51 * looks[-1].jump + limit)
        else:
            measured[i] = min(_slopes(looks, limit), key=lambda slope: abs(slope - computed[i]))
            seen = max(seen, 4 * FINER[-1] * looks[-1].jump)  # where fn is smooth, so fine a step shows rounding alone
    noise = seen if seen > VOID * noise else min(seen, ROUGH * noise)
    apart = np.abs(computed - measured)
    errors = apart / max(scale, noise / tolerance, 1e-300)
    errors = np.where(at_kink, 0, np.where(np.isnan(errors), np.inf, errors))
    blind = noise if ((apart > tolerance * scale) & (apart <= noise) & ~at_kink).any() else 0.0
    unjudged = ""
    if at_kink.any() and max(np.abs(a[~at_kink]).max(initial=0) for a in (measured, computed)) <= noise:
        unjudged = "has no gradient but at kinks: check at another point, with small random numbers added"
    elif blind and noise / CLEAR < np.abs(computed).max() < noise * CLEAR:
        unjudged = f"has a gradient of {np.abs(computed).max():.0e}, too small beside the rounding: try a larger `eps`"
    return _Judged(errors, measured, at_kink, outside, unjudged, float(blind))


def _is_kink(looks):
    """Say whether the slopes to the right and to the left are as far apart at finer steps."""
    least, most = STAYS
    first, *finer = looks
    return all(least * first.jump <= look.jump <= most * first.jump for look in finer)


def _slopes(looks, limit):
    """Yield the slopes that the steps measure at an entry that is not at a kink."""
    first, finer, finest = looks
    yield first.slope
    ratio = (FINER[0] / FINER[1]) ** 2
    yield (ratio * finer.slope - first.slope) / (ratio - 1)  # without the curvature's part, which grows with the square
    if first.jump > limit:  # a kink nearby: a finer step stays on this side of it
        yield from (finer.slope, finest.slope)


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
