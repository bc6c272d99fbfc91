"""Numbers and words as people read them: what static/kit/text.js says in the browser, said in Python.

One truth, tested: tests/widgets/test_js.py gives both the same numbers and compares every word.
"""

import math
from decimal import ROUND_HALF_UP, Context, Decimal

import numpy as np

MINUS = "\N{MINUS SIGN}"


def full(value):
    """Return a number as a sentence says it: at most four decimals, real minus, never "−0"; powers of ten if need be.

    Examples
    --------
    >>> full(2.0), full(-0.25), full(1 / 3), full(float("nan"))
    ('2', '−0.25', '0.3333', 'NaN')
    """
    value = float(value)
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    if value and not 0.001 <= abs(value) < 1e15:
        digits, power = f"{value:.1e}".split("e")
        return f"{digits}e{int(power)}".replace("-", MINUS)
    text = str(Decimal(value).quantize(Decimal("0.0001"), ROUND_HALF_UP)).rstrip("0").rstrip(".")
    return "0" if text == "-0" else text.replace("-", MINUS)


def apart(first, second):
    """Return two numbers as a sentence says them, with as many more digits as tell them apart.

    Examples
    --------
    >>> apart(0.5, 0.25), apart(0.3, 0.29999), apart(2, 2.0)
    (('0.5', '0.25'), ('0.3', '0.29999'), ('2', '2'))
    """
    words = full(first), full(second)
    if words[0] != words[1] or first == second:
        return words
    return tuple(f"{Decimal(repr(float(value))):f}".replace("-", MINUS) for value in (first, second))


def term(pixel, weight):
    """Return a product as text, negative factors in brackets.

    Examples
    --------
    >>> term(1, -1)
    '1·(−1)'
    """
    return f"{factor(pixel)}·{factor(weight)}"


def factor(value):
    """Return a number as it stands in a product or a sum: a negative one in brackets."""
    text = full(value)
    return f"({text})" if text.startswith(MINUS) else text


def places(first, last, step=1):
    """Return a run of rows or columns as text: "0 to 2", "0 to 4 in steps of 2", or "3" alone."""
    if first == last:
        return full(first)
    return f"{full(first)} to {full(last)}" + (f" in steps of {step}" if step > 1 else "")


def plural(n, noun):
    """Return a count with its noun: "1 pixel", "1,024 pixels"."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def literal(value):
    """Return a value as the code that makes it; single-precision numbers by their shortest digits.

    Examples
    --------
    >>> literal(np.array([[0.1, -1]], dtype=np.float32)), literal((1, 2)), literal("same")
    ('[[0.1, -1]]', '(1, 2)', '"same"')
    >>> literal(5.144042877107159), literal(float(np.float32(5.144042877107159)))
    ('5.144042877107159', '5.144043')
    >>> literal(123456792), literal(np.float32(-272694.125))
    ('123456792', '-272694.13')
    """
    if value is None or isinstance(value, bool):
        return str(value)
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, np.ndarray):
        return f"[{', '.join(literal(v) for v in value)}]" if value.ndim else _number(float(value))
    if isinstance(value, tuple | list):
        return f"({', '.join(map(literal, value))}{',' if len(value) == 1 else ''})"
    if isinstance(value, dict):
        return "{" + ", ".join(f'"{key}": {literal(v)}' for key, v in value.items()) + "}"
    return _number(float(value))


def _number(value):
    """Return a whole number as it is, another by its shortest digits that give the same single-precision number."""
    if not math.isfinite(value):
        return f'float("{value}")'
    if value == int(value) and abs(value) < 1e16:  # a seed or a count: each digit counts
        return str(int(value))
    for digits in range(6, 10):
        rounded = float(Context(digits, ROUND_HALF_UP).plus(Decimal(value)))  # as toPrecision does
        single = [float(np.float32(x)) for x in (value, rounded)]  # as floats: else both sides would be rounded
        if rounded == value or single == [value, value]:
            value = rounded
            break
    return repr(value)
