"""Sliders redraw the figure and its sentence, and a page without a kernel has both."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("ipywidgets")

from cnnlib import plots  # noqa: E402
from cnnlib.widgets import Redraw  # noqa: E402


def draw(kernel_size, channels):
    taps = kernel_size**2 * channels
    return plots.plot_bars(["taps"], [taps]), f"{taps} taps."


@pytest.fixture
def widget():
    return Redraw(draw, kernel_size=(1, 3, 5), channels=(2, 4))


def test_begins_at_the_first_values(widget):
    assert repr(widget) == "2 taps."
    assert [slider.description for slider in widget.sliders.values()] == ["kernel size", "channels"]


def test_a_slider_redraws(widget):
    before = bytes(widget._image.value)
    widget.sliders["kernel_size"].value = 5
    assert widget.sentence == "50 taps." and ">50 taps.<" in widget._words.value
    assert bytes(widget._image.value) != before and bytes(widget._image.value).startswith(b"\x89PNG")
    widget.sliders["kernel_size"].value = 1
    assert bytes(widget._image.value) == before


def test_fallback(widget):
    widget.sliders["channels"].value = 4
    data, metadata = widget._repr_mimebundle_()
    assert data["text/plain"] == metadata["image/png"]["alt"] == "4 taps."
    page, picture = (Image.open(io.BytesIO(png)) for png in (base64.b64decode(data["image/png"]), widget._image.value))
    assert page.width == picture.width and page.height > picture.height  # the sentence stands under the picture
    below = np.asarray(page.convert("L"))[picture.height:]
    assert below.min() < 60 and (below > 240).mean() > 0.5
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == widget._box.model_id


def test_errors():
    with pytest.raises(ValueError, match=r"two values at least, not \{'k': \(1,\)\}"):
        Redraw(draw, k=(1,))
