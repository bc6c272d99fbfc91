"""The benchmark of the drawn digit runs; its goal, 100 ms from a stroke to the maps, holds for the stored results."""

import json

import pytest

from tests.bench import draw as bench

LIMIT = 100  # milliseconds


def test_a_stroke_reaches_the_maps_in_time_as_stored():
    found = json.loads((bench.HERE / "draw.json").read_text())["stroke to maps"]
    rows = {row["engine"]: row for row in found["rows"]}
    assert set(rows) == set(bench.ENGINES)
    for row in rows.values():
        assert 0 < row["median_ms"] < LIMIT and row["median_ms"] <= row["p95_ms"]
        assert row["measured"] >= 50, "too few to speak of a median"


@pytest.mark.slow
def test_both_engines_again():
    """On this machine, in a JupyterLab of its own."""
    pytest.importorskip("playwright.sync_api")
    pytest.importorskip("jupyterlab")
    for row in bench.strokes(count=10):
        assert row["median_ms"] < 5 * LIMIT, row


def test_a_run_writes_what_it_found(tmp_path, monkeypatch, capsys):
    """With every stroke drawn by another hand: the page and the file have what was measured."""
    monkeypatch.setattr(bench, "draw", lambda engine, count: (12.5 if engine == "auto" else 61.0, 70.25, count))
    bench.main(out=tmp_path)
    found = json.loads((tmp_path / "draw.json").read_text())["stroke to maps"]
    assert [(row["engine"], row["median_ms"], row["measured"]) for row in found["rows"]] == [
        ("browser", 12.5, bench.STROKES), ("python", 61.0, bench.STROKES)]
    text = (tmp_path / "draw.md").read_text()
    assert "| python | LeNet-5, 32×32 | 30 | 61.0 | 70.25 |" in text and str(tmp_path) not in text
    assert {"cpu", "date"} <= set(found["machine"])
