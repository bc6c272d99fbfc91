"""Drawn states of the backward microscope and what Python answers: test_js.py puts them to the JavaScript."""

import numpy as np

from cnnlib.plots import _paths
from cnnlib.widgets import BackwardMicroscope

REFUSED = ({"stride": 0}, {"dilation": -1}, {"padding": -2}, {"dilation": 5}, {"padding": 7},
           {"weight": np.ones((8, 2))}, {"weight": np.ones((2, 8)), "dilation": 2})
REFUSED_POOLS = ({"kernel_size": 0}, {"padding": 2}, {"kernel_size": 7}, {"kernel_size": 3, "dilation": 4})
REFUSED_TRANSPOSED = ({"padding": 4}, {"stride": 4}, {"dilation": 6})


def softsign(x):
    return x / (1 + np.abs(x))


def softsign_backward(grad_output, x):
    return grad_output / (1 + np.abs(x)) ** 2


def scaled_rows(x, weight, stride=1):
    """A layer that is in no library: every row by its own weight, every stride-th one, then squashed."""
    return np.tanh(x * weight[0, :len(x), None])[::stride]


def norms_of_rows(x):
    """One number for a row; four axes or nothing, as the library has it."""
    if x.ndim != 4:
        raise ValueError(f"x has {x.ndim} axes")
    return np.sqrt((x**2).sum(-1, keepdims=True) + 0.5)


def fails(x):
    raise ValueError("no such layer")


def own_cases(rng, plain):
    """Functions of a reader's own: what Python has measured of them, and what both say of it."""
    for k in range(40):
        x = np.round(rng.normal(size=rng.integers(1, 7, 2)), 2)
        state = {"row": int(rng.integers(9)), "col": int(rng.integers(9)), "so_far": bool(k % 3), "predict": k == 7,
                 "part": _paths.PARTS[k % 2]}
        fn, weight = (softsign, None) if k % 3 else (scaled_rows, np.round(rng.normal(size=(2, len(x))), 2))
        if k % 5 == 1:
            fn, weight = norms_of_rows, None
        if weight is not None:
            state |= {"part": _paths.PARTS[k % 9 // 3], "stride": [None, 2][k % 2]}
        yield answers(BackwardMicroscope(x, weight, rng.normal(size=(3, 2)) if k % 2 else None, fn=fn, **state), plain)
    for fn in (fails, lambda x: "x", lambda x: np.kron(x, np.ones((3, 1)))):
        yield answers(BackwardMicroscope(np.ones((4, 2)), fn=fn), plain)
    widget = BackwardMicroscope(np.ones((4, 2)), np.ones((1, 4)), fn=scaled_rows)
    widget.stride = 0
    yield answers(widget, plain)


def numbers(rng, shape, k):
    """Whole numbers with ties, real ones, or one NaN."""
    found = rng.integers(-3, 4, shape).astype(float) if k % 3 == 0 else rng.normal(size=shape)
    if k % 10 == 7:
        found.flat[rng.integers(found.size)] = np.nan
    return found


def case(rng, k, plain):
    op = _paths.OPS[k % 6]
    shape = (1, int(rng.integers(1, 9))) if op == "linear" else rng.integers(1, 9, 2)
    weight = None
    if op in _paths.WITH_WEIGHT:
        weight = numbers(rng, (int(rng.integers(1, 7)), shape[1]) if op == "linear" else rng.integers(1, 4, 2), k + 1)
    state = {"stride": [None, 1, 2, 3][int(rng.integers(4))], "padding": int(rng.integers(3)),
             "dilation": int(rng.integers(1, 3)), "kernel_size": int(rng.integers(1, 4)),
             "row": int(rng.integers(9)), "col": int(rng.integers(9)), "so_far": bool(rng.integers(2)),
             "part": _paths.PARTS[int(rng.integers(3 if weight is not None else 2))], "predict": bool(k % 13 == 0)}
    grad = None if k % 4 == 0 else numbers(rng, rng.integers(1, 9, 2), k + 2)
    x = numbers(rng, shape, k)
    if k % 5 == 0 and op != "linear":
        x, state["channel"] = np.stack([x + 1, x, -x]), int(rng.integers(3))
        weight = None if weight is None else np.stack([weight, -weight, weight + 1])
        grad = None if grad is None or k % 2 else np.stack([grad, 2 * grad, grad - 1])
    if k % 7 == 3:
        state["padding"] = tuple(rng.integers(0, 3, 2).tolist())
    return answers(BackwardMicroscope(x, weight, grad, op=op, **state), plain)


def answers(widget, plain):
    arrays = {name: None if (array := getattr(widget, name)) is None else plain(array)
              for name in ("x", "weight", "grad_output")}
    state = {name: getattr(widget, name) for name in widget._opening} | arrays
    own = None if widget._own is None else widget._own | {
        "x": widget._known and plain(widget._own_x),
        "weight": plain(widget._own_weight) if widget._known and widget.weight is not None else None}
    found = {"state": state, "own": own, "problem": widget.problem(), "sentence": widget.sentence(),
             "code": widget.code(), "pattern": widget._code, "whole": None}
    if widget.problem() is None:
        paths, (part, row, col) = widget.paths(), widget._place(widget.paths())
        grad = widget._grad(paths)
        both = {"whole": paths.backward(grad), "shown": _paths.shown(paths, grad, part, row, col, widget.so_far)}
        found |= {name: [None if a is None else plain(a) for a in grads] for name, grads in both.items()}
    return found


def backward_cases(rng, plain):
    """Return the cases; `plain(array)` writes an array as JSON can hold it."""
    found = [case(rng, k, plain) for k in range(240)] + [*own_cases(rng, plain)]
    for op, refused in (("conv2d", REFUSED), ("conv_transpose2d", REFUSED_TRANSPOSED), ("max_pool2d", REFUSED_POOLS),
                        ("avg_pool2d", REFUSED_POOLS[:3])):
        for change in refused:
            widget = BackwardMicroscope(np.ones((5, 6)), np.ones((3, 3)), op=op)
            for name, value in change.items():
                setattr(widget, name, value)
            found.append(answers(widget, plain))
    return found
