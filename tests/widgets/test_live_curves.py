"""Live curves: drawn after epochs, seldom enough, always at the end; what is stored is the same in every run."""

import io

import pytest
from PIL import Image

pytest.importorskip("ipywidgets")

from trainees import ours, samples, sgd  # noqa: E402

from cnnlib import training  # noqa: E402
from cnnlib.widgets import LiveCurves, live_curves  # noqa: E402


def fit(curves, epochs=4):
    net = ours()
    return training.fit(net, samples(), samples(10, seed=3), epochs=epochs, optimizer=sgd(net), batch_size=16,
                        callback=curves)


def drawn(curves, monkeypatch, seconds):
    """Return after which epochs the picture changed, on a clock of which each drawing takes so many seconds."""
    clock, epochs, draw = [100.0], [], live_curves.plots.plot_learning

    def slow(history, **settings):
        clock[0] += seconds
        epochs.append(history.epoch[-1])
        return draw(history, **settings)

    monkeypatch.setattr(live_curves.time, "perf_counter", lambda: clock[0])
    monkeypatch.setattr(live_curves.plots, "plot_learning", slow)
    net = ours()
    training.fit(net, samples(), epochs=9, optimizer=sgd(net), batch_size=16,
                 callback=lambda progress: (clock.__setitem__(0, clock[0] + progress.epoch_ended), curves(progress)))
    return epochs


@pytest.mark.parametrize("seconds, epochs", [(0.1, list(range(1, 10))), (1.0, [1, 5, 9]), (9.0, [1, 9])])
def test_drawing_takes_a_fifth_of_the_time_at_most(monkeypatch, seconds, epochs):
    """An epoch takes a second; a drawing of one is followed by a rest of four."""
    assert drawn(LiveCurves(), monkeypatch, seconds) == epochs


def test_picture_and_sentence():
    curves = LiveCurves()
    assert repr(curves) == "Learning curves will grow here while the net trains."
    assert curves._image.layout.display == "none" and curves._image.value == b""
    history = fit(curves)
    assert Image.open(io.BytesIO(curves._image.value)).width > 600
    assert curves._image.layout.display is None
    assert repr(curves) == (f"Epoch 4 of 4, step 12: loss {history.step_loss[-1]:.4f}, validation accuracy "
                            f"{100 * history.valid_accuracy[-1]:.1f} %") == curves._label.value


def test_what_is_stored():
    """A view for a kernel, and plain text for all others: no picture, which would be an empty one."""
    data, metadata = LiveCurves()._repr_mimebundle_()
    assert set(data) == {"text/plain", live_curves.VIEW} and metadata == {}


def test_a_second_run_begins_anew():
    curves = LiveCurves()
    fit(curves, epochs=3)
    before = curves._image.value
    fit(curves, epochs=2)
    assert curves._image.value != before and curves.sentence.startswith("Epoch 2 of 2")
