"""Learning curves and the confusion matrix: each number in its place, colours by meaning, errors."""

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_hex

from cnnlib import plots
from cnnlib.training import History


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def made():
    history = History(step_loss=[2.0, 1.0, 0.5, 0.25])
    history.add(epoch=1, step=2, train_loss=1.5, train_accuracy=0.4, valid_loss=0.8, valid_accuracy=0.7)
    history.add(epoch=2, step=4, train_loss=0.4, train_accuracy=0.9, valid_loss=0.6, valid_accuracy=None)
    return history


def lines(ax):
    return {line.get_label(): (list(line.get_xdata()), list(line.get_ydata())) for line in ax.lines}


def test_each_value_stands_at_its_epoch():
    loss, accuracy = plots.plot_learning(made())
    assert lines(loss) == {"each step": ([0.5, 1, 1.5, 2], [2.0, 1.0, 0.5, 0.25]), "training": ([1, 2], [1.5, 0.4]),
                           "validation": ([1, 2], [0.8, 0.6])}
    assert lines(accuracy)["training"] == ([1, 2], [0.4, 0.9])
    np.testing.assert_array_equal(lines(accuracy)["validation"][1], [0.7, np.nan])
    assert loss.get_yscale() == "log" and loss.get_xlim() == (0, 2)


def test_a_run_that_is_not_over():
    history = History(step_loss=[2.0, 1.0, 0.5])
    loss, accuracy = plots.plot_learning(history, epochs=5)
    assert lines(loss)["each step"][0] == [1 / 3, 2 / 3, 1] and loss.get_xlim() == (0, 5)
    assert list(lines(loss)) == ["each step"] and not lines(accuracy)


def test_without_validation():
    history = made()
    history.valid_loss, history.valid_accuracy = [None, None], [None, None]
    assert "validation" not in lines(plots.plot_learning(history)[0])


def test_no_steps():
    with pytest.raises(ValueError, match="`history` holds no step"):
        plots.plot_learning(History())


def test_confusion_cells():
    counts = np.array([[5, 0, 0], [2, 3, 1], [0, 0, 1200]])
    ax = plots.plot_confusion(counts, ["cat", "dog", "owl"])
    found = {(round(text.get_position()[1]), round(text.get_position()[0])): text.get_text() for text in ax.texts}
    assert found == {(0, 0): "5", (1, 0): "2", (1, 1): "3", (1, 2): "1", (2, 2): "1,200"}
    assert [label.get_text() for label in ax.get_yticklabels()] == ["cat", "dog", "owl"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("answer", "true class")


def test_confusion_colours():
    """The most frequent mistake has the full colour, half as many half of it; what is right never has it."""
    fill = plots.plot_confusion(np.array([[9, 4, 0], [0, 9, 2], [0, 0, 0]])).images[0].get_array()
    assert to_hex(fill[0, 1]) == plots.COLOURS["gradient"]
    np.testing.assert_allclose(fill[1, 2], (fill[0, 1] + 1) / 2)
    np.testing.assert_allclose(fill[1, 0], 1)
    np.testing.assert_array_equal(fill[0, 0], fill[2, 2])


@pytest.mark.parametrize("counts, labels, words", [
    (np.zeros((2, 3), dtype=int), None, r"`counts` has shape \(2, 3\)"),
    (np.array([[1, -1], [0, 1]]), None, "its least number is -1"),
    (np.eye(3, dtype=int), ["a", "b"], "`labels` has 2 names for 3 classes"),
])
def test_confusion_errors(counts, labels, words):
    with pytest.raises(ValueError, match=words):
        plots.plot_confusion(counts, labels)
