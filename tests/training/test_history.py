"""A history is plain lists: as rows, as CSV and back, in one line."""

import csv

import pytest

from cnnlib.training import History


def made():
    history = History(step_loss=[2.5, 1 / 3])
    history.add(epoch=1, step=1, train_loss=2.5, train_accuracy=0.1, lr=0.1, seconds=0.5)
    history.add(epoch=2, step=2, train_loss=1 / 3, valid_loss=0.25, valid_accuracy=0.9, lr=1e-3, seconds=1.25)
    return history


def test_rows():
    first, second = made().rows()
    assert first == dict(epoch=1, step=1, train_loss=2.5, train_accuracy=0.1, valid_loss=None, valid_accuracy=None,
                         lr=0.1, seconds=0.5)
    assert second["train_accuracy"] is None and list(second) == History.columns()


def test_csv_and_back(tmp_path):
    made().to_csv(tmp_path / "run.csv")
    back = History.from_csv(tmp_path / "run.csv")
    assert back.rows() == made().rows()  # every digit, whole numbers whole, what is missing missing
    assert {type(step) for step in back.step} == {int}
    with (tmp_path / "run.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == History.columns() and rows[1] == ["1", "1", "2.5", "0.1", "", "", "0.1", "0.5"]


def test_another_csv_is_refused(tmp_path):
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match=r"other.csv has the columns \['a', 'b'\]; a history has \['epoch'"):
        History.from_csv(tmp_path / "other.csv")


def test_unknown_columns_are_refused():
    with pytest.raises(TypeError, match="no column 'loss'; it has epoch, step, train_loss"):
        History().add(loss=1.0)


def test_one_line():
    assert repr(History()) == "History: 0 epochs, 0 steps"
    assert repr(made()) == "History: 2 epochs, 2 steps; train_loss 0.3333, valid_loss 0.2500, valid_accuracy 90.0 %"
    history = History(stopped="interrupted in epoch 1, after step 3")
    assert repr(history) == "History: 0 epochs, 0 steps; interrupted in epoch 1, after step 3"
