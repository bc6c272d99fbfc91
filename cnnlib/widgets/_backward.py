"""A student's backward function: called with care, compared with ours, its mistake named where it is a known one.

Backward is linear in the upstream gradient, so one call for each output with a gradient of 1 there and 0 elsewhere
says everything: the browser adds up what it needs of that table, without another call.
"""

import ctypes
import inspect
import sys
import threading
import time
import traceback

import numpy as np

from cnnlib.plots._paths import SETTINGS, Paths
from cnnlib.widgets._own import Odd, kinks_in_words, taken
from cnnlib.widgets._text import full, plural

SECONDS = 2.0  # of work, for one call
LONGEST = 10.0  # by the clock: on a busy machine work takes longer
PATIENCE = 4.0  # for all calls of a table
NEAR = 1e-5  # relative to the largest number: the page computes in double, a student perhaps in single precision
NOUNS = {"grad_x": "input", "grad_weight": "weight"}


class Stopped(BaseException):
    """Raised in a student's function that takes too long; no Exception, so that theirs does not catch it."""


def called(function, seconds, *arguments, theirs=None, **settings):
    """Call a function in a thread of its own; return (result, "") or (None, what went wrong).

    `theirs` is the function in whose lines a fault is looked for, where it is not the called one itself.
    """
    found, theirs = {}, theirs or function

    def work():
        try:
            found["result"] = function(*arguments, **settings)
        except Stopped:
            found["stopped"] = True
        except Odd as error:
            found["error"] = str(error)
        except BaseException as error:  # it may fail in any way, also by sys.exit; the widget says how
            found["error"] = f"{type(error).__name__}: {error}{_place(error.__traceback__, theirs)}"

    thread = threading.Thread(target=work, daemon=True)
    worked, start = time.process_time(), time.perf_counter()
    thread.start()
    while thread.is_alive() and time.process_time() - worked < seconds and time.perf_counter() - start < LONGEST:
        thread.join(0.05)
    if thread.is_alive():
        where = _line_of(sys._current_frames().get(thread.ident), theirs)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(Stopped))
        thread.join(0.2)
        return None, f"no answer within {seconds:g} seconds{where}"
    return found.get("result"), found.get("error", "")


def _place(trace, function):
    """Say in which line of the student's own code an error arose."""
    lines = [entry for entry in traceback.extract_tb(trace) if entry.filename == _file(function)]
    return f" (line {lines[-1].lineno}: {lines[-1].line})" if lines else ""


def _line_of(frame, function):
    """Say which line of the student's code is at work in a frame or above it."""
    while frame is not None and frame.f_code.co_filename != _file(function):
        frame = frame.f_back
    return f" (line {frame.f_lineno})" if frame is not None else ""


def _file(function):
    code = getattr(inspect.unwrap(function), "__code__", None)
    return code.co_filename if code else None


def compare(function, paths, grad_output):
    """Compare a student's ``fn_backward`` with the library.

    Parameters
    ----------
    function : callable
        ``function(grad_output, x, weight)`` with arrays of two axes, without the weight where there is none; where
        that fails, with axes for batch and channel before them. It is given stride, padding, dilation and kernel_size
        too if it takes arguments of these names.
    paths : Paths
    grad_output : array of shape (OH, OW)
        What is on screen.

    Returns
    -------
    dict
        ``words`` for the reader; ``to_x`` and ``to_weight``, their tables (outputs, cells) as flat lists, and
        ``grad_x`` and ``grad_weight`` for `grad_output`; None where there are none. ``near``, how far, relative to
        the largest number, a right gradient may lie off.
    """
    nothing = dict.fromkeys(("to_x", "to_weight", "grad_x", "grad_weight")) | {"near": _near(paths)}
    forms = [2] if paths.op == "linear" else [4, 2] if getattr(paths, "axes", 2) == 4 else [2, 4]
    settings, refused = _settings(function, paths)
    if refused:
        return {**nothing, "words": refused}

    def ask(grad):
        said = []
        for axes in list(forms):
            upstream = grad.reshape(getattr(paths, "shape", grad.shape)) if axes == 2 else grad
            arrays = [np.array(a) if axes == 2 else np.array(a)[None, None]
                      for a in (upstream, paths.x, paths.weight) if a is not None]
            result, words = called(function, SECONDS, *arrays, **settings)
            if not words:
                forms[:] = [axes]
            if not words or words.startswith("no answer"):
                return _gradients(result, words, paths)
            said.append(words)
        return None, said[0] if len(set(said)) == 1 else f"{said[0]}; and with axes for batch and channel, {said[1]}"

    drawn = np.random.default_rng([31, *paths.out.shape]).standard_normal(paths.out.shape)
    (theirs, words), ours = ask(drawn), paths.backward(drawn)
    if words:
        return {**nothing, "words": words}
    here, words = ask(grad_output)
    if words:
        return {**nothing, "words": words}
    told = {**nothing, "words": _verdict(theirs, ours, here, paths, drawn, grad_output)}
    told |= {name: None if a is None else a.ravel().tolist() for name, a in zip(("grad_x", "grad_weight"), here)}
    table, start = [], time.perf_counter()
    for one in np.eye(paths.out.size):
        answer, words = ask(one.reshape(paths.out.shape))
        if words or time.perf_counter() - start > PATIENCE:
            return {**told, "words": f"{told['words']}; too slow or failing to be shown output by output"}
        table.append(answer)
    adds_up = True
    for name, which in (("to_x", 0), ("to_weight", 1)):
        if theirs[which] is not None:
            columns = np.array([answer[which] for answer in table])
            told[name] = columns.ravel().tolist()
            adds_up &= not _differ(np.tensordot(drawn.ravel(), columns, 1), theirs[which], _near(paths)).any()
    if not adds_up and "Looks like" not in told["words"]:
        told["words"] += "; but what all outputs give together is not the sum of what each gives"
    return told


def _settings(function, paths):
    """Return the settings that the function takes, and words if it does not take one that matters here."""
    given = taken(function, paths.settings)
    plain = {"stride": paths.settings.get("kernel_size", 1), "padding": 0, "dilation": 1}
    missing = [name for name in SETTINGS.get(paths.op, paths.settings) if name in plain and name not in given
               and paths.settings.get(name, plain[name]) != plain[name]]
    if missing:
        return {}, f"it takes no {missing[0]}, so it is compared where {missing[0]} is {plain[missing[0]]}"
    return given, ""


def _gradients(result, words, paths):
    """Return ((grad_x, grad_weight or None), "") of what the function returned, or (None, what is wrong with it)."""
    if words:
        return None, words
    parts = list(result) if isinstance(result, tuple | list) else [result]
    expected = [("∂E/∂X", paths.x)] + ([(f"∂E/∂{paths.letter('grad_weight')}", paths.weight)]
                                       if paths.weight is not None else [])
    found = []
    for (name, array), part in zip(expected, parts):
        try:
            numbers = np.asarray(part)
        except (TypeError, ValueError):  # rows of unequal length
            numbers = np.asarray(None)
        if numbers.dtype.kind not in "buif":
            return None, f"gives {type(part).__name__} for {name}; real numbers of shape {array.shape} are needed"
        part = numbers.astype(np.float64)
        if part.ndim > 2 and part.shape[:-2] == (1,) * (part.ndim - 2):
            part = part.reshape(part.shape[-2:])
        if part.ndim == 1 and array.shape == (1, part.size):  # a row, such as one slope for each channel
            part = part[None]
        if part.shape != array.shape:
            padded = tuple(n + 2 * p for n, p in zip(array.shape, _pads(paths)))
            hint = ": the padding's gradient is kept, cut it off" if name == "∂E/∂X" and part.shape == padded else ""
            return None, f"gives {name} of shape {part.shape}, computed {array.shape}{hint}"
        found.append(part)
    if not found:
        return None, "gives nothing"
    return (*found, None)[:2], ""


def _verdict(theirs, ours, here, paths, drawn, grad_output):
    """Say whether both agree, for a random upstream gradient and the one on screen; else how many differ, and why."""
    own, kinks = paths.op == "own", getattr(paths, "kinks", {})
    shown = paths.backward(np.asarray(grad_output, float))
    wrong, seen = ([_wrong(a, b, paths, part) if a is not None and b is not None else None
                    for a, b, part in zip(*both, NOUNS)] for both in ((theirs, ours), (here, shown)))
    told = {part: noun for (part, noun), w in zip(NOUNS.items(), wrong) if w is not None}
    if not any(w.any() for w in [*wrong, *seen] if w is not None):
        compared = [(w.size - len(kinks.get(part, ())), noun) for part, noun, w in zip(NOUNS, NOUNS.values(), wrong)
                    if w is not None]
        if not sum(n for n, _ in compared):
            return f"nothing could be compared{kinks_in_words(kinks, told)}"
        return (f"all {' and '.join(plural(n, noun) for n, noun in compared)} agree"
                f"{' with central differences' if own else ''}{kinks_in_words(kinks, told)}")
    many, ringed = ([(f"{np.count_nonzero(w)} of ", w.size, noun) for w, noun in zip(found, NOUNS.values())
                     if w is not None] for found in (wrong, seen))
    words = " and ".join(count + plural(n, noun) for count, n, noun in ringed)
    words += f" differ{' from central differences' if own else ''}"
    if many != ringed:  # what is ringed is that of the gradient on screen
        words += f" for this g, {' and '.join(f'{count}{n}' for count, n, _ in many)} for a random g"
    example = _example(here, shown, paths)
    reasons = [mistake(part, a, b, paths, drawn) for part, a, b, w in
               zip(("grad_x", "grad_weight"), theirs, ours, wrong) if w is not None and w.any()]
    reason = next(filter(None, reasons), "")
    return (words + (f"; {example}" if example else "") + kinks_in_words(kinks, told)
            + (f". Looks like this: {reason}" if reason else ""))


def _example(here, ours, paths):
    """Name the first cell that differs for the gradient on screen, with both numbers."""
    for part, a, b in zip(("grad_x", "grad_weight"), here, ours):
        if a is not None and b is not None and (wrong := np.argwhere(_wrong(a, b, paths, part))).size:
            at = tuple(wrong[0].tolist())
            return f"∂E/∂{paths.name(part, *at)}: yours {full(a[at])}, computed {full(b[at])}"
    return ""


def _differ(theirs, ours, near=NEAR):
    return ~np.isclose(theirs, ours, rtol=0, atol=near * max(1.0, np.nanmax(np.abs(ours), initial=0)), equal_nan=True)


def _near(paths):
    return getattr(paths, "near", NEAR)


def _wrong(theirs, ours, paths, part):
    """Return where two gradients differ; beside a kink there is nothing to differ from."""
    wrong = _differ(theirs, ours, _near(paths))
    wrong.flat[getattr(paths, "kinks", {}).get(part, [])] = False
    return wrong


def _pads(paths):
    """Return the zeros on each side of rows and of columns."""
    padding = paths.settings.get("padding", 0)
    return tuple(padding) if isinstance(padding, tuple | list) else (padding, padding)


def mistake(part, theirs, ours, paths, grad):
    """Return the known mistake whose result this is, in words, or "".

    Examples
    --------
    >>> paths = Paths(np.zeros((3, 3)), np.array([[1.0, 2.0], [3.0, 4.0]]))
    >>> grad = np.array([[1.0, 2.0], [5.0, 3.0]])
    >>> mistake("grad_x", paths.backward(grad)[0] / 4, paths.backward(grad)[0], paths, grad)
    'every number is 0.25 times what it should be (a mean for a sum?)'
    """
    if not np.isfinite(theirs).all():
        return "it holds NaN or infinity"
    if not theirs.any():
        return "it is zero everywhere (never written?)"
    clear = np.abs(ours) > 1e-3 * np.abs(ours).max()
    factors = theirs[clear] / ours[clear]
    mean = factors.mean() if factors.size else 1.0  # of a gradient that is 0 everywhere there is no factor
    if factors.size and np.ptp(factors) < 1e-4 * abs(mean) and not _differ(theirs, ours * mean).any():
        factor = full(float(mean))
        if factor == "−1":
            return "the sign is wrong"
        if factor != "1" and factors.size > 1:  # else they differ by too little, or there always is a factor
            return f"every number is {factor} times what it should be (a mean for a sum?)"
    for words, guess in _guesses(part, paths, grad):
        if guess is not None and guess.shape == theirs.shape and not _differ(theirs, guess).any():
            return words
    return ""


def _guesses(part, paths, grad):
    """Yield (words, the gradient that this mistake gives) for the mistakes that are often made."""
    x, weight, op = paths.x, paths.weight, paths.op
    if op == "own":  # of which nothing is known
        return
    if part == "grad_x":
        if weight is not None and op != "linear":
            yield "the filter is not turned where it should be, or once too often", paths.backward(
                grad, weight=weight[::-1, ::-1])[0]
        yield "overlapping windows are written, the last one wins; they must be added (+= for =)", _overwritten(
            paths, grad)
    if part == "grad_weight" and weight is not None and op != "linear":
        yield "it is turned by 180°; for the filter nothing is turned", paths.backward(grad)[1][::-1, ::-1]
    for name, plain in (("stride", 1), ("dilation", 1)):
        if paths.settings.get(name, plain) != plain and op == "conv2d":
            yield f"the {name} is forgotten on the way back", _with(paths, grad, part, **{name: plain})
    if part == "grad_x" and any(_pads(paths)) and op == "conv2d":
        rows, cols = _pads(paths)
        wide = Paths(np.pad(x, ((rows, rows), (cols, cols))), weight, op, paths.settings | {"padding": 0})
        wide = wide.backward(grad)[0]
        yield "the padding is cut off on one side only", wide[:x.shape[0], :x.shape[1]]
        yield "the padding is cut off on one side only", wide[2 * rows:, 2 * cols:]
    if op == "max_pool2d":
        yield "each of several equal maxima receives; only the first may", _to_all_maxima(paths, grad)
    if op == "relu":
        yield "it asks the sign of the gradient; the sign of the input counts", grad * (grad > 0)
    if op == "linear" and part == "grad_x" and weight.shape[0] == weight.shape[1]:
        yield "the weight is not transposed", grad @ weight.T
    if op == "linear" and part == "grad_weight" and weight.shape[0] == weight.shape[1]:
        yield "it is transposed", paths.backward(grad)[1].T


def _with(paths, grad, part, **settings):
    """Return the gradient as somebody computes it who forgets a setting: the windows lie elsewhere."""
    other = Paths(paths.x, paths.weight, paths.op, paths.settings | settings)
    if any(a < b for a, b in zip(other.out.shape, grad.shape)):
        return None
    wide = np.zeros(other.out.shape)
    wide[:grad.shape[0], :grad.shape[1]] = grad
    return other.backward(wide)[0 if part == "grad_x" else 1]


def _overwritten(paths, grad):
    """Return the input's gradient with each window written over what was there."""
    out = np.zeros(paths.x.shape)
    for i, j in np.ndindex(*grad.shape):
        for cell, _, value in paths.given(i, j)["grad_x"]:
            out[cell] = value * grad[i, j]
    return out


def _to_all_maxima(paths, grad):
    """Return the input's gradient where every one of a window's equal maxima receives all of it."""
    out, near = np.zeros(paths.x.shape), Paths(paths.x, None, "avg_pool2d", paths.settings)
    if near.out.shape != grad.shape:
        return None
    for i, j in np.ndindex(*grad.shape):
        window = [cell for cell, *_ in near.given(i, j)["grad_x"]]
        best = max(paths.x[cell] for cell in window)
        for cell in window:
            out[cell] += grad[i, j] * (paths.x[cell] == best)
    return out
