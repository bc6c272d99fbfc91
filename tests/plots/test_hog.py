"""The figures of HOG: bars where the bins are, as high as they are full."""

import numpy as np
import pytest
from matplotlib.patches import Rectangle

from cnnlib import data, plots
from cnnlib.features import hog


def heights(ax):
    return [bar.get_height() for bar in ax.containers[0] if isinstance(bar, Rectangle)]


def test_orientations():
    cells = hog.cell_histograms(*hog.pixel_votes(*hog.pixel_gradients(data.photo("camera", size=64))))
    ax = plots.plot_orientations(cells[3, 4], title="one cell")
    assert heights(ax) == pytest.approx(cells[3, 4])
    assert [text.get_text() for text in ax.get_xticklabels()] == [f"{angle}°" for angle in range(10, 180, 20)]
    assert len(plots.plot_orientations(np.ones(18)).get_xticks()) == 9
    assert plots.plot_orientations(np.zeros(9)).get_ylim() == (0, 1)


def test_block():
    rng = np.random.default_rng(0)
    before = rng.uniform(0, 3, (2, 2, 9))
    after = hog.normalise_blocks(before)
    above, below = plots.plot_block(before, after)
    assert heights(above) == pytest.approx(before.ravel()) and heights(below) == pytest.approx(after.ravel())
    assert [text.get_text() for text in below.get_xticklabels()] == ["cell 0, 0", "cell 0, 1", "cell 1, 0", "cell 1, 1"]


def test_errors():
    with pytest.raises(ValueError, match=r"`before` has shape \(2, 2, 9\) and `after` \(1, 2, 9\)"):
        plots.plot_block(np.ones((2, 2, 9)), np.ones((1, 2, 9)))
    with pytest.raises(ValueError, match="`histogram`"):
        plots.plot_orientations(np.ones((2, 9)))
