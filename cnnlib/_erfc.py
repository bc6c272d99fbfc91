"""The complementary error function of NumPy arrays, a word that torch has and NumPy lacks.

For z >= 0 the product (1 + 2z) exp(z²) erfc(z) is smooth and lies between 1 and 1.3 all the way to infinity; in
t = (z - m) / (z + m), which runs from -1 to 1, a polynomial of degree 23 gives it to the last digits of float64. The
polynomial is not quoted from a table: it is interpolated here, from ``math.erfc``, when it is first needed.

References
----------
.. [1] Shepherd & Laframboise, Chebyshev approximation of (1 + 2x) exp(x²) erfc x in 0 ≤ x < ∞, Mathematics of
   Computation 36(153), 1981. doi:10.1090/S0025-5718-1981-0595058-X
"""

import math
from functools import cache

import numpy as np

MIDDLE = 2.5  # m: the z in the middle of the polynomial's range
TERMS = {"float32": 11, "float64": 24}  # more do not lower the error, which is then that of rounding
FAR = 30.0  # from here on erfc is 0, in float64 too
BLOCK = 2**15  # numbers that are done at once: some forty steps over them find them in the cache


def erfc(x):
    """Return 1 - erf(x) of float32 or float64 `x`, to 1e-15 (float64) or 3e-7 (float32), NaN for NaN.

    Also small values keep their digits: to 1e-14 of themselves up to x = 6, to 1e-13 of themselves beyond.
    """
    out = np.empty_like(x)
    numbers, results = x.ravel("K"), out.ravel("K")  # in the order in which they lie in memory
    for start in range(0, len(numbers), BLOCK):
        results[start:start + BLOCK] = _erfc(numbers[start:start + BLOCK])
    return out


def _erfc(x):
    z = np.minimum(np.abs(x), FAR)
    above = z + MIDDLE
    t = np.divide(z - MIDDLE, above, out=above)
    highest, *lower = _coefficients(TERMS[x.dtype.name])
    out = t * 0 + highest
    for coefficient in lower:
        out *= t
        out += coefficient
    out *= np.exp(-z * z) / (1 + 2 * z)
    return out + (x < 0) * (2 - 2 * out)  # erfc(-z) = 2 - erfc(z)


@cache
def _coefficients(terms):
    """Return the coefficients of the polynomial in t, the highest power first."""
    cosines = [math.cos(math.pi * k / (2 * terms)) for k in range(4 * terms)]  # all that the interpolation needs
    points = [cosines[2 * j + 1] for j in range(terms)]
    values = [_smooth(MIDDLE * (1 + t) / (1 - t)) for t in points]
    chebyshev = [2 / terms * math.fsum(value * cosines[(2 * j + 1) * k % (4 * terms)]
                                       for j, value in enumerate(values)) for k in range(terms)]
    chebyshev[0] /= 2
    return np.polynomial.chebyshev.cheb2poly(chebyshev)[::-1].tolist()


def _smooth(z):
    """Return (1 + 2z) exp(z²) erfc(z); beyond 2, where erfc gets small, by its continued fraction."""
    if z < 2:
        return (1 + 2 * z) * math.exp(z * z) * math.erfc(z)
    below = z
    for k in range(200, 0, -1):
        below = z + k / 2 / below
    return (1 + 2 * z) / below / math.sqrt(math.pi)
