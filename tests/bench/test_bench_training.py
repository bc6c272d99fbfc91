"""The training benchmark runs; its claims hold for its stored results, and in `make test-all` for a new run."""

import json
from functools import partial

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("sklearn")

from tests.bench import training as bench  # noqa: E402


def stored(name):
    found = json.loads((bench.HERE / "training.json").read_text())
    if name not in found:
        pytest.skip(f"no stored result of {name}")
    return found[name]


def test_digits_as_stored():
    """Mean over five seeds above 98 % on mixed scans in under a minute each; new writers are harder in every row."""
    rows = {(row["split"], row["moved by up to"]): row for row in stored("digits")["rows"]}
    assert list(rows) == bench.DIGITS
    for row in rows.values():
        assert len(row["accuracies"]) == row["seeds"] == 5
        assert row["mean"] == pytest.approx(np.mean(row["accuracies"]), abs=1e-5)
        assert row["worst"] == min(row["accuracies"]) and row["longest seconds"] < 60
    assert rows["mixed", 1]["mean"] > 0.98
    for pixels in (0, 1):
        assert rows["last", pixels]["mean"] < 0.98
        assert rows["last", pixels]["mean"] < rows["mixed", pixels]["mean"]
    assert rows["last", 1]["mean"] > rows["last", 0]["mean"]


def test_mnist_as_stored():
    row, = stored("mnist")["rows"]
    assert row["mean"] >= 0.989 and row["epochs"] <= 3 and row["longest seconds"] < 180


def test_the_recipe_lenet5_mnist_as_stored():
    """Both engines, at least the 99.2 % of lecture 40."""
    rows = stored("lenet5-mnist")["rows"]
    assert {row["engine"].split()[0] for row in rows} == {"torch", "NumPy"}
    assert all(row["epochs"] == 20 and row["worst"] >= 0.992 for row in rows)


@pytest.mark.slow
def test_digits_again():
    """On this machine, whatever its rounding: the claim of lecture 34."""
    row, = bench.digits(which=[("mixed", 1)])
    assert row["mean"] > 0.98
    print(row)


def test_a_run_writes_what_it_found(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(bench, "digits", lambda: [{"split": "mixed", "moved by up to": 0, "epochs": 1, "seeds": 1,
                                                   "mean": 0.5, "worst": 0.25, "longest seconds": 1.0}])
    monkeypatch.setattr(bench, "step", partial(bench.step, rounds=1, seconds=0.001))
    bench.main(["digits", "step"], out=tmp_path)
    found = json.loads((tmp_path / "training.json").read_text())
    assert set(found) == {"digits", "step"} and {"cpu", "date"} <= set(found["step"]["machine"])
    assert all(row["to_torch"] > 0 for row in found["step"]["rows"])
    text = (tmp_path / "training.md").read_text()
    assert "| mixed, moved by up to 0 | 1 | 1 | 50.00% | 25.00% | 1.0 |" in text and "LeNet-5, step" in text
    assert str(tmp_path) not in text


def test_both_sides_of_a_pair_do_the_same(rng):
    """Three steps: the losses of NumPy and torch fall alike; and a pooling's sides run."""
    sides = bench.lenet_sides()
    for side in (*sides.values(), *bench.pool_sides((2, 3, 8, 8)).values()):
        for _ in range(3):
            side()
