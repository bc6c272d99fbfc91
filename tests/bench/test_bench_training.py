"""The training benchmark runs; its claims hold for its stored results, and in `make test-all` for a new run."""

import json
from functools import partial

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("sklearn")

from tests.bench import training as bench  # noqa: E402
from tests.bench.pairs import FOREIGN  # noqa: E402


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


@pytest.mark.parametrize("name", [bench.LENET, *(
    bench.pooling(shape, order) for order in ("batch innermost", "NCHW") for shape in bench.SHAPES)])
def test_step_as_stored(name):
    """Pooling takes at most half of torch's time in the engine's order of memory, and 0.65 of it in torch's own.

    A step of LeNet-5 misses its goal, torch's time: a quiet machine gave 1.12 times that. The page says so, and it
    should not become more.
    """
    rows = {row["what"]: row for row in stored("step")["rows"]}
    if name not in rows:
        pytest.skip("not measured yet: python -m tests.bench.training step")
    assert rows[name]["foreign_cores"] < FOREIGN  # on a quiet machine
    assert rows[name]["to_torch"] <= (1.15 if name == bench.LENET else bench.goal(rows[name]))


def test_goals_and_verdicts():
    rows = [{"what": bench.LENET, "to_torch": 1.01}] + [
        {"what": bench.pooling((2, 3, 4, 5), order), "to_torch": share}
        for order in ("batch innermost", "NCHW") for share in (0.5, 0.65)]
    assert [bench.verdict(row) for row in rows] == [
        "1.0, missed", "0.5, reached", "0.5, missed", "0.65, reached", "0.65, reached"]
    assert rows[1]["what"] == "2×2 maximum pooling, 2 × 3 × 4×5, batch innermost"


@pytest.mark.slow
def test_digits_again():
    """On this machine, whatever its rounding: the claim of lecture 34."""
    row, = bench.digits(which=[("mixed", 1)])
    assert row["mean"] > 0.98
    print(row)


def test_a_run_writes_what_it_found(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(bench, "digits", lambda: [{"split": "mixed", "moved by up to": 0, "epochs": 1, "seeds": 1,
                                                   "mean": 0.5, "worst": 0.25, "longest seconds": 1.0}])
    monkeypatch.setattr(bench, "step", partial(bench.step, processes=2, rounds=1, seconds=0.001))
    bench.main(["digits", "step"], out=tmp_path)
    found = json.loads((tmp_path / "training.json").read_text())
    assert set(found) == {"digits", "step"} and {"cpu", "date"} <= set(found["step"]["machine"])
    rows = found["step"]["rows"]
    assert [row["what"].rpartition(", ")[2] for row in rows[1:]] == 2 * ["batch innermost"] + 2 * ["NCHW"]
    assert len({row["what"] for row in rows}) == 5 and all(row["to_torch"] > 0 for row in rows)
    text = (tmp_path / "training.md").read_text()
    assert "| mixed, moved by up to 0 | 1 | 1 | 50.00% | 25.00% | 1.0 |" in text and "LeNet-5, step" in text
    assert str(tmp_path) not in text


def test_both_sides_of_a_pair_do_the_same():
    """Three steps: the losses of NumPy and torch fall alike; and a pooling's sides give the same gradient."""
    sides = bench.lenet_sides()
    losses = [[side() for _ in range(3)] for side in sides.values()]
    np.testing.assert_allclose(*losses, rtol=1e-5)
    assert losses[0][2] < losses[0][0]
    for order in ("batch innermost", "NCHW"):
        ours, theirs = (side() for side in bench.pool_sides((4, 3, 8, 8), order).values())
        np.testing.assert_array_equal(ours, theirs)
        assert (ours.strides[0] == ours.itemsize) == (order == "batch innermost")
