"""Pictures of widgets are small, and what has a meaning keeps its colour in them."""

import io

import numpy as np
import pytest

pytest.importorskip("anywidget")

from matplotlib.colors import to_rgb
from PIL import Image

from cnnlib import plots
from cnnlib.widgets import ConvolutionMicroscope, _picture


def pixels(picture, role):
    """Count the pixels that have exactly the colour of a role."""
    wanted = np.round(255 * np.array(to_rgb(plots.COLOURS[role])))
    return (np.asarray(picture.convert("RGB")) == wanted).all(axis=-1).sum()


def test_frames_keep_their_colours():
    """A photo has many greys and few blue pixels, which a palette of the commonest colours would turn grey."""
    widget = ConvolutionMicroscope("camera", [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], row=100, col=200)
    file = io.BytesIO()
    widget.figure().savefig(file, format="png", dpi=_picture.DPI, bbox_inches="tight")
    whole, small = Image.open(file), Image.open(io.BytesIO(_picture.png(widget.figure())))
    assert whole.size == small.size and len(np.unique(np.asarray(small.convert("RGB")).reshape(-1, 3), axis=0)) <= 128
    for role in ("input", "weight", "output"):
        assert pixels(small, role) >= pixels(whole, role) > 50, role
    before, after = (np.ptp(np.asarray(picture.convert("RGB")), axis=-1) for picture in (whole, small))
    assert (before == 0).sum() > 100_000
    assert after[before == 0].max() <= 1  # what is grey stays grey; Pillow 11 rounds a colour of the palette by one


def test_a_picture_of_noise_is_made_smaller():
    noise = np.random.default_rng(0).integers(0, 256, (600, 600, 3), dtype=np.uint8)
    packed = _picture.packed(Image.fromarray(noise))
    assert Image.open(io.BytesIO(packed)).size == (300, 300)
