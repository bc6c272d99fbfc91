"""Robinson's compass: eight masks ask in which direction an edge runs, and the loudest answer wins."""

from cnnlib import _array
from cnnlib.features._picture import as_pictures
from cnnlib.features.edges.gradients import asked, framed
from cnnlib.features.edges.masks import ROBINSON


def robinson(image):
    """Lay the eight compass masks on grey pictures; tell the largest response and which mask gave it.

    Parameters
    ----------
    image : array of shape (..., H, W)
        Grey levels on any scale, NumPy or torch; as in :func:`~cnnlib.features.edges.sobel`.

    Returns
    -------
    strength : array of shape (..., H, W)
        The response itself, not rescaled: 8 for a ramp of slope 1 along rows or columns. Never negative.
    direction : array of shape (..., H, W), int64 from 0 to 7
        Which of N NE E SE S SW W NW, in the order of :data:`~cnnlib.features.edges.ROBINSON`: the way one walks along
        the edge with the brighter side on the right. Of equal responses the first one counts, so 0 where all are 0.

    Notes
    -----
    Derived in notebooks/12, eq. 7. Four masks are minus the other four, so only four are computed. Levels of up to
    16 bits are summed exactly, and ties are then ties; of others they may be broken by rounding. Borders as in
    :func:`~cnnlib.features.edges.sobel`.

    References
    ----------
    .. [1] Robinson, Edge detection by compass gradient masks, Computer Graphics and Image Processing 6(5), 1977.
       doi:10.1016/S0146-664X(77)80024-5

    Examples
    --------
    >>> import numpy as np
    >>> strength, direction = robinson(np.array([[0, 1, 2]] * 3))
    >>> float(strength[1, 1]), int(direction[1, 1])  # brighter to the right: one walks north
    (8.0, 0)
    """
    (x,), dtype = as_pictures("robinson", image=image)
    xp = _array.library(x=x)
    height, width = x.shape[-2:]
    half = asked(framed(x, 1, 1).reshape(-1, 1, height + 2, width + 2), ROBINSON[:4]).swapaxes(0, 1)
    half = half.reshape(4, *x.shape)
    strength, direction = half[0], _array.zeros(x.shape, like=x, dtype="int8")  # small, for it is written often
    for number, response in enumerate([*half, *-half]):
        direction = xp.where(response > strength, number, direction)
        strength = xp.maximum(response, strength)
    # abs: minus zero becomes zero
    return _array.as_dtype(abs(strength), dtype), _array.as_dtype(direction, "int64")
