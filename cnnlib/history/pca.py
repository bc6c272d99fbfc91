"""Principal components, 1901: the linear rival of every autoencoder. Used in notebooks/10."""

import numpy as np


def pca(x, size):
    """Return a function that squeezes rows through `size` numbers, the best linear way for `x`, and draws them again.

    Parameters
    ----------
    x : array of shape (N, n)
        What the mean row and the `size` directions of largest variance are taken from.
    size : int, 0 to n

    Returns
    -------
    function of an array of shape (M, n), which returns one of that shape

    References
    ----------
    .. [1] Pearson, On lines and planes of closest fit to systems of points in space, Philosophical Magazine 2(11),
       1901. doi:10.1080/14786440109462720

    Examples
    --------
    >>> line = np.outer([0.0, 1, 2], [1, 3]) + 5
    >>> bool(np.allclose(pca(line, 1)(line), line)), pca(line, 0)(line)[0]
    (True, array([6., 8.]))
    """
    mean = x.mean(axis=0)
    directions = np.linalg.svd(x - mean, full_matrices=False)[2][:size]
    return lambda rows: mean + (rows - mean) @ directions.T @ directions
