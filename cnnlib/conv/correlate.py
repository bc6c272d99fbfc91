"""One picture and one filter: the convolution of the first lecture, before channels and batches."""

from cnnlib.conv._arguments import checked
from cnnlib.conv._conv2d import conv2d

MODES = ("valid", "same", "full")


def correlate2d(image, kernel, mode="valid"):
    """Lay `kernel` on `image` at every position and sum the products: cross-correlation, no flip.

    .. math:: y_{ij} = \\sum_{p,q} k_{pq}\\, x_{i+p,\\,j+q}

    Parameters
    ----------
    image : array of shape (H, W)
        NumPy or torch.
    kernel : array of shape (KH, KW)
    mode : {"valid", "same", "full"}
        "valid": where the kernel lies wholly on the image. "same": as many positions as pixels, zeros around
        (the extra one of an even kernel after). "full": wherever they overlap at all.

    Returns
    -------
    array of shape (H - KH + 1, W - KW + 1), (H, W) or (H + KH - 1, W + KW - 1)

    Raises
    ------
    ValueError
        `image` or `kernel` is empty or not 2-d, the kernel is larger than the image in mode "valid", or `mode` is
        unknown.
    TypeError
        As in :func:`conv2d`.

    Notes
    -----
    Derived in notebooks/20, eq. 1. Convolution (eq. 2) is ``correlate2d(image, kernel[::-1, ::-1])``. Equal to
    scipy.signal.correlate2d in all three modes.

    Examples
    --------
    >>> import numpy as np
    >>> correlate2d(np.array([[1, 2, 4], [8, 16, 32]]), np.array([[-1, 1]]))
    array([[ 1,  2],
           [ 8, 16]])
    """
    image, kernel = checked(image=image, kernel=kernel)
    for name, a in (("image", image), ("kernel", kernel)):
        if a.ndim != 2:
            colour = ": images.to_grey(image) makes one grey picture of three colours" if (
                name == "image" and a.ndim == 3 and a.shape[-1] in (3, 4)) else ""
            raise ValueError(f"`{name}` has shape {tuple(a.shape)}; it must be (rows, columns){colour}")
        if 0 in a.shape:
            raise ValueError(f"`{name}` has shape {tuple(a.shape)}; it must have at least one row and one column")
    if mode not in MODES:
        raise ValueError(f"`mode` is {mode!r}; it must be one of {', '.join(MODES)}")
    rows, cols = kernel.shape
    if mode == "valid" and (rows > image.shape[0] or cols > image.shape[1]):
        raise ValueError(f"`kernel` {tuple(kernel.shape)} lies nowhere wholly on `image` {tuple(image.shape)}: "
                         "mode='same' or 'full' surrounds the image with zeros")
    padding = ((rows - 1,) * 2, (cols - 1,) * 2) if mode == "full" else mode
    return conv2d(image[None], kernel[None, None], padding=padding)[0]
