"""Learning curves that grow while a net trains."""

import io
import time

import ipywidgets
from matplotlib import pyplot as plt

from cnnlib import plots

VIEW = "application/vnd.jupyter.widget-view+json"
SHARE = 0.2  # of the time that drawing may take


class LiveCurves:
    """A picture to show in one cell and to give to ``training.fit`` as `callback` in the next.

    Drawn after an epoch, but so seldom that drawing takes a fifth of the time at most, and after the last one.

    Attributes
    ----------
    sentence : str
        What stands below the picture. Where the cell's output is stored it is what it was when the cell ran, before
        the training: the same in every run.

    Examples
    --------
    >>> curves = LiveCurves()
    >>> curves
    Learning curves will grow here while the net trains.
    """

    def __init__(self):
        self._rest_until = 0.0
        self.sentence = "Learning curves will grow here while the net trains."
        self._image = ipywidgets.Image(format="png", layout={"max_width": "100%"})
        self._image.layout.display = "none"  # until there is something to see
        self._label = ipywidgets.Label(self.sentence)
        self._box = ipywidgets.VBox([self._image, self._label], layout={"align_items": "flex-start"})  # not stretched

    def __call__(self, progress):
        """Draw what there is, if it is time."""
        began = time.perf_counter()
        if not progress.epoch_ended or began < self._rest_until and progress.epoch < progress.epochs:
            return
        figure, file = plots.plot_learning(progress.history, epochs=progress.epochs)[0].figure, io.BytesIO()
        figure.savefig(file, format="png")
        plt.close(figure)
        self._image.value = file.getvalue()
        self._image.layout.display = None
        self.sentence = f"Epoch {progress.epoch} of {progress.epochs}, step {progress.step}: loss {progress.loss:.4f}"
        accuracy = [value for value in progress.history.valid_accuracy if value is not None][-1:]
        if accuracy:
            self.sentence += f", validation accuracy {100 * accuracy[0]:.1f} %"
        self._label.value = self.sentence
        ended = time.perf_counter()
        self._rest_until = ended + (ended - began) * (1 / SHARE - 1)

    def __repr__(self):
        return self.sentence

    def _repr_mimebundle_(self, **kwargs):
        view = {"version_major": 2, "version_minor": 0, "model_id": self._box.model_id}
        return {"text/plain": self.sentence, VIEW: view}, {}
