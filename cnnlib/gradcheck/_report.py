"""Is a gradient right? The check of every entry, and the report that says which is wrong, and how."""

import sys
from dataclasses import dataclass, field

import numpy as np

from cnnlib.gradcheck._arrays import generator, is_varied, like, numbers, own
from cnnlib.gradcheck._hints import hint
from cnnlib.gradcheck._kinks import judge, where

TOLERANCE = 1e-5  # of the relative error


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
            below = f"below {10.0 ** (np.floor(np.log10(self.error)) + 1):.0e}" if self.error else "0"
            return f"passed: all {self.checked} entries agree (relative error {below}){rest}"  # its digits are noise
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
    args = [own(a) for a in args]
    varied = [k for k, a in enumerate(args) if is_varied(a)]
    if not varied:
        raise TypeError("no argument is a float array: there is nothing to vary")
    out = fn(*args)
    if not np.array_equal(numbers(out), numbers(fn(*args)), equal_nan=True):
        raise ValueError("`fn` gives two results for the same arguments: fix its random numbers (dropout's mask, say)")
    cotangent = like(generator(seed).standard_normal(tuple(out.shape)), out)
    computed = _gradients(fn_backward(cotangent, *args), args, varied)
    weights = numbers(cotangent)
    middle = numbers(out).astype(np.float64)
    judged = {k: judge(fn, args, k, weights, middle, computed[k], eps, tolerance) for k in varied}
    k = max(judged, key=lambda k: judged[k].errors.max(initial=0))
    worst = judged[k]
    wrong = sum(int((one.errors > tolerance).sum()) for one in judged.values())
    place = np.unravel_index(int(worst.errors.argmax()), worst.errors.shape) if worst.errors.size else None
    return Report(
        checked=sum(int((~one.at_kink).sum()) for one in judged.values()),
        error=float(worst.errors.max(initial=0)),
        worst=None if place is None else _entry(k, place, computed[k], worst.measured),
        wrong=wrong,
        kinks=[_entry(k, i, computed[k], one.measured) for k, one in judged.items() for i in where(one.at_kink)],
        hint=hint(computed[k], worst.measured, worst.errors > tolerance) if wrong else "",
        outside=sum(one.outside for one in judged.values()),
        unjudged=tuple(f"argument {k} {one.unjudged}" for k, one in judged.items() if one.unjudged),
        blind=max(one.blind for one in judged.values()))


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
        gradients[k] = numbers(grad).astype(np.float64)
    return gradients


def _entry(k, index, computed, measured):
    index = tuple(map(int, index))
    return Entry(k, index, float(computed[index]), float(measured[index]))
