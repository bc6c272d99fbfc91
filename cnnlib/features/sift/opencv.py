"""OpenCV's key points in our words."""

import numpy as np

from cnnlib.features.sift.keypoints import Keypoints

SHIFT = 0.25  # how far OpenCV's places lie too far down and right, in pixels: see ScaleSpace.origin
LENGTH = 512  # that OpenCV scales a descriptor to, before it rounds


def from_opencv(points, descriptors):
    """Return what ``cv2.SIFT_create().detectAndCompute(image, None)`` returns, as :func:`detect_and_describe` would.

    Parameters
    ----------
    points : sequence of K ``cv2.KeyPoint``
    descriptors : array of shape (K, 128), or None where there is no point

    Returns
    -------
    keypoints : Keypoints
        Rows and columns instead of OpenCV's (x, y), which lie a quarter of a pixel too far right and down; sigma, half
        of its size; radians instead of degrees; the octave, taken out of the number that holds the layer, too.
    descriptors : array of shape (K, 128), float32
        Of length about 1 (OpenCV rounds to whole numbers, at length 512), the eight directions counted as ours.

    Notes
    -----
    The quarter of a pixel comes of the first octave, twice the picture's size, and is not there with
    ``enable_precise_upscale=True``.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> point = SimpleNamespace(pt=(50.25, 40.25), size=8.0, angle=90.0, response=0.05, octave=255)
    >>> keypoints, descriptors = from_opencv([point], np.full((1, 128), 45.25))
    >>> keypoints.positions, keypoints.sigma, keypoints.octave
    (array([[40., 50.]], dtype=float32), array([4.], dtype=float32), array([-1]))
    """
    number = [(*point.pt[::-1], point.size / 2, np.radians(point.angle), point.response) for point in points]
    row, col, sigma, orientation, response = np.array(number, np.float32).reshape(-1, 5).T
    octave = np.array([(point.octave + 128) % 256 - 128 for point in points], np.int64)  # its lowest byte, signed
    positions = np.stack([row, col], 1) - np.float32(SHIFT)
    if descriptors is None:
        descriptors = np.zeros((0, 128))
    directions = np.asarray(descriptors, np.float32).reshape(-1, 16, 8)[..., -np.arange(8) % 8]  # theirs run backwards
    return Keypoints(positions, sigma, orientation, response, octave), directions.reshape(-1, 128) / LENGTH
