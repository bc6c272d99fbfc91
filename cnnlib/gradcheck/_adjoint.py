"""Is a backward function the transpose of its linear function?"""

import numpy as np

from cnnlib.gradcheck._arrays import generator, like, numbers


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
    rng = generator(seed)
    x = like(rng.standard_normal(tuple(x.shape)), x)
    out = fn(x)
    grad = like(rng.standard_normal(tuple(out.shape)), out)
    back = fn_backward(grad)
    if tuple(back.shape) != tuple(x.shape):
        raise ValueError(f"`fn_backward` returned shape {tuple(back.shape)}; the argument has {tuple(x.shape)}")
    there, home = (numbers(a).astype(float) * numbers(b) for a, b in ((out, grad), (x, back)))
    return float(abs(there.sum() - home.sum()) / max(np.abs(there).sum(), np.abs(home).sum(), 1e-300))
