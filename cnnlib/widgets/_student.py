"""What a student's function gives, beside what is computed: in words, and by cells."""

import numpy as np

from cnnlib.widgets._text import full, plural

SHOWN = 16  # rows and columns, at most, of a map that is sent to the browser


def answer(fn, *arguments):
    """Return what the function gives as an array in double precision, or in words how it failed."""
    try:
        return np.asarray(fn(*arguments), np.float64)
    except Exception as error:  # it may fail in any way; the widget says how
        return f"{type(error).__name__}: {error}"


def compare(theirs, ours, noun="output"):
    """Say where the student's array differs from ours: ``words`` for the reader, numbers for the drawing.

    Parameters
    ----------
    theirs : array or str
        As :func:`answer` gives it.
    ours : array, or None
        None where nothing can be computed.
    noun : str
        What one number is.

    Returns
    -------
    dict
        ``words``; ``shape`` (None where there is nothing to draw), ``data`` and ``differs``, the places of the
        cells that differ, both empty above 16×16.
    """
    nothing = {"shape": None, "data": [], "differs": []}
    if isinstance(theirs, str):
        return {**nothing, "words": theirs}
    if ours is None or theirs.shape != ours.shape:
        return {**nothing, "words": f"gives shape {theirs.shape}, computed {'nothing' if ours is None else ours.shape}"}
    wrong = np.flatnonzero(~np.isclose(theirs, ours, rtol=1e-5, atol=1e-6, equal_nan=True))
    words = f"agrees in all {plural(ours.size, noun)}"
    if len(wrong):
        i, j = np.unravel_index(wrong[0], ours.shape)
        words = (f"differs in {wrong.size} of {plural(ours.size, noun)}, first at row {i}, column {j}: "
                 f"yours {full(theirs[i, j])}, computed {full(ours[i, j])}")
    small = max(ours.shape) <= SHOWN
    return {"words": words, "shape": list(ours.shape), "data": theirs.ravel().tolist() if small else [],
            "differs": wrong.tolist() if small else []}
