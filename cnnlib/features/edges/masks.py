"""The masks: small tables of whole numbers that are laid on a picture, multiplied, and summed.

Each is written as it lies on the picture, rows down and columns right, and is applied as it is, without a flip.
"""

import numpy as np

# Clockwise from the upper left corner: the eight places around the centre of a 3×3 mask.
RING = ((0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0))


def turn_mask(mask, steps=1):
    """Turn a 3×3 mask clockwise by 45° a step: the eight outer numbers move on around the centre.

    Parameters
    ----------
    mask : array of shape (3, 3)
    steps : int
        Eight make a full turn; negative ones turn the other way.

    Returns
    -------
    array of shape (3, 3), a copy

    Examples
    --------
    >>> turn_mask(SOBEL)
    array([[-2, -1,  0],
           [-1,  0,  1],
           [ 0,  1,  2]])
    """
    mask = np.asarray(mask)
    if mask.shape != (3, 3):
        raise ValueError(f"`mask` has shape {mask.shape}; only the ring of a 3×3 mask turns by 45° a step")
    new = mask.copy()
    for place, source in enumerate(RING):
        new[RING[(place + steps) % 8]] = mask[source]
    return new


def _mask(*rows):
    """Return a table that nobody can change by accident."""
    mask = np.array(rows)
    mask.flags.writeable = False
    return mask


# The derivative along a row: positive where the grey levels grow to the right. Their transposes are the derivative
# down a column. Each is a difference [-1, 0, 1] along the row, smoothed down the column.
SOBEL = _mask([-1, 0, 1], [-2, 0, 2], [-1, 0, 1])
PREWITT = _mask([-1, 0, 1], [-1, 0, 1], [-1, 0, 1])
SCHARR = _mask([-3, 0, 3], [-10, 0, 10], [-3, 0, 3])

# The second derivatives along both axes, added: how much darker a pixel is than its four neighbours.
LAPLACIAN = _mask([0, 1, 0], [1, -4, 1], [0, 1, 0])

# Robinson's compass masks, named by the way one walks along the edge with the brighter side on the right hand.
DIRECTIONS = ("N", "NE", "E", "SE", "S", "SW", "W", "NW")
ROBINSON = _mask(*(turn_mask(SOBEL, steps) for steps in range(8)))
