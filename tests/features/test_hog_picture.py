"""The drawn histograms: lines along the edges, as bright as the bins; beside scikit-image's picture."""

import numpy as np
import pytest
from helpers import assert_close

from cnnlib import data
from cnnlib.features.hog import cell_histograms, hog_picture, pixel_gradients, pixel_votes


def test_known_values(array):
    """Two bins: gradients around 45 degrees give a line that rises, those around 135 one that falls."""
    picture = hog_picture(array(np.array([[[2., 0], [0, 3]]])), (8, 8))
    expected = np.zeros((8, 16))
    for step in (-2, -1, 0, 1, 2):
        expected[4 + step, 4 - step] = 2
        expected[4 + step, 12 + step] = 3
    assert_close(picture, expected)


@pytest.mark.parametrize("n", [3, 9, 12])
def test_lines_lie_across_the_gradients(n):
    pictures = hog_picture(np.eye(n).reshape(n, 1, 1, n), 64)
    for k, picture in enumerate(pictures):
        row, col = np.nonzero(picture)
        assert picture.max() == 1 and row.mean() == col.mean() == 32
        slope = np.degrees(np.arctan2(row[-1] - row[0], col[-1] - col[0])) % 180
        across = ((k + 0.5) * 180 / n + 90) % 180
        assert abs((slope - across + 90) % 180 - 90) < 1.5  # degrees: the end pixels are rounded


def test_batch_and_shape(array, rng):
    cells = rng.uniform(0, 1, (2, 3, 4, 5))
    pictures = hog_picture(array(cells), (9, 7))
    assert pictures.shape == (2, 27, 28)
    assert_close(pictures[1], hog_picture(cells[1], (9, 7)))
    assert_close(pictures[0, 9:18, 7:14], hog_picture(cells[:1, 1:2, 1:2], (9, 7))[0])


@pytest.mark.parametrize("n", [4, 9])
def test_like_skimage(n):
    """Through a blur: scikit-image cuts a line's ends to whole pixels, to the upper left; here they are rounded."""
    feature = pytest.importorskip("skimage.feature")
    filters = pytest.importorskip("skimage.filters")
    row, col = np.indices((192, 192))
    image = data.photo("camera")[100:292, 180:372] + 3 * np.sin(row / 3 + col / 5)  # waves that run one way
    cells = cell_histograms(*pixel_votes(*pixel_gradients(image), n), n, 24)
    theirs = filters.gaussian(feature.hog(image, n, (24, 24), (1, 1), visualize=True)[1], 2)
    alike, mirrored = (np.corrcoef(filters.gaussian(picture, 2).ravel(), theirs.ravel())[0, 1] for picture in (
        hog_picture(cells, 24), hog_picture(np.ascontiguousarray(cells[..., ::-1]), 24)))
    print(alike, mirrored)
    assert alike > 0.95 and mirrored < 0.6
