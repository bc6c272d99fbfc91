"""A gradient in letters, by SymPy: a proof for one size."""

import numpy as np


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


def _letters(name, shape):
    import sympy

    marks = ("".join(str(i + 1) for i, size in zip(index, shape) if size > 1) for index in np.ndindex(shape))
    return np.array([sympy.Symbol(name + mark) for mark in marks]).reshape(shape)
