"""The benchmark runs and says what it should; the goals hold for its stored results, but for one."""

import json
import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tests.bench import compiled_im2col, conv  # noqa: E402
from tests.bench.pairs import FOREIGN, measure, ratio  # noqa: E402

TINY = {"tiny": ((2, 3, 9, 8), (4, 3, 3, 3), 2, 1)}


def test_a_run_writes_the_ratios_and_describes_the_machine(tmp_path, capsys):
    conv.main(rounds=1, out=tmp_path, shapes=TINY, seconds=0.001)
    text = (tmp_path / "conv.json").read_text()
    found = json.loads(text)
    assert set(found["modes"]) == {"fast malloc", "default malloc"}
    assert {"cpu", "cores", "numpy", "blas", "torch", "date"} <= set(found["machine"])
    for rows in found["modes"].values():
        assert [(row["shape"], row["direction"]) for row in rows] == [("tiny", "forward"), ("tiny", "backward")]
        for row in rows:
            assert set(row["to_torch"]) == set(conv.OURS)
            assert all(value > 0 for value in (*row["to_torch"].values(), *row["milliseconds"].values()))
    assert str(tmp_path) not in text and "/home" not in text
    assert "| geometric mean |" in (tmp_path / "conv.md").read_text()
    assert "| tiny |" in capsys.readouterr().out


def stored():
    return json.loads((conv.HERE / "conv.json").read_text())


def test_goals_as_stored():
    """With fast malloc, all goals are reached but one: ResNet's 3×3 on 56×56 pixels takes 1.28 times torch's time.

    The goal there is 1.2. The page says so, and it should not become more than 1.3.
    """
    missed = []
    rows = stored()["modes"]["fast malloc"]
    assert {row["shape"] for row in rows} == set(conv.SHAPES)
    assert all(row["foreign_cores"] < FOREIGN for row in rows) and all(row["to_compiled"] for row in rows)
    for direction in ("forward", "backward"):
        lines = conv.verdicts([row for row in rows if row["direction"] == direction], direction)
        assert len(lines) == {"forward": 7, "backward": 6}[direction]
        missed += [line for line in lines if not line.endswith(": reached.")]
    assert [line.partition(" (")[0] for line in missed] in ([], [
        "- Goal: auto / torch, each 3x3 of stride 1 at most 1.2: missed by ResNet 56x56"])
    assert max(row["to_torch"]["auto"] for row in rows if row["shape"] == "ResNet 56x56") <= 1.3


def test_verdicts():
    """Each goal can be missed, and a page says by what."""
    rows = [{"shape": shape, "to_torch": dict.fromkeys(conv.OURS, ratio), "to_compiled": {"auto": times}}
            for shape, ratio, times in (("LeNet C1", 4.0, 0.9), ("CIFAR 3x3", 1.25, 1.0))]
    assert conv.verdicts(rows, "forward") == [
        "- Goal: auto / torch, geometric mean at most 1.45: missed by 2.24.",
        "- Goal: auto / torch, each at most 3.0: missed by LeNet C1 (4.00).",
        "- Goal: auto, batch innermost / torch, geometric mean at most 1.3: missed by 2.24.",
        "- Goal: auto, batch innermost / torch, each at most 2.3: missed by LeNet C1 (4.00).",
        "- Goal: auto / torch, each 3x3 of stride 1 at most 1.2: missed by CIFAR 3x3 (1.25).",
        "- Goal: auto x C, geometric mean at least 1.3: missed by 0.95.",
        "- Goal: auto x C, each at least 1.0: missed by LeNet C1 (0.90)."]
    assert conv.verdicts(rows[1:], "backward")[1::2] == [
        "- Goal: auto / torch, each at most 1.6: reached.",
        "- Goal: auto, batch innermost / torch, each at most 1.6: reached.",
        "- Goal: auto x C, each at least 1.0: reached."]


def test_a_ratio_is_the_median_over_rounds_of_pairs():
    assert ratio({"ours": [1.0, 9.0, 4.0], "theirs": [1.0, 3.0, 2.0]}, "ours", "theirs") == 2.0


def test_every_side_is_called_and_timed():
    calls = {"a": 0, "b": 0}

    def side(name):
        calls[name] += 1

    times, foreign = measure({"a": lambda: side("a"), "b": lambda: side("b")}, rounds=2, side_seconds=1e-4)
    assert {name: len(spent) for name, spent in times.items()} == {"a": 2, "b": 2}
    assert min(calls.values()) >= 5 and math.isfinite(foreign)


@pytest.mark.skipif(compiled_im2col.library() is None, reason="no gcc")
@pytest.mark.parametrize(("stride", "padding"), [(1, 0), (1, 2), (2, 1), (3, 4)])
def test_the_compiled_rival_is_right(rng, stride, padding):
    x, weight = (rng.standard_normal(s).astype(np.float32) for s in ((3, 2, 9, 7), (4, 2, 3, 3)))
    tx, tw = (torch.from_numpy(a.copy()).requires_grad_() for a in (x, weight))
    out = torch.nn.functional.conv2d(tx, tw, None, stride, padding)
    np.testing.assert_allclose(compiled_im2col.forward(x, weight, stride, padding), out.detach(), atol=1e-5)
    grad = rng.standard_normal(out.shape).astype(np.float32)
    out.backward(torch.from_numpy(grad))
    grad_x, grad_weight, grad_bias = compiled_im2col.backward(grad, x, weight, stride, padding)
    np.testing.assert_allclose(grad_x, tx.grad, atol=1e-5)
    np.testing.assert_allclose(grad_weight, tw.grad, atol=1e-4)  # sums of up to 300 products
    np.testing.assert_allclose(grad_bias, grad.sum((0, 2, 3)), atol=1e-4)
