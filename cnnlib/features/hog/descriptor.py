"""The descriptor: gradients, votes, cells, blocks, one after the other."""

from math import isnan
from numbers import Real

import numpy as np

from cnnlib import _array
from cnnlib.features._picture import check_flag
from cnnlib.features.hog import _norms, _products, _strips
from cnnlib.features.hog.blocks import NORMS, block_histograms, group_cells, normalise_blocks
from cnnlib.features.hog.gradients import gradients_of, levels, result_dtype
from cnnlib.features.hog.votes import VOTES, cell_histograms, one_of, pixel_votes
from cnnlib.geometry import as_int, as_pair


def hog(image, orientations=9, pixels_per_cell=(8, 8), cells_per_block=(3, 3), block_norm="L2-Hys", *,
        transform_sqrt=False, feature_vector=True, channel_axis=None, votes="hard", window_sigma=None,
        signed=False):
    """Describe a picture by histograms of oriented gradients.

    Parameters
    ----------
    image : array of shape (..., H, W), or with `channel_axis` one axis more
        NumPy or torch; one picture or, with leading axes, many. Any levels: 0 to 1, 0 to 255, booleans.
    orientations : int
        Bins on the circle of 180 degrees.
    pixels_per_cell : (rows, cols) or int
        Pixels beyond the last whole cell are left out.
    cells_per_block : (rows, cols) or int
        Blocks stand one cell apart and overlap.
    block_norm : "L1", "L1-sqrt", "L2" or "L2-Hys"
        See :func:`normalise_blocks`.
    transform_sqrt : bool
        Take the square root of each level first.
    feature_vector : bool
        Return one long vector a picture.
    channel_axis : int, optional
        Which axis holds the colours, of which each pixel takes the one with the longest gradient.
    votes : "hard", "linear" or "trilinear"
        A pixel votes for one orientation as in scikit-image; for the two next to its angle; or also for the cells
        around it, through a Gaussian window over the block, as in the paper (:func:`block_histograms`).
    window_sigma : float, optional, in pixels
        Of that window; half the block's side if not given, math.inf for none.
    signed : bool
        Spread the bins over 360 degrees, so that dark beside bright and bright beside dark count as two. The paper
        found this to hurt for people, whose clothes have any colour, and to help where it is always the same
        side that is dark; then take 18 bins.

    Returns
    -------
    array of shape (..., block rows * block cols * rows in the block * cols in the block * orientations)
        Without `feature_vector` these axes stand apart. The result has the image's library, device and dtype;
        integers and booleans give float64.

    Raises
    ------
    ValueError
        The image is smaller than one block; a level is NaN, infinite or (with `transform_sqrt`) negative; there are
        four channels; or an option is not one of the words above.

    Notes
    -----
    With hard votes equal to skimage.feature.hog 0.26 within 1e-6 (it rounds the histograms to float32), but for the
    votes that :func:`pixel_votes` tells of. NumPy computes hard and trilinear votes of a grey picture in float32 too,
    many times as quick: the numbers are those of the steps within 1e-7 and 1e-5. Derived in notebooks/13.

    With trilinear votes, blocks of 2 x 2 cells and `transform_sqrt` this is the paper's descriptor, as is OpenCV's
    HOGDescriptor. The two correlate by about 0.96 on windows of photographs, since OpenCV chooses three things
    otherwise: the Gaussian's width, its middle, and what is added to a block's length. With one of them as here and
    two as there it is 0.975 to 0.99; with all three as there, :func:`opencv_hog`, it is 1.00.

    References
    ----------
    .. [1] Dalal & Triggs, Histograms of oriented gradients for human detection, CVPR 2005.
       doi:10.1109/CVPR.2005.177

    Examples
    --------
    >>> import numpy as np
    >>> hog(np.eye(128)[:, :64], cells_per_block=(2, 2)).shape  # 15 x 7 blocks of 2 x 2 cells with 9 numbers each
    (3780,)
    """
    n = as_int("orientations", orientations, 1)
    cell, block = as_pair("pixels_per_cell", pixels_per_cell, 1), as_pair("cells_per_block", cells_per_block, 1)
    one_of("block_norm", block_norm, NORMS)
    one_of("votes", votes, VOTES)
    for name, flag in (("transform_sqrt", transform_sqrt), ("feature_vector", feature_vector), ("signed", signed)):
        check_flag(name, flag)
    check_window(window_sigma, votes)
    x, largest = levels(image, transform_sqrt, channel_axis, short="float32")
    _check_size(x.shape[-2:], cell, block)
    tuned = (type(x) is np.ndarray and channel_axis is None and votes != "linear" and not signed
             and largest <= _strips.LARGEST)
    if tuned and votes == "hard":
        blocks = _norms.normalise_blocks(_strips.group_cells(_strips.cell_histograms(x, n, cell), block), block_norm)
    elif tuned and n <= _products.MOST and block_norm != "L1-sqrt":  # a root makes much of a rounding error
        blocks = _norms.normalise_blocks(_products.block_histograms(x, n, cell, block, window_sigma), block_norm)
    else:
        ballots = pixel_votes(*gradients_of(x, channel_axis is not None), n, "hard" if votes == "hard" else "linear",
                              signed)
        blocks = (block_histograms(*ballots, n, cell, block, window_sigma) if votes == "trilinear" else
                  group_cells(cell_histograms(*ballots, n, cell), block))
        blocks = normalise_blocks(blocks, block_norm)
    blocks = _array.as_dtype(blocks, result_dtype(image))
    *batch, rows, cols, height, width, n = blocks.shape
    return blocks.reshape(*batch, rows * cols * height * width * n) if feature_vector else blocks


def check_window(window_sigma, votes):
    """Check the Gaussian's width, and that there is a window that it is of."""
    if window_sigma is None:
        return
    if not isinstance(window_sigma, Real) or isinstance(window_sigma, bool):
        raise TypeError(f"`window_sigma` must be a number of pixels, not {window_sigma!r}")
    if isnan(window_sigma) or window_sigma <= 0:
        raise ValueError(f"`window_sigma` is {window_sigma:g}; it must be more than 0 (math.inf for no window)")
    if votes != "trilinear":
        raise ValueError(f"`window_sigma` is {window_sigma:g}, but {votes} votes have no window: "
                         'leave it out, or take votes="trilinear"')


def _check_size(size, cell, block):
    """Say how large a picture must be."""
    needed = cell[0] * block[0], cell[1] * block[1]
    if size[0] >= needed[0] and size[1] >= needed[1]:
        return
    raise ValueError(f"`image` has {size[0]} rows and {size[1]} columns; blocks of {block[0]} x {block[1]} cells of "
                     f"{cell[0]} x {cell[1]} pixels need at least {needed[0]} and {needed[1]}")
