"""Sliders over one figure, for an idea that a number moved is enough to show.

Drawn by Python, so a kernel is needed for the moving; the picture and its sentence stand without one.
"""

import base64
import html
import io

import ipywidgets

from cnnlib.widgets._picture import DPI, packed, png

VIEW = "application/vnd.jupyter.widget-view+json"


class Redraw:
    """Sliders that redraw one figure, and the sentence that says what is true now.

    Parameters
    ----------
    draw : callable
        ``draw(**values)`` with one value per slider returns (figure or Axes, sentence).
    **sliders : sequence of numbers or str
        By name, the values that each slider steps through; it begins at the first.

    Attributes
    ----------
    sliders : dict of str to ipywidgets.SelectionSlider
    sentence : str

    Examples
    --------
    >>> def draw(size):
    ...     return plots.plot_bars(["area"], [size * size]), f"A square of side {size} has area {size * size}."
    >>> from cnnlib import plots
    >>> square = Redraw(draw, size=(1, 2, 3))
    >>> square
    A square of side 1 has area 1.
    >>> square.sliders["size"].value = 3
    >>> square
    A square of side 3 has area 9.
    """

    def __init__(self, draw, **sliders):
        if not sliders or not all(len(values) > 1 for values in sliders.values()):
            raise ValueError(f"each slider needs two values at least, not {sliders}")
        self._draw = draw
        self.sliders = {
            name: ipywidgets.SelectionSlider(options=list(values), description=name.replace("_", " "),
                                             style={"description_width": "9em"}, layout={"width": "36em"})
            for name, values in sliders.items()}
        self._image = ipywidgets.Image(format="png", layout={"align_self": "flex-start", "max_width": "100%"})
        self._words = ipywidgets.HTML(layout={"max_width": "100%"})  # a Label would be cut off, not wrapped
        self._box = ipywidgets.VBox([*self.sliders.values(), self._image, self._words])
        for slider in self.sliders.values():
            slider.observe(self._redraw, "value")
        self._redraw()

    def _redraw(self, change=None):
        drawn, self.sentence = self._draw(**{name: slider.value for name, slider in self.sliders.items()})
        self._image.value = png(getattr(drawn, "figure", None) or drawn)
        self._words.value = f'<div style="line-height: 1.4">{html.escape(self.sentence)}</div>'

    def _page(self):
        """Return the picture with its sentence under it, for a page without a kernel, where no widget is shown."""
        from PIL import Image

        from cnnlib import notebook

        return packed(notebook.with_caption(Image.open(io.BytesIO(self._image.value)), self.sentence, DPI))

    def __repr__(self):
        return self.sentence

    def _repr_mimebundle_(self, **kwargs):
        view = {"version_major": 2, "version_minor": 0, "model_id": self._box.model_id}
        picture = base64.b64encode(self._page()).decode()
        return ({"text/plain": self.sentence, "image/png": picture, VIEW: view},
                {"image/png": {"alt": self.sentence}})
