"""The same descriptor as OpenCV computes it, number for number, for classifiers that were trained on theirs."""

from cnnlib import _array
from cnnlib.features.hog.blocks import CLIP, block_histograms
from cnnlib.features.hog.gradients import pixel_gradients
from cnnlib.features.hog.votes import pixel_votes


def opencv_hog(image, *, channel_axis=None, gamma_correction=True):
    """Return what ``cv2.HOGDescriptor().compute(image)`` returns: 3,780 numbers for 128 x 64 pixels.

    Its defaults are those of Dalal and Triggs's person detector: nine bins, cells of 8 x 8 pixels, blocks of 2 x 2
    cells, trilinear votes. It differs from ``hog(image, cells_per_block=2, votes="trilinear", transform_sqrt=True)``

    - in the Gaussian over a block: a quarter of its side wide (here half, as in the paper), and half a pixel to the
      right of and below the middle;
    - in what is added to a block's length: 3.6, a tenth of its 36 numbers, for levels from 0 to 255 (here 1e-5), and
      once more 0.001 after clipping: a block of little contrast stays weak;
    - in the order of the numbers: blocks column by column, and so the cells in a block.

    Parameters
    ----------
    image : array of shape (..., H, W), or with `channel_axis` one axis more
        Levels from 0 to 255, which the 3.6 above is meant for.
    channel_axis : int, optional
        Which axis holds the colours.
    gamma_correction : bool
        Take the square root of each level first.

    Returns
    -------
    array of shape (..., 36 * block rows * block cols), float64
        OpenCV 4.14 differs by about 0.001 at most, since it takes angles from a polynomial, and more in a few pixels
        where two colours' gradients are about equally strong.
    """
    ballots = pixel_votes(*pixel_gradients(image, transform_sqrt=gamma_correction, channel_axis=channel_axis),
                          9, "linear")
    blocks = 64 * block_histograms(*ballots, 9, 8, 2, window_sigma=4, window_shift=0.5)
    blocks = (blocks / (_length(blocks) + 3.6)).clip(max=CLIP)
    blocks = blocks / (_length(blocks) + 0.001)
    axes = tuple(range(blocks.ndim - 5))
    by_column = (len(axes) + i for i in (1, 0, 3, 2, 4))
    return _array.permute(blocks, (*axes, *by_column)).reshape(*blocks.shape[:-5], -1)


def _length(blocks):
    """Return the length of each block, in shape to divide it by."""
    return ((blocks**2).sum((-3, -2, -1))**0.5)[..., None, None, None]
